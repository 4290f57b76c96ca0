"""Which thing an address is about: one model for each kind of thing."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.forms.fields import TOKEN_LIMIT, Identifier, Token


class ApplicationPath(BaseModel):
    """Which application."""

    application: Token


class DecisionPath(BaseModel):
    """Which decision."""

    decision: Token


class ApprovalPath(BaseModel):
    """Which approval."""

    approval: Identifier


class SerialPath(BaseModel):
    """Which certificate."""

    serial: Annotated[str, Field(min_length=1, max_length=TOKEN_LIMIT, description="Its serial number, hexadecimal.")]


class RequirementPath(BaseModel):
    """Which requirement."""

    requirement: Token


class StandingPath(BaseModel):
    """Which standing requirement."""

    standing: Token


class EvidencePath(BaseModel):
    """Which attached file."""

    evidence: Token


class AmendmentRequestPath(BaseModel):
    """Which amendment request."""

    request: Token


class BreachPath(BaseModel):
    """Which breach."""

    breach: Token


class BatchPath(BaseModel):
    """Which report of deployments."""

    batch: Token


class ReportPath(BaseModel):
    """Which month's report."""

    month: Annotated[str, Field(min_length=1, max_length=TOKEN_LIMIT, description="2027-05")]


class NoticePath(BaseModel):
    """Which notice."""

    notice: Annotated[Token, Field(description="Its number, TDN-2027-0001.")]


class InstructionPath(BaseModel):
    """Which instruction."""

    instruction: Token


class MonthPath(BaseModel):
    """Which month's report, 2027-05."""

    month: Token
