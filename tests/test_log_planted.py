"""Rows that somebody plants in the tables of the public log: every route answers, or says in its code what is wrong."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.alarms import AlarmCode
from jobs.authority import Authority
from keys.log_key import LOG_FILE
from store.log_tables import registers
from store.reading import register as reading
from tests.api_world import Api
from tests.attack.forging import forge
from tests.test_log import newest, with_log
from tests.world import World, keyring, place

TYPED = {"log-damaged", "public-register-differs", "register-unsigned", "log-empty"}
"""Codes by which the routes say that they cannot answer."""

FAR, LAST = 10**9, 2**62
DOCUMENT = '{"approval":"TDT-2027-0001-N","device":{}}'
CHECKPOINT = "INSERT INTO checkpoints VALUES ({size}, {root}, '{note}', {at})"
COPY = "INSERT INTO registers SELECT {size}, log, root, {at}, {sha256}, {signature}, signer, signed_at FROM registers"

PLANTED: dict[str, str] = {
    "a document beyond the leaves": f"INSERT INTO log_documents VALUES ('TDT-2027-0001-N', {FAR}, '{DOCUMENT}')",
    "a document of the last row of all": f"INSERT INTO log_documents VALUES ('TDT-2027-0001-N', {LAST}, '{DOCUMENT}')",
    "a document before the first row": f"INSERT INTO log_documents VALUES ('TDT-2027-0001-N', -1, '{DOCUMENT}')",
    "a document of nobody": f"INSERT INTO log_documents VALUES ('x', 2, '{DOCUMENT}')",
    "no document": "INSERT INTO log_documents VALUES ('TDT-2027-0001-N', 3, 'x')",
    "a document that is nested without end": "INSERT INTO log_documents VALUES ('TDT-2027-0001-N', 3, '"
    + "[" * 100_000
    + "')",
    "other documents": "UPDATE log_documents SET document = '7'",
    "no documents": "DELETE FROM log_documents",
    "a leaf that is gone": "DELETE FROM log_leaves WHERE number = 5",
    "all leaves gone": "DELETE FROM log_leaves",
    "a leaf that is short": "UPDATE log_leaves SET leaf = {short} WHERE number = 5",
    "leaves of nothing": "UPDATE log_leaves SET leaf = {none}, commitment = {none}, salt = {none}",
    "a leaf beyond the rows": f"INSERT INTO log_leaves SELECT {FAR}, salt, commitment, leaf FROM log_leaves "
    "WHERE number = 1",
    "a tile that is short": "INSERT INTO log_tiles VALUES (0, 0, {short}, {short})",
    "a tile of nothing": "INSERT INTO log_tiles VALUES (0, 0, {none}, {none})",
    "a tile above": "INSERT INTO log_tiles VALUES (1, 0, {short}, {short})",
    "a tile at the top": f"INSERT INTO log_tiles VALUES (7, {LAST}, {{short}}, {{none}})",
    "a checkpoint beyond the leaves": CHECKPOINT.format(size=FAR, root="{short}", note="x", at=0),
    "a checkpoint of all": CHECKPOINT.format(size=LAST, root="{none}", note="", at=0),
    "a checkpoint of no time": CHECKPOINT.format(size=FAR, root="{short}", note="x", at=LAST),
    "a checkpoint of one more": CHECKPOINT.format(size="(SELECT max(number) + 1 FROM log_leaves)", root="{short}",
                                                  note="x", at=0),
    "no checkpoint": "DELETE FROM checkpoints",
    "a register beyond the rows": COPY.format(size=FAR, at="at", sha256="sha256", signature="signature"),
    "a register of all": COPY.format(size=LAST, at="at", sha256="sha256", signature="{none}"),
    "a register of no time": COPY.format(size=FAR, at=LAST, sha256="sha256", signature="signature"),
    "a register of another digest": "UPDATE registers SET sha256 = {short}",
    "a register of no signature": "UPDATE registers SET signature = {none}",
    "a row that was sealed at no time": f"UPDATE journal SET sealed_at = {LAST} WHERE seal_number = 3",
}  # fmt: skip
"""What is written, by what it is."""


@pytest.fixture(scope="module")
def logged(store_copy: Callable[[str], str], keys_folder: Path) -> World:
    made = World(store_copy("sqlite"), keys_folder)
    with_log(made).settle()
    made.granted()
    made.authority.settle()
    made.close()
    return made


@pytest.fixture
def world(logged: World, copy_of: Callable[[str], str]) -> Iterator[World]:
    made = World(copy_of(logged.url), logged.folder)
    made.authority.holder = logged.authority.holder  # the copy holds its lease
    yield made
    made.close()


def with_key(world: World) -> Authority:
    """Another process of the authority, which has the log's key at hand."""
    authority = world.another_authority()
    authority.holder = world.authority.holder
    key = place(world.folder).log_key(LOG_FILE)
    authority.keyring = replace(keyring(world.folder), log=key)
    return authority


def routes(size: int) -> list[str]:
    """Every address of the log, for a tree of so many rows."""
    inclusion, consistency = "/v1/proofs/inclusion", "/v1/proofs/consistency"
    return [
        "/v1/checkpoint",
        *(f"/tile/{level}/000.p/{width}" for level in (0, "entries") for width in (1, size)),
        "/tile/0/000",
        "/tile/1/000.p/1",
        *(f"{inclusion}?row={row}" for row in (1, 3, 5, size, FAR)),
        f"{inclusion}?row=3&size={size - 1}",
        *(f"{inclusion}?approval=TDT-2027-0001-N{size}" for size in ("", f"&size={size}", f"&size={FAR}")),
        *(f"{consistency}?from={old}&to={new}" for old, new in ((0, size), (3, size), (size, size), (3, FAR))),
        *(f"/v1/feed?after={after}" for after in (0, 2, 4, size - 1, size, FAR)),
        "/v1/register",
        "/v1/register?as=csv",
        "/v1/register?as=xlsx",
        "/v1/register.p7s",
        f"/v1/register.p7s?size={FAR}",
    ]


ALWAYS = ("a document beyond the leaves", "a leaf that is short", "a checkpoint of one more", "a register of all")


@pytest.mark.parametrize(
    "name", [each if each in ALWAYS else pytest.param(each, marks=pytest.mark.long) for each in PLANTED]
)
def test_whatever_is_planted_every_route_answers_or_says_what_is_wrong(world: World, name: str) -> None:
    size = newest(world).size
    short, none = ("x'00'", "x''") if world.url.startswith("sqlite") else ("'\\x00'::bytea", "''::bytea")
    forge(world, PLANTED[name].replace("{short}", short).replace("{none}", none))
    api, untyped = Api(world), list[tuple[str, int, object]]()
    for path in routes(size):
        said = api.ask(None, "GET", path)
        code = (said.json or {}).get("code") if said.status_code >= 400 and said.is_json else None
        if said.status_code >= 500 and code not in TYPED:
            untyped.append((path, said.status_code, code))
        assert said.status_code < 500 or said.status_code == 503, (path, code)
    assert not untyped


OVERWRITTEN = {
    "its signature": "UPDATE registers SET signature = {short}",
    "its digest": "UPDATE registers SET sha256 = {short}",
    "when": "UPDATE registers SET signed_at = signed_at + 1",
    "gone": "DELETE FROM registers",
    "one behind it": PLANTED["a register beyond the rows"],
    "one of no time": PLANTED["a register of no time"],
}


@pytest.mark.parametrize(
    "name",
    [
        each if each in ("its signature", "one behind it") else pytest.param(each, marks=pytest.mark.long)
        for each in OVERWRITTEN
    ],
)
def test_the_authority_puts_a_signed_register_right_that_somebody_overwrites(world: World, name: str) -> None:
    world.authority = with_key(world)
    world.authority.settle()
    with world.store.read() as tx:
        signed = reading.newest_register(tx)
    assert signed is not None
    forge(world, OVERWRITTEN[name].format(short="x'00'"))
    world.authority.settle()
    with world.store.read() as tx:
        assert reading.newest_register(tx) == signed
        assert tx.connection.execute(select(func.count()).select_from(registers)).scalar() == 1
    assert [each.subject for each in world.alarms()] == [f"registers {signed.moment.size}"]
    world.authority.settle()
    assert Api(world).ask(None, "GET", "/v1/register.p7s").data == signed.signature


def test_a_signature_that_was_overwritten_while_no_authority_worked_is_made_again(world: World) -> None:
    forge(world, OVERWRITTEN["its signature"].format(short="x'00'"))
    world.authority = with_key(world)
    world.authority.settle()
    with world.store.read() as tx:
        signed = reading.newest_register(tx)
    assert signed is not None
    assert len(signed.signature) > 1_000
    assert [each.code for each in world.alarms()] == [AlarmCode.REGISTER_CONTRADICTS]
