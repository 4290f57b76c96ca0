// The journal, or stretches of it: rows that are linked, and heads that its key has signed.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"
)

// datedAhead is how much later than it was sealed a row may say that it happened, where two machines' clocks differ.
const datedAhead = 5 * time.Second

type row struct {
	number                             int64
	sealedAt, kind, at, actor, payload string
	subject                            any
	said                               object // as it is hashed
	link                               string
}

type stretch struct {
	before string
	rows   []row
}

type head struct {
	number    int64
	link      string
	signature []byte
}

type journal struct {
	name      string
	key       []byte
	stretches []stretch
	heads     []head
}

func (j *journal) whole() bool { return len(j.stretches) == 1 && j.stretches[0].rows[0].number == 1 }

func (j *journal) rows() (all []row) {
	for _, each := range j.stretches {
		all = append(all, each.rows...)
	}
	return all
}

func anyText(said any) bool { _, is := said.(string); return is }

func isRow(said any) bool {
	_, is := only(said, map[string]inForm{
		"number": wholeFrom(-largest), "sealed_at": anyText, "kind": anyText, "at": anyText, "actor": anyText,
		"role": perhaps(anyText), "organisation": perhaps(anyText), "subject": perhaps(anyText), "payload": anyText,
	})
	return is
}

// readJournal is what the lines of an export say: what it is of, rows, where a stretch begins, and heads; nothing else.
func readJournal(octets []byte) (found *journal, good bool) {
	found = &journal{}
	before, rows, named := hex.EncodeToString(make([]byte, 32)), []row(nil), false
	ended := func() {
		if len(rows) > 0 {
			found.stretches = append(found.stretches, stretch{before, rows})
		}
		rows = nil
	}
	for _, line := range linesOf(octets) {
		told, err := readJSON(line, true)
		if err != nil {
			return nil, false
		}
		if said, is := only(told, map[string]inForm{"row": isRow, "link": digest}); is {
			rows = append(rows, rowOf(said["row"].(object), said["link"].(string)))
		} else if said, is := only(told, map[string]inForm{"before": digest}); is {
			ended()
			before = said["before"].(string)
		} else if said, is := only(told, map[string]inForm{"head": wholeFrom(0), "link": digest, "signature": hexadecimal}); is {
			signature, _ := hex.DecodeString(said["signature"].(string))
			found.heads = append(found.heads, head{said["head"].(int64), said["link"].(string), signature})
		} else if said, is := only(told, map[string]inForm{"journal": anyText, "key": isBase64}); is && !named {
			named = true
			found.name, found.key = said["journal"].(string), decoded(said["key"].(string))
		} else {
			return nil, false
		}
	}
	ended()
	return found, true
}

func linesOf(octets []byte) [][]byte {
	if len(octets) == 0 {
		return nil
	}
	return bytes.Split(bytes.TrimSuffix(octets, []byte("\n")), []byte("\n"))
}

func isBase64(said any) (good bool) {
	defer func() { good = recover() == nil }()
	decoded(said.(string))
	return true
}

func rowOf(said object, link string) row {
	return row{
		number: said["number"].(int64), sealedAt: said["sealed_at"].(string), kind: said["kind"].(string), at: said["at"].(string),
		actor: said["actor"].(string), payload: said["payload"].(string), subject: said["subject"], said: said, link: link,
	}
}

// payloadOf is what a row says; nothing, where that is no object.
func payloadOf(one row) object {
	said, err := readJSON([]byte(one.payload), true)
	found, is := said.(object)
	if err != nil || !is {
		return object{}
	}
	return found
}

// holds is whether rows and heads are those of the journal with that name and key.
func (j *journal) holds(name string, key []byte) bool {
	public := publicKey(key)
	if public == nil || len(j.stretches) == 0 || j.name != name || !bytes.Equal(j.key, key) {
		return false
	}
	links, covered := map[int64]string{}, map[int64]bool{}
	for _, each := range j.heads {
		covered[each.number] = true
	}
	good, last, latest := true, int64(0), time.Time{}
	for _, each := range j.stretches {
		before := each.before
		if j.whole() {
			before = hex.EncodeToString(make([]byte, 32))
		}
		good = good && each.rows[0].number > last && each.linked(before, &latest)
		for _, one := range each.rows {
			last = one.number
			links[last] = one.link
		}
		good = good && covered[last]
	}
	for _, each := range j.heads {
		hashed := sha256.Sum256(canonical(object{"journal": name, "number": each.number, "digest": each.link}))
		good = good && ecdsa.VerifyASN1(public, hashed[:], each.signature) && links[each.number] == each.link
	}
	return good
}

func (s stretch) linked(before string, latest *time.Time) bool {
	number := s.rows[0].number
	for _, one := range s.rows {
		previous, _ := hex.DecodeString(before)
		hashed := sha256.Sum256(append(previous, canonical(one.said)...))
		said, err := readJSON([]byte(one.payload), true)
		if err != nil || one.number != number || one.link != hex.EncodeToString(hashed[:]) || string(canonical(said)) != one.payload {
			return false
		}
		happened, first := moment(one.at)
		sealed, second := moment(one.sealedAt)
		ahead := happened.After(sealed) && !happened.After(sealed.Add(datedAhead))
		if !first || !second || ahead || sealed.Before(*latest) {
			return false
		}
		number, before, *latest = number+1, one.link, sealed
	}
	return true
}

// publicKey is a key for ECDSA in its one form (SubjectPublicKeyInfo, DER, uncompressed), or nil.
func publicKey(octets []byte) *ecdsa.PublicKey {
	read, err := x509.ParsePKIXPublicKey(octets)
	key, is := read.(*ecdsa.PublicKey)
	if err != nil || !is {
		return nil
	}
	if again, err := x509.MarshalPKIXPublicKey(key); err != nil || !bytes.Equal(again, octets) {
		return nil
	}
	return key
}
