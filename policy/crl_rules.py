"""The profile of a CRL as rules. Its entries are looked at one by one here only while they are few; of a long list
the publish gate reads each one back anyway, against the register.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, SignatureAlgorithmOID

from ca.revocation.crl import CrlDraft, CrlOrder
from core.errors import Severity
from core.instants import text
from policy import der
from policy.certificate_rules import OUR_FAULT
from policy.expected import own_key_identifier
from policy.rules import Rule, rule

EXPIRED_CERTS_ON_CRL = x509.ObjectIdentifier("2.5.29.60")
"""X.509, 9.5.2.8: from when on expired certificates stay on the list."""

_EXTENSIONS = (
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.CRL_NUMBER,
    EXPIRED_CERTS_ON_CRL,
)
_OUR_REASONS = (
    x509.ReasonFlags.key_compromise,
    x509.ReasonFlags.superseded,
    x509.ReasonFlags.cessation_of_operation,
    x509.ReasonFlags.privilege_withdrawn,
)
_ENTRY_EXTENSIONS = (x509.CRLReason.oid, x509.InvalidityDate.oid)
_VERSION_2 = der.integer(1)

_KNOWN = 256
"""Extensions that are kept, written again."""


@dataclass(frozen=True)
class CrlFacts:
    """A draft, read, beside what it must say.

    Args:
        draft: what is to be signed.
        preview: the same under a throwaway key, DER.
        crl: the preview, read.
        order: what it must say.
        issuer: the CA that will sign it.
    """

    draft: CrlDraft
    preview: bytes
    crl: x509.CertificateRevocationList
    order: CrlOrder
    issuer: x509.Certificate

    @cached_property
    def entries(self) -> tuple[x509.RevokedCertificate, ...]:
        """Its entries, each read once; asked for only where they are few."""
        return tuple(self.crl)


CrlRule = Rule[CrlFacts]


@dataclass(frozen=True, kw_only=True)
class CrlShape:
    """What lists have in common that differ in their number, instants, serial numbers and signature only.

    Args:
        issuer_der: the CA, whose list keeps the expired since it began, unless it is the root.
        number_size: octets of the CRLNumber.
        utc: whether thisUpdate and nextUpdate are UTCTime: they are GeneralizedTime from 2050 on.
        entries: each kind of entry that there is, by octets of its serial number, whether its date is UTCTime, its
            reason, and whether it says from when on the certificate is invalid.
    """

    issuer_der: bytes
    number_size: int
    utc: tuple[bool, bool]
    entries: frozenset[tuple[int, bool, x509.ReasonFlags, bool]]


def crl_shape(facts: CrlFacts) -> CrlShape:
    """Return the shape of a list against which no rule has anything."""
    order = facts.order
    return CrlShape(
        issuer_der=order.issuer_der,
        number_size=len(der.integer(order.number)),
        utc=(_is_utc(order.this_update), _is_utc(order.next_update)),
        entries=frozenset(map(_kind, facts.entries)),
    )


def _kind(entry: x509.RevokedCertificate) -> tuple[int, bool, x509.ReasonFlags, bool]:
    said = {each.oid: each.value for each in entry.extensions}
    reason = said[x509.CRLReason.oid]
    assert isinstance(reason, x509.CRLReason), "a rule of ours requires one"
    size = len(der.integer(entry.serial_number))
    return size, _is_utc(entry.revocation_date_utc), reason.reason, x509.InvalidityDate.oid in said


def _is_utc(at: datetime) -> bool:
    return der.time(at)[0] == der.UTC_TIME


def _crl(code: str, clause: str) -> Callable[[Callable[[CrlFacts], Iterator[str]]], CrlRule]:
    return rule(f"crl.{code}", clause, Severity.FATAL, OUR_FAULT)


@_crl("draft", "design: sign exactly what was linted")
def _draft(facts: CrlFacts) -> Iterator[str]:
    if not facts.draft.is_in(facts.preview):
        yield "The preview does not show the bytes that are to be signed."
    if facts.draft.number != facts.order.number:
        yield f"The draft goes by the number {facts.draft.number}, not {facts.order.number}."
    if facts.draft.entries != len(facts.crl):
        yield f"The draft counts {facts.draft.entries} entries and holds {len(facts.crl)}."


@_crl("version", "RFC 5280 5.1.2.1")
def _version(facts: CrlFacts) -> Iterator[str]:
    if not _says_version_2(facts.draft.tbs):
        yield "The list does not say that it is of version 2."


@_crl("signature-algorithm", "RFC 5758 3.2")
def _signature_algorithm(facts: CrlFacts) -> Iterator[str]:
    if facts.crl.signature_algorithm_oid != SignatureAlgorithmOID.ECDSA_WITH_SHA256:
        yield f"The signature algorithm is {facts.crl.signature_algorithm_oid.dotted_string}."


@_crl("issuer", "RFC 5280 5.1.2.3")
def _issuer(facts: CrlFacts) -> Iterator[str]:
    if facts.crl.issuer.public_bytes() != facts.issuer.subject.public_bytes():
        yield f"The issuer is {facts.crl.issuer.rfc4514_string()}."


@_crl("this-update", "RFC 5280 5.1.2.4")
def _this_update(facts: CrlFacts) -> Iterator[str]:
    if facts.crl.last_update_utc != facts.order.this_update:
        yield f"thisUpdate is {text(facts.crl.last_update_utc)}."


@_crl("next-update", "RFC 5280 5.1.2.5")
def _next_update(facts: CrlFacts) -> Iterator[str]:
    following = facts.crl.next_update_utc
    if following is None:
        yield "There is no nextUpdate."
    elif following != facts.order.next_update:
        yield f"nextUpdate is {text(following)}."
    elif following <= facts.crl.last_update_utc:
        yield "nextUpdate is not after thisUpdate."


@_crl("authority-key-identifier", "RFC 5280 5.2.1")
def _authority_key_identifier(facts: CrlFacts) -> Iterator[str]:
    wanted = x509.AuthorityKeyIdentifier(own_key_identifier(facts.issuer), None, None)
    yield from _compared(facts, wanted.oid, wanted, critical=False)


@_crl("number", "RFC 5280 5.2.3")
def _number(facts: CrlFacts) -> Iterator[str]:
    wanted = x509.CRLNumber(facts.order.number)
    yield from _compared(facts, wanted.oid, wanted, critical=False)
    if facts.order.number < 1:
        yield "Numbers begin at 1."


@_crl("expired-certs-on-crl", "X.509 9.5.2.8, F2.31")
def _expired_certs_on_crl(facts: CrlFacts) -> Iterator[str]:
    since = facts.order.expired_certs_on_crl
    if (since is None) != (facts.issuer.issuer == facts.issuer.subject):
        yield "The issuing CA's list keeps the expired, the root's does not."
    if since is not None and since != facts.issuer.not_valid_before_utc:
        yield f"Expired certificates would be kept since {text(since)}, not since the CA began."
    wanted = None if since is None else x509.UnrecognizedExtension(EXPIRED_CERTS_ON_CRL, der.generalized_time(since))
    # Critical, and OpenSSL would refuse the list.
    yield from _compared(facts, EXPIRED_CERTS_ON_CRL, wanted, critical=False)


@_crl("extension-unexpected", "RFC 5280 5.2")
def _extension_unexpected(facts: CrlFacts) -> Iterator[str]:
    for extension in facts.crl.extensions:
        if extension.oid not in _EXTENSIONS:
            yield f"There is an extension that does not belong there: {extension.oid.dotted_string}."


@_crl("entry-order", "design: CRL")
def _entry_order(facts: CrlFacts) -> Iterator[str]:
    previous = 0
    for entry in facts.entries:
        if entry.serial_number <= previous:
            yield f"Serial {entry.serial_number:X} is there twice, or out of order."
        previous = entry.serial_number


@_crl("entry-date", "RFC 5280 5.1.2.6")
def _entry_date(facts: CrlFacts) -> Iterator[str]:
    for entry in facts.entries:
        if entry.revocation_date_utc > facts.crl.last_update_utc:
            yield f"Serial {entry.serial_number:X} is revoked in the future."


@_crl("entry-reason", "RFC 5280 5.3.1")
def _entry_reason(facts: CrlFacts) -> Iterator[str]:
    """RemoveFromCRL in a full list makes OpenSSL accept the certificate; certificateHold is not in the Code."""
    for entry in facts.entries:
        try:
            reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
        except x509.ExtensionNotFound:
            yield f"Serial {entry.serial_number:X} has no reason."
            continue
        if reason not in _OUR_REASONS:
            yield f"Serial {entry.serial_number:X} has the reason {reason.value}."


@_crl("entry-extension", "RFC 5280 5.3")
def _entry_extension(facts: CrlFacts) -> Iterator[str]:
    for entry in facts.entries:
        for extension in entry.extensions:
            if extension.oid not in _ENTRY_EXTENSIONS or extension.critical:
                yield f"Serial {entry.serial_number:X} carries {extension.oid.dotted_string}, or carries it critical."


@_crl("encoding", "X.690 10, 11.5")
def _encoding(facts: CrlFacts) -> Iterator[str]:
    """Finds what readers forgive: the wrong kind of time, an empty list that stands there, bits that are not used."""
    if _rewritten(facts) != facts.preview:
        yield "Written again from what was read, the list is not the same octets."


STRUCTURE_RULES: tuple[CrlRule, ...] = (
    _draft,
    _version,
    _signature_algorithm,
    _issuer,
    _this_update,
    _next_update,
    _authority_key_identifier,
    _number,
    _expired_certs_on_crl,
    _extension_unexpected,
)
"""Judged whatever the length."""

ENTRY_RULES: tuple[CrlRule, ...] = (_entry_order, _entry_date, _entry_reason, _entry_extension, _encoding)
"""Judged for lists that are short enough; the publish gate reads and writes again the entries of every list."""


def _compared(
    facts: CrlFacts, oid: x509.ObjectIdentifier, wanted: x509.ExtensionType | None, *, critical: bool
) -> Iterator[str]:
    try:
        found = facts.crl.extensions.get_extension_for_oid(oid)
    except x509.ExtensionNotFound:
        if wanted is not None:
            yield f"The extension {oid.dotted_string} is missing."
        return
    if wanted is None:
        yield f"The extension {oid.dotted_string} does not belong there."
        return
    if found.critical != critical:
        yield f"The extension {oid.dotted_string} is {'' if found.critical else 'not '}critical."
    if found.value.public_bytes() != wanted.public_bytes():
        yield f"The extension {oid.dotted_string} says something else than was ordered."


def _says_version_2(tbs: bytes) -> bool:
    """From the bytes, because the library reads a list of either version and does not say which."""
    return tbs.startswith(_VERSION_2, 2 + (tbs[1] & 0x7F if tbs[1] & 0x80 else 0))


def _rewritten(facts: CrlFacts) -> bytes:
    """The CertificateList written from what was read (RFC 5280, 5.1), every default left out."""
    crl = facts.crl
    algorithm = der.sequence(der.oid(crl.signature_algorithm_oid))
    tbs = der.sequence(
        _VERSION_2 if _says_version_2(crl.tbs_certlist_bytes) else b"",
        algorithm,
        crl.issuer.public_bytes(),
        der.time(crl.last_update_utc),
        b"" if crl.next_update_utc is None else der.time(crl.next_update_utc),
        der.sequence(*map(_rewritten_entry, facts.entries)) if len(crl) else b"",
        der.tlv(der.CONTEXT_0, _rewritten_extensions(crl.extensions)),
    )
    return der.sequence(tbs, algorithm, der.tlv(der.BIT_STRING, b"\x00" + crl.signature))


def _rewritten_entry(entry: x509.RevokedCertificate) -> bytes:
    extensions = _rewritten_extensions(entry.extensions) if len(entry.extensions) else b""
    return der.sequence(der.integer(entry.serial_number), der.time(entry.revocation_date_utc), extensions)


def _rewritten_extensions(extensions: x509.Extensions) -> bytes:
    return der.sequence(*map(_rewritten_extension, extensions))


@lru_cache(maxsize=_KNOWN)
def _rewritten_extension(extension: x509.Extension[x509.ExtensionType]) -> bytes:
    """The same for all that say the same: of a list's entries most do."""
    return der.extension(extension.oid, extension.value.public_bytes(), critical=extension.critical)
