"""The chain of the journal and the log beside it, a row at a time: links, heads, leaves, commitments and checkpoints.

Shown is that rows are numbered 1, 2, 3 … without a gap, each linked to the one before; that heads and checkpoints are
signed by the keys that are theirs and name what is there; that each leaf commits, under its salt, to the whole row.
"""

from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from core import note
from core.chain import (
    DATED_AHEAD,
    GENESIS,
    SALT_OCTETS,
    SealedRow,
    commitment,
    head_statement,
    link_of,
    log_statement,
    whole,
)
from core.errors import InstantMalformed, NoteMalformed
from core.instants import parse
from core.merkle import Frontier, leaf_hash
from core.public_record import leaf_data, public_part
from verify.audit_findings import Findings
from verify.exported import Said
from verify.kit.evidence.parsing import PARSE_ERRORS, Unreadable

_TEXTS = ("sealed_at", "kind", "at", "actor", "payload")
_PERHAPS = ("role", "organisation", "subject")
_LONGEST_NUMBER = 19
"""Digits: what a register can hold."""


class Chained:
    """The journal and its log, as far as they have been read.

    Args:
        journal: its name, which heads sign.
        key: its key: SubjectPublicKeyInfo, DER.
        findings: is told what is wrong.
        log_key: of the log's checkpoints, as verifiers take it; None believes what the journal's key has signed.
    """

    def __init__(self, journal: str, key: bytes, findings: Findings, *, log_key: str | None = None) -> None:
        self._journal, self._findings, self._pinned = journal, findings, log_key
        self._key = _ecdsa(key)
        if self._key is None:
            findings.against("authority", "The journal's key is none that signs heads.")
        self.number = 0
        self.covered = 0
        self._previous = GENESIS
        self._latest: datetime | None = None
        self._edge: Frontier | None = Frontier()
        self._without_leaf = 0
        self._logs: dict[str, bytes] = {}
        self._begun = set[str]()
        self._newest = ""
        self._checked = 0

    @property
    def heads(self) -> int:
        """The last row that a head covers."""
        return self.covered

    @property
    def logged(self) -> int:
        """The last row that a checkpoint covers."""
        return self._checked

    def take(self, line: Said) -> SealedRow:
        """Take the next row; return it.

        Args:
            line: what an export says of it.

        Raises:
            Unreadable: it is no row of a journal.
        """
        row = _row(line)
        self.number += 1
        name, against = f"row {self.number}", self._findings.against
        if row.number != self.number:
            against(name, f"Row {row.number} stands where {self.number} is expected.")
            self.number = max(row.number, self.number)
        try:
            octets = whole(row)
        except ValueError as error:
            against(name, f"It cannot be hashed: {error}.")
            octets = b""
        computed, stated = link_of(self._previous, octets), _hex(line.get("link"))
        if computed != stated:
            against(name, "It does not have the link that it states: it, or one before it, was altered.")
        # Going on from what is stated shows each break once, and not in every row behind it.
        self._previous = stated if len(stated) == len(GENESIS) else computed
        self._look_at(row, name)
        self._leaf(row, line, octets, name)
        return row

    def _look_at(self, row: SealedRow, name: str) -> None:
        happened, sealed = _instant(row.at), _instant(row.sealed_at)
        if happened is None or sealed is None:
            self._findings.against(name, "It has no instants that can be read.")
        elif sealed < happened <= sealed + DATED_AHEAD:
            self._findings.against(name, "It was sealed before it happened.")
        if sealed is not None and self._latest is not None and sealed < self._latest:
            self._findings.against(name, f"It was sealed at {row.sealed_at}, before the row in front of it.")
        self._latest = sealed or self._latest

    def _leaf(self, row: SealedRow, line: Said, octets: bytes, name: str) -> None:
        salt = None if line.get("salt") is None else _hex(line["salt"])
        if salt is None or self._edge is None:
            self._edge, self._without_leaf = None, self._without_leaf or row.number
            return
        if len(salt) != SALT_OCTETS:
            self._findings.against(name, f"The salt of its leaf has {len(salt)} octets.")
        public = public_part([text for _, text in carried(line)])
        hidden = commitment(salt, octets).hex()
        data = leaf_data(number=row.number, sealed_at=row.sealed_at, public=public, commitment=hidden)
        self._edge.add(leaf_hash(data))

    # --- heads and checkpoints --------------------------------------------------------------------------------------

    def head(self, line: Said) -> None:
        """Take a head; of the row that was taken last, or of one that is not there."""
        number, link, signature = line.get("number"), _hex(line.get("link")), _hex(line.get("signature"))
        name = f"journal_heads {number}"
        if type(number) is not int or self._key is None:
            self._findings.against(name, "It is of no row.")
            return
        try:
            self._key.verify(signature, head_statement(self._journal, number, link), ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):
            self._findings.against(name, f"The head of row {number} is not signed by the journal's key.")
            return
        if number > self.number:
            self._findings.against(name, f"A signed head covers row {number}, which is not there.")
        elif number < self.number:
            self._findings.against(name, f"The head of row {number} does not stand behind its row.")
        elif link != self._previous:
            self._findings.against(name, f"The signed head of row {number} names another link than the row has.")
        else:
            self.covered = number

    def begun(self, row: SealedRow, said: Said) -> None:
        """Take the row that says that the log begins: its key, by the journal's."""
        name = f"row {row.number}"
        origin, vkey = str(said.get("log")), str(said.get("key"))
        try:
            named, key = note.parse_vkey(vkey)
            statement = log_statement(
                log=origin, key=vkey, number=int(said["number"]), digest=bytes.fromhex(said["link"])
            )
            assert self._key is not None
            self._key.verify(bytes.fromhex(said["signature"]), statement, ec.ECDSA(hashes.SHA256()))
        except (NoteMalformed, InvalidSignature, ValueError, TypeError, KeyError, AssertionError):
            self._findings.against(name, "It says that a log begins, and the journal's key has not signed that.")
            return
        if named != origin:
            self._findings.against(name, "It names another log than its key does.")
        self._logs[origin], self._newest = key, origin
        self._begun.add(vkey)
        if self._pinned is not None and self._pinned != vkey and self._pinned.partition("+")[0] == origin:
            self._findings.against(name, "It names another key of the log than the one that you know.")

    def checkpoint(self, line: Said) -> None:
        """Take a checkpoint; of the tree as it is, or of one that there is not."""
        size = line.get("size")
        name = f"checkpoints {size}"
        try:
            said = note.parse_checkpoint(str(line.get("note")).encode())
        except NoteMalformed as error:
            self._findings.against(name, f"It is no checkpoint: {error}.")
            return
        key = self._logs.get(said.origin)
        if key is None:
            self._findings.against(name, f"It is of the log {said.origin}, of which no row says that it begins.")
        elif not _signed(said, key):
            self._findings.against(name, "It is not signed by the log's key.")
        elif said.size != size or said.size > self.number:
            self._findings.against(name, f"It covers {said.size} rows, and there are {self.number}.")
        elif said.origin != self._newest and self._edge is not None and said.root != self._edge.root:
            self._findings.note(f"A checkpoint of {said.size} rows is of the log {said.origin}, which a restore ended.")
        elif self._edge is None:
            self._findings.against(name, f"Row {self._without_leaf} has no leaf, and it covers that row.")
        elif said.root != self._edge.root:
            self._findings.against(name, f"Its root is not that of the leaves of rows 1 to {said.size}.")
        else:
            self._checked = said.size

    def finish(self) -> None:
        """Say what is wrong with the end."""
        if self.covered < self.number:
            self._findings.cannot_know(
                f"whether rows {self.covered + 1} to {self.number} are the authority's: no head covers them (yet)."
            )
        if not self.number:
            self._findings.cannot_know("anything: no row is sealed (yet), and nothing proves nothing.")
        if not self._logs:
            self._findings.note("No row says that a log begins: this journal is of before there was one.")
        elif self._checked < self.covered and not self._without_leaf:
            self._findings.cannot_know(
                f"what the log says of rows {self._checked + 1} to {self.covered}: no checkpoint covers them (yet)."
            )
        elif self._without_leaf and self._without_leaf <= self.covered:
            self._findings.cannot_know(
                f"what the log says from row {self._without_leaf} on: there it has no leaf (yet)."
            )
        if self._pinned is not None and self._pinned not in self._begun:
            self._findings.cannot_know("anything of the log whose key you know: no row says that it begins.")


def carried(line: Said) -> list[tuple[str, str]]:
    """Return the documents that a row carries in the log, by identifier.

    Raises:
        Unreadable: they are none.
    """
    every = line.get("carries")
    if not isinstance(every, list):
        raise Unreadable("a row does not say what it carries")
    found = []
    for each in every:
        said = each if isinstance(each, dict) else {}
        approval, document = said.get("approval"), said.get("document")
        if not isinstance(approval, str) or not isinstance(document, str):
            raise Unreadable("a row carries what is no document")
        found.append((approval, document))
    return found


def _row(line: Said) -> SealedRow:
    said = line.get("row")
    number = said.get("number") if isinstance(said, dict) else None
    if isinstance(number, str) and number.isdecimal() and len(number) <= _LONGEST_NUMBER:
        number = int(number)  # one that is not exact in JSON
    if not isinstance(said, dict) or type(number) is not int:
        raise Unreadable("a row has no number")
    if any(not isinstance(said.get(each), str) for each in _TEXTS):
        raise Unreadable(f"row {number} is none of a journal")
    if any(not isinstance(said.get(each), str | None) for each in _PERHAPS):
        raise Unreadable(f"row {number} is none of a journal")
    return SealedRow(number=number, **{each: said[each] for each in (*_TEXTS, *_PERHAPS)})


def _signed(said: note.Checkpoint, key: bytes) -> bool:
    named = note.key_id(said.origin, key)
    for each in said.signatures:
        if (each.name, each.key_id) == (said.origin, named):
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(each.octets, said.text.encode())
            except InvalidSignature:
                return False
            return True
    return False


def _ecdsa(key: bytes) -> ec.EllipticCurvePublicKey | None:
    try:
        loaded = load_der_public_key(key)
    except PARSE_ERRORS:
        return None
    return loaded if isinstance(loaded, ec.EllipticCurvePublicKey) else None


def _hex(said: object) -> bytes:
    try:
        return bytes.fromhex(said) if isinstance(said, str) else b""
    except ValueError:
        return b""


def _instant(said: str) -> datetime | None:
    try:
        return parse(said)
    except InstantMalformed:
        return None
