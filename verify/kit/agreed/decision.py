"""Who agreed to what: a decision is proved offline, from its dossier and what is trusted from outside.

`prove_decision` shows that

1. the journal's rows at hand hold together under heads signed by the journal's key that is handed in;
2. the proposal is in canonical form, and every sealed act about the decision names its digest;
3. each act of an officer names a statement whose proof verifies by the key that was on the roster when it was sealed,
   made for this authority, act, decision, digests and officer; and nothing that was signed was used twice;
4. each roster is the one that the journal says was set, and rests on the transcript, on two officers or on the root;
5. as many different people as the proposal asks for have signed, the proposer among them, and their keys were on the
   roster by which the last of them counted, and still when the certificate was about to be signed;
6. the certificate was issued under the root that is handed in, its bytes are those that were signed for, it says what
   the proposal says, and the journal says that it was issued;
7. agreement came before what follows from it, and what follows is about what was agreed to.

It leaves to the caller: that root, transcript and journal key are the authority's; what has become of the certificate
since (verify/kit/evidence/offline.py); and that no longer journal exists.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from verify.kit.agreed.chain import FactKind, Row
from verify.kit.agreed.dossier import (
    AUTHORISATIONS,
    DECISION,
    JOURNAL,
    PROPOSAL,
    ROSTERS,
    Dossier,
    Signed,
    Trusted,
    read_dossier,
)
from verify.kit.agreed.findings import Against, Event, Ledger, Missing, Told
from verify.kit.agreed.issued import Issued, prove_issued
from verify.kit.agreed.journal import check_stretches
from verify.kit.agreed.logged import prove_logged
from verify.kit.agreed.passkey import WANTING, wants_a_key
from verify.kit.agreed.proof import Asked, prove
from verify.kit.agreed.roster import FEWEST, Roster
from verify.kit.agreed.rosters import Rosters
from verify.kit.agreed.statements import Act, Claim, Refused, revocation_digest
from verify.kit.canonical import canonical, read
from verify.kit.evidence.parsing import Unreadable
from verify.kit.instants import moment

_AGREEING = frozenset({FactKind.DECISION_SUPPORTED, FactKind.DECISION_SECONDED})
_PROPOSING = frozenset({FactKind.DECISION_AUTHORISED, FactKind.DECISION_MADE_ALONE})
_ENDED = frozenset({FactKind.DECISION_REJECTED, FactKind.DECISION_LAPSED})
_OFFICERS = ("officer", "officers")
_ACTS = frozenset({FactKind.DECISION_PROPOSED}) | _PROPOSING | _AGREEING | _ENDED
_CONSEQUENCES = frozenset(
    {
        FactKind.APPROVAL_GRANTED,
        FactKind.APPROVAL_AMENDED,
        FactKind.APPROVAL_REVOKED,
        FactKind.APPROVAL_WITHDRAWN,
        FactKind.CERTIFICATE_REVOKED,
        FactKind.APPLICATION_REFUSED,
        FactKind.AMENDMENT_REFUSED,
    }
)
"""What follows from a decision, and names it."""


def prove_files(files: Mapping[str, bytes], trust: Trusted) -> Told:
    """Prove a decision from the files of its dossier; a part that cannot be read refutes it. Never raises.

    Args:
        files: by name, as in verify.kit.agreed.dossier.PARTS.
        trust: from outside.
    """
    try:
        dossier = read_dossier(files)
    except Unreadable as error:
        ledger = Ledger()
        ledger.refute(Against.PART_UNREADABLE, f"A part cannot be read: {error}.")
        return Told(decision="", against=ledger.against)
    return prove_decision(dossier, trust)


def prove_decision(dossier: Dossier, trust: Trusted) -> Told:
    """Return what is proved of a decision. Never raises.

    Args:
        dossier: its parts.
        trust: from outside.
    """
    ledger = Ledger()
    for name, part in (
        (DECISION, dossier.decision),
        (PROPOSAL, dossier.proposal),
        (AUTHORISATIONS, dossier.authorisations),
        (ROSTERS, dossier.rosters),
        (JOURNAL, dossier.journal),
    ):
        if part is None:
            ledger.lack(Missing.PART, f"The dossier has no {name}.")
    decision, proposal = dossier.decision or "", dossier.proposal
    if not decision or proposal is None or not _journal_holds(dossier, trust, ledger):
        return Told(decision=decision, against=ledger.against, missing=ledger.missing, unchecked=ledger.unchecked)
    prove_logged(dossier, trust, ledger)
    try:
        return _Proof(dossier, trust, ledger).told()
    except Exception as error:  # noqa: BLE001 - whatever a part may hold, in whatever place
        detail = f"A part holds what no authority writes ({type(error).__name__})."
        ledger.refute(Against.PART_UNREADABLE, detail)
        return Told(decision=decision, against=ledger.against, missing=ledger.missing, unchecked=ledger.unchecked)


def _journal_holds(dossier: Dossier, trust: Trusted, ledger: Ledger) -> bool:
    export = dossier.journal
    if export is None:
        return False
    key = trust.key_for(export)
    if key is None and trust.journal_key_sha256 is not None:
        ledger.refute(Against.JOURNAL_BROKEN, "The journal names another key than the ceremony's transcript.")
    elif key is None:
        ledger.lack(Missing.JOURNAL_KEY, "Nothing says which key is the journal's: name --transcript or --journal-key.")
    else:
        if (export.name, export.key) != (trust.journal, key):
            ledger.refute(Against.JOURNAL_BROKEN, "The journal says that it is another one, by its name or its key.")
        for problem in check_stretches(export, journal=trust.journal, journal_key=key):
            ledger.refute(Against.JOURNAL_BROKEN, problem)
    if not export.whole:
        ledger.pass_over(
            "The journal is here in stretches: that it says nothing else of this decision or of the roster, only all "
            "of it shows (trialcpa journal export)."
        )
    return not ledger.against and key is not None


class _Proof:
    """A decision that is being proved; the journal's rows hold together."""

    def __init__(self, dossier: Dossier, trust: Trusted, ledger: Ledger) -> None:
        assert dossier.journal is not None
        assert dossier.proposal is not None
        self._dossier, self._trust, self._ledger = dossier, trust, ledger
        self._decision = dossier.decision or ""
        self._sha256 = hashlib.sha256(dossier.proposal).hexdigest()
        self._said = self._proposal(dossier.proposal)
        self._rows = [(row, _payload(row)) for row in dossier.journal.rows]
        self._rosters = Rosters(dossier, trust, self._rows, ledger)
        self._acts = [(row, said) for row, said in self._rows if row.subject == self._decision]
        self._used: list[tuple[Row, Signed, Roster]] = []
        self._story: list[Event] = []

    def told(self) -> Told:
        """Prove everything, and tell it."""
        if not self._acts:
            self._ledger.lack(Missing.ROWS, f"The rows at hand say nothing of decision {self._decision}.")
        else:
            self._prove_acts()
            self._require_used_once()
            self._require_officers()
            self._require_consequences()
            issued = prove_issued(
                Issued(
                    certificates=self._dossier.certificates,
                    root=self._trust.root,
                    decision=self._decision,
                    proposal=self._said,
                    proposal_sha256=self._sha256,
                    decided=self._decided,
                    agreed=self._agreed_bytes(),
                    rows=self._rows,
                ),
                self._ledger,
            )
            self._require_still_counting(issued)
            self._require_order(issued)
            self._story += [_event(row) for row in issued]
        return Told(
            decision=self._decision,
            proposal_sha256=self._sha256,
            about=_about(self._said),
            against=self._ledger.against,
            missing=self._ledger.missing,
            unchecked=self._ledger.unchecked,
            story=sorted(self._story, key=lambda each: each.row),
        )

    def _proposal(self, octets: bytes) -> Mapping[str, Any]:
        try:
            said = read(octets)
            same = isinstance(said, dict) and canonical(said) == octets
        except ValueError:
            same = False
        if not same:
            self._ledger.refute(Against.PROPOSAL_ALTERED, "The proposal is not JSON in its one canonical form.")
            return {}
        return dict(said)

    # --- acts -------------------------------------------------------------------------------------------------------

    def _prove_acts(self) -> None:
        for row, said in self._acts:
            if row.kind not in _ACTS:
                continue
            digest = said.get("proposal_sha256", self._sha256 if row.kind in _ENDED else None)
            if digest != self._sha256:
                self._ledger.refute(
                    Against.PROPOSAL_ALTERED,
                    f"Row {row.number} ({row.kind}, {row.actor}) is about another proposal than the dossier's.",
                )
            elif row.kind == FactKind.DECISION_PROPOSED:
                self._require_proposer(row)
                self._story.append(_event(row))
            elif row.kind in _ENDED:
                self._ledger.refute(
                    Against.CAME_TO_NOTHING, f"It came to nothing: {row.kind}, by {row.actor}, row {row.number}."
                )
                self._story.append(_event(row))
            else:
                self._prove_act(row, said)

    def _require_proposer(self, row: Row) -> None:
        if row.actor != self._said.get("proposed_by"):
            self._ledger.refute(
                Against.PROPOSAL_ALTERED, f"By row {row.number}, {row.actor} proposed it; the proposal says another."
            )

    def _prove_act(self, row: Row, said: Mapping[str, Any]) -> None:
        named, sealed_at = said.get("authorisation"), moment(row.sealed_at)
        if not isinstance(named, str) and not self._rosters.asked(sealed_at):
            self._ledger.lack(
                Missing.STATEMENT,
                f"Row {row.number} ({row.kind}, {row.actor}) was sealed when no row at hand says whose keys counted: "
                "nothing was signed for it.",
            )
            return
        rosters = self._rosters.in_force(sealed_at, within=True)
        if not isinstance(named, str):
            self._ledger.refute(
                Against.STATEMENT_UNSIGNED, f"Row {row.number} ({row.kind}, {row.actor}) names nothing that was signed."
            )
            return
        signed = (self._dossier.authorisations or {}).get(named)
        if signed is None:
            self._ledger.lack(
                Missing.STATEMENT, f"What {row.actor} signed (row {row.number}, {named[:16]}…) is not in the dossier."
            )
            return
        claim = self._claim(row, said)
        if claim is None:
            return
        why = ""
        for roster in rosters:
            asked = Asked(authority=self._trust.authority, officer=row.actor, claim=claim, members=signed.members)
            try:
                prove(signed.authorisation, asked, roster, moment(row.at))
            except Refused as error:
                why = why or f"roster {roster.number}, {error.flaw}: {error.detail}"
            else:
                self._used.append((row, signed, roster))
                self._story.append(_event(row, signed, roster))
                return
        if why:
            self._ledger.refute(
                Against.STATEMENT_REFUSED, f"What {row.actor} signed for row {row.number} does not count: {why}."
            )

    def _claim(self, row: Row, said: Mapping[str, Any]) -> Claim | None:
        if row.kind == FactKind.DECISION_AUTHORISED:
            return Claim(act=Act.PROPOSE, subject=self._decision, proposal_sha256=self._sha256)
        if row.kind in _AGREEING:
            signed = _digests(said) or None
            return Claim(act=Act.SECOND, subject=self._decision, proposal_sha256=self._sha256, tbs_sha256=signed)
        order = self._order()
        if order is None or (said.get("approval"), said.get("order_sha256")) != (self._said.get("approval"), order):
            self._ledger.refute(
                Against.PROPOSAL_ALTERED,
                f"Row {row.number} is about another order than the one that the proposal says.",
            )
            return None
        return Claim(act=Act.REVOKE, subject=str(self._said["approval"]), proposal_sha256=order)

    def _order(self) -> str | None:
        """Return the digest of the order that an urgent revocation carries out, as the proposal says it."""
        try:
            return revocation_digest(self._said)
        except (KeyError, ValueError, TypeError):
            return None

    # --- officers ---------------------------------------------------------------------------------------------------

    def _require_used_once(self) -> None:
        """One statement is used once for each thing that it is about; and nothing lies in the dossier unused."""
        held = self._dossier.authorisations or {}
        named = [(digest, row) for row, said in self._rows if isinstance(digest := said.get("authorisation"), str)]
        uses = Counter((digest, row.subject) for digest, row in named if digest in held)
        single = Counter(digest for digest, _ in named if digest in held and not held[digest].members)
        for digest in sorted({digest for (digest, _), times in uses.items() if times > 1} | _more(single)):
            self._ledger.refute(Against.STATEMENT_USED_AGAIN, f"Statement {digest[:16]}… was used for two acts.")
        known = {digest for digest, row in named if row.subject == self._decision} | self._rosters.statements
        for digest in sorted(set(held) - known):
            said = held[digest].authorisation
            self._ledger.refute(
                Against.STATEMENT_STRANGE,
                f"The dossier has what {said.officer} signed to {said.claim.act} {said.claim.subject}, and no row "
                "about this decision names it.",
            )

    def _require_officers(self) -> None:
        people = Counter(row.actor for row, _, _ in self._used)
        for officer in sorted(_more(people)):
            self._ledger.refute(Against.OFFICER_TWICE, f"{officer} signed twice, and counts once.")
        alone, asked = self._has(FactKind.DECISION_MADE_ALONE), self._said.get("officers")
        wanted = max(1 if alone else FEWEST, asked if type(asked) is int else FEWEST)
        proposed = any(
            row.kind in _PROPOSING and row.actor == self._said.get("proposed_by") for row, _, _ in self._used
        )
        if any(row.kind in _ENDED for row, _ in self._acts):
            return  # that is against it, whoever had signed
        if not self._decided:
            last = self._rows[-1][0].number
            self._ledger.lack(Missing.ROWS, f"No row at hand, up to row {last}, says that it was decided.")
        elif not self._ledger.missing and (not proposed or len(people) < wanted):  # else that may be what is missing
            self._ledger.refute(
                Against.OFFICERS_WANTING,
                f"Proved is that {len(people)} {_OFFICERS[len(people) != 1]} signed; it takes {wanted}, the proposer "
                "among them.",
            )
        elif not self._ledger.missing and wants_a_key(self._said.get("kind")) and not self._keyed():
            self._ledger.refute(Against.OFFICERS_WANTING, f"Proved is that {WANTING}.")
        self._require_on(max((roster for _, _, roster in self._used), key=lambda each: each.number, default=None), "it")

    def _keyed(self) -> bool:
        return any(roster.with_a_key([signed.authorisation.key]) for _, signed, roster in self._used)

    def _has(self, kind: FactKind) -> bool:
        return any(row.kind == kind for row, _ in self._acts)

    @property
    def _decided(self) -> bool:
        return self._has(FactKind.DECISION_SECONDED) or self._has(FactKind.DECISION_MADE_ALONE)

    def _require_still_counting(self, issued: Sequence[Row]) -> None:
        """Whose key was taken off the roster between signing for it and the certificate's signature does not count."""
        for row in issued:
            if row.kind == FactKind.SIGNATURE_INTENDED:
                for roster in self._rosters.in_force(moment(row.at))[:1]:
                    self._require_on(roster, "its certificate")

    def _require_on(self, roster: Roster | None, what: str) -> None:
        for row, signed, _ in self._used:
            member = None if roster is None else roster.member(signed.authorisation.key)
            if roster is not None and (member is None or member.officer != row.actor):
                self._ledger.refute(
                    Against.OFFICER_GONE,
                    f"The key of {row.actor} was not on roster {roster.number} any more when {what} was signed for.",
                )

    def _agreed_bytes(self) -> Collection[str]:
        """Return the digests of the bytes that were agreed to; none for kinds that issue nothing.

        The first is of what the proposal says itself, the others of the changes that it carries, in order.
        """
        found = {_digests(said) for row, said in self._acts if row.kind in _AGREEING}
        if len(found) > 1:
            self._ledger.refute(Against.CERTIFICATE_ALTERED, "Officers agreed to different certificates.")
        return [each for digests in sorted(found) for each in digests]

    # --- what follows -----------------------------------------------------------------------------------------------

    def _require_consequences(self) -> None:
        about = {self._said.get("approval"), self._said.get("application")} - {None}
        cause = self._said.get("cause", "key-compromise")  # what certifies another key may end the one before
        for row, said in self._rows:
            if row.kind in _CONSEQUENCES and said.get("decision") == self._decision:
                self._story.append(_event(row))
                if row.subject not in about or said.get("cause", cause) != cause:
                    self._ledger.refute(
                        Against.CONSEQUENCE_STRANGE,
                        f"Row {row.number} ({row.kind} of {row.subject}) is not what the proposal says.",
                    )

    def _require_order(self, issued: Sequence[Row]) -> None:
        """Agreement lies before what follows from it, unless both were sealed at one instant, in the order of dates."""
        acts = [row for row, _, _ in self._used]
        following = [row for row, said in self._rows if _follows(row, said, self._decision)]
        following += [row for row in issued if row.kind != FactKind.CERTIFICATE_DRAFTED]
        for act in acts:
            for row in following:
                if row.number < act.number and row.sealed_at != act.sealed_at:
                    self._ledger.refute(
                        Against.ORDER_REVERSED,
                        f"Row {row.number} ({row.kind}) lies before what it rests upon, row {act.number} ({act.kind}).",
                    )


def _follows(row: Row, said: Mapping[str, Any], decision: str) -> bool:
    return row.kind in _CONSEQUENCES and said.get("decision") == decision


def _more(counted: Mapping[str, int]) -> set[str]:
    return {each for each, times in counted.items() if times > 1}


def _digests(said: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the digests of bytes that an act accepts: one by itself, or a list."""
    tbs = said.get("tbs_sha256")
    return tuple(map(str, tbs)) if isinstance(tbs, list) else () if tbs is None else (str(tbs),)


def _payload(row: Row) -> Mapping[str, Any]:
    try:
        said = read(row.payload.encode("utf-8"))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _event(row: Row, signed: Signed | None = None, roster: Roster | None = None) -> Event:
    said = None if signed is None else signed.authorisation
    return Event(
        row=row.number,
        at=moment(row.at),
        who=row.actor,
        what=_words(row.kind),
        key=None if said is None else said.key,
        roster=None if roster is None else roster.number,
        statement=None if said is None else said.sha256,
    )


def _words(kind: str) -> str:
    match kind:
        case FactKind.DECISION_PROPOSED:
            words = "proposed it"
        case FactKind.DECISION_AUTHORISED:
            words = "signed for the proposal"
        case FactKind.DECISION_SUPPORTED:
            words = "signed that they agree; others were wanting"
        case FactKind.DECISION_SECONDED:
            words = "signed that they agree, and it was decided"
        case FactKind.DECISION_MADE_ALONE:
            words = "signed for it as an urgent revocation, alone"
        case _:
            words = kind.replace("-", " ")
    return words


def _about(said: Mapping[str, Any]) -> str:
    about = said.get("approval") or said.get("application")
    return f"{said.get('kind')} {about}"
