"""Whatever a row carries in place of a document, a copy stops before it believes it, and what it had is there again."""

import copy
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.test_kit_mirror import NOW, Told, all_of, copy_of
from verify.kit.simulated import Log, granted
from verify.kit.stopped import Check, Stopped

RIGHT, HELD = granted(1, NOW), granted(2, NOW)
OTHERS: tuple[Any, ...] = (None, 5, True, "", "x", [], {}, [1], [None], [[]], {"a": 1}, "9999-12-31T23:59:59Z")


def places(said: object, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    inside = said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ()
    for name, each in inside:
        yield from places(each, (*place, name))


def changed(place: tuple[Any, ...]) -> Iterator[object]:
    """The right document with something else at a place of it, and without what is there."""
    if not place:
        yield from OTHERS
        return
    for other in (*OTHERS, ...):
        whole = inside = copy.deepcopy(RIGHT)
        for name in place[:-1]:
            inside = inside[name]
        if other is ...:
            del inside[place[-1]]
        else:
            inside[place[-1]] = other
        yield whole


def taken(folder: Path, public: dict[str, object]) -> bool:
    """Whether a copy believes a row that the log has signed; whatever it is, the copy answers as before, or with it."""
    log = Log()
    log.add(NOW, HELD)
    for each in folder.iterdir():
        each.unlink()
    held = copy_of(folder, log)
    all_of(held, Told(log))
    log.carry(NOW, public)
    with suppress(Stopped):
        all_of(held, Told(log))
    assert [code for _, code, _, _ in held.wrong()] == ([] if held.size == 2 else [Check.DOCUMENT])
    again = copy_of(folder, log)
    assert again.size == held.size
    for name, document in again.documents().items():
        again.holding.answer("approval", name, NOW)
        device = document["device"] | {"firmware_version": "1", "firmware_hash": "0" * 64}
        again.holding.asked({"device": device}, NOW)
    assert again.holding.answer("approval", HELD["approval"], NOW).members["valid"] is True
    return again.size == 2


@pytest.mark.parametrize("part", [*RIGHT, ""])
def test_a_document_with_anything_else_in_it_never_spoils_a_copy(part: str, tmp_path: Path) -> None:
    for place in places(RIGHT):
        if place[:1] == ((part,) if part else ()):
            for document in changed(place):
                taken(tmp_path, {"approvals": [document]})


@pytest.mark.parametrize("documents", [each for each in OTHERS if each != []])
def test_what_is_no_list_of_documents_stops_a_copy(documents: object, tmp_path: Path) -> None:
    assert not taken(tmp_path, {"approvals": documents})


def test_the_right_document_is_believed(tmp_path: Path) -> None:
    assert taken(tmp_path, {"approvals": [RIGHT]})
    assert taken(tmp_path, {})
