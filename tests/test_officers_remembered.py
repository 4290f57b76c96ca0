"""What the memory knows of officers: rosters in order, nothing consumed twice, and where the journal stood before."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import MemoryContradicted, MemoryUnusable
from core.kinds import AuthorisedAct, RosterCause
from jobs.roster import roster_record
from memory.book import FILE_NAME
from memory.officers import roster_of
from memory.records import Acceptance, Accepted, Consumed, Head, Issuing, RosterSet, body_of, record_of
from officers.roster import Member
from tests.acting import member
from tests.memory_world import NOW, Remembering, listed, will_sign
from tests.passkey_world import OfficersPasskey


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Remembering]:
    made = Remembering(tmp_path / "keys")
    yield made
    made.memory.close()


def roster(number: int, *members: Member, **changes: Any) -> RosterSet:

    of = members or (member("officer-1"), member("officer-2"))
    return replace(roster_record(of, RosterCause.CHANGE, number=number, at=NOW), **changes)


def consumed(number: int = 1, **changes: Any) -> Consumed:
    said = {
        "statement_sha256": f"{number:064x}",
        "act": AuthorisedAct.SECOND,
        "subject": "dec-1",
        "officer": "officer-1",
        "key": member("officer-1").key,
        "proposal_sha256": "1b" * 32,
        "tbs_sha256": None,
        "roster": 1,
        "fact_sha256": f"{number:064x}",
    }
    return Consumed(**{**said, **changes})


def test_a_roster_is_written_as_it_ever_was_and_a_member_with_more_is_none() -> None:
    held = roster(1)
    body = body_of(held)
    said = json.loads(body)
    keys = sorted((member("officer-1"), member("officer-2")), key=lambda each: each.key)
    assert said["members"] == [
        {"officer": each.officer, "key": each.key, "public_key": each.public_key.hex()} for each in keys
    ]
    assert record_of("roster", body) == held
    said["members"][0]["counts"] = "twice"
    with pytest.raises(ValueError, match="counts"):
        record_of("roster", json.dumps(said).encode())


def test_a_passkey_is_remembered_and_what_has_none_is_written_as_it_ever_was() -> None:
    held = roster(1, member("officer-1"), member("officer-2"), OfficersPasskey("officer-3").member())
    assert record_of("roster", body_of(held)) == held
    assert json.loads(body_of(held))["members"] == [each.document() for each in held.members]
    assert "counter" not in json.loads(body_of(consumed()))
    assert record_of("consumed", body_of(consumed(counter=0))) == consumed(counter=0)


def test_the_counter_of_a_passkey_goes_on_and_never_back(known: Remembering) -> None:
    hers = OfficersPasskey("officer-3").member().key

    def by_passkey(number: int, counter: int, key: str = hers, **changes: Any) -> Consumed:
        return consumed(number, subject=f"dec-{number}", key=key, counter=counter, **changes)

    known.tell(roster(1), by_passkey(1, 0), by_passkey(2, 0))  # one without a counter shows 0 each time
    known.tell(by_passkey(3, 7))
    for again in (7, 6, 0):
        with pytest.raises(MemoryContradicted, match=f"showed {again}, and 7 before"):
            known.tell(by_passkey(4, again))
    assert known.tell(by_passkey(3, 7)) == 0  # the same, after a crash
    same = replace(by_passkey(3, 7), subject="dec-30", fact_sha256="30" * 32)
    known.tell(same)  # one answer for a list
    known.tell(by_passkey(5, 1, key=OfficersPasskey("officer-2").member().key), consumed(6, subject="dec-6"))
    known.tell(by_passkey(7, 8))
    assert known.memory.prove()


def test_rosters_follow_each_other_and_never_go_back(known: Remembering) -> None:
    assert (known.memory.newest_roster, known.memory.roster(NOW), known.memory.rosters()) == (None, None, [])
    first, second = roster(1), roster(2, member("officer-1"), member("officer-3"), effective_at=NOW + timedelta(days=1))
    with pytest.raises(MemoryContradicted, match="the next is roster 1"):
        known.tell(second)
    known.tell(first)
    assert known.tell(first) == 0
    for wrong in (roster(1, member("officer-2"), member("officer-3")), roster(3)):
        with pytest.raises(MemoryContradicted, match="the next is roster 2"):
            known.tell(wrong)
    known.tell(second)
    assert known.memory.roster(NOW) == roster_of(first)
    assert known.memory.roster(NOW + timedelta(days=1)) == roster_of(second)
    assert known.memory.newest_roster == second
    assert known.memory.rosters() == [first, second]
    with pytest.raises(MemoryContradicted):
        known.tell(first)


@pytest.mark.parametrize(
    "again",
    [
        consumed(fact_sha256="ff" * 32),
        consumed(officer="officer-2"),
        consumed(roster=2),
        consumed(act=AuthorisedAct.REJECT),
        consumed(2),
        consumed(2, key=member("officer-2").key, proposal_sha256="ff" * 32),
        consumed(act=AuthorisedAct.REVOKE),
    ],
    ids=[
        "another fact",
        "another officer",
        "another roster",
        "another act",
        "another statement",
        "another key",
        "alone",
    ],
)
def test_what_was_consumed_is_consumed_for_nothing_else(known: Remembering, again: Consumed) -> None:
    known.tell(roster(1), consumed())
    assert known.tell(consumed()) == 0  # the same, after a crash
    with pytest.raises(MemoryContradicted, match="was used for that, or for another act"):
        known.tell(will_sign(), again)
    assert known.memory.certificate(will_sign().serial) is None  # a portion is remembered whole or not at all
    assert known.memory.consumed_about(["dec-1"]) == [consumed()]


def test_one_statement_about_a_list_is_consumed_once_for_each_thing_on_it(known: Remembering) -> None:
    each = [consumed(subject=f"dec-{number}", fact_sha256=f"{number:064x}") for number in range(3)]
    known.tell(*each)
    assert known.memory.consumed_by([each[0].statement_sha256, "00" * 32]) == each
    assert known.memory.consumed_about(["dec-2", "dec-1", "dec-9"]) == each[1:]
    assert known.memory.consumed_about([]) == known.memory.consumed_by([]) == []


def test_revoking_alone_may_be_done_again_by_another_statement(known: Remembering) -> None:
    once = consumed(act=AuthorisedAct.REVOKE, subject="TDT-2027-0001")
    twice = consumed(2, act=AuthorisedAct.REVOKE, subject="TDT-2027-0001")
    known.tell(once)
    known.tell(twice)
    assert known.memory.consumed("TDT-2027-0001", [AuthorisedAct.REVOKE]) == [once, twice]


def test_where_the_journal_stood_before_the_first_roster_is_known_for_ever(known: Remembering) -> None:
    assert known.memory.sealed_before_rosters == 0
    known.tell(Head(number=7, link=b"\7" * 32), listed(), will_sign())
    known.tell(roster(1))
    known.tell(Head(number=9, link=b"\11" * 32), roster(2, member("officer-1"), member("officer-3")))
    assert known.memory.sealed_before_rosters == 7
    # A restore that is accepted later seals rows of such numbers anew: they are none of before.
    after = {"number": "3", "link": "03" * 32}
    before = {"number": "9", "link": (b"\11" * 32).hex()}
    known.tell(Acceptance(what=Accepted.RESTORE, before=before, after=after, sentence="A disk."))
    known.tell(Head(number=8, link=b"\10" * 32))
    assert known.memory.sealed_before_rosters == 3


def test_issuing_stands_as_it_was_ordered_last(known: Remembering) -> None:
    assert known.memory.issuing is None
    for stopped in (True, False):
        order = Issuing(stopped=stopped, at=NOW, order=f"ord-{stopped}", statements=("ab" * 32,))
        known.tell(order)
        assert known.memory.issuing == order


def test_a_book_of_the_release_before_is_brought_to_form_and_forgets_nothing(known: Remembering) -> None:
    known.tell(will_sign(), listed())
    before = known.memory.after(0, 100)
    known.memory.close()
    with sqlite3.connect(known.folder / FILE_NAME) as book:
        for each in ("roster", "consumed", "issuing", "log", "tree", "passkey", "register"):
            book.execute(f"DROP TABLE {each}")
        book.execute("DROP INDEX record_accepted")
        book.execute("PRAGMA user_version = 1")
    book.close()
    known.memory = known.again()
    assert known.memory.after(0, 100) == before
    known.tell(roster(1), consumed())
    assert known.memory.prove().records == len(known.memory.after(0, 100))
    known.memory.close()
    with sqlite3.connect(known.folder / FILE_NAME) as book:
        assert book.execute("PRAGMA user_version").fetchone() == (5,)
        book.execute("PRAGMA user_version = 6")
    book.close()
    with pytest.raises(MemoryUnusable, match="it has form 6; this release knows form 5"):
        known.again()
    with sqlite3.connect(known.folder / FILE_NAME) as book:
        book.execute("PRAGMA user_version = 5")
    book.close()
    known.memory = known.again()


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM consumed",
        "UPDATE consumed SET officer = 'officer-9'",
        "UPDATE consumed SET fact_sha256 = 'x'",
        "DELETE FROM roster",
        "UPDATE roster SET effective_at = effective_at + 1",
        "UPDATE issuing SET stopped = 0",
    ],
)
def test_what_is_believed_of_officers_and_does_not_follow_is_found_by_a_check(known: Remembering, change: str) -> None:
    known.tell(roster(1), consumed(), Issuing(stopped=True, at=NOW, order="ord-1", statements=()))
    known.memory.prove()
    with sqlite3.connect(known.folder / FILE_NAME) as book:
        book.execute(change)
    book.close()
    with pytest.raises(MemoryUnusable):
        known.memory.prove()


def test_a_successor_knows_what_was_consumed_and_lets_go_of_what_it_consumed_for_nothing(
    known: Remembering, tmp_path: Path
) -> None:
    """What is not in the copy was followed by no commit: nothing was sealed upon it."""
    known.tell(roster(1))
    other = Remembering(tmp_path / "other")
    other.memory.catch_up(known.memory.after(0, 100), now=NOW)
    other.tell(consumed(fact_sha256="ff" * 32), consumed(3, subject="dec-3"))
    known.tell(consumed(), roster(2, member("officer-1"), member("officer-3")))
    assert other.memory.catch_up(known.memory.after(0, 100), now=NOW).foreign is None
    assert other.memory.consumed_about(["dec-1"]) == [consumed()]
    assert other.memory.consumed_about(["dec-3"]) == [consumed(3, subject="dec-3")]
    assert other.memory.rosters() == known.memory.rosters()
    other.memory.prove()
    other.memory.close()
