"""How pages say things: instants in one form, days, words of closed lists, and who acted."""

import re
from datetime import date, datetime

from markupsafe import Markup, escape

from core.actors import AUTHORITY, CONSOLE, COURIER
from core.errors import BodyMalformed, TrialCpaError
from core.instants import parse, text
from core.local_time import uk, utc

_SHORT = {
    "ssc": "SSC",
    "dcc": "DCC",
    "cpl": "CPL",
    "ncsc": "NCSC",
    "csr": "CSR",
    "crl": "CRL",
    "ocsp": "OCSP",
    "ca": "CA",
}

_INSTANT = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
"""As the register, a certificate in words and a notice's table of facts write an instant."""

_MEMBER = re.compile(r"\b(?:[a-z]+\.)?([a-z]+(?:_[a-z]+)+)\b")
"""A member of a request as programs write it: `device.firmware_version`."""

_SENTENCE = re.compile(r"(?<=\.) ")
_TO_PROGRAMS = re.compile(r"/openapi\.json")
"""What is said in a hint to those who write programs."""

_DIRECTS = re.compile("[\u202a-\u202e\u2066-\u2069]")

_PROCESSES = {
    AUTHORITY.name: "the authority itself",
    COURIER.name: "the courier",
    CONSOLE.name: "an operator, at the machine's command line",
}
"""What acts without a credential, and is no person: the journal knows no more of it."""


def instant(at: datetime | str | None) -> Markup:
    """Return an instant in UTC, and in UK local time below it; as the register writes it (RFC 3339) or as it is."""
    if at is None:
        return Markup("—")
    if isinstance(at, str):
        at = parse(at)
    return Markup('<time datetime="{}">{}</time> <small>{}</small>').format(text(at), utc(at), uk(at))


def instants(said: object) -> Markup:
    """Return words in which each instant stands as pages have it, on one line: UTC, and UK local time in brackets."""
    words = text(said) if isinstance(said, datetime) else str(said)
    found, end = Markup(), 0
    for each in _INSTANT.finditer(words):
        try:
            at = parse(each[0])
        except TrialCpaError:
            continue  # it only looks like one, such as 2027-13-01T00:00:00Z in what somebody typed
        found += escape(words[end : each.start()])
        found += Markup('<time datetime="{}">{}</time> ({})').format(each[0], utc(at), uk(at))
        end = each.end()
    return found + escape(words[end:])


def day(said: date) -> str:
    """Return a day for people: `4 January 2027`."""
    return f"{said.day} {said:%B %Y}"


def month(said: str) -> str:
    """Return a month for people: `2027-06` as `June 2027`."""
    return f"{date.fromisoformat(f'{said}-01'):%B %Y}"


def words(kind: object) -> str:
    """Return a word of a closed list for people: `key-compromise` as “Key compromise”."""
    first, *rest = str(kind).replace("_", "-").split("-")
    return " ".join([_SHORT.get(first, first.capitalize()), *(_SHORT.get(each, each) for each in rest)])


def who(name: str) -> str:
    """Return who acted as people say it; a process of ours is called what it is, as the journal's word misleads."""
    return _PROCESSES.get(name, name)


def sentence(error: TrialCpaError) -> str:
    """Return what an error says to whoever has filled in a form: they have sent no request, and no member of one."""
    if isinstance(error, BodyMalformed):
        detail = _MEMBER.sub(lambda found: found[1].replace("_", " "), str(error.fields["detail"]))
        return f"{detail[:1].upper()}{detail[1:]}."
    field, said = error.fields.get("field"), str(error)
    if isinstance(field, str) and said.startswith(f"{field}:"):
        return f"{field[:1].upper()}{field[1:].replace('_', ' ')}{said.removeprefix(field)}"
    return said


def remedy(error: TrialCpaError) -> str:
    """Return what to do about it; what is said there to programs is left out."""
    if isinstance(error, BodyMalformed):
        return "Mend that and send it again."
    return " ".join(each for each in _SENTENCE.split(error.hint) if not _TO_PROGRAMS.search(each))


def undirected(said: str) -> str:
    """Return words for where nothing can be set apart from what stands beside it (a page's title): without characters
    that turn the direction of others beyond the words themselves (UAX 9, 2.1 to 2.4).
    """
    found = _DIRECTS.sub("", said)
    return Markup(found) if isinstance(said, Markup) else found  # noqa: S704 - it was markup, and lost characters alone
