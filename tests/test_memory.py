"""What the authority remembers: what may not be contradicted, what a changed file betrays, what a full disk leaves."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.approval import RevocationReason
from core.errors import MemoryContradicted, MemoryForked, MemoryFull, MemoryMissing, MemoryUnusable
from core.kinds import HierarchyRole
from memory.beliefs import Remembered
from memory.book import RESERVE_NAME, Book
from memory.memory import PROVED_AT_START, Memory, TakenOver
from memory.records import (
    Acceptance,
    Accepted,
    At,
    Begun,
    Ended,
    Head,
    Hierarchy,
    Listed,
    Record,
    WillSign,
    body_of,
    record_of,
)
from tests.memory_world import (
    BEGUN,
    CA,
    DAY,
    NOW,
    OTHER_CA,
    Key,
    Remembering,
    ca,
    ended,
    listed,
    serial,
    will_sign,
)

SECOND = timedelta(seconds=1)


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Remembering]:
    made = Remembering(tmp_path / "keys")
    yield made
    made.memory.close()


# --- what may not be contradicted ------------------------------------------------------------------------------------

COMPROMISED = ended(reason=RevocationReason.KEY_COMPROMISE)
REFUSED: dict[str, tuple[tuple[Record, ...], Record, str]] = {
    "a serial has one certificate": (
        (will_sign(),),
        will_sign(tbs=b"other"),
        "other bytes were to be signed under this serial",
    ),
    "an issue is signed once": ((will_sign(),), will_sign(serial=serial(2)), "issue 1 was signed before"),
    "issues only rise": (
        (will_sign(issue=3),),
        will_sign(serial=serial(2), issue=2),
        "issue 3 was signed before",
    ),
    "an approval is for one device": (
        (will_sign(),),
        will_sign(serial=serial(2), issue=2, device="another"),
        "earlier issues are for another device",
    ),
    "a key is under one approval": (
        (will_sign(),),
        will_sign(2, key_sha256=will_sign().key_sha256),
        "its key was certified under TDT-2027-00001",
    ),
    "a compromised key is never certified again": (
        (will_sign(), COMPROMISED),
        will_sign(serial=serial(2), issue=2),
        "its key was ended as compromised",
    ),
    "a certificate has an issuing CA of ours": ((), will_sign(issuer=OTHER_CA), "its issuing CA is none of ours"),
    "a certificate begins after its CA": (
        (),
        will_sign(not_before=NOW - 2 * DAY),
        "it would outlive its issuing CA",
    ),
    "a certificate ends before its CA": ((), will_sign(not_after=NOW + 701 * DAY), "it would outlive its issuing CA"),
    "a serial of the hierarchy has one certificate": (
        (),
        ca(tbs=b"other"),
        "other bytes were to be signed under this serial",
    ),
    "a key has one place in the hierarchy": (
        (),
        ca(serial=serial(0xCB), role=HierarchyRole.RESPONDER),
        "its key is the issuing's",
    ),
    "only what was signed ends": ((), ended(), "no such certificate was signed"),
    "an end is not moved": (
        (will_sign(), ended()),
        ended(at=NOW - SECOND),
        "it was stated as 2027-01-03T12:00:00Z, PRIVILEGE_WITHDRAWN",
    ),
    "an end keeps its reason": ((will_sign(), ended()), COMPROMISED, "it was stated as"),
    "an end keeps its invalidity date": (
        (will_sign(), COMPROMISED),
        replace(COMPROMISED, invalidity_date=NOW - DAY),
        "it was stated as",
    ),
    "what has expired is not ended by an act": (
        (will_sign(not_after=NOW - SECOND, not_before=NOW - DAY),),
        ended(),
        "it expired before that",
    ),
    "an expiry that a list has said is final": (
        (will_sign(not_after=NOW - SECOND, not_before=NOW - DAY), listed()),
        ended(at=NOW - SECOND),
        "CRL 100 says that it expired",
    ),
    "a number of a list is used once": ((listed(),), listed(tbs_sha256="ab" * 32), "CRL 100 was signed before"),
    "numbers of lists rise": ((listed(),), listed(99), "CRL 100 was signed before"),
    "lists are not dated back": ((listed(),), listed(101, this_update=NOW - SECOND), "CRL 100 is dated"),
    "a row has one link": (
        (Head(number=5, link=b"\1" * 32),),
        Head(number=5, link=b"\2" * 32),
        "another link was signed for this row",
    ),
    "heads only rise": (
        (Head(number=5, link=b"\1" * 32),),
        Head(number=4, link=b"\2" * 32),
        "a head was signed at row 5",
    ),
    "it begins once": ((), BEGUN, "it has begun already"),
}


@pytest.mark.parametrize(("before", "refused", "told"), REFUSED.values(), ids=REFUSED)
def test_what_contradicts_is_refused_and_leaves_nothing(
    known: Remembering, before: tuple[Record, ...], refused: Record, told: str
) -> None:
    known.tell(*before)
    last, digest = known.memory.last, known.memory.digest()
    with pytest.raises(MemoryContradicted, match="contradicts what this authority remembers") as caught:
        known.tell(will_sign(7), refused)
    assert told in str(caught.value)
    assert told in (known.memory.contradiction(refused, NOW) or "")
    # Nothing of the portion is remembered.
    assert (known.memory.last, known.memory.digest()) == (last, digest)
    assert known.memory.certificate(serial(7)) is None


ALLOWED: dict[str, tuple[tuple[Record, ...], Record]] = {
    "the next issue": ((will_sign(),), will_sign(serial=serial(2), issue=2)),
    "the next issue of an ended one with the same key": (
        (will_sign(), ended(reason=RevocationReason.SUPERSEDED)),
        will_sign(serial=serial(2), issue=2),
    ),
    "an act before an expiry that no list has said": (
        (will_sign(not_after=NOW - SECOND, not_before=NOW - DAY),),
        ended(at=NOW - SECOND),
    ),
    "a list behind one that is dated ahead": ((listed(this_update=NOW + DAY),), listed(101)),
    "a list of another key": ((listed(),), listed(key_id=OTHER_CA)),
    "a further responder with the same key": (
        (ca(serial=serial(5), role=HierarchyRole.RESPONDER, key_sha256="5e" * 32),),
        ca(serial=serial(6), role=HierarchyRole.RESPONDER, key_sha256="5e" * 32, tbs=b"renewed"),
    ),
}


@pytest.mark.parametrize(("before", "allowed"), ALLOWED.values(), ids=ALLOWED)
def test_what_does_not_contradict_is_remembered(
    known: Remembering, before: tuple[Record, ...], allowed: Record
) -> None:
    known.tell(*before)
    assert known.memory.contradiction(allowed, NOW) is None
    assert known.tell(allowed) == 1
    known.memory.prove()


def test_the_same_again_writes_nothing(known: Remembering) -> None:
    said = (will_sign(), ended(), Head(number=3, link=b"\3" * 32))
    assert known.tell(*said) == 3
    last = known.memory.last
    known.clocks.at += DAY
    assert known.tell(*said, ca()) == 0
    assert known.memory.last == last


def test_what_the_clocks_say_is_kept_at_most_every_ten_seconds_and_after_each_start(known: Remembering) -> None:
    def kinds() -> int:
        return [each.kind for each in known.memory.after(0, 100)].count("at")

    before = kinds()
    known.clocks.at += 9 * SECOND
    known.tell(will_sign(1))
    assert kinds() == before
    known.clocks.at += SECOND
    known.tell(will_sign(2))
    assert kinds() == before + 1
    known.clocks.boot_id = "boot-2"
    known.tell(will_sign(3))
    assert kinds() == before + 2
    assert known.memory.last_at == known.clocks()


# --- what a changed file betrays -------------------------------------------------------------------------------------

CHANGED: dict[str, str] = {
    "a body": "UPDATE record SET body = CAST(replace(CAST(body AS TEXT), 'TDT', 'TDA') AS BLOB) WHERE number = 4",
    "a kind": "UPDATE record SET kind = 'ended' WHERE number = 4",
    "an instant": "UPDATE record SET at = at + 1 WHERE number = 4",
    "a seal": "UPDATE record SET mac = zeroblob(32) WHERE number = 4",
    "one is missing": "DELETE FROM record WHERE number = 4",
    "two change places": "UPDATE record SET number = CASE number WHEN 4 THEN -5 ELSE -4 END WHERE number IN (4, 5)",
}


def _change(known: Remembering, *statements: str) -> None:
    known.memory.close()
    with closing(sqlite3.connect(known.folder / "memory.sqlite")) as file, file:
        for each in statements:
            assert file.execute(each).rowcount


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
@pytest.mark.parametrize("later", [0, PROVED_AT_START])
def test_a_changed_record_is_found_at_the_start_if_new_and_by_a_check_always(
    known: Remembering, change: str, later: int
) -> None:
    known.tell(*(will_sign(number) for number in range(1, 5)))
    known.tell(*(Head(number=number, link=bytes(32)) for number in range(1, later + 1)))
    turned = ["UPDATE record SET number = -number WHERE number < 0"] if "CASE" in change else []
    _change(known, change, *turned)
    if later:
        with closing(known.again()) as memory, pytest.raises(MemoryUnusable, match=r"as this authority sealed|missing"):
            memory.prove()
    else:
        with pytest.raises(MemoryUnusable, match=r"as this authority sealed|missing"):
            known.again()


BELIEVED = (
    "UPDATE certificate SET not_after = not_after + 1",
    "UPDATE certificate SET key_sha256 = 'ab'",
    "DELETE FROM certificate",
    "UPDATE ended SET at = at - 1",
    "DELETE FROM ended",
    "UPDATE list SET number = number + 1",
    "DELETE FROM list",
    "UPDATE hierarchy SET key_sha256 = 'ab'",
    "UPDATE clock SET wall = wall + 1",
)


@pytest.mark.parametrize("change", BELIEVED)
def test_what_is_believed_and_does_not_follow_is_found_by_a_check(known: Remembering, change: str) -> None:
    known.tell(will_sign(), ended(), listed())
    assert known.memory.prove().certificates == 1
    _change(known, change)
    with closing(known.again()) as memory, pytest.raises(MemoryUnusable, match="does not follow from its records"):
        memory.prove()


def test_a_check_keeps_nobody_from_writing(known: Remembering) -> None:
    known.tell(will_sign(1))
    with closing(known.again()) as checking:
        checking._book._connection.execute("PRAGMA busy_timeout = 0")
        with known.memory._book.writing():
            assert checking.prove().certificates == 1


def test_a_file_that_is_missing_cut_off_or_anothers_is_a_sentence(tmp_path: Path, known: Remembering) -> None:
    known.tell(*(will_sign(number) for number in range(1, 50)))
    known.memory.close()
    place = known.folder / "memory.sqlite"
    whole = place.read_bytes()

    def opened(change: Callable[[], Any], error: type[Exception]) -> None:
        place.write_bytes(whole)
        change()
        with pytest.raises(error), closing(known.again()) as memory:
            memory.prove()

    opened(place.unlink, MemoryMissing)
    opened(lambda: place.write_bytes(b""), MemoryUnusable)
    opened(lambda: place.write_bytes(whole[:-4096]), MemoryUnusable)
    opened(lambda: place.write_bytes(whole[:5000]), MemoryUnusable)
    opened(lambda: place.write_bytes(b"something else" * 1000), MemoryUnusable)
    opened(lambda: place.write_bytes(whole[:40_000] + b"\xff" * 4096 + whole[44_096:]), MemoryUnusable)
    place.write_bytes(whole)
    with pytest.raises(MemoryUnusable, match="as this authority sealed it"):
        Memory.open(known.folder, Key(b"another key"), known.clocks)
    another = Remembering(tmp_path / "another", begun=replace(BEGUN, name="TEST another"))
    another.memory.close()
    with pytest.raises(MemoryContradicted, match="that of another authority"):
        Memory.begin(another.folder, known.key, BEGUN, known.clocks)


def test_a_ceremony_that_died_goes_on_with_its_memory(known: Remembering) -> None:
    with closing(Memory.begin(known.folder, known.key, BEGUN, known.clocks)) as again:
        assert again.last == known.memory.last
    for left in ("", "PRAGMA journal_mode = WAL"):
        blank = known.folder / f"died-{bool(left)}"
        blank.mkdir()
        with closing(sqlite3.connect(blank / "memory.sqlite")) as file:
            file.execute(left or "SELECT 1")
        with closing(Memory.begin(blank, known.key, BEGUN, known.clocks)) as begun:
            assert begun.begun == BEGUN
    empty = known.folder / "empty"
    Book.make(empty / "memory.sqlite", known.key).close()
    with pytest.raises(MemoryMissing):  # begun by nobody yet
        Memory.open(empty, known.key, known.clocks)
    with closing(Memory.begin(empty, known.key, BEGUN, known.clocks)) as begun:
        assert begun.begun == BEGUN


# --- a successor -----------------------------------------------------------------------------------------------------


@pytest.fixture
def other(known: Remembering, tmp_path: Path) -> Iterator[Memory]:
    """The memory of a successor: a copy of the folder as it was."""
    known.tell(will_sign(1))
    known.memory.close()
    shutil.copytree(known.folder, tmp_path / "other")
    known.memory = known.again()
    memory = Memory.open(tmp_path / "other", known.key, known.clocks)
    yield memory
    memory.close()


def test_a_successor_takes_over_what_it_lacks(known: Remembering, other: Memory) -> None:
    known.tell(will_sign(2), ended(2), listed(), links=((1, b"\1" * 32),))
    entries = known.memory.after(0, 100)
    assert other.catch_up(entries, now=NOW).taken == 3
    assert other.digest() == known.memory.digest()
    assert other.catch_up(entries, now=NOW).taken == 0
    assert other.catch_up(known.memory.after(2, 1), now=NOW).taken == 0  # it is ahead of that
    other.prove()


def test_what_it_wrote_and_nobody_knows_comes_behind_that(known: Remembering, other: Memory) -> None:
    other.remember([will_sign(3), will_sign(2)], now=NOW)
    known.tell(will_sign(2), ended(2))
    assert other.catch_up(known.memory.after(0, 100), now=NOW).taken == 2
    assert [each.kind for each in other.after(known.memory.last, 10)] == ["will-sign"]
    assert other.certificate(serial(3)) is not None
    assert other.end(serial(2)) is not None
    other.prove()


def test_what_it_wrote_and_contradicts_stops_it(known: Remembering, other: Memory) -> None:
    other.remember([will_sign(2, tbs=b"other bytes")], now=NOW)
    known.tell(will_sign(2))
    before = other.digest()
    with pytest.raises(MemoryForked, match="other bytes were to be signed"):
        other.catch_up(known.memory.after(0, 100), now=NOW)
    assert other.digest() == before


def test_what_another_key_sealed_is_not_taken_over(known: Remembering, other: Memory) -> None:
    known.tell(will_sign(2), will_sign(3))
    (first, second) = known.memory.after(other.last, 2)
    for foreign in (
        [replace(first, mac=bytes(32))],
        [replace(first, body=first.body.replace(b"00002", b"00009"))],
        [replace(first, at=first.at + SECOND)],
        [second],
    ):
        before = other.digest()
        assert other.catch_up(foreign, now=NOW) == TakenOver(taken=0, foreign=foreign[0].number)
        assert other.digest() == before


@pytest.mark.parametrize("forged", range(3))
def test_what_somebody_wrote_between_takes_no_genuine_record_with_it(
    known: Remembering, other: Memory, forged: int
) -> None:
    """Before what is missing here, in the midst of it, behind it."""
    common = other.last
    known.tell(will_sign(2), will_sign(3))
    entries = known.memory.after(common - 1, 10)
    place = (0, 2, 3)[forged]
    junk = replace(entries[-1], number=entries[0].number + place, mac=b"j" * 32)
    found = other.catch_up([*entries[:place], junk, *entries[place + 1 :]], now=NOW)
    assert found == TakenOver(taken=(2, 1, 2)[forged], foreign=junk.number)
    assert other.certificate(serial(2)) is not None
    other.prove()


def test_an_accepted_restore_moves_the_head_back_and_forgets_no_certificate(known: Remembering) -> None:
    links = tuple((number, bytes([number]) * 32) for number in range(1, 6))
    known.tell(will_sign(), ended(), listed(), Head(number=5, link=links[-1][1]), links=links)
    known.tell(
        Acceptance(
            what=Accepted.RESTORE,
            before={"number": "5"},
            after={"number": "3", "link": links[2][1].hex()},
            sentence="The disk died.",
        )
    )
    assert known.memory.head == Head(number=3, link=links[2][1])
    assert known.memory.link_of(4) is None
    assert known.memory.end(serial(1)) is not None
    known.tell(Head(number=4, link=b"\x09" * 32))
    known.memory.prove()


def test_what_was_accepted_of_what_is_not_so_any_more_is_not_accepted_again(known: Remembering) -> None:
    links = tuple((number, bytes([number]) * 32) for number in range(1, 6))
    known.tell(will_sign(), ended(), Head(number=5, link=links[-1][1]), links=links)
    after = {"number": "3", "link": links[2][1].hex()}
    end = {"serial": serial(1), "at": "1000"}
    for what, before, moved in (
        (Accepted.RESTORE, {"number": "4", "link": links[3][1].hex()}, after),
        (Accepted.RESTORE, {"number": "5", "link": links[3][1].hex()}, after),
        (Accepted.LIST, end, {"serial": serial(1), "at": "2000"}),
    ):
        with pytest.raises(MemoryContradicted):
            known.tell(Acceptance(what=what, before=before, after=moved, sentence="Long ago."))
    assert known.memory.head.number == 5


# --- a full disk -----------------------------------------------------------------------------------------------------


def test_on_a_full_disk_only_ends_and_lists_have_a_reserve(known: Remembering, monkeypatch: pytest.MonkeyPatch) -> None:
    known.tell(*(will_sign(number) for number in range(1, 20)))
    known.memory.keep_reserve()
    reserve = known.folder / RESERVE_NAME
    kept = reserve.stat().st_size // 4096
    connection = known.memory._book._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()

    def given_up(book: Book) -> bool:
        held = give_up(book)
        if held:  # a disk that is full has room again where a file was
            connection.execute(f"PRAGMA max_page_count = {pages + kept}")
        return held

    give_up = Book.give_up_reserve
    monkeypatch.setattr(Book, "give_up_reserve", given_up)
    connection.execute(f"PRAGMA max_page_count = {pages}")
    before = known.memory.last
    with pytest.raises(MemoryFull, match="There is no room"):
        known.tell(*(will_sign(number) for number in range(100, 150)))
    with pytest.raises(MemoryFull):
        known.tell(Head(number=9, link=bytes(32)), *(will_sign(number) for number in range(200, 250)))
    assert (known.memory.last, reserve.exists()) == (before, True)
    assert known.memory.status(_first(known), NOW) is None  # and what asks only, goes on
    assert known.tell(*(ended(number) for number in range(1, 20)), *(listed(number) for number in range(1, 60)))
    assert not reserve.exists()
    connection.execute(f"PRAGMA max_page_count = {_pages(connection)}")
    with pytest.raises(MemoryFull):
        known.tell(*(listed(number) for number in range(100, 200)))
    connection.execute("PRAGMA max_page_count = 100000")
    known.memory.keep_reserve()
    assert reserve.exists()
    known.memory.prove()


def _first(known: Remembering) -> Remembered:
    found = known.memory.certificate(serial(1))
    assert found is not None
    return found


def _pages(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA page_count").fetchone()[0])


def test_heads_and_links_use_the_reserve(known: Remembering, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a head nothing is proved, so no end would be stated."""
    given_up = list[bool]()

    def full_once(book: Book) -> Any:
        if not given_up:
            raise MemoryFull(path=book.path)
        return writing(book)

    def give_up(_: Book) -> bool:
        given_up.append(True)
        return True

    writing = Book.writing
    monkeypatch.setattr(Book, "writing", full_once)
    monkeypatch.setattr(Book, "give_up_reserve", give_up)
    known.tell(Head(number=5, link=b"\5" * 32))
    assert given_up.pop()
    known.memory.learn([(4, b"\4" * 32)])
    assert given_up.pop()
    with pytest.raises(MemoryFull):
        known.tell(will_sign())
    assert not given_up
    assert known.memory.links({4, 5}) == {4: b"\4" * 32, 5: b"\5" * 32}


# --- bodies ----------------------------------------------------------------------------------------------------------

_WORDS = st.text(max_size=20)
_HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
_SERIALS = st.integers(1, 2**127).map(serial)
_NUMBERS = st.integers(0, 2**53 - 1)
_INSTANTS = st.integers(0, 2**33).map(lambda seconds: NOW.fromtimestamp(seconds, NOW.tzinfo))


@given(
    st.one_of(
        st.builds(
            Begun,
            environment=st.sampled_from(["test", "live"]),
            name=_WORDS,
            arc=_WORDS,
            base_url=_WORDS,
            organisation=_WORDS,
            keys=st.dictionaries(_WORDS, _HEX, max_size=3),
            officers=st.dictionaries(_WORDS, _NUMBERS, max_size=3),
            journal_number=_NUMBERS,
            journal_link=st.binary(min_size=32, max_size=32),
            taken_over=st.dictionaries(_WORDS, _NUMBERS, max_size=3),
        ),
        st.builds(
            Hierarchy,
            role=st.sampled_from(HierarchyRole),
            serial=_SERIALS,
            key_id=_WORDS,
            key_sha256=_HEX,
            not_before=_INSTANTS,
            not_after=_INSTANTS,
            tbs=st.binary(max_size=50),
        ),
        st.builds(
            WillSign,
            serial=_SERIALS,
            approval=_WORDS,
            issue=_NUMBERS,
            device=_WORDS,
            key_sha256=_HEX,
            not_before=_INSTANTS,
            not_after=_INSTANTS,
            issuer=_WORDS,
            tbs=st.binary(max_size=50),
            decision=_WORDS,
            proposal_sha256=_HEX,
        ),
        st.builds(
            Ended,
            serial=_SERIALS,
            at=_INSTANTS,
            reason=st.sampled_from(RevocationReason),
            invalidity_date=st.none() | _INSTANTS,
        ),
        st.builds(
            Listed,
            key_id=_WORDS,
            number=_NUMBERS,
            this_update=_INSTANTS,
            next_update=_INSTANTS,
            count=_NUMBERS,
            tbs_sha256=_HEX,
        ),
        st.builds(Head, number=_NUMBERS, link=st.binary(min_size=32, max_size=32)),
        st.builds(At, wall=_INSTANTS, boot=_NUMBERS, boot_id=_WORDS, offset=_NUMBERS),
        st.builds(
            Acceptance,
            what=st.sampled_from(Accepted),
            before=st.dictionaries(_WORDS, _WORDS, max_size=3),
            after=st.dictionaries(_WORDS, _WORDS, max_size=3),
            sentence=_WORDS,
        ),
    )
)
def test_a_record_says_what_it_was_told(record: Record) -> None:
    body = body_of(record)
    again = record_of(record.kind, body)
    assert again == record
    assert body_of(again) == body


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", body_of(will_sign())[:-1], body_of(will_sign()).replace(CA.encode(), b"")[:-1] + b',"more":1}'],
)
def test_a_body_of_another_form_is_no_record(body: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        record_of("will-sign", body)
