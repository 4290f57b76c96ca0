"""Contacts belong to organisations.

What applications stated becomes the contact of their organisation: of each the one that was stated last, which is where
its people were to be reached by then. No fact of the journal says so, as nobody did anything.
"""

import secrets

import sqlalchemy as sa
from alembic import op

from store.types import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_STATED = (
    "SELECT id, organisation_id, contact, submitted_at, submitted_by FROM applications "
    "WHERE contact <> '' ORDER BY submitted_at, id"
)
_HOLDS = "INSERT INTO contacts (id, organisation_id, notices, urgent, salt, application_id, held_from, set_by) VALUES \
(:id, :organisation, :notices, '', :salt, :application, :since, :by)"


def upgrade() -> None:
    _contacts()


def _contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("notices", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=True),
        sa.Column("held_from", Instant(), nullable=False),
        sa.Column("held_until", Instant(), nullable=True),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.CheckConstraint("held_until IS NULL OR held_from <= held_until", name=op.f("ck_contacts_holds_and_ends")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_contacts_organisation_id")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_contacts_application_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_contacts_held",
        "contacts",
        ["organisation_id"],
        unique=True,
        sqlite_where=sa.text("held_until IS NULL"),
        postgresql_where=sa.text("held_until IS NULL"),
    )
    op.create_index(op.f("ix_contacts_organisation_id"), "contacts", ["organisation_id"], unique=False)
    connection = op.get_bind()
    last = {row.organisation_id: row for row in connection.execute(sa.text(_STATED))}
    for organisation, row in last.items():
        said = {
            "id": f"con-{row.id.removeprefix('app-')}",
            "organisation": organisation,
            "notices": row.contact,
            "salt": secrets.token_bytes(16),
            "application": row.id,
            "since": row.submitted_at,
            "by": row.submitted_by,
        }
        connection.execute(sa.text(_HOLDS), said)
