"""/v1/authority: the hierarchy described, for whoever sets a relying party up. Public."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.service import WATCHING, Service, clauses, refusals, reply
from core.errors import NoSuchThing
from core.identifiers import Environment, Serial
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate, AuthorityView


@dataclass(frozen=True, kw_only=True)
class AuthorityCertificateAnswer:
    """A certificate of the hierarchy."""

    subject: str
    key_id: str
    serial: Serial
    sha256: str
    not_before: datetime
    not_after: datetime
    url: str


@dataclass(frozen=True, kw_only=True)
class CertifyingAnswer(AuthorityCertificateAnswer):
    """A certificate of the hierarchy that signs others, with its revocation list."""

    crl: str


@dataclass(frozen=True, kw_only=True)
class ArcAnswer:
    """The object identifiers under the authority's arc."""

    arc: str
    extension: str
    policy: str
    extended_key_usage: str


@dataclass(frozen=True)
class JournalAnswer:
    """The key that signs the journal's heads: SubjectPublicKeyInfo, base64."""

    name: str
    public_key: str


@dataclass(frozen=True, kw_only=True)
class LogAnswer:
    """The key that signs the public log's checkpoints.

    Args:
        name: of the log: the first line of its checkpoints.
        verifier_key: the same with eight digits and the key in base64 behind it (C2SP signed-note).
    """

    name: str
    verifier_key: str


@dataclass(frozen=True, kw_only=True)
class AuthorityAnswer:
    """The authority describes itself.

    Args:
        statement_signer: signs dossiers; null where none was made yet.
        log: null where it has not begun yet.
    """

    name: str
    environment: Environment
    base_url: str
    identifiers: ArcAnswer
    root: CertifyingAnswer
    issuing: tuple[CertifyingAnswer, ...]
    responder: AuthorityCertificateAnswer
    statement_signer: AuthorityCertificateAnswer | None
    ocsp: str
    chain: str
    journal: JournalAnswer
    log: LogAnswer | None
    now: datetime


def add_authority(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""

    @app.get(
        "/v1/authority",
        operation_id="showAuthority",
        openapi_extensions=clauses("F2.25"),
        tags=[WATCHING],
        responses={200: answer(AuthorityAnswer), **refusals(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)},
    )
    def show_authority() -> Response:
        """Describe the authority: test or live, names, identifiers, and where everything is. No credential needed."""
        return reply(_described(service.mirror.held().authority, service.mirror.now()))


def _described(view: AuthorityView, now: datetime) -> AuthorityAnswer:
    base = pointer_base(view.base_url)
    policy = 1 if view.environment == "live" else 2
    return AuthorityAnswer(
        name=view.name,
        environment=view.environment,
        base_url=view.base_url,
        identifiers=ArcAnswer(
            arc=view.arc,
            extension=f"{view.arc}.1",
            policy=f"{view.arc}.2.{policy}",
            extended_key_usage=f"{view.arc}.3.1",
        ),
        root=_certifying(_newest(view.certificates, HierarchyRole.ROOT), base),
        issuing=tuple(_certifying(each, base) for each in view.certificates if each.role is HierarchyRole.ISSUING),
        responder=_certificate(_newest(view.certificates, HierarchyRole.RESPONDER), base),
        statement_signer=next(
            (_certificate(each, base) for each in reversed(view.certificates) if each.role is HierarchyRole.STATEMENT),
            None,
        ),
        ocsp=f"{base}/ocsp",
        chain=f"{base}/ca/chain.pem",
        journal=JournalAnswer(f"{view.name} Journal", base64.b64encode(view.journal_key).decode("ascii")),
        log=None if view.log is None else LogAnswer(name=view.log[0], verifier_key=view.log[1]),
        now=now,
    )


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


def _certificate(each: AuthorityCertificate, base: str) -> AuthorityCertificateAnswer:
    return AuthorityCertificateAnswer(
        subject=each.subject,
        key_id=each.key_id,
        serial=each.serial,
        sha256=hashlib.sha256(each.der).hexdigest(),
        not_before=each.not_before,
        not_after=each.not_after,
        url=f"{base}/ca/{each.key_id}.cer",
    )


def _certifying(each: AuthorityCertificate, base: str) -> CertifyingAnswer:
    return CertifyingAnswer(**vars(_certificate(each, base)), crl=f"{base}/crl/{each.key_id}.crl")
