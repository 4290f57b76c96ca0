"""Webhooks: octets posted to a subscriber, signed with an HMAC under a secret that both know."""

import hashlib
import hmac
import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from core.classification import Recipient
from jobs.deadline import Deadline

SIGNATURE_HEADER = "Trialcpa-Signature"

TIMEOUT_SECONDS = 10
"""How long a listener may be silent."""

DEADLINE_SECONDS = 20
"""How long it may take for all of one delivery."""


@dataclass
class Subscriber:
    """One webhook.

    Args:
        url: where to post.
        secret: of the HMAC.
        recipient: whose notices it takes beside the feed of facts; None if it takes none.
        organisation: the identifier of the Manufacturer, if `recipient` is one.
    """

    url: str
    secret: bytes
    failures: int = 0
    recipient: Recipient | None = None
    organisation: str | None = None

    @property
    def reader(self) -> str:
        """The name of its cursor: one for each address."""
        return f"webhook {hashlib.sha256(self.url.encode()).hexdigest()[:32]}"

    @property
    def address(self) -> str:
        """Its address for people: user, password and query may be secrets, and are told apart by a digest only."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        place = host if parts.port is None else f"{host}:{parts.port}"
        shown = urlunsplit((parts.scheme, place, parts.path, "", ""))
        return shown if shown == self.url else f"{shown}#{hashlib.sha256(self.url.encode()).hexdigest()[:8]}"

    def takes(self, recipient: Recipient, organisation: str) -> bool:
        """Return whether notices to `recipient` about a Trial Device of `organisation` are for it."""
        if recipient is not self.recipient:
            return False
        return recipient is not Recipient.MANUFACTURER or organisation == self.organisation


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET without its body, and somebody else's 200 would count as heard."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing: the 3xx is a refusal."""


class _Watched(http.client.HTTPConnection):
    """A connection that a deadline ends."""

    deadline: Deadline

    def connect(self) -> None:
        super().connect()
        self.deadline.watch(self.sock)


class _WatchedTls(http.client.HTTPSConnection, _Watched):
    """The same under TLS: HTTPS connects as HTTP does, which is watched, before its handshake."""


class _Handler(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, asked: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(self._connection, _Watched), asked)

    def https_open(self, asked: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(self._connection, _WatchedTls), asked)

    def _connection(self, kind: type[_Watched], host: str, **more: Any) -> _Watched:  # noqa: ANN401 - urllib's own
        made = kind(host, **more)
        made.deadline = self._deadline
        return made


def post(subscriber: Subscriber, body: bytes, headers: Mapping[str, str] | None = None) -> str | None:
    """Post octets as JSON; any 2xx counts as heard.

    Args:
        subscriber: to whom.
        body: JSON, UTF-8.
        headers: more fields.

    Returns:
        None if it was heard, else why not: a short sentence with nothing in it of the subscriber's own words.
    """
    if urlsplit(subscriber.url).scheme not in {"http", "https"}:
        return "The address is neither http nor https."
    digest = hmac.new(subscriber.secret, body, hashlib.sha256).hexdigest()
    fields = {"Content-Type": "application/json", SIGNATURE_HEADER: f"sha256={digest}", **(headers or {})}
    request = urllib.request.Request(subscriber.url, data=body, headers=fields, method="POST")  # noqa: S310 - the scheme was looked at above
    with Deadline(DEADLINE_SECONDS) as deadline:
        said = _sent(urllib.request.build_opener(_NoRedirect, _Handler(deadline)), request)
        # Even if it seems to have heard: what it was saying when we hung up may have been cut to that.
        return f"The listener took longer than {DEADLINE_SECONDS} seconds." if deadline.passed else said


def _sent(opener: urllib.request.OpenerDirector, request: urllib.request.Request) -> str | None:
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as reply:
            status = int(reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        status = error.code
    except urllib.error.URLError as error:
        return f"The listener cannot be reached ({_kind(error.reason)})."
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"The listener broke off ({_kind(error)})."
    return None if 200 <= status < 300 else f"The listener answered {status}."


def _kind(error: object) -> str:
    """What sort of error it was; its text may hold the address."""
    return type(error).__name__
