"""Settings of how often the authority does what it does, and of the clock that it goes by."""

from collections.abc import Callable
from datetime import timedelta

from app.bounds_settings import Whole
from jobs.pace import Pace

LEAST_LEASE_SECONDS = 5
"""More than store.postgresql.IDLE_SECONDS: whoever froze in a transaction has lost it when its successor comes."""

LONGEST_OCSP_HOURS = 12
"""The profile clears no OCSP answer that is valid for longer."""

_HOUR = timedelta(hours=1)


def read_pace(whole: Whole, problem: Callable[[str], None]) -> Pace:
    """Return how often the authority does what it does, as the settings say.

    Args:
        whole: reads a whole number out of them.
        problem: is told what is wrong.
    """
    interval = whole("publication", "crl_interval_hours", 12, least=1, most=24 * 7)
    life = whole("publication", "crl_life_hours", 48, least=2, most=24 * 30)
    if life < 2 * interval:
        # A list that lapses when one publication fails makes every relying party fail with it.
        problem(f"publication.crl_life_hours must be at least twice crl_interval_hours ({2 * interval}).")
    return Pace(
        ocsp_life=_HOUR * whole("publication", "ocsp_life_hours", 12, least=1, most=LONGEST_OCSP_HOURS),
        crl_life=_HOUR * life,
        crl_interval=_HOUR * interval,
        register_interval=timedelta(
            seconds=whole("publication", "register_interval_seconds", 60, least=1, most=86_400)
        ),
        lease_length=timedelta(seconds=whole("authority", "lease_seconds", 5, least=LEAST_LEASE_SECONDS, most=600)),
        most_jump=timedelta(minutes=whole("clock", "most_jump_minutes", 5, least=1, most=60)),
        longest_rest=_HOUR * whole("clock", "longest_rest_hours", 24, least=1, most=24 * 31),
    )
