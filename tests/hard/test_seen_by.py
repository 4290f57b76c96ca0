"""What the SSC puts to an application is the SSC's, unless it says otherwise: every role, on every channel (F2.22)."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial

import pytest

from core.actors import PartyKind, Role
from core.classification import Classification
from core.errors import EvidenceFull
from core.facts import FactKind
from core.kinds import EvidenceSubject
from ra.applying import look
from ra.applying.evidence import MOST_FILES, File, Subject, attach, attachments
from tests.api_world import PEOPLE, Api, done, refused
from tests.evidence_world import journal, said
from tests.world import MANUFACTURER, OFFICER_1, World

THEIRS = b"What the Manufacturer sent.\n"
KEPT = b"What the Sub-Committee thinks of the marimba of this maker. " * 77
WAIVED = "The xylophone was seen by another officer."
MARKS: Mapping[str, bytes] = {
    "name": b"marimba-assessment",
    "digest": hashlib.sha256(KEPT).hexdigest().encode(),
    "size": f'"size":{len(KEPT)}'.encode(),
    "waiver": WAIVED.encode(),
}
OF_THE_SSC = {"officer-1", "officer-2", "admin", "auditor"}


def channels(application: str, decision: str, evidence: str, approval: str, notices: list[str]) -> Iterator[str]:
    yield f"/v1/applications/{application}"
    yield f"/v1/applications/{application}/evidence"
    yield f"/v1/applications/{application}/requirements"
    yield "/v1/applications"
    yield "/v1/requirements/standing"
    yield f"/v1/evidence/{evidence}"
    yield f"/v1/decisions/{decision}"
    yield "/v1/decisions"
    yield f"/v1/approvals/{approval}"
    yield f"/v1/approvals/{approval}/conditions"
    yield "/v1/approvals"
    yield "/v1/notices"
    yield from (f"/v1/notices/{each}" for each in notices)
    yield "/v1/tasks"
    yield "/v1/calendar.ics"
    yield "/v1/journal"
    yield f"/approvals/{approval}"


def seen(api: Api, *, classification: str | None) -> dict[str, dict[str, set[str]]]:
    """By role and channel, which marks are in the answer."""
    application = api.applied(**said())
    path = f"/v1/applications/{application}"
    asked = done(api.ask("officer-1", "POST", f"{path}/requirements", {"text": "Show the xylophone test."}), 201)
    beside = {} if classification is None else {"classification": classification}
    query = "".join(f"&{name}={value}" for name, value in beside.items())
    send = partial(api.ask, method="POST", Content_Type="text/plain")
    done(send("manufacturer", path=f"{path}/evidence?name=ours.txt", body=THEIRS), 201)
    kept = done(send("officer-1", path=f"{path}/evidence?name=marimba-assessment.txt{query}", body=KEPT), 201)
    outcome = {"state": "waived", "reason": WAIVED, **beside}
    done(api.ask("officer-2", "POST", f"/v1/requirements/{asked['requirement']}/outcome", outcome))
    decision = api.proposed(kind="grant", application=application)
    api.settle()
    approval = done(api.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", api.second_body(decision)))
    api.settle()
    notices = [each["notice"] for each in done(api.ask("auditor", "GET", "/v1/notices"))["notices"]]
    assert notices
    every = list(channels(application, decision, kept["evidence"], approval["approval"], notices))
    return {
        who: {
            each: {
                name for name, mark in MARKS.items() if mark in api.ask(who, "GET", each).data.replace(b'": ', b'":')
            }
            for each in every
        }
        for who in PEOPLE
    }


def told(found: Mapping[str, set[str]]) -> set[str]:
    return set().union(*found.values())


@pytest.mark.clause("F2.20")
def test_what_the_ssc_puts_to_an_application_is_seen_by_nobody_else(world: World) -> None:
    found = seen(Api(world), classification=None)
    assert {who: told(by_channel) for who, by_channel in found.items()} == {
        who: set(MARKS) if who in OF_THE_SSC else set() for who in PEOPLE
    }
    # The case for which it is withheld is no empty one: whoever may see it finds it in every channel that there is.
    shown = {each.split("/")[-1] for each, marks in found["auditor"].items() if "name" in marks}
    assert {"evidence"} <= shown


@pytest.mark.clause("F2.20")
def test_what_the_ssc_says_is_not_red_its_applicant_sees_and_no_other(world: World) -> None:
    found = seen(Api(world), classification="amber")
    assert {who: told(by_channel) for who, by_channel in found.items()} == {
        who: set(MARKS) if who in OF_THE_SSC | {"manufacturer"} else set() for who in PEOPLE
    }


def test_only_the_ssc_says_from_whom_a_file_is_kept(world: World) -> None:
    api = Api(world)
    path = f"/v1/applications/{api.applied()}/evidence?name=a.txt&classification="
    for each in Classification:
        refused(
            api.ask("manufacturer", "POST", path + each, THEIRS, Content_Type="text/plain"),
            403,
            "operation-not-permitted",
        )
    refused(api.ask("officer-1", "POST", f"{path}pink", THEIRS, Content_Type="text/plain"), 400, "body-malformed")
    assert done(api.ask("officer-1", "POST", f"{path}white", THEIRS, Content_Type="text/plain"), 201)


@pytest.mark.parametrize("first", ["the SSC", "the Manufacturer"])
def test_nobody_learns_by_sending_it_that_the_ssc_has_a_file(world: World, first: str) -> None:
    application = world.applied()
    of, file = Subject(EvidenceSubject.APPLICATION, application), File("a.txt", "text/plain", KEPT)
    order = [OFFICER_1, MANUFACTURER] if first == "the SSC" else [MANUFACTURER, OFFICER_1]
    made = {each.name: attach(world.desk, each, of, file) for each in order}
    assert made[MANUFACTURER.name].evidence != made[OFFICER_1.name].evidence
    assert attachments(world.desk, MANUFACTURER, of).evidence == (made[MANUFACTURER.name],)
    assert look.application(world.desk, MANUFACTURER, application).evidence == (made[MANUFACTURER.name],)
    parties = {each.attached_for for each in attachments(world.desk, OFFICER_1, of).evidence}
    assert parties == {PartyKind.SSC, PartyKind.MANUFACTURER}
    facts = {(row["payload"]["party"], row["payload"]["classification"]) for row in recorded(world)}
    assert facts == {("ssc", "red"), ("manufacturer", "amber")}


def recorded(world: World) -> list[dict[str, dict[str, str]]]:
    return journal(world.store, FactKind.EVIDENCE_ATTACHED)


def test_what_the_ssc_attaches_takes_no_place_from_the_manufacturer(world: World) -> None:
    of = Subject(EvidenceSubject.APPLICATION, world.applied())
    for number in range(MOST_FILES):
        attach(world.desk, OFFICER_1, of, File("a.txt", "text/plain", f"{number}".encode()))
    with pytest.raises(EvidenceFull):
        attach(world.desk, OFFICER_1, of, File("a.txt", "text/plain", KEPT))
    attach(world.desk, MANUFACTURER, of, File("a.txt", "text/plain", KEPT))


def test_every_role_is_in_the_table() -> None:
    assert {role for role, _ in PEOPLE.values()} == set(Role)
