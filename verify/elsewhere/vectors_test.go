package main

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const folder = "../kit/vectors"

func vectors(t *testing.T) map[string]object {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.json")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	found := map[string]object{}
	for _, file := range files {
		octets, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		said, err := readJSON(octets, true)
		if err != nil {
			t.Fatal(file, err)
		}
		found[strings.TrimSuffix(filepath.Base(file), ".json")] = said.(object)
	}
	return found
}

// verdict is what is judged, as JSON has it.
func verdict(vector object) object {
	octets, _ := json.Marshal(object{"question": vector["question"], "evidence": vector["evidence"]})
	written, _ := json.Marshal(judged(octets))
	said, _ := readJSON(written, true)
	return said.(object)
}

func TestEveryVectorIsJudgedAsItSays(t *testing.T) {
	for name, vector := range vectors(t) {
		if said := verdict(vector); !same(said, vector["verdict"]) {
			t.Errorf("%s: %v in place of %v", name, said, vector["verdict"])
		}
	}
}

// part is some octets of the evidence, and how it is with others in their place.
type part struct {
	name   string
	octets []byte
	with   func([]byte) (any, bool)
}

func asText(octets []byte) (any, bool) { return string(octets), utf8.Valid(octets) }
func asDER(octets []byte) (any, bool)  { return base64.StdEncoding.EncodeToString(octets), true }

func asJSON(octets []byte) (any, bool) { said, err := readJSON(octets, true); return said, err == nil }

// parts are all octets of the evidence: of base64 what it says, of texts and of what is JSON as they are written.
func parts(evidence object) (found []part) {
	plain := has(evidence, "log")
	for _, name := range slices.Sorted(maps.Keys(evidence)) {
		inner := func(name string, said string, with func(any) any) {
			one, octets := asText, []byte(said)
			if !plain && name != "dossier" {
				one, octets = asDER, decoded(said)
			}
			found = append(found, part{name, octets, func(other []byte) (any, bool) {
				value, good := one(other)
				return with(value), good
			}})
		}
		put := func(value any) any { other := maps.Clone(evidence); other[name] = value; return other }
		switch it := evidence[name].(type) {
		case string:
			inner(name, it, put)
		case []any:
			for i := range it {
				inner(name, it[i].(string), func(value any) any { other := slices.Clone(it); other[i] = value; return put(other) })
			}
		case object:
			if name == "row" {
				found = append(found, part{name, canonical(it), func(other []byte) (any, bool) {
					value, good := asJSON(other)
					return put(value), good
				}})
				continue
			}
			for _, file := range slices.Sorted(maps.Keys(it)) {
				one := it[file].(string)
				found = append(found, part{file, []byte(one), func(octets []byte) (any, bool) {
					value, good := asText(octets)
					other := maps.Clone(it)
					other[file] = value
					return put(other), good
				}})
			}
		}
	}
	return found
}

func numbers(said any) (found []string) {
	list, _ := said.([]any)
	for _, each := range list {
		octets, _ := json.Marshal(each)
		found = append(found, string(octets))
	}
	return found
}

// fails is whether a verdict about evidence with one bit changed names something that the vector's own does not; where
// that is against it already, whether it is no yes, either.
func fails(before, after object) bool {
	if has(after, "check") {
		return true
	}
	for _, name := range []string{"checks", "codes"} {
		for _, each := range numbers(after[name]) {
			if !slices.Contains(numbers(before[name]), each) {
				return true
			}
		}
	}
	against := before["outcome"] == "refuted"
	for _, each := range numbers(before["checks"]) {
		against = against || each != "24" && each != "28"
	}
	return against && after["valid"] != true && after["outcome"] != "proved"
}

// passedOver is whether a bit is of the issuer's name in a list, and the verdict is the one without that list: in a name
// that is nobody's of the path a list is passed over, and here no check needs it. Of no other bit it may be said.
func passedOver(vector object, one part, place int, said object) bool {
	crl, err := x509.ParseRevocationList(one.octets)
	if one.name != "lists" || err != nil {
		return false
	}
	start := bytes.Index(one.octets, crl.RawIssuer)
	evidence := maps.Clone(vector["evidence"].(object))
	evidence["lists"] = slices.DeleteFunc(slices.Clone(evidence["lists"].([]any)), func(each any) bool {
		return each == base64.StdEncoding.EncodeToString(one.octets)
	})
	without := verdict(object{"question": vector["question"], "evidence": evidence})
	return start <= place && place < start+len(crl.RawIssuer) && same(without, said)
}

// small is how many octets of evidence are tried bit by bit; of more each seventh bit is, or fewer where it is to be
// quick: seven is prime to eight, so each octet is met, and all the bits of octets in turn.
const small, dense, quick = 160, 7, 401

// wholly are the vectors of which each bit is tried.
var wholly = map[string]bool{"active": true, "grown": true, "register-signed": true, "check-good": true}

func TestWithOneBitOfItsEvidenceChangedEveryVectorFails(t *testing.T) {
	for name, vector := range vectors(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, one := range parts(vector["evidence"].(object)) {
				step := dense
				switch {
				case testing.Short():
					step = quick
				case len(one.octets) <= small || wholly[name]:
					step = 1
				}
				for bit := 0; bit < 8*len(one.octets); bit += step {
					tried(t, vector, one, bit)
				}
			}
		})
	}
}

func tried(t *testing.T, vector object, one part, bit int) {
	octets := bytes.Clone(one.octets)
	octets[bit/8] ^= 1 << (bit % 8)
	other, good := one.with(octets)
	if !good {
		return // that is in no JSON
	}
	said := verdict(object{"question": vector["question"], "evidence": other})
	if !fails(vector["verdict"].(object), said) && !passedOver(vector, one, bit/8, said) {
		t.Errorf("bit %d of %s: %v", bit, one.name, said)
	}
}

// odd is what stands where nothing of its kind is expected.
var odd = []any{int64(7), true, "", "x", []any{}, object{}, object{"model": int64(7)}, object{"manufacturer": "AB01"}}

func TestWhatIsThereAndIsNoneOfItsKindIsNotTakenForLeftOut(t *testing.T) {
	every := vectors(t)
	for name, vector := range every {
		question, evidence := vector["question"].(object), vector["evidence"].(object)
		for _, each := range odd {
			if has(question, "device") && question["device"] != nil {
				other := maps.Clone(question)
				other["device"] = each
				if said := verdict(object{"question": other, "evidence": evidence}); said["valid"] == true {
					t.Errorf("%s with device %v: %v", name, each, said)
				}
			}
			if has(evidence, "ocsp") && !same(each, "") {
				other := maps.Clone(evidence)
				other["ocsp"] = each
				if said := verdict(object{"question": question, "evidence": other}); said["valid"] == true {
					t.Errorf("%s with answer %v: %v", name, each, said)
				}
			}
		}
	}
}
