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


def sign_for(
    client: Client, hand: Hand, decisions: Sequence[str], sent: Mapping[str, Mapping[str, Any]] | None = None
) -> list[DecisionAuthorised | Problem]:
    """Sign for one's own proposals, by one statement; return what became of each.

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
    proposals = [{"decision": each.decision, "proposal_sha256": each.proposal_sha256} for each in found]
    body = {"decisions": proposals, **hand.for_decisions(AuthorisedAct.PROPOSE, found)}
    answered = client.do(DecisionBatchAnswer, "/v1/decisions/batch/authorisation", body)
    told = [one for each in answered.results for one in (each.outcome, each.problem)]
    return [one for one in told if isinstance(one, DecisionAuthorised | Problem)]
