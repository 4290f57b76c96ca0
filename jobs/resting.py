"""resting: what each kind of fact rests upon, which is proved before a fact of it is sealed.

Whoever can write rows can write facts, in whose name they like. What officers do counts by what they signed with keys
of their own; what follows from a decision counts by the decision.
"""

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, assert_never

from core.actors import AUTHORITY, CONSOLE, COURIER
from core.canonical import read_json
from core.chain import SealedRow
from core.errors import AuthorisationRefused, InstantMalformed
from core.facts import FactKind
from core.kinds import OF_NO_DECISION, SAID_BY_OFFICERS, AuthorisationFlaw, AuthorisedAct, DecisionKind
from officers.claims import about, to_confirm, to_order, to_revoke
from officers.statement import Claim, Listed, revocation_digest
from ra.deciding.end import ending_of
from ra.deciding.many import approvals_of
from ra.proposal import is_as_decided
from store.rows import Decision

_PROPOSALS = 64
"""Proposals that are kept as they were read."""

_PAYLOADS, _SHORT = 2_048, 2_000
"""Payloads that are kept as they were read, and how many characters one has less than."""

_OURS = frozenset(each.name for each in (AUTHORITY, CONSOLE, COURIER))


class Resting(Enum):
    """What a fact rests upon."""

    NOTHING = "what anybody with a credential may write, or what decides nothing"
    AUTHORISATION = "what an officer signed for this act"
    DECISION = "a decision, which the fact names"
    OURS = "the name of a process of ours"


def resting(row: SealedRow) -> Resting:
    """Return what a fact rests upon.

    Args:
        row: the fact; its number does not matter.

    Raises:
        AuthorisationRefused: there are no facts of its kind.
    """
    try:
        kind = FactKind(row.kind)
    except ValueError:
        raise _malformed(f"there is no fact of the kind {row.kind}") from None
    if kind is FactKind.DECISION_REJECTED and _by_us(row):
        return Resting.OURS  # a proposal that cannot be drafted is rejected by the authority
    if kind is FactKind.NOTICE_WRITTEN and said_by(row).get("kind") in OF_NO_DECISION:
        # Nobody decided what time alone has brought about; what is only said decides nothing.
        return Resting.NOTHING if said_by(row)["kind"] in SAID_BY_OFFICERS else Resting.OURS
    return rests_upon(kind)


def rests_upon(kind: FactKind) -> Resting:
    """Return what the facts of a kind rest upon."""
    match kind:
        case (
            FactKind.DECISION_AUTHORISED
            | FactKind.DECISION_SECONDED
            | FactKind.DECISION_SUPPORTED
            | FactKind.DECISION_REJECTED
            | FactKind.DECISION_MADE_ALONE
            | FactKind.BREACH_CONFIRMED
            | FactKind.ORDER_AUTHORISED
        ):
            return Resting.AUTHORISATION
        case (
            FactKind.APPROVAL_GRANTED
            | FactKind.APPROVAL_AMENDED
            | FactKind.APPROVAL_REVOKED
            | FactKind.APPROVAL_WITHDRAWN
            | FactKind.APPLICATION_REFUSED
            | FactKind.AMENDMENT_REFUSED
            | FactKind.CERTIFICATE_REVOKED
            | FactKind.NOTICE_WRITTEN
        ):
            return Resting.DECISION
        case (
            FactKind.AUTHORITY_CREATED
            | FactKind.LOG_BEGUN
            | FactKind.AUTHORITY_CERTIFICATE_INTENDED
            | FactKind.AUTHORITY_CERTIFICATE_ISSUED
            | FactKind.AUTHORITY_CERTIFICATE_ENDED
            | FactKind.CLOCK_ADVANCED
            | FactKind.CLOCK_ACCEPTED
            | FactKind.CERTIFICATE_DRAFTED
            | FactKind.SIGNATURE_INTENDED
            | FactKind.CERTIFICATE_ISSUED
            | FactKind.CERTIFICATE_SUPERSEDED
            | FactKind.APPROVAL_EXPIRED
            | FactKind.OCSP_ANSWERS_SIGNED
            | FactKind.CRL_PUBLISHED
            | FactKind.CRL_REFUSED
            | FactKind.RESTORE_ACCEPTED
            | FactKind.END_SETTLED
            | FactKind.CERTIFICATE_RESTORED
            | FactKind.END_RESTORED
            | FactKind.AMENDMENT_REQUEST_LAPSED
            | FactKind.END_REQUEST_LAPSED
            | FactKind.NOTICE_DELIVERED
            | FactKind.NOTICE_UNDELIVERED
            | FactKind.FACT_REFUSED
            | FactKind.ROSTER_SET
            | FactKind.ROSTER_REFUSED
            | FactKind.ORDER_REFUSED
            | FactKind.ISSUING_STOPPED
            | FactKind.ISSUING_STARTED
            | FactKind.DOSSIER_SIGNED
            | FactKind.REVOCATIONS_CARRIED_OUT
            | FactKind.REVOCATIONS_FINISHED
        ):
            return Resting.OURS
        case (
            FactKind.ORGANISATION_ADDED
            | FactKind.ACCESS_GRANTED
            | FactKind.ACCESS_REVOKED
            | FactKind.CALENDAR_ADDRESS_MADE
            | FactKind.CALENDAR_ADDRESS_REVOKED
            | FactKind.PASSKEY_INVITED
            | FactKind.PASSKEY_ENROLLED
            | FactKind.SESSION_REVOKED
            | FactKind.APPLICATION_SUBMITTED
            | FactKind.APPLICATION_CHANGED
            | FactKind.APPLICATION_CANCELLED
            | FactKind.EVIDENCE_ATTACHED
            | FactKind.DECISION_PROPOSED  # it counts when its proposer has signed for it
            | FactKind.DECISION_LAPSED
            | FactKind.DECISION_ACKNOWLEDGED
            | FactKind.DECISION_SEEN
            | FactKind.DECISION_DISOWNED
            | FactKind.DRAFT_ABANDONED
            | FactKind.CERTIFICATE_ACCEPTED
            | FactKind.CERTIFICATE_REJECTED
            | FactKind.REQUIREMENT_SET
            | FactKind.REQUIREMENT_MET
            | FactKind.REQUIREMENT_WAIVED
            | FactKind.STANDING_REQUIREMENT_SET
            | FactKind.STANDING_REQUIREMENT_ENDED
            | FactKind.AMENDMENT_REQUESTED
            | FactKind.AMENDMENT_REQUEST_WITHDRAWN
            | FactKind.BREACH_SUSPECTED
            | FactKind.BREACH_DISMISSED
            | FactKind.BREACH_CLOSED
            | FactKind.LIMIT_KEPT
            | FactKind.NOTICE_FETCHED
            | FactKind.DOCUMENT_RENDERED
            | FactKind.CPL_INSTRUCTED
            | FactKind.CPL_INSTRUCTION_SUPERSEDED
            | FactKind.CPL_ACKNOWLEDGED
            | FactKind.CPL_RECONCILED
            | FactKind.NCSC_CERTIFIED
            | FactKind.ADDITION_JUDGED
            | FactKind.DEPLOYMENTS_RECORDED
            | FactKind.REPORT_REMARKED
            | FactKind.REPORT_QUESTION_ASKED
            | FactKind.REPORT_QUESTION_ENDED
            | FactKind.REPORT_QUESTION_ANSWERED
            | FactKind.REPORT_ISSUED
            | FactKind.REMINDER_SENT
            | FactKind.ORDER_PROPOSED
            | FactKind.ORDER_LAPSED
            | FactKind.DOSSIER_ASKED
            | FactKind.CONTACT_CHANGED
            | FactKind.END_REQUESTED
            | FactKind.SUSPICION_TOLD
            | FactKind.SUSPICION_ANSWERED
            | FactKind.END_REQUEST_WITHDRAWN
            | FactKind.END_REQUEST_ANSWERED
            | FactKind.MEETING_CALLED
            | FactKind.MEETING_CANCELLED
            | FactKind.ATTENDANCE_RECORDED
            | FactKind.ATTENDANCE_STRUCK
            | FactKind.AGENDA_PLACED
            | FactKind.AGENDA_TAKEN_OFF
            | FactKind.AGENDA_MINUTED
            | FactKind.INTEREST_DECLARED  # told to whoever decides; whether they may, no rule asks
            | FactKind.INTEREST_WITHDRAWN
            | FactKind.COMMENT_MADE
            | FactKind.COMMENT_RETRACTED
        ):
            return Resting.NOTHING
        case _:
            assert_never(kind)


def require_ours(row: SealedRow) -> None:
    """Require that a fact is in the name of a process of ours, as only these write them."""
    if not _by_us(row):
        raise AuthorisationRefused(
            flaw=AuthorisationFlaw.OFFICER, detail=f"only processes of the authority write that, and {row.actor} has"
        )


def claim_of(row: SealedRow, decision: Decision | None) -> Claim:
    """Return what an act says of itself, by which the authorisation for it is recognised.

    Args:
        row: a fact that rests upon one.
        decision: the one that it is about, as the register has it; only an urgent revocation is compared with it.

    Raises:
        AuthorisationRefused: the fact does not say it.
    """
    kind = FactKind(row.kind)
    said, subject = said_by(row), row.subject or ""
    match kind:
        case FactKind.DECISION_AUTHORISED:
            claim = about(AuthorisedAct.PROPOSE, _listed(subject, said))
        case FactKind.DECISION_SECONDED | FactKind.DECISION_SUPPORTED:
            claim = about(AuthorisedAct.SECOND, _listed(subject, said, _digests(said)))
        case FactKind.DECISION_REJECTED:
            claim = about(AuthorisedAct.REJECT, _listed(subject, said))
        case FactKind.DECISION_MADE_ALONE:
            _require_about(row, said, decision)
            claim = to_revoke(_word(said, "approval"), _word(said, "order_sha256"))
        case FactKind.BREACH_CONFIRMED:
            claim = to_confirm(_word(said, "breach"))
        case FactKind.ORDER_AUTHORISED:
            act = _word(said, "act")
            if act not in _ORDERED:
                raise _malformed(f"nobody orders to {act}")
            claim = to_order(AuthorisedAct(act), _word(said, "order"), _word(said, "body_sha256"))
        case _:
            raise _malformed(f"a fact of the kind {kind} is no act of one officer")
    return claim


def _listed(decision: str, said: Mapping[str, Any], tbs: tuple[str, ...] | None = None) -> Listed:
    return Listed(decision=decision, proposal_sha256=_word(said, "proposal_sha256"), tbs_sha256=tbs)


def _digests(said: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the digests of bytes to be signed that an act accepts: one by itself, or a list of more than one."""
    found = said.get("tbs_sha256")
    if not isinstance(found, list):
        return None if found is None else (_word(said, "tbs_sha256"),)
    if len(found) < 2 or not all(isinstance(each, str) for each in found):
        raise _malformed("it accepts no list of digests")
    return tuple(found)


_ORDERED = frozenset({AuthorisedAct.STOP_ISSUING, AuthorisedAct.START_ISSUING, AuthorisedAct.CHANGE_ROSTER})


def authorisation_of(row: SealedRow) -> str:
    """Return the digest of the statement that an act names.

    Raises:
        AuthorisationRefused: it names none.
    """
    named = said_by(row).get("authorisation")
    if not isinstance(named, str):
        raise AuthorisationRefused(flaw=AuthorisationFlaw.MISSING, detail="it names nothing that an officer signed")
    return named


_ENDS = {FactKind.APPROVAL_REVOKED, FactKind.APPROVAL_WITHDRAWN, FactKind.CERTIFICATE_REVOKED}

_FOLLOWS: Mapping[DecisionKind, frozenset[FactKind]] = {
    DecisionKind.GRANT: frozenset({FactKind.APPROVAL_GRANTED}),
    DecisionKind.REFUSE: frozenset({FactKind.APPLICATION_REFUSED}),
    DecisionKind.AMEND: frozenset({FactKind.APPROVAL_AMENDED}),
    DecisionKind.REFUSE_AMENDMENT: frozenset({FactKind.AMENDMENT_REFUSED}),
    DecisionKind.REVOKE: frozenset({FactKind.APPROVAL_REVOKED, FactKind.CERTIFICATE_REVOKED}),
    DecisionKind.WITHDRAW: frozenset({FactKind.APPROVAL_WITHDRAWN, FactKind.CERTIFICATE_REVOKED}),
    DecisionKind.REKEY: frozenset({FactKind.CERTIFICATE_REVOKED}),
    DecisionKind.WITHDRAW_WAITING: frozenset({FactKind.CERTIFICATE_REVOKED}),
    DecisionKind.CORRECT: frozenset(),
}
"""What follows from each kind of decision, beside its notice."""


def decision_of(row: SealedRow) -> str:
    """Return the decision that a fact names.

    Raises:
        AuthorisationRefused: it names none.
    """
    return _word(said_by(row), "decision")


def require_follows(row: SealedRow, decision: Decision) -> None:
    """Require that what officers agreed to is what a fact says.

    Args:
        row: a fact that rests upon a decision.
        decision: the one that it names.

    Raises:
        AuthorisationRefused: the decision is about something else.
    """
    kind, said, agreed = FactKind(row.kind), said_by(row), _proposal(decision)
    about = {agreed.get("approval"), agreed.get("application")} - {None}
    following = _FOLLOWS[decision.kind] | {FactKind.NOTICE_WRITTEN}
    concerned = row.subject in about or row.subject in approvals_of(decision)
    follows = agreed.get("kind") == decision.kind and kind in following and concerned
    if kind in _ENDS:
        follows = follows and said.get("cause") == agreed.get("cause")
    if kind is FactKind.AMENDMENT_REFUSED:
        follows = follows and said.get("request") == agreed.get("request")
    if not follows:
        raise AuthorisationRefused(
            flaw=AuthorisationFlaw.SUBJECT, detail=f"decision {decision.id} is about something else"
        )


def said_by(row: SealedRow) -> Mapping[str, Any]:
    """Return what a fact says; nothing where it is no JSON object: such a fact proves nothing, and blocks nothing."""
    return _payload(row.payload) if len(row.payload) < _SHORT else _object(row.payload)


@lru_cache(maxsize=_PAYLOADS)
def _payload(payload: str) -> Mapping[str, Any]:
    """Return what a payload says; each is asked for many times while a portion of facts is weighed and sealed."""
    return _object(payload)


def _object(document: str) -> Mapping[str, Any]:
    try:
        said = read_json(document)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _proposal(decision: Decision) -> Mapping[str, Any]:
    return _said_in(decision.proposal)


@lru_cache(maxsize=_PROPOSALS)
def _said_in(proposal: str) -> Mapping[str, Any]:
    """Return what a proposal says; each is asked for many times while what follows from it is weighed."""
    return _object(proposal)


def _require_about(row: SealedRow, said: Mapping[str, Any], decision: Decision | None) -> None:
    """An urgent revocation says what its decision says, and is its proposer's."""
    same = decision is not None and (decision.id, decision.proposer, decision.proposal_sha256, decision.urgent) == (
        row.subject,
        row.actor,
        said.get("proposal_sha256"),
        True,
    )
    if not same or decision is None or order_of(decision) != said.get("order_sha256"):
        raise AuthorisationRefused(
            flaw=AuthorisationFlaw.DIGEST, detail=f"the order is not the one of decision {row.subject}"
        )


def order_of(decision: Decision) -> str | None:
    """Return the digest of the order that an urgent decision carries out, as its proposal says it; None if it does not.

    Args:
        decision: as the register has it.
    """
    if not stands(decision) or _proposal(decision).get("approval") != decision.approval:
        return None
    try:
        ending = ending_of(decision)
    except (KeyError, ValueError, TypeError, InstantMalformed):
        return None
    return revocation_digest(
        ending.approval,
        cause=ending.cause,
        invalidity_date=ending.invalidity_date,
        breach=_proposal(decision).get("breach"),
    )


def stands(decision: Decision) -> bool:
    """Return whether the proposal of a decision is the one whose digest the decision has, and its proposer's."""
    return is_as_decided(decision) and _proposal(decision).get("proposed_by") == decision.proposer


def _by_us(row: SealedRow) -> bool:
    return row.actor in _OURS and row.role is None and row.organisation is None


def _word(said: Mapping[str, Any], member: str) -> str:
    found = said.get(member)
    if not isinstance(found, str):
        raise _malformed(f"it does not say which {member}")
    return found


def _malformed(detail: str) -> AuthorisationRefused:
    return AuthorisationRefused(flaw=AuthorisationFlaw.MALFORMED, detail=detail)
