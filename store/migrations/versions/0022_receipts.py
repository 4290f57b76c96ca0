"""How long an end took until each channel told it, and whether those who have to know have acknowledged it.

Ends of before have no receipt: nobody measured them.
"""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "receipts",
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.Column("certificates", Number, nullable=False),
        sa.Column("began", Number, nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_receipts_approval")),
        sa.ForeignKeyConstraint(["decision"], ["decisions.id"], name=op.f("fk_receipts_decision")),
        sa.PrimaryKeyConstraint("approval", "decision", name=op.f("pk_receipts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_receipts_decision"), "receipts", ["decision"], unique=False)
    op.create_index(
        "ix_receipts_open",
        "receipts",
        ["approval", "decision"],
        unique=False,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "receipt_lines",
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("after", Number, nullable=False),
        sa.Column("number", Number, nullable=True),
        sa.CheckConstraint(
            "told IN ('verification', 'ocsp', 'list', 'dcc', 'panel')", name=op.f("ck_receipt_lines_told_known")
        ),
        sa.CheckConstraint("after >= 0", name=op.f("ck_receipt_lines_not_before_it_began")),
        sa.CheckConstraint("(number IS NOT NULL) = (told = 'list')", name=op.f("ck_receipt_lines_a_list_is_numbered")),
        sa.ForeignKeyConstraint(
            ["approval", "decision"], ["receipts.approval", "receipts.decision"], name="fk_receipt_lines_receipt"
        ),
        sa.PrimaryKeyConstraint("approval", "decision", "told", name=op.f("pk_receipt_lines")),
        sqlite_strict=True,
    )
