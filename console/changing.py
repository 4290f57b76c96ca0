"""A Manufacturer changes what it has sent, until a decision is proposed: a draft of what it says, checked and sent."""

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console import draft_form
from console.forms import field, request_key
from console.guard import actor
from console.looking import show_application
from console.service import Console
from core.errors import DraftOvertaken, NoSuchThing, OperationNotPermitted, Severity, TrialCpaError, WrongState
from core.kinds import ApplicationState
from ra.applying import changing
from ra.applying.draft_views import ApplicationDraft
from ra.applying.drafts import draft as draft_of
from ra.applying.views import ChangeForeseen
from ra.doors import admit


def add_changing(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    @app.post("/console/applications/<identifier>/change")
    def begin_change(identifier: str) -> Response | tuple[str, int]:
        """Begin a draft of what an application says, or go on with the one that is kept."""
        admit(actor(), "changeApplication")
        try:
            name = changing.begin_change(desk, actor(), identifier, draft_form.written)
        except (NoSuchThing, OperationNotPermitted):
            raise
        except TrialCpaError as error:
            return show_application(console, identifier, error=error), 422
        return redirect(url_for("draft", identifier=name), 303)

    @app.post("/console/drafts/<identifier>/change")
    def send_change(identifier: str) -> Response | tuple[str, int]:
        """Change the application, if it still says what was read beside the answers."""
        admit(actor(), "changeApplication")
        key, version = request_key(), field("version")
        try:
            done = changing.changed_before(desk, actor(), key)
            if done is None:
                it = draft_of(desk, actor(), identifier)
                command, _ = draft_form.read(it)
                if it.application is None or command is None:
                    return redirect(url_for("draft_check", identifier=identifier), 303)
                upon = int(version) if version.isdecimal() and len(version) <= _DIGITS else 0
                read = draft_form.versions_sent()
                done = changing.send_change(desk, actor(), identifier, command, read=read, upon=upon, request=key)
        except (NoSuchThing, OperationNotPermitted):
            raise
        except TrialCpaError as error:
            return check_change(console, draft_of(desk, actor(), identifier), error), _status(error)
        console.wrote()
        nothing = "It says that already: nothing was changed."
        flash(f"It is changed: this is version {done.version}." if done.changed else nothing)
        return redirect(url_for("application", identifier=done.application, _anchor="versions"), 303)


_DIGITS = 9


def _status(error: TrialCpaError) -> int:
    return 409 if isinstance(error, WrongState | DraftOvertaken) else 422


def check_change(console: Console, it: ApplicationDraft, error: TrialCpaError | None = None) -> str:
    """Return the page that shows every answer beside what the application says now.

    Args:
        console: at work.
        it: the draft.
        error: why it was not sent just now.
    """
    command, wanting = draft_form.read(it)
    foreseen: ChangeForeseen | None = None
    if command is not None and it.application is not None:
        try:
            foreseen = changing.foresee_change(console.desk, actor(), it.application, command)
        except (NoSuchThing, OperationNotPermitted):
            raise
        except TrialCpaError as refused:
            error = error or refused
    return render_template(
        "change_check.html",
        it=it,
        foreseen=foreseen,
        open=foreseen is not None and foreseen.state is ApplicationState.SUBMITTED,
        overtaken=foreseen is not None and foreseen.version != it.upon,
        stale=isinstance(error, WrongState) and request.method == "POST",
        since=draft_form.written_since(it, draft_form.versions_sent()) if isinstance(error, DraftOvertaken) else [],
        kept=draft_form.versions(it),
        wanting=wanting,
        label=draft_form.label,
        in_order=draft_form.in_order,
        titles=draft_form.TITLES,
        fatal=foreseen is not None and any(each.severity is Severity.FATAL for each in foreseen.findings),
        error=error,
    )
