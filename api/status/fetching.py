"""CRLs and the authority's own certificates, for whoever builds a chain or reads a list. Bytes as they were signed."""

import hashlib
import ssl
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from api.status.exchange import MAX_AGE_SECONDS, Reply, http_date, seconds_to_keep
from api.status.snapshot import Snapshot
from core.errors import NoSuchThing, RegisterWentBack
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate, PublishedCrl

CRL_TYPE = "application/pkix-crl"  # RFC 2585, 4.2
CERTIFICATE_TYPE = "application/pkix-cert"  # RFC 2585, 4.1
CHAIN_TYPE = "application/pem-certificate-chain"  # RFC 8555, 9.1

PastCrl = Callable[[str, int], PublishedCrl | None]
"""Looks a CRL up that was published, by key identifier and number; may raise StoreUnavailable."""


def newest_crl(view: Snapshot, key_id: str, now: datetime) -> Reply:
    """Return the CRL in force of an issuing CA or the root.

    Raises:
        NoSuchThing: there is none.
        RegisterWentBack: the register did, and has only an older one than was served.
    """
    crl = view.authority.crl(key_id, now)
    if crl is None and view.went_back:
        raise RegisterWentBack  # the list that was served last is newer than what the register has
    if crl is None:
        raise NoSuchThing(kind="CRL of key", identifier=key_id)
    keep = seconds_to_keep(now, MAX_AGE_SECONDS, crl.next_update)
    return _crl(crl, f"public, max-age={keep}, no-transform, must-revalidate")


def numbered_crl(view: Snapshot, past_crl: PastCrl, key_id: str, number: int) -> Reply:
    """Return a CRL by its number; NoSuchThing if it was never published.

    Under this address there will never be other bytes, and it is asked for what it said then: it may be kept for the
    hour that anything may, however old it is.

    Raises:
        StoreUnavailable: from `past_crl`.
        RegisterWentBack: the register did, and it may have been in what was lost.
    """
    current = view.authority.crls.get(key_id)
    crl = current if current is not None and current.number == number else past_crl(key_id, number)
    if crl is None and view.went_back:
        raise RegisterWentBack
    if crl is None:
        raise NoSuchThing(kind=f"CRL of key {key_id} with number", identifier=number)
    return _crl(crl, f"public, max-age={MAX_AGE_SECONDS}, no-transform, immutable")


def authority_certificate(view: Snapshot, key_id: str, now: datetime) -> Reply:
    """Return the newest certificate of a key of the hierarchy that is not dated ahead; NoSuchThing if there is none."""
    found = [one for one in view.authority.certificates if one.key_id == key_id]
    if not found:
        raise NoSuchThing(kind="authority certificate of key", identifier=key_id)
    newest = max(found, key=lambda one: (one.not_before <= now, one.not_before))
    return _document(newest.der, CERTIFICATE_TYPE)


def root_certificate(view: Snapshot) -> Reply:
    """Return the root's certificate."""
    return _document(_newest(view, HierarchyRole.ROOT).der, CERTIFICATE_TYPE)


def chain(view: Snapshot) -> Reply:
    """Return the certificate of the issuing CA that issues now, then the root's, in PEM."""
    ders = (_newest(view, HierarchyRole.ISSUING).der, _newest(view, HierarchyRole.ROOT).der)
    return _document("".join(ssl.DER_cert_to_PEM_cert(der) for der in ders).encode("ascii"), CHAIN_TYPE)


def _newest(view: Snapshot, role: HierarchyRole) -> AuthorityCertificate:
    found = [one for one in view.authority.certificates if one.role == role]
    if not found:
        raise NoSuchThing(kind="authority certificate:", identifier=role)
    return found[-1]


def _crl(crl: PublishedCrl, cache: str) -> Reply:
    return Reply(
        HTTPStatus.OK,
        crl.der,
        [
            ("Content-Type", CRL_TYPE),
            ("X-Content-Type-Options", "nosniff"),
            ("Last-Modified", http_date(crl.this_update)),
            ("Expires", http_date(crl.next_update)),
            ("ETag", _tag(crl.der)),
            ("Cache-Control", cache),
        ],
    )


def _document(body: bytes, media_type: str) -> Reply:
    return Reply(
        HTTPStatus.OK,
        body,
        [
            ("Content-Type", media_type),
            ("X-Content-Type-Options", "nosniff"),
            ("ETag", _tag(body)),
            ("Cache-Control", f"public, max-age={MAX_AGE_SECONDS}"),
        ],
    )


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()}"'
