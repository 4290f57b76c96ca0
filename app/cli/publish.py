"""`trialcpa publish`: lists, answers and certificates as files that any web server carries."""

from pathlib import Path

import click

from app.cli import shown
from app.cli.options import home_option
from app.house import home_of, open_house
from app.settings import load
from app.stopping import stopped_by_signal
from published.lists import made_again


@click.command(
    epilog="\b\nExample:\n  trialcpa publish /srv/trialcpa --home var\n"
    "  trialcpa publish /srv/trialcpa --list KEY 7 -o 7.crl"
)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@home_option
@click.option("--once", is_flag=True, help="End when everything is published.")
@click.option(
    "--list", "which", nargs=2, type=(str, click.IntRange(1)), metavar="KEY NUMBER", help="Make an old list again."
)
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="Where that goes.")
def publish(
    folder: Path,
    home: Path | None,
    once: bool,  # noqa: FBT001 - click
    which: tuple[str, int] | None,
    output: Path | None,
) -> None:
    """Keep in DIR what the service answers: lists, OCSP answers, certificates.

    It needs no key: only to read the register. deploy/nginx-files.conf serves the folder. Until Ctrl-C it follows;
    nothing in DIR is ever replaced or removed but what it wrote.
    """
    if which is not None:
        shown.to_file(made_again(folder, *which), output or Path(f"{which[1]}.crl"))
        return
    house = open_house(load(home_of(home)))
    from app.publisher import publish as keep  # noqa: PLC0415 - an old list is made again without a register

    try:
        keep(house, folder.resolve(), stopped_by_signal(), once=once, say=click.echo)
    finally:
        house.close()
