"""The courier: tells subscribers what happened, in the journal's sealed order, until each has heard it; and runs the
errands that bring words to people: notices, reminders.

It reads with a cursor and holds no private key. A delivery is signed with an HMAC under a secret that subscriber and
courier share. If we die between a delivery and the cursor's move, the same delivery is made again: its `number` tells
the subscriber that it knows it already.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.canonical import canonical
from core.errors import StoreUnavailable, TrialCpaError
from core.facts import FactKind
from jobs.errand import Errand, whereabouts
from jobs.webhook import SIGNATURE_HEADER, Subscriber, post
from store.reading import journal
from store.transactions import Store
from store.verbs import sealing

__all__ = ["SIGNATURE_HEADER", "TOLD", "Courier", "Subscriber"]

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

IDLE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 300.0
_PORTION = 200


@dataclass
class Courier:
    """The courier process.

    Args:
        store: the register.
        subscribers: whom it tells.
        errands: what else it does, in order.
    """

    store: Store
    subscribers: list[Subscriber]
    errands: Sequence[Errand] = ()
    _quiet_until: dict[str, float] = field(default_factory=dict, init=False)

    def run(self, stopping: threading.Event) -> None:
        """Deliver until `stopping` is set; a subscriber that fails is tried again after a growing pause.

        Nobody waits for somebody else: not a subscriber for one that fails, and no notice for either.
        """
        while not stopping.is_set():
            done = sum(self._tell(each) for each in self.subscribers) + sum(map(self._run, self.errands))
            if not done:
                stopping.wait(IDLE_SECONDS)

    def deliver(self, subscriber: Subscriber) -> int:
        """Deliver one portion in order; return how many rows the subscriber has now heard or need not hear."""
        with self.store.read() as tx:
            seen = journal.cursor(tx, subscriber.reader)
            rows = journal.sealed_after(tx, seen, _PORTION)
        done = seen
        for each in rows:
            if each.row.kind in TOLD:
                why = post(subscriber, _body(each))
                if why is not None:
                    _log.warning("%s was not told: %s", subscriber.address, why)
                    subscriber.failures += 1
                    break
            subscriber.failures = 0
            done = each.row.number
        if done > seen:
            with self.store.begin("move cursor") as tx:
                sealing.advance_cursor(tx, subscriber.reader, expected=seen, to=done)
        return done - seen

    def _tell(self, subscriber: Subscriber) -> int:
        now = time.monotonic()
        if now < self._quiet_until.get(subscriber.reader, now):
            return 0
        try:
            told = self.deliver(subscriber)
        except StoreUnavailable as error:
            _log.warning("%s", error)
            return 0
        if subscriber.failures:
            pause = IDLE_SECONDS * 2 ** min(subscriber.failures, 16)
            self._quiet_until[subscriber.reader] = now + min(pause, LONGEST_PAUSE_SECONDS)
        return told

    def _run(self, errand: Errand) -> int:
        try:
            return errand.turn()
        except TrialCpaError as error:
            _log.warning("%s", error)
        except Exception as error:  # noqa: BLE001 - one errand that fails must not end the others
            _log.error("an errand failed: %s", whereabouts(error))
        return 0  # the next turn tries again


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
