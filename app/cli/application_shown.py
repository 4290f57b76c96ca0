"""An application as people see it who decide about it, or who made it: everything that it says and names."""

from collections.abc import Sequence

from rich.console import Console

from app.cli import shown
from ra.applying.views import ApplicationAnswer, Differs, EvidenceAnswer
from ra.views import FirmwareAnswer


def show(console: Console, said: ApplicationAnswer) -> None:
    """Show an application: what it says, what F2.19 asks beside what it names, its evidence, what is different now."""
    shown.facts(
        console,
        [
            ("Manufacturer", f"{said.manufacturer}  ({said.organisation})"),
            ("device", shown.device_of(said.device)),
            (
                "versions",
                ", ".join(
                    each for each in (said.smets_version, said.gbcs_version and f"GBCS {said.gbcs_version}") if each
                ),
            ),
            ("firmware", firmware(said.firmware)),
            ("start", shown.first_day(said.start)),
            ("expiry", shown.last_day(said.expiry)),
            ("most devices", f"{said.maximum_devices:,}"),
            ("purpose", said.purpose),
            ("contact", said.contact or "none was given"),
            ("public key SHA-256", said.public_key_sha256),
            ("submitted", f"{shown.when(said.submitted_at)} by {said.submitted_by}"),
            ("changed", shown.when(said.changed_at)),
        ],
    )
    shown.heading(console, "What F2.19 asks for, and what is named")
    rows = [(each.asked, list(each.held) or "nothing is named") for each in said.asked]
    shown.table(console, ("asked for", "named"), rows)
    shown.heading(console, "Evidence (F2.19)")
    evidence(console, said.evidence)
    if said.changes or said.earlier is not None:
        _since(console, said)


def evidence(console: Console, attached: Sequence[EvidenceAnswer]) -> None:
    """Show attached files, and how one is had."""
    shown.table(
        console,
        ("evidence", "name", "type", "#octets", "attached", "by", "class"),
        [
            (
                each.evidence,
                each.name,
                each.media_type,
                f"{each.size:,}",
                shown.day_of(each.attached_at),
                each.attached_by or each.attached_for,
                each.classification,
            )
            for each in attached
        ],
        none="Nothing is attached.",
    )
    # Who attached it is told to those only who may fetch it, too.
    if any(each.attached_by is not None for each in attached):
        shown.sentence(console, f"To read one: trialcpa fetch {attached[0].evidence}", style="dim")


def differences(console: Console, found: Sequence[Differs]) -> None:
    """Show what is different from the last time."""
    rows = [(each.subject, each.before, each.after) for each in found]
    shown.table(console, ("", "before", "now"), rows, none="It says the same.")


def firmware(listed: Sequence[FirmwareAnswer]) -> list[str]:
    """Return firmware as it is shown, a line for each version."""
    return [f"{each.version}  {each.image_sha256}" for each in listed]


def _since(console: Console, said: ApplicationAnswer) -> None:
    shown.heading(console, "What has changed")
    for each in said.changes:
        shown.sentence(console, f"{shown.when(each.at)}: {', '.join(each.members)} (version {each.version})")
    if said.earlier is not None:
        last = f"{said.earlier.application}, {said.earlier.state}"
        shown.sentence(console, f"Beside the Manufacturer's last application for this Device Model ({last}):")
        differences(console, said.earlier.differences)
