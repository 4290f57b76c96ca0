"""Asks an authority over HTTP, with nothing but the standard library: no redirect, no proxy, no end of waiting."""

import http.client
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from verify.kit.stopped import Check, Stopped

LARGEST = 64 * 1024 * 1024
"""Octets of an answer that is read: a thousand rows of the feed have a few at most."""


class Authority:
    """Where an authority is asked.

    Args:
        base: its address, http or https, without anything behind the path.
        seconds: that each answer may take to begin and between any two pieces of it.
        api_key: who asks; nothing but `ask` needs one.
    """

    def __init__(self, base: str, *, seconds: float = 60, api_key: str = "") -> None:
        where = urlsplit(base)
        if where.scheme not in ("http", "https") or not where.hostname or where.query or where.fragment:
            raise ValueError(f"{base!r} is no address of an authority")
        self._where = where
        self._seconds = seconds
        self._api_key = api_key

    def get(self, path: str) -> bytes:
        """Return what is at a path.

        Raises:
            Stopped: it cannot be had, now.
        """
        status, body = self._asked("GET", path, None)
        if status != http.client.OK:
            raise Stopped(Check.UNREACHABLE, f"{path} was answered with {status}.")
        return body

    def post(self, path: str, document: Mapping[str, object]) -> tuple[int, bytes]:
        """Return status and body of the answer to a document; Stopped if there is none."""
        return self._asked("POST", path, json.dumps(document).encode("ascii"))

    def _asked(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        secure = self._where.scheme == "https"
        made = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = made(self._where.hostname or "", self._where.port, timeout=self._seconds)
        fields = {} if body is None else {"Content-Type": "application/json"}
        if self._api_key:
            fields["Authorization"] = f"Bearer {self._api_key}"
        try:
            connection.request(method, self._where.path.rstrip("/") + path, body, fields)
            answer = connection.getresponse()
            found = answer.read(LARGEST + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Stopped(Check.UNREACHABLE, f"{path} was not answered: {error or type(error).__name__}.") from None
        finally:
            connection.close()
        if len(found) > LARGEST:
            raise Stopped(Check.FORM, f"The answer of {path} is longer than any of its kind.")
        return answer.status, found
