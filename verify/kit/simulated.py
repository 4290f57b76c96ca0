"""A log made for tests of those who follow one: it grows, and does wrong when it is told to."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verify.kit.canonical import canonical
from verify.kit.evidence.identifiers import check_character
from verify.kit.instants import text
from verify.kit.merkle import Frontier, leaf_hash
from verify.kit.note import LOG, Key, body_of, key_of, signed
from verify.kit.proofs import coded, consistency, inclusion, tile
from verify.kit.status import Document

DAY = 86_400


class Wrong(StrEnum):
    """What it can be told to do wrong."""

    NOTHING = "nothing"
    SIGNATURE = "signature-wrong"
    WENT_BACK = "register-went-back"
    OTHER_HISTORY = "other-history"
    LEFT_OUT = "row-left-out"
    CHANGED = "row-changed"
    STALE = "stale"
    NO_JSON = "no-json"
    REGISTER = "register-differs"
    REGISTER_SIGNATURE = "register-signature-wrong"
    LIST_STALE = "list-stale"
    LIST_SIGNATURE = "list-signature-wrong"
    ANSWER_STALE = "answer-stale"
    ANSWER_SIGNATURE = "answer-signature-wrong"


class Log:
    """A log with a key of its own; nothing of it is secret.

    Args:
        name: its origin.
        seed: 32 octets from which its key follows.
        noted: whether each of its states is signed, and not only the last: what went back is shown of those.
    """

    def __init__(self, name: str = "TEST/simulator/log/1", seed: bytes = bytes(32), *, noted: bool = True) -> None:
        self._noted = noted
        self._name = name
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key: Key = key_of(self._private, name, LOG)
        self.rows: list[dict[str, Any]] = []
        self.leaves: list[bytes] = []
        self._tree = Frontier()
        self._notes = {0: self._note(0, self._tree.root())}
        self.wrong = Wrong.NOTHING
        self._register: dict[str, Document] = {}

    def add(self, at: int, *documents: Document) -> None:
        """Add a row that carries these documents; without any it is a row of which nothing is public."""
        self.carry(at, {"approvals": sorted(documents, key=lambda each: str(each["approval"]))} if documents else {})
        self._register |= {str(each["approval"]): each for each in documents}

    def carry(self, at: int, public: Mapping[str, object]) -> None:
        """Add a row whose public part is this, whatever it is: the register is not told of it."""
        number = len(self.rows) + 1
        commitment = hashlib.sha256(f"{self._name} {number}".encode()).hexdigest()
        row = {"number": number, "sealed_at": text(at), "public": public, "commitment": commitment}
        leaf = leaf_hash(canonical(row))
        self._tree.add(leaf)
        self.leaves.append(leaf)
        self.rows.append({**row, "leaf": leaf.hex()})
        if self._noted:
            self._notes[number] = self._note(number, self._tree.root())

    @property
    def documents(self) -> Mapping[str, Document]:
        """The last document of each approval."""
        return self._register

    def document(self, approval: str) -> Document:
        """Return the last document of an approval."""
        return self._register[approval]

    def note(self) -> str:
        """Return the newest checkpoint, or what it was told to give in its place."""
        size = len(self.rows)
        self._notes.setdefault(size, self._note(size, self._tree.root()))
        match self.wrong:
            case Wrong.SIGNATURE:
                body, _, line = self._notes[size].rpartition("\n\n")
                other = self._notes[max(0, size - 1)].rpartition("\n\n")[2]
                return f"{body}\n\n{other if other != line else line[::-1]}"
            case Wrong.WENT_BACK | Wrong.STALE:
                return self._notes[max(0, size - 1 - (self.wrong is Wrong.WENT_BACK))]
            case Wrong.OTHER_HISTORY:
                return self._note(size, hashlib.sha256(self._tree.root()).digest())
            case _:
                return self._notes[size]

    def feed(self, after: int, limit: int) -> bytes:
        """Return what /v1/feed answers."""
        note = self.note()
        upto = int(note.split("\n")[1])
        rows = self.rows[after : min(after + limit, upto)]
        if self.wrong is Wrong.LEFT_OUT and rows:
            rows = rows[1:]
        if self.wrong is Wrong.CHANGED and rows:
            rows = [{**rows[0], "commitment": "0" * 64}, *rows[1:]]
        if self.wrong is Wrong.NO_JSON:
            return b'{"rows": [1.5]'
        return canonical({"rows": rows, "checkpoint": note})

    def inclusion(self, row: int, size: int) -> bytes:
        """Return what /v1/proofs/inclusion answers; ValueError if there is no such row."""
        if not 1 <= row <= size <= len(self.rows):
            raise ValueError("there is no such row")
        data = canonical({name: said for name, said in self.rows[row - 1].items() if name != "leaf"}).decode()
        hashes = coded(inclusion(self.leaves[:size], row - 1))
        return canonical({"row": row, "size": size, "leaf_data": data, "hashes": hashes})

    def consistency(self, old: int, new: int) -> bytes:
        """Return what /v1/proofs/consistency answers; ValueError if there are no such trees."""
        if not 1 <= old <= new <= len(self.rows):
            raise ValueError("there are no such trees")
        return canonical({"from": old, "to": new, "hashes": coded(consistency(self.leaves[:new], old))})

    def tile(self, path: str) -> bytes:
        """Return what /tile/ answers (C2SP tlog-tiles): hashes, or entries; ValueError if there is no such tile."""
        return tile(
            self.leaves, [canonical({n: said for n, said in row.items() if n != "leaf"}) for row in self.rows], path
        )

    def register(self) -> bytes:
        """Return what /v1/register answers."""
        approvals = [self._register[each] for each in sorted(self._register)]
        if self.wrong is Wrong.REGISTER:
            approvals = approvals[1:]
        note = self._notes[len(self.rows)].split("\n")
        at = self.rows[-1]["sealed_at"] if self.rows else None
        said = {"log": note[0], "size": int(note[1]), "root": note[2], "at": at, "approvals": approvals}
        return canonical(said)

    def _note(self, size: int, root: bytes) -> str:
        return signed(body_of(self._name, size, root), self._private, self._name)


def granted(number: int, at: int, *, days: int = 90) -> dict[str, Any]:
    """Return the document of an approval that begins when it is granted.

    Args:
        number: which; identifier, model and serial follow from it.
        at: of the grant.
        days: for which it holds.
    """
    start, expiry = text(at), text(at + days * DAY - 1)
    return {
        "approval": f"TDT-2027-{number:04d}-{check_character(f'TDT2027{number:04d}')}",
        "device": {"type": "ESME", "manufacturer": "AB01", "model": f"{number:08X}", "hardware_version": "01"},
        "granted": start,
        "start": start,
        "terms": [
            {
                "issue": 1,
                "effective": start,
                "expiry": expiry,
                "maximum_devices": 500,
                "firmware": [{"version": "0002012F", "image_digest": hashlib.sha256(str(number).encode()).hexdigest()}],
            }
        ],
        "certificates": [
            {
                "serial": f"{(1 << 126) + number:032X}",
                "issue": 1,
                "sha256": hashlib.sha256(f"certificate {number}".encode()).hexdigest(),
                "not_before": start,
                "not_after": expiry,
                "signed_at": start,
                "revoked_at": None,
                "cause": None,
                "invalidity_date": None,
                "superseded_at": None,
                "issuer_ended_at": None,
            }
        ],
        "ended_at": None,
        "end_cause": None,
        "disputed": [],
    }


def revoked(document: Document, at: int) -> dict[str, Any]:
    """Return a document as it is after the SSC has revoked the approval."""
    certificates = [{**each, "revoked_at": text(at), "cause": "ssc"} for each in document["certificates"]]
    return {**document, "certificates": certificates, "ended_at": text(at), "end_cause": "ssc"}
