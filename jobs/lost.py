"""What a register that went back has lost, as far as it is remembered or files that were handed in prove it."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.certificates import tbs_sha256
from core.errors import MemoryContradicted
from core.identifiers import Serial
from core.kinds import CAS
from core.mirror import AuthorityCertificate
from core.status import Revoked
from jobs.handed import Learned, People
from jobs.roster import authority_begun
from memory.memory import Memory
from memory.records import Listed, WillSign
from officers.restore import (
    CertificateAgain,
    CountingKey,
    CountingRoster,
    EndAgain,
    ListBehind,
    Restore,
    Row,
)
from officers.roster import Roster
from store.reading import proof, work
from store.transactions import Transaction

MEMORY = "memory"
"""Where something is known from that no file had to say."""

_PORTION = 500


@dataclass(frozen=True, kw_only=True)
class LostCertificate:
    """A certificate that was signed and is not in the register.

    Args:
        record: as it was remembered, or would have been.
        der: the certificate, where it was handed in; None where its bytes are signed again.
        source: where it is known from.
    """

    record: WillSign
    der: bytes | None
    source: str


@dataclass(frozen=True, kw_only=True)
class LostEnd:
    """An end by an act that was stated, and that the register does not have.

    Args:
        approval: whose certificate it is.
        end: as it was stated.
        source: where it is known from.
    """

    approval: str
    end: Revoked
    source: str


@dataclass(frozen=True, kw_only=True)
class LostList:
    """A list that was signed behind the newest one that the register has."""

    ca: str
    number: int
    this_update: datetime
    entries: int


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Everything that the register lacks.

    Args:
        restored_to: the last sealed row of the journal that the register has.
        sealed_before: the last one that a head was signed for, as far as that is remembered.
        certificates: in order of approval and issue.
        ends: in order of serial.
        lists: in order of CA and number.
        wanting: serials that a list or a fact of ours names, and whose certificate nobody has handed in.
        agreed: what officers sign for: all of it, but for what is wanting, with which nothing is accepted.
    """

    restored_to: int
    sealed_before: int
    certificates: tuple[LostCertificate, ...]
    ends: tuple[LostEnd, ...]
    lists: tuple[LostList, ...]
    wanting: tuple[tuple[Serial, str], ...]
    agreed: Restore

    @property
    def sha256(self) -> str:
        """Digest of what is entered, hex: whoever accepts repeats what they were shown."""
        return self.agreed.sha256


@dataclass(frozen=True, kw_only=True)
class Reached:
    """How far register and memory have come, and who counts.

    Args:
        register: the last sealed row that the register has.
        memory: the last one that a head was signed for, as far as that is remembered.
        roster: by which officers count; None where nobody is asked to sign.
    """

    register: Row
    memory: Row
    roster: Roster | None


def tbs_digest(record: WillSign) -> str:
    """Return the digest of what was to be signed, hex."""
    return hashlib.sha256(record.tbs).hexdigest()


def difference(
    tx: Transaction,
    memory: Memory,
    learned: Learned,
    hierarchy: Sequence[AuthorityCertificate],
    reached: Reached,
) -> Difference:
    """Return what the register lacks.

    Args:
        tx: open; the register that went back.
        memory: the authority's.
        learned: what files prove beyond that.
        hierarchy: certificates of the hierarchy that are remembered.
        reached: how far both have come.

    Raises:
        MemoryContradicted: the register has other bytes under a serial number than were signed, or a file has.
    """
    lost = {each.record.serial: each for each in _lost_certificates(tx, memory, learned)}
    approvals = {serial: each.record.approval for serial, each in lost.items()}
    ends = sorted(_lost_ends(tx, memory, learned, approvals), key=lambda each: each.end.serial)
    wanting = []
    for serial, name in sorted(learned.named.items()):
        if serial not in lost and memory.certificate(serial) is None and memory.certified(serial) is None:
            wanting.append((serial, name))
    certificates = sorted(lost.values(), key=lambda each: (each.record.approval, each.record.issue))
    lists = tuple(_lost_lists(tx, memory, learned, hierarchy))
    return Difference(
        restored_to=reached.register.number,
        sealed_before=reached.memory.number,
        certificates=tuple(certificates),
        ends=tuple(ends),
        lists=lists,
        wanting=tuple(wanting),
        agreed=Restore(
            authority=authority_begun(memory),
            roster=_counting(reached.roster),
            restored_to=reached.register,
            sealed_before=reached.memory,
            certificates=tuple(_certificate_again(each.record, learned) for each in certificates),
            ends=tuple(_end_again(each, learned) for each in ends),
            lists=tuple(ListBehind(ca=each.ca, number=str(each.number)) for each in lists),
        ),
    )


def _counting(roster: Roster | None) -> CountingRoster | None:
    if roster is None:
        return None
    members = sorted(roster.members, key=lambda each: each.key)
    return CountingRoster(
        number=roster.number, members=tuple(CountingKey(officer=each.officer, key=each.key) for each in members)
    )


def _certificate_again(record: WillSign, learned: Learned) -> CertificateAgain:
    people = learned.people.get(record.decision, People())
    return CertificateAgain(
        approval=record.approval,
        issue=record.issue,
        serial=record.serial,
        tbs=record.tbs,
        proposer=people.proposer,
        seconder=people.seconder,
    )


def _end_again(lost: LostEnd, learned: Learned) -> EndAgain:
    cause, by = learned.causes.get(lost.approval, (None, None))
    return EndAgain(
        approval=lost.approval,
        serial=lost.end.serial,
        at=lost.end.at,
        reason=int(lost.end.reason),
        invalidity_date=lost.end.invalidity_date,
        cause=None if cause is None else cause.value,
        by=by,
    )


def _lost_certificates(tx: Transaction, memory: Memory, learned: Learned) -> Iterator[LostCertificate]:
    serial = ""
    while portion := memory.certificates_after(serial, _PORTION):
        held = proof.certificates_held(tx, [each.serial for each in portion])
        for each in portion:
            found, handed = held.get(each.serial), learned.certificates.get(each.serial)
            if found is not None and tbs_sha256(found.der) != each.tbs_sha256:
                _contradicts(each.serial, "the register has other bytes under this serial")
            if handed is not None and tbs_digest(handed[0]) != each.tbs_sha256:
                _contradicts(each.serial, "other bytes were handed in under this serial")
            signing = None if found is not None else memory.signing(each.serial)
            if signing is not None:
                yield LostCertificate(record=signing[0], der=None if handed is None else handed[1], source=MEMORY)
        serial = portion[-1].serial
    for known, (record, der) in learned.certificates.items():
        if memory.certificate(known) is None:
            held = proof.certificates_held(tx, [known])
            if known not in held:
                yield LostCertificate(record=record, der=der, source="a file")
            elif tbs_sha256(held[known].der) != tbs_digest(record):
                _contradicts(known, "the register has other bytes under this serial")


def _lost_ends(tx: Transaction, memory: Memory, learned: Learned, lost: dict[Serial, str]) -> Iterator[LostEnd]:
    serial = ""
    while portion := memory.ends_after(serial, _PORTION):
        yield from _of_these(tx, [(each, MEMORY) for each in portion], lost)
        serial = portion[-1].serial
    new = [(end, name) for each, (end, name) in sorted(learned.ends.items()) if memory.end(each) is None]
    by_act = [(end, name) for end, name in new if _by_act(memory, learned, end)]
    for first in range(0, len(by_act), _PORTION):
        yield from _of_these(tx, by_act[first : first + _PORTION], lost)


def _of_these(tx: Transaction, ends: Sequence[tuple[Revoked, str]], lost: dict[Serial, str]) -> Iterator[LostEnd]:
    held = proof.certificates_held(tx, [end.serial for end, _ in ends])
    for end, name in ends:
        found, approval = held.get(end.serial), lost.get(end.serial)
        if found is not None and found.claim.end.at > found.not_after:
            yield LostEnd(approval=found.claim.approval, end=end, source=name)
        elif found is None and approval is not None:
            yield LostEnd(approval=approval, end=end, source=name)


def _by_act(memory: Memory, learned: Learned, end: Revoked) -> bool:
    """Return whether an end was made by somebody: one by time follows from the certificate."""
    known, handed = memory.certificate(end.serial), learned.certificates.get(end.serial)
    not_after = known.not_after if known is not None else handed[0].not_after if handed is not None else None
    return not_after is not None and end.at <= not_after


def _lost_lists(
    tx: Transaction, memory: Memory, learned: Learned, hierarchy: Sequence[AuthorityCertificate]
) -> Iterator[LostList]:
    for ca in hierarchy:
        if ca.role not in CAS:
            continue
        newest = work.last_crl(tx, ca.key_id, with_bytes=False)
        known = memory.newest_list(ca.key_id)
        named: dict[int, Listed] = {each.number: each for each in learned.lists if each.key_id == ca.key_id}
        if known is not None:
            named[known.number] = known
        for number in sorted(each for each in named if newest is None or each > newest.number):
            one = named[number]
            yield LostList(ca=ca.subject, number=number, this_update=one.this_update, entries=one.count)


def _contradicts(serial: Serial, detail: str) -> None:
    raise MemoryContradicted(what=f"certificate {serial}", detail=detail)
