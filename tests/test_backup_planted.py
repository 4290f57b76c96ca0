"""Backups of a register into which somebody has written rows: each is left out and named, and the rest comes back."""

import base64
import io
import json
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyrage
import pytest
from sqlalchemy import ColumnClause, Connection, LargeBinary, column, insert, select, table, text

from app.cli.backup import EXIT_LEFT_OUT
from app.house import open_house
from app.settings import load
from backup.archive import Packing, Piece, Unpacking
from backup.manifest import Manifest
from backup.sealing import Identity, Recipient, seal, unseal
from core.chain import head_statement, journal_name, link
from jobs.judging import _sealed_row
from keys.sealed import open_sealed
from store import dump
from store.tables import metadata
from tests.begin_world import granted, made, revoked, settle
from tests.people_world import Said, trialcpa
from tests.planting import A_DIGEST

FAR = 2**40
NOT_DER = b"\x30\x03\x02\x01\x01"

Values = dict[str, Any]


def _rows(connection: Connection, name: str) -> list[Values]:
    columns: list[ColumnClause[Any]] = [column(each.name) for each in metadata.tables[name].columns]
    return [dict(each) for each in connection.execute(select(table(name, *columns))).mappings()]


def _write(connection: Connection, name: str, /, **values: Any) -> None:
    """The last row of a table once more, with these values changed."""
    row = {**_rows(connection, name)[-1], **values}
    connection.execute(insert(table(name, *map(column, row))).values(row))


def _without_fences(connection: Connection) -> None:
    """Whoever owns a database takes out of it what would refuse a row."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("PRAGMA writable_schema = ON")
        connection.exec_driver_sql("UPDATE sqlite_master SET sql = replace(sql, ' STRICT', '') WHERE type = 'table'")
        connection.exec_driver_sql("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name = 'lease'")
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")
        return
    query = text(
        "SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype IN ('c', 'f', 'u', 'p', 'x') "
        "AND connamespace = 'public'::regnamespace AND conrelid <> 0"
    )
    for name, rule in connection.execute(query).all():
        connection.exec_driver_sql(f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {rule} CASCADE")


@dataclass(frozen=True)
class Planted:
    """One row that somebody has written.

    Args:
        write: writes it.
        named: how it is told of.
        why: in part.
        on: the database on which it can be written.
    """

    write: Callable[[Connection], None]
    named: str
    why: str
    on: tuple[str, ...] = ("sqlite", "postgresql")


def planted(name: str, key: object, why: str, on: str = "sqlite postgresql", /, **values: Any) -> Planted:
    return Planted(lambda tx: _write(tx, name, **values), f"Left out: {name} {key}: ", why, tuple(on.split()))


def _copied(name: str, of: str, where: int, **values: Any) -> Callable[[Connection], None]:
    """A row with the DER of another one's, which is genuine."""
    return lambda tx: _write(tx, name, der=_rows(tx, of)[where]["der"], **values)


def _linked(connection: Connection) -> None:
    """The row after the last one, linked as the sealer does: that takes no key."""
    sealed = [each for each in _rows(connection, "journal") if each["seal_number"]]
    last = max(sealed, key=lambda each: each["seal_number"])
    forged = {**last, "id": 901, "seal_number": last["seal_number"] + 1, "actor": "somebody"}
    connection.execute(insert(table("journal", *map(column, forged))).values(_sealed_again(forged, last["link"])))


def _sealed_again(row: Values, before: bytes) -> Values:
    return {**row, "link": link(before, _sealed_row(row))}


TAKEN = "Taken back: journal "

ROWS: dict[str, Planted] = {
    "a decision of one": planted("decisions", "dec-1", "seconded_whole", id="dec-1", seconder="a", seconded_at=None),
    "a draft of no decision": planted(
        "drafts",
        "5a01",
        "(FOREIGN KEY|fk_drafts_decision_id)",
        serial="5a01",
        decision_id="dec-none",
        approval="TDT-2026-0901-X",
        tbs_sha256=A_DIGEST,
    ),
    "a draft of a planted decision": planted(
        "drafts",
        "5a02",
        "(FOREIGN KEY|fk_drafts_decision_id)",
        serial="5a02",
        decision_id="dec-1",
        approval="TDT-2026-0902-X",
        tbs_sha256="ef" * 32,
    ),
    "a serial twice": planted("certificates", "[0-9A-F]+", "UNIQUE", "postgresql"),
    "a certificate that is none": planted(
        "certificates", "5a03", "another one, or none", serial="5a03", issue=9, der=NOT_DER, fingerprint="1" * 64
    ),
    "a certificate under another serial": planted(
        "certificates", "5a04", "another one, or none", serial="5a04", issue=8, fingerprint="2" * 64
    ),
    "a list with another number": planted("crls", f"[0-9a-f]+/{FAR}", "its list has number", number=FAR),
    "a list that is none": planted("crls", f"[0-9a-f]+/{FAR + 1}", "CA has not signed it", number=FAR + 1, der=NOT_DER),
    "a list of a stranger": planted("crls", "ab/1", "of no CA of this authority", key_id="ab", number=1),
    "an answer that is none": planted("ocsp_answers", 901, "no responder of this authority", id=901, der=NOT_DER),
    "an answer about another": Planted(
        lambda tx: _write(tx, "ocsp_answers", id=902, der=_rows(tx, "ocsp_answers")[0]["der"]),
        "Left out: ocsp_answers 902: ",
        "no responder of this authority",
    ),
    "a responder of a stranger's": planted(
        "authority_certificates", "5a05", "another one", serial="5a05", der=NOT_DER, role="responder"
    ),
    "a root that was another certificate": Planted(
        _copied("authority_certificates", "certificates", 0, role="root", serial="5a06", issued_at=2**40),
        "Left out: authority_certificates 5a06: ",
        "another one",
    ),
    "a Trial CPA Certificate for a root": Planted(
        lambda tx: _write(
            tx,
            "authority_certificates",
            role="root",
            issued_at=2**40,
            **{each: _rows(tx, "certificates")[0][each] for each in ("serial", "der")},
        ),
        "Left out: authority_certificates [0-9A-F]+: ",
        "none of this authority's",
    ),
    "a head that nobody signed": planted(
        "journal_heads", FAR, "journal's key has not signed", number=FAR, link=bytes(32), signature=b"0"
    ),
    "a head of another row": planted("journal_heads", FAR + 1, "journal's key has not signed", number=FAR + 1),
    "a record of no memory": planted("memory_records", 10**6, "memory has no such record", number=10**6, body=b"{}"),
    "a second authority": planted("authority", 2, "one_authority", id=2, name="TEST Other"),
    "the next number": Planted(_linked, f"{TAKEN}901: its number, [0-9]+, ", "may have been sealed just then"),
    "a number far ahead": Planted(
        lambda tx: _write(tx, "journal", id=900, seal_number=FAR, link=bytes(32), sealed_at=0, refused=None),
        f"{TAKEN}900: its number, {FAR}, ",
        "did not give it",
    ),
    "a number that is taken": Planted(
        lambda tx: _write(tx, "journal", id=902, seal_number=1, link=bytes(32), sealed_at=0, refused=None),
        f"{TAKEN}902: its number, 1, ",
        "did not give it",
        ("postgresql",),
    ),
    "no row at all": planted(
        "journal", 903, "(NOT NULL|sealed_whole)", id=903, kind="a", seal_number=None, sealed_at=None, link=b"0"
    ),
    "a text where a number is": planted(
        "lease", "a", "epoch holds a value of another", "sqlite", name="a", epoch="soon"
    ),
    "a fraction": planted("lease", "b", "epoch holds a value of another", "sqlite", name="b", epoch=1.5),
    "without bounds": planted("lease", "c", "epoch holds a value of another", "sqlite", name="c", epoch=float("inf")),
    "octets where a text is": planted("lease", "d", "holder holds a value of", "sqlite", name="d", holder=b"\xff"),
    "a text where octets are": planted(
        "crls", "cd/1", "der holds a value of", "sqlite", key_id="cd", number=1, der="AA=="
    ),
    "nothing where a number is": planted(
        "lease", "e", "(NOT NULL|null value)", "sqlite", name="e", holder="e", epoch=None
    ),
}


@dataclass(frozen=True)
class Taken:
    """A backup of a register with all of these rows, and what was said of it."""

    kind: str
    home: Path
    file: Path
    words: tuple[str, ...]
    verified: Said
    approvals: tuple[str, str]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def taken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, empty_store_url: Callable[[str], str]
) -> Taken:
    folder = tmp_path_factory.mktemp("planted")
    home, identity, key = folder / "home", folder / "key.txt", pyrage.x25519.Identity.generate()
    identity.write_text(str(key))
    with closing(made(home, empty_store_url(request.param))) as house:
        approvals = granted(house, "model-1"), granted(house, "model-2")
        revoked(house, approvals[1])
        with house.store.migration_connection() as connection:
            _without_fences(connection)
            for each in ROWS.values():
                if request.param in each.on:
                    each.write(connection)
            connection.commit()
    file = folder / "today.age"
    told = trialcpa("backup", str(file), "--recipient", str(key.to_public()), "--home", str(home))
    assert told.status == 0, told.words
    words = ("--identity", str(identity), "--keys-passphrase", f"file:{home / 'keys' / 'passphrase'}")
    verified = trialcpa("backup", "verify", str(file), *words)
    return Taken(request.param, home, file, words, verified, approvals)


def test_a_backup_with_planted_rows_can_be_used_and_says_that_somebody_writes_rows(taken: Taken) -> None:
    assert (taken.verified.status, " wrong " in taken.verified.out) == (EXIT_LEFT_OUT, False), taken.verified.words
    assert "Somebody has written rows" in taken.verified.out


@pytest.mark.parametrize("name", ROWS)
def test_each_planted_row_is_named_with_its_reason(taken: Taken, name: str) -> None:
    row = ROWS[name]
    if taken.kind in row.on:
        assert _named(taken.verified, row), taken.verified.out


def _named(told: Said, row: Planted) -> bool:
    return re.search(f"{row.named}.*{row.why}", told.out) is not None


@pytest.mark.parametrize("target", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def test_the_rest_comes_back_and_works(
    taken: Taken, tmp_path: Path, target: str, empty_store_url: Callable[[str], str]
) -> None:
    home = tmp_path / "new"
    more = ["--store", empty_store_url(target)] if target == "postgresql" else []
    told = trialcpa("restore", str(taken.file), "--home", str(home), *taken.words, *more)
    assert (told.status, "Left out: " in told.out) == (0, True), told.words
    (home / "keys" / "passphrase").write_bytes((taken.home / "keys" / "passphrase").read_bytes())
    (home / "keys" / "passphrase").chmod(0o600)
    told = trialcpa("store", "accept-restore", "--home", str(home), "--why", "A drill.", "--yes")
    assert told.status == 0, told.words
    with closing(open_house(load(home))) as house:
        settle(house)
        granted(house, "model-3")
        with house.store.read() as tx:
            assert {name: dump.counted(tx, name) for name in ("approvals", "certificates", "authority")} == {
                "approvals": 3,
                "certificates": 3,
                "authority": 1,
            }
    for command in (("memory", "check"), ("check", "--keys")):
        told = trialcpa(*command, "--home", str(home))
        assert told.status == 0, told.words


# --- changed under a head ------------------------------------------------------------------------------------------

Members = dict[str, list[Values]]


def _changed(name: str, which: int, /, **values: Any) -> Callable[[Members, Path], None]:
    return lambda rows, _: rows[name][which].update(values)


def _lost(name: str, which: int) -> Callable[[Members, Path], object]:
    return lambda rows, _: rows[name].pop(which)


def _relinked(rows: Members, _: Path) -> None:
    """A row is changed, and it and all that follow are linked again."""
    before = bytes(32)
    rows["journal"][0]["actor"] = "somebody"
    for each in sorted(rows["journal"], key=lambda each: each["seal_number"] or FAR):
        if each["seal_number"]:
            each.update(_sealed_again(each, before))
            before = each["link"]


def _signed_beyond(rows: Members, keys: Path) -> None:
    """A head that the journal's key signed, of a row that the memory does not know: it is older than the register."""
    newest, authority = rows["journal_heads"][-1], rows["authority"][0]
    key = open_sealed(keys / "journal.key", (keys / "passphrase").read_bytes().strip())
    number = newest["number"] + 5
    signature = key.sign(head_statement(journal_name(authority["name"]), number, bytes(32)))
    rows["journal_heads"].append({**newest, "number": number, "link": bytes(32), "signature": signature})


def _relinked_without_heads(rows: Members, keys: Path) -> None:
    _relinked(rows, keys)
    rows["journal_heads"].clear()
    rows["memory_records"].clear()


REFUSED: dict[str, tuple[Callable[[Members, Path], object], str]] = {
    "a sealed fact changed": (_changed("journal", 3, actor="somebody"), "row 4 is not what was sealed"),
    "a sealed fact lost": (_lost("journal", 3), "row 4 is not what was sealed"),
    "a link changed": (_changed("journal", 3, link=bytes(32)), "row 4 is not what was sealed"),
    "all linked again": (_relinked, "row 1 is not what was sealed"),
    "all linked again, and no head": (_relinked_without_heads, "row 1 is not what was sealed"),
    "a number taken from a sealed fact": (
        _changed("journal", 3, seal_number=None, link=None, sealed_at=None),
        "row 4 is not what was sealed",
    ),
    "the issuing CA changed": (_changed("authority_certificates", -1, der=NOT_DER), "has lost certificate"),
    "the issuing CA lost": (_lost("authority_certificates", -1), "has lost certificate"),
    "another journal": (_changed("authority", 0, journal_key=NOT_DER), "names another journal"),
    "another authority": (_changed("authority", 0, name="TEST Other"), "names another journal"),
    "an older memory": (_signed_beyond, "memory does not know the head of row"),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path, str]:
    """An archive of an authority with a history, its home, and what it is sealed to."""
    home = tmp_path_factory.mktemp("plain") / "home"
    identity = pyrage.x25519.Identity.generate()
    with closing(made(home, "sqlite:///store.sqlite")) as house:
        granted(house, "model-1")
    file = home.parent / "today.age"
    assert trialcpa("backup", str(file), "--recipient", str(identity.to_public()), "--home", str(home)).status == 0
    opened = io.BytesIO()
    with file.open("rb") as sealed:
        unseal(sealed, opened, Identity(str(identity)))
    return opened.getvalue(), home, str(identity)


def _rewritten(archive: bytes, change: Callable[[Members], object]) -> bytes:
    """An archive whose register has other rows, and whose manifest says so."""
    read = Unpacking(io.BytesIO(archive))
    members = {name: b"".join(read.octets(name)) for name in read.names}
    rows: Members = {}
    for name in [each for each in members if each.startswith("register/")]:
        of = name.split("/")[1]
        lines = [json.loads(line) for line in members.pop(name).splitlines()]
        rows[of] = [_row(of, line) for line in lines]
    rows["authority_certificates"].sort(key=lambda each: each["role"] == "issuing")
    rows["journal"].sort(key=lambda each: each["seal_number"] or FAR)
    change(rows)
    for of, each in rows.items():
        said = b"".join(json.dumps([_cell(cell) for cell in row.values()]).encode() + b"\n" for row in each)
        members[f"register/{of}/000001.jsonl"] = said
    tables = {**read.manifest.tables, **{of: len(each) for of, each in rows.items()}}
    return b"".join(iter(_packing(members, replace(read.manifest, tables=tables)).read, b""))


def _packing(members: dict[str, bytes], said: Manifest) -> Packing:
    pieces = [Piece(name=name, size=len(octets), octets=[octets]) for name, octets in members.items()]
    return Packing(pieces, lambda named: replace(said, members=named))


def _row(of: str, line: list[Any]) -> Values:
    columns = metadata.tables[of].columns
    binary = [isinstance(each.type, LargeBinary) for each in columns]
    cells = [base64.b64decode(cell) if octets and cell else cell for cell, octets in zip(line, binary, strict=True)]
    return dict(zip((each.name for each in columns), cells, strict=True))


def _cell(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("name", REFUSED)
def test_what_was_changed_under_a_head_is_refused_with_its_sentence(
    plain: tuple[bytes, Path, str], tmp_path: Path, name: str
) -> None:
    (archive, home, identity), (change, sentence) = plain, REFUSED[name]
    (tmp_path / "key.txt").write_text(identity)
    bad = tmp_path / "bad.age"
    recipient = str(pyrage.x25519.Identity.from_str(identity).to_public())
    with bad.open("wb") as file:
        seal(io.BytesIO(_rewritten(archive, lambda rows: change(rows, home / "keys"))), file, Recipient(recipient))
    told = trialcpa("restore", str(bad), "--home", str(tmp_path / "new"), "--identity", str(tmp_path / "key.txt"))
    assert (told.status, sentence in " ".join(told.words.split())) == (1, True), told.words
    assert not (tmp_path / "new").exists()
