// The checks of verify/README.md, written again: one vector on standard input, its verdict on standard output.
//
//	go build -o judge . && trialcpa-verify conformance -- ./judge
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/bits"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

const (
	form = iota + 1
	signature
	origin
	_ // order: of a whole copy only
	root
	wentBack
	twoHistories
	document
)

type failed int

func require(good bool, check int) {
	if !good {
		panic(failed(check))
	}
}

type object = map[string]any

// --- canonical JSON

func write(out *bytes.Buffer, value any) {
	switch it := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		fmt.Fprint(out, it)
	case json.Number:
		number, err := strconv.ParseInt(it.String(), 10, 64)
		require(err == nil && strconv.FormatInt(number, 10) == it.String(), form)
		out.WriteString(it.String())
	case string:
		writeText(out, it)
	case []any:
		out.WriteByte('[')
		for i, each := range it {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, each)
		}
		out.WriteByte(']')
	case object:
		names := make([]string, 0, len(it))
		for name := range it {
			names = append(names, name)
		}
		sort.Strings(names)
		out.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				out.WriteByte(',')
			}
			writeText(out, name)
			out.WriteByte(':')
			write(out, it[name])
		}
		out.WriteByte('}')
	}
}

func writeText(out *bytes.Buffer, text string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	out.WriteByte('"')
	for _, each := range text {
		if escaped, is := short[each]; is {
			out.WriteString(escaped)
		} else if each < 0x20 {
			fmt.Fprintf(out, `\u%04x`, each)
		} else {
			out.WriteRune(each)
		}
	}
	out.WriteByte('"')
}

// --- the tree (RFC 9162, 2.1)

func hash(prefix byte, parts ...[]byte) []byte {
	sum := sha256.New()
	sum.Write([]byte{prefix})
	for _, each := range parts {
		sum.Write(each)
	}
	return sum.Sum(nil)
}

func included(leaf []byte, index, size uint64, path [][]byte) []byte {
	require(index < size, root)
	inner := bits.Len64(index ^ (size - 1))
	border := bits.OnesCount64(index >> inner)
	require(len(path) == inner+border, root)
	for i, each := range path {
		if i < inner && index>>i&1 == 0 {
			leaf = hash(1, leaf, each)
		} else {
			leaf = hash(1, each, leaf)
		}
	}
	return leaf
}

func consistent(first, second uint64, before, after []byte, path [][]byte) bool {
	if first == second {
		return len(path) == 0 && bytes.Equal(before, after)
	}
	if first == 0 {
		empty := sha256.Sum256(nil)
		return len(path) == 0 && bytes.Equal(before, empty[:])
	}
	if first&(first-1) == 0 {
		path = append([][]byte{before}, path...)
	}
	if len(path) == 0 {
		return false
	}
	place, last := first-1, second-1
	for place&1 == 1 {
		place, last = place>>1, last>>1
	}
	old, grown := path[0], path[0]
	for _, each := range path[1:] {
		if last == 0 {
			return false
		}
		if place&1 == 1 || place == last {
			old, grown = hash(1, each, old), hash(1, each, grown)
			for place&1 == 0 && place != 0 {
				place, last = place>>1, last>>1
			}
		} else {
			grown = hash(1, grown, each)
		}
		place, last = place>>1, last>>1
	}
	return last == 0 && bytes.Equal(old, before) && bytes.Equal(grown, after)
}

// --- keys and notes

func decoded(text string) []byte {
	octets, err := base64.StdEncoding.Strict().DecodeString(text)
	require(err == nil && base64.StdEncoding.EncodeToString(octets) == text, form)
	return octets
}

type key struct {
	name   string
	id     []byte
	public ed25519.PublicKey
}

func keyOf(vkey string) key {
	parts := strings.SplitN(vkey, "+", 3)
	require(len(parts) == 3 && parts[0] != "" && !strings.ContainsAny(parts[0], " \n"), form)
	octets := decoded(parts[2])
	require(len(octets) == 33 && octets[0] == 1, form)
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), octets...))
	require(hex.EncodeToString(sum[:4]) == parts[1], form)
	return key{parts[0], sum[:4], octets[1:]}
}

type checkpoint struct {
	size uint64
	root []byte
}

var number = regexp.MustCompile(`^(0|[1-9][0-9]{0,15})$`)

func read(note string, log key) checkpoint {
	end := strings.LastIndex(note, "\n\n")
	require(end >= 0 && strings.HasSuffix(note, "\n") && len(note) <= 16384, form)
	for _, each := range note {
		require(each >= 0x20 || each == '\n', form)
	}
	body := note[:end+1]
	lines := strings.Split(note[:end], "\n")
	require(len(lines) >= 3 && number.MatchString(lines[1]), form)
	for _, each := range lines {
		require(each != "", form)
	}
	size, _ := strconv.ParseUint(lines[1], 10, 64)
	seen := checkpoint{size, decoded(lines[2])}
	require(len(seen.root) == 32, form)
	var ours [][]byte
	for _, line := range strings.Split(strings.TrimSuffix(note[end+2:], "\n"), "\n") {
		parts := strings.Split(line, " ")
		require(len(parts) == 3 && parts[0] == "\u2014" && parts[1] != "" && !strings.Contains(parts[1], "+"), form)
		octets := decoded(parts[2])
		require(len(octets) > 4, form)
		if parts[1] == log.name && bytes.Equal(octets[:4], log.id) {
			ours = append(ours, octets[4:])
		}
	}
	require(lines[0] == log.name, origin)
	require(len(ours) == 1 && ed25519.Verify(log.public, []byte(body), ours[0]), signature)
	return seen
}

// --- status at an instant, from one document

const never = int64(1) << 60

func instant(value any) int64 {
	if value == nil {
		return never
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", value.(string))
	require(err == nil, document)
	return at.Unix()
}

type how struct{ state, code string }

var causes = map[string]how{
	"ssc": {"cancelled", "revoked"}, "breach": {"cancelled", "revoked-for-breach"},
	"key-compromise": {"cancelled", "key-compromise"}, "manufacturer": {"withdrawn", "withdrawn-at-request"},
	"change-withdrawn": {"cancelled", "change-withdrawn"},
}

type certificate struct {
	issue                                       int
	signed, begins, end, issuerEnded, revokedAt int64
	how                                         how
}

func issued(said object) certificate {
	issue, _ := strconv.Atoi(said["issue"].(json.Number).String())
	one := certificate{issue: issue, signed: instant(said["signed_at"]), begins: instant(said["not_before"]),
		end: instant(said["not_after"]) + 1, issuerEnded: instant(said["issuer_ended_at"]),
		revokedAt: instant(said["revoked_at"]), how: how{"expired", "expired"}}
	if at := instant(said["superseded_at"]); at < one.end {
		one.end, one.how = at, how{"cancelled", "superseded"}
	}
	if cause, is := said["cause"].(string); is && one.revokedAt < one.end {
		one.end, one.how = one.revokedAt, causes[cause]
	}
	return one
}

func of(one *certificate, granted, at int64) (string, []string) {
	if at < one.signed { // S5
		if at < granted {
			return "unknown", []string{"not-granted-then"}
		}
		return "unknown", []string{"certificate-not-issued"}
	}
	if one.end <= at { // S6
		return one.how.state, []string{one.how.code}
	}
	state, codes := "active", []string{}
	if at < one.begins { // S7
		state, codes = "not_yet_started", []string{"not-yet-started"}
	}
	if one.issuerEnded <= at { // S8
		codes = append(codes, "issuing-ca-ended")
	}
	return state, codes
}

func status(said object, at int64) (state string, codes []string, spoken *certificate) {
	granted := instant(said["granted"])
	if at < granted { // S1
		return "unknown", []string{"not-granted-then"}, nil
	}
	begun := false
	for _, each := range said["certificates"].([]any) { // S3, in order of issues
		one := issued(each.(object))
		if one.signed > at {
			continue
		}
		if one.begins <= at && one.begins < one.end {
			spoken, begun = &one, true
		} else if !begun && (spoken == nil || spoken.end <= at && one.end > at) {
			spoken = &one
		}
	}
	if ended := instant(said["ended_at"]); ended <= at { // S2
		found := causes[said["end_cause"].(string)]
		codes = []string{found.code}
		if spoken == nil {
			codes = append(codes, "certificate-not-issued")
		}
		return found.state, codes, spoken
	}
	if spoken != nil {
		state, codes = of(spoken, granted, at)
		return state, codes, spoken
	}
	switch { // S4
	case at > instant(said["terms"].([]any)[0].(object)["expiry"]):
		return "expired", []string{"expired", "certificate-not-issued"}, nil
	case at < instant(said["start"]):
		return "not_yet_started", []string{"not-yet-started", "certificate-not-issued"}, nil
	}
	return "active", []string{"certificate-not-issued"}, nil
}

func firmware(said object, spoken *certificate, device object) string {
	terms := said["terms"].([]any)[0].(object)
	for _, each := range said["terms"].([]any) {
		if spoken != nil && each.(object)["issue"].(json.Number).String() == strconv.Itoa(spoken.issue) {
			terms = each.(object)
		}
	}
	version, asked := device["firmware_version"].(string)
	image, hashed := device["firmware_hash"].(string)
	code := "firmware-not-approved"
	for _, each := range terms["firmware"].([]any) {
		one := each.(object)
		if strings.EqualFold(one["version"].(string), version) {
			if code = "firmware-hash-mismatch"; !hashed || strings.EqualFold(one["image_digest"].(string), image) {
				return ""
			}
		}
	}
	if !asked {
		return ""
	}
	return code
}

func answered(row object, question object) object {
	documents, _ := row["public"].(object)["approvals"].([]any)
	now, _ := question["now"].(json.Number).Int64()
	at := now
	if written, is := question["at"].(string); is {
		at = instant(written)
	}
	device, byDevice := question["device"].(object)
	for _, each := range documents {
		said := each.(object)
		model := said["device"].(object)
		if byDevice {
			same := true
			for _, name := range []string{"manufacturer", "model", "type", "hardware_version"} {
				asked, is := device[name].(string)
				same = same && (!is || strings.EqualFold(asked, model[name].(string)))
			}
			if !same {
				continue
			}
		} else if said["approval"] != question["approval"] {
			continue
		}
		state, codes, spoken := status(said, at)
		if state != "unknown" && byDevice {
			if code := firmware(said, spoken, device); code != "" {
				codes = append(codes, code)
			}
		}
		if _, unit := question["device_id"]; unit && state != "unknown" {
			codes = append(codes, "not-known-to-a-copy")
		}
		return object{"valid": state == "active" && len(codes) == 0, "state": state, "reasons": codes}
	}
	absent := "unknown-approval"
	if byDevice {
		absent = "device-not-approved"
	}
	return object{"valid": false, "state": "unknown", "reasons": []string{absent}}
}

func judged(octets []byte) (verdict object) {
	defer func() {
		switch found := recover().(type) {
		case nil:
		case failed:
			verdict = object{"check": int(found)}
		default: // a member that is missing, or of another type
			verdict = object{"check": form}
		}
	}()
	decoder := json.NewDecoder(bytes.NewReader(octets))
	decoder.UseNumber()
	var vector struct{ Question, Evidence object }
	require(decoder.Decode(&vector) == nil, form)
	evidence := vector.Evidence
	if _, is := evidence["certificate"]; is {
		return checked(vector.Question, evidence)
	}
	log := keyOf(evidence["log"].(string))
	seen := read(evidence["checkpoint"].(string), log)
	var path [][]byte
	hashes := evidence["hashes"].([]any)
	for _, each := range hashes {
		path = append(path, decoded(each.(string)))
	}
	if earlier, is := evidence["earlier"].(string); is {
		before := read(earlier, log)
		require(seen.size >= before.size, wentBack)
		require(consistent(before.size, seen.size, before.root, seen.root, path), twoHistories)
		return object{"grown": true}
	}
	row := evidence["row"].(object)
	place, err := row["number"].(json.Number).Int64()
	require(err == nil && place >= 1, form)
	var data bytes.Buffer
	write(&data, row)
	require(bytes.Equal(included(hash(0, data.Bytes()), uint64(place-1), seen.size, path), seen.root), root)
	return answered(row, vector.Question)
}

func main() {
	octets, _ := io.ReadAll(os.Stdin)
	json.NewEncoder(os.Stdout).Encode(judged(octets))
}
