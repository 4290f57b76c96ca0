// The certificate of a decision: under the root, of the bytes that officers signed for, and as it was proposed.
package main

import (
	"crypto/x509"
	"fmt"
	"strings"
)

// issued proves the certificates; it is the rows that say that they were drafted, signed and issued.
func (d *decision) issued() (rows []row) {
	serials, said := map[any]bool{}, []object{}
	for _, each := range d.facts {
		if each.kind == "certificate-drafted" && each.says["decision"] == d.name {
			serials[each.says["serial"]] = true
			rows = append(rows, each.row)
		}
	}
	for _, kind := range []string{"signature-intended", "certificate-issued"} {
		for _, each := range d.facts {
			if each.kind == kind && serials[each.says["serial"]] {
				rows = append(rows, each.row)
				if kind == "certificate-issued" {
					said = append(said, each.says)
				}
			}
		}
	}
	agreed := d.agreed()
	if len(d.certificates) == 0 && len(said) > 0 {
		d.lack("certificate-missing")
	}
	var above []*x509.Certificate
	for i, each := range d.certificates {
		if i > 0 && each.IsCA {
			above = append(above, each)
		}
	}
	for i, each := range d.certificates {
		if i == 0 || !each.IsCA {
			d.proveCertificate(each, above, said, agreed)
		}
	}
	return rows
}

// agreed are the digests of the bytes that officers have signed for.
func (d *decision) agreed() map[any]bool {
	found, before := map[any]bool{}, []any(nil)
	first := true
	for _, each := range d.acts {
		if each.kind != "decision-seconded" && each.kind != "decision-supported" {
			continue
		}
		every := digestsOf(each.says)
		if !first && len(every)+len(before) > 0 && !same(every, before) {
			d.refute("certificate-altered") // they agreed to different ones
		}
		for _, one := range every {
			found[one] = true
		}
		first, before = false, every
	}
	return found
}

func (d *decision) proveCertificate(leaf *x509.Certificate, above []*x509.Certificate, issued []object, agreed map[any]bool) {
	if d.isDecided() && !agreed[sum(leaf.RawTBSCertificate)] {
		d.refute("certificate-altered")
	}
	arc, is := "", false
	if len(leaf.UnknownExtKeyUsage) == 1 && len(leaf.ExtKeyUsage) == 0 {
		arc, is = strings.CutSuffix(leaf.UnknownExtKeyUsage[0].String(), ".3.1")
	}
	said := statementOf(leaf, arc)
	if !is || said == nil {
		d.refute("certificate-foreign")
		return
	}
	environment := "live"
	if says(d.root, "test") {
		environment = "test"
	}
	f := &found{failed: map[int]bool{}}
	pathOf(f, leaf, d.root, above, policyOf(arc, environment), environment, leaf.NotBefore)
	profiled(f, leaf, arc, environment)
	if len(f.failed) > 0 {
		d.refute("certificate-foreign")
	}
	if !d.as(leaf, said) {
		d.refute("certificate-altered")
	}
	named := object{"serial": fmt.Sprintf("%032X", leaf.SerialNumber), "sha256": sum(leaf.Raw)}
	recorded := false
	for _, each := range issued {
		recorded = recorded || each["serial"] == named["serial"] && each["sha256"] == named["sha256"]
	}
	if len(issued) == 0 {
		d.lack("rows-missing")
	} else if !recorded {
		d.refute("certificate-altered")
	}
}

// as is whether a certificate says what was proposed: by the proposal itself, or by the change in it of the same issue.
func (d *decision) as(leaf *x509.Certificate, said *approved) bool {
	proposed := d.said
	carried, _ := d.said["carried"].([]any)
	for _, each := range carried {
		if part, is := each.(object); is && part["issue"] == said.Issue {
			proposed = part
			break
		}
	}
	firmware := []any{}
	for _, each := range said.Firmware {
		firmware = append(firmware, object{"version": each.Version, "image_sha256": each.Digest})
	}
	organisation, _ := proposed["organisation"].(object)
	for name, is := range map[string]any{
		"public_key_sha256": sum(leaf.RawSubjectPublicKeyInfo), "approval": said.Approval, "issue": said.Issue,
		"start": written(said.Start), "expiry": written(said.Expiry), "not_before": written(leaf.NotBefore),
		"not_after": written(leaf.NotAfter), "maximum_devices": said.Maximum, "device": said.Device.said(), "firmware": firmware,
	} {
		if !same(is, proposed[name]) {
			return false
		}
	}
	return said.Proposal == d.sha256 && organisation["certificate_name"] == strings.Join(leaf.Subject.Organization, ", ")
}
