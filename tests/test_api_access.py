"""Who gets in, and which role may do what: every operation of /openapi.json against every role, cell by cell."""

import importlib
import inspect
import pkgutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import cache
from types import CodeType, FunctionType
from typing import Any

import pytest
from sqlalchemy import insert
from werkzeug.test import TestResponse

import ra
from api.status.refused import Refused
from api.status.shown import Shown
from core.actors import CONSOLE, Actor, Role
from core.classification import Passage
from core.errors import NoSuchThing, OperationNotPermitted
from core.facts import Fact, FactKind
from policy import roles
from policy.roles import Operation, Scope, party_of, recipient_of
from ra import doors
from ra.access import grant_access, key_digest, list_access, revoke_access
from ra.bounds import Bounds
from ra.entering import passkeys, sessions
from ra.reporting.breach import suspect_limit
from store.log_tables import checkpoints, registers
from store.reading import approvals as approval_reading
from store.reading import log
from store.rows import Credential
from store.tables import credentials
from store.verbs import access, facts
from store.verbs.conditions import set_conditions
from tests.acting import member
from tests.api_world import PEOPLE, Api, application, done, refused
from tests.committee_world import bodies_over_http, convened, may_over_http
from tests.console_makers import NOT_OVER_HTTP, acts_of_makers
from tests.trial_rows import empty_register
from tests.world import DCC, NOW, World, csr_pem

OFFICERS = {"officer-1", "officer-2"}
SSC = OFFICERS | {"admin", "auditor"}
READERS = SSC | {"dcc", "panel"}
MONITOR = {"monitor"}
"""Reads counts, and nothing else."""
EVERYBODY = frozenset(PEOPLE) - MONITOR

# Who may, by operation; the thing is the manufacturer's, so a rival gets 404 where the manufacturer gets in.
MAY: dict[str, set[str] | frozenset[str]] = {
    "apply": {"manufacturer", "rival"},
    "listApplications": SSC | {"manufacturer", "rival"},
    "showApplication": SSC | {"manufacturer"},
    "cancelApplication": {"manufacturer"},
    "changeApplication": {"manufacturer"},
    "attachEvidence": OFFICERS | {"manufacturer"},
    "listEvidence": SSC | {"manufacturer"},
    "fetchEvidence": SSC,
    "attachBreachEvidence": OFFICERS,
    "listBreachEvidence": SSC,
    "attachToReport": {"dcc"},
    "listReportAttachments": SSC | {"dcc"},
    "attachAmendmentEvidence": {"manufacturer"},
    "listAmendmentEvidence": SSC | {"manufacturer"},
    "setRequirement": OFFICERS,
    "listRequirements": SSC | {"manufacturer"},
    "closeRequirement": OFFICERS,
    "setStandingRequirement": OFFICERS,
    "listStandingRequirements": SSC | {"manufacturer", "rival"},
    "endStandingRequirement": OFFICERS,
    "proposeDecision": OFFICERS,
    "listDecisions": SSC,
    "showDecision": SSC,
    "authoriseDecision": OFFICERS,
    "authoriseBatch": OFFICERS,
    "listAuthorisations": SSC,
    "showDecisionJournal": SSC,
    "listJournal": SSC,
    "exportAudit": SSC,
    "fetchDossier": SSC,
    "showRoster": SSC,
    **may_over_http(OFFICERS, SSC),
    "proposeOrder": OFFICERS,
    "proposeRevocations": OFFICERS,
    "showRevocations": SSC,
    "authoriseOrder": OFFICERS,
    "listOrders": SSC,
    "showOrder": SSC,
    "secondDecision": OFFICERS,
    "rejectDecision": OFFICERS,
    "acknowledgeDecision": OFFICERS,
    "witnessDecision": OFFICERS,
    "proposeBatch": OFFICERS,
    "secondBatch": OFFICERS,
    "requestAmendment": {"manufacturer"},
    "listAmendmentRequests": SSC | {"manufacturer"},
    "showAmendmentRequest": SSC | {"manufacturer"},
    "withdrawAmendmentRequest": {"manufacturer"},
    "requestEnd": {"manufacturer"},
    "listEndRequests": SSC | {"manufacturer", "rival"},
    "showEndRequest": SSC | {"manufacturer"},
    "withdrawEndRequest": {"manufacturer"},
    "answerEndRequest": OFFICERS,
    "tellOfBreach": OFFICERS,
    "listSuspicions": SSC | {"manufacturer", "rival"},
    "showSuspicion": SSC | {"manufacturer"},
    "answerSuspicion": {"manufacturer"},
    "attachToSuspicion": {"manufacturer"},
    "listSuspicionEvidence": SSC | {"manufacturer"},
    "changeContact": {"manufacturer", "rival"},
    "listContacts": SSC | {"manufacturer", "rival"},
    "listConditions": READERS | {"manufacturer"},
    "listApprovals": READERS | {"manufacturer", "rival"},
    "showApproval": READERS | {"manufacturer"},
    "revokeApproval": OFFICERS,
    "listReceipts": READERS,
    "fetchCertificateOfApproval": READERS | {"manufacturer"},
    "fetchCertificate": READERS | {"manufacturer"},
    "answerCertificate": {"manufacturer"},
    "listReports": SSC | {"dcc"},
    "showReport": SSC | {"dcc"},
    "issueReport": {"dcc"},
    "remarkReport": {"dcc"},
    "askOfReport": OFFICERS,
    "listReportQuestions": SSC | {"dcc"},
    "endReportQuestion": OFFICERS,
    "answerReportQuestion": {"dcc"},
    "listTasks": EVERYBODY,
    "calendar": EVERYBODY,
    "makeCalendarAddress": EVERYBODY,
    "listCalendarAddresses": EVERYBODY,
    "revokeCalendarAddress": EVERYBODY,
    "listNotices": READERS | {"manufacturer", "rival"},
    "showNotice": READERS | {"manufacturer"},
    "listNoticesOfApproval": READERS | {"manufacturer"},
    "listUndelivered": SSC,
    "suspectBreach": OFFICERS,
    "judgeBreach": OFFICERS,
    "closeBreach": OFFICERS,
    "listBreachesOfApproval": SSC,
    "listBreaches": SSC,
    "showBreach": SSC,
    "listCplInstructions": READERS,
    "acknowledgeCplInstruction": {"panel"},
    "recordNcscCertificate": OFFICERS,
    "judgeAddition": OFFICERS,
    "reconcileCpl": OFFICERS | {"panel"},
    "recordDeployments": {"dcc"},
    "showDeploymentBatch": SSC | {"dcc"},
    "showDeployments": SSC | {"dcc", "manufacturer"},
    "metrics": EVERYBODY | MONITOR,
    "consistency": EVERYBODY,
    "verify": EVERYBODY,
    "verifyApproval": EVERYBODY,
    "verifyBatch": EVERYBODY,
}
FILE_NAME = "?name=a.txt"
QUERIES = {
    "attachEvidence": FILE_NAME,
    "attachBreachEvidence": FILE_NAME,
    "attachToReport": FILE_NAME,
    "attachAmendmentEvidence": FILE_NAME,
    "attachToSuspicion": FILE_NAME,
    "proveConsistency": "?from=0&to=1",
    "proveInclusion": "?row=1",
}
"""What an address cannot be asked without, beside its path."""
PUBLIC = {
    "followLog", "showCheckpoint", "fetchTile", "proveInclusion", "proveConsistency", "fetchRegister",
    "fetchRegisterSignature",
    "showAuthority", "ready", "ocspPost", "ocspPostBelow", "ocspGet", "newestCrl", "numberedCrl", "rootCertificate",
    "chain", "authorityCertificate", "page", "alive", "subscribedCalendar",
}  # fmt: skip


@pytest.fixture(scope="module")
def shared(store_copy: Callable[[str], str], keys_folder: Any) -> Iterator[Api]:
    world = World(store_copy("sqlite"), keys_folder)
    api = Api(world)
    api.approval = api.granted()  # type: ignore[attr-defined]
    api.furniture = _furniture(api, api.approval)  # type: ignore[attr-defined]
    with world.store.begin("test") as tx:
        shown = {"size": 1, "root": log.tile(tx, 0, 0, 1), "note": "a note\n", "signed_at": world.clock.now()}
        tx.connection.execute(insert(checkpoints), shown)
        tx.connection.execute(insert(registers), empty_register())
    yield api
    world.close()


def _furniture(api: Api, approval: str) -> dict[str, str]:
    """One of each thing that an address names, beside those that a grant brings; all of them the manufacturer's."""
    application_id = api.applied()
    requirement = api.ask("officer-1", "POST", f"/v1/applications/{application_id}/requirements", {"text": "x"})
    standing = api.ask("officer-1", "POST", "/v1/requirements/standing", {"text": "x"})
    attach = f"/v1/applications/{application_id}/evidence{FILE_NAME}"
    evidence = api.ask("manufacturer", "POST", attach, b"x", Content_Type="text/plain")
    calendars = [done(api.ask("manufacturer", "POST", "/v1/calendars", {"name": each}), 201) for each in "ab"]
    wanted = {"reasons": "x", "maximum_devices": 600}
    asked = api.ask("manufacturer", "POST", f"/v1/approvals/{approval}/amendment-requests", wanted)
    ending = api.ask("manufacturer", "POST", f"/v1/approvals/{approval}/end-requests", {"reasons": "x"})
    leaving = {"kind": "change-roster", "why": "x", "remove": [member("officer-3").key]}
    order = api.ask("officer-1", "POST", "/v1/orders", leaving)
    with api.world.store.begin("furnish") as tx:
        breach = suspect_limit(tx, approval, deployed=501, maximum=500, actor=DCC, at=NOW)
        decision = approval_reading.approval(tx, approval).decision_id
        set_conditions(tx, approval, decision, [(1, Passage.of("condition 1", "x"))], since=NOW)
    done(api.ask("officer-1", "POST", f"/v1/breaches/{breach}/telling", {"text": "x"}))
    return {
        "requirement": done(requirement, 201)["requirement"],
        "standing": done(standing, 201)["standing"],
        "question": done(api.ask("officer-1", "POST", "/v1/reports/questions", {"text": "x"}), 201)["question"],
        "evidence": done(evidence, 201)["evidence"],
        "waiting": application_id,
        "calendar": calendars[0]["calendar"],
        "secret": calendars[1]["address"].rpartition("/")[2].removesuffix(".ics"),
        "breach": str(breach),
        "instruction": done(api.ask("panel", "GET", "/v1/cpl/instructions"))["instructions"][0]["instruction"],
        "request": done(asked, 201)["request"],
        "end_request": done(ending, 201)["request"],
        "order": done(order, 201)["order"],
        **convened(api, application_id, application_id, "x"),
    }


@cache
def _operations(api: Api) -> dict[str, tuple[str, str, dict[str, Any]]]:
    paths = done(api.ask(None, "GET", "/openapi.json"))["paths"]
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


@cache
def _bodies(api: Api) -> dict[str, Any]:
    """Well-formed requests that come to nothing, so that cells do not disturb each other."""
    return {
        "apply": application(csr=csr_pem().decode(), expiry="2027-01-03"),
        "proposeDecision": {"kind": "refuse", "application": "app-none", "reasons": "x"},
        "authoriseDecision": {"proposal_sha256": "0" * 64},
        "authoriseBatch": {"decisions": [{"decision": "dec-none", "proposal_sha256": "0" * 64}]},
        "proposeOrder": {"kind": "start-issuing", "why": "x"},
        "proposeRevocations": {
            "approvals": [api.approval],  # type: ignore[attr-defined]
            "cause": "ssc",
            "reasons": "x",
            "invalidity_date": "2027-01-03T00:00:00Z",
        },
        "authoriseOrder": {},
        "secondDecision": {"proposal_sha256": "0" * 64},
        "rejectDecision": {"why": "x"},
        "witnessDecision": {"saw": "seen"},
        "proposeBatch": {"decisions": [{"kind": "refuse", "application": "app-none", "reasons": "x"}]},
        "secondBatch": {"decisions": [{"decision": "dec-none", "proposal_sha256": "0" * 64}]},
        "requestAmendment": {"reasons": "x"},
        "revokeApproval": {"cause": "ssc", "reasons": "x", "invalidity_date": "2027-01-03T00:00:00Z"},
        "answerCertificate": {"accepted": True},
        "changeApplication": {"purpose": "x"},
        "changeContact": {"notices": "x"},
        **bodies_over_http(api.furniture["waiting"]),  # type: ignore[attr-defined]
        "tellOfBreach": {"text": "x"},
        "answerSuspicion": {"answer": "x"},
        "attachToSuspicion": b"x",
        "requestEnd": {"reasons": "x"},
        "answerEndRequest": {"outcome": "refused", "answer": "x"},
        "attachEvidence": b"x",
        "attachBreachEvidence": b"x",
        "attachToReport": b"x",
        "attachAmendmentEvidence": b"x",
        "setRequirement": {"text": "x"},
        "closeRequirement": {"state": "met", "reason": "x"},
        "setStandingRequirement": {"text": "x"},
        "remarkReport": {"text": "x"},
        "askOfReport": {"text": "x", "month": "2099-12"},
        "answerReportQuestion": {"question": api.furniture["question"], "text": "x"},  # type: ignore[attr-defined]
        "suspectBreach": {"condition": 1, "note": "x"},
        "judgeBreach": {"confirmed": True, "why": "x"},
        "closeBreach": {"why": "x"},
        "acknowledgeCplInstruction": {"outcome": "loaded"},
        "recordNcscCertificate": {"certificate": "x", "certified_on": "2027-01-03"},
        "judgeAddition": {"addition": "stands"},
        "reconcileCpl": b"approval,trial,expiry,manufacturer,model,firmware version",
        "recordDeployments": {"lines": [{"event": "deployed"}]},
        "makeCalendarAddress": {"name": "x"},
        "verify": {"approval": api.approval},  # type: ignore[attr-defined]
        "verifyBatch": {"questions": [{"approval": api.approval}]},  # type: ignore[attr-defined]
    }


def _things(api: Api) -> dict[str, str]:
    """The manufacturer's application, decision, approval and certificate."""
    approval: str = api.approval  # type: ignore[attr-defined]
    first = done(api.ask("auditor", "GET", "/v1/decisions"))["decisions"][0]
    shown = done(api.ask("auditor", "GET", f"/v1/approvals/{approval}"))
    return {
        "application": first["application"],
        "decision": first["decision"],
        "approval": approval,
        "serial": shown["certificates"][0]["serial"],
        **api.furniture,  # type: ignore[attr-defined]
        "notice": "TTN-2027-0001",
        "month": "2027-01",
        "batch": done(api.ask("dcc", "POST", "/v1/deployments", {"lines": [{}]}))["batch"],
    }


def _ask(api: Api, who: str | None, operation: str, things: Mapping[str, str], **headers: str) -> TestResponse:
    """Ask one operation as somebody; a body of octets is sent as a text, any other as JSON."""
    method, path, _ = _operations(api)[operation]
    body = _bodies(api).get(operation)
    if isinstance(body, bytes):
        headers["Content-Type"] = "text/plain"
    return api.ask(who, method, path.format_map(things) + QUERIES.get(operation, ""), body, **headers)


def test_every_operation_described_is_in_the_table(shared: Api) -> None:
    assert _operations(shared).keys() == MAY.keys() | PUBLIC


@pytest.mark.parametrize("operation", sorted(MAY))
def test_each_role_may_do_what_the_table_says_and_nothing_else(shared: Api, operation: str) -> None:
    things = _things(shared)
    _, path, _ = _operations(shared)[operation]
    for who in PEOPLE:
        answer = _ask(shared, who, operation, things)
        if who in MAY[operation]:
            # What comes after the door: done, or refused for what was asked.
            met = answer.status_code in {200, 201, 202, 404, 409, 422} or answer.get_json()["code"] in WRONG_PERSON
            assert met, (who, answer.data)
            # Each has calendar addresses of their own; this one is the manufacturer's.
            elsewhere = operation == "revokeCalendarAddress" and who != "manufacturer"
            assert answer.status_code != 404 or operation == "proposeDecision" or elsewhere, (who, answer.data)
        elif who == "rival" and "manufacturer" in MAY[operation]:
            refused(answer, 404, "not-found")
        else:
            refused(answer, 403, "operation-not-permitted")
            (noted,) = shared.plane.refused
            assert (noted.code, noted.place) == ("operation-not-permitted", _shape(path))
            assert (noted.name, noted.role, noted.ended) == (who, PEOPLE[who][0], "")


def _shape(path: str) -> str:
    return path.replace("{", "<").replace("}", ">")


@pytest.mark.parametrize("operation", sorted(MAY))
def test_with_an_empty_table_nobody_may_do_anything(
    shared: Api, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    things = _things(shared)
    monkeypatch.setattr(roles, "TABLE", {})
    monkeypatch.setattr(doors, "ACTS", {})  # each use case judges for itself
    monkeypatch.setattr(shared.plane._plane, "_known", Shown())  # who may, by the table that a process has all its life
    for who in PEOPLE:
        answer = _ask(shared, who, operation, things)
        refused(answer, 403, "operation-not-permitted")


DECIDES = OFFICERS | {"admin", "auditor"}


def test_whoever_does_not_decide_may_do_so_much_a_day_whatever_it_is(
    shared: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every address at which somebody leaves a row: none of them lets an organisation pile up what nobody reads."""
    things = _things(shared)
    monkeypatch.setitem(vars(shared.world.desk.rules), "bounds", Bounds(acts_per_day=0))
    asked = set()
    for operation, (method, _, _) in _operations(shared).items():
        for who in MAY.get(operation, set()) - DECIDES:
            if (
                method != "GET"
                and not operation.startswith("verify")
                and (who, operation) not in NEVER_THEIRS | BOUNDED_BY_ITSELF
            ):
                asked.add(operation)
                refused(_ask(shared, who, operation, things), 429, "too-much-today")
    assert len(asked) == 21


BOUNDED_BY_ITSELF = {("dcc", "issueReport")}  # one for each month, and an earlier test has issued it
NEVER_THEIRS = {("rival", operation) for operation, may in MAY.items() if operation != "apply"}
WRONG_PERSON = {"same-person", "not-the-proposer", "not-the-author"}
OTHER_FORMS = {
    "listCplInstructions": "text/csv",
    "showMeeting": "application/pdf",
    "showReport": "application/pdf",
    "showNotice": "application/pdf",
}
"""What is asked for in a form that another use case makes."""


@pytest.fixture
def stranger(shared: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Actor]:
    """Somebody whose role has been added, and nothing else: the table does not know it."""
    added = str.__new__(Role, "stranger")
    added._name_, added._value_ = "STRANGER", "stranger"
    monkeypatch.setitem(Role._member_map_, "STRANGER", added)
    monkeypatch.setitem(Role._value2member_map_, "stranger", added)
    row = Credential(
        id="key-stranger",
        name="stranger",
        role=added,
        organisation_id=None,
        created_at=NOW,
        expires_at=NOW + timedelta(days=1),
        revoked_at=None,
    )
    shared.keys["stranger"] = "tcpa_stranger"
    with shared.world.store.begin("plant") as tx:
        tx.connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        access.add_credential(tx, row, key_sha256=key_digest("tcpa_stranger"))
        tx.connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
        facts.record(tx, Fact(FactKind.ACCESS_GRANTED, NOW, CONSOLE, row.id))
    shared.mirror.follow()
    yield Actor("stranger", added, None, row.id)
    with shared.world.store.begin("unplant") as tx:
        tx.connection.execute(credentials.delete().where(credentials.c.id == row.id))
        facts.record(tx, Fact(FactKind.ACCESS_REVOKED, NOW, CONSOLE, row.id))
    shared.mirror.follow()


def test_a_role_that_the_table_does_not_know_gets_nothing_from_any_use_case(
    shared: Api, stranger: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "ACTS", {})  # each use case judges for itself, whoever lets people in
    things, met = _things(shared), set[CodeType]()
    sys.setprofile(lambda frame, event, _: met.add(frame.f_code) if event == "call" else None)
    try:
        for operation in MAY:
            for headers in ({}, {"Accept": OTHER_FORMS.get(operation, "*/*"), "Prefer": "wait=1"}):
                answer = _ask(shared, "stranger", operation, things, **headers)
                refused(answer, 403, "operation-not-permitted")
    finally:
        sys.setprofile(None)
    # Every use case was asked: what none of the addresses reaches, somebody at the machine or in a browser does.
    unmet = {each.__name__ for each in _use_cases() if each.__code__ not in met}
    assert unmet == NOT_OVER_HTTP
    desk = shared.world.desk
    assert sessions.sessions(desk, stranger) == []
    with pytest.raises(NoSuchThing):
        sessions.revoke_session(desk, stranger, "ses-of-another")
    for act in (
        lambda: grant_access(desk, stranger, name="a", role=Role.AUDITOR, organisation=None, life=timedelta(days=1)),
        lambda: revoke_access(desk, stranger, "key-stranger"),
        lambda: list_access(desk, stranger),
        lambda: passkeys.people(desk, stranger),
        lambda: passkeys.invite(desk, stranger, "key-stranger"),
        lambda: sessions.begin(desk, stranger),
        *acts_of_makers(desk, stranger),
    ):
        with pytest.raises(OperationNotPermitted):
            act()
    assert (party_of(stranger), recipient_of(stranger)) == (None, None)


@pytest.mark.clause("F2.22")
def test_who_is_let_in_and_acts_for_nobody_is_told_what_there_is_and_not_a_word_of_it(
    shared: Api, stranger: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stranger.role is not None
    given = set(Operation) - {Operation.READ_EVERY_PASSAGE, Operation.READ_NAMES}
    monkeypatch.setattr(
        roles, "TABLE", {**roles.TABLE, **dict.fromkeys(((stranger.role, each) for each in given), Scope.ALL)}
    )
    things = _things(shared)
    found = done(_ask(shared, "stranger", "listConditions", things))
    assert (found["conditions"], found["withheld"]) == ([], 1)
    for operation in ("listNotices", "listNoticesOfApproval", "showNotice", "listTasks", "calendar"):
        refused(_ask(shared, "stranger", operation, things), 403, "operation-not-permitted")
    waiting = {**things, "application": things["waiting"]}
    shown = done(_ask(shared, "stranger", "showApplication", waiting))
    listed = (
        *shown["evidence"],
        *shown["requirements"],
        *done(_ask(shared, "stranger", "listEvidence", waiting))["evidence"],
        *done(_ask(shared, "stranger", "listRequirements", waiting))["requirements"],
        *done(_ask(shared, "stranger", "listStandingRequirements", things))["standing"],
    )
    assert len(listed) > 4
    assert {each.get("attached_by", each.get("set_by")) for each in listed} == {None}


def _use_cases() -> list[FunctionType]:
    """Every public function of ra/ that does something for an actor in a transaction of its own."""
    modules = [importlib.import_module(each.name) for each in pkgutil.walk_packages(ra.__path__, "ra.")]
    return [
        each
        for module in modules
        for name, each in inspect.getmembers(module, inspect.isfunction)
        if each.__module__ == module.__name__
        and not name.startswith("_")
        and {"desk", "actor"} <= inspect.signature(each).parameters.keys()
        and "tx" not in inspect.signature(each).parameters
    ]


@pytest.mark.parametrize("operation", sorted(MAY))
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (None, "credential-missing"),
        ("Bearer tcpa_nobody", "credential-invalid"),
        ("Bearer", "credential-invalid"),
        ("Basic YTpi", "credential-invalid"),
        ("Bearer \xff\xfe", "credential-invalid"),
        ("Bearer " + "x" * 5_000, "credential-invalid"),
    ],
    ids=["none", "unknown", "empty", "basic", "octets", "long"],
)
def test_without_a_credential_nobody_gets_in(shared: Api, operation: str, sent: str | None, code: str) -> None:
    _, path, described = _operations(shared)[operation]
    # Calendar programs know HTTP Basic and nothing else; the API key is the password.
    assert described["security"] == [{"bearer": []}, *([{"basic": []}] if operation == "calendar" else [])]
    headers = {} if sent is None else {"Authorization": sent}
    answer = _ask(shared, None, operation, defaultdict(lambda: "a"), **headers)
    refused(answer, 401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert shared.plane.refused == (Refused(code=code, place=_shape(path)),)


@pytest.mark.parametrize("operation", sorted(PUBLIC))
def test_what_is_public_needs_no_credential(shared: Api, operation: str) -> None:
    method, path, described = _operations(shared)[operation]
    assert "security" not in described
    crl = next(iter(shared.mirror.view().authority.crls.values()))
    approval: str = shared.approval  # type: ignore[attr-defined]
    secret: str = shared.furniture["secret"]  # type: ignore[attr-defined]
    known = {"key_id": crl.key_id, "number": crl.number, "request": "AAAA", "approval": approval, "secret": secret}
    named = path.format(**known, tile="0/000.p/1") + QUERIES.get(operation, "")
    answer = shared.ask(None, method, named, b"" if method == "POST" else None)
    assert answer.status_code in {200, 503}, answer.data
    assert answer.status_code == 200 or operation == "ready"


def test_a_manufacturer_lists_its_own_and_nobody_elses(shared: Api) -> None:
    for path, name in (("/v1/applications", "applications"), ("/v1/approvals", "approvals")):
        assert done(shared.ask("manufacturer", "GET", path))[name]
        assert not done(shared.ask("rival", "GET", path))[name]


def test_every_answer_is_protected_and_none_with_a_credential_is_kept(shared: Api) -> None:
    for who, method, path in (
        ("dcc", "GET", "/v1/approvals"),
        ("dcc", "GET", "/v1/applications"),
        ("dcc", "GET", "/nothing"),
        ("dcc", "DELETE", "/v1/approvals"),
        (None, "GET", "/readyz"),
        (None, "GET", "/openapi.json"),
        (None, "GET", "/v1/authority"),
    ):
        answer = shared.ask(who, method, path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Server" not in answer.headers
        assert answer.headers["Cache-Control"] == ("public, max-age=300" if "openapi" in path else "no-store")
