"""The extensions that several of our certificates share, each with the only value it has here."""

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from ca.certificates import subject_key_identifier
from ca.profile import Profile


def own_identifier(public_key: bytes) -> x509.SubjectKeyIdentifier:
    """Return subjectKeyIdentifier by method 2 (RFC 5280, 4.2.1.2). `public_key`: SubjectPublicKeyInfo, DER."""
    return x509.SubjectKeyIdentifier(subject_key_identifier(public_key))


def key_usage(*, digital_signature: bool = False, signs_certificates: bool = False) -> x509.KeyUsage:
    """Return keyUsage: digitalSignature, or keyCertSign with cRLSign, and nothing else (RFC 5280, 4.2.1.3)."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def certificate_policy(profile: Profile) -> x509.CertificatePolicies:
    """Return certificatePolicies with the policy of the environment (RFC 5280, 4.2.1.4).

    It stands in certificates not critical: mbed TLS, rustls-webpki and NSS refuse a critical one (docs/adr/0020).
    """
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(profile.policy_oid), None)])


def authority_identifier(key_identifier: bytes) -> x509.AuthorityKeyIdentifier:
    """Return authorityKeyIdentifier with the keyIdentifier only (RFC 5280, 4.2.1.1)."""
    return x509.AuthorityKeyIdentifier(key_identifier, None, None)


def crl_pointer(url: str) -> x509.CRLDistributionPoints:
    """Return cRLDistributionPoints with one full name (RFC 5280, 4.2.1.13)."""
    return x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)],
    )


def access(*, issuers: str, ocsp: str | None = None) -> x509.AuthorityInformationAccess:
    """Return authorityInfoAccess: OCSP if given, then caIssuers (RFC 5280, 4.2.2.1). Both are URLs."""
    methods = [(AuthorityInformationAccessOID.CA_ISSUERS, issuers)]
    if ocsp is not None:
        methods.insert(0, (AuthorityInformationAccessOID.OCSP, ocsp))
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in methods],
    )
