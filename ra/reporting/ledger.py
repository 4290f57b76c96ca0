"""What a line of a report does to what is known of its device: a pure fold over stints (F2.28 (d) to (f)).

Every line that is recorded leaves a trace for ever, so the same line sent again is recognised and changes nothing,
whatever was corrected or taken out in the meantime. A line that could not be recorded is tried again after the others
of its device, so their order in the file does not matter; when nothing more can be recorded, the same lines sent again
find exactly that state.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from core.deployments import Event, Line, LineCode, Outcome, Stint, UndoneEnd, Verdict, sentence
from core.instants import last_second, text
from ra.reporting.catalogue import Catalogue, Misfit

MOST_TURNS = 16
"""How often the lines of one device are gone through; each turn but the last records something."""

_DEPENDS_ON_OTHERS = frozenset(
    {
        LineCode.DEPLOYED_ELSEWHERE,
        LineCode.ALREADY_DEPLOYED,
        LineCode.OVERLAPS,
        LineCode.NEVER_DEPLOYED,
        LineCode.NO_LONGER_DEPLOYED,
        LineCode.BEFORE_DEPLOYED,
        LineCode.NOTHING_TO_CORRECT,
        LineCode.NOTHING_TO_TAKE_BACK,
        LineCode.APPROVAL_DIFFERS,
        LineCode.OUTSIDE_APPROVALS,
        LineCode.DEVICE_AMBIGUOUS,
    }
)
"""Refusals that another line may lift."""


class Ledger:
    """The stints of some devices, and what lines do to them.

    Args:
        catalogue: the approvals.
        stints: everything the register knows of the devices, corrected stints included.
        at: the present instant.
    """

    def __init__(self, catalogue: Catalogue, stints: Iterable[Stint], at: datetime) -> None:
        self._catalogue = catalogue
        self._at = at
        self._stints: defaultdict[str, list[Stint]] = defaultdict(list)
        for stint in stints:
            self._stints[stint.device_id].append(stint)
        self._events: Mapping[Event, Callable[[Line], Verdict]] = {
            Event.DEPLOYED: self._deployed,
            Event.DECOMMISSIONED: self._decommissioned,
            Event.REPLACED: self._replaced,
            Event.CORRECTED: self._corrected,
            Event.NOT_DECOMMISSIONED: self._not_decommissioned,
        }

    def take(self, lines: Sequence[Line]) -> list[Verdict]:
        """Take the lines that concern some devices and no others, in the order of what happened.

        Args:
            lines: of these devices; in any order.
        """
        found: dict[int, Verdict] = {}
        waiting = sorted(lines, key=_place)
        for _ in range(MOST_TURNS):
            for line in waiting:
                found[line.number] = self._take(line)
            recorded = any(found[line.number].outcome is Outcome.RECORDED for line in waiting)
            waiting = [line for line in waiting if found[line.number].code in _DEPENDS_ON_OTHERS]
            if not recorded or not waiting:
                break
        return list(found.values())

    def changes(self) -> tuple[list[Stint], list[Stint]]:
        """Return the stints that are new and those whose fate has changed, in order of device."""
        every = [stint for _, stints in sorted(self._stints.items()) for stint in stints]
        return [each for each in every if each.id is None], [each for each in every if each.id and each.changed]

    # --- events --------------------------------------------------------------------------------------------------

    def _take(self, line: Line) -> Verdict:
        if self._catalogue.counted_with_hub(line):
            return _verdict(line, Outcome.IGNORED, LineCode.COUNTED_WITH_HUB, "type")
        if line.on > self._at:
            return _verdict(line, Outcome.REFUSED, LineCode.INSTANT_IN_FUTURE, "on")
        return self._events[line.event](line)

    def _deployed(self, line: Line) -> Verdict:
        candidates = self._catalogue.candidates(line)
        if isinstance(candidates, Misfit):
            return _misfit(line, candidates)
        known = self._known_deployment(line, candidates)
        if known is not None:
            return known
        chosen = self._catalogue.narrowed(candidates, line)
        if isinstance(chosen, Misfit):
            return _misfit(line, chosen)
        return self._begin(line, line.device_id, chosen, line.on, "device_id")

    def _known_deployment(self, line: Line, candidates: Sequence[str]) -> Verdict | None:
        """A deployment that has been reported before, whatever became of it."""
        corrected = None
        for stint in self._stints[line.device_id]:
            if stint.approval not in candidates:
                continue
            alike = stint.firmware.casefold() == line.firmware.casefold()
            if stint.void_reason is not None:
                if alike and line.names(stint.deployed_at):
                    corrected = stint
            elif (alike and line.names(stint.deployed_at)) or _seen_within(line, stint):
                return _verdict(line, Outcome.KNOWN, approval=stint.approval)
        if corrected is None:
            return None
        return _verdict(line, Outcome.KNOWN, LineCode.WAS_CORRECTED, approval=corrected.approval)

    def _begin(self, line: Line, device_id: str, approval: str, on: datetime, column: str) -> Verdict:
        against = self._catalogue.against_period(approval, on) or self._against_stints(device_id, approval, on, column)
        if against is not None:
            return _misfit(line, against)
        if not line.firmware and line.seen is None and self._catalogue.needs_firmware(approval):
            return _verdict(line, Outcome.REFUSED, LineCode.FIRMWARE_MISSING, "firmware_version", approval)
        self._stints[device_id].append(
            Stint(id=None, device_id=device_id, approval=approval, firmware=line.firmware, deployed_at=on)
        )
        if line.firmware and not self._catalogue.approves_firmware(approval, line.firmware, on):
            return _verdict(line, Outcome.RECORDED, LineCode.FIRMWARE_NOT_APPROVED, "firmware_version", approval)
        return _verdict(line, Outcome.RECORDED, approval=approval)

    def _against_stints(self, device_id: str, approval: str, on: datetime, column: str) -> Misfit | None:
        for stint in self._stints[device_id]:
            held = {"approval": stint.approval, "since": text(stint.deployed_at)}
            if stint.open:
                same = stint.approval == approval
                return Misfit(LineCode.ALREADY_DEPLOYED if same else LineCode.DEPLOYED_ELSEWHERE, column, held)
            until = stint.decommissioned_at
            if stint.void_reason is None and until is not None and until > on:
                return Misfit(LineCode.OVERLAPS, column, {**held, "until": text(until)})
        return None

    def _decommissioned(self, line: Line) -> Verdict:
        taken_back = self._taken_back(line)
        if taken_back is not None:
            return taken_back
        for stint in self._standing(line):
            ended = stint.decommissioned_at
            # An inventory says only that the device is out; where it is, that is known.
            again = line.seen is not None and self._open(line.device_id) is None
            if ended is not None and (again or line.names(ended)):
                return _verdict(line, Outcome.KNOWN, approval=stint.approval)
        ending = self._ending(line)
        if isinstance(ending, Misfit):
            return _misfit(line, ending)
        stint, stint.decommissioned_at = ending
        stint.changed = True
        return _verdict(line, Outcome.RECORDED, approval=stint.approval)

    def _replaced(self, line: Line) -> Verdict:
        taken_back = self._taken_back(line)
        if taken_back is not None:
            return taken_back
        for stint in self._standing(line):
            ended = stint.decommissioned_at
            if stint.replaced_by == line.by and ended is not None and line.names(ended):
                return _verdict(line, Outcome.KNOWN, approval=stint.approval)
        ending = self._ending(line)
        if isinstance(ending, Misfit):
            return _misfit(line, ending)
        stint, when = ending
        begun = self._begin(line, line.by, stint.approval, when, "by")
        if begun.outcome is Outcome.RECORDED:
            stint.decommissioned_at, stint.replaced_by, stint.changed = when, line.by, True
        return begun

    def _taken_back(self, line: Line) -> Verdict | None:
        """An end that was recorded before and that a correction has taken back, alone or with its deployment."""
        for stint in self._stints[line.device_id]:
            ends = [(each.at, each.by) for each in stint.undone]
            if stint.void_reason is not None and stint.decommissioned_at is not None:
                ends.append((stint.decommissioned_at, stint.replaced_by))
            fits = any(line.names(at) and line.by in ("", by) for at, by in ends)
            if fits and self._meant(line, stint):
                return _verdict(line, Outcome.KNOWN, LineCode.WAS_CORRECTED, "on", stint.approval)
        return None

    def _ending(self, line: Line) -> tuple[Stint, datetime] | Misfit:
        """The stint that ends by a line and its last instant, or why none does."""
        stint = self._open(line.device_id)
        if stint is None:
            return self._absent(line)
        if not self._meant(line, stint):
            return Misfit(LineCode.APPROVAL_DIFFERS, "approval", {"approval": stint.approval})
        # A day on which a device was both deployed and taken out is said by its first second.
        when = max(line.on, stint.deployed_at) if line.names(stint.deployed_at) else line.on
        if when < stint.deployed_at:
            return Misfit(LineCode.BEFORE_DEPLOYED, "on", {"since": text(stint.deployed_at)})
        return stint, when

    def _absent(self, line: Line) -> Misfit:
        candidates = self._catalogue.candidates(line) if line.model is not None or line.approval is not None else ()
        if isinstance(candidates, Misfit):
            return candidates
        ends = [
            stint.decommissioned_at
            for stint in self._stints[line.device_id]
            if stint.void_reason is None and stint.decommissioned_at is not None
        ]
        if ends:
            return Misfit(LineCode.NO_LONGER_DEPLOYED, "device_id", {"until": text(max(ends))})
        return Misfit(LineCode.NEVER_DEPLOYED, "device_id", {})

    def _corrected(self, line: Line) -> Verdict:
        found = [each for each in self._stints[line.device_id] if self._meant(line, each)]
        for stint in found:
            if stint.void_reason == line.why and line.names(stint.deployed_at):
                return _verdict(line, Outcome.KNOWN, approval=stint.approval)
        # One that stands before one that is over: whoever means the other names its approval.
        for stint in sorted(found, key=lambda each: not each.open):
            if stint.void_reason is None and line.names(stint.deployed_at):
                stint.void_reason, stint.changed = line.why, True
                return _verdict(line, Outcome.RECORDED, approval=stint.approval)
        return _verdict(line, Outcome.REFUSED, LineCode.NOTHING_TO_CORRECT, "on")

    def _not_decommissioned(self, line: Line) -> Verdict:
        """The device was never taken out at that instant: it has been deployed all the time."""
        found = [each for each in self._stints[line.device_id] if self._meant(line, each)]
        for stint in found:
            if any(each.why == line.why and line.names(each.at) for each in stint.undone):
                return _verdict(line, Outcome.KNOWN, approval=stint.approval)
        for stint in found:
            ended = stint.decommissioned_at
            if stint.void_reason is None and ended is not None and line.names(ended):
                other = self._after(stint, ended)
                if other is not None:
                    return _misfit(line, other)
                stint.undone = (*stint.undone, UndoneEnd(ended, stint.replaced_by, line.why))
                stint.decommissioned_at, stint.replaced_by, stint.changed = None, None, True
                return _verdict(line, Outcome.RECORDED, approval=stint.approval)
        return _verdict(line, Outcome.REFUSED, LineCode.NOTHING_TO_TAKE_BACK, "on")

    def _after(self, stint: Stint, ended: datetime) -> Misfit | None:
        """Why a stint cannot go on beyond its end: the device has been deployed again since."""
        for other in self._stints[stint.device_id]:
            if other is stint or other.void_reason is not None or other.deployed_at < ended:
                continue
            held = {"approval": other.approval, "since": text(other.deployed_at)}
            if other.decommissioned_at is None:
                return Misfit(LineCode.DEPLOYED_ELSEWHERE, "on", held)
            return Misfit(LineCode.OVERLAPS, "on", {**held, "until": text(other.decommissioned_at)})
        return None

    # --- what is known -------------------------------------------------------------------------------------------

    def _open(self, device_id: str) -> Stint | None:
        return next((stint for stint in self._stints[device_id] if stint.open), None)

    def _standing(self, line: Line) -> list[Stint]:
        every = self._stints[line.device_id]
        return [each for each in every if each.void_reason is None and self._meant(line, each)]

    def _meant(self, line: Line, stint: Stint) -> bool:
        """Whether a line can be about a stint: what it names of approval and model fits."""
        if line.approval is not None and line.approval != stint.approval:
            return False
        return line.model is None or self._catalogue.fits(stint.approval, line.model)


def _place(line: Line) -> tuple[datetime, bool, int]:
    """When a line is taken: in the order of what happened; on one day devices go up before others come down.

    What takes something back follows what it takes back.
    """
    ends = line.event in {Event.DECOMMISSIONED, Event.REPLACED, Event.NOT_DECOMMISSIONED}
    back = line.event in {Event.CORRECTED, Event.NOT_DECOMMISSIONED}
    return last_second(line.on.date()) if ends and line.whole_day else line.on, back, line.number


def _seen_within(line: Line, stint: Stint) -> bool:
    """Whether an inventory shows what a stint says: the device was deployed when it was taken."""
    if line.seen is None:
        return False
    return stint.open or (
        stint.decommissioned_at is not None and stint.deployed_at <= line.seen <= stint.decommissioned_at
    )


def _misfit(line: Line, misfit: Misfit) -> Verdict:
    approval = misfit.fields.get("approval", line.approval)
    return Verdict(
        number=line.number,
        outcome=Outcome.REFUSED,
        device_id=line.device_id,
        approval=approval,
        code=misfit.code,
        column=misfit.column,
        detail=sentence(misfit.code, **misfit.fields),
    )


def _verdict(
    line: Line, outcome: Outcome, code: LineCode | None = None, column: str | None = None, approval: str | None = None
) -> Verdict:
    told = "" if code is None else sentence(code, approval=approval)
    return Verdict(
        number=line.number,
        outcome=outcome,
        device_id=line.device_id,
        approval=approval or line.approval,
        code=code,
        column=column,
        detail=told,
    )
