"""/v1/deployments: devices deployed, replaced and decommissioned (F2.28)."""

from flask_openapi3.openapi import OpenAPI

from api.service import Service


def add_deployments(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
