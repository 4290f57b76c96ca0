"""`trialcpa meetings`: when the Sub-Committee meets, what is on its agenda, who attends, what is minuted."""

from pathlib import Path

import click

from app.cli import interests_shown, shown
from app.cli.service import Service, asks_service
from app.cli.words import WORDS
from app.client import path
from core.errors import InputUnusable
from ra.meeting.views import (
    AgendaPlaced,
    AgendaTakenOff,
    AttendanceRecorded,
    AttendanceStruck,
    ItemAnswer,
    ItemMinuted,
    MeetingCalled,
    MeetingCancelled,
    MeetingPage,
    MeetingShown,
)
from ra.views import document


@click.group(epilog="\b\nExample:\n  trialcpa meetings call 'SSC 34' 2027-02-03")
def meetings() -> None:
    """Meetings of the Sub-Committee: agenda, attendance, minutes. Decisions are made as between two."""


@meetings.command("list", epilog="\b\nExample:\n  trialcpa meetings list")
@asks_service
def list_(service: Service) -> None:
    """List meetings, the newest day first."""
    with service.connect() as client:
        found = [each for page in client.pages(MeetingPage, path("meetings")) for each in page.meetings]
    if service.as_json:
        shown.as_json({"meetings": [document(each) for each in found]})
        return
    shown.table(
        shown.out(),
        ("meeting", "name", "day", "state"),
        [(each.meeting, each.name, each.held_on, "cancelled" if each.cancelled_at else "called") for each in found],
        none="None is called.",
    )


@meetings.command(epilog="\b\nExample:\n  trialcpa meetings show mtg-6564f1a2-9c3b1d2e4f60718a")
@click.argument("meeting")
@asks_service
def show(meeting: str, service: Service) -> None:
    """Show a meeting, its agenda, and what else waits.

    What is overdue comes first.
    """
    with service.connect() as client:
        found = client.show(MeetingShown, path("meetings", meeting))
    if service.as_json:
        shown.as_json(document(found))
        return
    console = shown.out()
    cancelled = ", cancelled" if found.meeting.cancelled_at else ""
    shown.heading(console, f"{found.meeting.name}, {found.meeting.held_on}{cancelled}", "bold reverse")
    shown.heading(console, "Agenda")
    shown.table(
        console,
        ("item", "what", "stands", "minute"),
        [(each.item, each.title, _stands(each), each.minute.minute if each.minute else "") for each in found.items],
        none="Nothing is on it.",
    )
    declared = [one for each in found.items for one in each.interests]
    if declared:
        shown.heading(console, "Interests that were declared; the authority counts none")
        interests_shown.show(console, list(dict.fromkeys(declared)))
    shown.heading(console, "Who attends")
    shown.table(
        console,
        ("attendance", "name"),
        [(each.attendance, each.name) for each in found.attendances],
        none="Nobody is recorded.",
    )
    shown.heading(console, "What else waits")
    shown.table(
        console,
        ("what", "sentence", "overdue"),
        [(each.subject, each.sentence, "overdue" if each.overdue else "") for each in found.offered],
        none="Nothing else waits for a decision.",
    )
    if found.more_waits:
        shown.sentence(console, "More waits than is shown here.")


@meetings.command(epilog="\b\nExample:\n  trialcpa meetings call 'SSC 34' 2027-02-03")
@click.argument("name")
@click.argument("day")
@asks_service
def call(name: str, day: str, service: Service) -> None:
    """Call a meeting for a UTC day, by the name of its minutes."""
    with service.connect() as client:
        made = client.do(MeetingCalled, path("meetings"), {"name": name, "held_on": day})
    _say(service, made, f"{made.meeting}: {made.name}, {made.held_on}")


@meetings.command(epilog="\b\nExample:\n  trialcpa meetings cancel mtg-6564f1a2-9c3b1d2e4f60718a")
@click.argument("meeting")
@asks_service
def cancel(meeting: str, service: Service) -> None:
    """Cancel a meeting; what was recorded of it stays."""
    with service.connect() as client:
        made = client.do(MeetingCancelled, path("meetings", meeting, "cancellation"), {})
    _say(service, made, f"{made.meeting}: cancelled")


@meetings.command(
    short_help="Record who attends.",
    epilog="\b\nExample:\n  trialcpa meetings attend mtg-6564f1a2-9c3b1d2e4f60718a 'J. Doe' 'A. Patel'",
)
@click.argument("meeting")
@click.argument("names", nargs=-1, required=True)
@asks_service
def attend(meeting: str, names: tuple[str, ...], service: Service) -> None:
    """Record who attends, as the minutes will have their names."""
    with service.connect() as client:
        made = client.do(AttendanceRecorded, path("meetings", meeting, "attendances"), {"names": list(names)})
    _say(service, made, f"{made.meeting}: recorded are {len(made.recorded)} more")


@meetings.command(epilog="\b\nExample:\n  trialcpa meetings strike mtg-6564f1a2-9c3b1d2e4f60718a att-6564f1a2-…")
@click.argument("meeting")
@click.argument("attendance")
@asks_service
def strike(meeting: str, attendance: str, service: Service) -> None:
    """Strike somebody who was recorded in error, or did not come."""
    with service.connect() as client:
        made = client.do(AttendanceStruck, path("meetings", meeting, "attendances", attendance, "striking"), {})
    _say(service, made, f"{made.attendance}: struck")


@meetings.command(
    short_help="Put what waits on the agenda.",
    epilog="\b\nExample:\n  trialcpa meetings place mtg-6564f1a2-9c3b1d2e4f60718a app-6564f1a2-…",
)
@click.argument("meeting")
@click.argument("things", nargs=-1, required=True)
@asks_service
def place(meeting: str, things: tuple[str, ...], service: Service) -> None:
    """Put THINGS that wait on the agenda, in this order: `meetings show` names them."""
    with service.connect() as client:
        made = client.do(AgendaPlaced, path("meetings", meeting, "items"), {"subjects": list(things)})
    _say(service, made, f"{made.meeting}: on the agenda are {len(made.items)} more")


@meetings.command(epilog="\b\nExample:\n  trialcpa meetings remove agi-6564f1a2-9c3b1d2e4f60718a")
@click.argument("item")
@asks_service
def remove(item: str, service: Service) -> None:
    """Take an item off its agenda; it waits as it did."""
    with service.connect() as client:
        made = client.do(AgendaTakenOff, path("agenda-items", item, "removal"), {})
    _say(service, made, f"{made.item}: off the agenda of {made.meeting}")


@meetings.command(
    short_help="Minute an item.",
    epilog="\b\nExample:\n  trialcpa meetings minute agi-6564f1a2-9c3b1d2e4f60718a 34/01 --text @s.txt",
)
@click.argument("item")
@click.argument("number")
@click.option("--text", type=WORDS, default=None, help="What was said beside the decision, or @FILE.")
@click.option("--after", type=int, default=0, help="The version that you have read, to write it anew.")
@asks_service
def minute(item: str, number: str, text: str | None, after: int, service: Service) -> None:
    """Minute an item under its NUMBER."""
    said = {"minute": number, "text": text or None, "after": after}
    with service.connect() as client:
        made = client.do(ItemMinuted, path("agenda-items", item, "minute"), said)
    _say(service, made, f"{made.item}: minute {made.minute}, version {made.version}")


@meetings.command(
    short_help="Save the minutes as a PDF.",
    epilog="\b\nExample:\n  trialcpa meetings minutes mtg-6564f1a2-9c3b1d2e4f60718a -o ssc-34.pdf",
)
@click.argument("meeting")
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="Where to; - is the terminal.")
@asks_service
def minutes(meeting: str, output: Path | None, service: Service) -> None:
    """Save the minutes of a meeting as they stand, as a PDF."""
    with service.connect() as client:
        fetched = client.fetch(path("meetings", meeting), "application/pdf")
    target = output or Path(fetched.name or "minutes.pdf")
    if output is None and target.exists():
        raise InputUnusable(path=target, detail="there is such a file already; name another with -o.")
    shown.to_file(fetched.body, target)


def _stands(item: ItemAnswer) -> str:
    if item.decision is not None:
        return f"{item.decision.decision}: {item.decision.kind}, {item.decision.state}"
    return ("overdue" if item.overdue else "waits") if item.waits else "dealt with"


def _say(service: Service, made: object, words: str) -> None:
    if service.as_json:
        shown.as_json(document(made))
    else:
        shown.sentence(shown.out(), words)
