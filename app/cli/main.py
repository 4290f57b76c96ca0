"""`trialcpa`: one command, its subcommands imported only when they are called, so that --help comes at once."""

import logging
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import groupby

import click

from app.cli.telling import tell
from core.errors import PlaceUnusable, TrialCpaError
from core.loading import loading

EXIT_REFUSED = 1
"""Something was asked that cannot be done; the sentence says what to do next."""

_FOR_PEOPLE = {
    "apply": ("app.cli.apply", "Apply for a Trial Device Approval, with evidence."),
    "status": ("app.cli.status", "Where it stands, what is missing, what waits for you."),
    "verify": ("app.cli.verification", "Whether a device is covered, and why not."),
    "decide": ("app.cli.decide", "Propose, see what will be true, second; your own key."),
    "officer": ("app.cli.officer", "Propose, see what will be true, second; your own key."),
    "roster": ("app.cli.roster", "Whose keys count; orders to the authority."),
    "order": ("app.cli.ordering", "Whose keys count; orders to the authority."),
    "stop-issuing": ("app.cli.ordering", "Halt issuing within seconds; one officer can."),
    "start-issuing": ("app.cli.ordering", "Let issuing go on; it takes two."),
    "requirements": ("app.cli.requirements", "Further requirements of applications."),
    "meetings": ("app.cli.meetings", "Meetings of the SSC: agenda, attendance, minutes."),
    "interests": ("app.cli.interests", "Officers' interests and comments; they decide nothing."),
    "comments": ("app.cli.comments", "Officers' interests and comments; they decide nothing."),
    "breaches": ("app.cli.breaches", "Breaches of conditions; suspicions you are told of."),
    "suspicions": ("app.cli.suspicions", "Breaches of conditions; suspicions you are told of."),
    "amendments": ("app.cli.amendments", "Requests to amend an approval, or to end it."),
    "ends": ("app.cli.ends", "Requests to amend an approval, or to end it."),
    "contacts": ("app.cli.contacts", "Where notices are sent; how soon an end is told."),
    "receipts": ("app.cli.receipts", "Where notices are sent; how soon an end is told."),
    "calendar": ("app.cli.calendar", "Calendar programs subscribe; an approval as one file."),
    "dossier": ("app.cli.dossier", "Calendar programs subscribe; an approval as one file."),
    "notices": ("app.cli.notices", "List notices, fetch one, or a certificate."),
    "fetch": ("app.cli.fetch", "List notices, fetch one, or a certificate."),
    "deployments": ("app.cli.deployments", "Report devices deployed and decommissioned."),
    "report": ("app.cli.report", "The month's report; the products list's instructions."),
    "cpl": ("app.cli.cpl", "The month's report; the products list's instructions."),
}
"""Over HTTP, with an API key, from anywhere."""

_FOR_OPERATORS = {
    "init": ("app.cli.init", "Hold the ceremony: an authority in an empty folder."),
    "serve": ("app.cli.serving", "Run all processes; or one of them."),
    "run": ("app.cli.serving", "Run all processes; or one of them."),
    "story": ("story.command", "Play the life of a certificate or a trial, proved."),
    "doctor": ("app.cli.doctor", "What to worry about and do; look over everything."),
    "check": ("app.cli.check", "What to worry about and do; look over everything."),
    "access": ("app.cli.access", "Grant and revoke API keys; accept or move a clock."),
    "clock": ("app.cli.clock", "Grant and revoke API keys; accept or move a clock."),
    "store": ("app.cli.store", "Show, begin or upgrade what store and memory hold."),
    "memory": ("app.cli.memory", "Show, begin or upgrade what store and memory hold."),
    "backup": ("app.cli.backup", "Make or verify a backup; put one in an empty place."),
    "restore": ("app.cli.backup", "Make or verify a backup; put one in an empty place."),
    "journal": ("app.cli.journal", "Fetch the journal, or prove what follows from it."),
    "audit": ("app.cli.audit", "Fetch the journal, or prove what follows from it."),
    "keys": ("app.cli.keys", "Show every key; make the responder a new one."),
    "responder": ("app.cli.responder", "Show every key; make the responder a new one."),
    "statement-signer": ("app.cli.statement_signer", "Make the key that signs dossiers."),
    "issuing-ca": ("app.cli.issuing_ca", "Make a new issuing CA, by files to the root."),
    "crl": ("app.cli.crl", "Settle dates of ends; sign the root's; CDN files."),
    "root-crl": ("app.cli.root_crl", "Settle dates of ends; sign the root's; CDN files."),
    "publish": ("app.cli.publish", "Settle dates of ends; sign the root's; CDN files."),
}
"""On the authority's own machine; each finds it by --home, then TRIALCPA_HOME, then ./var."""

_COMMANDS = {**_FOR_PEOPLE, **_FOR_OPERATORS}


class _Lazy(click.Group):
    """Knows its subcommands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        with loading():
            module = import_module(_COMMANDS[cmd_name][0])
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        for title, commands in (
            ("For people, with an API key (--key-file)", _FOR_PEOPLE),
            ("For operators, on the machine itself (--home DIR)", _FOR_OPERATORS),
        ):
            with formatter.section(title):
                formatter.write_dl(_lines(commands))


def _lines(commands: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """Return names with sentences; neighbours that share a sentence share a line, so that all fits a screen."""
    shared = groupby(commands, key=lambda name: commands[name][1])
    return [(", ".join(names), sentence) for sentence, names in shared]


_EPILOG = """\b
Example:
  trialcpa init --test && trialcpa serve
  trialcpa story            (in a second shell)
"""


@click.group(
    cls=_Lazy,
    epilog=_EPILOG,
    options_metavar="[--version] [--help]",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="trialcpa", message="%(prog)s %(version)s")
def cli() -> None:
    """Trial CPA authority for field trials (Smart Energy Code, F2.18 to F2.31)."""


def main(words: Sequence[str] | None = None) -> None:
    """Run the command; an error of ours is a sentence and what to do next, never a traceback.

    Args:
        words: what was typed after the program's name; None is what was.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    for library in ("alembic", "httpx"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        cli(words, standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except TrialCpaError as error:
        tell(error)
        sys.exit(EXIT_REFUSED)
    except OSError as error:
        if error.filename is None:  # of a connection, or of a pipe: no place that somebody could choose otherwise
            raise
        tell(PlaceUnusable(path=error.filename, detail=error.strerror or type(error).__name__))
        sys.exit(EXIT_REFUSED)


if __name__ == "__main__":
    main()
