"""The head of a request: from what the parser found to a value, or to a refusal.

Framing and characters are the parser's business (llhttp, without any of its leniencies); what a server has to look at
beyond them is here.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from api.status.exchange import Asked, Reply
from core.peers import plain
from front.incoming import Incoming
from front.limits import Limits
from front.refusals import refused

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_ONCE = frozenset({"host", "authorization", "content-type", "idempotency-key", "x-forwarded-for"})
"""Fields whose lines are not a list: readers differ in which of two they believe (RFC 9110, 5.3)."""

_USUAL = (
    *("Host", "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection"),
    *("Content-Length", "Content-Type", "If-None-Match", "Pragma", "User-Agent", "X-Forwarded-For"),
)
_SPELLED = {each.encode(): name.lower() for name in _USUAL for each in (name, name.lower())}
"""Names as nearly everybody spells them: found faster than they are read."""

_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]{0,255}")
_ABSOLUTE = re.compile(rb"(?i:https?)://[^/?#]*")


def read_incoming(incoming: Incoming, limits: Limits, version: str, protocol: str, peer: str) -> Asked | Reply:
    """Return a request without its body, or what is wrong with it.

    Args:
        incoming: method, target and header fields, as sent.
        limits: how large they may be.
        version: of the request line, such as “1.1”.
        protocol: of the request line.
        peer: the address of whoever asks.
    """
    wrong = _about_size(incoming, limits)
    if wrong is None and (protocol != "HTTP" or version not in ("1.1", "1.0")):
        wrong = refused("version-unknown")
    if wrong is not None:
        return wrong
    named = incoming.method.decode("ascii")
    if named not in METHODS:
        return refused("method-unknown")
    fields = _fields(incoming.lines)
    if isinstance(fields, Reply):
        return fields
    host = fields.get("host")
    # RFC 9112, 3.2: none, two, or one that is no host.
    if (host is None and version == "1.1") or not _HOST.fullmatch(host or ""):
        return refused("host-missing")
    found = _target(incoming.target)
    if found is None:
        return refused("target-malformed")
    return about_body(fields, version) or Asked(method=named, path=found[0], query=found[1], fields=fields, peer=peer)


def _about_size(incoming: Incoming, limits: Limits) -> Reply | None:
    if len(incoming.target) > limits.head_octets:
        return refused("target-too-long")
    large = len(incoming.lines) > limits.fields or incoming.head_octets > limits.head_octets
    return refused("head-too-large") if large else None


def forwarded(asked: Asked, proxies: frozenset[str]) -> str:
    """Return who asks: behind a proxy of ours the address that it has written, which is the last one.

    Args:
        asked: the request.
        proxies: addresses whose word is taken, as `plain` writes them.
    """
    if asked.peer not in proxies:
        return asked.peer
    return plain(asked.fields.get("x-forwarded-for", "").rpartition(",")[2].strip()) or asked.peer


def framed_alike(asked: Asked) -> bytes:
    """Return a head that says nothing but how a request's body is framed."""
    framed = {name: asked.fields.get(name) for name in ("content-length", "transfer-encoding")}
    lines = "".join(f"{name}: {value}\r\n" for name, value in framed.items() if value is not None)
    return f"POST / HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def _fields(lines: Sequence[tuple[bytes, bytes]]) -> Mapping[str, str] | Reply:
    fields: dict[str, str] = {}
    for raw, value in lines:
        name = _SPELLED.get(raw) or raw.lower().decode("latin-1")
        if "_" in name:
            continue  # programs behind cannot tell it from a hyphen, and nothing of HTTP is called so
        text = value.decode("latin-1").strip(" \t")
        if name not in fields:
            fields[name] = text
        elif name in _ONCE:
            return refused("host-missing" if name == "host" else "field-repeated")
        else:
            fields[name] += f", {text}"  # RFC 9110, 5.3
    return fields


def _target(target: bytes) -> tuple[str, str] | None:
    """Return path, percent-decoded, and query (RFC 9112, 3.2.1 and 3.2.2); None for the other forms."""
    if not target.startswith(b"/"):
        absolute = _ABSOLUTE.match(target)
        if absolute is None:
            return None
        target = target[absolute.end() :]
        if not target.startswith(b"/"):
            target = b"/" + target
    if b"#" in target:
        return None
    path, _, query = target.partition(b"?")
    decoded = unquote_to_bytes(path) if b"%" in path else path
    return decoded.decode("utf-8", "replace"), query.decode("latin-1")


def about_body(fields: Mapping[str, str], version: str) -> Reply | None:
    """Return what is wrong with a body by what the fields say of it; None if nothing is.

    Args:
        fields: the header fields, by name in lower case.
        version: of the request line, such as “1.1”.
    """
    coding = fields.get("transfer-encoding")
    if coding is not None and version == "1.0":
        return refused("not-http")  # RFC 9112, 6.1: its framing is faulty
    if coding is not None and coding.lower() != "chunked":
        return refused("transfer-coding-unknown")  # RFC 9112, 6.1
    if "content-encoding" in fields:
        return refused("body-encoded")
    if fields.get("expect", "100-continue").lower() != "100-continue":
        return refused("expectation-unknown")  # RFC 9110, 10.1.1
    return None
