"""Devices in the field (F2.28(d)), up to the limit and over it (F2.21(d)), and the breach that follows (F2.23)."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from core.instants import first_second
from core.kinds import BreachState
from officers.claims import to_confirm
from story.cast import Reply
from story.section_f.applying import DEVICE, FIRMWARE, LIMIT
from story.section_f.deciding import prove_state
from story.section_f.inventory import POSTCODE, UPRN, device_id, inventory
from story.section_f.stage import Trial

_NOON = timedelta(hours=12)


def reported(trial: Trial, numbers: Sequence[int], day_after: int) -> Reply:
    """Let the DCC report devices in an inventory of some days after their commissioning; return what came of it."""
    dates = trial.dates
    at = first_second(dates.deployed) + timedelta(days=day_after) + _NOON
    trial.until(at)
    message = inventory([(device_id(each), dates.deployed) for each in numbers], DEVICE, FIRMWARE, at)
    path = trial.album.keep("inventory-response-8.2.xml", message)
    said = trial.cast.dcc.send("POST", "/v1/deployments", message, "application/xml")
    counts = ", ".join(f"{said.text(name)} {name}" for name in ("lines", "recorded", "known", "refused"))
    trial.teller.need("deployments", said.ok, f"{path.name}: {counts}" if said.ok else said.problem)
    return said


def up_to_the_limit(trial: Trial, approval: str) -> None:
    """As many devices as the approval allows: each is within it, a further one is not."""
    said = reported(trial, range(1, LIMIT + 1), 1)
    trial.teller.prove("all recorded", said.document.get("recorded") == LIMIT, f"{LIMIT} of {LIMIT}")
    again = reported(trial, range(1, LIMIT + 1), 1)
    trial.teller.prove("twice changes nothing", again.document.get("known") == LIMIT, "all known already")
    within = {"approval": approval, "device_id": device_id(LIMIT)}
    prove_state(trial, "one of them", within, "active")
    further = {"approval": approval, "device_id": device_id(LIMIT + 1)}
    prove_state(trial, "a further one", further, "active", "limit-reached")
    _prove_private(trial)
    trial.album.page("deployments")


def over_the_limit(trial: Trial, approval: str) -> str:
    """One device more: a fact is a fact, it is recorded, and a breach is suspected; return its identifier."""
    reported(trial, range(1, LIMIT + 2), 2)
    counted = trial.cast.dcc.act("GET", f"/v1/approvals/{approval}/deployments")
    above = counted.document.get("above_limit") is True
    trial.teller.prove("recorded", above, f"{counted.text('deployed')} deployed, {counted.text('limit')} allowed")
    listed = trial.cast.officer.act("GET", f"/v1/approvals/{approval}/breaches").document.get("breaches")
    found = listed[0] if isinstance(listed, list) and listed else {}
    suspected = found.get("state") == BreachState.SUSPECTED
    trial.teller.need("F2.23", suspected, f"breach {found.get('breach')}: {found.get('state')}, by itself")
    return str(found["breach"])


def confirmed(trial: Trial, breach: str, approval: str) -> None:
    """An officer confirms the breach: a revocation is owed, and stays on the officers' list."""
    body = {"confirmed": True, "why": "The Manufacturer agrees that a sixth device was installed."}
    done = trial.cast.officer.claim(f"/v1/breaches/{breach}/judgement", body, to_confirm(breach))
    trial.teller.need("confirm", done.ok, f"{breach}: {done.text('state')}" if done.ok else done.problem)
    owed = owed_for(trial, breach)
    trial.teller.prove("revocation owed", bool(owed), "; ".join(owed) or "it is not on the officers' list")
    seen = trial.cast.manufacturer.act("GET", f"/v1/approvals/{approval}/breaches")
    trial.teller.prove("kept among officers", not seen.ok, f"the Manufacturer asks: {seen.problem}")
    trial.album.page("breach")


def owed_for(trial: Trial, breach: str) -> list[str]:
    """Return what the officers' list says of a revocation that is owed for a breach."""
    listed = trial.cast.officer.act("GET", "/v1/tasks").document.get("tasks")
    found = listed if isinstance(listed, list) else []
    return [str(each["sentence"]) for each in found if (each["kind"], each["subject"]) == ("revocation-owed", breach)]


def _prove_private(trial: Trial) -> None:
    """The message carried addresses: none of them is anywhere in the register."""
    home = trial.stage.house.settings.home
    held = [path for path in home.rglob("*") if path.is_file()]
    found = [path.name for path in held if any(word.encode() in _octets(path) for word in (POSTCODE, UPRN))]
    trial.teller.prove(
        "privacy", not found, f"neither UPRN nor postcode is in any of {len(held)} files" if not found else str(found)
    )


def _octets(path: Path) -> bytes:
    """A file's octets; one that was renamed a moment ago is read under its other name."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
