// The parts of a decision's dossier, read in doubt: nothing of them is proved.
package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
)

// read takes the parts; false, if one is not what its name says.
func (d *decision) read(files map[string][]byte) bool {
	is := true
	list := func(name string, each func(object) bool) bool {
		octets, there := files[name]
		if !there {
			return false
		}
		read, err := readJSON(octets, true)
		found, isList := read.([]any)
		is = is && err == nil && isList
		for _, one := range found {
			said, isObject := one.(object)
			is = is && isObject && each(said)
		}
		return true
	}
	if octets, there := files["decision.json"]; there {
		read, err := readJSON(octets, true)
		said, isObject := read.(object)
		var isText bool
		d.name, isText = said["decision"].(string)
		is, d.named = is && err == nil && isObject && isText, true
	}
	d.proposal, d.proposed = files["proposal.json"]
	if octets, there := files["certificate.pem"]; there {
		var good bool
		d.certificates, good = certificatesOf(octets)
		is = is && good
	}
	d.authorised = list("authorisations.json", func(each object) bool {
		found, good := readAuthorisation(each)
		d.authorisations[found.sha256] = found
		return good
	})
	d.rostered = list("rosters.json", func(each object) bool {
		number, first := each["number"].(int64)
		members, second := readMembers(each["members"])
		held, twice := d.rosters[number]
		d.rosters[number] = members
		return first && second && (!twice || same(membersOf(held), membersOf(members)))
	})
	list("orders.json", func(each object) bool {
		body, good := each["body"].(string)
		d.orders[sum([]byte(body))] = body
		return good
	})
	if octets, there := files["journal.jsonl"]; there {
		var good bool
		d.journal, good = readJournal(octets)
		is = is && good
	}
	if octets, there := files["log.json"]; there {
		_, err := readJSON(octets, true)
		is = is && err == nil
	}
	return is
}

func membersOf(members []member) []any {
	found := []any{}
	for _, each := range members {
		found = append(found, each.said())
	}
	return found
}

// certificatesOf are those of PEM in its one form: as it is written again, octet for octet.
func certificatesOf(octets []byte) (found []*x509.Certificate, good bool) {
	var again bytes.Buffer
	for rest := octets; ; {
		block, more := pem.Decode(rest)
		if block == nil {
			break
		}
		one := certificateOf(block.Bytes)
		if one == nil || block.Type != "CERTIFICATE" {
			return nil, false
		}
		found, rest = append(found, one), more
		pem.Encode(&again, &pem.Block{Type: "CERTIFICATE", Bytes: block.Bytes})
	}
	return found, len(found) > 0 && bytes.Equal(again.Bytes(), octets)
}
