"""A credential may be a monitor's, which reads counts and nothing else; who did how much of late is found at once."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROLES = "role IN ('ssc-officer', 'ssc-admin', 'manufacturer', 'dcc', 'panel', 'auditor', 'monitor')"
_COLUMNS = "id, key_sha256, name, role, organisation_id, created_at, expires_at, revoked_at"


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _credentials_anew()
    else:
        op.drop_constraint(op.f("ck_credentials_role_known"), "credentials")
        op.create_check_constraint(op.f("ck_credentials_role_known"), "credentials", _ROLES)
    for table, *columns in (
        ("journal", "actor", "at"),
        ("idempotency", "credential", "at"),
        ("evidence", "attached_by"),
        ("deployment_batches", "received_by", "received_at"),
    ):
        op.create_index(op.f("_".join(["ix", table, *columns])), table, columns, unique=False)


def _credentials_anew() -> None:
    """SQLite cannot change a CHECK: the table is written anew."""
    op.create_table(
        "credentials_new",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key_sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "role <> 'manufacturer' OR organisation_id IS NOT NULL",
            name=op.f("ck_credentials_manufacturer_has_organisation"),
        ),
        sa.CheckConstraint(_ROLES, name=op.f("ck_credentials_role_known")),
        sa.CheckConstraint("created_at < expires_at", name=op.f("ck_credentials_expires")),
        sa.CheckConstraint("length(key_sha256) = 64", name=op.f("ck_credentials_key_sha256_is_sha256")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_credentials_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("key_sha256", name=op.f("uq_credentials_key_sha256")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO credentials_new ({_COLUMNS}) SELECT {_COLUMNS} FROM credentials")  # noqa: S608 - our own words
    op.drop_table("credentials")
    op.rename_table("credentials_new", "credentials")
