"""A register of many approvals in memory, as a mirror follows one, and what is asked about each of them.

Certificates are signed one by one, as what is asked by their bytes is answered only if the issuing CA signed them. OCSP
answers are one answer with another serial number: whoever shows them does not look at their signature.
"""

import base64
import hashlib
import json
import pickle
import random
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from asn1crypto import core as asn1
from asn1crypto import x509 as der
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from core.approval import Device
from core.clock import SystemClock
from core.deployed import NEVER, Deployed, Stint, Unit, unit_of
from core.identifiers import SERIAL_OCTETS, ApprovalIdentifier, Serial, new_serial
from core.kinds import HierarchyRole
from core.mirror import AuthorityView, Changes, HashName, MirroredApproval, Proof, PublishedCrl, SignedAnswer, Units
from tests.status_world import API_KEY, FIRMWARE, World

_ALGORITHMS: Mapping[HashName, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}
UNIT, UNITS = "00-11-22-33-44-55-66-77", 10
"""A unit that is deployed under every approval, and how many are under each."""

_FIRST = 100_000
"""The first number of an approval; all have as many digits, as a certificate is another with its own name."""

_DAY = timedelta(days=1)
_ZEROS = bytes(SERIAL_OCTETS)


@dataclass
class Register:
    """A StatusSource (core.mirror) that never changes.

    Args:
        view: the authority.
        held: its approvals, by identifier.
    """

    view: AuthorityView
    held: Mapping[str, MirroredApproval]

    def changes(self, cursor: Hashable | None) -> Changes:
        """Return that nothing has changed but the first time."""
        first = cursor is None
        return Changes(1, everything=first, authority=first)

    def authority(self) -> AuthorityView:
        """Return the authority."""
        return self.view

    def approvals(self, identifiers: frozenset[str] | None) -> Sequence[MirroredApproval]:
        """Return the approvals named, or all."""
        return [each for name, each in self.held.items() if identifiers is None or name in identifiers]

    def link_of(self, _number: int) -> bytes | None:
        """Return that there is no journal."""
        return None

    def restores(self) -> Mapping[str, int]:
        """Return that nothing was ever restored."""
        return {}

    def proof(self, _number: int) -> Proof | None:
        """Return that there is no journal."""
        return None

    def past_answer(self, serial: Serial, at: datetime) -> SignedAnswer | None:
        """Return that no answer of the past is kept."""
        del serial, at
        return None

    def past_crl(self, key_id: str, number: int) -> PublishedCrl | None:
        """Return that no list of the past is kept."""
        del key_id, number
        return None

    def deployed(self) -> Mapping[str, Deployed]:
        """Return so many units for each approval, the one that is asked about and others of its own."""
        stint = [(0, NEVER)]
        return {
            name: Deployed().changed(
                {unit_of(UNIT): stint, **{number * UNITS + each: stint for each in range(1, UNITS)}}
            )
            for number, name in enumerate(self.held)
        }

    def reported(self, at: frozenset[datetime]) -> Mapping[str, Mapping[Unit, Sequence[Stint]]]:
        """Return that nothing was reported since."""
        del at
        return {}

    def units(self, approval: str, device_id: str, at: datetime) -> Units:
        """Return that a unit is among those deployed."""
        del approval, device_id, at
        return Units(among=True)


def planted(count: int) -> Register:
    """Return a register of so many approvals of different models, all active, each with a certificate and answers."""
    world, now = World(), SystemClock().now()
    start, expiry = now - 10 * _DAY, now + 300 * _DAY
    model = world.grant(_FIRST, granted_at=now - 20 * _DAY, start=start, expiry=expiry)
    world.presign(model, now)
    one = world.kept[model]
    (certificate,) = one.record.certificates
    leaf = der.Certificate.load(one.ders[certificate.serial])
    signed, algorithm = leaf["tbs_certificate"].dump(), leaf["signature_algorithm"].dump()
    old = bytes.fromhex(certificate.serial)
    held = {}
    for number in range(_FIRST + 1, _FIRST + count + 1):
        identifier, serial = str(ApprovalIdentifier("test", now.year, number)), new_serial()
        octets = bytes.fromhex(serial)
        changed = signed.replace(old, octets).replace(model.encode(), identifier.encode())
        signature = world.issuing_key.sign(changed, ec.ECDSA(hashes.SHA256()))
        made = _sequence(changed + algorithm + asn1.OctetBitString(signature).dump())
        fingerprint = hashlib.sha256(made).hexdigest()
        record = replace(
            one.record,
            identifier=identifier,
            device=Device("ESME", "AB01", f"{number:08X}", "01"),
            certificates=(replace(certificate, serial=serial, fingerprint=fingerprint),),
        )
        answers = [replace(each, serial=serial, der=each.der.replace(old, octets)) for each in one.answers]
        held[identifier] = replace(one, record=record, ders={serial: made}, answers=answers)
    return Register(world.authority(), held)


def _sequence(contents: bytes) -> bytes:
    return b"\x30\x82" + len(contents).to_bytes(2, "big") + contents


def write(register: Register, path: Path) -> None:
    """Keep a register for a process that is measured."""
    path.write_bytes(pickle.dumps(register, protocol=pickle.HIGHEST_PROTOCOL))


def read(path: Path) -> Register:
    """Return a register that `write` has kept."""
    found = pickle.loads(path.read_bytes())
    assert isinstance(found, Register)
    return found


QUESTIONS = (
    *("OCSP POST sha1", "OCSP POST sha256", "OCSP GET sha1", "OCSP GET sha256"),
    *("verify by approval", "GET /v1/verify", "verify by serial", "verify by device", "verify by certificate"),
    *("verify device_id", "verify at"),
)


def questions(register: Register) -> Mapping[str, list[bytes]]:
    """Return each question about every approval, as requests, in random order."""
    issuers = _requests(register)
    at = (SystemClock().now() - _DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    found: dict[str, list[bytes]] = {name: [] for name in QUESTIONS}
    for each in register.held.values():
        for name, octets in zip(QUESTIONS, _about(each, issuers, at), strict=True):
            found[name].append(octets)
    for asked in found.values():
        random.Random(1).shuffle(asked)
    return found


def _about(held: MirroredApproval, requests: Mapping[HashName, bytes], at: str) -> Iterator[bytes]:
    identifier, (certificate,) = held.record.identifier, held.record.certificates
    asked = [each.replace(_ZEROS, bytes.fromhex(certificate.serial)) for each in requests.values()]
    for each in asked:
        yield post("/ocsp", each, "Content-Type: application/ocsp-request\r\n")
    for each in asked:
        encoded = base64.b64encode(each).decode().replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")
        yield get(f"/ocsp/{encoded}")
    key = f"Authorization: Bearer {API_KEY}\r\n"
    device = {**held.record.device.said(), "firmware_version": FIRMWARE.version}
    pem = (
        "-----BEGIN CERTIFICATE-----\n"
        + "".join(f"{line}\n" for line in _lines(base64.b64encode(held.ders[certificate.serial]).decode()))
        + "-----END CERTIFICATE-----\n"
    )
    yield _verify({"approval": identifier}, key)
    yield get(f"/v1/verify/{identifier}", key)
    yield _verify({"serial": certificate.serial}, key)
    yield _verify({"device": device}, key)
    yield _verify({"certificate": pem}, key)
    yield _verify({"approval": identifier, "device_id": UNIT}, key)
    yield _verify({"approval": identifier, "at": at}, key)


def _lines(text: str) -> Iterator[str]:
    for place in range(0, len(text), 64):
        yield text[place : place + 64]


def _requests(register: Register) -> Mapping[HashName, bytes]:
    """Requests about a serial number of zeros."""
    issuing = next(each for each in register.view.certificates if each.role is HierarchyRole.ISSUING)
    issuer = x509.load_der_x509_certificate(issuing.der)
    held = next(iter(register.held.values()))
    ((serial, leaf),) = held.ders.items()
    found: dict[HashName, bytes] = {}
    for name, algorithm in _ALGORITHMS.items():
        asked = ocsp.OCSPRequestBuilder().add_certificate(x509.load_der_x509_certificate(leaf), issuer, algorithm)
        octets = asked.build().public_bytes(Encoding.DER)
        found[name] = octets.replace(bytes.fromhex(serial), _ZEROS)
    return found


def get(path: str, fields: str = "") -> bytes:
    """Return a request without a body, of a connection that stays."""
    return f"GET {path} HTTP/1.1\r\nHost: trialcpa.invalid\r\n{fields}\r\n".encode()


def post(path: str, body: bytes, fields: str) -> bytes:
    """Return a request with a body, of a connection that stays."""
    head = f"POST {path} HTTP/1.1\r\nHost: trialcpa.invalid\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _verify(question: Mapping[str, object], key: str) -> bytes:
    return post("/v1/verify", json.dumps(question).encode(), f"{key}Content-Type: application/json\r\n")
