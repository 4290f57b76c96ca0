"""Real mail servers and a real listener: STARTTLS, implicit TLS, ones that refuse, one that hangs up."""

import asyncio
import email
import email.policy
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.clock import FixedClock
from jobs.mail import Mailer, Relay, Tls
from tests.world import NOW

SENDER = "notices@ssc.example"


@dataclass
class Received:
    """One message as the server took it."""

    to: list[str]
    sender: str
    message: EmailMessage
    octets: bytes
    encrypted: bool

    @property
    def files(self) -> dict[str, bytes]:
        attached = self.message.iter_attachments()
        return {each.get_filename() or "": each.get_payload(decode=True) for each in attached}  # type: ignore[misc]

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        return "" if body is None else str(body.get_content())


@dataclass
class Post:
    """A mail server of a test.

    Args:
        answers: what it says to the next messages instead of taking them: to RCPT, or to DATA with a leading `DATA `;
            `hang up` ends the connection.
    """

    host: str
    port: int
    ca_file: Path
    tls: Tls
    received: list[Received] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    logins: list[tuple[bytes, bool]] = field(default_factory=list)

    def relay(self, **changes: Any) -> Relay:
        return replace(Relay(self.host, self.port, self.tls, SENDER, ca_file=self.ca_file), **changes)

    def mailer(self, **changes: Any) -> Mailer:
        return Mailer(self.relay(**changes), FixedClock(NOW))


class _Handler:
    def __init__(self, post: Post) -> None:
        self._post = post

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for the name
        self, server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self._post.answers and not self._post.answers[0].startswith("DATA "):
            answer = self._post.answers.pop(0)
            if answer == "hang up":
                _transport(server).close()
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802 - as above
        if self._post.answers:
            answer = self._post.answers.pop(0).removeprefix("DATA ")
            if answer == "hang up":
                _transport(server).close()
            return answer
        encrypted = _transport(server).get_extra_info("sslcontext") is not None
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        taken = Received(list(envelope.rcpt_tos), envelope.mail_from, parsed, envelope.content, encrypted)
        self._post.received.append(taken)
        return "250 OK"


def _transport(server: SMTP) -> asyncio.BaseTransport:
    assert server.transport is not None, "somebody is connected"
    return server.transport


def certificate(folder: Path, host: str = "127.0.0.1") -> tuple[Path, Path]:
    """A relay's certificate, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    chain, private = folder / "relay.pem", folder / "relay.key"
    chain.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain, private


@contextmanager
def post_office(folder: Path, tls: Tls, *, offers_tls: bool = True, password: str | None = None) -> Iterator[Post]:
    """A mail server that listens until the block ends.

    Args:
        folder: where its certificate lies.
        tls: how it is spoken to.
        offers_tls: False for one that has no STARTTLS, or lost it to somebody on the way.
        password: what it wants at login.
    """
    chain, private = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, private)
    post = Post("127.0.0.1", 0, chain, tls)

    def login(_server: SMTP, session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        post.logins.append((data.password, session.ssl is not None or tls == "implicit"))
        return AuthResult(success=data.password == (password or "").encode(), handled=False)

    more: dict[str, Any] = {}
    if tls == "starttls" and offers_tls:
        more["tls_context"] = context
        more["require_starttls"] = True
    if password is not None:
        # It knows of its own STARTTLS only: a connection that was encrypted before it counts as open.
        more |= {"authenticator": login, "auth_required": tls == "starttls", "auth_require_tls": tls == "starttls"}
    server = _AnyPort(
        _Handler(post), hostname="127.0.0.1", port=0, ssl_context=context if tls == "implicit" else None, **more
    )
    server.start()
    post.port = server.port
    try:
        yield post
    finally:
        server.stop()


class _AnyPort(Controller):
    """Listens where the system lets it, and says where."""

    def _trigger_server(self) -> None:
        # It makes sure that it listens by connecting to the port it was told to take.
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd types a part of itself only


@dataclass
class Listener:
    """A recipient's own web server."""

    url: str
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@contextmanager
def listener() -> Iterator[Listener]:
    made = Listener("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.answers.pop(0) if made.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/notices"
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        yield made
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
