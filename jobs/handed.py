"""What an operator hands in after a restore: certificates, lists and exported journals, each believed as far as our own
keys go and no further.

A certificate counts if an issuing CA of ours signed it and the lint finds nothing; a list if its CA signed it; a fact
of a journal if a head that our journal key signed covers it. Everything else is refused, with its file's name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ca.certificates import signature_holds, signed_by, tbs_of
from ca.clearance import Clearance
from ca.draft import again
from ca.issuer.order import Order
from ca.issuer.read import key_sha256, order_in
from ca.revocation.crl import tbs_sha256 as list_sha256
from ca.revocation.published import read_published
from core.approval import EndCause
from core.canonical import read_json
from core.chain import GENESIS, SealedRow, head_statement, link
from core.errors import HandedIn
from core.facts import FactKind
from core.handed import Handed, Journal
from core.identifiers import Serial
from core.instants import parse
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate
from core.status import REASON_OF, Revoked
from jobs.keyring import Keyring
from memory.memory import Memory
from memory.records import Listed, WillSign
from policy.profile import clear_certificate


@dataclass(frozen=True, kw_only=True)
class People:
    """Who decided, as a sealed fact of a journal says it; empty where none does.

    Args:
        proposer, seconder: their names.
        signed: whether the proposer is known by what they signed.
    """

    proposer: str = ""
    seconder: str = ""
    signed: bool = False


@dataclass(kw_only=True)
class Learned:
    """What the files prove.

    Args:
        certificates: by serial: the record that would have been written, and the certificate.
        ends: by serial: each end that is stated or proved, with the name of its file.
        lists: published lists, in order of their numbers.
        named: serials that lists and facts name, each with the name of the file.
        causes: of approvals that were ended: by whom, and why.
        people: by decision.
    """

    certificates: dict[Serial, tuple[WillSign, bytes]] = field(default_factory=dict)
    ends: dict[Serial, tuple[Revoked, str]] = field(default_factory=dict)
    lists: list[Listed] = field(default_factory=list)
    named: dict[Serial, str] = field(default_factory=dict)
    causes: dict[str, tuple[EndCause, str]] = field(default_factory=dict)
    people: dict[str, People] = field(default_factory=dict)


def learn(
    handed: Handed, memory: Memory, keyring: Keyring, hierarchy: Sequence[AuthorityCertificate], at: datetime
) -> Learned:
    """Return what files prove; nothing is written.

    Args:
        handed: the files.
        memory: the authority's, which says what a journal has to agree with.
        keyring: its keys; nothing is signed.
        hierarchy: certificates of the hierarchy that are remembered.
        at: now.

    Raises:
        HandedIn: a file proves nothing, with its reason.
    """
    learned = Learned()
    issuing = [each for each in hierarchy if each.role is HierarchyRole.ISSUING]
    for name, der in handed.certificates.items():
        record = _certificate(name, der, issuing, keyring)
        learned.certificates[record.serial] = (record, der)
    for name, der in handed.lists.items():
        _take_list(learned, name, der, hierarchy, at)
    learned.lists.sort(key=lambda each: each.number)
    for name, journal in handed.journals.items():
        for row in _proved(name, journal, memory, keyring):
            _take_fact(learned, memory, name, row)
    return learned


def remembered_again(tbs: bytes, serial: Serial, keyring: Keyring, above: AuthorityCertificate) -> Order:
    """Return what remembered bytes say; ValueError if they are none of ours."""
    return order_in(again(serial, tbs, keyring.issuing[above.key_id].public_key).preview, keyring.profile, above.der)


def _certificate(name: str, der: bytes, issuing: Iterable[AuthorityCertificate], keyring: Keyring) -> WillSign:
    above = next((each for each in issuing if signed_by(der, each.der)), None)
    if above is None:
        raise HandedIn(file=name, detail="no issuing CA of ours signed this certificate")
    try:
        order = order_in(der, keyring.profile, above.der)
    except ValueError as error:
        raise HandedIn(file=name, detail=str(error)) from error
    record = WillSign(
        serial=order.serial,
        approval=order.approval,
        issue=order.issue,
        device=order.device.key,
        key_sha256=key_sha256(order),
        not_before=order.not_before,
        not_after=order.not_after,
        issuer=above.key_id,
        tbs=tbs_of(der),
        decision="",
        proposal_sha256=order.proposal_digest.hex(),
    )
    cleared = clear_certificate(
        again(order.serial, record.tbs, keyring.issuing[above.key_id].public_key), order, keyring.profile, stored=True
    )
    if not isinstance(cleared, Clearance):
        raise HandedIn(file=name, detail=" ".join(each.detail for each in cleared))
    return record


def _take_list(
    learned: Learned, name: str, der: bytes, hierarchy: Sequence[AuthorityCertificate], at: datetime
) -> None:
    for ca in hierarchy:
        if ca.role is HierarchyRole.RESPONDER:
            continue
        try:
            said = read_published(der, ca.der)
        except ValueError:
            continue
        if said.this_update > at:
            raise HandedIn(file=name, detail="this list is dated ahead of now")
        learned.lists.append(
            Listed(
                key_id=ca.key_id,
                number=said.number,
                this_update=said.this_update,
                next_update=said.next_update,
                count=len(said.entries),
                tbs_sha256=list_sha256(der),
            )
        )
        for entry in said.entries:
            learned.ends.setdefault(entry.serial, (entry, name))
            learned.named.setdefault(entry.serial, name)
        return
    raise HandedIn(file=name, detail="no CA of ours signed this list")


def _proved(name: str, journal: Journal, memory: Memory, keyring: Keyring) -> list[SealedRow]:
    """Return the rows that a head of ours covers."""
    whose = keyring.profile.journal_name
    if journal.name != whose:
        raise HandedIn(file=name, detail="it is another authority's journal")
    links, digest = [GENESIS], GENESIS
    for expected, row in enumerate(journal.rows, 1):
        if row.number != expected:
            raise HandedIn(file=name, detail=f"row {expected} is missing")
        try:
            digest = link(digest, row)
        except ValueError:  # a number that JSON does not carry exactly: nothing of ours was linked so
            raise HandedIn(file=name, detail=f"row {expected} cannot be linked") from None
        links.append(digest)
    covered = 0
    for number, digest, signature in journal.heads:
        if 0 < number < len(links) and links[number] == digest and number > covered:
            statement = head_statement(whose, number, digest)
            covered = number if signature_holds(keyring.journal.public_key, statement, signature) else covered
    if not covered:
        raise HandedIn(file=name, detail="no head of ours covers a row of it")
    known = memory.head
    if known.number <= covered and links[known.number] != known.link:
        raise HandedIn(file=name, detail=f"its row {known.number} is not the one that this authority has sealed")
    return list(journal.rows[:covered])


def _take_fact(learned: Learned, memory: Memory, name: str, row: SealedRow) -> None:
    try:
        said: dict[str, Any] = read_json(row.payload)
        kind = FactKind(row.kind)
    except ValueError:
        return  # nested without end, or of a release that is newer and has more kinds; it proves nothing here
    match kind:
        case FactKind.CERTIFICATE_REVOKED:
            cause = EndCause(said["cause"])
            serial = Serial(said["serial"])
            end = Revoked(serial=serial, at=parse(row.at), reason=REASON_OF[cause])
            known = memory.end(serial)
            # A list says the invalidity date too, and is the better word.
            if known is None:
                learned.ends.setdefault(serial, (end, name))
            learned.named.setdefault(serial, name)
        case FactKind.CERTIFICATE_ISSUED:
            learned.named.setdefault(Serial(said["serial"]), name)
        case FactKind.APPROVAL_REVOKED | FactKind.APPROVAL_WITHDRAWN:
            learned.causes[str(row.subject)] = (EndCause(said["cause"]), row.actor)
        case FactKind.DECISION_PROPOSED if _by_name_alone(memory, row):
            learned.people.setdefault(str(row.subject), People(proposer=row.actor))
        case FactKind.DECISION_AUTHORISED:
            # Anybody with a credential may have written that they proposed; this rests upon what an officer signed.
            before = learned.people.get(str(row.subject), People())
            if not before.signed:
                learned.people[str(row.subject)] = replace(before, proposer=row.actor, signed=True)
        case FactKind.DECISION_SECONDED:
            before = learned.people.get(str(row.subject), People())
            learned.people[str(row.subject)] = replace(before, seconder=row.actor)
        case _:
            pass


def _by_name_alone(memory: Memory, row: SealedRow) -> bool:
    """Return whether a row was sealed before officers signed for what they propose."""
    return memory.newest_roster is None or row.number <= memory.sealed_before_rosters
