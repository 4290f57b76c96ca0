// The checks of certificates (verify/README.md, 21 to 28), written again with the standard library.
package main

import (
	"crypto/x509"
	"slices"
	"sort"
	"time"
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

// deviceOf is the device that a question names, if it names one: what is there and is none was not left out.
func deviceOf(question object) (object, bool) {
	if question["device"] == nil {
		return nil, false
	}
	found := question["device"].(object)
	for _, each := range found {
		require(anyText(each), form)
	}
	require(has(found, "manufacturer") && has(found, "model"), form)
	return found, true
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
	at, is := moment(question["at"])
	require(is, form)
	environment, arc := question["environment"].(string), question["arc"].(string)
	asked, _ := deviceOf(question)
	leafDER, rootDER, issuerDERs, lists := decoded(evidence["certificate"].(string)), decoded(evidence["root"].(string)), several("issuers"), several("lists")
	var answerDER []byte
	require(has(evidence, "ocsp"), form)
	if written := evidence["ocsp"]; written != nil {
		answerDER = decoded(written.(string))
	}
	leaf, root := certificateOf(leafDER), certificateOf(rootDER)
	if leaf == nil || root == nil {
		return object{"valid": false, "state": "unknown", "checks": []int{readable}}
	}
	var issuers []*x509.Certificate
	for _, octets := range issuerDERs {
		issuers = append(issuers, certificateOf(octets))
	}
	if !f.require(!slices.Contains(issuers, nil), readable) {
		issuers = nil // what is at hand is read as one: of a bundle with one that cannot be read none counts
	}
	issuing := pathOf(f, leaf, root, issuers, policyOf(arc, environment), environment, at)
	if said := profiled(f, leaf, arc, environment); said != nil {
		f.require(said.covers(asked), statement)
	}
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
