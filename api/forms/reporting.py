"""What is sent about deployments, breaches and the monthly report."""

from collections.abc import Mapping
from typing import Annotated

from flask_openapi3.models import RawModel
from pydantic import ConfigDict, Field

from api.forms.authorising import AuthorisedBody
from api.forms.fields import (
    CSV_TYPE,
    EXCEL_TYPE,
    OCTETS_TYPE,
    TOKEN_LIMIT,
    XLSX_TYPE,
    Body,
    DeviceId,
    PageQuery,
    Sent,
    Words,
)
from core.deployments import Form
from core.kinds import BreachState

LARGEST_CONDITION = 1_000_000
"""A number of a condition that nobody reaches, and every database holds."""

DEPLOYMENT_TYPES: Mapping[str, Form] = {
    "application/json": Form.JSON,
    CSV_TYPE: Form.CSV,
    EXCEL_TYPE: Form.CSV,
    XLSX_TYPE: Form.CSV,
    "application/xml": Form.DUIS,
    "text/xml": Form.DUIS,
}
"""How a report of deployments may be sent, by media type; of a table the content says whether it is a workbook."""


# --- breaches ----------------------------------------------------------------------------------------------------


class BreachQuery(PageQuery):
    """Which breaches, by their state."""

    state: BreachState | None = None


class SuspicionBody(Body):
    """A condition that may have been breached."""

    condition: Annotated[int, Field(ge=1, le=LARGEST_CONDITION, description="The number of the condition (F2.21(e)).")]
    note: Words
    told: Annotated[
        Words | None, Field(description="What its Manufacturer is told of it at once; left out, nothing.")
    ] = None


class TellingBody(Body):
    """What a Manufacturer is told of a suspected breach; the SSC's own note stays with the SSC."""

    text: Words


class SuspicionAnswerBody(Body):
    """What a Manufacturer answers to a suspicion."""

    answer: Words


class JudgementBody(AuthorisedBody):
    """Whether a suspected breach is one; if it is, a revocation is owed, and the officer signs for it."""

    confirmed: bool
    why: Words


class ClosureBody(Body):
    """Why a confirmed breach is closed without a revocation for it: its approval has ended otherwise."""

    why: Words


# --- deployments -------------------------------------------------------------------------------------------------


class DeploymentsBody(RawModel):
    """A report of deployments in one of its forms."""

    mimetypes: list[str] = [*DEPLOYMENT_TYPES, OCTETS_TYPE]  # noqa: RUF012 - declared so by its base


class DeviceQuery(Sent):
    """Which device, if one is asked about."""

    model_config = ConfigDict(extra="forbid")

    device_id: DeviceId | None = None


# --- the monthly report ------------------------------------------------------------------------------------------


class IssueQuery(Sent):
    """What has to be said of a report that is unusual."""

    model_config = ConfigDict(extra="forbid")

    early: Annotated[bool, Field(description="It is issued though its month is not over.")] = False
    months: Annotated[
        str | None,
        Field(
            max_length=TOKEN_LIMIT,
            description="The months that it covers, `2027-04,2027-05`, where earlier ones were left out.",
        ),
    ] = None


class QuestionBody(Body):
    """What the SSC asks the DCC to tell, in one month's report or in each."""

    text: Words
    month: Annotated[str | None, Field(max_length=TOKEN_LIMIT, description="2027-05; null: in each report.")] = None


class AnswerBody(Body):
    """What a month's report answers."""

    question: Annotated[str, Field(min_length=1, max_length=TOKEN_LIMIT)]
    text: Words


class RemarkBody(Body):
    """Free text for a report (F2.28(h))."""

    text: Words
