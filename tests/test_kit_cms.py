"""The kit reads a CMS signature of the statement signer as openssl does, and believes no other."""

import hashlib
import random
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ca.certificates import authority_key_id
from ca.statement import stated
from core.identifiers import Serial
from core.kinds import HierarchyRole
from store.reading import authority as reading
from tests.relying_party_world import W, der
from tests.test_statement_signer import openssl_verifies, signed
from tests.world import World
from verify.kit.evidence import cms
from verify.kit.evidence.parsing import Unreadable

CONTENT = b'{"a":"\xc3\xa9"}'
SHA256 = hashlib.sha256(CONTENT).digest()

pytestmark = pytest.mark.parametrize("store_kind", ["sqlite"])


def root_of(world: World) -> bytes:
    with world.store.read() as tx:
        return reading.certificates(tx, HierarchyRole.ROOT)[0].der


def test_what_the_statement_signer_has_signed_is_believed_with_its_instant(world: World, tmp_path: Path) -> None:
    message, root = signed(world, CONTENT), root_of(world)
    found = cms.stated(message, SHA256, root)
    assert found.at == world.clock.now()
    at = int(found.at.timestamp())
    anchor = x509.load_der_x509_certificate(root)
    assert openssl_verifies(anchor, tmp_path, CONTENT, message, at=at).returncode == 0
    other = hashlib.sha256(b"another").digest()
    with pytest.raises(Unreadable, match="over something else"):
        cms.stated(message, other, root)
    with pytest.raises(Unreadable, match="root did not sign"):
        cms.stated(message, SHA256, der(W.root))
    for broken in (b"", message[:-1], message + b"\0", b"\x30\x80" + message[2:], bytes(cms.LARGEST + 1)):
        with pytest.raises(Unreadable):
            cms.stated(broken, SHA256, root)


def test_no_bit_of_it_can_be_changed(world: World) -> None:
    message, root = signed(world, CONTENT), root_of(world)
    for bit in random.Random(13).sample(range(8 * len(message)), 600):
        place = bit // 8
        other = message[:place] + bytes([message[place] ^ 1 << bit % 8]) + message[place + 1 :]
        with pytest.raises(Unreadable):
            cms.stated(other, SHA256, root)


def test_who_is_no_statement_signer_states_nothing(world: World) -> None:
    """The responder's certificate, or that of a device, is under the same root and may sign, too."""
    root, statement = root_of(world), world.authority.keyring.statement
    responder = world.authority.keyring.responder
    with world.store.read() as tx:
        (own,) = reading.certificates(tx, HierarchyRole.RESPONDER)
        issuing = {each.key_id: each.der for each in reading.certificates(tx, HierarchyRole.ISSUING)}
        signer = reading.certificates(tx, HierarchyRole.STATEMENT)[-1]
    assert statement is not None
    chain = [own.der, issuing[authority_key_id(own.der)]]
    message = stated(CONTENT, responder, chain, Serial(own.serial), world.clock.now())
    with pytest.raises(Unreadable, match="policy of the environment"):
        cms.stated(message, SHA256, root)
    chain = [signer.der, issuing[authority_key_id(signer.der)]]
    early = world.clock.now() - timedelta(days=400)
    with pytest.raises(Unreadable, match="not valid"):
        cms.stated(stated(CONTENT, statement, chain, Serial(signer.serial), early), SHA256, root)
    with pytest.raises(Unreadable, match="No CA certificate"):
        cms.stated(stated(CONTENT, statement, chain[:1], Serial(signer.serial), world.clock.now()), SHA256, root)
