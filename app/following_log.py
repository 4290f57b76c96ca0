"""/v1/feed before the front: what is known is answered from memory, and whoever asks for what comes is let wait.

A question that is not plainly well-formed is the API's, which says what is wrong with it; so is one from far behind.
"""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from api.app import SECURITY_HEADERS
from api.feed import EVENTS_TYPE, portion
from api.forms.log import LONGEST_WAIT, PORTION
from api.log_tip import TOGETHER, LogTip
from api.service import JSON_TYPE
from api.status.exchange import Asked, Pieces, Reply, liking, refusal
from core.canonical import LARGEST_EXACT
from core.errors import LogEmpty, RegisterWentBack, StoreUnavailable
from front.service import Later, Stream, Turn
from store.transactions import Store

STREAM_SECONDS = 600.0
"""For which rows are sent as they come; whoever follows comes again by itself, with the number of the last
(HTML, 9.2.2). What holds a connection for ever holds a process that is to be stopped, too."""

LAST_EVENT = "last-event-id"

_LONGEST_QUERY = 100
"""Characters in which a question is written by anybody who means it."""

_BOUNDS: Mapping[str, tuple[int, int]] = {
    "after": (0, LARGEST_EXACT),
    "wait": (0, LONGEST_WAIT),
    "limit": (1, PORTION),
}
_DIGITS = 16

_FIELDS = [*SECURITY_HEADERS.items(), ("Cache-Control", "no-store")]
_log = logging.getLogger(__name__)


class FollowingLog:
    """Answers whoever follows the log.

    Args:
        tip: the log's end.
        store: the register, for those who are far behind.
        require_whole: raises RegisterWentBack if nothing may be told.
    """

    def __init__(self, tip: LogTip, store: Store, require_whole: Callable[[], None]) -> None:
        self._tip = tip
        self._store = store
        self._require_whole = require_whole

    def at_once(self, asked: Asked) -> Reply | Turn | Later | Stream:
        """Answer from memory, or say who does, or when."""
        events = liking(asked, EVENTS_TYPE) > liking(asked, JSON_TYPE)
        said = _numbers(asked, events=events)
        if said is None or not self._whole():
            return Turn.API
        end = self._tip.end()
        if end is None:
            return Turn.LONG
        after, limit = said.get("after", 0), said.get("limit", PORTION)
        later = _Later(self, after, limit, said.get("wait", 0))
        if asked.method != "GET":
            return later.answered()
        if events:
            return _Stream(self, after, limit)
        return later if later.seconds and after >= end else later.answered()

    def _whole(self) -> bool:
        try:
            self._require_whole()
        except RegisterWentBack:
            return False
        return True

    def end(self) -> int | None:
        """Return the number of the last row; None if nothing may be told from memory."""
        return self._tip.end() if self._whole() else None

    def answer(self, after: int, limit: int) -> tuple[Pieces, int] | None:
        """Return what memory has (api/log_tip.py)."""
        return self._tip.answer(after, limit)

    def read(self, after: int, limit: int) -> tuple[bytes, int] | None:
        """Return what the register has, with the number of the last row; None if it cannot be told now."""
        try:
            self._require_whole()
            with self._store.read() as tx:
                found = portion(tx, after, limit)
        except (RegisterWentBack, StoreUnavailable, LogEmpty):
            return None
        except Exception:  # noqa: BLE001 - on a worker's thread: what we did not foresee is logged, and the stream goes on
            _log.exception("the public log could not be read")
            return None
        return found.octets, found.last


class _Later(Later):
    """Somebody who waits for rows behind one."""

    def __init__(self, following: FollowingLog, after: int, limit: int, seconds: float) -> None:
        self.seconds = seconds
        self._following = following
        self._after = after
        self._limit = limit

    def now(self) -> Reply | Turn | None:
        end = self._following.end()
        return None if end is None or end <= self._after else self.answered()

    def at_last(self) -> Reply | Turn:
        # What was read long ago is not the newest, and to be told so is what a copy rests upon.
        return refusal(StoreUnavailable()) if self._following.end() is None else self.answered()

    def answered(self) -> Reply | Turn:
        found = self._following.answer(self._after, self._limit)
        if found is None:
            return Turn.LONG
        pieces, fields = found[0], [("Content-Type", JSON_TYPE), *_FIELDS]
        if len(pieces.octets) == 1:
            return Reply(HTTPStatus.OK, pieces.octets[0][0], fields)
        return Reply(HTTPStatus.OK, headers=fields, pieces=pieces)


class _Stream(Stream):
    """Somebody who gets rows as they come, as events that a server sends (HTML, 9.2)."""

    seconds = STREAM_SECONDS
    head = Reply(HTTPStatus.OK, headers=[("Content-Type", EVENTS_TYPE), *_FIELDS, ("X-Accel-Buffering", "no")])
    first = b"retry: 1000\n\n"
    quiet = b":\n\n"

    def __init__(self, following: FollowingLog, after: int, limit: int) -> None:
        self._following = following
        self._after = after
        self._limit = limit
        self._greeted = False

    def now(self) -> Pieces | Turn | None:
        end = self._following.end()
        # The first event comes at once, without a row if there is none: so whoever follows has the checkpoint.
        if end is None or (end <= self._after and self._greeted):
            return None
        found = self._following.answer(self._after, self._limit)
        return Turn.LONG if found is None else self._event(*found)

    def work(self) -> Pieces | None:
        found = self._following.read(self._after, self._limit)
        if found is None:
            return None
        octets, last = found
        parts = [[octets[at : at + TOGETHER]] for at in range(0, len(octets), TOGETHER)]
        return self._event(Pieces(parts, len(octets)), last)

    def at_last(self) -> Reply | Turn:
        return _Later(self._following, self._after, self._limit, 0).answered()

    def _event(self, rows: Pieces, last: int) -> Pieces:
        self._greeted, self._after = True, last
        before, behind = b"id: %d\nevent: rows\ndata: " % last, b"\n\n"
        return Pieces([[before], *rows.octets, [behind]], len(before) + rows.length + len(behind))


def _numbers(asked: Asked, *, events: bool) -> Mapping[str, int] | None:
    """Return what a question says, by name; None for one that the API has to judge."""
    if len(asked.query) > _LONGEST_QUERY:
        return None
    pairs = parse_qsl(asked.query, keep_blank_values=True)
    said = dict(pairs)
    if len(said) != len(pairs) or not said.keys() <= _BOUNDS.keys():
        return None
    resumed = asked.fields.get(LAST_EVENT)
    numbers = {name: _number(each, *_BOUNDS[name]) for name, each in said.items()}
    if resumed is not None:
        last = _number(resumed, *_BOUNDS["after"])
        numbers["after"] = last if events or last is None else numbers.get("after", 0)
    known = {name: each for name, each in numbers.items() if each is not None}
    return known if len(known) == len(numbers) else None


def _number(written: str, least: int, most: int) -> int | None:
    if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS):
        return None
    return int(written) if least <= int(written) <= most else None
