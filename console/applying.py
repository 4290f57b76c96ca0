"""A Manufacturer applies: a draft kept part by part, its answers checked, and sent; then files, or it is taken back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console import draft_form
from console.changing import check_change
from console.draft_form import Wanting
from console.forms import field, request_key
from console.guard import actor
from console.service import Console
from console.settling import settled
from console.shown import remedy, sentence
from core.approval import DEVICE_TYPES
from core.errors import DraftOvertaken, Finding, NoSuchThing, OperationNotPermitted, Severity, TrialCpaError
from core.kinds import DraftPart, EvidenceSubject
from ra.applying import drafts as use
from ra.applying.apply import Apply, cancel_application
from ra.applying.draft_views import ApplicationDraft
from ra.applying.evidence import LARGEST_FILE, File, Subject, attach
from ra.applying.look import application as application_of
from ra.doors import admit

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Standing:
    """Where a part stands in the list of what is to be done."""

    part: DraftPart
    title: str
    begun: bool
    wanting: int
    fatal: bool


def add_applying(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    @app.get("/console/drafts")
    def drafts() -> str:
        """List the drafts of one's organisation."""
        return render_template("drafts.html", drafts=use.drafts(desk, actor()))

    @app.post("/console/drafts")
    def begin_draft() -> Response:
        return redirect(url_for("draft", identifier=use.begin_draft(desk, actor())), 303)

    @app.get("/console/drafts/<identifier>")
    def draft(identifier: str) -> str:
        """Show what is done of an application, and what is still to do."""
        it = use.draft(desk, actor(), identifier)
        command, wanting = draft_form.read(it)
        found, _ = ((), None) if command is None else _judged(console, command)
        return render_template("draft.html", it=it, parts=_standing(it, wanting, found), ready=not wanting)

    @app.post("/console/drafts/<identifier>/throwing-away")
    def throw_draft_away(identifier: str) -> Response:
        use.throw_away(desk, actor(), identifier)
        flash("The draft is thrown away.")
        return redirect(url_for("drafts"), 303)

    for part in DraftPart:
        _add_part(app, console, part)
    _add_sending(app, console)
    _add_sent(app, console)


def _judged(console: Console, command: Apply) -> tuple[tuple[Finding, ...], TrialCpaError | None]:
    """What the rules would find, or why they cannot be asked."""
    try:
        return use.judge(console.desk, actor(), command), None
    except (NoSuchThing, OperationNotPermitted):
        raise
    except TrialCpaError as refused:
        return (), refused


def _standing(it: ApplicationDraft, wanting: list[Wanting], found: tuple[Finding, ...]) -> list[Standing]:
    fatal = {draft_form.part_of(each) for each in found if each.severity is Severity.FATAL}
    return [
        Standing(
            part=each.part,
            title=draft_form.TITLES[each.part],
            begun=each.version > 1 or it.application is not None,
            wanting=sum(one.part is each.part for one in wanting),
            fatal=each.part in fatal,
        )
        for each in it.parts
    ]


def _add_part(app: Flask, console: Console, part: DraftPart) -> None:
    """The page of one part: a rule of its own for each, so that no address names a part that there is not."""
    desk, endpoint = console.desk, f"draft_{part}"

    def show(identifier: str, said: Mapping[str, str] | None = None, *, error: str = "", stale: bool = False) -> str:
        it = use.draft(desk, actor(), identifier)
        kept = it.part(part)
        judged = kept.version > 1 and said is None
        wanting = {one.field: one.sentence for one in draft_form.read(it)[1] if one.part is part} if judged else {}
        shown = kept.said if said is None else said
        rows = draft_form.how_many_rows(part, shown)
        return render_template(
            f"draft_{part}.html",
            it=it,
            kept=kept,
            said=shown,
            wanting=wanting,
            rows=min(rows + 1, draft_form.MOST_ROWS),
            label=draft_form.label,
            title=draft_form.TITLES[part],
            types=DEVICE_TYPES,
            error=error,
            stale=stale,
        )

    def shown(identifier: str) -> str:
        return show(identifier)

    def kept(identifier: str) -> Response | tuple[str, int]:
        said = draft_form.sent(part)
        version = field("version")
        try:
            done = use.keep_part(
                desk, actor(), identifier, part, said, version=int(version) if version.isdecimal() else 0
            )
        except (NoSuchThing, OperationNotPermitted):
            raise
        except TrialCpaError as error:
            return show(
                identifier, {}, error=f"{sentence(error)} {remedy(error)}"
            ), 422  # what was typed is not said again
        if not done:
            return show(identifier, said, stale=True), 409
        _, wanting = draft_form.read(use.draft(desk, actor(), identifier))
        again = "another" in request.form or any(one.part is part for one in wanting)
        return redirect(url_for(endpoint if again else "draft", identifier=identifier), 303)

    place = f"/console/drafts/<identifier>/{part}"
    app.add_url_rule(place, endpoint, shown, methods=["GET"])
    app.add_url_rule(place, f"keep_{part}", kept, methods=["POST"])


def _check(console: Console, identifier: str, error: TrialCpaError | None = None) -> str:
    desk = console.desk
    it = use.draft(desk, actor(), identifier)
    command, wanting = draft_form.read(it)
    found: tuple[Finding, ...] = ()
    overtaken = isinstance(error, DraftOvertaken)
    if command is not None and (error is None or overtaken):
        found, refused = _judged(console, command)
        error = error or refused
    return render_template(
        "draft_check.html",
        it=it,
        command=command,
        since=draft_form.written_since(it, draft_form.versions_sent()) if overtaken else [],
        kept=draft_form.versions(it),
        wanting=wanting,
        label=draft_form.label,
        in_order=draft_form.in_order,
        titles=draft_form.TITLES,
        found=found,
        fatal=[(each, draft_form.part_of(each)) for each in found if each.severity is Severity.FATAL],
        error=error,
    )


def _add_sending(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.get("/console/drafts/<identifier>/check")
    def draft_check(identifier: str) -> str:
        """Show every answer, and what the rules would say of it now."""
        it = use.draft(desk, actor(), identifier)
        return _check(console, identifier) if it.application is None else check_change(console, it)

    @app.post("/console/drafts/<identifier>/check")
    def send_draft(identifier: str) -> Response | tuple[str, int]:
        key = request_key()
        try:
            done = use.sent_before(desk, actor(), key)
            if done is None:
                command, _ = draft_form.read(use.draft(desk, actor(), identifier))
                if command is None:
                    return _check(console, identifier), 422
                read = draft_form.versions_sent()
                done = use.send(desk, actor(), identifier, command, read=read, request=key)
        except (NoSuchThing, OperationNotPermitted):
            raise
        except TrialCpaError as error:
            return _check(console, identifier, error), 409 if isinstance(error, DraftOvertaken) else 422
        console.wrote()
        flash(f"{done.application} is with the Security Sub-Committee. Attach what proves it, below.")
        return redirect(url_for("application", identifier=done.application), 303)


def _add_sent(app: Flask, console: Console) -> None:
    desk = console.desk

    def settle(identifier: str, act: Callable[[], str]) -> Response | tuple[str, int]:
        def again(error: TrialCpaError) -> str:
            it = application_of(desk, actor(), identifier)
            return render_template("attach.html", it=it, error=error, most=LARGEST_FILE // _MIB)

        return settled(console, act, to=url_for("application", identifier=identifier), again=again)

    @app.get("/console/applications/<identifier>/files")
    def attaching(identifier: str) -> str:
        """Offer to attach a file to an application."""
        admit(actor(), "attachEvidence")
        it = application_of(desk, actor(), identifier)
        return render_template("attach.html", it=it, error=None, most=LARGEST_FILE // _MIB)

    @app.post("/console/applications/<identifier>/files")
    def attach_it(identifier: str) -> Response | tuple[str, int]:
        file = request.files.get("file")

        def act() -> str:
            name, octets = ("", b"") if file is None else (file.filename or "", file.read())
            sent = File(name=name, media_type="" if file is None else file.mimetype, octets=octets)
            done = attach(desk, actor(), Subject(EvidenceSubject.APPLICATION, identifier), sent, request_key())
            return f"{done.name} is attached."

        return settle(identifier, act)

    @app.post("/console/applications/<identifier>/taking-back")
    def take_back(identifier: str) -> Response | tuple[str, int]:
        def act() -> str:
            return f"{cancel_application(desk, actor(), identifier, request_key()).application} is taken back."

        return settle(identifier, act)
