"""What an error of ours means in HTTP, said once: problem documents (RFC 9457) for the whole web process.

Callers read `code`, which is stable; `detail` and `hint` are for people. `type` is about:blank, so `title` is the
status's own phrase (RFC 9457, 4.2.1).
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

from core import unreadable
from core.canonical import Json
from core.errors import (
    AuthorisationRefused,
    Conflict,
    Finding,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    Refusal,
    RegisterUnreadable,
    RequestMalformed,
    RequestTooLarge,
    RequestUnsupported,
    RulesRefused,
    TooMany,
    TrialCpaError,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"

RETRY_AFTER_SECONDS = 5
"""What a client is told to wait after a 503: longer than a restart of the database's connection takes."""

LATER_SECONDS = 900
"""What a client is told to wait after a 429: of what is counted over 24 hours some will have dropped off by then."""

STATUS_BY_FAMILY: Mapping[type[TrialCpaError], HTTPStatus] = {
    RequestMalformed: HTTPStatus.BAD_REQUEST,
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    NotPermitted: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    RequestTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RequestUnsupported: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Refusal: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The table. A family that is not in it (configuration, integrity) is nobody's business outside: 500."""


def problem(error: Exception) -> tuple[int, dict[str, Json]]:
    """Return the HTTP status and the problem document of an error.

    Args:
        error: one of ours; anything else, or one outside the table, becomes a 500 that tells nothing of its text.
    """
    status = _status(error)
    if status is None or not isinstance(error, TrialCpaError):
        return int(HTTPStatus.INTERNAL_SERVER_ERROR), document(
            HTTPStatus.INTERNAL_SERVER_ERROR, TrialCpaError.code, TrialCpaError.sentence, "Try again later."
        )
    described = document(status, error.code, str(error), error.hint)
    if isinstance(error, RulesRefused):
        described["findings"] = [finding_document(finding) for finding in error.findings]
    if isinstance(error, AuthorisationRefused):
        described["flaw"] = str(error.fields["flaw"])
    return int(status), described


def of_a_row(error: Exception) -> Exception:
    """Return what is told of an error: where it comes of a word in a row that is nobody's, that this cannot be read.

    Args:
        error: what nobody expected, or nobody outside is told of; the log has it.
    """
    what = unreadable.behind(error)
    return error if what is None else RegisterUnreadable(what=what)


def document(status: HTTPStatus, code: str, detail: str, hint: str) -> dict[str, Json]:
    """Return a problem document for what only HTTP knows: an unknown path, a method that a path does not have.

    Args:
        status: the HTTP status; its phrase is the title.
        code: stable, kebab-case.
        detail: what is wrong, a sentence.
        hint: what to do next, a sentence.
    """
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        "hint": hint,
    }


def finding_document(finding: Finding) -> dict[str, Json]:
    """Return a finding as it goes to whoever asked."""
    return {
        "code": finding.code,
        "clause": finding.clause,
        "severity": finding.severity.value,
        "detail": finding.detail,
        "remedy": finding.remedy,
    }


def headers(status: int) -> list[tuple[str, str]]:
    """Return the header fields that a problem of this status must carry; no problem is ever kept by a cache."""
    fields = [("Content-Type", MEDIA_TYPE), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
    if status == HTTPStatus.UNAUTHORIZED:
        fields.append(("WWW-Authenticate", 'Bearer realm="trialcpa"'))  # RFC 9110, 11.6.1
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        fields.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        fields.append(("Retry-After", str(LATER_SECONDS)))  # RFC 6585, 4
    return fields


def encode(described: Mapping[str, Json]) -> bytes:
    """Return a document as JSON text in ASCII: a lone surrogate in what was asked must not break the answer."""
    return json.dumps(described, separators=(",", ":")).encode("ascii")


def _status(error: Exception) -> HTTPStatus | None:
    for family, status in STATUS_BY_FAMILY.items():
        if isinstance(error, family):
            return status
    return None
