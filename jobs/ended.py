"""An issuing CA or a key of the responder is ended before its time: an operator's act, and for ever.

What a CA had certified proves nothing from that instant on: verification says so at once, no answer is shown, no list
and no answer is signed by it any more. Its last list stays for the record.
"""

from datetime import datetime

from core.actors import CONSOLE
from core.approval import RevocationReason
from core.canonical import Json
from core.errors import NoSuchThing
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.kinds import HierarchyRole
from core.status import open_at
from core.waiting import holding, waiting
from memory.memory import Memory
from memory.records import Ended
from store.reading import approvals
from store.reading import authority as reading
from store.transactions import Store
from store.verbs import authority as writing
from store.verbs import facts

_MOST_NAMED = 500
"""Approvals named in one fact."""


def end_issuing_ca(store: Store, memory: Memory, serial: Serial, at: datetime) -> bool:
    """End an issuing CA whose key somebody else may have; return whether it had not been.

    Raises:
        NoSuchThing: no issuing CA of this authority has that serial.
    """
    known = memory.certified(serial)
    if known is None or known.role is not HierarchyRole.ISSUING:
        raise NoSuchThing(kind="issuing CA with serial", identifier=serial)
    return end_in_hierarchy(store, memory, serial, RevocationReason.KEY_COMPROMISE, at)


def end_in_hierarchy(store: Store, memory: Memory, serial: Serial, reason: RevocationReason, at: datetime) -> bool:
    """End a certificate of the hierarchy before its time; return whether it had not been.

    From the memory on nothing is signed by its key. If we die there, the register does not say so yet; the next run
    writes the instant that is remembered.
    """
    stated = memory.end(serial)
    if stated is None:
        memory.remember([Ended(serial=serial, at=at, reason=reason)], now=at)
        stated = memory.end(serial)
    assert stated is not None, "it was remembered"
    with store.begin("end in hierarchy") as tx:
        if all(each.serial != serial for each in reading.certificates(tx)):
            return False  # it was never signed, or the register went back: the memory alone says so
        if not writing.end_certificate(tx, serial, at=stated.at, reason=stated.reason):
            return False
        said: dict[str, Json] = {"serial": serial, "reason": int(stated.reason)}
        # Every channel looks again at what the CA had certified.
        under = approvals.under(tx, serial)
        for first in range(0, max(1, len(under)), _MOST_NAMED):
            facts.record(
                tx,
                Fact(
                    kind=FactKind.AUTHORITY_CERTIFICATE_ENDED,
                    at=stated.at,
                    actor=CONSOLE,
                    subject=None,
                    approvals=tuple(under[first : first + _MOST_NAMED]),
                    payload=said,
                ),
            )
    return True


def in_force_under(store: Store, serial: Serial, at: datetime) -> list[str]:
    """Return the approvals that stand, of which what holds or waits is of an issuing CA, by its serial, in order."""
    with store.read() as tx:
        ended = reading.ends(tx)
        found = approvals.records(tx, approvals.under(tx, serial))
    since = next((each.at for each in ended if each.serial == serial), None)
    return [
        each.identifier
        for each in found
        if open_at(each, at)
        and since is not None
        and any(held.issuer_ended_at == since for held in (holding(each, at), *waiting(each, at)) if held is not None)
    ]
