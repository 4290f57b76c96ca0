"""`trialcpa verify`: is it covered? Of an approval, a certificate, a serial number, a device, or a list of them."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from app.cli import shown
from app.cli.service import Service, asks_service
from app.cli.verification_batch import Line, as_table, ask_each
from app.client import Client, path
from core.errors import IdentifierMalformed, InputUnusable, ServiceRefused, TrialCpaError
from core.identifiers import ApprovalIdentifier
from core.plain_text import TextUnreadable, utf8

LARGEST_FILE = 1024 * 1024
"""Octets of a certificate or a list of names."""

LARGEST_BATCH = 256 * 1024 * 1024
"""Octets of a file of questions: a million of them, each with a certificate's serial number and a unit."""

COVERED, NOT_COVERED, TROUBLE = 0, 1, 2
"""How it ends, as grep does: all are covered, one is not, one could not be asked."""

_PEM = b"-----BEGIN CERTIFICATE-----"
_DER = b"\x30\x82"

_MEANT_AS_APPROVAL = re.compile(r"TD[AT]-", re.IGNORECASE)
"""One that was copied with a wrong character: of serial numbers nothing is to be said to whoever wrote it."""

_MEANT_AS_FILE = re.compile(r"[/\\]|\.[a-z][a-z0-9]{1,3}$", re.IGNORECASE)
"""No serial number and no approval has a stroke or an ending in it."""


@dataclass(frozen=True)
class _Told:
    """What was answered to one question; `answer` is null where it could not be asked, and `problem` says why."""

    asked: str
    answer: Mapping[str, Any] | None
    problem: str = ""


@click.command(
    epilog="\b\nExample:\n  trialcpa verify TDA-2027-0042-Y chain.pem --at 2027-02-01T10:00:00Z\n"
    "  trialcpa verify --batch devices.csv --output answers.csv"
)
@click.argument("thing", nargs=-1, metavar="[APPROVAL|SERIAL|CERTIFICATE|@LIST]...")
@click.option("--manufacturer", help="Of a device model, with --model.")
@click.option("--model", help="Of a device model.")
@click.option("--type", "type_", help="Its type, where several have the name.")
@click.option("--hardware-version", help="The same of its hardware version.")
@click.option("--firmware", "firmware_version", help="Its version; only an IHD or a CAD has none.")
@click.option("--device-id", help="One unit, by EUI-64: is it within the limit?")
@click.option("--at", help="A past instant: was it covered then?")
@click.option("--batch", type=click.Path(path_type=Path), help="Ask each line of a CSV, or a batch in JSON.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write the answers to it as CSV.")
@asks_service
def verify(
    *,
    thing: tuple[str, ...],
    device_id: str | None,
    at: str | None,
    batch: Path | None,
    output: Path | None,
    service: Service,
    **said: str,
) -> None:
    """Ask whether it is covered; the reasons are shown where it is not.

    @LIST: a text, one name a line. Exit: 0 all covered, 1 one is not, 2 trouble.
    """
    if batch is not None:
        if thing or device_id or at or any(value is not None for value in said.values()):
            raise click.UsageError("A batch says itself what is asked.")
        raise SystemExit(_asked_in_batch(service, batch, output))
    if output is not None:
        raise click.UsageError("A table is written of what --batch asks.")
    device = {name.rstrip("_"): value for name, value in said.items() if value is not None}
    if not thing and not device:
        raise click.UsageError("Name what is asked about, or a device by --manufacturer and --model.")
    if thing and device:
        raise click.UsageError("Ask about what is named, or about a device by --manufacturer and --model: not both.")
    if device and not {"manufacturer", "model"} <= device.keys():
        raise click.UsageError("A device is named by --manufacturer and --model, both.")
    more = {name: value for name, value in (("device_id", device_id), ("at", at)) if value is not None}
    try:
        asked = [(" ".join(device.values()), {"device": device})] if device else list(_questions(thing))
        with service.connect() as client:
            told = [_ask(client, name, {**question, **more}) for name, question in asked]
    except TrialCpaError as error:  # nothing was answered, which is not a no
        click.echo(f"Error: {error}\n  {error.hint}  [{error.code}]", err=True)
        raise SystemExit(TROUBLE) from None
    if service.as_json:
        answers = [{"asked": each.asked, **(each.answer or {"problem": each.problem})} for each in told]
        shown.as_json({"answers": answers})
    else:
        _show(shown.out(), told)
    raise SystemExit(_status(told))


def _asked_in_batch(service: Service, file: Path, output: Path | None) -> int:
    try:
        octets = _octets(file, LARGEST_BATCH)
        with service.connect() as client:
            lines = ask_each(client, file, octets, quiet=service.as_json)
        if output is not None:
            shown.to_file(as_table(lines), output)
    except TrialCpaError as error:
        click.echo(f"Error: {error}\n  {error.hint}  [{error.code}]", err=True)
        return TROUBLE
    if service.as_json:
        shown.as_json({"answers": [{"line": each.number, "asked": each.asked, **each.answer} for each in lines]})
    elif output is None:
        rows = ((*each.cells()[:4], each.cells()[7]) for each in lines)
        shown.table(shown.out(), ("#line", "asked", "covered", "state", "why"), rows)
    if not service.as_json:
        _say_how_many(lines, in_words=output is not None)
    covered = COVERED if all(each.covered for each in lines) else NOT_COVERED
    return TROUBLE if any(each.refused for each in lines) else covered


def _say_how_many(lines: Sequence[Line], *, in_words: bool) -> None:
    """Say how many are covered, on standard error as whatever is no answer; where the table has no words, who has."""
    yes, refused = sum(each.covered for each in lines), sum(each.refused for each in lines)
    told = f"{yes:,} covered, {len(lines) - yes - refused:,} not, {refused:,} could not be asked"
    more = "" if in_words or yes == len(lines) else "; --output FILE writes why in words"
    click.echo(f"{shown.many(len(lines), 'question')}: {told}{more}.", err=True)


def _ask(client: Client, name: str, question: Mapping[str, object]) -> _Told:
    try:
        return _Told(name, client.do(dict, path("verify"), question))
    except ServiceRefused as error:
        return _Told(name, None, f"{error} {error.hint}")


def _status(told: list[_Told]) -> int:
    if any(each.answer is None for each in told):
        return TROUBLE
    return COVERED if all(each.answer and each.answer.get("valid") is True for each in told) else NOT_COVERED


def _questions(things: tuple[str, ...]) -> Iterator[tuple[str, dict[str, object]]]:
    """Return what is asked, each under the name that it was given; a list stands for all that it names."""
    for thing in things:
        if thing.startswith("@"):
            lines = [each.strip() for each in _text(Path(thing[1:])).splitlines()]
            named = [each for each in lines if each and not each.startswith("#")]
            if not named:
                raise InputUnusable(path=thing[1:], detail="it names nothing to ask about.")
            yield from ((each, _question(each)) for each in named)
        else:
            yield thing, _question(thing)


def _question(thing: str) -> dict[str, object]:
    if Path(thing).is_file():
        octets = _octets(Path(thing))
        if _PEM in octets:  # of a chain the first one is meant
            begin = octets.index(_PEM)
            return {"certificate": octets[begin:].split(b"-----END CERTIFICATE-----")[0].decode("ascii", "replace")
                    + "-----END CERTIFICATE-----\n"}  # fmt: skip
        if octets.startswith(_DER):
            return {"certificate": base64.b64encode(octets).decode()}
        raise InputUnusable(path=thing, detail="it holds no certificate; a list of names is given as @FILE.")
    try:
        return {"approval": str(ApprovalIdentifier.parse(thing))}
    except IdentifierMalformed:
        if _MEANT_AS_FILE.search(thing):
            raise InputUnusable(path=thing, detail="there is no such file.") from None
        # The service knows every form of either, and says what is wrong with any other.
        return {"approval" if _MEANT_AS_APPROVAL.match(thing) else "serial": thing}


def _octets(file: Path, most: int = LARGEST_FILE) -> bytes:
    try:
        with file.open("rb") as opened:
            octets = opened.read(most + 1)
    except OSError as error:
        raise InputUnusable(path=file, detail=f"it cannot be read ({error.strerror}).") from None
    if len(octets) > most:
        raise InputUnusable(path=file, detail=f"it has more than {most:,} octets.")
    return octets


def _text(file: Path) -> str:
    try:
        return utf8(_octets(file))
    except TextUnreadable as error:
        raise InputUnusable(path=file, detail=f"it cannot be read: {error}.") from None


def _show(console: Console, told: list[_Told]) -> None:
    for each in told:
        if each.answer is None:
            shown.heading(console, f"{each.asked}: could not be asked", "bold yellow")
            shown.sentence(console, each.problem)
            continue
        answer = each.answer
        covered = answer.get("valid") is True
        words = "covered" if covered else "NOT covered"
        shown.heading(console, f"{each.asked}: {words}", "bold green" if covered else "bold red")
        pairs = [(name.replace("_", " "), answer.get(name)) for name in ("state", "approval", "issue", "serial")]
        shown.facts(console, [*pairs, ("as of", shown.when(answer.get("as_of")))])
        for one in answer.get("reasons", []):
            shown.sentence(console, f"- {one['detail']} {one['remedy']}  ({one['clause']}, {one['code']})")
