"""The report (F2.28), the revocation for the breach (F2.23, F2.30), the end (F2.31), and what may follow it."""

import json
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from core.instants import text
from story import grant
from story.checks import CANCELLED, ask, keep, tell_channels, tell_tools
from story.scene import Granted
from story.section_f.applying import LIMIT, apply
from story.section_f.deciding import propose, prove_state, second
from story.section_f.deploying import owed_for
from story.section_f.notices import prove_mailed
from story.section_f.panel import XLSX, List, load, reconcile, told
from story.section_f.stage import Trial
from verify.fetched import subject_of
from verify.kit.evidence.parsing import several_certificates


def report(trial: Trial, approval: str) -> None:
    """The month's report: computed, remarked, issued, frozen; as PDF, XLSX and JSON."""
    teller, dcc, month = trial.teller, trial.cast.dcc, trial.dates.month
    trial.until(trial.dates.report)
    address = f"/v1/reports/{month}"
    words = "One device above the limit was installed by mistake; it stays in place until the Sub-Committee decides."
    remarked = dcc.act("POST", f"{address}/remarks", {"text": words})
    teller.prove("(h)", remarked.ok, "a remark is added" if remarked.ok else remarked.problem)
    issued = dcc.act("POST", address, {})
    teller.need(
        "issue", issued.ok, f"{month}, SHA-256 {issued.text('document_sha256')[:16]}…" if issued.ok else issued.problem
    )
    said = trial.cast.officer.act("GET", address)
    trial.album.page("report")
    _prove_items(trial, said.document, approval)
    again = dcc.act("POST", address, {})
    teller.prove("frozen", not again.ok, f"issuing it again: {again.problem}")
    for suffix, kind, begins in (
        ("pdf", "application/pdf", b"%PDF-"),
        ("xlsx", XLSX, b"PK"),
        ("json", "application/json", b"{"),
    ):
        octets = trial.cast.officer.fetch(address, kind)
        path = trial.album.keep(f"report-{month}.{suffix}", octets)
        teller.prove(f"report as {suffix.upper()}", octets.startswith(begins), f"{path.name}, {len(octets):,} octets")
    trial.album.take()


def _prove_items(trial: Trial, said: Any, approval: str) -> None:  # noqa: ANN401 - a document
    """(a) to (g) are what the story has seen happen; (h) is what was remarked."""
    items = said.get("items") or {}
    pair = {"models": 1, "entries": 2}
    seen = {
        "a": {name: items["a"][name] for name in pair} == pair,
        "b": {name: items["b"][name] for name in pair} == pair,
        "c": items["c"]["models"] == 0,
        "d": items["d"]["deployed"] == LIMIT + 1,
        "e": items["e"]["deployed"] == LIMIT + 1,
        "f": items["f"]["decommissioned"] == 0,
        "g": [each["approval"] for each in items["g"]["expiring"]] == [approval],
        "h": len(items["h"]["remarks"]) == 1,
    }
    wrong = {letter: items[letter] for letter, right in seen.items() if not right}
    words = (
        f"(a) 1 model with 2 entries (b) all added (c) none removed (d) {LIMIT + 1} deployed (e) {LIMIT + 1} new "
        "(f) none decommissioned (g) 1 expires within three months (h) 1 remark"
    )
    trial.teller.prove("F2.28(a) to (h)", not wrong, words if not wrong else json.dumps(wrong))


def revoked(trial: Trial, made: Granted, serial: str, breach: str, held: List) -> None:
    """Revoked for the breach: every channel says so, the task is gone, the Panel removes every entry."""
    teller, approval = trial.teller, made.approval
    chain = trial.cast.manufacturer.client.certificate(approval)
    subject = subject_of(several_certificates((chain,))[0].public_bytes(Encoding.DER), trial.scene.trust.arc)
    body = {
        "kind": "revoke",
        "approval": approval,
        "cause": "breach",
        "breach": breach,
        "reasons": "More devices were installed than the approval allows.",
        "meeting": "43",
        "minute": "3.1",
    }
    second(trial, propose(trial, body))
    trial.album.page("revocation")
    prove_state(trial, "revoked", {"approval": approval}, "cancelled", "revoked-for-breach")
    owed = owed_for(trial, breach)
    teller.prove("nothing owed", not owed, "; ".join(owed) or "the breach has left the officers' list")
    prove_mailed(trial, "revocation", withheld={})
    due = told(trial, approval, {"remove": 2})
    load(trial, held, due)
    reconcile(trial, held, "the-panels-list-at-the-end")
    trial.album.take()
    later = Granted(
        subject,
        leaf=trial.album.keep("certificate-issue-2.pem", subject.parsed.public_bytes(Encoding.PEM)),
        issuing=made.issuing,
        root=made.root,
        chain=trial.album.keep("chain-issue-2.pem", chain),
    )
    trial.scene.wait(lambda: ask(trial.scene, subject).says(CANCELLED))
    asked = ask(trial.scene, subject)
    files = keep(trial.scene, later, asked, "revoked", asked.at)
    tell_channels(trial.scene, asked, CANCELLED)
    tell_tools(trial.scene, later, files, trial.scene.tools_at(asked.at), CANCELLED)
    assert subject.serial == serial


def again(trial: Trial, approval: str) -> None:
    """Afterwards the Manufacturer may apply again (F2.31): a new approval, a new identifier."""
    csr = grant.request(trial.scene)
    applied = apply(trial, csr, ["ZigBee", "DLMS"])
    body = {
        "kind": "grant",
        "application": applied.text("application"),
        "reasons": "A new trial, of its own.",
        "expiry": trial.dates.later_expiry.isoformat(),
    }
    proposed = propose(trial, body)
    other = proposed.text("approval")
    trial.teller.prove(
        "F2.31", other not in {"", approval}, f"it would be {other}; {approval} stays cancelled for ever"
    )
    calendar = trial.cast.officer.fetch("/v1/calendar.ics", "text/calendar")
    path = trial.album.keep("calendar.ics", calendar)
    trial.teller.prove(
        "calendar", calendar.startswith(b"BEGIN:VCALENDAR"), f"{path.name}: starts, expiries, report dates"
    )
    reminders = [
        mail
        for mail in trial.room.received
        if not mail.files.keys() & {"certificate.pem"} and "TTN-" not in mail.subject
    ]
    if reminders:
        trial.album.keep("a-reminder.eml", reminders[-1].octets)
        trial.teller.note(f"{len(reminders)} reminders came meanwhile, the last: “{reminders[-1].subject}”.")
    trial.album.page(f"again-{text(trial.scene.now())[:10]}")
