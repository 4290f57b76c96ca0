"""/v1/reports: the monthly report (F2.28), computed until it is issued and the same for ever after."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.fields import PageQuery, WriteHeader
from api.forms.paths import QuestionPath, ReportPath
from api.forms.reporting import AnswerBody, IssueQuery, QuestionBody, RemarkBody
from api.incoming import actor, refuse_body, wanted_form
from api.service import (
    JSON_TYPE,
    READ_REFUSALS,
    TRIAL,
    WITH_CREDENTIAL,
    WRITE_REFUSALS,
    Service,
    clauses,
    refusals,
    reply,
)
from core.actors import Actor
from core.kinds import Rendition
from ra.desk import Desk
from ra.reporting import questions
from ra.reporting import report as reports
from ra.reporting.contents import ReportAnswer
from ra.reporting.views import (
    QuestionAnswered,
    QuestionAsked,
    QuestionEnded,
    QuestionList,
    ReportIssued,
    ReportPage,
    ReportRemarked,
)

PDF_TYPE = "application/pdf"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_FORMS: dict[str, Callable[[Desk, Actor, str], bytes]] = {
    JSON_TYPE: reports.report,
    PDF_TYPE: lambda desk, who, month: reports.rendered(desk, who, month, Rendition.PDF),
    XLSX_TYPE: lambda desk, who, month: reports.rendered(desk, who, month, Rendition.XLSX),
}
_SUFFIX = {JSON_TYPE: "json", PDF_TYPE: Rendition.PDF, XLSX_TYPE: Rendition.XLSX}
_ITEMS = clauses(*(f"F2.28({letter})" for letter in "abcdefgh"))


def add_reports(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    _add_questions(app, service)
    desk = service.desk
    shared: dict[str, Any] = {"tags": [TRIAL], "security": WITH_CREDENTIAL}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.get(
        "/v1/reports",
        operation_id="listReports",
        responses={200: answer(ReportPage), **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_reports(query: PageQuery) -> Response:
        """List the reports that were issued."""
        return reply(reports.reports(desk, actor(), after=query.after, limit=query.limit))

    @app.get(
        "/v1/reports/<month>",
        operation_id="showReport",
        responses={
            200: answer(ReportAnswer, PDF_TYPE, XLSX_TYPE),
            **not_found,
            **refusals(*READ_REFUSALS, HTTPStatus.NOT_ACCEPTABLE),
        },
        openapi_extensions=_ITEMS,
        **shared,
    )
    def show_report(path: ReportPath) -> Response:
        """Show a month's report: as it was issued, or as it would be issued now."""
        media_type = wanted_form(_FORMS, otherwise=JSON_TYPE)
        given = Response(_FORMS[media_type](desk, actor(), path.month), content_type=media_type)
        given.headers["Vary"] = "Accept"
        if media_type != JSON_TYPE:
            name = f"trial-devices-{path.month}.{_SUFFIX[media_type]}"
            given.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return given

    @app.post(
        "/v1/reports/<month>",
        operation_id="issueReport",
        responses={201: answer(ReportIssued), **not_found, **refusals(*WRITE_REFUSALS)},
        openapi_extensions=_ITEMS,
        **shared,
    )
    def issue(header: WriteHeader, path: ReportPath, query: IssueQuery) -> Response:
        """Issue a month's report and freeze it; months are issued in order, each when it is over."""
        refuse_body()
        named = None if query.months is None else query.months.split(",")
        return service.write(
            header,
            lambda key: reports.issue_report(desk, actor(), path.month, key, early=query.early, months=named),
            created="/v1/reports/{report}",
        )

    @app.post(
        "/v1/reports/<month>/remarks",
        operation_id="remarkReport",
        responses={200: answer(ReportRemarked), **not_found, **refusals(*WRITE_REFUSALS)},
        openapi_extensions=clauses("F2.28(h)"),
        **shared,
    )
    def remark(header: WriteHeader, path: ReportPath, body: RemarkBody) -> Response:
        """Add free text to a report that has not been issued."""
        return service.write(header, lambda key: reports.remark_report(desk, actor(), path.month, body.text, key))


def _add_questions(app: OpenAPI, service: Service) -> None:
    desk = service.desk
    shared: dict[str, Any] = {
        "tags": [TRIAL],
        "security": WITH_CREDENTIAL,
        "openapi_extensions": clauses("F2.28(h)"),
    }
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/reports/questions",
        operation_id="askOfReport",
        responses={201: answer(QuestionAsked), **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def ask_of_report(header: WriteHeader, body: QuestionBody) -> Response:
        """Ask the DCC to tell something in a month's report, or in each."""
        return service.write(
            header,
            lambda key: questions.ask(desk, actor(), body.text, body.month, key),
            created="/v1/reports/questions",
        )

    @app.get(
        "/v1/reports/questions",
        operation_id="listReportQuestions",
        responses={200: answer(QuestionList), **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_questions() -> Response:
        """List what the SSC has asked of monthly reports."""
        return reply(questions.questions(desk, actor()))

    @app.post(
        "/v1/reports/questions/<question>/end",
        operation_id="endReportQuestion",
        responses={200: answer(QuestionEnded), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def end_question(header: WriteHeader, path: QuestionPath) -> Response:
        """End a standing question."""
        refuse_body()
        return service.write(header, lambda key: questions.end_question(desk, actor(), path.question, key))

    @app.post(
        "/v1/reports/<month>/answers",
        operation_id="answerReportQuestion",
        responses={200: answer(QuestionAnswered), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def answer_question(header: WriteHeader, path: ReportPath, body: AnswerBody) -> Response:
        """Answer a question in a month's report, before it is issued."""
        return service.write(
            header,
            lambda key: questions.answer_question(desk, actor(), path.month, body.question, body.text, key),
        )
