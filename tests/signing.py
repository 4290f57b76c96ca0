"""The acts of officers over HTTP, as their tools send them: what has to be signed for comes with the signature.

By method, address and body; what is no such act, or is none that a tool would sign, stays as it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from app.officer import body_of
from core.actors import Actor
from core.errors import TrialCpaError
from core.identifiers import ApprovalIdentifier
from core.instants import parse
from core.kinds import AuthorisedAct
from officers.statement import Claim, Listed, Statement, list_digest, revocation_digest
from ra.authorising import Signed
from ra.deciding.authorise import claim_of
from ra.desk import Desk
from ra.ordering import authorise as ordering
from store.reading import orders, requests
from tests.acting import officer_key, sign, signed_for


def sent(signed: Signed | None) -> dict[str, Any]:
    """What is signed, as members of a body."""
    return {} if signed is None else {**body_of(signed)}


def right(said: Statement, officer: str) -> dict[str, Any]:
    """A statement as an officer sends it, signed."""
    return {"authorisation": sign(said, officer_key(officer)).document()}


def another_device(number: int) -> dict[str, str]:
    """One of several devices that are applied for."""
    return {"type": "ESME", "manufacturer": "AB01", "model": f"0{number}0A030C", "hardware_version": "01"}


def with_authorisation(desk: Desk, actor: Actor, method: str, path: str, body: Any) -> Any:
    """The body of a request with what the officer signs for it."""
    if method != "POST" or not isinstance(body, dict) or "authorisation" in body:
        return body
    for pattern, claim in _ACTS.items():
        found = re.fullmatch(pattern, path)
        if found:
            try:
                said, members = claim(desk, found, body)
            except (TrialCpaError, KeyError, AttributeError, TypeError, ValueError):
                return body  # it is refused for something else
            return body if said is None else {**body, **sent(signed_for(desk, actor, said, members))}
    return body


def sign_for_proposed(desk: Desk, actor: Actor, decision: str) -> dict[str, Any] | None:
    """The body by which a proposer signs for a proposal; None if that was done, or is not asked for."""
    with desk.store.read() as tx:
        found = requests.decision(tx, decision)
    signed = (
        None if found.authorised_at is not None else signed_for(desk, actor, claim_of(AuthorisedAct.PROPOSE, found))
    )
    return None if signed is None else {"proposal_sha256": found.proposal_sha256, **sent(signed)}


_Said = tuple[Claim | None, list[Listed]]


def _second(_: Desk, found: re.Match[str], body: Mapping[str, Any]) -> _Said:
    return (
        Claim(
            act=AuthorisedAct.SECOND,
            subject=found["decision"],
            proposal_sha256=body["proposal_sha256"].lower(),
            tbs_sha256=_tbs(body),
        ),
        [],
    )


def _second_batch(_: Desk, _found: re.Match[str], body: Mapping[str, Any]) -> _Said:
    members = [
        Listed(decision=each["decision"], proposal_sha256=each["proposal_sha256"].lower(), tbs_sha256=_tbs(each))
        for each in body["decisions"]
    ]
    return Claim(act=AuthorisedAct.SECOND, subject=list_digest(members)), members


def _reject(desk: Desk, found: re.Match[str], _: Mapping[str, Any]) -> _Said:
    with desk.store.read() as tx:
        return claim_of(AuthorisedAct.REJECT, requests.decision(tx, found["decision"])), []


def _revoke(_: Desk, found: re.Match[str], body: Mapping[str, Any]) -> _Said:
    approval = str(ApprovalIdentifier.parse(found["approval"]))
    since = body.get("invalidity_date")
    order = revocation_digest(
        approval,
        cause=body["cause"],
        invalidity_date=None if since is None else parse(since),
        breach=body.get("breach"),
    )
    return Claim(act=AuthorisedAct.REVOKE, subject=approval, proposal_sha256=order), []


def _judge(_: Desk, found: re.Match[str], body: Mapping[str, Any]) -> _Said:
    confirmed = body["confirmed"] is True
    return (Claim(act=AuthorisedAct.CONFIRM_BREACH, subject=found["breach"]) if confirmed else None), []


def _order(desk: Desk, found: re.Match[str], _: Mapping[str, Any]) -> _Said:
    with desk.store.read() as tx:
        return ordering.claim_of(orders.order(tx, found["order"])), []


def _tbs(body: Mapping[str, Any]) -> tuple[str, ...] | None:
    digest = body.get("tbs_sha256")
    return None if digest is None else (digest.lower(),)


_ACTS: Mapping[str, Callable[[Desk, re.Match[str], Mapping[str, Any]], _Said]] = {
    "/v1/decisions/batch/second": _second_batch,
    "/v1/decisions/(?P<decision>[^/]+)/second": _second,
    "/v1/decisions/(?P<decision>[^/]+)/rejection": _reject,
    "/v1/approvals/(?P<approval>[^/]+)/revocation": _revoke,
    "/v1/breaches/(?P<breach>[^/]+)/judgement": _judge,
    "/v1/orders/(?P<order>[^/]+)/authorisation": _order,
}
