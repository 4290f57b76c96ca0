"""What may be sent: one model for each request, strict, with every member known and every length bounded.

Only form is judged here. What a rule of Section F says about a value (`policy`) is answered by the use case, with a
finding; the lengths below are therefore wider than those of the rules.
"""

from collections.abc import Iterable
from copy import deepcopy
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import DEFAULT_REF_TEMPLATE, GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from core.approval import Firmware
from core.canonical import LARGEST_EXACT
from core.days import DayOrder, read_day
from core.identifiers import ApprovalIdentifier
from core.instants import read_instant
from core.limits import CONTROL_CHARACTERS, CSR_LIMIT, NAME_LIMIT, WORDS_LIMIT
from core.plain_text import trimmed
from core.words import says_something
from ra.views import LARGEST_PAGE

TOKEN_LIMIT = 64
"""Characters of an identifier or an instant."""

DEFAULT_PAGE = 50

CSV_TYPE = "text/csv"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OCTETS_TYPE = "application/octet-stream"
"""What generated clients call every file: then its content says what it is."""

EXCEL_TYPE = "application/vnd.ms-excel"
"""What Windows calls a CSV where Excel is installed."""

APPROVAL_PATTERN = r"^[ -]*[Tt][ -]*[Dd][ -]*[AaTt]([ -]*[0-9]){8,11}[ -]*[0-9A-Za-z][ -]*$"
"""What an approval identifier looks like; which check character is right, no pattern says."""

SERIAL_PATTERN = "^(0[xX])?([ :]*[0-9A-Fa-f]){1,32}[ :]*$"
"""What a serial of ours looks like. More is read, so that what is pasted is found or told."""

DEVICE_ID_PATTERN = "^[0-9A-Fa-f]{2}(-?[0-9A-Fa-f]{2}){7}$"


def _trimmed(value: object) -> object:
    return trimmed(value) if isinstance(value, str) else value


_TRIMMED = BeforeValidator(_trimmed)
"""Cuts the blanks at the ends, as every reader of identifiers, days and names does."""

_NO_CONTROLS = f"^[^{CONTROL_CHARACTERS}]*$"
_SOMETHING = rf"^[^{CONTROL_CHARACTERS}]*[^\s{CONTROL_CHARACTERS}][^{CONTROL_CHARACTERS}]*$"


def _said(words: str) -> str:
    # The pattern tells a client as much as JSON Schema can; what is drawn as nothing is found here.
    if not says_something(words):
        raise ValueError("there is nothing in it to read")
    return words


# A validator stands behind the bounds of its field: before them, pydantic would keep them out of the description.
Token: TypeAlias = Annotated[str, Field(min_length=1, max_length=TOKEN_LIMIT, pattern="^[!-~]+$"), _TRIMMED]
Name: TypeAlias = Annotated[str, Field(max_length=NAME_LIMIT, pattern=_NO_CONTROLS), _TRIMMED]
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
        json_schema_extra={"pattern": APPROVAL_PATTERN},
    ),
    _TRIMMED,
]
Day: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=TOKEN_LIMIT,
        description="A UTC day, 2027-01-04; inclusive. 4 January 2027 and the like are read, 04/01/2027 is refused.",
        json_schema_extra={"format": "date"},
    ),
    _TRIMMED,
]
Moment: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=TOKEN_LIMIT,
        description="RFC 3339: 2027-06-30T23:59:59Z. Of a fraction, the second counts in which it lies.",
        json_schema_extra={"format": "date-time"},
    ),
    _TRIMMED,
]
Month: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=TOKEN_LIMIT,
        description="2027-05",
        json_schema_extra={"pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
    ),
]
SerialNumber: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=TOKEN_LIMIT,
        description="A certificate's serial number, hexadecimal.",
        json_schema_extra={"pattern": SERIAL_PATTERN},
    ),
    _TRIMMED,
]
DeviceId: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=TOKEN_LIMIT,
        description="An EUI-64, 00-DB-12-34-56-78-90-01.",
        json_schema_extra={"pattern": DEVICE_ID_PATTERN},
    ),
    _TRIMMED,
]
Digest: TypeAlias = Annotated[
    str, Field(pattern="^[0-9A-Fa-f]{64}$", description="SHA-256 as 64 hexadecimal digits."), _TRIMMED
]
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
        """Return the description of the form (JSON Schema 2020-12), the caller's own."""
        return deepcopy(cls._described(by_alias, ref_template, mode))

    @classmethod
    @cache
    def _described(cls, by_alias: bool, ref_template: str, mode: JsonSchemaMode) -> dict[str, Any]:  # noqa: FBT001 - the signature of pydantic
        # Once: flask-openapi3 asks for it at each request that has header fields or a query.
        return super().model_json_schema(by_alias, ref_template, schema_generator=_Schema, mode=mode)


class Body(Sent):
    """A body with every member known."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


# --- queries, header fields --------------------------------------------------------------------------------------


def digits(value: object) -> object:
    """Refuse a number of a query that is not written in digits."""
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
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE), BeforeValidator(digits)] = DEFAULT_PAGE


class DatesQuery(Sent):
    """What the sender of a table says of the dates in it."""

    model_config = ConfigDict(extra="forbid")

    dates: Annotated[
        Literal[DayOrder.DAY_FIRST] | None,
        Field(description="Of 03/04/2027 the day comes first. Without it the column must show that, or it is refused."),
    ] = None

    @property
    def order(self) -> DayOrder:
        """What is known of the order."""
        return self.dates or DayOrder.UNKNOWN


class PageOfApprovalQuery(PageQuery):
    """Which page of a list, and of which approval."""

    approval: Annotated[Identifier | None, Field(description="Only what is about this approval.")] = None


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


class WaitHeader(Sent):
    """What may come with a question whose answer the authority is about to change."""

    prefer: Annotated[
        str | None,
        Field(
            alias="Prefer",
            max_length=1_000,
            description="`wait=10`: to be answered as soon as the authority has done what it is about to do, or after "
            "so many seconds, 30 at most, with what is so then (RFC 7240, 4.3).",
        ),
    ] = None


# --- applying ----------------------------------------------------------------------------------------------------


class DeviceBody(Body):
    """The device model that is to be tried (F2.18), in the words of DUIS 5.4."""

    type: Annotated[
        str, Field(max_length=NAME_LIMIT, description="ESME, GSME, GPF, CHF, HCALCS, PPMID, IHD or CAD."), _TRIMMED
    ]
    manufacturer: Annotated[str, Field(max_length=NAME_LIMIT), _TRIMMED]
    model: Annotated[str, Field(max_length=NAME_LIMIT), _TRIMMED]
    hardware_version: Annotated[str, Field(max_length=NAME_LIMIT), _TRIMMED]


class FirmwareBody(Body):
    """One firmware version with the SHA-256 of its image."""

    version: Name
    image_sha256: Name


# --- as values ---------------------------------------------------------------------------------------------------


def approval_of(sent: str) -> str:
    """Return an approval identifier in its one form; IdentifierMalformed."""
    return str(ApprovalIdentifier.parse(sent))


def perhaps_approval_of(sent: str | None) -> str | None:
    """Return the approval identifier that was sent, if one was, in its one form; IdentifierMalformed."""
    return None if sent is None else approval_of(sent)


def day_of(sent: str | None, field: str) -> date | None:
    """Return the UTC day that was sent, if one was; InstantMalformed."""
    return None if sent is None else read_day(sent, field=field)


def instant_of(sent: str | None, field: str) -> datetime | None:
    """Return the instant that was sent, if one was; InstantMalformed."""
    return None if sent is None else read_instant(sent, field=field)


def firmware_of(sent: Iterable[FirmwareBody]) -> tuple[Firmware, ...]:
    """Return firmware with its digests in their one form."""
    return tuple(Firmware(each.version, each.image_sha256.lower()) for each in sent)
