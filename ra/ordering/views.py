"""What officers are answered when they order something of the authority, and look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.kinds import OrderKind, OrderState
from ra.views import Page


@dataclass(frozen=True, kw_only=True)
class OrderProposed:
    """An order is written down; nothing comes of it before it is authorised.

    Args:
        body: what is ordered, whose canonical form (RFC 8785) has the digest `body_sha256`, which is signed for.
        officers: how many have to authorise it.
        lapses_at: until when.
    """

    order: str
    kind: OrderKind
    body: dict[str, Any]
    body_sha256: str
    officers: int
    lapses_at: datetime


@dataclass(frozen=True, kw_only=True)
class OrderAuthorised:
    """An officer has authorised an order.

    Args:
        officers_wanting: how many more have to, as the register knows; the authority counts by itself.
    """

    order: str
    kind: OrderKind
    authorised_by: str
    authorised_at: datetime
    officers_wanting: int


@dataclass(frozen=True, kw_only=True)
class OrderSignerAnswer:
    """Who has authorised an order.

    Args:
        authorisation: the digest of their statement, hex.
        counts: whether they are among those who count, as the register knows: on the roster, and not concerned.
    """

    officer: str
    at: datetime
    authorisation: str
    counts: bool


@dataclass(frozen=True, kw_only=True)
class OrderAnswer:
    """An order.

    Args:
        body: what is ordered, whose canonical form (RFC 8785) has the digest `body_sha256`.
        in_words: the same, a sentence each.
        outcome: what became of it; null while it waits.
    """

    order: str
    kind: OrderKind
    state: OrderState
    body: dict[str, Any]
    body_sha256: str
    in_words: Sequence[str]
    officers: int
    authorised_by: Sequence[OrderSignerAnswer]
    proposer: str
    proposed_at: datetime
    lapses_at: datetime
    closed_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, kw_only=True)
class OrderPage(Page):
    """One page of orders, oldest first."""

    orders: tuple[OrderAnswer, ...]
