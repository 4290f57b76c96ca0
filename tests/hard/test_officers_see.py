"""Officers see everything that they decide on: what was applied for, what it rests on, what is different this time."""

import json
from datetime import date
from functools import partial
from typing import Any

import pytest
from rich.console import Console

from app.cli import decision_shown
from core.approval import EndCause
from core.assurance import AssuranceCertificate, EarlierCpa
from core.kinds import EvidenceSubject
from ra.applying.change import change_application
from ra.applying.evidence import File, Subject, attach
from ra.applying.request_amendment import RequestAmendment, request_amendment
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.revocation import ProposeRevocation
from ra.deciding.look import decision, decisions
from ra.deciding.views import DecidedUpon, DecisionAnswer
from ra.views import document, view_of
from tests.acting import judge, propose, reject
from tests.test_breaches import conditioned, suspected
from tests.world import DEVICE, MANUFACTURER, OFFICER_1, OFFICER_2, World

ZIGBEE = AssuranceCertificate("ZigBee", "ZIG-7", DEVICE.manufacturer, DEVICE.model, "01", date(2026, 5, 4))
EARLIER = EarlierCpa("CPA-77", DEVICE.manufacturer, "010A0209", "01", date(2021, 3, 1))
TEXT = partial(File, media_type="text/plain", octets=b"It was read on the street.\n")


def seen(world: World, identifier: str) -> DecidedUpon:
    found = decision(world.desk, OFFICER_2, identifier).upon
    assert found is not None
    return found


def lines(said: DecisionAnswer) -> str:
    console = Console(width=400, highlight=False)
    with console.capture() as shown:
        decision_shown.show(console, said)
    return shown.get()


@pytest.mark.clause("F2.19")
def test_an_officer_sees_purpose_contact_manufacturer_and_what_is_named_beside_what_is_asked(world: World) -> None:
    words: dict[str, Any] = {"purpose": "Forty homes in Leeds.", "contact": "trials@maker.example"}
    own = world.applied(**words, assurance=(ZIGBEE,), earlier_cpa=EARLIER)
    file = attach(world.desk, MANUFACTURER, Subject(EvidenceSubject.APPLICATION, own), TEXT("zigbee.txt"))
    proposed = propose(world.desk, OFFICER_1, ProposeGrant(own, "It looks sound."))
    said = decision(world.desk, OFFICER_2, proposed.decision)
    about = seen(world, proposed.decision)
    assert about.manufacturer == "Acme Metering Ltd"
    assert (about.application.purpose, about.application.contact) == ("Forty homes in Leeds.", "trials@maker.example")
    asked = {each.asked.split(" certificate")[0]: each.held for each in about.application.asked}
    assert "ZIG-7" in asked["(a) a ZigBee"][0]
    assert asked["(a) a DLMS"] == ()
    assert "CPA-77" in about.application.asked[-1].held[0]
    told = lines(said)
    for each in (*words.values(), "Acme Metering Ltd", "ZIG-7", "CPA-77", "nothing is named", "zigbee.txt"):
        assert each in told
    assert f"trialcpa fetch {file.evidence}" in told
    assert view_of(DecisionAnswer, json.dumps(document(said))) == said
    # A list stays a list.
    assert [each.upon for each in decisions(world.desk, OFFICER_2, after="", limit=9).decisions] == [None]


@pytest.mark.clause("F2.18")
def test_what_changed_since_the_last_proposal_and_the_last_application_is_told(world: World) -> None:
    first = world.applied()
    refused = propose(world.desk, OFFICER_1, ProposeRefusal(first, "Nothing is attached."))
    world.seconded(refused.decision)
    again = world.applied(maximum_devices=40, purpose="Fewer homes.")
    early = propose(world.desk, OFFICER_1, ProposeGrant(again, "It looks sound."))
    reject(world.desk, OFFICER_2, early.decision, why="Too many.")
    change_application(world.desk, MANUFACTURER, again, {"maximum_devices": 30})
    late = seen(world, propose(world.desk, OFFICER_1, ProposeGrant(again, "Now it does.")).decision)
    earlier = late.application.earlier
    assert earlier is not None
    assert earlier.application == first
    found = {each.subject: each.after for each in earlier.differences}
    assert (found["most devices"], found["purpose"]) == ("30", "Fewer homes.")
    assert [each.members for each in late.application.changes] == [("maximum_devices",)]
    before = late.before
    assert before is not None
    assert before.decision == early.decision
    assert {each.subject: (each.before, each.after) for each in before.differences} == {
        "most devices": ("40", "30"),
        "reasons": ("It looks sound.", "Now it does."),
    }


@pytest.mark.clause("F2.29")
@pytest.mark.clause("F2.23")
def test_an_amendment_shows_its_request_and_a_revocation_its_breach_each_with_its_evidence(world: World) -> None:
    approval = conditioned(world)
    asked = request_amendment(world.desk, MANUFACTURER, RequestAmendment(approval, "It snowed.", maximum_devices=60))
    of_request = attach(
        world.desk, MANUFACTURER, Subject(EvidenceSubject.AMENDMENT_REQUEST, asked.request), TEXT("snow.txt")
    )
    words = ProposeAmendment(approval, "Fewer.", maximum_devices=60, request=asked.request)
    proposed = propose(world.desk, OFFICER_1, words)
    about = seen(world, proposed.decision)
    assert about.request is not None
    assert (about.request.reasons, about.request.asked.maximum_devices) == ("It snowed.", 60)
    assert [each.evidence for each in about.evidence] == [of_request.evidence]
    told = lines(decision(world.desk, OFFICER_2, proposed.decision))
    for each in ("It snowed.", "snow.txt", "A field trial in Leeds."):
        assert each in told
    reject(world.desk, OFFICER_2, proposed.decision, why="Not yet.")
    breach = suspected(world, approval)
    of_breach = attach(world.desk, OFFICER_1, Subject(EvidenceSubject.BREACH, breach), TEXT("street.txt"))
    judge(world.desk, OFFICER_2, breach, confirmed=True, why="It was read there.")
    command = ProposeRevocation(approval, EndCause.BREACH, "A condition was not kept.", breach=breach)
    proposed = propose(world.desk, OFFICER_1, command)
    about = seen(world, proposed.decision)
    assert about.breach is not None
    assert about.breach.why == "It was read there."
    assert [each.evidence for each in about.evidence] == [of_breach.evidence]
    told = lines(decision(world.desk, OFFICER_2, proposed.decision))
    for each in ("street.txt", about.breach.note, "It was read there."):
        assert each in told
