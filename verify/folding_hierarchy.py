"""The certificates of the hierarchy, a row at a time: what was to be signed, what was, and what has ended."""

import hashlib

from cryptography import x509

from core.chain import SealedRow
from core.kinds import HierarchyRole
from verify.audit_findings import Findings
from verify.exported import Said
from verify.folded import Ca, Folded, instant
from verify.kit.evidence.certified import key_sha256
from verify.kit.evidence.parsing import issued_by, one_certificate
from verify.octets import octets_of


class Hierarchy:
    """Root, issuing CAs, responders and signers.

    Args:
        state: what follows from the rows before.
        findings: is told what is wrong.
        root: the root's certificate that is trusted; None takes the export's own.
    """

    def __init__(self, state: Folded, findings: Findings, root: x509.Certificate | None) -> None:
        self._state, self._findings, self._root = state, findings, root
        self._line: Said | None = None

    def before(self, line: Said) -> None:
        """Take the certificate that the next row names."""
        self._line = line

    def intend(self, row: SealedRow, said: Said) -> None:
        """Take the row that says what is about to be signed."""
        made = Ca(row=row.number, at=instant(row.at), role=str(said["role"]), tbs_sha256=str(said["tbs_sha256"]))
        self._state.hierarchy[str(said["serial"])] = made

    def issue(self, row: SealedRow, said: Said) -> None:
        """Take the row by which it was signed, with its bytes: those that were to be signed, by a CA of ours."""
        line, self._line = self._line, None
        serial = str(said["serial"])
        name, found = f"authority_certificates {serial}", self._state.hierarchy.get(serial)
        if found is None:
            self._findings.against(f"row {row.number}", f"It issues {serial}, and no row says what that was to be.")
            return
        found.issued_row, found.issued_at = row.number, instant(row.at)
        if line is None or line.get("serial") != serial:
            self._findings.against(name, f"Row {row.number} says that it was issued; the register does not have it.")
            return
        certificate = one_certificate(octets_of(line.get("der")))
        if hashlib.sha256(certificate.tbs_certificate_bytes).hexdigest() != found.tbs_sha256:
            self._findings.against(name, f"Its bytes are not those that row {found.row} says were to be signed.")
            return
        found.certificate, found.key_id = certificate, _key_id(certificate)
        if found.role == HierarchyRole.ROOT:
            if self._root is not None and key_sha256(self._root) != key_sha256(certificate):
                self._findings.against(name, "It is another root than the one that you know.")
            self._root = self._root or certificate
        if not any(issued_by(certificate, each) for each in self._above(found.role)):
            self._findings.against(name, "No certificate of the hierarchy has signed it.")

    def _above(self, role: str) -> list[x509.Certificate]:
        roots = [] if self._root is None else [self._root]
        issuing = [
            each.certificate
            for each in self._state.hierarchy.values()
            if each.role == HierarchyRole.ISSUING and each.certificate is not None
        ]
        return roots if role in (HierarchyRole.ROOT, HierarchyRole.ISSUING) else [*issuing, *roots]

    def end(self, row: SealedRow, said: Said) -> None:
        """Take the row that ends one."""
        found = self._state.hierarchy.get(str(said["serial"]))
        if found is None:
            self._findings.against(f"row {row.number}", f"It ends {said['serial']}, which nobody issued.")
        elif found.ended_at is not None and (found.ended_at, found.reason) != (instant(row.at), said["reason"]):
            self._findings.against(f"row {row.number}", f"It ends {said['serial']} a second time.")
        else:
            found.ended_row = found.ended_row or row.number
            found.ended_at, found.reason = instant(row.at), int(said["reason"])


def _key_id(certificate: x509.Certificate) -> str:
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()
