"""`trialcpa audit`: an export proves that everything follows, or stops and says why, whatever somebody hands in."""

import base64
import hashlib
import json
import resource
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete

from app.cli.audit import audit
from app.cli.journal import EXIT_BROKEN, EXIT_UNKNOWN
from core.canonical import canonical
from core.chain import GENESIS, SealedRow, head_statement, link
from core.facts import FactKind
from core.note import vkey
from ra.auditing.views import AuditPortion
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.rekey import ProposeRekey
from store.reading import exported as reading
from store.tables import journal, journal_heads
from tests.api_world import Api, refused
from tests.audit_world import audited, exported, named
from tests.cycle_world import device
from tests.dossier_world import Auditor, root_of
from tests.test_log import with_log
from tests.world import PROFILE, World, csr_pem, keyring
from verify.audited import Audit, Pinned
from verify.exported import LONGEST_LINE, read_line
from verify.kit.evidence.parsing import Unreadable


@pytest.fixture
def world(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[World]:
    made = World(store_copy("sqlite"), keys_folder)
    yield made
    made.close()


@pytest.fixture
def lived(world: World) -> World:
    return live(world)


@pytest.fixture(scope="module")
def export(store_copy: Callable[[str], str], keys_folder: Path) -> bytes:
    made = live(World(store_copy("sqlite"), keys_folder))
    octets = exported(made.store)
    made.close()
    return octets


def live(world: World) -> World:
    """Two approvals; one of them is amended, has a new key, and is revoked."""
    first = world.granted(device=device(1))
    world.granted(device=device(2))
    for wanted in (
        ProposeAmendment(first, "More of them.", maximum_devices=99),
        ProposeRekey(first, csr_pem(), compromised=False, reasons="A new key."),
    ):
        decision = world.proposed(wanted)
        world.authority.settle()
        world.seconded(decision)
        world.authority.settle()
    world.passes(timedelta(days=3))
    world.authority.settle()
    world.revoked(first)
    world.authority.settle()
    return world


def pinned(world: World) -> Pinned:
    key = keyring(world.folder).journal.public_key
    return Pinned(journal_keys=(hashlib.sha256(key).hexdigest(),))


def verified(file: Path, *options: object) -> Result:
    return CliRunner().invoke(audit, ["verify", str(file), *map(str, options)])


def altered(export: bytes, change: Callable[[list[dict[str, Any]]], object]) -> bytes:
    """The export with its lines changed, and its last line right."""
    lines = [json.loads(each) for each in export.splitlines()][:-1]
    change(lines)
    end = {"is": "end", "lines": len(lines) + 1, "rows": 0}
    return b"".join(json.dumps(each).encode() + b"\n" for each in [*lines, end])


def test_everything_follows_from_the_journal(lived: World) -> None:
    found = audited(exported(lived.store), pinned(lived))
    assert not found.findings.problems
    assert not found.findings.unknown
    assert found.rows == found.covered > 50


def test_by_what_is_known_from_elsewhere_it_is_proved_without_us(lived: World, tmp_path: Path) -> None:
    file, root, export = tmp_path / "register.jsonl", tmp_path / "root.cer", exported(lived.store)
    file.write_bytes(export)
    root.write_bytes(root_of(lived))
    key = base64.b64encode(keyring(lived.folder).journal.public_key).decode()
    told = verified(file, "--key", key, "--root", root)
    assert told.exit_code == 0, told.output
    assert "Everything in the register follows" in told.output
    assert verified(file).exit_code == EXIT_UNKNOWN
    assert verified(file, "--key", "0" * 64).exit_code == EXIT_BROKEN
    row = audited(export).rows
    assert verified(file, "--key", key, "--head", f"{row + 1}:{'0' * 64}").exit_code == EXIT_BROKEN
    assert verified(file, "--key", key, "--head", f"{row}:{'0' * 64}").exit_code == EXIT_BROKEN


def test_what_is_not_sealed_yet_is_held_against_nobody_and_told(lived: World) -> None:
    lived.applied(device=device(7), start=date(2027, 2, 1))
    found = audited(exported(lived.store), pinned(lived)).findings
    assert not found.problems
    assert any("application-submitted" in each for each in found.unknown)


def test_the_log_is_proved_with_its_checkpoints(lived: World) -> None:
    """Leaves, commitments under their salts, roots and signatures; who knows the log's key has it compared."""
    with_log(lived).settle()
    lived.granted(device=device(3), start=date(2027, 2, 1))
    export, held = exported(lived.store), lived.memory.log
    assert held is not None
    found = audited(export, replace(pinned(lived), log_key=held.key))
    assert not found.findings.problems
    assert not found.findings.unknown
    assert found.logged == found.rows
    strange = vkey(held.log, bytes(32))
    assert named(audited(export, Pinned(log_key=strange)))
    salts = [place for place, each in enumerate(export.splitlines()) if b'"salt": "' in each]
    for number in (0, len(salts) // 2, len(salts) - 1):

        def salted(lines: list[dict[str, Any]], place: int = salts[number]) -> None:
            lines[place]["salt"] = "00" * 32

        assert any(each.startswith("checkpoints") for each in named(audited(altered(export, salted))))


def test_a_log_whose_checkpoints_are_kept_back_is_not_called_proved(lived: World) -> None:
    """Whoever hands the export over could sign one tree for others, and leave its checkpoint out here."""
    with_log(lived).settle()
    held, log = exported(lived.store), lived.memory.log
    assert log is not None

    def without(lines: list[dict[str, Any]], least: int = 0) -> None:
        lines[:] = [each for each in lines if each["is"] != "checkpoint" or each["size"] < least]

    known = replace(pinned(lived), log_key=log.key)
    for export, since in ((altered(held, without), 0), (altered(held, lambda each: without(each, 40)), 1)):
        found = audited(export, known)
        assert not found.findings.problems
        assert found.logged < found.covered
        (told,) = found.findings.unknown
        assert f"rows {found.logged + 1} to {found.covered}" in str(told), since


def test_a_log_that_is_known_and_does_not_begin_is_told(lived: World) -> None:
    export = exported(lived.store)
    assert not audited(export, pinned(lived)).findings.unknown
    (told,) = audited(export, replace(pinned(lived), log_key=vkey("another.example/log", bytes(32)))).findings.unknown
    assert "log whose key you know" in str(told)


def test_a_checkpoint_over_rows_that_are_gone_is_named(lived: World) -> None:
    """A register that went back with its heads; what was signed for the log still tells."""
    with_log(lived).settle()
    last = audited(exported(lived.store)).rows
    with lived.store.begin("go back") as tx:
        tx.connection.execute(delete(journal_heads).where(journal_heads.c.number > last - 3))
        tx.connection.execute(delete(journal).where(journal.c.seal_number > last - 3))
    assert f"checkpoints {last}" in named(audited(exported(lived.store)))


# --- hostile exports ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_an_export_that_breaks_off_is_none(export: bytes, part: float) -> None:
    with pytest.raises(Unreadable, match="breaks off"):
        audited(export[: int(len(export) * part)])


def test_an_export_without_its_last_lines_is_none(export: bytes) -> None:
    lines = export.splitlines(keepends=True)
    for cut in (1, 2, len(lines) // 2):
        with pytest.raises(Unreadable):
            audited(b"".join(lines[:-cut]))
    with pytest.raises(Unreadable, match="lines"):
        audited(b"".join(lines[:5] + lines[6:]))


def test_rows_in_another_order_are_named(export: bytes) -> None:
    def swapped(lines: list[dict[str, Any]]) -> None:
        places = [place for place, each in enumerate(lines) if each["is"] == "row"]
        one, two = places[10], places[11]
        lines[one], lines[two] = lines[two], lines[one]

    assert named(audited(altered(export, swapped)))[0] == "row 11"


def test_a_row_that_is_left_out_is_named(export: bytes) -> None:
    def shorter(lines: list[dict[str, Any]]) -> None:
        lines.remove(next(each for each in lines if each["is"] == "row" and each["row"]["number"] == 12))

    assert named(audited(altered(export, shorter)))[0] == "row 12"


def test_each_thing_that_a_row_names_is_missed_where_it_is_left_out(export: bytes) -> None:
    kinds = {json.loads(each)["is"] for each in export.splitlines()}
    for kind in sorted(kinds - {"authority", "row", "end", "table", "unsealed", "answer", "checkpoint", "head"}):

        def shorter(lines: list[dict[str, Any]], kind: str = kind) -> None:
            lines.remove(next(each for each in lines if each["is"] == kind))

        assert named(audited(altered(export, shorter))), kind


def test_a_member_that_is_named_twice_is_none(export: bytes) -> None:
    with pytest.raises(Unreadable, match="named twice"):
        audited(export.replace(b'{"is": "row"', b'{"is": "row", "is": "row"', 1))


def test_whatever_a_member_says_is_refused_or_named(export: bytes) -> None:
    """Each member of one line of each kind, in turn, is something that no authority writes there."""
    kinds = dict[str, int]()
    for place, line in enumerate(export.splitlines()[:-1]):
        kinds.setdefault(json.loads(line)["is"], place)
    for place in kinds.values():
        for name in json.loads(export.splitlines()[place]):

            def put(lines: list[dict[str, Any]], at: tuple[int, str] = (place, name)) -> None:
                lines[at[0]][at[1]] = [1]

            with suppress(Unreadable):  # and nothing else
                audited(altered(export, put))


def test_a_line_that_is_huge_is_not_read(export: bytes) -> None:
    first, _, rest = export.partition(b"\n")
    with pytest.raises(Unreadable, match="octets"):
        audited(first + b"\n" + b'{"is": "' + b"x" * LONGEST_LINE + b'"}\n' + rest)


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"{}", b'{"is": 7}', b'{"is": "nothing"}', b"\xff\xfe", b'{"is": "row"}', b'{"is": "row", "row": {}}',
     b'{"is": "part", "octets": "?"}', b'{"is": "roster"}', b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_line_stops_it(export: bytes, line: bytes) -> None:
    first, _, rest = export.partition(b"\n")
    with pytest.raises(Unreadable):
        audited(first + b"\n" + line + b"\n" + rest)


def test_a_bit_that_is_flipped_is_never_believed(export: bytes) -> None:
    """Somewhere in each line: it is refused, or named, or it says something that no proof rests upon."""
    place, whole = 0, audited(export).findings
    assert not whole.problems
    believed = set()
    for number, line in enumerate(export.splitlines(keepends=True)):
        at = place + len(line) * 2 // 3
        changed = export[:at] + bytes([export[at] ^ 1]) + export[at + 1 :]
        place += len(line)
        if number % 11:
            continue
        try:
            if not audited(changed).findings.problems:
                believed.add(json.loads(line)["is"])
        except Unreadable:
            continue
    # What a row says that nothing rests upon: tests/test_audited_columns.py has each column, with the reason.
    assert believed <= {"answer"}, believed


def test_much_that_is_handed_in_takes_no_more_memory(export: bytes) -> None:
    """A hundred thousand lines that say nothing: each is looked at and let go."""
    lines = export.splitlines(keepends=True)
    audited(export)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    many = lines[0] + b'{"is": "statement", "statement": "{}", "proof": "x", "members": null}\n' * 100_000
    with pytest.raises(Unreadable):
        audited(many)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_says_why_it_stops(export: bytes, tmp_path: Path) -> None:
    file = tmp_path / "register.jsonl"
    file.write_bytes(export[:-10])
    told = verified(file)
    assert told.exit_code == EXIT_BROKEN
    assert "breaks off" in told.output
    assert "Nothing behind that was looked at." in told.output


# --- over HTTP ------------------------------------------------------------------------------------------------------


def test_it_is_fetched_in_portions_and_proves_the_same(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sealed between two portions comes with the next: nothing is held against it."""
    monkeypatch.setattr(reading, "PAGE", 7)
    client, found, portions = Auditor(Api(lived)), Audit(pinned(lived)), 0
    after: str | None = ""
    while after is not None:
        portion = client.show(AuditPortion, f"/v1/audit?after={quote(after)}")
        portions += 1
        if portions in (3, 12, 18):
            lived.granted(device=device(portions + 10), start=date(2027, 2, 1))
        for number, each in enumerate(portion.lines):
            found.take(read_line(each.encode() + b"\n", number))
        after = portion.next
    assert portions > 20
    assert not found.findings.problems
    assert found.rows > audited(exported(lived.store)).rows - 30


@pytest.mark.parametrize(
    "after", ["x", "[]", "[1]", "[-1,null,null]", "[0,99,null]", "[0,0,[7]]", "[0,0,[]]", "[" * 99]
)
def test_a_place_that_no_portion_said_is_refused(world: World, after: str) -> None:
    refused(Api(world).ask("auditor", "GET", f"/v1/audit?after={quote(after)}"), 400, "body-malformed")


# --- whoever has the journal's key ----------------------------------------------------------------------------------


def resealed(world: World, change: Callable[[list[dict[str, Any]]], object]) -> bytes:
    """The register's export with other rows, each linked and all of them under a head by the journal's own key."""
    lines = [json.loads(each) for each in exported(world.store).splitlines()]

    def sealed(lines: list[dict[str, Any]]) -> None:
        change(lines)
        lines[:] = [each for each in lines if each["is"] != "head"]
        digest, number = GENESIS, 0
        for each in lines:
            if each["is"] == "row":
                number += 1
                each["row"]["number"], each["salt"] = number, None
                digest = link(digest, SealedRow(**each["row"]))
                each["link"] = digest.hex()
        signature = keyring(world.folder).journal.sign(head_statement(PROFILE.journal_name, number, digest))
        last = next(place for place, each in enumerate(lines) if each.get("row", {}).get("number") == number)
        head = {"is": "head", "number": number, "link": digest.hex(), "signature": signature.hex()}
        lines.insert(last + 1, head)

    return altered(b"".join(json.dumps(each).encode() + b"\n" for each in lines), sealed)


def without(kind: FactKind) -> Callable[[list[dict[str, Any]]], object]:
    return lambda lines: lines.remove(next(each for each in lines if _kind(each) == kind))


def saying(kind: FactKind, **said: object) -> Callable[[list[dict[str, Any]]], object]:
    def change(lines: list[dict[str, Any]]) -> None:
        row = next(each for each in lines if _kind(each) == kind)["row"]
        row["payload"] = canonical(json.loads(row["payload"]) | said).decode()

    return change


def by(kind: FactKind, actor: str) -> Callable[[list[dict[str, Any]]], object]:
    def change(lines: list[dict[str, Any]]) -> None:
        next(each for each in lines if _kind(each) == kind)["row"]["actor"] = actor

    return change


def _kind(line: dict[str, Any]) -> object:
    return line["row"]["kind"] if line["is"] == "row" else None


FORGED_UNDER_THE_KEY = (
    (without(FactKind.DECISION_AUTHORISED), "who proposed it, has not signed for it"),
    (without(FactKind.DECISION_PROPOSED), "which no row proposes"),
    (without(FactKind.DECISION_SECONDED), "nobody agreed to it"),
    (without(FactKind.SIGNATURE_INTENDED), "Its claim is"),
    (without(FactKind.APPROVAL_GRANTED), "no row before it grants"),
    (without(FactKind.CERTIFICATE_ISSUED), "No row says that it was issued"),
    (without(FactKind.CERTIFICATE_SUPERSEDED), "Its supersession is"),
    (without(FactKind.CERTIFICATE_REVOKED), "Its revocation is"),
    (without(FactKind.CRL_PUBLISHED), "No row says that it was published"),
    (without(FactKind.NOTICE_WRITTEN), "No row says that it was written"),
    (without(FactKind.ROSTER_SET), "no row before it says whose keys counted"),
    (without(FactKind.ACCESS_GRANTED), "which no row gives them"),
    (saying(FactKind.CERTIFICATE_REVOKED, cause="breach"), "Its cause is breach"),
    (saying(FactKind.CERTIFICATE_ISSUED, sha256="0" * 64), "Its bytes are not those"),
    (saying(FactKind.CRL_PUBLISHED, entries=7), "how many entries"),
    (saying(FactKind.DECISION_SECONDED, tbs_sha256="0" * 64), "does not count"),
    (saying(FactKind.DECISION_SECONDED, authorisation="0" * 64), "is not there"),
    (saying(FactKind.ROSTER_SET, members_sha256="0" * 64), "other members"),
    (saying(FactKind.CERTIFICATE_DRAFTED, tbs_sha256="0" * 64), "Its bytes are not those"),
    (saying(FactKind.APPROVAL_GRANTED, application="app-0"), "Its application is"),
    (by(FactKind.DECISION_SECONDED, "officer-1"), "by credential cred-officer-2, which no row gives them"),
    (by(FactKind.DECISION_SECONDED, "mallory"), "which no row gives them"),
)


@pytest.fixture(scope="module")
def with_key(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[World]:
    made = live(World(store_copy("sqlite"), keys_folder))
    yield made
    made.close()


@pytest.mark.parametrize(("change", "told"), FORGED_UNDER_THE_KEY)
def test_whoever_has_the_journals_key_cannot_have_the_register_follow_from_another_journal(
    with_key: World, change: Callable[[list[dict[str, Any]]], object], told: str
) -> None:
    found = audited(resealed(with_key, change)).findings
    assert not any("link" in each.detail or "head" in each.detail for each in found.problems), "the chain holds"
    assert any(told in each.detail for each in found.problems), found.problems
