"""What somebody may see of approvals and their certificates (F2.25)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from core.actors import Actor
from core.approval import ApprovalRecord, CertificateRecord
from core.errors import NoSuchThing
from core.identifiers import Serial
from core.status import approval_status, certificate_end
from core.waiting import pending, terms_at
from policy.roles import Operation
from ra.access import authorise_approval, own_organisation
from ra.desk import Desk
from ra.issuing import root_der
from ra.telling.views import AcceptanceSummary, ApprovalAnswer, ApprovalListed, ApprovalPage, CertificateSummary
from ra.views import FirmwareAnswer, PendingAnswer, page
from store.reading import approvals as approval_reading
from store.reading import requests
from store.reading.authority import certificates as authority_certificates
from store.rows import Acceptance
from store.transactions import Transaction


@dataclass(frozen=True)
class FetchedCertificate:
    """A certificate with the chain above it, DER each, the certificate first.

    Args:
        name: what a file of it is called, without what says its form.
        approval: whose it is.
        serial: the certificate's.
        chain: the certificate, then who signed it, up to the root.
    """

    name: str
    approval: str
    serial: Serial
    chain: tuple[bytes, ...]


def approval(desk: Desk, actor: Actor, identifier: str) -> ApprovalAnswer:
    """Return an approval as it stands now; another Manufacturer's is as if it were not there."""
    at = desk.clock.now()
    with desk.store.read() as tx:
        found = approval_reading.record(tx, identifier)
        authorise_approval(actor, Operation.READ_APPROVAL, found)
        name = requests.organisation(tx, found.organisation).name
        beside = _beside(tx, [found])
    return ApprovalAnswer(**vars(_approval(found, name, beside, at)), as_of=at)


def approvals(desk: Desk, actor: Actor, *, after: str, limit: int) -> ApprovalPage:
    """Return a page of the approvals that `actor` may see, and the cursor for the next."""
    at = desk.clock.now()
    only = own_organisation(actor, Operation.LIST_APPROVALS)
    with desk.store.read() as tx:
        rows = page(
            limit,
            lambda most: approval_reading.approval_list(tx, organisation_id=only, after=after, limit=most),
            lambda each: each.identifier,
        )
        found = approval_reading.records(tx, [each.identifier for each in rows.found])
        beside = _beside(tx, found)
        listed = tuple(_approval(each, requests.organisation(tx, each.organisation).name, beside, at) for each in found)
    return ApprovalPage(approvals=listed, next=rows.next, truncated=rows.truncated)


def certificate_of(desk: Desk, actor: Actor, identifier: str, issue: int | None = None) -> FetchedCertificate:
    """Return the certificate of an approval that verification speaks of now, with its chain; or the one of an issue.

    What is decided and waits is not it before its instant: it does not hold yet, nor what it says of the limit.

    Args:
        desk: where.
        actor: who asks.
        identifier: of the approval.
        issue: which one, ended and waiting ones included; None is the one that holds.

    Raises:
        NoSuchThing: none is issued yet, or not this one; another Manufacturer's is as if it were not there.
    """
    at = desk.clock.now()
    with desk.store.read() as tx:
        found = approval_reading.record(tx, identifier)
        authorise_approval(actor, Operation.FETCH_CERTIFICATE, found)
        if not found.certificates:
            raise NoSuchThing(kind="certificate yet of approval", identifier=identifier)
        if issue is None:
            name, serial = identifier, _spoken_of(found, at).serial
        else:
            name, serial = f"{identifier}-issue-{issue}", _issued(found, issue).serial
        return FetchedCertificate(name=name, approval=identifier, serial=serial, chain=_chain(tx, serial))


def _spoken_of(found: ApprovalRecord, at: datetime) -> CertificateRecord:
    # Recorded in a second that whoever asks had not reached when they read the clock: then there is but one.
    return approval_status(found, at).certificate or found.certificates[0]


def _issued(found: ApprovalRecord, issue: int) -> CertificateRecord:
    for each in found.certificates:
        if each.issue == issue:
            return each
    raise NoSuchThing(kind="certificate", identifier=f"of {found.identifier}, issue {issue}")


def certificate(desk: Desk, actor: Actor, serial: Serial) -> FetchedCertificate:
    """Return one certificate with its chain; another Manufacturer's is as if it were not there."""
    with desk.store.read() as tx:
        identifier, _ = approval_reading.certificate_der(tx, serial)
        found = approval_reading.record(tx, identifier)
        try:
            authorise_approval(actor, Operation.FETCH_CERTIFICATE, found)
        except NoSuchThing:
            raise NoSuchThing(kind="certificate", identifier=serial) from None
        return FetchedCertificate(name=identifier, approval=identifier, serial=serial, chain=_chain(tx, serial))


def _chain(tx: Transaction, serial: Serial) -> tuple[bytes, ...]:
    """The certificate, the issuing CA that signed it, the root."""
    _, der = approval_reading.certificate_der(tx, serial)
    issuer = approval_reading.issuer_of(tx, serial)
    above = {each.serial: each.der for each in authority_certificates(tx)}
    return der, above[issuer], root_der(tx)


def _acceptance(answered: Acceptance | None) -> AcceptanceSummary | None:
    return None if answered is None else AcceptanceSummary(answered.accepted, answered.reason, answered.at)


_Beside: TypeAlias = tuple[Mapping[Serial, Acceptance], Mapping[Serial, int]]
"""What Manufacturers said of certificates, and the first list that says that one has ended."""


def _beside(tx: Transaction, found: Sequence[ApprovalRecord]) -> _Beside:
    return approval_reading.acceptances_of(tx, found), approval_reading.listed_in(tx, found)


def _ended(certificate: CertificateRecord, at: datetime) -> datetime | None:
    end = certificate_end(certificate).at
    return end if end <= at else None


def _approval(found: ApprovalRecord, organisation: str, beside: _Beside, at: datetime) -> ApprovalListed:
    answered, listed = beside
    terms, status = terms_at(found, at), approval_status(found, at)
    return ApprovalListed(
        approval=found.identifier,
        organisation=organisation,
        device=found.device,
        granted_at=found.granted_at,
        start=found.start,
        expiry=terms.expiry,
        maximum_devices=terms.maximum_devices,
        firmware=tuple(FirmwareAnswer(version=each.version, image_sha256=each.image_digest) for each in terms.firmware),
        ended_at=found.ended_at,
        end_cause=found.end_cause,
        certificates=tuple(
            CertificateSummary(
                serial=each.serial,
                issue=each.issue,
                sha256=each.fingerprint,
                not_before=each.not_before,
                not_after=each.not_after,
                signed_at=each.signed_at,
                ended_at=_ended(each, at),
                listed_in=listed.get(each.serial),
                acceptance=_acceptance(answered.get(each.serial)),
            )
            for each in found.certificates
        ),
        state=status.state,
        issue=status.certificate.issue if status.certificate else None,
        pending=tuple(PendingAnswer.of(each) for each in pending(found, at)),
    )
