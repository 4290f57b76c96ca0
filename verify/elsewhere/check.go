// The checks of certificates (verify/README.md, 21 to 28), written again with the standard library.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	readable = iota + 21
	path
	profile
	statement
	list
	answer
	rootList
	within
)

// found is what was found so far: the numbers that fail, and what follows from them.
type found struct {
	failed                map[int]bool
	notGenuine, unsettled bool
}

func (f *found) require(good bool, check int) bool {
	if !good {
		f.failed[check] = true
		f.unsettled = f.unsettled || check != statement
	}
	return good
}

// genuine is require for what makes the certificate none of the authority's.
func (f *found) genuine(good bool, check int) bool {
	f.notGenuine = f.notGenuine || !good
	return f.require(good, check)
}

var ecdsaSHA256 = []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}

type signedThing struct {
	TBS       asn1.RawValue
	Algorithm asn1.RawValue
	Signature asn1.BitString
}

// plain is whether a certificate or list has the one algorithm, without parameters, and a signature without unused bits.
func plain(der []byte) bool {
	var outer signedThing
	rest, err := asn1.Unmarshal(der, &outer)
	return err == nil && len(rest) == 0 && bytes.Equal(outer.Algorithm.Bytes, ecdsaSHA256) && outer.Signature.BitLength%8 == 0
}

func certificateOf(der []byte) *x509.Certificate {
	one, err := x509.ParseCertificate(der)
	if err != nil || one.Version != 3 || one.SerialNumber.Sign() <= 0 || len(one.SerialNumber.Bytes()) > 20 || !plain(der) {
		return nil
	}
	return one
}

func curved(one *x509.Certificate) bool {
	key, is := one.PublicKey.(*ecdsa.PublicKey)
	return is && (key.Curve == elliptic.P256() || key.Curve == elliptic.P384())
}

func signedBy(one, above *x509.Certificate) bool {
	return bytes.Equal(one.RawIssuer, above.RawSubject) && one.SignatureAlgorithm == x509.ECDSAWithSHA256 &&
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

type device struct{ Type, Manufacturer, Model, HardwareVersion string }

type approved struct {
	Version  int
	Approval string
	Issue    int
	Start    time.Time `asn1:"generalized"`
	Expiry   time.Time `asn1:"generalized"`
	Maximum  int
	Device   device
	Firmware []struct {
		Version string
		Image   []byte
	}
	Proposal []byte
}

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
		good := plain(der) && crl.SignatureAlgorithm == x509.ECDSAWithSHA256 &&
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

type basic struct {
	Data struct {
		Raw        asn1.RawContent
		Version    int `asn1:"optional,default:0,explicit,tag:0"`
		Responder  asn1.RawValue
		Made       time.Time `asn1:"generalized"`
		Responses  []single
		Extensions []pkix.Extension `asn1:"explicit,tag:1,optional"`
	}
	Algorithm    asn1.RawValue
	Signature    asn1.BitString
	Certificates []asn1.RawValue `asn1:"explicit,tag:0,optional"`
}

func answered26(der []byte, leaf, issuing *x509.Certificate, at time.Time, environment string) (source, bool) {
	var outer struct {
		Status   asn1.Enumerated
		Response struct {
			Type  asn1.ObjectIdentifier
			Basic []byte
		} `asn1:"explicit,tag:0,optional"`
	}
	var inner basic
	rest, err := asn1.Unmarshal(der, &outer)
	if err != nil || len(rest) > 0 || outer.Status != 0 || outer.Response.Type.String() != "1.3.6.1.5.5.7.48.1.1" {
		return source{}, false
	}
	rest, err = asn1.Unmarshal(outer.Response.Basic, &inner)
	if err != nil || len(rest) > 0 || len(inner.Data.Responses) != 1 || inner.Signature.BitLength%8 != 0 {
		return source{}, false
	}
	one := inner.Data.Responses[0]
	for _, each := range inner.Certificates {
		by := certificateOf(each.FullBytes)
		if by == nil {
			return source{}, false
		}
		key := sha1.Sum(keyOctets(by))
		var named []byte
		if _, err := asn1.Unmarshal(inner.Data.Responder.Bytes, &named); err != nil || !bytes.Equal(named, key[:]) {
			continue
		}
		nocheck := false
		for _, extension := range by.Extensions {
			nocheck = nocheck || extension.Id.String() == "1.3.6.1.5.5.7.48.1.5"
		}
		good := signedBy(by, issuing) && bytes.Equal(by.AuthorityKeyId, issuing.SubjectKeyId) && nocheck && !by.IsCA &&
			len(by.ExtKeyUsage) == 1 && by.ExtKeyUsage[0] == x509.ExtKeyUsageOCSPSigning && len(by.UnknownExtKeyUsage) == 0 &&
			by.KeyUsage == x509.KeyUsageDigitalSignature && holds(by, inner.Data.Made) && says(by, environment) && curved(by) &&
			critical(by.Extensions, constraints, usage, "2.5.29.37") && bytes.Equal(inner.Algorithm.Bytes, ecdsaSHA256) &&
			by.CheckSignature(x509.ECDSAWithSHA256, inner.Data.Raw, inner.Signature.Bytes) == nil
		said := source{one.From, one.Until, nil}
		good = good && one.ID.Serial.Cmp(leaf.SerialNumber) == 0 && critical(one.Extensions) && critical(inner.Data.Extensions) &&
			sameIssuer(one, issuing) && !one.Until.Before(one.From) && one.Until.Sub(one.From) <= 7*24*time.Hour &&
			!inner.Data.Made.Before(one.From) && !bool(one.Unknown)
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

// profiled is 23 and 24.
func profiled(f *found, leaf *x509.Certificate, arc, environment string, asked object) {
	policy := arc + map[string]string{"live": ".2.1", "test": ".2.2"}[environment]
	pointers := len(leaf.CRLDistributionPoints) == 1 && len(leaf.OCSPServer) > 0 && len(leaf.IssuingCertificateURL) > 0
	f.genuine(onlyPolicy(leaf, policy) && !(environment == "live" && strings.HasPrefix(arc+".", "1.3.6.1.4.1.32473.")), profile)
	f.genuine(leaf.BasicConstraintsValid && !leaf.IsCA && isCritical(leaf, constraints) && isCritical(leaf, usage) &&
		leaf.KeyUsage == x509.KeyUsageDigitalSignature && len(leaf.ExtKeyUsage) == 0 && len(leaf.UnknownExtKeyUsage) == 1 &&
		leaf.UnknownExtKeyUsage[0].String() == arc+".3.1" && pointers && curved(leaf) &&
		critical(leaf.Extensions, constraints, usage, policies), profile)
	var said approved
	for _, each := range leaf.Extensions {
		if each.Id.String() == arc+".1" && !each.Critical {
			if rest, err := asn1.Unmarshal(each.Value, &said); err != nil || len(rest) > 0 {
				said = approved{}
			}
		}
	}
	if !f.genuine(said.Version == 1 && said.Issue > 0 && said.Maximum > 0 && len(said.Firmware) > 0 && len(said.Proposal) == 32, statement) {
		return
	}
	named := said.Device.Manufacturer + " " + said.Device.Model + " " + said.Device.HardwareVersion
	if utf8.RuneCountInString(named) > 64 {
		named = said.Approval
	}
	begun := leaf.NotBefore.Equal(said.Start) || said.Issue > 1 && leaf.NotBefore.After(said.Start)
	page := len(leaf.URIs) == 1 && strings.HasSuffix(leaf.URIs[0].String(), "/approvals/"+said.Approval)
	f.genuine(leaf.Subject.SerialNumber == said.Approval && leaf.Subject.CommonName == named && leaf.NotAfter.Equal(said.Expiry) &&
		begun && page && !said.Start.After(said.Expiry) && len(leaf.Subject.Names) == 3, statement)
	f.genuine(strings.HasPrefix(said.Approval, "TDT-") == (environment == "test"), profile)
	for name, is := range map[string]string{"manufacturer": said.Device.Manufacturer, "model": said.Device.Model,
		"type": said.Device.Type, "hardware_version": said.Device.HardwareVersion} {
		wanted, has := asked[name].(string)
		f.require(!has || strings.EqualFold(wanted, is), statement)
	}
	version, has := asked["firmware_version"].(string)
	image, hashed := asked["firmware_hash"].(string)
	covered := !has && !hashed
	for _, each := range said.Firmware {
		covered = covered || (!has || strings.EqualFold(each.Version, version)) && (!hashed || strings.EqualFold(hex.EncodeToString(each.Image), image))
	}
	f.require(covered, statement)
}

func checked(question, evidence object) object {
	f := &found{failed: map[int]bool{}}
	require(len(evidence) == 5, form)
	several := func(name string) (all [][]byte) {
		for _, each := range evidence[name].([]any) {
			all = append(all, decoded(each.(string)))
		}
		return all
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", question["at"].(string))
	require(err == nil, form)
	environment, arc := question["environment"].(string), question["arc"].(string)
	asked, _ := question["device"].(object)
	leafDER, rootDER, issuerDERs, lists := decoded(evidence["certificate"].(string)), decoded(evidence["root"].(string)), several("issuers"), several("lists")
	var answerDER []byte
	if written, is := evidence["ocsp"].(string); is {
		answerDER = decoded(written)
	}
	leaf, root := certificateOf(leafDER), certificateOf(rootDER)
	if leaf == nil || root == nil {
		return object{"valid": false, "state": "unknown", "checks": []int{readable}}
	}
	var issuing *x509.Certificate
	for _, der := range issuerDERs {
		each := certificateOf(der)
		if f.require(each != nil, readable) && issuing == nil && signedBy(leaf, each) && signedBy(each, root) {
			issuing = each
		}
	}
	if f.genuine(issuing != nil, path) {
		policy := arc + map[string]string{"live": ".2.1", "test": ".2.2"}[environment]
		f.genuine(ca(root, 1) && ca(issuing, 0) && signedBy(root, root) && onlyPolicy(issuing, policy) &&
			bytes.Equal(issuing.AuthorityKeyId, root.SubjectKeyId) && bytes.Equal(leaf.AuthorityKeyId, issuing.SubjectKeyId) &&
			!leaf.NotAfter.After(issuing.NotAfter) && !issuing.NotAfter.After(root.NotAfter), path)
		f.genuine(says(root, environment) && says(issuing, environment), profile)
		f.require(holds(root, at) && holds(issuing, at), path)
	}
	profiled(f, leaf, arc, environment, asked)
	var ended *end
	if issuing != nil {
		ended = fate(f, leaf, issuing, root, lists, answerDER, at, environment)
	}
	state := "active"
	switch {
	case f.notGenuine:
		state = "unknown"
	case ended != nil && !ended.at.After(leaf.NotAfter):
		state = "cancelled"
		if ended.reason == 5 {
			state = "withdrawn"
		}
		f.failed[within] = true
	case at.After(leaf.NotAfter):
		state, f.failed[within] = "expired", true
	case f.unsettled:
		state = "unknown"
	case at.Before(leaf.NotBefore):
		state, f.failed[within] = "not_yet_started", true
	}
	checks := []int{}
	for number := range f.failed {
		checks = append(checks, number)
	}
	sort.Ints(checks)
	return object{"valid": state == "active" && len(checks) == 0, "state": state, "checks": checks}
}

// fate is 25 to 27: the first end that had come, by lists and answer.
func fate(f *found, leaf, issuing, root *x509.Certificate, lists [][]byte, answerDER []byte, at time.Time, environment string) *end {
	ofList := listed(f, list, lists, issuing, leaf.SerialNumber)
	every := ofList
	if answerDER != nil {
		said, good := answered26(answerDER, leaf, issuing, at, environment)
		if f.require(good, answer) {
			every = append(append([]source{}, ofList...), said)
		}
	}
	var first *end
	for _, each := range every {
		if each.end != nil && !each.end.at.After(at) && (first == nil || each.end.at.Before(first.at)) {
			first = each.end
		}
		for _, other := range every { // whoever was made behind an end has to state it
			same := other.end != nil && each.end != nil && *other.end == *each.end
			f.require(each.end == nil || same || other.from.Before(each.end.at), answer)
		}
	}
	if first == nil {
		f.require(covered(ofList, at), list)
		if len(every) > len(ofList) {
			f.require(every[len(every)-1].covers(at), answer)
		}
	}
	for _, each := range every {
		f.require(each.end != nil || !each.from.After(leaf.NotAfter), list)
	}
	ofRoot := listed(f, rootList, lists, root, issuing.SerialNumber)
	for _, each := range ofRoot {
		f.genuine(each.end == nil || each.end.at.After(at), rootList)
	}
	if len(ofRoot) == 0 {
		f.require(false, rootList)
	} else {
		f.require(covered(ofRoot, at), list)
	}
	return first
}

func covered(sources []source, at time.Time) bool {
	for _, each := range sources {
		if each.covers(at) {
			return true
		}
	}
	return false
}
