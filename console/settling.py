"""An act that a form asks for: done and told, or refused on the page where what was typed stands still."""

from collections.abc import Callable

from flask import flash, redirect, request
from werkzeug.wrappers import Response

from console.service import Console
from core.errors import NotFound, OperationNotPermitted, TrialCpaError


def settled(
    console: Console, act: Callable[[], str], *, to: str, again: Callable[[TrialCpaError], str]
) -> Response | tuple[str, int]:
    """Do what a form asks for.

    Args:
        console: at work.
        act: does it, and says what is so now.
        to: the page that is gone on to.
        again: makes the page of the form anew, with why it was refused.
    """
    try:
        said = act()
    except (NotFound, OperationNotPermitted):
        raise
    except TrialCpaError as error:
        return again(error), 422
    console.wrote()
    flash(said)
    onward = redirect(to, 303)
    if "X-Goes-On" in request.headers:  # a script shows how far it is: it would follow, and eat what is said there
        onward.status_code = 200
    return onward
