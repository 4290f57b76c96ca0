"""What may be sent: one model for each request, strict, with every member known and every length bounded.

Only form is judged here. What a rule of Section F says about a value (`policy`) is answered by the use case, with a
finding; the lengths below are therefore wider than those of the rules.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import DEFAULT_REF_TEMPLATE, GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from core.approval import Firmware
from core.canonical import LARGEST_EXACT
from core.identifiers import ApprovalIdentifier
from core.instants import day, parse
from core.words import says_something
from ra.views import LARGEST_PAGE

TOKEN_LIMIT = 64
"""Characters of an identifier or an instant."""

NAME_LIMIT = 200
"""Characters of a device's or firmware's field; DUIS 5.4 has 30 for the longest."""

WORDS_LIMIT = 10_000
"""Characters of a text for people: purpose, reasons."""

CSR_LIMIT = 128 * 1024
"""Characters of a certificate signing request; the use case has a narrower limit and says so itself."""

MOST_FIRMWARE = 1_000
"""Firmware versions in one request."""

DEFAULT_PAGE = 50

# PostgreSQL has no room for U+0000, and no text for people needs the other control characters.
_CONTROLS = r"\x00-\x08\x0B\x0C\x0E-\x1F\x7F"
_NO_CONTROLS = f"^[^{_CONTROLS}]*$"
_SOMETHING = rf"^[^{_CONTROLS}]*[^\s{_CONTROLS}][^{_CONTROLS}]*$"


def _said(words: str) -> str:
    # The pattern tells a client as much as JSON Schema can; what is drawn as nothing is found here.
    if not says_something(words):
        raise ValueError("there is nothing in it to read")
    return words


Token: TypeAlias = Annotated[str, Field(min_length=1, max_length=TOKEN_LIMIT, pattern="^[!-~]+$")]
Name: TypeAlias = Annotated[str, Field(max_length=NAME_LIMIT, pattern=_NO_CONTROLS)]
Words: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=WORDS_LIMIT, pattern=_SOMETHING), AfterValidator(_said)
]
"""Words for people; wherever reasons are asked for it is this. Blanks are none."""
Identifier: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=TOKEN_LIMIT,
        description="An approval identifier such as TDA-2027-0042-Y; case, spaces and hyphens make no difference.",
    ),
]
Day: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=TOKEN_LIMIT, description="A UTC day, 2027-01-04; inclusive.")
]
Moment: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=TOKEN_LIMIT, description="RFC 3339, whole seconds: 2027-06-30T23:59:59Z.")
]
Digest: TypeAlias = Annotated[str, Field(pattern="^[0-9A-Fa-f]{64}$", description="SHA-256 as 64 hexadecimal digits.")]
Csr: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=CSR_LIMIT, description="One PKCS#10 request: PEM, or bare base64.")
]
Count: TypeAlias = Annotated[int, Field(ge=-LARGEST_EXACT, le=LARGEST_EXACT)]


class _Schema(GenerateJsonSchema):
    """A member that may be left out says no default that its own form would refuse: null, or words of no length."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if made.get("default", "") is None or (made.get("default") == "" and made.get("minLength")):
            del made["default"]
        return made


class Sent(BaseModel):
    """What may be sent, in the body or beside it, as /openapi.json describes it."""

    @classmethod
    def model_json_schema(  # type: ignore[override] # flask-openapi3 asks for it in these words
        cls, *, by_alias: bool = True, ref_template: str = DEFAULT_REF_TEMPLATE, mode: JsonSchemaMode = "validation"
    ) -> dict[str, Any]:
        """Return the description of the form (JSON Schema 2020-12)."""
        return super().model_json_schema(by_alias, ref_template, schema_generator=_Schema, mode=mode)


class Body(Sent):
    """A body with every member known."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


# --- queries, header fields --------------------------------------------------------------------------------------


def _digits(value: object) -> object:
    # Without this pydantic would read “5.0”, “ 5” and “1_0” as whole numbers.
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("it must be written in digits")
    return value


class PageQuery(Sent):
    """Which page of a list: the cursor that the page before ended with, and how many rows."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[
        str, Field(max_length=TOKEN_LIMIT, pattern="^[!-~]*$", description="`next` of the page before.")
    ] = ""
    limit: Annotated[int, BeforeValidator(_digits), Field(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE


class WriteHeader(Sent):
    """What may come with every write."""

    idempotency_key: Annotated[
        str | None,
        Field(
            alias="Idempotency-Key",
            min_length=1,
            max_length=200,
            pattern="^[!-~]+$",
            description="The same request sent twice under one key has the effect and the answer of one.",
        ),
    ] = None


# --- applying ----------------------------------------------------------------------------------------------------


class DeviceBody(Body):
    """The device model that is to be tried (F2.18), in the words of DUIS 5.4."""

    type: Annotated[str, Field(max_length=NAME_LIMIT, description="ESME, GSME, GPF, CHF, HCALCS, PPMID, IHD or CAD.")]
    manufacturer: Annotated[str, Field(max_length=NAME_LIMIT)]
    model: Annotated[str, Field(max_length=NAME_LIMIT)]
    hardware_version: Annotated[str, Field(max_length=NAME_LIMIT)]


class FirmwareBody(Body):
    """One firmware version with the SHA-256 of its image."""

    version: Name
    image_sha256: Name


# --- as values ---------------------------------------------------------------------------------------------------


def approval_of(sent: str) -> str:
    """Return an approval identifier in its one form; IdentifierMalformed."""
    return str(ApprovalIdentifier.parse(sent))


def day_of(sent: str | None, field: str) -> date | None:
    """Return the UTC day that was sent, if one was; InstantMalformed."""
    return None if sent is None else day(sent, field=field)


def instant_of(sent: str | None, field: str) -> datetime | None:
    """Return the instant that was sent, if one was; InstantMalformed."""
    return None if sent is None else parse(sent, field=field)


def firmware_of(sent: Iterable[FirmwareBody]) -> tuple[Firmware, ...]:
    """Return firmware with its digests in their one form."""
    return tuple(Firmware(each.version, each.image_sha256.lower()) for each in sent)
