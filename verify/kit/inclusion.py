"""One row that an authority hands out with its proof: what is believed of it, offline, with the log's key alone."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from verify.kit.canonical import canonical, read
from verify.kit.merkle import included, leaf_hash
from verify.kit.note import Checkpoint, Key, checkpoint
from verify.kit.status import Life
from verify.kit.stopped import Check, Stopped

MEMBERS = frozenset({"row", "size", "leaf_data", "hashes", "checkpoint"})


def proved(said: object, log: Key) -> Mapping[str, Any]:
    """Return the row that an answer of `/v1/proofs/inclusion` proves to be in the log.

    That no later row says otherwise only a copy knows, which has them all.

    Args:
        said: the answer, read from JSON.
        log: the log's key, from somewhere trusted.

    Raises:
        Stopped: it does not prove it.
    """
    if not isinstance(said, dict) or said.keys() != MEMBERS or not isinstance(said["leaf_data"], str):
        raise Stopped(Check.FORM, "It is no proof of inclusion.")
    seen, octets = _signed(said["checkpoint"], log), said["leaf_data"].encode("utf-8", "surrogatepass")
    try:
        row = read(octets)
        hashes = [base64.b64decode(each, validate=True) for each in said["hashes"]]
    except (ValueError, TypeError, binascii.Error):
        raise Stopped(Check.FORM, "Its row or its proof is not in the form of one.") from None
    if not isinstance(row, dict) or canonical(row) != octets or type(row.get("number")) is not int:
        raise Stopped(Check.FORM, "Its row is not in the form of one.")
    if (said["row"], said["size"]) != (row["number"], seen.size):
        raise Stopped(Check.ORDER, "It is of another row, or of another tree, than it says.")
    if not included(leaf_hash(octets), row["number"] - 1, seen.size, hashes, seen.root):
        raise Stopped(Check.ROOT, "The row is not proved to be in the log.")
    return row


def carried(row: Mapping[str, Any], approval: str) -> Mapping[str, Any]:
    """Return what a row that is proved says of an approval.

    Raises:
        Stopped: it says nothing of it.
    """
    try:
        (found,) = [each for each in row["public"].get("approvals", ()) if Life(each).identifier == approval]
    except (KeyError, TypeError, ValueError, StopIteration, AttributeError):
        raise Stopped(Check.DOCUMENT, f"Row {row.get('number')} says nothing of {approval}.") from None
    document: Mapping[str, Any] = found
    return document


def _signed(note: object, log: Key) -> Checkpoint:
    if not isinstance(note, str):
        raise Stopped(Check.FORM, "It has no checkpoint.")
    seen = checkpoint(note)
    seen.require(log)
    return seen
