"""What is shown of what waits."""

from dataclasses import dataclass
from datetime import datetime

from core.actors import PartyKind
from ra.views import Bounded


@dataclass(frozen=True, kw_only=True)
class TaskAnswer:
    """One thing that waits; `link` is the path under which it is found.

    Args:
        kind: stable, kebab-case.
        subject: the identifier of the thing it is about.
        sentence: what is to be done, for people.
        since: since when it waits.
        due: by when it must be done; null if nothing says so.
        urgent: whether it cannot wait.
        link: a path of this service.
    """

    kind: str
    subject: str
    sentence: str
    since: datetime
    due: datetime | None = None
    urgent: bool = False
    link: str


@dataclass(frozen=True, kw_only=True)
class CalendarAddressMade:
    """An address for a calendar program.

    Args:
        name: what its owner calls it.
        address: where the calendar is read, by whoever has it. Told by the call that made it and never again: null
            where the same request was sent before.
    """

    calendar: str
    name: str
    made_at: datetime
    address: str | None = None


@dataclass(frozen=True, kw_only=True)
class CalendarAddressAnswer:
    """An address for a calendar program, without its secret, which is kept nowhere."""

    calendar: str
    name: str
    made_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True)
class CalendarAddressList:
    """Whoever asks has made these, oldest first."""

    calendars: tuple[CalendarAddressAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class CalendarAddressRevoked:
    """An address answers nothing any more."""

    calendar: str
    revoked_at: datetime


@dataclass(frozen=True, kw_only=True)
class TaskList(Bounded):
    """What waits for a party at `as_of`, what is urgent first.

    Args:
        truncated: whether more waits of some kind than is shown here. Of each kind the oldest are, and the rest as they
            are worked off; the lists of applications, decisions, breaches and notices have all of them.
    """

    party: PartyKind
    as_of: datetime
    tasks: tuple[TaskAnswer, ...]
