"""Drafts of applications, kept while they are written in the console."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "application_drafts",
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.Column("kept_at", Instant(), nullable=False),
        sa.Column("kept_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "part IN ('device', 'firmware', 'certificates', 'trial', 'key')",
            name=op.f("ck_application_drafts_part_known"),
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_application_drafts_counts")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_application_drafts_organisation_id")
        ),
        sa.PrimaryKeyConstraint("draft", "part", name=op.f("pk_application_drafts")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_application_drafts_organisation_id"), "application_drafts", ["organisation_id"], unique=False
    )
