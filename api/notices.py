"""/v1/notices: what Manufacturer, DCC and Panel are told (F2.21, F2.24, F2.29, F2.30)."""

from flask_openapi3.openapi import OpenAPI

from api.service import Service


def add_notices(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
