"""An approval in a browser: what happened, devices against the limit, its dossier, how soon its end is told."""

import re
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from api.verified import VerificationTold
from app.web import note_verified
from console.chart import chart
from core.approval import EndCause
from core.classification import Recipient
from core.facts import FactKind
from core.instants import text
from core.kinds import Told
from officers.claims import to_revoke
from officers.statement import revocation_digest
from ra.reporting.over_time import Count
from ra.telling.approvals import approval as approval_of
from store.reading.receipts import receipts_of
from store.verbs import receipts as verbs
from tests.api_world import Api, done
from tests.console_world import Pages
from tests.evidence_world import journal
from tests.world import NOW, World


def _counts(*pairs: tuple[int, int]) -> list[Count]:
    return [
        Count(at=NOW + timedelta(days=number), deployed=deployed, limit=limit)
        for number, (deployed, limit) in enumerate(pairs)
    ]


def test_a_chart_is_within_its_sheet_and_says_whether_there_were_too_many() -> None:
    assert chart(_counts((0, 5))) is None
    drawn = chart(_counts((0, 10), (4, 10), (12, 10), (3, 20)))
    assert drawn is not None
    assert (drawn.most, drawn.above) == (12, True)
    for each in (drawn.devices, drawn.limit):
        places = [tuple(map(float, place.split(","))) for place in each.split()]
        assert all(0 <= x <= 640 and 0 <= y <= 200 for x, y in places)
    assert len(drawn.limit.split()) == 5, "a limit is a step, not a slope"
    flat = chart(_counts((0, 0), (0, 0)))
    assert flat is not None
    assert not flat.above


def test_an_officer_sees_everything_and_a_manufacturer_what_is_for_it(world: World) -> None:
    pages = Pages(Api(world))
    approval = pages.api.granted()
    place = f"/console/approvals/{approval}"
    page = pages.get("officer-1", place).text
    for said in ("Everything that happened", "was signed", "Devices against the limit", "The Central Products List"):
        assert said in page
    assert re.search(r"applied for a trial of .*, from \d+ \w+ 2027 to \d+ \w+ 2027\.", page)
    assert "TTN-" in page
    assert not re.search(r"<[^>]+ style=", page)
    maker = pages.get("manufacturer", place).text
    assert approval in maker
    for said in ("Everything that happened", "officer-1", "Fetch the dossier", "Decide about it"):
        assert said not in maker


def test_a_dossier_comes_by_itself_once_it_is_signed(world: World) -> None:
    pages = Pages(Api(world))
    place = f"/console/approvals/{pages.api.granted()}/dossier"
    looked = pages.get("auditor", place)
    assert "Refresh" not in looked.headers
    assert not journal(world.store, FactKind.DOSSIER_ASKED), "a look asks for nothing"
    asked = pages.post("auditor", place, pages.fields(looked.text, place))
    assert (asked.status_code, asked.location) == (303, place)
    assert len(journal(world.store, FactKind.DOSSIER_ASKED)) == 1
    waits = pages.get("auditor", place)
    assert (waits.status_code, waits.headers["Refresh"]) == (202, f"2; url={place}?again=yes")
    pages.api.settle()
    file = pages.get("auditor", place)
    assert file.headers["Content-Disposition"].startswith("attachment;")
    assert file.data.startswith(b"PK")
    assert "sandbox" in file.headers["Content-Security-Policy"]


def test_the_page_of_an_end_looks_again_until_every_channel_has_told_it(world: World) -> None:
    pages = Pages(Api(world))
    api = pages.api
    approval = api.granted()
    place = f"/console/approvals/{approval}/told"
    assert "Refresh" not in pages.get("officer-1", place).headers, "nothing has ended"
    api.world.revoked(approval)
    assert pages.get("officer-1", place).headers["Refresh"] == f"2; url={place}?again=yes"
    assert "Refresh" not in pages.get("officer-1", f"{place}?still=yes").headers
    world.clock.instant += timedelta(minutes=4)
    assert pages.get("officer-1", place).headers["Refresh"] == f"30; url={place}?again=yes"
    api.mirror.follow()
    seeing = VerificationTold(world.store, api.mirror, partial(note_verified, world.store))
    seeing.turn()
    seeing.write()
    api.settle()
    page = pages.get("officer-1", place)
    assert "No address" in page.text
    assert "Not yet" not in page.text
    assert "Refresh" not in page.headers, "nobody waits for whom nothing goes to"
    assert "Those without an address learn it when they fetch the notice" in page.text
    with world.store.begin("as the courier does") as tx:
        (receipt,) = receipts_of(tx, approval)
        for recipient in (Recipient.DCC, Recipient.PANEL):
            verbs.note_notified(tx, str(receipt.notice), recipient)
    page = pages.get("officer-1", place)
    assert "Refresh" not in page.headers
    assert "Every channel has told it." in page.text


@pytest.mark.parametrize("since", ["yesterday", "2027-13-01T00:00:00Z"])
def test_since_when_a_key_is_compromised_is_an_instant(world: World, since: str) -> None:
    pages = Pages(Api(world))
    place = f"/console/approvals/{pages.api.granted()}/revoke"
    answer = pages.browser("officer-1").get(
        place, base_url=pages.origin, query_string={"cause": "key-compromise", "since": since}
    )
    assert answer.status_code == 422
    assert "What will be true" not in answer.text
    assert f'value="{since}"' in answer.text


def test_a_compromised_key_is_revoked_with_the_instant_that_was_signed_for(world: World) -> None:
    pages = Pages(Api(world))
    approval = pages.api.granted()
    since: datetime = NOW - timedelta(days=1)
    place = f"/console/approvals/{approval}/revoke"
    page = pages.get("officer-1", f"{place}?cause=key-compromise&since={text(since)}").text
    assert f"--cause key-compromise --invalidity-date {text(since)}" in page
    assert "stay on the Central Products List" in page
    assert "The Panel takes its entries off" not in page
    assert "The Panel takes its entries off" in pages.get("officer-1", f"{place}?cause=ssc").text
    form = page.partition('<form class="act danger" method="post">')[2]
    fields: dict[str, Any] = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))
    fields |= {"reasons": "It was copied.", "typed": approval}
    other = revocation_digest(approval, cause=EndCause.KEY_COMPROMISE, invalidity_date=None, breach=None)
    signed = pages.pasted("officer-1", to_revoke(approval, other))
    assert pages.post("officer-1", place, {**fields, "authorisation": signed}).status_code == 422, "another instant"
    order = revocation_digest(approval, cause=EndCause.KEY_COMPROMISE, invalidity_date=since, breach=None)
    signed = pages.pasted("officer-1", to_revoke(approval, order))
    assert pages.post("officer-1", place, {**fields, "authorisation": signed}).status_code == 303
    shown = approval_of(pages.desk, pages.actor("officer-1"), approval)
    assert shown.ended_at is None
    assert shown.certificates[0].ended_at is not None
    listed = done(pages.api.ask("officer-1", "GET", f"/v1/decisions?approval={approval}"))["decisions"]
    (decision,) = [each for each in listed if each["kind"] == "revoke"]
    assert decision["proposal"]["invalidity_date"] == text(since)


def test_told_has_a_line_for_each_channel() -> None:
    assert {each.value for each in Told} == {"verification", "ocsp", "list", "dcc", "panel"}
