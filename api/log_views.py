"""What the public log answers in JSON."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ra.views import FROM

TO = Field(alias="to")


@dataclass(frozen=True, kw_only=True)
class ConsistencyAnswer:
    """That one tree goes on from another: their sizes, and the proof, base64."""

    old: Annotated[int, FROM]
    new: Annotated[int, TO]
    hashes: tuple[str, ...]
