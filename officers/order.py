"""What officers order the authority to do, as a value: its body is canonical JSON, and what they sign is its digest.

To stop issuing takes one officer; to start again, or to change whose keys count, two who are not the person concerned.
What comes from outside, a row of the register included, is parsed here and nowhere else.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias, assert_never

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from core.canonical import Json, canonical, read_json
from core.errors import OrderRefused, RosterUnusable
from core.kinds import OrderKind
from officers.parsing import STRICT, Hex, Thumbprint, Word, first_of
from officers.passkey import WrittenPasskey
from officers.roster import MOST, Member, Roster, new_member, require_usable

LONGEST_WHY = 2_000
"""Characters of why something is ordered."""

MOST_OCTETS = 64 * 1024
"""Octets of a body: every key of a roster is taken away and another one added in a third of this."""


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Issuing stands from the moment in which the authority takes this up.

    Args:
        why: in a sentence.
    """

    why: str


@dataclass(frozen=True, kw_only=True)
class Start:
    """Issuing goes on.

    Args:
        why: in a sentence.
        ends: the order that stopped it: what was agreed to about one stop starts nothing after another.
    """

    why: str
    ends: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """Other keys count.

    Args:
        why: in a sentence.
        roster: the number of the roster that is changed, which is in force.
        number: of the roster that comes of it: one above the newest, which may be one that waits to come into force.
        add: keys that count from then on.
        remove: thumbprints of keys that do not any more.
    """

    why: str
    roster: int
    number: int
    add: tuple[Member, ...] = ()
    remove: tuple[str, ...] = ()


Ordered: TypeAlias = Stop | Start | Change


def kind_of(ordered: Ordered) -> OrderKind:
    """Return the kind of an order."""
    match ordered:
        case Stop():
            return OrderKind.STOP_ISSUING
        case Start():
            return OrderKind.START_ISSUING
        case Change():
            return OrderKind.CHANGE_ROSTER
        case _:
            assert_never(ordered)


def written(ordered: Ordered) -> str:
    """Return the body of an order: the canonical JSON whose digest officers sign."""
    said: dict[str, Json] = {"kind": kind_of(ordered).value, "why": ordered.why}
    match ordered:
        case Stop():
            pass
        case Start():
            said["ends"] = ordered.ends
        case Change():
            said["roster"], said["number"] = ordered.roster, ordered.number
            said["add"] = [_added(each) for each in ordered.add]
            said["remove"] = list(ordered.remove)
        case _:
            assert_never(ordered)
    return canonical(said).decode()


def _added(member: Member) -> dict[str, Json]:
    said: dict[str, Json] = {"officer": member.officer, "public_key": member.public_key.hex()}
    return said if member.passkey is None else {**said, "passkey": member.passkey.document()}


def body_sha256(body: str) -> str:
    """Return the hex digest of a body, which stands in statements about it for a proposal's."""
    return hashlib.sha256(body.encode()).hexdigest()


def officers_wanted(kind: OrderKind) -> int:
    """Return how many officers have to authorise an order of a kind."""
    match kind:
        case OrderKind.STOP_ISSUING:
            return 1
        case OrderKind.START_ISSUING | OrderKind.CHANGE_ROSTER:
            return 2
        case _:
            assert_never(kind)


def changed(roster: Roster, change: Change) -> tuple[Member, ...]:
    """Return the members of the roster that comes of a change.

    Raises:
        RosterUnusable: it takes away a key that is not there, adds one that is, leaves fewer than two officers, or
            changes nothing although nothing waits that it would stop.
    """
    gone = [roster.member(key) for key in change.remove]
    if None in gone or len(set(change.remove)) < len(change.remove):
        raise RosterUnusable(detail="a key that is to go is not on it, or is named twice")
    if not change.add and not change.remove and change.number == roster.number + 1:
        raise RosterUnusable(detail="nothing is to be changed, and no other roster waits")
    kept = tuple(each for each in roster.members if each.key not in change.remove)
    members = (*kept, *change.add)
    require_usable(members)
    return members


def concerned(roster: Roster, change: Change) -> frozenset[str]:
    """Return the people whose keys come or go: none of them counts among those who authorise it."""
    gone = (roster.member(key) for key in change.remove)
    return frozenset({*(each.officer for each in change.add), *(each.officer for each in gone if each is not None)})


def counting(ordered: Ordered, signers: Collection[tuple[str, str]], roster: Roster) -> frozenset[str]:
    """Return the people who count among those who have signed for an order.

    Args:
        ordered: the order.
        signers: officer and thumbprint of each key that signed.
        roster: who counts now.
    """
    people = {officer for officer, key in signers if (held := roster.member(key)) and held.officer == officer}
    return frozenset(people - concerned(roster, ordered) if isinstance(ordered, Change) else people)


# --- parsing ---------------------------------------------------------------------------------------------------------

_Why = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_WHY)]


class _Body(BaseModel):
    model_config = STRICT
    kind: Word
    why: _Why


class _Start(_Body):
    ends: Word


class _Key(BaseModel):
    model_config = STRICT
    officer: Word
    public_key: Hex
    passkey: WrittenPasskey | None = None


class _Change(_Body):
    roster: Annotated[int, Field(ge=1)]
    number: Annotated[int, Field(ge=2)]
    add: Annotated[list[_Key], Field(max_length=MOST)]
    remove: Annotated[list[Thumbprint], Field(max_length=MOST)]


def read_order(kind: OrderKind, body: str) -> Ordered:
    """Return the order that a body says.

    Args:
        kind: what it is kept as.
        body: as it was kept, or sent.

    Raises:
        OrderRefused: it is no order of that kind, or not in canonical form.
    """
    if len(body) > MOST_OCTETS:
        raise OrderRefused(detail=f"its body has more than {MOST_OCTETS} characters")
    try:
        document = read_json(body)
        if not isinstance(document, dict):
            raise OrderRefused(detail="its body is no JSON object")
        ordered = _read(kind, document)
    except ValidationError as error:
        raise OrderRefused(detail=first_of(error)) from None
    except RosterUnusable as error:
        raise OrderRefused(detail=str(error)) from None
    except ValueError:
        raise OrderRefused(detail="its body is no JSON") from None
    if written(ordered) != body:
        raise OrderRefused(detail="its body is of another kind, or not in canonical form")
    return ordered


def _read(kind: OrderKind, document: Mapping[str, object]) -> Ordered:
    match kind:
        case OrderKind.STOP_ISSUING:
            return Stop(why=_Body.model_validate(document).why)
        case OrderKind.START_ISSUING:
            start = _Start.model_validate(document)
            return Start(why=start.why, ends=start.ends)
        case OrderKind.CHANGE_ROSTER:
            change = _Change.model_validate(document)
            added = [
                new_member(
                    each.officer,
                    bytes.fromhex(each.public_key),
                    None if each.passkey is None else each.passkey.passkey(),
                )
                for each in change.add
            ]
            return Change(
                why=change.why,
                roster=change.roster,
                number=change.number,
                add=tuple(added),
                remove=tuple(change.remove),
            )
        case _:
            assert_never(kind)


def _called(member: Member) -> str:
    return "The key" if member.passkey is None else f"The passkey for {member.passkey.origin},"


def in_words(ordered: Ordered, roster: Roster | None) -> Sequence[str]:
    """Return what an order does, a sentence each, for the officer who signs for it.

    Args:
        ordered: the order.
        roster: the one in force, as it is known, which says whose the keys are that go.
    """
    match ordered:
        case Stop():
            said = ["Nothing is drafted and nothing is signed until two officers start it again. Status goes on."]
        case Start():
            said = [f"Issuing goes on, which order {ordered.ends} had stopped."]
        case Change():
            said = [f"Roster {ordered.number} comes of roster {ordered.roster}."]
            said += [f"{_called(each)} {each.key} of {each.officer} counts from then on." for each in ordered.add]
            for key in ordered.remove:
                held = None if roster is None else roster.member(key)
                whose = "of nobody on the roster that is shown" if held is None else f"of {held.officer}"
                said.append(f"The key {key} {whose} counts no more.")
            if not ordered.add and not ordered.remove:
                said.append("Its members stay; the roster that waits does not come into force.")
        case _:
            assert_never(ordered)
    return [*said, f"Why: {ordered.why}"]
