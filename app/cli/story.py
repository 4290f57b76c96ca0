"""`trialcpa story`: the whole life of a certificate, each step with its proof."""

import logging
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


@click.command(epilog="\b\nExamples:\n  trialcpa story --home var\n  trialcpa story --only expiry --home /tmp/trial")
@home_option
@click.option("--only", type=click.Choice(PARTS), help="Play one of its two parts.")
def story(home: Path | None, only: str | None) -> None:
    """Play the whole life of a certificate, and prove each step.

    Against the server that runs in the home; on its own where none runs, in a TEST authority that it makes if there
    is none. Part one (certificate): a request by openssl, two officers, a certificate, every channel says active; then
    a revocation, and every channel says cancelled. Part two (expiry): in an authority of its own with a test clock, an
    approval is carried over its last second. openssl, GnuTLS and pkilint check everything.

    Every object and exchange is written to HOME/story; README.txt there says how to check them. The last line says
    whether every channel agrees; the exit status is 1 if not.
    """
    require_tools()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the album tells of every exchange
    teller = Teller()
    with tempfile.TemporaryDirectory(prefix="trialcpa-story-") as second_home:
        agreed = play(teller, home_of(home), Path(second_home), PARTS if only is None else (only,))
    if not agreed:
        raise SystemExit(EXIT_DISAGREE)
