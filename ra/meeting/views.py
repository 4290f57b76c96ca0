"""What is shown of meetings, to the SSC and whoever audits it."""

from dataclasses import dataclass
from datetime import date, datetime

from core.kinds import AgendaKind, DecisionKind, DecisionState
from ra.committee.views import InterestAnswer
from ra.views import Page


@dataclass(frozen=True, kw_only=True)
class MeetingAnswer:
    """A meeting.

    Args:
        name: as minutes of decisions name it.
        cancelled_at: when it was cancelled; null while it stands.
    """

    meeting: str
    name: str
    held_on: date
    called_at: datetime
    called_by: str
    cancelled_at: datetime | None
    cancelled_by: str | None


@dataclass(frozen=True, kw_only=True)
class MeetingPage(Page):
    """Meetings, the newest day first."""

    meetings: tuple[MeetingAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class AttendanceAnswer:
    """Somebody who attends a meeting."""

    attendance: str
    name: str
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class MinuteAnswer:
    """What is minuted of an item.

    Args:
        minute: its number.
        text: what was said; empty where nothing is to be read beside the decision.
        version: how often it was written.
    """

    minute: str
    text: str
    version: int
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class ItemDecision:
    """The newest decision about an item.

    Args:
        authorised_at: when its proposer signed for it.
        minute: that its proposal names.
    """

    decision: str
    kind: DecisionKind
    state: DecisionState
    proposer: str
    proposed_at: datetime
    authorised_at: datetime | None
    seconder: str | None
    seconded_at: datetime | None
    outcome: str | None
    meeting: str
    minute: str


@dataclass(frozen=True, kw_only=True)
class ItemAnswer:
    """An item of an agenda, as it stands now.

    Args:
        kind: what waited when it was placed.
        subject: the identifier of that.
        title: what waited, in words.
        application: that it comes from; null where that is lost.
        approval: that it is about; null if there is none yet.
        waits: whether it waits still.
        due: by when it must be done, while it waits.
        decision: the newest about it.
        minute: what is minuted; null before.
        interests: in the application that it comes from, those that were withdrawn too.
    """

    item: str
    kind: AgendaKind
    subject: str
    title: str
    application: str | None
    approval: str | None
    placed_at: datetime
    placed_by: str
    waits: bool
    due: datetime | None
    overdue: bool
    urgent: bool
    decision: ItemDecision | None
    minute: MinuteAnswer | None
    interests: tuple[InterestAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class OfferedAnswer:
    """What waits and is not on the agenda."""

    kind: AgendaKind
    subject: str
    sentence: str
    since: datetime
    due: datetime | None
    overdue: bool
    urgent: bool


@dataclass(frozen=True, kw_only=True)
class MeetingShown:
    """A meeting with everything about it.

    Args:
        items: in the order of the agenda.
        offered: what else waits, what is overdue first.
        more_waits: whether more waits than is offered here; the rest appears as this is worked off.
    """

    meeting: MeetingAnswer
    as_of: datetime
    attendances: tuple[AttendanceAnswer, ...]
    items: tuple[ItemAnswer, ...]
    offered: tuple[OfferedAnswer, ...]
    more_waits: bool


@dataclass(frozen=True, kw_only=True)
class AgendaStep:
    """Where somebody is who goes through an agenda.

    Args:
        number, of: the how manieth item of how many it is.
        minute: its number, as recorded; null before.
        previous, following: the items beside it; null at an end.
    """

    meeting: MeetingAnswer
    item: str
    title: str
    number: int
    of: int
    minute: str | None
    previous: str | None
    following: str | None


@dataclass(frozen=True, kw_only=True)
class MeetingCalled:
    """A meeting was called."""

    meeting: str
    name: str
    held_on: date


@dataclass(frozen=True, kw_only=True)
class MeetingCancelled:
    """A meeting was cancelled."""

    meeting: str
    cancelled_at: datetime


@dataclass(frozen=True, kw_only=True)
class AttendanceRecorded:
    """Some attend a meeting: those are named who were not recorded before."""

    meeting: str
    recorded: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AttendanceStruck:
    """Somebody was struck from those who attend a meeting."""

    meeting: str
    attendance: str


@dataclass(frozen=True, kw_only=True)
class AgendaPlaced:
    """Some things are on the agenda of a meeting: the items are named that were not before."""

    meeting: str
    items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AgendaTakenOff:
    """An item was taken off the agenda of a meeting."""

    meeting: str
    item: str


@dataclass(frozen=True, kw_only=True)
class ItemMinuted:
    """An item was minuted."""

    item: str
    meeting: str
    minute: str
    version: int
