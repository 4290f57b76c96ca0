"""What a restore entered again, a row at a time: the bytes are proved, and what was decided of them was lost."""

import hashlib
from collections.abc import Callable, Mapping

from cryptography import x509

from core.approval import EndCause, RevocationReason
from core.chain import SealedRow
from core.facts import FactKind
from core.instants import seconds
from core.kinds import DraftState, KeyState
from verify.audit_findings import Findings
from verify.exported import Said
from verify.folded import Approved, Cert, Drafted, Folded, Keyed, Restored, instant
from verify.kit.evidence.certified import arc_of, key_sha256
from verify.kit.evidence.parsing import issued_by, one_certificate
from verify.kit.evidence.profile import statement_value
from verify.kit.evidence.statement import decode
from verify.octets import octets_of


class Restores:
    """What rows of a restore make true.

    Args:
        state: what follows from the rows before.
        findings: is told what is wrong.
    """

    def __init__(self, state: Folded, findings: Findings) -> None:
        self._state, self._findings = state, findings
        self.der: Said | None = None
        """The certificate that the next row names."""
        self.by: Mapping[str, Callable[[SealedRow, Said], None]] = {
            FactKind.CERTIFICATE_RESTORED.value: self._restored,
            FactKind.END_RESTORED.value: self._end_restored,
            FactKind.END_SETTLED.value: self._end_settled,
        }

    def _restored(self, row: SealedRow, said: Said) -> None:
        """A certificate that the register had lost: its bytes are proved, what was decided of it was lost."""
        line, self.der = self.der, None
        serial, name = str(said["serial"]), f"certificates {said['serial']}"
        if (
            line is None
            or line.get("serial") != serial
            or hashlib.sha256(octets_of(line.get("der"))).hexdigest() != said["sha256"]
        ):
            self._findings.against(name, f"Row {row.number} restores it, and the register does not have those bytes.")
            return
        certificate = one_certificate(octets_of(line["der"]))
        made = Cert(
            row=row.number,
            serial=serial,
            approval=str(row.subject),
            issue=int(said["issue"]),
            sha256=str(said["sha256"]),
            key=key_sha256(certificate),
            issuer=_issuer_key(certificate),
            not_before=seconds(certificate.not_valid_before_utc),
            not_after=seconds(certificate.not_valid_after_utc),
            signed_at=min(instant(row.at), seconds(certificate.not_valid_before_utc)),
            restored=True,
        )
        self._state.cert(made)
        self._enter(row, made, certificate)
        self._state.keys.setdefault(
            made.key, Keyed(row=made.row, approval=made.approval, state=KeyState.RESERVED, since=instant(row.at))
        )
        self._state.certified(made.key, made.signed_at)
        self._findings.note(f"Certificate {serial} was lost and entered again (row {row.number}) by its bytes.")
        found = self._state.approvals.get(made.approval)
        if found is None:
            found = self._state.approvals[made.approval] = Approved(
                row=row.number,
                identifier=made.approval,
                decision="",
                application=None,
                organisation=None,
                device={},
                granted_at=0,
                start=0,
                starts=set(),
                expiries=set(),
            )
        found.restored = True
        found.certs.append(made)

    def _enter(self, row: SealedRow, made: Cert, certificate: x509.Certificate) -> None:
        """Prove the bytes, and let their draft be signed and no other of the same issue live."""
        state, name, at = self._state, f"certificates {made.serial}", instant(row.at)
        issuers = [each.certificate for each in state.hierarchy.values() if each.key_id == made.issuer]
        if not any(each is not None and issued_by(certificate, each) for each in issuers):
            self._findings.against(name, "No issuing CA of the hierarchy has signed it.")
        statement = decode(statement_value(certificate, arc_of(certificate)) or b"")
        if (str(statement.identifier), statement.issue) != (made.approval, made.issue):
            self._findings.against(name, f"By its bytes it is of another approval or issue than row {row.number} says.")
        state.restored[made.serial] = Restored(row=row.number, at=at, proposal_sha256=statement.proposal_digest)
        for serial, each in state.drafts.items():
            if serial != made.serial and (each.approval, each.issue) == (made.approval, made.issue):
                each.state = DraftState.ABANDONED
        held = state.drafts.get(made.serial)
        if held is None:
            held = state.drafts[made.serial] = Drafted(
                row=row.number,
                at=at,
                decision="",
                approval=made.approval,
                issue=made.issue,
                tbs_sha256=hashlib.sha256(certificate.tbs_certificate_bytes).hexdigest(),
                issuer=made.issuer,
                key=made.key,
                not_before=made.not_before,
                not_after=made.not_after,
            )
        held.claimed, held.state = at if held.claimed is None else held.claimed, DraftState.SIGNED

    def _end_restored(self, row: SealedRow, said: Said) -> None:
        found = self._state.certs.get(str(said["serial"]))
        if found is not None:
            self._state.approvals[found.approval].restored = True
            self._again(found, instant(said["ended_at"]), int(said["reason"]), row)
            cause = said.get("cause")
            found.cause = cause if isinstance(cause, str) and found.revoked_at is not None else found.cause
            found.guessed = "cause" not in said

    def _end_settled(self, row: SealedRow, said: Said) -> None:
        found = self._state.certs.get(str(said["serial"]))
        if found is None:
            self._findings.against(f"row {row.number}", f"It settles the end of {said['serial']}, which nobody issued.")
        else:
            self._state.settled.setdefault(found.serial, set()).add(instant(said["published"]))
            self._again(found, instant(said["settled"]), int(said["reason"]), row)

    def _again(self, found: Cert, at: int, reason: int, row: SealedRow) -> None:
        found.sealed = instant(row.sealed_at)
        if reason == RevocationReason.SUPERSEDED:
            found.superseded_at, found.revoked_at, found.cause = at, None, None
        elif at == found.not_after + 1:
            found.superseded_at = found.revoked_at = found.cause = None
        elif reason == RevocationReason.KEY_COMPROMISE:
            found.revoked_at, found.cause = at, EndCause.KEY_COMPROMISE.value
            self._state.compromised(found.key, instant(row.at))
        elif reason == RevocationReason.CESSATION_OF_OPERATION:
            found.revoked_at, found.cause = at, EndCause.MANUFACTURER.value
        else:
            found.revoked_at = at
            found.cause = found.cause or self._state.approvals[found.approval].cause or EndCause.SSC.value
        self._state.moved(found)


def _issuer_key(certificate: x509.Certificate) -> str:
    found = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    return (found or b"").hex()
