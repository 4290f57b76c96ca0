"""What is sent to ask for the public log."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.forms.fields import Sent

_LARGEST = 2**53 - 1

Size = Annotated[int, Field(ge=1, le=_LARGEST)]


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

    old: Annotated[int, Field(ge=0, le=_LARGEST, alias="from")]
    new: Annotated[int, Field(ge=0, le=_LARGEST, alias="to")]
