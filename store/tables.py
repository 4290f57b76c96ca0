"""The tables of the register: every state is a CHECK, every uniqueness a constraint.

Nothing issued, decided or journalled is updated, except the columns that record its later fate; each table says
which those are. Overlapping approvals of one device are excluded in store/overlap.py, which speaks each database's
own language; what Section F asks for around the certificate is in store/trial_tables.py.
"""

from typing import get_args

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from core.actors import Role
from core.approval import OF_A_CERTIFICATE, EndCause, RevocationReason
from core.identifiers import Environment
from core.kinds import (
    AGREED_DECISION,
    CERTIFYING,
    CLAIMED_DRAFT,
    CLOSED_DECISION,
    OPEN_DECISION,
    WITHOUT_A_SOCKET,
    ApplicationState,
    DecisionKind,
    DecisionState,
    DraftState,
    HierarchyRole,
    KeyState,
    ProcessRole,
)
from store.types import Instant, Number, Octets, String, Word, among, not_among, one_of, word

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def is_sha256(column: str) -> CheckConstraint:
    """Return the rule that a column holds as many characters as a SHA-256 in hexadecimal digits."""
    return CheckConstraint(f"length({column}) = 64", name=f"{column}_is_sha256")


_TEST: Environment = "test"
_LIVE: Environment = "live"

authority = Table(
    "authority",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("arc", String, nullable=False),
    Column("base_url", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("clock_offset", Number, nullable=False, server_default=text("0")),  # fate: grows
    Column("journal_key", Octets, nullable=False),
    CheckConstraint("id = 1", name="one_authority"),
    one_of("environment", get_args(Environment)),
    CheckConstraint("clock_offset >= 0", name="clock_never_behind"),
    CheckConstraint(f"{among('environment', _TEST)} OR clock_offset = 0", name="live_clock_is_the_clock"),
    CheckConstraint(f"{among('environment', _LIVE)} OR substr(name, 1, 4) = 'TEST'", name="test_says_test"),
    sqlite_strict=True,
)

authority_certificates = Table(
    "authority_certificates",
    metadata,
    Column("serial", String, primary_key=True),
    *word("role", HierarchyRole),
    Column("tbs", Octets, nullable=False),
    Column("tbs_sha256", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("intended_at", Instant, nullable=False),
    Column("der", Octets),  # fate: signed
    Column("issued_at", Instant),  # fate: signed
    is_sha256("tbs_sha256"),
    CheckConstraint("not_before < not_after", name="validity"),
    CheckConstraint("(der IS NULL) = (issued_at IS NULL)", name="issued_whole"),
    sqlite_strict=True,
)

authority_ends = Table(
    "authority_ends",
    metadata,
    Column("serial", ForeignKey("authority_certificates.serial"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("reason", Number, nullable=False),
    CheckConstraint(f"reason IN ({', '.join(str(int(each)) for each in RevocationReason)})", name="reason_known"),
    sqlite_strict=True,
)

lease = Table(
    "lease",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("epoch", Number, nullable=False),
    Column("expires_at", Instant, nullable=False),
    sqlite_strict=True,
)

signs_of_life = Table(
    "signs_of_life",
    metadata,
    Column("process", Word(ProcessRole), primary_key=True),
    Column("at", Instant, nullable=False),  # fate: by the machine's clock, as leases are
    one_of("process", ProcessRole),
    sqlite_strict=True,
)

alarms = Table(
    "alarms",
    metadata,
    *word("raised_by", ProcessRole, among=WITHOUT_A_SOCKET),
    Column("code", String, nullable=False),  # no CHECK: a code that a release adds needs no new table
    Column("subject", String, nullable=False),
    Column("since", Instant, nullable=False),
    Column("sentence", String, nullable=False),  # fate
    PrimaryKeyConstraint("raised_by", "code", "subject"),
    sqlite_strict=True,
)
"""What holds now and nothing else: a row goes when it is over, and one that is lost is written again."""

organisations = Table(
    "organisations",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("certificate_name", String),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("name"),
    CheckConstraint("length(name) BETWEEN 1 AND 200", name="name_length"),
    # X.520 ub-organization-name: the subject's O holds no more.
    CheckConstraint("certificate_name IS NULL OR length(certificate_name) BETWEEN 1 AND 64", name="fits_x520"),
    sqlite_strict=True,
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", String, primary_key=True),
    Column("key_sha256", String, nullable=False),
    Column("name", String, nullable=False),
    *word("role", Role),
    Column("organisation_id", ForeignKey("organisations.id")),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),  # fate
    UniqueConstraint("key_sha256"),
    is_sha256("key_sha256"),
    CheckConstraint(
        f"{not_among('role', Role.MANUFACTURER)} OR organisation_id IS NOT NULL", name="manufacturer_has_organisation"
    ),
    CheckConstraint("created_at < expires_at", name="expires"),
    sqlite_strict=True,
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("credential", String, nullable=False),
    Column("key", String, nullable=False),
    Column("request_sha256", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("credential", "key"),
    is_sha256("request_sha256"),
    Index(None, "credential", "at"),
    sqlite_strict=True,
)

applications = Table(
    "applications",
    metadata,
    Column("id", String, primary_key=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    *word("state", ApplicationState),  # fate
    Column("device_type", String, nullable=False),
    Column("manufacturer", String, nullable=False),
    Column("model", String, nullable=False),
    Column("hardware_version", String, nullable=False),
    Column("device_key", String, nullable=False),
    Column("smets_version", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("start", Instant, nullable=False),
    Column("expiry", Instant, nullable=False),
    Column("maximum_devices", Number, nullable=False),
    Column("firmware", String, nullable=False),
    Column("csr", Octets, nullable=False),
    Column("public_key", Octets, nullable=False),
    Column("public_key_sha256", String, nullable=False),
    Column("findings", String, nullable=False),
    Column("submitted_at", Instant, nullable=False),
    Column("submitted_by", String, nullable=False),
    # What an application says can be changed until it is proposed for decision; each version is counted.
    Column("gbcs_version", String, nullable=False, server_default=text("''")),
    Column("contact", String, nullable=False, server_default=text("''")),
    Column("assurance", String, nullable=False, server_default=text("'[]'")),
    Column("earlier_cpa", String, nullable=False, server_default=text("'null'")),
    Column("version", Number, nullable=False, server_default=text("1")),
    Column("changed_at", Instant),
    CheckConstraint("start < expiry", name="dates"),
    CheckConstraint("maximum_devices >= 1", name="limit"),
    is_sha256("public_key_sha256"),
    Index(None, "organisation_id"),
    sqlite_strict=True,
)

approval_counters = Table(
    "approval_counters",
    metadata,
    Column("year", Number, primary_key=True, autoincrement=False),
    Column("last", Number, nullable=False),  # fate: grows; an identifier is never used twice
    sqlite_strict=True,
)

_HOLDS_ISSUE = f"issue IS NOT NULL AND {among('state', *OPEN_DECISION, *AGREED_DECISION)}"

decisions = Table(
    "decisions",
    metadata,
    Column("id", String, primary_key=True),
    *word("kind", DecisionKind),
    *word("state", DecisionState),  # fate
    Column("application_id", ForeignKey("applications.id")),
    Column("approval", String),
    Column("issue", Number),
    Column("proposal", String, nullable=False),
    Column("proposal_sha256", String, nullable=False),
    Column("reasons", String, nullable=False),
    Column("reasons_salt", Octets, nullable=False),
    Column("public_key", Octets),
    Column("findings", String, nullable=False),
    Column("urgent", Number, nullable=False, server_default=text("0")),
    Column("proposer", String, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("seconder", String),  # fate
    Column("seconded_tbs_sha256", String),  # fate
    Column("seconded_at", Instant),  # fate
    Column("closed_at", Instant),  # fate
    Column("authorised_at", Instant),  # fate: its proposer has signed for it with a key of their own
    Column("outcome", String),  # fate: why it was rejected or lapsed
    Column("officers", Number, nullable=False, server_default=text("2")),  # how many must agree, the proposer included
    Column("meeting", String, nullable=False, server_default=text("''")),
    Column("minute", String, nullable=False, server_default=text("''")),
    Column("passages", String, nullable=False, server_default=text("'[]'")),
    Column("conditions", String, nullable=False, server_default=text("'[]'")),
    Column("amendment_request", String),
    Column("breach", String),
    Column("lapses_at", Instant),
    Column("acknowledged_by", String),  # fate: who was informed of an urgent revocation
    Column("acknowledged_at", Instant),  # fate
    is_sha256("proposal_sha256"),
    CheckConstraint("seconder IS NULL OR seconder <> proposer", name="two_people"),
    CheckConstraint("(seconder IS NULL) = (seconded_at IS NULL)", name="seconded_whole"),
    # One officer alone may revoke, where the settings allow it (F2.30), and nothing else.
    CheckConstraint(f"urgent = 0 OR (urgent = 1 AND {among('kind', DecisionKind.REVOKE)})", name="urgent_revocation"),
    CheckConstraint(
        f"{not_among('state', *AGREED_DECISION)} OR seconder IS NOT NULL OR urgent = 1", name="done_by_two"
    ),
    CheckConstraint(f"({among('state', *CLOSED_DECISION)}) = (closed_at IS NOT NULL)", name="closed_whole"),
    CheckConstraint(
        f"{not_among('state', DecisionState.SECONDED)} OR (issue IS NOT NULL AND seconded_tbs_sha256 IS NOT NULL)",
        name="seconded_these_bytes",
    ),
    CheckConstraint(f"{not_among('kind', *CERTIFYING)} OR issue IS NOT NULL", name="certifying_issue"),
    CheckConstraint("officers >= 2 OR urgent = 1", name="two_officers_at_least"),
    CheckConstraint(f"breach IS NULL OR {among('kind', DecisionKind.REVOKE)}", name="breach_revokes"),
    CheckConstraint("(acknowledged_by IS NULL) = (acknowledged_at IS NULL)", name="acknowledged_whole"),
    CheckConstraint("acknowledged_by IS NULL OR acknowledged_by <> proposer", name="another_acknowledges"),
    Index(
        "uq_decisions_open_application",
        "application_id",
        unique=True,
        sqlite_where=text(among("state", *OPEN_DECISION)),
        postgresql_where=text(among("state", *OPEN_DECISION)),
    ),
    Index(
        "uq_decisions_open_issue",
        "approval",
        "issue",
        unique=True,
        sqlite_where=text(_HOLDS_ISSUE),
        postgresql_where=text(_HOLDS_ISSUE),
    ),
    Index(None, "state"),
    Index(None, "approval"),
    Index(None, "closed_at"),
    sqlite_strict=True,
)

_ENDS_APPROVAL = [cause for cause in EndCause if cause not in OF_A_CERTIFICATE]

approvals = Table(
    "approvals",
    metadata,
    Column("identifier", String, primary_key=True),
    Column("decision_id", ForeignKey("decisions.id"), nullable=False, unique=True),
    Column("application_id", ForeignKey("applications.id"), nullable=False, unique=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("device_type", String, nullable=False),
    Column("manufacturer", String, nullable=False),
    Column("model", String, nullable=False),
    Column("hardware_version", String, nullable=False),
    Column("device_key", String, nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("start", Instant, nullable=False),
    Column("expiry", Instant, nullable=False),  # fate: the expiry of the latest terms (F2.29)
    Column("ended_at", Instant),  # fate
    *word("end_cause", EndCause, among=_ENDS_APPROVAL, nullable=True),  # fate
    Column("ended_by", String),  # fate
    Column("expiry_recorded_at", Instant),  # fate: when the authority journalled that it expired
    CheckConstraint("start < expiry", name="dates"),
    CheckConstraint("(ended_at IS NULL) = (end_cause IS NULL)", name="ended_whole"),
    CheckConstraint("ended_at IS NULL OR ended_at <= expiry", name="first_end_wins"),
    Index(None, "organisation_id"),
    Index(None, "device_key"),
    sqlite_strict=True,
)

terms = Table(
    "terms",
    metadata,
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    Column("issue", Number, nullable=False),
    Column("decision_id", ForeignKey("decisions.id"), nullable=False),
    Column("effective", Instant, nullable=False),
    Column("expiry", Instant, nullable=False),
    Column("maximum_devices", Number, nullable=False),
    Column("firmware", String, nullable=False),
    PrimaryKeyConstraint("approval", "issue"),
    # What a certificate's validity refers to: one validity for each (approval, issue).
    UniqueConstraint("approval", "issue", "effective", "expiry"),
    CheckConstraint("issue >= 1", name="issue_counts_from_one"),
    CheckConstraint("effective < expiry", name="validity"),
    CheckConstraint("maximum_devices >= 1", name="limit"),
    sqlite_strict=True,
)

public_keys = Table(
    "public_keys",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("approval", String, nullable=False),
    *word("state", KeyState),  # fate: reserved → certified → compromised
    Column("since", Instant, nullable=False),
    is_sha256("sha256"),
    UniqueConstraint("sha256", "approval"),
    sqlite_strict=True,
)

drafts = Table(
    "drafts",
    metadata,
    Column("serial", String, primary_key=True),
    Column("decision_id", ForeignKey("decisions.id"), nullable=False),
    Column("approval", String, nullable=False),
    Column("issue", Number, nullable=False),
    Column("issuer_serial", ForeignKey("authority_certificates.serial"), nullable=False),
    *word("state", DraftState),  # fate
    Column("tbs", Octets, nullable=False),
    Column("tbs_sha256", String, nullable=False),
    Column("preview", Octets, nullable=False),
    Column("lint", String, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("public_key_sha256", String, nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("claimed_at", Instant),  # fate
    Column("claimed_epoch", Number),  # fate: the lease under which it was claimed
    is_sha256("tbs_sha256"),
    UniqueConstraint("tbs_sha256"),
    UniqueConstraint("serial", "approval", "issue", "not_before", "not_after"),
    CheckConstraint(f"{not_among('state', *CLAIMED_DRAFT)} OR claimed_at IS NOT NULL", name="claimed_first"),
    Index(
        "uq_drafts_living_issue",
        "approval",
        "issue",
        unique=True,
        sqlite_where=text(not_among("state", DraftState.ABANDONED)),
        postgresql_where=text(not_among("state", DraftState.ABANDONED)),
    ),
    Index(None, "decision_id"),
    Index(None, "state"),
    sqlite_strict=True,
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", String, primary_key=True),
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    Column("issue", Number, nullable=False),
    Column("der", Octets, nullable=False),
    Column("fingerprint", String, nullable=False, unique=True),
    Column("public_key_sha256", String, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("signed_at", Instant, nullable=False),
    Column("revoked_at", Instant),  # fate
    *word("cause", EndCause, nullable=True),  # fate
    Column("invalidity_date", Instant),  # fate
    Column("superseded_at", Instant),  # fate
    Column("ends_at", Instant, nullable=False),  # fate: the first second in which it no longer holds
    Column("fate", Number, nullable=False, server_default=text("0")),  # counts the changes of its fate
    Column("presign_due", Instant, nullable=False),  # fate: when its OCSP answers must be signed anew
    Column("listed_in", Number),  # fate: the first CRL that lists it
    Column("final_at", Instant),  # fate: when its end became final, before anything that is signed says it
    is_sha256("fingerprint"),
    UniqueConstraint("approval", "issue"),
    # Signed is what was drafted: same serial, same issue, same validity.
    ForeignKeyConstraint(
        ["serial", "approval", "issue", "not_before", "not_after"],
        ["drafts.serial", "drafts.approval", "drafts.issue", "drafts.not_before", "drafts.not_after"],
        name="fk_certificates_draft",
    ),
    # notAfter is the approval's expiry (F2.25), notBefore its start or the effective instant.
    ForeignKeyConstraint(
        ["approval", "issue", "not_before", "not_after"],
        ["terms.approval", "terms.issue", "terms.effective", "terms.expiry"],
        name="fk_certificates_terms",
    ),
    # A key certified here is this approval's and no other's.
    ForeignKeyConstraint(
        ["public_key_sha256", "approval"],
        ["public_keys.sha256", "public_keys.approval"],
        name="fk_certificates_key",
    ),
    CheckConstraint("(revoked_at IS NULL) = (cause IS NULL)", name="revoked_whole"),
    CheckConstraint(f"invalidity_date IS NULL OR {among('cause', EndCause.KEY_COMPROMISE)}", name="invalidity_of_key"),
    CheckConstraint("ends_at <= not_after + 1", name="expiry_ends"),
    CheckConstraint("revoked_at IS NULL OR ends_at <= revoked_at", name="revocation_ends"),
    CheckConstraint("superseded_at IS NULL OR ends_at <= superseded_at", name="supersession_ends"),
    CheckConstraint(
        "ends_at IN (not_after + 1, coalesce(revoked_at, not_after + 1), coalesce(superseded_at, not_after + 1))",
        name="ends_for_a_reason",
    ),
    Index("ix_certificates_unlisted", "listed_in", "ends_at"),
    Index(None, "presign_due"),
    sqlite_strict=True,
)

acceptances = Table(
    "acceptances",
    metadata,
    Column("serial", ForeignKey("certificates.serial"), primary_key=True),
    Column("accepted", Number, nullable=False),
    Column("reason", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Instant, nullable=False),
    CheckConstraint("accepted IN (0, 1)", name="yes_or_no"),
    CheckConstraint("accepted = 1 OR length(reason) > 0", name="rejected_for_a_reason"),
    sqlite_strict=True,
)

ocsp_answers = Table(
    "ocsp_answers",
    metadata,
    Column("id", Number, primary_key=True),
    Column("serial", ForeignKey("certificates.serial"), nullable=False),
    Column("hash_name", String, nullable=False),
    Column("responder_serial", ForeignKey("authority_certificates.serial"), nullable=False),
    Column("this_update", Instant, nullable=False),
    Column("next_update", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("der", Octets, nullable=False),
    one_of("hash_name", ["sha1", "sha256"]),
    CheckConstraint("this_update <= next_update", name="validity"),
    Index(None, "serial", "hash_name", "id"),
    sqlite_strict=True,
)

crls = Table(
    "crls",
    metadata,
    Column("key_id", String, nullable=False),
    Column("number", Number, nullable=False),
    Column("this_update", Instant, nullable=False),
    Column("next_update", Instant, nullable=False),
    Column("entries", Number, nullable=False),
    Column("der", Octets, nullable=False),
    Column("published_at", Instant, nullable=False),
    PrimaryKeyConstraint("key_id", "number"),
    CheckConstraint("this_update < next_update", name="validity"),
    CheckConstraint("number >= 1", name="number_positive"),
    sqlite_strict=True,
)

dossiers = Table(
    "dossiers",
    metadata,
    Column("id", String, primary_key=True),
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    Column("asked_by", String, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("manifest", String, nullable=False),  # what is signed
    Column("manifest_sha256", String, nullable=False),
    Column("parts", Octets, nullable=False),  # the files that it names, as a ZIP
    Column("signer_serial", ForeignKey("authority_certificates.serial")),  # fate: signed
    Column("signature", Octets),  # fate: CMS
    Column("signed_at", Instant),  # fate
    is_sha256("manifest_sha256"),
    CheckConstraint("(signature IS NULL) = (signer_serial IS NULL)", name="signed_by_somebody"),
    CheckConstraint("(signature IS NULL) = (signed_at IS NULL)", name="signed_at_a_time"),
    Index(None, "approval", "asked_at"),
    sqlite_strict=True,
)

_WAITS = "seal_number IS NULL AND refused IS NULL"
_REFUSED = "refused IS NOT NULL"

journal = Table(
    "journal",
    metadata,
    Column("id", Number, primary_key=True),
    Column("kind", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", String, nullable=False),
    Column("role", String),
    Column("organisation", String),
    Column("subject", String),
    Column("approvals", String, nullable=False),  # identifiers, each between blanks
    Column("payload", String, nullable=False),
    Column("seal_number", Number),  # fate: its place in the sealed order
    Column("sealed_at", Instant),  # fate
    Column("link", Octets),  # fate: digest of itself and the row before it
    Column("refused", String),  # fate: why it is never sealed
    UniqueConstraint("seal_number"),
    CheckConstraint("(seal_number IS NULL) = (link IS NULL)", name="sealed_whole"),
    CheckConstraint("(seal_number IS NULL) = (sealed_at IS NULL)", name="sealed_at_a_time"),
    Index(
        "ix_journal_unsealed",
        "id",
        sqlite_where=text(_WAITS),
        postgresql_where=text(_WAITS),
    ),
    Index(
        "ix_journal_refused",
        "subject",
        sqlite_where=text(_REFUSED),
        postgresql_where=text(_REFUSED),
    ),
    CheckConstraint("refused IS NULL OR seal_number IS NULL", name="sealed_or_refused"),
    Index(None, "subject"),
    Index(None, "actor", "at"),
    sqlite_strict=True,
)
waits_to_be_sealed = journal.c.seal_number.is_(None) & journal.c.refused.is_(None)
"""A fact is true and has no number yet; one that was refused never gets one."""

journal_heads = Table(
    "journal_heads",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("link", Octets, nullable=False),
    Column("signature", Octets, nullable=False),
    Column("signed_at", Instant, nullable=False),
    sqlite_strict=True,
)

cursors = Table(
    "cursors",
    metadata,
    Column("reader", String, primary_key=True),
    Column("number", Number, nullable=False),  # fate: the last sealed row that the reader has dealt with
    sqlite_strict=True,
)

memory_records = Table(
    "memory_records",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Octets, nullable=False),
    Column("mac", Octets, nullable=False),
    sqlite_strict=True,
)
"""What the authority remembers by itself (memory/), copied here for a successor on another machine. Nobody who writes
rows can write one: each is sealed over the one before it by a key that only the authority has."""
