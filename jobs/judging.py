"""judging: which rows of a backup are ours, while it is put back.

Whoever owned the database may have written rows beside ours. One that claims to be signed and is not, or that stands
for a record that the memory does not have, is left out and named; it keeps nothing else from being put back. What was
changed under a head that our key has signed is refused: nobody can know what stood there (docs/adr/0034).

The memory is read without its key: it lay where only the authority writes. That it is as it was sealed is proved by
whoever has the passphrase (jobs/backup_proof.py).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ca.certificates import serial_in, signature_holds, signed_by, tbs_sha256
from ca.revocation.published import answer_holds, read_published
from core.chain import SealedRow, head_statement, journal_name, link
from core.instants import text
from core.kinds import CAS, HierarchyRole
from core.mirror import AuthorityCertificate
from keys.ceremony import JOURNAL_FILE
from memory.copying import CopyRead
from memory.records import Head
from store import dump
from store.reading import authority as reading
from store.reading import journal
from store.transactions import Transaction
from store.types import instant_of
from store.verbs import sealing

FIRST = ("authority", "authority_certificates")
"""Tables that the others are judged by; they refer to nothing."""

_AT_ONCE = 1_000


class NotOurs(Exception):
    """The register says other than what was signed, in a place that nothing can stand in for; its text says where."""


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """A fact that carried a number behind the last head.

    Args:
        row_id: of the journal.
        number: the one that was taken from it.
        as_sealed: whether it is linked as the authority would have done: it may have been sealed just then.
    """

    row_id: int
    number: int
    as_sealed: bool


@dataclass
class Judging:
    """What is known of an authority while its register is put back, and each row held against it.

    Args:
        tx: open; the register that is being written, table by table, those of FIRST first.
        memory: the copy that lay in the same backup.
        sealed: the row up to which a head was signed when the register's state was fixed.
    """

    tx: Transaction
    memory: CopyRead
    sealed: int
    _signers: dict[HierarchyRole, list[AuthorityCertificate]] | None = None
    _journal: tuple[str, bytes] | None = None
    _doubtful: list[TakenBack] = field(default_factory=list)

    def of(self, table: str) -> dump.Judge | None:
        """Return what judges the rows of a table; None if nothing of it is signed."""
        if table == "journal":
            return self._fact
        flaws: dict[str, Callable[[dump.Row], str | None]] = {
            "authority_certificates": self._hierarchy,
            "certificates": self._certificate,
            "crls": self._list,
            "ocsp_answers": self._answer,
            "journal_heads": self._head,
            "memory_records": self._record,
        }
        flaw = flaws.get(table)
        return None if flaw is None else lambda row: flaw(row) or row

    def require_whole(self) -> None:
        """Raise NotOurs where what stands under our signatures is not there any more.

        Without the certificate of an issuing CA nothing that it signed is known for ours, and the root's signature upon
        it is nowhere else. A row of the journal that is not what was sealed cannot be guessed.
        """
        held = {each.serial for each in self._of(HierarchyRole.ISSUING)}
        for each in self.memory.hierarchy(HierarchyRole.ISSUING):
            if each.serial not in held and each.key_id in self.memory.issued_under:
                raise NotOurs(
                    f"its register has lost certificate {each.serial} of an issuing CA, which has signed others: put "
                    "its row of authority_certificates back from an older backup, and make another one"
                )

        for number in (each.number for each in self._doubtful):
            if 0 < number <= self.sealed and journal.link_of(self.tx, number) is None:
                raise NotOurs(f"row {number} is not what was sealed")

    def take_back(self) -> list[TakenBack]:
        """Take every number back that stands behind the last head; return from which facts.

        If it was ours, no head was signed over it yet: it is sealed anew, as everything that waits.
        """
        last = max(journal.last_head(self.tx), self._remembered())
        found, digest, number = list(self._doubtful), journal.link_of(self.tx, last) or bytes(32), last
        while portion := journal.numbered_after(self.tx, number, _AT_ONCE):
            for row_id, each in portion:
                digest = _linked(digest, each.row) or bytes(32)
                as_sealed = (each.row.number, each.link) == (number + 1, digest)
                found.append(TakenBack(row_id=row_id, number=each.row.number, as_sealed=as_sealed))
                number = each.row.number
        if number > last:
            sealing.take_back(self.tx, behind=last)
        return found

    def _remembered(self) -> int:
        """Return the last row that the register has as the memory knows it."""
        newest = self.memory.head.number
        for each in journal.last_numbers(self.tx, newest, _AT_ONCE):
            known = self.memory.link_of(each)
            if known is not None and known == journal.link_of(self.tx, each):
                return each
        return 0

    def _hierarchy(self, row: dump.Row) -> str | None:
        der = row["der"]
        if der is None:
            return None  # it was to be signed; that is held against the memory before anything signs it
        try:
            role, serial = HierarchyRole(str(row["role"])), row["serial"]
        except ValueError:
            return None  # the database refuses it
        if not isinstance(der, bytes) or serial_in(der) != serial:
            return "its certificate is another one"
        known = {str(each.serial): each.tbs_sha256 for each in self.memory.hierarchy(role)}
        return None if known.get(str(serial)) == tbs_sha256(der) else "it is none of this authority's"

    def _certificate(self, row: dump.Row) -> str | None:
        der = row["der"]
        if not isinstance(der, bytes) or serial_in(der) != row["serial"]:
            return "its certificate is another one, or none"
        signed = any(signed_by(der, each.der) for each in self._of(HierarchyRole.ISSUING))
        return None if signed else "no issuing CA of this authority has signed it"

    def _list(self, row: dump.Row) -> str | None:
        der, above = row["der"], [each for role in CAS for each in self._of(role) if each.key_id == row["key_id"]]
        if not isinstance(der, bytes) or not above:
            return "it is of no CA of this authority"
        for each in above:
            try:
                said = read_published(der, each.der)
            except ValueError:
                continue
            return None if said.number == row["number"] else f"its list has number {said.number}"
        return "its CA has not signed it"

    def _answer(self, row: dump.Row) -> str | None:
        der = row["der"]
        above = [each.der for each in self._of(HierarchyRole.RESPONDER) if each.serial == row["responder_serial"]]
        held = isinstance(der, bytes) and any(answer_holds(der, str(row["serial"]), each) for each in above)
        return None if held else "no responder of this authority has signed it"

    def _fact(self, row: dump.Row) -> dump.Row:
        """Take the number from a fact that the memory knows to be another row's; what it says waits to be sealed."""
        number = row["seal_number"]
        if not isinstance(number, int):
            return row
        before, sealed = self.memory.link_of(number - 1), self.memory.link_of(number)
        if number > 0 and (before is None or sealed is None):
            return row  # the row before it, or a head, says whether it is right
        if number > 0 and row["link"] == sealed == _linked(before or b"", _sealed_row(row)):
            return row
        self._doubtful.append(TakenBack(row_id=int(row["id"] or 0), number=number, as_sealed=False))
        return {**row, "seal_number": None, "sealed_at": None, "link": None}

    def _head(self, row: dump.Row) -> str | None:
        number, digest, signature = row["number"], row["link"], row["signature"]
        if not isinstance(number, int) or not isinstance(digest, bytes) or not isinstance(signature, bytes):
            return None  # the database refuses it
        name, key = self._journal_key()
        try:
            signed = signature_holds(key, head_statement(journal_name(name), number, digest), signature)
        except ValueError:
            signed = False
        if not signed:
            return "the journal's key has not signed it"
        if self.memory.link_of(number) == digest:
            return None
        if self.memory.signed(Head(number=number, link=digest)):
            return "it was signed before a restore that left those rows"
        raise NotOurs(f"its memory does not know the head of row {number}, which the journal's key has signed")

    def _record(self, row: dump.Row) -> str | None:
        try:
            return None if self.memory.has_record(**row) else "the memory has no such record"  # type: ignore[arg-type]
        except TypeError:
            return None  # the database refuses it

    def _of(self, role: HierarchyRole) -> list[AuthorityCertificate]:
        if self._signers is None:
            self._signers = {each: reading.certificates(self.tx, each) for each in HierarchyRole}
        return self._signers[role]

    def _journal_key(self) -> tuple[str, bytes]:
        if self._journal is None:
            row, begun = reading.authority_row(self.tx), self.memory.begun
            if begun.keys.get(JOURNAL_FILE) != hashlib.sha256(row.journal_key).hexdigest() or begun.name != row.name:
                raise NotOurs("its row of the authority names another journal, or its key, than the memory began with")
            self._journal = row.name, row.journal_key
        return self._journal


def _sealed_row(row: dump.Row) -> SealedRow:
    said: dict[str, Any] = dict(row)
    return SealedRow(
        number=said["seal_number"],
        sealed_at=_instant(said["sealed_at"]),
        kind=said["kind"],
        at=_instant(said["at"]),
        actor=said["actor"],
        role=said["role"],
        organisation=said["organisation"],
        subject=said["subject"],
        payload=said["payload"],
    )


def _instant(said: int | None) -> str:
    return "" if said is None else text(instant_of(said))


def _linked(before: bytes, row: SealedRow) -> bytes | None:
    """Return the link of a row; None if it says what no document of ours can say."""
    try:
        return link(before, row)
    except ValueError:
        return None
