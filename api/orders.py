"""/v1/orders: officers order the authority to stop issuing, to start again, or to count other keys."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.fields import PageQuery, WriteHeader
from api.forms.ordering import OrderAuthorisationBody, OrderBody
from api.forms.paths import OrderPath
from api.incoming import actor
from api.service import DECIDING, READ_REFUSALS, WITH_CREDENTIAL, WRITE_REFUSALS, Service, clauses, refusals, reply
from ra.ordering import look
from ra.ordering.authorise import authorise_order
from ra.ordering.order import order
from ra.ordering.views import OrderAnswer, OrderAuthorised, OrderPage, OrderProposed


def add_orders(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {
        "tags": [DECIDING],
        "security": WITH_CREDENTIAL,
        "openapi_extensions": clauses("F2.18"),
    }
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/orders",
        operation_id="proposeOrder",
        responses={201: answer(OrderProposed), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def propose_order(header: WriteHeader, body: OrderBody) -> Response:
        """Write down an order; nothing comes of it before officers have authorised it."""
        command = body.root.command()
        return service.write(header, lambda key: order(desk, actor(), command, key), created="/v1/orders/{order}")

    @app.get(
        "/v1/orders",
        operation_id="listOrders",
        responses={200: answer(OrderPage), **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_orders(query: PageQuery) -> Response:
        """List orders, and what became of them."""
        return reply(look.orders(desk, actor(), after=query.after, limit=query.limit))

    @app.get(
        "/v1/orders/<order>",
        operation_id="showOrder",
        responses={200: answer(OrderAnswer), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_order(path: OrderPath) -> Response:
        """Show an order: its body, what that says in words, and who has authorised it."""
        return reply(look.order(desk, actor(), path.order))

    @app.post(
        "/v1/orders/<order>/authorisation",
        operation_id="authoriseOrder",
        responses={200: answer(OrderAuthorised), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def authorise_an_order(header: WriteHeader, path: OrderPath, body: OrderAuthorisationBody) -> Response:
        """Sign for an order with a key of one's own: the authority takes it up when enough officers have."""
        signed = body.signed()
        return service.write(header, lambda key: authorise_order(desk, actor(), path.order, signed=signed, request=key))
