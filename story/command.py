"""`trialcpa story`: the whole life of a certificate, each step with its proof."""

import logging
import signal
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import click

from app.cli.options import home_option
from app.house import home_of
from story.play import PARTS, play
from story.telling import Teller
from story.tools import require_extra, require_tools

EXIT_DISAGREE = 1
"""Something did not say what it should; the last line names it."""

EXIT_STOPPED = 143
"""Stopped by SIGTERM, as a shell reports it."""


@click.command(epilog="\b\nExample:\n  trialcpa story --home var")
@home_option
@click.option("--port", type=click.IntRange(1, 65535), help="For an authority that it makes.")
@click.option("--only", type=click.Choice(PARTS), help="Play one of its two parts.")
@click.option("--section-f", is_flag=True, help="Play a whole trial under Section F instead.")
def story(home: Path | None, port: int | None, only: str | None, section_f: bool) -> None:  # noqa: FBT001 - click
    """Play the whole life of a certificate, and prove each step.

    Against the server that runs in the home; where none runs, in a TEST authority that it makes. Certificate: granted,
    every channel says active; revoked, every channel says cancelled. Expiry: carried over its last second, under a test
    clock of its own. openssl, GnuTLS and pkilint check everything.

    Every object and exchange is in HOME/story (HOME/story-section-f) afterwards. The last line says whether every
    channel agrees; else the exit status is 1.
    """
    require_tools()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_STOPPED))  # in order: what was started is stopped
    for name in ("httpx", "mail.log"):
        logging.getLogger(name).setLevel(logging.WARNING)  # the album tells of every exchange
    teller = Teller()
    if section_f:
        if port is not None or only is not None:
            raise click.UsageError("--section-f makes an authority of its own and is played whole.")
        require_extra()
        from story.section_f import play as section_f_story  # noqa: PLC0415 - its mail server is of the extra

        _exit(section_f_story.play(teller, home_of(home)))
    with tempfile.TemporaryDirectory(prefix="trialcpa-story-") as second_home:
        agreed = play(teller, home_of(home), Path(second_home), PARTS if only is None else (only,), port)
    _exit(agreed)


def _exit(agreed: bool) -> NoReturn:  # noqa: FBT001 - it is what is told
    raise SystemExit(0 if agreed else EXIT_DISAGREE)
