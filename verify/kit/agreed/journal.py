"""Checks an exported journal without trusting whoever exported it.

`check` shows that

1. the rows are numbered 1, 2, 3 … without a gap;
2. each row's link is the digest of the row before it and of what the row says (`link`), from GENESIS on;
3. each payload is JSON in its one canonical form, and the instants of sealing never run backwards, nor lie before
   what was sealed happened, unless that was dated ahead of the sealer by a wrong clock (DATED_AHEAD);
4. each head is signed by the journal's key and names a row that is there with the link that it has;
5. the last row is covered by a head.

It leaves to the caller: that the key is the journal's, and that no longer journal exists. Against a journal cut off
at its end, hand in heads that you kept from before: a head beyond the last row is a problem.

`prove` shows the same of an export by what is known of it from outside, and says what it cannot know without.

`check_stretches` shows the same of some stretches of a journal, each from a link that is stated to a head: that they
are of the journal, and not what lies between them.
"""

import base64
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from verify.kit.agreed import forms
from verify.kit.agreed.chain import DATED_AHEAD, GENESIS, Row, SealedRow, head_statement, link, said
from verify.kit.canonical import canonical, read
from verify.kit.evidence.parsing import PARSE_ERRORS, Unreadable
from verify.kit.instants import moment


@dataclass(frozen=True)
class LinkedRow:
    """A row as exported.

    Args:
        row: what was journalled.
        link: its digest, 64 lower-case hexadecimal digits.
    """

    row: Row
    link: str


@dataclass(frozen=True)
class Head:
    """A signed head.

    Args:
        number: of the last row it covers.
        digest: that row's link, 64 lower-case hexadecimal digits.
        signature: ECDSA with SHA-256 over verify.kit.agreed.chain.head_statement, DER.
    """

    number: int
    digest: str
    signature: bytes


@dataclass(frozen=True)
class Stretch:
    """Rows that follow each other.

    Args:
        before: the link of the row before the first, 64 lower-case hexadecimal digits.
        rows: in order.
    """

    before: str
    rows: Sequence[LinkedRow]


@dataclass(frozen=True)
class Export:
    """A journal, or stretches of one, as it was exported.

    Args:
        name: the journal's, as the export says it.
        key: its public key, as the export says it: SubjectPublicKeyInfo, DER.
        stretches: in order; a whole journal is one.
        heads: in any order.
    """

    name: str
    key: bytes
    stretches: Sequence[Stretch] = field(default=())
    heads: Sequence[Head] = field(default=())

    @property
    def whole(self) -> bool:
        """Whether it has every row from the first to its last."""
        return len(self.stretches) == 1 and _first(self.stretches[0]) == 1

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, in order."""
        return tuple(each.row for stretch in self.stretches for each in stretch.rows)


def check(rows: Sequence[LinkedRow], heads: Sequence[Head], *, journal: str, journal_key: bytes) -> tuple[str, ...]:
    """Return every problem, a sentence each; none means that the journal holds together.

    Args:
        rows: all rows from number 1 on.
        heads: those exported, and those kept from before, in any order.
        journal: the journal's name, which heads sign.
        journal_key: its SubjectPublicKeyInfo, DER.
    """
    problems = [
        *_row_problems(rows, first=1, previous=GENESIS, latest=None),
        *_head_problems(dict(enumerate(rows, start=1)), heads, journal, journal_key),
    ]
    covered = max((head.number for head in heads), default=0)
    if covered < len(rows):
        problems.append(f"No signed head covers the rows from {covered + 1} on.")
    if not rows and not heads:
        problems.append("There is nothing to check.")  # nothing proves nothing
    return tuple(problems)


@dataclass(frozen=True, kw_only=True)
class Proved:
    """What was found out about an export.

    Args:
        problems: a sentence each; none if it holds together.
        unknown: what nothing from outside tells, each goes on from "It cannot be known".
    """

    problems: tuple[str, ...]
    unknown: tuple[str, ...]


def prove(
    export: Export, *, keys_sha256: Collection[str], heads: Sequence[Head] = (), links: Mapping[int, str] | None = None
) -> Proved:
    """Return what was found out about an exported journal.

    Args:
        export: a whole journal.
        keys_sha256: SHA-256 of the journal's public key, hex, from each place outside that says it.
        heads: signed, kept from before.
        links: by the number of the row, kept from before by whoever need believe no signature on them.
    """
    named = hashlib.sha256(export.key).hexdigest()
    problems = [
        f"The export names another key of the journal than the one that you know, SHA-256 {each}."
        for each in sorted(set(keys_sha256) - {named})
    ]
    rows = [each for stretch in export.stretches for each in stretch.rows]
    problems += check(rows, [*export.heads, *heads], journal=export.name, journal_key=export.key)
    for number, kept in sorted((links or {}).items()):
        if number > len(rows):
            problems.append(f"You kept the link of row {number}, which is not there.")
        elif rows[number - 1].link != kept:
            problems.append(f"Row {number} has another link than the one that you kept.")
    unknown = []
    if not keys_sha256:
        unknown.append(
            f"whether this is the authority's journal: nothing from outside says that its key is the one whose SHA-256 "
            f"is {named}, and with a key of one's own anybody writes such a journal (--transcript or --key)."
        )
    reach = max([*(head.number for head in heads), *(links or {})], default=0)
    unknown.append(
        f"whether rows behind {len(rows)} were cut off"
        + (
            ": no head that was kept from before says how far it goes (--head)."
            if not reach
            else f"; row {reach} is the last that you kept."
        )
    )
    return Proved(problems=tuple(problems), unknown=tuple(unknown))


def check_stretches(export: Export, *, journal: str, journal_key: bytes) -> tuple[str, ...]:
    """Return every problem of an export, a sentence each; a whole journal is checked as by `check`.

    Args:
        export: rows and heads; what it says of its own name and key is not looked at.
        journal: the journal's name, which heads sign.
        journal_key: its SubjectPublicKeyInfo, DER.
    """
    if export.whole or not export.stretches:
        rows = export.stretches[0].rows if export.stretches else ()
        return check(rows, export.heads, journal=journal, journal_key=journal_key)
    problems: list[str] = []
    numbered: dict[int, LinkedRow] = {}
    heads = {head.number for head in export.heads}
    last, latest = 0, None
    for stretch in export.stretches:
        first = _first(stretch)
        if first <= last:
            problems.append(f"The stretch from row {first} on does not lie behind row {last}.")
        before = _octets(stretch.before, first, problems)
        problems += _row_problems(stretch.rows, first=first, previous=before, latest=latest)
        numbered |= dict(enumerate(stretch.rows, start=first))
        last = first + len(stretch.rows) - 1
        latest = _instant(stretch.rows[-1].row.sealed_at) or latest
        if last not in heads:
            problems.append(f"No signed head covers the rows from {first} to {last}.")
    return (*problems, *_head_problems(numbered, export.heads, journal, journal_key))


def _first(stretch: Stretch) -> int:
    return stretch.rows[0].row.number


def _row_problems(rows: Sequence[LinkedRow], *, first: int, previous: bytes, latest: datetime | None) -> list[str]:
    problems = []
    for number, linked in enumerate(rows, start=first):
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


def _head_problems(rows: Mapping[int, LinkedRow], heads: Sequence[Head], journal: str, journal_key: bytes) -> list[str]:
    try:
        key = load_der_public_key(journal_key)
    except PARSE_ERRORS:
        return ["The journal's key cannot be read."]
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return ["The journal's key is not one for ECDSA."]
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != journal_key:
        return ["The journal's key is not in its one form."]
    problems = []
    for head in heads:
        if not _signed(key, journal, head):
            problems.append(f"The head of row {head.number} is not signed by the journal's key.")
        elif head.number not in rows:
            problems.append(f"A signed head covers row {head.number}, which is not there.")
        elif rows[head.number].link != head.digest:
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
        return canonical(read(payload.encode("utf-8"))) == payload.encode("utf-8")
    except ValueError:
        return False


def _instant(value: str) -> datetime | None:
    try:
        return moment(value)
    except ValueError:
        return None


# --- as lines -------------------------------------------------------------------------------------------------------


_PERHAPS = forms.perhaps(forms.anytext)
_ROW = {
    **dict.fromkeys(("sealed_at", "kind", "at", "actor", "payload"), forms.anytext),
    **dict.fromkeys(("role", "organisation", "subject"), _PERHAPS),
    "number": lambda said: type(said) is int,
}


def _row(said: object) -> bool:
    forms.members(said, _ROW)
    return True


_ROW_LINE = {"row": _row, "link": forms.sha256}
_BEFORE_LINE = {"before": forms.sha256}
_HEAD_LINE = {"head": forms.whole(0), "link": forms.sha256, "signature": forms.hexadecimal}
_NAME_LINE = {"journal": forms.anytext, "key": forms.anytext}
"""The members of each kind of line, with their forms."""


def export_lines(export: Export) -> Iterable[str]:
    """Yield an export as it is written: one JSON object a line.

    Args:
        export: a whole journal, or stretches of one.
    """
    yield _line({"journal": export.name, "key": base64.b64encode(export.key).decode()})
    for stretch in export.stretches:
        if _first(stretch) != 1:
            yield _line({"before": stretch.before})
        for each in stretch.rows:
            yield _line({"row": said(each.row), "link": each.link})
    for head in export.heads:
        yield _line({"head": head.number, "link": head.digest, "signature": head.signature.hex()})


def read_export(written: bytes) -> Export:
    """Return what the lines of an export say; nothing of it is checked yet.

    Each line is of one of four kinds and in its one form: what nobody has signed must not be written in two ways.

    Raises:
        Unreadable: one of them is none.
    """
    named: tuple[str, bytes] | None = None
    stretches: list[Stretch] = []
    rows: list[LinkedRow] = []
    heads: list[Head] = []
    before = GENESIS.hex()
    for number, line in enumerate(written.removesuffix(b"\n").split(b"\n") if written else (), 1):
        try:
            told = read(line)
            if "row" in told:
                said = forms.members(told, _ROW_LINE)
                rows.append(LinkedRow(SealedRow(**said["row"]), said["link"]))
            elif "before" in told:
                stretches += [Stretch(before, rows)] if rows else []
                rows, before = [], forms.members(told, _BEFORE_LINE)["before"]
            elif "head" in told:
                said = forms.members(told, _HEAD_LINE)
                heads.append(Head(said["head"], said["link"], bytes.fromhex(said["signature"])))
            else:
                named = _named(forms.members(told, _NAME_LINE), named)
        except (ValueError, TypeError):
            raise Unreadable(f"line {number} is not a line of a journal export") from None
    stretches += [Stretch(before, rows)] if rows else []
    name, key = named or ("", b"")
    return Export(name=name, key=key, stretches=stretches, heads=heads)


def _named(said: Mapping[str, Any], before: tuple[str, bytes] | None) -> tuple[str, bytes]:
    key = base64.b64decode(said["key"], validate=True)
    if before is not None or base64.b64encode(key).decode("ascii") != said["key"]:
        raise ValueError("it is named twice, or its key is not in its one form")
    return said["journal"], key


def _line(told: Mapping[str, object]) -> str:
    return json.dumps(told)
