"""Reports: a month's figures, its words and forms, its issue; and deployments that are handed in as a file."""

from collections.abc import Callable

from flask import Flask, Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from console.answers import attached
from console.chart import HEIGHT, WIDTH, bars
from console.forms import request_key
from console.guard import actor
from console.service import Console
from console.settling import settled
from console.typed import one_of, words
from core.deployments import Outcome, form_of
from core.errors import BodyMalformed, OperationNotPermitted, TrialCpaError
from core.kinds import Rendition
from core.limits import NAME_LIMIT
from core.words import required
from ra.doors import admit
from ra.reporting import report as use
from ra.reporting.deployments import of_approval
from ra.reporting.questions import answer_question, ask, end_question
from ra.reporting.record import record_deployments
from ra.reporting.views import LineTaken

ROWS = 25
MOST_LINES = 500
"""Lines of a report of deployments that are shown: those that were refused first."""

MOST_APPROVALS = 20
"""Approvals of a report of deployments of which it is said where they stand now."""

_COUNTED = frozenset({Outcome.RECORDED, Outcome.KNOWN})

_MEDIA = {
    "pdf": ("application/pdf", Rendition.PDF),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Rendition.XLSX),
}


def add_reporting(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    _add_reports(app, console)
    _add_acts(app, console)
    _add_questions(app, console)
    _add_deployments(app, console)


def _show(console: Console, month: str, error: TrialCpaError | None = None) -> str:
    said = use.shown(console.desk, actor(), month)
    return render_template(
        "report.html",
        month=month,
        it=said,
        error=error,
        typed=request.form,
        chart=bars(said.approvals),
        size=(WIDTH, HEIGHT),
    )


def _settle(console: Console, month: str, act: Callable[[], str]) -> AnyResponse | tuple[str, int]:
    here = url_for("report", identifier=month)
    return settled(console, act, to=here, again=lambda error: _show(console, month, error))


def _add_reports(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.get("/console/reports")
    def reports() -> str:
        """List the reports that were issued, and name the one of this month."""
        found = use.reports(desk, actor(), after=request.args.get("after", "")[:200], limit=ROWS)
        return render_template("reports.html", page=found, month=use.month_of(desk.clock.now()))

    @app.get("/console/reports/<identifier>")
    def report(identifier: str) -> str:
        """Show a month's report: as it was issued, or as it would be issued now."""
        return _show(console, identifier)

    @app.get("/console/reports/<identifier>/file")
    def report_file(identifier: str) -> Response:
        form = request.args.get("as", "pdf")
        if form == "json":
            return attached(
                use.report(desk, actor(), identifier), "application/json", f"trial-devices-{identifier}.json"
            )
        media_type, rendition = _MEDIA.get(form, _MEDIA["pdf"])
        octets = use.rendered(desk, actor(), identifier, rendition)
        return attached(octets, media_type, f"trial-devices-{identifier}.{rendition.value}")


def _add_acts(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.post("/console/reports/<identifier>/issue")
    def issue_it(identifier: str) -> AnyResponse | tuple[str, int]:
        def act() -> str:
            early = request.form.get("early") == "yes"
            done = use.issue_report(desk, actor(), identifier, request_key(), early=early)
            return f"The report of {done.report} is issued and does not change any more."

        return _settle(console, identifier, act)

    @app.post("/console/reports/<identifier>/remark")
    def remark_it(identifier: str) -> AnyResponse | tuple[str, int]:
        def act() -> str:
            admit(actor(), "remarkReport")
            done = use.remark_report(desk, actor(), identifier, required(words("text"), of="text"), request_key())
            return f"The remark is part of the report of {done.report}."

        return _settle(console, identifier, act)


def _add_questions(app: Flask, console: Console) -> None:
    """What the SSC asks to be told in reports, and what the DCC answers (F2.28(h))."""
    desk = console.desk

    @app.post("/console/reports/<identifier>/question")
    def ask_in_report(identifier: str) -> AnyResponse | tuple[str, int]:
        def act() -> str:
            admit(actor(), "askOfReport")
            each = one_of("which", {"this": False, "each": True})
            ask(desk, actor(), words("question"), None if each else identifier, request_key())
            return "Each report answers it from now on." if each else "The report answers it."

        return _settle(console, identifier, act)

    @app.post("/console/reports/<identifier>/question-end")
    def ask_no_more(identifier: str) -> AnyResponse | tuple[str, int]:
        def act() -> str:
            admit(actor(), "endReportQuestion")
            end_question(desk, actor(), words("asked", NAME_LIMIT), request_key())
            return "Reports that are not issued need not answer it."

        return _settle(console, identifier, act)

    @app.post("/console/reports/<identifier>/answer")
    def answer_in_report(identifier: str) -> AnyResponse | tuple[str, int]:
        def act() -> str:
            admit(actor(), "answerReportQuestion")
            answer_question(desk, actor(), identifier, words("asked", NAME_LIMIT), words("answer"), request_key())
            return "The report has the answer."

        return _settle(console, identifier, act)


def _add_deployments(app: Flask, console: Console) -> None:
    @app.get("/console/deployments")
    def deployments() -> str:
        """Ask for a report of deployments."""
        admit(actor(), "recordDeployments")
        return render_template("deployments.html", found=None, lines=(), error=None)

    @app.post("/console/deployments")
    def record_them() -> str | tuple[str, int]:
        """Take a report of deployments in, and say what became of each line."""
        admit(actor(), "recordDeployments")
        file = request.files.get("file")
        try:
            octets = b"" if file is None else file.read()
            if not octets:
                raise BodyMalformed(detail="choose a file that has something in it")
            # Its own content tells it from another: the same file again is known line by line, and changes nothing.
            found = record_deployments(console.desk, actor(), form_of(octets), octets)
        except OperationNotPermitted:
            raise
        except TrialCpaError as error:
            return render_template("deployments.html", found=None, lines=(), error=error), 422
        touched = sorted({each.approval for each in found.results if each.approval and each.outcome in _COUNTED})
        stands = [of_approval(console.desk, actor(), each) for each in touched[:MOST_APPROVALS]]
        lines = _first(found.results)
        return render_template("deployments.html", found=found, lines=lines, stands=stands, error=None)


def _first(lines: tuple[LineTaken, ...]) -> list[LineTaken]:
    """The lines that are shown: what was refused, then the others."""
    order = sorted(lines, key=lambda each: (each.outcome is not Outcome.REFUSED, each.line))
    return order[:MOST_LINES]
