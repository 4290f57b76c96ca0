"""Decisions: proposed, drafted, seconded, done, or ended by rejection or lapse."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from core.errors import NoSuchThing, SamePerson, WrongState
from core.kinds import DecisionState
from store.rows import Decision
from store.tables import decisions
from store.transactions import Transaction

_NEXT_NUMBER = text(
    "INSERT INTO approval_counters (year, last) VALUES (:year, 1) "
    "ON CONFLICT (year) DO UPDATE SET last = approval_counters.last + 1 RETURNING last"
)
"""One statement, in words that both databases know: two who begin a year at the same moment get 1 and 2."""

_INSERT = insert(decisions)
_SECOND = update(decisions).where(
    decisions.c.id == bindparam("decision_id"),
    decisions.c.state == bindparam("state_read"),
    decisions.c.proposal_sha256 == bindparam("proposal_read"),
)


def next_number(tx: Transaction, year: int) -> int:
    """Reserve the next approval number of a year. Never used twice, whatever becomes of the proposal."""
    return int(tx.connection.execute(_NEXT_NUMBER, {"year": year}).scalar_one())


def propose(tx: Transaction, decision: Decision) -> None:
    """Write a proposal.

    Raises:
        WrongState: another decision about the same application or the same issue is open.
    """
    try:
        tx.connection.execute(
            _INSERT,
            {
                "id": decision.id,
                "kind": decision.kind,
                "state": decision.state,
                "application_id": decision.application_id,
                "approval": decision.approval,
                "issue": decision.issue,
                "proposal": decision.proposal,
                "proposal_sha256": decision.proposal_sha256,
                "reasons": decision.reasons,
                "reasons_salt": decision.reasons_salt,
                "public_key": decision.public_key,
                "findings": decision.findings,
                "urgent": 1 if decision.urgent else 0,
                "proposer": decision.proposer,
                "proposed_at": decision.proposed_at,
                "closed_at": decision.closed_at,
                "officers": decision.officers,
                "meeting": decision.meeting,
                "minute": decision.minute,
                "passages": decision.passages,
                "conditions": decision.conditions,
                "amendment_request": decision.amendment_request,
                "breach": decision.breach,
                "lapses_at": decision.lapses_at,
            },
        )
    except IntegrityError as error:
        identifier = decision.approval or decision.application_id
        raise WrongState(
            kind="A decision about", identifier=identifier, state="open already", needed="ended first"
        ) from error


def move(tx: Transaction, identifier: str, *, needed: Sequence[DecisionState], to: DecisionState) -> bool:
    """Move a decision from one of `needed` to `to`, without an end; return whether this call did it."""
    return bool(
        tx.connection.execute(
            update(decisions).where(decisions.c.id == identifier, decisions.c.state.in_(needed)).values(state=to)
        ).rowcount
    )


def second(
    tx: Transaction,
    decision: Decision,
    *,
    seconder: str,
    tbs: Sequence[str],
    at: datetime,
    closes: bool,
) -> None:
    """Second a proposal: the one write that makes a decision.

    Args:
        tx: open.
        decision: as it was read; the write repeats its state and digest.
        seconder: another person than the proposer.
        tbs: digests of the bytes accepted, in order of issue; none for kinds that issue nothing.
        at: now.
        closes: nothing has to be signed, the decision is done.

    Raises:
        SamePerson: by the constraint, if nobody noticed before.
        WrongState: somebody seconded or ended it at the same moment.
    """
    try:
        won = tx.connection.execute(
            _SECOND,
            {
                "decision_id": decision.id,
                "state_read": decision.state,
                "proposal_read": decision.proposal_sha256,
                "state": DecisionState.DONE if closes else DecisionState.SECONDED,
                "seconder": seconder,
                "seconded_at": at,
                "seconded_tbs_sha256": " ".join(tbs) or None,
                "closed_at": at if closes else None,
            },
        ).rowcount
    except IntegrityError as error:
        raise SamePerson(person=seconder) from error
    if not won:
        raise _wrong_state(tx, decision.id, decision.state)


def acknowledge(tx: Transaction, identifier: str, *, by: str, at: datetime) -> None:
    """Write who was informed of an urgent revocation; WrongState if it is none, or somebody was before."""
    columns = decisions.c
    won = tx.connection.execute(
        update(decisions)
        .where(columns.id == identifier, columns.urgent == 1, columns.acknowledged_by.is_(None))
        .values(acknowledged_by=by, acknowledged_at=at)
    ).rowcount
    if not won:
        raise WrongState(
            kind="Decision", identifier=identifier, state="not to be acknowledged", needed="urgent and not yet so"
        )


def close(
    tx: Transaction,
    identifier: str,
    *,
    needed: Sequence[DecisionState],
    to: DecisionState,
    outcome: str,
    at: datetime,
) -> bool:
    """End a decision (done, rejected, lapsed) with its outcome; return whether this call did it."""
    return bool(
        tx.connection.execute(
            update(decisions)
            .where(decisions.c.id == identifier, decisions.c.state.in_(needed))
            .values(state=to, outcome=outcome, closed_at=at)
        ).rowcount
    )


def require_closed(tx: Transaction, identifier: str, *, closed: bool, needed: Sequence[DecisionState]) -> None:
    """Raise WrongState if `closed` says that somebody else was first."""
    if not closed:
        raise _wrong_state(tx, identifier, *needed)


def _wrong_state(tx: Transaction, identifier: str, *needed: DecisionState) -> Exception:
    state = tx.connection.execute(select(decisions.c.state).where(decisions.c.id == identifier)).scalar()
    if state is None:
        return NoSuchThing(kind="decision", identifier=identifier)
    return WrongState(kind="Decision", identifier=identifier, state=state, needed=" or ".join(needed))
