"""What the tests of the cycle have in common: other devices, key pairs, and what the register holds of them."""

import hashlib
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from core.approval import Device
from store.reading import requests
from store.tables import certificates, journal
from tests.world import DEVICE, World


def device(number: int, **changes: str) -> Device:
    """The usual device, or another one."""
    return replace(DEVICE, **{"hardware_version": f"{number or 1:02d}", **changes})


def key_pair() -> tuple[ec.EllipticCurvePrivateKey, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key, hashlib.sha256(spki).hexdigest()


def key_state(world: World, sha256: str) -> str | None:
    with world.store.read() as tx:
        holder = requests.key_holder(tx, sha256)
    return None if holder is None else holder[1]


def serials(world: World) -> list[str]:
    with world.store.read() as tx:
        return list(tx.connection.execute(select(certificates.c.serial)).scalars())


def kinds(world: World) -> list[str]:
    with world.store.read() as tx:
        return list(tx.connection.execute(select(journal.c.kind).order_by(journal.c.id)).scalars())
