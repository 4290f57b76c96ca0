"""Many approvals are revoked by one act, carried out in portions; each has a notice of its own of the same decision."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_NOTICES = (
    "number, kind, decision_id, approval, application_id, organisation_id, serial, corrects, record, record_salt, "
    "written_at"
)

_KINDS = (
    "kind IN ('grant', 'refusal', 'amendment', 'amendment-refusal', 'revocation', 'withdrawal', 'new-key', 'correction', "
    "'request-lapsed', 'end-request-lapsed', 'end-request-answered', 'suspicion')"
)


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        # SQLite cannot take a constraint away: the table is written anew (store.schema keeps the foreign keys' peace).
        _notices_anew()
    else:
        op.drop_constraint(op.f("uq_notices_decision_id"), "notices")
    op.create_index("uq_notices_told_of_approval", "notices", ["decision_id", "approval"], unique=True)
    alone = sa.text("approval IS NULL")
    op.create_index(
        "uq_notices_told", "notices", ["decision_id"], unique=True, sqlite_where=alone, postgresql_where=alone
    )
    op.create_table(
        "revocations",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("total", Number, nullable=False),
        sa.Column("done", Number, server_default=sa.text("0"), nullable=False),
        sa.Column("already_ended", Number, server_default=sa.text("0"), nullable=False),
        sa.Column("told", Number, server_default=sa.text("0"), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant()),
        sa.CheckConstraint("0 <= told AND told <= done AND done <= total", name=op.f("ck_revocations_in_order")),
        sa.CheckConstraint("already_ended <= done", name=op.f("ck_revocations_already_ended_are_done")),
        sa.CheckConstraint("finished_at IS NULL OR told = total", name=op.f("ck_revocations_finished_whole")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_revocations_decision_id")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_revocations")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_revocations_finished_at"), "revocations", ["finished_at"])
    op.create_table(
        "revocation_outcomes",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("ended_at", Instant()),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["revocations.decision_id"], name=op.f("fk_revocation_outcomes_decision_id")
        ),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_revocation_outcomes_approval")),
        sa.PrimaryKeyConstraint("decision_id", "approval", name=op.f("pk_revocation_outcomes")),
        sqlite_strict=True,
    )


def _notices_anew() -> None:
    op.create_table(
        "notices_new",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text()),
        sa.Column("approval", sa.Text()),
        sa.Column("application_id", sa.Text()),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text()),
        sa.Column("corrects", sa.Text()),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("record_salt", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "(decision_id IS NULL) = "
            "(kind IN ('request-lapsed', 'end-request-lapsed', 'end-request-answered', 'suspicion'))",
            name=op.f("ck_notices_tells_of_a_decision"),
        ),
        sa.CheckConstraint(
            "(corrects IS NOT NULL) = (kind = 'correction')", name=op.f("ck_notices_correction_names_one")
        ),
        sa.CheckConstraint(_KINDS, name=op.f("ck_notices_kind_known")),
        sa.ForeignKeyConstraint(["corrects"], ["notices.number"], name=op.f("fk_notices_corrects")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_notices_application_id")),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_notices_approval")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_notices_decision_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_notices_organisation_id")),
        sa.ForeignKeyConstraint(["serial"], ["certificates.serial"], name=op.f("fk_notices_serial")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_notices")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO notices_new ({_NOTICES}) SELECT {_NOTICES} FROM notices")  # noqa: S608 - our own words
    op.drop_table("notices")
    op.rename_table("notices_new", "notices")
    for column in ("approval", "application_id", "corrects"):
        op.create_index(op.f(f"ix_notices_{column}"), "notices", [column])
