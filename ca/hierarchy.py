"""Root, issuing CA, OCSP responder and statement signer: their drafts, exactly as the profile has them."""

from datetime import UTC, date, datetime, time, timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ca.certificates import elliptic_key, issuer
from ca.draft import Draft, drafted
from ca.extensions import access, authority_identifier, certificate_policy, crl_pointer, key_usage, own_identifier
from ca.profile import Profile
from core.identifiers import Serial, serial_number
from core.instants import ONE_SECOND, end_of_years, first_second, last_second
from core.renewal import issuing_window_end

ROOT_YEARS = 25
RESPONDER_LIFE = timedelta(days=30)
STATEMENT_YEARS = 2

_ROOT_PATH_LENGTH = 1
_ISSUING_PATH_LENGTH = 0
_END_OF_TIME = date(9999, 12, 31)


def root_draft(profile: Profile, public_key: bytes, serial: Serial, at: datetime) -> Draft:
    """Draft the root: 25 years, no policy and no pointer.

    Args:
        profile: the authority's.
        public_key: SubjectPublicKeyInfo, DER, P-256; also the key that will sign it.
        serial: reserved for it.
        at: the ceremony's instant; validity begins with its UTC day, so that all made that day nests.
    """
    name = _name(profile, profile.root_name)
    builder = (
        _builder(name, name, public_key, serial)
        .not_valid_before(first_second(at.date()))
        .not_valid_after(end_of_years(at.date(), ROOT_YEARS))
    )
    builder = _as_authority(builder, _ROOT_PATH_LENGTH).add_extension(own_identifier(public_key), critical=False)
    return drafted(builder, serial, public_key)


def issuing_draft(
    profile: Profile,
    root_der: bytes,
    public_key: bytes,
    serial: Serial,
    at: datetime,
    *,
    longest_trial: timedelta,
    number: int = 1,
) -> Draft:
    """Draft an issuing CA: it issues for five years and lives for the longest trial beyond, but not beyond the root.

    Args:
        profile: the authority's.
        root_der: the root's certificate.
        public_key: SubjectPublicKeyInfo, DER, P-256.
        serial: reserved for it.
        at: the ceremony's instant.
        longest_trial: the longest trial that is allowed; what it leaves of a day is given.
        number: 1 for the first issuing CA, then one more with each that replaces it.
    """
    root = issuer(root_der)
    begins = first_second(at.date())
    root_key_id = root.key_identifier.hex()
    builder = (
        _builder(root.parsed.subject, _name(profile, profile.issuing_name(number)), public_key, serial)
        .not_valid_before(begins)
        .not_valid_after(min(_end_of_day_after(issuing_window_end(begins), longest_trial), root.not_after))
    )
    builder = (
        _as_authority(builder, _ISSUING_PATH_LENGTH)
        .add_extension(certificate_policy(profile), critical=False)
        .add_extension(own_identifier(public_key), critical=False)
        .add_extension(authority_identifier(root.key_identifier), critical=False)
        .add_extension(crl_pointer(profile.crl_url(root_key_id)), critical=False)
        .add_extension(access(issuers=profile.issuer_url(root_key_id)), critical=False)
    )
    return drafted(builder, serial, root.public_key)


def responder_draft(profile: Profile, issuing_der: bytes, public_key: bytes, serial: Serial, at: datetime) -> Draft:
    """Draft an OCSP responder: 30 days from now, but not beyond the issuing CA.

    It carries id-pkix-ocsp-nocheck (RFC 6960, 4.2.2.2.1): short life stands in for a status of its own.

    Args:
        profile: the authority's.
        issuing_der: the certificate of the issuing CA that it answers for.
        public_key: SubjectPublicKeyInfo, DER, P-256.
        serial: reserved for it.
        at: now; validity begins with it.
    """
    above = issuer(issuing_der)
    builder = (
        _builder(above.parsed.subject, _name(profile, profile.responder_name), public_key, serial)
        .not_valid_before(at)
        # notAfter is inclusive (RFC 5280, 4.1.2.5): 30 days end one second before the same time of day.
        .not_valid_after(min(_later(at, RESPONDER_LIFE - ONE_SECOND), above.not_after))
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .add_extension(own_identifier(public_key), critical=False)
        .add_extension(authority_identifier(above.key_identifier), critical=False)
    )
    return drafted(builder, serial, above.public_key)


def statement_draft(profile: Profile, issuing_der: bytes, public_key: bytes, serial: Serial, at: datetime) -> Draft:
    """Draft a statement signer: two years from now, but not beyond the issuing CA. It says no extended key usage.

    Args:
        profile: the authority's.
        issuing_der: the certificate of the issuing CA that signs it.
        public_key: SubjectPublicKeyInfo, DER, P-256.
        serial: reserved for it.
        at: now; validity begins with it, so that nothing is signed before there was a certificate.
    """
    above = issuer(issuing_der)
    builder = (
        _builder(above.parsed.subject, _name(profile, profile.statement_name), public_key, serial)
        .not_valid_before(at)
        .not_valid_after(min(end_of_years(at.date(), STATEMENT_YEARS), above.not_after))
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(certificate_policy(profile), critical=False)
        .add_extension(own_identifier(public_key), critical=False)
        .add_extension(authority_identifier(above.key_identifier), critical=False)
        .add_extension(crl_pointer(profile.crl_url(above.key_identifier.hex())), critical=False)
    )
    return drafted(builder, serial, above.public_key)


def _name(profile: Profile, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, profile.organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ],
    )


def _builder(above: x509.Name, subject: x509.Name, public_key: bytes, serial: Serial) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=above,
        subject_name=subject,
        public_key=elliptic_key(public_key),
        serial_number=serial_number(serial),
    )


def _as_authority(builder: x509.CertificateBuilder, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True).add_extension(
        key_usage(signs_certificates=True),
        critical=True,
    )


def _end_of_day_after(at: datetime, by: timedelta) -> datetime:
    return last_second(_later(at, by).date())


def _later(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return datetime.combine(_END_OF_TIME, time(23, 59, 59), UTC)
