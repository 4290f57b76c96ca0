"""The publish gate: the last reading of a CRL before anybody else sees it.

An independent reading: the list is parsed with `cryptography`, which did not write it, and compared with the order,
the register and the last published list. A list with a problem is not published and the last good one stays. Lists
that lose entries unnoticed are the commonest failure of other authorities.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID

from ca import der as write
from ca.certificates import Issuer, issuer, signature_holds
from ca.revocation.agreeing import Since, agreed, followed
from ca.revocation.crl import EXPIRED_CERTS_ON_CRL, CrlOrder
from ca.revocation.octets import Cut, cut, listed_in, to_be_signed
from ca.revocation.rewritten import around, entry
from core.approval import RevocationReason
from core.identifiers import Serial, serial_number, serial_of
from core.instants import text
from core.status import Ending, Endings, Revoked

MOST_TOLD = 20
"""Problems that are told one by one; a list that is wrong throughout needs no million sentences."""

_UNREADABLE = (
    ValueError,
    TypeError,
    NotImplementedError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_EXPIRED_CERTS = x509.ObjectIdentifier(EXPIRED_CERTS_ON_CRL)
_REASONS = {
    x509.ReasonFlags.key_compromise: RevocationReason.KEY_COMPROMISE,
    x509.ReasonFlags.superseded: RevocationReason.SUPERSEDED,
    x509.ReasonFlags.cessation_of_operation: RevocationReason.CESSATION_OF_OPERATION,
    x509.ReasonFlags.privilege_withdrawn: RevocationReason.PRIVILEGE_WITHDRAWN,
}


class _Entry(NamedTuple):
    serial: int
    at: datetime
    reason: RevocationReason | None  # None: missing, or none of ours
    invalidity_date: datetime | None

    def __str__(self) -> str:
        reason = "no reason of ours" if self.reason is None else self.reason.name
        since = "" if self.invalidity_date is None else f", invalid since {text(self.invalidity_date)}"
        return f"{text(self.at)} ({reason}{since})"


def inspect(
    der: bytes,
    *,
    order: CrlOrder,
    previous: bytes | None,
    register: Callable[[], Endings],
    at: datetime,
    settled: Collection[Serial] = (),
    since: Since | None = None,
) -> tuple[str, ...]:
    """Return what speaks against publishing a CRL; nothing means that it may be published.

    Proved:
        1. it can be read, is this CA's, and the CA's key signed it;
        2. its extensions are those of the profile with the values of the order, and no others;
        3. it is valid now, and its number and its time are beyond those of the last one;
        4. it agrees with the register entry by entry, in both directions: date, reason, invalidity date. Each entry is
           the octets that follow from the register, or that the last list had, and one of each form is read; where
           one is not, every entry is (docs/adr/0048);
        5. no entry has a date in the future or a reason that is not ours (removeFromCRL would un-revoke);
        6. every entry of the last list is still there, unchanged but for dates that an operator has settled;
        7. written again from these values, in the one form that the profile allows, it is the same octets: what the
           lint looks at only in lists that are short is found here in every list.
    Left to the caller: that `register` is what the register holds at thisUpdate, `previous` the last one published, and
    `since` everything in which they differ.

    Args:
        der: the CRL as it would be published.
        order: what it was ordered to say; its entries are not looked at.
        previous: the last published CRL of this CA, DER; None if there is none. It may have the form of an earlier
            release, with issuingDistributionPoint: only its number, its time and its entries are compared.
        register: gives every entry that must be there, in order of serials; what it gives is read once and not kept.
        at: now.
        settled: certificates whose end has another date since the last list, by an operator's act.
        since: what changed since `previous`; None if that is not known.

    Returns:
        Sentences for people.
    """
    told = _Problems()
    try:
        crl = x509.load_der_x509_crl(der)
        last = None if previous is None else x509.load_der_x509_crl(previous)
        _check_signature(der, crl, issuer(order.issuer_der), told)  # 1
        _check_extensions(crl, order, told)  # 2
        _check_progress(crl, last, order, at, told)  # 3
        again = None
        if not _agree(der, crl, previous, register, since):  # 4, 5, 6
            again = _check_entries(der, previous, crl, last, register, settled, told)
        if not told.any:  # 7; where something else is wrong already, it is wrong there too
            _check_octets(der, crl, order, again, told)
    except _UNREADABLE as error:
        told.problem(f"it cannot be read: {error}")
    return told.all()


class _Problems:
    def __init__(self) -> None:
        self._told: list[str] = []
        self._more = 0

    @property
    def any(self) -> bool:
        return bool(self._told)

    def problem(self, sentence: str) -> None:
        if len(self._told) < MOST_TOLD:
            self._told.append(sentence)
        else:
            self._more += 1

    def all(self) -> tuple[str, ...]:
        return (*self._told, *([f"and {self._more} more"] if self._more else []))


def _check_signature(der: bytes, crl: x509.CertificateRevocationList, above: Issuer, told: _Problems) -> None:
    if crl.issuer.public_bytes() != above.name:
        told.problem("it names another issuer")
    if crl.signature_algorithm_oid != x509.SignatureAlgorithmOID.ECDSA_WITH_SHA256:
        told.problem("it is not signed by ECDSA with SHA-256")
    elif not signature_holds(above.public_key, to_be_signed(der), crl.signature):
        told.problem("its signature is not that of its CA")


def _check_extensions(crl: x509.CertificateRevocationList, order: CrlOrder, told: _Problems) -> None:
    identifier = issuer(order.issuer_der).key_identifier
    expected: dict[x509.ObjectIdentifier, tuple[bool, x509.ExtensionType]] = {
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER: (False, x509.AuthorityKeyIdentifier(identifier, None, None)),
        ExtensionOID.CRL_NUMBER: (False, x509.CRLNumber(order.number)),
    }
    if order.expired_certs_on_crl is not None:
        # GeneralizedTime, 15 octets, written here once more and not by the module that wrote the list.
        since = b"\x18\x0f" + f"{order.expired_certs_on_crl:%Y%m%d%H%M%SZ}".encode("ascii")
        expected[_EXPIRED_CERTS] = (False, x509.UnrecognizedExtension(_EXPIRED_CERTS, since))
    found = {extension.oid: (extension.critical, extension.value) for extension in crl.extensions}
    for oid in expected.keys() | found.keys():
        if oid not in found:
            told.problem(f"extension {oid.dotted_string} is missing")
        elif oid not in expected:
            told.problem(f"extension {oid.dotted_string} does not belong there")
        elif found[oid] != expected[oid]:
            told.problem(f"extension {oid.dotted_string} does not say what it must: {found[oid][1]}")


def _check_progress(
    crl: x509.CertificateRevocationList,
    last: x509.CertificateRevocationList | None,
    order: CrlOrder,
    at: datetime,
    told: _Problems,
) -> None:
    begins, ends = crl.last_update_utc, crl.next_update_utc
    if begins != order.this_update or ends != order.next_update:
        told.problem("its times are not those that were ordered")
    if begins > at:
        told.problem(f"it is dated {text(begins)}, in the future")
    if ends is None or ends <= at:
        told.problem("it has no nextUpdate, or one that has passed")
    if last is None:
        return
    if last.issuer != crl.issuer:
        told.problem("the last list is another CA's")
    if _number(last) >= order.number:
        told.problem(f"its number {order.number} is not above the last one, {_number(last)}")
    if last.last_update_utc > begins:
        told.problem(f"it is dated before the last one, {text(last.last_update_utc)}")


def _number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _agree(
    der: bytes,
    crl: x509.CertificateRevocationList,
    previous: bytes | None,
    register: Callable[[], Endings],
    since: Since | None,
) -> bool:
    """Return whether the entries are the octets that they must be, and each form of them is read as what it must say.

    What a form says beside serial number and instants is read once for each list; those of a million are compared.
    """
    latest = crl.last_update_utc
    if since is not None and previous is not None:
        forms = followed(der, previous, since, latest)
    else:
        forms = agreed(der, previous, register(), latest)
    return forms is not None and _sound(forms, crl)


def _sound(forms: list[Cut], crl: x509.CertificateRevocationList) -> bool:
    """Read some entries, in a list of their own; return whether each says what would be written so."""
    alone = write.sequence(
        write.integer(1),
        write.ECDSA_WITH_SHA256,
        crl.issuer.public_bytes(),
        write.time(crl.last_update_utc),
        write.sequence(*(each.octets for each in forms)) if forms else b"",
    )
    told, read = _Problems(), x509.load_der_x509_crl(write.signed(alone, crl.signature))
    for each in forms:
        said = _read(read, each, told)
        if said is None or said.reason is None or told.any:
            return False
        if entry(said.serial, said.at, said.reason, said.invalidity_date) != each.octets:
            return False
    return len(read) == len(forms)


def _check_entries(
    der: bytes,
    previous: bytes | None,
    crl: x509.CertificateRevocationList,
    last: x509.CertificateRevocationList | None,
    register: Callable[[], Endings],
    settled: Collection[Serial],
    told: _Problems,
) -> bytes:
    """Read every entry and tell what is wrong with it; return them written again."""
    again = bytearray()
    latest = crl.last_update_utc
    before_us = iter(()) if previous is None else cut(previous)
    for new, recorded, old in _joined(cut(der), map(_recorded, register()), before_us):
        listed, before = _read(crl, new, told), None if last is None else _read(last, old, told)
        _check_entry(listed, None if recorded is None else recorded.entry, before, settled, told)
        if listed is None:
            continue
        if listed.at > latest:  # 5
            told.problem(f"{serial_of(listed.serial)} is dated in the future: {text(listed.at)}")
        if listed.reason is None:  # 5
            told.problem(f"{serial_of(listed.serial)} has no reason, or one that is not ours")
        elif recorded is not None and listed == recorded.entry:  # 7
            again += recorded.octets
    return bytes(again)


def _check_entry(
    listed: _Entry | None, recorded: _Entry | None, before: _Entry | None, settled: Collection[Serial], told: _Problems
) -> None:
    if listed != recorded:  # 4
        told.problem(_disagreement(listed, recorded, "register"))
    if before is not None and not _kept(listed, before, settled):  # 6
        told.problem(_disagreement(listed, before, "last list"))


def _kept(listed: _Entry | None, before: _Entry, settled: Collection[Serial]) -> bool:
    """Return whether an entry is as it was, or has only another date, and that was settled."""
    if listed is None or listed == before:
        return listed is not None
    return listed == before._replace(at=listed.at) and serial_of(before.serial) in settled


def _check_octets(
    der: bytes, crl: x509.CertificateRevocationList, order: CrlOrder, again: bytes | None, told: _Problems
) -> None:
    begins, stops = listed_in(der)
    before, behind = around(order, stops - begins if again is None else len(again), crl.signature)
    same = der.startswith(before) and der.endswith(behind) and (len(before), len(der) - len(behind)) == (begins, stops)
    if not same or (again is not None and not der.startswith(again, begins, stops)):
        told.problem("written again from its values, it is not the same octets")


def _disagreement(listed: _Entry | None, other: _Entry | None, where: str) -> str:
    if listed is None:
        assert other is not None
        return f"{serial_of(other.serial)} is lost: it is in the {where} and not on the list"
    serial = serial_of(listed.serial)
    if other is None:
        return f"{serial} is on the list and not in the {where}"
    return f"{serial}: the list says {listed}, the {where} {other}"


def _read(crl: x509.CertificateRevocationList, one: Cut | None, told: _Problems) -> _Entry | None:
    """Return an entry of a list as `cryptography` reads it."""
    if one is None:
        return None
    revoked = crl[one.place]
    reason: RevocationReason | None = None
    invalidity_date: datetime | None = None
    for extension in revoked.extensions:
        if extension.oid == CRLEntryExtensionOID.CRL_REASON:
            reason = _REASONS.get(extension.value.reason)
        elif extension.oid == CRLEntryExtensionOID.INVALIDITY_DATE:
            invalidity_date = extension.value.invalidity_date_utc
        else:
            told.problem(f"{serial_of(revoked.serial_number)} has an extension that does not belong there")
    return _Entry(revoked.serial_number, revoked.revocation_date_utc, reason, invalidity_date)


class _Recorded(NamedTuple):
    """What must be there: its values, and the octets that they have on a list."""

    serial: int
    at: datetime
    octets: bytes
    revoked: Revoked

    @property
    def entry(self) -> _Entry:
        return _Entry(self.serial, self.at, self.revoked.reason, self.revoked.invalidity_date)


def _recorded(said: tuple[Serial, Ending]) -> _Recorded:
    revoked = said[1].of(said[0])
    serial = serial_number(revoked.serial)
    octets = entry(serial, revoked.at, revoked.reason, revoked.invalidity_date)
    return _Recorded(serial, revoked.at, octets, revoked)


class _Numbered(Protocol):
    @property
    def serial(self) -> int: ...


_One = TypeVar("_One", bound=_Numbered)
_Two = TypeVar("_Two", bound=_Numbered)


def _joined(
    one: Iterator[_One], two: Iterator[_Two], three: Iterator[_One]
) -> Iterator[tuple[_One | None, _Two | None, _One | None]]:
    """Join three streams by serial, holding one entry of each; ValueError where one is out of order or repeats."""
    first, second, third = next(one, None), next(two, None), next(three, None)
    while heads := [head.serial for head in (first, second, third) if head is not None]:
        lowest = min(heads)
        take_first = first is not None and first.serial == lowest
        take_second = second is not None and second.serial == lowest
        take_third = third is not None and third.serial == lowest
        yield first if take_first else None, second if take_second else None, third if take_third else None
        first = _following(one, lowest) if take_first else first
        second = _following(two, lowest) if take_second else second
        third = _following(three, lowest) if take_third else third


def _following(stream: Iterator[_One], done: int) -> _One | None:
    following = next(stream, None)
    if following is not None and following.serial <= done:
        raise ValueError(f"{serial_of(following.serial)} is out of order or there twice")
    return following
