"""/v1/cpl: instructions to the Panel, acknowledgements, reconciliations (F2.27, F2.31)."""

from flask_openapi3.openapi import OpenAPI

from api.service import Service


def add_cpl(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
