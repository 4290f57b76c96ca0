"""Asks every channel about one certificate and keeps what they said, to be read without a network."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.errors import (
    AuthorityAnswerMalformed,
    AuthorityRefused,
    AuthorityUnreachable,
    CertificateMalformed,
    InstantMalformed,
)
from core.identifiers import Environment, Serial, serial_of
from core.instants import parse
from verify.client import Answer, AuthorityClient
from verify.kit.evidence.der import DerMalformed
from verify.kit.evidence.parsing import Unreadable, issued_by, one_certificate, several_certificates
from verify.kit.evidence.path import authority_key
from verify.kit.evidence.profile import Arc, statement_value
from verify.kit.evidence.statement import DeviceClaim, Statement, decode

_TRIES = 3
"""How often all channels are asked anew when the state changed while they were being asked."""

_FAILURES = (AuthorityUnreachable, AuthorityRefused, AuthorityAnswerMalformed)


class Channel(StrEnum):
    """The ways to learn of a certificate's state."""

    VERIFY_APPROVAL = "verify by approval"
    VERIFY_CERTIFICATE = "verify by certificate"
    VERIFY_SERIAL = "verify by serial"
    VERIFY_DEVICE = "verify by device"
    OCSP_POST = "ocsp post sha1"
    OCSP_GET = "ocsp get sha256"
    CRL = "crl"
    PAGE = "public page"
    OFFLINE = "offline verifier"


@dataclass(frozen=True)
class Trust:
    """What a relying party trusts.

    Args:
        anchor: the root certificate, DER or PEM, had from somewhere trusted.
        environment: test or live.
        arc: the authority's object identifier arc, dotted.
    """

    anchor: bytes
    environment: Environment
    arc: str


@dataclass(frozen=True)
class Subject:
    """The certificate that all channels are asked about.

    Args:
        der: its bytes.
        parsed: as read.
        serial: its serial number.
        statement: what it says of its approval.
    """

    der: bytes
    parsed: x509.Certificate
    serial: Serial
    statement: Statement

    @property
    def approval(self) -> str:
        """The approval identifier."""
        return str(self.statement.identifier)


@dataclass(frozen=True)
class Fetched:
    """What the channels said.

    Args:
        as_of: the authority's own instant when the last of them was asked: what they are read at.
        replies: the bytes of each channel that answered.
        troubles: why each of the others did not, a sentence.
        issuers: CA certificates, DER or PEM.
        root_crl: the root's list; empty if there was none to be had.
    """

    as_of: datetime
    replies: Mapping[Channel, bytes]
    troubles: Mapping[Channel, str]
    issuers: tuple[bytes, ...]
    root_crl: bytes


def subject_of(certificate: bytes, arc: str) -> Subject:
    """Return what there is to ask about a Trial CPA Certificate, DER or PEM.

    Raises:
        CertificateMalformed: not one certificate, or none that states an approval.
    """
    try:
        parsed = one_certificate(certificate)
        value = statement_value(parsed, Arc(arc))
        if value is None:
            raise CertificateMalformed(detail="it states no Trial Device Approval")
        return Subject(
            der=parsed.public_bytes(Encoding.DER),
            parsed=parsed,
            serial=serial_of(parsed.serial_number),
            statement=decode(value),
        )
    except (Unreadable, DerMalformed) as error:
        raise CertificateMalformed(detail=str(error)) from None


def fetch(client: AuthorityClient, subject: Subject) -> Fetched:
    """Ask every channel about `subject` now.

    The first question is asked again at the end: if its answer has become another one meanwhile, all are asked
    anew, because answers from before and after a change may differ without anybody being wrong.

    Raises:
        AuthorityUnreachable, AuthorityRefused, AuthorityAnswerMalformed: no verification could be had, so that
            there is no instant to read the other channels at.
    """
    for _ in range(_TRIES):
        first = client.verify_approval(subject.approval)
        fetched = _ask_all(client, subject)
        last = client.verify_approval(subject.approval)
        if _settled(first, last):
            break
    replies = {**fetched.replies, Channel.VERIFY_APPROVAL: last.body}
    return Fetched(
        as_of=_as_of(client, last),
        replies=replies,
        troubles=fetched.troubles,
        issuers=fetched.issuers,
        root_crl=fetched.root_crl,
    )


def _settled(first: Answer, last: Answer) -> bool:
    return all(first.document.get(name) == last.document.get(name) for name in ("state", "serial", "issue"))


def _as_of(client: AuthorityClient, answer: Answer) -> datetime:
    value = answer.document.get("as_of")
    try:
        return parse(value if isinstance(value, str) else "", field="as_of")
    except InstantMalformed as error:
        raise AuthorityAnswerMalformed(url=client.base_url, detail=str(error)) from None


@dataclass(frozen=True)
class _Asked:
    replies: Mapping[Channel, bytes]
    troubles: Mapping[Channel, str]
    issuers: tuple[bytes, ...]
    root_crl: bytes


def _ask_all(client: AuthorityClient, subject: Subject) -> _Asked:
    replies: dict[Channel, bytes] = {}
    troubles: dict[Channel, str] = {}

    def ask(channel: Channel, question: Callable[[], bytes]) -> None:
        try:
            replies[channel] = question()
        except _FAILURES as error:
            troubles[channel] = str(error)

    ask(Channel.VERIFY_CERTIFICATE, lambda: client.verify_certificate(subject.der).body)
    ask(Channel.VERIFY_SERIAL, lambda: client.verify_serial(subject.serial).body)
    ask(Channel.VERIFY_DEVICE, lambda: client.verify_device(_claim(subject.statement)).body)
    ask(Channel.PAGE, lambda: client.page(subject.approval))
    key = authority_key(subject.parsed.extensions) or b""
    ask(Channel.CRL, lambda: client.crl(key.hex()))
    chain, issuing = _issuing(client, subject)
    if issuing is None:
        troubles |= dict.fromkeys(
            (Channel.OCSP_POST, Channel.OCSP_GET), "The issuing CA's certificate is not to be had."
        )
        return _Asked(replies=replies, troubles=troubles, issuers=chain, root_crl=b"")
    ask(Channel.OCSP_POST, lambda: client.ocsp_post(subject.parsed, issuing, "sha1"))
    ask(Channel.OCSP_GET, lambda: client.ocsp_get(subject.parsed, issuing, "sha256"))
    return _Asked(replies=replies, troubles=troubles, issuers=chain, root_crl=_root_crl(client, issuing))


def _claim(statement: Statement) -> DeviceClaim:
    firmware = statement.firmware[0]
    return DeviceClaim(
        **asdict(statement.device),
        firmware_version=firmware.version,
        image_digest=firmware.image_digest,
    )


def _issuing(client: AuthorityClient, subject: Subject) -> tuple[tuple[bytes, ...], x509.Certificate | None]:
    try:
        chain = client.chain()
        candidates = several_certificates((chain,))
    except (*_FAILURES, Unreadable):
        return (), None
    return (chain,), next((candidate for candidate in candidates if issued_by(subject.parsed, candidate)), None)


def _root_crl(client: AuthorityClient, issuing: x509.Certificate) -> bytes:
    key = authority_key(issuing.extensions) or b""
    try:
        return client.crl(key.hex())
    except _FAILURES:
        return b""
