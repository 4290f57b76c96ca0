"""/v1/tasks and /v1/calendar.ics: what waits for whom, and what is coming."""

from flask_openapi3.openapi import OpenAPI

from api.service import Service


def add_tasks(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
