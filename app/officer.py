"""An officer's own side: the key that signs, whose it is, for which authority, and by which clock.

What is signed is made here and nowhere else: by the command line, the story and the benches.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from core.canonical import Json, read_json
from core.clock import SystemClock
from core.errors import (
    AuthorityDiffers,
    InputUnusable,
    OfficerKeyNotOnRoster,
)
from core.kinds import AuthorisedAct
from officers import claims
from officers.identity import authority_of
from officers.proof import OfficersKey, sign
from officers.restore import LARGEST_FILE, Restore, ToSign, read_to_sign
from officers.roster import thumbprint
from officers.statement import (
    Authority,
    Claim,
    Listed,
    new_statement,
    parse_authorisation,
    parse_listed,
    revocation_digest,
)
from ra.authorising import Signed
from ra.roster import RosterAnswer
from ra.views import view_of
from verify.kit.evidence.parsing import Unreadable, one_certificate
from verify.kit.evidence.path import TEST_MARK

ROSTER_PATH = "/v1/roster"

LARGEST_AUTHORISATION = 512 * 1024
"""Octets of a file with one; one about a list of 2,000 decisions has 400,000."""

_ROOT = " Root"
"""What the common name of a root says behind the authority's name (ca/profile.py)."""


@dataclass(frozen=True, kw_only=True)
class Officer:
    """Somebody who signs.

    Args:
        name: of their credential, as the roster has it for their key.
        key: their own, P-256.
        authority: for which they sign.
    """

    name: str
    key: OfficersKey = field(repr=False)
    authority: Authority

    def signed(self, claim: Claim, at: datetime, members: Sequence[Listed] = ()) -> Signed:
        """Sign for an act.

        Args:
            claim: what the act says of itself.
            at: now, by the authority's clock (`signing_instant`).
            members: what the claim lists, if it is about several things.
        """
        statement = new_statement(self.authority, claim, officer=self.name, key=thumbprint(self.key.public_key), at=at)
        return Signed(authorisation=sign(statement, self.key), members=tuple(members))


def body_of(signed: Signed) -> dict[str, Json]:
    """Return what was signed as members of a request, and of a file."""
    listed: dict[str, Json] = {"listed": [each.document() for each in signed.members]} if signed.members else {}
    return {"authorisation": signed.authorisation.document(), **listed}


def to_revoke(approval: str, *, cause: str, invalidity_date: datetime | None, breach: str | None) -> Claim:
    """Return what an urgent revocation says of itself; arguments as of `revocation_digest`."""
    order = revocation_digest(approval, cause=cause, invalidity_date=invalidity_date, breach=breach)
    return claims.to_revoke(approval, order)


class Hand:
    """Whoever signs what is done; nobody where the authority has no roster.

    Args:
        officer: who signs; None where no roster asks for it.
        now: asks the service for its instant.
        given: what was signed elsewhere, instead.
    """

    def __init__(self, officer: Officer | None, now: Callable[[], datetime], given: Signed | None = None) -> None:
        self.officer = officer
        self._now = now
        self._given = given

    @property
    def signs(self) -> bool:
        """Whether anything is signed."""
        return self.officer is not None or self._given is not None

    def for_claim(self, claim: Claim, members: Sequence[Listed] = ()) -> dict[str, Json]:
        """Return the members of a request by which an act is authorised; none where nothing is signed."""
        if self._given is not None:
            return body_of(self._given)
        if self.officer is None:
            return {}
        return body_of(self.officer.signed(claim, signing_instant(self.officer.authority, self._now()), members))

    def for_decision(self, act: AuthorisedAct, listed: Listed) -> dict[str, Json]:
        """Return the same for an act about one decision."""
        return self.for_claim(claims.about(act, listed))

    def for_decisions(self, act: AuthorisedAct, listed: Sequence[Listed]) -> dict[str, Json]:
        """Return the same for an act about several, by one statement over their list."""
        return self.for_claim(*claims.about_all(act, listed))


# --- who signs, and for whom -----------------------------------------------------------------------------------------


def roster_read(octets: bytes | str) -> RosterAnswer:
    """Return the roster as a service answered with it; ValueError if it is none."""
    return view_of(RosterAnswer, octets)


def officer_on(roster: RosterAnswer, key: OfficersKey, pinned: Authority | None = None) -> Officer:
    """Return who signs with a key.

    Args:
        roster: as the service shows it; the authority asks its memory, and not this.
        key: the officer's own.
        pinned: the authority by the root that the officer holds; None believes what the service shows.

    Raises:
        OfficerKeyNotOnRoster: the key does not count.
        AuthorityDiffers: the service is another authority's.
    """
    authority = Authority(name=roster.authority.name, root_key_sha256=roster.authority.root_key_sha256)
    return _officer(authority, {each.key: each.officer for each in roster.members}, key, pinned)


def officer_for_restore(restore: Restore, key: OfficersKey, pinned: Authority | None = None) -> Officer:
    """Return who signs with a key for what a register gets again: by the roster that is signed for with it.

    Raises:
        OfficerKeyNotOnRoster: the key does not count, or nobody's does.
        AuthorityDiffers: it is another authority's register.
    """
    members = () if restore.roster is None else restore.roster.members
    return _officer(restore.authority, {each.key: each.officer for each in members}, key, pinned)


def _officer(authority: Authority, counting: Mapping[str, str], key: OfficersKey, pinned: Authority | None) -> Officer:
    if pinned is not None and pinned != authority:
        shown = f"{authority.name}, root's key {authority.root_key_sha256[:16]}"
        detail = f"it is {shown}, and yours {pinned.name}, {pinned.root_key_sha256[:16]}"
        raise AuthorityDiffers(detail=detail)
    identifier = thumbprint(key.public_key)
    if identifier not in counting:
        raise OfficerKeyNotOnRoster(key=identifier)
    return Officer(name=counting[identifier], key=key, authority=authority)


def authority_pinned(path: Path) -> Authority:
    """Return the authority of a root's certificate that an officer holds.

    Args:
        path: of the certificate, DER or PEM.

    Raises:
        InputUnusable: it is no root's.
    """
    try:
        root = one_certificate(path.read_bytes())
        (name,) = root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except OSError as error:
        raise InputUnusable(path=path, detail=f"it cannot be read ({error.strerror}).") from None
    except (Unreadable, ValueError) as error:
        raise InputUnusable(path=path, detail=f"it is no root's certificate ({error}).") from None
    said = str(name.value)
    if not said.endswith(_ROOT) or root.issuer != root.subject:
        raise InputUnusable(path=path, detail="it is no root's certificate.")
    return authority_of(said.removesuffix(_ROOT), root.public_bytes(Encoding.DER))


def signing_instant(authority: Authority, said: datetime) -> datetime:
    """Return from when a statement is valid.

    A service that could choose it would be handed statements for another year. Only for a test authority, whose clock
    may run ahead, it is believed; its name is in what is signed.

    Args:
        authority: for which is signed.
        said: the service's own instant (`/v1/authority`, `now`).
    """
    return said if authority.name.startswith(f"{TEST_MARK} ") else SystemClock().now()


def authorisation_in(path: Path) -> Signed:
    """Return what an officer signed elsewhere (trialcpa officer sign).

    Raises:
        InputUnusable: the file cannot be read, or holds none.
        AuthorisationRefused: it is none of this form.
    """
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST_AUTHORISATION + 1)
        if len(octets) > LARGEST_AUTHORISATION:
            raise InputUnusable(path=path, detail=f"it is larger than {LARGEST_AUTHORISATION // 1024} KiB.")
        said = read_json(octets)
        authorisation, listed = dict(said["authorisation"]), list(said.get("listed", []))
    except OSError as error:
        raise InputUnusable(path=path, detail=f"it cannot be read ({error.strerror}).") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputUnusable(path=path, detail="it is not what trialcpa officer sign prints.") from None
    members = parse_listed(listed) if listed else ()
    return Signed(authorisation=parse_authorisation(authorisation), members=members)


def to_sign_in(path: Path) -> ToSign:
    """Return what a file holds that officers sign for (trialcpa store accept-restore --to-sign).

    Raises:
        InputUnusable: the file cannot be read.
        AuthorisationRefused: it holds something else.
    """
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InputUnusable(path=path, detail=f"it cannot be read ({error.strerror}).") from None
    return read_to_sign(octets)
