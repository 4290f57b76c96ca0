"""A test authority in memory, with real keys: the default world of the tests of ca/, with one thing changed in each."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ca import hierarchy
from ca.certificates import issuer
from ca.clearance import Clearance, ClearanceKind
from ca.draft import Draft
from ca.issuer import build
from ca.issuer.order import Order
from ca.profile import TEST_ARC, Profile
from ca.revocation import crl, ocsp
from ca.revocation.kept import Entries
from ca.signing import sign_certificate
from core.approval import Device, Firmware
from core.identifiers import Serial, new_serial
from core.status import Revoked
from keys.signer import Signer, SoftwareSigner, spki

AT = datetime(2027, 1, 3, 12, 30, tzinfo=UTC)
START = datetime(2027, 1, 4, tzinfo=UTC)
EXPIRY = datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)
LONGEST_TRIAL = timedelta(days=730)
PROFILE = Profile("test", TEST_ARC, "http://127.0.0.1:8470", "TEST Trial CPA")


def new_signer() -> SoftwareSigner:
    return SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))


def clearance(drafted: Draft | crl.CrlDraft | ocsp.OcspDraft) -> Clearance:
    kind = {Draft: ClearanceKind.CERTIFICATE, crl.CrlDraft: ClearanceKind.CRL, ocsp.OcspDraft: ClearanceKind.OCSP}
    return Clearance(kind[type(drafted)], drafted.digest)


def sign(drafted: Draft, signer: Signer, above: bytes | None) -> bytes:
    return sign_certificate(drafted, clearance(drafted), signer, above)


@dataclass(frozen=True)
class World:
    profile: Profile
    root_key: SoftwareSigner
    issuing_key: SoftwareSigner
    responder_key: SoftwareSigner
    root: bytes
    issuing: bytes
    responder: bytes

    @property
    def key_id(self) -> str:
        return issuer(self.issuing).key_identifier.hex()

    def order(self, **changes: Any) -> Order:
        order = Order(
            serial=new_serial(),
            approval="TDT-2027-0042-5",
            issue=1,
            certificate_name="Acme Metering Ltd",
            device=Device("ESME", "AB01", "010A030B", "01"),
            firmware=(Firmware("0002012F", "ab" * 32),),
            start=START,
            expiry=EXPIRY,
            not_before=START,
            not_after=EXPIRY,
            maximum_devices=500,
            public_key=LEAF_KEY,
            proposal_digest=bytes(range(32)),
            issuer=self.issuing,
        )
        return replace(order, **changes)

    def leaf(self, **changes: Any) -> bytes:
        return sign(build.draft(self.profile, self.order(**changes)), self.issuing_key, self.issuing)

    def crl_order(self, entries: Iterable[Revoked] | Entries = (), **changes: Any) -> crl.CrlOrder:
        order = crl.CrlOrder(
            issuer_der=self.issuing,
            number=7,
            this_update=AT,
            next_update=AT + timedelta(hours=48),
            expired_certs_on_crl=issuer(self.issuing).not_before,
            entries=entries,
        )
        return replace(order, **changes)

    def full_crl(self, entries: Iterable[Revoked] = (), **changes: Any) -> bytes:
        return self.sign_crl(self.crl_order(entries, **changes))

    def root_crl(self, entries: Iterable[Revoked] = ()) -> bytes:
        facts = {"issuer_der": self.root, "expired_certs_on_crl": None}
        drafted = crl.draft(self.crl_order(entries, **facts))
        return crl.sign(drafted, clearance(drafted), self.root_key, self.root)

    def sign_crl(self, order: crl.CrlOrder) -> bytes:
        drafted = crl.draft(order)
        return crl.sign(drafted, clearance(drafted), self.issuing_key, self.issuing)

    def ocsp_order(self, serial: Serial, revoked: Revoked | None = None, **changes: Any) -> ocsp.OcspOrder:
        order = ocsp.OcspOrder(
            issuer_der=self.issuing,
            responder_der=self.responder,
            serial=serial,
            hash_name="sha256",
            revoked=revoked,
            this_update=AT,
            next_update=AT + timedelta(hours=12),
        )
        return replace(order, **changes)

    def answer(self, serial: Serial, revoked: Revoked | None = None, **changes: Any) -> bytes:
        drafted = ocsp.draft(self.ocsp_order(serial, revoked, **changes))
        return ocsp.sign(drafted, clearance(drafted), self.responder_key, self.responder).der


LEAF_KEY = spki(ec.generate_private_key(ec.SECP256R1()).public_key())


def make_world(at: datetime = AT, profile: Profile = PROFILE) -> World:
    root_key, issuing_key, responder_key = new_signer(), new_signer(), new_signer()
    root = sign(hierarchy.root_draft(profile, root_key.public_key, new_serial(), at), root_key, None)
    drafted = hierarchy.issuing_draft(
        profile,
        root,
        issuing_key.public_key,
        new_serial(),
        at,
        longest_trial=LONGEST_TRIAL,
    )
    issuing = sign(drafted, root_key, root)
    drafted = hierarchy.responder_draft(profile, issuing, responder_key.public_key, new_serial(), at)
    responder = sign(drafted, issuing_key, issuing)
    return World(profile, root_key, issuing_key, responder_key, root, issuing, responder)


@cache
def the_world() -> World:
    return make_world()


def pem(*ders: bytes) -> bytes:
    return b"".join(x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM) for der in ders)


def pem_crl(der: bytes) -> bytes:
    return x509.load_der_x509_crl(der).public_bytes(serialization.Encoding.PEM)


def write(folder: Path, **files: bytes) -> None:
    for name, contents in files.items():
        (folder / name).write_bytes(contents)


def run(folder: Path, *command: str, at: datetime | None = None) -> tuple[int, str]:
    """The exit code and all output of a foreign tool, at an instant if one is given."""
    spell = ["faketime", "-f", f"{at:%Y-%m-%d %H:%M:%S}"] if at else []
    done = subprocess.run(
        [*spell, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
    )
    return done.returncode, done.stdout + done.stderr
