"""wanting: what a recipient of a notice would not get and the Code has it told; officers see it before they second.

Withholding is the SSC's right (F2.22, F2.24, F2.29, F2.30): nothing is refused for it. What was forgotten, or kept from
somebody by a class that was meant for something else, is seen here by those who can still change it.
"""

from collections.abc import Iterator

from core.classification import Recipient, in_words
from core.clauses import serves
from core.errors import Finding, Severity
from ra.telling.matter import Matter
from ra.telling.words import clause

WITHOUT = {
    "reasons": ("recipient-without-reasons", "a summary of reasons"),
    "assessment": ("recipient-without-assessment", "the assessment undertaken"),
    "description": ("recipient-without-description", "a detailed description of the Trial Device"),
}
"""By subject of a passage: the code of what is found where a recipient gets none, and what it is called."""

CONDITION_UNSEEN = "condition-unseen"


@serves("F2.21(a)", "F2.21(b)", "F2.21(e)", "F2.22", "F2.23", "F2.24", "F2.29", "F2.30")
def wanting(matter: Matter) -> tuple[Finding, ...]:
    """Return a warning for each recipient and each thing that its copy would lack, in the order of the recipients."""
    return tuple(each for recipient in matter.recipients for each in _lacking(matter, recipient))


def _lacking(matter: Matter, recipient: Recipient) -> Iterator[Finding]:
    form, name = matter.told.form, in_words(recipient)
    told = {each.subject for each in matter.passages if recipient in each.recipients}
    said = {each.subject for each in matter.passages}
    # What an amendment describes anew replaces what everybody was told: it is looked for as if it were demanded.
    for subject in dict.fromkeys((*form.demanded, *(each for each in WITHOUT if each in said))):
        if subject in told:
            continue
        code, called = WITHOUT[subject]
        kept = "it is classified so that it does not reach them" if subject in said else "there is none"
        yield Finding(
            code=code,
            clause="F2.21(a)" if subject == "description" else clause(form, subject),
            severity=Severity.WARNING,
            detail=f"The notice to {name} would hold no {called.removeprefix('a ').removeprefix('the ')}: {kept}.",
            remedy=f"If that is not meant, reject it and propose it with words that {name} may have (F2.22).",
        )
    if recipient is not Recipient.MANUFACTURER:
        return
    for number, condition in matter.conditions:
        if recipient not in condition.recipients:
            yield Finding(
                code=CONDITION_UNSEEN,
                clause="F2.21(e)",
                severity=Severity.WARNING,
                detail=f"Condition {number} binds {name} (F2.23), who would not see it.",
                remedy=f"Reject it and propose it with {name} among the recipients of the condition.",
            )
