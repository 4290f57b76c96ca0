"""The story from the first step to the last line."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import httpx

from core.clock import SystemClock
from core.instants import last_second
from story import expiry, life, linters, readme
from story.album import Album
from story.cast import Cast, Wrap, directly
from story.scene import Scene
from story.stage import Stage, refuse_live, stage_in, stage_with_clock
from story.telling import Stopped, Teller

PARTS = ("certificate", "expiry")
PATIENCE = 10.0
"""Seconds in which the authority must have done what follows from an act; it takes some hundredths of one."""


def play(teller: Teller, home: Path, second_home: Path, parts: Sequence[str], port: int | None = None) -> bool:
    """Play the parts that are wanted, lint everything, say the last line.

    Args:
        teller: tells.
        home: of the authority of the first part, and of the album.
        second_home: an empty folder for the authority with the test clock.
        parts: of PARTS.
        port: for an authority that is made in `home`.

    Returns:
        Whether every channel agreed.

    Raises:
        StoryRefused: it cannot be played here.
    """
    if (home / "ceremony").exists():
        refuse_live(home)
    day = expiry.last_day(SystemClock().now())
    start = last_second(day) - expiry.BEFORE_MIDNIGHT
    with ExitStack() as stack:
        second: Callable[[], Stage] | None = None
        if "expiry" in parts:  # its ceremony is held while the first part is played
            second = stack.enter_context(stage_with_clock(second_home, start))
        album = Album(home / "story")
        if "certificate" in parts:
            teller.part(
                "A certificate", "Asked for, granted by two officers, checked by everyone, revoked, checked again."
            )
            stage = stack.enter_context(stage_in(home, teller.note, port))
            play_life(teller, album, stage)
        if second is not None:
            teller.part(
                "An expiry", f"An authority of its own with a test clock; the approval ends on {day}, at 23:59:59 UTC."
            )
            _play_expiry(teller, album, second, day)
        teller.step("Every object by the linters of pkilint")
        teller.tell(linters.lint(album))
        readme.write(album)
        teller.note(f"{len(album.kept)} files are in {album.folder}; README.txt there says how to check them.")
    return teller.end()


def play_life(
    teller: Teller, album: Album, stage: Stage, *, wrap: Wrap = directly, following: float = PATIENCE
) -> None:
    """Play the first part on a stage; what fails is told."""
    with ExitStack() as stack:
        scene = _scene(teller, album, stage, stack, wrap, following)
        _guarded(teller, lambda: life.play(scene))


def _play_expiry(teller: Teller, album: Album, second: Callable[[], Stage], day: date) -> None:
    with ExitStack() as stack:
        stage = second()
        scene = _scene(teller, album, stage, stack, directly, PATIENCE)
        _guarded(teller, lambda: expiry.play(scene, stage.house, day))


def _scene(teller: Teller, album: Album, stage: Stage, stack: ExitStack, wrap: Wrap, following: float) -> Scene:
    cast = Cast(stage.credentials, stage.server, album, wrap)
    stack.callback(cast.close)
    stack.callback(stage.house.store.close)
    ahead = stage.house.row().clock_offset > timedelta(0)
    return Scene(
        teller=teller,
        album=album,
        cast=cast,
        trust=stage.trust,
        ceremony=stage.ceremony,
        server=stage.server,
        patience=PATIENCE,
        following=following,
        own_clock=ahead,
    )


def _guarded(teller: Teller, part: Callable[[], None]) -> None:
    """Play a part; what it could not go on without has been told, and a server that is gone is told here."""
    try:
        part()
    except Stopped:
        teller.note("This part of the story ends here.")
    except httpx.HTTPError as error:
        teller.prove("server", ok=False, detail=f"it does not answer ({type(error).__name__})")
