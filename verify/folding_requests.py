"""Applications, orders and notices, a row at a time: what was asked for and what people were told."""

from collections.abc import Callable, Mapping

from core.chain import SealedRow
from core.facts import FactKind
from core.kinds import ApplicationState, DecisionKind, OrderState
from verify.acted import Acted
from verify.audit_findings import Findings
from verify.exported import Said
from verify.folded import Applied, Folded, Noticed, instant

_CLOSED = {
    FactKind.ISSUING_STOPPED.value: OrderState.DONE,
    FactKind.ISSUING_STARTED.value: OrderState.DONE,
    FactKind.ORDER_LAPSED.value: OrderState.LAPSED,
    FactKind.ORDER_REFUSED.value: OrderState.REFUSED,
}


class Requests:
    """What rows make true of applications, orders and notices.

    Args:
        state: what follows from the rows before.
        acted: the decisions.
        findings: is told what is wrong.
    """

    def __init__(self, state: Folded, acted: Acted, findings: Findings) -> None:
        self._state, self._acted, self._findings = state, acted, findings
        self.by: Mapping[str, Callable[[SealedRow, Said], None]] = {
            FactKind.APPLICATION_SUBMITTED.value: self._submitted,
            FactKind.APPLICATION_CHANGED.value: self._changed,
            FactKind.APPLICATION_CANCELLED.value: self._cancelled,
            FactKind.APPLICATION_REFUSED.value: self._refused,
            FactKind.NOTICE_WRITTEN.value: self._noticed,
            **dict.fromkeys(_CLOSED, self._closed),
        }

    # --- applications -----------------------------------------------------------------------------------------------

    def _submitted(self, row: SealedRow, said: Said) -> None:
        if row.subject in self._state.applications:
            self._findings.against(f"row {row.number}", f"Application {row.subject} was submitted before.")
        device = said.get("device")
        self._state.applications[str(row.subject)] = Applied(
            row=row.number,
            organisation=row.organisation,
            at=instant(row.at),
            state=ApplicationState.SUBMITTED,
            stated=_text(said.get("stated_sha256")),
            device=device if isinstance(device, Mapping) else None,
            key=_text(said.get("public_key_sha256")),
        )

    def _changed(self, row: SealedRow, said: Said) -> None:
        found = self._state.applications.get(str(row.subject))
        if found is None:
            self._findings.against(f"row {row.number}", f"It changes {row.subject}, which no row submits.")
            return
        found.version, found.changed, found.stated = int(said["version"]), instant(row.at), said.get("stated_sha256")
        members = said.get("members")
        changed = members if isinstance(members, list) else ["device", "csr"]
        found.device = None if "device" in changed else found.device
        found.key = None if "csr" in changed else found.key

    def _cancelled(self, row: SealedRow, said: Said) -> None:
        del said
        self._over(row, ApplicationState.CANCELLED)

    def _refused(self, row: SealedRow, said: Said) -> None:
        if self._acted.decided(row, said, (DecisionKind.REFUSE,), None) is not None:
            self._over(row, ApplicationState.REFUSED)

    def _over(self, row: SealedRow, state: ApplicationState) -> None:
        found = self._state.applications.get(str(row.subject))
        if found is None:
            self._findings.against(f"row {row.number}", f"It ends {row.subject}, which no row submits.")
        else:
            found.state = state

    # --- orders -----------------------------------------------------------------------------------------------------

    def _closed(self, row: SealedRow, said: Said) -> None:
        del said
        found = self._state.orders.get(str(row.subject))
        if found is None:
            self._findings.against(f"row {row.number}", f"It closes order {row.subject}, which no row proposes.")
        else:
            found.state, found.closed = _CLOSED[row.kind], instant(row.at)

    # --- notices ----------------------------------------------------------------------------------------------------

    def _noticed(self, row: SealedRow, said: Said) -> None:
        number, decision = str(said["number"]), said.get("decision")
        if number in self._state.notices:
            self._findings.against(f"row {row.number}", f"Notice {number} was written before.")
        if isinstance(decision, str):
            self._acted.decided(row, said, tuple(DecisionKind), _one_of_many(self._state, decision, row))
        self._state.notices[number] = Noticed(
            row=row.number,
            at=instant(row.at),
            kind=str(said["kind"]),
            subject=row.subject,
            decision=_text(decision),
            corrects=_text(said.get("corrects")),
            serial=_text(said["serial"]) if "serial" in said else "",
            sha256=str(said["record_salted_sha256"]),
        )


def _one_of_many(state: Folded, decision: str, row: SealedRow) -> str | None:
    """Return the approval that a notice has to be about; None where its decision is about one thing alone."""
    found = state.decisions.get(decision)
    return row.subject if found is not None and found.approvals is not None else None


def _text(said: object) -> str | None:
    return said if isinstance(said, str) else None
