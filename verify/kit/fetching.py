"""Asks an authority over HTTP, with nothing but the standard library: no redirect, no proxy, no end of waiting."""

import base64
import http.client
import json
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from verify.kit.canonical import read
from verify.kit.stopped import Check, Stopped

LARGEST = 64 * 1024 * 1024
"""Octets of an answer that is read: a thousand rows of the feed have a few at most."""

PIECE = 256 * 1024
"""Octets of a longer one that are read at once."""


class Authority:
    """Where an authority is asked.

    Args:
        base: its address, http or https, without anything behind the path.
        seconds: that each answer may take to begin and between any two pieces of it.
        whole: seconds in which an answer has to be there to its end, but for one that is yielded in pieces.
        api_key: who asks; nothing but `ask` needs one.
    """

    def __init__(self, base: str, *, seconds: float = 60, whole: float = 300, api_key: str = "") -> None:
        where = urlsplit(base)
        if where.scheme not in ("http", "https") or not where.hostname or where.query or where.fragment:
            raise ValueError(f"{base!r} is no address of an authority")
        self._where = where
        self._seconds, self._whole = seconds, whole
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

    def post(self, path: str, document: Mapping[str, object] | bytes) -> tuple[int, bytes]:
        """Return status and body of the answer to a document, or to an OCSP request; Stopped if there is none."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode("ascii")
        kind = "application/ocsp-request" if isinstance(document, bytes) else "application/json"
        return self._asked("POST", path, body, kind)

    def pieces(self, path: str) -> Iterator[bytes]:
        """Yield what is at a path, however long; Stopped if it cannot be had, or is cut short."""
        connection = self._connection()
        try:
            connection.request("GET", self._where.path.rstrip("/") + path, headers=self._fields())
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise Stopped(Check.UNREACHABLE, f"{path} was answered with {answer.status}.")
            while piece := answer.read(PIECE):
                yield piece
            if answer.length:
                raise Stopped(Check.UNREACHABLE, f"{path} was cut short.")
        except (OSError, http.client.HTTPException) as error:
            raise _silent(path, error) from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        made = http.client.HTTPSConnection if self._where.scheme == "https" else http.client.HTTPConnection
        return made(self._where.hostname or "", self._where.port, timeout=self._seconds)

    def _fields(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}

    def _asked(self, method: str, path: str, body: bytes | None, kind: str = "") -> tuple[int, bytes]:
        connection = self._connection()
        fields = self._fields() | ({} if body is None else {"Content-Type": kind})
        try:
            connection.request(method, self._where.path.rstrip("/") + path, body, fields)
            answer = connection.getresponse()
            found = self._read(answer, path)
        except (OSError, http.client.HTTPException) as error:
            raise _silent(path, error) from None
        finally:
            connection.close()
        return answer.status, found

    def _read(self, answer: http.client.HTTPResponse, path: str) -> bytes:
        """Return a body; a piece may come in time each time, and the whole never."""
        found, until = bytearray(), time.monotonic() + self._whole
        while piece := answer.read1(PIECE):
            found += piece
            if len(found) > LARGEST:
                raise Stopped(Check.FORM, f"The answer of {path} is longer than any of its kind.")
            if time.monotonic() > until:
                raise Stopped(Check.UNREACHABLE, f"{path} was not answered to its end in {self._whole:g} seconds.")
        if answer.length:
            raise Stopped(Check.UNREACHABLE, f"{path} was cut short.")
        return bytes(found)


def proved(octets: bytes) -> list[bytes]:
    """Return the hashes of a proof as an authority answers it.

    Raises:
        Stopped: they are none.
    """
    try:
        return [base64.b64decode(each, validate=True) for each in read(octets)["hashes"]]
    except (ValueError, TypeError, KeyError):
        raise Stopped(Check.FORM, "That is no proof.") from None


def _silent(path: str, error: Exception) -> Stopped:
    return Stopped(Check.UNREACHABLE, f"{path} was not answered: {error or type(error).__name__}.")
