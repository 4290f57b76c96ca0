"""The tables of the committee: its meetings with who attends, agenda and minutes; interests that officers declare; what
they say to each other of an application.

No decision rests upon any of it, and no row is changed but in its fate: what was said is struck, withdrawn or retracted
by a further fact, and stays.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, PrimaryKeyConstraint, Table, UniqueConstraint, text

from core.kinds import AgendaKind
from store.tables import metadata
from store.types import Instant, Number, Octets, String, word

meetings = Table(
    "meetings",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("held_on", Instant, nullable=False),  # the first second of its day
    Column("called_at", Instant, nullable=False),
    Column("called_by", String, nullable=False),
    Column("cancelled_at", Instant),  # fate
    Column("cancelled_by", String),  # fate
    CheckConstraint("length(name) > 0", name="named"),
    CheckConstraint("(cancelled_at IS NULL) = (cancelled_by IS NULL)", name="cancelled_whole"),
    Index(
        "uq_meetings_name",
        "name",
        unique=True,
        sqlite_where=text("cancelled_at IS NULL"),
        postgresql_where=text("cancelled_at IS NULL"),
    ),
    Index(None, "held_on"),
    sqlite_strict=True,
)
"""Minutes of decisions name a meeting by its name: no two that stand have the same."""

attendances = Table(
    "attendances",
    metadata,
    Column("id", String, primary_key=True),
    Column("meeting_id", ForeignKey("meetings.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("salt", Octets, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", String, nullable=False),
    Column("struck_at", Instant),  # fate
    Column("struck_by", String),  # fate
    CheckConstraint("length(name) > 0", name="named"),
    CheckConstraint("(struck_at IS NULL) = (struck_by IS NULL)", name="struck_whole"),
    Index(
        "uq_attendances_meeting_name",
        "meeting_id",
        "name",
        unique=True,
        sqlite_where=text("struck_at IS NULL"),
        postgresql_where=text("struck_at IS NULL"),
    ),
    sqlite_strict=True,
)

agenda_items = Table(
    "agenda_items",
    metadata,
    Column("id", String, primary_key=True),
    Column("meeting_id", ForeignKey("meetings.id"), nullable=False),
    Column("place", Number, nullable=False),  # in the order of the agenda; no other ever has it
    *word("kind", AgendaKind),
    Column("subject", String, nullable=False),
    Column("title", String, nullable=False),  # what waited, in the words of its task, as it was placed
    Column("application_id", ForeignKey("applications.id")),  # that it comes from: interests are declared in it
    Column("approval", String),
    Column("placed_at", Instant, nullable=False),
    Column("placed_by", String, nullable=False),
    Column("taken_off_at", Instant),  # fate
    Column("taken_off_by", String),  # fate
    UniqueConstraint("meeting_id", "place"),
    CheckConstraint("(taken_off_at IS NULL) = (taken_off_by IS NULL)", name="taken_off_whole"),
    Index(
        "uq_agenda_items_meeting_subject",
        "meeting_id",
        "subject",
        unique=True,
        sqlite_where=text("taken_off_at IS NULL"),
        postgresql_where=text("taken_off_at IS NULL"),
    ),
    sqlite_strict=True,
)

item_minutes = Table(
    "item_minutes",
    metadata,
    Column("item_id", ForeignKey("agenda_items.id"), nullable=False),
    Column("version", Number, nullable=False),
    Column("minute", String, nullable=False),
    Column("text", String, nullable=False),
    Column("salt", Octets, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", String, nullable=False),
    PrimaryKeyConstraint("item_id", "version"),
    CheckConstraint("version >= 1", name="counts"),
    CheckConstraint("length(minute) > 0", name="numbered"),
    sqlite_strict=True,
)
"""The newest of an item stands; those before it stay."""

interests = Table(
    "interests",
    metadata,
    Column("id", String, primary_key=True),
    Column("application_id", ForeignKey("applications.id"), nullable=False),
    Column("officer", String, nullable=False),
    Column("text", String, nullable=False),
    Column("salt", Octets, nullable=False),
    Column("declared_at", Instant, nullable=False),
    Column("declared_by", String, nullable=False),
    Column("withdrawn_at", Instant),  # fate
    Column("withdrawn_by", String),  # fate
    CheckConstraint("length(text) > 0", name="says_what"),
    CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawn_whole"),
    Index(None, "application_id"),
    sqlite_strict=True,
)

comments = Table(
    "comments",
    metadata,
    Column("id", String, primary_key=True),
    Column("application_id", ForeignKey("applications.id"), nullable=False),
    Column("text", String, nullable=False),
    Column("salt", Octets, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String, nullable=False),
    Column("retracted_at", Instant),  # fate
    CheckConstraint("length(text) > 0", name="says_something"),
    Index(None, "application_id"),
    sqlite_strict=True,
)
"""Its author alone retracts a comment."""
