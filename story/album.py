"""The folder that the story leaves behind: every object and every exchange, numbered in the order they came."""

import base64
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from core.canonical import read_json
from verify.client import Exchange

Page = Sequence[Mapping[str, object]]
"""Exchanges over HTTP, as they are written."""


class Content(StrEnum):
    """What a file holds, for the linters; the first three are DER, one object each."""

    CERTIFICATE = "certificate"
    CRL = "crl"
    OCSP = "ocsp"
    OTHER = "other"


@dataclass(frozen=True)
class Kept:
    """A file of the album.

    Args:
        path: where it lies.
        content: what it holds.
    """

    path: Path
    content: Content


class Album:
    """A fresh folder; the one of the former run becomes `NAME.previous`, an older one is gone.

    Args:
        folder: of the album.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists():
            previous = folder.with_name(f"{folder.name}.previous")
            shutil.rmtree(previous, ignore_errors=True)
            folder.rename(previous)
        folder.mkdir(mode=0o700, parents=True)
        self.folder = folder
        self.kept: list[Kept] = []
        self.moments: dict[str, datetime] = {}  # by name: when its files are to be looked at
        self._noted: list[Mapping[str, object]] = []

    def keep(self, name: str, data: bytes, content: Content = Content.OTHER) -> Path:
        """Write an object as the next number; return its path."""
        path = self.folder / f"{len(self.kept) + 1:02d}-{name}"
        path.write_bytes(data)
        self.kept.append(Kept(path, content))
        return path

    def path_for(self, name: str, content: Content = Content.OTHER) -> Path:
        """Take the next number for a file that another program is about to write."""
        return self.keep(name, b"", content)

    def note(self, who: str, exchange: Exchange) -> None:
        """Remember an exchange for the next page. Credentials are not part of one."""
        self._noted.append(
            {
                "who": who,
                "request": {
                    "method": exchange.method,
                    "path": exchange.path,
                    "authorization": "Bearer ********",
                    "body": _readable(exchange.request),
                },
                "reply": {
                    "status": exchange.status,
                    "content_type": exchange.content_type,
                    "body": _readable(exchange.body),
                },
            }
        )

    @property
    def noted(self) -> int:
        """How many exchanges are noted and not yet taken."""
        return len(self._noted)

    def rewind(self, noted: int) -> None:
        """Drop what was noted after the first `noted`: it was only waiting."""
        del self._noted[noted:]

    def take(self) -> Page:
        """Return what was noted since it was last taken, and begin anew."""
        noted, self._noted = self._noted, []
        return tuple(noted)

    def page(self, name: str, noted: Page | None = None) -> Path:
        """Write exchanges as one JSON file, by default those not yet taken; return its path."""
        written = self.take() if noted is None else noted
        return self.keep(f"{name}.json", (json.dumps(written, indent=2, ensure_ascii=False) + "\n").encode())

    def readme(self, text: str) -> None:
        """Write README.txt, which has no number."""
        (self.folder / "README.txt").write_text(text, encoding="utf-8")


def _readable(body: bytes) -> object:
    """JSON as JSON, text as text, anything else in base64."""
    if not body:
        return None
    try:
        words = body.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}
    try:
        return read_json(words)
    except ValueError:
        return words
