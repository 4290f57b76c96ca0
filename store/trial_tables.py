"""The tables of the trial around the certificate: evidence, requirements, conditions, notices, the CPL, deployments.

The same promises as in store/tables.py: every state is a CHECK, nothing that happened is updated, except the columns
that record its later fate.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    text,
)
from sqlalchemy import UniqueConstraint as Unique

from core.actors import PartyKind, Role
from core.classification import Classification, Recipient
from core.cpl import ANSWERED_INSTRUCTION, InstructionState, Kind
from core.deployments import Form
from core.kinds import (
    CLOSED_END_REQUEST,
    CLOSED_REQUEST,
    IN_WORDS_END_REQUEST,
    OF_NO_DECISION,
    OPEN_BREACH,
    OPEN_END_REQUEST,
    SETTLED_BREACH,
    Addition,
    AmendmentRequestState,
    BreachState,
    Channel,
    DeliveryState,
    EndRequestState,
    EvidenceSubject,
    NoticeKind,
    Rendition,
    RequirementState,
    Told,
    Witnessed,
)
from store.tables import is_sha256, metadata
from store.types import Instant, Number, Octets, String, Word, among, not_among, word

# --- people ------------------------------------------------------------------------------------------------------

_HOLDS = "held_until IS NULL"

contacts = Table(
    "contacts",
    metadata,
    Column("id", String, primary_key=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("notices", String, nullable=False),  # empty: they are only fetched
    Column("urgent", String, nullable=False),
    Column("salt", Octets, nullable=False),
    Column("application_id", ForeignKey("applications.id")),  # that stated it, if the organisation had none
    Column("held_from", Instant, nullable=False),
    Column("held_until", Instant),  # fate
    Column("set_by", String, nullable=False),
    CheckConstraint("held_until IS NULL OR held_from <= held_until", name="holds_and_ends"),
    # One at a time; what an organisation changes, it changes for all of its approvals.
    Index(
        "uq_contacts_held",
        "organisation_id",
        unique=True,
        sqlite_where=text(_HOLDS),
        postgresql_where=text(_HOLDS),
    ),
    Index(None, "organisation_id"),
    sqlite_strict=True,
)

# --- applications ------------------------------------------------------------------------------------------------

evidence_files = Table(
    "evidence_files",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("size", Number, nullable=False),
    Column("octets", Octets, nullable=False),
    is_sha256("sha256"),
    CheckConstraint("size >= 1", name="not_empty"),
    sqlite_strict=True,
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", String, primary_key=True),
    *word("subject_kind", EvidenceSubject),
    Column("subject", String, nullable=False),
    Column("sha256", ForeignKey("evidence_files.sha256"), nullable=False),
    Column("name", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("size", Number, nullable=False),
    Column("salt", Octets, nullable=False),
    Column("attached_at", Instant, nullable=False),
    Column("attached_by", String, nullable=False),
    *word("party", PartyKind),  # for whom
    *word("classification", Classification),
    # What one party has attached takes no place from another, and no other learns that it has.
    Unique("subject_kind", "subject", "sha256", "party"),
    Index(None, "attached_by"),
    sqlite_strict=True,
)

standing_requirements = Table(
    "standing_requirements",
    metadata,
    Column("id", String, primary_key=True),
    Column("text", String, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("set_by", String, nullable=False),
    Column("ended_at", Instant),  # fate
    Column("ended_by", String),  # fate
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_whole"),
    sqlite_strict=True,
)

requirements = Table(
    "requirements",
    metadata,
    Column("id", String, primary_key=True),
    Column("application_id", ForeignKey("applications.id"), nullable=False),
    Column("standing_id", ForeignKey("standing_requirements.id")),
    Column("text", String, nullable=False),
    *word("state", RequirementState),  # fate
    Column("set_at", Instant, nullable=False),
    Column("set_by", String, nullable=False),
    Column("closed_at", Instant),  # fate
    Column("closed_by", String),  # fate
    Column("reason", String),  # fate
    *word("reason_class", Classification, nullable=True),  # fate
    CheckConstraint(f"({among('state', RequirementState.OPEN)}) = (closed_at IS NULL)", name="closed_whole"),
    CheckConstraint("(reason IS NULL) = (reason_class IS NULL)", name="reason_has_a_class"),
    CheckConstraint(f"{among('state', RequirementState.OPEN)} OR length(reason) > 0", name="closed_for_a_reason"),
    Unique("application_id", "standing_id"),
    Index(None, "application_id"),
    sqlite_strict=True,
)

application_versions = Table(
    "application_versions",
    metadata,
    Column("application_id", ForeignKey("applications.id"), nullable=False),
    Column("version", Number, nullable=False),
    Column("said", String, nullable=False),  # in words, member by member, canonical JSON
    PrimaryKeyConstraint("application_id", "version"),
    CheckConstraint("version >= 1", name="counts"),
    sqlite_strict=True,
)
"""What an application said before it was changed: whoever decides compares it, and no rule asks for it."""

# --- decisions ---------------------------------------------------------------------------------------------------

secondings = Table(
    "secondings",
    metadata,
    Column("decision_id", ForeignKey("decisions.id"), nullable=False),
    Column("officer", String, nullable=False),
    Column("tbs_sha256", String),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("decision_id", "officer"),
    sqlite_strict=True,
)

witnesses = Table(
    "witnesses",
    metadata,
    Column("decision_id", ForeignKey("decisions.id"), nullable=False),
    Column("officer", String, nullable=False),
    *word("saw", Witnessed),  # fate: who has seen it may disown it later
    Column("why", String),  # fate
    Column("at", Instant, nullable=False),  # fate
    PrimaryKeyConstraint("decision_id", "officer"),
    CheckConstraint(f"({among('saw', Witnessed.DISOWNED)}) = (why IS NOT NULL)", name="disowned_whole"),
    CheckConstraint("why IS NULL OR length(why) > 0", name="disowned_for_a_reason"),
    Index(None, "saw"),
    sqlite_strict=True,
)

restored_certificates = Table(
    "restored_certificates",
    metadata,
    Column("serial", ForeignKey("certificates.serial"), primary_key=True),
    Column("decision_id", ForeignKey("decisions.id"), nullable=False),
    Column("restored_at", Instant, nullable=False),
    Column("source", String, nullable=False),
    Column("unknown", String, nullable=False),
    sqlite_strict=True,
)
"""Certificates that the register had lost and that were entered again from their bytes (jobs/entering.py)."""

amendment_requests = Table(
    "amendment_requests",
    metadata,
    Column("id", String, primary_key=True),
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    *word("state", AmendmentRequestState),  # fate
    Column("asked", String, nullable=False),
    Column("reasons", String, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("decision_id", ForeignKey("decisions.id")),  # fate
    Column("closed_at", Instant),  # fate
    CheckConstraint(f"({among('state', *CLOSED_REQUEST)}) = (closed_at IS NOT NULL)", name="closed_whole"),
    Index(None, "approval"),
    sqlite_strict=True,
)

_ASKS = among("state", *OPEN_END_REQUEST)

end_requests = Table(
    "end_requests",
    metadata,
    Column("id", String, primary_key=True),
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    *word("state", EndRequestState),  # fate
    Column("reasons", String, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("decision_id", ForeignKey("decisions.id")),  # fate: that ended the approval as was asked
    Column("answer", String),  # fate
    Column("answered_by", String),  # fate
    Column("closed_at", Instant),  # fate
    CheckConstraint(f"({among('state', *CLOSED_END_REQUEST)}) = (closed_at IS NOT NULL)", name="closed_whole"),
    CheckConstraint(
        f"({among('state', EndRequestState.GRANTED)}) = (decision_id IS NOT NULL)", name="granted_by_decision"
    ),
    CheckConstraint(f"({among('state', *IN_WORDS_END_REQUEST)}) = (answer IS NOT NULL)", name="answered_in_words"),
    CheckConstraint("(answer IS NULL) = (answered_by IS NULL)", name="answered_by_somebody"),
    # To ask again says nothing new.
    Index("uq_end_requests_open", "approval", unique=True, sqlite_where=text(_ASKS), postgresql_where=text(_ASKS)),
    Index(None, "approval"),
    sqlite_strict=True,
)

conditions = Table(
    "conditions",
    metadata,
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    Column("number", Number, nullable=False),
    Column("decision_id", ForeignKey("decisions.id"), nullable=False),
    Column("text", String, nullable=False),
    *word("classification", Classification),
    Column("recipients", String, nullable=False),  # names, each between blanks
    Column("salt", Octets, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("ended_at", Instant),  # fate
    Column("ended_by_decision", ForeignKey("decisions.id")),  # fate
    PrimaryKeyConstraint("approval", "number"),
    CheckConstraint("number >= 1", name="counts_from_one"),
    CheckConstraint("(ended_at IS NULL) = (ended_by_decision IS NULL)", name="ended_whole"),
    sqlite_strict=True,
)

_OPEN_LIMIT = f"condition IS NULL AND {among('state', *OPEN_BREACH)}"

breaches = Table(
    "breaches",
    metadata,
    Column("id", String, primary_key=True),
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    Column("condition", Number),  # None: the limit of F2.21(d)
    *word("state", BreachState),  # fate
    Column("note", String, nullable=False),
    Column("suspected_at", Instant, nullable=False),
    Column("suspected_by", String, nullable=False),
    Column("judged_at", Instant),  # fate
    Column("judged_by", String),  # fate
    Column("why", String),  # fate
    Column("closed_at", Instant),  # fate
    Column("decision_id", ForeignKey("decisions.id")),  # fate: the revocation that cites it
    Column("kept_at", Instant),  # fate: when what made a suspicion of the limit had been corrected
    Column("deployed", Number),  # of the limit: how many devices were too many, and since when they were
    Column("since", Instant),
    ForeignKeyConstraint(
        ["approval", "condition"], ["conditions.approval", "conditions.number"], name="fk_breaches_condition"
    ),
    CheckConstraint(f"({among('state', BreachState.SUSPECTED)}) = (judged_at IS NULL)", name="judged_whole"),
    CheckConstraint("(judged_at IS NULL) = (judged_by IS NULL)", name="judged_by_somebody"),
    CheckConstraint(
        f"({among('state', BreachState.ANSWERED)}) = (decision_id IS NOT NULL)", name="answered_by_revocation"
    ),
    CheckConstraint(f"({among('state', *SETTLED_BREACH)}) = (closed_at IS NOT NULL)", name="closed_whole"),
    # One open suspicion of the limit at a time: the next report above it says nothing new.
    Index(
        "uq_breaches_open_limit",
        "approval",
        unique=True,
        sqlite_where=text(_OPEN_LIMIT),
        postgresql_where=text(_OPEN_LIMIT),
    ),
    Index(None, "approval"),
    sqlite_strict=True,
)

suspicions = Table(
    "suspicions",
    metadata,
    Column("breach_id", ForeignKey("breaches.id"), primary_key=True),
    Column("told", String, nullable=False),
    Column("told_salt", Octets, nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("told_by", String, nullable=False),
    Column("notice", ForeignKey("notices.number"), nullable=False, unique=True),
    Column("answer", String),  # fate
    Column("answer_salt", Octets),  # fate
    Column("answered_at", Instant),  # fate
    Column("answered_by", String),  # fate
    CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered_whole"),
    CheckConstraint("(answer IS NULL) = (answered_by IS NULL)", name="answered_by_somebody"),
    CheckConstraint("(answer IS NULL) = (answer_salt IS NULL)", name="answered_under_a_salt"),
    sqlite_strict=True,
)
"""Suspected breaches of which the SSC has let their Manufacturer know, and what that answered (F2.23)."""

limit_comparisons = Table(
    "limit_comparisons",
    metadata,
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    Column("issue", Number, nullable=False),
    Column("compared_at", Instant, nullable=False),
    PrimaryKeyConstraint("approval", "issue"),
    sqlite_strict=True,
)
"""Later issues whose limit has been compared with what was deployed when they took over (F2.21(d))."""

# --- notices -----------------------------------------------------------------------------------------------------

notice_counters = Table(
    "notice_counters",
    metadata,
    Column("year", Number, primary_key=True, autoincrement=False),
    Column("last", Number, nullable=False),  # fate: grows
    sqlite_strict=True,
)

notices = Table(
    "notices",
    metadata,
    Column("number", String, primary_key=True),
    *word("kind", NoticeKind),
    Column("decision_id", ForeignKey("decisions.id")),
    Column("approval", ForeignKey("approvals.identifier")),
    Column("application_id", ForeignKey("applications.id")),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("serial", ForeignKey("certificates.serial")),
    Column("corrects", ForeignKey("notices.number")),
    Column("record", String, nullable=False),
    Column("record_salt", Octets, nullable=False),
    Column("written_at", Instant, nullable=False),
    # What time alone brings about was decided by nobody.
    CheckConstraint(f"(decision_id IS NULL) = ({among('kind', *OF_NO_DECISION)})", name="tells_of_a_decision"),
    CheckConstraint(f"(corrects IS NOT NULL) = ({among('kind', NoticeKind.CORRECTION)})", name="correction_names_one"),
    # One for each approval that a decision is about, and one of a decision that is about none.
    Index("uq_notices_told_of_approval", "decision_id", "approval", unique=True),
    Index(
        "uq_notices_told",
        "decision_id",
        unique=True,
        sqlite_where=text("approval IS NULL"),
        postgresql_where=text("approval IS NULL"),
    ),
    Index(None, "approval"),
    Index(None, "application_id"),
    Index(None, "corrects"),
    sqlite_strict=True,
)

notice_copies = Table(
    "notice_copies",
    metadata,
    Column("notice", ForeignKey("notices.number"), nullable=False),
    *word("recipient", Recipient),
    *word("classification", Classification),
    Column("withheld", Number, nullable=False),
    Column("document", String, nullable=False),
    Column("document_sha256", String, nullable=False),
    Column("fetched_at", Instant),  # fate: when its recipient first read it
    PrimaryKeyConstraint("notice", "recipient"),
    is_sha256("document_sha256"),
    sqlite_strict=True,
)

renderings = Table(
    "renderings",
    metadata,
    Column("subject", String, nullable=False),
    *word("form", Rendition),
    Column("sha256", String, nullable=False),
    Column("octets", Octets, nullable=False),
    Column("made_at", Instant, nullable=False),
    PrimaryKeyConstraint("subject", "form"),
    is_sha256("sha256"),
    sqlite_strict=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String, primary_key=True),
    Column("notice", String, nullable=False),
    Column("recipient", Word(Recipient), nullable=False),
    *word("channel", Channel),
    Column("address", String, nullable=False),
    *word("state", DeliveryState),  # fate
    Column("attempts", Number, nullable=False, server_default=text("0")),  # fate
    Column("due", Instant, nullable=False),  # fate: the next attempt
    Column("last_error", String),  # fate
    Column("delivered_at", Instant),  # fate
    Column("opened_at", Instant, nullable=False),
    ForeignKeyConstraint(
        ["notice", "recipient"], ["notice_copies.notice", "notice_copies.recipient"], name="fk_deliveries_copy"
    ),
    Unique("notice", "recipient", "channel", "address"),
    CheckConstraint(
        f"({among('state', DeliveryState.DELIVERED)}) = (delivered_at IS NOT NULL)", name="delivered_whole"
    ),
    Index(None, "state", "due"),
    sqlite_strict=True,
)

reminders = Table(
    "reminders",
    metadata,
    Column("key", String, primary_key=True),
    Column("sent_at", Instant, nullable=False),
    sqlite_strict=True,
)

# --- the Central Products List -----------------------------------------------------------------------------------

cpl_instructions = Table(
    "cpl_instructions",
    metadata,
    Column("id", String, primary_key=True),
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    Column("firmware_version", String, nullable=False),
    Column("firmware_key", String, nullable=False),
    *word("kind", Kind),
    Column("entry", String, nullable=False),
    Column("due", Instant, nullable=False),
    Column("cause", String, nullable=False),  # a decision's identifier, `expiry` or `ncsc-certificate`
    Column("instructed_at", Instant, nullable=False),
    *word("state", InstructionState),  # fate
    Column("acknowledged_at", Instant),  # fate
    Column("acknowledged_by", String),  # fate
    Column("reason", String),  # fate: why the Panel rejected it
    CheckConstraint(
        f"{not_among('state', *ANSWERED_INSTRUCTION)} OR acknowledged_at IS NOT NULL", name="acknowledged_whole"
    ),
    CheckConstraint("(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="acknowledged_by_somebody"),
    CheckConstraint(
        f"{not_among('state', InstructionState.REJECTED)} OR length(reason) > 0", name="rejected_for_a_reason"
    ),
    Index(None, "approval"),
    Index(None, "state", "due"),
    sqlite_strict=True,
)

ncsc_certificates = Table(
    "ncsc_certificates",
    metadata,
    Column("approval", ForeignKey("approvals.identifier"), primary_key=True),
    Column("certificate", String, nullable=False),
    Column("certified_on", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", String, nullable=False),
    sqlite_strict=True,
)

additions = Table(
    "additions",
    metadata,
    Column("approval", ForeignKey("approvals.identifier"), primary_key=True),
    *word("said", Addition),  # fate: the officers can say otherwise
    Column("judged_at", Instant, nullable=False),  # fate
    Column("judged_by", String, nullable=False),  # fate
    sqlite_strict=True,
)
"""What the SSC says of an entry whose certificate was cancelled for its key before the start (F2.26, F2.27)."""

# --- deployments and reports -------------------------------------------------------------------------------------

deployment_batches = Table(
    "deployment_batches",
    metadata,
    Column("id", String, primary_key=True),
    *word("form", Form),
    Column("content_sha256", String, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("received_by", String, nullable=False),
    Column("lines", Number, nullable=False, server_default=text("0")),  # fate: grows while it is read
    Column("recorded", Number, nullable=False, server_default=text("0")),  # fate
    Column("known", Number, nullable=False, server_default=text("0")),  # fate
    Column("refused", Number, nullable=False, server_default=text("0")),  # fate
    is_sha256("content_sha256"),
    Index(None, "received_by", "received_at"),
    sqlite_strict=True,
)

deployments = Table(
    "deployments",
    metadata,
    Column("id", Number, primary_key=True),
    Column("device_id", String, nullable=False),
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    Column("firmware_version", String, nullable=False),
    Column("deployed_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("batch_id", ForeignKey("deployment_batches.id"), nullable=False),
    Column("decommissioned_at", Instant),  # fate
    Column("decommission_recorded_at", Instant),  # fate
    Column("decommission_batch_id", ForeignKey("deployment_batches.id")),  # fate
    Column("replaced_by", String),  # fate: the device that took its place
    Column("voided_at", Instant),  # fate: when a correction said that it never was
    Column("void_batch_id", ForeignKey("deployment_batches.id")),  # fate
    Column("void_reason", String),  # fate
    CheckConstraint("length(device_id) = 23", name="device_id_is_eui64"),
    CheckConstraint("decommissioned_at IS NULL OR decommissioned_at >= deployed_at", name="deployed_first"),
    CheckConstraint("(decommissioned_at IS NULL) = (decommission_recorded_at IS NULL)", name="decommissioned_whole"),
    CheckConstraint("(voided_at IS NULL) = (void_reason IS NULL)", name="voided_whole"),
    # A device is deployed under one approval at a time.
    Index(
        "uq_deployments_device",
        "device_id",
        unique=True,
        sqlite_where=text("decommissioned_at IS NULL AND voided_at IS NULL"),
        postgresql_where=text("decommissioned_at IS NULL AND voided_at IS NULL"),
    ),
    Index(None, "device_id"),
    Index(None, "approval", "deployed_at"),
    Index(
        "ix_deployments_standing",
        "approval",
        sqlite_where=text("decommissioned_at IS NULL AND voided_at IS NULL"),
        postgresql_where=text("decommissioned_at IS NULL AND voided_at IS NULL"),
    ),
    Index(None, "recorded_at"),
    Index(
        "ix_deployments_decommission_recorded_at",
        "decommission_recorded_at",
        sqlite_where=text("decommission_recorded_at IS NOT NULL"),
        postgresql_where=text("decommission_recorded_at IS NOT NULL"),
    ),
    Index(
        "ix_deployments_voided_at",
        "voided_at",
        sqlite_where=text("voided_at IS NOT NULL"),
        postgresql_where=text("voided_at IS NOT NULL"),
    ),
    sqlite_strict=True,
)

undone_ends = Table(
    "undone_ends",
    metadata,
    Column("deployment_id", ForeignKey("deployments.id"), nullable=False),
    Column("decommissioned_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("replaced_by", String),
    Column("undone_at", Instant, nullable=False),
    Column("batch_id", ForeignKey("deployment_batches.id"), nullable=False),
    Column("reason", String, nullable=False),
    PrimaryKeyConstraint("deployment_id", "decommissioned_at", "reason"),
    Index(None, "undone_at"),
    sqlite_strict=True,
)
"""Ends of deployments that were recorded and that a correction has taken back: the device was never taken out then."""

report_questions = Table(
    "report_questions",
    metadata,
    Column("id", String, primary_key=True),
    Column("month", String),  # None: it is standing
    Column("text", String, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("ended_at", Instant),  # fate
    CheckConstraint("month IS NULL OR (length(month) = 7 AND ended_at IS NULL)", name="single_or_standing"),
    sqlite_strict=True,
)

report_answers = Table(
    "report_answers",
    metadata,
    Column("question_id", ForeignKey("report_questions.id"), nullable=False),
    Column("month", String, nullable=False),
    Column("text", String, nullable=False),
    Column("answered_at", Instant, nullable=False),
    Column("answered_by", String, nullable=False),
    PrimaryKeyConstraint("question_id", "month"),
    CheckConstraint("length(month) = 7", name="month_is_one"),
    sqlite_strict=True,
)

report_remarks = Table(
    "report_remarks",
    metadata,
    Column("id", String, primary_key=True),
    Column("month", String, nullable=False),
    Column("text", String, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String, nullable=False),
    CheckConstraint("length(month) = 7", name="month_is_one"),
    Index(None, "month"),
    sqlite_strict=True,
)

reports = Table(
    "reports",
    metadata,
    Column("month", String, primary_key=True),
    Column("since", Instant),  # the previous report's `until`; None for the first
    Column("until", Instant, nullable=False),
    Column("document", String, nullable=False),
    Column("document_sha256", String, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("issued_by", String, nullable=False),
    CheckConstraint("length(month) = 7", name="month_is_one"),
    CheckConstraint("since IS NULL OR since < until", name="period"),
    is_sha256("document_sha256"),
    Unique("until"),
    sqlite_strict=True,
)

# --- receipts ----------------------------------------------------------------------------------------------------

receipts = Table(
    "receipts",
    metadata,
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    Column("decision", ForeignKey("decisions.id"), nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("certificates", Number, nullable=False),
    Column("began", Number, nullable=False),  # milliseconds since 1970, by the clock of the machine that wrote it
    Column("closed_at", Instant),  # fate: everybody has told it, and those who have to have acknowledged it
    PrimaryKeyConstraint("approval", "decision"),
    Index(None, "decision"),
    Index(
        "ix_receipts_open",
        "approval",
        "decision",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    sqlite_strict=True,
)
"""An act that ended an approval, or certificates of it: how long it took until it was told (ADR 52). It has no fact of
its own: what was done is in the journal, and this is measured."""

receipt_lines = Table(
    "receipt_lines",
    metadata,
    Column("approval", String, nullable=False),
    Column("decision", String, nullable=False),
    *word("told", Told),
    Column("after", Number, nullable=False),  # milliseconds
    Column("number", Number),  # of the list that says it
    PrimaryKeyConstraint("approval", "decision", "told"),
    ForeignKeyConstraint(
        ["approval", "decision"], ["receipts.approval", "receipts.decision"], name="fk_receipt_lines_receipt"
    ),
    CheckConstraint("after >= 0", name="not_before_it_began"),
    CheckConstraint(f"(number IS NOT NULL) = ({among('told', Told.LIST)})", name="a_list_is_numbered"),
    sqlite_strict=True,
)
"""Who told it first writes the line, and nobody changes it."""

# --- calendars ---------------------------------------------------------------------------------------------------

calendar_addresses = Table(
    "calendar_addresses",
    metadata,
    Column("id", String, primary_key=True),
    Column("secret_sha256", String, nullable=False),
    Column("name", String, nullable=False),  # what its owner calls it
    Column("owner", String, nullable=False),
    *word("role", Role),
    Column("organisation_id", ForeignKey("organisations.id")),
    Column("made_at", Instant, nullable=False),
    Column("revoked_at", Instant),  # fate
    Unique("secret_sha256"),
    is_sha256("secret_sha256"),
    Index(None, "owner"),
    sqlite_strict=True,
)
