"""Authorising: what an officer signed with a key of their own is kept with the act, and a wrong one is refused.

Here that is a courtesy, so that an officer is told at once; what counts is proved by the authority against its memory
before it seals the act (jobs/). While no roster is shown nothing is asked for: the authority was made before there
were any, and says so in an alarm.
"""

from dataclasses import dataclass
from datetime import datetime

from core.actors import Actor
from core.errors import AuthorisationMissing
from officers.identity import authority_of
from officers.proof import Asked, prove
from officers.roster import Roster, read_members
from officers.statement import Authorisation, Authority, Claim, Listed, listed_text
from ra.issuing import root_der
from store.reading import authorisations as reading
from store.reading.authority import authority_row
from store.rows import Authorised
from store.transactions import Transaction
from store.verbs import authorisations


@dataclass(frozen=True, kw_only=True)
class Signed:
    """What an officer sends with an act.

    Args:
        authorisation: the statement and its proof.
        members: what the statement lists, if it is about several things.
    """

    authorisation: Authorisation
    members: tuple[Listed, ...] = ()


def authorised(tx: Transaction, actor: Actor, claim: Claim, signed: Signed | None, at: datetime) -> str | None:
    """Keep what an officer signed in the transaction of the act.

    Args:
        tx: open; of the act.
        actor: who acts.
        claim: what the act says of itself.
        signed: what came with it.
        at: now.

    Returns:
        The digest of the statement, which the act's fact names; None where no roster asks for one.

    Raises:
        AuthorisationMissing: nothing came, and there is a roster.
        AuthorisationRefused: it does not authorise this act.
    """
    roster = roster_shown(tx, at)
    if roster is None:
        return None
    if signed is None:
        raise AuthorisationMissing(act=claim.act)
    asked = Asked(authority=authority_shown(tx), officer=actor.name, claim=claim, members=signed.members)
    prove(signed.authorisation, asked, roster, at)
    kept = row_of(signed)
    authorisations.keep(tx, kept, at=at)
    return kept.statement_sha256


def row_of(signed: Signed) -> Authorised:
    """Return what an officer signed as it is kept."""
    said = signed.authorisation.statement
    return Authorised(
        statement_sha256=said.sha256,
        statement=said.octets().decode(),
        proof=signed.authorisation.proof,
        act=said.claim.act,
        officer=said.officer,
        key=said.key,
        members=listed_text(signed.members) if signed.members else None,
    )


def roster_shown(tx: Transaction, at: datetime) -> Roster | None:
    """Return the roster in force as the authority shows it; None before the first."""
    held = [each for each in reading.shown_rosters(tx) if each.effective_at <= at]
    if not held:
        return None
    newest = held[-1]
    return Roster(number=newest.number, members=read_members(newest.members), effective_at=newest.effective_at)


def authority_shown(tx: Transaction) -> Authority:
    """Return this authority as statements name it, by the register."""
    return authority_of(authority_row(tx).name, root_der(tx))
