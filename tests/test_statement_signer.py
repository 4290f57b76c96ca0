"""The statement signer: certified at the ceremony or later, renewed by itself, and what it states stock tools take."""

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca.certificates import key_id
from ca.statement import stated
from core.alarms import AlarmCode
from core.errors import IssuerMismatch
from core.identifiers import Serial
from core.kinds import HierarchyRole
from jobs.key_table import KeyState, every_key
from jobs.statement_signer import new_statement_key
from store.reading import authority as reading
from tests.keys_world import Keys
from tests.world import World

CONTENT = b'{"format":"trialcpa-dossier"}'
DAY = timedelta(days=1)


@pytest.fixture
def keys(world: World, tmp_path: Path) -> Keys:
    return Keys(world, tmp_path / "keys of this test")


def certified(world: World) -> list[x509.Certificate]:
    with world.store.read() as tx:
        return [x509.load_der_x509_certificate(each.der) for each in reading.certificates(tx, HierarchyRole.STATEMENT)]


def test_it_is_renewed_at_half_of_its_life_and_keeps_its_key(keys: Keys) -> None:
    world = keys.world
    (first,) = certified(world)
    keys.passes(timedelta(days=364))
    assert len(certified(world)) == 1
    keys.passes(2 * DAY)
    _, second = certified(world)
    assert second.public_key() == first.public_key()
    assert second.not_valid_after_utc > first.not_valid_after_utc + 360 * DAY
    assert AlarmCode.STATEMENT_SIGNER_OVERDUE not in {each.code for each in world.alarms()}


def test_an_authority_without_one_says_so_until_a_command_has_made_it(keys: Keys) -> None:
    world = keys.world
    had = world.authority.keyring
    world.authority = replace(world.authority, keyring=replace(had, statement=None), reopen=None)
    world.authority.settle()
    assert AlarmCode.STATEMENT_SIGNER_OVERDUE in {each.code for each in world.alarms()}
    keys.restart()
    made = new_statement_key(world.store, world.memory, keys.place, keys.now)
    keys.passes(timedelta(minutes=1))
    assert world.authority.keyring.statement_key_id == made.key_id
    assert AlarmCode.STATEMENT_SIGNER_OVERDUE not in {each.code for each in world.alarms()}
    lines = every_key(world.store, world.memory, keys.place.folder, keys.now)
    of_it = [each for each in lines if each.purpose == HierarchyRole.STATEMENT.value]
    assert [(each.name, each.state) for each in of_it] == [
        ("statement-1.key", KeyState.IN_USE),
        ("statement-2.key", KeyState.IN_USE),
    ]


def test_openssl_takes_what_it_states_with_our_chain(world: World, tmp_path: Path) -> None:
    signature = signed(world, CONTENT)
    assert signature == signed(world, CONTENT), "stated again it is the same"
    assert verified(world, tmp_path, CONTENT, signature).returncode == 0
    assert verified(world, tmp_path, CONTENT + b" ", signature).returncode != 0


def test_another_key_states_nothing_in_its_name(world: World) -> None:
    with world.store.read() as tx:
        signer = reading.certificates(tx, HierarchyRole.STATEMENT)[-1]
    with pytest.raises(IssuerMismatch):
        stated(CONTENT, world.authority.keyring.responder, [signer.der], Serial(signer.serial), world.clock.now())


def signed(world: World, content: bytes) -> bytes:
    statement = world.authority.keyring.statement
    assert statement is not None
    with world.store.read() as tx:
        signer = reading.certificates(tx, HierarchyRole.STATEMENT)[-1]
        issuing = reading.certificates(tx, HierarchyRole.ISSUING)[-1]
    assert signer.key_id == key_id(statement.public_key)
    return stated(content, statement, [signer.der, issuing.der], Serial(signer.serial), world.clock.now())


def verified(world: World, folder: Path, content: bytes, signature: bytes) -> subprocess.CompletedProcess[bytes]:
    with world.store.read() as tx:
        root = x509.load_der_x509_certificate(reading.certificates(tx, HierarchyRole.ROOT)[0].der)
    return openssl_verifies(root, folder, content, signature, at=int(world.clock.now().timestamp()))


def openssl_verifies(
    root: x509.Certificate, folder: Path, content: bytes, signature: bytes, *, at: int
) -> subprocess.CompletedProcess[bytes]:
    """What `openssl cms -verify` says of a detached signature under a root that is trusted."""
    for name, octets in (
        ("root.pem", root.public_bytes(Encoding.PEM)),
        ("content", content),
        ("content.p7s", signature),
    ):
        (folder / name).write_bytes(octets)
    words = "openssl cms -verify -binary -inform DER -in content.p7s -content content -CAfile root.pem -out /dev/null"
    return subprocess.run(
        [*words.split(), "-attime", str(at)], cwd=folder, capture_output=True, check=False, timeout=30
    )
