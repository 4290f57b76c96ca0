"""/v1/feed: the rows of the public log one after the other, with the checkpoint that covers them.

What is answered at once is here. Whoever waits for a row is let wait by the front (app/served.py). No credential: what
is said proves itself.
"""

import json
from http import HTTPStatus

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.log import FeedQuery
from api.log_views import FeedAnswer
from api.service import JSON_TYPE, WATCHING, Service, refusals
from core.errors import LogEmpty
from store.reading import log as reading
from store.transactions import Transaction

FEED = "/v1/feed"

OCTETS = 8 * 1024 * 1024
"""Of one answer: no row is added that would make it longer. A row that is longer by itself is an answer of its own."""


def add_feed(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    store = service.desk.store

    @app.get(
        FEED,
        operation_id="followLog",
        tags=[WATCHING],
        responses={
            200: answer(FeedAnswer),
            **refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
    )
    def follow_log(query: FeedQuery) -> Response:
        """Follow the public log: its rows without a gap, up to those of the newest checkpoint. No credential needed."""
        with store.read() as tx:
            octets = portion(tx, query.after, query.limit)
        return Response(octets, content_type=JSON_TYPE)


def portion(tx: Transaction, after: int, limit: int) -> bytes:
    """Return the next rows and the newest checkpoint, in the canonical form (RFC 8785).

    Args:
        tx: open.
        after: the row behind which they are; of what no checkpoint covers yet there are none.
        limit: the most.

    Raises:
        LogEmpty: there is no checkpoint yet.
    """
    newest = reading.checkpoint(tx)
    if newest is None:
        raise LogEmpty
    # What no checkpoint covers is shown to nobody: it may be taken back.
    rows = reading.leaves_within(tx, after, limit, newest.size, OCTETS) if after < newest.size else []
    return written([row_of(each) for each in rows], newest.note)


def written(rows: list[str], note: str) -> bytes:
    """Return an answer of the feed: rows that are written already, and a checkpoint."""
    return f'{{"checkpoint":{json.dumps(note, ensure_ascii=False)},"rows":[{",".join(rows)}]}}'.encode()


def row_of(leaf: reading.Leaf) -> str:
    """Return a row as the feed has it, in the canonical form: what its leaf is the hash of, and that hash."""
    return (
        f'{{"commitment":"{leaf.commitment.hex()}","leaf":"{leaf.leaf.hex()}","number":{leaf.number},'
        f'"public":{leaf.public},"sealed_at":"{leaf.sealed_at}"}}'
    )
