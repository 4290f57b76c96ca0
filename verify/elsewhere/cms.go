// The register's signature: CMS (RFC 5652) beside what it states, by the statement signer (verify/README.md, “The register”).
package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"strings"
	"time"
)

const longestMessage = 64 * 1024

var (
	signedData   = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}
	idData       = []byte{0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1}
	sha256Alone  = []byte{0x30, 0x0b, 0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1}
	pkcs9        = string([]byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9})
	contentType  = pkcs9 + "\x03"
	messageSum   = pkcs9 + "\x04"
	signingTime  = pkcs9 + "\x05"
	signingCerts = pkcs9 + "\x10\x02\x2f"
)

// registered is the verdict about a register with its signature: when it was signed.
func registered(evidence object) object {
	require(len(evidence) == 3, form)
	octets, message := decoded(evidence["register"].(string)), decoded(evidence["signature"].(string))
	root := certificateOf(decoded(evidence["root"].(string)))
	read, err := readJSON(octets, true)
	said, is := only(read, map[string]inForm{
		"approvals": several(anything, unbounded), "at": isMoment, "log": anyText, "root": anyText, "size": wholeFrom(0),
	})
	require(err == nil && is && bytes.Equal(canonical(said), octets), form)
	at, signed := stated(message, sha256.Sum256(octets), root)
	require(signed, 2)
	return object{"signed_at": written(at)}
}

// message is a signature of the one shape that is accepted.
type message struct {
	certificates               []*x509.Certificate
	signer, attributes, signed []byte
	found                      map[string]der
}

func (m *message) read(octets []byte) {
	outer := der(octets)
	whole := outer.sequence()
	outer.end()
	refuseDER(bytes.Equal(whole.next(tagOID), signedData), "no signed data")
	explicit := der(whole.next(tagExplicit0))
	whole.end()
	body := explicit.sequence()
	explicit.end()
	refuseDER(body.integer() == 1, "another version")
	refuseDER(bytes.Equal(body.next(tagSet), sha256Alone), "another digest")
	refuseDER(bytes.Equal(body.next(tagSequence), idData), "other content, or some in the message")
	every := der(body.next(tagExplicit0))
	for len(every) > 0 {
		one, _ := every.whole(tagSequence)
		read := certificateOf(one)
		refuseDER(read != nil, "no certificate")
		m.certificates = append(m.certificates, read)
	}
	signers := der(body.next(tagSet))
	body.end()
	info := signers.sequence()
	signers.end()
	refuseDER(info.integer() == 1, "another version of a signer")
	m.signer = info.next(tagSequence)
	digested, _ := info.whole(tagSequence)
	refuseDER(bytes.Equal(digested, sha256Alone), "another digest")
	attributes, contents := info.whole(tagExplicit0)
	m.attributes = append([]byte{tagSet}, attributes[1:]...) // what is signed is a SET OF (5.4)
	refuseDER(bytes.Equal(info.next(tagSequence), ecdsaSHA256), "another algorithm")
	m.signed = info.next(tagOctets)
	info.end()
	m.readAttributes(contents)
}

func (m *message) readAttributes(contents der) {
	m.found = map[string]der{}
	for len(contents) > 0 {
		one := contents.sequence()
		kind := string(one.next(tagOID))
		_, twice := m.found[kind]
		refuseDER(!twice, "an attribute is there twice")
		m.found[kind] = one.next(tagSet)
		one.end()
	}
	for _, kind := range []string{contentType, messageSum, signingTime, signingCerts} {
		_, is := m.found[kind]
		refuseDER(is && len(m.found) == 4, "other attributes")
	}
	refuseDER(bytes.Equal(m.found[contentType], idData), "another content")
}

// at is the instant of signing: UTCTime through 2049, GeneralizedTime from then on (RFC 5652, 11.3).
func (m *message) at() (at time.Time) {
	value := m.found[signingTime]
	if len(value) > 0 && value[0] == tagUTCTime {
		digits := string(value.next(tagUTCTime))
		refuseDER(len(digits) == 13, "no instant")
		century := "19"
		if digits < "50" {
			century = "20"
		}
		at = instantOf(century + digits)
	} else {
		at = value.instant()
		refuseDER(at.Year() >= 2050, "another form of an instant")
	}
	value.end()
	return at
}

// named is the SHA-256 of the one certificate that SigningCertificateV2 names (RFC 5035).
func (m *message) named() []byte {
	value := m.found[signingCerts]
	whole := value.sequence()
	value.end()
	every := whole.sequence()
	whole.end()
	one := every.sequence()
	every.end()
	digest := one.octets(32)
	one.end()
	return digest
}

// stated is when a statement signer under the root has stated something, if one has.
func stated(octets []byte, digest [32]byte, root *x509.Certificate) (at time.Time, good bool) {
	var m message
	var said, named []byte
	read := readDER(func() {
		m.read(octets)
		value := m.found[messageSum]
		said = value.octets(32)
		value.end()
		at, named = m.at(), m.named()
	})
	if !read || root == nil || len(octets) > longestMessage || !bytes.Equal(said, digest[:]) {
		return at, false
	}
	for _, each := range m.certificates {
		serial, _ := asn1.Marshal(each.SerialNumber)
		identity, sha := append(bytes.Clone(each.RawIssuer), serial...), sha256.Sum256(each.Raw)
		if bytes.Equal(identity, m.signer) {
			signed := each.CheckSignature(x509.ECDSAWithSHA256, m.attributes, m.signed) == nil
			return at, bytes.Equal(sha[:], named) && signed && statementSigner(each, root, m.certificates, at)
		}
	}
	return at, false
}

// statementSigner is whether a certificate is one whose key may state: it signs, and nothing else, in the environment.
func statementSigner(one, root *x509.Certificate, above []*x509.Certificate, at time.Time) bool {
	environment := "live"
	if says(root, "test") {
		environment = "test"
	}
	if len(one.PolicyIdentifiers) != 1 || !strings.HasSuffix(one.PolicyIdentifiers[0].String(), policyOf("", environment)) {
		return false
	}
	f := &found{failed: map[int]bool{}}
	pathOf(f, one, root, above, one.PolicyIdentifiers[0].String(), environment, at)
	return len(f.failed) == 0 && one.KeyUsage == x509.KeyUsageDigitalSignature && isCritical(one, usage) && !one.IsCA &&
		len(one.ExtKeyUsage)+len(one.UnknownExtKeyUsage) == 0 && critical(one.Extensions, constraints, usage, policies) && holds(one, at)
}
