"""What may be ordered of the authority: one body for each kind, with the command that it becomes."""

from typing import Annotated, Literal, TypeAlias, assert_never

from pydantic import Field, RootModel

from api.forms.authorising import AuthorisedBody
from api.forms.fields import Body, Name, Words
from core.kinds import OrderKind
from officers.order import LONGEST_WHY
from officers.roster import LARGEST_KEY_FILE, MOST, new_member
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


class AddedKeyBody(Body):
    """A key that is to count, and whose it is."""

    officer: Name
    public_key: Annotated[
        str, Field(max_length=LARGEST_KEY_FILE, description="SubjectPublicKeyInfo of a P-256 key, PEM.")
    ]


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
        added = tuple(new_member(each.officer, each.public_key.encode()) for each in self.add)
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
