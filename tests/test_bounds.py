"""What one organisation may keep open and store: each pile has its bound, and of two at once one gets the last."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.settings import load
from core.actors import CONSOLE, Actor, Role
from core.deployments import Form
from core.errors import BoundReached, SettingsInvalid, TooMuchToday, TrialCpaError
from core.kinds import EvidenceSubject
from ra.access import grant_access
from ra.applying.apply import apply, cancel_application
from ra.applying.evidence import File, Subject, attach
from ra.applying.request_amendment import RequestAmendment, request_amendment, withdraw_request
from ra.applying.requirements import set_requirement
from ra.bounds import MEBIOCTET, Bounds
from ra.desk import Desk
from ra.repeat import RequestKey
from ra.reporting.record import record_deployments
from store.tables import metadata
from tests.deployments_world import csv_of, deployed
from tests.test_concurrency import at_once
from tests.test_settings import written
from tests.world import DCC, MANUFACTURER, OFFICER_1, RIVAL, World, application

Act = Callable[[Desk], Any]

ONE_FILE = 10
"""Octets of each file here."""


def a_file(number: int) -> File:
    return File("x.txt", "text/plain", b"%010d" % number)


@dataclass(frozen=True)
class Pile:
    """Something that an organisation can pile up.

    Args:
        bounds: under which there is room for one.
        what: as the refusal calls it.
        error: the refusal.
        add: adds the nth.
        less: takes back what an act added, where that is possible.
    """

    bounds: Bounds
    what: str
    error: type[TrialCpaError]
    add: Callable[[int], Act]
    less: Callable[[Any], Act] | None = None


def applications(_: World) -> Pile:
    return Pile(
        Bounds(open_applications=1),
        "open applications",
        BoundReached,
        lambda _: lambda desk: apply(desk, MANUFACTURER, application()),
        lambda made: lambda desk: cancel_application(desk, MANUFACTURER, made.application),
    )


def amendment_requests(world: World) -> Pile:
    approval = world.granted()
    return Pile(
        Bounds(open_amendment_requests=1),
        "open amendment requests",
        BoundReached,
        lambda _: lambda desk: request_amendment(desk, MANUFACTURER, RequestAmendment(approval, "x", other="y")),
        lambda made: lambda desk: withdraw_request(desk, MANUFACTURER, made.request),
    )


def evidence(world: World) -> Pile:
    # Each file to a subject of its own: what lies with several is counted together.
    subjects = [Subject(EvidenceSubject.APPLICATION, world.applied()) for _ in range(3)]
    return _files(MANUFACTURER, subjects)


def attachments_of_reports(world: World) -> Pile:
    _with_a_credential(world)
    return _files(DCC, [Subject(EvidenceSubject.REPORT, f"2027-{month:02d}") for month in (1, 2, 3)])


def _with_a_credential(world: World) -> None:
    """Whoever acts for no organisation is held by its credentials."""
    grant_access(world.desk, CONSOLE, name=DCC.name, role=Role.DCC, organisation=None, life=timedelta(days=1))


def _files(actor: Actor, subjects: list[Subject]) -> Pile:
    return Pile(
        Bounds(evidence_octets=ONE_FILE),
        "octets of attached files",
        BoundReached,
        lambda number: lambda desk: attach(desk, actor, subjects[number % 3], a_file(number)),
    )


def deployment_lines(world: World) -> Pile:
    _with_a_credential(world)
    return Pile(
        Bounds(deployment_lines_per_day=1),
        "lines of deployments",
        TooMuchToday,
        lambda number: (
            lambda desk: record_deployments(desk, DCC, Form.CSV, csv_of([deployed(number, "TDT-2027-0001-N")]))
        ),
    )


def acts(_: World) -> Pile:
    later = date(2027, 3, 1)
    return Pile(
        Bounds(acts_per_day=1),
        "acts",
        TooMuchToday,
        lambda _: lambda desk: apply(desk, MANUFACTURER, application(start=later)),
    )


PILES = (applications, amendment_requests, evidence, attachments_of_reports, deployment_lines, acts)


def bounded(world: World, bounds: Bounds) -> Desk:
    world.desk = replace(world.desk, rules=replace(world.desk.rules, bounds=bounds))
    return world.desk


def everything(world: World) -> dict[str, int]:
    with world.store.read() as tx:
        return {
            name: int(tx.connection.execute(select(func.count()).select_from(table)).scalar_one())
            for name, table in metadata.tables.items()
        }


@pytest.mark.parametrize("pile", PILES, ids=lambda each: each.__name__)
def test_of_two_at_once_one_gets_the_last_place_and_whoever_is_refused_leaves_nothing_behind(
    world: World, pile: Callable[[World], Pile]
) -> None:
    made = pile(world)
    desk = bounded(world, made.bounds)
    told = at_once(world, made.add(0), made.add(1))
    refused = [each for each in told if isinstance(each, TrialCpaError)]
    (kept,) = [each for each in told if not isinstance(each, TrialCpaError)]
    assert [type(each) for each in refused] == [made.error], told
    limit = ONE_FILE if "octets" in made.what else 1
    assert refused[0].fields["what"] == made.what
    assert (refused[0].fields["limit"], refused[0].fields["present"]) == (limit, limit)
    before = everything(world)
    with pytest.raises(made.error):
        made.add(2)(desk)
    assert everything(world) == before
    if made.less is not None:
        made.less(kept)(desk)
        made.add(2)(desk)
    if made.error is TooMuchToday:
        world.clock.advance(timedelta(days=1) - timedelta(seconds=1))
        with pytest.raises(TooMuchToday):
            made.add(2)(desk)
        world.clock.advance(timedelta(seconds=1))
        made.add(2)(desk)


def test_another_organisation_has_room_of_its_own_and_the_ssc_is_not_bounded(world: World) -> None:
    nothing = Bounds(
        open_applications=1, open_amendment_requests=1, evidence_octets=1, acts_per_day=1, deployment_lines_per_day=1
    )
    desk = bounded(world, nothing)
    made = apply(desk, MANUFACTURER, application()).application
    with pytest.raises(TooMuchToday):
        cancel_application(desk, MANUFACTURER, made)
    apply(desk, RIVAL, application())
    for _ in range(2):
        set_requirement(desk, OFFICER_1, made, "A test report.")
        attach(desk, OFFICER_1, Subject(EvidenceSubject.APPLICATION, made), a_file(0))


def test_the_same_again_takes_no_room(world: World) -> None:
    made = world.applied()
    desk = bounded(world, Bounds(evidence_octets=ONE_FILE, acts_per_day=4, open_applications=2))
    first = attach(desk, MANUFACTURER, Subject(EvidenceSubject.APPLICATION, made), a_file(0))
    other = Subject(EvidenceSubject.APPLICATION, world.applied())
    attach(desk, MANUFACTURER, other, a_file(0))  # the same file elsewhere: it is kept once
    with pytest.raises(TooMuchToday):
        attach(desk, MANUFACTURER, other, a_file(1))
    desk = bounded(world, Bounds(evidence_octets=ONE_FILE, acts_per_day=5, open_applications=2))
    again = RequestKey("again", "ab" * 32)
    assert attach(desk, MANUFACTURER, Subject(EvidenceSubject.APPLICATION, made), a_file(0), again) == first
    apply_once = RequestKey("apply", "cd" * 32)
    desk = bounded(world, Bounds(acts_per_day=5, open_applications=3))
    told = apply(desk, MANUFACTURER, application(), apply_once)
    assert apply(desk, MANUFACTURER, application(), apply_once) == told  # remembered, although both bounds are reached


def test_bounds_are_settings(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")).rules.bounds == Bounds()
    said = "[bounds]\nopen_applications = 3\nevidence_mebioctets = 5\nacts_per_day = 7\n"
    read = load(written(tmp_path, said)).rules.bounds
    assert read == Bounds(open_applications=3, evidence_octets=5 * MEBIOCTET, acts_per_day=7)
    with pytest.raises(SettingsInvalid, match=r"bounds.deployment_lines_per_day .* 100000"):
        load(written(tmp_path, "[bounds]\ndeployment_lines_per_day = 5\n"))


# --- none is forgotten -------------------------------------------------------------------------------------------

UNBOUNDED = {
    "ra/access.py grant_access": "the SSC's own act",
    "ra/access.py revoke_access": "the SSC's own act",
    "ra/applying/changing.py begin_change": "as begin_draft does, and one for an application at most",
    "ra/applying/drafts.py begin_draft": "five rows, of MOST_DRAFTS that an organisation has at most",
    "ra/applying/drafts.py keep_part": "no row: one that is there is written over",
    "ra/applying/drafts.py throw_away": "no row: those that are there go",
    "ra/auditing/dossier.py _put_together": "one dossier of each approval in five minutes, for SSC and auditor",
    "ra/deciding/second.py second": "the SSC's own act, of several officers at one moment",
    "ra/entering/passkeys.py come_in": "one session of two hours, of whoever has a passkey",
    "ra/entering/passkeys.py enrol": "one passkey for each invitation",
    "ra/entering/passkeys.py invite": "the SSC's own act",
    "ra/entering/sessions.py begin": "one session of two hours, of a test authority's demo people",
    "ra/entering/sessions.py entered": "one instant of one's own session, once a minute at most",
    "ra/entering/sessions.py leave": "one fact for each session",
    "ra/entering/sessions.py revoke_session": "one fact for each session",
    "ra/reporting/report.py rendered": "one rendering of each report, which the DCC caused",
    "ra/telling/notices.py pdf_of": "one rendering of each copy, which the SSC caused",
    "ra/telling/notices.py _note_fetched": "one fact for each copy, which the SSC caused",
}
"""What makes rows for a credential and counts no act: the rows of adr 22's table that say why."""


def _writers(source: str) -> Iterator[tuple[str, bool]]:
    """The functions of a module that open a writing transaction, and whether each asks if one act more may be done."""
    for each in ast.walk(ast.parse(source)):
        if isinstance(each, ast.FunctionDef):
            called = [ast.unparse(one.func) for one in ast.walk(each) if isinstance(one, ast.Call)]
            if any(one.endswith("store.begin") for one in called):
                yield each.name, not {"once", "require_act"}.isdisjoint(called)


def test_whatever_makes_rows_for_a_credential_is_counted_or_says_why_not() -> None:
    root = Path(__file__).parents[1]
    found = {
        f"{path.relative_to(root)} {name}": asked
        for room in ("ra", "api")
        for path in sorted((root / room).rglob("*.py"))
        for name, asked in _writers(path.read_text("utf-8"))
    }
    assert len(found) > 25
    assert {name for name, asked in found.items() if not asked} == set(UNBOUNDED)
    forgetful = "def act(desk):\n    with desk.store.begin('act') as tx:\n        write(tx)\n"
    assert dict(_writers(forgetful)) == {"act": False}
