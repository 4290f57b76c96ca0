"""What was answered of one approval, kept for as long as the same would be answered again.

Nearly all the cost of an answer is doing again what cannot have changed. What is kept here is bound to one entry of the
snapshot: a change of the approval is another entry, which begins with nothing. Of an entry that stays, the answer
changes only at the instants that its values name; between two of them it is kept.

There are few ways to ask about one approval's present and many about its past; of all approvals together there is room
for so many octets, and what was first asked about goes first. It costs an answer made anew.
"""

import threading
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar
from weakref import ReferenceType, ref

from core.approval import CertificateRecord
from core.mirror import Held
from core.status import first_second_after

_T = TypeVar("_T")
_K = TypeVar("_K", bound=bytes | str)
_V = TypeVar("_V")

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(microsecond=0, tzinfo=UTC)


MOST_KEPT = 512 * 1024 * 1024
"""Octets of what one process keeps: every usual question about 100,000 approvals."""

KEPT = 512
"""Octets that are taken at least, whatever is kept."""

HELD = 256
"""Octets that are taken at least by a question that is held as it came."""

SPELLINGS = 16
"""Of the questions about one entry that are held as they came; the one that came first goes for another."""

_SAME = 4096
"""Instants that are one value in memory, whichever entry names them: those that are asked for lie in the cache."""


class _Account:
    """What is kept of one entry, in octets, and whether it has a place among those that go."""

    __slots__ = ("octets", "placed")

    def __init__(self) -> None:
        self.octets = 0
        self.placed = False


class Room:
    """What all entries of one process keep together.

    Args:
        most: octets.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self.most = most
        self.guard = threading.Lock()
        self._order: deque[tuple[ReferenceType[Finished], _Account]] = deque()
        self.octets = 0

    def take(self, finished: "Finished", account: _Account, octets: int) -> None:
        """Count what an entry keeps from now on, and let others go for it; only under the guard."""
        account.octets += octets
        self.octets += octets
        if not account.placed:
            account.placed = True
            self._order.append((ref(finished), account))
        while self.octets > self.most and self._order:
            first, its = self._order.popleft()
            self.octets -= its.octets
            its.octets, its.placed = 0, False
            entry = first()
            if entry is not None:  # one that is none any more has let go by itself
                entry.let_go()


ROOM = Room()
"""Of this process."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A value that holds from `since` until before `until`."""

    value: object
    since: datetime
    until: datetime


class Finished:
    """One entry of the snapshot with what has been answered of it.

    Args:
        held: the entry.
    """

    __slots__ = ("__weakref__", "_account", "_ended", "_kept", "_spelled", "_turns", "held")

    def __init__(self, held: Held) -> None:
        self.held = held
        self._account = _Account()
        self._turns: tuple[datetime, ...] | None = None
        self._kept: dict[Hashable, _Kept] = {}
        self._spelled: dict[tuple[int, bytes | str], dict[Any, Any]] | None = None
        self._ended = False

    @property
    def identifier(self) -> str:
        """Of the approval."""
        return self.held.identifier

    def find(self, asked: Hashable, kind: type[_T], now: datetime) -> _T | None:
        """Return what was kept for a question and holds at `now`; None if nothing was.

        Args:
            asked: what was asked, as far as it makes a difference.
            kind: what it is answered with.
            now: the present instant.
        """
        kept = self._kept.get(asked)
        if kept is None or not kept.since <= now < kept.until:
            return None
        return kept.value if isinstance(kept.value, kind) else None

    def keep(
        self, asked: Hashable, value: object, now: datetime, *, size: int = 0, ahead: timedelta = timedelta(0)
    ) -> None:
        """Keep what is answered at `now` until it may be another one. Of equal answers one is kept.

        Args:
            asked: what was asked; there are few of them for one approval: its own names, and those of its certificates.
            value: what it is answered with.
            now: the present instant.
            size: octets of the answer; of what was asked they are added.
            ahead: how long before a change the answer says that it comes: so near to one it is kept for a second.
        """
        since, until = self.span(now)
        until -= ahead if until - _ALWAYS > ahead else timedelta(0)
        if until <= now:
            since, until = now, first_second_after(now)
        with ROOM.guard:
            same = next((each.value for each in self._kept.values() if each.value == value), None)
            words = len(asked) if isinstance(asked, str | bytes) else 0
            # What takes another's place is as long as that.
            octets = 0 if asked in self._kept else KEPT + words + (size if same is None else 0)
            self._kept[asked] = _Kept(value if same is None else same, since, until)
            ROOM.take(self, self._account, octets)

    def spell(
        self, table: dict[_K, _V], words: _K, asked: Hashable, made: Callable[[datetime, datetime], _V | None]
    ) -> None:
        """Hold a question as it came, for as long as its answer is kept.

        Args:
            table: where it is looked for.
            words: what came.
            asked: what its answer is kept under.
            made: what is held of it, by since when and until before when the answer is kept; None for nothing.
        """
        with ROOM.guard:
            kept = self._kept.get(asked)
            held = None if kept is None or self._ended else made(kept.since, kept.until)
            if held is None:
                return
            spelled = self._spelled = self._spelled or {}
            octets = 0 if spelled.pop((id(table), words), None) is not None else HELD + len(words)
            if len(spelled) == SPELLINGS:
                first = next(iter(spelled))
                octets -= HELD + len(first[1])
                spelled.pop(first).pop(first[1], None)
            spelled[id(table), words] = table
            table[words] = held
            ROOM.take(self, self._account, octets)

    def end(self) -> None:
        """It is none of the newest snapshot's any more: nothing of it is found by a question's octets from now on."""
        with ROOM.guard:
            self._ended = True
            self._let_go_of_words()

    def let_go(self) -> None:
        """Keep nothing of all this any longer; only under the guard."""
        self._kept = {}
        self._let_go_of_words()

    def _let_go_of_words(self) -> None:
        for (_, words), table in (self._spelled or {}).items():
            table.pop(words, None)
        self._spelled = None

    def kept(self) -> Counter[str]:
        """Return how many answers are kept, by the type of what was asked."""
        return Counter(type(asked).__name__ for asked in self._kept)

    @property
    def kept_octets(self) -> int:
        """What is kept, in octets, about."""
        return self._account.octets

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """Return between which instants nothing of this entry changes: from the first until before the second."""
        if self._turns is None:
            self._turns = tuple(sorted({_ALWAYS, *map(_same, turns(self.held)), _NEVER}))
        place = bisect_right(self._turns, now)
        return self._turns[place - 1], self._turns[min(place, len(self._turns) - 1)]


@lru_cache(maxsize=_SAME)
def _same(at: datetime) -> datetime:
    return at


def turns(held: Held) -> Iterator[datetime]:
    """Yield every instant at which an answer about an approval may become another one.

    Whatever a channel compares with the present instant is here; an instant too many costs an answer made anew.
    """
    record = held.record
    yield record.granted_at
    yield record.start
    if record.ended_at is not None:
        yield record.ended_at
    for terms in record.terms:
        yield terms.effective
        yield first_second_after(terms.expiry)
    for certificate in record.certificates:
        yield from _of_certificate(certificate)
    for answer in held.answers:
        yield answer.this_update
        yield first_second_after(answer.next_update)
    yield from held.disputed


def _of_certificate(certificate: CertificateRecord) -> Iterator[datetime]:
    yield certificate.signed_at
    yield certificate.not_before
    yield first_second_after(certificate.not_after)
    for end in (certificate.revoked_at, certificate.superseded_at, certificate.issuer_ended_at):
        if end is not None:
            yield end
