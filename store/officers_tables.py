"""The tables of what officers sign: authorisations as they were sent, orders to the authority, the roster to look at.

What counts is in the authority's memory (memory/); these rows bring it there and show it.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, PrimaryKeyConstraint, Table, text

from core.kinds import CLOSED_ORDER, AuthorisedAct, OrderKind, OrderState
from store.tables import is_sha256, metadata
from store.types import Instant, Number, String, among, word

authorisations = Table(
    "authorisations",
    metadata,
    Column("statement_sha256", String, primary_key=True),
    Column("statement", String, nullable=False),  # canonical JSON: the octets that were signed
    Column("proof", String, nullable=False),  # a compact JWS
    *word("act", AuthorisedAct),
    Column("officer", String, nullable=False),
    Column("key", String, nullable=False),  # RFC 7638 thumbprint
    Column("members", String),  # canonical JSON: what a statement about several things lists
    Column("taken_at", Instant, nullable=False),
    is_sha256("statement_sha256"),
    sqlite_strict=True,
)

revocations = Table(
    "revocations",
    metadata,
    Column("decision_id", ForeignKey("decisions.id"), primary_key=True),
    # How far many approvals have been revoked by one decision, in the order of its proposal.
    Column("total", Number, nullable=False),
    Column("done", Number, nullable=False, server_default=text("0")),  # fate: grows
    Column("already_ended", Number, nullable=False, server_default=text("0")),  # fate: grows
    Column("told", Number, nullable=False, server_default=text("0")),  # fate: grows
    Column("begun_at", Instant, nullable=False),
    Column("finished_at", Instant),  # fate
    CheckConstraint("0 <= told AND told <= done AND done <= total", name="in_order"),
    CheckConstraint("already_ended <= done", name="already_ended_are_done"),
    CheckConstraint("finished_at IS NULL OR told = total", name="finished_whole"),
    Index(None, "finished_at"),
    sqlite_strict=True,
)

revocation_outcomes = Table(
    "revocation_outcomes",
    metadata,
    Column("decision_id", ForeignKey("revocations.decision_id"), nullable=False),
    Column("approval", ForeignKey("approvals.identifier"), nullable=False),
    Column("ended_at", Instant),  # by this act; it had ended before where there is none
    PrimaryKeyConstraint("decision_id", "approval"),
    sqlite_strict=True,
)

orders = Table(
    "orders",
    metadata,
    Column("id", String, primary_key=True),
    *word("kind", OrderKind),
    *word("state", OrderState),  # fate
    Column("body", String, nullable=False),  # canonical JSON
    Column("body_sha256", String, nullable=False),
    Column("proposer", String, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("lapses_at", Instant, nullable=False),
    Column("closed_at", Instant),  # fate
    Column("outcome", String),  # fate
    is_sha256("body_sha256"),
    CheckConstraint(f"({among('state', *CLOSED_ORDER)}) = (closed_at IS NOT NULL)", name="closed_at_a_time"),
    Index(None, "state"),
    sqlite_strict=True,
)

order_authorisations = Table(
    "order_authorisations",
    metadata,
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    Column("officer", String, nullable=False),
    Column("statement_sha256", ForeignKey("authorisations.statement_sha256"), nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("order_id", "officer"),
    sqlite_strict=True,
)

rosters = Table(
    "rosters",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("members", String, nullable=False),  # canonical JSON
    Column("effective_at", Instant, nullable=False),
    Column("cause", String, nullable=False),
    Column("set_at", Instant, nullable=False),
    sqlite_strict=True,
)
"""A copy of what the authority remembers, so that web can refuse a wrong authorisation as a courtesy."""
