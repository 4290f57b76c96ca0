"""The public register as tables for people: one line for each approval, and of which moment it is."""

import csv
import io
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import update

from api import register as register_api
from core.canonical import canonical
from core.instants import text
from core.public_record import document
from core.register import Moment
from documents.register import COLUMNS, register_csv, register_xlsx
from documents.tables import GUARD, plain
from ra.telling import register
from store.log_tables import log_documents
from tests.api_world import Api
from tests.test_log import with_log
from tests.test_register import approvals, later, signed
from tests.world import DEVICE, NOW, World


@pytest.fixture
def api(world: World) -> Api:
    with_log(world).settle()
    ended = world.granted(device=replace(DEVICE, model="=1+1"))
    world.granted(device=replace(DEVICE, model="00000008"))
    world.revoked(ended)
    later(world)
    return Api(world)


def test_as_csv_and_as_a_workbook_it_says_the_same(api: Api) -> None:
    size = signed(api.world).moment.size
    said = api.ask(None, "GET", "/v1/register?as=csv")
    assert said.headers["Content-Disposition"] == f'attachment; filename="register-{size}.csv"'
    assert said.headers["Content-Type"].startswith("text/csv")
    lines = list(csv.reader(io.StringIO(said.data.decode("utf-8-sig"))))
    rows = [dict(zip(lines[0], map(plain, each), strict=True)) for each in lines[1:]]
    assert tuple(lines[0]) == COLUMNS
    found = approvals(api.world)
    assert [each["approval"] for each in rows] == [each["approval"] for each in found]
    assert [each["state"] for each in rows] == ["cancelled", "not_yet_started"]
    assert {(each["log_rows"], each["as_of"]) for each in rows} == {(str(size), text(NOW + timedelta(minutes=1)))}
    assert (rows[0]["model"], rows[0]["ended_at"], rows[0]["end_cause"]) == ("=1+1", found[0]["ended_at"], "ssc")
    assert any(cell == f"{GUARD}=1+1" for cell in lines[1])  # no spreadsheet runs it
    book = load_workbook(io.BytesIO(api.ask(None, "GET", "/v1/register?as=xlsx").data))
    assert book.sheetnames == ["Approvals", "About"]
    cells = [[str(cell.value if cell.value is not None else "") for cell in row] for row in book["Approvals"]]
    assert cells == [list(COLUMNS), *([row[name] for name in COLUMNS] for row in rows)]
    assert not any(cell.data_type == "f" for row in book["Approvals"] for cell in row)
    about = {row[0].value: row[1].value for row in book["About"]}
    assert (about["Rows of the log"], about["Approvals"]) == (size, 2)
    whole = api.ask(None, "GET", "/v1/register?as=json")
    assert whole.data == api.ask(None, "GET", "/v1/register").data
    for wrong in ("as=pdf", "as=", "as=csv&as=csv", "as=csv&x=1"):
        assert api.ask(None, "GET", f"/v1/register?{wrong}").status_code == 400


def test_a_table_is_made_of_what_was_signed_alone(api: Api) -> None:
    assert api.ask(None, "GET", "/v1/register").status_code == 200
    with api.world.store.begin("forge") as tx:
        changed = update(log_documents).values(document=log_documents.c.document.op("||")(" "))
        tx.connection.execute(changed)
    for form in ("csv", "xlsx"):
        assert api.ask(None, "GET", f"/v1/register?as={form}").json["code"] == "public-register-differs"  # type: ignore[index]
    assert api.ask(None, "GET", "/v1/register").status_code == 200  # made before, and still what was signed


def test_a_table_is_not_made_for_each_register(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    before = api.ask(None, "GET", "/v1/register?as=csv").data
    register_before = api.ask(None, "GET", "/v1/register").data
    api.world.granted(device=replace(DEVICE, model="00000009"))
    later(api.world)
    api.mirror.follow()
    assert api.ask(None, "GET", "/v1/register").data != register_before
    assert api.ask(None, "GET", "/v1/register?as=csv").data == before
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + register_api.TABLE_SECONDS + 1)
    assert api.ask(None, "GET", "/v1/register?as=csv").data != before


def test_a_workbook_has_a_bound(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "MOST_IN_A_WORKBOOK", 1)
    said = api.ask(None, "GET", "/v1/register?as=xlsx")
    assert (said.status_code, said.json["code"]) == (404, "register-too-long")  # type: ignore[index]
    assert api.ask(None, "GET", "/v1/register?as=csv").status_code == 200


def test_the_same_register_gives_the_same_octets(world: World) -> None:
    approval = world.granted()
    page = [canonical(document(world.record(approval))).decode()]
    moment = Moment(log="a log", size=7, root=bytes(32), at=text(NOW))
    assert register_xlsx([page], moment) == register_xlsx([page], moment)
    assert b"".join(register_csv([page, page], moment)).count(b"\r\n") == 3
    assert b"".join(register_csv([], moment)).count(b"\r\n") == 1
