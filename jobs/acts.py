"""acts: what the journal says that an operator did is sealed only where the authority remembers that somebody did.

Whoever can write rows can write the fact. A web process believes it under a signed head (api/status/remembered.py), so
none is signed over a fact of which the memory, which no row reaches, knows nothing: it stays unsealed, with an alarm.
"""

from collections.abc import Iterable

from core.alarms import AlarmCode
from core.canonical import canonical
from core.chain import SealedRow, content_digest
from core.facts import Fact, FactKind
from core.instants import text
from jobs.duty import Duty
from jobs.resting import said_by
from memory.memory import Memory
from store.reading import journal
from store.reading.journal import Unsealed
from store.transactions import Transaction

ENTERED = (FactKind.CERTIFICATE_RESTORED, FactKind.END_RESTORED)
"""What comes of a restore that is accepted, one by one."""

ACTS = (
    FactKind.RESTORE_ACCEPTED,
    FactKind.CLOCK_ACCEPTED,
    FactKind.END_SETTLED,
    FactKind.AUTHORITY_CERTIFICATE_ENDED,
    FactKind.LOG_BEGUN,
    *ENTERED,
)
"""What an operator does beside the keys, or the authority once for ever, and it remembers."""


def digest_of(fact: Fact) -> str:
    """Return the SHA-256 (hex) of what the journal says of an act, wherever in the order it is sealed."""
    return content_digest(
        SealedRow(
            number=0,
            sealed_at="",
            kind=fact.kind,
            at=text(fact.at),
            actor=fact.actor.name,
            role=fact.actor.role,
            organisation=fact.actor.organisation,
            subject=fact.subject,
            payload=canonical(fact.payload).decode(),
        )
    )


def pretended(memory: Memory, row: SealedRow) -> bool:
    """Return whether a row says that an operator did something, and nobody remembers that they did."""
    if row.kind not in ACTS:
        return False
    if row.kind == FactKind.AUTHORITY_CERTIFICATE_ENDED:
        return not _ended(memory, row)
    if row.kind == FactKind.LOG_BEGUN:
        return not _begun(memory, row)
    return content_digest(row) not in memory.accepted_facts()


def _ended(memory: Memory, row: SealedRow) -> bool:
    """Return whether a certificate of the hierarchy ended as a row says; each of many rows says the same of it."""
    said = said_by(row)
    serial = said.get("serial")
    if not isinstance(serial, str) or memory.certified(serial) is None:
        return False
    end = memory.end(serial)
    return end is not None and (text(end.at), int(end.reason)) == (row.at, said.get("reason"))


def _begun(memory: Memory, row: SealedRow) -> bool:
    """Return whether the log that a row says has begun is the one that is remembered."""
    held, said = memory.newest_log, said_by(row)
    return held is not None and (
        row.subject,
        said.get("log"),
        said.get("key"),
        said.get("number"),
        said.get("link"),
    ) == (
        held.log,
        held.log,
        held.key,
        held.number,
        held.link.hex(),
    )


def to_seal(duty: Duty, tx: Transaction, most: int) -> list[Unsealed]:
    """Return facts that wait for their number, in the order in which they get one; what is pretended is an alarm.

    Args:
        duty: whose memory knows the acts.
        tx: open.
        most: so many at once.
    """
    waiting, acts = _waiting(tx, most)
    known, strangers, first = list[Unsealed](), 0, None
    for each in acts:  # all: what nobody did is not to hide what somebody did
        if pretended(duty.memory, each.row):
            strangers, first = strangers + 1, first or each.row
        elif len(known) < most:
            known.append(each)
    if first is not None:
        duty.notice(
            AlarmCode.REGISTER_CONTRADICTS,
            f"The register says {strangers} times what an operator did, and nobody did that "
            f"(the first is {first.kind} of {first.at}): such facts are not sealed, and nobody believes them. Look for "
            "whoever writes rows, and take the rows out.",
            subject="an operator's acts",
        )
    return sorted([*waiting, *known], key=lambda each: (each.row.at, each.row_id))[:most] if known else waiting


def _waiting(tx: Transaction, most: int) -> tuple[list[Unsealed], Iterable[Unsealed]]:
    """Return what waits, an operator's acts apart: of everything else at most so much, of these all."""
    every = journal.unsealed(tx, most)
    if len(every) < most:  # that is all of it, and is asked for in each turn
        return [each for each in every if each.row.kind not in ACTS], [each for each in every if each.row.kind in ACTS]
    waiting = journal.unsealed(tx, most, but=ACTS) if any(each.row.kind in ACTS for each in every) else every
    return waiting, journal.every_unsealed(tx, only=ACTS)
