"""What a part of the story is played with."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import InstantMalformed
from core.instants import parse
from story.album import Album
from story.cast import Cast
from story.telling import Teller
from story.tools import Tools
from verify.fetched import Subject, Trust

_BETWEEN = 0.02
"""Seconds between two looks."""


@dataclass(frozen=True)
class Scene:
    """An authority with its people, and where everything is told and kept.

    Args:
        teller: tells.
        album: keeps.
        cast: acts.
        trust: the root, had from the home and not from the server; environment and arc.
        ceremony: the folder with its transcript, of the home.
        server: where the server listens.
        patience: seconds in which the authority must have done what follows from an act.
        following: seconds in which every channel must say that something was revoked.
        own_clock: the authority's clock runs ahead of this machine's, so tools see it through faketime.
    """

    teller: Teller
    album: Album
    cast: Cast
    trust: Trust
    ceremony: Path
    server: str
    patience: float
    following: float
    own_clock: bool

    def now(self) -> datetime:
        """Return the authority's instant, as it says itself."""
        said = self.cast.dcc.act("GET", "/v1/authority")
        try:
            return parse(said.text("now"))
        except InstantMalformed:
            self.teller.need("authority", ok=False, detail=said.problem)
            raise

    def wait(self, until: Callable[[], bool], patience: float | None = None) -> float | None:
        """Look again and again until something is so; of the looks only the last is noted.

        Args:
            until: whether it is.
            patience: seconds, if not the scene's.

        Returns:
            How many milliseconds it took; None if patience ran out.
        """
        begun, noted = time.monotonic(), self.album.noted
        while True:
            self.album.rewind(noted)
            if until():
                return (time.monotonic() - begun) * 1000
            if time.monotonic() - begun > (self.patience if patience is None else patience):
                return None
            time.sleep(_BETWEEN)

    def tools_at(self, at: datetime) -> Tools:
        """Return the tools as they must see the time: the machine's own, or `at`."""
        return Tools(at if self.own_clock else None)


@dataclass(frozen=True)
class Granted:
    """A certificate that was issued in the story, with the files that tools need.

    Args:
        subject: what all channels are asked about.
        leaf, issuing, root, chain: PEM; the chain is all of them in order.
    """

    subject: Subject
    leaf: Path
    issuing: Path
    root: Path
    chain: Path

    @property
    def approval(self) -> str:
        """The approval identifier."""
        return self.subject.approval
