"""The courier's part of the settings: the mail relay, who gets mail, and webhooks. docs/settings.md has each key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from core.classification import Recipient
from jobs.mail import LOOPBACK, MAIL_ADDRESS, Tls

STARTTLS_PORT, IMPLICIT_PORT, PLAIN_PORT = 587, 465, 25
"""RFC 6409 (3.1), RFC 8314 (3.3), RFC 5321 (4.5.4.2)."""

_PORTS: Mapping[str, int] = {"starttls": STARTTLS_PORT, "implicit": IMPLICIT_PORT, "none": PLAIN_PORT}
_MAIL_KEYS = frozenset({"host", "port", "tls", "username", "password_file", "sender", "ca_file", "ssc", "dcc", "panel"})
_MOST_ADDRESSES = 50


@dataclass(frozen=True)
class Webhook:
    """Where the courier posts what happens.

    Args:
        url: https, or http on this machine.
        secret_file: holds the key of the HMAC that signs each delivery.
        recipient: whose notices it gets beside the feed; None if it gets none.
        organisation: the Manufacturer's identifier, if `recipient` is one.
    """

    url: str
    secret_file: Path
    recipient: Recipient | None = None
    organisation: str | None = None


@dataclass(frozen=True)
class Mail:
    """The relay, and who gets mail. A Manufacturer's address is the contact that its application names.

    Args:
        host, port, tls: of the relay.
        sender: the address that messages come from.
        username, password_file: for a relay that asks for them; the file is readable by its owner only.
        ca_file: the authority that signed the relay's certificate, if the machine does not know it.
        ssc, dcc, panel: addresses.
    """

    host: str
    port: int
    tls: Tls
    sender: str
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    ssc: tuple[str, ...] = ()
    dcc: tuple[str, ...] = ()
    panel: tuple[str, ...] = ()


def read_webhooks(listed: object, at: Callable[[str], Path], problem: Callable[[str], None]) -> tuple[Webhook, ...]:
    """Return the webhooks of `courier.webhooks`.

    Args:
        listed: what the file says.
        at: turns a path of the file into one that is meant from the home.
        problem: is told each thing that is wrong.
    """
    taken: list[Webhook] = []
    for place, each in enumerate(listed if isinstance(listed, list) else [None], 1):
        name = f"courier.webhooks {place}"
        if not isinstance(each, dict) or set(each) - {"notices_for"} != {"url", "secret_file"}:
            problem(f"{name} must have exactly url and secret_file, and notices_for if it takes notices.")
            continue
        url = str(each["url"])
        if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            problem(f"{name}: url must be https, or http on this machine.")
        recipient, organisation = _notices_for(each.get("notices_for"), name, problem)
        taken.append(
            Webhook(url=url, secret_file=at(str(each["secret_file"])), recipient=recipient, organisation=organisation)
        )
    if len({each.url for each in taken}) < len(taken):
        # One address has one cursor and one row for each delivery; two secrets for it would be a riddle.
        problem("courier.webhooks must not name one url twice.")
    return tuple(taken)


def read_mail(table: object, at: Callable[[str], Path], problem: Callable[[str], None]) -> Mail | None:
    """Return the table `[mail]`; None if there is none: then no mail is sent.

    Args:
        table: what the file says.
        at: turns a path of the file into one that is meant from the home.
        problem: is told each thing that is wrong.
    """
    if table is None:
        return None
    if not isinstance(table, dict):
        problem("mail must be a table.")
        return None
    for key in sorted(set(table) - _MAIL_KEYS):
        problem(f"mail.{key} is not known.")
    tls = cast("Tls", _one_of(table.get("tls", "starttls"), problem))
    host = _text(table, "host", problem) or ""
    sender = _text(table, "sender", problem) or ""
    username = _text(table, "username", problem, needed=False)
    password = _text(table, "password_file", problem, needed=False)
    ca_file = _text(table, "ca_file", problem, needed=False)
    if sender and not MAIL_ADDRESS.fullmatch(sender):
        problem("mail.sender must be a mail address.")
    if (username is None) != (password is None):
        problem("mail.username and mail.password_file come together.")
    if tls == "none" and host and host not in LOOPBACK:
        problem("mail.tls may be “none” only towards this machine (localhost, 127.0.0.1, ::1).")
    if tls == "none" and username is not None:
        problem("mail.username needs TLS: a password never travels in the clear.")
    return Mail(
        host=host,
        port=_port(table.get("port", _PORTS[tls]), problem),
        tls=tls,
        sender=sender,
        username=username,
        password_file=None if password is None else at(password),
        ca_file=None if ca_file is None else at(ca_file),
        ssc=_addresses(table, "ssc", problem),
        dcc=_addresses(table, "dcc", problem),
        panel=_addresses(table, "panel", problem),
    )


def _notices_for(said: object, name: str, problem: Callable[[str], None]) -> tuple[Recipient | None, str | None]:
    if said is None:
        return None, None
    if said in (Recipient.DCC.value, Recipient.PANEL.value):
        return Recipient(str(said)), None
    kind, _, organisation = str(said).partition(":")
    if kind == Recipient.MANUFACTURER.value and organisation:
        return Recipient.MANUFACTURER, organisation
    problem(f"{name}: notices_for must be dcc, panel or manufacturer:ORGANISATION.")
    return None, None


def _text(table: Mapping[str, Any], key: str, problem: Callable[[str], None], *, needed: bool = True) -> str | None:
    value = table.get(key)
    if value is None and not needed:
        return None
    if isinstance(value, str) and value:
        return value
    problem(f"mail.{key} must be a text.")
    return None


def _one_of(said: object, problem: Callable[[str], None]) -> str:
    if isinstance(said, str) and said in _PORTS:
        return said
    problem("mail.tls must be starttls, implicit or none.")
    return "starttls"


def _port(said: object, problem: Callable[[str], None]) -> int:
    if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= 65535:
        return said
    problem("mail.port must be a whole number from 1 to 65535.")
    return STARTTLS_PORT


def _addresses(table: Mapping[str, Any], key: str, problem: Callable[[str], None]) -> tuple[str, ...]:
    listed = table.get(key, [])
    good = isinstance(listed, list) and len(listed) <= _MOST_ADDRESSES
    if good and all(isinstance(each, str) and MAIL_ADDRESS.fullmatch(each) for each in listed):
        return tuple(dict.fromkeys(listed))
    problem(f"mail.{key} must be a list of at most {_MOST_ADDRESSES} mail addresses.")
    return ()
