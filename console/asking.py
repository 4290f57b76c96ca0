"""What a Manufacturer types into the request for an amendment, read into the command that the use case takes."""

import re

from console.forms import field
from core.approval import Firmware
from core.days import read_day
from core.errors import BodyMalformed
from core.words import required
from ra.applying.request_amendment import RequestAmendment

_DIGITS = re.compile(r"[0-9]{1,9}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FIRMWARE = re.compile(r"(\S{1,200})\s+([0-9A-Fa-f]{64})")
LONGEST_WORDS = 10_000
MOST_LINES = 1_000


def amendment(approval: str) -> RequestAmendment:
    """Return what is asked to be amended.

    Raises:
        BodyMalformed, DayAmbiguous, InstantMalformed, NothingSaid: a field that cannot be read, and which.
    """
    start, expiry, limit = field("start"), field("expiry"), field("maximum_devices").replace(",", "")
    if limit and not _DIGITS.fullmatch(limit):
        raise BodyMalformed(detail="the limit is a whole number, such as 500")
    return RequestAmendment(
        approval=approval,
        reasons=words("reasons", needed=True),
        start=read_day(start, field="first day") if start else None,
        expiry=read_day(expiry, field="last day") if expiry else None,
        maximum_devices=int(limit) if limit else None,
        firmware_added=_added(words("firmware_added")),
        firmware_removed=tuple(dict.fromkeys(words("firmware_removed").split()))[:MOST_LINES],
        other=words("other"),
    )


def words(name: str, *, needed: bool = False) -> str:
    """Return words for people; refused where they are too long, no text, or needed and not there."""
    said = field(name).replace("\r\n", "\n")
    if len(said) > LONGEST_WORDS:
        raise BodyMalformed(detail=f"{name} has {len(said):,} characters, and {LONGEST_WORDS:,} are the most")
    if _CONTROLS.search(said):
        raise BodyMalformed(detail=f"{name} has characters that are no text")
    return required(said, of=name) if needed else said


def _added(said: str) -> tuple[Firmware, ...]:
    found = []
    for place, each in enumerate(filter(None, map(str.strip, said.split("\n"))), 1):
        read = _FIRMWARE.fullmatch(each)
        if read is None or place > MOST_LINES:
            raise BodyMalformed(
                detail=f"line {place} of the new firmware is not a version and the SHA-256 of its image"
            )
        found.append(Firmware(read[1], read[2].lower()))
    return tuple(found)
