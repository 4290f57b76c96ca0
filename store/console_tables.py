"""The tables of the console: who was invited to enrol a passkey, the passkeys, the sessions in a browser, and what
Manufacturers have written of applications that they have not sent yet.

Who comes in belongs to a credential and ends with it: nothing here lets anybody in whose access is over. No secret is a
column.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, PrimaryKeyConstraint, Table, UniqueConstraint

from core.kinds import DraftPart
from store.tables import is_sha256, metadata
from store.types import Instant, Number, Octets, String, word

invitations = Table(
    "invitations",
    metadata,
    Column("id", String, primary_key=True),
    Column("secret_sha256", String, nullable=False),
    Column("credential_id", ForeignKey("credentials.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),  # fate
    UniqueConstraint("secret_sha256"),
    is_sha256("secret_sha256"),
    CheckConstraint("made_at < expires_at", name="expires"),
    sqlite_strict=True,
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", String, primary_key=True),
    Column("credential_id", ForeignKey("credentials.id"), nullable=False),
    Column("invitation_id", ForeignKey("invitations.id"), nullable=False),
    Column("key_id", Octets, nullable=False),  # WebAuthn's credential ID: what the browser names the passkey by
    Column("public_key", Octets, nullable=False),  # COSE_Key
    Column("sign_count", Number, nullable=False),  # fate: grows, or stays 0 where the passkey has no counter
    Column("enrolled_at", Instant, nullable=False),
    UniqueConstraint("invitation_id"),
    UniqueConstraint("key_id"),
    CheckConstraint("sign_count >= 0", name="counts"),
    sqlite_strict=True,
)

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("id", String, primary_key=True),
    Column("secret_sha256", String, nullable=False),
    Column("credential_id", ForeignKey("credentials.id"), nullable=False),
    Column("challenge_sha256", String),  # that a passkey answered: once; none where a test authority let somebody in
    Column("begun_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),  # fate: moves on while something is done in it
    Column("ended_at", Instant),  # fate
    UniqueConstraint("secret_sha256"),
    UniqueConstraint("challenge_sha256"),
    is_sha256("secret_sha256"),
    CheckConstraint("begun_at < expires_at", name="expires"),
    Index(None, "credential_id"),
    sqlite_strict=True,
)

application_drafts = Table(
    "application_drafts",
    metadata,
    Column("draft", String, nullable=False),
    *word("part", DraftPart),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("said", String, nullable=False),  # fate: as it was typed, canonical JSON
    Column("version", Number, nullable=False),  # fate: counts how often it was kept
    Column("kept_at", Instant, nullable=False),  # fate
    Column("kept_by", String, nullable=False),  # fate
    PrimaryKeyConstraint("draft", "part"),
    CheckConstraint("version >= 1", name="counts"),
    Index(None, "organisation_id"),
    sqlite_strict=True,
)
"""A draft is nobody's act: it is written over, deleted when it is sent or thrown away, and is in no journal."""

draft_changes = Table(
    "draft_changes",
    metadata,
    Column("draft", String, primary_key=True),
    Column("application_id", ForeignKey("applications.id"), nullable=False),
    Column("version", Number, nullable=False),
    UniqueConstraint("application_id"),
    CheckConstraint("version >= 1", name="counts"),
    sqlite_strict=True,
)
"""Which drafts change an application that was sent, and the version of it that they were begun from."""
