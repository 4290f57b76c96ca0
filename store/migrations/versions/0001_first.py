"""The first revision: every table of the register."""

import sqlalchemy as sa
from alembic import op

from store.overlap import CREATE
from store.types import Instant, Number

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approval_counters",
        sa.Column("year", Number, autoincrement=False, nullable=False),
        sa.Column("last", Number, nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_approval_counters")),
        sqlite_strict=True,
    )
    op.create_table(
        "authority",
        sa.Column("id", Number, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("arc", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("clock_offset", Number, server_default=sa.text("0"), nullable=False),
        sa.Column("journal_key", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "environment = 'live' OR substr(name, 1, 4) = 'TEST'", name=op.f("ck_authority_test_says_test")
        ),
        sa.CheckConstraint(
            "environment = 'test' OR clock_offset = 0", name=op.f("ck_authority_live_clock_is_the_clock")
        ),
        sa.CheckConstraint("environment IN ('test', 'live')", name=op.f("ck_authority_environment_known")),
        sa.CheckConstraint("clock_offset >= 0", name=op.f("ck_authority_clock_never_behind")),
        sa.CheckConstraint("id = 1", name=op.f("ck_authority_one_authority")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority")),
        sqlite_strict=True,
    )
    op.create_table(
        "authority_certificates",
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
        sa.CheckConstraint(
            "role IN ('root', 'issuing', 'responder')", name=op.f("ck_authority_certificates_role_known")
        ),
        sa.CheckConstraint("(der IS NULL) = (issued_at IS NULL)", name=op.f("ck_authority_certificates_issued_whole")),
        sa.CheckConstraint("length(tbs_sha256) = 64", name=op.f("ck_authority_certificates_tbs_sha256_is_sha256")),
        sa.CheckConstraint("not_before < not_after", name=op.f("ck_authority_certificates_validity")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_authority_certificates")),
        sqlite_strict=True,
    )
    op.create_table(
        "crls",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("number", Number, nullable=False),
        sa.Column("this_update", Instant(), nullable=False),
        sa.Column("next_update", Instant(), nullable=False),
        sa.Column("entries", Number, nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_crls_number_positive")),
        sa.CheckConstraint("this_update < next_update", name=op.f("ck_crls_validity")),
        sa.PrimaryKeyConstraint("key_id", "number", name=op.f("pk_crls")),
        sqlite_strict=True,
    )
    op.create_table(
        "cursors",
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("number", Number, nullable=False),
        sa.PrimaryKeyConstraint("reader", name=op.f("pk_cursors")),
        sqlite_strict=True,
    )
    op.create_table(
        "idempotency",
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint("length(request_sha256) = 64", name=op.f("ck_idempotency_request_sha256_is_sha256")),
        sa.PrimaryKeyConstraint("credential", "key", name=op.f("pk_idempotency")),
        sqlite_strict=True,
    )
    op.create_table(
        "journal",
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
            "kind IN ('authority-created', 'clock-advanced', 'organisation-added', 'access-granted', 'access-revoked', 'authority-certificate-intended', 'authority-certificate-issued', 'application-submitted', 'application-cancelled', 'decision-proposed', 'decision-rejected', 'decision-lapsed', 'decision-seconded', 'certificate-drafted', 'draft-abandoned', 'signature-intended', 'approval-granted', 'application-refused', 'certificate-issued', 'certificate-accepted', 'certificate-rejected', 'certificate-revoked', 'certificate-superseded', 'approval-revoked', 'approval-withdrawn', 'approval-expired', 'ocsp-answers-signed', 'crl-published', 'crl-refused', 'restore-accepted')",
            name=op.f("ck_journal_kind_known"),
        ),
        sa.CheckConstraint("(seal_number IS NULL) = (link IS NULL)", name=op.f("ck_journal_sealed_whole")),
        sa.CheckConstraint("(seal_number IS NULL) = (sealed_at IS NULL)", name=op.f("ck_journal_sealed_at_a_time")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("seal_number", name=op.f("uq_journal_seal_number")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_journal_subject"), "journal", ["subject"], unique=False)
    op.create_index(
        "ix_journal_unsealed",
        "journal",
        ["id"],
        unique=False,
        sqlite_where=sa.text("seal_number IS NULL"),
        postgresql_where=sa.text("seal_number IS NULL"),
    )
    op.create_table(
        "journal_heads",
        sa.Column("number", Number, autoincrement=False, nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_journal_heads")),
        sqlite_strict=True,
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", Number, nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
        sqlite_strict=True,
    )
    op.create_table(
        "organisations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("certificate_name", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "certificate_name IS NULL OR length(certificate_name) BETWEEN 1 AND 64",
            name=op.f("ck_organisations_fits_x520"),
        ),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_organisations_name_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("name", name=op.f("uq_organisations_name")),
        sqlite_strict=True,
    )
    op.create_table(
        "public_keys",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.CheckConstraint(
            "state IN ('reserved', 'certified', 'compromised')", name=op.f("ck_public_keys_state_known")
        ),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_public_keys_sha256_is_sha256")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_public_keys")),
        sa.UniqueConstraint("sha256", "approval", name=op.f("uq_public_keys_sha256_approval")),
        sqlite_strict=True,
    )
    op.create_table(
        "applications",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("device_type", sa.Text(), nullable=False),
        sa.Column("manufacturer", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("hardware_version", sa.Text(), nullable=False),
        sa.Column("device_key", sa.Text(), nullable=False),
        sa.Column("smets_version", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("start", Instant(), nullable=False),
        sa.Column("expiry", Instant(), nullable=False),
        sa.Column("maximum_devices", Number, nullable=False),
        sa.Column("firmware", sa.Text(), nullable=False),
        sa.Column("csr", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("public_key_sha256", sa.Text(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=False),
        sa.Column("submitted_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('submitted', 'proposed', 'granted', 'refused', 'cancelled')",
            name=op.f("ck_applications_state_known"),
        ),
        sa.CheckConstraint("length(public_key_sha256) = 64", name=op.f("ck_applications_public_key_sha256_is_sha256")),
        sa.CheckConstraint("maximum_devices >= 1", name=op.f("ck_applications_limit")),
        sa.CheckConstraint("start < expiry", name=op.f("ck_applications_dates")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_applications_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_applications_organisation_id"), "applications", ["organisation_id"], unique=False)
    op.create_table(
        "credentials",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key_sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "role <> 'manufacturer' OR organisation_id IS NOT NULL",
            name=op.f("ck_credentials_manufacturer_has_organisation"),
        ),
        sa.CheckConstraint(
            "role IN ('ssc-officer', 'ssc-admin', 'manufacturer', 'dcc', 'panel', 'auditor')",
            name=op.f("ck_credentials_role_known"),
        ),
        sa.CheckConstraint("created_at < expires_at", name=op.f("ck_credentials_expires")),
        sa.CheckConstraint("length(key_sha256) = 64", name=op.f("ck_credentials_key_sha256_is_sha256")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_credentials_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("key_sha256", name=op.f("uq_credentials_key_sha256")),
        sqlite_strict=True,
    )
    op.create_table(
        "decisions",
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
        sa.CheckConstraint(
            "(state IN ('done', 'rejected', 'lapsed')) = (closed_at IS NOT NULL)",
            name=op.f("ck_decisions_closed_whole"),
        ),
        sa.CheckConstraint(
            "kind IN ('grant', 'refuse', 'revoke', 'withdraw', 'rekey')", name=op.f("ck_decisions_kind_known")
        ),
        sa.CheckConstraint(
            "state <> 'seconded' OR kind NOT IN ('grant', 'rekey') OR seconded_tbs_sha256 IS NOT NULL",
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
        sa.CheckConstraint("(seconder IS NULL) = (seconded_at IS NULL)", name=op.f("ck_decisions_seconded_whole")),
        sa.CheckConstraint("length(proposal_sha256) = 64", name=op.f("ck_decisions_proposal_sha256_is_sha256")),
        sa.CheckConstraint("seconder IS NULL OR seconder <> proposer", name=op.f("ck_decisions_two_people")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_decisions_application_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sqlite_strict=True,
    )
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
    op.create_table(
        "approvals",
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("device_type", sa.Text(), nullable=False),
        sa.Column("manufacturer", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("hardware_version", sa.Text(), nullable=False),
        sa.Column("device_key", sa.Text(), nullable=False),
        sa.Column("granted_at", Instant(), nullable=False),
        sa.Column("start", Instant(), nullable=False),
        sa.Column("expiry", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("end_cause", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("expiry_recorded_at", Instant(), nullable=True),
        sa.CheckConstraint("end_cause IN ('ssc', 'breach', 'manufacturer')", name=op.f("ck_approvals_end_cause_known")),
        sa.CheckConstraint("(ended_at IS NULL) = (end_cause IS NULL)", name=op.f("ck_approvals_ended_whole")),
        sa.CheckConstraint("ended_at IS NULL OR ended_at <= expiry", name=op.f("ck_approvals_first_end_wins")),
        sa.CheckConstraint("start < expiry", name=op.f("ck_approvals_dates")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_approvals_application_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_approvals_decision_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_approvals_organisation_id")),
        sa.PrimaryKeyConstraint("identifier", name=op.f("pk_approvals")),
        sa.UniqueConstraint("application_id", name=op.f("uq_approvals_application_id")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_approvals_decision_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_approvals_device_key"), "approvals", ["device_key"], unique=False)
    op.create_index(op.f("ix_approvals_organisation_id"), "approvals", ["organisation_id"], unique=False)
    op.create_table(
        "drafts",
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("issue", Number, nullable=False),
        sa.Column("issuer_serial", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tbs", sa.LargeBinary(), nullable=False),
        sa.Column("tbs_sha256", sa.Text(), nullable=False),
        sa.Column("preview", sa.LargeBinary(), nullable=False),
        sa.Column("lint", sa.Text(), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.Column("not_after", Instant(), nullable=False),
        sa.Column("public_key_sha256", sa.Text(), nullable=False),
        sa.Column("drafted_at", Instant(), nullable=False),
        sa.Column("claimed_at", Instant(), nullable=True),
        sa.Column("claimed_epoch", Number, nullable=True),
        sa.CheckConstraint(
            "state IN ('drafted', 'claimed', 'signed', 'abandoned')", name=op.f("ck_drafts_state_known")
        ),
        sa.CheckConstraint(
            "state NOT IN ('claimed', 'signed') OR claimed_at IS NOT NULL", name=op.f("ck_drafts_claimed_first")
        ),
        sa.CheckConstraint("length(tbs_sha256) = 64", name=op.f("ck_drafts_tbs_sha256_is_sha256")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_drafts_decision_id")),
        sa.ForeignKeyConstraint(
            ["issuer_serial"], ["authority_certificates.serial"], name=op.f("fk_drafts_issuer_serial")
        ),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_drafts")),
        sa.UniqueConstraint(
            "serial",
            "approval",
            "issue",
            "not_before",
            "not_after",
            name=op.f("uq_drafts_serial_approval_issue_not_before_not_after"),
        ),
        sa.UniqueConstraint("tbs_sha256", name=op.f("uq_drafts_tbs_sha256")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_drafts_decision_id"), "drafts", ["decision_id"], unique=False)
    op.create_index(op.f("ix_drafts_state"), "drafts", ["state"], unique=False)
    op.create_index(
        "uq_drafts_living_issue",
        "drafts",
        ["approval", "issue"],
        unique=True,
        sqlite_where=sa.text("state <> 'abandoned'"),
        postgresql_where=sa.text("state <> 'abandoned'"),
    )
    op.create_table(
        "terms",
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("issue", Number, nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("effective", Instant(), nullable=False),
        sa.Column("expiry", Instant(), nullable=False),
        sa.Column("maximum_devices", Number, nullable=False),
        sa.Column("firmware", sa.Text(), nullable=False),
        sa.CheckConstraint("effective < expiry", name=op.f("ck_terms_validity")),
        sa.CheckConstraint("issue >= 1", name=op.f("ck_terms_issue_counts_from_one")),
        sa.CheckConstraint("maximum_devices >= 1", name=op.f("ck_terms_limit")),
        sa.ForeignKeyConstraint(["approval"], ["approvals.identifier"], name=op.f("fk_terms_approval")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_terms_decision_id")),
        sa.PrimaryKeyConstraint("approval", "issue", name=op.f("pk_terms")),
        sa.UniqueConstraint(
            "approval", "issue", "effective", "expiry", name=op.f("uq_terms_approval_issue_effective_expiry")
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "certificates",
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
        sa.CheckConstraint(
            "cause IN ('ssc', 'breach', 'key-compromise', 'manufacturer')", name=op.f("ck_certificates_cause_known")
        ),
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
    op.create_index(op.f("ix_certificates_presign_due"), "certificates", ["presign_due"], unique=False)
    op.create_index("ix_certificates_unlisted", "certificates", ["listed_in", "ends_at"], unique=False)
    op.create_table(
        "acceptances",
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("accepted", Number, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint("accepted = 1 OR length(reason) > 0", name=op.f("ck_acceptances_rejected_for_a_reason")),
        sa.CheckConstraint("accepted IN (0, 1)", name=op.f("ck_acceptances_yes_or_no")),
        sa.ForeignKeyConstraint(["serial"], ["certificates.serial"], name=op.f("fk_acceptances_serial")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_acceptances")),
        sqlite_strict=True,
    )
    op.create_table(
        "ocsp_answers",
        sa.Column("id", Number, nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("hash_name", sa.Text(), nullable=False),
        sa.Column("responder_serial", sa.Text(), nullable=False),
        sa.Column("this_update", Instant(), nullable=False),
        sa.Column("next_update", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("hash_name IN ('sha1', 'sha256')", name=op.f("ck_ocsp_answers_hash_name_known")),
        sa.CheckConstraint("this_update <= next_update", name=op.f("ck_ocsp_answers_validity")),
        sa.ForeignKeyConstraint(
            ["responder_serial"], ["authority_certificates.serial"], name=op.f("fk_ocsp_answers_responder_serial")
        ),
        sa.ForeignKeyConstraint(["serial"], ["certificates.serial"], name=op.f("fk_ocsp_answers_serial")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ocsp_answers")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_ocsp_answers_serial_hash_name_id"), "ocsp_answers", ["serial", "hash_name", "id"], unique=False
    )
    for statement in CREATE[op.get_context().dialect.name]:
        op.execute(statement)
