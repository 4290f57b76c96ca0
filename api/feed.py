"""/v1/feed: the rows of the public log one after the other, with the checkpoint that covers them.

What is answered at once is here. Whoever waits for a row is let wait by the front (app/served.py). No credential: what
is said proves itself.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.log import FeedHeader, FeedQuery
from api.log_views import FeedAnswer
from api.service import JSON_TYPE, WATCHING, Service, refusals
from core.errors import LogEmpty
from store.reading import log as reading
from store.transactions import Transaction

FEED = "/v1/feed"
EVENTS_TYPE = "text/event-stream"

OCTETS = 2 * 1024 * 1024
"""Of one answer: no row is added that would make it longer. A row that is longer by itself is an answer of its own.
A thousand rows that carry one approval each have as many."""


@dataclass(frozen=True)
class Portion:
    """An answer of the feed: its octets, and the number of the last row in it, or of the one that was asked behind."""

    octets: bytes
    last: int


def add_feed(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    store = service.desk.store

    @app.get(
        FEED,
        operation_id="followLog",
        tags=[WATCHING],
        responses={
            200: answer(FeedAnswer, EVENTS_TYPE),
            **refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
    )
    def follow_log(query: FeedQuery, header: FeedHeader) -> Response:
        """Follow the public log: its rows without a gap, up to those of the newest checkpoint. No credential needed."""
        del header  # nobody is sent events from here
        with store.read() as tx:
            found = portion(tx, query.after, query.limit)
        return Response(found.octets, content_type=JSON_TYPE)


def portion(tx: Transaction, after: int, limit: int) -> Portion:
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
    octets = b"".join((begin(newest.note), b",".join([row_of(each) for each in rows]), END))
    return Portion(octets, rows[-1].number if rows else after)


def begin(note: str) -> bytes:
    """Return what stands before the rows of an answer, which commas divide."""
    return f'{{"checkpoint":{json.dumps(note, ensure_ascii=False)},"rows":['.encode()


END = b"]}"
"""What stands behind them."""


def row_of(leaf: reading.Leaf) -> bytes:
    """Return a row as the feed has it, in the canonical form: what its leaf is the hash of, and that hash."""
    return (
        f'{{"commitment":"{leaf.commitment.hex()}","leaf":"{leaf.leaf.hex()}","number":{leaf.number},'
        f'"public":{leaf.public},"sealed_at":"{leaf.sealed_at}"}}'
    ).encode()
