"""The Central Products List: what it must show of an approval, and what the Panel must be told so that it does.

Two pure functions. `wanted` says what the list must show at an instant (F2.27). `steps` compares that, now and at every
later instant that is known, with what was instructed so far, and gives the fewest instructions that make them agree
(F2.29, F2.31). An entry is one approval and one firmware version: the list has a line for each version of a model.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeAlias, assert_never

from core.approval import ApprovalRecord, CertificateRecord, Device, EndCause, Firmware, Terms, device_listed
from core.canonical import Json
from core.clauses import serves
from core.instants import parse, text
from core.local_time import overdue_before
from core.status import certificate_end, first_second_after, open_at

TRIAL_MARKER = "Trial Device"
"""What the list shows beside each entry of ours (F2.27)."""


class Kind(StrEnum):
    """What the Panel is told to do."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    REPLACE_MARKER = "replace-marker"


class InstructionState(StrEnum):
    """Told, loaded or rejected by the Panel, or overtaken by a later instruction. Loaded is final."""

    PENDING = "pending"
    LOADED = "loaded"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


OPEN_INSTRUCTION = (InstructionState.PENDING, InstructionState.REJECTED)
"""The Panel has still to load it."""

ANSWERED_INSTRUCTION = (InstructionState.LOADED, InstructionState.REJECTED)
"""The Panel has said what became of it."""


@dataclass(frozen=True)
class Entry:
    """One line of the list.

    Args:
        approval: the identifier that the list must show (F2.27).
        device: the device model.
        firmware: one approved version.
        expiry: the last second in which the entry holds (F2.27).
        smets_version: as the application says; empty if it is not known.
    """

    approval: str
    device: Device
    firmware: Firmware
    expiry: datetime
    smets_version: str = ""

    @property
    def key(self) -> str:
        """What tells the entries of an approval apart: the firmware version, compared without case."""
        return firmware_key(self.firmware.version)

    def kept(self) -> dict[str, Json]:
        """Return the entry as the register keeps it and as the Panel is shown it."""
        return {
            "approval": self.approval,
            "trial": TRIAL_MARKER,
            "expiry": text(self.expiry),
            **self.device.listed(),
            "firmware_version": self.firmware.version,
            "image_sha256": self.firmware.image_digest,
            "smets_version": self.smets_version,
        }


def entry_of(kept: Mapping[str, Any]) -> Entry:
    """Return an entry from `kept`."""
    return Entry(
        approval=kept["approval"],
        device=device_listed(kept),
        firmware=Firmware(kept["firmware_version"], kept["image_sha256"]),
        expiry=parse(kept["expiry"]),
        smets_version=kept["smets_version"],
    )


@dataclass(frozen=True)
class Instruction:
    """What the Panel was told about one entry.

    Args:
        id: the identifiers of one approval's instructions grow in the order in which they were given.
        kind: what to do.
        entry: as it must be (add, change), or as it was (remove, replace-marker).
        due: when the list must show it.
        state: what became of it.
        instructed_at: when the Panel was told.
        acknowledged_at: when the Panel said that it is loaded, or rejected it.
    """

    id: str
    kind: Kind
    entry: Entry
    due: datetime
    state: InstructionState
    instructed_at: datetime
    acknowledged_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether the Panel still owes it: a rejected one is still to be done."""
        return self.state in OPEN_INSTRUCTION

    @property
    def shown(self) -> Entry | None:
        """What the list shows of the trial once it is done."""
        return self.entry if self.kind in (Kind.ADD, Kind.CHANGE) else None

    @property
    def order(self) -> tuple[datetime, str]:
        """Its place among the instructions for its entry: when it takes effect, then as it was given."""
        if self.state is InstructionState.LOADED and self.acknowledged_at is not None:
            return min(self.due, self.acknowledged_at), self.id
        return self.due, self.id

    def overdue(self, at: datetime) -> bool:
        """Return whether its UK working day is over and it was not done, as far as the Panel has said."""
        return self.open and self.due < overdue_before(at)

    @property
    def early(self) -> bool:
        """Whether the Panel said that the list shows it before it was due."""
        done = self.acknowledged_at if self.state is InstructionState.LOADED else None
        return done is not None and done < self.due


@dataclass(frozen=True)
class Instruct:
    """A step: tell the Panel."""

    kind: Kind
    entry: Entry
    due: datetime


@dataclass(frozen=True)
class Supersede:
    """A step: an instruction that is not to be done any more."""

    instruction: Instruction


Step: TypeAlias = Instruct | Supersede


def firmware_key(version: str) -> str:
    """Return the form in which firmware versions are compared: without case, never as numbers."""
    return version.casefold()


@serves("F2.27", "F2.31")
def wanted(record: ApprovalRecord, at: datetime, *, smets_version: str = "", waits: bool = False) -> dict[str, Entry]:
    """Return what the list must show of an approval at `at`, by firmware key.

    Its entries from the start date on, as the latest issue in force says them; nothing before a certificate is
    recorded, and nothing once the approval has been ended or has expired. A compromised key is no end of an approval:
    the certificate is cancelled, and the entry stays while a new key is certified.

    Args:
        record: the approval.
        at: the instant.
        smets_version: of the device, if it is known.
        waits: whether the SSC lets the addition wait for a valid certificate: before the first that holds, nothing.
    """
    if waits and _holds_from(record) > at:
        return {}
    ended = record.ended_at is not None and record.ended_at <= at
    terms = _in_force(record, at)
    if ended or terms is None or at < record.start or at > terms.expiry:
        return {}
    entries = (
        Entry(
            approval=record.identifier,
            device=record.device,
            firmware=each,
            expiry=terms.expiry,
            smets_version=smets_version,
        )
        for each in terms.firmware
    )
    return {each.key: each for each in entries}


@serves("F2.27", "F2.29", "F2.31")
def steps(
    record: ApprovalRecord,
    instructed: Sequence[Instruction],
    at: datetime,
    ncsc: bool,  # noqa: FBT001 - the fourth fact that the answer depends on, named by every caller
    *,
    smets_version: str = "",
    waits: bool = False,
) -> list[Step]:
    """Return the fewest steps that make what was instructed lead to what is wanted, now and later.

    Whoever does every instruction that is not superseded, in order, has a list that shows what `wanted` says at each
    instant: (1) what has been loaded stands; (2) what is pending and due may have been loaded unseen; (3) what is
    pending and not due has not; (4) what was rejected has not, and is still owed. Taking the steps and asking again
    gives none. An expiry is no instant known beforehand: it can still be amended, and the marker replaced.

    Args:
        record: the approval.
        instructed: everything that the Panel was told about it, in any order, superseded ones among them.
        at: now.
        ncsc: whether the NCSC has certified the model meanwhile (F2.31).
        smets_version: as in `wanted`.
        waits: as in `wanted`.
    """
    # Whoever asks read the clock before the register: an end of the same moment may carry a second not reached yet.
    now = at if record.ended_at is None else max(at, record.ended_at)
    timeline = _Timeline(record, now, lambda turn: wanted(record, turn, smets_version=smets_version, waits=waits))
    living = sorted(
        (each for each in instructed if each.state is not InstructionState.SUPERSEDED), key=lambda each: each.order
    )
    keys = {each.entry.key for each in living} | timeline.keys
    return [
        step
        for key in sorted(keys)
        for step in _steps_for(key, timeline, [each for each in living if each.entry.key == key], ncsc=ncsc)
    ]


@serves("F2.26", "F2.27")
def certificate_awaited(record: ApprovalRecord, at: datetime, *, due: datetime | None = None) -> bool:
    """Return whether an entry would be added without a valid certificate: what was issued was cancelled for its key.

    Nobody can take a device whose certificate does not hold for one that is covered, and the Panel is to add its entry
    on the start date all the same: the officers are asked. Once a certificate has held, the entry stays, whatever
    becomes of that certificate.

    Args:
        record: the approval.
        at: now.
        due: when the entry is to be added; None is the start date.
    """
    added = max(due or record.start, at)
    return bool(record.certificates) and open_at(record, at) and _holds_from(record) > added


def _holds_from(record: ApprovalRecord) -> datetime:
    """The first instant at which a certificate holds, has held or will; the end of time if none does."""
    taken = ((_takes_over(each), certificate_end(each).at) for each in record.certificates)
    return min((begins for begins, ends in taken if begins < ends), default=datetime.max.replace(tzinfo=UTC))


# --- what is wanted when -----------------------------------------------------------------------------------------


def _takes_over(certificate: CertificateRecord) -> datetime:
    # Signed late, an issue takes over from the instant at which it was recorded, as its certificate does.
    return max(certificate.not_before, certificate.signed_at)


def _taking_over(record: ApprovalRecord) -> Iterator[CertificateRecord]:
    """The issues that take over, each in its turn: a change that was withdrawn before it began never does."""
    return (each for each in record.certificates if each.cause is not EndCause.CHANGE_WITHDRAWN)


def _in_force(record: ApprovalRecord, at: datetime) -> Terms | None:
    """The terms of the latest issue that has taken over; None before any has."""
    issue = max((each.issue for each in _taking_over(record) if _takes_over(each) <= at), default=None)
    return next((each for each in record.terms if each.issue == issue), None)


class _Timeline:
    """What is wanted of one approval: now, since when, and how it changes later."""

    def __init__(
        self, record: ApprovalRecord, now: datetime, wanted_at: Callable[[datetime], dict[str, Entry]]
    ) -> None:
        self.now = now
        turns = {record.start, *(_takes_over(each) for each in _taking_over(record))}
        self._later = [now, *sorted(turn for turn in turns if turn > now)]
        end = _end(record, now)
        passed = sorted({turn for turn in turns if turn <= now} | ({end} if end is not None else set()))
        self._passed = passed or [now]
        shown = {turn: wanted_at(turn) for turn in {*self._later, *self._passed}}
        self._wanted = shown
        self.keys = {key for entries in shown.values() for key in entries}
        self.ended = end is not None
        closing = _in_force(record, now if end is None else end)
        self.closing_keys = {firmware_key(each.version) for each in closing.firmware} if closing else set()

    def target(self, key: str) -> Entry | None:
        """What is wanted now."""
        return self._wanted[self.now].get(key)

    def since(self, key: str) -> datetime:
        """The instant from which on what is wanted now has been wanted without a change."""
        found = self._passed[-1]
        for turn in reversed(self._passed):
            if self._wanted[turn].get(key) != self.target(key):
                break
            found = turn
        return found

    def planned(self, key: str) -> Iterator[Instruct]:
        """What must be done later, as far as is known."""
        for earlier, turn in pairwise(self._later):
            before, after = self._wanted[earlier].get(key), self._wanted[turn].get(key)
            if after is not None and after != before:
                yield Instruct(Kind.ADD if before is None else Kind.CHANGE, after, turn)
            elif before is not None and after is None:
                yield Instruct(Kind.REMOVE, before, turn)


def _end(record: ApprovalRecord, now: datetime) -> datetime | None:
    """The first second in which the approval no longer holds; None if that has not come."""
    terms = _in_force(record, now)
    expired = first_second_after(terms.expiry) if terms is not None else None
    ends = [each for each in (record.ended_at, expired) if each is not None and each <= now]
    return min(ends, default=None)


# --- what is to be done ------------------------------------------------------------------------------------------


def _steps_for(key: str, timeline: _Timeline, living: Sequence[Instruction], *, ncsc: bool) -> Iterator[Step]:
    planned = list(timeline.planned(key))
    done = [each for each in living if each.due <= timeline.now]
    for each in living:
        if each.due <= timeline.now:
            continue
        step = Instruct(each.kind, each.entry, each.due)
        if step in planned:
            planned.remove(step)
        elif each.open:
            yield Supersede(each)
        else:
            done.append(each)  # the Panel was early, and what it did is no longer what was to come
    yield from _now(key, timeline, sorted(done, key=lambda each: each.order), ncsc=ncsc)
    yield from planned


def _now(key: str, timeline: _Timeline, done: Sequence[Instruction], *, ncsc: bool) -> Iterator[Step]:
    target = timeline.target(key)
    replace = timeline.ended and ncsc and key in timeline.closing_keys
    last = done[-1] if done else None
    if (last.shown if last else None) == target:
        # Loaded late, after what was to follow it, it would undo that.
        yield from (Supersede(each) for each in done[:-1] if each.open and (each.shown is None) != (target is None))
        if last is not None and last.open and last.kind is Kind.REMOVE and replace:
            # The NCSC's certificate came to light after the end: the entry stays, as an ordinary one.
            yield Supersede(last)
            yield Instruct(Kind.REPLACE_MARKER, last.entry, timeline.now)
        return
    since = timeline.since(key)
    due = since if last is None else max(since, last.order[0])
    if target is None:
        yield from _gone(done, Kind.REPLACE_MARKER if replace else Kind.REMOVE, due)
    else:
        yield from _shown(done, target, due)


def _gone(done: Sequence[Instruction], kind: Kind, due: datetime) -> Iterator[Step]:
    """The entry is not wanted any more: nothing open is to be done, and what may be there must go."""
    there: Entry | None = None
    for each in done:
        match each.state:
            case InstructionState.LOADED:
                there = each.shown
            case InstructionState.PENDING:
                there = each.shown or there
            case InstructionState.REJECTED | InstructionState.SUPERSEDED:
                pass
            case _:
                assert_never(each.state)
    yield from (Supersede(each) for each in done if each.open)
    if there is not None:
        yield Instruct(kind, there, due)


def _shown(done: Sequence[Instruction], target: Entry, due: datetime) -> Iterator[Step]:
    """The entry must be there, and read so: what is open and says otherwise is taken back."""
    taken_back = [each for each in done if each.open and _contradicts(each)]
    yield from (Supersede(each) for each in taken_back)
    rest = [each for each in done if each not in taken_back]
    there = rest[-1].shown if rest else None
    # A removal that was pending may have been loaded unseen, so the entry is given whole again.
    unseen = any(each.state is InstructionState.PENDING for each in taken_back)
    if unseen or there is None:
        yield Instruct(Kind.ADD, target, due)
    elif there != target:
        yield Instruct(Kind.CHANGE, target, due)


def _contradicts(open_one: Instruction) -> bool:
    return open_one.shown is None or open_one.state is InstructionState.REJECTED


@dataclass(frozen=True)
class Remark:
    """What is to be said of a line of the Panel's list.

    Args:
        line: its number, from 1, as an editor or a spreadsheet counts.
        column: the header of the column; empty if it is the line as a whole.
        sentence: for people.
    """

    line: int
    column: str
    sentence: str
