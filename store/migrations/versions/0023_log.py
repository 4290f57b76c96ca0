"""The public log beside the journal. The rows of before get their salts and leaves from the authority, in portions:
only it has the means to see that they are what was sealed.
"""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_leaves",
        sa.Column("number", Number, autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_log_leaves_numbered")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_leaves")),
        sqlite_strict=True,
    )
    op.create_table(
        "log_documents",
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("number", Number, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("approval", "number", name=op.f("pk_log_documents")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_log_documents_number"), "log_documents", ["number"], unique=False)
    op.create_table(
        "log_tiles",
        sa.Column("level", Number, nullable=False),
        sa.Column("place", Number, nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "place", name=op.f("pk_log_tiles")),
        sqlite_strict=True,
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", Number, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.CheckConstraint("size >= 1", name=op.f("ck_checkpoints_of_something")),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoints")),
        sqlite_strict=True,
    )
