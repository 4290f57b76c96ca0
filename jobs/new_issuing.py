"""A second and every later issuing CA, on the authority's side: its key is made and asked for, and what comes back is
accepted.

The root's key is elsewhere, so the signature that everything waits for is made on another machine: what is to be signed
is remembered before the request leaves, and nothing else is accepted. At whichever step this dies, the same command
goes on where it was.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from ca.certificates import issuer, public_key_in, serial_in, signed_by, tbs_sha256
from ca.clearance import Clearance
from ca.draft import Draft, again
from ca.hierarchy import issuing_draft
from ca.revocation import crl as lists
from ca.revocation.published import read_published
from core.carried import RootRequest, RootResponse, WantedCertificate, possession_statement
from core.errors import RootResponseRefused, RulesRefused, WrongState
from core.identifiers import Serial, new_serial
from core.instants import text
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate, PublishedCrl
from jobs.ended import end_issuing_ca
from jobs.hierarchy import held_of, intend, record, remembered
from jobs.keyring import key_files, next_number, profile_begun
from jobs.published import previous
from jobs.recall import require_not_behind
from jobs.root_list import record_root_list, root_list, root_of
from keys.ceremony import issuing_file
from keys.place import KeyPlace
from keys.signer import Signer
from memory.memory import Memory
from memory.records import Hierarchy
from policy.profile import clear_hierarchy
from store.reading import authority as reading
from store.reading import work
from store.reading.watching import doubts_clock
from store.transactions import Store, Transaction


@dataclass(frozen=True, kw_only=True)
class AcceptedResponse:
    """What was recorded of a response.

    Args:
        certificate: of the new issuing CA; None if there was none in it, or it was recorded before.
        published: the root's list; None if there was none in it, or a newer one is published.
    """

    certificate: AuthorityCertificate | None
    published: PublishedCrl | None


def request_issuing_ca(
    store: Store, memory: Memory, place: KeyPlace, longest_trial: timedelta, at: datetime, *, anew: bool = False
) -> RootRequest:
    """Make the key of the next issuing CA, remember what is to be certified, and return the request for the root.

    Run again before the response was accepted it gives the same bytes to be signed. If we die behind the key, the next
    run opens it; behind the memory, it asks for what is remembered there.

    Args:
        store: the register.
        memory: of the authority.
        place: where the key goes.
        longest_trial: how much longer the CA lives than it issues.
        at: now.
        anew: ask for other dates, beginning with today, for the key that waits for its certificate.

    Raises:
        WrongState: the authority doubts its clock.
        RegisterUnproved: the register does not hold the root that this authority began with.
        KeyUnusable: the key cannot be made, or opened.
        RulesRefused: the lint found something.
        DraftImpossible: the root ends before it.
    """
    with store.read() as tx:
        require_clock(tx)
        require_not_behind(tx, memory)
        root = root_of(memory, tx)
        waiting = _waiting(memory, tx, at)
        listed = previous(memory, tx, root.key_id, at).der
    if waiting is None or anew:
        number = _number(memory, waiting)
        signer: Signer = place.made(issuing_file(number))
        profile = profile_begun(memory.begun)
        draft = issuing_draft(
            profile, root.der, signer.public_key, new_serial(), at, longest_trial=longest_trial, number=number
        )
        cleared = clear_hierarchy(draft, HierarchyRole.ISSUING, profile, root.der, at=at)
        if not isinstance(cleared, Clearance):
            raise RulesRefused(cleared)
        waiting = remembered(HierarchyRole.ISSUING, draft)
        memory.remember([waiting], now=at)
    else:
        signer = place.opened(key_files(memory)[waiting.key_sha256])
        draft = again(waiting.serial, waiting.tbs, issuer(root.der).public_key)
    _intend(store, draft, at)
    proof = signer.sign(possession_statement(waiting.tbs))
    return _request(memory, root, listed, at, WantedCertificate(tbs=waiting.tbs, proof=proof))


def compromised_issuing_ca(
    store: Store, memory: Memory, place: KeyPlace, serial: Serial, longest_trial: timedelta, at: datetime
) -> RootRequest:
    """End an issuing CA whose key somebody else may have; return the request for its end and for the one after it.

    The end is taken first, whatever becomes of the rest. Run again, it asks for the same.

    Args:
        store: the register.
        memory: of the authority.
        place: where the key of the next one goes.
        serial: of the CA.
        longest_trial: how much longer the next one lives than it issues.
        at: now.

    Raises:
        NoSuchThing: no issuing CA of this authority has that serial.
        WrongState, RegisterUnproved, KeyUnusable, RulesRefused, DraftImpossible: as of `request_issuing_ca`.
    """
    end_issuing_ca(store, memory, serial, at)
    return request_issuing_ca(store, memory, place, longest_trial, at)


def accept_response(
    store: Store, memory: Memory, place: KeyPlace, response: RootResponse, at: datetime
) -> AcceptedResponse:
    """Compare what came back from the root with what was asked for, and record it: its list first, then the CA.

    If we die between the two, the list is published and the CA waits; accepting again goes on there.

    Args:
        store: the register.
        memory: of the authority.
        place: where the new CA's key lies.
        response: as it was carried back.
        at: now.

    Raises:
        RootResponseRefused: it is not what was asked for, or the root did not sign it.
        KeyUnusable: the key that is certified cannot be opened.
        PublicationRefused: the list is not one that follows the last.
    """
    with store.read() as tx:
        require_not_behind(tx, memory)
        root = root_of(memory, tx)
        recorded = {each.serial for each in held_of(memory, tx, HierarchyRole.ISSUING)}
    wanted = None if response.certificate is None else _wanted(memory, place, root, response.certificate)
    published = None if response.newest_list is None else _accept_list(store, memory, root, response.newest_list, at)
    if wanted is None or response.certificate is None or wanted.serial in recorded:
        return AcceptedResponse(certificate=None, published=published)
    _intend(store, wanted, at)
    record(store.begin, HierarchyRole.ISSUING, wanted, response.certificate, at)
    with store.read() as tx:
        every = reading.certificates(tx, HierarchyRole.ISSUING)
    certificate = next(each for each in every if each.serial == wanted.serial)
    return AcceptedResponse(certificate=certificate, published=published)


def require_clock(tx: Transaction) -> None:
    """Raise WrongState while the authority doubts its clock: nothing is dated by it that lasts for years."""
    if doubts_clock(tx):
        raise WrongState(kind="The", identifier="clock", state="doubted", needed="believed (trialcpa clock accept)")


def _waiting(memory: Memory, tx: Transaction, at: datetime) -> Hierarchy | None:
    """Return the issuing CA that was asked for last, if it is not recorded, holds, and was not ended meanwhile."""
    recorded = {each.serial for each in held_of(memory, tx, HierarchyRole.ISSUING)}
    lacking = [each for each in memory.hierarchy_records(HierarchyRole.ISSUING) if each.serial not in recorded]
    held = [each for each in lacking if each.not_before <= at < each.not_after and memory.end(each.serial) is None]
    return held[-1] if held else None


def _number(memory: Memory, waiting: Hierarchy | None) -> int:
    """Return the number of the CA that is asked for: that of the key that waits, or the next."""
    if waiting is None:
        return next_number(memory, HierarchyRole.ISSUING)
    keys = dict.fromkeys(each.key_sha256 for each in memory.hierarchy(HierarchyRole.ISSUING))
    return 1 + list(keys).index(waiting.key_sha256)


def _request(
    memory: Memory, root: AuthorityCertificate, listed: bytes | None, at: datetime, wanted: WantedCertificate
) -> RootRequest:
    begun = memory.begun
    return RootRequest(
        environment=begun.environment,
        name=begun.name,
        arc=begun.arc,
        base_url=begun.base_url,
        organisation=begun.organisation,
        at=at,
        root=root.der,
        newest_list=listed,
        certificate=wanted,
        ended=tuple(memory.root_entries(at)),
    )


def _intend(store: Store, draft: Draft, at: datetime) -> None:
    with store.read() as tx:
        written = {each.serial for each in reading.intended(tx, HierarchyRole.ISSUING)}
        written |= {each.serial for each in reading.certificates(tx, HierarchyRole.ISSUING)}
    if draft.serial not in written:
        intend(store.begin, HierarchyRole.ISSUING, draft, at)


def _wanted(memory: Memory, place: KeyPlace, root: AuthorityCertificate, der: bytes) -> Draft:
    """Return what was asked for, if it is this certificate: its bytes, the root's signature, and the key at hand."""
    asked = {each.serial: each for each in memory.hierarchy_records(HierarchyRole.ISSUING)}
    meant = asked.get(serial_in(der) or Serial(""))
    if meant is None or hashlib.sha256(meant.tbs).hexdigest() != tbs_sha256(der):
        raise RootResponseRefused(detail="its certificate is not the one that was asked for")
    if not signed_by(der, root.der):
        raise RootResponseRefused(detail="the root did not sign its certificate")
    if memory.end(meant.serial) is not None:
        raise RootResponseRefused(detail="the CA was ended before its certificate came")
    held = place.opened(key_files(memory)[meant.key_sha256])
    if held.public_key != public_key_in(der):
        raise RootResponseRefused(detail="the key in the keys' folder is another than the one that was certified")
    return again(meant.serial, meant.tbs, issuer(root.der).public_key)


def _accept_list(
    store: Store, memory: Memory, root: AuthorityCertificate, der: bytes, at: datetime
) -> PublishedCrl | None:
    """Publish the root's list, unless it is, or a newer one is."""
    try:
        said = read_published(der, root.der)
    except ValueError as error:
        raise RootResponseRefused(detail=f"its list cannot be read: {error}") from error
    if said.this_update > at:
        raise RootResponseRefused(detail=f"its list is dated {text(said.this_update)}, ahead of this clock")
    # Everything in it follows from these values and from what is remembered: what differs in one octet is another list.
    made = root_list(root.der, said.number, memory.root_entries(said.this_update), said.this_update)
    if made.listed.tbs_sha256 != lists.tbs_sha256(der):
        raise RootResponseRefused(detail="its list does not say what this authority remembers of its issuing CAs")
    newest = memory.newest_list(root.key_id)
    if newest is not None and newest.number > said.number:
        return None
    with store.read() as tx:
        before = previous(memory, tx, root.key_id, at).der
        if work.crl(tx, root.key_id, said.number, with_bytes=False) is not None:
            return None
    published = made.gated(der, before, at)
    # If we die behind the memory, the list is known and not published; accepting again publishes it.
    if newest != made.listed:
        memory.remember([made.listed], now=at)
    with store.begin("publish root crl") as tx:
        record_root_list(tx, published, at)
    return published
