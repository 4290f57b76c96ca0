"""`trialcpa init`: the ceremony."""

from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from app import settings as settings_file
from app.cli.ceremony import give_again, make, planned, require_sound
from app.cli.demo import make_demo, write_demo_credentials
from app.cli.officers_named import members_named
from app.cli.options import INSTANT, home_option
from app.house import home_of
from core.identifiers import Environment
from officers.roster import ADVISED


@click.command(epilog="\b\nExample:\n  trialcpa init --test --home var")
@home_option
@click.option(
    "--test", "environment", flag_value="test", help="A test authority: TEST in every name, TDT- identifiers."
)
@click.option("--live", "environment", flag_value="live", help="A live authority; refuses example values.")
@click.option("--name", help="Its name in every subject; a test authority's begins with TEST.")
@click.option("--arc", help="The object identifier arc; a live authority needs its own.")
@click.option("--base-url", help="The public base, fixed for ever: certificates carry it.")
@click.option("--port", type=click.IntRange(1, 65535), default=settings_file.DEFAULT_PORT, show_default=True)
@click.option("--store", "store_url", help="PostgreSQL URL; default: an SQLite file in the home.")
@click.option("--passphrase", help="file:PATH (from this folder), fd:N or prompt; never the passphrase itself.")
@click.option("--root-passphrase", help="The same for the root's key; default: as --passphrase.")
@click.option("--root-dir", type=click.Path(file_okay=False, path_type=Path), help="Where the root's key goes.")
@click.option("--keys", "keys_file", type=click.Path(dir_okay=False), help="TOML: keys in tokens (docs/keys.md).")
@click.option("--longest-trial-days", type=click.IntRange(1, 3660), default=731, show_default=True)
@click.option(
    "--officer", multiple=True, metavar="NAME=PUBLIC.pem", help="On the roster: two at least, three advised; repeat it."
)
@click.option("--test-clock", type=INSTANT, help="Start a test authority's clock at this instant.")
@click.option("--production", is_flag=True, help="Give each file to its process's user, as root.")
@click.option("--demo", is_flag=True, help="Also make API and officers' keys for trying it out, in HOME/demo.")
def init(
    *,
    home: Path | None,
    environment: Environment | None,
    officer: tuple[str, ...],
    production: bool,
    demo: bool,
    **chosen: object,
) -> None:
    """Hold the ceremony: keys, root, issuing CA, OCSP responder, first CRLs.

    With --production alone, what is there is given to its users again.
    """
    if production and environment is None:
        give_again(home_of(home))
        return
    if environment is None:
        raise click.UsageError("Say --test or --live.")
    if demo and environment != "test":
        raise click.UsageError("--demo makes keys for trying things out; a live authority has none.")
    if demo and officer:
        raise click.UsageError("--demo makes the officers' keys itself: leave out --officer.")
    plan = replace(planned(home_of(home), environment, **chosen), production=production)
    require_sound(plan)
    if environment == "live" and not officer:
        raise click.UsageError("A live authority has no defaults for --officer: name two officers' public keys.")
    roster = members_named(officer)
    transcript = make_demo(plan) if demo else make(replace(plan, roster=roster))
    if roster and len({each.officer for each in roster}) < ADVISED:
        click.echo("Warning: with two officers one lost key stops everything; three are advised.", err=True)
    if demo:
        write_demo_credentials(plan.home)
    console = Console()
    console.print(transcript, highlight=False, markup=False)
    console.print(f"The transcript is in {plan.home / 'ceremony' / 'transcript.txt'}.", soft_wrap=True)
