// TrialDeviceApproval (docs/trialcpa.asn1), and whether it agrees with its certificate and a device (23 and 24).
package main

import (
	"crypto/x509"
	"encoding/hex"
	"regexp"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

type device struct{ Type, Manufacturer, Model, HardwareVersion string }

func (d device) said() object {
	return object{"type": d.Type, "manufacturer": d.Manufacturer, "model": d.Model, "hardware_version": d.HardwareVersion}
}

type image struct{ Version, Digest string }

type approved struct {
	Approval       string
	Issue, Maximum int64
	Start, Expiry  time.Time
	Device         device
	Firmware       []image
	Proposal       string
}

var identifier = regexp.MustCompile(`^(TD[AT])-([0-9]{4})-([0-9]{4}|[1-9][0-9]{4,6})-([0-9A-Z])$`)

// identified is whether an approval's identifier is in its form, with its check character (ISO 7064, MOD 37-36).
func identified(approval string) bool {
	parts := identifier.FindStringSubmatch(approval)
	if parts == nil {
		return false
	}
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	product := 36
	for _, each := range parts[1] + parts[2] + parts[3] {
		total := (product + strings.IndexRune(alphabet, each)) % 36
		if total == 0 {
			total = 36
		}
		product = total * 2 % 37
	}
	return alphabet[(37-product)%36] == parts[4][0]
}

// statementOf is the statement of a certificate; nil if there is none, it is critical or in another form than its own.
func statementOf(leaf *x509.Certificate, arc string) *approved {
	var value []byte
	for _, each := range leaf.Extensions {
		if each.Id.String() == arc+".1" && !each.Critical {
			value = each.Value
		}
	}
	said := new(approved)
	if value == nil || !readDER(func() { said.read(value) }) {
		return nil
	}
	return said
}

func (a *approved) read(value []byte) {
	outer := der(value)
	body := outer.sequence()
	outer.end()
	refuseDER(body.integer() == 1, "another version")
	a.Approval, a.Issue = body.text(), body.integer()
	a.Start, a.Expiry, a.Maximum = body.instant(), body.instant(), body.integer()
	refuseDER(identified(a.Approval) && a.Issue > 0 && a.Maximum > 0, "no identifier, issue or limit")
	is := body.sequence()
	a.Device = device{is.text(), is.text(), is.text(), is.text()}
	is.end()
	firmware, seen := body.sequence(), map[string]bool{}
	for len(*firmware) > 0 {
		one := firmware.sequence()
		each := image{one.text(), hex.EncodeToString(one.octets(32))}
		one.end()
		refuseDER(!seen[strings.ToLower(each.Version)], "a version is there twice")
		seen[strings.ToLower(each.Version)] = true
		a.Firmware = append(a.Firmware, each)
	}
	refuseDER(len(a.Firmware) > 0, "no firmware")
	a.Proposal = hex.EncodeToString(body.octets(32))
	body.end()
}

// names are those that the certificate may have: the device's if it fits into 64 characters, else the approval's;
// where the octets are more than 64 and the characters are not, either.
func (a *approved) names(common string) bool {
	named := a.Device.Manufacturer + " " + a.Device.Model + " " + a.Device.HardwareVersion
	return common == named && utf8.RuneCountInString(named) <= 64 || common == a.Approval && len(named) > 64
}

// profiled is 23 and 24 of a certificate by itself; and what it says of its approval.
func profiled(f *found, leaf *x509.Certificate, arc, environment string) *approved {
	policy := policyOf(arc, environment)
	pointers := len(leaf.CRLDistributionPoints) == 1 && len(leaf.OCSPServer) > 0 && len(leaf.IssuingCertificateURL) > 0
	f.genuine(onlyPolicy(leaf, policy) && !(environment == "live" && strings.HasPrefix(arc+".", "1.3.6.1.4.1.32473.")), profile)
	f.genuine(leaf.BasicConstraintsValid && !leaf.IsCA && isCritical(leaf, constraints) && isCritical(leaf, usage) &&
		leaf.KeyUsage == x509.KeyUsageDigitalSignature && len(leaf.ExtKeyUsage) == 0 && len(leaf.UnknownExtKeyUsage) == 1 &&
		leaf.UnknownExtKeyUsage[0].String() == arc+".3.1" && pointers && curved(leaf) &&
		critical(leaf.Extensions, constraints, usage, policies), profile)
	said := statementOf(leaf, arc)
	if !f.genuine(said != nil, statement) {
		return nil
	}
	begun := leaf.NotBefore.Equal(said.Start) || said.Issue > 1 && leaf.NotBefore.After(said.Start)
	page := len(leaf.URIs) == 1 && len(leaf.DNSNames)+len(leaf.EmailAddresses)+len(leaf.IPAddresses) == 0 &&
		strings.HasSuffix(leaf.URIs[0].String(), "/approvals/"+said.Approval)
	f.genuine(leaf.Subject.SerialNumber == said.Approval && said.names(leaf.Subject.CommonName) && leaf.NotAfter.Equal(said.Expiry) &&
		begun && page && !said.Start.After(said.Expiry) && subjectOf(leaf) == "2.5.4.10 2.5.4.3 2.5.4.5", statement)
	f.genuine(strings.HasPrefix(said.Approval, "TDT-") == (environment == "test"), profile)
	return said
}

func subjectOf(leaf *x509.Certificate) string {
	var kinds []string
	for _, each := range leaf.Subject.Names {
		kinds = append(kinds, each.Type.String())
	}
	sort.Strings(kinds)
	return strings.Join(kinds, " ")
}

// covers is whether a device that is asked about is the one that was approved.
func (a *approved) covers(asked object) bool {
	for name, is := range a.Device.said() {
		if wanted, has := asked[name].(string); has && !strings.EqualFold(wanted, is.(string)) {
			return false
		}
	}
	version, has := asked["firmware_version"].(string)
	hash, hashed := asked["firmware_hash"].(string)
	covered := !has && !hashed
	for _, each := range a.Firmware {
		covered = covered || (!has || strings.EqualFold(each.Version, version)) && (!hashed || strings.EqualFold(each.Digest, hash))
	}
	return covered
}
