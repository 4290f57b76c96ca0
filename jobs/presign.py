"""presign: OCSP answers signed ahead, for SHA-1 and SHA-256 CertIDs of every certificate in the register.

No answer outlives what is known: a good one ends with the last second in which the certificate holds. If we die before
the commit, the answers never left the process and are signed again; the old ones are not served, because the channel
compares them with the status of the instant.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ca.clearance import Clearance
from ca.revocation import ocsp
from core.actors import AUTHORITY
from core.approval import ApprovalRecord, CertificateRecord
from core.canonical import Json
from core.errors import RulesRefused
from core.facts import Fact, FactKind
from core.instants import ONE_SECOND, text
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate, HashName, SignedAnswer
from core.status import certificate_end, revocation_at
from jobs.duty import Duty, later
from policy.profile import clear_ocsp
from store.reading import approvals as approval_reading
from store.reading import work
from store.reading.authority import certificates
from store.verbs import artefacts, facts

_HASHES: tuple[HashName, ...] = ("sha1", "sha256")


def presign(duty: Duty, at: datetime) -> int:
    """Sign one portion of the answers that are due; return how many certificates now have fresh ones."""
    with duty.store.read() as tx:
        due = work.presigning_due(tx, at, duty.pace.portion)
        if not due:
            return 0
        records = {each.identifier: each for each in approval_reading.records(tx, {one.approval for one in due})}
        issuers = {each.serial: each for each in certificates(tx, HierarchyRole.ISSUING)}
        issuer_of = {one.serial: issuers[approval_reading.issuer_of(tx, one.serial)] for one in due}
        responder = certificates(tx, HierarchyRole.RESPONDER)[-1]
    signed, refused = [], []
    for one in due:
        certificate = _certificate(records[one.approval], one.serial)
        try:
            answers, due_again = _answers(duty, certificate, issuer_of[one.serial], responder, at)
        except RulesRefused as error:
            # One that cannot be answered stays due and is told at the end; it must not keep the others waiting.
            refused.append(error)
            continue
        signed.append((one, answers, due_again))
    if signed:
        _keep(duty, signed, responder, at)
    if refused:
        raise refused[0]
    return len(signed)


def _keep(
    duty: Duty,
    signed: Sequence[tuple[work.Presign, list[SignedAnswer], datetime]],
    responder: AuthorityCertificate,
    at: datetime,
) -> None:
    with duty.begin("keep answers") as tx:
        answers = [answer for _, some, _ in signed for answer in some]
        if answers:
            artefacts.keep_answers(tx, answers, responder=responder.serial)
        for one, _, due_again in signed:
            artefacts.presigned(tx, one.serial, fate=one.fate, due=due_again)
        if answers:
            touched = tuple(sorted({one.approval for one, some, _ in signed if some}))
            kept: dict[str, Json] = {"certificates": len(answers) // len(_HASHES), "this_update": text(at)}
            facts.record(
                tx,
                Fact(
                    kind=FactKind.OCSP_ANSWERS_SIGNED,
                    at=at,
                    actor=AUTHORITY,
                    subject=None,
                    approvals=touched,
                    payload=kept,
                ),
            )


def _certificate(approval: ApprovalRecord, serial: str) -> CertificateRecord:
    return next(each for each in approval.certificates if each.serial == serial)


def _answers(
    duty: Duty,
    certificate: CertificateRecord,
    issuer: AuthorityCertificate,
    responder: AuthorityCertificate,
    at: datetime,
) -> tuple[list[SignedAnswer], datetime]:
    """Return both answers, and when they are due again: at half their life, or at once when the status changes."""
    revoked = revocation_at(certificate, at)
    end = certificate_end(certificate).at
    next_update = min(later(at, duty.pace.ocsp_life), responder.not_after)
    due_again = at + (next_update - at) / 2
    if revoked is None:
        next_update = min(next_update, end - ONE_SECOND)
        due_again = min(due_again, end)
        if end - ONE_SECOND <= at:
            # Its last second: the answers of before hold to its end, and no new one could hold any longer.
            return [], end
    due_again = max(due_again.replace(microsecond=0), at + timedelta(seconds=1))
    signed = []
    for hash_name in _HASHES:
        order = ocsp.OcspOrder(
            issuer_der=issuer.der,
            responder_der=responder.der,
            serial=certificate.serial,
            hash_name=hash_name,
            revoked=revoked,
            this_update=at,
            next_update=next_update,
        )
        answer = ocsp.draft(order)
        cleared = clear_ocsp(answer, order)
        if not isinstance(cleared, Clearance):
            raise RulesRefused(cleared)
        der = ocsp.sign(answer, cleared, duty.keyring.responder, responder.der)
        signed.append(
            SignedAnswer(
                serial=certificate.serial,
                hash_name=hash_name,
                this_update=at,
                next_update=next_update,
                revoked_at=revoked.at if revoked else None,
                der=der,
            )
        )
    return signed, due_again
