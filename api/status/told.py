"""An approval that was told as ended, as one line of a file: what it is answered from when the register forgets it."""

import hashlib
import json
from datetime import datetime
from typing import Any

from core.approval import ApprovalRecord, CertificateRecord, EndCause, Firmware, Terms, device_said
from core.canonical import read_json
from core.identifiers import Serial
from core.instants import from_seconds, seconds

LONGEST_LINE = 64 * 1024
"""Octets of a line: an approval with hundreds of firmware versions and issues. What is longer was not written here."""

_DIGEST_OCTETS = 8


def forgotten(told: ApprovalRecord, found: ApprovalRecord | None, now: datetime) -> bool:
    """Return whether the register no longer says an end that was told.

    A supersession whose instant is still ahead was not told: it is lifted with the certificate that caused it. That an
    end has another date is no forgetting.

    Args:
        told: the approval as it was told.
        found: as the register has it now; None if it does not.
        now: the present instant.
    """
    if found is None or (told.ended_at is not None and found.ended_at is None):
        return True
    have = {each.serial: each for each in found.certificates}
    return any(_certificate_forgotten(each, have.get(each.serial), now) for each in told.certificates)


def _certificate_forgotten(told: CertificateRecord, found: CertificateRecord | None, now: datetime) -> bool:
    over = told.superseded_at is not None and told.superseded_at <= now
    if found is None:
        return told.revoked_at is not None or over
    if found.revoked_at is not None:
        return False
    return told.revoked_at is not None or (over and found.superseded_at is None)


def line(record: ApprovalRecord) -> bytes:
    """Return the line of an approval, its digest first."""
    said = {
        "approval": record.identifier,
        "organisation": record.organisation,
        "device": record.device.said(),
        "granted": seconds(record.granted_at),
        "start": seconds(record.start),
        "terms": [
            [
                each.issue,
                seconds(each.effective),
                seconds(each.expiry),
                each.maximum_devices,
                [[one.version, one.image_digest] for one in each.firmware],
            ]
            for each in record.terms
        ],
        "certificates": [
            [
                each.serial,
                each.issue,
                each.fingerprint,
                *map(seconds, (each.not_before, each.not_after, each.signed_at)),
                _past(each.revoked_at),
                each.cause,
                _past(each.invalidity_date),
                _past(each.superseded_at),
            ]
            for each in record.certificates
        ],
        "ended": _past(record.ended_at),
        "cause": record.end_cause,
    }
    return _sealed(said)


def line_of_none(identifier: str) -> bytes:
    """Return the line that says that of an approval nothing is to be remembered any more."""
    return _sealed({"gone": identifier})


def read(octets: bytes) -> tuple[str, ApprovalRecord | None]:
    """Return what a line says: the approval's identifier, and how it was told; None if that is to be forgotten.

    Raises:
        ValueError: it is not a line that was written here.
    """
    digest, _, body = octets.partition(b" ")
    if len(octets) > LONGEST_LINE or digest != _digest(body):
        raise ValueError("it is not as it was written")
    try:
        said = read_json(body, largest=2**63)
        return (said["gone"], None) if "gone" in said else (said["approval"], _record(said))
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError("it has another form") from error


def _record(said: dict[str, Any]) -> ApprovalRecord:
    return ApprovalRecord(
        identifier=said["approval"],
        organisation=said["organisation"],
        device=device_said(said["device"]),
        granted_at=from_seconds(said["granted"]),
        start=from_seconds(said["start"]),
        terms=tuple(
            Terms(
                issue=issue,
                effective=from_seconds(effective),
                expiry=from_seconds(expiry),
                maximum_devices=most,
                firmware=tuple(Firmware(version=version, image_digest=digest) for version, digest in firmware),
            )
            for issue, effective, expiry, most, firmware in said["terms"]
        ),
        certificates=tuple(_certificate(each) for each in said["certificates"]),
        ended_at=_instant(said["ended"]),
        end_cause=_cause(said["cause"]),
    )


def _certificate(said: list[Any]) -> CertificateRecord:
    serial, issue, fingerprint, not_before, not_after, signed, revoked, cause, invalid, superseded = said
    return CertificateRecord(
        serial=Serial(serial),
        issue=issue,
        fingerprint=fingerprint,
        not_before=from_seconds(not_before),
        not_after=from_seconds(not_after),
        signed_at=from_seconds(signed),
        revoked_at=_instant(revoked),
        cause=_cause(cause),
        invalidity_date=_instant(invalid),
        superseded_at=_instant(superseded),
    )


def _past(at: datetime | None) -> int | None:
    return None if at is None else seconds(at)


def _instant(value: int | None) -> datetime | None:
    return None if value is None else from_seconds(value)


def _cause(value: str | None) -> EndCause | None:
    return None if value is None else EndCause(value)


def _sealed(said: dict[str, Any]) -> bytes:
    body = json.dumps(said, separators=(",", ":")).encode("ascii")
    return _digest(body) + b" " + body


def _digest(body: bytes) -> bytes:
    """A check against a disk that fails, not against people: whoever can write here can write the web process too."""
    return hashlib.sha256(body).hexdigest()[: 2 * _DIGEST_OCTETS].encode("ascii")
