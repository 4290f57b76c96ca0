"""Ends of deployments, and what corrections take back, are found by the instant at which they were recorded.

Whoever holds the units in memory reads those that a report has touched, and nothing else.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, column in (
        ("ix_deployments_decommission_recorded_at", "decommission_recorded_at"),
        ("ix_deployments_voided_at", "voided_at"),
    ):
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "deployments", [column], sqlite_where=there, postgresql_where=there)
