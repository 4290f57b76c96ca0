"""Mail: one message to one address, handed to the operator's relay over TLS (RFC 5321, RFC 3207, RFC 8314).

What a relay says in words is never kept: it may quote the message. Only its code is (RFC 5321, 4.2; RFC 3463).
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

from core.clock import Clock
from core.errors import MailRefused
from jobs.deadline import Deadline

TIMEOUT_SECONDS = 30
"""Shorter than RFC 5321 (4.5.3.2) allows a relay; one that is slower is tried again later."""

DEADLINE_SECONDS = 120
"""How long it may take for one message; well below the claim of a delivery (jobs/deliver.py)."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Relays that may be spoken to without TLS: nothing leaves this machine on the way to them."""

MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
"""Addresses that every relay takes: RFC 5321 (4.1.2) with a dot-string, in ASCII."""

_SEVEN_BIT = SMTP.clone(cte_type="7bit")
"""Parts are written in 7 bits whatever they hold: not every relay takes 8BITMIME (RFC 6152), or passes it on."""

_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")
_PLAIN_ID = re.compile(r"[^A-Za-z0-9.-]+")

Tls = Literal["starttls", "implicit", "none"]


@dataclass(frozen=True)
class Relay:
    """The operator's mail relay.

    Args:
        host, port: where it listens; 587 for starttls, 465 for implicit TLS (RFC 8314).
        tls: `none` only towards this machine.
        sender: the address that messages come from.
        username, password: for SMTP AUTH; None for a relay that knows us by our address. Never sent without TLS.
        ca_file: the authority that signed the relay's certificate, if it is not one that the machine knows.
    """

    host: str
    port: int
    tls: Tls
    sender: str
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True)
class Attachment:
    """A file in a message.

    Args:
        name: its file name.
        media_type: `application/pdf`.
        octets: its contents.
    """

    name: str
    media_type: str
    octets: bytes


class Mailer:
    """Sends mail through one relay, a connection for each message.

    Args:
        relay: through which.
        machine: the machine's own clock, for the Date field: a test authority's may run ahead.
    """

    def __init__(self, relay: Relay, machine: Clock) -> None:
        if relay.tls == "none" and (relay.host not in LOOPBACK or relay.username is not None):
            raise ValueError("mail without TLS stays on this machine, and no password goes with it")
        self._relay = relay
        self._machine = machine

    def send(self, to: str, subject: str, body: str, attachments: Sequence[Attachment], message_id: str) -> None:
        """Hand one message to the relay; when this returns the relay has taken it.

        Args:
            to: one address, the only one on the envelope.
            subject: one line.
            body: plain text.
            attachments: files, in order.
            message_id: unique to the message, and the same when it is sent again: what comes before the `@`.

        Raises:
            MailRefused: the relay cannot be reached, is not who it should be, or does not take the message.
        """
        if not MAIL_ADDRESS.fullmatch(to):
            raise MailRefused(detail="the address is not one that mail can be sent to", temporary=False)
        message = self._message(to, subject, body, attachments, message_id)
        with Deadline(DEADLINE_SECONDS) as deadline:
            try:
                self._hand_over(message, to, deadline)
            except MailRefused:
                if not deadline.passed:
                    raise
                late = f"the relay took longer than {DEADLINE_SECONDS} seconds"
                raise MailRefused(detail=late, temporary=True) from None

    def _hand_over(self, message: EmailMessage, to: str, deadline: Deadline) -> None:
        stage = "connection"
        smtp: smtplib.SMTP | None = None
        try:
            smtp = self._connected(deadline)
            stage = "login"
            if self._relay.username is not None:
                smtp.login(self._relay.username, self._relay.password or "")
            stage = "message"
            smtp.send_message(message, self._relay.sender, [to])
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            raise _answered("recipient", code, words) from None
        except smtplib.SMTPResponseException as error:
            raise _answered(stage, error.smtp_code, error.smtp_error) from None
        except (smtplib.SMTPException, OSError, UnicodeError, ValueError) as error:
            if smtp is not None:
                smtp.close()  # whoever was silent is not waited for a second time, to be told goodbye
            raise MailRefused(detail=_broken(stage, error), temporary=True) from None
        finally:
            if smtp is not None:
                # The relay has taken the message or has not: what it makes of our farewell changes neither.
                with suppress(smtplib.SMTPException, OSError):
                    smtp.quit()
                smtp.close()

    def _connected(self, deadline: Deadline) -> smtplib.SMTP:
        relay = self._relay
        context = None if relay.tls == "none" else _context(relay.ca_file)
        smtp = _Watched(relay, deadline, context if relay.tls == "implicit" else None)
        try:
            if relay.tls == "starttls":
                # A relay that does not offer it, or an attacker who hides the offer, gets nothing.
                smtp.starttls(context=context)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _message(
        self, to: str, subject: str, body: str, attachments: Sequence[Attachment], message_id: str
    ) -> EmailMessage:
        domain = self._relay.sender.rpartition("@")[2]
        message = EmailMessage(policy=_SEVEN_BIT)
        message["From"] = self._relay.sender
        message["To"] = to
        message["Subject"] = " ".join(subject.split())
        message["Date"] = format_datetime(self._machine.now())
        message["Message-ID"] = f"<{_PLAIN_ID.sub('-', message_id).strip('-')}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834, 5: nobody's holiday answers it
        message.set_content(body)
        for each in attachments:
            main, _, sub = each.media_type.partition("/")
            message.add_attachment(each.octets, maintype=main, subtype=sub, filename=each.name)
        return message


class _Watched(smtplib.SMTP):
    """A connection that a deadline ends.

    Args:
        relay: to whom.
        deadline: which.
        context: for TLS from the first octet on.
    """

    def __init__(self, relay: Relay, deadline: Deadline, context: ssl.SSLContext | None) -> None:
        self._deadline, self._context = deadline, context
        ours = relay.sender.rpartition("@")[2]  # not this machine's name, which is nobody's business
        super().__init__(relay.host, relay.port, ours, timeout=TIMEOUT_SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # What smtplib's own SMTP_SSL overrides, for the same reason: it is the only place before the first octet.
        made = socket.create_connection((host, port), timeout)
        self._deadline.watch(made)
        return made if self._context is None else self._context.wrap_socket(made, server_hostname=host)


def _context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS that checks the relay's certificate and name."""
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


def _answered(stage: str, code: int, words: bytes | str) -> MailRefused:
    octets = words if isinstance(words, bytes) else words.encode("utf-8", "replace")
    enhanced = _ENHANCED.match(octets)
    told = f"{code} {enhanced.group().decode()}" if enhanced else str(code)
    # 4yz: come again; 5yz: not like this (RFC 5321, 4.2.1). Anything else is no answer of a relay.
    return MailRefused(detail=f"the relay answered {told} to the {stage}", temporary=not 500 <= code < 600)


def _broken(stage: str, error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return "the relay's certificate cannot be verified"
        case smtplib.SMTPNotSupportedError():
            return f"the relay does not offer what the {stage} needs"
        case TimeoutError():
            return f"the relay was silent for {TIMEOUT_SECONDS} seconds during the {stage}"
        case smtplib.SMTPServerDisconnected():
            return f"the relay hung up during the {stage}"
        case _:
            return f"the {stage} failed ({type(error).__name__})"
