"""Certificates that were entered again after a restore."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "restored_certificates",
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("restored_at", Instant(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("unknown", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["serial"], ["certificates.serial"], name=op.f("fk_restored_certificates_serial")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_restored_certificates_decision_id")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_restored_certificates")),
        sqlite_strict=True,
    )
