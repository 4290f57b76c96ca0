"""A mail server of the story's own: real SMTP with STARTTLS on this machine. It keeps what it takes, and sends nothing.

Its certificate is made for it and trusted by the authority's settings, as an operator names the relay's own CA.
"""

import email
import email.policy
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.clock import SystemClock

HOST = "127.0.0.1"
_LIFE = timedelta(days=365)
_LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True)
class Mail:
    """A message as the server took it.

    Args:
        to: the one address of its envelope.
        octets: as they came.
        encrypted: whether they came over TLS.
    """

    to: str
    octets: bytes
    encrypted: bool

    @property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        parsed = email.message_from_bytes(self.octets, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def subject(self) -> str:
        """Its subject."""
        return str(self.message["Subject"])

    @property
    def files(self) -> dict[str, bytes]:
        """What is attached, by file name."""
        return {each.get_filename() or "": _octets(each) for each in self.message.iter_attachments()}

    @property
    def text(self) -> str:
        """What somebody reads in a mail program."""
        body = self.message.get_body(("plain",))
        return "" if body is None else str(body.get_content())


class Mailroom:
    """A context manager: the server listens as long as it is open.

    Args:
        folder: where its certificate and key go.
        port: that nobody listens on.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.ca_file = folder / "mail-server.pem"
        self._received: list[Mail] = []
        self._lock = threading.Lock()
        key_file = folder / "mail-server.key"
        _make_certificate(self.ca_file, key_file)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.ca_file, key_file)
        self._controller = Controller(
            _Handler(self._take),
            hostname=HOST,
            port=port,
            tls_context=context,
            require_starttls=True,
            data_size_limit=_LARGEST,
        )

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._controller.stop()

    @property
    def received(self) -> Sequence[Mail]:
        """Everything that came so far."""
        with self._lock:
            return tuple(self._received)

    def about(self, words: str) -> dict[str, Mail]:
        """Return the newest message to each address whose subject holds some words."""
        return {mail.to: mail for mail in self.received if words in mail.subject}

    def _take(self, mail: Mail) -> None:
        with self._lock:
            self._received.append(mail)


class _Handler:
    """What aiosmtpd asks."""

    def __init__(self, take: Callable[[Mail], None]) -> None:
        self._take = take

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802, ANN401 - aiosmtpd
        encrypted = server.transport.get_extra_info("sslcontext") is not None
        for address in envelope.rcpt_tos:
            self._take(Mail(str(address), bytes(envelope.content), encrypted))
        return "250 OK"


def _octets(part: EmailMessage) -> bytes:
    held = part.get_payload(decode=True)
    return held if isinstance(held, bytes) else b""


def _make_certificate(path: Path, key_file: Path) -> None:
    """Make a certificate that is its own authority, for this machine's own address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "The story's mail server")])
    begin = SystemClock().now() - timedelta(days=1)  # TLS knows nothing of a test clock
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin, begin + _LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    path.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.touch(mode=0o600)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
