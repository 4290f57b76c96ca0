"""/v1/register: what the public log says of every approval, as one file. No credential: the log proves it."""

import threading
from dataclasses import dataclass
from http import HTTPStatus

from flask import Response, request
from flask_openapi3.openapi import OpenAPI
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from api.kept_files import KeptFile, Shelf
from api.service import JSON_TYPE, WATCHING, Service, refusals
from api.status.exchange import Streamed
from core.errors import LogEmpty, RegisterBeingMade
from core.register import Moment, register_octets
from store.reading import log as log_reading
from store.reading import register as reading
from store.transactions import Store

REGISTER = "/v1/register"

WAIT_SECONDS = 4.0
"""For which is waited while somebody else has the first file made: less than a request waits for a thread."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A register as it is handed out."""

    moment: Moment
    file: KeptFile


class Registers:
    """The register as one file, made once for each moment and for everybody.

    While the next is made, whoever asks gets the one before.

    Args:
        store: the register that it is made of.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._making = threading.Lock()
        self._held: Held | None = None
        self._shelf = Shelf()

    def newest(self) -> Held:
        """Return the newest one.

        Raises:
            LogEmpty: there is none yet.
            RegisterBeingMade: the first is being made, and takes long.
        """
        wanted, held = self._moment(), self._held
        if held is not None and held.moment == wanted:
            return held
        if not self._making.acquire(timeout=WAIT_SECONDS if held is None else 0):
            if held is None:
                raise RegisterBeingMade
            return held
        try:
            if self._held is None or self._held.moment != wanted:
                self._held = self._made(wanted)
                self._shelf.put(self._held.file)
            return self._held
        finally:
            self._making.release()

    def _moment(self) -> Moment:
        with self._store.read() as tx:
            found = log_reading.checkpoint(tx)
            if found is None:
                raise LogEmpty
            return reading.moment(tx, found)

    def _made(self, wanted: Moment) -> Held:
        documents = (each for _, each in reading.each_document(self._store, wanted.size))
        return Held(moment=wanted, file=KeptFile(register_octets(documents, wanted)))


def add_register(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    registers = Registers(service.desk.store)
    described = {"description": "The register.", "content": {JSON_TYPE: {"schema": {"type": "object"}}}}

    @app.get(
        REGISTER,
        operation_id="fetchRegister",
        tags=[WATCHING],
        responses={200: described, **refusals(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)},
    )
    def fetch_register() -> Response:
        """Fetch the public register: of every approval the last document in the log. No credential needed."""
        return sent_file(registers.newest().file, JSON_TYPE)


def sent_file(file: KeptFile, media_type: str) -> Response:
    """Return the answer that a file is, or a part of it that is asked for (RFC 9110, 14)."""
    tag = f'"{file.sha256.hex()[:32]}"'
    begin, end = _asked_for(file.length, tag)
    whole = (begin, end) == (0, file.length)
    sent = Response(
        Streamed(file.pieces(begin, end)),
        HTTPStatus.OK if whole else HTTPStatus.PARTIAL_CONTENT,
        content_type=media_type,
        direct_passthrough=True,
    )
    sent.content_length = end - begin
    sent.headers["ETag"] = tag
    sent.headers["Cache-Control"] = "public, no-cache, no-transform"
    sent.headers["Accept-Ranges"] = "bytes"
    if not whole:
        sent.headers["Content-Range"] = f"bytes {begin}-{end - 1}/{file.length}"
    else:
        sent.make_conditional(request)
    return sent


def _asked_for(length: int, tag: str) -> tuple[int, int]:
    """Return which octets are asked for: all, but for one range of those that whoever asks has begun to fetch.

    Raises:
        RequestedRangeNotSatisfiable: they begin behind the end.
    """
    asked, unchanged = request.range, request.if_range
    if request.method != "GET" or asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return 0, length
    if "If-Range" in request.headers and f'"{unchanged.etag}"' != tag:
        return 0, length
    found = asked.range_for_length(length)
    if found is None:
        raise RequestedRangeNotSatisfiable(length)
    return found
