"""exported: the whole register for an auditor, a line for each thing, in the order in which one pass can prove it.

Before each row of the journal stands what it names by a digest: the proposal, what officers signed, the bytes that were
to be signed, certificate and list. Behind it stand heads and checkpoints that end with it, and behind the last row what
the tables say (verify/audited.py reads it). Withheld words are in no line: proposals and facts have salted digests.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from core.actors import Actor
from core.canonical import LARGEST_EXACT, Json, read_json, salted_digest
from core.chain import journal_name
from core.errors import BodyMalformed
from core.facts import FactKind
from core.instants import from_seconds, text
from policy.roles import Operation
from ra.access import authorise
from ra.auditing.views import AuditPortion
from ra.desk import Desk
from store.reading import exported as reading
from store.reading.exported import KEPT, Kept, Numbered, Said
from store.transactions import Store, Transaction

VERSION = 1

PART_OCTETS = 512 * 1024
"""Octets of a list on one line: a list of a million entries has forty million."""

Line = dict[str, Json]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an export stands.

    Args:
        row: the last row of the journal that was given.
        table: which of TABLES is given next; None while rows are left of when it began.
        key: of the last row of that table; None before its first.
    """

    row: int = 0
    table: int | None = None
    key: tuple[Any, ...] | None = None


BEGIN = Place()


@dataclass(frozen=True, kw_only=True)
class Portion:
    """Some lines of an export, of one state of the register, and where it goes on; nowhere where that is all."""

    lines: Sequence[Line]
    then: Place | None


def export(store: Store) -> Iterator[Line]:
    """Give the lines of an export, of one state of the register.

    Args:
        store: the register.
    """
    with store.read(whole=True) as tx:
        place: Place | None = BEGIN
        lines, number = 0, 0
        while place is not None:
            found = portion(tx, place)
            lines += len(found.lines)
            number = place.row
            yield from found.lines
            place = found.then
        yield {"is": "end", "lines": lines + 1, "rows": _plain(number)}


def portion(tx: Transaction, place: Place) -> Portion:
    """Return the next lines of an export; rows of the journal that have come meanwhile are the first of them.

    So what stands in the tables is always compared with all rows that there are.

    Args:
        tx: open.
        place: where it stands.
    """
    lines: list[Line] = [head_matter(tx)] if place == BEGIN else []
    more, last = rows(tx, place.row, reading.PAGE)
    lines += more
    if last - place.row >= reading.PAGE:
        return Portion(lines=lines, then=replace(place, row=last))
    if place.table is None:
        lines += beyond(tx, last)
        return Portion(lines=lines, then=Place(row=last, table=0))
    kept = TABLES[place.table]
    lines += waiting(tx)
    if place.key is None:
        lines.append({"is": "table", "name": kept.name})
    found = reading.kept_after(tx, kept, place.key, reading.PAGE)
    lines += approvals(tx, found) if kept is reading.APPROVALS else (_kept(kept, each) for each in found)
    if len(found) == reading.PAGE:
        key = tuple(found[-1][each.name] for each in kept.key)
        return Portion(lines=lines, then=Place(row=last, table=place.table, key=key))
    if kept is reading.APPROVALS:
        lines += ({"is": "of-nothing", **_shown(each)} for each in reading.certificates_of_nothing(tx))
    following = place.table + 1
    return Portion(lines=lines, then=Place(row=last, table=following) if following < len(TABLES) else None)


def audit_portion(desk: Desk, actor: Actor, after: str) -> AuditPortion:
    """Return a portion of an export over HTTP; each is of one state of the register.

    Args:
        desk: where.
        actor: who asks.
        after: as the portion before said; empty for the first.

    Raises:
        BodyMalformed: no portion says that.
    """
    authorise(actor, Operation.READ_JOURNAL)
    place = _place(after) if after else BEGIN
    with desk.store.read(whole=True) as tx:
        found = portion(tx, place)
    then = found.then
    last = place.row if then is None else then.row
    lines = [*found.lines] if then is not None else [*found.lines, {"is": "end", "lines": None, "rows": _plain(last)}]
    return AuditPortion(lines=tuple(json.dumps(each) for each in lines), next=None if then is None else _cursor(then))


_NO_PLACE = "“after” is what no portion of an export has said"


def _cursor(place: Place) -> str:
    return json.dumps([place.row, place.table, None if place.key is None else [*place.key]])


def _place(written: str) -> Place:
    try:
        row, table, key = read_json(written)
    except (ValueError, TypeError, RecursionError):
        raise BodyMalformed(detail=_NO_PLACE) from None
    numbered = type(row) is int and row >= 0 and (table is None or type(table) is int)
    if not numbered or not (table is None or 0 <= table < len(TABLES)) or (table is None and key is not None):
        raise BodyMalformed(detail=_NO_PLACE)
    if key is None:
        return Place(row=row, table=table)
    assert table is not None
    columns = TABLES[table].key
    if not isinstance(key, list) or len(key) != len(columns):
        raise BodyMalformed(detail=_NO_PLACE)
    # As PostgreSQL compares them: a number with numbers, a text with texts.
    if any(type(each) is not column.type.python_type for each, column in zip(key, columns, strict=True)):
        raise BodyMalformed(detail=_NO_PLACE)
    return Place(row=row, table=table, key=tuple(key))


TABLES = (*KEPT, reading.APPROVALS, reading.NOTICES, reading.ANSWERS)
"""In the order in which they are given."""


def head_matter(tx: Transaction) -> Line:
    """Return the first line: what the register says that the authority is."""
    said = reading.authority_said(tx)
    return {
        "is": "authority",
        "export": VERSION,
        "journal": journal_name(str(said.get("name"))),
        "key": _coded(said.get("journal_key")),
        **{each: _plain(said.get(each)) for each in ("name", "environment", "arc", "base_url")},
    }


def rows(tx: Transaction, after: int, limit: int) -> tuple[list[Line], int]:
    """Return the lines of rows of the journal behind a number, with what they name and what ends with them.

    Args:
        tx: open.
        after: the number.
        limit: rows, at most.

    Returns:
        The lines, and the number of the last of these rows; `after` where there is none.
    """
    page = reading.numbered_after(tx, after, limit)
    if not page:
        return [], after
    last = int(page[-1].row["seal_number"])
    heads = {each["number"]: each for each in reading.heads_between(tx, after, last)}
    checkpoints = {each["size"]: each for each in reading.checkpoints_between(tx, after, last)}
    named, lines = _Named(tx, [each.row for each in page]), list[Line]()
    for each in page:
        number = each.row["seal_number"]
        lines += [*named.by(each.row), _row(each)]
        if number in heads:
            lines.append(_head(heads[number]))
        if number in checkpoints:
            lines.append({"is": "checkpoint", "size": number, "note": _plain(checkpoints[number]["note"])})
    return lines, last


def beyond(tx: Transaction, last: int) -> Iterator[Line]:
    """Give heads and checkpoints of rows that are not there.

    Args:
        tx: open.
        last: the number of the last row.
    """
    yield from (_head(each) for each in reading.heads_between(tx, last, None))
    for each in reading.checkpoints_between(tx, last, None):
        yield {"is": "checkpoint", "size": _plain(each["size"]), "note": _plain(each["note"])}


def waiting(tx: Transaction) -> Iterator[Line]:
    """Give the facts that have no number yet, behind a line that says so: what they touch is not proved yet."""
    yield {"is": "unsealed"}
    for each in reading.waiting(tx):
        touched = str(each["approvals"] or "").split()
        about = {name: _plain(each[name]) for name in ("kind", "subject")}
        yield {"is": "waiting", **about, "approvals": [*touched]}


def approvals(tx: Transaction, portion: Sequence[Said]) -> Iterator[Line]:
    """Give approvals, each with its terms and certificates.

    Args:
        tx: open.
        portion: rows of approvals.
    """
    beside = reading.of_approvals(tx, [each["identifier"] for each in portion])
    for each in portion:
        terms, certificates = beside[each["identifier"]]
        yield {
            "is": "approval",
            **_shown(each),
            "terms": [_shown(one) for one in terms],
            "certificates": [_shown(one) for one in certificates],
        }


# --- what rows name --------------------------------------------------------------------------------------------------


class _Named:
    """What some rows name, read at once; whatever a row says, nothing is raised.

    Args:
        tx: open.
        rows: of the journal, as they stand there.
    """

    def __init__(self, tx: Transaction, rows: Sequence[Said]) -> None:
        self._said = {row["id"]: _payload(row["payload"]) for row in rows}

        def of(kinds: Iterable[FactKind], member: str | None, sort: type = str) -> set[Any]:
            wanted = set(kinds)
            found = (
                row["subject"] if member is None else self._said[row["id"]].get(member)
                for row in rows
                if row["kind"] in wanted
            )
            return {each for each in found if type(each) is sort}

        said = self._said.values()
        self._statements = reading.statements(
            tx, {each for one in said for each in _digests(one) if isinstance(each, str)}
        )
        alone = {one.get("decision") for one in self._said.values() if "cause" in one and "proposal_sha256" not in one}
        named = {each for each in alone if isinstance(each, str)}
        self._proposals = reading.proposals(tx, of(_PROPOSED, None) | named)
        self._orders = reading.order_bodies(tx, of((FactKind.ORDER_PROPOSED,), None))
        self._rosters = reading.roster_members(tx, of((FactKind.ROSTER_SET,), "number", int))
        self._drafts = reading.drafted(tx, of((FactKind.CERTIFICATE_DRAFTED,), "serial"))
        self._issued = reading.issued(tx, of(_CERTIFIED, "serial"))
        self._hierarchy = reading.hierarchy(tx, of((FactKind.AUTHORITY_CERTIFICATE_ISSUED,), "serial"))
        lists = [self._said[row["id"]] for row in rows if row["kind"] == FactKind.CRL_PUBLISHED]
        self._lists = reading.lists(
            tx,
            {
                (each["key_id"], each["number"])
                for each in lists
                if isinstance(each.get("key_id"), str) and type(each.get("number")) is int
            },
        )
        refusing = [row["subject"] for row in rows if row["kind"] == FactKind.FACT_REFUSED]
        self._refused = reading.refused(tx, {each for each in refusing if each is None or isinstance(each, str)})
        self._told = set[str]()

    def by(self, row: Said) -> Iterator[Line]:
        """Give what a row names: each statement once in a portion."""
        kind, said, subject = row["kind"], self._said[row["id"]], row["subject"]
        for digest in _digests(said):
            kept = self._statements.get(digest) if isinstance(digest, str) else None
            if kept is not None and digest not in self._told:
                self._told.add(str(digest))
                signed = {name: _plain(kept[name]) for name in ("statement", "proof", "members")}
                yield {"is": "statement", **signed}
        found = self._found(str(kind), said, subject)
        if found is not None:
            yield {"is": found[0], **_shown(found[1])}
        if kind == FactKind.CRL_PUBLISHED and (said.get("key_id"), said.get("number")) in self._lists:
            yield from _list(self._lists[said["key_id"], said["number"]])
        if kind == FactKind.FACT_REFUSED:
            for each in self._refused:
                if each["subject"] == subject:
                    yield {"is": "refused", "row": _hashed(each, 0)}

    def _found(self, kind: str, said: Mapping[str, Any], subject: object) -> tuple[str, Said] | None:
        """Return what one row names, and what it is called."""
        serial, number, digest = said.get("serial"), said.get("number"), "proposal_sha256" in said
        by: Mapping[str, tuple[str, Mapping[Any, Said], object]] = {
            FactKind.DECISION_PROPOSED.value: ("proposal", self._proposals, subject),
            FactKind.DECISION_MADE_ALONE.value: ("proposal", self._proposals, subject),
            # Of before such a fact named its proposal's digest.
            FactKind.APPROVAL_REVOKED.value: ("proposal", {} if digest else self._proposals, said.get("decision")),
            FactKind.CERTIFICATE_REVOKED.value: ("proposal", {} if digest else self._proposals, said.get("decision")),
            FactKind.ORDER_PROPOSED.value: ("order", self._orders, subject),
            FactKind.ROSTER_SET.value: ("roster", self._rosters, number),
            FactKind.CERTIFICATE_DRAFTED.value: ("draft", self._drafts, serial),
            FactKind.CERTIFICATE_ISSUED.value: ("certificate", self._issued, serial),
            FactKind.CERTIFICATE_RESTORED.value: ("certificate", self._issued, serial),
            FactKind.AUTHORITY_CERTIFICATE_ISSUED.value: ("hierarchy", self._hierarchy, serial),
        }
        name, kept, key = by.get(kind, ("", {}, None))
        found = kept.get(key) if isinstance(key, str | int) else None
        return None if found is None else (name, found)


_PROPOSED = (FactKind.DECISION_PROPOSED, FactKind.DECISION_MADE_ALONE)
_CERTIFIED = (FactKind.CERTIFICATE_ISSUED, FactKind.CERTIFICATE_RESTORED)


def _digests(said: Mapping[str, Any]) -> list[object]:
    several = said.get("statements") or said.get("authorisations")
    one = [said["authorisation"]] if "authorisation" in said else []
    return [*(several if isinstance(several, list) else ()), *one]


def _payload(payload: object) -> Mapping[str, Any]:
    with suppress(ValueError, TypeError, RecursionError):
        said = read_json(payload) if isinstance(payload, str) else None
        if isinstance(said, dict):
            return said
    return {}


def _list(row: Said) -> Iterator[Line]:
    der = row["der"] if isinstance(row["der"], bytes) else b""
    for first in range(0, len(der), PART_OCTETS):
        yield {"is": "part", "octets": _coded(der[first : first + PART_OCTETS])}
    yield {"is": "list", **{name: _plain(value) for name, value in row.items() if name != "der"}}


# --- as lines --------------------------------------------------------------------------------------------------------


def _row(each: Numbered) -> Line:
    row, salt = each.row, each.salt
    return {
        "is": "row",
        "row": _hashed(row, row["seal_number"]),
        "link": row["link"].hex() if isinstance(row["link"], bytes) else _plain(row["link"]),
        "salt": None if salt is None else bytes(salt).hex(),
        "carries": [{"approval": approval, "document": document} for approval, document in each.carries],
    }


def _hashed(row: Said, number: int) -> Line:
    """Return a row of the journal as it is hashed."""
    names = ("kind", "actor", "role", "organisation", "subject", "payload")
    said: Line = {"number": _plain(number), "sealed_at": _instant(row["sealed_at"]), "at": _instant(row["at"])}
    return {**said, **{name: _plain(row[name]) for name in names}}


def _head(row: Said) -> Line:
    return {
        "is": "head",
        "number": _plain(row["number"]),
        "link": _hex(row["link"]),
        "signature": _hex(row["signature"]),
    }


def _kept(kept: Kept, row: Said) -> Line:
    said = _shown(row)
    if kept is reading.NOTICES:
        # Its words are its parties'. The journal has their salted digest, and this is that of what stands there.
        record, salt = row["record"], row["record_salt"]
        whole = isinstance(record, str) and isinstance(salt, bytes)
        said = {name: value for name, value in said.items() if name not in ("record", "record_salt")}
        said["record_salted_sha256"] = salted_digest(record, salt) if whole else None
    return {"is": kept.name, **said}


def _shown(row: Said) -> Line:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: object) -> Json:
    """Return what stands in a column as JSON says it: octets in base64, a number that is not exact in JSON as text."""
    if isinstance(value, int) and abs(value) > LARGEST_EXACT:
        return str(value)
    if value is None or isinstance(value, str | int):
        return value
    return _coded(value) if isinstance(value, bytes | memoryview) else str(value)


def _coded(value: object) -> str:
    return base64.b64encode(bytes(value)).decode() if isinstance(value, bytes | memoryview) else ""


def _hex(value: object) -> Json:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else _plain(value)


def _instant(value: object) -> str:
    if value is None:
        return ""
    try:
        return text(from_seconds(value)) if isinstance(value, int) else str(value)
    except (ValueError, OverflowError):
        return str(value)
