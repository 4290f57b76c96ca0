// Certificates, the path above one, and what it says of its approval (verify/README.md, 21 to 24).
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"time"
)

var ecdsaSHA256 = []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}

type signedThing struct {
	TBS       asn1.RawValue
	Algorithm asn1.RawValue
	Signature asn1.BitString
}

// used is whether a certificate's or list's signature has no bits that nobody uses.
func used(octets []byte) bool {
	var outer signedThing
	rest, err := asn1.Unmarshal(octets, &outer)
	return err == nil && len(rest) == 0 && outer.Signature.BitLength%8 == 0
}

// plain is whether a certificate or list has the one algorithm, without parameters.
func plain(octets []byte) bool {
	var outer signedThing
	rest, err := asn1.Unmarshal(octets, &outer)
	return err == nil && len(rest) == 0 && bytes.Equal(outer.Algorithm.Bytes, ecdsaSHA256)
}

// certificateOf is the certificate that can be read (21), or nil.
func certificateOf(octets []byte) *x509.Certificate {
	one, err := x509.ParseCertificate(octets)
	if err != nil || one.Version != 3 || one.SerialNumber.Sign() <= 0 || len(one.SerialNumber.Bytes()) > 20 || !used(octets) {
		return nil
	}
	return one
}

func curved(one *x509.Certificate) bool {
	key, is := one.PublicKey.(*ecdsa.PublicKey)
	return is && (key.Curve == elliptic.P256() || key.Curve == elliptic.P384())
}

func signedBy(one, above *x509.Certificate) bool {
	return bytes.Equal(one.RawIssuer, above.RawSubject) && one.SignatureAlgorithm == x509.ECDSAWithSHA256 && plain(one.Raw) &&
		above.CheckSignature(one.SignatureAlgorithm, one.RawTBSCertificate, one.Signature) == nil
}

func critical(every []pkix.Extension, known ...string) bool {
	for _, each := range every {
		if each.Critical && !strings.Contains(strings.Join(known, " ")+" ", each.Id.String()+" ") {
			return false
		}
	}
	return true
}

func isCritical(one *x509.Certificate, id string) bool {
	for _, each := range one.Extensions {
		if each.Id.String() == id {
			return each.Critical
		}
	}
	return false
}

const constraints, usage, policies = "2.5.29.19", "2.5.29.15", "2.5.29.32"

func ca(one *x509.Certificate, longest int) bool {
	return one.BasicConstraintsValid && one.IsCA && isCritical(one, constraints) && one.MaxPathLen == longest &&
		one.KeyUsage == x509.KeyUsageCertSign|x509.KeyUsageCRLSign && isCritical(one, usage) &&
		len(one.ExtKeyUsage)+len(one.UnknownExtKeyUsage) == 0 && one.SubjectKeyId != nil && curved(one) &&
		critical(one.Extensions, constraints, usage, policies)
}

func says(one *x509.Certificate, environment string) bool {
	return strings.HasPrefix(one.Subject.CommonName, "TEST") == (environment == "test")
}

func onlyPolicy(one *x509.Certificate, wanted string) bool {
	return len(one.PolicyIdentifiers) == 1 && one.PolicyIdentifiers[0].String() == wanted
}

func holds(one *x509.Certificate, at time.Time) bool {
	return !at.Before(one.NotBefore) && !at.After(one.NotAfter)
}

func policyOf(arc, environment string) string {
	return arc + map[string]string{"live": ".2.1", "test": ".2.2"}[environment]
}

// pathOf is 22: the issuing CA, and whether everything above the certificate is as it has to be at an instant.
func pathOf(f *found, leaf, root *x509.Certificate, issuers []*x509.Certificate, policy, environment string, at time.Time) (issuing *x509.Certificate) {
	for _, each := range issuers {
		if issuing == nil && signedBy(leaf, each) && signedBy(each, root) {
			issuing = each
		}
	}
	if f.genuine(issuing != nil, path) {
		f.genuine(ca(root, 1) && ca(issuing, 0) && signedBy(root, root) && onlyPolicy(issuing, policy) &&
			bytes.Equal(issuing.AuthorityKeyId, root.SubjectKeyId) && bytes.Equal(leaf.AuthorityKeyId, issuing.SubjectKeyId) &&
			!leaf.NotAfter.After(issuing.NotAfter) && !issuing.NotAfter.After(root.NotAfter), path)
		f.genuine(says(root, environment) && says(issuing, environment), profile)
		f.require(holds(root, at) && holds(issuing, at), path)
	}
	return issuing
}
