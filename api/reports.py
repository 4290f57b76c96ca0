"""/v1/reports: the monthly report (F2.28)."""

from flask_openapi3.openapi import OpenAPI

from api.service import Service


def add_reports(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
