"""Revocation lists, read in doubt: who signed one, what it covers and what it says of one serial."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from core.instants import text
from verify.ends import Ended, Testimony, reason_of
from verify.parsing import PARSE_ERRORS, Unreadable, extension, one_crl, plain_algorithm, unknown_critical
from verify.path import authority_key, key_identifier
from verify.verdict import Code, Failure

_KNOWN = frozenset({ExtensionOID.ISSUING_DISTRIBUTION_POINT})
_NONE_KNOWN: frozenset[x509.ObjectIdentifier] = frozenset()


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
        point: the URI that a list must name as its distribution point; None for a root's, which names none.
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
        problems = _list_problems(data, crl, issuer, point)
        testimony = None if problems else _testimony(crl, serial, problems)
        if problems or testimony is None:
            failures += [
                Failure(Code.CRL_NOT_ACCEPTED, f"{_name(crl)} is not accepted: {problem}.") for problem in problems
            ]
        else:
            testimonies.append(testimony)
    return Heard(tuple(testimonies), tuple(failures))


def _list_problems(
    data: bytes, crl: x509.CertificateRevocationList, issuer: x509.Certificate, point: str | None
) -> list[str]:
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
    found = extension(crl.extensions, x509.IssuingDistributionPoint)
    if point is None:
        return [] if found is None else ["it limits its scope, which a root's list does not"]
    if found is None or not found.critical:
        return ["it does not say, critically, which certificates it covers"]
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


def _testimony(crl: x509.CertificateRevocationList, serial: int, problems: list[str]) -> Testimony | None:
    """Return what the list says; None, with the problem named, if the entry cannot be accepted."""
    try:
        entry = crl.get_revoked_certificate_by_serial_number(serial)
        ended = _entry(crl, entry, problems) if entry is not None else None
    except PARSE_ERRORS as error:
        problems.append(f"its entry cannot be read ({type(error).__name__})")
        return None
    next_update = crl.next_update_utc
    if problems or next_update is None:
        return None
    return Testimony(source=_name(crl), this_update=crl.last_update_utc, next_update=next_update, ended=ended)


def _entry(crl: x509.CertificateRevocationList, entry: x509.RevokedCertificate, problems: list[str]) -> Ended:
    # A critical entry extension that is not known forbids the use of the list (RFC 5280, 5.3).
    problems += [f"its entry has critical extension {oid}" for oid in unknown_critical(entry.extensions, _NONE_KNOWN)]
    if entry.revocation_date_utc > crl.last_update_utc:
        problems.append(f"its entry is dated {text(entry.revocation_date_utc)}, after the list itself")
    found = extension(entry.extensions, x509.CRLReason)
    flag = found.value.reason if found else None
    if flag is x509.ReasonFlags.remove_from_crl:
        # In a full list it makes widely used software accept a revoked certificate.
        problems.append("its entry says removeFromCRL, which has no place in a full list")
    return Ended(entry.revocation_date_utc, reason_of(flag))


def _name(crl: x509.CertificateRevocationList) -> str:
    number = extension(crl.extensions, x509.CRLNumber)
    return f"CRL {number.value.crl_number}" if number else "A CRL without number"
