"""The roster as the authority shows it: whose keys count, and for which authority they sign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.actors import Actor
from core.clauses import serves
from core.errors import NoRoster
from officers.passkey import new_passkey
from officers.roster import Member, members_digest, new_member, public_key_pem, read_members
from policy.roles import Operation
from ra.access import authorise
from ra.authorising import authority_shown, roster_shown
from ra.desk import Desk
from store.reading import authorisations as reading


@dataclass(frozen=True)
class SigningFor:
    """Which authority a statement is for.

    Args:
        name: as in every subject.
        root_key_sha256: of the root's public key (SubjectPublicKeyInfo, DER), hex.
    """

    name: str
    root_key_sha256: str


@dataclass(frozen=True, kw_only=True)
class RosterPasskeyAnswer:
    """What makes a key a passkey.

    Args:
        credential: the identifier by which browsers find it, hex.
        origin: of the pages that may ask it.
    """

    credential: str
    origin: str


@dataclass(frozen=True, kw_only=True)
class RosterMemberAnswer:
    """A key that counts, and whose it is.

    Args:
        officer: the name of their credential.
        key: its RFC 7638 thumbprint.
        public_key: SubjectPublicKeyInfo, PEM.
        passkey: null of a key in a file or a token.
    """

    officer: str
    key: str
    public_key: str
    passkey: RosterPasskeyAnswer | None = None

    def member(self) -> Member:
        """Return it as a value; RosterUnusable."""
        said = self.passkey
        passkey = None if said is None else new_passkey(bytes.fromhex(said.credential), said.origin)
        return new_member(self.officer, self.public_key.encode(), passkey)


@dataclass(frozen=True, kw_only=True)
class RosterNumberAnswer:
    """One roster of all that there were.

    Args:
        number: 1 for the first; each later one has the next.
        members: the keys on it.
        members_sha256: the digest of its members, which two people compare.
        effective_at: from when it counts; one that is not in force yet is shown too.
        cause: by what it was set.
        set_at: when the authority set it.
    """

    number: int
    members: tuple[RosterMemberAnswer, ...]
    members_sha256: str
    effective_at: datetime
    cause: str
    set_at: datetime


@dataclass(frozen=True, kw_only=True)
class RosterAnswer:
    """Whose keys count as officers'.

    Args:
        authority: what a statement has to name.
        number: of the roster in force.
        members: the keys that count; an officer may have two.
        effective_at: since when.
        cause: by what it was set.
        history: every roster in order, also one that is not in force yet.
    """

    authority: SigningFor
    number: int
    members: tuple[RosterMemberAnswer, ...]
    effective_at: datetime
    cause: str
    history: tuple[RosterNumberAnswer, ...]


@serves("F2.18")
def roster(desk: Desk, actor: Actor) -> RosterAnswer:
    """Show the roster in force.

    Args:
        desk: where.
        actor: who asks.

    Raises:
        NoRoster: none is in force yet.
        OperationNotPermitted: it is not for the actor's role.
    """
    authorise(actor, Operation.READ_ROSTER)
    at = desk.clock.now()
    with desk.store.read() as tx:
        authority = authority_shown(tx)
        held = roster_shown(tx, at)
        every = reading.shown_rosters(tx)
    if held is None:
        raise NoRoster
    return RosterAnswer(
        authority=SigningFor(authority.name, authority.root_key_sha256),
        number=held.number,
        members=_shown(held.members),
        effective_at=held.effective_at,
        cause=next(each.cause for each in every if each.number == held.number),
        history=tuple(
            RosterNumberAnswer(
                number=each.number,
                members=_shown(read_members(each.members)),
                members_sha256=members_digest(read_members(each.members)),
                effective_at=each.effective_at,
                cause=each.cause,
                set_at=each.set_at,
            )
            for each in every
        ),
    )


def _shown(members: Sequence[Member]) -> tuple[RosterMemberAnswer, ...]:
    return tuple(
        RosterMemberAnswer(
            officer=each.officer,
            key=each.key,
            public_key=public_key_pem(each.public_key),
            passkey=None
            if each.passkey is None
            else RosterPasskeyAnswer(credential=each.passkey.credential.hex(), origin=each.passkey.origin),
        )
        for each in members
    )
