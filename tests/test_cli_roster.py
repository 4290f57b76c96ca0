"""The roster on the authority's machine and on the root's: begun, lost and found again, with the real commands."""

import json
import subprocess
from contextlib import closing
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.authority import open_authority
from app.cli.ceremony import PASSPHRASE_FILE, make, planned
from app.house import open_house
from app.settings import load
from memory.officers import roster_of
from officers.key_file import public_pem
from officers.roster import Member
from ra.authorising import authority_shown
from store.reading.authority import authority_row
from store.transactions import sqlite_url
from tests.acting import member, officer_key
from tests.people_world import trialcpa
from verify.kit.agreed.dossier import trusted
from verify.kit.agreed.journal import Export

ONE, TWO, THREE = "jane.doe", "joe.bloggs", "jo.public"


def made(home: Path, *roster: Member) -> Path:
    plan = planned(home, "test", store_url=sqlite_url(home / "store.sqlite"))
    make(replace(plan, roster=roster))
    return home


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("authority") / "home", member(ONE), member(TWO), member(THREE))


def public_of(folder: Path, name: str, key: str | None = None) -> str:
    """An officer as an option names them, with their public key in a file."""
    place = folder / f"{key or name}.pub.pem"
    place.write_bytes(public_pem(officer_key(key or name)))
    return f"{name}={place}"


def openssl(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["openssl", *words], check=False, capture_output=True, text=True, timeout=60)


def test_the_transcript_says_where_every_key_lies(held: Path) -> None:
    (said,) = [each for each in (held / "ceremony" / "transcript.txt").read_text().splitlines() if "in files " in each]
    made = {each.name for each in (held / "keys").glob("*.key")} | {"root.key"}
    assert set(said.split("in files")[1].replace(",", " ").split()) == made


def test_the_root_has_signed_the_transcript_and_openssl_says_so(held: Path, tmp_path: Path) -> None:
    paper = held / "ceremony" / "transcript.txt"
    assert all(f"{member(each).key} {each}" in paper.read_text() for each in (ONE, TWO, THREE))
    with closing(open_house(load(held))) as house:
        root_der = house.root()
    (tmp_path / "root.der").write_bytes(root_der)
    root = ("-inform", "DER", "-in", str(tmp_path / "root.der"))
    (tmp_path / "root.pub.pem").write_text(openssl("x509", *root, "-noout", "-pubkey").stdout)
    proof = ("-verify", str(tmp_path / "root.pub.pem"), "-signature", str(paper.with_name("transcript.sig")))
    assert openssl("dgst", "-sha256", *proof, str(paper)).stdout == "Verified OK\n"
    trust = trusted(root_der, transcript=paper.read_bytes(), signature=paper.with_name("transcript.sig").read_bytes())
    assert trust.officers == frozenset((member(each).key, each) for each in (ONE, TWO, THREE))
    with closing(open_house(load(held))) as house, house.store.read() as tx:
        key = authority_row(tx).journal_key
        assert asdict(trust.authority) == asdict(authority_shown(tx))
    assert trust.key_for(Export(trust.journal, key)) == key
    changed = tmp_path / "transcript.txt"
    changed.write_text(paper.read_text().replace(ONE, "mallory"))
    assert openssl("dgst", "-sha256", *proof, str(changed)).returncode != 0


def test_two_of_three_lose_their_keys_and_the_documented_way_leads_back(held: Path, tmp_path: Path) -> None:
    shown = trialcpa("roster", "show", "--home", str(held))
    assert "The next is roster 2." in shown.words
    officers = [public_of(tmp_path, ONE), public_of(tmp_path, TWO, "joe, anew"), public_of(tmp_path, THREE, "jo, anew")]
    carried = tmp_path / "roster-2.json"
    # On the root's machine: nothing of the authority is there but the key.
    said = trialcpa(
        *("roster", "statement", "--authority", "TEST Trial CPA", "--number", "2", "--output", str(carried)),
        *("--root-dir", str(held / "root"), "--passphrase", f"file:{held / PASSPHRASE_FILE}"),
        *(word for each in officers for word in ("--officer", each)),
    )
    assert (said.status, "Carry it to the authority" in said.words) == (0, True), said.words
    with closing(open_house(load(held))) as house:
        before = house.clock.now()
    said = trialcpa("roster", "accept", str(carried), "--home", str(held))
    assert said.status == 0, said.words
    assert (held / "ceremony" / "roster-2.json").read_bytes() == carried.read_bytes()
    again = trialcpa("roster", "accept", str(carried), "--home", str(held))
    assert (again.status, "counts once" in again.words) == (1, True)
    with closing(open_house(load(held))) as house:
        memory = open_authority(house).memory
        waits = memory.rosters()[-1]
        assert timedelta(0) <= waits.effective_at - before - timedelta(hours=24) < timedelta(minutes=5)
        assert memory.roster(waits.effective_at - timedelta(seconds=1)) == roster_of(memory.rosters()[0])
        memory.close()
    assert trialcpa("clock", "advance", "--by-seconds", "86500", "--home", str(held)).status == 0
    shown = trialcpa("roster", "show", "--home", str(held))
    assert "Roster 2, by root" in shown.words
    assert ", in force" in shown.out.split("Roster 2")[1].splitlines()[0]


def test_an_authority_without_a_roster_begins_one_with_the_root_s_key(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    root = ("--root-dir", str(home / "root"), "--passphrase", f"file:{home / PASSPHRASE_FILE}", "--home", str(home))
    one, two = public_of(tmp_path, ONE), public_of(tmp_path, TWO)
    alone = trialcpa("roster", "begin", "--officer", one, *root)
    assert (alone.status, "Name 2 officers at least" in alone.words) == (2, True)
    said = trialcpa("roster", "begin", "--officer", one, "--officer", two, *root)
    assert (said.status, "three are advised" in said.words) == (0, True), said.words
    kept = json.loads((home / "ceremony" / "roster-1.json").read_text())
    assert [each["officer"] for each in kept["statement"]["members"]] != []
    again = trialcpa("roster", "begin", "--officer", one, "--officer", two, *root)
    assert (again.status, "there is a roster" in again.words) == (1, True)


def test_the_root_s_machine_overwrites_nothing(held: Path, tmp_path: Path) -> None:
    (tmp_path / "there.json").write_text("{}")
    said = trialcpa(
        *("roster", "statement", "--authority", "TEST Trial CPA", "--number", "2"),
        *("--root-dir", str(held / "root"), "--passphrase", f"file:{held / PASSPHRASE_FILE}"),
        *("--officer", public_of(tmp_path, ONE), "--officer", public_of(tmp_path, TWO)),
        *("--output", str(tmp_path / "there.json")),
    )
    assert (said.status, "there is a file already" in said.words) == (1, True)
