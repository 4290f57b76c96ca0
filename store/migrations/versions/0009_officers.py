"""What officers sign: authorisations, orders, the roster; facts that are refused; and no CHECK on kinds of facts.

Kinds of facts come with nearly every revision, and the journal is the largest table: the CHECK had it written anew each
time, and kept out nobody who could switch it off.
"""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ACTS = (
    "'propose', 'second', 'reject', 'revoke', 'confirm-breach', 'stop-issuing', 'start-issuing', 'change-roster', "
    "'accept-restore'"
)
_COLUMNS = "id, kind, at, actor, role, organisation, subject, approvals, payload, seal_number, sealed_at, link"
_WAITS = "seal_number IS NULL AND refused IS NULL"
_REFUSED = "refused IS NOT NULL"
_EITHER = "refused IS NULL OR seal_number IS NULL"


def upgrade() -> None:
    op.create_table(
        "authorisations",
        sa.Column("statement_sha256", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("members", sa.Text(), nullable=True),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.CheckConstraint(f"act IN ({_ACTS})", name=op.f("ck_authorisations_act_known")),
        sa.CheckConstraint("length(statement_sha256) = 64", name=op.f("ck_authorisations_statement_sha256_is_sha256")),
        sa.PrimaryKeyConstraint("statement_sha256", name=op.f("pk_authorisations")),
        sqlite_strict=True,
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("proposer", sa.Text(), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("lapses_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('stop-issuing', 'start-issuing', 'change-roster')", name=op.f("ck_orders_kind_known")
        ),
        sa.CheckConstraint("state IN ('open', 'done', 'lapsed', 'refused')", name=op.f("ck_orders_state_known")),
        sa.CheckConstraint("length(body_sha256) = 64", name=op.f("ck_orders_body_sha256_is_sha256")),
        sa.CheckConstraint(
            "(state IN ('done', 'lapsed', 'refused')) = (closed_at IS NOT NULL)",
            name=op.f("ck_orders_closed_at_a_time"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_orders_state"), "orders", ["state"], unique=False)
    op.create_table(
        "order_authorisations",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("statement_sha256", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_authorisations_order_id")),
        sa.ForeignKeyConstraint(
            ["statement_sha256"],
            ["authorisations.statement_sha256"],
            name=op.f("fk_order_authorisations_statement_sha256"),
        ),
        sa.PrimaryKeyConstraint("order_id", "officer", name=op.f("pk_order_authorisations")),
        sqlite_strict=True,
    )
    op.create_table(
        "rosters",
        sa.Column("number", Number, autoincrement=False, nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("effective_at", Instant(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_rosters")),
        sqlite_strict=True,
    )
    op.add_column("decisions", sa.Column("authorised_at", Instant(), nullable=True))
    if op.get_context().dialect.name == "sqlite":
        _journal_anew()
    else:
        op.drop_constraint(op.f("ck_journal_kind_known"), "journal")
        op.add_column("journal", sa.Column("refused", sa.Text(), nullable=True))
        op.create_check_constraint(op.f("ck_journal_sealed_or_refused"), "journal", _EITHER)
        op.drop_index("ix_journal_unsealed", "journal")
        op.create_index("ix_journal_unsealed", "journal", ["id"], unique=False, postgresql_where=sa.text(_WAITS))
        op.create_index("ix_journal_refused", "journal", ["subject"], unique=False, postgresql_where=sa.text(_REFUSED))


def _journal_anew() -> None:
    """SQLite cannot drop a CHECK: the table is written anew."""
    op.create_table(
        "journal_new",
        sa.Column("id", Number, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("approvals", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("seal_number", Number, nullable=True),
        sa.Column("sealed_at", Instant(), nullable=True),
        sa.Column("link", sa.LargeBinary(), nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.CheckConstraint("(seal_number IS NULL) = (link IS NULL)", name=op.f("ck_journal_sealed_whole")),
        sa.CheckConstraint("(seal_number IS NULL) = (sealed_at IS NULL)", name=op.f("ck_journal_sealed_at_a_time")),
        sa.CheckConstraint(_EITHER, name=op.f("ck_journal_sealed_or_refused")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("seal_number", name=op.f("uq_journal_seal_number")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO journal_new ({_COLUMNS}) SELECT {_COLUMNS} FROM journal")  # noqa: S608 - our own words
    op.drop_table("journal")
    op.rename_table("journal_new", "journal")
    op.create_index(op.f("ix_journal_subject"), "journal", ["subject"], unique=False)
    op.create_index(op.f("ix_journal_actor_at"), "journal", ["actor", "at"], unique=False)
    op.create_index("ix_journal_unsealed", "journal", ["id"], unique=False, sqlite_where=sa.text(_WAITS))
    op.create_index("ix_journal_refused", "journal", ["subject"], unique=False, sqlite_where=sa.text(_REFUSED))
