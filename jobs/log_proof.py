"""log_proof: a backup's public log is held against its journal, row by row, and its checkpoints against the log's key.

Which key that is the journal says, in the row with which a log begins, and the journal's key has signed it.
"""

from dataclasses import dataclass, field

from ca.certificates import signature_holds
from core import note
from core.chain import commitment, log_statement, whole
from core.errors import NoteMalformed
from core.facts import FactKind
from core.merkle import Frontier, leaf_hash
from jobs.resting import said_by
from keys.log_key import log_signature_holds
from store.reading import journal
from store.reading import log as reading
from store.reading.journal import Sealed
from store.reading.log import Checkpoint, Leaf
from store.transactions import Transaction

_ROWS = 1_000


@dataclass
class ProvedLog:
    """What was proved of a log.

    Args:
        keys: of each log that began, by its origin, in order, as verifiers take them.
        leaves: how many.
        checkpoints: how many.
    """

    keys: dict[str, str] = field(default_factory=dict)
    leaves: int = 0
    checkpoints: int = 0

    @property
    def key(self) -> str | None:
        """The key of the newest log; None if none has begun."""
        return next(reversed(self.keys.values()), None)


def prove_log(tx: Transaction, journal_key: bytes) -> ProvedLog:
    """Prove leaves, checkpoints and the rows with which logs began.

    Args:
        tx: open, of one moment; its journal is proved elsewhere.
        journal_key: the journal's public key.

    Raises:
        ValueError: something does not hold; its text says what.
    """
    proved, edge, number = ProvedLog(), Frontier(), 0
    whole_log = reading.first_leaf(tx) == 1  # rows of before get theirs when a log begins
    waiting = list[Checkpoint]()
    while rows := journal.sealed_after(tx, number, _ROWS):
        upto = number + len(rows)
        leaves = {each.number: each for each in reading.leaves_after(tx, number, _ROWS, upto)}
        shown = {each.size: each for each in reading.checkpoints_between(tx, number, upto)}
        _require(whole_log or not shown, "rows that a checkpoint covers have no leaf")
        for row in rows:
            if row.row.kind == FactKind.LOG_BEGUN:
                _begun(proved, row, journal_key)
            if whole_log:
                edge.add(_leaf(row, leaves.get(row.row.number)))
            checkpoint = shown.get(row.row.number)
            if checkpoint is not None:
                _require(checkpoint.root == edge.root, f"the checkpoint at {checkpoint.size} is of another tree")
                waiting.append(checkpoint)
        proved.leaves += len(leaves)
        number = upto
    beyond = reading.checkpoint(tx)
    _require(beyond is None or beyond.size <= number, "a checkpoint is beyond the journal's end")
    for checkpoint in waiting:  # one of the first turn covers the row that says by which key it is signed
        _signed(proved, checkpoint)
    return proved


def _begun(proved: ProvedLog, row: Sealed, journal_key: bytes) -> None:
    said, number = said_by(row.row), row.row.number
    try:
        log, key = str(said["log"]), str(said["key"])
        statement = log_statement(log=log, key=key, number=int(said["number"]), digest=bytes.fromhex(said["link"]))
        holds = signature_holds(journal_key, statement, bytes.fromhex(said["signature"]))
    except (KeyError, TypeError, ValueError):
        holds = False
    _require(holds, f"the journal's key has not signed for the log that begins with row {number}")
    proved.keys.pop(log, None)
    proved.keys[log] = key


def _leaf(row: Sealed, leaf: Leaf | None) -> bytes:
    number = row.row.number
    if leaf is None:
        raise ValueError(f"row {number} has no leaf")
    _require(leaf.commitment == commitment(leaf.salt, whole(row.row)), f"the leaf of row {number} is of another row")
    _require(leaf.leaf == leaf_hash(leaf.data), f"the leaf of row {number} is not what it is the hash of")
    return leaf.leaf


def _signed(proved: ProvedLog, kept: Checkpoint) -> None:
    try:
        said = note.parse_checkpoint(kept.note.encode())
        (signature,) = said.signatures
        name, key = note.parse_vkey(proved.keys[said.origin])
        holds = (said.size, said.root) == (kept.size, kept.root) and signature.name == name
        holds = holds and log_signature_holds(key, said.text.encode(), signature.octets)
    except (NoteMalformed, KeyError, ValueError):
        holds = False
    _require(holds, f"the checkpoint at {kept.size} is not signed by the log's key, or says something else")
    proved.checkpoints += 1


def _require(holds: bool, detail: str) -> None:  # noqa: FBT001 - what has to hold, said first
    if not holds:
        raise ValueError(detail)
