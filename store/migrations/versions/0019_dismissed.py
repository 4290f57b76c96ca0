"""A suspicion of the limit keeps how many devices it was about and since when: dismissed, it stays so for these.

Those from before say nothing of it; one that was dismissed comes once more. And the SSC says of an addition to the
Central Products List whether it stands or waits while a new key is certified.
"""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("breaches", sa.Column("deployed", Number))
    op.add_column("breaches", sa.Column("since", Instant()))
    op.create_table(
        "additions",
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("judged_at", Instant(), nullable=False),
        sa.Column("judged_by", sa.Text(), nullable=False),
        sa.CheckConstraint("said IN ('stands', 'waits')", name=op.f("ck_additions_said_known")),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_additions_approval")),
        sa.PrimaryKeyConstraint("approval", name=op.f("pk_additions")),
        sqlite_strict=True,
    )
