"""The authority of the trial: a TEST authority of its own, with a test clock, that knows the story's mail server."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.cli.ceremony import planned
from app.cli.clock import set_clock
from app.cli.demo import make_demo, write_demo_credentials
from app.house import OFFSET_SECONDS
from app.settings import FILE_NAME
from story.album import Album
from story.cast import Cast
from story.scene import Scene
from story.section_f.dates import Dates
from story.section_f.mailroom import HOST, Mailroom
from story.stage import Stage, free_port, stage_in
from story.telling import Teller

ADDRESSES: Mapping[str, str] = {
    "manufacturer": "trials@metering.example",
    "dcc": "trials@dcc.example",
    "panel": "cpl@panel.example",
    "ssc": "officers@ssc.example",
}
"""Where mail goes; a Manufacturer's is the contact that its application names."""

SENDER = "notices@ssc.example"

PATIENCE = 20.0
"""Seconds in which authority and courier must have done what follows from an act, also after the clock has leapt."""


_EVERYBODY = 3 * OFFSET_SECONDS
"""Seconds after which every clock in every process has asked how far it runs ahead."""


@dataclass(frozen=True)
class Trial:
    """What every step of the trial is played with.

    Args:
        scene: teller, album and people.
        stage: the authority.
        room: the mail server.
        dates: when what happens.
    """

    scene: Scene
    stage: Stage
    room: Mailroom
    dates: Dates

    @property
    def teller(self) -> Teller:
        """Tells."""
        return self.scene.teller

    @property
    def album(self) -> Album:
        """Keeps."""
        return self.scene.album

    @property
    def cast(self) -> Cast:
        """Acts."""
        return self.scene.cast

    def until(self, at: datetime) -> None:
        """Let it be `at`, or a moment later if that has come; every process knows when this returns."""
        if self.scene.now() < at:
            set_clock(self.stage.house, at)
            self.scene.wait(lambda: self.scene.now() >= at)
            time.sleep(_EVERYBODY)
        self.album.take()


@contextmanager
def authority(home: Path, start: datetime, room: Mailroom, teller: Teller) -> Iterator[Stage]:
    """Make the authority in an empty home with its clock at `start`, and serve it."""
    make_demo(planned(home, "test", port=free_port(), test_clock=start))
    with (home / FILE_NAME).open("a", encoding="utf-8") as file:
        file.write(_mail(room))
    write_demo_credentials(home)
    with stage_in(home, teller.note) as stage:
        yield stage


def _mail(room: Mailroom) -> str:
    lists = "".join(f'{name} = ["{ADDRESSES[name]}"]\n' for name in ("ssc", "dcc", "panel"))
    return (
        f'\n[mail]\nhost = "{HOST}"\nport = {room.port}\ntls = "starttls"\nsender = "{SENDER}"\n'
        f'ca_file = "{room.ca_file.resolve()}"\n{lists}'
    )
