"""reconcile: the Panel's list as it is, beside what it should show; nothing changes but what is known of it.

Values in a valid format but wrong were once accepted and published. So every entry of ours is compared field by field
with what `core.cpl.wanted` says at this moment, and each difference is told with what the list has and should have.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from core.actors import Actor
from core.approval import DEVICE_COLUMNS, ApprovalRecord
from core.canonical import Json
from core.clauses import serves
from core.cpl import TRIAL_MARKER, Entry, Remark, firmware_key, wanted
from core.days import DayOrder
from core.errors import BodyTooLarge, IdentifierMalformed
from core.facts import Fact, FactKind
from core.identifiers import ApprovalIdentifier
from core.local_time import utc
from core.status import State, approval_status
from core.waiting import planned_expiry
from intake.cpl_list import COLUMNS, LIST_LIMIT, ListedEntry, ProductsList, read_list
from policy.roles import Operation
from ra.access import authorise
from ra.bounds import require_act
from ra.desk import Desk
from ra.telling.marked import marked
from ra.telling.views import (
    DifferenceAnswer,
    EntryAnswer,
    GoneAnswer,
    MissingAnswer,
    Reconciled,
    UnknownAnswer,
    WrongAnswer,
)
from store.reading import approvals as approval_reading
from store.reading import cpl as reading
from store.transactions import Transaction
from store.verbs import facts

LARGEST_LIST = LIST_LIMIT
"""Octets of a list that is taken in."""

_Key = tuple[str, str]
"""An entry: the approval's identifier and the firmware's key."""


@serves("F2.27", "F2.29", "F2.31")
def reconcile(desk: Desk, actor: Actor, octets: bytes, order: DayOrder = DayOrder.UNKNOWN) -> Reconciled:
    """Compare a list with what it should show now; the arguments and what it raises are those of `reconcile_marked`."""
    told, _ = _reconciled(desk, actor, octets, order)
    return told


@serves("F2.27", "F2.29", "F2.31")
def reconcile_marked(
    desk: Desk, actor: Actor, octets: bytes, order: DayOrder = DayOrder.UNKNOWN
) -> tuple[Reconciled, bytes]:
    """Compare a list with what it should show now, and return it marked as a workbook, too.

    Args:
        desk: where; its rules say what the columns may be called.
        actor: who.
        octets: the list, CSV or XLSX; its content says which.
        order: what the sender says of dates in numbers.

    Raises:
        BodyTooLarge, ListTooLong, WorkbookTooLarge: larger than is read.
        ListUnreadable, WorkbookRefused: not a list.
    """
    told, listed = _reconciled(desk, actor, octets, order)
    return told, marked(listed, told)


def _reconciled(desk: Desk, actor: Actor, octets: bytes, order: DayOrder) -> tuple[Reconciled, ProductsList]:
    authorise(actor, Operation.RECONCILE_CPL)
    if len(octets) > LARGEST_LIST:
        raise BodyTooLarge(limit=LARGEST_LIST)
    at = desk.clock.now()
    listed = read_list(octets, desk.rules.list_columns, order)
    with desk.store.read() as tx:
        compared = _Comparison(tx, listed, at)
    told = Reconciled(
        as_of=at,
        form=listed.form,
        sha256=hashlib.sha256(octets).hexdigest(),
        lines=listed.lines,
        missing=tuple(compared.missing),
        wrong=tuple(compared.wrong),
        gone=tuple(compared.gone),
        unknown=tuple(compared.unknown),
        unreadable=listed.unreadable,
        remarks=(*listed.remarks, *compared.remarks),
        not_compared=tuple(sorted(set(COLUMNS) - listed.fields)),
    )
    with desk.store.begin("reconcile cpl") as tx:
        require_act(tx, desk.rules.bounds, actor, at=at)
        payload: dict[str, Json] = {
            "form": told.form,
            "sha256": told.sha256,
            "lines": told.lines,
            "missing": len(told.missing),
            "wrong": len(told.wrong),
            "gone": len(told.gone),
            "unknown": len(told.unknown),
            "unreadable": len(told.unreadable),
        }
        facts.record(tx, Fact(FactKind.CPL_RECONCILED, at, actor, payload=payload))
    return told, listed


def _differ(value: DifferenceAnswer) -> bool:
    return value.has.casefold() != value.should.casefold()


class _Comparison:
    """A list and the register at one instant."""

    def __init__(self, tx: Transaction, listed: ProductsList, at: datetime) -> None:
        self.missing: list[MissingAnswer] = []
        self.wrong: list[WrongAnswer] = []
        self.gone: list[GoneAnswer] = []
        self.unknown: list[UnknownAnswer] = []
        self.remarks: list[Remark] = []
        self._tx, self._at, self._fields = tx, at, listed.fields
        self._records = {each.identifier: each for each in approval_reading.records(tx)}
        waiting = reading.additions_that_wait(tx)
        self._wanted: dict[_Key, Entry] = {
            (record.identifier, key): entry
            for record in self._records.values()
            for key, entry in wanted(record, at, waits=record.identifier in waiting).items()
        }
        # A list of everybody's products is long: only entries of the same firmware are compared with a line.
        self._by_firmware: dict[str, list[Entry]] = defaultdict(list)
        for (_, firmware), entry in self._wanted.items():
            self._by_firmware[firmware].append(entry)
        self._past: dict[str, list[Entry]] = defaultdict(list)
        for record in reversed(self._records.values()):  # the latest first
            for key, entry in _ever(record).items():
                if (record.identifier, key) not in self._wanted:
                    self._past[key].append(entry)
        self._on_line: dict[_Key, int] = {}
        for line in listed.entries:
            if line.trial:
                self._trial(line)
        for line in listed.entries:
            if not line.trial:
                self._ordinary(line)
        for line in listed.unread:
            self._unread(line)
        self._absent()

    def _trial(self, listed: ListedEntry) -> None:
        identifier = _identifier(listed.approval)
        record = self._records.get(identifier or "")
        if record is None:
            meant, past = self._by_device(listed), self._by_device(listed, self._past)
            if meant is not None:
                self._compare(listed, meant)
            elif past is not None:
                self.gone.append(self._gone(listed, self._records[past.approval]))
            else:
                self.unknown.append(_unknown(listed))
            return
        key = (record.identifier, firmware_key(listed.firmware_version))
        if key in self._wanted:
            self._compare(listed, self._wanted[key])
        else:
            self.gone.append(self._gone(listed, record))

    def _ordinary(self, listed: ListedEntry) -> None:
        """A line without marker and identifier that is about a device of ours, in whatever state its approval is.

        Where the NCSC has certified the model after the end, it is the ordinary product's.
        """
        meant = self._by_device(listed)
        if meant is not None:
            if (meant.approval, meant.key) not in self._on_line:
                self._compare(listed, meant)
            return
        past = self._by_device(listed, self._past)
        if past is not None and reading.ncsc_certificate(self._tx, past.approval) is None:
            self.gone.append(self._gone(listed, self._records[past.approval]))

    def _unread(self, listed: ListedEntry) -> None:
        """A line that cannot be read stands there all the same: what it is about is not missing."""
        key = (_identifier(listed.approval) or "", firmware_key(listed.firmware_version))
        meant = self._wanted.get(key) or self._by_device(listed)
        if meant is not None:
            self._on_line.setdefault((meant.approval, meant.key), listed.line)

    def _by_device(self, listed: ListedEntry, among: Mapping[str, Sequence[Entry]] | None = None) -> Entry | None:
        """The entry that a line is about by its device and firmware, of what is wanted now or another table."""
        table = self._by_firmware if among is None else among
        fitting = (
            entry
            for entry in table.get(firmware_key(listed.firmware_version), ())
            if not any(_differ(each) for each in self._device_fields(listed, entry))
        )
        return next(fitting, None)

    def _compare(self, listed: ListedEntry, entry: Entry) -> None:
        key = (entry.approval, entry.key)
        if key in self._on_line:
            said = f"The same entry stands on line {self._on_line[key]} already."
            self.remarks.append(Remark(listed.line, "", said))
        self._on_line.setdefault(key, listed.line)
        differences = tuple(each for each in self._all_fields(listed, entry) if _differ(each))
        if differences:
            version = entry.firmware.version
            self.wrong.append(
                WrongAnswer(line=listed.line, approval=entry.approval, firmware_version=version, fields=differences)
            )

    def _all_fields(self, listed: ListedEntry, entry: Entry) -> list[DifferenceAnswer]:
        expiry = listed.expiry.isoformat() if listed.expiry else ""
        fields = [
            DifferenceAnswer(
                field="approval", has=_identifier(listed.approval) or listed.approval, should=entry.approval
            ),
            DifferenceAnswer(field="trial", has=TRIAL_MARKER if listed.marked else "", should=TRIAL_MARKER),
            DifferenceAnswer(field="expiry", has=expiry, should=entry.expiry.date().isoformat()),
            *self._device_fields(listed, entry),
        ]
        if listed.image_sha256 is not None:
            fields.append(
                DifferenceAnswer(field="image_sha256", has=listed.image_sha256, should=entry.firmware.image_digest)
            )
        return fields

    def _device_fields(self, listed: ListedEntry, entry: Entry) -> list[DifferenceAnswer]:
        is_, should = listed.device.listed(), entry.device.listed()
        return [
            DifferenceAnswer(field=column, has=is_[column], should=should[column])
            for column in DEVICE_COLUMNS
            if column in self._fields
        ]

    def _gone(self, listed: ListedEntry, record: ApprovalRecord) -> GoneAnswer:
        status = approval_status(record, self._at)
        why = f"Firmware {listed.firmware_version} is not among the versions that are approved now."
        match status.state:
            case State.NOT_YET_STARTED:
                why = f"The trial has not begun; it begins at {utc(record.start)}."
            case State.CANCELLED | State.WITHDRAWN:
                done = "revoked" if status.state is State.CANCELLED else "withdrawn"
                if record.ended_at is not None:
                    why = f"The approval was {done} at {utc(record.ended_at)}."
                elif self._at < record.start:  # its certificate was cancelled for its key, and the approval stands
                    why = f"The trial has not begun; it begins at {utc(record.start)}."
            case State.EXPIRED:
                why = f"The approval expired at {utc(planned_expiry(record))}."
            case State.ACTIVE | State.UNKNOWN:
                pass
            case _:
                assert_never(status.state)
        ended = status.state not in (State.NOT_YET_STARTED, State.ACTIVE)
        if ended and reading.ncsc_certificate(self._tx, record.identifier) is not None:
            why += " The NCSC has certified the model: the trial marker is to be replaced."
        return GoneAnswer(
            line=listed.line,
            approval=record.identifier,
            firmware_version=listed.firmware_version,
            sentence=why,
        )

    def _absent(self) -> None:
        for (approval, key), entry in sorted(self._wanted.items(), key=lambda each: each[0]):
            if (approval, key) in self._on_line:
                continue
            told = [each for each in reading.instructions_of(self._tx, approval) if each.entry.key == key]
            newest = told[-1] if told else None
            self.missing.append(
                MissingAnswer(
                    **vars(EntryAnswer.of(replace(entry, smets_version=reading.smets_version_of(self._tx, approval)))),
                    instruction=newest.id if newest else None,
                    instruction_state=newest.state if newest else None,
                    due=newest.due if newest else None,
                )
            )


def _ever(record: ApprovalRecord) -> dict[str, Entry]:
    """Each entry that an approval ever named, by firmware."""
    entries = (
        Entry(approval=record.identifier, device=record.device, firmware=each, expiry=terms.expiry)
        for terms in record.terms
        for each in terms.firmware
    )
    return {each.key: each for each in entries}


def _identifier(said: str) -> str | None:
    try:
        return str(ApprovalIdentifier.parse(said))
    except IdentifierMalformed:
        return None


def _unknown(listed: ListedEntry) -> UnknownAnswer:
    return UnknownAnswer(
        line=listed.line,
        approval=listed.approval,
        **listed.device.listed(),
        firmware_version=listed.firmware_version,
    )
