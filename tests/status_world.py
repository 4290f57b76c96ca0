"""A small TEST authority in memory with real keys, certificates, OCSP answers and CRLs: what a mirror follows."""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from core.actors import Role
from core.approval import ApprovalRecord, CertificateRecord, Device, EndCause, Firmware, Terms
from core.chain import head_statement, journal_name
from core.deployed import NEVER, Deployed, Stint, Unit, unit_of
from core.errors import StoreUnavailable
from core.identifiers import ApprovalIdentifier, Serial, new_serial, serial_number
from core.instants import first_second, last_second, seconds
from core.kinds import HierarchyRole
from core.mirror import (
    AuthorityCertificate,
    AuthorityView,
    Changes,
    CredentialRecord,
    HashName,
    MirroredApproval,
    Proof,
    PublishedCrl,
    SealedHead,
    SignedAnswer,
    Units,
)
from core.status import certificate_end, revocation_at

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
GRANTED = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
START, EXPIRY = first_second(date(2027, 1, 4)), last_second(date(2027, 6, 30))
NOON = datetime(2027, 2, 1, 12, 0, tzinfo=UTC)
ESME = Device("ESME", "AB01", "010A030B", "01")
FIRMWARE = Firmware("0002012F", "ab" * 32)
API_KEY = "a-key-that-only-the-tests-know"

_HASHES: dict[HashName, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}
_REASONS = {
    1: x509.ReasonFlags.key_compromise,
    4: x509.ReasonFlags.superseded,
    5: x509.ReasonFlags.cessation_of_operation,
    9: x509.ReasonFlags.privilege_withdrawn,
}

NAME = "TEST Trial CPA"
_JOURNAL = ec.generate_private_key(ec.SECP256R1())
JOURNAL_KEY = _JOURNAL.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@cache
def signed_head(number: int, link: bytes) -> SealedHead:
    """A head as the authority signs it."""
    signature = _JOURNAL.sign(head_statement(journal_name(NAME), number, link), ec.ECDSA(hashes.SHA256()))
    return SealedHead(number=number, link=link, signature=signature)


class World:
    """A StatusSource whose acts are method calls. `broken` makes every read fail, as an unreachable store does."""

    def __init__(self) -> None:
        self.root_key, self.root = _ca("TEST Root", None)
        self.issuing_key, self.issuing = _ca("TEST Issuing CA 1", (self.root_key, self.root))
        self.responder_key, self.responder = _responder(self.issuing_key, self.issuing)
        self.kept: dict[str, MirroredApproval] = {}
        self.old_answers: list[SignedAnswer] = []
        self.lists: list[PublishedCrl] = []
        self.offset = timedelta(0)
        self.credentials: dict[str, CredentialRecord] = {}
        self.broken = False
        self.reads: list[str] = []
        self.links: dict[int, bytes] = {}
        self.stints: dict[str, dict[Unit, list[Stint]]] = {}
        self._reports: dict[datetime, frozenset[str]] = {}
        self._log: list[str | datetime | None] = []
        self.admit(API_KEY, Role.DCC)

    # --- StatusSource ------------------------------------------------------------------------------------------

    def changes(self, cursor: Hashable | None) -> Changes:
        self._read("changes")
        if cursor is None:
            return Changes(len(self._log), everything=True, authority=True, heads=self.heads)
        seen = self._log[cast("int", cursor) :]
        named = frozenset(one for one in seen if isinstance(one, str))
        reported = frozenset(one for one in seen if isinstance(one, datetime))
        return Changes(len(self._log), authority=None in seen, approvals=named, reported=reported, heads=self.heads)

    def authority(self) -> AuthorityView:
        self._read("authority")
        return AuthorityView(
            name=NAME,
            environment="test",
            arc="1.3.6.1.4.1.32473.172",
            base_url="http://127.0.0.1:8470",
            clock_offset=self.offset,
            certificates=[
                _described(HierarchyRole.ROOT, self.root),
                _described(HierarchyRole.ISSUING, self.issuing),
                _described(HierarchyRole.RESPONDER, self.responder),
            ],
            crls={one.key_id: one for one in self.lists},
            credentials=dict(self.credentials),
            journal_key=JOURNAL_KEY,
        )

    def approvals(self, identifiers: frozenset[str] | None) -> Sequence[MirroredApproval]:
        self._read("all approvals" if identifiers is None else "approvals")
        return [held for name, held in self.kept.items() if identifiers is None or name in identifiers]

    @property
    def heads(self) -> list[SealedHead]:
        return [signed_head(number, self.links[number]) for number in sorted(self.links, reverse=True)]

    def link_of(self, number: int) -> bytes | None:
        return self.links.get(number)

    def restores(self) -> Mapping[str, int]:
        return {}

    def proof(self, number: int) -> Proof | None:  # noqa: ARG002 - nothing is restored here
        return None

    def past_answer(self, serial: Serial, at: datetime) -> SignedAnswer | None:
        self._read("past answer")
        covering = [
            one for one in self.old_answers if one.serial == serial and one.this_update <= at <= one.next_update
        ]
        return max(covering, key=lambda one: one.this_update, default=None)

    def past_crl(self, key_id: str, number: int) -> PublishedCrl | None:
        self._read("past CRL")
        return next((one for one in self.lists if (one.key_id, one.number) == (key_id, number)), None)

    def units(self, approval: str, device_id: str, at: datetime) -> Units:
        self._read("units")
        known, second = self.stints.get(approval, {}), seconds(at)
        standing = [unit for unit, stints in known.items() for since, until in stints if since <= second < until]
        among = unit_of(device_id) in standing
        return Units(among=True) if among else Units(among=False, deployed=len(standing))

    def deployed(self) -> Mapping[str, Deployed]:
        self._read("all units")
        return {approval: Deployed().changed(units) for approval, units in self.stints.items()}

    def reported(self, at: frozenset[datetime]) -> Mapping[str, Mapping[Unit, Sequence[Stint]]]:
        self._read("units reported")
        touched = {unit_of(device) for each in at for device in self._reports[each]}
        return {
            approval: {unit: list(stints) for unit, stints in units.items() if unit in touched}
            for approval, units in self.stints.items()
        }

    def _read(self, what: str) -> None:
        if self.broken:
            raise StoreUnavailable
        self.reads.append(what)

    # --- acts ----------------------------------------------------------------------------------------------------

    def admit(self, key: str, role: Role, expires_at: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        record = CredentialRecord("c1", "somebody", role, None, GRANTED, expires_at)
        self.credentials[hashlib.sha256(key.encode()).hexdigest()] = record
        self._log.append(None)

    def advance(self, by: timedelta) -> None:
        self.offset += by
        self._log.append(None)

    def grant(
        self,
        number: int = 42,
        *,
        device: Device = ESME,
        start: datetime = START,
        expiry: datetime = EXPIRY,
        granted_at: datetime = GRANTED,
        maximum: int = 3,
        firmware: tuple[Firmware, ...] = (FIRMWARE,),
        issue: bool = True,
    ) -> str:
        identifier = str(ApprovalIdentifier("test", 2027, number))
        terms = Terms(1, start, expiry, maximum, firmware)
        record = ApprovalRecord(identifier, "org-1", device, granted_at, start, (terms,))
        self.keep(MirroredApproval(record, "Secret Meters Ltd", {}, ()))
        if issue:
            self.issue(identifier, granted_at + SECOND)
        return identifier

    def issue(self, identifier: str, signed_at: datetime) -> CertificateRecord:
        held = self.kept[identifier]
        terms = held.record.terms[-1]
        serial, der = self._leaf(identifier, terms)
        certificate = CertificateRecord(
            serial, terms.issue, hashlib.sha256(der).hexdigest(), terms.effective, terms.expiry, signed_at
        )
        record = replace(held.record, certificates=(*held.record.certificates, certificate))
        self.keep(replace(held, record=record, ders={**held.ders, serial: der}))
        self.presign(identifier, signed_at)
        return certificate

    def amend(self, identifier: str, *, effective: datetime, signed_at: datetime, **changes: Any) -> CertificateRecord:
        held = self.kept[identifier]
        last = held.record.terms[-1]
        terms = replace(last, issue=last.issue + 1, effective=effective, **changes)
        *before, current = held.record.certificates
        record = replace(
            held.record,
            terms=(*held.record.terms, terms),
            certificates=(*before, replace(current, superseded_at=effective)),
        )
        self.keep(replace(held, record=record))
        return self.issue(identifier, signed_at)

    def end(self, identifier: str, at: datetime, cause: EndCause, *, approval: bool = True) -> None:
        held = self.kept[identifier]
        certificates = tuple(
            replace(one, revoked_at=at, cause=cause) if certificate_end(one).at > at else one
            for one in held.record.certificates
        )
        record = replace(held.record, certificates=certificates)
        if approval:
            record = replace(record, ended_at=at, end_cause=cause)
        self.keep(replace(held, record=record))

    def deploy(self, identifier: str, *devices: str) -> None:
        """Report that these are deployed since the beginning of time, and no others."""
        self.report(identifier, {device: [(0, NEVER)] for device in devices})

    def report(self, identifier: str, stints: Mapping[str, list[Stint]]) -> None:
        """Report every stint that there is under an approval; of a unit that is not named, it never was."""
        known = self.stints.setdefault(identifier, {})
        known |= {unit: [] for unit in known} | {unit_of(device): each for device, each in stints.items()}
        at = GRANTED + len(self._reports) * SECOND
        self._reports[at] = frozenset(device_of(unit) for unit in known)
        self._log.append(at)

    def presign(self, identifier: str, at: datetime) -> None:
        """Sign answers for every certificate and both hashes; none outlives the earliest known end."""
        held = self.kept[identifier]
        self.old_answers += [one for one in held.answers if one.hash_name == "sha256"]
        answers = [self._answer(held, one, name, at) for one in held.record.certificates for name in _HASHES]
        self.old_answers += [one for one in answers if one.hash_name == "sha256"]
        self.keep(replace(held, answers=tuple(answers)))

    def publish(self, at: datetime) -> PublishedCrl:
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.issuing.subject)
        builder = builder.last_update(at).next_update(at + 2 * DAY)
        entries = 0
        for held in self.kept.values():
            for certificate in held.record.certificates:
                revoked = revocation_at(certificate, at)
                if revoked is not None:
                    entry = x509.RevokedCertificateBuilder().serial_number(serial_number(certificate.serial))
                    builder = builder.add_revoked_certificate(entry.revocation_date(revoked.at).build())
                    entries += 1
        number = len(self.lists) + 1
        der = builder.add_extension(x509.CRLNumber(number), critical=False).sign(self.issuing_key, hashes.SHA256())
        key_id = _described(HierarchyRole.ISSUING, self.issuing).key_id
        self.lists.append(PublishedCrl(key_id, number, at, at + 2 * DAY, entries, der.public_bytes(Encoding.DER)))
        self._log.append(None)
        return self.lists[-1]

    def keep(self, held: MirroredApproval) -> None:
        self.kept[held.record.identifier] = held
        self._log.append(held.record.identifier)

    def forget(self, identifier: str) -> None:
        del self.kept[identifier]
        self._log.append(identifier)

    # --- what relying parties hold -------------------------------------------------------------------------------

    def certificate(self, identifier: str, issue: int = 1) -> x509.Certificate:
        held = self.kept[identifier]
        serial = next(one.serial for one in held.record.certificates if one.issue == issue)
        return x509.load_der_x509_certificate(held.ders[serial])

    def ocsp_request(self, certificate: x509.Certificate, hash_name: HashName = "sha256") -> bytes:
        builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, self.issuing, _HASHES[hash_name])
        return builder.build().public_bytes(Encoding.DER)

    # --- signing -------------------------------------------------------------------------------------------------

    def _leaf(self, identifier: str, terms: Terms) -> tuple[Serial, bytes]:
        serial = new_serial()
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(identifier))
            .issuer_name(self.issuing.subject)
            .public_key(_leaf_key().public_key())
            .serial_number(serial_number(serial))
            .not_valid_before(terms.effective)
            .not_valid_after(terms.expiry)
        )
        return serial, builder.sign(self.issuing_key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _answer(
        self, held: MirroredApproval, record: CertificateRecord, hash_name: HashName, at: datetime
    ) -> SignedAnswer:
        revoked = revocation_at(record, at)
        until = at + 12 * HOUR
        if revoked is None:
            until = min(until, certificate_end(record).at - SECOND)
        response = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=x509.load_der_x509_certificate(held.ders[record.serial]),
                issuer=self.issuing,
                algorithm=_HASHES[hash_name],
                cert_status=ocsp.OCSPCertStatus.GOOD if revoked is None else ocsp.OCSPCertStatus.REVOKED,
                this_update=at,
                next_update=until,
                revocation_time=None if revoked is None else revoked.at,
                revocation_reason=None if revoked is None else _REASONS[revoked.reason],
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.responder)
            .certificates([self.responder])
            .sign(self.responder_key, hashes.SHA256())
        )
        revoked_at = None if revoked is None else revoked.at
        return SignedAnswer(record.serial, hash_name, at, until, revoked_at, response.public_bytes(Encoding.DER))


def device_of(unit: Unit) -> str:
    """The EUI-64 of a unit's number."""
    return unit.to_bytes(8, signed=True).hex("-").upper()


@cache
def _leaf_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _certificate(
    common: str, key: ec.EllipticCurvePrivateKey, signer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(_name(common) if signer is None else signer[1].subject)
        .public_key(key.public_key())
        .serial_number(serial_number(new_serial()))
        .not_valid_before(datetime(2026, 11, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 12, 31, 23, 59, 59, tzinfo=UTC))
        .add_extension(x509.SubjectKeyIdentifier(_key_identifier(key)), critical=False)
    )


def _key_identifier(key: ec.EllipticCurvePrivateKey) -> bytes:
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return b"\x40" + hashlib.sha1(point).digest()[-7:]


def _ca(
    common: str, signer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _certificate(common, key, signer).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    return key, builder.sign(key if signer is None else signer[0], hashes.SHA256())


def _responder(
    key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    own = ec.generate_private_key(ec.SECP256R1())
    builder = _certificate("TEST OCSP Responder", own, (key, issuer))
    builder = builder.add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
    return own, builder.add_extension(x509.OCSPNoCheck(), critical=False).sign(key, hashes.SHA256())


def _described(role: Any, certificate: x509.Certificate) -> AuthorityCertificate:
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    return AuthorityCertificate(
        role,
        identifier.hex(),
        certificate.subject.rfc4514_string(),
        Serial(f"{certificate.serial_number:032X}"),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        certificate.public_bytes(Encoding.DER),
    )
