"""publish: a CRL at every change and at least every twelve hours, through the gate or not at all.

If we die before the commit, the list never left the process and its number is not used; the last good one stays.
"""

import json
import logging
from collections.abc import Iterator
from datetime import datetime

from ca.clearance import Clearance
from ca.revocation import crl as lists
from ca.revocation import gate
from core.actors import AUTHORITY
from core.canonical import Json
from core.clauses import serves
from core.errors import PublicationRefused, WrongState
from core.facts import Fact, FactKind
from core.instants import seconds
from core.mirror import PublishedCrl
from core.status import Revoked
from jobs.duty import Duty, later
from policy.profile import clear_crl
from ra.issuing import IssuingCa, issuing_ca
from store.reading import approvals as approval_reading
from store.reading import journal, work
from store.transactions import Transaction
from store.verbs import artefacts, facts

_log = logging.getLogger(__name__)

_ATTEMPTS = 3
"""A revocation may commit while a list is made; it is then made anew, and the next turn tries again after that."""


def publish_if_due(duty: Duty, at: datetime) -> bool:
    """Publish the issuing CA's CRL if something has ended since the last, or the last grows old.

    Returns:
        Whether a list was published.

    Raises:
        PublicationRefused: the gate found a problem; that is in the journal, and the last good list stays.
    """
    with duty.store.read() as tx:
        issuing = issuing_ca(tx)
        last = work.last_crl(tx, issuing.key_id, with_bytes=False)
        due = last is None or at >= last.this_update + duty.pace.crl_interval or work.unlisted(tx, at)
    if not due:
        return False
    return publish(duty, issuing, at)


@serves("F2.31")
def publish(duty: Duty, issuing: IssuingCa, at: datetime) -> bool:
    """Make, gate and publish one CRL; False if the register kept moving and the next turn must try again."""
    problems: tuple[str, ...] = ()
    number = 0
    for _ in range(_ATTEMPTS):
        with duty.store.read() as tx:
            last = work.last_crl(tx, issuing.key_id, with_bytes=True)
            # Strictly rising, also after a restore that forgot the last numbers: never below the clock's seconds.
            number = max(seconds(at), last.number + 1 if last else 1)
            order = _order(duty, issuing, number, at, entries=approval_reading.ended(tx, at))
            drafted = lists.draft(order)
        der = _signed(duty, drafted, order, issuing)
        with duty.store.read() as tx:
            problems = gate.inspect(
                der,
                order=order,
                previous=last.der if last else None,
                register=approval_reading.ended(tx, at),
                at=at,
            )
        if not problems and _commit(duty, issuing, order, der, drafted.entries, at):
            return True
    if problems:
        _refuse(duty, number, problems, at)
        raise PublicationRefused(number=number, detail=" ".join(problems))
    return False


def _order(duty: Duty, issuing: IssuingCa, number: int, at: datetime, *, entries: Iterator[Revoked]) -> lists.CrlOrder:
    return lists.CrlOrder(
        issuer_der=issuing.der,
        number=number,
        this_update=at,
        next_update=later(at, duty.pace.crl_life),
        expired_certs_on_crl=issuing.not_before,
        entries=entries,
    )


def _signed(duty: Duty, drafted: lists.CrlDraft, order: lists.CrlOrder, issuing: IssuingCa) -> bytes:
    cleared = clear_crl(drafted, order)
    if not isinstance(cleared, Clearance):
        told = " ".join(f"[{each.code}] {each.detail}" for each in cleared)
        raise PublicationRefused(number=drafted.number, detail=told)
    return lists.sign(drafted, cleared, duty.keyring.issuing[issuing.key_id], issuing.der)


def _commit(duty: Duty, issuing: IssuingCa, order: lists.CrlOrder, der: bytes, entries: int, at: datetime) -> bool:
    """Publish exactly what the register holds now, or nothing: a revocation in between makes the list stale."""
    published = PublishedCrl(
        key_id=issuing.key_id,
        number=order.number,
        this_update=order.this_update,
        next_update=order.next_update,
        entries=entries,
        der=der,
    )
    try:
        with duty.begin("publish crl") as tx:
            artefacts.publish_crl(tx, published, at=at)
            artefacts.mark_listed(tx, number=order.number, at=at)
            _require_all_listed(tx, order.number, entries)
            said: dict[str, Json] = {"number": order.number, "key_id": issuing.key_id, "entries": entries}
            facts.record(
                tx, Fact(kind=FactKind.CRL_PUBLISHED, at=at, actor=AUTHORITY, subject=None, approvals=(), payload=said)
            )
    except WrongState as moved:
        _log.info("CRL %s is made anew: %s", order.number, moved)
        return False
    return True


def _require_all_listed(tx: Transaction, number: int, entries: int) -> None:
    listed = work.listed(tx)
    if listed != entries:
        raise WrongState(kind="Register", identifier=number, state=listed, needed=entries)


def _refuse(duty: Duty, number: int, problems: tuple[str, ...], at: datetime) -> None:
    """Journal a refusal once: while the same problems stand, every turn finds them again."""
    told: dict[str, Json] = {"number": number, "problems": list(problems)}
    with duty.store.read() as tx:
        last = journal.last_of(tx, FactKind.CRL_PUBLISHED, FactKind.CRL_REFUSED)
    if last is not None and json.loads(last.payload).get("problems") == told["problems"]:
        return
    with duty.begin("refuse crl") as tx:
        facts.record(
            tx, Fact(kind=FactKind.CRL_REFUSED, at=at, actor=AUTHORITY, subject=None, approvals=(), payload=told)
        )
