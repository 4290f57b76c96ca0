"""The amendment (F2.29): another firmware version and a later expiry, a new certificate under the same approval."""

import hashlib

from core.instants import ONE_SECOND, last_second, next_midnight, text
from story.scene import Granted
from story.section_f.applying import FIRMWARE
from story.section_f.deciding import certified, propose, prove_findings, prove_state, second
from story.section_f.granting import deployable
from story.section_f.notices import prove_mailed
from story.section_f.panel import List, load, reconcile, told
from story.section_f.stage import Trial

LATER_FIRMWARE = "00020130"
IMAGE = hashlib.sha256(b"the image of firmware 00020130").hexdigest()


def amended(trial: Trial, made: Granted, held: List) -> str:
    """Asked for by the Manufacturer, decided, in effect from the next midnight; return the new certificate's serial."""
    teller, cast, approval = trial.teller, trial.cast, made.approval
    trial.until(trial.dates.amended)
    added = [{"version": LATER_FIRMWARE, "image_sha256": IMAGE}]
    wanted = {"expiry": trial.dates.later_expiry.isoformat(), "firmware_added": added}
    asked = cast.manufacturer.act(
        "POST", f"/v1/approvals/{approval}/amendment-requests", {**wanted, "reasons": "The first version loses alerts."}
    )
    teller.need(
        "request",
        asked.ok,
        f"{asked.text('request')}: {LATER_FIRMWARE}, to {wanted['expiry']}" if asked.ok else asked.problem,
    )
    body = {
        "kind": "amend",
        "approval": approval,
        "request": asked.text("request"),
        "reasons": "The new version mends what the first one lacks; the trial needs another month for it.",
        "meeting": "42",
        "minute": "5.1",
        **wanted,
    }
    effective = next_midnight(trial.scene.now())
    shown = second(trial, propose(trial, body))
    prove_findings(trial, shown, "limit-below-deployed")
    changes = (shown.document.get("preview") or {}).get("difference")  # type: ignore[attr-defined]
    said = "; ".join(f"{each['subject']}: {each['before']} → {each['after']}" for each in changes or [])
    teller.prove("difference", bool(changes), said or "the officer was shown none")
    serial = certified(trial, approval, 2)
    trial.album.page("amendment")
    prove_mailed(trial, "amendment", withheld={}, certificate=True)
    _prove_turn(trial, made, serial, effective)
    _listed(trial, approval, held)
    answered = cast.manufacturer.act("POST", f"/v1/certificates/{serial}/acceptance", {"accepted": True})
    teller.prove(
        "acceptance", answered.ok, "the Manufacturer accepts its new certificate" if answered.ok else answered.problem
    )
    return serial


def _prove_turn(trial: Trial, made: Granted, serial: str, effective: object) -> None:
    """Before the effective instant one certificate holds, from it on the other: never neither, never both."""
    first = {"serial": made.subject.serial}
    later = {"serial": serial}
    prove_state(trial, "issue 1 before", first, "active")
    prove_state(trial, "issue 2 before", later, "not_yet_started", "not-yet-started")
    at = next_midnight(trial.scene.now())
    trial.teller.prove("effective", at == effective, f"the next midnight, {text(at)}")
    trial.until(at)
    prove_state(trial, "issue 1 from then on", first, "cancelled", "superseded")
    prove_state(trial, "issue 2 from then on", later, "active")
    for name, when, wanted in (("last second", at - ONE_SECOND, 1), ("first second", at, 2)):
        said = trial.cast.dcc.act("POST", "/v1/verify", {"approval": made.approval, "at": text(when)})
        holds = said.document.get("valid") is True and said.document.get("issue") == wanted
        trial.teller.prove(name, holds, f"{text(when)}: issue {said.text('issue')} holds")
    for version in (FIRMWARE, LATER_FIRMWARE):
        prove_state(trial, f"firmware {version}", {"device": deployable(version)}, "active")


def _listed(trial: Trial, approval: str, held: List) -> None:
    """The Panel changes the entry that is there, and adds the new one."""
    due = told(trial, approval, {"change": 1, "add": 1})
    expiry = text(last_second(trial.dates.later_expiry))
    days = {str(each["expiry"])[:10] for each in due}
    trial.teller.prove("F2.29", days == {expiry[:10]}, f"each with the new expiry date {expiry[:10]}")
    load(trial, held, due)
    reconcile(trial, held, "the-panels-list-after-the-amendment")
    trial.album.take()
