"""An auditor's page: the sealed journal with search, what proves it and the key to pin."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import date

from flask import Flask, render_template, request

from console.guard import actor
from console.service import Console
from console.shown import remedy, sentence
from core.days import read_day
from core.errors import TrialCpaError
from core.facts import FactKind
from core.instants import first_second, last_second
from core.limits import NAME_LIMIT
from core.plain_text import trimmed
from ra.auditing.journal import journal, searched

ROWS = 50


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What is looked for, as it was typed.

    Args:
        said: an identifier, a kind or a name.
        first, last: days of a time, both included; empty where it has no such end.
    """

    said: str
    first: str
    last: str

    @property
    def anything(self) -> bool:
        """Whether anything is looked for at all."""
        return bool(self.said or self.first or self.last)

    @property
    def about(self) -> str:
        """What is looked for as the journal has it: a kind may be written as the page shows it, “Approval granted”."""
        kind = self.said.casefold().replace(" ", "-")
        return kind if kind in set(FactKind) else self.said


def add_auditing(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    @app.get("/console/journal")
    def journal_page() -> str | tuple[str, int]:
        """Show the sealed journal, or what it has about a thing, a kind or a person, in a time."""
        after = request.args.get("after", "")
        behind = int(after) if after.isdecimal() and len(after) <= 18 else 0
        asked = Searched(said=_typed("q", 200), first=_typed("from", NAME_LIMIT), last=_typed("to", NAME_LIMIT))
        wrong = ""
        try:
            first, last = _day(asked.first, "From"), _day(asked.last, "To")
        except TrialCpaError as error:
            wrong, first, last = f"{sentence(error)} {remedy(error)}", None, None
        if asked.anything and not wrong:
            found = searched(
                desk,
                actor(),
                asked.about,
                since=None if first is None else first_second(first),
                until=None if last is None else last_second(last),
                after=behind,
                limit=ROWS,
            )
        else:
            found = journal(desk, actor(), after=behind, limit=ROWS)
        key = bytes.fromhex(found.public_key)
        pin, for_kit = hashlib.sha256(key).hexdigest(), base64.b64encode(key).decode()
        page = render_template("journal.html", page=found, asked=asked, wrong=wrong, pin=pin, for_kit=for_kit)
        return (page, 422) if wrong else page


def _typed(name: str, most: int) -> str:
    return trimmed(request.args.get(name, ""))[:most]


def _day(said: str, field: str) -> date | None:
    return read_day(said, field=field) if said else None
