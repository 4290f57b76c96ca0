"""An access that was refused, as a value: whoever sends the answer has it logged.

Nothing in it was chosen by whoever was refused.
"""

from dataclasses import dataclass

from core.actors import Role
from core.errors import TrialCpaError
from core.mirror import CredentialRecord

ENVIRON = "trialcpa.refused"
"""Where an application of WSGI leaves its refusals: a list in the environ (PEP 3333 lets it be modified)."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """One refusal.

    Args:
        code: of the error.
        place: the shape of the path, `/v1/verify/<approval>`.
        name, role, organisation: of the credential that was shown, as far as it is known.
        ended: why a credential that is known is not in force: `expired` or `revoked`; empty for any other.
    """

    code: str
    place: str
    name: str = ""
    role: Role | None = None
    organisation: str | None = None
    ended: str = ""


def refused(error: TrialCpaError, place: str, shown: CredentialRecord | None, *, ended: str = "") -> Refused:
    """Return the refusal that an error is.

    Args:
        error: what is answered.
        place: the shape of the path.
        shown: the credential, if it is known.
        ended: why it is not in force.
    """
    if shown is None:
        return Refused(code=error.code, place=place)
    return Refused(
        code=error.code, place=place, name=shown.name, role=shown.role, organisation=shown.organisation, ended=ended
    )
