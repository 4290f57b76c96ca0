"""What processes without a socket notice, and the signs of life of each process."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signs_of_life",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint("process IN ('web', 'authority', 'courier')", name=op.f("ck_signs_of_life_process_known")),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_signs_of_life")),
        sqlite_strict=True,
    )
    op.create_table(
        "alarms",
        sa.Column("raised_by", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.CheckConstraint("raised_by IN ('authority', 'courier')", name=op.f("ck_alarms_raised_by_known")),
        sa.PrimaryKeyConstraint("raised_by", "code", "subject", name=op.f("pk_alarms")),
        sqlite_strict=True,
    )
