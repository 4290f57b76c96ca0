"""What every later issue under a standing approval has in common, whatever it is for (F2.25, F2.29).

It is built on the terms that hold at its effective instant. What waits behind it is carried, made anew on top of it in
the same decision, or withdrawn by it; what it was built on is in the proposal, and where that has changed since, the
proposal lapses.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from core.approval import ApprovalRecord, CertificateRecord, Terms
from core.canonical import Json
from core.clauses import serves
from core.errors import Finding
from core.identifiers import Serial
from core.instants import text
from core.kinds import KeyState, Waiting
from core.waiting import Change, difference, holding, made_anew, terms_of, waiting
from policy.rules import judge
from policy.section_f.amendment import AMENDED_RULES
from policy.section_f.application import TrialFacts
from policy.section_f.waiting import Carried, WaitingFacts, waiting_findings
from ra import proposal as proposals
from ra.desk import Desk
from ra.issuing import issuing_ca
from ra.proposal import certified_terms, issues_of, said_in
from ra.standing import why_ended
from ra.telling.listing import Foreseen
from store.reading import approvals as approval_reading
from store.reading import requests
from store.rows import Decision, Organisation
from store.transactions import Transaction
from store.verbs import approvals, conditions


@dataclass(frozen=True)
class Basis:
    """What a later issue is built on, and what waits behind it.

    Args:
        approval: as it stands.
        certificate: the issue whose terms hold at the effective instant; None before a certificate is recorded.
        behind: the issues that begin after that instant.
    """

    approval: ApprovalRecord
    certificate: CertificateRecord | None
    behind: tuple[CertificateRecord, ...]

    @property
    def terms(self) -> Terms:
        """The terms that hold at the effective instant, as far as is decided."""
        return terms_of(self.approval, self.certificate)

    @property
    def issue(self) -> int:
        """The number of the next certificate: one more than any there was."""
        return self.approval.terms[-1].issue + 1

    def outline(self) -> dict[str, Json]:
        """Return what a proposal says of it, by which is known later whether it has changed."""
        return {"built_on": self.terms.issue, "in_place_of": [each.issue for each in self.behind]}

    def is_as(self, said: Mapping[str, Any]) -> bool:
        """Return whether it is what a proposal says that it was built on."""
        return all(said[name] == value for name, value in self.outline().items())


def basis_at(approval: ApprovalRecord, effective: datetime) -> Basis:
    """Return what an issue that begins at an instant is built on."""
    return Basis(approval, holding(approval, effective), waiting(approval, effective))


def carried(basis: Basis, first: Terms) -> tuple[Terms, ...]:
    """Return what waits, made anew on top of a decision that begins before it: next issues, their own instants.

    Args:
        basis: of the decision.
        first: what it decides.
    """
    made = [first]
    for before, each in pairwise((basis.certificate, *basis.behind)):
        assert each is not None
        was, waits = terms_of(basis.approval, before), terms_of(basis.approval, each)
        made.append(made_anew(was, waits, made[-1], issue=made[-1].issue + 1))
    return tuple(made[1:])


def findings(basis: Basis, first: Terms, said: Waiting | None, trial: TrialFacts) -> tuple[Finding, ...]:
    """Return what the rules have against what is to become of that which waits.

    Args:
        basis: of the decision.
        first: what it decides.
        said: what is asked for.
        trial: the approval as it would be, as the rules look at any approval.
    """
    withdraws = said is Waiting.WITHDRAW
    line = (first, *(() if withdraws else carried(basis, first)))
    made = tuple(
        Carried(
            effective=each.effective,
            expiry=each.expiry,
            expiry_before=before.expiry,
            firmware=len(each.firmware),
        )
        for before, each in pairwise(line)
    )
    against = list(waiting_findings(WaitingFacts(withdraws=withdraws, behind=len(basis.behind), carried=made)))
    for each in line[1:]:
        then = replace(trial, firmware=each.firmware, expiry=each.expiry.date(), maximum_devices=each.maximum_devices)
        # What stands against the first as well is told once; that no firmware is left is told above.
        known = {found.code for found in judge(AMENDED_RULES, trial)} | {"firmware-missing"}
        against += [found for found in judge(AMENDED_RULES, then) if found.code not in known]
    return tuple(dict.fromkeys(against))


def trial_of(desk: Desk, tx: Transaction, basis: Basis, start: datetime, terms: Terms, at: datetime) -> TrialFacts:
    """Return an approval as it would be, as the rules look at any approval.

    Args:
        desk: its rules say how long a trial may be.
        tx: open.
        basis: of the decision.
        start: of the approval, as it would be.
        terms: those that the decision makes hold.
        at: now.
    """
    issuing = issuing_ca(tx)
    organisation = requests.organisation(tx, basis.approval.organisation)
    return TrialFacts(
        device=basis.approval.device,
        firmware=terms.firmware,
        start=start.date(),
        expiry=terms.expiry.date(),
        maximum_devices=terms.maximum_devices,
        today=at.date(),
        longest_trial=desk.rules.longest_trial,
        issuing_ends=issuing.not_after,
        issuing_window_end=issuing.window_end,
        certificate_name=organisation.certificate_name or organisation.name,
    )


def last_expiry(basis: Basis, first: Terms, said: Waiting | None) -> datetime:
    """Return when the approval will expire, with what is carried.

    Args:
        basis: of the decision.
        first: what it decides.
        said: what becomes of that which waits; None carries it.
    """
    return first.expiry if said is Waiting.WITHDRAW else (first, *carried(basis, first))[-1].expiry


def waiting_said(
    basis: Basis, first: Terms, said: Waiting | None, *, organisation: Organisation, start: datetime, key: str
) -> dict[str, Json]:
    """Return the members of a proposal that say what it is built on, and what becomes of that which waits.

    A change that waits keeps its own key where it is for one; else the key is the decision's.

    Args:
        basis: of the decision.
        first: what it decides.
        said: what is asked for; None for what is done where nobody says anything: to carry.
        organisation: whose approval it is.
        start: of the approval, as it would be.
        key: the digest of the key that the decision certifies, hex.
    """
    outline: dict[str, Json] = {**basis.outline(), "waiting": None, "carried": [], "withdrawn": []}
    if not basis.behind:
        return outline
    if said is Waiting.WITHDRAW:
        return outline | {"waiting": Waiting.WITHDRAW.value, "withdrawn": withdrawn(basis)}
    approval, line = basis.approval, (first, *carried(basis, first))
    documents: list[Json] = []
    for (before, each), (terms_before, terms) in zip(
        pairwise((basis.certificate, *basis.behind)), pairwise(line), strict=True
    ):
        assert before is not None
        assert each is not None
        new_key = before.public_key_sha256 != each.public_key_sha256
        key = each.public_key_sha256 if new_key else key
        documents.append(
            {
                **proposals.certified(approval.identifier, approval.device, organisation, start, terms),
                "public_key_sha256": key,
                "in_place_of": each.issue,
                "decision": terms_of(approval, each).decision,
                "changes": changes_said(difference(terms_before, terms, new_key=new_key)),
            }
        )
    return outline | {"waiting": Waiting.CARRY.value, "carried": documents}


def withdrawn(basis: Basis) -> list[Json]:
    """Return what waits behind an instant, as a proposal tells what will not come to be."""
    told: list[Json] = []
    for before, each in pairwise((basis.certificate, *basis.behind)):
        assert before is not None
        assert each is not None
        was, terms = terms_of(basis.approval, before), terms_of(basis.approval, each)
        new_key = before.public_key_sha256 != each.public_key_sha256
        told.append(
            {
                "issue": each.issue,
                "effective": text(each.not_before),
                "decision": terms.decision,
                "changes": changes_said(difference(was, terms, new_key=new_key)),
            }
        )
    return told


def changes_said(changes: Iterable[Change]) -> list[Json]:
    """Return changes as proposals and notices write them."""
    return [{"subject": each.subject, "before": each.before, "after": each.after} for each in changes]


# --- seconded, drafted, signed -----------------------------------------------------------------------------------


def why_passed(tx: Transaction, decision: Decision, at: datetime) -> str | None:
    """Return, in words, why a later issue can no longer be decided; None if it can.

    Its approval stands, its effective instant has not come, a start that it moves has not come either, and it is built
    on what holds then.
    """
    said = certified_terms(decision)
    approval = approval_reading.record(tx, said.approval)
    ended = why_ended(approval, at)
    if ended is not None:
        return ended
    if said.terms.effective <= at:
        return f"its effective instant {text(said.terms.effective)} has passed"
    if said.start != approval.start and approval.start <= at:
        return f"the start date {approval.start.date()} has come (F2.29)"
    for issue in issues_of(decision):
        held = requests.key_holder(tx, certified_terms(decision, issue).public_key_sha256)
        if held is not None and held[1] is KeyState.COMPROMISED:
            return f"the key that issue {issue} would certify is compromised"
    return _why_otherwise(approval, decision)


def _why_otherwise(approval: ApprovalRecord, decision: Decision) -> str | None:
    """Return that a proposal was built on something else; of before that was written down, what the issues say."""
    said, terms = said_in(decision), certified_terms(decision).terms
    if "built_on" not in said:
        return None
    basis = basis_at(approval, terms.effective)
    if basis.issue == terms.issue and basis.is_as(said):
        return None
    return "what it was built on has changed since it was proposed: propose it again"


def foreseen(tx: Transaction, decision: Decision, at: datetime) -> Foreseen:
    """Return the approval as it would be with the later issue, and with those that it carries."""
    said = certified_terms(decision)
    standing = approval_reading.record(tx, said.approval)
    every = [certified_terms(decision, issue).terms for issue in issues_of(decision)]
    made = tuple(
        CertificateRecord(
            serial=Serial(""),
            issue=each.issue,
            fingerprint="",
            not_before=each.effective,
            not_after=each.expiry,
            signed_at=at,
        )
        for each in every
    )
    return Foreseen(
        replace(
            standing,
            start=said.start,
            terms=(*standing.terms, *every),
            certificates=(*standing.certificates, *made),
        )
    )


def reserve(tx: Transaction, decision: Decision) -> None:
    """Hold the device for the dates that are asked for.

    The approval holds old and new dates together until the certificates are recorded: no other approval of the device
    can come between a signature and its record.
    """
    said, last = certified_terms(decision), certified_terms(decision, issues_of(decision)[-1])
    row = approval_reading.approval(tx, said.approval)
    approvals.move_dates(tx, said.approval, start=min(row.start, said.start), expiry=max(row.expiry, last.terms.expiry))


@serves("F2.25", "F2.29")
def take_over(tx: Transaction, decision: Decision, at: datetime, *, at_once: bool = False) -> dict[Serial, int]:
    """Let the issues of a decision take the places of those before them, each from its own instant.

    What waited and is withdrawn ends with the issues before it; the conditions that were to come with it never do.

    Args:
        tx: open; the certificates are recorded.
        decision: their decision.
        at: now.
        at_once: whether the first takes over at once: a start that moves is not to come with the old certificate.

    Returns:
        The serials superseded, each with the issue by which.
    """
    said, superseded = certified_terms(decision), dict[Serial, int]()
    for issue in issues_of(decision):
        terms = certified_terms(decision, issue).terms
        # Signed late, it takes over from the instant it is recorded: no instant at which neither or both hold.
        begins = at if at_once and issue == decision.issue else max(terms.effective, at)
        superseded |= dict.fromkeys(approvals.supersede(tx, said.approval, by_issue=issue, at=begins), issue)
    last = certified_terms(decision, issues_of(decision)[-1])
    approvals.move_dates(tx, said.approval, start=said.start, expiry=last.terms.expiry)
    if said_in(decision).get("waiting") == Waiting.WITHDRAW:
        take_back_words(tx, said.approval, said_in(decision)["in_place_of"], decision.id, at)
    return superseded


def take_back_words(tx: Transaction, approval: str, issues: Sequence[int], decision_id: str, at: datetime) -> None:
    """Let conditions that were to begin or to end with changes that are withdrawn be as if nobody had decided them.

    Args:
        tx: open.
        approval: its identifier.
        issues: those that waited. What they took the place of never begins either, nor do its words.
        decision_id: the decision that withdraws them.
        at: now.
    """
    record = approval_reading.record(tx, approval)
    first = min(each.not_before for each in record.certificates if each.issue in issues)
    behind = [each.issue for each in record.certificates if each.not_before >= first]
    own = {each.issue for each in record.terms if each.decision == decision_id}
    decided = {_decided(tx, record, issue) for issue in behind if issue not in own}
    conditions.take_back(tx, approval, sorted(decided), by=decision_id, at=at)


def _decided(tx: Transaction, record: ApprovalRecord, issue: int) -> str:
    """Return the decision whose words an issue brings: of one that was carried the one that it was first decided by."""
    decision = next(each.decision for each in record.terms if each.issue == issue)
    carried: Iterable[Mapping[str, Any]] = said_in(requests.decision(tx, decision)).get("carried") or ()
    before = next((int(each["in_place_of"]) for each in carried if each["issue"] == issue), None)
    return decision if before is None else _decided(tx, record, before)


def key_held(tx: Transaction, basis: Basis) -> bytes:
    """Return the public key that is certified when an issue begins, SubjectPublicKeyInfo, DER."""
    assert basis.certificate is not None
    return approval_reading.public_key(tx, basis.approval.identifier, basis.certificate.public_key_sha256)


def keys_of(tx: Transaction, decision: Decision) -> Mapping[str, bytes]:
    """Return the public keys that a decision certifies, by their digests; what it carries may have keys of its own."""
    own = decision.public_key or b""
    keys = {proposals.sha256(own): own}
    for issue in issues_of(decision)[1:]:
        said = certified_terms(decision, issue)
        if said.public_key_sha256 not in keys:
            keys[said.public_key_sha256] = approval_reading.public_key(tx, said.approval, said.public_key_sha256)
    return keys
