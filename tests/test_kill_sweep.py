"""kill -9 of each process before and after each commit, signature and rename of the cycle, then a restart.

docs/issuance-cycle.md says what is durable when; here every sentence of it is tried. The short sweep dies once at each
kind of boundary, on PostgreSQL where a server has a part in it, and there on one side of each commit; the long one, on
both databases, dies at every single place, and 50 times over at places of each kind, with others at work.
"""

import ast
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from store import schema
from store.transactions import Store
from tests.kill import ceremony
from tests.kill.process import Death, Process, Tell
from tests.kill.stores import Back, PostgresqlStore, RememberedStore, SqliteStore
from tests.kill.sweep import Recorded, Sweep, one_of_each
from tests.world import memory_folder

ROUNDS = 50
ROOT = Path(__file__).parent.parent
NAMES = set((Path(__file__).parent / "kill" / "boundaries.txt").read_text().splitlines())

NOT_IN_THE_CYCLE = {
    "leave old rows": "an authority of before there was a log; tests/test_log.py has it, and dies around it",
    "keep tiles": "each 256 rows; tests/test_log.py has it, and dies around it",
    "keep checkpoint": "where the log is behind the head; tests/test_log.py has it, and dies around it",
    "carry out revocations": "many that are revoked by one act; tests/test_revoking_many.py dies around it",
    "tell of revocations": "the same; tests/test_revoking_many.py dies around it",
    "accept clock": "an operator's act after the clock was doubted; tests/test_clock.py has it",
    "accept restore": "an operator's act after a backup was put back; tests/test_restore.py has it",
    "answers anew": "a responder's key that is compromised; tests/test_responder_key.py has it",
    "judge addition": "a key that is lost before the start; tests/hard/ asks of it",
    "call meeting": "one row and its fact; tests/test_meetings.py calls one",
    "cancel meeting": "the same; tests/test_meetings.py cancels it",
    "record attendance": "rows and a fact each; tests/test_meetings.py records them",
    "strike attendance": "one row and its fact; tests/test_meetings.py strikes one",
    "place on agenda": "rows and a fact each; tests/test_meetings.py places them",
    "take off agenda": "one row and its fact; tests/test_meetings.py takes one off",
    "minute item": "one row and its fact; tests/test_meetings.py minutes one",
    "declare interest": "one row and its fact; tests/test_meetings.py declares one",
    "withdraw interest": "the same; tests/test_meetings.py withdraws it",
    "make comment": "one row and its fact; tests/test_meetings.py makes one",
    "retract comment": "the same; tests/test_meetings.py retracts it",
    "begin session": "one row; tests/test_console.py comes in",
    "count passkey": "one number; tests/test_console_passkeys.py comes in",
    "stay in session": "one instant of one row; tests/test_console_idle.py stays",
    "leave session": "one row; tests/test_console.py leaves",
    "revoke session": "one row and its fact; tests/test_console.py ends it",
    "invite": "one row and its fact; tests/test_console_passkeys.py invites",
    "enrol passkey": "two rows and a fact; tests/test_console_passkeys.py enrols",
    "begin draft": "rows of a draft; tests/test_console_applying.py begins one",
    "begin change": "rows of a draft; tests/test_console_changing.py begins one",
    "send change": "as a change does, and the draft is gone with it; tests/test_console_changing.py sends",
    "keep draft": "one row of a draft; tests/test_console_applying.py keeps",
    "throw draft away": "rows of a draft; tests/test_console_applying.py throws one away",
    "send draft": "as apply does, and the draft is gone with it; tests/test_console_applying.py sends",
    "answer question": "one row for a report; tests/hard/ asks and answers",
    "ask of report": "one row for a report; tests/hard/ asks and answers",
    "end question": "one row for a report; tests/hard/ asks and answers",
    "ask for dossier": "one row and its fact; tests/test_dossier.py asks",
    "answer request for an end": "one row, its fact and its notice; tests/hard/test_ends_asked_for.py has it",
    "answer suspicion": "one row and its fact; tests/hard/test_suspicions_told.py has it",
    "change contact": "a row that takes over from another; tests/hard/test_contacts.py has it",
    "request end": "one row and its fact; tests/hard/test_ends_asked_for.py has it",
    "tell of breach": "one row, its facts and its notice; tests/hard/test_suspicions_told.py has it",
    "withdraw request for an end": "one row and its fact; tests/hard/test_ends_asked_for.py has it",
    "close request for an end": "an end was asked for and another came; tests/hard/test_ends_asked_for.py has it",
    "close receipts": "measured, and closed by the next turn if not by this; tests/test_receipts.py has it",
    "note verification": "measured, and noted by the next look if not by this; tests/test_receipts.py has it",
    "close request": "a request that is open when its approval ends; tests/test_notice_words.py has it",
    "sign dossier": "one row, after a signature over what is sealed already; tests/test_dossier.py has it",
    "end in hierarchy": "a key that is compromised; tests/test_compromised_ca.py and test_statement_signer.py have it",
    "record announcement": "a roster that the root's key has signed; tests/test_root_statement.py has it",
    "make calendar address": "one row and its fact; tests/test_calendar_address.py makes them",
    "revoke calendar address": "the same; tests/test_calendar_address.py revokes them",
    "refuse restore": "what does not authorise one; tests/test_restore_agreed.py has it, and dies around those that do",
    "refuse roster": "a statement that is not the root's; tests/test_root_statement.py has it",
    "restore": "a backup that is put back; tests/test_backup.py has it",
    "show rosters": "a roster that rows say otherwise; tests/test_roster.py has it",
    "advance clock": "a test authority's only, and one statement",
    "put off answers": "an end that nothing proves; tests of attacks make one",
    "put register right": "a signature that somebody overwrote; tests/test_register.py overwrites it",
    "refuse crl": "a list that the gate refuses; tests of publishing make one",
    "sign of life": "a process that watches others, once in a while; tests/test_alarms.py has it",
    "settle end": "an operator's act where rows were changed; tests/test_settle.py has it",
    "take back numbers": "rows that somebody else has numbered; tests of attacks write them",
    "witness decision": "what an officer says of a decision, one row; tests/test_witness.py has it",
    "withhold": "a register that contradicts itself; tests of signing make one",
}
"""Commits that no undisturbed life of a certificate reaches."""


@pytest.fixture
def sweep(store_kind: str, store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path) -> Iterator[Sweep]:
    template = store_copy(store_kind)
    store = _swept(store_kind, template, tmp_path)
    memory = memory_folder(store.url, keys_folder)
    if store.url != template:
        shutil.copytree(memory_folder(template, keys_folder), memory)
    made = Sweep(RememberedStore(store, memory, tmp_path), keys_folder)
    yield made
    made.close()


def _swept(kind: str, url: str, folder: Path) -> SqliteStore | PostgresqlStore:
    return SqliteStore(url, folder) if kind == "sqlite" else PostgresqlStore(url)


def test_no_boundary_of_the_cycle_loses_or_doubles_anything(sweep: Sweep, store_kind: str) -> None:
    recorded = sweep.record()
    kinds = {kind for each in recorded for kind, _ in each.deaths()}
    assert kinds == {name for name in NAMES if not name.startswith("ceremony: ")}
    places = list(one_of_each(recorded))
    assert len(places) == len(kinds) + 2 * sum(len(each.step.anew) for each in recorded)
    sides = {name: number % 2 for number, name in enumerate(sorted({_commit(death) for _, death in places}))}
    for each, death in places:
        if store_kind == "sqlite" or _left_to_the_server(each, death, after=bool(sides[_commit(death)])):
            sweep.die(each, death)


def _commit(death: Death) -> str:
    return death.name.partition(" ")[2]


def _left_to_the_server(each: Recorded, death: Death, *, after: bool) -> bool:
    """Whether what a death leaves is another thing on a server; --long dies everywhere on both databases.

    No server has a part in a memory and in a signature, and what the web committed before it died is found, by whoever
    asks again, in the same rows. Of all else the server has half: it dies before every second commit, and after the
    others; SQLite has both sides of each.

    Args:
        after: on which side of this commit the server has it.
    """
    if any(name in death.name for name in ("commit memory", "signature")):
        return False
    if each.step.who == "web":
        return death.name.startswith("before")
    return death.name.startswith("after" if after else "before")


@pytest.mark.long
def test_each_boundary_of_the_cycle_50_times_over_with_others_at_work(
    sweep: Sweep, store_kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    places: dict[str, list[tuple[Recorded, Death]]] = {}
    for each in sweep.record():
        for kind, death in each.deaths() if each.step.swept else ():
            places.setdefault(kind, []).append((each, death))
    for place in (place for some in places.values() for place in some):
        sweep.die(*place, random.Random(f"{store_kind} {place[0].step.name} {place[1]}"))
    for number in range(1, ROUNDS + 1):
        for kind, some in places.items():
            chance = random.Random(f"{store_kind} {number} {kind}")
            sweep.die(*chance.choice(some), chance)
        with capfd.disabled():
            sys.stderr.write(f"\n{store_kind}: {len(places)} kinds of death, {number} of {ROUNDS} times over")


def _held(kind: str, url: str, folder: Path) -> tuple[SqliteStore | PostgresqlStore, Back]:
    empty = Store(url)
    schema.upgrade(empty)
    empty.close()
    store = _swept(kind, url, folder)
    back = store.save()
    ceremony.hold(folder / "home-before", url)(Tell(2))  # what it imports is imported once, before processes are forked
    back()
    return store, back


def _die_in_ceremony(store: SqliteStore | PostgresqlStore, back: Back, home: Path, death: Death) -> None:
    back()
    life = Process(ceremony.hold(home, store.url), death).wait()
    assert life.killed, (death, life.failure)
    found = Process(ceremony.hold_again(home, store.url, life.signings)).wait().done()
    assert found == [], (death, found)


def test_a_ceremony_that_dies_anywhere_is_finished_by_the_next_start(
    store_kind: str, empty_store_url: Callable[[str], str], tmp_path: Path
) -> None:
    store, back = _held(store_kind, empty_store_url(store_kind), tmp_path)
    life = Process(ceremony.hold(tmp_path / "home", store.url)).wait()
    life.done()
    kinds = ceremony.places(life)
    assert {kind for kind, _ in kinds} == {name for name in NAMES if name.startswith("ceremony: ")}
    for number, death in enumerate(dict(kinds).values()):
        _die_in_ceremony(store, back, tmp_path / f"home-{number}", death)


@pytest.mark.long
def test_each_boundary_of_the_ceremony_50_times_over(
    store_kind: str, empty_store_url: Callable[[str], str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store, back = _held(store_kind, empty_store_url(store_kind), tmp_path)
    life = Process(ceremony.hold(tmp_path / "home", store.url)).wait()
    life.done()
    places: dict[str, list[Death]] = {}
    for kind, death in ceremony.places(life):
        places.setdefault(kind, []).append(death)
    for number in range(1, ROUNDS + 1):
        for place, some in enumerate(places.values()):
            _die_in_ceremony(store, back, tmp_path / f"home-{number}-{place}", some[number % len(some)])
        with capfd.disabled():
            sys.stderr.write(f"\n{store_kind}: {len(places)} kinds of death in it, {number} of {ROUNDS} times over")


def test_every_commit_in_the_source_is_died_at_or_excused() -> None:
    swept = {name.partition("commit ")[2] for name in NAMES if "commit" in name and " memory of " not in name}
    written = {label for path in _sources() for label in _labels(path)}
    assert written - swept - NOT_IN_THE_CYCLE.keys() == set()
    assert not swept & NOT_IN_THE_CYCLE.keys()


def _sources() -> Iterator[Path]:
    for package in ("api", "app", "ca", "jobs", "keys", "ra", "store"):
        yield from (ROOT / package).rglob("*.py")


def _called(node: ast.Call) -> str | None:
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return None


def _labels(path: Path) -> Iterator[str]:
    """What is said to `begin(…)`; the roles of the hierarchy stand for a placeholder."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and node.args and _called(node) == "begin"):
            continue
        label = node.args[0]
        if isinstance(label, ast.Constant):
            yield str(label.value)
        elif isinstance(label, ast.JoinedStr):
            for role in ("root", "issuing", "responder", "statement"):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else role for part in label.values)
