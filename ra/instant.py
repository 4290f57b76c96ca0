"""The instant of an act, where a clock may be wrong: what needs a date that holds is refused, an end is always taken.

What is known of the time is in the register: whether the authority doubts its clock, and when it last remembered
something. Our own clock is behind if it shows less than that.
"""

from datetime import datetime, timedelta

from core.errors import ClockDoubtful
from core.instants import text
from core.kinds import DecisionKind
from ra.desk import Desk
from store.reading.watching import MOST_AHEAD, doubts_clock, last_known
from store.rows import Decision
from store.transactions import Transaction

BEHIND = timedelta(seconds=2)
"""How far our clock may be behind the authority's."""

_ENDS = (DecisionKind.REVOKE, DecisionKind.WITHDRAW)


def instant_of_end(desk: Desk, tx: Transaction) -> datetime:
    """Return the instant of an end that somebody makes now: never before what the authority has remembered.

    What a row says of that counts as far as two clocks may differ: one that is far ahead dates no end.
    """
    now, known = desk.clock.now(), last_known(tx)
    return max(now, known) if known - now <= MOST_AHEAD else now


def instant_of(desk: Desk, tx: Transaction, decision: Decision) -> datetime:
    """Return the instant at which officers agree to a decision.

    Raises:
        ClockDoubtful: it is no end, and what needs a date that holds is not decided now.
    """
    if decision.kind in _ENDS:
        return instant_of_end(desk, tx)
    require_no_doubt(desk, tx)
    return desk.clock.now()


def require_no_doubt(desk: Desk, tx: Transaction) -> None:
    """Raise ClockDoubtful while the authority doubts its clock, or ours is behind it."""
    if doubts_clock(tx) is not None:
        raise ClockDoubtful(detail="the authority doubts its clock")
    now, known = desk.clock.now(), last_known(tx)
    if known - now > BEHIND:
        raise ClockDoubtful(detail=f"this service's clock shows {text(now)}, and the authority's showed {text(known)}")
