"""Checks an exported journal without trusting whoever exported it.

`check` shows that

1. the rows are numbered 1, 2, 3 … without a gap;
2. each row's link is the digest of the row before it and of what the row says (core/chain.py), from GENESIS on;
3. each payload is JSON in its one canonical form, and the instants of sealing never run backwards, nor lie before
   what was sealed happened, unless that was dated ahead of the sealer by a wrong clock (core/chain.py);
4. each head is signed by the journal's key and names a row that is there with the link that it has;
5. the last row is covered by a head.

It leaves to the caller: that the key is the journal's, and that no longer journal exists. Against a journal cut off
at its end, hand in heads that you kept from before: a head beyond the last row is a problem.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from core.canonical import canonical
from core.chain import DATED_AHEAD, GENESIS, SealedRow, head_statement, link
from core.errors import InstantMalformed
from core.instants import parse
from verify.parsing import PARSE_ERRORS


@dataclass(frozen=True)
class LinkedRow:
    """A row as exported.

    Args:
        row: what was journalled.
        link: its digest, 64 lower-case hexadecimal digits.
    """

    row: SealedRow
    link: str


@dataclass(frozen=True)
class Head:
    """A signed head.

    Args:
        number: of the last row it covers.
        digest: that row's link, 64 lower-case hexadecimal digits.
        signature: ECDSA with SHA-256 over core.chain.head_statement, DER.
    """

    number: int
    digest: str
    signature: bytes


def check(rows: Sequence[LinkedRow], heads: Sequence[Head], *, journal: str, journal_key: bytes) -> tuple[str, ...]:
    """Return every problem, a sentence each; none means that the journal holds together.

    Args:
        rows: all rows from number 1 on.
        heads: those exported, and those kept from before, in any order.
        journal: the journal's name, which heads sign.
        journal_key: its SubjectPublicKeyInfo, DER.
    """
    problems = [*_row_problems(rows), *_head_problems(rows, heads, journal, journal_key)]
    covered = max((head.number for head in heads), default=0)
    if covered < len(rows):
        problems.append(f"No signed head covers the rows from {covered + 1} on.")
    if not rows and not heads:
        problems.append("There is nothing to check.")  # nothing proves nothing
    return tuple(problems)


def _row_problems(rows: Sequence[LinkedRow]) -> list[str]:
    problems = []
    previous = GENESIS
    latest: datetime | None = None
    for number, linked in enumerate(rows, start=1):
        row = linked.row
        if row.number != number:
            problems.append(f"Row {row.number} stands where {number} is expected.")
        try:
            computed = link(previous, row).hex()
        except ValueError as error:
            problems.append(f"Row {number} cannot be hashed: {error}.")
            computed = linked.link
        if computed != linked.link:
            problems.append(f"Row {number} does not have the link that it states: it, or one before it, was altered.")
        # Going on from what is stated shows each break once, not every row behind it.
        previous = _octets(linked.link, number, problems)
        if not _is_canonical(row.payload):
            problems.append(f"Row {number} has a payload that is not canonical JSON.")
        happened, sealed = _instant(row.at), _instant(row.sealed_at)
        if happened is None or sealed is None:
            problems.append(f"Row {number} has no instants that can be read.")
        elif sealed < happened <= sealed + DATED_AHEAD:
            problems.append(f"Row {number} was sealed before it happened.")
        if sealed is not None and latest is not None and sealed < latest:
            problems.append(f"Row {number} was sealed at {row.sealed_at}, before the row in front of it.")
        latest = sealed or latest
    return problems


def _head_problems(rows: Sequence[LinkedRow], heads: Sequence[Head], journal: str, journal_key: bytes) -> list[str]:
    try:
        key = load_der_public_key(journal_key)
    except PARSE_ERRORS:
        return ["The journal's key cannot be read."]
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return ["The journal's key is not one for ECDSA."]
    links: Mapping[int, str] = {number: linked.link for number, linked in enumerate(rows, start=1)}
    problems = []
    for head in heads:
        if not _signed(key, journal, head):
            problems.append(f"The head of row {head.number} is not signed by the journal's key.")
        elif head.number not in links:
            problems.append(f"A signed head covers row {head.number}, which is not there.")
        elif links[head.number] != head.digest:
            problems.append(f"The signed head of row {head.number} names another link than the row has.")
    return problems


def _signed(key: ec.EllipticCurvePublicKey, journal: str, head: Head) -> bool:
    try:
        statement = head_statement(journal, head.number, bytes.fromhex(head.digest))
        key.verify(head.signature, statement, ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return True


def _octets(hexadecimal: str, number: int, problems: list[str]) -> bytes:
    try:
        octets = bytes.fromhex(hexadecimal)
    except ValueError:
        octets = b""
    if len(octets) != len(GENESIS):
        problems.append(f"Row {number} states a link that is not 32 octets.")
    return octets


def _is_canonical(payload: str) -> bool:
    try:
        return canonical(json.loads(payload)) == payload.encode("utf-8")
    except (ValueError, RecursionError):
        return False


def _instant(value: str) -> datetime | None:
    try:
        return parse(value)
    except InstantMalformed:
        return None
