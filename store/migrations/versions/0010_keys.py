"""What was ended in the hierarchy before its time: an issuing CA, or the key of an OCSP responder."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authority_ends",
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", Number, nullable=False),
        sa.CheckConstraint("reason IN (1, 4, 5, 9)", name=op.f("ck_authority_ends_reason_known")),
        sa.ForeignKeyConstraint(["serial"], ["authority_certificates.serial"], name=op.f("fk_authority_ends_serial")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_authority_ends")),
        sqlite_strict=True,
    )
