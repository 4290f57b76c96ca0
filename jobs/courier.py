"""The courier: tells subscribers what happened, in the journal's sealed order, until each has heard it.

It reads with a cursor and holds no private key. A delivery is signed with an HMAC under a secret that subscriber and
courier share. If we die between a delivery and the cursor's move, the same delivery is made again: its `number` tells
the subscriber that it knows it already.
"""

import hashlib
import hmac
import http.client
import logging
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.canonical import canonical
from core.errors import StoreUnavailable
from core.facts import FactKind
from store.reading import journal
from store.transactions import Store
from store.verbs import sealing

_log = logging.getLogger(__name__)

TOLD = frozenset(
    {
        FactKind.APPROVAL_GRANTED,
        FactKind.CERTIFICATE_ISSUED,
        FactKind.CERTIFICATE_REVOKED,
        FactKind.CERTIFICATE_SUPERSEDED,
        FactKind.APPROVAL_REVOKED,
        FactKind.APPROVAL_WITHDRAWN,
        FactKind.APPROVAL_EXPIRED,
        FactKind.CRL_PUBLISHED,
    }
)
"""What subscribers hear of: what happened to approvals and lists; never who did it, never a reason in words."""

SIGNATURE_HEADER = "Trialcpa-Signature"
TIMEOUT_SECONDS = 10
IDLE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 300.0
_PORTION = 200


@dataclass
class Subscriber:
    """One webhook.

    Args:
        url: where to post.
        secret: of the HMAC.
    """

    url: str
    secret: bytes
    failures: int = 0

    @property
    def reader(self) -> str:
        """The name of its cursor: one for each address."""
        return f"webhook {hashlib.sha256(self.url.encode()).hexdigest()[:32]}"


@dataclass
class Courier:
    """The courier process.

    Args:
        store: the register.
        subscribers: whom it tells.
    """

    store: Store
    subscribers: list[Subscriber]

    def run(self, stopping: threading.Event) -> None:
        """Deliver until `stopping` is set; a subscriber that fails is tried again after a growing pause."""
        while not stopping.is_set():
            try:
                delivered = sum(self.deliver(each) for each in self.subscribers)
            except StoreUnavailable as error:
                _log.warning("%s", error)
                delivered = 0
            pause = IDLE_SECONDS * 2 ** min(max((each.failures for each in self.subscribers), default=0), 16)
            if not delivered:
                stopping.wait(min(pause, LONGEST_PAUSE_SECONDS))

    def deliver(self, subscriber: Subscriber) -> int:
        """Deliver one portion in order; return how many rows the subscriber has now heard or need not hear."""
        with self.store.read() as tx:
            seen = journal.cursor(tx, subscriber.reader)
            rows = journal.sealed_after(tx, seen, _PORTION)
        done = seen
        for each in rows:
            if each.row.kind in TOLD and not _post(subscriber, _body(each)):
                subscriber.failures += 1
                break
            subscriber.failures = 0
            done = each.row.number
        if done > seen:
            with self.store.begin("move cursor") as tx:
                sealing.advance_cursor(tx, subscriber.reader, expected=seen, to=done)
        return done - seen


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET without its body, and somebody else's 200 would count as heard."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing: the 3xx is a refusal."""


_OPENER = urllib.request.build_opener(_NoRedirect)


def _body(sealed: journal.Sealed) -> bytes:
    row = sealed.row
    return canonical(
        {
            "number": row.number,
            "kind": row.kind,
            "at": row.at,
            "subject": row.subject,
            "approvals": list(sealed.approvals),
        }
    )


def _post(subscriber: Subscriber, body: bytes) -> bool:
    if urlsplit(subscriber.url).scheme not in {"http", "https"}:
        return False
    digest = hmac.new(subscriber.secret, body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at above
        subscriber.url,
        data=body,
        headers={"Content-Type": "application/json", SIGNATURE_HEADER: f"sha256={digest}"},
        method="POST",
    )
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as reply:
            return 200 <= int(reply.status) < 300
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        _log.warning("%s was not told: %s", subscriber.url, error)
        return False
