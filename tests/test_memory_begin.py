"""An authority that was made before there was a memory begins to remember: all of its register is proved first."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import click
import pytest
from sqlalchemy import text

from app.authority import open_authority
from app.house import House, open_house, open_memory
from app.settings import load
from core.alarms import AlarmCode
from core.approval import EndCause
from core.boundaries import observe
from core.clock import FixedClock
from core.errors import MemoryMissing
from core.kinds import HierarchyRole
from jobs.duty import release_lease, take_lease
from memory.book import RESERVE_OCTETS
from store.reading import watching
from tests.begin_world import before_the_memory, granted, made, revoked, settle
from tests.people_world import trialcpa


class PowerCut(Exception):
    """The power fails here."""


@pytest.fixture
def upgraded(store_kind: str, empty_store_url: Callable[[str], str], tmp_path: Path) -> Iterator[House]:
    """A register with a past, one end in it, and no memory."""
    house = made(tmp_path / "home", empty_store_url(store_kind))
    revoked(house, granted(house, "ENDED"))
    granted(house, "GOOD")
    before_the_memory(house)
    yield house
    house.store.close()


def test_it_begins_and_the_next_revocation_goes_through(upgraded: House) -> None:
    home = str(upgraded.settings.home)
    with pytest.raises(MemoryMissing, match="no memory"):
        open_authority(upgraded)

    refused = trialcpa("memory", "begin", "--home", home, typed="something else\n")
    assert refused.status == 1
    assert not list(upgraded.settings.keys_dir.glob("memory.*"))
    begun = trialcpa("memory", "begin", "--home", home, typed="TEST Trial CPA\n")
    assert begun.status == 0, begun.err
    assert "2 certificates, 1 ends" in begun.words
    transcript = (upgraded.settings.home / "ceremony" / "transcript.txt").read_text()
    assert begun.words.split("SHA-256 ")[1].split()[0] in transcript
    assert not (upgraded.settings.keys_dir / "watermark.json").exists()

    memory = open_memory(upgraded)
    assert begun.words.endswith(memory.digest())
    (good,) = memory.issues(_approvals(upgraded)[1])
    (issuing,) = memory.hierarchy(HierarchyRole.ISSUING)
    before = memory.newest_list(issuing.key_id)
    assert memory.end(good.serial) is None
    memory.close()
    revoked(upgraded, good.approval, EndCause.SSC)
    after = open_memory(upgraded)
    newest = after.newest_list(issuing.key_id)
    assert before is not None
    assert newest is not None
    assert newest.number > before.number
    assert newest.count == 2
    assert after.end(good.serial) is not None
    after.prove()
    after.close()
    assert (upgraded.settings.keys_dir / "memory.reserve").stat().st_size == RESERVE_OCTETS
    with upgraded.store.read() as tx:
        assert [each.code for each in watching.alarms(tx)] == [AlarmCode.ROSTER_MISSING], (
            "it was made before there were"
        )
    for words in ("show", "check"):
        told = trialcpa("memory", words, "--home", home)
        assert told.status == 0, told.err
    again = trialcpa("memory", "begin", "--home", home, "--yes")
    assert "[memory-begun]" in again.words


CHANGES: dict[str, tuple[str, str]] = {
    "a row of the journal says another thing": (
        "UPDATE journal SET actor = 'nobody' WHERE seal_number = 5",
        "journal-changed",
    ),
    "a row of the journal is gone": ("DELETE FROM journal WHERE seal_number = 5", "journal-changed"),
    "a head is signed by nobody": (
        "UPDATE journal_heads SET signature = (SELECT signature FROM journal_heads ORDER BY number LIMIT 1)",
        "register-unproved",
    ),
    "the newest head is of another link": ("UPDATE journal_heads SET link = tbs FROM drafts", "journal-changed"),
    "a certificate is another's": (
        "UPDATE certificates SET der = (SELECT der FROM authority_certificates WHERE role = 'responder')",
        "register-unproved",
    ),
    "a certificate is of another approval": (
        "UPDATE drafts SET tbs = (SELECT d.tbs FROM drafts AS d WHERE d.serial <> drafts.serial)",
        "register-unproved",
    ),
    "a decision says another thing": (
        "UPDATE decisions SET proposal = replace(proposal, '500', '501')",
        "register-unproved",
    ),
    "the authority has another base": ("UPDATE authority SET base_url = 'http://pki.example'", "register-unproved"),
    "the authority is live": ("UPDATE authority SET environment = 'live'", "profile-invalid"),
    "the responder is another's": (
        (
            "UPDATE authority_certificates SET der = (SELECT der FROM authority_certificates WHERE role = 'issuing') "
            "WHERE role = 'responder'"
        ),
        "register-unproved",
    ),
    "a list says another number": (
        "UPDATE crls SET number = number + 1 WHERE number = (SELECT max(number) FROM crls WHERE entries = 1)",
        "register-unproved",
    ),
    "the register forgot an end that a list says": (
        "UPDATE certificates SET revoked_at = NULL, cause = NULL, ends_at = not_after + 1 WHERE cause IS NOT NULL",
        "register-unproved",
    ),
    "the register moved an end that a list says": (
        "UPDATE certificates SET revoked_at = revoked_at - 60, ends_at = ends_at - 60 WHERE cause IS NOT NULL",
        "register-unproved",
    ),
    "a certificate is gone": ("DELETE FROM certificates WHERE cause IS NULL", "register-unproved"),
    "the newest list is gone": ("DELETE FROM crls WHERE entries = 1", "register-unproved"),
    "an end and the lists are gone": (
        "UPDATE certificates SET revoked_at = NULL, cause = NULL, ends_at = not_after + 1; DELETE FROM crls",
        "register-unproved",
    ),
    "a memory has begun": (
        "INSERT INTO memory_records (number, kind, at, body, mac) SELECT 1, 'begun', 0, tbs, tbs FROM drafts LIMIT 1",
        "memory-begun",
    ),
}


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_it_begins_with_nothing_that_its_keys_do_not_prove(upgraded: House) -> None:
    home = upgraded.settings.home
    path = upgraded.settings.store_url.removeprefix("sqlite:///")
    changed, untouched = sqlite3.connect(path), sqlite3.connect(":memory:")
    changed.backup(untouched)
    for change, (statement, code) in CHANGES.items():
        untouched.backup(changed)
        changed.execute("PRAGMA ignore_check_constraints = ON")
        for (name,) in changed.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            changed.execute(f"DROP TRIGGER {name}")
        assert all(changed.execute(each).rowcount for each in statement.split("; ")), change
        changed.commit()
        said = trialcpa("memory", "begin", "--home", str(home), "--yes")
        assert said.status == 1, change
        assert f"[{code}]" in said.words, (change, said.words)
        assert not list(upgraded.settings.keys_dir.glob("memory.*")), change
    changed.close()
    untouched.close()


def test_an_end_that_no_list_says_yet_is_not_forgotten_either(upgraded: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with upgraded.store.begin("tamper") as tx:
        tx.connection.execute(text("UPDATE certificates SET revoked_at = NULL, cause = NULL, ends_at = not_after + 1"))
    monkeypatch.setattr("jobs.beginning._ends", lambda *_: ())
    said = trialcpa("memory", "begin", "--home", str(upgraded.settings.home), "--yes")
    assert "was ended, and the register has another end or none" in said.words


@pytest.mark.parametrize("store_kind", ["sqlite"])
@pytest.mark.parametrize("said", [{"number": 10_000, "link": "00" * 32}, {"number": 3, "link": "00" * 32}, {}])
def test_it_does_not_begin_on_a_register_that_went_back(upgraded: House, said: dict[str, object]) -> None:
    place = upgraded.settings.keys_dir / "watermark.json"
    place.write_text(json.dumps(said))
    told = trialcpa("memory", "begin", "--home", str(upgraded.settings.home), "--yes")
    assert ("[store-went-back]" if said else "[register-unproved]") in told.words
    assert place.exists()
    assert not list(upgraded.settings.keys_dir.glob("memory.*"))


@pytest.mark.parametrize("store_kind", ["sqlite"])
@pytest.mark.parametrize("where", ["before rename key", "after rename key", "before commit memory"])
def test_a_death_while_it_begins_leaves_nothing_half(upgraded: House, where: str) -> None:
    home = str(upgraded.settings.home)

    def cut(name: str) -> None:
        if name == where:
            raise PowerCut

    observe(cut)
    try:
        with pytest.raises(PowerCut):
            trialcpa("memory", "begin", "--home", home, "--yes")
    finally:
        observe(None)
    stopped = trialcpa("run", "authority", "--home", home)
    assert stopped.status == 1
    assert "trialcpa memory begin" in stopped.words
    assert "[memory-missing]" in stopped.words
    assert trialcpa("memory", "begin", "--home", home, "--yes").status == 0
    settle(open_house(load(upgraded.settings.home)))


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_it_begins_alone(upgraded: House) -> None:
    home, store, machine = str(upgraded.settings.home), upgraded.store, upgraded.machine
    assert take_lease(store, "an authority", machine, timedelta(seconds=9)).epoch
    held = trialcpa("memory", "begin", "--home", home, "--yes")
    assert "[lease-held]" in held.words
    release_lease(store, "an authority", machine)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(click, "prompt", lambda *_, **__: _taken(upgraded))
        assert "[lease-held]" in trialcpa("memory", "begin", "--home", home).words
    assert not list(upgraded.settings.keys_dir.glob("memory.*"))
    release_lease(store, "another", machine)
    assert trialcpa("memory", "begin", "--home", home, "--yes").status == 0
    assert take_lease(store, "the next", machine, timedelta(seconds=5)).epoch, "it gave the lease back"


def _taken(house: House) -> str:
    """Take the lease while somebody looks at the digest; what that one types."""
    after = FixedClock(house.machine.now() + timedelta(seconds=30))
    assert take_lease(house.store, "another", after, timedelta(seconds=5)).epoch
    return "TEST Trial CPA"


def _approvals(house: House) -> list[str]:
    with house.store.read() as tx:
        return [each for (each,) in tx.connection.execute(text("SELECT identifier FROM approvals ORDER BY 1"))]
