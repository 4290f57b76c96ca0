"""The status plane's part of /openapi.json.

It answers in front of Flask, without models; what stands here only describes, and tests hold its real answers to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.answers import Problem, answer
from api.forms.fields import APPROVAL_PATTERN, DEVICE_ID_PATTERN, SERIAL_PATTERN, Sent
from api.service import WITH_CREDENTIAL, body_limit, clauses, refusals
from api.status import fetching, ocsp
from api.status.batch import BATCH_LIMIT, MOST_QUESTIONS
from api.status.plane import BATCH
from api.status.questions import QUESTION_LIMIT, TEXT_LIMIT
from core.approval import Device
from core.identifiers import Serial
from core.reasons import ReasonCode
from core.status import State
from ra.views import PendingAnswer

_TEMPLATE = "#/components/schemas/{model}"
_TAGS = [
    {"name": "Verifying", "description": "Is this device, certificate or approval valid (F2.25, F2.26)?"},
    {"name": "Fetching", "description": "Revocation lists, certificates, the OCSP responder and the public page."},
]

_ENDED = ("F2.25", "F2.30", "F2.31")
"""What says that a certificate is cancelled, to whoever holds it."""

_Text = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]
_Long = Annotated[str, Field(min_length=1, max_length=QUESTION_LIMIT)]


_SUBJECTS = ("approval", "certificate", "serial", "device")


class AskedDevice(Sent):
    """A device model; strings are compared without case."""

    model_config = ConfigDict(extra="forbid")

    manufacturer: _Text
    model: _Text
    type: _Text = ""
    hardware_version: _Text = ""
    firmware_version: Annotated[
        str, Field(min_length=1, max_length=TEXT_LIMIT, description="May be left out only for an IHD or CAD.")
    ] = ""
    firmware_hash: Annotated[str, Field(pattern="^[0-9A-Fa-f]{64}$", description="SHA-256 of the image.")] = ""


class VerifyQuestion(Sent):
    """One question: exactly one of approval, certificate, serial and device."""

    model_config = ConfigDict(extra="forbid")

    approval: Annotated[_Long, Field(json_schema_extra={"pattern": APPROVAL_PATTERN})] = ""
    certificate: Annotated[_Long, Field(description="One certificate in PEM.")] = ""
    serial: Annotated[_Long, Field(json_schema_extra={"pattern": SERIAL_PATTERN})] = ""
    device: AskedDevice | None = None
    device_id: Annotated[
        _Text,
        Field(description="EUI-64: is this unit within the limit?", json_schema_extra={"pattern": DEVICE_ID_PATTERN}),
    ] = ""
    at: Annotated[
        _Text,
        Field(description="A past instant, RFC 3339: was it valid then?", json_schema_extra={"format": "date-time"}),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class ReasonAnswer:
    """One reason against; codes are stable."""

    code: ReasonCode
    clause: str
    detail: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class VerifyAnswer:
    """The answer: valid only when active with no reason against.

    Args:
        ocsp: Base64 DER of the signed OCSP answer that proves this one.
    """

    valid: bool
    state: State
    approval: str | None
    issue: int | None
    serial: Serial | None
    not_before: datetime | None
    not_after: datetime | None
    device: Device | None
    pending: tuple[PendingAnswer, ...]
    deemed_cpa_certificate: bool
    reasons: tuple[ReasonAnswer, ...]
    as_of: datetime
    fresh_until: datetime
    ocsp: str | None


@dataclass(frozen=True, kw_only=True)
class VerifyBatchAnswer:
    """The answers to a batch, in its order.

    Args:
        answers: each is what the question alone would have been answered with, or refused with.
    """

    answers: tuple[VerifyAnswer | Problem, ...]


def add_status_plane(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document with the status plane added.

    Args:
        document: what Flask's side has described.
    """
    components = dict(document["components"])
    components["schemas"] = {**components.get("schemas", {}), **_schemas()}
    return {
        **document,
        "components": components,
        "paths": {**document["paths"], **_paths()},
        "tags": [*document.get("tags", []), *_TAGS],
    }


_BATCH: Mapping[str, Any] = {
    "title": "VerifyBatch",
    "type": "object",
    "description": "Many questions; one that is wrong spoils only its own answer.",
    "required": ["questions"],
    "additionalProperties": False,
    "properties": {
        "questions": {
            "type": "array",
            "maxItems": MOST_QUESTIONS,
            "items": {"$ref": _TEMPLATE.format(model="VerifyQuestion")},
        }
    },
}


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for model in (VerifyQuestion, answer(VerifyAnswer), answer(VerifyBatchAnswer)):
        described = model.model_json_schema(ref_template=_TEMPLATE)
        schemas |= {**described.pop("$defs"), described["title"]: described}
    # The empty strings above stand for “left out” and are no value that may be sent.
    for name in ("VerifyQuestion", "AskedDevice"):
        for member in schemas[name]["properties"].values():
            member.pop("default", None)
    schemas["VerifyQuestion"]["properties"]["device"] = {"$ref": _TEMPLATE.format(model="AskedDevice")}
    return schemas | _alternatives(schemas["VerifyQuestion"]) | {"VerifyBatch": _BATCH}


def _alternatives(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the question as one of four forms, each whole: of a rule across members no generated client knows."""
    members = question["properties"]
    whole = {
        f"AskBy{name.capitalize()}": {
            "title": f"AskBy{name.capitalize()}",
            "type": "object",
            "additionalProperties": False,
            "required": [name],
            "properties": {each: members[each] for each in (name, "device_id", "at")},
        }
        for name in _SUBJECTS
    }
    of = {each: question[each] for each in ("title", "description")}
    return whole | {question["title"]: {**of, "oneOf": [{"$ref": _TEMPLATE.format(model=each)} for each in whole]}}


def _paths() -> dict[str, Any]:
    verdict = {"200": _json("The answer.", "VerifyAnswer")}
    refused = _refused(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE
    )
    too_large = _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    absent = _refused(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
    answered = {"200": _octets("An OCSPResponse, also where it refuses.", ocsp.MEDIA_TYPE)}
    unchanged = {"304": {"description": "Not Modified"}}
    page = {str(status): _page(status) for status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND)}
    page["503"] = _page(HTTPStatus.SERVICE_UNAVAILABLE)
    question = {"application/json": {"schema": {"$ref": _TEMPLATE.format(model="VerifyQuestion")}}}
    table = {"text/csv": {"schema": {"type": "string", "format": "binary"}}}
    told = _json("The answers, in order.", "VerifyBatchAnswer")
    told["content"] |= table
    batch = {"application/json": {"schema": {"$ref": _TEMPLATE.format(model="VerifyBatch")}}, **table}
    # As octets too: what the type is called decides nothing, and no client that is made from this knows the other one.
    octets = {"schema": {"type": "string", "format": "binary"}}
    request = {"application/ocsp-request": octets, "application/octet-stream": octets}
    crl = {"200": _octets("The list, DER.", fetching.CRL_TYPE), **unchanged, **absent}
    certificate = {"200": _octets("The certificate, DER.", fetching.CERTIFICATE_TYPE), **unchanged, **absent}
    chain = {"200": _octets("The chain, PEM.", fetching.CHAIN_TYPE), **unchanged, **absent}
    key, number = _path("key_id", "^[0-9a-f]{1,64}$"), _path("number", "^[0-9]{1,18}$")
    return {
        "/v1/verify": {
            "post": _operation(
                "verify",
                "Verifying",
                "Ask about an approval, a certificate, a serial number or a device.",
                {**verdict, **refused, **too_large},
                body=question,
                credential=True,
                serves=("F2.21(d)", "F2.25", "F2.26", "F2.31"),
            )
            | body_limit(QUESTION_LIMIT)
        },
        BATCH: {
            "post": _operation(
                "verifyBatch",
                "Verifying",
                "Ask many questions at once, in JSON or in a table whose header names the columns.",
                {"200": told, **refused, **too_large},
                body=batch,
                credential=True,
                serves=("F2.21(d)", "F2.25", "F2.26", "F2.31"),
            )
            | body_limit(BATCH_LIMIT)
        },
        "/v1/verify/{approval}": {
            "get": _operation(
                "verifyApproval",
                "Verifying",
                "The same for caches: ETag, and a max-age below fresh_until.",
                {**verdict, **unchanged, **refused},
                [_path("approval", APPROVAL_PATTERN)],
                credential=True,
                serves=("F2.25", "F2.26", "F2.31"),
            )
        },
        "/ocsp": {
            "post": _operation(
                "ocspPost",
                "Fetching",
                "Ask the responder (RFC 6960).",
                {**answered, **too_large},
                body=request,
                serves=_ENDED,
            )
            | body_limit(ocsp.REQUEST_LIMIT)
        },
        "/ocsp/{request}": {
            "get": _operation(
                "ocspGet",
                "Fetching",
                "The same, base64 in the path.",
                {**answered, **unchanged},
                [_path("request")],
                serves=_ENDED,
            ),
            "post": _operation(
                "ocspPostBelow",
                "Fetching",
                "As POST /ocsp: some clients put a slash, or more, behind the responder's address.",
                {**answered, **too_large},
                [_path("request")],
                body=request,
                serves=_ENDED,
            )
            | body_limit(ocsp.REQUEST_LIMIT),
        },
        "/crl/{key_id}.crl": {
            "get": _operation("newestCrl", "Fetching", "The CRL in force.", crl, [key], serves=_ENDED)
        },
        "/crl/{key_id}/{number}.crl": {
            "get": _operation("numberedCrl", "Fetching", "Any CRL ever published.", crl, [key, number], serves=_ENDED)
        },
        "/ca/root.cer": {"get": _operation("rootCertificate", "Fetching", "The root.", certificate)},
        "/ca/chain.pem": {"get": _operation("chain", "Fetching", "Issuing CA, then root.", chain)},
        "/ca/{key_id}.cer": {
            "get": _operation("authorityCertificate", "Fetching", "Any of the hierarchy.", certificate, [key])
        },
        "/approvals/{approval}": {
            "get": _operation(
                "page", "Fetching", "The public page of an approval.", page, [_path("approval")], serves=("F2.26",)
            )
        },
        "/healthz": {"get": _operation("alive", "Watching", "Alive.", {"200": _text("Alive.", "text/plain")})},
    }


def _operation(
    name: str,
    tag: str,
    summary: str,
    responses: Mapping[str, Any],
    parameters: list[dict[str, Any]] | None = None,
    *,
    body: Mapping[str, Any] | None = None,
    credential: bool = False,
    serves: tuple[str, ...] = (),
) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": name, "tags": [tag], "summary": summary, "responses": responses}
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {"required": True, "content": body}
    if credential:
        operation["security"] = WITH_CREDENTIAL
    return {**operation, **clauses(*serves)} if serves else operation


def _path(name: str, pattern: str | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if pattern is not None:
        schema["pattern"] = pattern
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _json(description: str, model: str) -> dict[str, Any]:
    schema = {"$ref": _TEMPLATE.format(model=model)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _octets(description: str, media_type: str) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}


def _text(description: str, media_type: str) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}


def _page(status: HTTPStatus) -> dict[str, Any]:
    return _text(status.phrase, "text/html")


def _refused(*statuses: HTTPStatus) -> dict[str, Any]:
    return {str(status): described for status, described in refusals(*statuses).items()}
