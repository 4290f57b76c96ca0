// The history of the roster: each by a sealed row, and by the ceremony, by the root, or by two officers before it.
package main

import (
	"slices"
	"sort"
	"time"
)

type set struct {
	number      int64
	sha256      string
	effectiveAt time.Time
	statements  []string
	signed      any
}

type rosters struct {
	d      *decision
	sets   map[int64]set
	proved map[int64]*roster
}

func isDigests(said any) bool { return several(anyText, unbounded)(said) }

func (r *rosters) add(said object) {
	number, first := said["number"].(int64)
	sha256, second := said["members_sha256"].(string)
	at, third := moment(said["effective_at"])
	if !first || !second || !third || !isDigests(said["statements"]) {
		r.d.refute("roster-altered")
		return
	}
	found := set{number, sha256, at, texts(said["statements"]), said["signed"]}
	held, twice := r.sets[number]
	if !twice {
		r.sets[number] = found
	} else if held.sha256 != sha256 || !held.effectiveAt.Equal(at) {
		r.d.refute("roster-altered")
	}
}

// at are the numbers of those that were in force by then, in order.
func (r *rosters) at(then time.Time) (found []int64) {
	for number, each := range r.sets {
		if !each.effectiveAt.After(then) {
			found = append(found, number)
		}
	}
	slices.Sort(found)
	return found
}

// inForce is the roster that was in force, and, where it is asked for, the one of five seconds before, the latest first.
func (r *rosters) inForce(then time.Time, within bool) (found []*roster) {
	wanted, numbers := map[int64]bool{}, r.at(then)
	if len(numbers) > 0 {
		wanted[numbers[len(numbers)-1]] = true
	} else if len(r.sets) > 0 {
		wanted[r.first()] = true
	}
	if earlier := r.at(then.Add(-datedAhead)); within && len(earlier) > 0 {
		wanted[earlier[len(earlier)-1]] = true
	}
	if len(wanted) == 0 {
		r.d.lack("roster-missing")
	}
	var ordered []int64
	for number := range wanted {
		ordered = append(ordered, number)
	}
	sort.Slice(ordered, func(i, j int) bool { return ordered[i] > ordered[j] })
	for _, number := range ordered {
		if one := r.roster(number); one != nil {
			found = append(found, one)
		}
	}
	return found
}

func (r *rosters) first() (number int64) {
	for each := range r.sets {
		if number == 0 || each < number {
			number = each
		}
	}
	return number
}

func (r *rosters) roster(number int64) *roster {
	if _, is := r.proved[number]; !is {
		r.proved[number] = nil // no roster rests upon itself
		r.proved[number] = r.prove(r.sets[number])
	}
	return r.proved[number]
}

func (r *rosters) prove(told set) *roster {
	members, is := r.d.rosters[told.number]
	if !is {
		r.d.lack("roster-missing")
		return nil
	}
	found := &roster{told.number, members, told.effectiveAt}
	if sum(canonical(documents(members))) != told.sha256 {
		r.d.refute("roster-altered")
		return nil
	}
	switch {
	case told.signed != nil:
		number, _members, signed := byRoot(told.signed, r.d.authority)
		if !signed || number != told.number || !same(documents(_members), documents(members)) {
			r.d.refute("roster-unproved")
			return nil
		}
	case told.number > 1: // the first is the ceremony's
		return r.byOfficers(told, found)
	}
	return found
}

// byOfficers is the roster that comes of the order that two officers on the one before have signed, who are not concerned.
func (r *rosters) byOfficers(told set, found *roster) *roster {
	var signed []authorisation
	bodies := map[string]bool{}
	for _, each := range told.statements {
		if held, is := r.d.authorisations[each]; is {
			signed = append(signed, held)
			if name, is := held.claim.proposal.(string); is {
				if body, is := r.d.orders[name]; is {
					bodies[body] = true
				}
			}
		}
	}
	if len(told.statements) > 0 && len(signed) == len(told.statements) && len(bodies) == 0 && r.strangeOrders() {
		r.d.refute("roster-unproved")
		return nil
	}
	if len(told.statements) == 0 || len(signed) < len(told.statements) || len(bodies) != 1 {
		return found // believed for the journal's key: the order is not in the dossier
	}
	var ordered change
	is := false
	for body := range bodies {
		ordered, is = readChange(body)
	}
	if !is {
		r.d.refute("roster-unproved")
		return nil
	}
	var before *roster
	if _, is := r.sets[ordered.roster]; is {
		before = r.roster(ordered.roster)
	}
	if before == nil {
		r.d.lack("roster-missing")
		return nil
	}
	people, keys := map[string]bool{}, []string{}
	for _, each := range signed {
		wanted := claim{"change-roster", each.claim.subject, each.claim.proposal, nil}
		is = is && each.isAboutOne && each.proves(r.d.authority, each.officer, wanted, before, each.validUntil)
	}
	made, can := changed(before, ordered)
	concerned := map[string]bool{}
	for _, each := range before.members {
		concerned[each.officer] = concerned[each.officer] || slices.Contains(ordered.remove, each.key)
	}
	for _, each := range ordered.add {
		concerned[each.officer] = true
	}
	for _, each := range signed {
		if !concerned[each.officer] {
			people[each.officer] = true
			keys = append(keys, each.key)
		}
	}
	enough := len(people) >= fewest && before.withKey(keys)
	if !is || !can || !enough || ordered.number != told.number || sum(canonical(documents(made))) != told.sha256 {
		r.d.refute("roster-unproved")
		return nil
	}
	return found
}

// strangeOrders is whether the dossier has an order that nothing in it was signed for: it may be another than it was.
func (r *rosters) strangeOrders() bool {
	known := map[any]bool{}
	for _, each := range r.d.authorisations {
		known[each.claim.proposal] = true
	}
	for digest := range r.d.orders {
		if !known[digest] {
			return true
		}
	}
	return false
}
