"""Revocation lists, read in doubt: who signed one, what it covers and what it says of one serial."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from verify.kit.evidence.ends import Ended, Testimony, reason_of
from verify.kit.evidence.outline import LONGEST_SERIAL
from verify.kit.evidence.parsing import PARSE_ERRORS, Unreadable, extension, one_crl, plain_algorithm, unknown_critical
from verify.kit.evidence.path import authority_key, key_identifier
from verify.kit.evidence.verdict import Code, Failure
from verify.kit.instants import written

_KNOWN = frozenset({ExtensionOID.ISSUING_DISTRIBUTION_POINT})
_NONE_KNOWN: frozenset[x509.ObjectIdentifier] = frozenset()
_SERIAL_LIMIT = 1 << (8 * LONGEST_SERIAL - 1)
_MOST_TOLD = 5
"""Entries that are told of; a list that is wrong throughout needs no million sentences."""
_REMEMBERED = 4
"""Authentic lists whose entries are remembered as read: whoever checks many certificates has the same few lists."""


@dataclass(frozen=True)
class Heard:
    """What a source says, and what is wrong with it.

    Args:
        testimonies: what authentic sources say.
        failures: sources that are not accepted.
    """

    testimonies: tuple[Testimony, ...] = ()
    failures: tuple[Failure, ...] = field(default=())


def read_lists(lists: Sequence[bytes], issuer: x509.Certificate, serial: int, *, point: str | None) -> Heard:
    """Return what the lists of one CA say of one serial.

    Lists in another CA's name are passed over; one in this CA's name that is not in order is a failure.

    Args:
        lists: DER or PEM.
        issuer: the CA whose lists count.
        serial: of the certificate asked about.
        point: the URI that a list must name if it names a distribution point; None for a root's, which names none.
    """
    testimonies: list[Testimony] = []
    failures: list[Failure] = []
    for data in lists:
        try:
            crl = one_crl(data)
        except Unreadable as error:
            failures.append(Failure(Code.CRL_MALFORMED, f"A list cannot be read: {error}."))
            continue
        if crl.issuer != issuer.subject:
            continue
        problems = _list_problems(data, crl, issuer, point) or _entry_problems(
            _Authentic(crl.fingerprint(hashes.SHA256()), crl)
        )
        name = _name(crl)
        failures += [Failure(Code.CRL_NOT_ACCEPTED, f"{name} is not accepted: {problem}.") for problem in problems]
        next_update = crl.next_update_utc
        if not problems and next_update is not None:
            testimonies.append(_testimony(crl, serial, next_update))
    return Heard(tuple(testimonies), tuple(failures))


def _list_problems(
    data: bytes, crl: x509.CertificateRevocationList, issuer: x509.Certificate, point: str | None
) -> Sequence[str]:
    problems = []
    der = data if data[:1] == b"\x30" else crl.public_bytes(Encoding.DER)
    if not plain_algorithm(der, crl.tbs_certlist_bytes) or not _signed(crl, issuer):
        # Nothing else that it says is worth reading.
        return ["the CA's key did not sign it"]
    if authority_key(crl.extensions) != key_identifier(issuer):
        problems.append("it names another key than the CA's")
    if extension(crl.extensions, x509.CRLNumber) is None:
        problems.append("it has no number")
    if extension(crl.extensions, x509.DeltaCRLIndicator) is not None:
        problems.append("it is a delta, not a full list")
    if crl.next_update_utc is None:
        problems.append("it does not say until when it holds")
    elif crl.next_update_utc <= crl.last_update_utc:
        problems.append("it ends before it begins")
    problems += [f"critical extension {oid} is not known" for oid in unknown_critical(crl.extensions, _KNOWN)]
    return problems + _scope_problems(crl, point)


def _signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type] # any other kind is a TypeError
    except PARSE_ERRORS:
        return False


def _scope_problems(crl: x509.CertificateRevocationList, point: str | None) -> list[str]:
    """A full list limits nothing; those of an earlier release named, critically, the place certificates point to."""
    found = extension(crl.extensions, x509.IssuingDistributionPoint)
    if found is None:
        return []
    if point is None:
        return ["it limits its scope, which a root's list does not"]
    if not found.critical:
        return ["it does not say critically which certificates it covers"]
    scope = found.value
    limited = (
        scope.only_contains_user_certs
        or scope.only_contains_ca_certs
        or scope.only_contains_attribute_certs
        or scope.only_some_reasons is not None
        or scope.indirect_crl
    )
    names = [item.value for item in scope.full_name or [] if isinstance(item, x509.UniformResourceIdentifier)]
    if limited or names != [point]:
        return [f"it covers something else than {point}"]
    return []


@dataclass(frozen=True)
class _Authentic:
    """A list whose signature was verified, known again by its SHA-256."""

    sha256: bytes
    crl: x509.CertificateRevocationList = field(compare=False, repr=False)


@lru_cache(maxsize=_REMEMBERED)
def _entry_problems(authentic: _Authentic) -> tuple[str, ...]:
    """Return what is wrong with any entry of a list: one that is not in order spoils all of it."""
    crl = authentic.crl
    problems: list[str] = []
    seen: set[int] = set()
    try:
        for entry in crl:
            serial = entry.serial_number
            found = _problems_of(entry, crl.last_update_utc)
            if serial in seen:
                found.append("is there twice")
            if not 0 < serial < _SERIAL_LIMIT:
                found.append("is no serial number")
            seen.add(serial)
            problems += [f"its entry {serial:X} {words}" for words in found]
            if len(problems) >= _MOST_TOLD:
                return (*problems[:_MOST_TOLD], "there may be more")
    except PARSE_ERRORS as error:
        problems.append(f"one of its entries cannot be read ({type(error).__name__})")
    return tuple(problems)


def _problems_of(entry: x509.RevokedCertificate, this_update: datetime) -> list[str]:
    extensions = entry.extensions
    # A critical entry extension that is not known forbids the use of the list (RFC 5280, 5.3).
    problems = [f"has critical extension {oid}" for oid in unknown_critical(extensions, _NONE_KNOWN)]
    if entry.revocation_date_utc > this_update:
        problems.append(f"is dated {written(entry.revocation_date_utc)}, after the list itself")
    reason = extension(extensions, x509.CRLReason)
    if reason is not None and reason.value.reason is x509.ReasonFlags.remove_from_crl:
        # In a full list it makes widely used software accept a revoked certificate.
        problems.append("says removeFromCRL, which has no place in a full list")
    return problems


def _testimony(crl: x509.CertificateRevocationList, serial: int, next_update: datetime) -> Testimony:
    """Return what a list that is in order says."""
    entry = crl.get_revoked_certificate_by_serial_number(serial)
    reason = extension(entry.extensions, x509.CRLReason) if entry is not None else None
    ended = Ended(entry.revocation_date_utc, reason_of(reason.value.reason if reason else None)) if entry else None
    return Testimony(source=_name(crl), this_update=crl.last_update_utc, next_update=next_update, ended=ended)


def _name(crl: x509.CertificateRevocationList) -> str:
    number = extension(crl.extensions, x509.CRLNumber)
    return f"CRL {number.value.crl_number}" if number else "A CRL without number"
