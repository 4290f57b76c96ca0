"""Signing for proposals, on the officer's own machine: what is signed is recomputed from what the register holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.answers import DecisionBatchAnswer, Problem
from app.client import Client, path
from app.officer import Hand
from app.recomputed import recomputed, require_as_sent
from core.kinds import AuthorisedAct
from officers.statement import Listed
from ra.deciding.views import DecisionAnswer, DecisionAuthorised

AT_ONCE = 100
"""Decisions of one request; the service takes no more."""


def sign_for(
    client: Client, hand: Hand, decisions: Sequence[str], sent: Mapping[str, Mapping[str, Any]] | None = None
) -> list[DecisionAuthorised | Problem]:
    """Sign for one's own proposals, as many by one statement as the service takes at once; return what became of each.

    Args:
        client: open.
        hand: who signs.
        decisions: the proposals.
        sent: by decision, what it was proposed with, if that is known.

    Raises:
        ShownOtherwise: a proposal is not what its bytes say, or not what was sent.
    """
    found: list[Listed] = []
    for each in dict.fromkeys(decisions):
        said = client.show(DecisionAnswer, path("decisions", each))
        if sent is not None:
            require_as_sent(said, sent[each], None if hand.officer is None else hand.officer.name)
        listed = recomputed(said).listed
        # The bytes to be signed may be there by now; who proposes speaks of the proposal only.
        found.append(Listed(decision=listed.decision, proposal_sha256=listed.proposal_sha256))
    if len(found) == 1:
        only = found[0]
        body = {"proposal_sha256": only.proposal_sha256, **hand.for_decision(AuthorisedAct.PROPOSE, only)}
        return [client.do(DecisionAuthorised, path("decisions", only.decision, "authorisation"), body)]
    told = [one for first in range(0, len(found), AT_ONCE) for one in _together(client, hand, found[first:][:AT_ONCE])]
    return [one for one in told if isinstance(one, DecisionAuthorised | Problem)]


def _together(client: Client, hand: Hand, proposals: Sequence[Listed]) -> list[object]:
    said = [{"decision": each.decision, "proposal_sha256": each.proposal_sha256} for each in proposals]
    body = {"decisions": said, **hand.for_decisions(AuthorisedAct.PROPOSE, proposals)}
    answered = client.do(DecisionBatchAnswer, "/v1/decisions/batch/authorisation", body)
    return [one for each in answered.results for one in (each.outcome, each.problem)]
