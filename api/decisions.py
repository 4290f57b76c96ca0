"""/v1/decisions: an officer proposes; another seconds exactly that, or it is rejected."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api import problems
from api.answers import DecisionBatchAnswer, DecisionBatchResult, Problem, answer
from api.forms.authorising import LISTED_LIMIT
from api.forms.deciding import DecisionBatchBody, DecisionBody, RejectionBody, SecondBatchBody, SecondBody, WitnessBody
from api.forms.fields import PageOfApprovalQuery, WaitHeader, WriteHeader, perhaps_approval_of
from api.forms.paths import DecisionPath
from api.incoming import actor, note_refusal, refuse_body
from api.service import (
    DECIDING,
    READ_REFUSALS,
    WITH_CREDENTIAL,
    WRITE_REFUSALS,
    Service,
    body_limit,
    clauses,
    refusals,
    reply,
)
from core.errors import TrialCpaError
from ra.deciding import look
from ra.deciding.acknowledge import acknowledge
from ra.deciding.awaited import decision_awaited
from ra.deciding.propose import propose, propose_batch
from ra.deciding.second import reject, second, second_batch
from ra.deciding.views import (
    DecisionAcknowledged,
    DecisionAnswer,
    DecisionAuthorised,
    DecisionPage,
    DecisionProposed,
    DecisionRejected,
    DecisionSeconded,
    DecisionWitnessed,
)
from ra.deciding.witness import witness
from ra.views import view_of


def add_decisions(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [DECIDING], "security": WITH_CREDENTIAL}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/decisions",
        operation_id="proposeDecision",
        openapi_extensions=clauses(
            "F2.18", "F2.21(a)", "F2.21(b)", "F2.21(c)", "F2.21(d)", "F2.21(e)", "F2.22", "F2.24", "F2.29", "F2.30"
        ),
        responses={201: answer(DecisionProposed), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def propose_decision(header: WriteHeader, body: DecisionBody) -> Response:
        """Propose a decision; it becomes true only when another officer seconds it."""
        command = body.root.command()
        return service.write(
            header, lambda key: propose(desk, actor(), command, key), created="/v1/decisions/{decision}"
        )

    @app.post(
        "/v1/decisions/batch",
        operation_id="proposeBatch",
        openapi_extensions=clauses("F2.18", "F2.24", "F2.29", "F2.30"),
        responses={200: answer(DecisionBatchAnswer), **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def propose_several(header: WriteHeader, body: DecisionBatchBody) -> Response:
        """Propose several decisions, as a committee takes them; each stands or falls alone."""
        commands = [each.root.command() for each in body.decisions]
        return service.write(header, lambda key: batch_answer(propose_batch(desk, actor(), commands, key)))

    @app.post(
        "/v1/decisions/batch/second",
        operation_id="secondBatch",
        openapi_extensions={**clauses("F2.18", "F2.24", "F2.29", "F2.30"), **body_limit(LISTED_LIMIT)},
        responses={200: answer(DecisionBatchAnswer), **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def second_several(header: WriteHeader, body: SecondBatchBody) -> Response:
        """Second several proposals; each stands or falls alone. One statement over their list authorises all."""
        accepted, signed = body.accepted(), body.signed()
        return service.write(
            header, lambda key: batch_answer(second_batch(desk, actor(), accepted, key, signed=signed))
        )

    @app.post(
        "/v1/decisions/<decision>/acknowledgement",
        operation_id="acknowledgeDecision",
        openapi_extensions=clauses("F2.30"),
        responses={200: answer(DecisionAcknowledged), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def acknowledge_decision(header: WriteHeader, path: DecisionPath) -> Response:
        """Say that one has been informed of an urgent revocation by another officer."""
        refuse_body()
        return service.write(header, lambda key: acknowledge(desk, actor(), path.decision, key))

    @app.post(
        "/v1/decisions/<decision>/witness",
        operation_id="witnessDecision",
        openapi_extensions=clauses("F2.18"),
        responses={200: answer(DecisionWitnessed), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def witness_decision(header: WriteHeader, path: DecisionPath, body: WitnessBody) -> Response:
        """Say that one has seen what was issued or ended, or that it was not decided as the register has it.

        Once for each officer, those who are named in it too; what was seen may be disowned later, and never back.
        """
        return service.write(header, lambda key: witness(desk, actor(), body.command(path.decision), key))

    @app.get(
        "/v1/decisions",
        operation_id="listDecisions",
        openapi_extensions=clauses("F2.18"),
        responses={200: answer(DecisionPage), **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_decisions(query: PageOfApprovalQuery) -> Response:
        """List decisions."""
        only = perhaps_approval_of(query.approval)
        return reply(look.decisions(desk, actor(), after=query.after, limit=query.limit, approval=only))

    @app.get(
        "/v1/decisions/<decision>",
        operation_id="showDecision",
        openapi_extensions=clauses("F2.18", "F2.21(b)", "F2.22"),
        responses={200: answer(DecisionAnswer), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_decision(header: WaitHeader, path: DecisionPath) -> Response:
        """Show a decision: proposal, findings, draft and both digests.

        Whoever prefers to wait is answered when its certificates have been drafted, or signed once it is seconded.
        """
        return service.patiently(
            header,
            path.decision,
            lambda: decision_awaited(desk, actor(), path.decision),
            lambda: reply(look.decision(desk, actor(), path.decision)),
        )

    @app.post(
        "/v1/decisions/<decision>/second",
        operation_id="secondDecision",
        openapi_extensions=clauses("F2.18", "F2.24", "F2.25", "F2.29", "F2.30"),
        responses={200: answer(DecisionSeconded), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def second_decision(header: WriteHeader, path: DecisionPath, body: SecondBody) -> Response:
        """Second a proposal: its digest and those of the bytes to be signed are repeated, 409 on any difference.

        `tbs_sha256` is left out for kinds that issue no certificate; where several are to be signed it is a list.
        """
        signed = body.signed()
        return service.write(
            header,
            lambda key: second(
                desk,
                actor(),
                path.decision,
                proposal_sha256=body.proposal_sha256,
                tbs_sha256=body.tbs_sha256,
                signed=signed,
                request=key,
            ),
        )

    @app.post(
        "/v1/decisions/<decision>/rejection",
        operation_id="rejectDecision",
        openapi_extensions=clauses("F2.18"),
        responses={200: answer(DecisionRejected), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def reject_decision(header: WriteHeader, path: DecisionPath, body: RejectionBody) -> Response:
        """Reject a proposal, or take one's own back."""
        signed = body.signed()
        return service.write(
            header, lambda key: reject(desk, actor(), path.decision, why=body.why, signed=signed, request=key)
        )


def batch_answer(
    outcomes: Sequence[DecisionProposed | DecisionAuthorised | DecisionSeconded | TrialCpaError],
) -> DecisionBatchAnswer:
    """Return what became of each; a problem is told, and a refusal noted, as if it had been asked alone."""
    for each in outcomes:
        if isinstance(each, TrialCpaError):
            note_refusal(each)
    return DecisionBatchAnswer(
        tuple(
            DecisionBatchResult(None, view_of(Problem, problems.encode(problems.problem(each)[1])))
            if isinstance(each, TrialCpaError)
            else DecisionBatchResult(each, None)
            for each in outcomes
        )
    )
