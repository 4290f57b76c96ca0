"""What has an end is told of before: keys, lists, answers, certificates, the issuing window; on every way out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import assert_never

import pytest
from sqlalchemy import update

from api import metrics
from core.actors import CONSOLE, Actor, Party, PartyKind, Role
from core.alarms import AlarmCode
from core.identifiers import Serial
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate, CredentialRecord, PublishedCrl
from core.renewal import ALARMS, TOLD_AFTERWARDS, Lasting, Span, What, lasting, thresholds
from ra.access import revoke_access
from ra.waiting.tasks import concerns, tasks
from store.reading.renewal import DUE_FOR, overdue_answer
from store.tables import certificates
from tests.api_world import PEOPLE, Api, done
from tests.world import ADMIN, DCC, MANUFACTURER, NOW, OFFICER_1, OFFICER_2, OFFICER_3, PANEL, RIVAL, World

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
YEAR = 365 * DAY


@pytest.mark.parametrize(
    ("life", "told"),
    [
        (400 * DAY, (60 * DAY, 30 * DAY, 7 * DAY)),
        (180 * DAY, (60 * DAY, 30 * DAY, 7 * DAY)),
        (90 * DAY, (30 * DAY, 7 * DAY)),
        (30 * DAY, (10 * DAY, 7 * DAY)),
        (21 * DAY, (7 * DAY,)),
        (48 * HOUR, (16 * HOUR,)),
        (12 * HOUR, (4 * HOUR,)),
    ],
)
def test_what_lives_too_short_is_told_at_a_share_of_its_life(life: timedelta, told: tuple[timedelta, ...]) -> None:
    assert thresholds(life) == told


def key(
    name: str, role: Role, ends: datetime, *, organisation: str | None = None, life: timedelta = 400 * DAY
) -> CredentialRecord:
    return CredentialRecord(f"key-{name}", name, role, organisation, ends - life, ends)


def of_hierarchy(role: HierarchyRole, begins: datetime, ends: datetime) -> AuthorityCertificate:
    return AuthorityCertificate(role, f"id-{role.value}", f"CN={role.value}", Serial("01"), begins, ends, b"")


def one_of(what: What, ends: datetime) -> list[Lasting]:
    """Everything that is known where one thing of a kind ends at an instant, and nothing else does soon."""
    born = datetime(2026, 1, 1, tzinfo=UTC)
    far = ends + 10 * YEAR
    root, issuing = of_hierarchy(HierarchyRole.ROOT, born, far), of_hierarchy(HierarchyRole.ISSUING, ends, far)
    responder = of_hierarchy(HierarchyRole.RESPONDER, ends - 30 * DAY, far)
    statement = of_hierarchy(HierarchyRole.STATEMENT, ends - 2 * YEAR, far)
    crls: dict[str, PublishedCrl] = {}
    keys: list[CredentialRecord] = []
    answer = None
    last = ends - SECOND
    match what:
        case What.KEY:
            keys = [key("dcc", Role.DCC, ends)]
        case What.LIST:
            crls = {issuing.key_id: PublishedCrl(issuing.key_id, 7, ends - 48 * HOUR, ends, 1, b"")}
        case What.ROOT_LIST:
            crls = {root.key_id: PublishedCrl(root.key_id, 7, ends - YEAR, ends, 0, b"")}
        case What.ANSWER:
            answer = Span(begins=ends - 12 * HOUR, ends=last)
        case What.RESPONDER:
            responder = replace(responder, not_after=last)
        case What.STATEMENT:
            statement = replace(statement, not_after=last)
        case What.ISSUING_WINDOW:
            issuing = replace(issuing, not_before=ends.replace(year=ends.year - 5))
        case What.ISSUING_CA:
            issuing = replace(issuing, not_after=last)
        case What.ROOT:
            root = replace(root, not_after=last)
        case _:
            assert_never(what)
    return lasting([root, issuing, responder, statement], crls, keys, answer, ends - 25 * DAY)


ENDS = datetime(2032, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize("what", What)
def test_each_kind_is_told_of_at_each_threshold_and_not_a_second_before(what: What) -> None:
    found = next(each for each in one_of(what, ENDS) if each.what is what)
    assert found.ends == ENDS
    told = thresholds(found.ends - found.begins)
    assert found.within(ENDS - told[0] - SECOND) is None
    for number, each in enumerate(told):
        assert found.within(ENDS - each) == each
        assert found.urgent(ENDS - each) is (number == len(told) - 1)
        if number:
            assert found.within(ENDS - each - SECOND) == told[number - 1]
    assert found.within(ENDS + DAY) == told[-1]
    assert "ends at 2032-01-02T23:59:59Z; " in found.told(ENDS - SECOND)
    assert "ran out at 2032-01-02T23:59:59Z; " in found.told(ENDS)
    assert what in ALARMS


def test_a_responder_that_is_dated_ahead_does_not_hide_that_the_one_in_force_ends() -> None:
    in_force = of_hierarchy(HierarchyRole.RESPONDER, NOW - 25 * DAY, NOW + DAY)
    ahead = of_hierarchy(HierarchyRole.RESPONDER, NOW + SECOND, NOW + YEAR)
    for now, ends in ((NOW, in_force.not_after), (NOW + SECOND, ahead.not_after)):
        (found,) = lasting([in_force, ahead], {}, [], None, now)
        assert (found.what, found.ends) == (What.RESPONDER, ends + SECOND)


def test_whoever_has_another_key_is_not_told_of_the_one_before_and_what_ran_out_long_ago_is_forgotten() -> None:
    soon, gone = NOW + DAY, NOW - TOLD_AFTERWARDS
    credentials = [
        key("dcc", Role.DCC, soon),
        key("dcc", Role.DCC, NOW + YEAR),
        key("jane", Role.SSC_OFFICER, gone),
        key("joe", Role.SSC_OFFICER, gone + SECOND),
        key("desk", Role.MANUFACTURER, soon, organisation="org-a"),
        key("desk", Role.MANUFACTURER, NOW + YEAR, organisation="org-b"),
    ]
    found = [each for each in lasting([], {}, credentials, None, NOW) if each.within(NOW) is not None]
    assert [each.subject for each in found] == ["key-joe", "key-desk"]
    assert [each.organisation for each in found] == [None, "org-a"]


@pytest.mark.parametrize("role", Role)
def test_the_ssc_is_told_of_every_key_and_each_party_of_its_own(role: Role) -> None:
    organisation = "org-a" if role is Role.MANUFACTURER else None
    (found,) = lasting([], {}, [key("x", role, NOW, organisation=organisation)], None, NOW)
    told = {
        party.key
        for party in (
            Party(PartyKind.SSC), Party(PartyKind.DCC), Party(PartyKind.PANEL),
            Party(PartyKind.MANUFACTURER, "org-a"), Party(PartyKind.MANUFACTURER, "org-b"),
        )
        if concerns(found, party)
    }  # fmt: skip
    own = {Role.DCC: {"dcc"}, Role.PANEL: {"panel"}, Role.MANUFACTURER: {"manufacturer org-a"}}
    assert told == {"ssc"} | own.get(role, set())


# --- on every way out --------------------------------------------------------------------------------------------


@pytest.fixture
def api(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Api]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Api(world)
    world.close()


def alarms(api: Api) -> dict[tuple[AlarmCode, str], str]:
    api.mirror.follow()
    api.lookout.look()
    found = {each.key: each.sentence for each in api.lookout.alarms}
    ours = set(ALARMS.values())
    return {key: sentence for key, sentence in found.items() if key[0] in ours}


def listed(world: World, actor: Actor) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in tasks(world.desk, actor).tasks:
        if each.kind.endswith("-ends"):
            found.setdefault(each.kind, set()).add(each.sentence)
    return found


def test_keys_that_end_are_told_to_all_without_names_and_by_name_to_whom_they_concern(api: Api) -> None:
    life = api.world.desk.rules.longest_credential
    for actor in (OFFICER_1, OFFICER_2, OFFICER_3):
        revoke_access(api.world.desk, CONSOLE, str(actor.credential))  # whoever has a key that lasts longer is not told
    api.world.at(NOW + life - 60 * DAY - SECOND)
    assert not [key for key in alarms(api) if key[0] is AlarmCode.KEYS_END]
    assert "key-ends" not in listed(api.world, ADMIN)
    api.world.at(NOW + life - 60 * DAY)
    told = alarms(api)
    assert {subject for code, subject in told if code is AlarmCode.KEYS_END} == {role.value for role in Role}
    assert told[AlarmCode.KEYS_END, "ssc-officer"] == (
        "2 API keys of the role ssc-officer must be renewed: the first ends at 2028-02-07T11:59:59Z."
    )
    anybody = api.ask(None, "GET", "/readyz").get_data(as_text=True)
    named = set(PEOPLE) - {"manufacturer", "dcc", "panel", "auditor", "monitor", "admin"}  # which are also roles
    assert not [name for name in named if name in anybody]
    checks = [each for each in done(api.ask("dcc", "GET", "/readyz"), 503)["checks"] if each["name"] == "keys"]
    assert [(each["ok"], each["warning"]) for each in checks] == [(True, True)] * len(Role)  # nothing is taken away
    for actor, names in (
        (ADMIN, set(PEOPLE)),
        (DCC, {"dcc"}),
        (PANEL, {"panel"}),
        (MANUFACTURER, {"manufacturer"}),
        (RIVAL, {"rival"}),
    ):
        found = listed(api.world, actor)["key-ends"]
        assert {name for name in PEOPLE if any(f" of {name} (" in each for each in found)} == names
        assert len(found) == len(names)


def test_what_the_operator_has_to_renew_is_told_to_the_ssc(api: Api) -> None:
    api.settle()
    view = api.mirror.view().authority
    issuing = next(each for each in view.certificates if each.role == HierarchyRole.ISSUING)
    api.lookout.look()
    window = next(each for each in api.lookout.lasting if each.what is What.ISSUING_WINDOW)
    api.world.at(window.ends - 60 * DAY)
    assert (AlarmCode.AUTHORITY_ENDS, "issuing-window") in alarms(api)
    assert {"issuing-window-ends", "root-list-ends", "list-ends"} <= set(listed(api.world, OFFICER_1))
    assert set(listed(api.world, DCC)) == set()
    api.world.at(issuing.not_after + SECOND - 60 * DAY)
    assert {(AlarmCode.AUTHORITY_ENDS, "issuing-ca")} <= set(alarms(api))


def test_answers_that_were_not_renewed_are_told_of_before_they_end(api: Api) -> None:
    api.granted()
    newest = min(each.next_update for held in api.mirror.view().approvals.values() for each in held.answers)
    with api.world.store.read() as tx:
        assert overdue_answer(tx, NOW + 6 * HOUR) is None
        assert overdue_answer(tx, NOW + 6 * HOUR + DUE_FOR) is not None
    api.world.at(newest + SECOND - 4 * HOUR - SECOND)
    assert (AlarmCode.ANSWERS_OVERDUE, "") not in alarms(api)
    api.world.at(newest + SECOND - 4 * HOUR)
    assert (AlarmCode.ANSWERS_OVERDUE, "") in alarms(api)
    assert "answer-ends" in listed(api.world, OFFICER_1)
    api.settle()
    assert (AlarmCode.ANSWERS_OVERDUE, "") not in alarms(api)


def test_an_answer_that_is_due_since_a_moment_is_not_overdue(api: Api) -> None:
    api.granted()
    with api.world.store.begin("due") as tx:
        tx.connection.execute(update(certificates).values(presign_due=NOW))
    with api.world.store.read() as tx:
        assert overdue_answer(tx, NOW + DUE_FOR - SECOND) is None
        assert overdue_answer(tx, NOW + DUE_FOR) is not None


def test_the_figures_say_how_long_everything_lasts_and_name_nobody(api: Api) -> None:
    api.settle()
    api.lookout.look()
    process = metrics.OfProcess(first_after=None, writers_waiting=0)
    said = metrics.metrics(api.mirror.view(), 0.0, None, api.lookout, NOW, process)
    samples = dict(
        line.removeprefix('trialcpa_ends_seconds{what="').split('"} ')
        for line in said.splitlines()
        if line.startswith("trialcpa_ends_seconds{")
    )
    own = {each.value for each in What if each not in {What.KEY, What.ANSWER}}
    assert set(samples) == own | {f"key-{role.value}" for role in Role}
    assert float(samples["key-dcc"]) == pytest.approx(400 * DAY / SECOND)
    assert float(samples["list"]) == pytest.approx(48 * HOUR / SECOND, rel=0.1)
