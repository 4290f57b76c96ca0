"""Many questions at once: each is answered as it would be alone, octet by octet, and harms no other."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from api.status.batch import BATCH_LIMIT, MOST_QUESTIONS
from api.status.questions import QUESTION_LIMIT
from core.actors import Role
from core.approval import Device, EndCause
from core.errors import StoreUnavailable
from core.instants import text
from core.json_list import MOST_ODD, divided
from core.json_text import JsonUnreadable, read_plain, read_sent
from tests.status_plane import BEARER, Answered, Plane, problem
from tests.status_world import DAY, ESME, FIRMWARE, GRANTED, NOON, SECOND

BATCH = "/v1/verify/batch"
JSON, TABLE = "application/json", "text/csv"


def batch(plane: Plane, body: object, content_type: str = JSON, accept: str | None = None) -> Answered:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    wanted = {} if accept is None else {"HTTP_ACCEPT": accept}
    return plane.ask("POST", BATCH, octets, **BEARER, CONTENT_TYPE=content_type, **wanted)


def filled(plane: Plane) -> tuple[str, str, list[bytes]]:
    """A world with several approvals, and questions of every kind about them, in the words of their senders."""
    one = plane.world.grant(1)
    other = plane.world.grant(2, device=Device("ESME", "AB01", "0000AAAA", "01"))
    plane.world.presign(one, NOON)
    plane.world.end(other, NOON - DAY, EndCause.SSC)
    plane.world.deploy(one, "00-DB-12-34-56-78-90-01")
    (certificate,) = plane.world.kept[one].record.certificates
    pem = plane.world.certificate(one).public_bytes(Encoding.PEM).decode()
    asked: list[object] = [
        {"approval": one},
        {"approval": one.lower()},
        {"approval": f" {one} "},
        {"approval": other},
        {"approval": one, "at": text(GRANTED)},
        {"approval": one, "device_id": "00-DB-12-34-56-78-90-01"},
        {"approval": one, "device_id": "00db123456789002"},
        {"serial": certificate.serial},
        {"serial": certificate.serial.lower()},
        {"serial": "00" * 16},
        {"certificate": pem},
        {"device": {**ESME.said(), "firmware_version": FIRMWARE.version}},
        {"device": {**ESME.said(), "firmware_version": "FFFF"}},
        {"device": {"manufacturer": "nobody", "model": "none", "firmware_version": "1"}},
        {"approval": "TDT-2027-0042-6"},
        {"approval": one, "at": "2099-01-01T00:00:00Z"},
        {"approval": one, "serial": "1"},
        {"appr\u00f6val": one},
        {"approval": 12},
        {"approval": one, "at": None},
        {},
        [],
        None,
        12,
        "x",
    ]
    odd = [
        b'{"approval":"%b","approval":"%b"}' % (one.encode(), one.encode()),
        b'{"approval":"' + one.encode() + b'" , "at" : NaN}',
        b"NaN",
        b"nonsense",
        b"[" * 5_000 + b"]" * 5_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"approval":"' + b"x" * (QUESTION_LIMIT - 15) + b'"}',
        b'{"approval":"\\ud800"}',
        b'{ "approval" :\t"' + one.encode() + b'"\r\n}',
        b'{"approval":1' + b"0" * 5_000 + b"}",
        b'{"approval" "x"}',
        b'{"serial":"' + certificate.serial.encode() + b'","at":"' + text(NOON).encode() + b'"}',
    ]
    return one, other, [json.dumps(each).encode() for each in asked] + odd


def test_each_is_answered_as_it_would_be_alone_octet_by_octet() -> None:
    plane = Plane()
    _, _, asked = filled(plane)
    for sent in (asked, asked[::-1] * 2):
        answered = batch(plane, b'{"questions": [' + b" , ".join(sent) + b"]}")
        assert answered.status == 200, answered
        assert answered.headers["Content-Type"] == JSON
        assert answered.headers["Cache-Control"] == "no-store"
        alone = [plane.verify(each).body for each in sent]
        assert answered.body == b'{"answers":[' + b",".join(alone) + b"]}"
    said = json.loads(answered.body)["answers"]
    assert {each.get("code") for each in said} >= {"body-malformed", "identifier-malformed", "instant-in-future"}
    assert {each["as_of"] for each in said if "as_of" in each} == {text(NOON), text(GRANTED)}


def test_a_silence_of_the_store_spoils_only_what_asks_it() -> None:
    plane = Plane()
    one, _, _ = filled(plane)
    plane.mirror.follow()
    plane.world.broken = True
    answered = batch(plane, {"questions": [{"approval": one}, {"approval": one, "device_id": "00db123456789002"}]})
    first, second = json.loads(answered.body)["answers"]
    assert (first["valid"], second["code"]) == (True, "store-unavailable")


@pytest.mark.parametrize(("silent", "waits", "most"), [(True, 0.5, 1), (False, 0.5, 10)])
def test_many_that_need_the_store_wait_for_it_no_longer_than_one(
    monkeypatch: pytest.MonkeyPatch,
    silent: bool,  # noqa: FBT001 - of the table
    waits: float,
    most: int,
) -> None:
    plane, times, passed = Plane(), 0, 0.0
    one, _, _ = filled(plane)
    plane.mirror.follow()

    def past_answer(*_: object) -> None:
        nonlocal times, passed
        times, passed = times + 1, passed + waits
        if silent:
            raise StoreUnavailable

    monkeypatch.setattr(plane.world, "past_answer", past_answer)
    monkeypatch.setattr("api.status.impatient.monotonic", lambda: passed)
    past = [{"approval": one, "at": text(NOON - DAY - number * SECOND)} for number in range(40)]
    told = json.loads(batch(plane, {"questions": [*past, {"approval": one}]}).body)["answers"]
    codes = [each.get("code") for each in told]
    assert times == most
    assert codes == [*([None] * (0 if silent else most)), *["store-unavailable"] * (40 - (0 if silent else most)), None]


def test_all_is_answered_from_one_snapshot_or_not_at_all() -> None:
    plane = Plane()
    one, _, _ = filled(plane)
    plane.ask("GET", "/healthz")
    plane.silence = 601
    plane.world.broken = True
    problem(batch(plane, {"questions": [{"approval": one}]}), 503, "status-stale")


def test_who_may_not_ask_one_may_not_ask_many() -> None:
    plane = Plane()
    plane.world.admit("admin", Role.SSC_ADMIN)
    for fields, status, code in (
        ({}, 401, "credential-missing"),
        ({"HTTP_AUTHORIZATION": "Bearer x"}, 401, "credential-invalid"),
        ({"HTTP_AUTHORIZATION": "Bearer admin"}, 403, "operation-not-permitted"),
    ):
        problem(plane.ask("POST", BATCH, b"not even JSON", **fields), status, code)
    assert plane.ask("GET", BATCH, **BEARER).headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"questions": {}}',
        b'{"questions": null}',
        b'{"questions": [], "more": 1}',
        b'{"questions": []} x',
        b'{"questions": [{}',
        b'{"questions": [{},]}',
        b'{"questions": [,{}]}',
        b'{"questions": [{} {}]}',
        b'{"questions": [{"a":"b]}',
        b'{"questions": [{"a":["b"}]}',
        b'{"question": []}',
        b'{"questions": [' + b"[" * 1_000_000,
        b'{"questions": [' + b'{"a":[' * 20_000 + b"]}",
        b'{"questions": ["' + b"\\n" * 1_000_000 + b'"]}',
        b'{"questions": ["\xff"]}',
        b'{"questions": ['
        + b",".join([b"[" * 20_000 + b"]" * 20_000] * (MOST_ODD // 40_000 + 1)).ljust(2_000_000)
        + b"]}",
        b"\x1f\x8b" + b"0" * 100,
        b" " * 100_000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_cannot_be_divided_is_refused_whole(body: bytes) -> None:
    problem(batch(Plane(), body), 400, "body-malformed")


def test_more_than_are_answered_at_once_are_refused_with_a_sentence() -> None:
    plane = Plane()
    one = plane.world.grant()
    full = {"questions": [{"approval": one}] * MOST_QUESTIONS}
    answered = batch(plane, full)
    assert answered.body.count(b'"valid":') == MOST_QUESTIONS
    assert answered.body == b'{"answers":[' + b",".join([plane.verify({"approval": one}).body] * MOST_QUESTIONS) + b"]}"
    full["questions"].append({"approval": one})
    told = problem(batch(plane, full), 413, "questions-too-many")
    assert told["detail"] == "The batch has more than 10,000 questions."
    rows = f"approval\n{f'{one}{chr(10)}' * (MOST_QUESTIONS + 1)}"
    problem(batch(plane, rows.encode(), TABLE), 413, "questions-too-many")
    assert json.loads(batch(plane, {"questions": []}).body) == {"answers": []}
    assert BATCH_LIMIT > MOST_QUESTIONS * 1_300


TEXT = st.text(st.sampled_from('ab"\\{}[],: \n\té'), max_size=6)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.one_of(TEXT, st.none(), st.integers(0, 9), st.booleans(), st.just(1.5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)


@given(st.lists(ANYTHING, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_a_list_is_divided_into_what_is_in_it(elements: list[Any], indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001 - drawn
    octets = json.dumps({"questions": elements}, indent=indent, ensure_ascii=ascii_only).encode()
    found = divided(octets, "questions", most=10, longest=1_000)
    assert [read_sent(each.encode()) if isinstance(each, str) else dict([each]) for each in found] == elements
    for each, element in zip(found, elements, strict=True):
        plain = read_plain(json.dumps(element).encode())
        if isinstance(each, tuple):
            assert plain == dict([each])


@given(st.binary(max_size=3), st.integers(0, 60))
def test_octets_that_are_no_list_are_not_divided_otherwise_than_they_are_read(octets: bytes, place: int) -> None:
    written = b'{"questions": [{"approval": "x"}, {"device": {"model": "y"}}]}'
    broken = written[:place] + octets + written[place:]
    try:
        found = divided(broken, "questions", most=10, longest=1_000)
    except JsonUnreadable:
        return
    each = [one.encode() if isinstance(one, str) else json.dumps(dict([one])).encode() for one in found]
    try:
        whole = read_sent(broken)
    except JsonUnreadable:
        assert any(not readable(one) for one in each)
    else:
        assert whole == {"questions": [read_sent(one) for one in each]}


def readable(octets: bytes) -> bool:
    try:
        read_sent(octets)
    except JsonUnreadable:
        return False
    return True


# --- tables ------------------------------------------------------------------------------------------------------


def rows(answered: Answered) -> list[dict[str, str]]:
    assert answered.status == 200, answered
    assert answered.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answered.body.decode("utf-8-sig"))))


FORMS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": lambda text: text.encode(),
    "with a mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "semicolons": lambda text: ("sep=;\r\n" + text.replace(",", ";")).encode(),
    "tabs": lambda text: text.replace(",", "\t").encode(),
    "CR": lambda text: text.replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_table_is_asked_as_json_asks(form: str) -> None:
    plane = Plane()
    one, other, _ = filled(plane)
    (certificate,) = plane.world.kept[one].record.certificates
    table = (
        "Approval,serial,device id,Manufacturer,model,firmware_version,at\n"
        f"{one},,,,,,\n"
        f"'{other}\n"
        "\n"
        f',"=""{certificate.serial}"""\n'
        f",,,ab01,{ESME.model},{FIRMWARE.version},\n"
        f"{one},,00-DB-12-34-56-78-90-02,,,,{text(NOON)}\n"
        "=cmd()\n"
        f"{one},1\n"
    )
    found = rows(batch(plane, FORMS[form](table), TABLE))
    assert [each["line"] for each in found] == [str(int(form == "semicolons") + at) for at in (2, 3, 5, 6, 7, 8, 9)]
    said = [(each["valid"], each["state"], each["approval"], each["problem"]) for each in found]
    assert said == [
        ("yes", "active", one, ""),
        ("no", "cancelled", other, ""),
        ("yes", "active", one, ""),
        ("yes", "active", one, ""),
        ("yes", "active", one, ""),
        ("", "", "", "identifier-malformed"),
        ("", "", "", "body-malformed"),
    ]
    assert found[1]["reasons"]
    assert found[1]["detail"].endswith(".")
    assert found[5]["asked_approval"] == "\N{NO-BREAK SPACE}=cmd()"  # no spreadsheet runs it
    assert {each["as_of"] for each in found} == {text(NOON), ""}
    asked = [{"approval": one}, {"approval": other}, {"serial": certificate.serial}]
    as_json = json.loads(batch(plane, FORMS[form](table), TABLE, JSON).body)["answers"]
    assert as_json[:3] == [json.loads(plane.verify(each).body) for each in asked]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("approval,approval\nx,x", "twice"),
        ("approval,secret words\nx,y", "column 2"),
        ('approval\n"x', "line 2"),
        ("PK\x03\x04", "ZIP"),
        ("<html>", "web page"),
    ],
)
def test_what_is_no_table_of_questions_is_refused_whole(table: str, told: str) -> None:
    said = problem(batch(Plane(), table.encode(), TABLE), 400, "body-malformed")
    assert told in said["detail"]
    assert "secret" not in said["detail"]


@pytest.mark.parametrize(
    ("sent", "said", "accept", "answered"),
    [
        ("{}", JSON, None, JSON),
        ("{}", JSON, "*/*", JSON),
        ("{}", JSON, "text/csv", TABLE),
        ("{}", JSON, "text/csv;q=0.4, application/json;q=0.5", JSON),
        ("{}", JSON, "text/*, application/json;q=0.5", TABLE),
        ("{}", "application/x-www-form-urlencoded", "image/png", JSON),
        ("csv", TABLE, None, TABLE),
        ("csv", "Text/CSV; charset=utf-8", "*/*", TABLE),
        ("csv", "application/octet-stream", None, TABLE),
        ("{}", "application/octet-stream", None, JSON),
        ("csv", TABLE, "application/json, */*;q=0.1", JSON),
        ("csv", TABLE, ",;q=,text/csv;q=0,*/*;q=0.2", JSON),
    ],
)
def test_the_answer_has_the_form_that_is_liked(sent: str, said: str, accept: str | None, answered: str) -> None:
    plane = Plane()
    one = plane.world.grant()
    body = json.dumps({"questions": [{"approval": one}]}) if sent == "{}" else f"approval\n{one}\n"
    found = batch(plane, body.encode(), said, accept)
    assert found.headers["Content-Type"].partition(";")[0] == answered
    if answered == TABLE:
        assert [each["valid"] for each in rows(found)] == ["yes"]
    else:
        assert found.body == b'{"answers":[' + plane.verify({"approval": one}).body + b"]}"
