"""What may be sent to revoke many approvals by one act."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from api.forms.deciding import MinutedBody
from api.forms.fields import Identifier, Moment, approval_of, instant_of
from core.approval import EndCause
from ra.deciding.many import MOST, ProposeRevocations

REVOCATIONS_LIMIT = 2 * 1024 * 1024
"""Octets of a body that names approvals to be revoked: a hundred thousand identifiers have nineteen each."""


class RevocationsBody(MinutedBody):
    """Revoke approvals together, those that are named or everything of one issuing CA (F2.30)."""

    approvals: Annotated[
        list[Identifier],
        Field(max_length=MOST, default_factory=list, description="In any order; one that is named twice counts once."),
    ]
    issuing_ca: Annotated[
        Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{40}$")] | None,
        Field(description="The key identifier of an issuing CA, hexadecimal: every approval that stands under it."),
    ] = None
    cause: Annotated[
        Literal[EndCause.SSC, EndCause.KEY_COMPROMISE],
        Field(description="Of all. A breach is its approval's own, and is answered by itself."),
    ]
    invalidity_date: Moment | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.approvals) is (self.issuing_ca is not None):
            raise ValueError("name approvals, or an issuing CA")
        return self

    def command(self) -> ProposeRevocations:
        """Return what is proposed; IdentifierMalformed, InstantMalformed."""
        return ProposeRevocations(
            approvals=tuple(map(approval_of, self.approvals)),
            issuing_ca=None if self.issuing_ca is None else self.issuing_ca.lower(),
            cause=EndCause(self.cause),
            reasons=self.why(),
            invalidity_date=instant_of(self.invalidity_date, "invalidity_date"),
            minutes=self.minutes(),
        )
