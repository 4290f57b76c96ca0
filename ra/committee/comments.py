"""comments: what officers say to each other of an application, between meetings. Kept from everybody outside the SSC.

A comment is written once and never changed. Its author takes it back by a further fact; its words stay on record.
"""

from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.errors import NotTheAuthor
from core.facts import Fact, FactKind
from policy.roles import Operation
from ra.access import authorise
from ra.committee.saying import require_room, said, salted
from ra.committee.views import CommentAnswer, CommentList, CommentMade
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, once
from store.reading import committee as reading
from store.reading import requests
from store.reading.committee import Comment
from store.transactions import Transaction
from store.verbs import committee, facts

MOST_COMMENTS = 200
"""Comments on one application; chosen: more than anybody reads before a decision."""


def make_comment(
    desk: Desk, actor: Actor, application: str, words: str, request: RequestKey | None = None
) -> CommentMade:
    """Say something of an application to the other officers.

    Args:
        desk: where.
        actor: an officer.
        application: of which; one that is decided, too.
        words: what.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is no such application.
        NothingSaid: there is nothing in the words.
        BodyMalformed: they are longer than they may be.
        BoundReached: there are as many as may be.
    """
    authorise(actor, Operation.COMMENT)
    at = desk.clock.now()
    with desk.store.begin("make comment") as tx:
        return once(
            desk,
            tx,
            actor,
            request,
            CommentMade,
            lambda: _make(tx, actor, application, said(words, of="the comment"), at=at),
            at=at,
        )


def retract_comment(desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None) -> CommentMade:
    """Take back a comment of one's own.

    Raises:
        NoSuchThing: there is none.
        NotTheAuthor: it is another officer's.
        WrongState: it was retracted before.
    """
    authorise(actor, Operation.COMMENT)
    at = desk.clock.now()
    with desk.store.begin("retract comment") as tx:
        return once(desk, tx, actor, request, CommentMade, lambda: _retract(tx, actor, identifier, at=at), at=at)


def comments_of(desk: Desk, actor: Actor, application: str) -> CommentList:
    """Return the comments on an application, those that were retracted too; NoSuchThing if there is none such."""
    authorise(actor, Operation.READ_COMMITTEE)
    with desk.store.read() as tx:
        requests.application(tx, application)
        return CommentList(tuple(map(_shown, reading.comments_on(tx, application))))


def _make(tx: Transaction, actor: Actor, application: str, words: str, *, at: datetime) -> CommentMade:
    requests.locked_application(tx, application)
    require_room(reading.comments_on(tx, application), 1, MOST_COMMENTS, what="comments on one application")
    salt, digest = salted(words)
    made = Comment(
        id=new_identifier("com", at), application=application, text=words, salt=salt, made_at=at, made_by=actor.name
    )
    committee.say(tx, made)
    payload: dict[str, Json] = {"comment": made.id, "salted_sha256": digest}
    facts.record(tx, Fact(FactKind.COMMENT_MADE, at, actor, subject=application, payload=payload))
    return CommentMade(comment=made.id, application=application)


def _retract(tx: Transaction, actor: Actor, identifier: str, *, at: datetime) -> CommentMade:
    found = reading.comment(tx, identifier)
    if found.made_by != actor.name:
        raise NotTheAuthor(author=found.made_by)
    committee.retract(tx, identifier, at=at)
    payload: dict[str, Json] = {"comment": identifier}
    facts.record(tx, Fact(FactKind.COMMENT_RETRACTED, at, actor, subject=found.application, payload=payload))
    return CommentMade(comment=identifier, application=found.application, retracted_at=at)


def _shown(found: Comment) -> CommentAnswer:
    return CommentAnswer(
        comment=found.id,
        text=found.text,
        made_at=found.made_at,
        made_by=found.made_by,
        retracted_at=found.retracted_at,
    )
