"""What a web process remembers by itself: the last sealed row that it served, and the ends that it told.

A register that goes back does not know that it did: a backup that was put back, a standby that was promoted without
the last commits. Whoever told what it then forgot knows. Two small files of the process's own: one is replaced whole,
the other gets one line for each end, on the disk before the end is told. Neither ever holds a start up.
"""

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from api.status import told
from api.status.lists import is_genuine
from core.approval import ApprovalRecord
from core.canonical import canonical
from core.chain import head_statement, journal_name, link
from core.facts import FactKind
from core.mirror import AuthorityView, MirroredApproval, Proof, PublishedCrl, SealedHead, StatusSource

HEAD_SECONDS = 1.0
"""How often the last sealed row is written down at most: what was served in between is known while the process lives,
and after its death a row that is a second older tells as well whether the register went back."""

LOOK_SECONDS = 2.0
"""How often a register that went back is searched for an operator's word; that reads its whole journal."""

LARGEST_HEAD = 64 * 1024
LARGEST_ENDS = 1024 * 1024 * 1024
"""Octets of the two files: more was not written here. A line takes about 500."""

_SPARE_LINES = 1_000
"""Lines of things that have changed since, beyond as many as are needed, before the file is written anew."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the smaller file holds.

    Args:
        journal_key: of the authority whose register it is, SubjectPublicKeyInfo.
        name: the authority's name.
        head: the last sealed row that was served.
        restores: which restores had been accepted by then.
        lists: the highest CRL number by key identifier.
    """

    journal_key: bytes = b""
    name: str = ""
    head: SealedHead = field(default_factory=SealedHead)
    restores: frozenset[str] = frozenset()
    lists: Mapping[str, int] = field(default_factory=dict)


class Remembered:
    """What one web process has told. Whoever uses it is one thread at a time.

    Args:
        place: where the files lie and what their names begin with; None to remember in memory only.
        monotonic: seconds that only grow; a test hands in its own.
    """

    def __init__(self, place: Path | None = None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._head_file = None if place is None else place.with_name(f"{place.name}.head")
        self._ends_file = None if place is None else place.with_name(f"{place.name}.ends")
        self._monotonic = monotonic
        self._known = Known()
        self._ends: dict[str, ApprovalRecord] = {}
        self._lines = 0
        self._written_at: float | None = None
        self._looked_at: float | None = None
        self._pending = False
        self.lost: frozenset[str] = frozenset()
        """Approvals that were told as ended and are not, says the register."""
        self.trouble = ""
        """What is wrong with the files, a sentence; empty if nothing is."""
        self._damage = ""
        self._opened = False

    @property
    def head(self) -> SealedHead:
        """The last sealed row that was served."""
        return self._known.head

    # --- has the register gone back? ---------------------------------------------------------------------------

    def stands(self, source: StatusSource, head: SealedHead) -> bool:
        """Return whether the register still has the last row that was served.

        Args:
            source: the register.
            head: its last sealed row.
        """
        known = self._known.head
        return known.number == 0 or head == known or source.link_of(known.number) == known.link

    def accepted(self, source: StatusSource) -> bool:
        """Return whether an operator has accepted that the register went back.

        What counts is the authority's word: a head signed by the journal's key over a restore that was accepted and
        that was not known before. Whoever can only write rows cannot make one.
        """
        now = self._monotonic()
        if self._looked_at is not None and now - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = now
        found = source.restores()
        new = [number for identity, number in found.items() if identity not in self._known.restores and number]
        if not any(self._proved(source.proof(number), number) for number in new):
            return False
        self._known = replace(self._known, head=SealedHead(), restores=frozenset(found), lists={})
        self._looked_at = None
        return True

    def _proved(self, proof: Proof | None, number: int) -> bool:
        if proof is None or not proof.rows:
            return False
        digest = proof.before
        for expected, row in enumerate(proof.rows, number):
            if row.number != expected:
                return False
            digest = link(digest, row)
        statement = head_statement(journal_name(self._known.name), proof.rows[-1].number, digest)
        key = load_der_public_key(self._known.journal_key)
        if proof.rows[0].kind != FactKind.RESTORE_ACCEPTED or not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        try:
            key.verify(proof.signature, statement, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    # --- what is told --------------------------------------------------------------------------------------------

    def begin(self, source: StatusSource, authority: AuthorityView) -> None:
        """Get to know the authority whose register is read; what was remembered of another one is nothing to it."""
        known = self._known
        if known.journal_key and known.journal_key != authority.journal_key:
            self._damaged("it is of another authority")
            self._ends, self._lines = {}, 0
            known = self._known = Known()
            self._rewrite_ends()
        if not known.journal_key:
            restores = frozenset(source.restores())
            self._known = replace(known, journal_key=authority.journal_key, name=authority.name, restores=restores)

    def ends_kept(
        self,
        found: Sequence[MirroredApproval],
        asked: Iterable[str] | None,
        before: Mapping[str, MirroredApproval],
        now: datetime,
        *,
        forget: bool = False,
    ) -> Sequence[MirroredApproval]:
        """Return approvals as they are to be told: what was told as ended is, whatever the register says.

        New ends are on the disk when this returns.

        Args:
            found: as the register has them.
            asked: which were asked for; None for all.
            before: as they were told last, by this process.
            now: the present instant.
            forget: what the register does not have at all is not remembered any longer.
        """
        wanted = set(self._ends if asked is None else (each for each in asked if each in self._ends))
        lost: set[str] = set()
        fresh: list[bytes] = []
        kept: list[MirroredApproval] = []
        for held in found:
            record = held.record
            known = self._ends.get(record.identifier)
            if known is not None and told.forgotten(known, record, now):
                lost.add(record.identifier)
                kept.append(_as_told(known, held, before))
                continue
            kept.append(held)
            if told.ended(record):
                if known != record:
                    fresh.append(told.line(record))
                self._ends[record.identifier] = record  # the snapshot's own: nothing is held twice
            elif known is not None:
                fresh.append(self._forget(record.identifier))
        for identifier in wanted - {held.record.identifier for held in found}:
            if forget:
                fresh.append(self._forget(identifier))
            else:
                lost.add(identifier)
                kept.append(_as_told(self._ends[identifier], None, before))
        asked_for = wanted | {held.record.identifier for held in found}
        self.lost = frozenset((self.lost - asked_for) | lost)
        self._append(fresh)
        return kept

    def lists_kept(self, found: AuthorityView, before: Mapping[str, PublishedCrl], *, behind: bool) -> AuthorityView:
        """Return the authority with no list older than one that was served.

        What a later list has to reach is told by lists alone that their CA signed: a row is written by whoever can.

        Args:
            found: as the register has it.
            before: the lists served last, by this process.
            behind: the register went back: its lists are not what is served from now on.
        """
        floors = dict(self._known.lists)
        crls = {}
        for key_id, crl in found.crls.items():
            floor, genuine = floors.get(key_id, 0), is_genuine(crl, found.certificates)
            if genuine and crl.number >= floor:
                crls[key_id] = crl
                floors[key_id] = crl.number
            elif key_id in before:
                crls[key_id] = before[key_id]
            elif not genuine and not floor:
                crls[key_id] = crl  # there is none that is better; it raises no floor
        if not behind and floors != self._known.lists:
            self._known = replace(self._known, lists=floors)
            self._pending = True
        return replace(found, crls=crls)

    def restored(self, source: StatusSource) -> None:
        """Learn that the journal tells of a restore that was accepted while the register had not gone back for us."""
        self._known = replace(self._known, restores=frozenset(source.restores()))
        self._pending = True

    def served(self, head: SealedHead, *, at_once: bool = False) -> None:
        """Remember the last sealed row that is served; written down from time to time, or at once."""
        if head != self._known.head:
            self._known = replace(self._known, head=head)
            self._pending = True
        now = self._monotonic()
        if self._pending and (at_once or self._written_at is None or now - self._written_at >= HEAD_SECONDS):
            self._written_at = now
            self._write_head()

    def close(self) -> None:
        """Write down what is only in memory."""
        if self._pending:
            self._write_head()

    # --- files ---------------------------------------------------------------------------------------------------

    def _forget(self, identifier: str) -> bytes:
        del self._ends[identifier]
        return told.line_of_none(identifier)

    def open(self) -> None:
        """Read the files, once: with very many ends that takes seconds, so it is left to whoever follows the register.

        What cannot be read is told and begun anew.
        """
        if self._opened or self._head_file is None or self._ends_file is None:
            return
        self._opened = True
        try:
            self._head_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            octets = _contents(self._head_file, LARGEST_HEAD)
            ends = _contents(self._ends_file, LARGEST_ENDS)
        except OSError as error:
            self._failed(error)
            return
        try:
            if octets:
                self._known = _read_head(octets)
        except ValueError as error:
            self._damaged(str(error))
        self._read_ends(ends)

    def _read_ends(self, octets: bytes) -> None:
        """Read every line that is whole. The last may be cut off: its end was not told, so nothing is lost with it."""
        *lines, rest = octets.split(b"\n")
        wrong = 0
        for each in lines:
            try:
                identifier, record = told.read(each)
            except ValueError:
                wrong += 1
                continue
            self._ends.pop(identifier, None)
            if record is not None:
                self._ends[identifier] = record
        self._lines = len(lines)
        if wrong:
            self._damaged(f"{wrong} of {len(lines)} ends cannot be read")
        if wrong or rest or self._lines > 2 * len(self._ends) + _SPARE_LINES:
            self._rewrite_ends()

    def _append(self, lines: Sequence[bytes]) -> None:
        if not lines or self._ends_file is None:
            return
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self._ends_file, flags, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(b"".join(each + b"\n" for each in lines))
                file.flush()
                os.fsync(descriptor)
        except OSError as error:
            self._failed(error)
            return
        self._lines += len(lines)
        self._works()
        if self._lines > 2 * len(self._ends) + _SPARE_LINES:
            self._rewrite_ends()

    def _rewrite_ends(self) -> None:
        if self._ends_file is not None:
            lines = [told.line(each) + b"\n" for each in self._ends.values()]
            if self._replace(self._ends_file, b"".join(lines)):
                self._lines = len(lines)

    def _write_head(self) -> None:
        self._pending = False
        if self._head_file is not None:
            try:
                octets = _write_known(self._known)
            except ValueError as error:  # a name that is not Unicode: whatever rows say, nothing stops for it
                self._damaged(f"it cannot be written down ({type(error).__name__})")
                return
            self._replace(self._head_file, octets)

    def _replace(self, path: Path, octets: bytes) -> bool:
        """Write a file whole or not at all; if we die in between, the one before is there."""
        beside = path.with_name(f".{path.name}.new")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(beside, flags, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(descriptor)
            beside.replace(path)
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            self._failed(error)
            return False
        self._works()
        return True

    def _failed(self, error: OSError) -> None:
        said = f"What is told here cannot be kept: {error.strerror or type(error).__name__}."
        if said != self.trouble:
            _log.error("%s %s", said, error.filename or "")
        self.trouble = said

    def _works(self) -> None:
        self.trouble = self._damage

    def _damaged(self, detail: str) -> None:
        self._damage = self.trouble = f"What was told here before is not known any more, or not all of it: {detail}."
        _log.error("%s The files are %s and %s.", self._damage, self._head_file, self._ends_file)


def _as_told(
    record: ApprovalRecord, held: MirroredApproval | None, before: Mapping[str, MirroredApproval]
) -> MirroredApproval:
    last = before.get(record.identifier)
    if last is not None and last.record == record:
        return last  # with the answers that were signed for it
    if held is not None:
        return replace(held, record=record)
    return MirroredApproval(record=record, organisation_name="", ders={}, answers=())


def _contents(path: Path, most: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most)


def _write_known(known: Known) -> bytes:
    said: dict[str, Any] = {
        "journal_key": known.journal_key.hex(),
        "name": known.name,
        "number": str(known.head.number),  # as text: canonical JSON has no number beyond 2^53-1
        "link": known.head.link.hex(),
        "restores": sorted(known.restores),
        "lists": {key_id: str(number) for key_id, number in known.lists.items()},
    }
    return canonical({**said, "sha256": hashlib.sha256(canonical(said)).hexdigest()})


def _read_head(octets: bytes) -> Known:
    """Return what the smaller file says; ValueError if it is not as it was written."""
    try:
        said = json.loads(octets)
        digest = said.pop("sha256")
        known = Known(
            journal_key=bytes.fromhex(said["journal_key"]),
            name=said["name"],
            head=SealedHead(number=int(said["number"]), link=bytes.fromhex(said["link"])),
            restores=frozenset(said["restores"]),
            lists={key_id: int(number) for key_id, number in said["lists"].items()},
        )
        written = hashlib.sha256(canonical(said)).hexdigest()
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("the file is not as it was written") from error
    if written != digest:
        raise ValueError("the file is not as it was written")
    return known
