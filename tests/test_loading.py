"""What is loaded is set aside, and nothing else is."""

import gc
import sys

import pytest

from core.loading import MANY, loading

_UNUSED = "this"
"""A module of Python's own that nothing of ours imports."""


@pytest.fixture
def unused(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delitem(sys.modules, _UNUSED, raising=False)
    return _UNUSED


def test_garbage_is_looked_for_again_after_code_was_loaded_which_is_set_aside(unused: str) -> None:
    before = gc.get_freeze_count()
    with loading():
        looking = gc.isenabled()
        __import__(unused)
    assert (looking, gc.isenabled()) == (False, True)
    assert gc.get_freeze_count() > before


def test_where_nothing_is_loaded_nothing_is_set_aside() -> None:
    before = gc.get_freeze_count()
    with loading():
        made = [[] for _ in range(1000)]  # type: ignore[var-annotated]
    assert gc.get_freeze_count() <= before
    assert len(made) == 1000


def test_whoever_looks_for_no_garbage_does_not_do_so_afterwards() -> None:
    gc.disable()
    try:
        with loading():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_after_a_block_that_raises_garbage_is_looked_for_again_and_its_code_alone_is_set_aside(unused: str) -> None:
    def fails(name: str | None) -> None:
        with loading():
            made.extend([] for _ in range(MANY))
            if name is not None:
                __import__(name)
            raise OSError("the register is silent")

    made: list[list[None]] = []
    before = gc.get_freeze_count()
    try:
        with pytest.raises(OSError, match="silent"):
            fails(None)
        assert (gc.isenabled(), gc.get_freeze_count() <= before) == (True, True)
        with pytest.raises(OSError, match="silent"):
            fails(unused)
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
