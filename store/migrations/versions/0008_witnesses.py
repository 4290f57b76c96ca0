"""What officers say of the decisions by which something was issued or ended: seen, or disowned."""

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Number

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KINDS = (
    "authority-created clock-advanced clock-accepted organisation-added access-granted access-revoked "
    "authority-certificate-intended authority-certificate-issued application-submitted "
    "application-cancelled decision-proposed decision-rejected decision-lapsed decision-seconded "
    "certificate-drafted draft-abandoned signature-intended approval-granted application-refused "
    "certificate-issued certificate-accepted certificate-rejected certificate-revoked "
    "certificate-superseded approval-revoked approval-withdrawn approval-expired ocsp-answers-signed "
    "crl-published crl-refused restore-accepted application-changed evidence-attached requirement-set "
    "requirement-met requirement-waived standing-requirement-set standing-requirement-ended "
    "decision-supported decision-acknowledged approval-amended amendment-requested "
    "amendment-request-withdrawn amendment-refused breach-suspected breach-confirmed breach-dismissed "
    "breach-closed notice-written notice-fetched notice-delivered notice-undelivered document-rendered "
    "cpl-instructed cpl-instruction-superseded cpl-acknowledged cpl-reconciled ncsc-certified "
    "deployments-recorded report-remarked report-issued reminder-sent end-settled "
    "decision-seen decision-disowned"
)
_KNOWN = f"kind IN ({', '.join(repr(each) for each in _KINDS.split())})"
_COLUMNS = "id, kind, at, actor, role, organisation, subject, approvals, payload, seal_number, sealed_at, link"


def upgrade() -> None:
    op.create_table(
        "witnesses",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("saw", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint("saw IN ('seen', 'disowned')", name=op.f("ck_witnesses_saw_known")),
        sa.CheckConstraint("(saw = 'disowned') = (why IS NOT NULL)", name=op.f("ck_witnesses_disowned_whole")),
        sa.CheckConstraint("why IS NULL OR length(why) > 0", name=op.f("ck_witnesses_disowned_for_a_reason")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_witnesses_decision_id")),
        sa.PrimaryKeyConstraint("decision_id", "officer", name=op.f("pk_witnesses")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_witnesses_saw"), "witnesses", ["saw"], unique=False)
    op.create_index(op.f("ix_decisions_closed_at"), "decisions", ["closed_at"], unique=False)
    if op.get_context().dialect.name == "sqlite":
        _journal_anew()
    else:
        op.drop_constraint(op.f("ck_journal_kind_known"), "journal")
        op.create_check_constraint(op.f("ck_journal_kind_known"), "journal", _KNOWN)


def _journal_anew() -> None:
    """SQLite cannot change a CHECK: the table is written anew."""
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
        sa.CheckConstraint(_KNOWN, name=op.f("ck_journal_kind_known")),
        sa.CheckConstraint("(seal_number IS NULL) = (link IS NULL)", name=op.f("ck_journal_sealed_whole")),
        sa.CheckConstraint("(seal_number IS NULL) = (sealed_at IS NULL)", name=op.f("ck_journal_sealed_at_a_time")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("seal_number", name=op.f("uq_journal_seal_number")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO journal_new ({_COLUMNS}) SELECT {_COLUMNS} FROM journal")  # noqa: S608 - our own words
    op.drop_table("journal")
    op.rename_table("journal_new", "journal")
    op.create_index(op.f("ix_journal_subject"), "journal", ["subject"], unique=False)
    op.create_index(op.f("ix_journal_actor_at"), "journal", ["actor", "at"], unique=False)
    waits = sa.text("seal_number IS NULL")
    op.create_index("ix_journal_unsealed", "journal", ["id"], unique=False, sqlite_where=waits, postgresql_where=waits)
