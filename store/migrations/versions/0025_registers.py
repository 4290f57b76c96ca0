"""The public register as it was signed: of which checkpoint, its digest, and the signature."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number, Octets

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registers",
        sa.Column("size", Number, autoincrement=False, nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("root", Octets(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("sha256", Octets(), nullable=False),
        sa.Column("signature", Octets(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.CheckConstraint("size >= 1", name=op.f("ck_registers_of_something")),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_registers")),
        sqlite_strict=True,
    )
