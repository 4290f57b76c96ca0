// What an officer signed, and its proof: a compact JWS with ES256 over exactly the statement, or a passkey's answer.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"slices"
	"sort"
	"strings"
	"time"
)

// mostOctets is of a statement, and of a proof; mostListed of what one statement may be about.
const mostOctets, mostListed = 8192, 2000

const longestValid = 7 * 24 * time.Hour

var acts = []string{"propose", "second", "reject", "revoke", "confirm-breach", "stop-issuing", "start-issuing",
	"change-roster", "accept-restore"}

type authority struct{ name, rootKey string }

// claim is what an act says of itself; of digests and bytes nil is none.
type claim struct {
	act, subject  string
	proposal, tbs any
}

type authorisation struct {
	authority     authority
	claim         claim
	officer, key  string
	validUntil    time.Time
	octets        []byte
	proof, sha256 string
	listed        []any
	isAboutOne    bool
}

func isAuthority(said any) bool {
	_, is := only(said, map[string]inForm{"name": word, "root_key_sha256": digest})
	return is
}

func authorityOf(said any) authority {
	return authority{said.(object)["name"].(string), said.(object)["root_key_sha256"].(string)}
}

func sum(octets []byte) string { found := sha256.Sum256(octets); return hex.EncodeToString(found[:]) }

// readAuthorisation is what a member of authorisations.json says, in its form; nothing of it is proved.
func readAuthorisation(document object) (found authorisation, good bool) {
	proof, proved := document["proof"].(string)
	said, is := only(document["statement"], map[string]inForm{
		"type": exactly("trialcpa-authorisation-1"), "authority": isAuthority, "act": word, "subject": word,
		"proposal_sha256": perhaps(digest), "tbs_sha256": perhaps(several(digest, unbounded)), "officer": word,
		"key": thumbprint, "valid_until": isMoment, "nonce": nonce,
	})
	if !is || !proved || !textOf(mostOctets)(proof) || document["key"] != said["key"] || !slices.Contains(acts, said["act"].(string)) {
		return found, false
	}
	until, _ := moment(said["valid_until"])
	octets := canonical(said)
	found = authorisation{
		authority: authorityOf(said["authority"]),
		claim:     claim{said["act"].(string), said["subject"].(string), said["proposal_sha256"], said["tbs_sha256"]},
		officer:   said["officer"].(string), key: said["key"].(string), validUntil: until,
		octets: octets, proof: proof, sha256: sum(octets), isAboutOne: true,
	}
	if listed := document["listed"]; listed != nil {
		found.isAboutOne = false
		found.listed, is = readListed(listed)
	}
	return found, is && len(octets) <= mostOctets
}

// readListed is what a statement about several decisions lists: each with its proposal and bytes, none twice.
func readListed(said any) ([]any, bool) {
	seen := map[any]bool{}
	each := func(one any) bool {
		row, is := one.([]any)
		if !is || len(row) != 3 || !word(row[0]) || !digest(row[1]) || !perhaps(several(digest, unbounded))(row[2]) || seen[row[0]] {
			return false
		}
		seen[row[0]] = true
		return true
	}
	if !several(each, mostListed)(said) || len(said.([]any)) == 0 {
		return nil, false
	}
	rows := slices.Clone(said.([]any))
	sort.Slice(rows, func(i, j int) bool { return rows[i].([]any)[0].(string) < rows[j].([]any)[0].(string) })
	return rows, true
}

// stated is the claim that the statement has to make: the act's own, or, of several, that of their list with the act in it.
func (a authorisation) stated(wanted claim) (claim, bool) {
	if a.isAboutOne {
		return wanted, true
	}
	own := []any{wanted.subject, wanted.proposal, wanted.tbs}
	for _, each := range a.listed {
		if same(each, any(own)) {
			return claim{act: wanted.act, subject: sum(canonical(a.listed))}, true
		}
	}
	return claim{}, false
}

// proves is whether an officer who is on the roster has signed for an act, and when it was used it was valid.
func (a authorisation) proves(asked authority, officer string, wanted claim, who *roster, at time.Time) bool {
	wanted, is := a.stated(wanted)
	held := who.member(a.key)
	if !is || held == nil || held.officer != a.officer || a.officer != officer {
		return false
	}
	if held.passkey != nil {
		is = held.passkey.answered(a.proof, a.octets, held.public)
	} else {
		is = signedJWS(a.proof, a.octets, held.public)
	}
	return is && a.authority == asked && same(a.claim, wanted) && !a.validUntil.Before(at) && a.validUntil.Sub(at) <= longestValid
}

// signedJWS is whether a compact JWS (RFC 7515) signs exactly these octets; its algorithm is ours and not the sender's.
func signedJWS(proof string, octets []byte, key *ecdsa.PublicKey) bool {
	parts := strings.Split(proof, ".")
	if len(proof) > mostOctets || len(parts) != 3 {
		return false
	}
	header, first := unpadded(parts[0])
	payload, second := unpadded(parts[1])
	halves, third := unpadded(parts[2])
	said, err := readJSON(header, true)
	if !first || !second || !third || err != nil || len(halves) != 64 ||
		!same(said, object{"alg": "ES256", "typ": "trialcpa-authorisation+jws"}) {
		return false
	}
	hashed := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(halves[:32]), new(big.Int).SetBytes(halves[32:])
	return ecdsa.Verify(key, hashed[:], r, s) && bytes.Equal(payload, octets)
}

// unpadded is what base64url without padding says, in its one form (RFC 7515, 2).
func unpadded(text string) ([]byte, bool) {
	octets, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return octets, err == nil && base64.RawURLEncoding.EncodeToString(octets) == text
}
