"""Section F around the certificate: evidence, requirements, amendments, notices, the CPL, deployments, reports."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_DECISIONS = "id, kind, state, application_id, approval, issue, proposal, proposal_sha256, reasons, reasons_salt, public_key, findings, urgent, proposer, proposed_at, seconder, seconded_tbs_sha256, seconded_at, closed_at, outcome"
_JOURNAL = "id, kind, at, actor, role, organisation, subject, approvals, payload, seal_number, sealed_at, link"


def upgrade() -> None:
    _applications()
    if op.get_context().dialect.name == "sqlite":
        # SQLite cannot change a CHECK: the table is written anew (store.schema keeps the foreign keys' peace).
        _decisions_anew()
        _journal_anew()
    else:
        _decisions_altered()
        _journal_altered()
    _new_tables()


def _applications() -> None:
    op.add_column("applications", sa.Column("gbcs_version", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("applications", sa.Column("contact", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("applications", sa.Column("assurance", sa.Text(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("applications", sa.Column("earlier_cpa", sa.Text(), server_default=sa.text("'null'"), nullable=False))
    op.add_column("applications", sa.Column("version", Number, server_default=sa.text("1"), nullable=False))
    op.add_column("applications", sa.Column("changed_at", Instant(), nullable=True))


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
        sa.CheckConstraint(
            "(state IN ('done', 'rejected', 'lapsed')) = (closed_at IS NOT NULL)",
            name=op.f("ck_decisions_closed_whole"),
        ),
        sa.CheckConstraint("breach IS NULL OR kind = 'revoke'", name=op.f("ck_decisions_breach_revokes")),
        sa.CheckConstraint(
            "kind IN ('grant', 'refuse', 'amend', 'refuse-amendment', 'revoke', 'withdraw', 'rekey')",
            name=op.f("ck_decisions_kind_known"),
        ),
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


def _journal_anew() -> None:
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
        sa.CheckConstraint(
            "kind IN ('authority-created', 'clock-advanced', 'organisation-added', 'access-granted', 'access-revoked', 'authority-certificate-intended', 'authority-certificate-issued', 'application-submitted', 'application-cancelled', 'decision-proposed', 'decision-rejected', 'decision-lapsed', 'decision-seconded', 'certificate-drafted', 'draft-abandoned', 'signature-intended', 'approval-granted', 'application-refused', 'certificate-issued', 'certificate-accepted', 'certificate-rejected', 'certificate-revoked', 'certificate-superseded', 'approval-revoked', 'approval-withdrawn', 'approval-expired', 'ocsp-answers-signed', 'crl-published', 'crl-refused', 'restore-accepted', 'application-changed', 'evidence-attached', 'requirement-set', 'requirement-met', 'requirement-waived', 'standing-requirement-set', 'standing-requirement-ended', 'decision-supported', 'decision-acknowledged', 'approval-amended', 'amendment-requested', 'amendment-request-withdrawn', 'amendment-refused', 'breach-suspected', 'breach-confirmed', 'breach-dismissed', 'breach-closed', 'notice-written', 'notice-fetched', 'notice-delivered', 'notice-undelivered', 'document-rendered', 'cpl-instructed', 'cpl-instruction-superseded', 'cpl-acknowledged', 'cpl-reconciled', 'ncsc-certified', 'deployments-recorded', 'report-remarked', 'report-issued', 'reminder-sent')",
            name=op.f("ck_journal_kind_known"),
        ),
        sa.CheckConstraint("(seal_number IS NULL) = (link IS NULL)", name=op.f("ck_journal_sealed_whole")),
        sa.CheckConstraint("(seal_number IS NULL) = (sealed_at IS NULL)", name=op.f("ck_journal_sealed_at_a_time")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("seal_number", name=op.f("uq_journal_seal_number")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO journal_new ({_JOURNAL}) SELECT {_JOURNAL} FROM journal")  # noqa: S608 - our own words
    op.drop_table("journal")
    op.rename_table("journal_new", "journal")
    op.create_index(op.f("ix_journal_subject"), "journal", ["subject"], unique=False)
    op.create_index(
        "ix_journal_unsealed",
        "journal",
        ["id"],
        unique=False,
        sqlite_where=sa.text("seal_number IS NULL"),
        postgresql_where=sa.text("seal_number IS NULL"),
    )


def _decisions_altered() -> None:
    op.add_column("decisions", sa.Column("officers", Number, server_default=sa.text("2"), nullable=False))
    op.add_column("decisions", sa.Column("meeting", sa.Text(), server_default=sa.text("('')"), nullable=False))
    op.add_column("decisions", sa.Column("minute", sa.Text(), server_default=sa.text("('')"), nullable=False))
    op.add_column("decisions", sa.Column("passages", sa.Text(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("decisions", sa.Column("conditions", sa.Text(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("decisions", sa.Column("amendment_request", sa.Text(), nullable=True))
    op.add_column("decisions", sa.Column("breach", sa.Text(), nullable=True))
    op.add_column("decisions", sa.Column("lapses_at", Instant(), nullable=True))
    op.add_column("decisions", sa.Column("acknowledged_by", sa.Text(), nullable=True))
    op.add_column("decisions", sa.Column("acknowledged_at", Instant(), nullable=True))
    for name in ("kind_known", "seconded_these_bytes"):
        op.drop_constraint(op.f(f"ck_decisions_{name}"), "decisions")
    op.create_check_constraint(
        op.f("ck_decisions_kind_known"),
        "decisions",
        "kind IN ('grant', 'refuse', 'amend', 'refuse-amendment', 'revoke', 'withdraw', 'rekey')",
    )
    op.create_check_constraint(op.f("ck_decisions_breach_revokes"), "decisions", "breach IS NULL OR kind = 'revoke'")
    op.create_check_constraint(
        op.f("ck_decisions_seconded_these_bytes"),
        "decisions",
        "state <> 'seconded' OR (issue IS NOT NULL AND seconded_tbs_sha256 IS NOT NULL)",
    )
    op.create_check_constraint(
        op.f("ck_decisions_acknowledged_whole"), "decisions", "(acknowledged_by IS NULL) = (acknowledged_at IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_decisions_certifying_issue"), "decisions", "kind NOT IN ('grant', 'rekey') OR issue IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_decisions_another_acknowledges"), "decisions", "acknowledged_by IS NULL OR acknowledged_by <> proposer"
    )
    op.create_check_constraint(op.f("ck_decisions_two_officers_at_least"), "decisions", "officers >= 2 OR urgent = 1")


def _journal_altered() -> None:
    op.drop_constraint(op.f("ck_journal_kind_known"), "journal")
    op.create_check_constraint(
        op.f("ck_journal_kind_known"),
        "journal",
        "kind IN ('authority-created', 'clock-advanced', 'organisation-added', 'access-granted', 'access-revoked', 'authority-certificate-intended', 'authority-certificate-issued', 'application-submitted', 'application-cancelled', 'decision-proposed', 'decision-rejected', 'decision-lapsed', 'decision-seconded', 'certificate-drafted', 'draft-abandoned', 'signature-intended', 'approval-granted', 'application-refused', 'certificate-issued', 'certificate-accepted', 'certificate-rejected', 'certificate-revoked', 'certificate-superseded', 'approval-revoked', 'approval-withdrawn', 'approval-expired', 'ocsp-answers-signed', 'crl-published', 'crl-refused', 'restore-accepted', 'application-changed', 'evidence-attached', 'requirement-set', 'requirement-met', 'requirement-waived', 'standing-requirement-set', 'standing-requirement-ended', 'decision-supported', 'decision-acknowledged', 'approval-amended', 'amendment-requested', 'amendment-request-withdrawn', 'amendment-refused', 'breach-suspected', 'breach-confirmed', 'breach-dismissed', 'breach-closed', 'notice-written', 'notice-fetched', 'notice-delivered', 'notice-undelivered', 'document-rendered', 'cpl-instructed', 'cpl-instruction-superseded', 'cpl-acknowledged', 'cpl-reconciled', 'ncsc-certified', 'deployments-recorded', 'report-remarked', 'report-issued', 'reminder-sent')",
    )


def _new_tables() -> None:
    op.create_table(
        "deployment_batches",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("lines", Number, server_default=sa.text("0"), nullable=False),
        sa.Column("recorded", Number, server_default=sa.text("0"), nullable=False),
        sa.Column("known", Number, server_default=sa.text("0"), nullable=False),
        sa.Column("refused", Number, server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("form IN ('json', 'csv', 'duis')", name=op.f("ck_deployment_batches_form_known")),
        sa.CheckConstraint("length(content_sha256) = 64", name=op.f("ck_deployment_batches_content_sha256_is_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment_batches")),
        sqlite_strict=True,
    )
    op.create_table(
        "evidence_files",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", Number, nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_evidence_files_sha256_is_sha256")),
        sa.CheckConstraint("size >= 1", name=op.f("ck_evidence_files_not_empty")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_evidence_files")),
        sqlite_strict=True,
    )
    op.create_table(
        "notice_counters",
        sa.Column("year", Number, autoincrement=False, nullable=False),
        sa.Column("last", Number, nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_notice_counters")),
        sqlite_strict=True,
    )
    op.create_table(
        "reminders",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_reminders")),
        sqlite_strict=True,
    )
    op.create_table(
        "renderings",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.CheckConstraint("form IN ('pdf', 'xlsx')", name=op.f("ck_renderings_form_known")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_renderings_sha256_is_sha256")),
        sa.PrimaryKeyConstraint("subject", "form", name=op.f("pk_renderings")),
        sqlite_strict=True,
    )
    op.create_table(
        "report_remarks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.CheckConstraint("length(month) = 7", name=op.f("ck_report_remarks_month_is_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_remarks")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_report_remarks_month"), "report_remarks", ["month"], unique=False)
    op.create_table(
        "reports",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=True),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.CheckConstraint("length(document_sha256) = 64", name=op.f("ck_reports_document_sha256_is_sha256")),
        sa.CheckConstraint("length(month) = 7", name=op.f("ck_reports_month_is_one")),
        sa.CheckConstraint("since IS NULL OR since < until", name=op.f("ck_reports_period")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_reports")),
        sa.UniqueConstraint("until", name=op.f("uq_reports_until")),
        sqlite_strict=True,
    )
    op.create_table(
        "standing_requirements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_standing_requirements_ended_whole")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_requirements")),
        sqlite_strict=True,
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", Number, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("attached_at", Instant(), nullable=False),
        sa.Column("attached_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "subject_kind IN ('application', 'breach', 'report', 'amendment-request')",
            name=op.f("ck_evidence_subject_kind_known"),
        ),
        sa.ForeignKeyConstraint(["sha256"], ["evidence_files.sha256"], name=op.f("fk_evidence_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("subject_kind", "subject", "sha256", name=op.f("uq_evidence_subject_kind_subject_sha256")),
        sqlite_strict=True,
    )
    op.create_table(
        "requirements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("standing_id", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'open') = (closed_at IS NULL)", name=op.f("ck_requirements_closed_whole")),
        sa.CheckConstraint("state = 'open' OR length(reason) > 0", name=op.f("ck_requirements_closed_for_a_reason")),
        sa.CheckConstraint("state IN ('open', 'met', 'waived')", name=op.f("ck_requirements_state_known")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_requirements_application_id")),
        sa.ForeignKeyConstraint(
            ["standing_id"], ["standing_requirements.id"], name=op.f("fk_requirements_standing_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requirements")),
        sa.UniqueConstraint("application_id", "standing_id", name=op.f("uq_requirements_application_id_standing_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_requirements_application_id"), "requirements", ["application_id"], unique=False)
    op.create_table(
        "secondings",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("tbs_sha256", sa.Text(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_secondings_decision_id")),
        sa.PrimaryKeyConstraint("decision_id", "officer", name=op.f("pk_secondings")),
        sqlite_strict=True,
    )
    op.create_table(
        "amendment_requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('granted', 'refused', 'withdrawn')) = (closed_at IS NOT NULL)",
            name=op.f("ck_amendment_requests_closed_whole"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'proposed', 'granted', 'refused', 'withdrawn')",
            name=op.f("ck_amendment_requests_state_known"),
        ),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_amendment_requests_approval")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_amendment_requests_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment_requests")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_amendment_requests_approval"), "amendment_requests", ["approval"], unique=False)
    op.create_table(
        "conditions",
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("number", Number, nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("classification", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by_decision", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "classification IN ('white', 'green', 'amber', 'red')", name=op.f("ck_conditions_classification_known")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by_decision IS NULL)", name=op.f("ck_conditions_ended_whole")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_conditions_counts_from_one")),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_conditions_approval")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_conditions_decision_id")),
        sa.ForeignKeyConstraint(["ended_by_decision"], ["decisions.id"], name=op.f("fk_conditions_ended_by_decision")),
        sa.PrimaryKeyConstraint("approval", "number", name=op.f("pk_conditions")),
        sqlite_strict=True,
    )
    op.create_table(
        "cpl_instructions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("firmware_version", sa.Text(), nullable=False),
        sa.Column("firmware_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("due", Instant(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("instructed_at", Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", Instant(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('add', 'change', 'remove', 'replace-marker')", name=op.f("ck_cpl_instructions_kind_known")
        ),
        sa.CheckConstraint(
            "state <> 'rejected' OR length(reason) > 0", name=op.f("ck_cpl_instructions_rejected_for_a_reason")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'loaded', 'rejected', 'superseded')", name=op.f("ck_cpl_instructions_state_known")
        ),
        sa.CheckConstraint(
            "state NOT IN ('loaded', 'rejected') OR acknowledged_at IS NOT NULL",
            name=op.f("ck_cpl_instructions_acknowledged_whole"),
        ),
        sa.CheckConstraint(
            "(acknowledged_at IS NULL) = (acknowledged_by IS NULL)",
            name=op.f("ck_cpl_instructions_acknowledged_by_somebody"),
        ),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_cpl_instructions_approval")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cpl_instructions")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_cpl_instructions_approval"), "cpl_instructions", ["approval"], unique=False)
    op.create_index(op.f("ix_cpl_instructions_state_due"), "cpl_instructions", ["state", "due"], unique=False)
    op.create_table(
        "deployments",
        sa.Column("id", Number, nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("firmware_version", sa.Text(), nullable=False),
        sa.Column("deployed_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("decommissioned_at", Instant(), nullable=True),
        sa.Column("decommission_recorded_at", Instant(), nullable=True),
        sa.Column("decommission_batch_id", sa.Text(), nullable=True),
        sa.Column("replaced_by", sa.Text(), nullable=True),
        sa.Column("voided_at", Instant(), nullable=True),
        sa.Column("void_batch_id", sa.Text(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(decommissioned_at IS NULL) = (decommission_recorded_at IS NULL)",
            name=op.f("ck_deployments_decommissioned_whole"),
        ),
        sa.CheckConstraint("(voided_at IS NULL) = (void_reason IS NULL)", name=op.f("ck_deployments_voided_whole")),
        sa.CheckConstraint(
            "decommissioned_at IS NULL OR decommissioned_at >= deployed_at", name=op.f("ck_deployments_deployed_first")
        ),
        sa.CheckConstraint("length(device_id) = 23", name=op.f("ck_deployments_device_id_is_eui64")),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_deployments_approval")),
        sa.ForeignKeyConstraint(["batch_id"], ["deployment_batches.id"], name=op.f("fk_deployments_batch_id")),
        sa.ForeignKeyConstraint(
            ["decommission_batch_id"], ["deployment_batches.id"], name=op.f("fk_deployments_decommission_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["void_batch_id"], ["deployment_batches.id"], name=op.f("fk_deployments_void_batch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_deployments_approval_deployed_at"), "deployments", ["approval", "deployed_at"], unique=False
    )
    op.create_index(op.f("ix_deployments_device_id"), "deployments", ["device_id"], unique=False)
    op.create_index(op.f("ix_deployments_recorded_at"), "deployments", ["recorded_at"], unique=False)
    op.create_index(
        "uq_deployments_device",
        "deployments",
        ["device_id"],
        unique=True,
        sqlite_where=sa.text("decommissioned_at IS NULL AND voided_at IS NULL"),
        postgresql_where=sa.text("decommissioned_at IS NULL AND voided_at IS NULL"),
    )
    op.create_table(
        "ncsc_certificates",
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("certified_on", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_ncsc_certificates_approval")),
        sa.PrimaryKeyConstraint("approval", name=op.f("pk_ncsc_certificates")),
        sqlite_strict=True,
    )
    op.create_table(
        "breaches",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("condition", Number, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("suspected_at", Instant(), nullable=False),
        sa.Column("suspected_by", sa.Text(), nullable=False),
        sa.Column("judged_at", Instant(), nullable=True),
        sa.Column("judged_by", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("decision_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'answered') = (decision_id IS NOT NULL)", name=op.f("ck_breaches_answered_by_revocation")
        ),
        sa.CheckConstraint("(state = 'suspected') = (judged_at IS NULL)", name=op.f("ck_breaches_judged_whole")),
        sa.CheckConstraint(
            "(state IN ('answered', 'closed')) = (closed_at IS NOT NULL)", name=op.f("ck_breaches_closed_whole")
        ),
        sa.CheckConstraint(
            "state IN ('suspected', 'confirmed', 'dismissed', 'answered', 'closed')",
            name=op.f("ck_breaches_state_known"),
        ),
        sa.CheckConstraint("(judged_at IS NULL) = (judged_by IS NULL)", name=op.f("ck_breaches_judged_by_somebody")),
        sa.ForeignKeyConstraint(
            ["approval", "condition"], ["conditions.approval", "conditions.number"], name="fk_breaches_condition"
        ),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_breaches_approval")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_breaches_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breaches")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_breaches_approval"), "breaches", ["approval"], unique=False)
    op.create_index(
        "uq_breaches_open_limit",
        "breaches",
        ["approval"],
        unique=True,
        sqlite_where=sa.text("condition IS NULL AND state IN ('suspected', 'confirmed')"),
        postgresql_where=sa.text("condition IS NULL AND state IN ('suspected', 'confirmed')"),
    )
    op.create_table(
        "notices",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=True),
        sa.Column("application_id", sa.Text(), nullable=True),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("record_salt", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('grant', 'refusal', 'amendment', 'amendment-refusal', 'revocation', 'withdrawal', 'new-key')",
            name=op.f("ck_notices_kind_known"),
        ),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_notices_application_id")),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_notices_approval")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_notices_decision_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_notices_organisation_id")),
        sa.ForeignKeyConstraint(["serial"], ["certificates.serial"], name=op.f("fk_notices_serial")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_notices")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_notices_decision_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_notices_application_id"), "notices", ["application_id"], unique=False)
    op.create_index(op.f("ix_notices_approval"), "notices", ["approval"], unique=False)
    op.create_table(
        "notice_copies",
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("classification", sa.Text(), nullable=False),
        sa.Column("withheld", Number, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("fetched_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "classification IN ('white', 'green', 'amber', 'red')", name=op.f("ck_notice_copies_classification_known")
        ),
        sa.CheckConstraint(
            "recipient IN ('manufacturer', 'dcc', 'panel')", name=op.f("ck_notice_copies_recipient_known")
        ),
        sa.CheckConstraint("length(document_sha256) = 64", name=op.f("ck_notice_copies_document_sha256_is_sha256")),
        sa.ForeignKeyConstraint(["notice"], ["notices.number"], name=op.f("fk_notice_copies_notice")),
        sa.PrimaryKeyConstraint("notice", "recipient", name=op.f("pk_notice_copies")),
        sqlite_strict=True,
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", Number, server_default=sa.text("0"), nullable=False),
        sa.Column("due", Instant(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "(state = 'delivered') = (delivered_at IS NOT NULL)", name=op.f("ck_deliveries_delivered_whole")
        ),
        sa.CheckConstraint("channel IN ('mail', 'webhook')", name=op.f("ck_deliveries_channel_known")),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'given-up')", name=op.f("ck_deliveries_state_known")),
        sa.ForeignKeyConstraint(
            ["notice", "recipient"], ["notice_copies.notice", "notice_copies.recipient"], name="fk_deliveries_copy"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "notice", "recipient", "channel", "address", name=op.f("uq_deliveries_notice_recipient_channel_address")
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_deliveries_state_due"), "deliveries", ["state", "due"], unique=False)
