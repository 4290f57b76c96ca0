"""The certificate itself: is it a Trial CPA Certificate of this environment, and does it agree with what it states?"""

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, NameOID

from verify.kit.evidence.identifiers import Environment
from verify.kit.evidence.parsing import extension, unknown_critical
from verify.kit.evidence.path import key_problem, policies_of
from verify.kit.evidence.statement import DEVICE_MEMBERS, DeviceClaim, Statement
from verify.kit.evidence.verdict import Code, Failure
from verify.kit.instants import written

EXAMPLE_ARC = "1.3.6.1.4.1.32473"
"""The documentation arc of RFC 5612: for test authorities only."""

_KNOWN = frozenset(
    {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.CERTIFICATE_POLICIES},
)
SIGNS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
"""The key usage of whoever signs and is no CA."""

_LONGEST_COMMON_NAME = 64
_SUBJECT = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER)


class Arc:
    """The object identifiers under a configured arc.

    Args:
        dotted: the arc, `1.3.6.1.4.1.32473.172`; ValueError if it is no object identifier.
    """

    def __init__(self, dotted: str) -> None:
        try:
            self.statement = x509.ObjectIdentifier(f"{dotted}.1")
        except ValueError:
            raise ValueError(f"{dotted} is no object identifier arc") from None
        self.dotted = dotted
        self.policies: dict[Environment, x509.ObjectIdentifier] = {
            "live": x509.ObjectIdentifier(f"{dotted}.2.1"),
            "test": x509.ObjectIdentifier(f"{dotted}.2.2"),
        }
        self.usage = x509.ObjectIdentifier(f"{dotted}.3.1")

    @property
    def is_example(self) -> bool:
        """Whether it lies under the documentation arc."""
        return f"{self.dotted}.".startswith(f"{EXAMPLE_ARC}.")


def environment_failures(certificate: x509.Certificate, arc: Arc, environment: Environment) -> tuple[Failure, ...]:
    """Return where test and live are mixed: what trusts one refuses the other."""
    found = policies_of(certificate)
    wanted = arc.policies[environment]
    failures = []
    if found != (wanted,):
        other = arc.policies["live" if environment == "test" else "test"]
        code = Code.ENVIRONMENT_MIXED if other in found else Code.PROFILE_BROKEN
        failures.append(Failure(code, f"The certificate's policy is not {wanted.dotted_string}, and only that."))
    if environment == "live" and arc.is_example:
        failures.append(
            Failure(Code.ENVIRONMENT_MIXED, "The arc is the one for documentation: no live authority has it.")
        )
    return tuple(failures)


def profile_failures(certificate: x509.Certificate, arc: Arc) -> tuple[Failure, ...]:
    """Return where the certificate is not of the profile, statement and policy aside."""
    problems = [
        *_critical_problems(certificate),
        *_usage_problems(certificate, arc),
        *_pointer_problems(certificate),
    ]
    problem = key_problem(certificate)
    if problem is not None:
        problems.append(problem)
    return tuple(Failure(Code.PROFILE_BROKEN, f"The certificate: {problem}.") for problem in problems)


def distribution_point(certificate: x509.Certificate) -> str | None:
    """Return the one URI at which the certificate says its list is; None if it names none or several."""
    found = extension(certificate.extensions, x509.CRLDistributionPoints)
    points = list(found.value) if found else []
    if len(points) != 1 or points[0].reasons or points[0].crl_issuer or not points[0].full_name:
        return None
    return _only_uri(points[0].full_name)


def statement_value(certificate: x509.Certificate, arc: Arc) -> bytes | None:
    """Return the octets of the TrialDeviceApproval extension; None if there is none, or it is critical."""
    for item in certificate.extensions:
        if item.oid == arc.statement and isinstance(item.value, x509.UnrecognizedExtension) and not item.critical:
            return item.value.value
    return None


def agreement_failures(
    certificate: x509.Certificate, statement: Statement, environment: Environment
) -> tuple[Failure, ...]:
    """Return where the certificate's own fields and its statement contradict each other (F2.25)."""
    identifier = str(statement.identifier)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    subject = certificate.subject
    contradictions = {
        "its subject is not one organisation, common name and serialNumber": (
            tuple(sorted(item.oid.dotted_string for item in subject))
            != tuple(sorted(oid.dotted_string for oid in _SUBJECT))
        ),
        "the subject's serialNumber is not the approval identifier": (
            _attributes(subject, NameOID.SERIAL_NUMBER) != [identifier]
        ),
        "the subject's common name is not the device": (
            _attributes(subject, NameOID.COMMON_NAME) not in [[name] for name in common_names(statement)]
        ),
        f"it ends at {written(end)} and its approval at {written(statement.expiry)}": end != statement.expiry,
        "its alternative name is not the approval's page": not _names_page(certificate, identifier),
        "its approval starts after it expires": statement.start > statement.expiry,
        "the first issue does not begin with the approval": statement.issue == 1 and begin != statement.start,
        "a later issue begins before the approval": begin < statement.start,
    }
    failures = [
        Failure(Code.STATEMENT_CONTRADICTS, f"The certificate contradicts itself: {problem}.")
        for problem, holds in contradictions.items()
        if holds
    ]
    if statement.identifier.environment != environment:
        failures.append(
            Failure(Code.ENVIRONMENT_MIXED, f"{identifier} is not an identifier of a {environment} authority.")
        )
    return tuple(failures)


def common_names(statement: Statement) -> tuple[str, ...]:
    """Return the CNs that the profile allows: the device if it fits into 64 characters, else the identifier.

    Widely used software counts octets of UTF-8, so between the two counts either is right.
    """
    device, identifier = statement.device, str(statement.identifier)
    described = f"{device.manufacturer} {device.model} {device.hardware_version}"
    if len(described.encode("utf-8")) <= _LONGEST_COMMON_NAME:
        return (described,)
    return (identifier,) if len(described) > _LONGEST_COMMON_NAME else (described, identifier)


def claim_failures(claim: DeviceClaim, statement: Statement) -> tuple[Failure, ...]:
    """Return where the device that somebody stands before is not the one approved. Strings compare without case."""
    device = statement.device
    asked = {name.replace("_", " "): (getattr(claim, name), getattr(device, name)) for name in DEVICE_MEMBERS}
    failures = [
        Failure(Code.DEVICE_NOT_APPROVED, f"The {name} is “{given}”; approved is “{approved}”.")
        for name, (given, approved) in asked.items()
        if given is not None and given.casefold() != approved.casefold()
    ]
    digests = {firmware.version.casefold(): firmware.image_digest for firmware in statement.firmware}
    version, image = claim.firmware_version, claim.image_digest
    if version is not None and version.casefold() not in digests:
        failures.append(Failure(Code.FIRMWARE_NOT_APPROVED, f"Firmware version “{version}” is not approved."))
    elif image is not None:
        approved = [digests[version.casefold()]] if version is not None else list(digests.values())
        if image.casefold() not in approved:
            failures.append(Failure(Code.FIRMWARE_HASH_MISMATCH, "The approval names another firmware image."))
    return tuple(failures)


def _critical_problems(certificate: x509.Certificate) -> list[str]:
    constraints = extension(certificate.extensions, x509.BasicConstraints)
    problems = [f"critical extension {oid} is not known" for oid in unknown_critical(certificate.extensions, _KNOWN)]
    if constraints is None or not constraints.critical or constraints.value.ca:
        problems.append("it does not say, critically, that it is no CA")
    return problems


def only_signs(certificate: x509.Certificate) -> bool:
    """Return whether the key of a certificate may sign, and nothing else, critically; and it is no CA's."""
    usage = extension(certificate.extensions, x509.KeyUsage)
    constraints = extension(certificate.extensions, x509.BasicConstraints)
    signs = usage is not None and usage.critical and usage.value == SIGNS
    return signs and (constraints is None or not constraints.value.ca)


def _usage_problems(certificate: x509.Certificate, arc: Arc) -> list[str]:
    usage = extension(certificate.extensions, x509.KeyUsage)
    extended = extension(certificate.extensions, x509.ExtendedKeyUsage)
    problems = []
    if usage is None or not usage.critical or usage.value != SIGNS:
        problems.append("its key usage is not digitalSignature alone, critically")
    if extended is None or list(extended.value) != [arc.usage]:
        problems.append(f"its extended key usage is not {arc.usage.dotted_string} alone")
    return problems


def _pointer_problems(certificate: x509.Certificate) -> list[str]:
    access = extension(certificate.extensions, x509.AuthorityInformationAccess)
    methods = {item.access_method for item in access.value} if access else set()
    problems = []
    if distribution_point(certificate) is None:
        problems.append("it does not name one place for its revocation list")
    if not {AuthorityInformationAccessOID.OCSP, AuthorityInformationAccessOID.CA_ISSUERS} <= methods:
        problems.append("it does not say where OCSP and its issuer's certificate are")
    return problems


def _names_page(certificate: x509.Certificate, identifier: str) -> bool:
    found = extension(certificate.extensions, x509.SubjectAlternativeName)
    uri = _only_uri(list(found.value)) if found else None
    return uri is not None and uri.endswith(f"/approvals/{identifier}")


def _only_uri(names: list[x509.GeneralName]) -> str | None:
    only = names[0] if len(names) == 1 else None
    return only.value if isinstance(only, x509.UniformResourceIdentifier) else None


def _attributes(subject: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(item.value) for item in subject.get_attributes_for_oid(oid)]
