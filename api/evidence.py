"""/v1/applications/…/evidence and the like: files that prove what an application says (F2.19)."""

from flask_openapi3.openapi import OpenAPI

from api.service import Service


def add_evidence(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
