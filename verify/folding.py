"""Approvals and certificates, a row at a time: what each row makes true, and that it may."""

import hashlib
from collections.abc import Callable, Mapping

from asn1crypto.x509 import TbsCertificate
from cryptography import x509

from core.approval import EndCause, device_said
from core.chain import SealedRow
from core.errors import InstantMalformed
from core.facts import FactKind
from core.identifiers import serial_of
from core.instants import seconds
from core.kinds import ApplicationState, DecisionKind, DraftState, KeyState
from verify.acted import CERTIFYING, Acted
from verify.audit_findings import Findings
from verify.exported import Said
from verify.folded import (
    DONE,
    SECONDED,
    Approved,
    Cert,
    Drafted,
    Folded,
    Keyed,
    holding,
    instant,
    issues_of,
    part_of,
    terms_said,
)
from verify.folding_hierarchy import Hierarchy
from verify.folding_requests import Requests
from verify.folding_restores import Restores
from verify.issued_bytes import Agreed, wrong_bytes
from verify.kit.evidence.der import DerMalformed
from verify.kit.evidence.parsing import Unreadable
from verify.octets import octets_of

_ENDING = (DecisionKind.REVOKE, DecisionKind.WITHDRAW, DecisionKind.REKEY, DecisionKind.WITHDRAW_WAITING)
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, InstantMalformed, Unreadable, DerMalformed)


class Folding:
    """What rows make true of approvals, certificates, the hierarchy and notices.

    Args:
        state: what follows from the rows before.
        acted: the decisions.
        findings: is told what is wrong.
        root: the root's certificate that is trusted; None takes the export's own.
    """

    def __init__(self, state: Folded, acted: Acted, findings: Findings, root: x509.Certificate | None) -> None:
        self._state, self._acted, self._findings = state, acted, findings
        self._hierarchy = Hierarchy(state, findings, root)
        self._restores = Restores(state, findings)
        self._draft: Said | None = None
        self._der: Said | None = None
        self._by: Mapping[str, Callable[[SealedRow, Said], None]] = {
            FactKind.AUTHORITY_CERTIFICATE_INTENDED.value: self._hierarchy.intend,
            FactKind.AUTHORITY_CERTIFICATE_ISSUED.value: self._hierarchy.issue,
            FactKind.AUTHORITY_CERTIFICATE_ENDED.value: self._hierarchy.end,
            FactKind.CERTIFICATE_DRAFTED.value: self._drafted,
            FactKind.DRAFT_ABANDONED.value: self._abandoned,
            FactKind.SIGNATURE_INTENDED.value: self._intended,
            FactKind.APPROVAL_GRANTED.value: self._granted,
            FactKind.APPROVAL_AMENDED.value: self._amended,
            FactKind.CERTIFICATE_ISSUED.value: self._issued,
            FactKind.CERTIFICATE_SUPERSEDED.value: self._superseded,
            FactKind.CERTIFICATE_REVOKED.value: self._revoked,
            FactKind.APPROVAL_REVOKED.value: self._ended,
            FactKind.APPROVAL_WITHDRAWN.value: self._ended,
            FactKind.APPROVAL_EXPIRED.value: self._expired,
            **Requests(state, acted, findings).by,
            **self._restores.by,
        }

    def before(self, line: Said) -> None:
        """Take what stands before the row that names it."""
        match line["is"]:
            case "draft":
                self._draft = line
            case "certificate":
                self._der = self._restores.der = line
            case "hierarchy":
                self._hierarchy.before(line)
            case _:
                pass

    def take(self, row: SealedRow, said: Said) -> None:
        """Take a row; what it does not say, or what is not what it says, is told."""
        handle = self._by.get(row.kind)
        if handle is None:
            return
        try:
            handle(row, said)
        except _MALFORMED as error:
            self._findings.against(f"row {row.number}", f"It says what no authority writes ({type(error).__name__}).")

    # --- drafts -----------------------------------------------------------------------------------------------------

    def _drafted(self, row: SealedRow, said: Said) -> None:
        line, self._draft = self._draft, None
        serial, decision = str(said["serial"]), self._state.decisions.get(str(said["decision"]))
        name = f"drafts {serial}"
        if decision is None:
            self._findings.against(
                f"row {row.number}", f"It is for decision {said['decision']}, which no row proposes."
            )
            return
        made = Drafted(
            row=row.number,
            at=instant(row.at),
            decision=str(said["decision"]),
            approval=str(row.subject),
            issue=int(said["issue"]),
            tbs_sha256=str(said["tbs_sha256"]),
            issuer="",
            key="",
            not_before=0,
            not_after=0,
        )
        self._state.drafts[serial] = made
        decision.drafts.append(serial)
        if line is None or line.get("serial") != serial:
            self._findings.against(name, f"Row {row.number} says that it was drafted; the register does not have it.")
            return
        tbs = octets_of(line.get("tbs"))
        if hashlib.sha256(tbs).hexdigest() != made.tbs_sha256:
            self._findings.against(name, f"Its bytes are not those that row {row.number} names.")
            return
        read = TbsCertificate.load(tbs)
        made.not_before, made.not_after = (
            seconds(read["validity"][each].chosen.native) for each in ("not_before", "not_after")
        )
        made.key = hashlib.sha256(read["subject_public_key_info"].dump()).hexdigest()
        made.issuer = _authority_key(read)
        if serial != serial_of(read["serial_number"].native):
            self._findings.against(name, "Its bytes have another serial.")
        self._state.keys.setdefault(
            made.key, Keyed(row=made.row, approval=made.approval, state=KeyState.RESERVED, since=made.at)
        )
        if self._state.keys[made.key].approval != made.approval:
            self._findings.against(name, f"Its key is approval {self._state.keys[made.key].approval}'s.")

    def _abandoned(self, row: SealedRow, said: Said) -> None:
        found = self._state.drafts.get(str(said["serial"]))
        decision = self._state.decisions.get(str(said.get("decision")))
        if found is None or decision is None:
            self._findings.against(f"row {row.number}", f"It gives up {said['serial']}, which nobody drafted.")
            return
        found.state = DraftState.ABANDONED
        if str(said["serial"]) in decision.drafts:
            decision.drafts.remove(str(said["serial"]))
        key = self._state.keys.get(found.key)
        if key is not None and (key.state, key.approval) == (KeyState.RESERVED, found.approval):
            del self._state.keys[found.key]

    def _intended(self, row: SealedRow, said: Said) -> None:
        draft = self._state.drafts.get(str(said["serial"]))
        if draft is None or draft.tbs_sha256 != said.get("tbs_sha256"):
            self._findings.against(f"row {row.number}", f"It is about to sign what no row drafted: {said['serial']}.")
            return
        draft.state, draft.claimed = DraftState.CLAIMED, instant(row.at)
        decision = self._state.decisions[draft.decision]
        if decision.state != SECONDED or draft.tbs_sha256 not in decision.accepted:
            self._findings.against(
                f"row {row.number}", f"It is about to sign {said['serial']}, and nobody agreed to it."
            )
        found = self._state.approvals.get(draft.approval)
        if found is not None and decision.said:
            # Old and new dates are held together until the certificate is recorded.
            last = part_of(decision.said, issues_of(decision.said)[-1]) or decision.said
            found.starts.add(min(found.start, instant(decision.said["start"])))
            found.expiries.add(max(*found.expiries, instant(last["not_after"])))

    # --- approvals --------------------------------------------------------------------------------------------------

    def _granted(self, row: SealedRow, said: Said) -> None:
        decision = self._acted.decided(row, said, (DecisionKind.GRANT,), row.subject)
        if decision is None or decision.said is None:
            return
        if row.subject in self._state.approvals:
            self._findings.against(f"row {row.number}", f"Approval {row.subject} was granted before.")
            return
        proposal = decision.said
        start, terms = instant(proposal["start"]), terms_said(proposal, str(said["decision"]))
        organisation = proposal.get("organisation")
        self._state.approvals[str(row.subject)] = Approved(
            row=row.number,
            identifier=str(row.subject),
            decision=str(said["decision"]),
            application=str(said["application"]),
            organisation=str(organisation["id"]) if isinstance(organisation, Mapping) else None,
            device=device_said(proposal["device"]).said(),
            granted_at=instant(row.at),
            start=start,
            starts={start},
            expiries={instant(proposal["expiry"])},
            terms={terms.issue: terms},
        )
        applied = self._state.applications.get(str(said["application"]))
        if applied is None:
            self._findings.against(f"row {row.number}", f"It grants {said['application']}, which no row submits.")
        else:
            applied.state = ApplicationState.GRANTED

    def _amended(self, row: SealedRow, said: Said) -> None:
        self._acted.decided(row, said, (DecisionKind.AMEND,), row.subject)

    def _expired(self, row: SealedRow, said: Said) -> None:
        del said
        found = self._state.approvals.get(str(row.subject))
        if found is None or found.ended_at is not None or instant(row.at) <= min(found.expiries):
            self._findings.against(f"row {row.number}", f"It says that {row.subject} has expired, which had not.")
        else:
            found.expired = instant(row.at)

    def _issued(self, row: SealedRow, said: Said) -> None:
        line, self._der = self._der, None
        serial = str(said["serial"])
        draft, approval = self._state.drafts.get(serial), self._state.approvals.get(str(row.subject))
        name = f"certificates {serial}"
        if draft is None or draft.approval != row.subject or approval is None or serial in self._state.certs:
            self._findings.against(f"row {row.number}", f"It issues {serial}, and no row says what was to be signed.")
            return
        decision = self._state.decisions[draft.decision]
        if not decision.decided or decision.kind not in CERTIFYING or draft.tbs_sha256 not in decision.accepted:
            self._findings.against(f"row {row.number}", f"It issues {serial}, and nobody agreed to its bytes.")
        made = Cert(
            row=row.number,
            serial=serial,
            approval=draft.approval,
            issue=draft.issue,
            sha256=str(said["sha256"]),
            key=draft.key,
            issuer=draft.issuer,
            not_before=draft.not_before,
            not_after=draft.not_after,
            signed_at=instant(row.at),
        )
        draft.state = DraftState.SIGNED
        if approval.ended_at is not None:
            made.revoked_at, made.cause, made.sealed = approval.ended_at, approval.cause, instant(row.sealed_at)
        proposal = decision.said or {}
        part = part_of(proposal, draft.issue)
        if part is not None and draft.issue > 1:
            approval.terms[draft.issue] = terms_said(part, draft.decision)
        self._state.cert(made)
        approval.certs.append(made)
        if line is None or line.get("serial") != serial:
            self._findings.against(name, f"Row {row.number} says that it was issued; the register does not have it.")
        else:
            for each in wrong_bytes(
                self._state, octets_of(line.get("der")), made, Agreed(part or {}, decision.sha256, draft.tbs_sha256)
            ):
                self._findings.against(name, each)
        self._state.certified(made.key, made.signed_at)
        self._acted.issued(draft.decision, made.signed_at)
        if decision.state == DONE and draft.issue > 1 and proposal:
            last = part_of(proposal, issues_of(proposal)[-1]) or proposal
            approval.start, approval.starts = instant(proposal["start"]), {instant(proposal["start"])}
            approval.expiries = {instant(last["not_after"])}

    # --- ends -------------------------------------------------------------------------------------------------------

    def _superseded(self, row: SealedRow, said: Said) -> None:
        found, approval = self._state.certs.get(str(said["serial"])), self._state.approvals.get(str(row.subject))
        by = (
            None
            if approval is None
            else next((each for each in approval.certs if each.issue == said["by_issue"]), None)
        )
        if found is None or approval is None or by is None or by.issue <= found.issue or found.approval != row.subject:
            self._findings.against(f"row {row.number}", f"It supersedes {said['serial']} by no later issue.")
            return
        at, decision = instant(row.at), None
        draft = self._state.drafts.get(by.serial)
        if draft is not None:
            decision = self._state.decisions.get(draft.decision)
        found.superseded_at = at if _moves_start(decision, by.issue) else max(by.not_before, at)
        found.sealed = instant(row.sealed_at)
        self._state.moved(found)

    def _revoked(self, row: SealedRow, said: Said) -> None:
        decision = self._acted.decided(row, said, _ENDING, row.subject)
        found = self._state.certs.get(str(said["serial"]))
        if decision is None:
            return
        if found is None or found.approval != row.subject:
            self._findings.against(f"row {row.number}", f"It ends {said['serial']}, which {row.subject} has not.")
            return
        cause = EndCause(said["cause"])
        if cause is EndCause.CHANGE_WITHDRAWN:
            if decision.kind != DecisionKind.WITHDRAW_WAITING:
                self._findings.against(f"row {row.number}", "It withdraws a change, and its decision does not.")
        elif decision.cause != cause:
            self._findings.against(f"row {row.number}", f"Its cause is {cause}, and {decision.cause} was decided.")
        at, approval = instant(row.at), self._state.approvals[found.approval]
        held = holding(approval, at) if cause is EndCause.CHANGE_WITHDRAWN else None
        if found.end()[0] <= at:
            self._findings.against(
                f"row {row.number}", f"It ends {said['serial']}, which had ended; the first end stands."
            )
        found.revoked_at, found.cause, found.sealed = at, cause.value, instant(row.sealed_at)
        if cause is EndCause.KEY_COMPROMISE:
            found.invalidity = decision.invalidity
            self._state.compromised(found.key, at)
        self._state.moved(found)
        if held is not None and held.superseded_at is not None and held.superseded_at > at and held.revoked_at is None:
            held.superseded_at = None
            self._state.moved(held)
        if held is not None:
            approval.expiries = {approval.terms[held.issue].expiry}

    def _ended(self, row: SealedRow, said: Said) -> None:
        decision = self._acted.decided(row, said, (DecisionKind.REVOKE, DecisionKind.WITHDRAW), row.subject)
        found = self._state.approvals.get(str(row.subject))
        if decision is None:
            return
        if found is None or found.ended_at is not None:
            self._findings.against(f"row {row.number}", f"It ends {row.subject}, which does not stand.")
            return
        if said.get("cause") != decision.cause:
            self._findings.against(f"row {row.number}", f"Its cause is {said.get('cause')}, not what was decided.")
        found.ended_at, found.cause, found.ended_by = instant(row.at), str(said["cause"]), row.actor
        for each in found.certs:
            # Recorded behind the end, and sealed before it: it was cancelled from its first second.
            if each.revoked_at is None and each.signed_at > found.ended_at:
                each.revoked_at, each.cause = found.ended_at, found.cause
                self._state.moved(each)


def _moves_start(decision: object, issue: int) -> bool:
    said = getattr(decision, "said", None)
    if not said or getattr(decision, "kind", None) != DecisionKind.AMEND or said.get("issue") != issue:
        return False
    return any(each.get("subject") == "start" for each in said.get("changes") or ())


def _authority_key(tbs: TbsCertificate) -> str:
    for each in tbs["extensions"]:
        if each["extn_id"].native == "authority_key_identifier":
            return bytes(each["extn_value"].parsed["key_identifier"].native).hex()
    return ""
