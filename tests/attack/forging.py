"""Somebody who owns the web process: any row can be written, with the constraints switched off."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from core.actors import Actor, Role
from core.approval import EndCause
from core.errors import StoreWentBack
from core.identifiers import Serial
from core.kinds import DecisionKind
from jobs.authority import Authority
from officers.key_file import thumbprint_of
from officers.statement import Authority as Named
from officers.statement import Claim, Listed, new_statement
from ra import authorising
from ra.authorising import Signed
from ra.deciding.kinds.grant import ProposeGrant
from tests import acting
from tests.acting import officer_key, propose, sign
from tests.cycle_world import device
from tests.world import World, keyring, memory_of

MALLORY = Actor("mallory", Role.SSC_OFFICER, None, "cred-mallory")
TRUDY = Actor("trudy", Role.SSC_OFFICER, None, "cred-trudy")


@dataclass(frozen=True)
class Scene:
    """What there is before an attack: an approval that stands, one that has ended, and a proposal that is drafted."""

    world: World
    good: str
    ended: str
    decision: str

    @property
    def good_serial(self) -> Serial:
        return self.world.memory.issues(self.good)[0].serial

    @property
    def ended_serial(self) -> Serial:
        return self.world.memory.issues(self.ended)[0].serial


def scene(world: World) -> Scene:
    good, ended = world.granted(device=device(1)), world.granted(device=device(2))
    world.revoked(ended, EndCause.SSC)
    world.authority.settle()
    decision = world.drafted(device=device(3))
    return Scene(world=world, good=good, ended=ended, decision=decision)


def forge(world: World, *statements: str) -> None:
    """Write rows as the database's owner does."""
    if world.url.startswith("sqlite"):
        with sqlite3.connect(world.url.removeprefix("sqlite:///"), timeout=10) as lite:
            lite.execute("PRAGMA ignore_check_constraints = ON")
            for each in statements:
                lite.execute(each)
        lite.close()
    else:
        with psycopg.connect(world.url) as connection:
            connection.execute("SET session_replication_role = replica")
            for each in statements:
                _execute(connection, each.encode())


def _execute(connection: psycopg.Connection, statement: bytes) -> None:
    """Write, whatever a CHECK says: its owner drops it."""
    try:
        with connection.transaction():
            connection.execute(statement)
    except psycopg.errors.CheckViolation as error:
        table, name = sql.Identifier(str(error.diag.table_name)), sql.Identifier(str(error.diag.constraint_name))
        connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, name))
        _execute(connection, statement)


Signs = Callable[[str, Named, Claim, datetime, Sequence[Listed]], Signed]
"""What is sent as the authorisation of an act: by whom, for which authority, for what, when."""


def by_another_key(name: str, authority: Named, claim: Claim, at: datetime, members: Sequence[Listed] = ()) -> Signed:
    """What somebody can sign who has an officer's API key and no key of an officer."""
    key = officer_key("nobody's on the roster")
    statement = new_statement(authority, claim, officer=name, key=thumbprint_of(key), at=at)
    return Signed(authorisation=sign(statement, key), members=tuple(members))


@contextmanager
def owned_web(signs: Signs = by_another_key) -> Iterator[None]:
    """A web process that proves nothing and does what it is told, with whatever authorisation it is given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(authorising, "prove", lambda *_: None)
        patch.setattr("ra.deciding.second.require_a_key", lambda *_: None)
        patch.setattr(acting, "signed_by", signs)
        yield


LOOKING: list[Callable[[World], None]] = []
"""Who looks at a register before the authority works on what was forged (tests/attack/conftest.py)."""


def looked(world: World) -> None:
    """Let whoever looks at the register see it as it is now."""
    for look in LOOKING:
        look(world)


def turns(world: World, count: int = 8) -> None:
    """Let the authority work on whatever it finds, reading the register again in each turn."""
    looked(world)
    world.authority.audit.interval = 0
    for _ in range(count):
        try:
            world.authority.turn()
        except StoreWentBack:
            continue


def restarted(world: World) -> None:
    world.memory.close()
    world.memory = memory_of(world)
    holder = world.authority.holder
    world.authority = Authority(
        world.store, world.clock, world.machine, keyring(world.folder), world.memory, rules=world.authority.rules
    )
    world.authority.holder = holder


def signed(world: World) -> dict[str, str]:
    """Everything that was ever signed or was to be: serial and digest, as the authority remembers it."""
    every = [*world.memory.certificates_after("", 1_000)]
    return {each.serial: each.tbs_sha256 for each in every}


def unsealed_facts_lost(world: World) -> None:
    """The rows stay and what they say in the journal goes, before anybody has sealed it."""
    forge(world, "DELETE FROM journal WHERE seal_number IS NULL")


def drafted_by(world: World, actor: Actor, number: int, *, lose_facts: bool = False, **changes: Any) -> str:
    application = world.applied(device=device(number), **changes)
    decision = propose(world.desk, actor, ProposeGrant(application, "Trust me.")).decision
    if lose_facts:
        unsealed_facts_lost(world)
    world.authority.settle()
    return decision


def asks_for_three(world: World) -> None:
    world.authority.rules = replace(world.desk.rules, officers={DecisionKind.GRANT: 3})
