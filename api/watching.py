"""/readyz, /metrics and /v1/consistency: is the service fit to serve, and do its channels agree?"""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api import metrics as figures
from api.answers import answer
from api.comparing import Passed
from api.forms.watching import ReadyQuery
from api.incoming import actor
from api.lookout import Lookout
from api.readiness import Readiness
from api.service import READ_REFUSALS, WATCHING, WITH_CREDENTIAL, Service, refusals, reply
from api.status.consistency import DisagreementAnswer, Report
from api.timed import TimedMirror
from core.alarms import AlarmCode
from core.errors import StoreUnavailable
from ra.access import authorise_counting, authorise_watching
from store.reading.watching import Backlog, alarms, backlog


@dataclass(frozen=True, kw_only=True)
class UnfoundedAnswer:
    """A row of the register that does not follow from the journal: `trialcpa audit verify` says the same of it."""

    row: str
    detail: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class ConsistencyAnswer:
    """Do register, verification, OCSP and CRL agree? `pending` counts what the authority is about to publish.

    Args:
        as_of, checked, pending: of a register of up to 500 approvals now; of a larger one when it was compared last.
        unfounded: rows of the register that do not follow from the journal, as the authority has found.
        passes: how far the comparing of everything, which never ends, has come.
    """

    agree: bool
    as_of: datetime
    checked: int
    pending: int
    disagreements: tuple[DisagreementAnswer, ...]
    unfounded: tuple[UnfoundedAnswer, ...]
    passes: Passed


def add_watching(app: OpenAPI, service: Service, lookout: Lookout) -> None:
    """Add the resources to the application."""
    shared: dict[str, Any] = {"tags": [WATCHING], "security": WITH_CREDENTIAL}
    figures_described: dict[str, Any] = {
        "description": "Figures in the text format of Prometheus.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }

    @app.get(
        "/readyz",
        operation_id="ready",
        tags=[WATCHING],
        responses={**dict.fromkeys((200, 503), answer(Readiness)), **refusals(HTTPStatus.BAD_REQUEST)},
    )
    def ready(query: ReadyQuery) -> Response:
        """Fit to serve? Each check with its result; 503 if one is red. No credential needed.

        Without a query: fit to say what is true of certificates. `for=writing`: also to record what is sent, and to
        bring it to everybody. Alarms are what somebody should look at; they decide nothing here.
        """
        found = lookout.readiness(query.purpose)
        return reply(found, HTTPStatus.OK if found.ready else HTTPStatus.SERVICE_UNAVAILABLE)

    @app.get(
        "/metrics",
        operation_id="metrics",
        responses={200: figures_described, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def metrics() -> Response:
        """Figures for Prometheus; they name nobody."""
        authorise_counting(actor())
        now = service.mirror.now()
        mirror, store = service.mirror, service.desk.store
        first = mirror.first_after if isinstance(mirror, TimedMirror) else None
        process = figures.OfProcess(first_after=first, writers_waiting=store.writers_waiting)
        said = figures.metrics(mirror.held(), mirror.age(), _backlog(service), lookout, now, process)
        return Response(said, content_type=figures.MEDIA_TYPE)

    @app.get(
        "/v1/consistency",
        operation_id="consistency",
        responses={200: answer(ConsistencyAnswer), **refusals(*READ_REFUSALS)},
        **shared,
    )
    def consistency() -> Response:
        """Do register, verification, OCSP and CRL agree on every certificate, and does it follow from the journal?

        All are compared again and again, a portion at a time; what disagrees twice, and has not changed meanwhile, is
        named here until it is over. A small register is compared while you wait.
        """
        authorise_watching(actor())
        with service.desk.store.read() as tx:
            held = [each for each in alarms(tx) if each.code is AlarmCode.REGISTER_UNFOUNDED]
        unfounded = tuple(UnfoundedAnswer(row=each.subject, detail=each.sentence, since=each.since) for each in held)
        return reply(_told(lookout.comparing.found(), lookout.comparing.passed(), unfounded))


def _backlog(service: Service) -> Backlog | None:
    try:
        with service.desk.store.read() as tx:
            return backlog(tx, service.mirror.now())
    except StoreUnavailable:
        return None


def _told(report: Report, passed: Passed, unfounded: tuple[UnfoundedAnswer, ...]) -> ConsistencyAnswer:
    return ConsistencyAnswer(
        agree=not report.disagreements and not unfounded,
        as_of=report.as_of,
        checked=report.checked,
        pending=report.pending,
        disagreements=tuple(report.disagreements),
        unfounded=unfounded,
        passes=passed,
    )
