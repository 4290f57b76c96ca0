"""The limit is compared at each change of it; what was reported of devices can be taken back, ends too."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "limit_comparisons",
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("issue", Number, nullable=False),
        sa.Column("compared_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_limit_comparisons_approval")),
        sa.PrimaryKeyConstraint("approval", "issue", name=op.f("pk_limit_comparisons")),
        sqlite_strict=True,
    )
    op.create_table(
        "undone_ends",
        sa.Column("deployment_id", Number, nullable=False),
        sa.Column("decommissioned_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("replaced_by", sa.Text(), nullable=True),
        sa.Column("undone_at", Instant(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployments.id"], name=op.f("fk_undone_ends_deployment_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["deployment_batches.id"], name=op.f("fk_undone_ends_batch_id")),
        sa.PrimaryKeyConstraint("deployment_id", "decommissioned_at", "reason", name=op.f("pk_undone_ends")),
        sqlite_strict=True,
    )
    op.create_table(
        "report_questions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "month IS NULL OR (length(month) = 7 AND ended_at IS NULL)",
            name=op.f("ck_report_questions_single_or_standing"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_questions")),
        sqlite_strict=True,
    )
    op.create_table(
        "report_answers",
        sa.Column("question_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.CheckConstraint("length(month) = 7", name=op.f("ck_report_answers_month_is_one")),
        sa.ForeignKeyConstraint(["question_id"], ["report_questions.id"], name=op.f("fk_report_answers_question_id")),
        sa.PrimaryKeyConstraint("question_id", "month", name=op.f("pk_report_answers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_undone_ends_undone_at"), "undone_ends", ["undone_at"], unique=False)
    standing = sa.text("decommissioned_at IS NULL AND voided_at IS NULL")
    op.create_index(
        "ix_deployments_standing",
        "deployments",
        ["approval"],
        unique=False,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.add_column("breaches", sa.Column("kept_at", Instant()))
