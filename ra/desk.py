"""What every use case has at hand: the register, the clock and the rules that the settings choose."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from core.instants import seconds
from store.transactions import Store


@dataclass(frozen=True)
class Rules:
    """What the settings decide about decisions.

    Args:
        longest_trial: the longest a trial may last.
        urgent_revocation_by_one: whether one officer may revoke alone (F2.30; the second is informed afterwards).
        longest_credential: the longest life of an API key.
    """

    longest_trial: timedelta = timedelta(days=731)
    urgent_revocation_by_one: bool = True
    longest_credential: timedelta = timedelta(days=400)


@dataclass(frozen=True)
class Desk:
    """Where a use case works.

    Args:
        store: the register.
        clock: asked once by each use case.
        rules: from the settings.
    """

    store: Store
    clock: Clock
    rules: Rules


def new_identifier(prefix: str, at: datetime) -> str:
    """Return an identifier that sorts by the instant of its making: `app-6564f1a2-9c3b1d2e4f60718a`."""
    return f"{prefix}-{seconds(at):08x}-{secrets.token_hex(8)}"
