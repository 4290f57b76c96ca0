"""What shortens trying a test authority out: an example that is applied with, and whoever is next on a page. Only its
start imports this file, by console/demo.py.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import url_for

from console.guard import actor, may
from core.actors import Actor, Role
from core.errors import CredentialInvalid, OperationNotPermitted
from core.kinds import OPEN_DECISION, ApplicationState, DraftPart
from ra.applying.look import application as application_of
from ra.deciding.look import decision as decision_of
from ra.deciding.offered import may_second
from ra.desk import Desk
from ra.doors import admit
from ra.telling.approvals import approval as approval_of

EXAMPLE_DAYS = 30
"""The example's trial is that long, and begins today."""

OFFERED: Mapping[str, str] = {
    "reasons": "An example: it is tried out what a decision leads to.",
    "assessment": "An example: nothing was assessed.",
    "description": "An example: there is no such device.",
}
"""With which forms of decisions begin, so that trying it out needs no typing; each can be written anew."""

REASONS = "An example: it is tried out what an end leads to."

Names = Sequence[tuple[str, str]]
"""Of the demo people, with their roles."""


@dataclass(frozen=True, kw_only=True)
class Onward:
    """What can be tried next, beside what the page itself offers.

    Args:
        name: whom to go on as; empty to stay who one is.
        then: the page that waits for them.
        words: what they do there.
        ends: the approval that can be revoked here by its identifier; empty if none.
    """

    name: str = ""
    then: str = ""
    words: str = ""
    ends: str = ""


def first(people: Names, act: str, *, but: str = "") -> str:
    """Return the first of the demo people who may do an act (ra/doors.py); CredentialInvalid if there is none."""
    for name, role in people:
        try:
            admit(Actor(name=name, role=Role(role), organisation="", credential=None), act)
        except OperationNotPermitted:
            continue
        if name != but:
            return name
    raise CredentialInvalid


def onward(desk: Desk, people: Names, endpoint: str, named: str) -> Onward | None:
    """Return what can be tried next; None where the page offers it, or there is nothing.

    Args:
        desk: where use cases work.
        people: the demo people.
        endpoint: of the page.
        named: what it is about.
    """
    found = _ON.get(endpoint)
    return None if found is None else found(desk, people, named)


def _of_application(desk: Desk, people: Names, named: str) -> Onward | None:
    state = application_of(desk, actor(), named).state
    if may("proposeDecision") or state is not ApplicationState.SUBMITTED:
        return None
    then = url_for("compose_grant", identifier=named)
    return Onward(name=first(people, "proposeDecision"), then=then, words="who composes the grant")


def _of_decision(desk: Desk, people: Names, named: str) -> Onward | None:
    it, own = decision_of(desk, actor(), named), actor().name
    then = url_for("decision", identifier=named, onward="yes")
    if it.state not in OPEN_DECISION:
        return None
    if it.authorised_at is None:
        return None if own == it.proposer else Onward(name=it.proposer, then=then, words="who signs for it")
    if may_second(actor(), it.proposer, it.state):
        return None
    return Onward(name=first(people, "secondDecision", but=it.proposer), then=then, words="who seconds it")


def _of_approval(desk: Desk, people: Names, named: str) -> Onward | None:
    shown = approval_of(desk, actor(), named)
    if shown.ended_at is not None or not shown.certificates:
        return None
    if may("revokeApproval"):
        return Onward(ends=shown.approval)
    then = url_for("approval", identifier=named)
    return Onward(name=first(people, "revokeApproval"), then=then, words="who may end it")


def _of_end(_desk: Desk, people: Names, _named: str) -> Onward | None:
    if not may("revokeApproval"):
        return None
    return Onward(
        name=first(people, "acknowledgeCplInstruction"), then=url_for("listing"), words="who takes it off the list"
    )


_ON: Mapping[str, Callable[[Desk, Names, str], Onward | None]] = {
    "application": _of_application,
    "decision": _of_decision,
    "approval": _of_approval,
    "told": _of_end,
}


def example(today: date, csr: str) -> Mapping[DraftPart, Mapping[str, str]]:
    """Return a draft of a device that there is not, of another model each time: one model has one trial at once.

    Args:
        today: on which its trial begins.
        csr: the request that it is applied with.
    """
    model = {"manufacturer": "AB01", "model": secrets.token_hex(4).upper(), "hardware_version": "01"}
    issued = f"{today - timedelta(days=90)}"
    held = {"manufacturer": model["manufacturer"], "model": model["model"], "issued_on": issued}
    certificates = {
        f"{name}.{row}": value
        for row, scheme in enumerate(("ZigBee", "DLMS"), 1)
        for name, value in {"scheme": scheme, "certificate": f"{scheme}-EXAMPLE", **held}.items()
    }
    earlier = {"certificate": "CPA-EXAMPLE", **held, "model": "010A0209"}
    return {
        DraftPart.DEVICE: {"type": "ESME", **model, "smets_version": "SMETS V1.58", "gbcs_version": "4.2"},
        DraftPart.FIRMWARE: {"version.1": "0002012F", "image_sha256.1": secrets.token_hex(32)},
        DraftPart.CERTIFICATES: {**certificates, **{f"earlier_{name}": value for name, value in earlier.items()}},
        DraftPart.TRIAL: {
            "start": f"{today}",
            "expiry": f"{today + timedelta(days=EXAMPLE_DAYS)}",
            "maximum_devices": "10",
            "purpose": "An example, to try this authority out.",
        },
        DraftPart.KEY: {"csr": csr},
    }
