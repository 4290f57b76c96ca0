"""restore: an operator accepts a register that a backup brought back.

A backup that is put back forgets approvals, revocations and numbers. The register cannot notice that itself; the
authority's memory does, and nothing is signed until somebody has looked.
"""

from dataclasses import replace
from datetime import datetime

from core.actors import CONSOLE
from core.canonical import Json
from core.errors import JournalChanged, StoreWentBack, WrongState
from core.facts import Fact, FactKind
from core.instants import parse
from jobs.acts import digest, digest_of
from jobs.recall import require_not_behind
from memory.memory import Memory
from memory.records import Acceptance, Accepted
from store.reading import journal
from store.transactions import Store, Transaction
from store.verbs import artefacts, decisions, facts, notices

NUMBERS_SKIPPED = 1_000
"""Approval numbers left out after a restore: far more than are reserved between two backups."""

_MOST = 1_000


def accept_restore(store: Store, memory: Memory, at: datetime, sentence: str = "") -> int:
    """Accept a register that went back: numbers are skipped, the journal says so, and the authority may work again.

    What was signed after the backup stays remembered: it is on every list once it has ended, and no serial, number,
    issue or key of it is used again. CRL numbers need no care: they are above every one that is remembered.

    Args:
        store: the register.
        memory: of the authority.
        at: now.
        sentence: why, in the operator's words.

    Returns:
        The journal row at which the register now ends, before the fact of the restore.

    Raises:
        WrongState: the register is not behind; there is nothing to accept.
        JournalChanged: it is no older state of what was sealed, but another history.
    """
    with store.begin("accept restore") as tx:
        known = memory.head
        try:
            require_not_behind(tx, memory)
        except StoreWentBack:
            pass
        else:
            raise WrongState(kind="The", identifier="register", state="whole", needed="behind what was sealed")
        number, link, _ = journal.last_sealed(tx)
        if number > known.number or memory.link_of(number) != link:
            # It is not an older state of what was sealed: somebody wrote another history. Nobody can accept that.
            raise JournalChanged(number=number)
        artefacts.all_due(tx)
        decisions.skip_numbers(tx, NUMBERS_SKIPPED)
        notices.skip_numbers(tx, NUMBERS_SKIPPED)
        accepted: dict[str, Json] = {"sealed_before": known.number, "restored_to": number}
        fact = Fact(kind=FactKind.RESTORE_ACCEPTED, at=at, actor=CONSOLE, payload=accepted)
        said = _said_before(tx, fact)
        if said is None:
            facts.record(tx, fact)
    # If we die here, accepting again skips as many numbers again, which costs nothing, and finds its fact.
    acceptance = Acceptance(
        what=Accepted.RESTORE,
        before={"number": str(known.number), "link": known.link.hex()},
        after={"number": str(number), "link": link.hex()},
        sentence=sentence,
        fact=said or digest_of(fact),
    )
    memory.remember([acceptance], now=at)
    return number


def _said_before(tx: Transaction, fact: Fact) -> str | None:
    """Return the digest of a fact that says the same and waits to be sealed: we died before it was remembered."""
    for each in journal.unsealed(tx, _MOST, only=[fact.kind]):
        if digest_of(replace(fact, at=parse(each.row.at))) == digest(each.row):
            return digest(each.row)
    return None
