"""At once, on a test authority: what somebody has just proposed is signed for by the key of theirs that lies on its
machine, as they asked by the button.
"""

from console.forms import request_key
from console.guard import actor
from console.service import Console
from core.kinds import AuthorisedAct
from officers import claims
from officers.statement import Listed
from ra.deciding.authorise import sign_for
from ra.deciding.views import DecisionProposed
from ra.repeat import nth

SIGN = "sign"
"""What the button that proposes and signs says."""


def sign_at_once(console: Console, done: DecisionProposed) -> None:
    """Sign for what was proposed, by the act with which its page signs; the same form again is the same act.

    Raises:
        TrialCpaError: what signing for it on its page raises; it is proposed then, and not signed for.
    """
    if console.signs is None:
        return
    listed = Listed(decision=done.decision, proposal_sha256=done.proposal_sha256)
    proof = console.signs.signed(actor(), claims.about(AuthorisedAct.PROPOSE, listed))
    sign_for(
        console.desk,
        actor(),
        done.decision,
        proposal_sha256=done.proposal_sha256,
        signed=proof,
        request=nth(request_key(), 1),
    )
