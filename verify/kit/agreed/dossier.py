"""A decision's dossier: the parts that a folder or a ZIP holds, read in doubt, and what is trusted from outside."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from verify.kit.agreed.chain import journal_name
from verify.kit.agreed.journal import Export, read_export
from verify.kit.agreed.roster import Member, Unusable, read_members
from verify.kit.agreed.statements import Authorisation, Authority, Listed, Refused, read_authorisation, read_listed
from verify.kit.canonical import read
from verify.kit.evidence.parsing import PARSE_ERRORS, Unreadable, issued_by, one_certificate, several_certificates

DECISION, PROPOSAL, CERTIFICATE = "decision.json", "proposal.json", "certificate.pem"
AUTHORISATIONS, ROSTERS, ORDERS, JOURNAL = "authorisations.json", "rosters.json", "orders.json", "journal.jsonl"
LOG = "log.json"

PARTS: Mapping[str, int] = {
    DECISION: 64 * 1024,
    PROPOSAL: 4 * 1024 * 1024,
    CERTIFICATE: 256 * 1024,
    AUTHORISATIONS: 64 * 1024 * 1024,
    ROSTERS: 16 * 1024 * 1024,
    ORDERS: 16 * 1024 * 1024,
    JOURNAL: 1024 * 1024 * 1024,
    LOG: 4 * 1024 * 1024,
}
"""The files of a dossier, with the most octets that are read of each; any other file is passed over."""

_ROOT = " Root"
"""What the common name of a root has behind the authority's name."""

_OFFICER = re.compile(r"^Officer +([A-Za-z0-9_-]{43}) (.+)$", re.MULTILINE)
_LOG_KEY = re.compile(r"^Log key +(\S+)$", re.MULTILINE)
_JOURNAL_KEY = re.compile(r"^ +SHA-256 +([0-9a-f]{64}) of the journal's key$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Signed:
    """What an officer signed, as the dossier has it.

    Args:
        authorisation: the statement and its proof; nothing of it is proved yet.
        members: what the statement lists, if it is about several things.
    """

    authorisation: Authorisation
    members: tuple[Listed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dossier:
    """The parts of a dossier; None is a part that is not there.

    Args:
        decision: its identifier.
        proposal: the octets whose digest officers signed.
        certificates: the certificate, then the CAs above it, and so on for each; empty where none is there.
        authorisations: by the digests of their statements.
        rosters: members by the number of the roster.
        orders: bodies of orders by their digests.
        journal: rows and heads.
        log: what the public log says of the approval, with its proof; nothing of it is proved yet.
    """

    decision: str | None
    proposal: bytes | None
    certificates: Sequence[x509.Certificate]
    authorisations: Mapping[str, Signed] | None
    rosters: Mapping[int, tuple[Member, ...]] | None
    orders: Mapping[str, str]
    journal: Export | None
    log: object = None


@dataclass(frozen=True, kw_only=True)
class Trusted:
    """What is trusted, from outside.

    Args:
        root: the certificate of the authority's root.
        journal_key: of the journal: SubjectPublicKeyInfo, DER; None where only the transcript is at hand.
        journal_key_sha256: of the same, hex, as the transcript says it.
        officers: thumbprint and officer of each key that counted first, as the transcript says them; None without one.
        log_key: of the public log, as the transcript says it, as verifiers take it; None where it says none.
    """

    root: x509.Certificate
    journal_key: bytes | None = None
    journal_key_sha256: str | None = None
    officers: frozenset[tuple[str, str]] | None = None
    log_key: str | None = None

    @property
    def authority(self) -> Authority:
        """The authority whose root it is, as statements name it."""
        named = self.root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(named[0].value) if len(named) == 1 else ""
        key = self.root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return Authority(name=name.removesuffix(_ROOT), root_key_sha256=hashlib.sha256(key).hexdigest())

    @property
    def journal(self) -> str:
        """The name that the authority's journal heads are signed under."""
        return journal_name(self.authority.name)

    def key_for(self, export: Export) -> bytes | None:
        """Return the journal's key: the one handed in, or the export's if the transcript says its digest."""
        if self.journal_key is not None:
            return self.journal_key
        same = hashlib.sha256(export.key).hexdigest() == self.journal_key_sha256
        return export.key if same else None


def trusted(
    root: bytes, *, journal_key: bytes | None = None, transcript: bytes | None = None, signature: bytes | None = None
) -> Trusted:
    """Return what is trusted.

    Args:
        root: the root's certificate, DER or PEM.
        journal_key: SubjectPublicKeyInfo, DER.
        transcript: of the ceremony.
        signature: the root's over the transcript, DER.

    Raises:
        Unreadable: one of them is not what it is taken for, or the root has not signed itself, or the transcript.
    """
    anchor = one_certificate(root)
    if not issued_by(anchor, anchor):
        raise Unreadable("the root does not sign itself")
    if transcript is None:
        return Trusted(root=anchor, journal_key=journal_key)
    key = anchor.public_key()
    try:
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise Unreadable("the root's key is none of ours")
        key.verify(signature or b"", transcript, ec.ECDSA(hashes.SHA256()))
        said = transcript.decode()
    except (InvalidSignature, *PARSE_ERRORS):
        raise Unreadable("the root has not signed this transcript") from None
    return Trusted(
        root=anchor,
        journal_key=journal_key,
        journal_key_sha256=journal_key_of(transcript),
        officers=frozenset(_OFFICER.findall(said)),
        log_key=next(iter(_LOG_KEY.findall(said)), None),
    )


def journal_key_of(transcript: bytes) -> str | None:
    """Return the SHA-256 of the journal's key, hex, as a ceremony's transcript says it; None if it says none, or two.

    Args:
        transcript: its octets; who signed it is for the caller to find out.
    """
    digests = _JOURNAL_KEY.findall(transcript.decode("utf-8", "replace"))
    return digests[0] if len(digests) == 1 else None


def read_dossier(files: Mapping[str, bytes]) -> Dossier:
    """Return the parts that some files hold; nothing of them is proved.

    Args:
        files: by name.

    Raises:
        Unreadable: a part is not what its name says.
    """
    try:
        return _read(files)
    except UnicodeError:
        raise Unreadable("a part holds half a character") from None


def _read(files: Mapping[str, bytes]) -> Dossier:
    authorisations, rosters = files.get(AUTHORISATIONS), files.get(ROSTERS)
    named = _json(DECISION, files[DECISION]) if DECISION in files else None
    return Dossier(
        decision=None if named is None else _member(DECISION, named, "decision", str),
        proposal=files.get(PROPOSAL),
        certificates=_certificates(files.get(CERTIFICATE)),
        authorisations=None if authorisations is None else _authorisations(authorisations),
        rosters=None if rosters is None else _rosters(rosters),
        orders=_orders(files.get(ORDERS, b"[]")),
        journal=_journal(files[JOURNAL]) if JOURNAL in files else None,
        log=_json(LOG, files[LOG]) if LOG in files else None,
    )


def _certificates(octets: bytes | None) -> tuple[x509.Certificate, ...]:
    """Return the certificates of PEM in its one form (RFC 7468, 3): readers differ in what else they pass over."""
    try:
        found = () if octets is None else several_certificates((octets,))
    except Unreadable as error:
        raise Unreadable(f"{CERTIFICATE}: {error}") from None
    if b"".join(each.public_bytes(Encoding.PEM) for each in found) != (octets or b""):
        raise Unreadable(f"{CERTIFICATE} is not PEM in its one form")
    return found


def _authorisations(octets: bytes) -> dict[str, Signed]:
    found = {}
    for each in _list(AUTHORISATIONS, octets):
        try:
            authorisation = read_authorisation({name: each.get(name) for name in ("statement", "key", "proof")})
            listed = each.get("listed")
            members = () if listed is None else read_listed(listed)
        except Refused as error:
            raise Unreadable(f"{AUTHORISATIONS}: {error}") from None
        found[authorisation.sha256] = Signed(authorisation=authorisation, members=members)
    return found


def _rosters(octets: bytes) -> dict[int, tuple[Member, ...]]:
    found: dict[int, tuple[Member, ...]] = {}
    for each in _list(ROSTERS, octets):
        number = _member(ROSTERS, each, "number", int)
        try:
            members = read_members(each.get("members"))
        except (Unusable, *PARSE_ERRORS) as error:
            raise Unreadable(f"{ROSTERS}: roster {number}: {error}") from None
        if found.setdefault(number, members) != members:
            raise Unreadable(f"{ROSTERS}: roster {number} is there twice, and not the same")
    return found


def _orders(octets: bytes) -> dict[str, str]:
    bodies = [_member(ORDERS, each, "body", str) for each in _list(ORDERS, octets)]
    return {hashlib.sha256(body.encode()).hexdigest(): body for body in bodies}


def _journal(octets: bytes) -> Export:
    try:
        return read_export(octets)
    except Unreadable as error:
        raise Unreadable(f"{JOURNAL}: {error}") from None


def _list(name: str, octets: bytes) -> list[Mapping[str, Any]]:
    found = _json(name, octets)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Unreadable(f"{name} is no list of JSON objects")
    return found


def _json(name: str, octets: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return read(octets)
    except ValueError:
        raise Unreadable(f"{name} is no JSON") from None


def _member(name: str, said: object, member: str, kind: type[Any]) -> Any:  # noqa: ANN401 - of that kind
    found = said.get(member) if isinstance(said, dict) else None
    if type(found) is not kind:
        raise Unreadable(f"{name} does not say which {member}")
    return found
