"""The trial on the command line: deployments in batches that belong together, the report, the list."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.deployment_files import CSV, JSON, XML, chunks
from tests.api_world import Api, done
from tests.people_world import People, served
from tests.world import World, csr_pem

ROOT = Path(__file__).resolve().parent.parent

HEADER = "event,device_id,on,approval,firmware_version,by,why\n"


@pytest.fixture
def people(store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path) -> Iterator[People]:
    world = World(store_copy("sqlite"), keys_folder)
    (tmp_path / "keys").mkdir()
    with served(Api(world), tmp_path / "keys") as made:
        yield made
    world.close()


def device(number: int) -> str:
    return "-".join(f"{number:016X}"[place : place + 2] for place in range(0, 16, 2))


# --- cutting -----------------------------------------------------------------------------------------------------

EVENTS = ("deployed", "decommissioned", "replaced", "corrected", "nonsense")
ROWS = st.lists(
    st.tuples(
        st.sampled_from(EVENTS),
        st.integers(0, 12),
        st.integers(0, 12) | st.none(),
        st.text(alphabet='ab"\n,; ', max_size=6),
    ),
    min_size=1,
    max_size=40,
)


@given(ROWS, st.integers(1, 10), st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_a_file_that_is_cut_loses_no_line_and_every_line_keeps_its_number(
    rows: list[tuple[str, int, int | None, str]], most: int, delimiter: str, ending: str
) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, lineterminator=ending)
    writer.writerow(["event", "device_id", "by", "why"])
    begins = {}
    for event, one, other, why in rows:
        begins[written.getvalue().count("\n") + 1] = [event, device(one), "" if other is None else device(other), why]
        writer.writerow(begins[written.getvalue().count("\n") + 1])
    parts = chunks(written.getvalue().encode(), most)
    seen = {}
    for part in parts:
        reader = csv.reader(io.StringIO(part.octets.decode(), newline=""), delimiter=delimiter, strict=True)
        if len(rows) > most:  # what stands between cells, the whole file shows and a part of it may not
            assert part.octets.startswith(f"sep={delimiter}\r\n".encode())
            next(reader)
        assert next(reader) == ["event", "device_id", "by", "why"]
        number = reader.line_num + 1
        for cells in reader:
            seen[part.line(number)] = cells
            number = reader.line_num + 1
    assert seen == begins
    assert sum(part.lines for part in parts) == len(rows)
    where: dict[str, set[int]] = {}
    for place, part in enumerate(parts):
        for line in set(begins) & (set(part.numbers.values()) or set(begins)):
            for each in begins[line][1:3]:
                where.setdefault(each, set()).add(place)
    assert all(len(places) == 1 for named, places in where.items() if named)  # one device, one part


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 10))
def test_devices_that_come_down_are_sent_before_those_that_go_up(up: int, down: int, most: int) -> None:
    lines = [{"event": "deployed", "device_id": device(each)} for each in range(up)]
    lines += [{"event": "decommissioned", "device_id": device(100 + each)} for each in range(down)]
    parts = chunks(json.dumps({"lines": lines}).encode(), most)
    sent = [line for part in parts for line in json.loads(part.octets)["lines"]]
    if len(parts) > 1:
        assert [line["event"] for line in sent] == ["decommissioned"] * down + ["deployed"] * up
    assert sorted(part.line(1 + place) for part in parts for place in range(part.lines)) == list(
        range(1, up + down + 1)
    )


@given(st.binary(max_size=300), st.integers(1, 3))
def test_whatever_the_file_holds_it_is_sent(octets: bytes, most: int) -> None:
    parts = chunks(octets, most)
    assert parts
    assert {part.content_type for part in parts} <= {CSV, JSON, XML}
    if len(parts) == 1:
        assert parts[0].octets == octets


@pytest.mark.parametrize(
    "octets",
    [
        b'<?xml version="1.0"?>' + b"<a/>\n" * 100,
        b'{"lines": [{"event": "a", "event": "b"}, {}, {}, {}]}',
        b'{"lines": [{}, {}, {}, {}], "more": 1}',
        b"[" * 100_000,
        b"no,header\n1,2\n3,4\n5,6\n",
        b'event,device_id\n"a\nb,c\nd,e\nf,g\n',
        "event,device_id\né,1\né,2\né,3\n".encode("utf-16-le"),  # without its mark
    ],
)
def test_what_cannot_be_cut_is_sent_as_it_is(octets: bytes) -> None:
    assert [part.octets for part in chunks(octets, 2)] == [octets]


def test_sentences_full_of_commas_are_not_taken_for_cells() -> None:
    parts = chunks(b"event\tdevice_id\twhy\na\t1\ta, b, c, d, e, f, g\na\t2\th, i, j, k, l, m\na\t3\t\n", 2)
    assert [part.octets.splitlines()[0] for part in parts] == [b"sep=\t", b"sep=\t"]


def test_a_file_in_the_letters_of_windows_is_cut_into_parts_in_utf_8() -> None:
    parts = chunks("event,device_id\né,1\né,2\né,3\n".encode("cp1252"), 2)
    head = "sep=,\r\nevent,device_id\r\n"
    assert [part.octets.decode() for part in parts] == [f"{head}é,1\r\né,2\r\n", f"{head}é,3\r\n"]


# --- deployments -------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.28(d)")
@pytest.mark.parametrize("chunk", [2, 5_000])
def test_lines_that_are_wrong_are_shown_with_line_and_column_and_the_others_recorded(
    people: People, tmp_path: Path, chunk: int
) -> None:
    approval = people.api.granted(csr=csr_pem().decode())
    people.api.world.at(people.api.world.record(approval).start)
    people.api.mirror.follow()
    rows = [f"deployed,{device(each)},2027-01-04,{approval},0002012F,," for each in range(1, 6)]
    rows[2] = f"deployed,00-DB-12,2027-01-04,{approval},0002012F,,"
    rows[3] = f"deployed,{device(4)},2037-01-04,{approval},0002012F,,"
    file = tmp_path / "devices.csv"
    file.write_text(HEADER + "\n".join(rows))
    said = people.run("dcc", "deployments", "import", str(file), "--chunk", str(chunk))
    assert said.status == 1, said.err
    assert "devices.csv: 5 lines, 3 recorded, 0 known already, 2 refused, 0 passed over" in said.words
    shown = [line.split()[:2] for line in said.out.splitlines() if line.split()[:1] in (["4"], ["5"])]
    assert shown == [["4", "device_id"], ["5", "on"]]
    again = json.loads(people.run("dcc", "deployments", "import", str(file), "--json").out)
    assert [again[name] for name in ("lines", "recorded", "known", "refused")] == [5, 0, 3, 2]
    assert [each["line"] for each in again["results"]] == [2, 3, 4, 5, 6]
    file.write_text(HEADER + "\n".join(rows[:2]))
    assert people.run("dcc", "deployments", "import", str(file)).status == 0
    counted = done(people.api.ask("dcc", "GET", f"/v1/approvals/{approval}/deployments"))
    assert counted["deployed"] == 3
    assert f"500, of which {counted['deployed']} are deployed" in people.run("dcc", "status", approval).words


def test_a_file_that_the_service_refuses_as_a_whole_is_told(people: People, tmp_path: Path) -> None:
    file = tmp_path / "devices.csv"
    file.write_text("device,when\n1,2\n")
    said = people.run("dcc", "deployments", "import", str(file))
    assert said.status == 1
    assert "column 1 of its first row is not known" in said.words
    assert "cannot be read (No such file" in people.run("dcc", "deployments", "import", str(tmp_path / "none")).words
    said = people.run("manufacturer", "deployments", "import", str(file))
    assert said.err.rstrip().endswith("[operation-not-permitted]")


# --- the report --------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.28(h)")
def test_the_report_is_looked_at_added_to_issued_and_fetched(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = people.api.granted(csr=csr_pem().decode())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more.csv").write_text("a,b\n")
    said = people.run("dcc", "report", "2027-01", "--remark", "All is well.", "--attach", "more.csv")
    assert said.status == 0, said.err
    assert "Trial Devices, 2027-01: not issued yet" in said.out
    assert "(h) All is well." in said.out
    assert "and 1 attached" in said.words
    assert approval in said.out
    people.api.world.at(people.api.world.record(approval).start)
    refused = people.run("dcc", "report", "2027-01", "--issue", "--early", typed="n\n")
    assert (refused.status, "That was not a yes" in refused.words) == (1, True)
    assert json.loads(people.run("dcc", "report", "2027-01", "--json").out)["issued"] is False
    issued = people.run("dcc", "report", "2027-01", "--issue", "--early", "--as", "pdf", typed="y\n")
    assert issued.status == 0, issued.err
    assert (tmp_path / "trial-devices-2027-01.pdf").read_bytes().startswith(b"%PDF-")
    assert "there is such a file" in people.run("dcc", "report", "2027-01", "--as", "pdf").words
    assert people.run("officer-1", "report", "2027-01", "-o", "it.xlsx").status == 0
    assert (tmp_path / "it.xlsx").read_bytes().startswith(b"PK")
    again = people.run("dcc", "report", "2027-01", "--issue", "--early", "--yes")
    assert again.status == 1
    assert people.run("dcc", "report", "2027-01", "-o", "it.docx").status == 2


@pytest.mark.clause("F2.28(h)")
@pytest.mark.parametrize(
    "options",
    [
        ("--remark", " "),
        ("--ask", ""),
        ("--ask-each", "\u3164"),
        ("--answer", "ask-1", ""),
        ("--early",),
        ("--covers", "2026-12,2027-01"),
    ],
    ids=lambda options: options[0],
)
def test_nothing_that_is_said_of_a_report_is_passed_over(people: People, options: tuple[str, ...]) -> None:
    said = people.run("dcc", "report", "2027-01", *options)
    assert (said.status, said.out) == (2, "")
    assert options[0] in said.err


# --- the list ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.27")
def test_the_panel_lists_exports_acknowledges_and_compares(people: People, tmp_path: Path) -> None:
    approval = people.api.granted(csr=csr_pem().decode())
    listed = people.run("panel", "cpl", "list", "--json")
    (one,) = json.loads(listed.out)["instructions"]
    shown = people.run("panel", "cpl", "list").words
    for part in (one["instruction"], "add 2027-01-04", approval, "ESME AB01 010A030B 01", "0002012F", "pending"):
        assert part in shown, part
    assert people.run("panel", "cpl", "list", "--overdue").words == "No instruction."
    people.api.world.at(people.api.world.record(approval).start.replace(day=5))
    assert "pending, overdue" in people.run("officer-1", "cpl", "list", "--overdue").words

    for name, begins in (("told.csv", b"\xef\xbb\xbf"), ("told.xlsx", b"PK")):
        said = people.run("panel", "cpl", "export", "-o", str(tmp_path / name))
        assert said.status == 0, said.err
        assert (tmp_path / name).read_bytes().startswith(begins)
    assert people.run("panel", "cpl", "export", "-o", str(tmp_path / "told.doc")).status == 2
    rows = list(csv.DictReader(io.StringIO((tmp_path / "told.csv").read_bytes().decode("utf-8-sig"))))
    assert [each["firmware_version"] for each in rows] == ["0002012F"]

    missing = people.run("panel", "cpl", "reconcile", str(_list(tmp_path, [])))
    assert (missing.status, "Missing from the list" in missing.out) == (1, True)
    assert approval in missing.out
    wrong = [{**rows[0], "expiry": "2027-07-30"}]
    said = people.run("panel", "cpl", "reconcile", str(_list(tmp_path, wrong)))
    assert (said.status, "with something wrong" in said.out) == (1, True)
    assert "2027-07-30" in said.words
    said = people.run("panel", "cpl", "reconcile", str(_list(tmp_path, rows)))
    assert (said.status, "The list holds what it should." in said.out) == (0, True), said.out + said.err

    refused = people.run("panel", "cpl", "acknowledge", one["instruction"], "--reject", "The model is unknown to us.")
    assert (refused.status, f"{one['instruction']}: rejected" in refused.words) == (0, True)
    both = people.run("panel", "cpl", "acknowledge", one["instruction"], "cpl-none")
    assert (both.status, f"{one['instruction']}: loaded" in both.words) == (1, True)
    assert "cpl-none" in both.words
    again = people.run("panel", "cpl", "acknowledge", one["instruction"], "--rejected", "No.")
    assert again.status == 1
    assert done(people.api.ask("panel", "GET", "/v1/cpl/instructions"))["instructions"][0]["state"] == "loaded"


def _list(folder: Path, rows: list[dict[str, str]]) -> Path:
    """The Panel's list, as a spreadsheet writes it."""
    columns = ["approval", "trial", "expiry", "device_type", "manufacturer", "model", "hardware_version"]
    columns += ["firmware_version", "image_sha256"]
    path = folder / "list.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


# --- as a command of its own ---------------------------------------------------------------------------------------


def test_people_read_the_answer_and_nothing_of_how_it_was_fetched(people: People) -> None:
    key_file = str(people.keys / "panel.key")
    command = [sys.executable, "-m", "app.cli.main", "status", "--url", people.url, "--key-file", key_file]
    ran = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.strip()
