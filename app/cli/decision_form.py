"""The form of decisions: one, or a whole meeting's, as TOML; its template, and the requests it becomes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.cli.form_files import (
    Form,
    Member,
    Members,
    day,
    either,
    firmware,
    list_of,
    moment,
    read_toml,
    require_sound,
    table_of,
    text_file,
    truth,
    whole,
    words,
)
from core.kinds import DecisionKind

TEMPLATE = """\
# Decisions of a meeting (Smart Energy Code, F2.21 to F2.30). Each [[decision]] stands or falls alone; delete what you
# do not need. Propose them:  trialcpa decide propose decisions.toml
#
# A passage is White, Green, Amber or Red, and names who gets it (manufacturer, dcc, panel). Unless it says otherwise
# it is Amber and goes to all three; what is Red goes to nobody. What is withheld never leaves the register (F2.22).
# Limit and firmware are in the certificate, which is public.

[[decision]]
kind = "grant"                      # F2.21; dates and limit are the application's unless they are named here
application = "app-…"
reasons = "A summary of why, and of the assessment."
# start = 2027-01-04
# expiry = 2027-06-30
# maximum_devices = 500
meeting = "SSC 2027-01"
minute = "7.2"
[[decision.conditions]]             # F2.21(e), numbered in this order
text = "Devices are installed in Leeds only."
# classification = "green"
[[decision.passages]]
subject = "assessment"
text = "What the assessment found."
classification = "red"
# recipients = ["dcc"]

[[decision]]
kind = "refuse"                     # F2.24
application = "app-…"
reasons = "A summary of why not."

[[decision]]
kind = "amend"                      # F2.29; name only what changes
approval = "TDA-…"
reasons = "A summary of why."
# request = "amr-…"                 # the Manufacturer's request, if there is one
# expiry = 2027-09-30
# maximum_devices = 800
# effective = 2027-03-01T00:00:00Z  # by default the next midnight, UTC
# firmware_removed = ["0002012F"]
# conditions_removed = [2]
[[decision.firmware_added]]
version = "00020130"
image = "firmware-00020130.bin"     # or image_sha256 = "…"

[[decision]]
kind = "refuse-amendment"           # F2.29
request = "amr-…"
reasons = "A summary of why not."

[[decision]]
kind = "revoke"                     # F2.30; cause: ssc, breach or key-compromise
approval = "TDA-…"
cause = "breach"
breach = "breach-…"
reasons = "A summary of why."

[[decision]]
kind = "withdraw"                   # an approval ends at the Manufacturer's request
approval = "TDA-…"
reasons = "As the Manufacturer asked."

[[decision]]
kind = "rekey"                      # a new key under the same approval
approval = "TDA-…"
csr = "new.csr"
compromised = false
reasons = "The Manufacturer has a new key."
"""

_CLASSIFIED: Members = {
    "text": Member(words, needed=True),
    "classification": Member(words),
    "recipients": Member(list_of(words)),
}
_PASSAGES = list_of(table_of({"subject": Member(words, needed=True), **_CLASSIFIED}))
_CONDITIONS = list_of(table_of(_CLASSIFIED))
_SHARED: Members = {
    "kind": Member(words, needed=True),
    "reasons": Member(either(dict, table_of(_CLASSIFIED), words), needed=True),
    "passages": Member(_PASSAGES),
    "meeting": Member(words),
    "minute": Member(words),
}
_APPLICATION = Member(words, needed=True)
_APPROVAL = Member(words, needed=True)
_TERMS: Members = {"start": Member(day), "expiry": Member(day), "maximum_devices": Member(whole)}

KINDS: Mapping[str, Members] = {
    DecisionKind.GRANT: {**_SHARED, "application": _APPLICATION, **_TERMS, "conditions": Member(_CONDITIONS)},
    DecisionKind.REFUSE: {**_SHARED, "application": _APPLICATION},
    DecisionKind.AMEND: {
        **_SHARED,
        "approval": _APPROVAL,
        **_TERMS,
        "firmware_added": Member(list_of(firmware)),
        "firmware_removed": Member(list_of(words)),
        "conditions_added": Member(_CONDITIONS),
        "conditions_removed": Member(list_of(whole)),
        "description": Member(either(dict, table_of(_CLASSIFIED), words)),
        "effective": Member(moment),
        "request": Member(words),
        "csr": Member(text_file),
    },
    DecisionKind.REFUSE_AMENDMENT: {**_SHARED, "request": Member(words, needed=True)},
    DecisionKind.REVOKE: {
        **_SHARED,
        "approval": _APPROVAL,
        "cause": Member(words, needed=True),
        "breach": Member(words),
        "invalidity_date": Member(moment),
    },
    DecisionKind.WITHDRAW: {**_SHARED, "approval": _APPROVAL},
    DecisionKind.REKEY: {
        **_SHARED,
        "approval": _APPROVAL,
        "csr": Member(text_file, needed=True),
        "compromised": Member(truth, needed=True),
        "effective": Member(moment),
        "invalidity_date": Member(moment),
    },
}
"""What each kind of decision may say."""


def decisions(path: Path) -> list[dict[str, Any]]:
    """Return the decisions that a form proposes, at least one.

    Args:
        path: of the form: `[[decision]]` tables, or one decision without that heading.

    Raises:
        InputUnusable: with every problem at once.
    """
    form, raw = read_toml(path)
    several = raw.get("decision")
    if several is None:
        listed, places = [raw], [""]
    elif isinstance(several, list) and len(raw) == 1:
        listed, places = several, [f"decision {place}" for place in range(1, len(several) + 1)]
    else:
        form.wrong("decision", "is a list: head each one with [[decision]], and write nothing beside them.")
        listed, places = [], []
    made = [_decision(form, place, each) for place, each in zip(places, listed, strict=True)]
    require_sound(form)
    return made


def _decision(form: Form, where: str, raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict) or raw.get("kind") not in KINDS:
        form.wrong(f"{where}.kind" if where else "kind", f"must be one of {', '.join(KINDS)}.")
        return {}
    return form.table(where, raw, KINDS[raw["kind"]])
