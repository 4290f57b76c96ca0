"""What the public log says of an approval: everything that an answer at any instant follows from, and nothing else.

No organisation, no person, no decision and no words of an officer are in it: what is public is what verification
answers to anybody (F2.22). From the document the same record comes back, and core/status.py answers from it.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from core.approval import ApprovalRecord, CertificateRecord, EndCause, Firmware, Terms, device_said
from core.canonical import Json
from core.identifiers import Serial
from core.instants import parse, text


def document(record: ApprovalRecord, disputed: Collection[datetime] = ()) -> dict[str, Json]:
    """Return what is public of an approval.

    Args:
        record: the approval as it is.
        disputed: the instants of ends that the authority refused to seal, because nothing proves them.
    """
    return {
        "approval": record.identifier,
        "device": record.device.said(),
        "granted": text(record.granted_at),
        "start": text(record.start),
        "terms": [_terms(each) for each in record.terms],
        "certificates": [_certificate(each) for each in record.certificates],
        "ended_at": _text(record.ended_at),
        "end_cause": record.end_cause,
        "disputed": [text(each) for each in sorted(disputed)],
    }


def record_of(said: Mapping[str, Any]) -> ApprovalRecord:
    """Return the approval that a document is about; whose it is and who decided are not in it.

    Args:
        said: as `document` returns it, read from JSON.

    Raises:
        KeyError, TypeError, ValueError, InstantMalformed: it is no such document.
    """
    return ApprovalRecord(
        identifier=said["approval"],
        organisation="",
        device=device_said(said["device"]),
        granted_at=parse(said["granted"]),
        start=parse(said["start"]),
        terms=tuple(_terms_of(each) for each in said["terms"]),
        certificates=tuple(_certificate_of(each) for each in said["certificates"]),
        ended_at=_instant(said["ended_at"]),
        end_cause=_cause(said["end_cause"]),
    )


def disputed_of(said: Mapping[str, Any]) -> frozenset[datetime]:
    """Return the instants of ends that a document calls disputed."""
    return frozenset(parse(each) for each in said["disputed"])


def public_part(documents: Collection[str]) -> str:
    """Return the public part of a row of the log, in the canonical form.

    Args:
        documents: what it carries, in the canonical form and in order of identifiers.
    """
    return f'{{"approvals":[{",".join(documents)}]}}' if documents else "{}"


def leaf_data(*, number: int, sealed_at: str, public: str, commitment: str) -> bytes:
    """Return the octets of a leaf of the log (RFC 8785): the members below, in their order.

    Args:
        number: of the row.
        sealed_at: when it was sealed, RFC 3339 text.
        public: as `public_part` returns it.
        commitment: hex, over the row's salt and the whole row.
    """
    # Put together from what is in the canonical form already: each row is one leaf, and most carry nothing.
    return f'{{"commitment":"{commitment}","number":{number},"public":{public},"sealed_at":"{sealed_at}"}}'.encode()


def _terms(terms: Terms) -> Json:
    return {
        "issue": terms.issue,
        "effective": text(terms.effective),
        "expiry": text(terms.expiry),
        "maximum_devices": terms.maximum_devices,
        "firmware": [{"version": each.version, "image_digest": each.image_digest} for each in terms.firmware],
    }


def _terms_of(said: Mapping[str, Any]) -> Terms:
    return Terms(
        issue=said["issue"],
        effective=parse(said["effective"]),
        expiry=parse(said["expiry"]),
        maximum_devices=said["maximum_devices"],
        firmware=tuple(Firmware(each["version"], each["image_digest"]) for each in said["firmware"]),
    )


def _certificate(certificate: CertificateRecord) -> Json:
    return {
        "serial": certificate.serial,
        "issue": certificate.issue,
        "sha256": certificate.fingerprint,
        "not_before": text(certificate.not_before),
        "not_after": text(certificate.not_after),
        "signed_at": text(certificate.signed_at),
        "revoked_at": _text(certificate.revoked_at),
        "cause": certificate.cause,
        "invalidity_date": _text(certificate.invalidity_date),
        "superseded_at": _text(certificate.superseded_at),
        "issuer_ended_at": _text(certificate.issuer_ended_at),
    }


def _certificate_of(said: Mapping[str, Any]) -> CertificateRecord:
    return CertificateRecord(
        serial=Serial(said["serial"]),
        issue=said["issue"],
        fingerprint=said["sha256"],
        not_before=parse(said["not_before"]),
        not_after=parse(said["not_after"]),
        signed_at=parse(said["signed_at"]),
        revoked_at=_instant(said["revoked_at"]),
        cause=_cause(said["cause"]),
        invalidity_date=_instant(said["invalidity_date"]),
        superseded_at=_instant(said["superseded_at"]),
        issuer_ended_at=_instant(said["issuer_ended_at"]),
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else text(at)


def _instant(said: str | None) -> datetime | None:
    return None if said is None else parse(said)


def _cause(said: str | None) -> EndCause | None:
    return None if said is None else EndCause(said)
