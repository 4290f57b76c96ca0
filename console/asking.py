"""What a Manufacturer types into the request for an amendment, read into the command that the use case takes."""

import re

from console.forms import field
from console.typed import firmware_added, words
from core.days import read_day
from core.errors import BodyMalformed
from core.limits import MOST_FIRMWARE
from core.words import required
from ra.applying.request_amendment import RequestAmendment

_DIGITS = re.compile(r"[0-9]{1,9}")


def amendment(approval: str) -> RequestAmendment:
    """Return what is asked to be amended.

    Raises:
        BodyMalformed, DayAmbiguous, InstantMalformed, NothingSaid: a field that cannot be read, and which.
    """
    start, expiry, limit = field("start"), field("expiry"), field("maximum_devices").replace(",", "")
    if limit and not _DIGITS.fullmatch(limit):
        raise BodyMalformed(detail="the limit is a whole number, such as 500")
    removed = tuple(dict.fromkeys(words("firmware_removed").split()))
    if len(removed) > MOST_FIRMWARE:
        raise BodyMalformed(detail=f"more than {MOST_FIRMWARE} versions of firmware are to be taken away")
    return RequestAmendment(
        approval=approval,
        reasons=required(words("reasons"), of="reasons"),
        start=read_day(start, field="first day") if start else None,
        expiry=read_day(expiry, field="last day") if expiry else None,
        maximum_devices=int(limit) if limit else None,
        firmware_added=firmware_added(),
        firmware_removed=removed,
        other=words("other"),
    )
