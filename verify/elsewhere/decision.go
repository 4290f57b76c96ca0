// Who agreed to what: a decision is proved from its dossier, a root and a journal's key (verify/decisions.md).
package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"sort"
	"strings"
)

type fact struct {
	row
	says object
}

// act is one of an officer that is proved.
type act struct {
	row
	signed authorisation
	roster *roster
}

type decision struct {
	name                                  string
	named, proposed, authorised, rostered bool
	proposal                              []byte
	certificates                          []*x509.Certificate
	authorisations                        map[string]authorisation
	rosters                               map[int64][]member
	orders                                map[string]string
	journal                               *journal
	root                                  *x509.Certificate
	authority                             authority
	against, missing                      map[string]bool
	said                                  object
	sha256                                string
	facts, acts                           []fact
	history                               *rosters
	used                                  []act
}

func (d *decision) refute(code string) { d.against[code] = true }
func (d *decision) lack(code string)   { d.missing[code] = true }

func decided(evidence object) object {
	require(len(evidence) == 3, form)
	root, key := certificateOf(decoded(evidence["root"].(string))), decoded(evidence["journal_key"].(string))
	require(root != nil && signedBy(root, root), form)
	files := map[string][]byte{}
	for name, said := range evidence["dossier"].(object) {
		files[name] = []byte(said.(string))
	}
	spki := sha256.Sum256(root.RawSubjectPublicKeyInfo)
	d := &decision{
		authorisations: map[string]authorisation{}, rosters: map[int64][]member{}, orders: map[string]string{}, root: root,
		authority: authority{strings.TrimSuffix(root.Subject.CommonName, " Root"), hex.EncodeToString(spki[:])},
		against:   map[string]bool{}, missing: map[string]bool{},
	}
	d.prove(files, key)
	codes, outcome := []string{}, "proved"
	for _, every := range []map[string]bool{d.against, d.missing} {
		for code := range every {
			codes = append(codes, code)
		}
	}
	sort.Strings(codes)
	switch {
	case len(d.against) > 0:
		outcome = "refuted"
	case len(d.missing) > 0:
		outcome = "undecided"
	}
	return object{"outcome": outcome, "codes": codes}
}

func (d *decision) prove(files map[string][]byte, key []byte) {
	defer func() {
		if recover() != nil { // a part holds what no authority writes
			d.refute("part-unreadable")
		}
	}()
	if !d.read(files) {
		d.refute("part-unreadable")
		return
	}
	if !(d.named && d.proposed && d.authorised && d.rostered && d.journal != nil) {
		d.lack("part-missing")
	}
	if d.name == "" || !d.proposed || d.journal == nil {
		return
	}
	if !d.journal.holds(d.authority.name+" Journal", key) {
		d.refute("journal-broken")
		return
	}
	d.begin()
	if len(d.acts) == 0 {
		d.lack("rows-missing")
		return
	}
	for _, each := range d.acts {
		d.proveAct(each)
	}
	d.usedOnce()
	d.officers()
	d.consequences()
	issued := d.issued()
	d.stillCounting(issued)
	d.order(issued)
}

// begin reads the proposal and the rows.
func (d *decision) begin() {
	hashed := sha256.Sum256(d.proposal)
	d.sha256 = hex.EncodeToString(hashed[:])
	read, err := readJSON(d.proposal, true)
	said, is := read.(object)
	if err != nil || !is || !bytes.Equal(canonical(said), d.proposal) {
		d.refute("proposal-altered")
		said = object{}
	}
	d.said = said
	d.history = &rosters{d, map[int64]set{}, map[int64]*roster{}}
	for _, each := range d.journal.rows() {
		one := fact{each, payloadOf(each)}
		d.facts = append(d.facts, one)
		if each.subject == d.name {
			d.acts = append(d.acts, one)
		}
	}
	for _, each := range d.facts {
		if each.kind == "roster-set" {
			d.history.add(each.says)
		}
	}
}

var (
	proposing    = []string{"decision-authorised", "decision-made-alone"}
	agreeing     = []string{"decision-supported", "decision-seconded"}
	ending       = []string{"decision-rejected", "decision-lapsed"}
	consequences = []string{"approval-granted", "approval-amended", "approval-revoked", "approval-withdrawn",
		"certificate-revoked", "application-refused", "amendment-refused"}
)

func (d *decision) proveAct(each fact) {
	ended := slices.Contains(ending, each.kind)
	signed := slices.Contains(proposing, each.kind) || slices.Contains(agreeing, each.kind)
	if each.kind != "decision-proposed" && !ended && !signed {
		return
	}
	about, has := each.says["proposal_sha256"]
	switch {
	case !(about == d.sha256 || ended && !has):
		d.refute("proposal-altered")
	case ended:
		d.refute("came-to-nothing")
	case signed:
		d.proveSigned(each)
	case each.actor != d.said["proposed_by"]:
		d.refute("proposal-altered")
	}
}

// proveSigned proves an act that an officer has to have signed for, by the roster that was in force when it was sealed.
func (d *decision) proveSigned(each fact) {
	named, is := each.says["authorisation"].(string)
	sealed, _ := moment(each.sealedAt)
	if !is && len(d.history.at(sealed)) == 0 {
		d.lack("statement-missing") // nothing says that keys counted then
		return
	}
	rosters := d.history.inForce(sealed, true)
	if !is {
		d.refute("statement-unsigned")
		return
	}
	signed, is := d.authorisations[named]
	if !is {
		d.lack("statement-missing")
		return
	}
	wanted, is := d.claim(each)
	if !is {
		d.refute("proposal-altered")
		return
	}
	at, _ := moment(each.at)
	for _, one := range rosters {
		if signed.proves(d.authority, each.actor, wanted, one, at) {
			d.used = append(d.used, act{each.row, signed, one})
			return
		}
	}
	if len(rosters) > 0 {
		d.refute("statement-refused")
	}
}

// claim is what the statement behind an act has to say.
func (d *decision) claim(each fact) (claim, bool) {
	switch {
	case each.kind == "decision-authorised":
		return claim{"propose", d.name, d.sha256, nil}, true
	case slices.Contains(agreeing, each.kind):
		var tbs any
		if every := digestsOf(each.says); len(every) > 0 {
			tbs = every
		}
		return claim{"second", d.name, d.sha256, tbs}, true
	}
	// An urgent revocation: the digest is of the order that the proposal says.
	since := d.said["invalidity_date"]
	_, first := d.said["approval"].(string)
	_, second := d.said["cause"].(string)
	good := first && second && has(d.said, "invalidity_date") && has(d.said, "breach")
	if since == "" {
		since = nil
	}
	good = good && (since == nil || isMoment(since))
	ordered := sum(canonical(object{
		"approval": d.said["approval"], "cause": d.said["cause"], "invalidity_date": since, "breach": d.said["breach"],
	}))
	if !good || each.says["approval"] != d.said["approval"] || each.says["order_sha256"] != ordered {
		return claim{}, false
	}
	return claim{"revoke", d.said["approval"].(string), ordered, nil}, true
}

// digestsOf are those of the bytes that an act accepts: one by itself, or a list.
func digestsOf(said object) []any {
	switch it := said["tbs_sha256"].(type) {
	case nil:
		return nil
	case []any:
		return it
	default:
		return []any{it}
	}
}

// usedOnce is whether each statement was used once for each thing that it is about, and none lies there unused.
func (d *decision) usedOnce() {
	type use struct{ digest, subject any }
	uses, single, known := map[use]int{}, map[string]int{}, map[string]bool{}
	for _, each := range d.facts {
		digest, is := each.says["authorisation"].(string)
		if !is {
			continue
		}
		known[digest] = known[digest] || each.subject == d.name
		if held, is := d.authorisations[digest]; is {
			uses[use{digest, each.subject}]++
			if single[digest]++; uses[use{digest, each.subject}] > 1 || held.isAboutOne && single[digest] > 1 {
				d.refute("statement-used-again")
			}
		}
	}
	for _, each := range d.history.sets {
		for _, digest := range each.statements {
			known[digest] = true
		}
	}
	for digest := range d.authorisations {
		if !known[digest] {
			d.refute("statement-strange")
		}
	}
}

func (d *decision) has(kinds ...string) bool {
	return slices.ContainsFunc(d.acts, func(each fact) bool { return slices.Contains(kinds, each.kind) })
}

// officers is whether as many different people have signed as it takes, the proposer among them.
func (d *decision) officers() {
	people, proposer, keyed := map[string]bool{}, false, false
	var latest *roster
	for _, each := range d.used {
		if people[each.actor] {
			d.refute("officer-twice")
		}
		people[each.actor] = true
		proposer = proposer || slices.Contains(proposing, each.kind) && each.actor == d.said["proposed_by"]
		keyed = keyed || each.roster.withKey([]string{each.signed.key})
		if latest == nil || each.roster.number > latest.number {
			latest = each.roster
		}
	}
	wanted := int64(fewest)
	if asked, is := d.said["officers"].(int64); is && (asked > wanted || d.has("decision-made-alone")) {
		wanted = max(1, asked)
	}
	switch {
	case d.has(ending...):
		return // that is against it, whoever had signed
	case !d.isDecided():
		d.lack("rows-missing")
	case len(d.missing) > 0: // that may be what is wanting
	case !proposer || int64(len(people)) < wanted || wantsKey(d.said["kind"]) && !keyed:
		d.refute("officers-wanting")
	}
	d.stillOn(latest)
}

func (d *decision) isDecided() bool { return d.has("decision-seconded", "decision-made-alone") }

// stillOn is whether the keys of all who signed are on a later roster.
func (d *decision) stillOn(later *roster) {
	for _, each := range d.used {
		if later == nil {
			return
		}
		if held := later.member(each.signed.key); held == nil || held.officer != each.actor {
			d.refute("officer-gone")
		}
	}
}

func (d *decision) stillCounting(issued []row) {
	for _, each := range issued {
		if each.kind == "signature-intended" {
			at, _ := moment(each.at)
			if rosters := d.history.inForce(at, false); len(rosters) > 0 {
				d.stillOn(rosters[0])
			}
		}
	}
}

func (d *decision) follows(each fact) bool {
	return slices.Contains(consequences, each.kind) && each.says["decision"] == d.name
}

// consequences is whether what followed is about what was agreed to.
func (d *decision) consequences() {
	for _, each := range d.facts {
		if !d.follows(each) {
			continue
		}
		about := each.subject != nil && (each.subject == d.said["approval"] || each.subject == d.said["application"])
		cause, has := d.said["cause"]
		if !has {
			cause = "key-compromise" // what certifies another key may end the one before
		}
		said, has := each.says["cause"]
		if !about || has && !same(said, cause) {
			d.refute("consequence-strange")
		}
	}
}

// order is whether agreement lies before what follows from it, unless both were sealed at one instant.
func (d *decision) order(issued []row) {
	var following []row
	for _, each := range d.facts {
		if d.follows(each) {
			following = append(following, each.row)
		}
	}
	for _, each := range issued {
		if each.kind != "certificate-drafted" {
			following = append(following, each)
		}
	}
	for _, one := range d.used {
		for _, each := range following {
			if each.number < one.number && each.sealedAt != one.sealedAt {
				d.refute("order-reversed")
			}
		}
	}
}
