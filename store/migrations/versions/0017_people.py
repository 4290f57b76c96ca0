"""Contacts belong to organisations; Manufacturers ask for ends, and are told.

What applications stated becomes the contact of their organisation: of each the one that was stated last, which is where
its people were to be reached by then. No fact of the journal says so, as nobody did anything.
"""

import re
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


_NO_DECISION = ("request-lapsed", "end-request-lapsed", "end-request-answered", "suspicion")
_TOLD = _NO_DECISION[1:]
_TELLS = f"(decision_id IS NULL) = (kind IN ({', '.join(map(repr, _NO_DECISION))}))"
_ASKS = "state IN ('open', 'proposed')"


def upgrade() -> None:
    _contacts()
    _end_requests()
    _suspicions()
    if op.get_context().dialect.name == "sqlite":
        _anew(
            "notices",
            [
                (r"(known CHECK \(kind IN \([^)]*)\)", rf"\1, {', '.join(map(repr, _TOLD))})"),
                (r"\(decision_id IS NULL\) = \(kind = 'request-lapsed'\)", _TELLS),
            ],
        )
        _anew("evidence", [(r"(known CHECK \(subject_kind IN \([^)]*)\)", r"\1, 'suspicion')")])
    else:
        _also("evidence", "subject_kind", "suspicion")
        _also("notices", "kind", *_TOLD)
        op.drop_constraint(op.f("ck_notices_tells_of_a_decision"), "notices")
        op.create_check_constraint(op.f("ck_notices_tells_of_a_decision"), "notices", _TELLS)


def _end_requests() -> None:
    op.create_table(
        "end_requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'proposed', 'granted', 'refused', 'answered', 'withdrawn', 'lapsed')",
            name=op.f("ck_end_requests_state_known"),
        ),
        sa.CheckConstraint(
            "(state IN ('granted', 'refused', 'answered', 'withdrawn', 'lapsed')) = (closed_at IS NOT NULL)",
            name=op.f("ck_end_requests_closed_whole"),
        ),
        sa.CheckConstraint(
            "(state = 'granted') = (decision_id IS NOT NULL)", name=op.f("ck_end_requests_granted_by_decision")
        ),
        sa.CheckConstraint(
            "(state IN ('refused', 'answered')) = (answer IS NOT NULL)", name=op.f("ck_end_requests_answered_in_words")
        ),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_by IS NULL)", name=op.f("ck_end_requests_answered_by_somebody")
        ),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_end_requests_approval")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_end_requests_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_end_requests")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_end_requests_open",
        "end_requests",
        ["approval"],
        unique=True,
        sqlite_where=sa.text(_ASKS),
        postgresql_where=sa.text(_ASKS),
    )
    op.create_index(op.f("ix_end_requests_approval"), "end_requests", ["approval"], unique=False)


def _suspicions() -> None:
    op.create_table(
        "suspicions",
        sa.Column("breach_id", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("told_salt", sa.LargeBinary(), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.Column("told_by", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answer_salt", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_suspicions_answered_whole")),
        sa.CheckConstraint("(answer IS NULL) = (answered_by IS NULL)", name=op.f("ck_suspicions_answered_by_somebody")),
        sa.CheckConstraint(
            "(answer IS NULL) = (answer_salt IS NULL)", name=op.f("ck_suspicions_answered_under_a_salt")
        ),
        sa.ForeignKeyConstraint(["breach_id"], ["breaches.id"], name=op.f("fk_suspicions_breach_id")),
        sa.ForeignKeyConstraint(["notice"], ["notices.number"], name=op.f("fk_suspicions_notice")),
        sa.PrimaryKeyConstraint("breach_id", name=op.f("pk_suspicions")),
        sa.UniqueConstraint("notice", name=op.f("uq_suspicions_notice")),
        sqlite_strict=True,
    )


def _anew(table: str, changes: list[tuple[str, str]]) -> None:
    """SQLite cannot change a CHECK: the table is written anew, as it stands, with what is to be different."""
    connection = op.get_bind()
    lines = sa.text("SELECT sql FROM sqlite_master WHERE type = :type AND tbl_name = :table AND sql IS NOT NULL")
    made = str(connection.execute(lines, {"type": "table", "table": table}).scalar_one())
    beside = [
        str(each)
        for kind in ("index", "trigger")
        for each in connection.execute(lines, {"type": kind, "table": table}).scalars()
    ]
    for pattern, by in changes:
        made, found = re.subn(pattern, by, made, count=1)
        if not found:
            raise RuntimeError(f"{table} is not as it was before this revision: {pattern}")
    columns = ", ".join(each["name"] for each in sa.inspect(connection).get_columns(table))
    new = re.sub(rf'^CREATE TABLE "?{table}"?', f"CREATE TABLE {table}_new", made)
    connection.exec_driver_sql(new)
    connection.exec_driver_sql(f"INSERT INTO {table}_new ({columns}) SELECT {columns} FROM {table}")  # noqa: S608 - our own
    op.drop_table(table)
    op.rename_table(f"{table}_new", table)
    for each in beside:
        connection.exec_driver_sql(each)


def _also(table: str, column: str, *words: str) -> None:
    name = f"ck_{table}_{column}_known"
    found = op.get_bind().execute(
        sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"), {"name": name}
    )
    known = re.findall(r"'([a-z-]+)'::text", str(found.scalar_one()))
    op.drop_constraint(op.f(name), table)
    listed = ", ".join(f"'{each}'" for each in (*known, *words))
    op.create_check_constraint(op.f(name), table, f"{column} IN ({listed})")


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
