"""`trialcpa comments`: what officers say to each other of an application."""

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.cli.words import WORDS
from app.client import path
from ra.committee.views import CommentAnswer, CommentList, CommentMade
from ra.views import document


@click.group(epilog="\b\nExample:\n  trialcpa comments add app-6564f1a2-9c3b1d2e4f60718a 'Page 4 has no date.'")
def comments() -> None:
    """What officers say to each other of an application; nobody outside the SSC reads it."""


@comments.command("list", epilog="\b\nExample:\n  trialcpa comments list app-6564f1a2-9c3b1d2e4f60718a")
@click.argument("application")
@asks_service
def list_(application: str, service: Service) -> None:
    """List the comments on an application, those that were retracted too."""
    with service.connect() as client:
        found = client.show(CommentList, path("applications", application, "comments"))
    if service.as_json:
        shown.as_json(document(found))
        return
    shown.table(
        shown.out(),
        ("comment", "who", "at", "what"),
        [(each.comment, each.made_by, shown.when(each.made_at), _words(each)) for each in found.comments],
        none="Nobody has said anything yet.",
    )


@comments.command(epilog="\b\nExample:\n  trialcpa comments add app-6564f1a2-9c3b1d2e4f60718a @note.txt")
@click.argument("application")
@click.argument("text", type=WORDS)
@asks_service
def add(application: str, text: str, service: Service) -> None:
    """Say something to the other officers. TEXT may be @FILE. It cannot be changed."""
    with service.connect() as client:
        made = client.do(CommentMade, path("applications", application, "comments"), {"text": text})
    _say(service, made, f"{made.comment}: the other officers can read it")


@comments.command(epilog="\b\nExample:\n  trialcpa comments retract com-6564f1a2-9c3b1d2e4f60718a")
@click.argument("comment")
@asks_service
def retract(comment: str, service: Service) -> None:
    """Take back a comment of your own; its words stay on record."""
    with service.connect() as client:
        made = client.do(CommentMade, path("comments", comment, "retraction"), {})
    _say(service, made, f"{made.comment}: retracted; its words stay on record")


def _words(comment: CommentAnswer) -> str:
    return f"(retracted) {comment.text}" if comment.retracted_at else comment.text


def _say(service: Service, made: CommentMade, words: str) -> None:
    if service.as_json:
        shown.as_json(document(made))
    else:
        shown.sentence(shown.out(), words)
