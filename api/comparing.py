"""Every certificate is compared in every channel, again and again, a portion at a time, while nobody waits for it.

What disagrees is looked at again before it is called so: register, snapshot and lists are read anew, and whatever
changed in between begins anew. An end on its way through the channels is no disagreement (api/status/consistency.py).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from api.counting import AT_ONCE
from api.status.consistency import (
    DisagreementAnswer,
    Lists,
    Report,
    compare,
    compare_approvals,
    never_issued,
    not_in_register,
    read_lists,
    strangers,
)
from api.status.mirror import Mirror
from api.status.snapshot import Snapshot
from core.alarms import AlarmCode, Noticed
from core.approval import ApprovalRecord
from core.errors import StatusStale, StoreUnavailable
from core.identifiers import Serial
from core.words import counted
from store.reading import approvals as approval_reading
from store.transactions import Store

PORTION = 100
"""Approvals that are compared at a time: some 30 ms of one processor."""

_SHARE = 20
"""Comparing takes at most one part in so many of one processor's time."""

PASS_SECONDS = 10.0
"""After a pass; a small register needs no more."""

AGAIN_SECONDS = 2.0
"""After which what disagreed is looked at again: whatever follows the register by memory does so in far less."""

MOST_NAMED = 1_000
"""What disagrees is held up to so many; where more does, the same is wrong with all of it."""

_READ_ANEW = 3
"""How often register and snapshot are read anew when they differ: somebody may be acting in between."""


@dataclass(frozen=True, kw_only=True)
class Passed:
    """How far the comparing of everything has come.

    Args:
        number: of the pass that is under way, from 1 on since this process began.
        began_at: when it began; null before the first.
        compared: certificates compared in it.
        approvals: how many approvals the snapshot has.
        last_ended_at: when the pass before it had compared everything; null if none has yet.
        last_compared: how many certificates that was.
    """

    number: int
    began_at: datetime | None
    compared: int
    approvals: int
    last_ended_at: datetime | None
    last_compared: int


@dataclass
class _Pass:
    """One time through the register."""

    number: int
    report: Report
    lists: Lists
    behind: str = ""
    seen: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Of:
    """What a disagreement is about: an approval, a serial that a list has; neither of a whole list."""

    approval: str | None = None
    serial: Serial | None = None


@dataclass(frozen=True)
class _Suspect:
    """What disagreed when it was looked at.

    Args:
        since: when that was first, by the authority's clock.
        looked: monotonic seconds of the last look.
        as_it_was: what the register said then.
    """

    since: datetime
    looked: float
    as_it_was: ApprovalRecord | None


class Comparing:
    """Compares register, verification, OCSP and lists.

    Args:
        store: the register.
        mirror: what the channels answer from.
        monotonic: seconds that only grow; a test hands in its own.
        spent: seconds of the processor that this thread has used.
    """

    def __init__(
        self,
        store: Store,
        mirror: Mirror,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        spent: Callable[[], float] = time.thread_time,
    ) -> None:
        self._store = store
        self._mirror = mirror
        self._monotonic = monotonic
        self._spent = spent
        self._pass: _Pass | None = None
        self._number = 0
        self._last: tuple[datetime, int, int] | None = None
        self._suspects: dict[_Of, _Suspect] = {}
        self._named: dict[_Of, tuple[DisagreementAnswer, ...]] = {}
        self._cost = 0.0
        self._ended = False

    # --- what is told --------------------------------------------------------------------------------------------

    def noticed(self) -> Iterator[Noticed]:
        """Yield that something disagrees, while it does."""
        named = self.disagreements()
        if named:
            said = f"{counted(len(named), 'answer or entry', 'answers or entries')} disagree with the register"
            yield Noticed(code=AlarmCode.CHANNELS_DISAGREE, sentence=f"{said}: /v1/consistency names them.")

    def passed(self) -> Passed:
        """Return how far it has come."""
        under_way, last = self._pass, self._last
        view = self._view()
        return Passed(
            number=self._number,
            began_at=None if under_way is None else under_way.report.as_of,
            compared=0 if under_way is None else under_way.report.checked,
            approvals=0 if view is None else len(view.approvals),
            last_ended_at=None if last is None else last[0],
            last_compared=0 if last is None else last[1],
        )

    def found(self) -> Report:
        """Return what is known: of a small register everything as it is now, of a large one what the passes have found.

        Raises:
            StatusStale, StoreUnavailable: a small register cannot be compared.
        """
        view = self._mirror.view()
        if len(view.approvals) <= AT_ONCE:
            return self._at_once()
        under_way, last = self._pass, self._last
        if last is not None:
            report = Report(as_of=last[0], checked=last[1], pending=last[2])
        elif under_way is not None:
            so_far = under_way.report
            report = Report(as_of=so_far.as_of, checked=so_far.checked, pending=so_far.pending)
        else:
            report = Report(self._mirror.now())
        report.disagreements += self.disagreements()
        return report

    def disagreements(self) -> list[DisagreementAnswer]:
        """Return what is known to disagree."""
        return [each for some in list(self._named.values()) for each in some]

    def _at_once(self) -> Report:
        for _ in range(_READ_ANEW):
            # The register before and after: if it did not change meanwhile, the snapshot in between must be the same.
            before = self._register()
            self._mirror.follow()
            view, now = self._mirror.view(), self._mirror.now()
            if self._register() == before:
                break
        return compare(before, view, now, self._mirror.past_answer)

    def _register(self) -> list[ApprovalRecord]:
        with self._store.read() as tx:
            return approval_reading.records(tx)

    # --- what is done --------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Compare a portion, or look again at what disagreed; while the register is silent, nothing."""
        began, self._ended = self._spent(), False
        view = self._view()
        if view is not None and not view.went_back:  # of a register that went back the alarm tells
            try:
                self._look_again()
                self._compare_portion()
            except StoreUnavailable:
                pass  # /readyz tells it
        self._cost = self._spent() - began

    def pause(self) -> float:
        """Return the seconds until the next step."""
        rest = min(PASS_SECONDS, AGAIN_SECONDS) if self._suspects else PASS_SECONDS
        return max(self._cost * _SHARE, rest if self._ended or self._view() is None else 0.0)

    def _view(self) -> Snapshot | None:
        try:
            return self._mirror.view()
        except StatusStale:
            return None

    def _compare_portion(self) -> None:
        under_way = self._pass or self._begin()
        with self._store.read() as tx:
            page = approval_reading.approval_list(tx, organisation_id=None, after=under_way.behind, limit=PORTION)
            register = approval_reading.records(tx, [each.identifier for each in page])
        view = self._mirror.view()
        report = Report(self._mirror.now())
        compare_approvals(report, register, view, under_way.lists, self._mirror.past_answer)
        under_way.report.checked += report.checked
        under_way.report.pending += report.pending
        under_way.seen.update(each.identifier for each in register)
        disagree = {each.approval for each in report.disagreements}
        for each in register:
            if each.identifier in disagree:
                self._suspect(_Of(each.identifier), each, report.as_of)
        if len(page) == PORTION:
            under_way.behind = page[-1].identifier
        else:
            self._end(under_way, view, report.as_of)

    def _begin(self) -> _Pass:
        view, now = self._mirror.view(), self._mirror.now()
        self._number += 1
        self._pass = _Pass(number=self._number, report=Report(now), lists=read_lists(view, now))
        return self._pass

    def _end(self, under_way: _Pass, view: Snapshot, now: datetime) -> None:
        for identifier in set(view.approvals) - under_way.seen:
            self._suspect(_Of(identifier), None, now)
        # The register's serials are the snapshot's, but for those that were compared and disagree.
        for serial in strangers(view, under_way.lists, view.serials):
            self._suspect(_Of(serial=serial), None, now)
        if under_way.lists.wrong:
            self._suspect(_Of(), None, now)
        self._last = (now, under_way.report.checked, under_way.report.pending)
        self._pass, self._ended = None, True

    def _suspect(self, subject: _Of, record: ApprovalRecord | None, now: datetime) -> None:
        if subject not in self._suspects and len(self._suspects) < MOST_NAMED:
            self._suspects[subject] = _Suspect(now, self._monotonic(), record)

    def _look_again(self) -> None:
        """Look again at what disagreed, and name what still does though the register has not changed."""
        due = [each for each, known in self._suspects.items() if self._monotonic() - known.looked >= AGAIN_SECONDS]
        if not due:
            return
        subjects = due[:PORTION]
        with self._store.read() as tx:
            named = [each.approval for each in subjects if each.approval is not None]
            register = {each.identifier: each for each in approval_reading.records(tx, named)}
            issued = approval_reading.ders(tx, [each.serial for each in subjects if each.serial is not None])
        view, now = self._mirror.view(), self._mirror.now()
        lists = read_lists(view, now, None if self._pass is None else self._pass.lists)
        on_lists = {serial for listed in lists.listed.values() for serial in listed.entries}
        for subject in subjects:
            record = None if subject.approval is None else register.get(subject.approval)
            found: Sequence[DisagreementAnswer] = ()
            if record is not None:
                report = Report(now)
                compare_approvals(report, [record], view, lists, self._mirror.past_answer)
                found = report.disagreements
            elif subject.approval is not None:
                found = [not_in_register(subject.approval)] if subject.approval in view.approvals else ()
            elif subject.serial is not None:
                strange = subject.serial in on_lists and subject.serial not in issued
                found = [never_issued(subject.serial)] if strange else ()
            else:
                found = lists.wrong
            self._judge(subject, record, found)

    def _judge(self, subject: _Of, record: ApprovalRecord | None, found: Sequence[DisagreementAnswer]) -> None:
        known = self._suspects.pop(subject)
        if not found:
            self._named.pop(subject, None)
            return
        same = known.as_it_was == record
        now = self._mirror.now()
        since = known.since if same else now
        # Behind the others, so that each has its turn.
        self._suspects[subject] = _Suspect(since, self._monotonic(), record)
        if same:
            self._named[subject] = tuple(replace(each, since=since) for each in found)
        else:
            self._named.pop(subject, None)
