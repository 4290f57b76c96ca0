"""Meetings of the Sub-Committee: the agenda of a day, who attends, one item after the other, and the minutes."""

from collections.abc import Callable

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console.answers import attached
from console.forms import field, request_key
from console.guard import actor, may
from console.service import Console
from console.settling import settled
from console.typed import words
from core.days import read_day
from core.errors import BodyMalformed, NoSuchThing, NotFound, OperationNotPermitted, TrialCpaError
from core.kinds import OPEN_DECISION, AgendaKind
from core.limits import NAME_LIMIT
from core.words import counted
from ra.committee.saying import LONGEST
from ra.doors import admit
from ra.meeting import agenda, meetings
from ra.meeting.agenda import MOST_ITEMS, MinuteItem
from ra.meeting.meetings import MOST_ATTEND, CallMeeting
from ra.meeting.minutes import declared_then, title_of
from ra.meeting.minutes import minutes as minutes_of
from ra.meeting.views import ItemAnswer

ROWS = 25

LONGEST_NUMBER = 5
"""Digits of a version."""

_Answer = Response | tuple[str, int]


def add_meeting(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    app.jinja_env.globals.update(agenda_title=title_of, declared_then=declared_then)
    _add_list(app, console)
    _add_one(app, console)
    _add_attendance(app, console)
    _add_items(app, console)


def _add_list(app: Flask, console: Console) -> None:
    desk = console.desk

    def show(error: TrialCpaError | None = None) -> str:
        after = request.args.get("after", "")[:NAME_LIMIT]
        found = meetings.meetings_of(desk, actor(), after=after, limit=ROWS)
        following = meetings.next_meeting(desk, actor())
        return render_template("meetings.html", page=found, following=following, error=error)

    @app.get("/console/meetings")
    def meetings_page() -> str:
        """List meetings."""
        return show()

    @app.post("/console/meetings")
    def call_it() -> _Answer:
        """Call one."""
        admit(actor(), "callMeeting")
        try:
            day = read_day(words("held_on", NAME_LIMIT), field="Its day")
            command = CallMeeting(words("name", NAME_LIMIT), day)
            made = meetings.call_meeting(desk, actor(), command, request_key())
        except TrialCpaError as error:
            return show(error), 422
        console.wrote()
        flash(f"{made.name} is called. Put on its agenda what is to be decided.")
        return redirect(url_for("meeting", identifier=made.meeting), 303)


def _shown(console: Console, identifier: str, error: TrialCpaError | None = None) -> str:
    it = agenda.meeting(console.desk, actor(), identifier)
    begin = next((each for each in it.items if each.waits), next(iter(it.items), None))
    keeps = may("placeOnAgenda") and it.meeting.cancelled_at is None
    return render_template("meeting.html", it=it, begin=begin, keeps=keeps, error=error, open_states=OPEN_DECISION)


def _done(console: Console, identifier: str, act: Callable[[], str], anchor: str = "") -> _Answer:
    """Do what a form of a meeting's page asks for, and say what was done; or show the page with why not."""
    to = url_for("meeting", identifier=identifier, _anchor=anchor or None)
    return settled(console, act, to=to, again=lambda error: _shown(console, identifier, error))


def _add_one(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.get("/console/meetings/<identifier>")
    def meeting(identifier: str) -> str:
        """Show a meeting: its agenda, who attends, and what else waits."""
        return _shown(console, identifier)

    @app.get("/console/meetings/<identifier>/minutes")
    def minutes(identifier: str) -> str:
        """Show the minutes, to be printed."""
        return render_template("minutes.html", it=agenda.meeting(desk, actor(), identifier), open_states=OPEN_DECISION)

    @app.get("/console/meetings/<identifier>/minutes/file")
    def minutes_file(identifier: str) -> Response:
        """Send the minutes as a PDF."""
        name, octets = minutes_of(desk, actor(), identifier)
        return attached(octets, "application/pdf", name)

    @app.post("/console/meetings/<identifier>/agenda")
    def place_them(identifier: str) -> _Answer:
        """Place what is ticked on the agenda."""
        admit(actor(), "placeOnAgenda")

        def act() -> str:
            ticked = request.form.getlist("subject")
            if not ticked or len(ticked) > MOST_ITEMS:
                raise BodyMalformed(detail="nothing is ticked, or more than an agenda has room for")
            done = agenda.place_on_agenda(desk, actor(), identifier, ticked, request_key())
            return f"{counted(len(done.items), 'item')} more on the agenda."

        return _done(console, identifier, act)

    @app.post("/console/meetings/<identifier>/cancellation")
    def cancel_it(identifier: str) -> _Answer:
        """Cancel a meeting."""
        admit(actor(), "cancelMeeting")

        def act() -> str:
            meetings.cancel_meeting(desk, actor(), identifier, request_key())
            return "The meeting is cancelled. What was recorded of it stays."

        return _done(console, identifier, act)


def _add_attendance(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.post("/console/meetings/<identifier>/attendances")
    def attend(identifier: str) -> _Answer:
        """Record who attends: a name on each line."""
        admit(actor(), "recordAttendance")

        def act() -> str:
            typed = words("names", MOST_ATTEND * (NAME_LIMIT + 1))
            named = [each.strip() for each in typed.splitlines() if each.strip()]
            done = meetings.record_attendance(desk, actor(), identifier, named, request_key())
            return f"Recorded as attending: {len(done.recorded)}."

        return _done(console, identifier, act, "attends")

    @app.post("/console/meetings/<identifier>/striking")
    def strike_it(identifier: str) -> _Answer:
        """Strike somebody who was recorded in error, or did not come."""
        admit(actor(), "strikeAttendance")

        def act() -> str:
            meetings.strike_attendance(desk, actor(), identifier, field("attendance"), request_key())
            return "They are struck from those who attend."

        return _done(console, identifier, act, "attends")


def _item_shown(console: Console, identifier: str, error: TrialCpaError | None = None) -> str:
    at = agenda.step(console.desk, actor(), identifier)
    whole = agenda.meeting(console.desk, actor(), at.meeting.meeting)
    it = next((each for each in whole.items if each.item == identifier), None)
    if it is None:  # it was taken off between the two
        raise NoSuchThing(kind="agenda item", identifier=identifier)
    decision = it.decision
    seconds = decision is not None and decision.state in OPEN_DECISION and decision.proposer != actor().name
    return render_template(
        "agenda_item.html",
        at=at,
        it=it,
        keeps=may("minuteItem") and at.meeting.cancelled_at is None,
        error=error,
        seconds=seconds and may("secondDecision"),
        opened=decision is not None and decision.state in OPEN_DECISION,
        page_of=_page_of(it),
        longest=LONGEST,
        number=request.form.get("minute", _number(it)),
    )


def _add_items(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.get("/console/agenda-items/<identifier>")
    def agenda_item(identifier: str) -> str:
        """Show an item of an agenda: what it is about, who has declared an interest, and what is minuted."""
        return _item_shown(console, identifier)

    def done(identifier: str, act: Callable[[], tuple[str, str]]) -> _Answer:
        try:
            said, where = act()
        except (NotFound, OperationNotPermitted):
            raise
        except TrialCpaError as error:
            return _item_shown(console, identifier, error), 422
        console.wrote()
        flash(said)
        return redirect(where, 303)

    @app.post("/console/agenda-items/<identifier>/minute")
    def minute_it(identifier: str) -> _Answer:
        """Minute an item."""
        admit(actor(), "minuteItem")

        def act() -> tuple[str, str]:
            command = MinuteItem(
                item=identifier, minute=words("minute", NAME_LIMIT), text=words("text"), after=_version()
            )
            made = agenda.minute_item(desk, actor(), command, request_key())
            return f"Minute {made.minute} is recorded.", url_for("agenda_item", identifier=identifier)

        return done(identifier, act)

    @app.post("/console/agenda-items/<identifier>/removal")
    def take_it_off(identifier: str) -> _Answer:
        """Take an item off its agenda."""
        admit(actor(), "takeOffAgenda")

        def act() -> tuple[str, str]:
            made = agenda.take_off_agenda(desk, actor(), identifier, request_key())
            return "It is off the agenda; it waits as it did.", url_for("meeting", identifier=made.meeting)

        return done(identifier, act)


def _version() -> int:
    said = field("after")
    if not (said.isascii() and said.isdecimal() and len(said) <= LONGEST_NUMBER):
        raise BodyMalformed(detail="the form does not say which version you have read")
    return int(said)


def _number(it: ItemAnswer) -> str:
    """The minute that its field begins with: as recorded, or as the decision's proposal has it."""
    if it.minute is not None:
        return it.minute.minute
    return "" if it.decision is None else it.decision.minute


def _page_of(it: ItemAnswer) -> str | None:
    """The page about what an item is about, to which it goes along; None if there is none."""
    match it.kind:
        case AgendaKind.APPLICATION:
            endpoint, name = "application", it.subject
        case AgendaKind.DECISION | AgendaKind.REVOCATION:
            return None  # the decision is all of it
        case AgendaKind.SUSPICION | AgendaKind.OWED:
            endpoint, name = "breach", it.subject
        case AgendaKind.AMENDMENT if may("proposeDecision"):
            endpoint, name = "amendment_request", it.subject
        case _:
            endpoint, name = "approval", it.approval or ""
    return url_for(endpoint, identifier=name, agenda=it.item) if name else None
