"""The reasons that verification gives when it does not say yes: code, clause, sentence and remedy. Codes are API."""

from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """Stable codes of `reasons` in the answer of /v1/verify."""

    NOT_ISSUED_HERE = "not-issued-here"
    UNKNOWN_APPROVAL = "unknown-approval"
    UNKNOWN_SERIAL = "unknown-serial"
    DEVICE_NOT_APPROVED = "device-not-approved"
    DEVICE_AMBIGUOUS = "device-ambiguous"
    NOT_GRANTED_THEN = "not-granted-then"
    CERTIFICATE_NOT_ISSUED = "certificate-not-issued"
    NOT_YET_STARTED = "not-yet-started"
    REVOKED = "revoked"
    REVOKED_FOR_BREACH = "revoked-for-breach"
    KEY_COMPROMISE = "key-compromise"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn-at-request"
    CHANGE_WITHDRAWN = "change-withdrawn"
    EXPIRED = "expired"
    ISSUER_ENDED = "issuing-ca-ended"
    FIRMWARE_NOT_APPROVED = "firmware-not-approved"
    FIRMWARE_HASH_MISMATCH = "firmware-hash-mismatch"
    LIMIT_REACHED = "limit-reached"
    END_DISPUTED = "end-disputed"


@dataclass(frozen=True)
class Reason:
    """One reason against, as it goes to whoever asked.

    Args:
        code: stable.
        clause: the paragraph of Section F it rests on.
        detail: a sentence.
        remedy: what to do next.
    """

    code: ReasonCode
    clause: str
    detail: str
    remedy: str


_TEXT: dict[ReasonCode, tuple[str, str, str]] = {
    ReasonCode.NOT_ISSUED_HERE: (
        "F2.25",
        "These bytes are not a certificate that this authority issued.",
        "Send the certificate exactly as it was fetched; one changed bit makes it another.",
    ),
    ReasonCode.UNKNOWN_APPROVAL: (
        "F2.25",
        "No approval with this identifier was ever granted here.",
        "Check the identifier and whether it belongs to the test or the live authority.",
    ),
    ReasonCode.UNKNOWN_SERIAL: (
        "F2.25",
        "No certificate with this serial number was ever issued here.",
        "Check the serial number and whether it belongs to the test or the live authority.",
    ),
    ReasonCode.DEVICE_NOT_APPROVED: (
        "F2.18",
        "No approval was ever granted for this device model.",
        "The Manufacturer can apply for a Trial Device Approval, or for a CPA Certificate.",
    ),
    ReasonCode.DEVICE_AMBIGUOUS: (
        "F2.18",
        "Several approved device models fit what was asked; they differ in: {fields}.",
        "Ask again and name these fields.",
    ),
    ReasonCode.NOT_GRANTED_THEN: (
        "F2.25",
        "At that instant the approval had not been granted.",
        "Ask about an instant after {granted}.",
    ),
    ReasonCode.CERTIFICATE_NOT_ISSUED: (
        "F2.25",
        "The approval is granted and its certificate is not recorded yet.",
        "Ask again in a few seconds.",
    ),
    ReasonCode.NOT_YET_STARTED: (
        "F2.27",
        "It holds from {start} on.",
        "Ask again from then on.",
    ),
    ReasonCode.REVOKED: (
        "F2.30",
        "The Security Sub-Committee revoked it at {ended}.",
        "Remove the device; the Manufacturer may apply again (F2.31).",
    ),
    ReasonCode.REVOKED_FOR_BREACH: (
        "F2.23",
        "The Security Sub-Committee revoked it at {ended} for the breach of a condition.",
        "Remove the device; the Manufacturer may apply again (F2.31).",
    ),
    ReasonCode.KEY_COMPROMISE: (
        "F2.30",
        "This certificate was cancelled at {ended} because its key was compromised.",
        "Ask by approval for the certificate that replaces it, if there is one.",
    ),
    ReasonCode.SUPERSEDED: (
        "F2.29",
        "This certificate was replaced at {ended} by issue {later} of the same approval.",
        "Use the later certificate.",
    ),
    ReasonCode.WITHDRAWN: (
        "F2.30",
        "The approval was ended at {ended} at the Manufacturer's request.",
        "Remove the device; the Manufacturer may apply again (F2.31).",
    ),
    ReasonCode.CHANGE_WITHDRAWN: (
        "F2.29",
        "The change that this certificate was for was withdrawn at {ended}, before it began.",
        "Ask by approval for the certificate that holds.",
    ),
    ReasonCode.EXPIRED: (
        "F2.31",
        "It expired; its last second was {expiry}.",
        "Remove the device; the Manufacturer may apply again, or for a CPA Certificate.",
    ),
    ReasonCode.ISSUER_ENDED: (
        "F2.25",
        "The issuing CA that signed this certificate was ended at {ended}: what it signed proves nothing any more.",
        "Ask by approval for the certificate that replaces it, as soon as there is one.",
    ),
    ReasonCode.FIRMWARE_NOT_APPROVED: (
        "F2.25",
        "The approval does not name firmware version {version}.",
        "The Manufacturer can ask for an amendment that adds it (F2.29).",
    ),
    ReasonCode.FIRMWARE_HASH_MISMATCH: (
        "F2.25",
        "The approval names firmware version {version} with another image.",
        "Compare the SHA-256 of the image with the one in the certificate.",
    ),
    ReasonCode.LIMIT_REACHED: (
        "F2.21(d)",
        "{deployed} of {maximum} devices are deployed and this one is not among them.",
        "The Manufacturer can ask for an amendment of the limit (F2.29).",
    ),
    ReasonCode.END_DISPUTED: (
        "F2.30",
        "No officer's own key has signed for that end: the authority disputes it, and no list states it.",
        "Treat it as ended, and ask the Security Sub-Committee, whose officers have an alarm.",
    ),
}


def texts(code: ReasonCode) -> tuple[str, str, str]:
    """Return clause, sentence and remedy of a code, with their fields in braces."""
    return _TEXT[code]


def reason(code: ReasonCode, **fields: object) -> Reason:
    """Return the reason in words.

    Args:
        code: which.
        fields: what its sentence needs; a missing one is a KeyError, found by the tests that walk all codes.
    """
    clause, detail, remedy = _TEXT[code]
    return Reason(code=code, clause=clause, detail=detail.format(**fields), remedy=remedy.format(**fields))
