"""/v1/approvals/…/breaches: suspected, confirmed, dismissed, answered (F2.23)."""

from flask_openapi3.openapi import OpenAPI

from api.service import Service


def add_breaches(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
