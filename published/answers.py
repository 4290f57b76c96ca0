"""OCSP answers as GET asks for them (RFC 5019, 5): the request in base64 is the name of the file.

Of each certificate there are two, for SHA-1 and SHA-256, of the request that nearly everybody writes: one CertID, the
hash's parameters NULL. A file is there exactly as long as the service gives this answer; what was answered and is no
more is kept under answers/SERIAL/ if anybody has read it.
"""

import base64
import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from api.status.ocsp import choose
from api.status.shapes import CertId
from api.status.snapshot import Snapshot
from core.approval import CertificateRecord
from core.identifiers import Serial
from core.instants import ONE_SECOND, from_seconds
from core.mirror import SignedAnswer
from core.status import certificate_end
from published.folder import File, Folder

AT_ONCE = 200
"""Approvals whose answers are written in one turn; where there are more, the next turn follows at once."""

_INDEX = "index.html"
"""What servers look for under a name that ends with a slash, as base64 may."""


class Answers:
    """Publishes what the responder answers.

    Args:
        folder: where.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._changed: dict[str, None] = {}
        self._others: dict[str, None] = {}
        self._turns: list[tuple[datetime, str]] = []

    def touched(self, approvals: Iterable[str]) -> None:
        """Hear of approvals of which other things may be answered now; they come before all that waits."""
        self._changed.update(dict.fromkeys(approvals))

    def anew(self, approvals: Iterable[str]) -> None:
        """Hear of approvals that are to be looked at when nothing has changed: at the start, and after a restore."""
        self._others.update(dict.fromkeys(approvals))

    def turn(self, view: Snapshot, now: datetime) -> bool:
        """Write the answers of some approvals; return whether there are more.

        Args:
            view: what is known.
            now: the present instant.
        """
        while self._turns and self._turns[0][0] <= now:
            self._changed[heapq.heappop(self._turns)[1]] = None
        some = [each for each, _ in zip([*self._changed, *self._others], range(AT_ONCE), strict=False)]
        put_by, files, gone = list[File](), list[File](), list[str]()
        for approval in some:
            for each in _answers(view, approval, now):
                put_by += self._put_by(each)
                if each.answer is None:
                    gone.append(each.name)
                else:
                    files.append(File(name=each.name, octets=each.answer.der, at=each.answer.this_update))
            again = _turn(view, approval, now)
            if again is not None:
                heapq.heappush(self._turns, (again, approval))
        self._folder.keep(put_by)  # before what takes its place
        self._folder.keep(files)
        self._folder.remove(gone)
        for approval in some:
            self._changed.pop(approval, None)
            self._others.pop(approval, None)
        return bool(self._changed or self._others)

    def _put_by(self, asked: "_Answer") -> Iterator[File]:
        """Yield what is in a file that is about to go, under a name for ever, if anybody has read it."""
        there = self._folder.says(asked.name)
        if there is None or (asked.answer is not None and there == asked.answer.der):
            return
        since = self._folder.written_at(asked.name, there)
        if since is not None and self._folder.was_read(asked.name):
            at = from_seconds(since)
            name = f"answers/{asked.serial}/{asked.hash_name}-{at:%Y%m%dT%H%M%SZ}-{len(there)}.ors"
            yield File(name=name, octets=there, at=at)


class _Answer(NamedTuple):
    """What is answered to one request; None if there is no signed answer."""

    name: str
    serial: Serial
    hash_name: str
    answer: SignedAnswer | None


def name_of(request: bytes) -> str:
    """Return the name under which a server looks for the answer of GET /ocsp/REQUEST."""
    encoded = base64.b64encode(request).decode("ascii")
    path = "/".join(part for part in encoded.split("/") if part)
    return f"ocsp/{path}/{_INDEX}" if encoded.endswith("/") else f"ocsp/{path}"


def requests(view: Snapshot, serial: Serial) -> Iterator[tuple[bytes, CertId]]:
    """Yield the requests about a certificate as nearly everybody writes them, with what each says of the issuer."""
    longest: dict[CertId, bytes] = {}
    for beginnings in view.shapes.values():
        for beginning, issuer in beginnings.items():
            # Of the two ways to write the hash the longer one has the parameters NULL.
            longest[issuer] = max(beginning, longest.get(issuer, b""), key=len)
    for issuer, beginning in longest.items():
        yield beginning + bytes.fromhex(serial), issuer


def _answers(view: Snapshot, approval: str, now: datetime) -> Iterator[_Answer]:
    for certificate in _certificates(view, approval):
        for request, issuer in requests(view, certificate.serial):
            found = choose(view, issuer, int(certificate.serial, 16), now)
            answer = None if isinstance(found, bytes) else found[0]
            yield _Answer(name_of(request), certificate.serial, issuer[0], answer)


def _turn(view: Snapshot, approval: str, now: datetime) -> datetime | None:
    """Return when something else is answered though nothing is written: something has come to its end."""
    held = view.approvals.get(approval)
    if held is None:
        return None
    ends = [certificate_end(each).at for each in _certificates(view, approval)]
    answers = (instant for each in held.answers for instant in (each.this_update, each.next_update + ONE_SECOND))
    return min((each for each in (*ends, *answers) if each > now), default=None)


def _certificates(view: Snapshot, approval: str) -> Iterable[CertificateRecord]:
    held = view.approvals.get(approval)
    return () if held is None else held.record.certificates
