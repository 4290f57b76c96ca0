"""What officers may send of their own work: meetings, agendas, interests, comments."""

from typing import Annotated

from pydantic import Field

from api.forms.fields import Body, Day, Name, Sent, Token, Words
from core.canonical import LARGEST_EXACT
from core.limits import NAME_LIMIT
from ra.committee.saying import LONGEST
from ra.meeting.agenda import MOST_ITEMS
from ra.meeting.meetings import MOST_ATTEND


class MeetingBody(Body):
    """A meeting to be held."""

    name: Annotated[Name, Field(min_length=1, description="As minutes of decisions will name it: SSC 34.")]
    held_on: Day


class AttendanceBody(Body):
    """Who attends a meeting."""

    names: Annotated[
        list[Annotated[Name, Field(min_length=1)]],
        Field(min_length=1, max_length=MOST_ATTEND, description=f"Each of {NAME_LIMIT} characters at most."),
    ]


class AgendaBody(Body):
    """What is to be decided at a meeting."""

    subjects: Annotated[
        list[Token],
        Field(min_length=1, max_length=MOST_ITEMS, description="Identifiers of what waits, as GET /v1/tasks has them."),
    ]


class MinuteBody(Body):
    """What is minuted of an item."""

    minute: Annotated[Name, Field(min_length=1, description="Its number: 34/07.")]
    text: Annotated[Words, Field(max_length=LONGEST)] | None = Field(
        None, description="What was said beside the decision, if anything."
    )
    after: Annotated[
        int, Field(ge=0, le=LARGEST_EXACT, description="The version that you have read; 0 where nothing is minuted.")
    ] = 0


class InterestBody(Body):
    """An interest in an application; the authority counts none, and shows each beside the decision."""

    text: Annotated[Words, Field(max_length=LONGEST)]
    officer: Annotated[Name, Field(description="Whose it is; empty for your own.")] = ""


class CommentBody(Body):
    """Words for the other officers."""

    text: Annotated[Words, Field(max_length=LONGEST)]


class MeetingPath(Sent):
    """Which meeting."""

    meeting: Token


class AttendancePath(MeetingPath):
    """Whose attendance at which meeting."""

    attendance: Token


class ItemPath(Sent):
    """Which item of an agenda."""

    item: Token


class InterestPath(Sent):
    """Which interest."""

    interest: Token


class CommentPath(Sent):
    """Which comment."""

    comment: Token
