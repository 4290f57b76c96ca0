// Status at an instant, from one document (verify/README.md, S1 to S9).
package main

import "strings"

const never = int64(1) << 60

func instant(value any) int64 {
	if value == nil {
		return never
	}
	at, is := moment(value)
	require(is, document)
	return at.Unix()
}

type how struct{ state, code string }

var causes = map[string]how{
	"ssc": {"cancelled", "revoked"}, "breach": {"cancelled", "revoked-for-breach"},
	"key-compromise": {"cancelled", "key-compromise"}, "manufacturer": {"withdrawn", "withdrawn-at-request"},
	"change-withdrawn": {"cancelled", "change-withdrawn"},
}

type certificate struct {
	issue                                       int64
	signed, begins, end, issuerEnded, revokedAt int64
	how                                         how
}

func issued(said object) certificate {
	one := certificate{issue: said["issue"].(int64), signed: instant(said["signed_at"]), begins: instant(said["not_before"]),
		end: instant(said["not_after"]) + 1, issuerEnded: instant(said["issuer_ended_at"]),
		revokedAt: instant(said["revoked_at"]), how: how{"expired", "expired"}}
	if at := instant(said["superseded_at"]); at < one.end {
		one.end, one.how = at, how{"cancelled", "superseded"}
	}
	if cause, is := said["cause"].(string); is && one.revokedAt < one.end {
		one.end, one.how = one.revokedAt, causes[cause]
	}
	return one
}

func of(one *certificate, granted, at int64) (string, []string) {
	if at < one.signed { // S5
		if at < granted {
			return "unknown", []string{"not-granted-then"}
		}
		return "unknown", []string{"certificate-not-issued"}
	}
	if one.end <= at { // S6
		return one.how.state, []string{one.how.code}
	}
	state, codes := "active", []string{}
	if at < one.begins { // S7
		state, codes = "not_yet_started", []string{"not-yet-started"}
	}
	if one.issuerEnded <= at { // S8
		codes = append(codes, "issuing-ca-ended")
	}
	return state, codes
}

func status(said object, at int64) (state string, codes []string, spoken *certificate) {
	granted := instant(said["granted"])
	if at < granted { // S1
		return "unknown", []string{"not-granted-then"}, nil
	}
	begun := false
	for _, each := range said["certificates"].([]any) { // S3, in order of issues
		one := issued(each.(object))
		if one.signed > at {
			continue
		}
		if one.begins <= at && one.begins < one.end {
			spoken, begun = &one, true
		} else if !begun && (spoken == nil || spoken.end <= at && one.end > at) {
			spoken = &one
		}
	}
	if ended := instant(said["ended_at"]); ended <= at { // S2
		found := causes[said["end_cause"].(string)]
		codes = []string{found.code}
		if spoken == nil {
			codes = append(codes, "certificate-not-issued")
		}
		return found.state, codes, spoken
	}
	if spoken != nil {
		state, codes = of(spoken, granted, at)
		return state, codes, spoken
	}
	switch { // S4
	case at > instant(said["terms"].([]any)[0].(object)["expiry"]):
		return "expired", []string{"expired", "certificate-not-issued"}, nil
	case at < instant(said["start"]):
		return "not_yet_started", []string{"not-yet-started", "certificate-not-issued"}, nil
	}
	return "active", []string{"certificate-not-issued"}, nil
}

func firmware(said object, spoken *certificate, device object) string {
	terms := said["terms"].([]any)[0].(object)
	for _, each := range said["terms"].([]any) {
		if spoken != nil && each.(object)["issue"].(int64) == spoken.issue {
			terms = each.(object)
		}
	}
	version, asked := device["firmware_version"].(string)
	image, hashed := device["firmware_hash"].(string)
	code := "firmware-not-approved"
	for _, each := range terms["firmware"].([]any) {
		one := each.(object)
		if strings.EqualFold(one["version"].(string), version) {
			if code = "firmware-hash-mismatch"; !hashed || strings.EqualFold(one["image_digest"].(string), image) {
				return ""
			}
		}
	}
	if !asked {
		return ""
	}
	return code
}

func answered(row object, question object) object {
	documents, _ := row["public"].(object)["approvals"].([]any)
	now := question["now"].(int64)
	at := now
	if written, is := question["at"].(string); is {
		at = instant(written)
	}
	device, byDevice := deviceOf(question)
	for _, each := range documents {
		said := each.(object)
		model := said["device"].(object)
		if byDevice {
			same := true
			for _, name := range []string{"manufacturer", "model", "type", "hardware_version"} {
				asked, is := device[name].(string)
				same = same && (!is || strings.EqualFold(asked, model[name].(string)))
			}
			if !same {
				continue
			}
		} else if said["approval"] != question["approval"] {
			continue
		}
		state, codes, spoken := status(said, at)
		if state != "unknown" && byDevice {
			if code := firmware(said, spoken, device); code != "" {
				codes = append(codes, code)
			}
		}
		if _, unit := question["device_id"]; unit && state != "unknown" {
			codes = append(codes, "not-known-to-a-copy")
		}
		return object{"valid": state == "active" && len(codes) == 0, "state": state, "reasons": codes}
	}
	absent := "unknown-approval"
	if byDevice {
		absent = "device-not-approved"
	}
	return object{"valid": false, "state": "unknown", "reasons": []string{absent}}
}
