"""The letter around a notice: what somebody reads in a mail program, with the notice itself attached.

The words of the decision are in the attachments only: subjects and first lines are shown on locked screens and kept
by relays.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from textwrap import fill
from typing import cast

from core.canonical import Json
from core.classification import Recipient, in_words
from core.instants import parse
from core.kinds import Waiting
from core.local_time import uk, utc
from jobs.mail import Attachment

_WIDTH = 76
"""Characters of a line: RFC 5322 (2.1.1) recommends at most 78."""

# An identifier is copied out of a mail: it has hyphens, and is never broken at one.
_filled = partial(fill, width=_WIDTH, break_long_words=False, break_on_hyphens=False)


@dataclass(frozen=True)
class Letter:
    """A message that carries a notice."""

    subject: str
    body: str
    attachments: tuple[Attachment, ...]


def letter(document: Mapping[str, Json], written: str, pdf: bytes) -> Letter:
    """Return the message that carries one copy of a notice.

    Args:
        document: the copy.
        written: its canonical JSON, whose SHA-256 is in the journal.
        pdf: the same, typeset.
    """
    number = str(document["notice"])
    attachments = [
        Attachment(f"{number}.pdf", "application/pdf", pdf),
        Attachment(f"{number}.json", "application/json", written.encode()),
    ]
    waiting = cast("Sequence[Mapping[str, Json]]", document.get("waiting", ()))
    for certificate in (document["certificate"], *(each["certificate"] for each in waiting)):
        if isinstance(certificate, Mapping):
            pem = str(certificate["pem"]).encode()
            # What takes effect first is called what the one alone was called.
            later = "" if certificate is document["certificate"] else f"-{certificate['issue']}"
            attachments.append(Attachment(f"certificate{later}.pem", "application/pem-certificate-chain", pem))
    subject = f"{_test(document)}{number}: {document['title']}{_about(document)}"
    return Letter(subject, "\n".join(_lines(document, attachments)) + "\n", tuple(attachments))


def _lines(document: Mapping[str, Json], attachments: Sequence[Attachment]) -> Iterator[str]:
    if document["environment"] != "live":
        yield _filled("TEST: this notice comes from a test authority; nothing in it holds outside the test.")
        yield ""
    yield _filled(f"{document['title']} ({document['clause']})")
    yield ""
    yield f"Notice {document['notice']} of {document['authority']},"
    copy_for = in_words(Recipient(str(document["recipient"])))
    yield f"copy for {copy_for}, classified {str(document['classification']).capitalize()}."
    yield ""
    yield from _table(document)
    yield ""
    withheld = document["withheld"]
    if isinstance(withheld, int) and withheld:
        words = "One passage is" if withheld == 1 else f"{withheld} passages are"
        yield f"{words} withheld from this copy (F2.22)."
        yield ""
    for change in cast("Sequence[Mapping[str, Json]]", document.get("waiting", ())):
        became = "still takes effect" if change["outcome"] == Waiting.CARRY else "is withdrawn"
        yield _filled(f"What was decided for {_when(parse(str(change['effective'])))} {became}.")
        yield ""
    yield _filled("The reasons, and any conditions, are in the notice itself. Attached:")
    yield from (f"  {each.name}" for each in attachments)
    if document["status_page"]:
        yield ""
        yield "How the approval stands now:"
        yield f"  {document['status_page']}"
    yield ""
    yield _filled("This message was sent by a machine that reads no answers.")


def _table(document: Mapping[str, Json]) -> Iterator[str]:
    rows: list[tuple[str, str]] = []
    if document["approval"]:
        rows.append(("Approval", str(document["approval"])))
    if document["application"]:
        rows.append(("Application", str(document["application"])))
    rows.append(("Manufacturer", _one_line(document["manufacturer"])))
    if document["effective"]:
        rows.append(("In effect from", _when(parse(str(document["effective"])))))
    for fact in cast("Sequence[Mapping[str, Json]]", document["facts"]):
        said = _when(parse(str(fact["instant"]))) if "instant" in fact else _one_line(fact["value"])
        rows.append((str(fact["label"]), said))
    versions = cast("Sequence[Mapping[str, Json]]", document["firmware"])
    rows += [("Firmware", _one_line(each["version"])) for each in versions]
    column = max(len(label) for label, _ in rows) + 2
    for label, said in rows:
        yield _filled(said, initial_indent=label.ljust(column), subsequent_indent=" " * column)


def _when(at: datetime) -> str:
    return f"{utc(at)} ({uk(at)})"


def _one_line(value: Json) -> str:
    return " ".join(str(value).split())


def _about(document: Mapping[str, Json]) -> str:
    about = document["approval"] or document["application"]
    return f" ({about})" if about else ""


def _test(document: Mapping[str, Json]) -> str:
    return "" if document["environment"] == "live" else "[TEST] "
