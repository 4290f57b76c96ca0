"""The application (F2.18 to F2.20), and one that is refused (F2.24)."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from story import grant
from story.cast import Reply
from story.section_f.deciding import propose, second
from story.section_f.notices import prove_mailed
from story.section_f.stage import ADDRESSES, Trial

DEVICE = grant.DEVICE
FIRMWARE = grant.FIRMWARE
LIMIT = 5

REQUIREMENT = "Show how the tamper log behaves when the meter loses power."
RED = "The assessor found that the debug port answers to a known password."
NO_REASON = "A second trial of the same Manufacturer at the same time is more than the Sub-Committee can follow."

_PDF = b"""%PDF-1.7
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>> endobj
trailer <</Root 1 0 R>>
%%EOF
"""
"""A page with nothing on it: the smallest file that is evidence."""


def certificate_held(scheme: str, model: str = DEVICE["model"]) -> dict[str, str]:
    """Return an Assurance Certificate as an application names it (F2.19)."""
    return {
        "scheme": scheme,
        "certificate": f"{scheme.upper()}-2026-0815",
        "manufacturer": DEVICE["manufacturer"],
        "model": model,
        "hardware_version": DEVICE["hardware_version"],
        "issued_on": "2026-05-04",
    }


def apply(trial: Trial, csr: bytes, schemes: Sequence[str], device: Mapping[str, str] = DEVICE) -> Reply:
    """Apply for a device; ends the story if the application is not taken in."""
    dates = trial.dates
    body: dict[str, Any] = {
        "device": device,
        "smets_version": grant.SMETS,
        "gbcs_version": "4.2",
        "firmware": [{"version": FIRMWARE, "image_sha256": grant.IMAGE}],
        "start": max(dates.start, trial.scene.now().date()).isoformat(),
        "expiry": dates.expiry.isoformat(),
        "maximum_devices": LIMIT,
        "purpose": "A field trial in Leeds, played by trialcpa story.",
        "contact": ADDRESSES["manufacturer"],
        "csr": csr.decode("ascii"),
        "assurance": [certificate_held(each, device["model"]) for each in schemes],
        "earlier_cpa": {
            "certificate": "CPA-2021-0007",
            "manufacturer": device["manufacturer"],
            "model": "010A0209",
            "hardware_version": "01",
            "issued_on": "2021-03-01",
            "expires_on": "2026-02-28",
        },
    }
    applied = trial.cast.manufacturer.act("POST", "/v1/applications", body)
    said = f"{applied.text('application')}, {device['type']} {device['model']}, at most {LIMIT} devices"
    trial.teller.need("apply", applied.ok, said if applied.ok else applied.problem)
    return applied


def incomplete(trial: Trial) -> tuple[str, bytes]:
    """An application without one of the certificates: taken in, and told what is missing (F2.19)."""
    csr = grant.request(trial.scene)
    applied = apply(trial, csr, ["ZigBee"])
    application = applied.text("application")
    codes = [each["code"] for each in applied.document["findings"]]  # type: ignore[attr-defined]
    missing = _missing(trial, application)
    trial.teller.prove("F2.19", codes.count("assurance-missing") == 1, f"the Manufacturer is told: {' '.join(missing)}")
    trial.album.page("application-without-a-certificate")
    return application, csr


def required(trial: Trial, application: str) -> None:
    """A further requirement (F2.20): no grant while it is open; then it is evidenced and met."""
    cast, teller = trial.cast, trial.teller
    address = f"/v1/applications/{application}"
    set_ = cast.officer.act("POST", f"{address}/requirements", {"text": REQUIREMENT})
    teller.need("requirement", set_.ok, f"“{REQUIREMENT}”" if set_.ok else set_.problem)
    grants = {"kind": "grant", "application": application, "reasons": "It is too early for this."}
    early = cast.officer.act("POST", "/v1/decisions", grants)
    teller.prove("no grant while open", not early.ok, early.problem)

    attached = cast.manufacturer.send("POST", f"{address}/evidence?name=tamper-log.pdf", _PDF, "application/pdf")
    digest = hashlib.sha256(_PDF).hexdigest()
    kept = attached.text("sha256") == digest
    teller.prove("evidence", kept, f"tamper-log.pdf, {digest[:16]}…" if kept else attached.problem)
    named = [certificate_held(each) for each in ("ZigBee", "DLMS")]
    changed = cast.manufacturer.act("PATCH", address, {"assurance": named})
    teller.prove("change", changed.ok, "the missing certificate is named" if changed.ok else changed.problem)
    met = {"state": "met", "reason": "The log attached shows it."}
    done = cast.officer.act("POST", f"/v1/requirements/{set_.text('requirement')}/outcome", met)
    teller.prove("met", done.text("state") == "met", "an officer has read it" if done.ok else done.problem)
    missing = _missing(trial, application)
    teller.prove("nothing missing", not missing, " ".join(missing) or "whether it is granted is the SSC's to decide")
    seen = cast.dcc.act("GET", f"{address}/evidence")
    teller.prove("evidence is private", not seen.ok, f"the DCC asks for it: {seen.problem}")
    trial.album.page("requirement")


def refused(trial: Trial) -> None:
    """A second application, for another model, is refused (F2.24): with reasons, and what is Red stays here."""
    csr = grant.request(trial.scene)
    other = {**DEVICE, "model": "010A030C"}
    applied = apply(trial, csr, ["ZigBee", "DLMS"], other)
    refuse = {
        "kind": "refuse",
        "application": applied.text("application"),
        "reasons": NO_REASON,
        "passages": [{"subject": "assessment", "text": RED, "classification": "red"}],
        "meeting": "41",
        "minute": "7.3",
    }
    second(trial, propose(trial, refuse))
    trial.album.page("refusal")
    prove_mailed(trial, "refusal", withheld=dict.fromkeys(("manufacturer", "dcc", "panel"), (RED,)))
    shown = trial.cast.manufacturer.act("GET", f"/v1/applications/{applied.text('application')}")
    trial.teller.prove("refused", shown.text("state") == "refused", shown.text("stage"))
    trial.album.take()


def _missing(trial: Trial, application: str) -> list[str]:
    listed = trial.cast.manufacturer.act("GET", f"/v1/applications/{application}").document.get("missing")
    return [str(each) for each in listed] if isinstance(listed, list) else ["it is not shown"]
