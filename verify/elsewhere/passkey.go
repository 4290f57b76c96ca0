// A passkey's answer (WebAuthn level 3, 7.2) for the digest of exactly a statement.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

type passkey struct{ credential, origin string }

func (p passkey) said() object { return object{"credential": p.credential, "origin": p.origin} }

var (
	credential = matching(`([0-9a-f]{2})+`, 2046)
	host       = matching(`[a-z0-9-]+(\.[a-z0-9-]+)*`, 200)
	port       = matching(`0|[1-9][0-9]{0,4}`, 5)
	digits     = matching(`[0-9]+`, 200)
)

// isOrigin is whether a page's origin is one host's name by https, or http://localhost: no address can be a relying party.
func isOrigin(said any) bool {
	text, is := said.(string)
	if !is || len(text) > 200 {
		return false
	}
	found, err := url.Parse(text)
	if err != nil || !host(found.Hostname()) || found.Port() != "" && !port(found.Port()) {
		return false
	}
	whole := found.Scheme + "://" + found.Hostname()
	if found.Port() != "" {
		whole += ":" + found.Port()
	}
	labels := strings.Split(found.Hostname(), ".")
	return whole == text && !digits(labels[len(labels)-1]) &&
		(found.Scheme == "https" || found.Scheme == "http" && found.Hostname() == "localhost")
}

func readPasskey(said any) (*passkey, bool) {
	found, is := only(said, map[string]inForm{"credential": credential, "origin": isOrigin})
	if !is {
		return nil, false
	}
	return &passkey{found["credential"].(string), found["origin"].(string)}, true
}

// passkeysAlone are the decisions for which passkeys alone are enough.
var passkeysAlone = []any{"refuse", "refuse-amendment", "revoke", "withdraw", "correct"}

func wantsKey(kind any) bool { return !slices.Contains(passkeysAlone, kind) }

const present, verified, attested, extended = 0x01, 0x04, 0x40, 0x80

func (p passkey) answered(proof string, octets []byte, key *ecdsa.PublicKey) bool {
	parts := strings.Split(proof, ".")
	if len(proof) > mostOctets || len(parts) != 4 || parts[0] != "trialcpa-passkey-1" {
		return false
	}
	data, first := unpadded(parts[1])
	client, second := unpadded(parts[2])
	signed, third := unpadded(parts[3])
	if !first || !second || !third || len(data) != 37 || data[32]&(attested|extended) != 0 || !p.asked(client, octets) {
		return false
	}
	found, _ := url.Parse(p.origin)
	relying, hashed := sha256.Sum256([]byte(found.Hostname())), sha256.Sum256(client)
	whole := sha256.Sum256(append(bytes.Clone(data), hashed[:]...))
	return bytes.Equal(data[:32], relying[:]) && data[32]&present != 0 && data[32]&verified != 0 &&
		ecdsa.VerifyASN1(key, whole[:], signed)
}

// asked is what the browser says of the question: its kind, the challenge, and the page, which nobody framed.
func (p passkey) asked(client, octets []byte) bool {
	read, err := readJSON(client, false) // a browser may add what it wants (WebAuthn, 5.8.1)
	said, is := read.(object)
	challenge := sha256.Sum256(octets)
	return err == nil && is && said["type"] == "webauthn.get" && said["origin"] == p.origin &&
		said["challenge"] == base64.RawURLEncoding.EncodeToString(challenge[:]) &&
		(said["crossOrigin"] == nil || said["crossOrigin"] == false) && !has(said, "topOrigin")
}
