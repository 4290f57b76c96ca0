"""The trial around the certificate as steps of the sweep: one trial, T, from its application to its end for a breach.

What is asked in a step is the same when it is asked again: files, texts and dates are fixed, and what was made before
is looked up where it is.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Literal

from core.approval import EndCause, Firmware
from core.classification import Passage
from core.deployments import Form
from core.kinds import EvidenceSubject, Rendition, RequirementState
from ra.applying.apply import apply
from ra.applying.change import change_application
from ra.applying.evidence import File, Subject, attach
from ra.applying.request_amendment import RequestAmendment, request_amendment, withdraw_request
from ra.applying.requirements import close_requirement, end_standing, set_requirement, set_standing
from ra.deciding.acknowledge import acknowledge
from ra.deciding.end import Revoke
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.amendment_refusal import ProposeAmendmentRefusal
from ra.deciding.kinds.grant import ProposeGrant
from ra.grounds import Minutes
from ra.repeat import RequestKey
from ra.reporting import breach
from ra.reporting import record as record_deployments
from ra.reporting.report import issue_report, remark_report, rendered
from ra.telling import instructions as cpl
from ra.telling import notices
from ra.telling.reconcile import reconcile
from store.reading import breaches as breach_reading
from store.reading import cpl as cpl_reading
from store.reading import notices as notice_reading
from store.reading import requirements as requirement_reading
from tests.acting import judge, revoke
from tests.deployments_world import csv_of, deployed
from tests.evidence_world import TEXT
from tests.kill.steps import Act, Known, Step, approval_of, propose_step, second_step
from tests.world import DCC, DEVICE, MANUFACTURER, OFFICER_1, OFFICER_2, OFFICER_3, PANEL, World, application

FEBRUARY = datetime(2027, 2, 1, 10, 0, tzinfo=UTC)
"""A Monday, on which everybody is mailed a list; four weeks into the trial."""

NEXT_DAY = datetime(2027, 2, 2, 10, 0, tzinfo=UTC)
"""Ten hours after the extension has taken over."""

NEW_FIRMWARE = Firmware("00020130", "cd" * 32)
MONTH = "2027-01"


def before_the_start(csr: bytes) -> Iterator[Step]:
    """It is applied for, changed, evidenced, required more of, and granted with a condition (F2.18 to F2.21)."""
    wanted = application(
        device=replace(DEVICE, model="TRIAL-T"), csr=csr, maximum_devices=500, contact="trials@acme.example"
    )
    yield Step(
        "standing requirement",
        "web",
        lambda world, _known, key: set_standing(world.desk, OFFICER_1, "A penetration test.", key),
    )
    yield Step(
        "apply T", "web", lambda world, _known, key: apply(world.desk, MANUFACTURER, wanted, key), anew=("apply",)
    )
    yield Step(
        "change T",
        "web",
        # Two devices, and three will be deployed: the third report is above the limit (F2.21(d)).
        lambda world, known, key: change_application(
            world.desk, MANUFACTURER, _application(known), {"maximum_devices": 2, "purpose": "In Leeds and York."}, key
        ),
    )
    yield Step(
        "evidence for T",
        "web",
        lambda world, known, key: attach(
            world.desk,
            MANUFACTURER,
            Subject(EvidenceSubject.APPLICATION, _application(known)),
            File("heat.txt", "text/plain", TEXT),
            key,
        ),
    )
    yield Step(
        "require more of T",
        "web",
        lambda world, known, key: set_requirement(world.desk, OFFICER_2, _application(known), "Where it is put.", key),
    )
    yield Step("met", "web", _close(RequirementState.MET, standing=False))
    yield Step(
        "waive the standing one", "web", _close(RequirementState.WAIVED, standing=True), anew=("close requirement",)
    )
    yield Step(
        "end standing requirement",
        "web",
        lambda world, known, key: end_standing(world.desk, OFFICER_1, known["standing requirement"]["standing"], key),
    )
    conditions = (Passage.of("condition", "Tell us of every fault."),)
    yield propose_step(
        "propose T",
        lambda known: ProposeGrant(_application(known), "It looks sound.", minutes=Minutes(conditions=conditions)),
        swept=False,
    )
    yield Step("draft T", "authority", swept=False)
    yield second_step("propose T", OFFICER_2, anew=("second",))
    yield Step("issue T", "authority", swept=False)


def while_it_runs() -> Iterator[Step]:
    """It is on the list, devices go up, it is amended in three ways, everybody is told (F2.27 to F2.29)."""
    yield _running("the Panel has loaded it", _acknowledge(0, loaded=True))
    yield _running("deploy", _deploy)
    yield _running("ask for more time", _ask("We need the summer."))
    yield _running("ask for York", _ask("York is waiting."))
    yield _running(
        "ask no more for York",
        lambda world, known, key: withdraw_request(world.desk, MANUFACTURER, known["ask for York"]["request"], key),
    )
    yield _running("ask for a thousand", _ask("We have a thousand."))
    # A condition is no matter of the certificate: with the third officer it holds, and the notice is written.
    condition = (Passage.of("condition", "No more of them until the faults are known."),)
    yield propose_step(
        "a condition",
        lambda known: ProposeAmendment(_t(known), "There were faults.", minutes=Minutes(conditions=condition)),
        at=FEBRUARY,
        officers=3,
        swept=False,
    )
    yield second_step("a condition", OFFICER_2, name="support", at=FEBRUARY, anew=("second",))
    yield second_step("a condition", OFFICER_3, at=FEBRUARY, anew=("second",))
    yield Step("seal it", "authority", at=FEBRUARY, swept=False)
    yield Step("tell", "courier", at=FEBRUARY)
    yield _running("fetch", _fetch)
    yield from _amended()


def _amended() -> Iterator[Step]:
    """Expiry and firmware are matters of the certificate; what is refused changes nothing but the request."""
    yield propose_step(
        "more time",
        lambda known: ProposeAmendment(
            _t(known),
            "It goes well.",
            expiry=date(2027, 9, 30),
            firmware_added=(NEW_FIRMWARE,),
            request=known["ask for more time"]["request"],
        ),
        at=FEBRUARY,
        anew=("propose",),
    )
    yield Step("draft more time", "authority", at=FEBRUARY, anew=("draft",))
    yield second_step("more time", OFFICER_2, at=FEBRUARY, swept=False)
    yield Step("issue more time", "authority", at=FEBRUARY, anew=("record certificates",))
    yield propose_step(
        "refuse a thousand",
        lambda known: ProposeAmendmentRefusal(known["ask for a thousand"]["request"], "Two must do."),
        at=FEBRUARY,
        swept=False,
    )
    yield second_step("refuse a thousand", OFFICER_2, at=FEBRUARY, anew=("second",))
    # On the same day: what officers have signed is valid for a day, and the authority never stands still that long.
    yield Step("seal the refusal", "authority", at=FEBRUARY, swept=False)


def at_its_end() -> Iterator[Step]:
    """It is reported, a breach is confirmed and answered, and the list follows (F2.23, F2.28, F2.30, F2.31)."""
    yield Step("the next day", "authority", at=NEXT_DAY, swept=False)
    yield _ending(
        "remark",
        lambda world, _known, key: remark_report(world.desk, DCC, MONTH, "The new hubs are late.", key),
    )
    yield _ending("report", lambda world, _known, key: issue_report(world.desk, DCC, MONTH, key, early=True))
    yield _ending("print", lambda world, _known, _key: {"pdf": len(rendered(world.desk, DCC, MONTH, Rendition.PDF))})
    yield from _breaches()
    yield _ending(
        "the NCSC has certified it",
        lambda world, known, key: cpl.record_ncsc_certificate(
            world.desk, OFFICER_1, _t(known), certificate="NCSC-2027-9", certified_on=date(2027, 2, 1), request=key
        ),
    )
    yield _ending("revoke T", _revoke, anew=("revoke",))
    yield _ending(
        "the second officer knows",
        lambda world, known, key: acknowledge(world.desk, OFFICER_2, known["revoke T"]["decision"], key),
    )
    yield _ending(
        "close the other",
        lambda world, known, key: breach.close(
            world.desk, OFFICER_1, known["suspect 2"]["breach"], why="The trial has ended.", request=key
        ),
    )
    yield Step("publish the breach", "authority", at=NEXT_DAY, swept=False)
    yield _ending("the Panel cannot", _acknowledge(-1, loaded=False), swept=False)
    yield _ending("compare the lists", _reconcile, repeatable=False)


def _breaches() -> Iterator[Step]:
    """The limit's was suspected by the report and is dismissed; of two confirmed, one is answered, one closed."""
    for number in (1, 2):
        yield _ending(f"suspect {number}", _suspect(number), swept=number == 1)
        yield _ending(f"confirm {number}", _judge(f"suspect {number}"), swept=number == 1)
    yield _ending("dismiss the limit", _dismiss_limit, anew=("judge breach",))


def _running(name: str, act: Act) -> Step:
    return Step(name, "web", act, FEBRUARY)


def _ending(name: str, act: Act, **more: Any) -> Step:
    return Step(name, "web", act, NEXT_DAY, **more)


def _application(known: Known) -> str:
    return str(known["apply T"]["application"])


def _t(known: Known) -> str:
    return approval_of(known, "propose T")


# --- acts ------------------------------------------------------------------------------------------------------------


def _close(outcome: Literal[RequirementState.MET, RequirementState.WAIVED], *, standing: bool) -> Act:
    """Close the requirement that came with the application, or the one of its own."""

    def act(world: World, known: Known, key: RequestKey) -> Any:
        with world.store.read() as tx:
            found = requirement_reading.requirements_of(tx, _application(known))
        chosen = next(each.id for each in found if (each.standing is not None) == standing)
        return close_requirement(world.desk, OFFICER_1, chosen, outcome=outcome, reason="We have seen it.", request=key)

    return act


def _acknowledge(place: int, *, loaded: bool) -> Act:
    def act(world: World, known: Known, key: RequestKey) -> Any:
        with world.store.read() as tx:
            found = cpl_reading.instructions_of(tx, _t(known))[place]
        said = cpl.Acknowledge(found.id, loaded, "" if loaded else "The macro refuses it.")
        return cpl.acknowledge(world.desk, PANEL, said, key)

    return act


def _deploy(world: World, known: Known, key: RequestKey) -> Any:
    """Three devices in two parts: a death between them leaves two, and the report sent again adds the third."""
    lines = [deployed(number, _t(known)) for number in (1, 2, 3)]
    whole = record_deployments.LINES_AT_ONCE
    record_deployments.LINES_AT_ONCE = 2
    try:
        return record_deployments.record_deployments(world.desk, DCC, Form.CSV, csv_of(lines), key)
    finally:
        record_deployments.LINES_AT_ONCE = whole


def _ask(reasons: str) -> Act:
    return lambda world, known, key: request_amendment(
        world.desk, MANUFACTURER, RequestAmendment(_t(known), reasons), key
    )


def _fetch(world: World, known: Known, _key: RequestKey) -> Any:
    """The DCC fetches the notice of the condition, typeset."""
    with world.store.read() as tx:
        found = notice_reading.notice_list(tx, organisation_id=None, approval=_t(known), after="", limit=100)
    number = next(each.number for each in found if each.decision_id == known["a condition"]["decision"])
    made = notices.fetch(world.desk, DCC, number, recipient=None, pdf=True)
    return {"notice": number, "pdf": len(made.octets)}


def _suspect(condition: int) -> Act:
    return lambda world, known, key: breach.suspect(
        world.desk, OFFICER_1, _t(known), condition, "A fault was not told.", key
    )


def _judge(suspected: str) -> Act:
    return lambda world, known, key: judge(
        world.desk, OFFICER_2, known[suspected]["breach"], confirmed=True, why="It was not.", request=key
    )


def _dismiss_limit(world: World, known: Known, key: RequestKey) -> Any:
    with world.store.read() as tx:
        found = breach_reading.breach_list(tx, approval=_t(known), after="", limit=100)
    limit = next(each for each in found if each.condition is None)
    return judge(world.desk, OFFICER_1, limit.id, confirmed=False, why="They are spares.", request=key)


def _revoke(world: World, known: Known, key: RequestKey) -> Any:
    command = Revoke(_t(known), EndCause.BREACH, "A condition was broken.", breach=known["suspect 1"]["breach"])
    return revoke(world.desk, OFFICER_1, command, key)


def _reconcile(world: World, _known: Known, _key: RequestKey) -> Any:
    found = reconcile(world.desk, PANEL, b"trial,approval,expiry,manufacturer,model,firmware version\r\n")
    return {"lines": found.lines}
