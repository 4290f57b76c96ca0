"""Forms that people fill in as TOML: read whole, every problem told at once, files that they name taken in.

What a value may be is judged by the service. Here only the form counts: names that are known, texts that are texts,
images that can be read.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from core.errors import InputUnusable, RulesRefused, TrialCpaError
from core.instants import text as instant_text
from core.plain_text import TextUnreadable, utf8
from policy import csr

Read = Callable[["Form", str, Any], object]
"""Turns a value of the file into a member of the request; what is wrong with it is told to the form."""

LARGEST_TEXT_FILE = 256 * 1024
"""Octets of a file that becomes a text of the request: what its service takes as a body."""

_UNREADABLE = object()

_UNFILLED = re.compile(r"(?:[A-Za-z]+-)?…")
"""What a template has where somebody has to write which one is meant: `app-…`, `TDA-…`, `…`."""


@dataclass(frozen=True)
class Member:
    """A member that a table may have.

    Args:
        read: how.
        needed: whether the form is incomplete without it.
        called: its name in the request, if it is another one.
    """

    read: Read
    needed: bool = False
    called: str | None = None


Members = Mapping[str, Member]


@dataclass
class Form:
    """A file that is being read.

    Args:
        path: of the file; what it names is looked for beside it.
        problems: sentences, one for each thing that is wrong.
    """

    path: Path
    problems: list[str] = field(default_factory=list)

    def wrong(self, where: str, what: str) -> object:
        """Note a problem."""
        self.problems.append(f"{where} {what}")
        return _UNREADABLE

    def table(self, where: str, held: Mapping[str, Any], members: Members) -> dict[str, Any]:
        """Return a table as the request has it."""
        read: dict[str, Any] = {}
        for name in [each for each in held if each not in members]:
            self.wrong(_place(where, name), f"is not known; known here: {', '.join(members)}.")
        for name, member in members.items():
            if isinstance(held.get(name), str) and _UNFILLED.fullmatch(held[name]):
                self.wrong(_place(where, name), f"still says “{held[name]}”, as the template does: write which one.")
            elif name in held:
                value = member.read(self, _place(where, name), held[name])
                if value is not _UNREADABLE:
                    read[member.called or name] = value
            elif member.needed:
                self.wrong(_place(where, name), "is missing.")
        return read

    def beside(self, name: str) -> Path:
        """Return the path of a file that the form names."""
        return self.path.parent / Path(name).expanduser()


def read_toml(path: Path) -> tuple[Form, dict[str, Any]]:
    """Return a form with its raw tables; InputUnusable if it is no TOML."""
    try:
        # Windows' Notepad writes a byte order mark, which TOML does not know; text in UTF-16 is told as that.
        return Form(path), tomllib.loads(utf8(path.read_bytes()))
    except OSError as error:
        raise InputUnusable(path=path, detail=f"it cannot be read ({error.strerror}).") from None
    except TextUnreadable as error:
        raise InputUnusable(path=path, detail=f"it cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise InputUnusable(path=path, detail=f"it is not TOML ({error}).") from None


def require_sound(form: Form) -> None:
    """Raise InputUnusable, with every problem, if the form has any."""
    if form.problems:
        raise InputUnusable(path=form.path, detail="\n  - ".join(["", *form.problems]).rstrip())


# --- values -------------------------------------------------------------------------------------------------------


def words(form: Form, where: str, value: object) -> object:
    """A text; blank lines around it are dropped."""
    return value.strip("\n") if isinstance(value, str) else form.wrong(where, "must be a text in quotation marks.")


def whole(form: Form, where: str, value: object) -> object:
    """A whole number."""
    good = isinstance(value, int) and not isinstance(value, bool)
    return value if good else form.wrong(where, "must be a whole number.")


def truth(form: Form, where: str, value: object) -> object:
    """True or false."""
    return value if isinstance(value, bool) else form.wrong(where, "must be true or false.")


def day(form: Form, where: str, value: object) -> object:
    """A UTC day, as a date of TOML or as a text."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str) else form.wrong(where, "must be a day: 2027-01-04.")


def moment(form: Form, where: str, value: object) -> object:
    """An instant, as a date-time of TOML or as a text."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return instant_text(value)
    return value if isinstance(value, str) else form.wrong(where, "must be an instant: 2027-06-30T23:59:59Z.")


def list_of(read: Read) -> Read:
    """A list of values that are read alike."""

    def read_all(form: Form, where: str, value: object) -> object:
        if not isinstance(value, list):
            return form.wrong(where, "must be a list.")
        taken = [read(form, f"{where} {place}", each) for place, each in enumerate(value, 1)]
        return _UNREADABLE if any(each is _UNREADABLE for each in taken) else taken

    return read_all


def table_of(members: Members) -> Read:
    """A table."""

    def read(form: Form, where: str, value: object) -> object:
        return form.table(where, value, members) if isinstance(value, dict) else form.wrong(where, "must be a table.")

    return read


def either(first: type, read_first: Read, read_other: Read) -> Read:
    """One of two forms, told apart by the type."""
    return lambda form, where, value: (read_first if isinstance(value, first) else read_other)(form, where, value)


def text_file(form: Form, where: str, value: object) -> object:
    """The contents of a text file that is named."""
    if not isinstance(value, str):
        return form.wrong(where, "must be the name of a file.")
    path = form.beside(value)
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST_TEXT_FILE + 1)
        if len(octets) > LARGEST_TEXT_FILE:
            return form.wrong(where, f"names {path}, which is larger than {LARGEST_TEXT_FILE // 1024} KiB.")
        return utf8(octets)
    except OSError as error:
        return form.wrong(where, f"names {path}, which cannot be read ({error.strerror}).")
    except TextUnreadable as error:
        told = f"names {path}, which is not a text that can be sent ({error})"
        return form.wrong(where, f"{told}; a request in DER becomes PEM by openssl req -in … -inform DER.")


def request_file(form: Form, where: str, value: object) -> object:
    """A certificate request in a file that is named; what is none, a private key above all, is never sent."""
    said = text_file(form, where, value)
    if not isinstance(said, str):
        return said
    try:
        csr.parse(said.encode("utf-8"))
    except RulesRefused as error:
        found = " ".join(f"{each.detail} {each.remedy}" for each in error.findings)
        return form.wrong(where, f"names {value}, which cannot be certified. {found}")
    except TrialCpaError as error:
        return form.wrong(where, f"names {value}, which cannot be sent. {error} {error.hint}")
    return said


def firmware(form: Form, where: str, value: object) -> object:
    """A firmware version: its image, whose SHA-256 is computed, or the SHA-256 itself."""
    if not isinstance(value, dict):
        return form.wrong(where, "must be a table with version and image.")
    if ("image" in value) == ("image_sha256" in value):
        return form.wrong(where, "must have either image, a file, or image_sha256, 64 hexadecimal digits.")
    return form.table(where, value, _FIRMWARE)


def image_digest(form: Form, where: str, value: object) -> object:
    """The SHA-256 of an image file that is named."""
    if not isinstance(value, str):
        return form.wrong(where, "must be the name of a file.")
    try:
        return sha256_of(form.beside(value))
    except OSError as error:
        return form.wrong(where, f"names {form.beside(value)}, which cannot be read ({error.strerror}).")


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file, of whatever size; OSError if it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_FIRMWARE: Members = {
    "version": Member(words, needed=True),
    "image": Member(image_digest, called="image_sha256"),
    "image_sha256": Member(words),
}


def _place(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
