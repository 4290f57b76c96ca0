"""The same request sent twice has the effect and the outcome of one (Idempotency-Key)."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from core.actors import Actor
from core.canonical import canonical
from core.errors import BodyMalformed, OutcomeUnreadable
from ra.bounds import require_act
from ra.desk import Desk
from ra.views import document, view_of
from store.transactions import Transaction
from store.verbs import idempotency

V = TypeVar("V")

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True)
class RequestKey:
    """An Idempotency-Key with the digest of the request it came with.

    Args:
        key: as sent, 1 to 200 visible ASCII characters.
        request_sha256: hex digest of operation and body.
    """

    key: str
    request_sha256: str

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise BodyMalformed(detail="Idempotency-Key must have 1 to 200 visible ASCII characters")


def nth(request: RequestKey | None, place: int) -> RequestKey | None:
    """Return the key of one act of a batch: sent again, each act of it is recognised by itself."""
    if request is None:
        return None
    return RequestKey(hashlib.sha256(f"{request.key} {place}".encode()).hexdigest(), request.request_sha256)


def once(
    desk: Desk,
    tx: Transaction,
    actor: Actor,
    request: RequestKey | None,
    kind: type[V],
    act: Callable[[], V],
    *,
    at: datetime,
) -> V:
    """Do an act, or return the outcome of the same request if it was handled before.

    Args:
        desk: where; its rules say how much an organisation may do.
        tx: the transaction of the act; the outcome is kept in it.
        actor: who asks; an Idempotency-Key is its credential's own.
        request: the key, if one was sent.
        kind: the view that the act answers with.
        act: the act; what it raises comes through, and nothing is kept.
        at: now.

    Raises:
        IdempotencyKeyReused: the key came with another request before.
        TooMuchToday: the actor's organisation has done as much as it may.
    """
    wait_for_the_same(tx, actor, request)
    outcome = earlier(tx, actor, request, kind)
    if outcome is None:
        require_act(tx, desk.rules.bounds, actor, at=at)
        outcome = act()
        remember(tx, actor, request, outcome, at=at)
    return outcome


def wait_for_the_same(tx: Transaction, actor: Actor, request: RequestKey | None) -> None:
    """Wait until the same request, if it is being handled at this moment, has been: then its outcome can be told.

    The first thing that the transaction of the act holds: whoever asked what it changes before would find it changed.
    """
    if request is not None and actor.credential is not None:
        idempotency.hold(tx, actor.credential, request.key)


def earlier(tx: Transaction, actor: Actor, request: RequestKey | None, kind: type[V]) -> V | None:
    """Return the outcome of the same request, if it was handled before.

    It may have been kept by an earlier release: a member that a view has gained since has a default for what was kept
    without it (tests/test_repeat.py holds what each release kept).

    Raises:
        IdempotencyKeyReused: it was another request.
        OutcomeUnreadable: what is kept is no such outcome.
    """
    if request is None or actor.credential is None:
        return None
    kept = idempotency.outcome_of(tx, actor.credential, request.key, request.request_sha256)
    try:
        return None if kept is None else view_of(kind, kept)
    except ValueError as error:
        raise OutcomeUnreadable from error


def remember(tx: Transaction, actor: Actor, request: RequestKey | None, outcome: object, *, at: datetime) -> None:
    """Keep the outcome of a request, a view, with its key, in the transaction of the act."""
    if request is not None and actor.credential is not None:
        written = canonical(document(outcome)).decode()
        idempotency.keep(tx, actor.credential, request.key, request.request_sha256, outcome=written, at=at)
