"""The statement signer: certified at the ceremony or later, renewed by itself, and what it states stock tools take."""

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca.certificates import authority_key_id, key_id
from ca.statement import stated
from core.alarms import AlarmCode
from core.errors import IssuerMismatch
from core.identifiers import Serial
from core.kinds import HierarchyRole
from jobs.key_table import KeyState, every_key
from jobs.statement_signer import new_statement_key
from store.reading import authority as reading
from store.reading import work
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


def test_a_key_that_somebody_else_has_is_on_the_list_of_whoever_certified_it(keys: Keys, tmp_path: Path) -> None:
    world = keys.world
    before = signed(world, CONTENT)
    keys.passes(timedelta(days=366))  # its key has two certificates by now
    keys.new_issuing_ca()
    keys.passes(timedelta(minutes=1))  # and one more, by another CA
    keys.passes(timedelta(minutes=1))
    held = certified(world)
    assert len(held) == 3
    lists = listed(world)
    assert [len(each) for each in lists.values()] == [0, 0]
    assert verified(world, tmp_path, CONTENT, signed(world, CONTENT), lists).returncode == 0
    made = new_statement_key(world.store, world.memory, keys.place, keys.now, compromised=True)
    keys.passes(timedelta(minutes=1))
    lists = listed(world)
    entries = {
        name: {(each.serial_number, each.extensions[0].value.reason) for each in of_ca} for name, of_ca in lists.items()
    }
    compromised = x509.ReasonFlags.key_compromise
    by_name = {name: {(each.serial_number, compromised) for each in held if each.issuer == name} for name in lists}
    assert entries == by_name
    assert [len(each) for each in entries.values()] in ([1, 2], [2, 1])
    # Whoever looks at the list believes nothing more under the old key, and everything under the new one.
    after = signed(world, CONTENT)
    assert world.authority.keyring.statement_key_id == made.key_id
    assert verified(world, tmp_path, CONTENT, after, lists).returncode == 0
    refused = verified(world, tmp_path, CONTENT, before, lists)
    assert refused.returncode != 0
    assert b"certificate revoked" in refused.stderr
    # The lists stay as they are from then on, and no channel disagrees with the register.
    numbers = {each.extensions.get_extension_for_class(x509.CRLNumber).value for each in lists.values()}
    keys.passes(timedelta(minutes=1))
    assert {each.extensions.get_extension_for_class(x509.CRLNumber).value for each in listed(world).values()} == numbers
    assert AlarmCode.REGISTER_CONTRADICTS not in {each.code for each in world.alarms()}


def listed(world: World) -> dict[x509.Name, x509.CertificateRevocationList]:
    """The newest list of each issuing CA, by its name."""
    found = {}
    with world.store.read() as tx:
        for each in reading.certificates(tx, HierarchyRole.ISSUING):
            newest = work.last_crl(tx, each.key_id, with_bytes=True)
            if newest is not None:
                found[x509.load_der_x509_certificate(each.der).subject] = x509.load_der_x509_crl(newest.der)
    return found


def signed(world: World, content: bytes) -> bytes:
    statement = world.authority.keyring.statement
    assert statement is not None
    with world.store.read() as tx:
        signer = reading.certificates(tx, HierarchyRole.STATEMENT)[-1]
        above = {each.key_id: each for each in reading.certificates(tx, HierarchyRole.ISSUING)}
    issuing = above[authority_key_id(signer.der)]
    assert signer.key_id == key_id(statement.public_key)
    return stated(content, statement, [signer.der, issuing.der], Serial(signer.serial), world.clock.now())


def verified(
    world: World,
    folder: Path,
    content: bytes,
    signature: bytes,
    lists: Mapping[x509.Name, x509.CertificateRevocationList] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    with world.store.read() as tx:
        root = x509.load_der_x509_certificate(reading.certificates(tx, HierarchyRole.ROOT)[0].der)
    at = int(world.clock.now().timestamp())
    return openssl_verifies(root, folder, content, signature, at=at, lists=tuple((lists or {}).values()))


def openssl_verifies(
    root: x509.Certificate,
    folder: Path,
    content: bytes,
    signature: bytes,
    *,
    at: int,
    lists: tuple[x509.CertificateRevocationList, ...] = (),
) -> subprocess.CompletedProcess[bytes]:
    """What `openssl cms -verify` says of a detached signature under a trusted root; with lists it looks there."""
    behind = b"".join(each.public_bytes(Encoding.PEM) for each in lists)
    for name, octets in (
        ("root.pem", root.public_bytes(Encoding.PEM) + behind),
        ("content", content),
        ("content.p7s", signature),
    ):
        (folder / name).write_bytes(octets)
    words = "openssl cms -verify -binary -inform DER -in content.p7s -content content -CAfile root.pem -out /dev/null"
    return subprocess.run(
        [*words.split(), "-attime", str(at), *(["-crl_check"] if lists else [])],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=30,
    )
