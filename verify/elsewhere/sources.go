// What lists and OCSP answers say of one certificate (verify/README.md, 25 to 27).
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"
)

// end is one that a source states; source is one authentic list or answer.
type end struct {
	at     time.Time
	reason int
}

type source struct {
	from, until time.Time
	end         *end
}

func (s source) covers(at time.Time) bool { return !at.Before(s.from) && !at.After(s.until) }

func listed(f *found, check int, ders [][]byte, issuer *x509.Certificate, serial *big.Int) (heard []source) {
	for _, der := range ders {
		crl, err := x509.ParseRevocationList(der)
		if err != nil {
			f.require(check != list, check) // told of once, by the issuing CA's check
			continue
		}
		if !bytes.Equal(crl.RawIssuer, issuer.RawSubject) {
			continue
		}
		good := plain(der) && used(der) && crl.SignatureAlgorithm == x509.ECDSAWithSHA256 &&
			issuer.CheckSignature(crl.SignatureAlgorithm, crl.RawTBSRevocationList, crl.Signature) == nil &&
			bytes.Equal(crl.AuthorityKeyId, issuer.SubjectKeyId) && crl.Number != nil && critical(crl.Extensions) &&
			crl.NextUpdate.After(crl.ThisUpdate)
		one, seen := source{crl.ThisUpdate, crl.NextUpdate, nil}, map[string]bool{}
		for _, each := range crl.RevokedCertificateEntries {
			name := each.SerialNumber.String()
			good = good && !seen[name] && each.SerialNumber.Sign() > 0 && critical(each.Extensions) &&
				!each.RevocationTime.After(crl.ThisUpdate) && each.ReasonCode != 8
			seen[name] = true
			if each.SerialNumber.Cmp(serial) == 0 {
				one.end = &end{each.RevocationTime, each.ReasonCode}
			}
		}
		if f.require(good, list) { // a list that is not in order is 25, whoever's it is
			heard = append(heard, one)
		}
	}
	return heard
}

type single struct {
	ID struct {
		Algorithm pkix.AlgorithmIdentifier
		Name, Key []byte
		Serial    *big.Int
	}
	Good    asn1.Flag `asn1:"tag:0,optional"`
	Revoked struct {
		At     time.Time       `asn1:"generalized"`
		Reason asn1.Enumerated `asn1:"explicit,tag:0,optional"`
	} `asn1:"tag:1,optional"`
	Unknown    asn1.Flag        `asn1:"tag:2,optional"`
	From       time.Time        `asn1:"generalized"`
	Until      time.Time        `asn1:"generalized,explicit,tag:0,optional"`
	Extensions []pkix.Extension `asn1:"explicit,tag:1,optional"`
}

type data struct {
	Raw        asn1.RawContent
	Version    int `asn1:"optional,default:0,explicit,tag:0"`
	Responder  asn1.RawValue
	Made       time.Time `asn1:"generalized"`
	Responses  []single
	Extensions []pkix.Extension `asn1:"explicit,tag:1,optional"`
}

// outline is an OCSP response outside of what is signed, which nobody vouches for: each length of it is looked at.
type outline struct {
	data, algorithm, signature []byte
	certificates               [][]byte
}

func (o *outline) read(octets []byte) {
	outer := der(octets)
	whole := outer.sequence()
	outer.end()
	refuseDER(bytes.Equal(whole.next(0x0a), []byte{0}), "no answer")
	explicit := der(whole.next(tagExplicit0))
	whole.end()
	response := explicit.sequence()
	explicit.end()
	refuseDER(bytes.Equal(response.next(tagOID), basicResponse), "another kind of answer")
	octetString := der(response.next(tagOctets))
	response.end()
	basic := octetString.sequence()
	octetString.end()
	o.data, _ = basic.whole(tagSequence)
	o.algorithm = basic.next(tagSequence)
	signature := basic.next(tagBits)
	refuseDER(len(signature) > 0 && signature[0] == 0, "bits that nobody uses")
	o.signature = signature[1:]
	if len(*basic) == 0 {
		return
	}
	explicit = der(basic.next(tagExplicit0))
	basic.end()
	every := explicit.sequence()
	explicit.end()
	for len(*every) > 0 {
		one, _ := every.whole(tagSequence)
		o.certificates = append(o.certificates, one)
	}
}

var basicResponse = []byte{0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1}

func answered26(octets []byte, leaf, issuing *x509.Certificate, at time.Time, environment string) (source, bool) {
	var outer outline
	var inner data
	if !readDER(func() { outer.read(octets) }) {
		return source{}, false
	}
	rest, err := asn1.Unmarshal(outer.data, &inner)
	if err != nil || len(rest) > 0 || len(inner.Responses) != 1 {
		return source{}, false
	}
	one := inner.Responses[0]
	for _, each := range outer.certificates {
		by := certificateOf(each)
		if by == nil || !curved(by) {
			return source{}, false
		}
		key := sha1.Sum(keyOctets(by))
		var named []byte
		if _, err := asn1.Unmarshal(inner.Responder.Bytes, &named); err != nil || !bytes.Equal(named, key[:]) {
			continue
		}
		nocheck := false
		for _, extension := range by.Extensions {
			nocheck = nocheck || extension.Id.String() == "1.3.6.1.5.5.7.48.1.5"
		}
		good := signedBy(by, issuing) && bytes.Equal(by.AuthorityKeyId, issuing.SubjectKeyId) && nocheck && !by.IsCA &&
			len(by.ExtKeyUsage) == 1 && by.ExtKeyUsage[0] == x509.ExtKeyUsageOCSPSigning && len(by.UnknownExtKeyUsage) == 0 &&
			by.KeyUsage == x509.KeyUsageDigitalSignature && holds(by, inner.Made) && says(by, environment) && curved(by) &&
			critical(by.Extensions, constraints, usage, "2.5.29.37") && bytes.Equal(outer.algorithm, ecdsaSHA256) &&
			plain(by.Raw) && by.CheckSignature(x509.ECDSAWithSHA256, inner.Raw, outer.signature) == nil
		said := source{one.From, one.Until, nil}
		good = good && one.ID.Serial.Cmp(leaf.SerialNumber) == 0 && critical(one.Extensions) && critical(inner.Extensions) &&
			sameIssuer(one, issuing) && !one.Until.Before(one.From) && one.Until.Sub(one.From) <= 7*24*time.Hour &&
			!inner.Made.Before(one.From) && !bool(one.Unknown)
		if bool(one.Good) {
			good = good && !one.Until.After(leaf.NotAfter) && (!said.covers(at) || holds(by, at))
		} else {
			good = good && !one.Revoked.At.IsZero() && !one.Revoked.At.After(one.From)
			said.end = &end{one.Revoked.At, int(one.Revoked.Reason)}
		}
		return said, good
	}
	return source{}, false
}

func keyOctets(one *x509.Certificate) []byte {
	key := one.PublicKey.(*ecdsa.PublicKey)
	octets, _ := key.Bytes()
	return octets
}

func sameIssuer(one single, issuing *x509.Certificate) bool {
	name, key := issuing.RawSubject, keyOctets(issuing)
	switch one.ID.Algorithm.Algorithm.String() {
	case "1.3.14.3.2.26":
		names, keys := sha1.Sum(name), sha1.Sum(key)
		return bytes.Equal(one.ID.Name, names[:]) && bytes.Equal(one.ID.Key, keys[:])
	case "2.16.840.1.101.3.4.2.1":
		names, keys := sha256.Sum256(name), sha256.Sum256(key)
		return bytes.Equal(one.ID.Name, names[:]) && bytes.Equal(one.ID.Key, keys[:])
	}
	return false
}
