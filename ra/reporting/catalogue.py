"""Which approval a reported device is deployed under: the identifier, or the device model that the line names."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.approval import DEVICE_MEMBERS, VARIANT_MEMBERS, ApprovalRecord, Terms
from core.deployments import FIRMWARELESS_TYPES, Line, LineCode, Model
from core.instants import text
from core.status import approval_status, first_second_after

HUB, HUB_PART = "chf", "gpf"
"""A communications hub is one unit, counted by its CHF; its GPF shares model and firmware (mission, decision 1)."""


@dataclass(frozen=True)
class Misfit:
    """Why no approval is found: the code, the column it lies in, and what its sentence needs."""

    code: LineCode
    column: str
    fields: dict[str, str]


class Catalogue:
    """Approvals as deployments are matched against them.

    Args:
        records: every approval there ever was.
    """

    def __init__(self, records: Iterable[ApprovalRecord]) -> None:
        self._records: dict[str, ApprovalRecord] = {}
        self._of_model: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._terms: dict[tuple[str, datetime], Terms] = {}
        self.refresh(records)

    def refresh(self, records: Iterable[ApprovalRecord]) -> None:
        """Put newer records in the place of those held; a device never changes."""
        for record in records:
            self._records[record.identifier] = record
            self._of_model[record.device.manufacturer.casefold(), record.device.model.casefold()].add(record.identifier)
        self._terms.clear()

    def __contains__(self, approval: str) -> bool:
        """Return whether an approval is held."""
        return approval in self._records

    def record(self, approval: str) -> ApprovalRecord:
        """Return an approval that is held; KeyError if it is not."""
        return self._records[approval]

    def candidates(self, line: Line) -> Sequence[str] | Misfit:
        """Return the approvals that a line can mean, whatever its instant; never none of them."""
        if line.approval is not None:
            if line.approval not in self._records:
                return Misfit(LineCode.UNKNOWN_APPROVAL, "approval", {})
            if line.model is not None and not self.fits(line.approval, line.model):
                return Misfit(LineCode.MODEL_DIFFERS, "model", {"approval": line.approval})
            return (line.approval,)
        if line.model is None:
            return Misfit(LineCode.UNKNOWN_APPROVAL, "approval", {})
        named = self._of_model.get((line.model.manufacturer.casefold(), line.model.model.casefold()), set())
        fitting = sorted(each for each in named if self.fits(each, line.model))
        return fitting or Misfit(LineCode.DEVICE_NOT_APPROVED, "model", {})

    def fits(self, approval: str, model: Model) -> bool:
        """Return whether an approval is for a device model, as far as the line names it."""
        device = self._records[approval].device
        said = ((getattr(model, name), getattr(device, name)) for name in DEVICE_MEMBERS)
        return all(not asked or asked.casefold() == held.casefold() for asked, held in said)

    def narrowed(self, candidates: Sequence[str], line: Line) -> str | Misfit:
        """Return the one approval that a line means, by its instant and then by its firmware."""
        if len(candidates) == 1:
            return candidates[0]
        in_force = [each for each in candidates if self.against_period(each, line.on) is None]
        if not in_force:
            return Misfit(LineCode.OUTSIDE_APPROVALS, "on", {})
        if len(in_force) > 1:
            in_force = [each for each in in_force if self.names_firmware(each, line.firmware)] or in_force
        if len(in_force) == 1:
            return in_force[0]
        return Misfit(LineCode.DEVICE_AMBIGUOUS, "model", {"fields": ", ".join(self._differing(in_force))})

    def against_period(self, approval: str, on: datetime) -> Misfit | None:
        """Return why nothing can be deployed under an approval at an instant; None if it can.

        A cancelled certificate is no obstacle: what the DCC reports is a fact, and the approval stands.
        """
        record = self._records[approval]
        if on < record.start:
            return Misfit(LineCode.BEFORE_START, "on", {"approval": approval, "start": text(record.start)})
        expired = first_second_after(self._terms_at(approval, on).expiry)
        ended = expired if record.ended_at is None else min(record.ended_at, expired)
        if on >= ended:
            return Misfit(LineCode.AFTER_END, "on", {"approval": approval, "ended": text(ended)})
        return None

    def approves_firmware(self, approval: str, version: str, on: datetime) -> bool:
        """Return whether what an approval says at an instant names a firmware version."""
        return any(one.version.casefold() == version.casefold() for one in self._terms_at(approval, on).firmware)

    def names_firmware(self, approval: str, version: str) -> bool:
        """Return whether any issue of an approval names a firmware version."""
        record = self._records[approval]
        return any(one.version.casefold() == version.casefold() for terms in record.terms for one in terms.firmware)

    def needs_firmware(self, approval: str) -> bool:
        """Return whether a device of an approval has a firmware version."""
        return self._records[approval].device.type.upper() not in FIRMWARELESS_TYPES

    def counted_with_hub(self, line: Line) -> bool:
        """Return whether a line is about the part of a communications hub that is not counted by itself."""
        if line.model is None or line.model.type.casefold() != HUB_PART:
            return False
        named = self._of_model.get((line.model.manufacturer.casefold(), line.model.model.casefold()), set())
        types = {each: self._records[each].device.type.casefold() for each in named}
        hubs = [each for each, kind in types.items() if kind == HUB]
        firmware = line.firmware
        return HUB_PART not in types.values() and any(not firmware or self.names_firmware(e, firmware) for e in hubs)

    def _terms_at(self, approval: str, on: datetime) -> Terms:
        key = approval, on
        if key not in self._terms:
            record = self._records[approval]
            self._terms[key] = approval_status(record, on).terms or record.terms[0]
        return self._terms[key]

    def _differing(self, approvals: Sequence[str]) -> list[str]:
        """What would tell approvals apart: a field of the device, else only the identifier."""
        devices = [self._records[each].device for each in approvals]
        fields = {name: {getattr(device, name).casefold() for device in devices} for name in VARIANT_MEMBERS}
        return [name for name, values in fields.items() if len(values) > 1] or ["approval"]
