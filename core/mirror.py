"""What a status plane holds in memory: values that the store hands over and the status plane answers from."""

import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol, get_args

from core.actors import Role
from core.approval import ApprovalRecord, ended_by_act
from core.chain import GENESIS, SealedRow
from core.deployed import Deployed, Stint, Unit
from core.identifiers import Environment, Serial
from core.kinds import HierarchyRole

HashName = Literal["sha1", "sha256"]
"""The hash of an OCSP CertID; both are answered."""

HASH_NAMES: tuple[HashName, ...] = get_args(HashName)


@dataclass(frozen=True)
class SignedAnswer:
    """One OCSP response, signed ahead.

    Args:
        serial: the certificate it speaks of.
        hash_name: the hash of its CertID.
        this_update, next_update: its validity, both inclusive.
        revoked_at: the revocation time it states; None if it says good.
        der: the whole OCSPResponse.
    """

    serial: Serial
    hash_name: HashName
    this_update: datetime
    next_update: datetime
    revoked_at: datetime | None
    der: bytes


@dataclass(frozen=True)
class PublishedCrl:
    """One CRL as published.

    Args:
        key_id: hex of the issuing CA's subject key identifier.
        number: its CRLNumber.
        this_update, next_update: its validity.
        entries: how many it lists.
        der: the CertificateList.
    """

    key_id: str
    number: int
    this_update: datetime
    next_update: datetime
    entries: int
    der: bytes


def in_force(signed: SignedAnswer | PublishedCrl, at: datetime) -> bool:
    """Return whether what was signed holds at an instant; its first and its last second are in (RFC 5280, 5.1.2)."""
    return signed.this_update <= at <= signed.next_update


@dataclass(frozen=True)
class AuthorityCertificate:
    """A certificate of the hierarchy.

    Args:
        role: what it is for.
        key_id: hex of its subject key identifier (8 octets).
        subject: its distinguished name, RFC 4514.
        serial, not_before, not_after: as in the certificate.
        der: the certificate.
    """

    role: HierarchyRole
    key_id: str
    subject: str
    serial: Serial
    not_before: datetime
    not_after: datetime
    der: bytes


@dataclass(frozen=True)
class CredentialRecord:
    """A credential as it is looked up: by the digest of the key, never by the key.

    Args:
        identifier: of the credential.
        name: the person or system.
        role: what it may do.
        organisation: whose; None for the authority's own people without one.
        created_at: when it was granted.
        expires_at: the first second in which it is no longer accepted.
    """

    identifier: str
    name: str
    role: Role
    organisation: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class AuthorityView:
    """The authority itself, as every channel describes it.

    Args:
        name: for people; begins with TEST in a test authority.
        environment: test or live.
        arc: the configured object identifier arc.
        base_url: the public base, without a slash at the end.
        clock_offset: how far a test authority's clock runs ahead.
        certificates: the hierarchy, newest last; every issuing CA and responder there ever was.
        crls: the newest CRL by key identifier.
        crls_before: where that is dated ahead, by a wrong clock, the newest that is not.
        credentials: those not revoked, by hex SHA-256 of the API key.
        journal_key: SubjectPublicKeyInfo of the key that signs the journal's heads, DER.
        revoked: credentials that are, in the same way: nobody gets in with one, but its name is known.
        ended: serials of certificates of the hierarchy that were ended before their time.
        log: name and verifier's key of the public log; None where it has not begun.
    """

    name: str
    environment: Environment
    arc: str
    base_url: str
    clock_offset: timedelta
    certificates: Sequence[AuthorityCertificate]
    crls: Mapping[str, PublishedCrl]
    credentials: Mapping[str, CredentialRecord]
    journal_key: bytes
    revoked: Mapping[str, CredentialRecord] = field(default_factory=dict)
    ended: frozenset[Serial] = frozenset()
    log: tuple[str, str] | None = None

    def machine(self, now: datetime) -> datetime:
        """Return the machine's instant of one of the authority's: leases and signs of life are about machines."""
        return now - self.clock_offset

    crls_before: Mapping[str, PublishedCrl] = field(default_factory=dict)

    def issuing(self, now: datetime) -> list[AuthorityCertificate]:
        """Return the issuing CAs that hold at `now` and were not ended: each has a list that is in force."""
        return [
            each
            for each in self.certificates
            if each.role is HierarchyRole.ISSUING and each.not_after >= now and each.serial not in self.ended
        ]

    def crl(self, key_id: str, now: datetime) -> PublishedCrl | None:
        """Return the CRL of a key that is the newest at `now`; None if it has published none."""
        newest = self.crls.get(key_id)
        if newest is None or newest.this_update <= now:
            return newest
        return self.crls_before.get(key_id, newest)


class Names(NamedTuple):
    """By what an approval is found.

    Args:
        manufacturer, model: of its device.
        certificates: serial and SHA-256 of each.
    """

    manufacturer: str
    model: str
    certificates: Sequence[tuple[Serial, str]]


class Held(Protocol):
    """One approval as a mirror holds it; whoever packs it tells what is asked of every one without unpacking."""

    @property
    def identifier(self) -> str:
        """The identifier code of F2.25."""
        ...

    @property
    def names(self) -> Names:
        """By what it is found."""
        ...

    @property
    def ended_by_act(self) -> bool:
        """Whether somebody has ended it, or a certificate of it."""
        ...

    @property
    def record(self) -> ApprovalRecord:
        """See core/approval."""
        ...

    @property
    def organisation_name(self) -> str:
        """For people."""
        ...

    @property
    def ders(self) -> Mapping[Serial, bytes]:
        """Certificate bytes by serial; they may be looked up in the store."""
        ...

    @property
    def answers(self) -> Sequence[SignedAnswer]:
        """The newest answer of each serial and hash."""
        ...

    @property
    def disputed(self) -> frozenset[datetime]:
        """The instants of ends that the authority refused to seal, because nothing proves them."""
        ...


@dataclass(frozen=True)
class MirroredApproval:
    """One approval with what its channels hand out.

    Args:
        record: see core/approval.
        organisation_name: for people.
        ders: certificate bytes by serial.
        answers: the newest answer of each serial and hash.
        disputed: the instants of ends that the authority refused to seal, because nothing proves them.
    """

    record: ApprovalRecord
    organisation_name: str
    ders: Mapping[Serial, bytes]
    answers: Sequence[SignedAnswer]
    disputed: frozenset[datetime] = frozenset()

    @property
    def identifier(self) -> str:
        """The identifier code of F2.25."""
        return self.record.identifier

    @property
    def names(self) -> Names:
        """By what it is found."""
        device = self.record.device
        return Names(
            device.manufacturer, device.model, [(each.serial, each.fingerprint) for each in self.record.certificates]
        )

    @property
    def ended_by_act(self) -> bool:
        """Whether somebody has ended it, or a certificate of it."""
        return ended_by_act(self.record)


def unpacked(held: Held) -> MirroredApproval:
    """Return an approval with all its parts, however it is held."""
    return MirroredApproval(
        record=held.record,
        organisation_name=held.organisation_name,
        ders=held.ders,
        answers=held.answers,
        disputed=held.disputed,
    )


@dataclass(frozen=True)
class Units:
    """One device among those deployed under an approval at an instant (F2.21(d)).

    Args:
        among: whether it is one of them.
        deployed: how many they are; counted only where it is none of them.
    """

    among: bool
    deployed: int = 0


@dataclass(frozen=True, kw_only=True)
class SealedHead:
    """A sealed row of a journal, up to which a head was signed.

    Args:
        number: its number; 0 before the first.
        link: its link.
        signature: of the head, by the journal's key; who reads it from a row has to verify it.
    """

    number: int = 0
    link: bytes = GENESIS
    signature: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Sealed rows and the signed head that covers them.

    Args:
        before: the link of the row before the first.
        rows: in order, without gaps; the head is over the last.
        signature: of the head.
    """

    before: bytes
    rows: Sequence[SealedRow]
    signature: bytes


@dataclass(frozen=True)
class Changes:
    """What has changed since a cursor.

    Args:
        cursor: to ask with the next time; opaque.
        everything: the mirror must be read anew (the first time, or after too much has happened).
        authority: the AuthorityView may be another one.
        approvals: the approvals that may be others.
        reported: the instants at which reports of deployments were recorded.
        heads: the newest that there are for rows as they stand, the newest first; nobody has verified them.
        restored: a restore was accepted.
    """

    cursor: Hashable
    everything: bool = False
    authority: bool = False
    approvals: frozenset[str] = field(default_factory=frozenset)
    reported: frozenset[datetime] = field(default_factory=frozenset)
    heads: Sequence[SealedHead] = ()
    restored: bool = False


class Hearing(Protocol):
    """Tells one thread that something was committed (store/hearing.py)."""

    def wait(self, seconds: float, stopping: threading.Event, /) -> bool:
        """Wait for so many seconds at most until something was; whether it was, or may have been."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class StatusSource(Protocol):
    """Where a mirror reads. Every method is one short read transaction and may raise StoreUnavailable."""

    def changes(self, cursor: Hashable | None) -> Changes:
        """Return what has changed since `cursor`; None asks for everything. Cheap when nothing has."""
        ...

    def authority(self) -> AuthorityView:
        """Return the authority as it is now."""
        ...

    def approvals(self, identifiers: frozenset[str] | None) -> Sequence[Held]:
        """Return the approvals named, or all of them (None)."""
        ...

    def deployed(self) -> Mapping[str, Deployed]:
        """Return which units are deployed, and were, by approval: a million of them take seconds."""
        ...

    def reported(self, at: frozenset[datetime]) -> Mapping[str, Mapping[Unit, Sequence[Stint]]]:
        """Return every stint of the units that reports recorded at some instants were about, by approval."""
        ...

    def link_of(self, number: int) -> bytes | None:
        """Return the link of a sealed row of the journal; None if there is no such row."""
        ...

    def restores(self) -> Mapping[str, int]:
        """Return the number of the row that says so, by an identity, of every restore that was accepted; 0 unsealed."""
        ...

    def proof(self, number: int) -> Proof | None:
        """Return a sealed row with those up to the first signed head that covers it; None if none does."""
        ...

    def past_answer(self, serial: Serial, at: datetime) -> SignedAnswer | None:
        """Return an answer (sha256 CertID) whose validity covers `at`, the newest of them, if one was kept."""
        ...

    def past_crl(self, key_id: str, number: int) -> PublishedCrl | None:
        """Return a CRL that was published, by number."""
        ...

    def units(self, approval: str, device_id: str, at: datetime) -> Units:
        """Return whether a device (EUI-64, upper case) is deployed under an approval at an instant; else how many."""
        ...
