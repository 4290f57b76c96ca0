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
@click.option("--test", "environment", flag_value="test", help="TEST in every name, TDT- identifiers.")
@click.option("--live", "environment", flag_value="live", help="A live authority; refuses example values.")
@click.option("--name", metavar="NAME", help="In every subject; a test one's begins with TEST.")
@click.option("--arc", metavar="OID", help="Object identifier arc; a live one needs its own.")
@click.option("--base-url", metavar="URL", help="The public base, fixed for ever by certificates.")
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(1, 65535),
    default=settings_file.DEFAULT_PORT,
    show_default=True,
    help="Where web listens.",
)
@click.option("--store", "store_url", metavar="URL", help="PostgreSQL; default: an SQLite file in the home.")
@click.option("--passphrase", metavar="FROM", help="file:PATH (from this folder), fd:N or prompt.")
@click.option("--root-passphrase", metavar="FROM", help="The root key's; default: as --passphrase.")
@click.option(
    "--root-dir", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Where the root's key goes."
)
@click.option(
    "--keys", "keys_file", metavar="FILE", type=click.Path(dir_okay=False), help="Keys in tokens (docs/keys.md)."
)
@click.option(
    "--longest-trial-days",
    metavar="N",
    type=click.IntRange(1, 3660),
    default=731,
    show_default=True,
    help="No trial is longer.",
)
@click.option("--officer", multiple=True, metavar="NAME=FILE", help="Officer's public key; repeat it: two at least.")
@click.option("--test-clock", metavar="INSTANT", type=INSTANT, help="Where a test authority's clock starts.")
@click.option("--production", is_flag=True, help="As root: files to their users; alone, once more.")
@click.option("--demo", is_flag=True, help="Also make keys for trying it out, in HOME/demo.")
def init(
    *,
    home: Path | None,
    environment: Environment | None,
    officer: tuple[str, ...],
    production: bool,
    demo: bool,
    **chosen: object,
) -> None:
    """Hold the ceremony: keys, root, issuing CA, OCSP responder, first CRLs."""
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
    # A key, a digest or a token's URI that is broken in two cannot be copied: the terminal breaks what is too long.
    console.print(transcript, highlight=False, markup=False, soft_wrap=True)
    console.print(f"The transcript is in {plan.home / 'ceremony' / 'transcript.txt'}.", soft_wrap=True)
