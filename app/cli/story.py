"""`trialcpa story`: the whole life of a certificate, each step with its proof."""

import logging
import signal
import sys
import tempfile
from pathlib import Path

import click

from app.cli.options import home_option
from app.house import home_of
from app.story.play import PARTS, play
from app.story.telling import Teller
from app.story.tools import require_tools

EXIT_DISAGREE = 1
"""Something did not say what it should; the last line names it."""

EXIT_STOPPED = 143
"""Stopped by SIGTERM, as a shell reports it."""


@click.command(epilog="\b\nExample:\n  trialcpa story --home var")
@home_option
@click.option("--port", type=click.IntRange(1, 65535), help="For an authority that it makes.")
@click.option("--only", type=click.Choice(PARTS), help="Play one of its two parts.")
def story(home: Path | None, port: int | None, only: str | None) -> None:
    """Play the whole life of a certificate, and prove each step.

    Against the server that runs in the home; on its own where none runs, in a TEST authority that it makes if there is
    none. Certificate: granted, every channel says active; revoked, every channel says cancelled. Expiry: carried over
    its last second, under a test clock of its own. openssl, GnuTLS and pkilint check everything.

    Every object and exchange is written to HOME/story. The last line says whether every channel agrees; else the exit
    status is 1.
    """
    require_tools()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_STOPPED))  # in order: what was started is stopped
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the album tells of every exchange
    teller = Teller()
    with tempfile.TemporaryDirectory(prefix="trialcpa-story-") as second_home:
        agreed = play(teller, home_of(home), Path(second_home), PARTS if only is None else (only,), port)
    if not agreed:
        raise SystemExit(EXIT_DISAGREE)
