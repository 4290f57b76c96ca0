"""What a backup proves: it was put into a scratch place, and everything in it is held against the authority's keys.

Whose authority it is nobody here can know: the root's digest is shown, and people compare it with the transcript of
the ceremony. What needs the passphrase of the keys is told as not proved where that is not given.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from backup.manifest import Manifest
from ca.certificates import issuer, serial_in, signature_holds, signed_by
from ca.revocation.published import answer_holds, read_published
from core import note
from core.chain import GENESIS, head_statement, journal_name
from core.errors import TrialCpaError
from core.instants import text
from core.kinds import CAS, HierarchyRole
from core.mirror import AuthorityCertificate
from jobs.evidence import links_behind
from jobs.log_proof import prove_log
from keys.ceremony import JOURNAL_FILE, RECORD_FILE, issuing_file
from keys.log_key import LOG_FILE, open_log_key
from keys.place import key_in_token
from keys.record_key import open_record_key
from keys.sealed import open_sealed
from memory.book import FILE_NAME
from memory.copying import look_at_copy
from memory.memory import Memory
from memory.records import At, Begun
from store import dump
from store.reading import authority as reading
from store.reading import journal, log, signed, work
from store.reading import memory as copies
from store.transactions import Store

_ROWS = 1_000
_SIGNED = 200


class Outcome(StrEnum):
    """What came of a look."""

    PROVED = "proved"
    NOT_PROVED = "not proved"
    WRONG = "wrong"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of what was looked at.

    Args:
        what: in a word or two.
        outcome: see there.
        detail: in a sentence.
    """

    what: str
    outcome: Outcome
    detail: str


class _Wrong(Exception):
    """Something does not hold; its text says what."""


@dataclass(frozen=True, kw_only=True)
class PutBack:
    """A backup in a scratch place.

    Args:
        manifest: its own word.
        store: the register.
        keys_dir: sealed keys and memory.
        passphrase: of the keys; None if it is not given.
        left_out: how many rows of each table the backup has, and the register there has not.
        taken_back: how many facts of its journal lost a number that was behind the last head.
    """

    manifest: Manifest
    store: Store
    keys_dir: Path
    passphrase: bytes | None
    left_out: Mapping[str, int] = field(default_factory=dict)
    taken_back: int = 0


def prove(place: PutBack, at: datetime) -> Iterator[Finding]:
    """Yield what is found, in the order in which it is looked at.

    Args:
        place: where the backup lies.
        at: now, for the memory's clock, which is not asked.
    """
    yield Finding(what="whose", outcome=Outcome.PROVED, detail=_whose(place.manifest))
    for what, look in _LOOKS.items():
        try:
            outcome, detail = look(place, at)
        except (_Wrong, TrialCpaError, ValueError) as error:
            outcome, detail = Outcome.WRONG, str(error)
        yield Finding(what=what, outcome=outcome, detail=detail)


def _whose(said: Manifest) -> str:
    made = f"made at {text(said.made_at)}, revision {said.revision}, root SHA-256 {said.root_sha256}"
    return f"{said.authority} ({said.environment}), {made}"


def _rows(place: PutBack, at: datetime) -> tuple[Outcome, str]:  # noqa: ARG001 - all looks are alike
    said = place.manifest.tables
    with place.store.read(whole=True) as tx:
        found = {name: dump.counted(tx, name) for name in dump.names()}
    every = {name: rows + place.left_out.get(name, 0) for name, rows in found.items()}
    _require(every == dict(said), f"the register has other numbers of rows than the manifest says: {every}")
    without = f"; {sum(place.left_out.values())} of them are left out" if place.left_out else ""
    return Outcome.PROVED, f"{sum(every.values())} rows in {len(found)} tables, as the manifest says{without}"


def _journal(place: PutBack, at: datetime) -> tuple[Outcome, str]:  # noqa: ARG001 - see above
    number, digest, links = 0, GENESIS, dict[int, bytes]()
    with place.store.read(whole=True) as tx:
        row = reading.authority_row(tx)
        heads = journal.heads(tx)
        unsealed = journal.count_unsealed(tx)
        wanted = {each.number for each in heads}
        while rows := journal.sealed_after(tx, number, _ROWS):
            for each, (found, computed) in zip(rows, links_behind(digest, rows), strict=True):
                _require(found == number + 1 and each.link == computed, f"row {number + 1} is not what was sealed")
                number, digest = found, computed
                if number in wanted:
                    links[number] = digest
    statement_of = journal_name(row.name)
    for head in heads:
        holds = links.get(head.number) == head.link and signature_holds(
            row.journal_key, head_statement(statement_of, head.number, head.link), head.signature
        )
        _require(holds, f"the head at row {head.number} is not signed by the journal's key, or not over this journal")
    said = place.manifest
    # Where numbers were taken back, what it was said to end with was behind the last head.
    ends_there = (number, digest.hex()) == (said.rows, said.link) or place.taken_back or "journal" in place.left_out
    _require(bool(ends_there), f"it ends at row {number}, and was said to at {said.rows}")
    _require(not heads or heads[-1].number <= number, "a head is beyond its end")
    return Outcome.PROVED, f"rows 1 to {number} in unbroken order, {len(heads)} signed heads, {unsealed} unsealed"


def _hierarchy(place: PutBack, at: datetime) -> tuple[Outcome, str]:  # noqa: ARG001 - see above
    every = _certificates(place)
    roots = [each for each in every if each.role is HierarchyRole.ROOT]
    _require(bool(roots), "there is no root")
    digest = hashlib.sha256(roots[-1].der).hexdigest()
    _require(digest == place.manifest.root_sha256, f"its root is {digest}, and another one is in the manifest")
    for each in every:
        above = HierarchyRole.ROOT if each.role in CAS else HierarchyRole.ISSUING
        signed = any(one.role is above and signed_by(each.der, one.der) for one in every)
        _require(signed and serial_in(each.der) == each.serial, f"nobody above signed {each.serial} of the {each.role}")
    return Outcome.PROVED, f"{len(every)} certificates of the hierarchy under that root"


def _log(place: PutBack, at: datetime) -> tuple[Outcome, str]:  # noqa: ARG001 - see above
    with place.store.read(whole=True) as tx:
        proved = prove_log(tx, reading.authority_row(tx).journal_key)
    key = place.keys_dir / LOG_FILE
    if proved.key is not None and place.passphrase is not None and key.exists() and key_in_token(key) is None:
        same = open_log_key(key, place.passphrase).public_key == note.parse_vkey(proved.key)[1]
        _require(same, f"{LOG_FILE} is not the key of the log that the journal names")
    of = f" of {', '.join(proved.keys)}" if proved.keys else ""
    return Outcome.PROVED, f"{proved.leaves} leaves, {proved.checkpoints} signed checkpoints{of}"


def _issued(place: PutBack, at: datetime) -> tuple[Outcome, str]:  # noqa: ARG001 - see above
    above = [each.der for each in _certificates(place) if each.role is HierarchyRole.ISSUING]
    serial, count = "", 0
    while True:
        with place.store.read() as tx:
            portion = signed.certificates_after(tx, serial, _SIGNED)
        if not portion:
            return Outcome.PROVED, f"{count} Trial CPA Certificates, each signed by an issuing CA of this hierarchy"
        for each in portion:
            ours = serial_in(each.der) == each.serial and any(signed_by(each.der, one) for one in above)
            _require(ours, f"certificate {each.serial} is not signed by an issuing CA of this hierarchy")
        serial, count = portion[-1].serial, count + len(portion)


def _lists(place: PutBack, at: datetime) -> tuple[Outcome, str]:  # noqa: ARG001 - see above
    count = 0
    for ca in _certificates(place):
        if ca.role not in CAS:
            continue
        with place.store.read() as tx:
            numbers = work.crl_numbers(tx, ca.key_id)
        for number in numbers:
            with place.store.read() as tx:
                kept = work.crl(tx, ca.key_id, number, with_bytes=True)
            try:
                said = None if kept is None else read_published(kept.der, ca.der)
            except ValueError as error:
                raise _Wrong(f"CRL {number} of {ca.subject}: {error}") from error
            _require(said is not None and said.number == number, f"CRL {number} of {ca.subject} has another number")
            count += 1
    return Outcome.PROVED, f"{count} CRLs, each signed by its CA"


def _answers(place: PutBack, at: datetime) -> tuple[Outcome, str]:  # noqa: ARG001 - see above
    responders = {each.serial: each.der for each in _certificates(place) if each.role is HierarchyRole.RESPONDER}
    count = 0
    with place.store.read(whole=True) as tx:
        for serial, responder, der in signed.answers(tx):
            above = responders.get(responder)
            _require(above is not None and answer_holds(der, serial, above), f"an answer about {serial} is not signed")
            count += 1
    return Outcome.PROVED, f"{count} OCSP answers, each signed by a responder of this hierarchy"


def _keys(place: PutBack, at: datetime) -> tuple[Outcome, str]:  # noqa: ARG001 - see above
    names = sorted(each.name for each in place.keys_dir.glob("*.key"))
    needed = {issuing_file(1), JOURNAL_FILE, RECORD_FILE} - set(names)
    _require(not needed, f"{', '.join(sorted(needed))} is missing")
    if place.passphrase is None:
        return Outcome.NOT_PROVED, f"{', '.join(names)}: sealed; the passphrase was not given"
    elsewhere = [each for each in names if key_in_token(place.keys_dir / each) is not None]
    opened = {
        each: open_sealed(place.keys_dir / each, place.passphrase).public_key
        for each in names
        if each not in {LOG_FILE, *elsewhere}
    }
    with place.store.read() as tx:
        journal_key = reading.authority_row(tx).journal_key
    certified = {issuer(each.der).public_key for each in _certificates(place)}
    for name, key in opened.items():
        known = {journal_key} if name == JOURNAL_FILE else certified
        _require(name == RECORD_FILE or key in known, f"{name} is not the key that the register names")
    if elsewhere:
        return Outcome.NOT_PROVED, f"{', '.join(elsewhere)}: in a token, of which a backup has no more than the name"
    return Outcome.PROVED, f"{', '.join(names)}: each opens, and is the one that the register names"


def _memory(place: PutBack, at: datetime) -> tuple[Outcome, str]:
    said, found = place.manifest, look_at_copy(place.keys_dir / FILE_NAME)
    same = (found.records, found.seal.hex()) == (said.records, said.seal)
    _require(same, f"it ends with record {found.records}, and was said to with {said.records}")
    with place.store.read() as tx:
        copied = copies.last_record(tx)
        journal_key = reading.authority_row(tx).journal_key
    _require(copied <= found.records, f"it is older than the register: that holds a copy of {copied} records")
    if place.passphrase is None:
        return Outcome.NOT_PROVED, f"{found.records} records; the passphrase was not given"
    if key_in_token(place.keys_dir / RECORD_FILE) is not None:
        return Outcome.NOT_PROVED, f"{found.records} records; their key is in a token, which is not asked here"
    key = open_record_key(place.keys_dir / RECORD_FILE, place.passphrase)
    with closing(Memory.open(place.keys_dir, key, lambda: At(wall=at, boot=0, boot_id=""))) as memory:
        proved, begun = memory.prove(), memory.begun
        with place.store.read() as tx:
            seal = copies.seal_of(tx, copied)
        _require(seal is None or seal == memory.seal_of(copied), "the register's copy of it is not of this memory")
        _require_of_one(begun, place, journal_key)
        _require_same_log(memory, place)
    believed = (
        f"{proved.certificates} certificates, {proved.ends} ends, {proved.lists} lists, the head at row {proved.head}"
    )
    return (
        Outcome.PROVED,
        f"{proved.records} records as they were sealed; what follows from them is believed: {believed}",
    )


def _require_of_one(begun: Begun, place: PutBack, journal_key: bytes) -> None:
    with place.store.read() as tx:
        row = reading.authority_row(tx)
    same = (begun.name, begun.environment, begun.arc) == (row.name, row.environment, row.arc)
    same = same and begun.keys.get(JOURNAL_FILE) == hashlib.sha256(journal_key).hexdigest()
    _require(same, "memory and register are of two authorities")


def _require_same_log(memory: Memory, place: PutBack) -> None:
    """What the memory remembers of the log, and what the register has of it, are of one tree."""
    held, log_key = memory.newest_log, place.keys_dir / LOG_FILE
    pinned = memory.begun.keys.get(LOG_FILE)
    if pinned is not None and place.passphrase is not None and log_key.exists() and key_in_token(log_key) is None:
        same = open_log_key(log_key, place.passphrase).sha256 == pinned
        _require(same, f"{LOG_FILE} is not the key that the memory began with")
    if held is None:
        return
    with place.store.read() as tx:
        newest = log.checkpoint(tx)
    last = memory.tree(held.log)
    if newest is None or note.parse_checkpoint(newest.note.encode()).origin != held.log:
        return  # it is newer than the register, which may have been taken before the log had a checkpoint
    same = last is not None and last.size >= newest.size and (last.size > newest.size or last.root == newest.root)
    _require(same, f"the checkpoint at {newest.size} is not one that the memory remembers")


_LOOKS: dict[str, Callable[[PutBack, datetime], tuple[Outcome, str]]] = {
    "rows": _rows,
    "hierarchy": _hierarchy,
    "journal": _journal,
    "log": _log,
    "certificates": _issued,
    "lists": _lists,
    "answers": _answers,
    "keys": _keys,
    "memory": _memory,
}


def _certificates(place: PutBack) -> list[AuthorityCertificate]:
    with place.store.read() as tx:
        return reading.certificates(tx)


def _require(holds: bool, detail: str) -> None:  # noqa: FBT001 - what has to hold, said first
    if not holds:
        raise _Wrong(detail)
