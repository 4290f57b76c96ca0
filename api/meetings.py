"""/v1/meetings: the Sub-Committee's meetings, with agenda, attendance and minutes."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.committee import (
    AgendaBody,
    AttendanceBody,
    AttendancePath,
    ItemPath,
    MeetingBody,
    MeetingPath,
    MinuteBody,
)
from api.forms.fields import PageQuery, WriteHeader
from api.incoming import actor, refuse_body, wanted_form
from api.service import (
    COMMITTEE,
    JSON_TYPE,
    READ_REFUSALS,
    WITH_CREDENTIAL,
    WRITE_REFUSALS,
    Service,
    refusals,
    reply,
)
from core.days import read_day
from ra.meeting import agenda, meetings
from ra.meeting.agenda import MinuteItem
from ra.meeting.meetings import CallMeeting
from ra.meeting.minutes import minutes
from ra.meeting.views import (
    AgendaPlaced,
    AgendaTakenOff,
    AttendanceRecorded,
    AttendanceStruck,
    ItemMinuted,
    MeetingCalled,
    MeetingCancelled,
    MeetingPage,
    MeetingShown,
)

PDF_TYPE = "application/pdf"
_FORMS = (JSON_TYPE, PDF_TYPE)
_SHARED: dict[str, Any] = {"tags": [COMMITTEE], "security": WITH_CREDENTIAL}
_NOT_FOUND = refusals(HTTPStatus.NOT_FOUND)


def add_meetings(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    _add_meetings(app, service)
    _add_attendance(app, service)
    _add_agenda(app, service)


def _add_meetings(app: OpenAPI, service: Service) -> None:
    desk = service.desk

    @app.post(
        "/v1/meetings",
        operation_id="callMeeting",
        responses={201: answer(MeetingCalled), **refusals(*WRITE_REFUSALS)},
        **_SHARED,
    )
    def call_meeting(header: WriteHeader, body: MeetingBody) -> Response:
        """Call a meeting."""
        command = CallMeeting(body.name, read_day(body.held_on, field="held_on"))
        return service.write(
            header, lambda key: meetings.call_meeting(desk, actor(), command, key), created="/v1/meetings/{meeting}"
        )

    @app.get(
        "/v1/meetings",
        operation_id="listMeetings",
        responses={200: answer(MeetingPage), **_NOT_FOUND, **refusals(*READ_REFUSALS)},
        **_SHARED,
    )
    def list_meetings(query: PageQuery) -> Response:
        """List meetings, the newest day first."""
        return reply(meetings.meetings_of(desk, actor(), after=query.after, limit=query.limit))

    @app.get(
        "/v1/meetings/<meeting>",
        operation_id="showMeeting",
        responses={
            200: answer(MeetingShown, PDF_TYPE),
            **_NOT_FOUND,
            **refusals(*READ_REFUSALS, HTTPStatus.NOT_ACCEPTABLE),
        },
        **_SHARED,
    )
    def show_meeting(path: MeetingPath) -> Response:
        """Show a meeting: who attends, its agenda as it stands now, and what else waits, what is overdue first.

        As a PDF it is the minutes: who was present, and what became of each item.
        """
        if wanted_form(_FORMS, otherwise=JSON_TYPE) == JSON_TYPE:
            given = reply(agenda.meeting(desk, actor(), path.meeting))
        else:
            name, octets = minutes(desk, actor(), path.meeting)
            given = Response(octets, content_type=PDF_TYPE)
            given.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        given.headers["Vary"] = "Accept"
        return given

    @app.post(
        "/v1/meetings/<meeting>/cancellation",
        operation_id="cancelMeeting",
        responses={200: answer(MeetingCancelled), **_NOT_FOUND, **refusals(*WRITE_REFUSALS)},
        **_SHARED,
    )
    def cancel_meeting(header: WriteHeader, path: MeetingPath) -> Response:
        """Cancel a meeting; what was recorded of it stays."""
        refuse_body()
        return service.write(header, lambda key: meetings.cancel_meeting(desk, actor(), path.meeting, key))


def _add_attendance(app: OpenAPI, service: Service) -> None:
    desk = service.desk

    @app.post(
        "/v1/meetings/<meeting>/attendances",
        operation_id="recordAttendance",
        responses={200: answer(AttendanceRecorded), **_NOT_FOUND, **refusals(*WRITE_REFUSALS)},
        **_SHARED,
    )
    def record_attendance(header: WriteHeader, path: MeetingPath, body: AttendanceBody) -> Response:
        """Record who attends; who is recorded already is passed over."""
        return service.write(
            header, lambda key: meetings.record_attendance(desk, actor(), path.meeting, body.names, key)
        )

    @app.post(
        "/v1/meetings/<meeting>/attendances/<attendance>/striking",
        operation_id="strikeAttendance",
        responses={200: answer(AttendanceStruck), **_NOT_FOUND, **refusals(*WRITE_REFUSALS)},
        **_SHARED,
    )
    def strike_attendance(header: WriteHeader, path: AttendancePath) -> Response:
        """Strike somebody who was recorded in error, or did not come."""
        refuse_body()
        return service.write(
            header, lambda key: meetings.strike_attendance(desk, actor(), path.meeting, path.attendance, key)
        )


def _add_agenda(app: OpenAPI, service: Service) -> None:
    desk = service.desk

    @app.post(
        "/v1/meetings/<meeting>/items",
        operation_id="placeOnAgenda",
        responses={200: answer(AgendaPlaced), **_NOT_FOUND, **refusals(*WRITE_REFUSALS)},
        **_SHARED,
    )
    def place(header: WriteHeader, path: MeetingPath, body: AgendaBody) -> Response:
        """Place things that wait on the agenda, in the order in which they are named."""
        return service.write(
            header, lambda key: agenda.place_on_agenda(desk, actor(), path.meeting, body.subjects, key)
        )

    @app.post(
        "/v1/agenda-items/<item>/removal",
        operation_id="takeOffAgenda",
        responses={200: answer(AgendaTakenOff), **_NOT_FOUND, **refusals(*WRITE_REFUSALS)},
        **_SHARED,
    )
    def take_off(header: WriteHeader, path: ItemPath) -> Response:
        """Take an item off its agenda."""
        refuse_body()
        return service.write(header, lambda key: agenda.take_off_agenda(desk, actor(), path.item, key))

    @app.post(
        "/v1/agenda-items/<item>/minute",
        operation_id="minuteItem",
        responses={200: answer(ItemMinuted), **_NOT_FOUND, **refusals(*WRITE_REFUSALS)},
        **_SHARED,
    )
    def minute(header: WriteHeader, path: ItemPath, body: MinuteBody) -> Response:
        """Minute an item; a further version takes the place of the one before, which stays on record."""
        command = MinuteItem(item=path.item, minute=body.minute, text=body.text or "", after=body.after)
        return service.write(header, lambda key: agenda.minute_item(desk, actor(), command, key))
