"""The Panel keeps the Central Products List in a spreadsheet: it reads what it is told, does it, and says so."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from core.approval import DEVICE_COLUMNS
from core.cpl import Kind
from story.section_f.stage import Trial

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_LISTED = ("approval", "trial", "expiry", *DEVICE_COLUMNS, "firmware_version", "image_sha256")
"""Columns of an instruction that are columns of the list too."""

_DIFFERENCES = ("missing", "wrong", "gone", "unknown", "unreadable")

List = dict[str, dict[str, str]]
"""The list as the Panel has it: an entry for each firmware version."""


def instructions(trial: Trial, approval: str, *, state: str = "pending") -> list[Mapping[str, Any]]:
    """Return the instructions about an approval that are in a state, oldest first."""
    found = trial.cast.panel.act("GET", f"/v1/cpl/instructions?limit=100&state={state}").document.get("instructions")
    return [each for each in found if each["approval"] == approval] if isinstance(found, list) else []


def told(trial: Trial, approval: str, expected: Mapping[str, int]) -> list[Mapping[str, Any]]:
    """Wait until the Panel is told as many of each kind as expected, and prove it; return the instructions."""
    seen: list[Mapping[str, Any]] = []

    def so() -> bool:
        seen[:] = instructions(trial, approval)
        kinds = [str(each["kind"]) for each in seen]
        return {kind: kinds.count(kind) for kind in kinds} == dict(expected)

    took = trial.scene.wait(so)
    said = "; ".join(f"{each['kind']} {each['firmware_version']}, due {each['due']}" for each in seen)
    trial.teller.need("the Panel is told", took is not None, said or "nothing")
    return seen


def load(trial: Trial, held: List, listed: list[Mapping[str, Any]]) -> None:
    """Do in the list what the Panel is told, and acknowledge each instruction."""
    problems = []
    for each in listed:
        key = str(each["firmware_version"])
        if each["kind"] == Kind.REMOVE:
            held.pop(key, None)
        else:
            held[key] = {name: "" if each[name] is None else str(each[name]) for name in _LISTED}
        done = trial.cast.panel.act(
            "POST", f"/v1/cpl/instructions/{each['instruction']}/acknowledgement", {"outcome": "loaded"}
        )
        problems += [] if done.ok else [done.problem]
    words = f"{len(listed)} done and acknowledged; trial entries on the list now: {len(held)}"
    trial.teller.prove("acknowledged", not problems, "; ".join(problems) or words)


def reconcile(trial: Trial, held: List, name: str) -> None:
    """Hand the Panel's list in, as CSV, and prove that nothing is missing, wrong, or should be gone."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _LISTED)
    writer.writeheader()
    writer.writerows(held.values())
    octets = text.getvalue().encode()
    trial.album.keep(f"{name}.csv", octets)
    said = trial.cast.panel.send("POST", "/v1/cpl/reconciliations", octets, "text/csv")
    found = {each: said.document.get(each) for each in _DIFFERENCES}
    differs = ", ".join(
        f"{len(listed)} {each}" for each, listed in found.items() if isinstance(listed, list) and listed
    )
    agrees = said.ok and not differs
    words = "the list holds what it should, and nothing else of ours"
    trial.teller.prove("reconciliation", agrees, words if agrees else differs or said.problem)


def export(trial: Trial) -> None:
    """Keep the instructions as the Panel's spreadsheet gets them."""
    book = trial.cast.panel.fetch("/v1/cpl/instructions", XLSX)
    text = trial.cast.panel.fetch("/v1/cpl/instructions", "text/csv")
    trial.teller.prove(
        "export", book.startswith(b"PK") and text != b"", "the instructions as XLSX and CSV, cells as text"
    )
    trial.album.keep("cpl-instructions.xlsx", book)
    trial.album.keep("cpl-instructions.csv", text)
