"""What every channel says of one certificate and its approval at the clock's instant, in a few comparable words."""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from api.status import page
from api.status.lists import is_genuine
from api.status.mirror import Mirror
from api.status.ocsp import respond
from api.status.questions import ByApproval, ByCertificate, ByDevice, BySerial, Question, Subject
from api.status.verify import answer
from core.approval import CertificateRecord
from core.identifiers import Serial, serial_number
from core.instants import parse
from core.kinds import HierarchyRole
from ra.telling import approvals as look
from store.reading import requests
from store.reading.authority import certificates
from store.reading.status import StatusReader
from tests.world import DEVICE, FIRMWARE, OFFICER_1, World

HASHES: dict[str, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}

Entry = tuple[datetime, str, datetime | None]
"""On a list: the revocation date, the reason in RFC 5280's word, the invalidity date."""


@dataclass(frozen=True)
class Told:
    """What verification says."""

    valid: bool
    state: str
    codes: tuple[str, ...]
    issue: int | None


@dataclass(frozen=True)
class Proof:
    """What OCSP says: good, revoked, try_later or unauthorized; of a revoked one when and why."""

    status: str
    at: datetime | None = None
    reason: str | None = None


class Channels:
    """Every channel of a world, read through a mirror of its store."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.mirror = Mirror(StatusReader(world.store, is_genuine=is_genuine), world.clock)
        self.mirror.follow()
        with world.store.read() as tx:
            self.issuing = certificates(tx, HierarchyRole.ISSUING)[-1]

    def follow(self) -> None:
        self.mirror.follow()

    def asked(self, subject: Subject, at: datetime | None = None) -> dict[str, Any]:
        return answer(self.mirror.view(), Question(subject, at), self.world.clock.now(), self.mirror.past_answer)

    def told(self, subject: Subject) -> Told:
        said = self.asked(subject)
        codes = tuple(each["code"] for each in said["reasons"])
        assert said["valid"] is said["deemed_cpa_certificate"] is (said["state"] == "active" and not codes)
        assert parse(said["fresh_until"]) >= self.world.clock.now()
        return Told(said["valid"], said["state"], codes, said["issue"])

    def by_approval(self, approval: str) -> Told:
        return self.told(ByApproval(approval))

    def by_device(self) -> Told:
        return self.told(ByDevice(DEVICE.manufacturer, DEVICE.model, firmware_version=FIRMWARE[0].version))

    def by_serial(self, serial: Serial) -> Told:
        return self.told(BySerial(serial))

    def by_certificate(self, certificate: CertificateRecord) -> Told:
        view = self.mirror.view()
        return self.told(ByCertificate(view.approvals[view.serials[certificate.serial]].ders[certificate.serial]))

    def ocsp(self, serial: Serial, hash_name: str) -> Proof:
        above = x509.load_der_x509_certificate(self.issuing.der)
        asked = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            _digest(above.subject.public_bytes(), hash_name),
            _digest(_key_bits(above), hash_name),
            serial_number(serial),
            HASHES[hash_name],
        )
        now = self.world.clock.now()
        answered = respond(self.mirror.view(), asked.build().public_bytes(Encoding.DER), now)
        der = answered.body
        return self._proof(der, serial, now)

    def attached(self, subject: Subject) -> Proof | None:
        """The signed proof that verification sends along."""
        said = self.asked(subject)
        if said["ocsp"] is None:
            return None
        return self._proof(base64.b64decode(said["ocsp"]), Serial(said["serial"]), self.world.clock.now())

    def _proof(self, der: bytes, serial: Serial, now: datetime) -> Proof:
        said = ocsp.load_der_ocsp_response(der)
        if said.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Proof(said.response_status.name.lower())
        assert said.serial_number == serial_number(serial)
        assert said.next_update_utc is not None
        assert said.this_update_utc <= now <= said.next_update_utc
        if said.certificate_status is ocsp.OCSPCertStatus.GOOD:
            return Proof("good")
        assert said.certificate_status is ocsp.OCSPCertStatus.REVOKED
        return Proof("revoked", said.revocation_time_utc, _word(said.revocation_reason))

    def crl(self) -> dict[Serial, Entry]:
        """The newest list."""
        published = self.mirror.view().authority.crls[self.issuing.key_id]
        read = x509.load_der_x509_crl(published.der)
        return {Serial(f"{each.serial_number:032X}"): _entry(each) for each in read}

    def page(self, approval: str) -> str:
        """The heading of the public page."""
        view = self.mirror.view()
        html = page.approval_page(view.authority, view.approvals[approval], self.world.clock.now()).body.decode()
        return html.split("<strong>")[1].split("</strong>")[0]

    def register(self, approval: str) -> str:
        return look.approval(self.world.desk, OFFICER_1, approval).state


def drafted_serial(world: World, decision: str) -> Serial:
    with world.store.read() as tx:
        draft = requests.draft_of(tx, decision)
    assert draft is not None
    return draft.serial


def _digest(octets: bytes, name: str) -> bytes:
    made = hashes.Hash(HASHES[name])
    made.update(octets)
    return made.finalize()


def _key_bits(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _entry(entry: x509.RevokedCertificate) -> Entry:
    extensions = entry.extensions
    since = next((each.value for each in extensions if isinstance(each.value, x509.InvalidityDate)), None)
    reason = extensions.get_extension_for_class(x509.CRLReason).value.reason
    return entry.revocation_date_utc, str(_word(reason)), None if since is None else since.invalidity_date_utc


def _word(reason: x509.ReasonFlags | None) -> str | None:
    return None if reason is None else reason.value
