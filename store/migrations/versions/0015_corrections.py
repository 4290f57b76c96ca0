"""A notice can correct another, and one that time alone brings about tells of no decision; requests lapse.

Words are added to those that a CHECK knows by now, whichever these are.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

_TELLS = "(decision_id IS NULL) = (kind = 'request-lapsed')"
_NAMES = "(corrects IS NOT NULL) = (kind = 'correction')"
_CLOSED = "(state IN ('granted', 'refused', 'withdrawn', 'lapsed')) = (closed_at IS NOT NULL)"


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()
    op.create_index(op.f("ix_notices_corrects"), "notices", ["corrects"], unique=False)


def _sqlite() -> None:
    """SQLite cannot change a CHECK: each table is written anew, as it stands, with what is to be different."""
    _anew("decisions", [_with("'correct'", column="kind")])
    _anew(
        "notices",
        [
            _with("'correction'", "'request-lapsed'", column="kind"),
            (r"decision_id TEXT NOT NULL", "decision_id TEXT"),
            (r"(\n\s*written_at [^,]*,)", r"\1\n\tcorrects TEXT,"),
            (r"(\n\s*)(CONSTRAINT pk_notices )", rf"\1CONSTRAINT ck_notices_tells_of_a_decision CHECK ({_TELLS}),\1\2"),
            (
                r"(\n\s*)(CONSTRAINT pk_notices )",
                rf"\1CONSTRAINT ck_notices_correction_names_one CHECK ({_NAMES}),\1\2",
            ),
            (
                r"(\n\s*)(CONSTRAINT pk_notices )",
                r"\1CONSTRAINT fk_notices_corrects FOREIGN KEY(corrects) REFERENCES notices (number),\1\2",
            ),
        ],
    )
    _anew(
        "amendment_requests",
        [
            _with("'lapsed'", column="state"),
            (r"\(state IN \('granted', 'refused', 'withdrawn'\)\) = \(closed_at IS NOT NULL\)", _CLOSED),
        ],
    )


def _with(*words: str, column: str) -> tuple[str, str]:
    return rf"(known CHECK \({column} IN \([^)]*)\)", rf"\1, {', '.join(words)})"


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


def _postgresql() -> None:
    op.add_column("notices", sa.Column("corrects", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_notices_corrects"), "notices", "notices", ["corrects"], ["number"])
    op.alter_column("notices", "decision_id", nullable=True)
    _also("decisions", "kind", "correct")
    _also("notices", "kind", "correction", "request-lapsed")
    _also("amendment_requests", "state", "lapsed")
    op.create_check_constraint(op.f("ck_notices_tells_of_a_decision"), "notices", _TELLS)
    op.create_check_constraint(op.f("ck_notices_correction_names_one"), "notices", _NAMES)
    op.drop_constraint(op.f("ck_amendment_requests_closed_whole"), "amendment_requests")
    op.create_check_constraint(op.f("ck_amendment_requests_closed_whole"), "amendment_requests", _CLOSED)


def _also(table: str, column: str, *words: str) -> None:
    name = f"ck_{table}_{column}_known"
    found = op.get_bind().execute(
        sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"), {"name": name}
    )
    known = re.findall(r"'([a-z-]+)'::text", str(found.scalar_one()))
    op.drop_constraint(op.f(name), table)
    listed = ", ".join(f"'{each}'" for each in (*known, *words))
    op.create_check_constraint(op.f(name), table, f"{column} IN ({listed})")
