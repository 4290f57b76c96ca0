"""The grant (F2.21, F2.22, F2.25), and the start date (F2.26, F2.27)."""

from core.instants import ONE_SECOND, first_second, text
from story import grant
from story.checks import ACTIVE, ask, keep, tell_channels, tell_tools
from story.scene import Granted
from story.section_f.applying import DEVICE, FIRMWARE
from story.section_f.deciding import certified, propose, prove_findings, prove_state, second
from story.section_f.notices import prove_mailed
from story.section_f.panel import List, export, load, reconcile, told
from story.section_f.stage import Trial

RED = "The assessor could read the pairing key from the board of a sample."
FOR_THE_DCC = "Watch the alerts 8F3D from these devices in the first week."
CONDITION = "Devices are installed in Leeds only, by the Manufacturer's own people."


def granted(trial: Trial, application: str, csr: bytes) -> Granted:
    """Grant: the preview says what each will get, the notices say it, the certificate is fetched and checked."""
    body = {
        "kind": "grant",
        "application": application,
        "reasons": "The trial is small and bounded, and the Manufacturer has shown what it holds.",
        "conditions": [{"text": CONDITION, "classification": "green"}],
        "passages": [
            {"subject": "assessment", "text": RED, "classification": "red"},
            {"subject": "remark", "text": FOR_THE_DCC, "classification": "amber", "recipients": ["dcc"]},
        ],
        "meeting": "41",
        "minute": "7.2",
    }
    shown = second(trial, propose(trial, body))
    prove_findings(trial, shown, "earlier-cpa-expired")
    _prove_preview(trial, shown.document.get("preview"))
    approval = shown.text("approval")
    certified(trial, approval, 1)
    trial.album.page("grant")
    made = grant.fetch(trial.scene, approval, csr)
    others = (RED, FOR_THE_DCC)
    prove_mailed(trial, "grant", withheld={"manufacturer": others, "dcc": (RED,), "panel": others}, certificate=True)
    return made


def _prove_preview(trial: Trial, preview: object) -> None:
    held = preview if isinstance(preview, dict) else {}
    notices = held.get("notices") or {}
    withheld = {name: notice.get("withheld") for name, notice in notices.items()}
    as_expected = withheld == {"manufacturer": 2, "dcc": 1, "panel": 2} and bool(held.get("cpl"))
    said = f"certificate in words, three notices (withheld: {withheld}), {len(held.get('cpl') or [])} CPL entry"
    trial.teller.prove("preview", as_expected, said)


def started(trial: Trial, made: Granted, held: List) -> None:
    """The start date comes: not a second earlier; the Panel is told, adds the entry and says so."""
    teller, approval = trial.teller, made.approval
    start = first_second(trial.dates.start)
    prove_state(trial, "before the start", {"approval": approval}, "not_yet_started", "not-yet-started")
    due = told(trial, approval, {"add": 1})
    entry = due[0]
    right = (str(entry["due"]), entry["approval"], entry["firmware_version"]) == (text(start), approval, FIRMWARE)
    marked = f"marked “{entry['trial']}”, approval {entry['approval']}, expiry {entry['expiry']}"
    teller.prove("F2.27", right and bool(entry["trial"]), f"due on the start date: {marked}")
    trial.until(start)
    prove_state(trial, "from the first second", {"approval": approval}, "active")
    last = trial.cast.dcc.act("POST", "/v1/verify", {"approval": approval, "at": text(start - ONE_SECOND)})
    teller.prove("and not one earlier", last.text("state") == "not_yet_started", f"{text(start - ONE_SECOND)}: no")
    load(trial, held, due)
    export(trial)
    reconcile(trial, held, "the-panels-list-at-the-start")
    # The clock has leapt over the life of what was signed before: the authority signs it anew, in some milliseconds.
    trial.scene.wait(lambda: ask(trial.scene, made.subject).says(ACTIVE))
    asked = ask(trial.scene, made.subject)
    files = keep(trial.scene, made, asked, "started", asked.at)
    tell_channels(trial.scene, asked, ACTIVE)
    tell_tools(trial.scene, made, files, trial.scene.tools_at(asked.at), ACTIVE)
    trial.album.take()


def deployable(firmware: str) -> dict[str, object]:
    """Return the device model with a firmware version, as the DCC asks about it."""
    return {**DEVICE, "firmware_version": firmware}
