"""The public log: its newest checkpoint, tiles and proofs. No credential: what it says proves itself."""

import re
from http import HTTPStatus

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.log import ConsistencyQuery, InclusionQuery, TilePath
from api.log_views import ConsistencyAnswer
from api.service import WATCHING, Service, refusals, reply
from core.errors import NoSuchThing
from core.identifiers import ApprovalIdentifier
from core.merkle import TILE_WIDTH, bundle, consistency_proof
from ra.auditing.inclusion import base64_of, inclusion, inclusion_of, newest, undamaged
from ra.auditing.views import InclusionAnswer
from store.reading import log as reading
from store.transactions import Transaction

_TILE = re.compile(
    r"(?P<level>[0-9]{1,2}|entries)/(?P<index>(?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
_HIGHEST = 7
"""Level of a tile: eight of them hold more leaves than a journal can have."""

_FOR_EVER = "public, max-age=31536000, no-transform, immutable"
_NOTE_TYPE = "text/plain; charset=utf-8"


def add_log(app: OpenAPI, service: Service) -> None:
    """Add the resources to the application."""
    store = service.desk.store
    not_there = (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)

    @app.get(
        "/v1/checkpoint",
        operation_id="showCheckpoint",
        tags=[WATCHING],
        responses={200: _of("text/plain", "The signed note."), **refusals(*not_there)},
    )
    def show_checkpoint() -> Response:
        """Fetch the newest checkpoint of the public log, a signed note (C2SP tlog-checkpoint). No credential needed."""
        with store.read() as tx:
            note = newest(tx).note
        return _sent(note.encode(), _NOTE_TYPE, "no-store")

    @app.get(
        "/tile/<path:tile>",
        operation_id="fetchTile",
        tags=[WATCHING],
        responses={200: _of("application/octet-stream", "The tile."), **refusals(*not_there)},
    )
    def fetch_tile(path: TilePath) -> Response:
        """Fetch a tile of the public log, or its entries (C2SP tlog-tiles). No credential needed."""
        with store.read() as tx:
            octets = _tile(tx, path.tile)
        return _sent(octets, "application/octet-stream", _FOR_EVER)

    @app.get(
        "/v1/proofs/inclusion",
        operation_id="proveInclusion",
        tags=[WATCHING],
        responses={200: answer(InclusionAnswer), **refusals(*not_there, HTTPStatus.BAD_REQUEST)},
    )
    def prove_inclusion(query: InclusionQuery) -> Response:
        """Prove that a row is in the tree of a checkpoint (RFC 9162, 2.1.3). No credential needed.

        Of an approval it is the newest row that says something of it, as everybody may know it; `trialcpa-verify proof`
        checks the answer offline.
        """
        with store.read() as tx:
            if query.approval is not None:
                found = inclusion_of(tx, str(ApprovalIdentifier.parse(query.approval)), query.size)
            else:
                found = inclusion(tx, query.row or 0, query.size)
        return reply(found)

    @app.get(
        "/v1/proofs/consistency",
        operation_id="proveConsistency",
        tags=[WATCHING],
        responses={200: answer(ConsistencyAnswer), **refusals(*not_there, HTTPStatus.BAD_REQUEST)},
    )
    def prove_consistency(query: ConsistencyQuery) -> Response:
        """Prove that the tree of one size goes on from another (RFC 9162, 2.1.4). No credential needed."""
        with store.read() as tx:
            if not query.old <= query.new <= newest(tx).size:
                raise NoSuchThing(kind="tree of the log with size", identifier=query.new)
            with undamaged():
                hashes = consistency_proof(reading.nodes_to(tx, query.old - 1, query.new), query.old, query.new)
        return reply(ConsistencyAnswer(old=query.old, new=query.new, hashes=base64_of(hashes)))


def _tile(tx: Transaction, asked: str) -> bytes:
    found = _TILE.fullmatch(asked)
    absent = NoSuchThing(kind="tile", identifier=asked[:64])
    if found is None:
        raise absent
    index, width = int(found["index"].replace("x", "").replace("/", "")), int(found["width"] or TILE_WIDTH)
    entries = found["level"] == "entries"
    level = 0 if entries else int(found["level"])
    # What no checkpoint covers is shown to nobody: it may be taken back.
    if level > _HIGHEST or width > TILE_WIDTH or (index * TILE_WIDTH + width) << (8 * level) > newest(tx).size:
        raise absent
    with undamaged():
        if entries:
            found_entries = reading.entries(tx, index, width)
            octets = None if found_entries is None else bundle(found_entries)
        else:
            octets = reading.tile(tx, level, index, width)
    if octets is None:
        raise absent
    return octets


def _of(media_type: str, description: str) -> dict[str, object]:
    return {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}


def _sent(octets: bytes, media_type: str, cache: str) -> Response:
    sent = Response(octets, content_type=media_type)
    sent.headers["Cache-Control"] = cache
    return sent
