"""An operator accepts what the machine's clock shows: from now on it is measured by that."""

from datetime import datetime, timedelta

from core.actors import CONSOLE
from core.canonical import Json
from core.errors import ClockRefused
from core.facts import Fact, FactKind
from core.instants import ONE_SECOND, text
from core.words import required
from jobs.acts import digest_of
from jobs.doubt import BEHIND, Doubt, Limits, Shown, judged, stepped
from memory.memory import Memory
from memory.records import Acceptance, Accepted, At
from store.reading.watching import doubts_clock
from store.transactions import Store
from store.verbs import facts


def doubt_of(store: Store, memory: Memory, limits: Limits) -> tuple[At, At | None, str]:
    """Return what the clocks show, what they showed before, and why they are doubted.

    Raises:
        ClockRefused: nobody doubts the clock: there is nothing to accept.
    """
    reading, last = memory.read_clocks(), memory.last_at
    doubt: Doubt | None = judged(Shown(reading=reading, last=last, turn=None), limits)
    with store.read() as tx:
        told = doubts_clock(tx)
    why = told or (None if doubt is None else doubt.sentence)
    if why is None:
        raise ClockRefused(detail="nobody doubts it")
    return reading, last, why


def accept_clock(store: Store, memory: Memory, limits: Limits, *, shown: At, year: int, sentence: str) -> datetime:
    """Accept the clock, as a record of the memory and a fact of the journal; return the authority's instant.

    Args:
        store: the register.
        memory: whose measure it becomes.
        limits: by which the clock is doubted.
        shown: what the operator has seen; the clock goes on from there, or it is not the one that they accept.
        year: as the operator has typed it.
        sentence: why, in the operator's words.

    Raises:
        NothingSaid: there is no word in the sentence.
        ClockRefused: nobody doubts the clock, or it is in another year than the operator.
    """
    required(sentence, of="why")
    reading, last, _ = doubt_of(store, memory, limits)
    if abs(stepped(reading, shown) or timedelta(0)) > BEHIND:
        raise ClockRefused(detail=f"it was moved after it showed {text(shown.wall)}")
    at = reading.wall + reading.offset * ONE_SECOND
    if year != reading.wall.year:
        raise ClockRefused(detail=f"it shows {text(reading.wall)}, and the year that was typed is {year}")
    before = {} if last is None else {"wall": text(last.wall), "boot": str(last.boot), "boot_id": last.boot_id}
    after = {"wall": text(reading.wall), "boot": str(reading.boot), "boot_id": reading.boot_id}
    accepted: dict[str, Json] = {"before": before.get("wall"), "after": after["wall"]}
    fact = Fact(kind=FactKind.CLOCK_ACCEPTED, at=at, actor=CONSOLE, subject=None, approvals=(), payload=accepted)
    with store.begin("accept clock") as tx:
        facts.record(tx, fact)
        # Before the commit, so that the fact is sealed by a clock that agrees with it. If we die between the two, the
        # clock is accepted, and the record of that says so where the fact does not.
        acceptance = Acceptance(
            what=Accepted.CLOCK, before=before, after=after, sentence=sentence, fact=digest_of(fact)
        )
        memory.remember([acceptance, reading], now=at)
    return at
