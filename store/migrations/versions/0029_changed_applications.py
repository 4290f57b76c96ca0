"""Applications are changed in a browser: drafts of changes, and what an application said before each."""

import sqlalchemy as sa
from alembic import op

from store.types import Number

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "draft_changes",
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_draft_changes_counts")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_draft_changes_application_id")),
        sa.PrimaryKeyConstraint("draft", name=op.f("pk_draft_changes")),
        sa.UniqueConstraint("application_id", name=op.f("uq_draft_changes_application_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "application_versions",
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_application_versions_counts")),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_application_versions_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", "version", name=op.f("pk_application_versions")),
        sqlite_strict=True,
    )
