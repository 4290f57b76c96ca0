"""The limit is compared at each change of it, and a suspicion whose reports were corrected says so."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "limit_comparisons",
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("issue", Number, nullable=False),
        sa.Column("compared_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_limit_comparisons_approval")),
        sa.PrimaryKeyConstraint("approval", "issue", name=op.f("pk_limit_comparisons")),
        sqlite_strict=True,
    )
    standing = sa.text("decommissioned_at IS NULL AND voided_at IS NULL")
    op.create_index(
        "ix_deployments_standing",
        "deployments",
        ["approval"],
        unique=False,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.add_column("breaches", sa.Column("kept_at", Instant()))
