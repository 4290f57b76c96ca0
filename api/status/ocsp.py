"""The OCSP responder (RFC 6960, in the profile of RFC 5019 and 9919): chooses among answers that were signed ahead.

It signs nothing and makes nothing up: what it cannot answer with a true, signed answer is `unauthorized` or
`tryLater`. A nonce is neither required nor echoed: a pre-produced answer cannot know it (RFC 5019, 4).
"""

import binascii
import hashlib
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import ocsp

from api.status.answers import newest_true_answer
from api.status.exchange import MAX_AGE_SECONDS, Reply, http_date, lines_of, seconds_to_keep
from api.status.ready import LONGEST
from api.status.shapes import CertId, issuer_asked, serial_asked
from api.status.snapshot import Snapshot
from core.approval import CertificateRecord
from core.identifiers import serial_of
from core.instants import ONE_SECOND
from core.mirror import HashName, SignedAnswer
from core.status import certificate_end

REQUEST_LIMIT = 16 * 1024
"""Octets of an OCSP request: a CertID needs under 200; the rest is room for a signed request with its certificates."""

LONGEST_NONCE = 128
"""Octets of a nonce (RFC 9654, 2.1)."""

MEDIA_TYPE = "application/ocsp-response"

_URL_SAFE = bytes.maketrans(b"-_ ", b"+/+")
"""A blank is what some servers make of a plus."""

# OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED } and nothing else (RFC 6960, 4.2.1).
MALFORMED_REQUEST = bytes.fromhex("30030a0101")
TRY_LATER = bytes.fromhex("30030a0103")
UNAUTHORIZED = bytes.fromhex("30030a0106")

_UNREADABLE_EXTENSION = (ValueError, TypeError, NotImplementedError, x509.DuplicateExtension)


def respond(view: Snapshot, request: bytes, now: datetime, came: bytes | str = b"") -> Reply:
    """Return an OCSPResponse; the HTTP status is always 200 (RFC 6960, A.1).

    Args:
        view: what is known.
        request: octets of a stranger.
        now: the present instant.
        came: the same as it came, by which it is found from now on: its octets, or its path.
    """
    serial = None if view.went_back else serial_asked(view.shapes, request)
    identifier = None if serial is None else view.serials.get(serial)
    if serial is None or identifier is None:
        return _parsed(view, request, now)
    finished = view.finished[identifier]
    kept = finished.find(request, Reply, now)
    if kept is None:
        parsed = _answered(view, issuer_asked(view.shapes, request), int(serial, 16), now)
        kept = parsed._replace(lines=lines_of(parsed.status, parsed.headers))
        # What says that it may be kept for an hour says less in the hour before it changes.
        finished.keep(request, kept, now, ahead=timedelta(seconds=MAX_AGE_SECONDS) + 2 * ONE_SECOND)
    if came and len(came) <= LONGEST:
        finished.spell(view.ready.requests, came, request, lambda since, until: (since, until, kept))
    return kept


def unsuccessful(response: bytes) -> Reply:
    """Return an unsuccessful OCSPResponse: unsigned, so no cache may keep it (RFC 5019, 6.2)."""
    return Reply(HTTPStatus.OK, response, [("Content-Type", MEDIA_TYPE), ("Cache-Control", "no-store")])


def _parsed(view: Snapshot, request: bytes, now: datetime) -> Reply:
    asked = _parse(request)
    if isinstance(asked, bytes):
        return unsuccessful(asked)
    return _answered(view, *asked, now)


def _answered(view: Snapshot, issuer: CertId, number: int, now: datetime) -> Reply:
    chosen = choose(view, issuer, number, now)
    if isinstance(chosen, bytes):
        return unsuccessful(chosen)
    answer, certificate = chosen
    return Reply(HTTPStatus.OK, answer.der, _headers(answer, certificate_end(certificate).at, now))


def request_in_path(encoded: str) -> bytes | None:
    """Return the request that GET /ocsp/{base64} carries, or None if that is not base64 (RFC 6960, A.1).

    Clients disagree on how to write it into a URL, so all of these are read: percent-encoding once or twice (the
    server has undone one), URL-safe letters, missing padding, and a slash too many in front.

    Args:
        encoded: the path after /ocsp/, percent-decoded by the server.
    """
    if len(encoded) > REQUEST_LIMIT * 2:
        return None
    squeezed = encoded.lstrip("/")
    if "%" in squeezed:
        for escaped, plain in (("%2B", "+"), ("%2F", "/"), ("%3D", "=")):
            squeezed = squeezed.replace(escaped, plain).replace(escaped.lower(), plain)
    try:
        octets = squeezed.encode("ascii").translate(_URL_SAFE).rstrip(b"=")
        return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4), strict_mode=True)
    except ValueError:
        return None


def _parse(request: bytes) -> tuple[CertId, int] | bytes:
    """Return the CertID asked about: issuer and serial number; or the unsuccessful response that is due."""
    if len(request) > REQUEST_LIMIT:
        return MALFORMED_REQUEST
    try:
        asked = ocsp.load_der_ocsp_request(request)
        if not _nonce_fits(asked):
            return MALFORMED_REQUEST
        # A hash that we do not hold answers for is not among the issuers, as a foreign issuer is not.
        name = cast("HashName", asked.hash_algorithm.name)
        issuer, number = (name, asked.issuer_name_hash, asked.issuer_key_hash), asked.serial_number
    except (NotImplementedError, UnsupportedAlgorithm):
        # More than one CertID: each of our answers was signed ahead for one, so a client must ask for one at a time
        # (RFC 5019, 2.1.1), and what such a responder does not answer is unauthorized (2.2.3). So is an unknown hash.
        return UNAUTHORIZED
    except (ValueError, TypeError):
        return MALFORMED_REQUEST
    return issuer, number


def _nonce_fits(asked: ocsp.OCSPRequest) -> bool:
    """Whether a nonce, if there is one, has 1 to 128 octets: others a responder has to refuse (RFC 9654, 2.1).

    No other extension is touched: none changes our answer, and one that cannot be read harms nobody.
    """
    try:
        found = asked.extensions.get_extension_for_class(x509.OCSPNonce)
    except (x509.ExtensionNotFound, *_UNREADABLE_EXTENSION):
        return True
    return 1 <= len(found.value.nonce) <= LONGEST_NONCE


def choose(
    view: Snapshot, issuer: CertId, number: int, now: datetime
) -> tuple[SignedAnswer, CertificateRecord] | bytes:
    """Return the answer to show and whose it is; or the unsuccessful response that is due."""
    found = view.by_serial(serial_of(number)) if issuer in view.issuers and number > 0 else None
    if found is None and view.went_back and issuer in view.issuers:
        return TRY_LATER  # it may have been issued, and the register have forgotten it
    if found is None:
        return UNAUTHORIZED  # never “good” for what was never issued
    held, certificate = found
    answer = newest_true_answer(held.answers, certificate, issuer[0], now)
    if answer is None or (view.went_back and answer.revoked_at is None):
        return TRY_LATER
    # The serial may be of another of our issuing CAs.
    return (answer, certificate) if _speaks_of(answer, issuer) else UNAUTHORIZED


def _speaks_of(answer: SignedAnswer, issuer: CertId) -> bool:
    try:
        response = ocsp.load_der_ocsp_response(answer.der)
        return (response.issuer_name_hash, response.issuer_key_hash) == issuer[1:]
    except (ValueError, NotImplementedError, UnsupportedAlgorithm):
        return False


def _headers(answer: SignedAnswer, end: datetime, now: datetime) -> list[tuple[str, str]]:
    """RFC 5019, 6.2, with a lifetime that ends before the answer does and before what it says is known to change."""
    change = end if end > now else None
    keep = seconds_to_keep(now, MAX_AGE_SECONDS, answer.next_update, change)
    return [
        ("Content-Type", MEDIA_TYPE),
        ("Last-Modified", http_date(answer.this_update)),
        ("Expires", http_date(answer.next_update)),
        ("ETag", f'"{hashlib.sha256(answer.der).hexdigest()}"'),
        ("Cache-Control", f"max-age={keep}, public, no-transform, must-revalidate"),
    ]
