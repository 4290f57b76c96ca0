// A roster: whose keys count as officers', and the order or the statement of the root by which another one came.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"sort"
	"time"
)

// fewest and most: people that a roster needs, and officers who have to order another one; keys that it has.
const fewest, most = 2, 100

type member struct {
	officer, key, hex string
	public            *ecdsa.PublicKey
	passkey           *passkey
}

func (m member) said() object {
	said := object{"officer": m.officer, "key": m.key, "public_key": m.hex}
	if m.passkey != nil {
		said["passkey"] = m.passkey.said()
	}
	return said
}

type roster struct {
	number      int64
	members     []member
	effectiveAt time.Time
}

func (r *roster) member(key string) *member {
	for i := range r.members {
		if r.members[i].key == key {
			return &r.members[i]
		}
	}
	return nil
}

func (r *roster) withKey(keys []string) bool {
	return slices.ContainsFunc(keys, func(each string) bool { held := r.member(each); return held != nil && held.passkey == nil })
}

// documents are the members as JSON has them, in order of their keys: what their digest is of.
func documents(members []member) []any {
	ordered, found := slices.Clone(members), []any{}
	sort.SliceStable(ordered, func(i, j int) bool { return ordered[i].key < ordered[j].key })
	for _, each := range ordered {
		found = append(found, each.said())
	}
	return found
}

// thumbprintOf is RFC 7638's, by SHA-256, of a P-256 key in its one form; and the key.
func thumbprintOf(written string) (string, *ecdsa.PublicKey) {
	octets, _ := hex.DecodeString(written)
	key := publicKey(octets)
	if key == nil || key.Curve != elliptic.P256() {
		return "", nil
	}
	point, _ := key.Bytes()
	coded := base64.RawURLEncoding.EncodeToString
	hashed := sha256.Sum256(canonical(object{"crv": "P-256", "kty": "EC", "x": coded(point[1:33]), "y": coded(point[33:])}))
	return coded(hashed[:]), key
}

// memberOf is a member as a list says it; `key`, the thumbprint, is in rosters and not in orders.
func memberOf(said any, named bool) (found member, good bool) {
	each, is := said.(object)
	if !is {
		return found, false
	}
	forms := map[string]inForm{"officer": word, "public_key": hexadecimal}
	if named {
		forms["key"] = word
	}
	if has(each, "passkey") {
		forms["passkey"] = anything
	}
	if _, is = only(each, forms); !is {
		return found, false
	}
	found = member{officer: each["officer"].(string), hex: each["public_key"].(string)}
	found.key, found.public = thumbprintOf(found.hex)
	if has(each, "passkey") {
		if found.passkey, is = readPasskey(each["passkey"]); !is {
			return found, false
		}
	}
	return found, found.public != nil && (!named || each["key"] == found.key)
}

// readMembers are the members of a list that can be a roster: at least two people with a key that is no passkey.
func readMembers(said any) (found []member, good bool) {
	list, is := said.([]any)
	if !is || len(list) > most {
		return nil, false
	}
	for _, each := range list {
		one, is := memberOf(each, true)
		if !is {
			return nil, false
		}
		found = append(found, one)
	}
	return found, canBe(found)
}

func canBe(members []member) bool {
	people, keys := map[string]bool{}, map[string]bool{}
	for _, each := range members {
		keys[each.key] = true
		if each.passkey == nil {
			people[each.officer] = true
		}
	}
	return len(people) >= fewest && len(keys) == len(members) && len(members) <= most
}

type change struct {
	roster, number int64
	add            []member
	remove         []string
}

// readChange is what an order changes; it is in its canonical form.
func readChange(body string) (found change, good bool) {
	read, err := readJSON([]byte(body), true)
	said, is := only(read, map[string]inForm{
		"kind": exactly("change-roster"), "why": textOf(2000), "roster": wholeFrom(1), "number": wholeFrom(2),
		"add": several(anything, most), "remove": several(thumbprint, most),
	})
	if err != nil || !is || len([]rune(body)) > 64*1024 || string(canonical(read)) != body {
		return found, false
	}
	found = change{roster: said["roster"].(int64), number: said["number"].(int64), remove: texts(said["remove"])}
	for _, each := range said["add"].([]any) {
		one, is := memberOf(each, false)
		if !is {
			return found, false
		}
		found.add = append(found.add, one)
	}
	return found, true
}

// changed are the members that come of a change, if it can be made.
func changed(before *roster, ordered change) (found []member, good bool) {
	seen := map[string]bool{}
	for _, key := range ordered.remove {
		if before.member(key) == nil || seen[key] {
			return nil, false
		}
		seen[key] = true
	}
	if len(ordered.add)+len(ordered.remove) == 0 && ordered.number == before.number+1 {
		return nil, false
	}
	for _, each := range before.members {
		if !seen[each.key] {
			found = append(found, each)
		}
	}
	found = append(found, ordered.add...)
	return found, canBe(found)
}

// byRoot are number and members of the roster that a statement of the root names, if the root of that authority signed it.
func byRoot(said any, asked authority) (number int64, members []member, good bool) {
	whole, is := only(said, map[string]inForm{"statement": anything, "root_key": hexadecimal, "signature": hexadecimal})
	if !is {
		return 0, nil, false
	}
	statement, is := only(whole["statement"], map[string]inForm{
		"type": exactly("trialcpa-roster-1"), "authority": isAuthority, "number": wholeFrom(1),
		"members": several(anything, most), "valid_until": isMoment,
	})
	if !is {
		return 0, nil, false
	}
	members, is = readMembers(statement["members"])
	octets, _ := hex.DecodeString(whole["root_key"].(string))
	signed, _ := hex.DecodeString(whole["signature"].(string))
	key := publicKey(octets)
	passkeys := slices.ContainsFunc(members, func(each member) bool { return each.passkey != nil })
	if !is || passkeys || authorityOf(statement["authority"]) != asked || sum(octets) != asked.rootKey || key == nil {
		return 0, nil, false
	}
	ordered := object{}
	for name, value := range statement {
		ordered[name] = value
	}
	ordered["members"] = documents(members)
	hashed := sha256.Sum256(canonical(ordered))
	return statement["number"].(int64), members, ecdsa.VerifyASN1(key, hashed[:], signed)
}
