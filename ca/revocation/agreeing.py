"""Whether the entries of a list are, octet by octet, those that must be there; of those that are not, gate.py tells.

Each entry is written a second time, in the one form that is allowed (ca/revocation/rewritten.py), and compared. What
stood in the last list was compared when it came onto one, and is compared with that list. So a list costs what changed
in it, and the reading of a million octets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice

from ca import der as write
from ca.revocation.kept import Entries, beyond
from ca.revocation.octets import Cut, cut_apart, listed_in
from ca.revocation.rewritten import behind, entry
from core.approval import RevocationReason
from core.identifiers import serial_number
from core.status import Ending, Endings, Revoked

_AT_ONCE, _KNOWN = 512, 4_096
_SERIAL_OCTETS = 16
_GENERALIZED_FROM = 2050
"""Until then a date is UTCTime (RFC 5280, 4.1.2.5)."""


@dataclass(frozen=True, kw_only=True)
class Since:
    """What must be on a list, by the list before.

    Args:
        entries: of the list before, as the process kept them; they are compared with it.
        changed: everything that the list does not have as the one before had it; what it has so may be among them.
    """

    entries: Entries
    changed: Sequence[Revoked]


def followed(der: bytes, previous: bytes, since: Since, latest: datetime) -> list[Cut] | None:
    """Return one entry of each form that is new, if a list is the one before and what changed; None if it is not.

    Args:
        der: the list, which `cryptography` could read.
        previous: the one before, which it could read as well.
        since: what must be there.
        latest: no entry is dated later.
    """
    try:
        if not since.entries.stand_in(previous):
            return None
        new = {each.serial: each.octets for each in beyond(der, since.entries)}
        forms = _Forms()
        for each in since.changed:
            serial = serial_number(each.serial)
            octets = entry(serial, each.at, each.reason, each.invalidity_date)
            found = new.pop(serial, None)
            if each.at > latest or octets != (since.entries.find(serial) if found is None else found):
                return None
            if found is not None:
                forms.see(found, each)
    except ValueError:
        return None
    return None if new else forms.seen


def agreed(der: bytes, previous: bytes | None, register: Endings, latest: datetime) -> list[Cut] | None:
    """Return one entry of each form, if a list has what must be there and all that was before; None if not.

    Args:
        der: the list.
        previous: the one before; None if there is none.
        register: everything that must be there, in order of serials; read once and not kept.
        latest: no entry is dated later.
    """
    try:
        forms = _agreed(der, register, latest)
        if forms is not None and previous is not None:
            for _ in beyond(der, Entries.read(previous)):
                pass  # nothing is lost, or it says so
    except ValueError:
        return None
    return None if forms is None else forms.seen


def _agreed(der: bytes, register: Endings, latest: datetime) -> "_Forms | None":
    (at, ends), last = listed_in(der), 0
    forms, said = _Forms(), dict[Ending, bytes]()
    stream = iter(register)
    while some := list(islice(stream, _AT_ONCE)):
        written = []
        for text, ending in some:
            serial = serial_number(text)
            octets = said.get(ending)
            if serial <= last or (octets is None and ending.at > latest):
                return None
            last, size = serial, serial.bit_length() // 8 + 1
            if octets is None or size != _SERIAL_OCTETS:
                if len(said) >= _KNOWN:
                    said.clear()
                octets = said[ending] = behind(ending.at, ending.reason, ending.invalidity_date)
                forms.see(write.sequence(write.integer(serial), octets), ending)
            begins = _begins(size, len(octets))
            written.append(begins + serial.to_bytes(size, "big") + octets)
        together = b"".join(written)
        if not der.startswith(together, at, ends):
            return None
        at += len(together)
    return forms if at == ends else None


@lru_cache(maxsize=_KNOWN)
def _begins(serial: int, behind_it: int) -> bytes:
    """What stands before the number in an entry, by the octets that both have."""
    return write.header(0x30, 2 + serial + behind_it) + write.header(0x02, serial)


class _Forms:
    """One entry of each form: the same reason and members, the same kind of time, as many octets."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, bool, RevocationReason, bool], bytes] = {}

    def see(self, octets: bytes, said: Ending | Revoked) -> None:
        """Take an entry, unless one of its form was taken."""
        form = (len(octets), said.at.year < _GENERALIZED_FROM, said.reason, said.invalidity_date is not None)
        self._seen.setdefault(form, octets)

    @property
    def seen(self) -> list[Cut]:
        """What was taken, each with its place in a list of these alone."""
        together = b"".join(self._seen.values())
        return list(cut_apart(together, 0, len(together)))
