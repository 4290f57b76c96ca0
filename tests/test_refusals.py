"""Every refusal of access is one line that nobody can forge; a flood of them fills no disk and makes nobody wait."""

import hashlib
import logging
import re
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.refusals import (
    LINES_IN_ALL,
    LINES_OF_KNOWN,
    LINES_OF_ONE,
    LINES_OF_STRANGERS,
    LOGGER,
    MINUTE,
    SUMMARIES,
    RefusalLog,
    Source,
    Tally,
    line,
    mark,
)
from api.status.exchange import Asked
from api.status.refused import Refused
from core.actors import Role

KEY = "tcpa_this-is-the-secret"
ASKED = Asked(method="POST", path="/v1/verify", fields={"authorization": f"Bearer {KEY}"})
KNOWN = Refused(
    code="operation-not-permitted", place="/v1/verify", name="prometheus", role=Role.MONITOR, organisation="org-1"
)
UNKNOWN = Refused(code="credential-invalid", place="/v1/verify")


def test_a_line_says_who_was_refused_what_and_never_the_key() -> None:
    assert line(ASKED, "192.0.2.1", KNOWN) == (
        "code=operation-not-permitted method=POST path=/v1/verify credential=prometheus role=monitor "
        "organisation=org-1 peer=192.0.2.1"
    )
    told = line(ASKED, "2001:db8::1", UNKNOWN)
    assert re.fullmatch(r"code=credential-invalid method=POST path=/v1/verify key=~[0-9a-f]{8} peer=2001:db8::1", told)
    assert KEY not in told
    missing = line(Asked(method="GET", path="/v1/verify"), "192.0.2.1", UNKNOWN)
    assert missing == "code=credential-invalid method=GET path=/v1/verify peer=192.0.2.1"


def test_an_unknown_key_is_recognised_again_and_tells_nothing_to_whoever_guesses() -> None:
    shown = ASKED.fields["authorization"]
    assert mark(shown) == mark(shown) != mark(shown + "x")
    assert mark("\udcff")  # whatever a header field holds
    assert mark(shown)[1:] not in hashlib.sha256(shown.encode()).hexdigest()
    assert mark(shown)[1:] not in hashlib.sha256(KEY.encode()).hexdigest()


@given(st.text(), st.text(), st.text())
def test_no_word_of_a_stranger_begins_another_line_or_member(method: str, peer: str, shown: str) -> None:
    asked = Asked(method=method, path="/x\n", fields={"authorization": shown})
    told = line(asked, peer, UNKNOWN)
    assert told.isascii()
    assert told.isprintable()
    assert [part.partition("=")[0] for part in told.split(" ")] == [
        "code",
        *(["method"] if method else []),
        "path",
        *(["key"] if shown else []),
        *(["peer"] if peer else []),
    ]


def _taken(tally: Tally, source: Source, at: float) -> list[str]:
    return list(tally.take(source, f"{source.peer} {source.name}", at))


def test_of_one_peer_with_one_credential_so_many_lines_a_minute_and_then_how_many_more() -> None:
    tally, one, other = Tally(), Source("192.0.2.1", "a"), Source("192.0.2.1", "b")
    told = [said for _ in range(LINES_OF_ONE + 5) for said in _taken(tally, one, 100.0)]
    assert told == ["192.0.2.1 a"] * LINES_OF_ONE
    assert _taken(tally, other, 100.0 + MINUTE - 1) == ["192.0.2.1 b"]
    assert list(tally.over(100.0 + MINUTE - 1)) == []
    assert _taken(tally, one, 100.0 + MINUTE) == ["left_out=5 peer=192.0.2.1 credential=a", "192.0.2.1 a"]
    assert list(tally.over(100.0 + 3 * MINUTE)) == []


def test_a_flood_from_everywhere_is_held_in_little_memory_and_few_lines() -> None:
    tally = Tally()
    told = [said for number in range(10_000) for said in _taken(tally, Source(f"2001:db8::{number:x}", ""), 0.0)]
    assert len(told) == LINES_OF_STRANGERS
    # Whoever is known is seen all the same.
    assert _taken(tally, Source("192.0.2.1", "jane.doe"), 1.0) == ["192.0.2.1 jane.doe"]
    assert max(len(tally._told), len(tally._left_out)) <= LINES_IN_ALL
    assert list(tally.over(MINUTE)) == [f"left_out={10_000 - LINES_OF_STRANGERS} peer=others"]


def test_the_summaries_are_within_the_bound() -> None:
    tally = Tally()
    sources = [Source(f"192.0.2.{number}", name) for number in range(100) for name in ("", "jane.doe")]
    told = [said for source in sources * 30 for said in _taken(tally, source, 0.0)]
    told += tally.over(MINUTE)
    assert len(told) <= LINES_IN_ALL
    left_out = [int(found[1]) for each in told if (found := re.match(r"left_out=(\d+) peer=", each))]
    assert (len(left_out), sum(left_out)) == (SUMMARIES, len(sources) * 30 - LINES_OF_KNOWN - LINES_OF_STRANGERS)


def test_strangers_leave_room_for_whoever_is_known_in_what_waits_too() -> None:
    log = RefusalLog(monotonic=lambda: 0.0)  # nobody writes
    for _ in range(5_000):
        log.note(ASKED, "2001:db8::1", UNKNOWN, counted_as="2001:db8::/64")
    log.note(ASKED, "192.0.2.1", KNOWN, counted_as="192.0.2.1")
    waiting = list(log._waiting.queue)
    assert waiting[-1] == (Source("192.0.2.1", "prometheus"), line(ASKED, "192.0.2.1", KNOWN))
    assert waiting[0] == (Source("2001:db8::/64", ""), line(ASKED, "2001:db8::1", UNKNOWN))


def test_whoever_is_refused_while_the_log_hangs_waits_for_nothing(caplog: pytest.LogCaptureFixture) -> None:
    hanging = threading.Event()

    class Hangs(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert hanging.wait(20), record

    handler = Hangs()
    logging.getLogger(LOGGER).addHandler(handler)
    caplog.set_level(logging.WARNING, LOGGER)
    log = RefusalLog(monotonic=lambda: 0.0)
    log.start()
    try:
        began = time.monotonic()
        for _ in range(5_000):
            log.note(ASKED, "192.0.2.1", KNOWN, counted_as="192.0.2.1")
        assert time.monotonic() - began < 2
        assert not caplog.records[1:]
    finally:
        hanging.set()
        log.stop()
        logging.getLogger(LOGGER).removeHandler(handler)
    said = [each.getMessage() for each in caplog.records]
    assert said[:LINES_OF_ONE] == [line(ASKED, "192.0.2.1", KNOWN)] * LINES_OF_ONE
    left_out = [int(found[1]) for each in said[LINES_OF_ONE:] if (found := re.match(r"left_out=(\d+) peer=", each))]
    assert len(left_out) == len(said) - LINES_OF_ONE == 2  # of this peer, and of those that were not even looked at
    assert sum(left_out) == 5_000 - LINES_OF_ONE
