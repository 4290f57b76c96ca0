"""What every use case has at hand: the register, the clock and the rules that the settings choose."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.clock import Clock
from core.deployments import DECOMMISSIONED_STATUSES, DEPLOYED_STATUSES
from core.instants import seconds
from core.kinds import DecisionKind
from intake.cpl_list import COLUMNS
from policy.section_f.assurance import DEFAULT_SCHEMES
from ra.bounds import Bounds
from store.transactions import Store

TWO_OFFICERS = 2
"""Nobody decides alone; the one exception is an urgent revocation (F2.30)."""

IDLE_MINUTES = 30
"""After which a session ends in which nothing is done: what NIST SP 800-63B-3, 4.2.3, allows at AAL2."""

MOST_IDLE_MINUTES = 60
"""The longest that may be set: what NIST SP 800-63B-4, 2.2.3, allows at AAL2."""


@dataclass(frozen=True)
class Rules:
    """What the settings decide about decisions.

    Args:
        longest_trial: the longest a trial may last.
        urgent_revocation_by_one: whether one officer may revoke alone (F2.30; the second is informed afterwards).
        longest_credential: the longest life of an API key.
        session_idle: after which a session in a browser ends in which nothing is done.
        list_columns: by field, the names that its column may have in the Panel's list.
        proposal_life: how long a proposal waits to be seconded before it lapses.
        order_life: how long an order to the authority waits to be authorised before it lapses.
        officers: how many officers must agree, the proposer included, by kind; two where nothing is said, never fewer.
        assurance: whose Assurance Certificates each device type needs (F2.19).
        look_ahead_months: calendar months after a report's date in which expiring approvals are named (F2.28(g)).
        report_day: the day of the month on which the report for the month before is due.
        bounds: what one organisation may keep open and store.
        deployed_statuses, decommissioned_statuses: statuses of the DCC's inventory that count as the one or the other.
        expiry_days: days before an expiry on which people are reminded, the largest first.
        reminder_weekdays: on which everybody with anything to do is mailed a list; Monday is 0.
    """

    longest_trial: timedelta = timedelta(days=731)
    urgent_revocation_by_one: bool = True
    longest_credential: timedelta = timedelta(days=400)
    session_idle: timedelta = timedelta(minutes=IDLE_MINUTES)
    list_columns: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: COLUMNS)
    proposal_life: timedelta = timedelta(days=30)
    order_life: timedelta = timedelta(days=7)
    officers: Mapping[DecisionKind, int] = field(default_factory=dict)
    assurance: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: DEFAULT_SCHEMES)
    look_ahead_months: int = 3
    report_day: int = 5
    expiry_days: tuple[int, ...] = (90, 30, 7)
    reminder_weekdays: tuple[int, ...] = (0,)
    bounds: Bounds = field(default_factory=Bounds)
    deployed_statuses: tuple[str, ...] = DEPLOYED_STATUSES
    decommissioned_statuses: tuple[str, ...] = DECOMMISSIONED_STATUSES

    def officers_for(self, kind: DecisionKind) -> int:
        """Return how many officers must agree to a decision of a kind."""
        return max(self.officers.get(kind, TWO_OFFICERS), TWO_OFFICERS)


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
