"""Those who act together are followed once, after the last of them; whoever acts alone waits for nobody."""

import threading
import time
from collections.abc import Callable

import pytest

from api.following import Following

PATIENCE = 20.0


def _started(run: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=run)
    thread.start()
    return thread


def _until(so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.001)


class _Register:
    """What is committed, and what was read of it; a reader can be held."""

    def __init__(self) -> None:
        self.committed = 0
        self.seen = 0
        self.reads = 0
        self.may_end = threading.Event()
        self.may_end.set()

    def read(self) -> None:
        self.reads += 1
        found = self.committed
        assert self.may_end.wait(PATIENCE)
        self.seen = max(self.seen, found)


def test_whoever_acts_alone_is_followed_at_once() -> None:
    register = _Register()
    following = Following(register.read, together=PATIENCE)
    began = time.monotonic()
    for number in range(1, 4):
        with following.acting():
            register.committed += 1
        following.follow()
        assert (register.seen, register.reads) == (number, number)
    assert time.monotonic() - began < PATIENCE / 2


def test_those_who_act_together_are_followed_once_and_all_see_their_own_act() -> None:
    register = _Register()
    following = Following(register.read, together=PATIENCE)
    everybody, one_by_one, saw = threading.Barrier(8), threading.Lock(), list[bool]()

    def act() -> None:
        with following.acting():
            everybody.wait(PATIENCE)
            with one_by_one:
                register.committed += 1
                mine = register.committed
        following.follow()
        saw.append(register.seen >= mine)

    threads = [_started(act) for _ in range(8)]
    for thread in threads:
        thread.join(PATIENCE)
    assert saw == [True] * 8
    assert register.reads == 1


def test_what_was_begun_before_an_act_does_not_count_for_it() -> None:
    register = _Register()
    following = Following(register.read, together=PATIENCE)
    register.may_end.clear()
    register.committed = 1
    first = _started(following.follow)
    _until(lambda: register.reads == 1)
    register.committed = 2
    second = _started(following.follow)
    _until(lambda: register.reads == 2)
    register.may_end.set()
    for thread in (first, second):
        thread.join(PATIENCE)
    assert register.seen == 2


def test_nobody_waits_long_for_one_who_goes_on_acting() -> None:
    register = _Register()
    following = Following(register.read, together=0.001)
    with following.acting():
        register.committed = 1
        following.follow()
        assert register.seen == 1


def test_a_failure_comes_through_to_who_has_it_done_and_keeps_nobody_from_the_next() -> None:
    fails = [True]

    def read() -> None:
        if fails.pop():
            raise OSError("no register")
        fails.append(False)

    following = Following(read)
    with pytest.raises(OSError, match="no register"):
        following.follow()
    fails.append(False)
    following.follow()
    assert following._ended == following._begun == 2
