"""Changes that wait can be withdrawn: a kind of decision, and why a certificate ended before it began."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('grant', 'refuse', 'amend', 'refuse-amendment', 'revoke', 'withdraw', 'rekey', 'withdraw-waiting')"
_CAUSES = "cause IN ('ssc', 'breach', 'key-compromise', 'manufacturer', 'change-withdrawn')"
_DECISIONS = (
    "id, kind, state, application_id, approval, issue, proposal, proposal_sha256, reasons, reasons_salt, "
    "public_key, findings, urgent, proposer, proposed_at, seconder, seconded_tbs_sha256, seconded_at, "
    "closed_at, outcome, officers, meeting, minute, passages, conditions, amendment_request, breach, "
    "lapses_at, acknowledged_by, acknowledged_at, authorised_at"
)
_CERTIFICATES = (
    "serial, approval, issue, der, fingerprint, public_key_sha256, not_before, not_after, signed_at, "
    "revoked_at, cause, invalidity_date, superseded_at, ends_at, fate, presign_due, listed_in, final_at"
)


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        # SQLite cannot change a CHECK: the tables are written anew (store.schema keeps the foreign keys' peace).
        _decisions_anew()
        _certificates_anew()
        return
    op.drop_constraint(op.f("ck_decisions_kind_known"), "decisions")
    op.create_check_constraint(op.f("ck_decisions_kind_known"), "decisions", _KINDS)
    op.drop_constraint(op.f("ck_certificates_cause_known"), "certificates")
    op.create_check_constraint(op.f("ck_certificates_cause_known"), "certificates", _CAUSES)


def _decisions_anew() -> None:
    op.create_table(
        "decisions_new",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=True),
        sa.Column("approval", sa.Text(), nullable=True),
        sa.Column("issue", Number, nullable=True),
        sa.Column("proposal", sa.Text(), nullable=False),
        sa.Column("proposal_sha256", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("reasons_salt", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("urgent", Number, server_default=sa.text("0"), nullable=False),
        sa.Column("proposer", sa.Text(), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("seconder", sa.Text(), nullable=True),
        sa.Column("seconded_tbs_sha256", sa.Text(), nullable=True),
        sa.Column("seconded_at", Instant(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("officers", Number, server_default=sa.text("2"), nullable=False),
        sa.Column("meeting", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("minute", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("passages", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("conditions", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("amendment_request", sa.Text(), nullable=True),
        sa.Column("breach", sa.Text(), nullable=True),
        sa.Column("lapses_at", Instant(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", Instant(), nullable=True),
        sa.Column("authorised_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('done', 'rejected', 'lapsed')) = (closed_at IS NOT NULL)",
            name=op.f("ck_decisions_closed_whole"),
        ),
        sa.CheckConstraint("breach IS NULL OR kind = 'revoke'", name=op.f("ck_decisions_breach_revokes")),
        sa.CheckConstraint(_KINDS, name=op.f("ck_decisions_kind_known")),
        sa.CheckConstraint(
            "kind NOT IN ('grant', 'rekey') OR issue IS NOT NULL", name=op.f("ck_decisions_certifying_issue")
        ),
        sa.CheckConstraint(
            "state <> 'seconded' OR (issue IS NOT NULL AND seconded_tbs_sha256 IS NOT NULL)",
            name=op.f("ck_decisions_seconded_these_bytes"),
        ),
        sa.CheckConstraint(
            "state IN ('proposed', 'drafted', 'seconded', 'done', 'rejected', 'lapsed')",
            name=op.f("ck_decisions_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('seconded', 'done') OR seconder IS NOT NULL OR urgent = 1",
            name=op.f("ck_decisions_done_by_two"),
        ),
        sa.CheckConstraint(
            "urgent = 0 OR (urgent = 1 AND kind = 'revoke')", name=op.f("ck_decisions_urgent_revocation")
        ),
        sa.CheckConstraint(
            "(acknowledged_by IS NULL) = (acknowledged_at IS NULL)", name=op.f("ck_decisions_acknowledged_whole")
        ),
        sa.CheckConstraint("(seconder IS NULL) = (seconded_at IS NULL)", name=op.f("ck_decisions_seconded_whole")),
        sa.CheckConstraint(
            "acknowledged_by IS NULL OR acknowledged_by <> proposer", name=op.f("ck_decisions_another_acknowledges")
        ),
        sa.CheckConstraint("length(proposal_sha256) = 64", name=op.f("ck_decisions_proposal_sha256_is_sha256")),
        sa.CheckConstraint("officers >= 2 OR urgent = 1", name=op.f("ck_decisions_two_officers_at_least")),
        sa.CheckConstraint("seconder IS NULL OR seconder <> proposer", name=op.f("ck_decisions_two_people")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_decisions_application_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO decisions_new ({_DECISIONS}) SELECT {_DECISIONS} FROM decisions")  # noqa: S608 - our own words
    op.drop_table("decisions")
    op.rename_table("decisions_new", "decisions")
    op.create_index(op.f("ix_decisions_closed_at"), "decisions", ["closed_at"], unique=False)
    op.create_index(op.f("ix_decisions_approval"), "decisions", ["approval"], unique=False)
    op.create_index(op.f("ix_decisions_state"), "decisions", ["state"], unique=False)
    op.create_index(
        "uq_decisions_open_application",
        "decisions",
        ["application_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('proposed', 'drafted')"),
        postgresql_where=sa.text("state IN ('proposed', 'drafted')"),
    )
    op.create_index(
        "uq_decisions_open_issue",
        "decisions",
        ["approval", "issue"],
        unique=True,
        sqlite_where=sa.text("issue IS NOT NULL AND state IN ('proposed', 'drafted', 'seconded', 'done')"),
        postgresql_where=sa.text("issue IS NOT NULL AND state IN ('proposed', 'drafted', 'seconded', 'done')"),
    )


def _certificates_anew() -> None:
    op.create_table(
        "certificates_new",
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("issue", Number, nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("public_key_sha256", sa.Text(), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.Column("not_after", Instant(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("invalidity_date", Instant(), nullable=True),
        sa.Column("superseded_at", Instant(), nullable=True),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("fate", Number, server_default=sa.text("0"), nullable=False),
        sa.Column("presign_due", Instant(), nullable=False),
        sa.Column("listed_in", Number, nullable=True),
        sa.Column("final_at", Instant(), nullable=True),
        sa.CheckConstraint(_CAUSES, name=op.f("ck_certificates_cause_known")),
        sa.CheckConstraint(
            "invalidity_date IS NULL OR cause = 'key-compromise'", name=op.f("ck_certificates_invalidity_of_key")
        ),
        sa.CheckConstraint("(revoked_at IS NULL) = (cause IS NULL)", name=op.f("ck_certificates_revoked_whole")),
        sa.CheckConstraint("ends_at <= not_after + 1", name=op.f("ck_certificates_expiry_ends")),
        sa.CheckConstraint(
            "ends_at IN (not_after + 1, coalesce(revoked_at, not_after + 1), coalesce(superseded_at, not_after + 1))",
            name=op.f("ck_certificates_ends_for_a_reason"),
        ),
        sa.CheckConstraint("length(fingerprint) = 64", name=op.f("ck_certificates_fingerprint_is_sha256")),
        sa.CheckConstraint("revoked_at IS NULL OR ends_at <= revoked_at", name=op.f("ck_certificates_revocation_ends")),
        sa.CheckConstraint(
            "superseded_at IS NULL OR ends_at <= superseded_at", name=op.f("ck_certificates_supersession_ends")
        ),
        sa.ForeignKeyConstraint(
            ["approval", "issue", "not_before", "not_after"],
            ["terms.approval", "terms.issue", "terms.effective", "terms.expiry"],
            name="fk_certificates_terms",
        ),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_certificates_approval")),
        sa.ForeignKeyConstraint(
            ["public_key_sha256", "approval"],
            ["public_keys.sha256", "public_keys.approval"],
            name="fk_certificates_key",
        ),
        sa.ForeignKeyConstraint(
            ["serial", "approval", "issue", "not_before", "not_after"],
            ["drafts.serial", "drafts.approval", "drafts.issue", "drafts.not_before", "drafts.not_after"],
            name="fk_certificates_draft",
        ),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_certificates")),
        sa.UniqueConstraint("approval", "issue", name=op.f("uq_certificates_approval_issue")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_certificates_fingerprint")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO certificates_new ({_CERTIFICATES}) SELECT {_CERTIFICATES} FROM certificates")  # noqa: S608 - our own words
    op.drop_table("certificates")
    op.rename_table("certificates_new", "certificates")
    op.create_index(op.f("ix_certificates_presign_due"), "certificates", ["presign_due"], unique=False)
    op.create_index("ix_certificates_unlisted", "certificates", ["listed_in", "ends_at"], unique=False)
