"""publish: a CRL of each issuing CA at every change and at least every twelve hours, through the gate or not at all.

A list is made from what the authority remembers (memory/), which the register cannot change: every certificate that has
expired, and every end that was proved and remembered (jobs/ends.py). Where the register says otherwise an alarm says
so, and the list is published all the same: nothing that has ended is ever left out of it.

If we die before the commit, the list never left the process; its number is remembered and not used again, and the last
good one stays.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from ca.clearance import Clearance
from ca.revocation import crl as lists
from ca.revocation import gate
from core.actors import AUTHORITY
from core.alarms import AlarmCode, first_of
from core.canonical import Json
from core.clauses import serves
from core.errors import PublicationRefused, WrongState
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.instants import seconds, text
from core.mirror import PublishedCrl
from core.status import Revoked
from jobs.aside import MOST_TOLD
from jobs.duty import Duty, later
from jobs.ends import make_expiries_final, may_still_count, statable_at
from jobs.hierarchy import in_service
from jobs.listed import Listing, every
from jobs.published import Previous, Refused, previous
from jobs.resting import said_by
from memory.records import Listed
from policy.profile import clear_crl
from ra.issuing import IssuingCa
from store.reading import approvals as approval_reading
from store.reading import journal, work
from store.transactions import Transaction
from store.verbs import artefacts, facts, receipts


def publish_if_due(duty: Duty, at: datetime) -> int:
    """Publish the CRL of each issuing CA of which something has ended since the last, or whose last grows old.

    Returns:
        How many lists were published.

    Raises:
        PublicationRefused: the gate found a problem; that is in the journal, and the last good list stays. No other
            CA's list waits for it.
    """
    dated = statable_at(duty, at)
    if dated is None:
        return 0
    with duty.read() as tx:
        served = in_service(duty, tx, dated)
    done, refused = 0, list[PublicationRefused]()
    for issuing in served:
        try:
            done += _publish_if_due(duty, issuing, dated)
        except PublicationRefused as error:
            refused.append(error)
    if refused:
        raise refused[0]
    return done


_LOOKED_AT = 5_000
"""Ends that are compared with the register's when a list is made; the next one goes on behind them (docs/adr/0048)."""


def _publish_if_due(duty: Duty, issuing: IssuingCa, at: datetime) -> bool:
    with duty.read() as tx:
        held, changed = _held(duty, tx, issuing, at)
    interval = duty.pace.crl_interval
    refused = duty.refused.get(issuing.key_id)
    if refused is not None and refused.stands(duty.memory, at):
        # Each list that is refused was signed, and is remembered: not one a second.
        raise PublicationRefused(number=refused.listed.number, detail=refused.detail)
    due = held is None or changed or at >= held.this_update + interval or duty.memory.unlisted(held, at)
    return publish(duty, issuing, at) if due else False


@serves("F2.31")
def publish(duty: Duty, issuing: IssuingCa, at: datetime) -> bool:
    """Make, gate and publish one CRL; False if the next turn must try again.

    What it will say is final in the register before it is signed: whoever would end one of its entries otherwise comes
    too late, and is told so.
    """
    make_expiries_final(duty, at)
    with duty.read() as tx:
        before = previous(duty.memory, tx, issuing.key_id, at)
        _notice_changed(duty, before.changed)
        listing = duty.kept.listing(duty.memory, issuing, before.listed, at)
        if any(may_still_count(duty, tx, each, at) for each in _acts_unsaid(duty, tx, issuing, listing, at)):
            return False  # the list would say that it expired: the end by an act, which is earlier, is proved first
        _notice_differences(duty, tx, at)
    newest = duty.memory.newest_list(issuing.key_id)
    # Strictly rising, also after a restore that forgot the last numbers: never below the clock's seconds.
    number = max(seconds(at), newest.number + 1 if newest else 1)
    with duty.read() as tx:
        number = work.free_crl_number(tx, issuing.key_id, number)
    order = lists.CrlOrder(
        issuer_der=issuing.der,
        number=number,
        this_update=at,
        next_update=later(at, duty.pace.crl_life),
        expired_certs_on_crl=issuing.not_before,
        entries=listing.entries,
    )
    listed, der = _signed(duty, order, issuing)
    problems = _problems(duty, issuing, der, order, before, settled=())
    if problems and (settled := duty.memory.settled()):
        problems = _problems(duty, issuing, der, order, before, settled=settled)
    if problems:
        duty.refused[issuing.key_id] = Refused(listed=listed, detail=" ".join(problems))
        _refuse(duty, number, problems, at)
        raise PublicationRefused(number=number, detail=" ".join(problems))
    duty.refused.pop(issuing.key_id, None)
    if not _commit(duty, issuing, order, der, listing, at):
        return False
    duty.kept.keep(listed, listing)
    return True


def _problems(
    duty: Duty,
    issuing: IssuingCa,
    der: bytes,
    order: lists.CrlOrder,
    before: Previous,
    *,
    settled: Collection[Serial],
) -> tuple[str, ...]:
    """Return what speaks against a list, by what is remembered: read again, and not what it was drafted from."""
    return gate.inspect(
        der,
        order=order,
        previous=before.der,
        register=lambda: every(duty.memory, issuing, order.this_update),
        at=order.this_update,
        settled=settled,
        since=duty.kept.since(duty.memory, issuing, before.listed, order.this_update),
    )


def _held(duty: Duty, tx: Transaction, issuing: IssuingCa, at: datetime) -> tuple[Listed | None, bool]:
    """Return the list in force, and whether the register has other bytes for a newer one, which is published anew.

    In force is the newest that was signed, that the register holds as it was, and that is not dated ahead of now. One
    that a wrong clock dated ahead counts as missing, and is made anew under a higher number.
    """
    newest = duty.memory.newest_list(issuing.key_id)
    last = work.last_crl(tx, issuing.key_id, with_bytes=False)
    if last is not None and (newest is None or last.number > newest.number):
        duty.notice(
            AlarmCode.LIST_UNKNOWN,
            f"The register holds CRL {last.number}, which this authority did not sign.",
            subject=issuing.key_id,
        )
    if newest is not None and newest.this_update > at and work.crl(tx, issuing.key_id, newest.number, with_bytes=False):
        return None, False
    found = duty.seen.published(duty.memory, tx, issuing, at)
    _notice_changed(duty, found.changed)
    return found.listed, bool(found.changed)


def _notice_changed(duty: Duty, changed: Iterable[Listed]) -> None:
    for each in changed:
        duty.notice(
            AlarmCode.REGISTER_CONTRADICTS,
            f"The register has other bytes for CRL {each.number} than were signed; it is published anew.",
            subject=f"crl {each.number}",
        )


def _signed(duty: Duty, order: lists.CrlOrder, issuing: IssuingCa) -> tuple[Listed, bytes]:
    drafted = lists.draft(order)
    cleared = clear_crl(drafted, order, duty.linted)
    if not isinstance(cleared, Clearance):
        told = " ".join(f"[{each.code}] {each.detail}" for each in cleared)
        raise PublicationRefused(number=drafted.number, detail=told)
    listed = Listed(
        key_id=issuing.key_id,
        number=order.number,
        this_update=order.this_update,
        next_update=order.next_update,
        count=drafted.entries,
        tbs_sha256=drafted.digest.hex(),
    )
    duty.memory.remember([listed], now=order.this_update)
    return listed, lists.sign(drafted, cleared, duty.keyring.issuing[issuing.key_id], issuing.der)


def _notice_differences(duty: Duty, tx: Transaction, at: datetime) -> None:
    """Say where the register has other ends than the authority remembers. The list says what is remembered.

    The register's word is about the certificates of every issuing CA, and is compared with what is remembered of all:
    a portion with each list, for ever; jobs/audit.py goes over all certificates meanwhile.
    """
    behind = duty.kept.looked
    remembered = duty.memory.entries(at, behind, _LOOKED_AT)
    to = remembered[-1].serial if len(remembered) == _LOOKED_AT else None
    duty.kept.looked = to or ""
    told = first_of(_differences(duty, remembered, approval_reading.ended(tx, at, behind, to)), MOST_TOLD)
    if told:
        duty.notice(AlarmCode.REGISTER_CONTRADICTS, told, subject="ends")


def _differences(duty: Duty, remembered: Iterable[Revoked], register: Iterable[Revoked]) -> Iterator[str]:
    for ours, theirs in joined(remembered, register):
        if ours is not None and theirs is None:
            yield f"Certificate {ours.serial} ended at {text(ours.at)}, and the register does not say so."
        elif ours is not None and theirs is not None and ours != theirs:
            yield f"Certificate {ours.serial} ended at {text(ours.at)}, and the register says {text(theirs.at)}."
        elif theirs is not None and ours is None and duty.memory.certificate(theirs.serial) is None:
            # One that is known and has ended only now is remembered with the next turn (jobs/ends.py).
            yield f"The register has certificate {theirs.serial}, which this authority did not sign."


def joined(ours: Iterable[Revoked], theirs: Iterable[Revoked]) -> Iterator[tuple[Revoked | None, Revoked | None]]:
    """Yield the entries of two lists side by side; both are in order of serials."""
    one, two = iter(ours), iter(theirs)
    first, second = next(one, None), next(two, None)
    while first is not None or second is not None:
        if second is None or (first is not None and first.serial < second.serial):
            yield first, None
            first = next(one, None)
        elif first is None or second.serial < first.serial:
            yield None, second
            second = next(two, None)
        else:
            yield first, second
            first, second = next(one, None), next(two, None)


def _commit(duty: Duty, issuing: IssuingCa, order: lists.CrlOrder, der: bytes, listing: Listing, at: datetime) -> bool:
    """Publish, unless another authority has published under this number meanwhile: then it is made anew."""
    made = PublishedCrl(
        key_id=issuing.key_id,
        number=order.number,
        this_update=order.this_update,
        next_update=order.next_update,
        entries=len(listing.entries),
        der=der,
    )
    try:
        with duty.begin("publish crl") as tx:
            artefacts.publish_crl(tx, made, at=at)
            now_listed = list(_listed_now(duty, tx, issuing, listing, at))
            artefacts.mark_listed(tx, now_listed, number=order.number)
            receipts.note_listed(tx, now_listed, number=order.number)
            said: dict[str, Json] = {"number": order.number, "key_id": issuing.key_id, "entries": made.entries}
            facts.record(
                tx, Fact(kind=FactKind.CRL_PUBLISHED, at=at, actor=AUTHORITY, subject=None, approvals=(), payload=said)
            )
    except WrongState:
        return False
    return True


def _acts_unsaid(
    duty: Duty, tx: Transaction, issuing: IssuingCa, listing: Listing, at: datetime
) -> Iterator[work.ClaimedEnd]:
    """Yield the ends by an act that the register claims, of certificates that a list would say have expired."""
    new = None if listing.since is None else [each.serial for each in listing.since.changed]
    for claim in work.acts_to_state(tx, at, new):
        known = duty.memory.certificate(claim.end.serial)
        if known is not None and known.issuer == issuing.key_id and known.not_after < at:
            yield claim


def _listed_now(duty: Duty, tx: Transaction, issuing: IssuingCa, listing: Listing, at: datetime) -> Iterator[Serial]:
    """Yield what the register holds for ended and unlisted, and this list has with the same end."""
    new = {each.serial: each for each in (() if listing.since is None else listing.since.changed)}
    for claim in work.to_be_listed(tx, at):
        if new.get(claim.end.serial) == claim.end:
            yield claim.end.serial
            continue
        known = duty.memory.certificate(claim.end.serial)
        if known is None or known.issuer != issuing.key_id:
            continue  # another CA's list has it
        if duty.memory.status(known, at) == claim.end:
            yield claim.end.serial


def _refuse(duty: Duty, number: int, problems: tuple[str, ...], at: datetime) -> None:
    """Journal a refusal once: while the same problems stand, every turn finds them again."""
    told: dict[str, Json] = {"number": number, "problems": list(problems)}
    with duty.read() as tx:
        last = journal.last_of(tx, FactKind.CRL_PUBLISHED, FactKind.CRL_REFUSED)
    if last is not None and said_by(last).get("problems") == told["problems"]:
        return
    with duty.begin("refuse crl") as tx:
        facts.record(
            tx, Fact(kind=FactKind.CRL_REFUSED, at=at, actor=AUTHORITY, subject=None, approvals=(), payload=told)
        )
