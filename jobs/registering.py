"""registering: what a process of the authority knows of the public register, which it signs (jobs/register.py)."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from core.merkle import Frontier
from core.register import Moment, Writing
from store.reading.register import SignedRegister


@dataclass
class Pass:
    """The register as it is read from the first document to the last, over as many turns as that takes.

    Args:
        moment: of which it is.
    """

    moment: Moment
    after: str = ""
    found: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._writing = Writing(self.moment)
        self._digest = hashlib.sha256()

    def add(self, page: list[tuple[str, str]]) -> None:
        """Read some documents, each with its approval.

        Raises:
            ValueError: one of them is another approval's.
        """
        for approval, document in page:
            # Canonical, so that this member is the first. Else one approval could have two documents, an old one too.
            if not document.startswith(f'{{"approval":"{approval}",'):
                raise ValueError(approval)
        self._digest.update(self._writing.add([document for _, document in page]))
        self.found |= {approval: digest_of(document) for approval, document in page}
        self.after = page[-1][0]

    def end(self) -> bytes:
        """Return the digest of all of it."""
        self._digest.update(self._writing.end())
        return self._digest.digest()


@dataclass
class Registering:
    """What is known of the register: of each approval the digest of the document that a proved row carried last.

    Args:
        log: of which log; a restore begins another one.
        edge: of the tree of the rows that were read; what they carry is `said`.
        said: by approval.
        at: when the last of these rows was sealed, RFC 3339 text.
        reading: the pass that is under way; None if none is.
        begun: whether what was remembered was read again.
        shown: what the register was seen to have.
        refused: when it was not what was signed for, and what is said of that; None if it was.
    """

    log: str = ""
    edge: Frontier = field(default_factory=Frontier)
    said: dict[str, bytes] = field(default_factory=dict)
    at: str = ""
    reading: Pass | None = None
    begun: bool = False
    shown: SignedRegister | None = None
    refused: tuple[datetime, str] | None = None

    def anew(self, log: str) -> None:
        """Know nothing, of a log."""
        self.log, self.edge, self.said, self.at = log, Frontier(), {}, ""
        self.reading, self.begun, self.shown, self.refused = None, False, None, None


def digest_of(document: str) -> bytes:
    """Return what is kept of a document."""
    return hashlib.sha256(document.encode()).digest()
