"""The console: invitations to enrol a passkey, passkeys, and sessions in a browser."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number, Octets

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.CheckConstraint("length(secret_sha256) = 64", name=op.f("ck_invitations_secret_sha256_is_sha256")),
        sa.CheckConstraint("made_at < expires_at", name=op.f("ck_invitations_expires")),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_invitations_credential_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_invitations_secret_sha256")),
        sqlite_strict=True,
    )
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("invitation_id", sa.Text(), nullable=False),
        sa.Column("key_id", Octets(), nullable=False),
        sa.Column("public_key", Octets(), nullable=False),
        sa.Column("sign_count", Number, nullable=False),
        sa.Column("enrolled_at", Instant(), nullable=False),
        sa.CheckConstraint("sign_count >= 0", name=op.f("ck_passkeys_counts")),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_passkeys_credential_id")),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitations.id"], name=op.f("fk_passkeys_invitation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("invitation_id", name=op.f("uq_passkeys_invitation_id")),
        sa.UniqueConstraint("key_id", name=op.f("uq_passkeys_key_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "console_sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("challenge_sha256", sa.Text(), nullable=True),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.CheckConstraint("length(secret_sha256) = 64", name=op.f("ck_console_sessions_secret_sha256_is_sha256")),
        sa.CheckConstraint("begun_at < expires_at", name=op.f("ck_console_sessions_expires")),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_console_sessions_credential_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_console_sessions")),
        sa.UniqueConstraint("challenge_sha256", name=op.f("uq_console_sessions_challenge_sha256")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_console_sessions_secret_sha256")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_console_sessions_credential_id"), "console_sessions", ["credential_id"], unique=False)
