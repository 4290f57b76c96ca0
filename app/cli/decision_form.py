"""The form of decisions: one, or a whole meeting's, as TOML; its template, and the requests it becomes.

What each kind may say is read from the body that the API takes for it (api/forms/deciding.py).
"""

from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, assert_never, get_args, get_origin, get_type_hints

from api.forms.deciding import body_of
from api.forms.fields import Body, Csr, Day, FirmwareBody, Moment
from app.cli.form_files import (
    Form,
    Member,
    Members,
    Read,
    day,
    either,
    firmware,
    list_of,
    moment,
    read_toml,
    request_file,
    require_sound,
    table_of,
    truth,
    whole,
    words,
)
from core.kinds import DecisionKind

_HEAD = """\
# Decisions of a meeting (Smart Energy Code, F2.21 to F2.30). Each [[decision]] stands or falls alone; delete what you
# do not need. Propose them:  trialcpa decide propose decisions.toml
#
# A passage is White, Green, Amber or Red, and names who gets it (manufacturer, dcc, panel). Unless it says otherwise
# it is Amber and goes to all three; what is Red goes to nobody. What is withheld never leaves the register (F2.22).
# Limit and firmware are in the certificate, which is public.
#
# Write what is meant wherever the dots are (app-…, TDA-…, TDN-…); a test authority's begin with TDT and TTN.

"""

_GRANT = """\
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
subject = "assessment"              # F2.21(b); "description", of the device, is F2.21(a): one passage for each
text = "What the assessment found."
classification = "red"
# recipients = ["dcc"]
"""

_REFUSE = """\
[[decision]]
kind = "refuse"                     # F2.24
application = "app-…"
reasons = "A summary of why not."
"""

_AMEND = """\
[[decision]]
kind = "amend"                      # F2.29; name only what changes
approval = "TDA-…"
reasons = "A summary of why."
# request = "amr-…"                 # the Manufacturer's request, if there is one
# expiry = 2027-09-30
# maximum_devices = 800
# effective = 2027-03-01T00:00:00Z  # by default the next midnight, UTC
# waiting = "withdraw"              # of a change decided for later; by default it is carried, made anew
# firmware_removed = ["0002012F"]
# conditions_removed = [2]
[[decision.firmware_added]]
version = "00020130"
image = "firmware-00020130.bin"     # or image_sha256 = "…"
"""

_REFUSE_AMENDMENT = """\
[[decision]]
kind = "refuse-amendment"           # F2.29
request = "amr-…"
reasons = "A summary of why not."
"""

_REVOKE = """\
[[decision]]
kind = "revoke"                     # F2.30; cause: ssc, breach or key-compromise
approval = "TDA-…"
cause = "breach"
breach = "breach-…"
# request = "enr-…"                 # the Manufacturer's request for the end, if there is one
reasons = "A summary of why."
"""

_WITHDRAW = """\
[[decision]]
kind = "withdraw"                   # an approval ends at the Manufacturer's request
approval = "TDA-…"
# request = "enr-…"                 # in which it did so here
reasons = "As the Manufacturer asked."
"""

_REKEY = """\
[[decision]]
kind = "rekey"                      # a new key under the same approval
approval = "TDA-…"
csr = "new.csr"                     # left out where the issuing CA was ended: the key stays
compromised = false
reasons = "The Manufacturer has a new key."
"""

_WITHDRAW_WAITING = """\
[[decision]]
kind = "withdraw-waiting"           # F2.29: what is decided for later, and has not begun, never does
approval = "TDA-…"
reasons = "A summary of why."
"""

_CORRECT = """\
[[decision]]
kind = "correct"                    # a notice was wrong: a new one names it; what was decided is amended, not corrected
notice = "TDN-…"
reasons = "What was wrong, and why it is put right."
# [decision.summary]                # the summary of reasons in place of the one that was told
# text = "A summary of why, as it should have been."
"""


def example(kind: DecisionKind) -> str:
    """Return a decision of a kind as the template shows it."""
    match kind:
        case DecisionKind.GRANT:
            return _GRANT
        case DecisionKind.REFUSE:
            return _REFUSE
        case DecisionKind.AMEND:
            return _AMEND
        case DecisionKind.REFUSE_AMENDMENT:
            return _REFUSE_AMENDMENT
        case DecisionKind.REVOKE:
            return _REVOKE
        case DecisionKind.WITHDRAW:
            return _WITHDRAW
        case DecisionKind.REKEY:
            return _REKEY
        case DecisionKind.WITHDRAW_WAITING:
            return _WITHDRAW_WAITING
        case DecisionKind.CORRECT:
            return _CORRECT
        case _:
            assert_never(kind)


TEMPLATE = _HEAD + "\n".join(example(kind) for kind in DecisionKind)


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


def members_of(body: type[Body]) -> Members:
    """Return what a table may have that becomes a body of the API; the kind comes first."""
    said = get_type_hints(body, include_extras=True)
    named = sorted(body.model_fields.items(), key=lambda each: each[0] != "kind")
    return {name: Member(_read(said[name]), needed=field.is_required()) for name, field in named}


def _decision(form: Form, where: str, raw: object) -> dict[str, Any]:
    named = raw.get("kind") if isinstance(raw, dict) else None
    kind = next((each for each in DecisionKind if each == named), None)
    if kind is None or not isinstance(raw, dict):
        form.wrong(f"{where}.kind" if where else "kind", f"must be one of {', '.join(DecisionKind)}.")
        return {}
    return form.table(where, raw, members_of(body_of(kind)))


_READ: list[tuple[object, Read]] = [
    (Day, day),
    (Moment, moment),
    (Csr, request_file),
    (FirmwareBody, firmware),
    (bool, truth),
    (int, whole),
    (str, words),
]
"""How a value of a form is read, by the type that the API has for it."""


def _read(said: Any) -> Read:  # noqa: ANN401 - what an annotation may be has no type
    """Return how a value is read that the API describes by an annotation."""
    known = next((read for each, read in _READ if each == said), None)
    if known is not None:
        return known
    parts = get_args(said)
    if hasattr(said, "__metadata__"):  # Annotated: a limit is the service's to judge
        return _read(parts[0])
    if get_origin(said) in (Union, UnionType):  # one that may be left out, or words alone where a table may stand
        readers = [_read(each) for each in parts if each is not type(None)]
        return readers[0] if len(readers) == 1 else either(dict, readers[1], readers[0])
    if get_origin(said) is list:
        return list_of(_read(parts[0]))
    if get_origin(said) is Literal or issubclass(said, StrEnum):
        return words
    return table_of(members_of(said))
