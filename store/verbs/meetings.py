"""Meetings: called, attended, filled and minuted. What was recorded is struck or taken off by conditional writes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, update

from core.errors import WrongState
from store.committee_tables import agenda_items, attendances, item_minutes, meetings
from store.reading.meetings import AgendaItem, Attendance, ItemMinute, Meeting
from store.transactions import Transaction
from store.verbs.conflicts import INSERT


def call(tx: Transaction, wanted: Meeting) -> None:
    """Write a meeting; WrongState if another of its name stands."""
    written = INSERT[tx.dialect](meetings).values(
        id=wanted.id,
        name=wanted.name,
        held_on=wanted.held_on,
        called_at=wanted.called_at,
        called_by=wanted.called_by,
    )
    if not tx.connection.execute(written.on_conflict_do_nothing()).rowcount:
        raise WrongState(kind="Meeting", identifier=wanted.name, state="called already", needed="of another name")


def cancel(tx: Transaction, identifier: str, *, by: str, at: datetime) -> None:
    """Cancel a meeting, which there is and which the caller holds and has seen standing."""
    tx.connection.execute(update(meetings).where(meetings.c.id == identifier).values(cancelled_at=at, cancelled_by=by))


def record_attendances(tx: Transaction, wanted: Sequence[Attendance]) -> None:
    """Write who attends a meeting, which the caller holds."""
    tx.connection.execute(
        insert(attendances),
        [
            {
                "id": each.id,
                "meeting_id": each.meeting,
                "name": each.name,
                "salt": each.salt,
                "recorded_at": each.recorded_at,
                "recorded_by": each.recorded_by,
            }
            for each in wanted
        ],
    )


def strike(tx: Transaction, meeting: str, identifier: str, *, by: str, at: datetime) -> None:
    """Strike somebody from those who attend a meeting; WrongState if they do not stand there."""
    c = attendances.c
    standing = update(attendances).where(c.id == identifier, c.meeting_id == meeting, c.struck_at.is_(None))
    if not tx.connection.execute(standing.values(struck_at=at, struck_by=by)).rowcount:
        raise WrongState(kind="Attendance", identifier=identifier, state="not recorded", needed="recorded")


def place(tx: Transaction, wanted: Sequence[AgendaItem]) -> None:
    """Write items of an agenda, whose meeting the caller holds."""
    tx.connection.execute(
        insert(agenda_items),
        [
            {
                "id": each.id,
                "meeting_id": each.meeting,
                "place": each.place,
                "kind": each.kind,
                "subject": each.subject,
                "title": each.title,
                "application_id": each.application,
                "approval": each.approval,
                "placed_at": each.placed_at,
                "placed_by": each.placed_by,
            }
            for each in wanted
        ],
    )


def take_off(tx: Transaction, identifier: str, *, by: str, at: datetime) -> None:
    """Take an item, which there is, off its agenda; WrongState if it was taken off before."""
    c = agenda_items.c
    won = tx.connection.execute(
        update(agenda_items)
        .where(c.id == identifier, c.taken_off_at.is_(None))
        .values(taken_off_at=at, taken_off_by=by)
    ).rowcount
    if not won:
        raise WrongState(kind="Agenda item", identifier=identifier, state="taken off", needed="on the agenda")


def minute(tx: Transaction, wanted: ItemMinute) -> None:
    """Write what is minuted of an item; it takes the place of what was."""
    tx.connection.execute(
        insert(item_minutes).values(
            item_id=wanted.item,
            version=wanted.version,
            minute=wanted.minute,
            text=wanted.text,
            salt=wanted.salt,
            recorded_at=wanted.recorded_at,
            recorded_by=wanted.recorded_by,
        )
    )
