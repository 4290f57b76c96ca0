"""What officers should know of a Device Model beside the application: who else tries it, and what the NCSC has done.

None of it stands in the way by itself; none of it is the applicant's to see, for it speaks of others.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from core.clauses import serves
from core.errors import Finding, Severity
from policy.rules import Rule, judge, rule


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """Another application, or an approval, of the same Device Model.

    Args:
        identifier: of the application or the approval.
        whose: its Manufacturer's name.
        state: where it stands, in a word or two.
    """

    identifier: str
    whose: str
    state: str


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What the register knows of a Device Model beside one application.

    Args:
        applied: other applications that are not decided.
        approved: approvals that stand.
        ended: approvals that have ended.
        certified: the NCSC's certificates for it, each with the approval for which it was recorded.
        same_key: other applications, not decided, that ask for a certificate of the same public key.
        more: the names of those of these members of which there is more than is told.
    """

    applied: tuple[Elsewhere, ...] = ()
    approved: tuple[Elsewhere, ...] = ()
    ended: tuple[Elsewhere, ...] = ()
    certified: tuple[tuple[str, str], ...] = ()
    same_key: tuple[Elsewhere, ...] = ()
    more: frozenset[str] = frozenset()

    def beyond(self, member: str) -> Iterator[str]:
        """Say that there is more of a member than is told, where there is."""
        if member in self.more:
            yield "There are more than the newest, which are told here."


@serves("F2.18")
def model_findings(facts: ModelFacts) -> tuple[Finding, ...]:
    """Return what is known of the Device Model, by whomever it was asked for."""
    return judge(MODEL_RULES, facts)


@rule("model-applied-for", "F2.18", Severity.WARNING, "Decide on them together: two approvals never overlap.")
def _model_applied_for(facts: ModelFacts) -> Iterator[str]:
    for each in facts.applied:
        yield f"Application {each.identifier} of {each.whose} is for the same Device Model; it is {each.state}."
    yield from facts.beyond("applied")


@rule("model-approved", "F2.18", Severity.WARNING, "Two approvals of one Device Model never overlap in time.")
def _model_approved(facts: ModelFacts) -> Iterator[str]:
    for each in facts.approved:
        yield f"Approval {each.identifier} of {each.whose} is for the same Device Model; it is {each.state}."
    yield from facts.beyond("approved")


@rule("model-tried-before", "F2.31", Severity.NOTICE, "Look at what became of it.")
def _model_tried_before(facts: ModelFacts) -> Iterator[str]:
    for each in facts.ended:
        yield f"Approval {each.identifier} of {each.whose} was for the same Device Model; it is {each.state}."
    yield from facts.beyond("ended")


@rule("model-certified", "F2.31", Severity.WARNING, "Ask whether a trial is wanted: it has its CPA Certificate.")
def _model_certified(facts: ModelFacts) -> Iterator[str]:
    for certificate, approval in facts.certified:
        yield f"The NCSC has certified this Device Model: {certificate}, recorded for {approval}."
    yield from facts.beyond("certified")


@rule("key-asked-for-twice", "F2.25", Severity.WARNING, "Ask both whose key it is; only one of them can be granted.")
def _key_asked_for_twice(facts: ModelFacts) -> Iterator[str]:
    for each in facts.same_key:
        yield f"Application {each.identifier} of {each.whose} asks for a certificate of the same public key."
    yield from facts.beyond("same_key")


MODEL_RULES: tuple[Rule[ModelFacts], ...] = (
    _model_applied_for,
    _model_approved,
    _model_tried_before,
    _model_certified,
    _key_asked_for_twice,
)
