"""Calendars in a browser: an address is told once, is its owner's alone, and ends where it was made."""

import re

from ra.waiting.subscribing import addresses, subscribed
from tests.api_world import Api
from tests.console_world import Pages
from tests.world import World


def test_an_address_is_told_once_and_revoked_by_whoever_made_it(world: World) -> None:
    pages = Pages(Api(world))
    place = "/console/calendars"
    fields = pages.fields(pages.get("officer-1", place).text, place)
    for wrong in ("", " ", "a\x00", "n" * 201):
        assert pages.post("officer-1", place, {**fields, "name": wrong}).status_code == 422
    page = pages.post("officer-1", place, {**fields, "name": "my <b>phone"}).text
    assert "my &lt;b&gt;phone" in page
    told = re.findall(r"<pre>([^<]+)</pre>", page)
    assert len(told) == 1
    again = pages.post("officer-1", place, {**fields, "name": "my <b>phone"}).text
    assert told[0] not in again, "the same form again makes no other, and tells nothing"
    (made,) = addresses(pages.desk, pages.actor("officer-1")).calendars
    secret = told[0].rstrip("/").rpartition("/")[2].removesuffix(".ics")
    assert subscribed(pages.desk, secret) is not None

    end = f"{place}/{made.calendar}/revocation"
    assert made.calendar not in pages.get("dcc", place).text
    own = pages.fields(pages.get("dcc", place).text, place)
    assert pages.post("dcc", end, own).status_code == 404
    assert subscribed(pages.desk, secret) is not None
    ending = pages.fields(pages.get("officer-1", place).text, end)
    assert pages.post("officer-1", end, ending).status_code == 303
    assert subscribed(pages.desk, secret) is None
    assert end not in pages.get("officer-1", place).text
