"""Which thing an address is about: one model for each kind of thing."""

from typing import Annotated

from pydantic import Field

from api.forms.fields import Identifier, Month, Sent, SerialNumber, Token


class ApplicationPath(Sent):
    """Which application."""

    application: Token


class DecisionPath(Sent):
    """Which decision."""

    decision: Token


class OrderPath(Sent):
    """Which order to the authority."""

    order: Token


class ApprovalPath(Sent):
    """Which approval."""

    approval: Identifier


class SerialPath(Sent):
    """Which certificate."""

    serial: SerialNumber


class RequirementPath(Sent):
    """Which requirement."""

    requirement: Token


class StandingPath(Sent):
    """Which standing requirement."""

    standing: Token


class EvidencePath(Sent):
    """Which attached file."""

    evidence: Token


class AmendmentRequestPath(Sent):
    """Which amendment request."""

    request: Token


class EndRequestPath(Sent):
    """Which request for the end of an approval."""

    end_request: Token


class BreachPath(Sent):
    """Which breach."""

    breach: Token


class BatchPath(Sent):
    """Which report of deployments."""

    batch: Token


class ReportPath(Sent):
    """Which month's report."""

    month: Month


class QuestionPath(Sent):
    """Which question for the monthly report."""

    question: Token


class CalendarPath(Sent):
    """Which calendar address."""

    calendar: Token


class CalendarSecretPath(Sent):
    """Which calendar, by the secret in its address."""

    secret: str  # of whatever length: what is none of ours is all answered alike


class NoticePath(Sent):
    """Which notice."""

    notice: Annotated[Token, Field(description="Its number, TDN-2027-0001.")]


class InstructionPath(Sent):
    """Which instruction."""

    instruction: Token


class MonthPath(Sent):
    """Which month's report, 2027-05."""

    month: Month
