"""What a turn asks the memory many times is asked of one state of it once: a state is another one for everybody."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import MemoryContradicted
from memory.records import Head
from tests.memory_world import NOW, Remembering


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Remembering]:
    made = Remembering(tmp_path / "keys")
    yield made
    made.memory.close()


def test_what_another_process_has_remembered_is_believed_at_once(known: Remembering) -> None:
    first = known.memory
    with closing(known.again()) as second:
        for number, one in enumerate((first, second, second, first), start=1):
            head = Head(number=number, link=bytes([number]) * 32)
            one.remember([head], now=NOW)
            assert (first.head, second.head) == (head, head)


def test_what_was_refused_in_the_end_is_believed_by_nobody(known: Remembering) -> None:
    first, wrong = Head(number=1, link=bytes(32)), Head(number=1, link=bytes([1]) * 32)
    assert known.memory.head.number == 0
    with pytest.raises(MemoryContradicted):
        known.memory.remember([first, wrong], now=NOW)
    assert known.memory.head.number == 0
