"""Files that a page sends to be saved: never shown in place, whoever wrote them."""

from flask import Response

_SAVED = {"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}


def attached(octets: bytes, media_type: str, name: str) -> Response:
    """Return a file to be saved under a name."""
    answer = Response(octets, content_type=media_type, headers=_SAVED)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
