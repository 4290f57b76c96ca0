"""What each act says of itself: what its officer signs, what the register, the authority and a stranger look for.

A kind of act is said here once. Whoever would say it a second time would ask for another signature than was given.
"""

from collections.abc import Sequence

from core.errors import AuthorisationRefused
from core.kinds import AuthorisationFlaw, AuthorisedAct
from officers.statement import MOST_LISTED, Claim, Listed, list_digest


def about(act: AuthorisedAct, listed: Listed) -> Claim:
    """Return what an act about one decision says of itself; only who seconds accepts bytes to be signed."""
    tbs = listed.tbs_sha256 if act is AuthorisedAct.SECOND else None
    return Claim(act=act, subject=listed.decision, proposal_sha256=listed.proposal_sha256, tbs_sha256=tbs)


def about_all(act: AuthorisedAct, listed: Sequence[Listed]) -> tuple[Claim, tuple[Listed, ...]]:
    """Return what an act about several decisions says of itself, and what its statement lists.

    Raises:
        AuthorisationRefused: they are more than one statement may be about: nobody would take it.
    """
    if len(listed) > MOST_LISTED:
        detail = f"one statement is about {MOST_LISTED} decisions at most, and these are {len(listed)}"
        raise AuthorisationRefused(flaw=AuthorisationFlaw.MALFORMED, detail=detail)
    claims = [about(act, each) for each in listed]
    members = tuple(
        Listed(decision=each.subject, proposal_sha256=each.proposal_sha256 or "", tbs_sha256=each.tbs_sha256)
        for each in claims
    )
    return Claim(act=act, subject=list_digest(members)), members


def to_revoke(approval: str, order_sha256: str) -> Claim:
    """Return what an urgent revocation says of itself.

    Args:
        approval: its identifier.
        order_sha256: the digest of the order (`revocation_digest`), hex.
    """
    return Claim(act=AuthorisedAct.REVOKE, subject=approval, proposal_sha256=order_sha256)


def to_confirm(breach: str) -> Claim:
    """Return what the confirmation of a breach says of itself."""
    return Claim(act=AuthorisedAct.CONFIRM_BREACH, subject=breach)


def to_restore(sha256: str) -> Claim:
    """Return what accepting a restore says of itself.

    Args:
        sha256: the digest of what the register gets again (officers/restore.py), hex.
    """
    return Claim(act=AuthorisedAct.ACCEPT_RESTORE, subject=sha256)


def to_order(act: AuthorisedAct, order: str, body_sha256: str) -> Claim:
    """Return what an order to the authority says of itself.

    Args:
        act: what is ordered.
        order: its identifier.
        body_sha256: the digest of its body, hex.
    """
    return Claim(act=act, subject=order, proposal_sha256=body_sha256)
