"""seeing: what officers are asked to look at once it has happened: issues, ends, and what a restore entered again."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from core.actors import Actor, PartyKind
from core.local_time import utc
from policy.roles import Operation, permitted
from ra.deciding.every_kind import task_of
from ra.waiting.views import TaskAnswer
from store.reading import witnesses as witness_reading
from store.reading.restored import restored_unseen
from store.reading.status import standing_credentials
from store.transactions import Transaction

WITNESSED_FOR = timedelta(days=30)
"""For so long after an issue or an end each officer who has said nothing of it is asked: a meeting's interval."""

RESTORED_WITHIN = timedelta(days=1)
"""Within this time officers look at what was entered again after a restore."""


def to_witness_of_all(tx: Transaction, at: datetime) -> TaskAnswer | None:
    """Return, in one task for whoever reads the SSC's mail, how much which officer has not seen; None if all have.

    Whoever pretends to be two officers is found by the third, who may look at their own list only when told to.
    """
    officers = {
        each.name
        for each in standing_credentials(tx).values()
        if each.expires_at > at and permitted(Actor(each.name, each.role), Operation.WITNESS_DECISION, owner=None)
    }
    waiting = {each: list(to_witness(tx, each, at)) for each in sorted(officers)}
    since = [one.since for every in waiting.values() for one in every]
    if not since:
        return None
    counted = ", ".join(f"{name} {len(every)}" for name, every in waiting.items() if every)
    told = (
        f"What was issued or ended waits to be seen by officers ({counted}): each says of their own list that they "
        "have seen it, or disowns it. Whoever holds two officers' keys is found by the others."
    )
    return TaskAnswer(
        kind="decisions-to-witness", subject=PartyKind.SSC, sentence=told, since=min(since), link="/v1/tasks"
    )


def restored(tx: Transaction) -> Iterator[TaskAnswer]:
    """Yield the certificates that a restore entered again, until an officer has said what they know of each."""
    for each in restored_unseen(tx):
        told = (
            f"Certificate {each.serial} of {each.approval} was lost with the register and entered again from its "
            "bytes; it is valid meanwhile, as it was granted (F2.25)."
        )
        if each.unknown:
            told += f" Not known any more: {each.unknown}."
        told += " Say that you have seen the decision, or disown it."
        yield TaskAnswer(
            kind="certificate-restored",
            subject=each.serial,
            sentence=told,
            since=each.at,
            link=f"/v1/decisions/{each.decision}",
            due=each.at + RESTORED_WITHIN,
            urgent=True,
        )


def to_witness(tx: Transaction, officer: str, at: datetime) -> Iterator[TaskAnswer]:
    """Yield what was issued or ended, for one officer: if it names them, they alone may know that it was not so."""
    for each in witness_reading.unwitnessed(tx, officer, since=at - WITNESSED_FOR):
        what = task_of(each.kind, each.approval)
        if each.agreed:
            told = f"{each.proposer} is said to have proposed {what}, and {_all(each.agreed)} to have seconded it"
        else:
            told = f"{each.proposer} alone is said to have decided {what}"
        told += f", at {utc(each.at)}; say that you have seen it, or disown it."
        if officer in (each.proposer, *each.agreed):
            told += " You are named: if that was not you, somebody else has your key."
        yield TaskAnswer(
            kind="decision-to-witness", subject=each.id, sentence=told, since=each.at, link=f"/v1/decisions/{each.id}"
        )


def _all(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
