"""What an inventory says of a home (UPRN, postcode, address, meter point numbers) is dropped at the door.

A message that is full of them is sent in every way, good and bad, and afterwards everything is searched: the whole
database, every log line at its most talkative, every answer.
"""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from api import deployments as resource
from store.tables import metadata
from tests.api_world import Api, done
from tests.deployments_world import LATER, corrected, csv_of, deployed, eui, everything_stored, inventory, seen
from tests.world import World

MARKS = ("987654321098", "ZZ99 9ZZ", "Marked Flat 7", "1122334455667", "2122334455667", "3122334455667")
UPRN, POSTCODE, ADDRESS, IMPORT, SECONDARY, EXPORT = MARKS


def marked(message: bytes) -> bytes:
    """The message with everything about a home in it, where the schema has it (DUIS 5.4, sr:Device)."""
    home = (
        f"<sr:ImportMPxN>{IMPORT}</sr:ImportMPxN><sr:SecondaryImportMPAN>{SECONDARY}</sr:SecondaryImportMPAN>"
        f"<sr:ExportMPAN>{EXPORT}</sr:ExportMPAN><sr:UPRN>{UPRN}</sr:UPRN><sr:PropertyFilter>"
        f"<sr:PostCode>{POSTCODE}</sr:PostCode><sr:AddressIdentifier>{ADDRESS}</sr:AddressIdentifier>"
        "</sr:PropertyFilter></sr:Device>"
    )
    return message.replace(b"</sr:Device>", home.encode())


GOOD = marked(inventory(seen(1), seen(2, "Decommissioned"), seen(3, None), seen(4, DeviceModel="OTHER")))


def ways(approval: str) -> Iterator[tuple[str, bytes]]:
    """Media type and body of each way in which such a message may come."""
    yield "application/xml", GOOD
    yield "text/xml", GOOD
    for cut in range(0, len(GOOD), 211):
        yield "application/xml", GOOD[:cut]
        yield "application/xml", GOOD[:cut] + b"&" + POSTCODE.replace(" ", "").encode() + b";" + GOOD[cut:]
        yield "application/xml", GOOD[:cut] + b"\xff\x00<" + GOOD[cut:]
    yield "application/xml", GOOD.decode().replace("UTF-8", "UTF-16").encode("utf-16")
    for media in ("text/csv", "application/json", "text/plain", "application/octet-stream"):
        yield media, GOOD
    entity = f'<!DOCTYPE x [ <!ENTITY e "{UPRN}"> <!ENTITY f SYSTEM "file:///{POSTCODE}"> ]>'.encode()
    yield "application/xml", GOOD.replace(b"?>", b"?>" + entity, 1)
    yield "application/xml", GOOD.replace(b"?>", b"?>" + entity, 1).replace(UPRN.encode(), b"&e;")
    yield "application/xml", GOOD.replace(b"8.2</sr:ServiceReferenceVariant>", b"11.2</sr:ServiceReferenceVariant>")
    for name in ("ResponseCode", "ServiceReferenceVariant"):
        yield "application/xml", marked(inventory(seen(1), **{name: UPRN}))
    yield "application/xml", marked(inventory(seen(1), seen=POSTCODE))
    names = ("DeviceID", "DeviceType", "DeviceStatus", "DeviceManufacturer", "DeviceModel", "DeviceFirmwareVersion")
    for name in (*names, "DateCommissioned"):
        for mark in (UPRN, ADDRESS):
            yield "application/xml", marked(inventory(seen(5) | {name: mark}))
    # Its neighbours: a table with a column too many, and values that slipped into another column.
    for column in ("event", "device_id", "on", "approval", "model", "by"):
        for mark in MARKS:
            line = deployed(6, approval) | ({"manufacturer": mark} if column == "model" else {}) | {column: mark}
            yield "text/csv", csv_of([line])
            told = ",".join(f'"{name}":"{value}"' for name, value in line.items())
            yield "application/json", f'{{"lines":[{{{told}}}]}}'.encode()
    yield "text/csv", f"event,device_id,on,UPRN,{POSTCODE}\ndeployed,{eui(7)},2027-01-05,{UPRN},x\n".encode()
    yield "text/csv", f"{UPRN},{POSTCODE},{ADDRESS}\n".encode()
    yield "application/json", f'{{"lines":[{{"uprn":"{UPRN}","{POSTCODE}":"{ADDRESS}"}}]}}'.encode()
    yield "application/json", f'{{"{UPRN}":"{POSTCODE}"}}'.encode()
    yield "application/json", f'{{"lines":["{UPRN}"'.encode()


def found_in(octets: bytes) -> list[str]:
    spelt = [(mark, spelling) for mark in MARKS for spelling in (mark, mark.replace(" ", ""), mark.replace(" ", "%20"))]
    return sorted({mark for mark, spelling in spelt if spelling.lower().encode() in octets.lower()})


def test_nothing_about_a_home_is_stored_logged_or_repeated_whatever_is_sent(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    api = Api(world)
    approval = api.granted()
    world.at(LATER)
    answers: list[Any] = []

    def send(media: str, body: bytes, who: str | None = "dcc", **headers: str) -> None:
        answers.append(api.ask(who, "POST", "/v1/deployments", body, Content_Type=media, **headers))

    for media, body in ways(approval):
        send(media, body)
    send("application/xml", GOOD, Idempotency_Key="k1")
    send("application/xml", GOOD + b" ", Idempotency_Key="k1")
    for who in (None, "officer-1", "manufacturer", "rival"):
        send("application/xml", GOOD, who)
    monkeypatch.setattr(resource, "LARGEST_REPORT", len(GOOD) - 1)
    send("application/xml", GOOD)

    assert {200, 400, 401, 403, 409, 413, 415} <= {answer.status_code for answer in answers}
    assert max(answer.status_code for answer in answers) < 500
    assert found_in(b"\n".join(answer.data for answer in answers)) == []
    assert found_in(str([answer.headers for answer in answers]).encode()) == []
    assert found_in(caplog.text.encode()) == []
    stored = everything_stored(world)
    assert found_in(stored) == []
    # The message itself got through, and the search finds what is there to be found.
    assert eui(1).encode() in stored
    done(api.ask("dcc", "POST", "/v1/deployments", csv_of([corrected(1, on="2027-01-20T08:30:00Z", why=ADDRESS)]),
                 Content_Type="text/csv"))  # fmt: skip
    assert found_in(everything_stored(world)) == [ADDRESS]


def test_the_journal_names_no_device(world: World) -> None:
    api = Api(world)
    approval = api.granted(maximum_devices=1)
    world.at(LATER)
    lines = [deployed(1, approval), deployed(2, approval), corrected(1), deployed(3, approval, on="tomorrow")]
    done(api.ask("dcc", "POST", "/v1/deployments", csv_of(lines), Content_Type="text/csv"))
    with world.store.read() as tx:
        facts = [dict(row._mapping) for row in tx.connection.execute(select(metadata.tables["journal"]))]
    assert any(fact["kind"] == "deployments-recorded" for fact in facts)
    assert "00-DB" not in str(facts)
