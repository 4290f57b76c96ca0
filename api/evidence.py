"""/v1/applications/…/evidence and the like: files that prove what is said (F2.19, F2.20, F2.23, F2.28(h), F2.29)."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from flask import Response, request
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.applying import EvidenceFile, EvidenceQuery
from api.forms.fields import WriteHeader
from api.forms.paths import AmendmentRequestPath, ApplicationPath, BreachPath, EvidencePath, MonthPath
from api.incoming import actor, raw_body
from api.service import (
    APPLYING,
    READ_REFUSALS,
    TRIAL,
    WITH_CREDENTIAL,
    WRITE_REFUSALS,
    Service,
    body_limit,
    clauses,
    refusals,
    reply,
)
from core.errors import BodyTooLarge, EvidenceTooLarge
from core.kinds import EvidenceSubject
from ra.applying import evidence
from ra.applying.evidence import LARGEST_FILE, MEDIA_TYPES, File, Subject
from ra.applying.views import EvidenceAnswer, EvidenceList

_ATTACHED = "/v1/evidence/{evidence}"


def add_evidence(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    _add_of_applications(app, service)
    _add_of_the_trial(app, service)
    _add_download(app, service)


def _add_of_applications(app: OpenAPI, service: Service) -> None:
    reading, writing = _described(APPLYING, "F2.19", "F2.20")

    @app.post("/v1/applications/<application>/evidence", operation_id="attachEvidence", **writing)
    def attach(header: WriteHeader, path: ApplicationPath, query: EvidenceQuery, raw: EvidenceFile) -> Response:  # noqa: ARG001 - `raw` describes the body; it is read under its own limit
        """Attach a file to an application; the same file twice changes nothing."""
        return _attach(service, header, Subject(EvidenceSubject.APPLICATION, path.application), query)

    @app.get("/v1/applications/<application>/evidence", operation_id="listEvidence", **reading)
    def listed(path: ApplicationPath) -> Response:
        """List the files attached to an application."""
        return reply(
            evidence.attachments(service.desk, actor(), Subject(EvidenceSubject.APPLICATION, path.application))
        )


def _add_of_the_trial(app: OpenAPI, service: Service) -> None:
    reading, writing = _described(TRIAL, "F2.23")

    @app.post("/v1/breaches/<breach>/evidence", operation_id="attachBreachEvidence", **writing)
    def of_breach(header: WriteHeader, path: BreachPath, query: EvidenceQuery, raw: EvidenceFile) -> Response:  # noqa: ARG001 - as above
        """Attach a file to a breach that is suspected or confirmed."""
        return _attach(service, header, Subject(EvidenceSubject.BREACH, path.breach), query)

    @app.get("/v1/breaches/<breach>/evidence", operation_id="listBreachEvidence", **reading)
    def listed_of_breach(path: BreachPath) -> Response:
        """List the files attached to a breach."""
        return reply(evidence.attachments(service.desk, actor(), Subject(EvidenceSubject.BREACH, path.breach)))

    @app.post("/v1/suspicions/<breach>/evidence", operation_id="attachToSuspicion", **writing)
    def of_suspicion(header: WriteHeader, path: BreachPath, query: EvidenceQuery, raw: EvidenceFile) -> Response:  # noqa: ARG001 - as above
        """Attach a file to one's answer to a suspicion, before or after the words."""
        return _attach(service, header, Subject(EvidenceSubject.SUSPICION, path.breach), query)

    @app.get("/v1/suspicions/<breach>/evidence", operation_id="listSuspicionEvidence", **reading)
    def listed_of_suspicion(path: BreachPath) -> Response:
        """List the files that a Manufacturer attached to its answer to a suspicion."""
        return reply(evidence.attachments(service.desk, actor(), Subject(EvidenceSubject.SUSPICION, path.breach)))

    reading, writing = _described(TRIAL, "F2.28(h)")

    @app.post("/v1/reports/<month>/attachments", operation_id="attachToReport", **writing)
    def of_report(header: WriteHeader, path: MonthPath, query: EvidenceQuery, raw: EvidenceFile) -> Response:  # noqa: ARG001 - as above
        """Attach a file to a month's report, as long as it has not been issued."""
        return _attach(service, header, Subject(EvidenceSubject.REPORT, path.month), query)

    @app.get("/v1/reports/<month>/attachments", operation_id="listReportAttachments", **reading)
    def listed_of_report(path: MonthPath) -> Response:
        """List the files attached to a month's report."""
        return reply(evidence.attachments(service.desk, actor(), Subject(EvidenceSubject.REPORT, path.month)))

    reading, writing = _described(TRIAL, "F2.29")

    @app.post("/v1/amendment-requests/<request>/evidence", operation_id="attachAmendmentEvidence", **writing)
    def of_amendment(
        header: WriteHeader,
        path: AmendmentRequestPath,
        query: EvidenceQuery,
        raw: EvidenceFile,  # noqa: ARG001 - as above
    ) -> Response:
        """Attach a file to a request for an amendment that is not decided."""
        return _attach(service, header, Subject(EvidenceSubject.AMENDMENT_REQUEST, path.request), query)

    @app.get("/v1/amendment-requests/<request>/evidence", operation_id="listAmendmentEvidence", **reading)
    def listed_of_amendment(path: AmendmentRequestPath) -> Response:
        """List the files attached to a request for an amendment."""
        return reply(
            evidence.attachments(service.desk, actor(), Subject(EvidenceSubject.AMENDMENT_REQUEST, path.request))
        )


def _add_download(app: OpenAPI, service: Service) -> None:
    # What is text is said to be text: generated clients read it as that, and cannot make octets of it again.
    binary, text = {"type": "string", "format": "binary"}, {"type": "string"}
    content = {each: {"schema": text if each.startswith("text/") else binary} for each in MEDIA_TYPES}

    @app.get(
        "/v1/evidence/<evidence>",
        operation_id="fetchEvidence",
        responses={
            200: {"description": "The file.", "content": content},
            **refusals(*READ_REFUSALS, HTTPStatus.NOT_FOUND),
        },
        tags=[APPLYING],
        security=WITH_CREDENTIAL,
        openapi_extensions=clauses("F2.19"),
    )
    def fetch(path: EvidencePath) -> Response:
        """Fetch an attached file; for the SSC and the auditor."""
        found = evidence.fetch(service.desk, actor(), path.evidence)
        # An attachment under its own type, never shown in place: the file is a stranger's.
        headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": _disposition(found.name)}
        return Response(found.octets, content_type=found.media_type, headers=headers)


def _disposition(name: str) -> str:
    """Return the header field that has a file saved under its name (RFC 6266, 4.3; RFC 8187 for what is not ASCII).

    Args:
        name: as intake made it: without quotation marks, backslashes and control characters.
    """
    plain = "".join(character if character.isascii() else "_" for character in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _described(tag: Any, *paragraphs: str) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401 - a Tag
    """What reading and writing a list of files have in common in /openapi.json."""
    shared: dict[str, Any] = {
        "tags": [tag],
        "security": WITH_CREDENTIAL,
        "openapi_extensions": clauses(*paragraphs),
    }
    not_found = refusals(HTTPStatus.NOT_FOUND)
    reading = {"responses": {200: answer(EvidenceList), **not_found, **refusals(*READ_REFUSALS)}, **shared}
    writing = {
        "responses": {201: answer(EvidenceAnswer), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
        "openapi_extensions": {**clauses(*paragraphs), **body_limit(LARGEST_FILE)},
    }
    return reading, writing


def _attach(service: Service, header: WriteHeader, subject: Subject, query: EvidenceQuery) -> Response:
    try:
        octets = raw_body(LARGEST_FILE)
    except BodyTooLarge:
        raise EvidenceTooLarge(limit=LARGEST_FILE) from None
    file = File(name=query.name, media_type=request.mimetype, octets=octets, classification=query.classification)
    return service.write(
        header, lambda key: evidence.attach(service.desk, actor(), subject, file, key), created=_ATTACHED
    )
