"""/v1/contacts: where a Manufacturer has its notices sent, which it changes itself (F2.21, F2.30)."""

from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.applying import ContactBody, ContactQuery
from api.forms.fields import WriteHeader
from api.incoming import actor
from api.service import APPLYING, READ_REFUSALS, WITH_CREDENTIAL, WRITE_REFUSALS, Service, clauses, refusals, reply
from ra.applying.contacts import ChangeContact, change_contact, contacts_of
from ra.applying.views import ContactChanged, ContactPage


def add_contacts(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [APPLYING], "security": WITH_CREDENTIAL}

    @app.post(
        "/v1/contacts",
        operation_id="changeContact",
        openapi_extensions=clauses("F2.21(b)", "F2.30"),
        responses={201: answer(ContactChanged), **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def change_a_contact(header: WriteHeader, body: ContactBody) -> Response:
        """Change where notices of one's own organisation go: at once, for approvals that exist already, too."""
        command = ChangeContact(notices=body.notices, urgent=body.urgent)
        return service.write(
            header, lambda key: change_contact(desk, actor(), command, key), created="/v1/contacts?holding=true"
        )

    @app.get(
        "/v1/contacts",
        operation_id="listContacts",
        openapi_extensions=clauses("F2.21(b)", "F2.30"),
        responses={200: answer(ContactPage), **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_contacts(query: ContactQuery) -> Response:
        """List contacts, those that held before included; a Manufacturer sees its own."""
        found = contacts_of(
            desk,
            actor(),
            organisation=query.organisation,
            holding=query.holding,
            after=query.after,
            limit=query.limit,
        )
        return reply(found)
