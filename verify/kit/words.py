"""The reasons against, in words: by code the clause, what is so, and what to do. Codes are stable."""

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str, str]] = {
    "not-issued-here": (
        "F2.25",
        "These bytes are not a certificate that this authority issued.",
        "Send the certificate exactly as it was fetched; one changed bit makes it another.",
    ),
    "unknown-approval": (
        "F2.25",
        "No approval with this identifier was ever granted here.",
        "Check the identifier and whether it belongs to the test or the live authority.",
    ),
    "unknown-serial": (
        "F2.25",
        "No certificate with this serial number was ever issued here.",
        "Check the serial number and whether it belongs to the test or the live authority.",
    ),
    "device-not-approved": (
        "F2.18",
        "No approval was ever granted for this device model.",
        "The Manufacturer can apply for a Trial Device Approval, or for a CPA Certificate.",
    ),
    "device-ambiguous": (
        "F2.18",
        "Several approved device models fit what was asked; they differ in: {fields}.",
        "Ask again and name these fields.",
    ),
    "not-granted-then": (
        "F2.25",
        "At that instant the approval had not been granted.",
        "Ask about an instant after {granted}.",
    ),
    "certificate-not-issued": (
        "F2.25",
        "The approval is granted and its certificate is not recorded yet.",
        "Ask again in a few seconds.",
    ),
    "not-yet-started": (
        "F2.27",
        "It holds from {start} on.",
        "Ask again from then on.",
    ),
    "revoked": (
        "F2.30",
        "The Security Sub-Committee revoked it at {ended}.",
        "Remove the device; the Manufacturer may apply again (F2.31).",
    ),
    "revoked-for-breach": (
        "F2.23",
        "The Security Sub-Committee revoked it at {ended} for the breach of a condition.",
        "Remove the device; the Manufacturer may apply again (F2.31).",
    ),
    "key-compromise": (
        "F2.30",
        "This certificate was cancelled at {ended} because its key was compromised.",
        "Ask by approval for the certificate that replaces it, if there is one.",
    ),
    "superseded": (
        "F2.29",
        "This certificate was replaced at {ended} by issue {later} of the same approval.",
        "Use the later certificate.",
    ),
    "withdrawn-at-request": (
        "F2.30",
        "The approval was ended at {ended} at the Manufacturer's request.",
        "Remove the device; the Manufacturer may apply again (F2.31).",
    ),
    "change-withdrawn": (
        "F2.29",
        "The change that this certificate was for was withdrawn at {ended}, before it began.",
        "Ask by approval for the certificate that holds.",
    ),
    "expired": (
        "F2.31",
        "It expired; its last second was {expiry}.",
        "Remove the device; the Manufacturer may apply again, or for a CPA Certificate.",
    ),
    "issuing-ca-ended": (
        "F2.25",
        "The issuing CA that signed this certificate was ended at {ended}: what it signed proves nothing any more.",
        "Ask by approval for the certificate that replaces it, as soon as there is one.",
    ),
    "firmware-not-approved": (
        "F2.25",
        "The approval does not name firmware version {version}.",
        "The Manufacturer can ask for an amendment that adds it (F2.29).",
    ),
    "firmware-hash-mismatch": (
        "F2.25",
        "The approval names firmware version {version} with another image.",
        "Compare the SHA-256 of the image with the one in the certificate.",
    ),
    "limit-reached": (
        "F2.21(d)",
        "{deployed} of {maximum} devices are deployed and this one is not among them.",
        "The Manufacturer can ask for an amendment of the limit (F2.29).",
    ),
    "end-disputed": (
        "F2.30",
        "No officer's own key has signed for that end: the authority disputes it, and no list states it.",
        "Treat it as ended, and ask the Security Sub-Committee, whose officers have an alarm.",
    ),
    "not-known-to-a-copy": (
        "F2.21(d)",
        "A copy does not know how many devices are deployed, nor which.",
        "Ask the authority about one unit.",
    ),
}
"""Fields of a sentence stand in braces."""


def said(code: str, fields: Mapping[str, object]) -> dict[str, str]:
    """Return a reason as an answer names it."""
    clause, detail, remedy = WORDS[code]
    return {
        "code": code,
        "clause": clause,
        "detail": detail.format_map(fields),
        "remedy": remedy.format_map(fields),
    }
