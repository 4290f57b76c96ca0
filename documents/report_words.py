"""What the PDF and the workbook of a monthly report have in common: the items of F2.28 in words, and who is nearest to
its limit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from core import instants
from core.canonical import Json

Members = Mapping[str, Json]


@dataclass(frozen=True)
class Figure:
    """One of the items (a) to (f): a number, and what belongs beside it.

    Args:
        letter: of F2.28.
        words: the item in short, in the Code's words.
        number: what the item asks for, in aggregate.
        beside: further numbers, each with its words for one and for any other number.
    """

    letter: str
    words: str
    number: int
    beside: tuple[tuple[str, str, int], ...]


def figures(items: Members) -> tuple[Figure, ...]:
    """Return the items (a) to (f) of a report, in order."""
    return (
        _listed("a", "Trial Devices on the Central Products List", items),
        _listed("b", "added to the list since the previous report", items),
        _listed("c", "removed from the list since the previous report", items),
        _deployed(items),
        _counted("e", "deployed since the previous report", "deployed", items),
        _counted("f", "decommissioned since the previous report", "decommissioned", items),
    )


_WAITING = "instructed, not acknowledged"
_LATE = "in earlier periods, told late"


def _listed(letter: str, words: str, items: Members) -> Figure:
    item = _item(items, letter)
    waiting = members(item["instructed_not_acknowledged"])
    beside = (
        ("entry", "entries", number(item["entries"])),
        (f"model {_WAITING}", f"models {_WAITING}", number(waiting["models"])),
        (f"entry {_WAITING}", f"entries {_WAITING}", number(waiting["entries"])),
    )
    return Figure(letter=letter, words=words, number=number(item["models"]), beside=beside)


def _deployed(items: Members) -> Figure:
    item = _item(items, "d")
    beside = (("in_force", "under approvals in force"), ("after_end", "still deployed after the end of theirs (F2.31)"))
    # A report that was issued before they were told apart does not have them.
    told = tuple((words, words, number(item[name])) for name, words in beside if item.get(name) is not None)
    return Figure(letter="d", words="Trial Devices deployed", number=number(item["deployed"]), beside=told)


def _counted(letter: str, words: str, what: str, items: Members) -> Figure:
    item = _item(items, letter)
    return Figure(
        letter=letter,
        words=words,
        number=number(item[what]),
        beside=((_LATE, _LATE, number(item["of_earlier_periods"])),),
    )


def _item(items: Members, letter: str) -> Members:
    return members(items[letter])


def nearest_to_limit(approvals: Sequence[Members], most: int) -> list[Members]:
    """Return the approvals with the highest share of their limit deployed, at most `most`, the fullest first."""
    return sorted(approvals, key=lambda each: (-share(each), str(each["approval"])))[:most]


def share(approval: Members) -> int:
    """Return how many thousandths of an approval's limit are deployed (F2.21(d)); a limit of none is full at once."""
    limit, deployed = number(approval["limit"]), number(approval["deployed"])
    return deployed * 1000 // limit if limit > 0 else 1000 + deployed


def month_of(report: Json) -> str:
    """Return `May 2027` for `2027-05`."""
    return f"{date.fromisoformat(f'{report}-01'):%B %Y}"


def covered(document: Members) -> str:
    """Return which months a report covers, in words: `April 2027 and May 2027, which was not over`."""
    # One that was issued before reports said it covers its own month.
    months = [month_of(each) for each in cast("Sequence[Json]", document.get("covers") or [document["report"]])]
    named = f"{', '.join(months[:-1])} and {months[-1]}" if months[1:] else months[0]
    return f"{named}, which was not over" if document.get("early") else named


def day_of(value: Json) -> date:
    """Return the UTC day of a date or an instant."""
    text = str(value)
    return instants.parse(text).date() if "T" in text.upper() else instants.day(text, field="expiry")


def day_words(value: Json) -> str:
    """Return `30 June 2027`."""
    day = day_of(value)
    return f"{day.day} {day:%B} {day.year}"


def members(value: Json) -> Members:
    """Return a member of a report that is an object."""
    return cast("Members", value)


def objects(value: Json) -> Sequence[Members]:
    """Return a member of a report that is a list of objects."""
    return cast("Sequence[Members]", value)


def questions(further: Members) -> Sequence[Members]:
    """Return what the Sub-Committee asked of a report; one of an earlier release was asked nothing."""
    return objects(further.get("questions") or [])


def number(value: Json) -> int:
    """Return a member of a report that is a count; TypeError if it is none."""
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no count")
    return value
