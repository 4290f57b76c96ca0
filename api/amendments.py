"""/v1/approvals/…/amendment-requests, and conditions (F2.29, F2.21(e))."""

from flask_openapi3.openapi import OpenAPI

from api.service import Service


def add_amendments(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
