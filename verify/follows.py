"""That a list, and an OCSP answer, follow from the journal: each entry and each status, and none is left out."""

from collections.abc import Collection, Iterator, Mapping

from cryptography import x509
from cryptography.x509 import ocsp

from core.chain import SealedRow
from core.identifiers import serial_of
from core.instants import seconds
from core.kinds import HierarchyRole
from verify.audit_findings import Findings
from verify.exported import Said
from verify.folded import Ca, Cert, Folded, Listed, instant, said
from verify.kit.evidence.ends import reason_of
from verify.kit.evidence.parsing import Unreadable, extension, issued_by, one_answer, one_crl, signed_by
from verify.octets import octets_of

SETTLED = 60
"""Seconds after which an end that was sealed is on every list and in every answer; nobody is behind by more."""


class Follows:
    """Lists as rows publish them, answers as the register keeps them.

    Args:
        state: what follows from the rows.
        findings: is told what is wrong.
    """

    def __init__(self, state: Folded, findings: Findings) -> None:
        self._state, self._findings = state, findings

    # --- lists ------------------------------------------------------------------------------------------------------

    def list(self, row: SealedRow, told: Said, line: Said | None, der: bytes) -> None:
        """Take the row that publishes a list, with the list.

        Args:
            row: of the journal.
            told: what it says.
            line: what stands beside the list in the register; None where it has none.
            der: the list.
        """
        key_id, number = str(told.get("key_id")), told.get("number")
        name = f"crls {key_id} {number}"
        if type(number) is not int or (key_id, number) in self._state.lists:
            self._findings.against(
                f"row {row.number}", f"It publishes list {number} of {key_id}, which there was before."
            )
            return
        self._state.lists[key_id, number] = Listed(row=row.number, at=instant(row.at), read=False)
        if line is None or (line.get("key_id"), line.get("number")) != (key_id, number):
            self._findings.against(name, f"Row {row.number} says that it was published; the register does not have it.")
            return
        issuer = next((each for each in self._state.hierarchy.values() if each.key_id == key_id), None)
        if issuer is None or issuer.certificate is None:
            self._findings.against(name, "It is of a CA that the journal does not have.")
            return
        try:
            crl = one_crl(der)
        except Unreadable as error:
            self._findings.against(name, f"It is {error}.")
            return
        self._state.lists[key_id, number] = Listed(
            row=row.number,
            at=instant(row.at),
            this_update=seconds(crl.last_update_utc),
            next_update=None if crl.next_update_utc is None else seconds(crl.next_update_utc),
            entries=len(crl),
        )
        self._look_at(name, crl, number, told, issuer)

    def _look_at(self, name: str, crl: x509.CertificateRevocationList, number: int, told: Said, issuer: Ca) -> None:
        assert issuer.certificate is not None
        at, counted = seconds(crl.last_update_utc), extension(crl.extensions, x509.CRLNumber)
        if not signed_by(issuer.certificate, crl.signature, crl.tbs_certlist_bytes):
            self._findings.against(name, "Its CA has not signed it.")
            return
        stated = (None if counted is None else counted.value.crl_number, len(crl))
        if stated != (number, told.get("entries")):
            self._findings.against(name, "Its number, or how many entries it has, is not what is said of it.")
        root = issuer.role == HierarchyRole.ROOT
        wrong = self._of_root(crl, at, issuer) if root else self._of_issuing(crl, number, at, issuer)
        for each in wrong:
            self._findings.against(name, each)

    def _of_root(self, crl: x509.CertificateRevocationList, at: int, issuer: Ca) -> Iterator[str]:
        ended, listed = self._ended_under(issuer), set[str]()
        for each in crl:
            serial = serial_of(each.serial_number)
            listed.add(serial)
            if not _is_end_of(ended.get(serial), each, at):
                yield f"It has {serial}, and no row says that this ended then."
        yield from _left_out(ended, listed, at)

    def _ended_under(self, issuer: Ca) -> dict[str, Ca]:
        """Return the certificates of the hierarchy that a CA has signed and that were ended."""
        assert issuer.certificate is not None
        return {
            serial: each
            for serial, each in self._state.hierarchy.items()
            if each.ended_at is not None
            and each.certificate is not None
            and issued_by(each.certificate, issuer.certificate)
        }

    def _of_issuing(self, crl: x509.CertificateRevocationList, number: int, at: int, issuer: Ca) -> Iterator[str]:
        listed, due, ours = set[str](), 0, self._ended_under(issuer)
        for each in crl:
            serial = serial_of(each.serial_number)
            found = self._state.certs.get(serial)
            listed.add(serial)
            if _is_end_of(ours.get(serial), each, at):
                continue  # a responder's, or a signer's
            if found is None or found.issuer != issuer.key_id:
                yield f"It has {serial}, and no row says that this was issued."
                continue
            found.listed = found.listed or number
            ends, reason = found.end()
            due += ends <= at - SETTLED
            if (seconds(each.revocation_date_utc), *_reason_of(each)) != (
                ends,
                reason,
                _since(found, reason),
            ) or ends > at:
                yield f"It has {serial} with an end that does not follow: by the journal it ended at {said(ends)}."
        if len(listed) != len(crl):
            yield "It has a certificate twice."
        yield from _left_out(ours, listed, at)
        if due < self._state.ended_by(issuer.key_id, at - SETTLED):
            for found in self._state.certs.values():
                if found.issuer == issuer.key_id and found.serial not in listed and self._settled(found, at):
                    yield f"It leaves out {found.serial}, which ended at {said(found.end()[0])}."

    def _settled(self, found: Cert, at: int) -> bool:
        """Return whether everything that was made at an instant had to say that a certificate had ended."""
        by_time = found.end()[0] > found.not_after
        return found.end()[0] + SETTLED <= at and (by_time or found.sealed + SETTLED <= at)

    # --- answers ----------------------------------------------------------------------------------------------------

    def answer(self, line: Said) -> None:
        """Take an OCSP answer that the register keeps."""
        serial = str(line.get("serial"))
        name, found = f"ocsp_answers {line.get('id')} of {serial}", self._state.certs.get(serial)
        responder = self._state.hierarchy.get(str(line.get("responder_serial")))
        if found is None:
            self._findings.against(name, "It is about a certificate that no row says was issued.")
            return
        if responder is None or responder.certificate is None or responder.role != HierarchyRole.RESPONDER:
            self._findings.against(name, "It is of a responder that the journal does not have.")
            return
        try:
            told = one_answer(octets_of(line.get("der")))
            for each in self._wrong(told, found, line, responder.certificate):
                self._findings.against(name, each)
        except ValueError as error:
            self._findings.against(name, f"It cannot be read: {error}.")

    def _wrong(self, told: ocsp.OCSPResponse, found: Cert, line: Said, responder: x509.Certificate) -> Iterator[str]:
        if told.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            yield "It answers nothing."
            return
        if not signed_by(responder, told.signature, told.tbs_response_bytes):
            yield "Its responder has not signed it."
            return
        if any(each != responder for each in told.certificates):
            yield "It has another certificate with it than its responder's."
        at, revoked = seconds(told.this_update_utc), told.revocation_time_utc
        stated = None if revoked is None else seconds(revoked)
        ends_with = None if told.next_update_utc is None else seconds(told.next_update_utc)
        if (ends_with, told.hash_algorithm.name) != (line.get("next_update"), line.get("hash_name")):
            yield "How long it holds, or the digest that it names its issuer by, is not what is said of it."
        if serial_of(told.serial_number) != found.serial or (at, stated) != (
            line.get("this_update"),
            line.get("revoked_at"),
        ):
            yield "What is said of it is not what it says."
        ends, reason = found.end()
        if stated in self._state.settled.get(found.serial, ()):
            return  # it was published before two ends were made one (crl settle)
        if stated is not None and ((stated, reason_of(told.revocation_reason)) != (ends, reason) or ends > at):
            yield f"It states an end at {said(stated)}, and by the journal the certificate ends at {said(ends)}."
        elif stated is None and told.certificate_status is ocsp.OCSPCertStatus.GOOD and self._settled(found, at):
            yield f"It says good, and by the journal the certificate had ended at {said(ends)}."
        elif stated is None and told.certificate_status is not ocsp.OCSPCertStatus.GOOD:
            yield "It says that nothing is known, and by the journal the certificate was issued."


def _is_end_of(found: Ca | None, each: x509.RevokedCertificate, at: int) -> bool:
    if found is None or found.ended_at is None or found.ended_at > at:
        return False
    return (seconds(each.revocation_date_utc), _reason_of(each)[0] or 0) == (found.ended_at, found.reason)


def _left_out(ended: Mapping[str, Ca], listed: Collection[str], at: int) -> Iterator[str]:
    for serial, each in ended.items():
        if serial not in listed and each.ended_at is not None and each.ended_at + SETTLED <= at:
            yield f"It leaves out {serial}, which ended at {said(each.ended_at)}."


def _reason_of(each: x509.RevokedCertificate) -> tuple[object, int | None]:
    reason = extension(each.extensions, x509.CRLReason)
    since = extension(each.extensions, x509.InvalidityDate)
    return (
        None if reason is None else reason_of(reason.value.reason),
        None if since is None else seconds(since.value.invalidity_date_utc),
    )


def _since(found: Cert, reason: object) -> int | None:
    return found.invalidity if getattr(reason, "name", "") == "KEY_COMPROMISE" else None
