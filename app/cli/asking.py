"""Every question that a command asks a person; passphrases are asked for by keys/passphrase.py.

Ctrl-C ends a command without a word, as it does everywhere. Where nobody is there to answer, that is said, with what
could have been said instead.
"""

from collections.abc import Callable
from typing import TypeVar

import click

from core.errors import QuestionUnanswered

_Answer = TypeVar("_Answer")


def words(question: str, *, instead: str) -> str:
    """Return what a person says to a question, which is not nothing.

    Args:
        question: without a colon.
        instead: the option by which it is said otherwise.

    Raises:
        QuestionUnanswered: nobody is there.
    """
    return _answered(question, instead, lambda: str(click.prompt(question, type=str)))


def number(question: str) -> int:
    """Return a whole number; only a person at a terminal can say it. For errors see `words`."""
    return _answered(question, "", lambda: int(click.prompt(question, type=int)))


def repeated(question: str, *, instead: str = "", err: bool = False) -> str:
    """Return what a person types to show that they have read something; nothing, if they type nothing.

    Args:
        question: without a colon.
        instead: the option for whoever has read it before; empty if there is none.
        err: whether it is asked beside what is printed for programs.

    Raises:
        QuestionUnanswered: nobody is there.
    """
    ask: Callable[[], str] = lambda: click.prompt(question, default="", show_default=False, err=err)  # noqa: E731
    return _answered(question, instead, ask).strip()


def require_agreed(question: str, *, instead: str, err: bool = False) -> None:
    """Ask for a yes, and end the command by a sentence if it does not come.

    Args:
        question: without a question mark.
        instead: the option for whoever agrees already; empty if there is none.
        err: whether it is asked beside what is printed for programs.

    Raises:
        QuestionUnanswered: nobody is there.
    """
    if not _answered(question, instead, lambda: click.confirm(question, err=err)):
        raise click.ClickException("That was not a yes: it was not done.")


def _answered(question: str, instead: str, ask: Callable[[], _Answer]) -> _Answer:
    try:
        return ask()
    except click.Abort as stop:
        # click makes one of Ctrl-C and of the end of the file.
        if isinstance(stop.__context__, EOFError):
            said = f", or say {instead}" if instead else ""
            raise QuestionUnanswered(question=question.strip(), instead=said) from None
        raise
