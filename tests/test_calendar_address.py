"""Addresses that ordinary calendar programs subscribe to: secret, White, cut to a role, and silent once revoked."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select

from api.calendars import OF_ONE_PEER
from api.pace import WITHIN_SECONDS, Pace
from core.approval import EndCause
from core.facts import FactKind
from ra.access import revoke_access
from ra.deciding.kinds.amendment import ProposeAmendment
from store.reading import requests
from store.tables import metadata
from tests.acting import propose
from tests.api_world import PEOPLE, Api, done, refused
from tests.evidence_world import journal
from tests.world import ADMIN, OFFICER_1, World

HOST = "http://127.0.0.1:8470"


def made(api: Api, who: str = "manufacturer", name: str = "phone", **headers: str) -> Mapping[str, str]:
    return done(api.ask(who, "POST", "/v1/calendars", {"name": name}, **headers), 201)


def place(said: Mapping[str, str]) -> str:
    assert said["address"].startswith(f"{HOST}/calendars/")
    return said["address"].removeprefix(HOST)


def words(octets: bytes) -> str:
    return octets.replace(b"\r\n ", b"").decode().replace("\\,", ",").replace("\\;", ";")


def everything(world: World) -> str:
    with world.store.read() as tx:
        rows = [dict(row) for each in metadata.sorted_tables for row in tx.connection.execute(select(each)).mappings()]
    return str(rows)


@pytest.mark.parametrize("name", ["", " ", "\N{ZERO WIDTH SPACE}", "\N{RIGHT-TO-LEFT OVERRIDE}"], ids=ascii)
def test_an_address_that_nobody_could_tell_from_another_is_not_made(world: World, name: str) -> None:
    refused(Api(world).ask("manufacturer", "POST", "/v1/calendars", {"name": name}), 400, "body-malformed")


@pytest.mark.clause("F2.27")
def test_an_address_is_made_listed_and_revoked_by_its_owner_and_its_secret_is_told_once(world: World) -> None:
    api = Api(world)
    approval = api.granted()
    first = made(api, Idempotency_Key="k")
    secret = place(first).removeprefix("/calendars/").removesuffix(".ics")
    assert len(secret) == 43
    again = made(api, Idempotency_Key="k")
    assert again["calendar"] == first["calendar"]
    assert not again["address"]
    assert secret not in everything(world), "a digest is kept, and nothing else"
    shown = done(api.ask("manufacturer", "GET", "/v1/calendars"))["calendars"]
    assert [(each["calendar"], each["name"]) for each in shown] == [(first["calendar"], "phone")]
    assert shown[0]["revoked_at"] is None
    fetched = api.ask(None, "GET", place(first))
    assert (fetched.status_code, fetched.content_type) == (200, "text/calendar; charset=utf-8")
    assert fetched.headers["Cache-Control"] == "private, no-cache"
    assert f"Trial starts: {approval}" in words(fetched.data)
    unchanged = api.ask(None, "GET", place(first), If_None_Match=fetched.headers["ETag"])
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    path = f"/v1/calendars/{first['calendar']}/revocation"
    for stranger in ("rival", "officer-1", "admin"):
        refused(api.ask(stranger, "POST", path), 404, "not-found")
    done(api.ask("manufacturer", "POST", path))
    refused(api.ask(None, "GET", place(first)), 404, "unknown-address")
    refused(api.ask("manufacturer", "POST", path), 409, "wrong-state")
    told = [(row["kind"], row["subject"], row["actor"]) for row in journal(world.store) if "calendar" in row["kind"]]
    assert told == [
        (FactKind.CALENDAR_ADDRESS_MADE, first["calendar"], "manufacturer"),
        (FactKind.CALENDAR_ADDRESS_REVOKED, first["calendar"], "manufacturer"),
    ]


def test_whatever_answers_nothing_answers_alike(world: World) -> None:
    api = Api(world)
    revoked, without_access = made(api), made(api, "rival")
    done(api.ask("manufacturer", "POST", f"/v1/calendars/{revoked['calendar']}/revocation"))
    with world.store.read() as tx:
        (key,) = (each for each in requests.credential_list(tx) if each.name == "rival" and each.revoked_at is None)
    assert api.ask(None, "GET", place(without_access)).status_code == 200
    revoke_access(world.desk, ADMIN, key.id)
    tried = [
        place(revoked),
        place(without_access),
        f"/calendars/{'A' * 43}.ics",
        "/calendars/a.ics",
        f"/calendars/{'A' * 4000}.ics",
        "/calendars/%00.ics",
        "/calendars/é.ics",
        "/calendars/",
    ]
    answers = [api.ask(None, "GET", each) for each in tried]
    assert {(each.status_code, each.data) for each in answers} == {(404, answers[0].data)}
    assert len({tuple(sorted(each.headers)) for each in answers}) == 1


@pytest.mark.clause("F2.22")
def test_it_shows_what_its_owner_may_see_and_only_what_is_white(world: World) -> None:
    api = Api(world)
    approval = api.granted()
    world.at(world.record(approval).start + timedelta(days=1))
    amended = propose(world.desk, OFFICER_1, ProposeAmendment(approval, "Fewer.", maximum_devices=417))
    world.authority.settle()
    world.seconded(amended.decision)
    world.authority.settle()
    whole = words(api.ask("panel", "GET", "/v1/calendar.ics").data)
    for each in ("Acme Metering Ltd", "417"):
        assert each in whole, "the case for which it is withheld"
    others = {who for who, (role, _) in PEOPLE.items() if role.value != "monitor"}
    seen = {who: words(api.ask(None, "GET", place(made(api, who))).data) for who in sorted(others)}
    for who, told in seen.items():
        assert (approval in told) is (who != "rival"), who
        assert ("Monthly report" in told) is (who not in {"manufacturer", "rival", "panel"}), who
        for each in ("Acme Metering", "417", "500", "Fewer", "0002012F"):
            assert each not in told, (who, each)
    assert "Change takes effect" in seen["panel"]
    refused(api.ask("monitor", "POST", "/v1/calendars", {"name": "x"}), 403, "operation-not-permitted")
    # One that has ended says that it has, as its public page does.
    world.revoked(approval, EndCause.SSC)
    ended = Calendar.from_ical(api.ask(None, "GET", place(made(api, "dcc", "two"))).data).walk("VEVENT")
    assert f"Trial ended: {approval}" in {str(each["SUMMARY"]) for each in ended}


def test_an_organisation_has_so_many_addresses_and_each_is_asked_so_often(world: World) -> None:
    api = Api(world)
    most = world.desk.rules.bounds.calendar_addresses
    every = [made(api, name=f"{number}") for number in range(most)]
    refused(api.ask("manufacturer", "POST", "/v1/calendars", {"name": "x"}), 409, "bound-reached")
    made(api, "rival")
    done(api.ask("manufacturer", "POST", f"/v1/calendars/{every[0]['calendar']}/revocation"))
    made(api)
    for _ in range(OF_ONE_PEER):
        assert api.ask(None, "GET", place(every[1])).status_code == 200
    late = api.ask(None, "GET", place(every[1]))
    refused(late, 429, "asked-too-often")
    assert late.headers["Retry-After"]
    # Who guesses is counted as well, and is told no more.
    refused(api.ask(None, "GET", f"/calendars/{'A' * 43}.ics"), 429, "asked-too-often")


def test_a_pace_counts_each_name_by_the_minute() -> None:
    now = [0.0]
    pace = Pace(2, monotonic=lambda: now[0])
    assert [pace.allows("a") for _ in range(3)] == [True, True, False]
    assert pace.allows("b")
    now[0] = WITHIN_SECONDS
    assert pace.allows("a")


def test_an_address_lives_as_long_as_its_owners_access(world: World) -> None:
    api = Api(world)
    path = place(made(api, "panel"))
    world.passes(world.desk.rules.longest_credential - timedelta(seconds=1))
    assert api.ask(None, "GET", path).status_code == 200
    world.passes(timedelta(seconds=1))
    refused(api.ask(None, "GET", path), 404, "unknown-address")
