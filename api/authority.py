"""/v1/authority: the hierarchy described, for whoever sets a relying party up. Public."""

import base64
import hashlib
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import AuthorityAnswer
from api.service import WATCHING, Service, clauses, refusals, reply
from core.canonical import Json
from core.errors import NoSuchThing
from core.instants import text
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate, AuthorityView


def add_authority(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""

    @app.get(
        "/v1/authority",
        operation_id="showAuthority",
        openapi_extensions=clauses("F2.25"),
        tags=[WATCHING],
        responses={200: AuthorityAnswer, **refusals(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)},
    )
    def show_authority() -> Response:
        """Describe the authority: test or live, names, identifiers, and where everything is. No credential needed."""
        described = _described(service.mirror.held().authority)
        described["now"] = text(service.mirror.now())
        return reply(described)


def _described(view: AuthorityView) -> dict[str, Json]:
    base = pointer_base(view.base_url)
    policy = 1 if view.environment == "live" else 2
    return {
        "name": view.name,
        "environment": view.environment,
        "base_url": view.base_url,
        "identifiers": {
            "arc": view.arc,
            "extension": f"{view.arc}.1",
            "policy": f"{view.arc}.2.{policy}",
            "extended_key_usage": f"{view.arc}.3.1",
        },
        "root": _certifying(_newest(view.certificates, HierarchyRole.ROOT), base),
        "issuing": [_certifying(each, base) for each in view.certificates if each.role is HierarchyRole.ISSUING],
        "responder": _certificate(_newest(view.certificates, HierarchyRole.RESPONDER), base),
        "ocsp": f"{base}/ocsp",
        "chain": f"{base}/ca/chain.pem",
        "journal": {
            "name": f"{view.name} Journal",
            "public_key": base64.b64encode(view.journal_key).decode("ascii"),
        },
    }


def pointer_base(base_url: str) -> str:
    """Return the base of the addresses inside certificates: always http.

    Fetching a CRL over https would need a certificate that needs a CRL (RFC 5280, 8).
    """
    return f"http://{base_url.removeprefix('https://').removeprefix('http://')}"


def _newest(certificates: Sequence[AuthorityCertificate], role: HierarchyRole) -> AuthorityCertificate:
    found = [each for each in certificates if each.role == role]
    if not found:
        # Between the store's creation and the end of the ceremony there is nothing to describe yet.
        raise NoSuchThing(kind="authority certificate:", identifier=role)
    return found[-1]


def _certificate(each: AuthorityCertificate, base: str) -> dict[str, Any]:
    return {
        "subject": each.subject,
        "key_id": each.key_id,
        "serial": each.serial,
        "sha256": hashlib.sha256(each.der).hexdigest(),
        "not_before": text(each.not_before),
        "not_after": text(each.not_after),
        "url": f"{base}/ca/{each.key_id}.cer",
    }


def _certifying(each: AuthorityCertificate, base: str) -> dict[str, Any]:
    return {**_certificate(each, base), "crl": f"{base}/crl/{each.key_id}.crl"}
