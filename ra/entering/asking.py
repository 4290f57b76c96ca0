"""asking: what an officer's passkey is asked for an act, and the passkeys that they have enrolled themselves.

Enrolling a passkey lets its owner in. It authorises nothing before it stands on the roster, where officers put it who
are not concerned (ADR 59).
"""

from core.actors import Actor
from core.errors import RosterUnusable
from officers.passkey import challenge, new_passkey, p256
from officers.passkey_file import passkey_file
from officers.roster import thumbprint
from officers.statement import Claim, new_statement
from policy.roles import Operation
from ra.access import authorise
from ra.authorising import authority_shown, roster_shown
from ra.desk import Desk
from ra.entering.passkeys import Relying, coordinates
from ra.entering.views import EnrolledAnswer, Question
from store.reading import entering as reading


def question(desk: Desk, actor: Actor, claim: Claim, relying: Relying) -> Question | None:
    """Return what the passkey of an officer is asked for an act; None where none of theirs counts from these pages.

    Args:
        desk: where.
        actor: who acts.
        claim: what the act says of itself.
        relying: whose pages ask.
    """
    authorise(actor, Operation.READ_ROSTER)
    at = desk.clock.now()
    with desk.store.read() as tx:
        roster = roster_shown(tx, at)
        authority = authority_shown(tx)
    for each in () if roster is None else roster.members:
        if each.officer == actor.name and each.passkey is not None and each.passkey.origin == relying.origin:
            statement = new_statement(authority, claim, officer=actor.name, key=each.key, at=at)
            return Question(
                statement=statement.octets().decode(),
                challenge=challenge(statement),
                credential=each.passkey.credential,
            )
    return None


def enrolled(desk: Desk, actor: Actor, relying: Relying) -> list[EnrolledAnswer]:
    """Return one's own passkeys, each with the file that goes to whoever keeps the roster; oldest first."""
    authorise(actor, Operation.READ_ROSTER)
    at = desk.clock.now()
    with desk.store.read() as tx:
        roster = roster_shown(tx, at)
        found = reading.passkeys_of(tx, actor.credential or "", at)
    keys = frozenset() if roster is None else frozenset(each.key for each in roster.members)
    shown = []
    for each in found:
        try:
            key, passkey = p256(*coordinates(each.public_key)), new_passkey(each.key_id, relying.origin)
        except RosterUnusable as error:
            shown.append(
                EnrolledAnswer(
                    enrolled_at=each.enrolled_at,
                    key=None,
                    file="",
                    unfit=f"It lets you in, and can be on no roster: {error.fields['detail']}.",
                )
            )
            continue
        own = thumbprint(key)
        shown.append(
            EnrolledAnswer(enrolled_at=each.enrolled_at, key=own, file=passkey_file(key, passkey), counts=own in keys)
        )
    return shown
