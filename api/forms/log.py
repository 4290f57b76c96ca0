"""What is sent to ask for the public log."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from api.forms.fields import Sent, digits
from core.canonical import LARGEST_EXACT

PORTION = 1_000
"""Rows of one answer of the feed at most: half a megabyte where each carries what is public of one approval."""

LONGEST_WAIT = 30
"""Seconds: what stands between the two lets a connection rest for a minute at least."""

Size = Annotated[int, Field(ge=1, le=LARGEST_EXACT)]


class TilePath(BaseModel):
    """Which tile: level, or “entries”, place, and width of one that is not full."""

    tile: Annotated[str, Field(max_length=64)]


class InclusionQuery(Sent):
    """Which row, or the newest one that carries an approval; without a size in the tree of the newest checkpoint."""

    model_config = ConfigDict(extra="forbid")

    row: Size | None = None
    approval: Annotated[str, Field(max_length=64)] | None = None
    size: Size | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.row is None) == (self.approval is None):
            raise ValueError("name a row, or an approval")
        return self


class ConsistencyQuery(Sent):
    """Which trees."""

    model_config = ConfigDict(extra="forbid")

    old: Annotated[int, Field(ge=0, le=LARGEST_EXACT, alias="from")]
    new: Annotated[int, Field(ge=0, le=LARGEST_EXACT, alias="to")]


class FeedQuery(Sent):
    """Which rows of the log, and how long to wait for one."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[
        int,
        Field(ge=0, le=LARGEST_EXACT, description="The number of the last row that you have."),
        BeforeValidator(digits),
    ] = 0
    wait: Annotated[
        int,
        Field(ge=0, le=LONGEST_WAIT, description="Seconds to wait for a row, if there is none yet."),
        BeforeValidator(digits),
    ] = 0
    limit: Annotated[int, Field(ge=1, le=PORTION, description="The most rows."), BeforeValidator(digits)] = PORTION


class FeedHeader(Sent):
    """What comes with a question for the feed from whoever gets it as events."""

    last_event_id: Annotated[
        int | None,
        Field(
            alias="Last-Event-ID",
            ge=0,
            le=LARGEST_EXACT,
            description="Where events are asked for: the number of the last row that you have, in place of `after`.",
        ),
        BeforeValidator(digits),
    ] = None


class RegisterForm(StrEnum):
    """As what the register is fetched."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


class RegisterQuery(Sent):
    """As what: JSON is what is signed, a table is for people."""

    model_config = ConfigDict(extra="forbid")

    form: Annotated[RegisterForm, Field(alias="as")] = RegisterForm.JSON


class SignatureQuery(Sent):
    """Of which register; without a size of the newest."""

    model_config = ConfigDict(extra="forbid")

    size: Size | None = None
