"""/v1/register: what the public log says of every approval, as one file. No credential: the log proves it."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TypeAlias

from flask import Response, request
from flask_openapi3.openapi import OpenAPI
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from api.answers import answer
from api.forms.fields import CSV_TYPE, XLSX_TYPE
from api.forms.log import RegisterForm, RegisterQuery, SignatureQuery
from api.kept_files import KeptFile, Shelf
from api.log_views import RegisterAnswer
from api.service import JSON_TYPE, WATCHING, Service, refusals
from api.status.exchange import Streamed
from core.errors import NoSuchThing, PublicRegisterDiffers, RegisterBeingMade, RegisterUnsigned
from core.register import Moment, Writing, register_octets
from ra.telling.register import as_csv, as_xlsx
from store.reading import register as reading
from store.reading.register import SignedRegister
from store.transactions import Store

REGISTER, SIGNATURE = "/v1/register", "/v1/register.p7s"

SIGNATURE_TYPE = "application/pkcs7-signature"  # RFC 8551, 3.2.1

WAIT_SECONDS = 4.0
"""For which is waited while somebody else has the first file made: less than a request waits for a thread."""

TABLE_SECONDS = 600.0
"""For which a table is handed out before another one is made: of 100,000 approvals that takes a core for some seconds,
and anybody may ask. It says itself of which moment it is."""

AGAIN_SECONDS = 30.0
"""After which is looked again whether rows that are not what was signed are what was signed."""

Written: TypeAlias = Callable[[Iterable[Sequence[str]], Moment], Iterator[bytes]]


class _DiffersError(Exception):
    """Rows are not what was signed; it never leaves this file."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A register as it is handed out."""

    signed: SignedRegister
    file: KeptFile


class Registers:
    """The register as one file of a form, made once for each that is signed, and for everybody.

    While the next is made, whoever asks gets the one before.

    Args:
        store: the register that it is made of.
        written: writes the form, of pages of documents and the moment that they are of.
        rests: seconds for which one is handed out though another is signed.
    """

    def __init__(self, store: Store, written: Written, *, rests: float = 0.0) -> None:
        self._store = store
        self._rests = rests
        self._made_at = 0.0
        self._written = written
        self._making = threading.Lock()
        self._held: Held | None = None
        self._shelf = Shelf()
        self._refused = (b"", 0.0)

    def newest(self) -> Held:
        """Return the newest one.

        Raises:
            RegisterUnsigned: there is none yet.
            RegisterBeingMade: the first is being made, and takes long.
            PublicRegisterDiffers: the first is not what was signed.
        """
        wanted, held = self._signed(), self._held
        if held is not None and held.signed.sha256 == wanted.sha256:
            return replace(held, signed=wanted)
        if held is not None and time.monotonic() < self._made_at + self._rests:
            return held
        if not self._making.acquire(timeout=WAIT_SECONDS if held is None else 0):
            if held is None:
                raise RegisterBeingMade
            return held
        try:
            wanted, held = self._signed(), self._held
            if held is None or held.signed.sha256 != wanted.sha256:
                held = self._made(wanted) or held
            if held is None:
                raise PublicRegisterDiffers
            self._held = held
            return held
        finally:
            self._making.release()

    def signature(self, size: int | None) -> bytes:
        """Return the signature of the newest register, or of the one of a size.

        Raises:
            RegisterUnsigned: there is none yet.
            NoSuchThing: there is none of that size, or none any more.
        """
        if size is None:
            return self.newest().signed.signature
        with self._store.read() as tx:
            found = reading.register_of(tx, size)
        if found is None:
            raise NoSuchThing(kind="signed register of size", identifier=size)
        return found.signature

    def _signed(self) -> SignedRegister:
        with self._store.read() as tx:
            found = reading.newest_register(tx)
        if found is None:
            raise RegisterUnsigned
        return found

    def _made(self, wanted: SignedRegister) -> Held | None:
        """Make the file; None if it is not what was signed: somebody has changed rows."""
        refused, since = self._refused
        if refused == wanted.sha256 and time.monotonic() < since + AGAIN_SECONDS:
            return None
        try:
            file = KeptFile(self._written(self._proved(wanted), wanted.moment))
        except (_DiffersError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            # What was signed can be written in every form: rows that cannot are others.
            self._refused = (wanted.sha256, time.monotonic())
            return None
        self._shelf.put(file)
        self._made_at = time.monotonic()
        return Held(signed=wanted, file=file)

    def _proved(self, wanted: SignedRegister) -> Iterator[list[str]]:
        """Yield the pages of a register; _DiffersError at the end, if they are not those of the one that was signed."""
        writing, digest = Writing(wanted.moment), hashlib.sha256()
        for each in reading.pages(self._store, wanted.moment.size):
            digest.update(writing.add(each))
            yield each
        digest.update(writing.end())
        if digest.digest() != wanted.sha256:
            raise _DiffersError


def add_register(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    store = service.desk.store
    by_form = {
        RegisterForm.JSON: (Registers(store, register_octets), JSON_TYPE),
        RegisterForm.CSV: (Registers(store, as_csv, rests=TABLE_SECONDS), CSV_TYPE),
        RegisterForm.XLSX: (Registers(store, as_xlsx, rests=TABLE_SECONDS), XLSX_TYPE),
    }
    signed, _ = by_form[RegisterForm.JSON]
    not_there = (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
    octets = {"schema": {"type": "string", "format": "binary"}}
    signature_described = {"description": "The signature, DER.", "content": {SIGNATURE_TYPE: octets}}

    @app.get(
        REGISTER,
        operation_id="fetchRegister",
        tags=[WATCHING],
        responses={200: answer(RegisterAnswer, CSV_TYPE, XLSX_TYPE), **refusals(*not_there, HTTPStatus.BAD_REQUEST)},
    )
    def fetch_register(query: RegisterQuery) -> Response:
        """Fetch the public register: of every approval the last document in the log. No credential needed.

        What is signed is the JSON; as=csv and as=xlsx are the same for people, one line for each approval.
        """
        registers, media_type = by_form[query.form]
        held = registers.newest()
        sent = sent_file(held.file, media_type)
        if query.form is not RegisterForm.JSON:
            name = f"register-{held.signed.moment.size}.{query.form}"
            sent.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return sent

    @app.get(
        SIGNATURE,
        operation_id="fetchRegisterSignature",
        tags=[WATCHING],
        responses={200: signature_described, **refusals(*not_there, HTTPStatus.BAD_REQUEST)},
    )
    def fetch_register_signature(query: SignatureQuery) -> Response:
        """Fetch the signature of the newest register, or of the one of a size: CMS, detached. No credential needed."""
        sent = Response(signed.signature(query.size), content_type=SIGNATURE_TYPE)
        sent.headers["Cache-Control"] = "public, no-cache, no-transform"
        return sent


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
