"""What is kept of an answer is what would be answered anew, octet by octet, at whatever instant and after any act."""

import itertools
import json
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from asn1crypto import algos
from asn1crypto import core as asn1
from asn1crypto import ocsp as der
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from api import problems
from api.status.answering import hold
from api.status.batch import each_answered
from api.status.exchange import Asked, Reply
from api.status.finished import SPELLINGS, Finished, Room, turns
from api.status.mirror import Mirror
from api.status.ocsp import respond
from api.status.plane import Elsewhere, StatusPlane
from api.status.questions import parse_question
from api.status.quickly import quickly
from api.status.ready import LONGEST
from api.status.shapes import serial_asked
from api.status.shown import MOST_SHOWN, Shown
from api.status.snapshot import Snapshot, build
from api.status.template import Template
from api.status.verify import answer
from core.actors import Role
from core.approval import Device, EndCause
from core.canonical import Json
from core.clock import FixedClock
from core.deployed import NEVER
from core.instants import seconds, text
from core.json_text import JsonUnreadable, read_plain, read_sent
from core.mirror import HashName
from tests.status_world import API_KEY, DAY, EXPIRY, FIRMWARE, GRANTED, HOUR, NOON, SECOND, START, World

MOMENTS = (GRANTED, START, NOON, NOON + 12 * HOUR, NOON + 13 * DAY, EXPIRY - HOUR, EXPIRY + SECOND)
"""Around which something changes: grant, start, an answer's end, an amendment's instant, the expiry."""

HASHES: tuple[HashName, ...] = ("sha1", "sha256")

ACTS = st.one_of(
    st.tuples(st.just("grant"), st.integers(1, 3)),
    st.tuples(st.just("end"), st.integers(1, 3)),
    st.tuples(st.just("compromise"), st.integers(1, 3)),
    st.tuples(st.just("amend"), st.integers(1, 3)),
    st.tuples(st.just("presign"), st.integers(1, 3)),
    st.tuples(st.just("dispute"), st.integers(1, 3)),
    st.tuples(st.just("deploy"), st.integers(0, 3 * 64 - 1)),
    st.tuples(st.just("restart"), st.just(0)),
    st.tuples(st.just("move"), st.integers(0, len(MOMENTS) * 5 - 1)),
)


UNITS = [f"00-DB-12-34-56-78-90-0{number}" for number in range(6)]


def verify(question: object, **spelled: object) -> Asked:
    body = json.dumps(question, **spelled).encode()  # type: ignore[arg-type]
    return Asked(method="POST", path="/v1/verify", fields={"authorization": f"Bearer {API_KEY}"}, body=body)


def questions(world: World) -> Iterator[Asked]:
    """Everything that is asked often, as it is spelled, about all that there is, and some that there is not."""
    for identifier, held in world.kept.items():
        yield verify({"approval": identifier})
        yield verify({"approval": identifier}, separators=(",", ":"))
        yield Asked(method="GET", path=f"/v1/verify/{identifier}", fields={"authorization": f"Bearer {API_KEY}"})
        device = held.record.device.said()
        yield verify({"device": {**device, "firmware_version": FIRMWARE.version}})
        yield verify({"device": {**device, "firmware_version": "FFFFFFFF"}}, separators=(",", ":"))
        yield verify({"device": {**device, "firmware_version": FIRMWARE.version, "firmware_hash": "0" * 64}})
        yield verify({"device": {**device, "hardware_version": "other", "firmware_version": FIRMWARE.version}})
        named = {name: device[name] for name in ("manufacturer", "model")}
        yield verify({"device": {**named, "firmware_version": FIRMWARE.version}})
        yield verify({"device": {**named, "firmware_version": FIRMWARE.version, "firmware_hash": "ab" * 32}})
        for certificate in held.record.certificates:
            yield verify({"serial": certificate.serial})
            yield verify({"serial": certificate.serial.lower()})
            issued = world.certificate(identifier, certificate.issue)
            pem = issued.public_bytes(Encoding.PEM).decode()
            yield verify({"certificate": pem})
            yield verify({"certificate": f"as openssl prints it\n{pem}"})
            yield verify({"certificate": pem.replace("\n", "\r\n")})
            for name in HASHES:
                request = world.ocsp_request(issued, name)
                yield Asked(method="POST", path="/ocsp", body=request)
                yield Asked(method="POST", path="/ocsp", body=without_parameters(request))


def narrowed(world: World, now: datetime) -> Iterator[Asked]:
    """The same about one unit, about the past, and about both."""
    instants = [now, now - SECOND, *(each + late * SECOND for each in MOMENTS for late in (-1, 0))]
    past = [text(each) for each in instants if each <= now]
    for identifier, held in world.kept.items():
        subjects: list[dict[str, object]] = [{"approval": identifier}]
        subjects += [{"serial": each.serial} for each in held.record.certificates]
        subjects += [{"device": {**held.record.device.said(), "firmware_version": FIRMWARE.version}}]
        for subject in subjects:
            for unit in UNITS[::5]:
                yield verify({**subject, "device_id": unit})
            for at in past:
                yield verify({"at": at, **subject}, separators=(",", ":"))
                yield verify({**subject, "at": at, "device_id": UNITS[1].lower()})
            yield verify({"approval": identifier, "device_id": UNITS[0], "at": text(now + SECOND)})


def without_parameters(request: bytes) -> bytes:
    """The same request with the hash's parameters absent (RFC 5754, 2)."""
    asked = der.OCSPRequest.load(request)
    about = asked["tbs_request"]["request_list"][0]["req_cert"]
    oid = about["hash_algorithm"]["algorithm"].dump()
    bare = algos.DigestAlgorithm.load(bytes([0x30, len(oid)]) + oid)
    said = {name: about[name].native for name in ("issuer_name_hash", "issuer_key_hash", "serial_number")}
    tbs = {"request_list": [{"req_cert": {"hash_algorithm": bare, **said}}]}
    return bytes(der.OCSPRequest({"tbs_request": tbs}).dump())


def plane_of(world: World, clock: FixedClock) -> tuple[StatusPlane, Mirror]:
    mirror = Mirror(world, clock, monotonic=lambda: 0.0)
    mirror.follow()
    return StatusPlane(mirror, lambda _: True), mirror


def answered(plane: StatusPlane, asked: Asked) -> Reply:
    reply = plane.at_once(asked)
    if reply is Elsewhere.STORE:
        reply = plane.from_store(asked)
    assert isinstance(reply, Reply)
    return reply


def do(world: World, clock: FixedClock, act: str, number: int, names: dict[int, str]) -> None:
    now, name = clock.now(), names.get(number % 3 + 1 if act == "deploy" else number, "")
    if act == "move":
        place, by = divmod(number, 5)
        clock.instant = MOMENTS[place] + (by - 2) * SECOND  # forwards and back
    elif act == "grant" and not name:
        names[number] = world.grant(number, device=Device("ESME", "AB01", f"M{number % 2}", "1"))
    elif not name:
        return
    elif act in ("end", "compromise"):
        cause = EndCause.SSC if act == "end" else EndCause.KEY_COMPROMISE
        world.end(name, now, cause, approval=act == "end")
    elif act == "amend":
        effective = max(now, NOON) + DAY
        if effective < EXPIRY:
            world.amend(name, effective=effective, signed_at=now, maximum_devices=7)
    elif act == "presign":
        world.presign(name, now)
    elif act == "dispute":
        world.keep(replace(world.kept[name], disputed=frozenset({now})))
    elif act == "deploy":
        chosen = [unit for place, unit in enumerate(UNITS) if number // 3 & 1 << place]
        since = seconds(now) - number * 1000
        world.report(name, {unit: [(since, NEVER if number % 2 else since + 90_000)] for unit in chosen})


@settings(max_examples=12, deadline=None)
@given(st.lists(ACTS, min_size=1, max_size=10))
def test_what_is_kept_is_what_would_be_answered_anew(acts: list[tuple[str, int]]) -> None:
    world, clock, names = World(), FixedClock(NOON), dict[int, str]()
    plane, mirror = plane_of(world, clock)
    for act, number in [("grant", 1), *acts]:
        if act == "restart":
            plane, mirror = plane_of(world, clock)
        do(world, clock, act, number, names)
        mirror.follow()
        mirror.read_units()
        anew, _ = plane_of(world, clock)
        view, now = build(world.authority(), world.approvals(None), 0.0), mirror.now()
        for asked in (*questions(world), *narrowed(world, now)):
            expected = answered(anew, asked)  # from the store, where one unit is asked about
            assert answered(plane, asked) == expected
            assert answered(plane, asked) == expected, "kept"
            if asked.path == "/v1/verify" and expected.status == HTTPStatus.OK:
                plain = answer(view, parse_question(asked.body, now), now, world.past_answer, world.units)
                assert expected.body == problems.encode(plain)


def test_what_is_asked_often_is_kept_and_nothing_else() -> None:
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant()
    world.presign(identifier, NOON)
    plane, mirror = plane_of(world, clock)
    for asked in questions(world):
        answered(plane, asked)
    kept = mirror.view().finished[identifier]
    # By its name, a serial number and a certificate's text; by a device as the register spells it; by OCSP's forms.
    assert kept.kept() == {"str": 4, "tuple": 3, "bytes": 4}
    device = world.kept[identifier].record.device.said()
    for number in range(1000):
        answered(plane, verify({"device": {**device, "firmware_version": f"{number}"}}))
        mixed = "".join(each.upper() if number >> place & 1 else each.lower() for place, each in enumerate("010a030b"))
        answered(plane, verify({"device": {**device, "model": mixed, "firmware_version": FIRMWARE.version}}))
        answered(plane, verify({"serial": f"{number:032X}"}))
        answered(plane, Asked(method="POST", path="/ocsp", body=b"\x30" * number))
    assert sum(kept.kept().values()) == 11
    # A change is another entry; one of another approval is not.
    world.grant(7, device=Device("ESME", "AB01", "another", "1"))
    mirror.follow()
    assert mirror.view().finished[identifier] is kept
    world.presign(identifier, NOON + SECOND)
    mirror.follow()
    assert not mirror.view().finished[identifier].kept()


def test_the_very_octets_of_a_question_are_held_as_long_as_its_answer_is() -> None:
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant()
    world.presign(identifier, NOON)
    plane, mirror = plane_of(world, clock)
    for asked in questions(world):
        answered(plane, asked)
    ready = mirror.view().ready
    held = {*ready.questions, *ready.requests}
    assert {
        verify({"approval": identifier}).body,
        *(each.body for each in questions(world) if each.path == "/ocsp"),
    } < held
    before = mirror.view().finished[identifier].kept_octets
    for blanks in range(200):  # each is spelled otherwise; of one approval so many are held, and the first go first
        answered(plane, verify({"approval": identifier}, separators=("," + " " * blanks, ":" + " " * blanks)))
        answered(plane, verify({"serial": f"{blanks:032X}"}))
        answered(plane, verify({"approval": identifier, "device_id": UNITS[0]}))
        answered(plane, verify({"approval": "TRIAL-2026-99999-X"}))
    assert len(ready.questions) + len(ready.requests) == SPELLINGS
    assert mirror.view().finished[identifier].kept_octets < before + 200 * SPELLINGS
    answered(plane, verify({"approval": identifier}, separators=("," + " " * LONGEST, ":")))
    assert max(map(len, ready.questions)) < LONGEST
    # What it rests upon changes: the approval, who else has its model, and who signs.
    for change in (
        lambda: world.presign(identifier, NOON + SECOND),
        lambda: world.grant(7),
        lambda: world.end(identifier, NOON, EndCause.SSC),
    ):
        answered(plane, verify({"approval": identifier}))
        assert ready.questions
        change()
        mirror.follow()
        assert not ready.questions
        assert not ready.requests
    answered(plane, verify({"approval": identifier}))
    mirror._anew = True
    mirror.follow()
    assert not mirror.view().ready.questions


def test_what_was_asked_before_an_end_is_not_held_after_it() -> None:
    """Somebody who took the snapshot before is answered from it, and holds nothing for those who come after."""
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant()
    _, mirror = plane_of(world, clock)
    old, body = mirror.view(), verify({"approval": identifier}).body
    world.end(identifier, NOON, EndCause.SSC)
    mirror.follow()
    found = quickly(old, body, NOON, world.past_answer)
    assert found is not None
    assert found.place is not None
    assert found.told.verdict.members["valid"] is True
    hold(old, body, found)
    assert not mirror.view().ready.questions


def test_a_batch_is_answered_from_its_own_snapshot_whatever_was_told_since() -> None:
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant()
    _, mirror = plane_of(world, clock)
    (certificate,) = world.kept[identifier].record.certificates
    asked = [("approval", identifier), ("serial", certificate.serial), ("approval", identifier)]

    def valid(view: Snapshot) -> list[object]:
        told = each_answered(view, asked, NOON, world.past_answer, world.units)
        return [each.verdict.members["valid"] for each in told if isinstance(each, Template)]

    old = mirror.view()
    assert valid(old) == valid(old) == [True] * 3
    assert {each for table in old.ready.named.values() for each in table} == {identifier, certificate.serial}
    world.end(identifier, NOON, EndCause.SSC)
    mirror.follow()
    new = mirror.view()
    assert not any(old.ready.named.values())
    assert valid(new) == valid(new) == [False] * 3
    assert valid(old) == [True] * 3
    assert valid(new) == [False] * 3


def test_a_credential_that_was_shown_before_is_looked_at_each_time() -> None:
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant()
    plane, mirror = plane_of(world, clock)
    asked = verify({"approval": identifier})
    for status in (200, 200):
        assert answered(plane, asked).status == status
    for shown in ("", API_KEY, f"Bearer {API_KEY[:-1]}", f"Bearer {API_KEY}x", f"Basic {API_KEY}"):
        assert answered(plane, asked._replace(fields={"authorization": shown} if shown else {})).status == 401
    for spelled in (f"bearer {API_KEY}", f"Bearer   {API_KEY} "):
        assert answered(plane, asked._replace(fields={"authorization": spelled})).status == 200
    world.admit(API_KEY, Role.DCC, NOON + SECOND)
    mirror.follow()
    assert answered(plane, asked).status == 200
    clock.instant = NOON + SECOND
    assert answered(plane, asked).status == 401
    clock.instant = NOON
    assert answered(plane, asked).status == 200
    world.credentials.clear()
    world.advance(0 * SECOND)  # the authority describes itself anew
    mirror.follow()
    assert answered(plane, asked).status == 401


def test_one_credential_takes_one_place_however_it_is_spelled() -> None:
    world, shown = World(), Shown()
    authority, other = world.authority(), "Bearer of-another"
    odd = [f"Bearer {' ' * blanks}{API_KEY}" for blanks in range(1, MOST_SHOWN + 1)]
    odd += [f"Bearer {API_KEY} ", f"bearer {API_KEY}", f"BEARER {API_KEY}"]
    for each in (*odd, f"Bearer {API_KEY}", other):
        shown.note(authority, each, NOON)
    assert not any(shown.in_force(authority, each, NOON - SECOND) for each in odd)
    assert shown.in_force(authority, f"Bearer {API_KEY}", NOON - SECOND)
    assert shown.in_force(authority, other, NOON - SECOND)
    assert not shown.in_force(authority, other, NOON)


def test_there_is_room_for_so_much_and_what_was_asked_first_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    world, clock = World(), FixedClock(NOON)
    names = [world.grant(number, device=Device("ESME", "AB01", f"M{number}", "1")) for number in range(1, 7)]
    plane, mirror = plane_of(world, clock)
    mirror.read_units()
    everything = [*questions(world), *narrowed(world, NOON)]
    expected = [answered(plane, each) for each in everything]
    finished = mirror.view().finished
    whole = max(each.kept_octets for each in finished.values())
    room = Room(most=3 * whole)
    monkeypatch.setattr("api.status.finished.ROOM", room)
    plane, mirror = plane_of(world, clock)
    mirror.read_units()
    for turn in range(3):
        assert [answered(plane, each) for each in everything] == expected
        finished = mirror.view().finished
        kept = [name for name in names if finished[name].kept()]
        assert kept == names[-len(kept) :], turn
        assert 2 <= len(kept) < len(names)
        assert room.octets == sum(each.kept_octets for each in finished.values()) <= room.most
        mirror._anew = True  # every entry is another one; those of before go first, and take nothing with them
        mirror.follow()
        mirror.read_units()
        assert room.octets <= room.most


def test_of_equal_answers_one_is_kept() -> None:
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant()
    plane, mirror = plane_of(world, clock)
    serial = world.kept[identifier].record.certificates[0].serial
    answered(plane, verify({"approval": identifier}))
    before = mirror.view().finished[identifier].kept_octets
    answered(plane, verify({"serial": serial}))
    after = mirror.view().finished[identifier]
    assert after.find(identifier, Template, NOON) is after.find(serial, Template, NOON) is not None
    assert after.kept_octets - before < 900 < before


def pems(world: World) -> Iterator[str]:
    """Certificates, as long as somebody asks: their signatures have one length or another."""
    for number in itertools.count(100):
        yield (
            world.certificate(world.grant(number, device=Device("ESME", "AB01", f"{number}", "01")))
            .public_bytes(Encoding.PEM)
            .decode()
        )


def test_what_is_to_be_refused_is_refused_beside_what_is_kept() -> None:
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant()
    pem = next(each for each in pems(world) if "=" in each)
    plane, _ = plane_of(world, clock)
    device = {**world.kept[identifier].record.device.said(), "firmware_version": FIRMWARE.version}
    last = pem.index("=") - 1
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    # It has bits that no octet takes up (RFC 4648, 3.5).
    same_octets = pem[:last] + letters[letters.index(pem[last]) + 1] + pem[last + 1 :]
    for right, wrong in (
        ({"device": device}, {"device": {**device, "serial": "1"}}),
        ({"certificate": pem}, {"certificate": pem[:60] + "!" + pem[60:]}),
        ({"certificate": pem}, {"certificate": same_octets}),
        ({"certificate": pem}, {"certificate": pem + pem}),
    ):
        for _ in range(2):
            assert answered(plane, verify(right)).status == 200
            assert answered(plane, verify(wrong)).status == 400


def test_an_end_that_web_alone_knows_of_is_not_answered_from_what_is_kept() -> None:
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant()
    _, mirror = plane_of(world, clock)
    view = mirror.view()
    asked = verify({"approval": identifier}).body
    assert quickly(view, asked, NOON, world.past_answer) is not None
    assert quickly(replace(view, went_back=True), asked, NOON, world.past_answer) is None


def test_a_request_is_read_by_its_shape_as_the_parser_reads_it() -> None:
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant()
    _, mirror = plane_of(world, clock)
    view, serial = mirror.view(), world.kept[identifier].record.certificates[0].serial
    issued = world.certificate(identifier)
    forms = [
        form
        for name in HASHES
        for request in [world.ocsp_request(issued, name)]
        for form in (request, without_parameters(request))
    ]
    assert [serial_asked(view.shapes, each) for each in forms] == [serial] * 4
    assert len({len(each) for each in forms}) == 4
    for form in forms:
        for place in range(len(form)):
            for bit in range(8):
                flipped = form[:place] + bytes([form[place] ^ 1 << bit]) + form[place + 1 :]
                assert serial_asked(view.shapes, flipped) != serial
        for cut in (form[:-1], form[1:], form + b"\x00", b"\x00" + form, b"", form * 2):
            assert serial_asked(view.shapes, cut) is None
    # Of another issuer, in the same shape.
    assert serial_asked(view.shapes, World().ocsp_request(issued)) is None
    stranger = asn1.Integer(int(serial, 16) ^ 1).dump()[2:]
    assert respond(view, forms[0][:-16] + stranger, NOON).body == bytes.fromhex("30030a0106")


@pytest.mark.parametrize("hours", [0, 1, 11, 12])
def test_a_kept_answer_is_asked_for_anew_before_it_says_less(hours: int) -> None:
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant()
    world.presign(identifier, NOON)
    plane, _ = plane_of(world, clock)
    request = Asked(method="POST", path="/ocsp", body=world.ocsp_request(world.certificate(identifier)))
    answered(plane, request)
    for late in range(-3, 4):
        clock.instant = NOON + hours * HOUR + late * SECOND
        if clock.instant >= NOON:
            anew, _ = plane_of(world, clock)
            assert answered(plane, request) == answered(anew, request)


@given(st.integers(0, 400), st.integers(0, 400))
def test_nothing_changes_between_two_turns(first: int, second: int) -> None:
    world = World()
    identifier = world.grant()
    world.amend(identifier, effective=NOON + 13 * DAY, signed_at=NOON)
    world.presign(identifier, NOON)
    held = world.kept[identifier]
    since, until = Finished(held).span(GRANTED + first * DAY)
    at = GRANTED + second * DAY
    same = since <= at < until
    between = [turn for turn in turns(held) if min(at, GRANTED + first * DAY) < turn <= max(at, GRANTED + first * DAY)]
    assert same is not bool(between)


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_time_are_turns_like_others(year: int) -> None:
    world = World()
    held = world.kept[world.grant()]
    at = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    finished = Finished(held)
    since, until = finished.span(at)
    assert since <= at <= until
    finished.keep("x", "kept", at, ahead=timedelta(hours=1))
    assert finished.find("x", str, at) in {"kept", None}


# --- JSON of the plainest form -----------------------------------------------------------------------------------

TEXT = st.text(st.sampled_from('ab"\\\n\t {}:,[]é\x7f\x00'), max_size=6)
VALUES: st.SearchStrategy[Json] = st.one_of(TEXT, st.dictionaries(TEXT, TEXT, max_size=3), st.none(), st.integers(0, 3))


@given(st.dictionaries(TEXT, VALUES, max_size=3), st.sampled_from([None, 1]), st.booleans())
def test_what_is_read_plainly_is_read_strictly_as_the_same(
    document: dict[str, Json],
    indent: int | None,
    ascii_only: bool,  # noqa: FBT001 - drawn
) -> None:
    octets = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    assert read_plain(octets) in (None, read_sent(octets))


@given(st.binary(max_size=4), st.integers(0, 60))
def test_octets_that_are_no_json_are_not_read_plainly(octets: bytes, place: int) -> None:
    written = b'{"device": {"type": "ESME", "model": "x"}}'
    broken = written[:place] + octets + written[place:]
    plainly = read_plain(broken)
    if plainly is not None:
        assert read_sent(broken) == plainly


@pytest.mark.parametrize(
    "twice", [b'{"a":"b","a":"c"}', b'{"d":{"a":"b","a":"b"}}', b'{"a":"b",}', b"{}", b'{"a":"\\u0041"}']
)
def test_what_is_named_twice_or_escaped_is_left_to_the_strict_reader(twice: bytes) -> None:
    assert read_plain(twice) is None


def test_the_strict_reader_refuses_what_is_named_twice() -> None:
    with pytest.raises(JsonUnreadable):
        read_sent(b'{"a":"b","a":"c"}')


def test_what_stands_beside_an_object_is_read_plainly_too() -> None:
    beside = b'{"at": "x", "device": {"type": "ESME"}, "device_id": "y"}'
    assert read_plain(beside) == read_sent(beside) == {"at": "x", "device": {"type": "ESME"}, "device_id": "y"}
    for twice in (b'{"at": "x", "at": {"a": "b"}}', b'{"at": "x", "d": {"a": "b"}, "at": "y"}'):
        assert read_plain(twice) is None


def test_one_unit_and_the_near_past_are_answered_at_once_and_the_limit_is_counted_each_time() -> None:
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant(maximum=2)
    world.presign(identifier, NOON - HOUR)
    plane, mirror = plane_of(world, clock)
    asked = {"approval": identifier, "device_id": UNITS[0]}
    assert plane.at_once(verify(asked)) is Elsewhere.STORE, "the units have not been read"
    mirror.read_units()
    world.reads.clear()
    told = []
    for deployed in ((), UNITS[1:3], UNITS[1:4], UNITS[:4]):
        world.deploy(identifier, *deployed)
        mirror.follow()
        reply = plane.at_once(verify(asked))
        assert isinstance(reply, Reply)
        told.append([each["detail"] for each in json.loads(reply.body)["reasons"]])
    assert [len(each) for each in told] == [0, 1, 1, 0]
    assert "2 of 2" in told[1][0]
    assert "3 of 2" in told[2][0]
    assert isinstance(plane.at_once(verify({**asked, "at": text(NOON - SECOND)})), Reply)
    # What was signed for an instant of long ago is in the store alone.
    assert plane.at_once(verify({"approval": identifier, "at": text(NOON - 2 * HOUR)})) is Elsewhere.STORE
    assert set(world.reads) == {"changes", "units reported"}
    kept = mirror.view().finished[identifier].kept()
    assert kept == {"str": 1, "Then": 1, "OverLimit": 1}
