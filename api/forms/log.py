"""What is sent to ask for the public log."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.forms.fields import Sent

_LARGEST = 2**53 - 1

Size = Annotated[int, Field(ge=1, le=_LARGEST)]


class TilePath(BaseModel):
    """Which tile: level, or “entries”, place, and width of one that is not full."""

    tile: Annotated[str, Field(max_length=64)]


class InclusionQuery(Sent):
    """Which row in which tree; without a size in that of the newest checkpoint."""

    model_config = ConfigDict(extra="forbid")

    row: Size
    size: Size | None = None


class ConsistencyQuery(Sent):
    """Which trees."""

    model_config = ConfigDict(extra="forbid")

    old: Annotated[int, Field(ge=0, le=_LARGEST, alias="from")]
    new: Annotated[int, Field(ge=0, le=_LARGEST, alias="to")]


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
