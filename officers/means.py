"""By what means officers authorise, and for what a passkey alone is not enough.

A page that was taken over shows one thing and has a passkey answer for another. So wherever something is issued,
wherever what stands is widened, and wherever it is decided whose keys count, one at least of those who authorise does
so with a key in a file or a token: the tool that signs with it fetches, recomputes and shows by itself what it signs
for (`trialcpa officer`). No setting lowers this, of a test authority neither.
"""

from collections.abc import Iterable
from typing import assert_never

from core.kinds import DecisionKind, OrderKind
from officers.roster import Roster

WANTING = "all who signed for it did so by a passkey, and one at least must by a key in a file or a token"


def key_wanted(kind: DecisionKind) -> bool:
    """Return whether a decision of a kind needs an officer who signs with a key in a file or a token.

    What ends something does not: by a page that lies an approval may end too soon, and none comes to be.
    """
    match kind:
        case DecisionKind.GRANT | DecisionKind.AMEND | DecisionKind.REKEY | DecisionKind.WITHDRAW_WAITING:
            return True
        case (
            DecisionKind.REFUSE
            | DecisionKind.REFUSE_AMENDMENT
            | DecisionKind.REVOKE
            | DecisionKind.WITHDRAW
            | DecisionKind.CORRECT
        ):
            return False
        case _:
            assert_never(kind)


def key_wanted_by(*kinds: object) -> bool:
    """Return whether any of some words wants such an officer as the kind of a decision; one that is no kind does."""
    known = {each.value: each for each in DecisionKind}
    found = [known.get(each) if isinstance(each, str) else None for each in kinds]
    return any(each is None or key_wanted(each) for each in found)


def key_wanted_for(kind: OrderKind) -> bool:
    """Return whether an order of a kind needs an officer who signs with a key in a file or a token."""
    match kind:
        case OrderKind.START_ISSUING | OrderKind.CHANGE_ROSTER:
            return True
        case OrderKind.STOP_ISSUING:
            return False
        case _:
            assert_never(kind)


def with_a_key(roster: Roster, keys: Iterable[str]) -> bool:
    """Return whether one at least of some keys, by thumbprint, is on a roster and is no passkey."""
    held = (roster.member(each) for each in keys)
    return any(each is not None and each.passkey is None for each in held)
