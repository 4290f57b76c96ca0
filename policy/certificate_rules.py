"""The certificate profile as rules: one for each row of its tables, on the very bytes that are to be signed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID, SignatureAlgorithmOID

from ca.draft import Draft
from ca.issuer.order import Order
from ca.profile import Profile
from core.errors import IdentifierMalformed, Severity
from core.identifiers import ApprovalIdentifier, serial_number, serial_of
from core.instants import ONE_SECOND, first_second, last_second, text
from core.kinds import HierarchyRole
from policy import der
from policy.expected import OCSP_NO_CHECK, Expected
from policy.rules import Rule, rule

OUR_FAULT = "This is a fault of ours: nothing was signed. Keep the log and report it."

_SERIAL_OCTETS = 16
_RESPONDER_LIFE = timedelta(days=30)
_YEARS: dict[HierarchyRole, int] = {HierarchyRole.ROOT: 25, HierarchyRole.ISSUING: 5, HierarchyRole.STATEMENT: 2}
_TO_THE_SECOND = (HierarchyRole.RESPONDER, HierarchyRole.STATEMENT)
"""Made while others sign already: each holds from the second in which it was drafted."""


@dataclass(frozen=True)
class CertificateFacts:
    """A draft, read, beside what it must say.

    Args:
        draft: what is to be signed.
        certificate: its preview, read.
        expected: what it must say.
        profile: the authority's.
        issuer: what will sign it; None for the root.
        order: of a Trial CPA Certificate; None in the hierarchy.
        role: in the hierarchy; None for a Trial CPA Certificate.
        at: in the hierarchy, the instant at which it was drafted; None for a Trial CPA Certificate.
    """

    draft: Draft
    certificate: x509.Certificate
    expected: Expected
    profile: Profile
    issuer: x509.Certificate | None
    order: Order | None = None
    role: HierarchyRole | None = None
    at: datetime | None = None


CertificateRule = Rule[CertificateFacts]


def _profile(code: str, clause: str) -> Callable[[Callable[[CertificateFacts], Iterator[str]]], CertificateRule]:
    return rule(f"profile.{code}", clause, Severity.FATAL, OUR_FAULT)


# --- the frame ---------------------------------------------------------------------------------------------------


@_profile("draft", "design: sign exactly what was linted")
def _draft(facts: CertificateFacts) -> Iterator[str]:
    if facts.certificate.tbs_certificate_bytes != facts.draft.tbs:
        yield "The preview does not show the bytes that are to be signed."
    if facts.certificate.serial_number != serial_number(facts.draft.serial):
        yield f"The draft goes by the serial {facts.draft.serial}; its bytes carry another."


@_profile("version", "RFC 5280 4.1.2.1")
def _version(facts: CertificateFacts) -> Iterator[str]:
    if facts.certificate.version is not x509.Version.v3:
        yield f"The version is {facts.certificate.version.name} and not v3."


@_profile("serial", "RFC 5280 4.1.2.2")
def _serial(facts: CertificateFacts) -> Iterator[str]:
    number = facts.certificate.serial_number
    if facts.expected.serial is not None and number != facts.expected.serial:
        yield "The serial number is not the reserved one."
    if number.bit_length() != _SERIAL_OCTETS * 8 - 1:
        yield f"The serial number {serial_of(abs(number))} does not have 16 octets and a positive sign."


@_profile("signature-algorithm", "RFC 5758 3.2")
def _signature_algorithm(facts: CertificateFacts) -> Iterator[str]:
    if facts.certificate.signature_algorithm_oid != SignatureAlgorithmOID.ECDSA_WITH_SHA256:
        yield f"The signature algorithm is {facts.certificate.signature_algorithm_oid.dotted_string}."


@_profile("issuer", "RFC 5280 4.1.2.4")
def _issuer(facts: CertificateFacts) -> Iterator[str]:
    if facts.certificate.issuer.public_bytes() != facts.expected.issuer:
        yield f"The issuer is {facts.certificate.issuer.rfc4514_string()}."


@_profile("subject", "RFC 5280 4.1.2.6")
def _subject(facts: CertificateFacts) -> Iterator[str]:
    if facts.certificate.subject.public_bytes() != facts.expected.subject:
        yield f"The subject is {facts.certificate.subject.rfc4514_string()}."


@_profile("public-key", "RFC 5480 2.1.1")
def _public_key(facts: CertificateFacts) -> Iterator[str]:
    key = facts.certificate.public_key()
    allowed = ("secp256r1", "secp384r1") if facts.role is None else ("secp256r1",)
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in allowed:
        yield "The public key is not on an allowed curve."
    # As bytes: it could be the same point and not the same key identifier, were it written in another form.
    if facts.expected.public_key not in facts.certificate.tbs_certificate_bytes:
        yield "The public key is not the one that was ordered."


@_profile("encoding", "X.690 10, 11.5")
def _encoding(facts: CertificateFacts) -> Iterator[str]:
    """Finds what readers forgive: an explicit DEFAULT, NULL parameters, a unique identifier, the wrong kind of time."""
    if _rewritten(facts) != facts.certificate.tbs_certificate_bytes:
        yield "Written again from what was read, the certificate is not the same octets."


@_profile("outlives-issuer", "RFC 5280 6.1.3")
def _outlives_issuer(facts: CertificateFacts) -> Iterator[str]:
    if facts.issuer is None:
        return
    if facts.certificate.not_valid_after_utc > facts.issuer.not_valid_after_utc:
        yield f"It would end at {text(facts.certificate.not_valid_after_utc)}, after its issuer."
    if facts.certificate.not_valid_before_utc < facts.issuer.not_valid_before_utc:
        yield f"It would begin at {text(facts.certificate.not_valid_before_utc)}, before its issuer."


# --- the extensions ----------------------------------------------------------------------------------------------


@_profile("extension-unexpected", "RFC 5280 4.2")
def _extension_unexpected(facts: CertificateFacts) -> Iterator[str]:
    for extension in facts.certificate.extensions:
        if extension.oid not in facts.expected.extensions:
            yield f"There is an extension that does not belong there: {extension.oid.dotted_string}."


def _extension(
    code: str, clause: str, identifier: Callable[[Profile], x509.ObjectIdentifier] | x509.ObjectIdentifier
) -> CertificateRule:
    """Make the rule of one extension: where it is expected it is there, as critical as it must be, with this value."""

    @_profile(code, clause)
    def check(facts: CertificateFacts) -> Iterator[str]:
        oid = identifier if isinstance(identifier, x509.ObjectIdentifier) else identifier(facts.profile)
        expected = facts.expected.extensions.get(oid)
        if expected is None:
            return
        try:
            found = facts.certificate.extensions.get_extension_for_oid(oid)
        except x509.ExtensionNotFound:
            yield f"The extension {oid.dotted_string} is missing."
            return
        if expected.critical not in {None, found.critical}:
            yield f"The extension {oid.dotted_string} is {'' if found.critical else 'not '}critical."
        if found.value.public_bytes() != expected.value:
            yield f"The extension {oid.dotted_string} says something else than was ordered."

    return check


def _approval_extension(profile: Profile) -> x509.ObjectIdentifier:
    return x509.ObjectIdentifier(profile.extension_oid)


# --- only in a Trial CPA Certificate -------------------------------------------------------------------------------


@_profile("identifier", "F2.25")
def _identifier(facts: CertificateFacts) -> Iterator[str]:
    """Test and live never mix: the environment stands in the identifier too."""
    order = _order(facts)
    try:
        identifier = ApprovalIdentifier.parse(order.approval)
    except IdentifierMalformed:
        identifier = None
    if identifier is None or (str(identifier), identifier.environment) != (order.approval, facts.profile.environment):
        yield f"{order.approval} is not an identifier of this authority."


@_profile("bounds", "F2.25")
def _bounds(facts: CertificateFacts) -> Iterator[str]:
    order = _order(facts)
    if order.issue < 1 or order.maximum_devices < 1 or not order.firmware or len(order.proposal_digest) != 32:
        yield "Issue and limit begin at 1, at least one firmware version is named, a SHA-256 has 32 octets."


@_profile("not-before", "F2.27")
def _not_before(facts: CertificateFacts) -> Iterator[str]:
    order, begins = _order(facts), facts.certificate.not_valid_before_utc
    if begins != order.not_before:
        yield f"It would begin at {text(begins)} instead of {text(order.not_before)}."
    if order.not_before < order.start or (order.issue == 1 and order.not_before != order.start):
        yield f"It would begin at {text(order.not_before)}; the approval starts at {text(order.start)}."
    if order.start != first_second(order.start.date()):
        yield "The approval does not start with a UTC day."
    if begins > facts.certificate.not_valid_after_utc:
        yield "It would end before it begins."


@_profile("not-after", "F2.25")
def _not_after(facts: CertificateFacts) -> Iterator[str]:
    order, ends = _order(facts), facts.certificate.not_valid_after_utc
    if not ends == order.expiry == order.not_after:
        yield f"It would end at {text(ends)}; the approval ends at {text(order.expiry)}."
    if ends != last_second(ends.date()):
        yield f"It would end at {text(ends)} and not with the day."


# --- only in the hierarchy -----------------------------------------------------------------------------------------


@_profile("begins", "RFC 5280 4.1.2.5")
def _begins(facts: CertificateFacts) -> Iterator[str]:
    """A life of the right length can lie anywhere: it begins with the draft's day, that of no CA with its second."""
    assert facts.at is not None, "this rule is for the hierarchy"
    begins = facts.certificate.not_valid_before_utc
    wanted = facts.at if facts.role in _TO_THE_SECOND else first_second(facts.at.date())
    if begins != wanted:
        yield f"It would begin at {text(begins)} instead of {text(wanted)}."


@_profile("life", "design: hierarchy")
def _life(facts: CertificateFacts) -> Iterator[str]:
    begins, ends = facts.certificate.not_valid_before_utc, facts.certificate.not_valid_after_utc
    if facts.role is HierarchyRole.RESPONDER:
        if ends - begins + ONE_SECOND > _RESPONDER_LIFE or ends < begins:
            yield f"A responder lives for 30 days; this one from {text(begins)} to {text(ends)}."
        return
    if facts.role is HierarchyRole.STATEMENT:
        last = _after_years(first_second(begins.date()), _YEARS[facts.role])
        wanted = last if facts.issuer is None else min(last, facts.issuer.not_valid_after_utc)
        if ends != wanted or ends < begins:
            yield f"A statement signer lives for two years; this one from {text(begins)} to {text(ends)}."
        return
    if begins != first_second(begins.date()) or ends != last_second(ends.date()):
        yield f"A CA lives for whole days; this one from {text(begins)} to {text(ends)}."
    least = _after_years(begins, _YEARS[facts.role or HierarchyRole.ISSUING])
    if facts.role is HierarchyRole.ROOT and ends != least:
        yield f"A root lives for 25 years; this one until {text(ends)}."
    # How much longer an issuing CA lives than it issues is a setting; that it outlives no root is another rule's.
    if (
        facts.role is HierarchyRole.ISSUING
        and facts.issuer is not None
        and ends < min(least, facts.issuer.not_valid_after_utc)
    ):
        yield f"An issuing CA issues for five years; this one lives until {text(ends)} only."


_COMMON: tuple[CertificateRule, ...] = (
    _draft,
    _version,
    _serial,
    _signature_algorithm,
    _issuer,
    _subject,
    _public_key,
    _encoding,
    _outlives_issuer,
    _extension_unexpected,
    _extension("basic-constraints", "RFC 5280 4.2.1.9", ExtensionOID.BASIC_CONSTRAINTS),
    _extension("key-usage", "RFC 5280 4.2.1.3", ExtensionOID.KEY_USAGE),
    _extension("extended-key-usage", "RFC 5280 4.2.1.12", ExtensionOID.EXTENDED_KEY_USAGE),
    _extension("certificate-policies", "RFC 5280 4.2.1.4", ExtensionOID.CERTIFICATE_POLICIES),
    _extension("subject-key-identifier", "RFC 5280 4.2.1.2", ExtensionOID.SUBJECT_KEY_IDENTIFIER),
    _extension("authority-key-identifier", "RFC 5280 4.2.1.1", ExtensionOID.AUTHORITY_KEY_IDENTIFIER),
    _extension("crl-distribution-points", "RFC 5280 4.2.1.13", ExtensionOID.CRL_DISTRIBUTION_POINTS),
    _extension("authority-information-access", "RFC 5280 4.2.2.1", ExtensionOID.AUTHORITY_INFORMATION_ACCESS),
)

TRIAL_RULES: tuple[CertificateRule, ...] = (
    *_COMMON,
    _extension("subject-alternative-name", "RFC 5280 4.2.1.6", ExtensionOID.SUBJECT_ALTERNATIVE_NAME),
    _extension("trial-device-approval", "F2.25", _approval_extension),
    _identifier,
    _bounds,
    _not_before,
    _not_after,
)
"""The rows of the table “Trial CPA Certificate”."""

HIERARCHY_RULES: tuple[CertificateRule, ...] = (
    *_COMMON,
    _extension("ocsp-no-check", "RFC 6960 4.2.2.2.1", OCSP_NO_CHECK),
    _begins,
    _life,
)
"""The rows of the table “Hierarchy”."""


def _order(facts: CertificateFacts) -> Order:
    assert facts.order is not None, "these rules are for Trial CPA Certificates"
    return facts.order


def _after_years(begins: datetime, years: int) -> datetime:
    """The last second of that many years; a period from 29 February ends with a 28 February."""
    year = begins.year + years
    if year > 9999:
        return datetime(9999, 12, 31, 23, 59, 59, tzinfo=begins.tzinfo)
    leapless = (begins.month, begins.day) == (2, 29) and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    return (begins.replace(year=year, month=3, day=1) if leapless else begins.replace(year=year)) - ONE_SECOND


def _rewritten(facts: CertificateFacts) -> bytes:
    """The TBSCertificate written from what was read (RFC 5280, 4.1), every default left out."""
    certificate = facts.certificate
    version = b"" if certificate.version is x509.Version.v1 else der.tlv(der.CONTEXT_0, der.integer(2))
    return der.sequence(
        version,
        der.integer(certificate.serial_number),
        der.sequence(der.oid(certificate.signature_algorithm_oid)),
        certificate.issuer.public_bytes(),
        der.sequence(der.time(certificate.not_valid_before_utc), der.time(certificate.not_valid_after_utc)),
        certificate.subject.public_bytes(),
        certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        der.tlv(
            der.CONTEXT_3,
            der.sequence(
                *(
                    der.extension(each.oid, each.value.public_bytes(), critical=each.critical)
                    for each in certificate.extensions
                )
            ),
        ),
    )
