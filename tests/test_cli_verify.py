"""`trialcpa verify` asks about what people have in hand, shows the reasons, and ends as grep does."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli.verification import _question, _questions, _status, _Told
from core.errors import InputUnusable
from tests.api_world import Api
from tests.people_world import People, served, trialcpa
from tests.world import World

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def test_what_is_in_hand_becomes_the_question(tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_text(f"of us\n{PEM}{PEM}")
    (tmp_path / "one.cer").write_bytes(b"\x30\x82\x01\x00")
    assert _question(str(tmp_path / "chain.pem")) == {"certificate": PEM}
    assert _question(str(tmp_path / "one.cer")) == {"certificate": "MIIBAA=="}
    assert _question("5F:3A:00") == {"serial": "5F:3A:00"}
    (tmp_path / "list.txt").write_text("# ours\n5F3A\n\n  5F3B  \n")
    assert [name for name, _ in _questions((f"@{tmp_path / 'list.txt'}", "5F3C"))] == ["5F3A", "5F3B", "5F3C"]
    (tmp_path / "empty.txt").write_text("# none\n")
    with pytest.raises(InputUnusable, match="names nothing"):
        list(_questions((f"@{tmp_path / 'empty.txt'}",)))
    (tmp_path / "no.cer").write_text("nothing")
    with pytest.raises(InputUnusable, match="it holds no certificate"):
        _question(str(tmp_path / "no.cer"))


def test_what_was_mistyped_is_told_as_what_it_was_meant_to_be(tmp_path: Path) -> None:
    for wrong in ("TDT-2027-0042-X", "tda-2027-42", "TDA-"):
        assert _question(wrong) == {"approval": wrong}
    for file in ("chain.pem", str(tmp_path / "one"), r"C:\of\us", "leaf.p7b"):
        with pytest.raises(InputUnusable, match="there is no such file"):
            _question(file)
    for half in (("--manufacturer", "AB01"), ("--model", "010A030B", "--firmware", "1")):
        said = trialcpa("verify", *half, TRIALCPA_URL="http://127.0.0.1:9")
        assert (said.status, "--manufacturer and --model, both" in said.err) == (2, True), said.err


@pytest.mark.parametrize(
    ("valid", "status"), [([True, True], 0), ([True, False], 1), ([True, None], 2), ([False, None], 2), ([True], 0)]
)
def test_it_ends_as_grep_does(valid: list[bool | None], status: int) -> None:
    assert _status([_Told("it", None if each is None else {"valid": each}) for each in valid]) == status


def test_what_nobody_answered_is_not_a_no(tmp_path: Path) -> None:
    for words in (["5F3A"], [f"@{tmp_path / 'none.txt'}"], []):
        said = trialcpa("verify", *words, TRIALCPA_URL="http://127.0.0.1:9")
        assert said.status == 2, said.err


def test_an_approval_is_asked_about_over_http_and_the_reasons_are_shown(
    store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path
) -> None:
    world = World(store_copy("sqlite"), keys_folder)
    with served(Api(world), tmp_path) as people:
        approval = people.api.granted()
        told = people.run("dcc", "verify", approval, "5F3A", "--json")
        first, second = json.loads(told.out)["answers"]
        assert (told.status, first["approval"], second["valid"]) == (1, approval, False)
        told = people.run("dcc", "verify", "--manufacturer", "AB01", "--model", "none", "--firmware", "1")
        assert (told.status, "NOT covered" in told.words, "device-not-approved)" in told.words) == (1, True, True)
        assert people.run("dcc", "verify", "no serial at all").status == 2
        asked_in_a_file(people, approval, tmp_path)
    world.close()


def asked_in_a_file(people: People, approval: str, folder: Path) -> None:
    """A table and a list in JSON, in portions that are smaller than they are."""
    table, written = folder / "asked.csv", folder / "answers.csv"
    table.write_text(f"sep=;\napproval;device id\n{approval};\n\n5F3A;\n{approval};00-DB-12-34-56-78-90-01\n")
    told = people.run("dcc", "verify", "--batch", str(table), "--output", str(written))
    assert told.status == 2, told.err
    assert "3 questions: 0 covered, 2 not, 1 could not be asked.\n" in told.err
    rows = list(csv.DictReader(io.StringIO(written.read_text("utf-8-sig"))))
    said = [(each["line"], each["asked"].strip(), each["covered"], each["state"], each["reasons"]) for each in rows]
    assert said == [
        ("3", approval, "no", "not_yet_started", "not-yet-started"),
        ("5", "5F3A", "", "", "identifier-malformed"),
        ("6", f"{approval} 00-DB-12-34-56-78-90-01", "no", "not_yet_started", "not-yet-started"),
    ]
    told = people.run("dcc", "verify", "--batch", str(table))
    assert (told.out.count("not_yet_started"), "writes why in words" in told.err) == (2, True)
    listed = folder / "asked.json"
    listed.write_text(json.dumps({"questions": [{"approval": approval}, {"serial": "1"}, {"approval": approval}]}))
    told = people.run("dcc", "verify", "--batch", str(listed), "--json")
    answers = json.loads(told.out)["answers"]
    assert (told.status, [each["line"] for each in answers]) == (1, [1, 2, 3])
    assert [each["approval"] for each in answers] == [approval, None, approval]
    for wrong in ('{"questions": 1}', "", 'approval\n"x', "PK\x03\x04"):
        listed.write_text(wrong)
        assert people.run("dcc", "verify", "--batch", str(listed)).status == 2
    assert people.run("dcc", "verify", "--batch", str(listed), approval).status == 2
    assert people.run("dcc", "verify", "--output", str(written), approval).status == 2
    assert "not both" in people.run("dcc", "verify", approval, "--manufacturer", "AB01").err
