"""Dossiers of approvals, and the statement signer who signs them."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ROLES = "role IN ('root', 'issuing', 'responder', 'statement')"
_COLUMNS = "serial, role, tbs, tbs_sha256, key_id, subject, not_before, not_after, intended_at, der, issued_at"


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _certificates_anew()
    else:
        op.drop_constraint(op.f("ck_authority_certificates_role_known"), "authority_certificates")
        op.create_check_constraint(op.f("ck_authority_certificates_role_known"), "authority_certificates", _ROLES)
    op.create_table(
        "dossiers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("manifest_sha256", sa.Text(), nullable=False),
        sa.Column("parts", sa.LargeBinary(), nullable=False),
        sa.Column("signer_serial", sa.Text(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("signed_at", Instant(), nullable=True),
        sa.CheckConstraint("length(manifest_sha256) = 64", name=op.f("ck_dossiers_manifest_sha256_is_sha256")),
        sa.CheckConstraint(
            "(signature IS NULL) = (signer_serial IS NULL)", name=op.f("ck_dossiers_signed_by_somebody")
        ),
        sa.CheckConstraint("(signature IS NULL) = (signed_at IS NULL)", name=op.f("ck_dossiers_signed_at_a_time")),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_dossiers_approval")),
        sa.ForeignKeyConstraint(
            ["signer_serial"], ["authority_certificates.serial"], name=op.f("fk_dossiers_signer_serial")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossiers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_dossiers_approval_asked_at"), "dossiers", ["approval", "asked_at"], unique=False)


def _certificates_anew() -> None:
    """SQLite cannot change a CHECK: the table is written anew."""
    op.create_table(
        "authority_certificates_new",
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("tbs", sa.LargeBinary(), nullable=False),
        sa.Column("tbs_sha256", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.Column("not_after", Instant(), nullable=False),
        sa.Column("intended_at", Instant(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=True),
        sa.Column("issued_at", Instant(), nullable=True),
        sa.CheckConstraint(_ROLES, name=op.f("ck_authority_certificates_role_known")),
        sa.CheckConstraint("(der IS NULL) = (issued_at IS NULL)", name=op.f("ck_authority_certificates_issued_whole")),
        sa.CheckConstraint("length(tbs_sha256) = 64", name=op.f("ck_authority_certificates_tbs_sha256_is_sha256")),
        sa.CheckConstraint("not_before < not_after", name=op.f("ck_authority_certificates_validity")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_authority_certificates")),
        sqlite_strict=True,
    )
    copied = f"INSERT INTO authority_certificates_new ({_COLUMNS}) SELECT {_COLUMNS} FROM authority_certificates"  # noqa: S608 - our own words
    op.execute(copied)
    op.drop_table("authority_certificates")
    op.rename_table("authority_certificates_new", "authority_certificates")
