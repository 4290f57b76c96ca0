"""Answers that are found by the very octets of a question, without a look at what they say.

Whoever asks again asks in the same octets. So beside what is kept of an approval under what was meant (finished.py),
what was asked is held as it came: one look-up in a plain dict finds the answer, or its octets around the instants.
Each is held with the entry of the snapshot that it is about, and goes when that does.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from api.status.exchange import Reply
from api.status.lasting import Instants

if TYPE_CHECKING:
    from api.status.template import Template

LONGEST = 4 * 1024
"""Octets of a question that is held as it came: a certificate's has 1,300, and none of ours is longer than that."""

Told: TypeAlias = tuple[datetime, datetime, Instants, bytes, bytes]
"""A verification: since when and until before when it holds, its instants, and the octets before and after these."""

Shown: TypeAlias = tuple[datetime, datetime, Reply]
"""An answer of OCSP: since when and until before when it holds, and the whole of it."""


Named: TypeAlias = "tuple[datetime, datetime, Template]"
"""An answer about what a batch names: since when and until before when it holds, and the answer."""


class Ready:
    """What is at hand for the snapshots that follow one another.

    It is looked into without a lock, and changed under the guard of finished.py alone. Whoever may not be answered from
    a later snapshot than their own looks at `turn` after they have found something.
    """

    __slots__ = ("named", "questions", "requests", "turn")

    def __init__(self) -> None:
        self.questions: dict[bytes, Told] = {}
        """By a question's body."""
        self.requests: dict[bytes | str, Shown] = {}
        """By an OCSP request's octets, or by the path in which it came."""
        self.named: Mapping[str, dict[str, Named]] = {"approval": {}, "serial": {}}
        """By what a batch calls it, and its name."""
        self.turn = 0
        """Grows before an entry of a snapshot ends; each snapshot has its own."""
