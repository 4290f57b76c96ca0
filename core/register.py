"""The public register as one file: what the log says of every approval at a checkpoint, in the canonical form.

Whoever has the same documents writes the same octets: the authority, which has them signed, and whoever serves them.
"""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.canonical import canonical

_PIECE = 64 * 1024
"""Characters that are handed on together."""


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


def register_octets(documents: Iterable[str], moment: Moment) -> Iterator[bytes]:
    """Yield the register, piece by piece (RFC 8785: members in their order, nothing between them).

    Args:
        documents: of each approval the last one, in the canonical form, by identifier.
        moment: of which it is the register.
    """
    held, length = ['{"approvals":['], 0
    between = ""
    for each in documents:
        held += (between, each)
        between, length = ",", length + len(each) + 1
        if length > _PIECE:
            yield "".join(held).encode()
            held, length = [], 0
    root = base64.b64encode(moment.root).decode("ascii")
    said = canonical({"at": moment.at, "log": moment.log, "root": root, "size": moment.size})
    yield "".join(held).encode() + b"]," + said[1:]
