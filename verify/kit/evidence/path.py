"""The path: certificate, one issuing CA, the root that the relying party trusts. No other shape is accepted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from verify.kit.evidence.identifiers import Environment
from verify.kit.evidence.parsing import extension, issued_by, unknown_critical
from verify.kit.evidence.verdict import Code, Failure
from verify.kit.instants import written

TEST_MARK = "TEST"
"""The first word of every CA's and responder's name in a test authority, and of none in a live one."""

_KNOWN = frozenset(
    {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.CERTIFICATE_POLICIES},
)
_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class Path:
    """What was found above a certificate.

    Args:
        issuing: the issuing CA; None if there is none.
        failures: what is wrong with the path.
    """

    issuing: x509.Certificate | None
    failures: tuple[Failure, ...] = field(default=())


def find_path(
    certificate: x509.Certificate,
    issuers: Sequence[x509.Certificate],
    anchor: x509.Certificate,
    *,
    at: datetime,
    policy: x509.ObjectIdentifier,
    environment: Environment,
) -> Path:
    """Find the issuing CA by its signature and check it and the root (RFC 5280, 6.1, for a path of this one shape).

    Args:
        certificate: at the bottom.
        issuers: candidates in any order; those that signed nothing here are passed over.
        anchor: the root, trusted for its bytes.
        at: the instant at which issuing CA and root must be valid.
        policy: the policy of the environment, which the issuing CA must carry.
        environment: decides what the names must say.
    """
    # A name proves nothing: the one that counts is the one whose key made the signature.
    signers = [issuer for issuer in issuers if issued_by(certificate, issuer)]
    if not signers:
        return Path(None, (Failure(Code.ISSUER_NOT_FOUND, "No CA certificate given here signed this certificate."),))
    issuing = next((signer for signer in signers if issued_by(signer, anchor)), None)
    if issuing is None:
        return Path(None, (Failure(Code.PATH_BROKEN, "The trusted root did not sign the issuing CA."),))
    problems = [
        *(f"Root: {problem}." for problem in _ca_problems(anchor, longest=1)),
        *(f"Issuing CA: {problem}." for problem in _ca_problems(issuing, longest=0)),
        *_link_problems(certificate, issuing, anchor, policy),
    ]
    failures = [Failure(Code.PATH_BROKEN, problem) for problem in problems]
    for name, authority in (("root", anchor), ("issuing CA", issuing)):
        if says_test(authority) != (environment == "test"):
            failures.append(
                Failure(Code.ENVIRONMENT_MIXED, f"The {name}'s name is not one of a {environment} authority.")
            )
        if not authority.not_valid_before_utc <= at <= authority.not_valid_after_utc:
            failures.append(Failure(Code.ISSUER_NOT_VALID_THEN, f"The {name} is not valid at {written(at)}."))
    return Path(issuing, tuple(failures))


def says_test(certificate: x509.Certificate) -> bool:
    """Return whether the subject's common name begins with the mark of a test authority."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return bool(names) and str(names[0].value).startswith(TEST_MARK)


def policies_of(certificate: x509.Certificate) -> tuple[x509.ObjectIdentifier, ...]:
    """Return the policies that a certificate carries, critical (as an earlier release made them) or not."""
    found = extension(certificate.extensions, x509.CertificatePolicies)
    return tuple(item.policy_identifier for item in found.value) if found else ()


def key_identifier(certificate: x509.Certificate) -> bytes | None:
    """Return the subject key identifier, or None."""
    found = extension(certificate.extensions, x509.SubjectKeyIdentifier)
    return found.value.digest if found else None


def authority_key(extensions: x509.Extensions) -> bytes | None:
    """Return the keyIdentifier of the authority key identifier, or None."""
    found = extension(extensions, x509.AuthorityKeyIdentifier)
    return found.value.key_identifier if found else None


def key_problem(certificate: x509.Certificate) -> str | None:
    """Return what is wrong with the public key: only P-256 and P-384 occur in this hierarchy."""
    key = certificate.public_key()
    accepted = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
    return None if accepted else "its key is neither P-256 nor P-384"


def _ca_problems(certificate: x509.Certificate, *, longest: int) -> list[str]:
    constraints = extension(certificate.extensions, x509.BasicConstraints)
    usage = extension(certificate.extensions, x509.KeyUsage)
    problems = []
    if constraints is None or not constraints.critical or not constraints.value.ca:
        problems.append("it is no CA by a critical basicConstraints")
    elif constraints.value.path_length != longest:
        problems.append(f"its path length is {constraints.value.path_length} instead of {longest}")
    if usage is None or not usage.critical or usage.value != _SIGNS:
        problems.append("its keyUsage is not keyCertSign and cRLSign alone, critically")
    if extension(certificate.extensions, x509.ExtendedKeyUsage) is not None:
        problems.append("it carries an extended key usage")
    if key_identifier(certificate) is None:
        problems.append("it has no subject key identifier")
    problems += [f"critical extension {oid} is not known" for oid in unknown_critical(certificate.extensions, _KNOWN)]
    problem = key_problem(certificate)
    return problems + ([problem] if problem else [])


def _link_problems(
    certificate: x509.Certificate,
    issuing: x509.Certificate,
    anchor: x509.Certificate,
    policy: x509.ObjectIdentifier,
) -> list[str]:
    problems = []
    if not issued_by(anchor, anchor):
        problems.append("The root does not sign itself.")
    if authority_key(issuing.extensions) != key_identifier(anchor):
        problems.append("The issuing CA names another key than the root's.")
    if authority_key(certificate.extensions) != key_identifier(issuing):
        problems.append("The certificate names another key than the issuing CA's.")
    if policies_of(issuing) != (policy,):
        problems.append("The issuing CA does not carry the policy of the environment, and only that.")
    if certificate.not_valid_after_utc > issuing.not_valid_after_utc:
        problems.append("The certificate outlives its issuing CA.")
    if issuing.not_valid_after_utc > anchor.not_valid_after_utc:
        problems.append("The issuing CA outlives the root.")
    return problems
