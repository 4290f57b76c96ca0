"""What may be ordered of the authority: one body for each kind, with the command that it becomes."""

from typing import Annotated, Literal, TypeAlias, assert_never

from pydantic import Field, RootModel

from api.forms.authorising import AuthorisedBody
from api.forms.fields import Body, Name, Words
from core.kinds import OrderKind
from officers.order import LONGEST_WHY
from officers.passkey import LONGEST_CREDENTIAL, LONGEST_ORIGIN, new_passkey
from officers.roster import LARGEST_KEY_FILE, MOST, Member, new_member
from ra.ordering.order import ChangeRoster, StartIssuing, StopIssuing

_Why: TypeAlias = Annotated[Words, Field(max_length=LONGEST_WHY, description="Why, in a sentence.")]


class StopBody(Body):
    """Halt everything that ends in a certificate; one officer authorises it."""

    kind: Literal[OrderKind.STOP_ISSUING]
    why: _Why

    def command(self) -> StopIssuing:
        """Return what is ordered."""
        return StopIssuing(self.why)


class StartBody(Body):
    """Go on with it; two officers authorise it."""

    kind: Literal[OrderKind.START_ISSUING]
    why: _Why

    def command(self) -> StartIssuing:
        """Return what is ordered."""
        return StartIssuing(self.why)


class AddedPasskeyBody(Body):
    """What makes a key a passkey."""

    credential: Annotated[
        str,
        Field(
            pattern="^([0-9a-f]{2})+$",
            max_length=2 * LONGEST_CREDENTIAL,
            description="The identifier by which browsers find it, hexadecimal.",
        ),
    ]
    origin: Annotated[str, Field(max_length=LONGEST_ORIGIN, description="Of the pages that may ask it.")]


class AddedKeyBody(Body):
    """A key that is to count, and whose it is."""

    officer: Name
    public_key: Annotated[
        str, Field(max_length=LARGEST_KEY_FILE, description="SubjectPublicKeyInfo of a P-256 key, PEM.")
    ]
    passkey: Annotated[AddedPasskeyBody | None, Field(description="Left out of a key in a file or a token.")] = None

    def member(self) -> Member:
        """Return the key; RosterUnusable."""
        said = self.passkey
        passkey = None if said is None else new_passkey(bytes.fromhex(said.credential), said.origin)
        return new_member(self.officer, self.public_key.encode(), passkey)


class ChangeBody(Body):
    """Count other keys; two officers authorise it whose keys neither come nor go."""

    kind: Literal[OrderKind.CHANGE_ROSTER]
    why: _Why
    add: Annotated[tuple[AddedKeyBody, ...], Field(max_length=MOST, strict=False)] = ()
    remove: Annotated[
        tuple[Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43}$")], ...],
        Field(max_length=MOST, strict=False, description="RFC 7638 thumbprints of keys on the roster."),
    ] = ()

    def command(self) -> ChangeRoster:
        """Return what is ordered; RosterUnusable if a key is none."""
        added = tuple(each.member() for each in self.add)
        return ChangeRoster(why=self.why, add=added, remove=self.remove)


AnyOrder: TypeAlias = StopBody | StartBody | ChangeBody


def body_of(kind: OrderKind) -> type[AnyOrder]:
    """Return the body that orders a kind of thing."""
    match kind:
        case OrderKind.STOP_ISSUING:
            return StopBody
        case OrderKind.START_ISSUING:
            return StartBody
        case OrderKind.CHANGE_ROSTER:
            return ChangeBody
        case _:
            assert_never(kind)


class OrderBody(RootModel[Annotated[AnyOrder, Field(discriminator="kind")]]):
    """What is ordered; `kind` says which."""


class OrderAuthorisationBody(AuthorisedBody):
    """What an officer has signed for an order: its act is the order's kind, its proposal the order's body."""
