"""The public register as one file: what the log says of every approval at a checkpoint, in the canonical form.

Whoever has the same documents writes the same octets: the authority, which has them signed, and whoever serves them.
"""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.canonical import canonical


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Of which moment a register is.

    Args:
        log: the origin of the log.
        size: rows of the journal, which are the leaves of its tree.
        root: of that tree.
        at: when its last row was sealed, RFC 3339 text.
    """

    log: str
    size: int
    root: bytes
    at: str


class Writing:
    """A register as it is written, some documents after others (RFC 8785: members in their order, nothing between).

    Args:
        moment: of which it is the register.
    """

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._before = '{"approvals":['

    def add(self, documents: Sequence[str]) -> bytes:
        """Return the octets of some documents, in the canonical form and in order of identifiers."""
        if not documents:
            return b""
        octets = f"{self._before}{','.join(documents)}".encode()
        self._before = ","
        return octets

    def end(self) -> bytes:
        """Return the octets behind the last document."""
        moment = self._moment
        root = base64.b64encode(moment.root).decode("ascii")
        said = canonical({"at": moment.at, "log": moment.log, "root": root, "size": moment.size})
        return ("" if self._before == "," else self._before).encode() + b"]," + said[1:]


def register_octets(pages: Iterable[Sequence[str]], moment: Moment) -> Iterator[bytes]:
    """Yield a register page by page.

    Args:
        pages: of each approval the last document, in the canonical form, by identifier.
        moment: of which it is the register.
    """
    writing = Writing(moment)
    for each in pages:
        yield writing.add(each)
    yield writing.end()
