"""A whole trial, from an application with something missing to a new application after the end."""

import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import httpx

from core.clock import SystemClock
from story.album import Album
from story.cast import Cast
from story.followed import tell_everything_follows
from story.scene import Scene
from story.section_f import amending, applying, deploying, ending, granting, readme
from story.section_f.dates import dates
from story.section_f.mailroom import Mailroom
from story.section_f.panel import List
from story.section_f.stage import PATIENCE, Trial, authority
from story.stage import free_port
from story.telling import Stopped, Teller

FOLDER = "story-section-f"


def play(teller: Teller, home: Path) -> bool:
    """Play it in an authority of its own, which is gone afterwards; its files stay in `home`.

    Args:
        teller: tells.
        home: the folder in which the album is left, as `story-section-f`.

    Returns:
        Whether everything was as it should be.
    """
    days = dates(SystemClock().now())
    with ExitStack() as stack:
        album = Album(home / FOLDER)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trialcpa-section-f-")))
        room = stack.enter_context(Mailroom(folder, free_port()))
        teller.part(
            "A trial under Section F",
            f"An authority of its own, with a test clock from {days.applied:%-d %B %Y} on, and a real mail server.",
        )
        stage = stack.enter_context(authority(folder / "home", days.applied, room, teller))
        cast = Cast(stage.credentials, stage.server, album)
        stack.callback(cast.close)
        stack.callback(stage.house.store.close)
        ahead = stage.house.row().clock_offset > timedelta(0)
        scene = Scene(
            teller=teller,
            album=album,
            cast=cast,
            trust=stage.trust,
            ceremony=stage.ceremony,
            server=stage.server,
            patience=PATIENCE,
            following=PATIENCE,
            own_clock=ahead,
        )
        try:
            _play(Trial(scene=scene, stage=stage, room=room, dates=days))
        except Stopped:
            teller.note("The story ends here.")
        except httpx.HTTPError as error:
            teller.prove("server", ok=False, detail=f"it does not answer ({type(error).__name__})")
        readme.write(album, days)
        teller.note(f"{len(album.kept)} files are in {album.folder}; README.txt there says what they are.")
    return teller.end()


def _play(trial: Trial) -> None:
    teller = trial.teller
    held: List = {}
    teller.step("The Manufacturer applies; an Assurance Certificate is missing (F2.18, F2.19)")
    application, csr = applying.incomplete(trial)
    teller.step("The SSC requires something more; it is evidenced and met (F2.20)")
    applying.required(trial, application)
    teller.step("A second application is refused, with reasons (F2.24)")
    applying.refused(trial)

    teller.step("The first is granted: the notices, and the certificate with them (F2.21, F2.22, F2.25)")
    made = granting.granted(trial, application, csr)
    approval = made.approval
    teller.step("The start date: the Panel adds the device to the list (F2.26, F2.27)")
    granting.started(trial, made, held)

    teller.step("The DCC reports devices, up to the limit (F2.28(d), F2.21(d))")
    deploying.up_to_the_limit(trial, approval)
    teller.step("One device more than the limit: recorded, and a breach suspected (F2.23)")
    breach = deploying.over_the_limit(trial, approval)
    teller.step("The Manufacturer asks for another firmware version and more time (F2.29)")
    serial = amending.amended(trial, made, held)

    teller.step("The breach is confirmed: a revocation is owed (F2.23)")
    deploying.confirmed(trial, breach, approval)
    teller.step("The DCC's monthly report (F2.28)")
    ending.report(trial, approval)

    teller.step("The approval is revoked for the breach, and leaves the list (F2.30, F2.31)")
    ending.revoked(trial, made, serial, breach, held)
    teller.step("The Manufacturer applies again (F2.31)")
    ending.again(trial, approval)
    teller.step("Everything in the register follows from the journal, row by row")
    tell_everything_follows(trial.scene)
