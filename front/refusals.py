"""What the front refuses by itself: what only HTTP knows, as problem documents."""

from http import HTTPStatus

from api import problems
from api.status.exchange import Reply

WORDS: dict[str, tuple[HTTPStatus, str, str]] = {
    "host-missing": (
        HTTPStatus.BAD_REQUEST,
        "The request does not name its host exactly once.",
        "Send one Host field (RFC 9112, 3.2).",
    ),
    "field-repeated": (
        HTTPStatus.BAD_REQUEST,
        "A header field that may be sent once is sent more often.",
        "Send Authorization, Content-Type, Idempotency-Key and X-Forwarded-For once each.",
    ),
    "target-malformed": (
        HTTPStatus.BAD_REQUEST,
        "The request's target cannot be read.",
        "Ask for a path, without a fragment (RFC 9112, 3.2).",
    ),
    "not-http": (
        HTTPStatus.BAD_REQUEST,
        "What was sent is not a request in HTTP/1.1.",
        "See RFC 9112.",
    ),
    "body-incomplete": (
        HTTPStatus.BAD_REQUEST,
        "The request ends before its body does; nothing was recorded.",
        "Send it again, whole.",
    ),
    "chunks-too-small": (
        HTTPStatus.BAD_REQUEST,
        "Most of what was sent are sizes of chunks and not the body; nothing was recorded.",
        "Send it in larger chunks, or with a Content-Length.",
    ),
    "too-slow": (
        HTTPStatus.REQUEST_TIMEOUT,
        "The request did not arrive in time; nothing was recorded.",
        "Send it again, faster.",
    ),
    "body-encoded": (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The body has a content coding.",
        "Send it as it is, without Content-Encoding.",
    ),
    "expectation-unknown": (
        HTTPStatus.EXPECTATION_FAILED,
        "The request expects what is not done here.",
        "Expect 100-continue or nothing.",
    ),
    "head-too-large": (
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The request's head is too large.",
        "Send fewer or shorter header fields.",
    ),
    "trailer-too-large": (
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "What stands between or behind the chunks of the body is too large; nothing was recorded.",
        "Send the body without chunk extensions and without a trailer.",
    ),
    "target-too-long": (
        HTTPStatus.REQUEST_URI_TOO_LONG,
        "The request's target is too long.",
        "Ask with POST.",
    ),
    "method-unknown": (
        HTTPStatus.NOT_IMPLEMENTED,
        "The method is not known here; methods are case-sensitive.",
        "Methods are described in /openapi.json.",
    ),
    "transfer-coding-unknown": (
        HTTPStatus.NOT_IMPLEMENTED,
        "The body has a transfer coding other than chunked.",
        "Send it with a Content-Length, or chunked.",
    ),
    "version-unknown": (
        HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
        "The version of HTTP is not spoken here.",
        "Speak HTTP/1.1.",
    ),
    "busy": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Too much is waiting to be done at this moment; nothing was recorded.",
        "Try again in a few seconds.",
    ),
    "too-many-wait": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "As many wait for news as may, of you or of all.",
        "Ask without waiting, or try again in a few seconds.",
    ),
}
"""By code: the status, a sentence, and what to do."""


def refused(code: str) -> Reply:
    """Return the problem document of a code of WORDS."""
    status, sentence, hint = WORDS[code]
    fields = problems.headers(status)
    if status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        fields.append(("Accept-Encoding", "identity"))  # RFC 9110, 15.5.16
    return Reply(status, problems.encode(problems.document(status, code, sentence, hint)), fields)
