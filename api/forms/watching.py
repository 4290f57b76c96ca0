"""What is sent to ask how the service is doing."""

from typing import Annotated

from pydantic import ConfigDict, Field

from api.forms.fields import PageQuery, Sent
from api.readiness import Purpose


class ReadyQuery(Sent):
    """What the service is to be fit for."""

    model_config = ConfigDict(extra="forbid")

    purpose: Annotated[Purpose, Field(alias="for", description="What the service is to be fit for.")] = Purpose.STATUS


class AuditQuery(Sent):
    """Which portion of the register."""

    after: Annotated[str, Field(max_length=400, description="What the portion before ended with; empty at first.")] = ""


class JournalQuery(PageQuery):
    """Which rows of the journal."""

    after: Annotated[
        str, Field(max_length=16, pattern="^[0-9]*$", description="The number of the last row that you have.")
    ] = ""
