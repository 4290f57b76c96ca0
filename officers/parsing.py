"""What the forms of this room share: members of JSON, strictly read, and what is said of one that is none."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

STRICT = ConfigDict(extra="forbid", strict=True)

WHERE_SAID = Field(exclude_if=lambda said: said is None)
"""A member that came later: what does not have it is written as it ever was."""

Word: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Hex: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})+$", max_length=2_000)]
Hex256: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Thumbprint: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]


class NamedAuthority(BaseModel):
    """An authority as statements name it."""

    model_config = STRICT
    name: Word
    root_key_sha256: Hex256


def first_of(error: ValidationError) -> str:
    """Say where it is first not as it must be; what stands there is a stranger's and is not repeated."""
    found = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(each) for each in found['loc'])}: {found['msg']}"
