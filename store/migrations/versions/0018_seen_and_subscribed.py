"""For whom a file was attached and from whom it is kept; from whom a reason is; addresses that calendars subscribe to."""

import re

import sqlalchemy as sa
from alembic import op

from core.canonical import read_json
from store.types import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_CLASSES = "IN ('white', 'green', 'amber', 'red')"
_PARTY = "party IN ('ssc', 'manufacturer', 'dcc', 'panel')"
_UNIQUE = ("subject_kind", "subject", "sha256")
_REASONED = "(reason IS NULL) = (reason_class IS NULL)"


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()
    op.create_table(
        "calendar_addresses",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=True),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "role IN ('ssc-officer', 'ssc-admin', 'manufacturer', 'dcc', 'panel', 'auditor', 'monitor')",
            name=op.f("ck_calendar_addresses_role_known"),
        ),
        sa.CheckConstraint("length(secret_sha256) = 64", name=op.f("ck_calendar_addresses_secret_sha256_is_sha256")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_calendar_addresses_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_addresses")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_calendar_addresses_secret_sha256")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_calendar_addresses_owner"), "calendar_addresses", ["owner"], unique=False)


def _filled() -> None:
    """Say of what is there for whom it was attached, as the journal does, and keep what the SSC has said for itself."""
    connection = op.get_bind()
    facts = sa.text("SELECT payload FROM journal WHERE kind = 'evidence-attached' AND role = 'manufacturer'")
    theirs = [{"id": read_json(payload)["evidence"]} for payload in connection.execute(facts).scalars()]
    op.execute("UPDATE evidence SET party = 'dcc' WHERE subject_kind = 'report'")
    op.execute("UPDATE evidence SET party = 'manufacturer' WHERE subject_kind = 'amendment-request'")
    if theirs:
        connection.execute(sa.text("UPDATE evidence SET party = 'manufacturer' WHERE id = :id"), theirs)
    op.execute("UPDATE evidence SET classification = 'amber' WHERE party <> 'ssc'")
    op.execute("UPDATE requirements SET reason_class = 'red' WHERE state = 'waived'")
    op.execute("UPDATE requirements SET reason_class = 'amber' WHERE state = 'met'")


def _postgresql() -> None:
    op.add_column("evidence", sa.Column("party", sa.Text(), nullable=False, server_default="ssc"))
    op.add_column("evidence", sa.Column("classification", sa.Text(), nullable=False, server_default="red"))
    op.add_column("requirements", sa.Column("reason_class", sa.Text(), nullable=True))
    _filled()
    op.alter_column("evidence", "party", server_default=None)
    op.alter_column("evidence", "classification", server_default=None)
    op.create_check_constraint(op.f("ck_evidence_party_known"), "evidence", _PARTY)
    op.create_check_constraint(op.f("ck_evidence_classification_known"), "evidence", f"classification {_CLASSES}")
    op.create_check_constraint(op.f("ck_requirements_reason_class_known"), "requirements", f"reason_class {_CLASSES}")
    op.create_check_constraint(op.f("ck_requirements_reason_has_a_class"), "requirements", _REASONED)
    op.drop_constraint(op.f("uq_evidence_subject_kind_subject_sha256"), "evidence")
    name = op.f("uq_evidence_subject_kind_subject_sha256_party")
    op.create_unique_constraint(name, "evidence", [*_UNIQUE, "party"])


def _sqlite() -> None:
    """SQLite cannot change a CHECK: each table is written anew, as it stands, with what is to be different."""
    op.add_column("evidence", sa.Column("party", sa.Text(), nullable=False, server_default="ssc"))
    op.add_column("evidence", sa.Column("classification", sa.Text(), nullable=False, server_default="red"))
    op.add_column("requirements", sa.Column("reason_class", sa.Text(), nullable=True))
    _filled()
    named = r"(\n\s*)(CONSTRAINT pk_{0} )"
    _anew(
        "evidence",
        [
            (r"party TEXT DEFAULT 'ssc' NOT NULL", "party TEXT NOT NULL"),
            (r"classification TEXT DEFAULT 'red' NOT NULL", "classification TEXT NOT NULL"),
            (
                r"CONSTRAINT uq_evidence_subject_kind_subject_sha256 UNIQUE \(subject_kind, subject, sha256\)",
                "CONSTRAINT uq_evidence_subject_kind_subject_sha256_party UNIQUE (subject_kind, subject, sha256, party)",
            ),
            (named.format("evidence"), rf"\1CONSTRAINT ck_evidence_party_known CHECK ({_PARTY}),\1\2"),
            (
                named.format("evidence"),
                rf"\1CONSTRAINT ck_evidence_classification_known CHECK (classification {_CLASSES}),\1\2",
            ),
        ],
    )
    _anew(
        "requirements",
        [
            (
                named.format("requirements"),
                rf"\1CONSTRAINT ck_requirements_reason_class_known CHECK (reason_class {_CLASSES}),\1\2",
            ),
            (
                named.format("requirements"),
                rf"\1CONSTRAINT ck_requirements_reason_has_a_class CHECK ({_REASONED}),\1\2",
            ),
        ],
    )


def _anew(table: str, changes: list[tuple[str, str]]) -> None:
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
