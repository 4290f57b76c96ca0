"""Answers that are found by the very octets of a question, without a look at what they say.

Whoever asks again asks in the same octets. So beside what is kept of an approval under what was meant (finished.py),
what was asked is held as it came: one look-up in a plain dict finds the answer, or its octets around the instants.
Each is held with the entry of the snapshot that it is about, and goes when that does.
"""

from datetime import datetime
from typing import TypeAlias

from api.status.exchange import Reply
from api.status.lasting import Instants

LONGEST = 4 * 1024
"""Octets of a question that is held as it came: a certificate's has 1,300, and none of ours is longer than that."""

Told: TypeAlias = tuple[datetime, datetime, Instants, bytes, bytes]
"""A verification: since when and until before when it holds, its instants, and the octets before and after these."""

Shown: TypeAlias = tuple[datetime, datetime, Reply]
"""An answer of OCSP: since when and until before when it holds, and the whole of it."""


class Ready:
    """What is at hand for the snapshots that follow one another: by a question's body, and by an OCSP request's octets
    or the path in which it came. It is looked into without a lock, and changed under the guard of finished.py alone.
    """

    __slots__ = ("questions", "requests")

    def __init__(self) -> None:
        self.questions: dict[bytes, Told] = {}
        self.requests: dict[bytes | str, Shown] = {}
