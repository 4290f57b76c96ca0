"""What all certificates of one authority have in common: environment, object identifiers, names and addresses.

Fixed at the ceremony. Derived from here and written nowhere else: every OID under the arc, every URL, every CN.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from core.chain import journal_name
from core.errors import ExampleArc, ExampleBaseUrl, ProfileInvalid
from core.identifiers import Environment, environment_named

DOCUMENTATION_ARC = "1.3.6.1.4.1.32473"
"""Kept for examples (RFC 5612)."""

TEST_ARC = f"{DOCUMENTATION_ARC}.172"
"""The arc of a test authority; 172 for MP172."""

DEFAULT_ORGANISATION = "Smart Energy Code Security Sub-Committee"

LONGEST_NAME = 64
"""Upper bound of organizationName, commonName and serialNumber (RFC 5280, appendix A.1: ub-organization-name, …)."""

# Room for " Issuing CA 999" behind the authority's name.
_LONGEST_AUTHORITY_NAME = LONGEST_NAME - 15

# The first two arcs as X.660 has them; 2.25 (UUIDs) is left out: widely used parsers cannot read numbers that long.
_ARC = re.compile(r"(?:[01]\.(?:0|[1-3]?[1-9]|[1-3]0)|2\.(?:0|[1-9][0-9]{0,8}))(?:\.(?:0|[1-9][0-9]{0,8}))+")
_EXAMPLE_DOMAINS = ("localhost", "example", "test", "invalid", "local", "example.com", "example.net", "example.org")


@dataclass(frozen=True)
class Profile:
    """One authority's profile.

    Args:
        environment: test or live.
        arc: the object identifier everything of ours hangs under, dotted, for example TEST_ARC.
        base_url: the public base, `http://` or `https://`, without a slash at the end.
        name: begins the CN of every certificate of the hierarchy; in a test authority it begins with TEST.
        organisation: the O of the hierarchy's certificates.

    Raises:
        ProfileInvalid: a name, arc or base that cannot be used.
        ExampleArc: live and under the documentation arc.
        ExampleBaseUrl: live and on a name or address that nobody else can reach.
    """

    environment: Environment
    arc: str
    base_url: str
    name: str
    organisation: str = DEFAULT_ORGANISATION

    def __post_init__(self) -> None:
        _check_names(self)
        _check_arc(self)
        _check_base(self)

    # --- object identifiers, dotted (design: the arc) ---

    @property
    def extension_oid(self) -> str:
        """Of the certificate extension trialDeviceApproval."""
        return f"{self.arc}.1"

    @property
    def policy_oid(self) -> str:
        """Of the certificate policy of this environment; the other one is never ours."""
        return f"{self.arc}.2.{1 if self.environment == 'live' else 2}"

    @property
    def statement_oid(self) -> str:
        """Of the extended key usage: a Trial CPA statement, and good for nothing else."""
        return f"{self.arc}.3.1"

    # --- addresses ---

    @property
    def pointer_base(self) -> str:
        """The base of the addresses inside certificates: always http.

        Fetching a CRL over https would need a certificate that needs a CRL (RFC 5280, 8).
        """
        return f"http://{self.base_url.removeprefix('https://').removeprefix('http://')}"

    def crl_url(self, key_id: str) -> str:
        """Where the CRL of the CA with this key identifier (lower-case hex) is."""
        return f"{self.pointer_base}/crl/{key_id}.crl"

    def issuer_url(self, key_id: str) -> str:
        """Where the certificate of the CA with this key identifier (lower-case hex) is."""
        return f"{self.pointer_base}/ca/{key_id}.cer"

    @property
    def ocsp_url(self) -> str:
        """Where OCSP requests go."""
        return f"{self.pointer_base}/ocsp"

    def approval_url(self, identifier: str) -> str:
        """Return the public status page of an approval: the certificate's subjectAltName."""
        return f"{self.base_url}/approvals/{identifier}"

    # --- names ---

    @property
    def root_name(self) -> str:
        """CN of the root."""
        return f"{self.name} Root"

    def issuing_name(self, number: int) -> str:
        """CN of issuing CA `number` (1, 2, …)."""
        return f"{self.name} Issuing CA {number}"

    @property
    def responder_name(self) -> str:
        """CN of every OCSP responder."""
        return f"{self.name} OCSP Responder"

    @property
    def statement_name(self) -> str:
        """CN of every statement signer."""
        return f"{self.name} Statement Signer"

    @property
    def journal_name(self) -> str:
        """The name that the journal's heads are signed under."""
        return journal_name(self.name)


def _check_names(profile: Profile) -> None:
    for field, value, longest in (
        ("name", profile.name, _LONGEST_AUTHORITY_NAME),
        ("organisation", profile.organisation, LONGEST_NAME),
    ):
        if not 1 <= len(value.encode("utf-8", "replace")) <= longest or not value.isprintable():
            detail = f"it must have 1 to {longest} octets, all printable"
            raise ProfileInvalid(field=field, value=value, detail=detail)
        if value != value.strip():
            raise ProfileInvalid(field=field, value=value, detail="it begins or ends with a blank")
    # Test keys that were taken for production keys are the usual accident elsewhere: the name says it first.
    if environment_named(profile.name) != profile.environment:
        detail = "the name of a test authority begins with TEST, that of a live one does not"
        raise ProfileInvalid(field="name", value=profile.name, detail=detail)


def _check_arc(profile: Profile) -> None:
    if not _ARC.fullmatch(profile.arc) or profile.arc.startswith("2.25."):
        detail = "it must be an object identifier such as 1.3.6.1.4.1.99999.1, each number at most nine digits"
        raise ProfileInvalid(field="arc", value=profile.arc, detail=detail)
    documentation = f"{profile.arc}.".startswith(f"{DOCUMENTATION_ARC}.")
    if profile.environment == "live" and documentation:
        raise ExampleArc(arc=profile.arc)


def _check_base(profile: Profile) -> None:
    base = profile.base_url
    try:
        parts = urlsplit(base)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ProfileInvalid(field="base_url", value=base, detail=str(error)) from error
    problem = _problem_of_base(base, parts, host, port)
    if problem:
        raise ProfileInvalid(field="base_url", value=base, detail=problem)
    if profile.environment == "live" and _leads_nowhere(host or ""):
        raise ExampleBaseUrl(base_url=base)
    if "." not in (host or "") and ":" not in (host or ""):
        # The lint reads a URL's host as a name of the public Internet, and would refuse every certificate.
        raise ProfileInvalid(field="base_url", value=base, detail="its host must be an address or a name with a dot")


def _problem_of_base(base: str, parts: SplitResult, host: str | None, port: int | None) -> str:
    if not base.isascii() or not base.isprintable() or any(character in base for character in ' "<>\\^`{|}'):
        return "it holds a character that no URL has"
    if not base.startswith(("http://", "https://")) or not host:
        return "it must begin with http:// or https:// and name a host"
    if base.endswith("/") or parts.query or parts.fragment or "?" in base or "#" in base or "@" in parts.netloc:
        return "it must have no slash at its end, no query, no fragment and no user"
    if parts.scheme == "https" and port is not None:
        return "pointers in certificates are http, so an https base cannot name a port"
    return ""


def _leads_nowhere(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.rstrip(".").lower()
        return any(name == domain or name.endswith(f".{domain}") for domain in _EXAMPLE_DOMAINS)
    # Documentation networks (RFC 5737, RFC 3849) are private to this library, as are those behind a home router.
    return not address.is_global
