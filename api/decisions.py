"""/v1/decisions: an officer proposes; another seconds exactly that, or it is rejected."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import DecisionAnswer, DecisionPage, DecisionProposed, DecisionRejected, DecisionSeconded
from api.bodies import (
    DecisionBody,
    DecisionPath,
    GrantBody,
    PageQuery,
    RefuseBody,
    RejectionBody,
    RekeyBody,
    RevokeBody,
    SecondBody,
    WithdrawBody,
    WriteHeader,
)
from api.incoming import actor
from api.service import DECIDING, READ_REFUSALS, WITH_CREDENTIAL, WRITE_REFUSALS, Service, refusals, reply
from core.approval import EndCause
from core.identifiers import ApprovalIdentifier
from core.instants import day, parse
from ra import look
from ra.propose import Proposal, ProposeEnd, ProposeGrant, ProposeRefusal, ProposeRekey, propose
from ra.second import reject, second


def add_decisions(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [DECIDING], "security": WITH_CREDENTIAL}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/decisions",
        operation_id="proposeDecision",
        responses={201: DecisionProposed, **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def propose_decision(header: WriteHeader, body: DecisionBody) -> Response:
        """Propose a decision; it becomes true only when another officer seconds it."""
        command = _command(body)
        return service.write(
            header, lambda key: propose(desk, actor(), command, key), created="/v1/decisions/{decision}"
        )

    @app.get(
        "/v1/decisions",
        operation_id="listDecisions",
        responses={200: DecisionPage, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_decisions(query: PageQuery) -> Response:
        """List decisions."""
        return reply(look.decisions(desk, actor(), after=query.after, limit=query.limit))

    @app.get(
        "/v1/decisions/<decision>",
        operation_id="showDecision",
        responses={200: DecisionAnswer, **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_decision(path: DecisionPath) -> Response:
        """Show a decision: proposal, findings, draft and both digests."""
        return reply(look.decision(desk, actor(), path.decision))

    @app.post(
        "/v1/decisions/<decision>/second",
        operation_id="secondDecision",
        responses={200: DecisionSeconded, **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def second_decision(header: WriteHeader, path: DecisionPath, body: SecondBody) -> Response:
        """Second a proposal: both digests are repeated, 409 on any difference.

        `tbs_sha256` is left out for kinds that issue no certificate.
        """
        return service.write(
            header,
            lambda key: second(
                desk,
                actor(),
                path.decision,
                proposal_sha256=body.proposal_sha256,
                tbs_sha256=body.tbs_sha256,
                request=key,
            ),
        )

    @app.post(
        "/v1/decisions/<decision>/rejection",
        operation_id="rejectDecision",
        responses={200: DecisionRejected, **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def reject_decision(header: WriteHeader, path: DecisionPath, body: RejectionBody) -> Response:
        """Reject a proposal, or take one's own back."""
        return service.write(header, lambda key: reject(desk, actor(), path.decision, why=body.why, request=key))


def _command(body: DecisionBody) -> Proposal:
    match body.root:
        case GrantBody() as said:
            return ProposeGrant(
                said.application,
                said.reasons,
                None if said.start is None else day(said.start, field="start"),
                None if said.expiry is None else day(said.expiry, field="expiry"),
                said.maximum_devices,
            )
        case RefuseBody() as said:
            return ProposeRefusal(said.application, said.reasons)
        case RevokeBody() as said:
            since = None if said.invalidity_date is None else parse(said.invalidity_date, field="invalidity_date")
            return ProposeEnd(_approval(said.approval), EndCause(said.cause), said.reasons, since)
        case WithdrawBody() as said:
            return ProposeEnd(_approval(said.approval), EndCause.MANUFACTURER, said.reasons)
        case RekeyBody() as said:
            return ProposeRekey(
                _approval(said.approval),
                said.csr.encode("utf-8"),
                said.compromised,
                said.reasons,
                None if said.effective is None else parse(said.effective, field="effective"),
                None if said.invalidity_date is None else parse(said.invalidity_date, field="invalidity_date"),
            )


def _approval(value: str) -> str:
    return str(ApprovalIdentifier.parse(value))
