"""/v1/applications/…/requirements and standing ones (F2.20)."""

from flask_openapi3.openapi import OpenAPI

from api.service import Service


def add_requirements(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
