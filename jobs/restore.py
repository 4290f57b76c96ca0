"""restore: an operator accepts a register that a backup brought back, and what it lost comes back first.

A backup that is put back forgets approvals, revocations and numbers. The register cannot notice that itself; the
authority's memory does, and nothing is signed until somebody has looked. Accepting takes in what carries our own
signature, or a proof under a head of ours, and nothing else: what the memory has stated, and what lists, certificates
and exported journals prove that were handed in.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from ca.clearance import Clearance
from ca.draft import again
from ca.signing import sign_certificate
from core.actors import AUTHORITY, CONSOLE
from core.canonical import Json
from core.chain import SealedRow, content_digest
from core.errors import JournalChanged, RestoreIncomplete, RulesRefused, StoreWentBack, WrongState
from core.facts import Fact, FactKind
from core.handed import Handed
from core.identifiers import ApprovalIdentifier
from core.instants import text
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate
from jobs.acts import ENTERED, digest_of
from jobs.entering import Entry, approval_end, end_again, enter, supersede
from jobs.handed import Learned, People, learn, remembered_again
from jobs.hierarchy import held_of
from jobs.keyring import Keyring
from jobs.lost import Difference, LostCertificate, Reached, difference
from jobs.recall import require_not_behind
from jobs.resting import said_by
from jobs.restore_agreed import agree
from jobs.roster import roster_counting
from memory.memory import Memory
from memory.records import Acceptance, Accepted, Ended, Record
from officers.restore import Row
from officers.statement import Authorisation
from policy.profile import clear_certificate
from ra.desk import Rules
from ra.telling.listing import instruct
from store.reading import approvals as approval_reading
from store.reading import journal
from store.transactions import Store, Transaction
from store.verbs import artefacts, authorisations, facts, restored

NUMBERS_SKIPPED = 1_000
"""Approval numbers left out after a restore: far more than are reserved between two backups."""


RESTORE = "restore"
"""The cause of what the Panel is told again."""

_MOST_TOLD = 5

NOTHING = Handed()


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A register that went back, as it was looked at.

    Args:
        difference: what it lacks.
        learned: what was handed in.
        hierarchy: certificates of the hierarchy that are remembered.
        link: of the last sealed row that the register has.
    """

    difference: Difference
    learned: Learned
    hierarchy: tuple[AuthorityCertificate, ...]
    link: bytes


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a restore is accepted.

    Args:
        handed: files that were handed in.
        shown: the digest of the difference that whoever accepts was shown; None where nobody was.
        sentence: why, in the operator's words.
        put_back: whether a backup was put back here whole, memory included: then nothing is behind what is remembered.
        signed: what officers have signed for the difference; nobody asks for it where there is no roster.
        rules: from the settings: how many officers must agree.
    """

    handed: Handed = NOTHING
    shown: str | None = None
    sentence: str = ""
    put_back: bool = False
    signed: Sequence[Authorisation] = ()
    rules: Rules = field(default_factory=Rules)


def look(store: Store, memory: Memory, keyring: Keyring, asked: Asked, at: datetime) -> Looked:
    """Return what a register that went back has lost; nothing is written.

    Raises:
        WrongState: the register is not behind; there is nothing to accept.
        JournalChanged: it is no older state of what was sealed, but another history.
        HandedIn, MemoryContradicted: a file proves nothing, or something contradicts what was signed.
    """
    with store.read(whole=True) as tx:
        known = memory.head
        number, link, _ = journal.last_sealed(tx)
        _require_behind(tx, memory, number, link, put_back=asked.put_back)
        every = tuple(each for role in HierarchyRole for each in held_of(memory, tx, role))
        learned = learn(asked.handed, memory, keyring, every, at)
        reached = Reached(
            register=Row(number=number, link=link),
            memory=Row(number=known.number, link=known.link),
            roster=roster_counting(memory, at),
        )
        found = difference(tx, memory, learned, every, reached)
    return Looked(difference=found, learned=learned, hierarchy=every, link=link)


def accept_restore(
    store: Store, memory: Memory, keyring: Keyring, at: datetime, asked: Asked | None = None
) -> Difference:
    """Accept a register that went back: what it lost is entered, numbers are skipped, and the authority may work again.

    What was signed after the backup stays remembered: it is on every list once it has ended, and no serial, number,
    issue or key of it is used again. CRL numbers need no care: they are above every one that is remembered. Bytes that
    are remembered are signed again where nobody handed the certificate in: that is the same certificate.

    Args:
        store: the register.
        memory: of the authority.
        keyring: its keys.
        at: now.
        asked: how.

    Returns:
        What the register lacked, and has now.

    Raises:
        WrongState: the register is not behind, or lacks something else than was shown.
        RestoreIncomplete: a certificate is named and nobody has handed it in.
        AuthorisationMissing, AuthorisationRefused: officers have to sign for it, and have not.
        JournalChanged, HandedIn, MemoryContradicted: see `look`.
    """
    asked = asked or Asked()
    looked = look(store, memory, keyring, asked, at)
    lost = looked.difference
    if asked.shown is not None and asked.shown != lost.sha256:
        raise WrongState(kind="The", identifier="difference", state="another one by now", needed="as it was shown")
    require_whole(lost)
    # If we die behind this, the same files of the officers count for the same difference, and for nothing else.
    agreed = agree(store, memory, asked.rules, lost, asked.signed, at)
    entries = [_entry(each, looked, memory, keyring) for each in lost.certificates]
    # If we die behind this, more is remembered than the register has: that is the same difference again.
    known = memory.head
    memory.remember(_new_records(looked.learned, memory), now=at)
    with store.begin("accept restore") as tx:
        number, link, _ = journal.last_sealed(tx)
        if (number, link) != (lost.restored_to, looked.link):
            raise WrongState(kind="The", identifier="register", state="another one by now", needed="as it was shown")
        entered = [digest_of(each) for each in _enter(tx, entries, looked, at)]
        for each in agreed.rows:
            authorisations.keep(tx, each, at=at)
        artefacts.all_due(tx)
        restored.rise(tx, years=[at.year], by=NUMBERS_SKIPPED, above=_numbers(lost.certificates))
        accepted: dict[str, Json] = {
            "sealed_before": known.number,
            "restored_to": number,
            "certificates": len(lost.certificates),
            "ends": len(lost.ends),
            "difference_sha256": agreed.difference_sha256,
            "authorisations": list(agreed.statements),
        }
        fact = Fact(kind=FactKind.RESTORE_ACCEPTED, at=at, actor=CONSOLE, payload=accepted)
        said = _said_before(tx, fact)
        if said is None:
            facts.record(tx, fact)
        else:
            entered += _entered_before(tx, memory, said)
    # If we die here, accepting again finds nothing lost, skips as many numbers again, which costs nothing, and finds
    # its fact.
    acceptance = Acceptance(
        what=Accepted.RESTORE,
        before={"number": str(known.number), "link": known.link.hex()},
        after={"number": str(number), "link": link.hex(), "difference_sha256": agreed.difference_sha256},
        sentence=asked.sentence,
        fact=digest_of(fact) if said is None else content_digest(said),
        facts=tuple(entered),
    )
    memory.remember([acceptance], now=at)
    return lost


def require_whole(lost: Difference) -> None:
    """Raise RestoreIncomplete where a certificate is named and nobody has handed it in."""
    if lost.wanting:
        named = ", ".join(f"{serial} (in {name})" for serial, name in lost.wanting[:_MOST_TOLD])
        raise RestoreIncomplete(detail=f"{len(lost.wanting)} certificates are named and not at hand: {named}")


def _said_before(tx: Transaction, fact: Fact) -> SealedRow | None:
    """Return a fact of the same restore that waits to be sealed: we died before it was remembered.

    What was lost is not compared: it was entered then, and nothing is lost any more.
    """
    for each in journal.every_unsealed(tx, only=[fact.kind]):
        said = said_by(each.row)
        same = all(said.get(name) == fact.payload[name] for name in ("sealed_before", "restored_to"))
        if same and each.row.actor == fact.actor.name:
            return each.row
    return None


def _entered_before(tx: Transaction, memory: Memory, accepted: SealedRow) -> list[str]:
    """Return the digests of what was entered with a restore that was accepted before we died, as it is remembered."""
    waiting = journal.every_unsealed(tx, only=ENTERED)
    same = [each.row for each in waiting if (each.row.at, each.row.actor) == (accepted.at, accepted.actor)]
    return [content_digest(each) for each in same if _is_remembered(memory, each)]


def _is_remembered(memory: Memory, row: SealedRow) -> bool:
    said = said_by(row)
    serial = str(said.get("serial"))
    known, end = memory.certificate(serial), memory.end(serial)
    if known is None or known.approval != row.subject:
        return False
    if row.kind == FactKind.CERTIFICATE_RESTORED:
        return known.issue == said.get("issue")
    return end is not None and (text(end.at), int(end.reason)) == (said.get("ended_at"), said.get("reason"))


def _require_behind(tx: Transaction, memory: Memory, number: int, link: bytes, *, put_back: bool) -> None:
    known = memory.head
    with suppress(StoreWentBack):
        require_not_behind(tx, memory)
        if not put_back:
            raise WrongState(kind="The", identifier="register", state="whole", needed="behind what was sealed")
        return
    if number > known.number or memory.link_of(number) != link:
        # It is not an older state of what was sealed: somebody wrote another history. Nobody can accept that.
        raise JournalChanged(number=number)


def _entry(lost: LostCertificate, looked: Looked, memory: Memory, keyring: Keyring) -> Entry:
    record = lost.record
    above = next(
        each for each in looked.hierarchy if each.role is HierarchyRole.ISSUING and each.key_id == record.issuer
    )
    order = remembered_again(record.tbs, record.serial, keyring, above)
    signer, der = keyring.issuing[above.key_id], lost.der
    if der is None:
        draft = again(record.serial, record.tbs, signer.public_key)
        cleared = clear_certificate(draft, order, keyring.profile, stored=True)
        if not isinstance(cleared, Clearance):
            raise RulesRefused(cleared)
        der = sign_certificate(draft, cleared, signer, above.der)
    ends = [
        approval_end(each.end, record.approval, looked.learned.causes)
        for each in looked.difference.ends
        if each.approval == record.approval
    ]
    return Entry(
        lost=lost,
        der=der,
        order=order,
        above=above,
        ended=next((each for each in ends if each is not None), None),
        people=looked.learned.people.get(record.decision, People()),
        environment=memory.begun.environment,
    )


def _new_records(learned: Learned, memory: Memory) -> list[Record]:
    """Return what files prove and is not remembered, in an order in which nothing contradicts itself."""
    signed = [record for record, _ in learned.certificates.values() if memory.certificate(record.serial) is None]
    signed.sort(key=lambda each: (each.approval, each.issue))
    by_serial = {each.serial: each.not_after for each in signed}
    ends = []
    for serial, (end, _) in sorted(learned.ends.items()):
        known = memory.certificate(serial)
        not_after = by_serial.get(serial) if known is None else known.not_after
        if not_after is not None and end.at <= not_after and memory.end(serial) is None:
            ends.append(Ended(serial=serial, at=end.at, reason=end.reason, invalidity_date=end.invalidity_date))
    lists = []
    for each in learned.lists:
        newest = memory.newest_list(each.key_id)
        if newest is None or each.number > newest.number:
            lists.append(each)
    # The issue that ends its forerunners is remembered before these end, and lists come last: they say both.
    return [*signed, *ends, *lists]


def _enter(tx: Transaction, entries: Sequence[Entry], looked: Looked, at: datetime) -> list[Fact]:
    """Enter what was lost; return what is said of it, one by one.

    Ends come first, so that no approval that has ended is in the way of another one.
    """
    lost, causes = looked.difference, looked.learned.causes
    entered = {each.lost.record.serial for each in entries}
    approval_reading.hold(tx, {each.approval for each in lost.ends} | {each.order.approval for each in entries})
    said = [end_again(tx, each, causes, at) for each in lost.ends if each.end.serial not in entered]
    said += [enter(tx, entry, at) for entry in entries]
    said += [end_again(tx, each, causes, at) for each in lost.ends if each.end.serial in entered]
    for entry in entries:
        record = entry.lost.record
        for serial in supersede(tx, record, at) if record.issue > 1 else ():
            replaced: dict[str, Json] = {"serial": serial, "by_issue": record.issue}
            facts.record(
                tx,
                Fact(
                    kind=FactKind.CERTIFICATE_SUPERSEDED,
                    at=at,
                    actor=AUTHORITY,
                    subject=record.approval,
                    approvals=(record.approval,),
                    payload=replaced,
                ),
            )
    for approval in sorted({each.approval for each in lost.ends} - {each.order.approval for each in entries}):
        instruct(tx, approval, cause=RESTORE, actor=CONSOLE, at=at)
    return said


def _numbers(lost: Sequence[LostCertificate]) -> dict[int, int]:
    """Return the largest approval number of each year among what was lost."""
    numbers: dict[int, int] = {}
    for each in lost:
        read = ApprovalIdentifier.parse(each.record.approval)
        numbers[read.year] = max(numbers.get(read.year, 0), read.number)
    return numbers
