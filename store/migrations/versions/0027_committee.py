"""The committee: meetings with attendance, agenda and minutes; interests that are declared; comments among officers."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number, Octets

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meetings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("held_on", Instant(), nullable=False),
        sa.Column("called_at", Instant(), nullable=False),
        sa.Column("called_by", sa.Text(), nullable=False),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(cancelled_at IS NULL) = (cancelled_by IS NULL)", name=op.f("ck_meetings_cancelled_whole")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_meetings_named")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_meetings_held_on"), "meetings", ["held_on"], unique=False)
    op.create_index(
        "uq_meetings_name",
        "meetings",
        ["name"],
        unique=True,
        sqlite_where=sa.text("cancelled_at IS NULL"),
        postgresql_where=sa.text("cancelled_at IS NULL"),
    )
    op.create_table(
        "attendances",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("meeting_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("salt", Octets(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("struck_at", Instant(), nullable=True),
        sa.Column("struck_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(struck_at IS NULL) = (struck_by IS NULL)", name=op.f("ck_attendances_struck_whole")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_attendances_named")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_attendances_meeting_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendances")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_attendances_meeting_name",
        "attendances",
        ["meeting_id", "name"],
        unique=True,
        sqlite_where=sa.text("struck_at IS NULL"),
        postgresql_where=sa.text("struck_at IS NULL"),
    )
    op.create_table(
        "agenda_items",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("meeting_id", sa.Text(), nullable=False),
        sa.Column("place", Number, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=True),
        sa.Column("approval", sa.Text(), nullable=True),
        sa.Column("placed_at", Instant(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("taken_off_at", Instant(), nullable=True),
        sa.Column("taken_off_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('application-waiting', 'decision-to-second', 'revocation-to-acknowledge', 'breach-suspected', 'revocation-owed', 'certificate-rejected', 'addition-to-judge', 'amendment-requested', 'end-requested')",
            name=op.f("ck_agenda_items_kind_known"),
        ),
        sa.CheckConstraint(
            "(taken_off_at IS NULL) = (taken_off_by IS NULL)", name=op.f("ck_agenda_items_taken_off_whole")
        ),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_agenda_items_application_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_agenda_items_meeting_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agenda_items")),
        sa.UniqueConstraint("meeting_id", "place", name=op.f("uq_agenda_items_meeting_id_place")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_agenda_items_meeting_subject",
        "agenda_items",
        ["meeting_id", "subject"],
        unique=True,
        sqlite_where=sa.text("taken_off_at IS NULL"),
        postgresql_where=sa.text("taken_off_at IS NULL"),
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("salt", Octets(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("retracted_at", Instant(), nullable=True),
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_comments_says_something")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_comments_application_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_comments_application_id"), "comments", ["application_id"], unique=False)
    op.create_table(
        "interests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("salt", Octets(), nullable=False),
        sa.Column("declared_at", Instant(), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name=op.f("ck_interests_withdrawn_whole")
        ),
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_interests_says_what")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_interests_application_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interests")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_interests_application_id"), "interests", ["application_id"], unique=False)
    op.create_table(
        "item_minutes",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.Column("minute", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("salt", Octets(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.CheckConstraint("length(minute) > 0", name=op.f("ck_item_minutes_numbered")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_item_minutes_counts")),
        sa.ForeignKeyConstraint(["item_id"], ["agenda_items.id"], name=op.f("fk_item_minutes_item_id")),
        sa.PrimaryKeyConstraint("item_id", "version", name=op.f("pk_item_minutes")),
        sqlite_strict=True,
    )
