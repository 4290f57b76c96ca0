"""What goes over the socket between whoever asks and the renderer: octets of fixed forms, read by both sides alike.

A question is a head and the document. An answer is a head and a body: of an outline the number of pages and, of a few
of them, size and text; of a picture a PNG; of the question who is there, words. Neither side believes the other.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from renderer.limits import (
    HIGHEST,
    LARGEST_DOCUMENT,
    LARGEST_PICTURE,
    LONGEST_TEXT,
    MOST_PAGES,
    PAGES_AT_ONCE,
    WIDEST,
)

FILTER, NETWORK, USER = "system calls", "network", "rights of the administrator"
"""What the process that draws may have given up, in words that `trialcpa check` shows."""

_MAGIC = b"TPR1"
_QUESTION = struct.Struct("!4sBHI")
_ANSWER = struct.Struct("!4sBI")
_PAGES = struct.Struct("!I")
_LEAF = struct.Struct("!HHI")
_LONGEST_OUTLINE = _PAGES.size + PAGES_AT_ONCE * (_LEAF.size + 4 * LONGEST_TEXT)
_MOST_WORDS = 1_000


class Asks(IntEnum):
    """What is asked."""

    CONFINED = 0
    OUTLINE = 1
    PICTURE = 2


class Outcome(IntEnum):
    """What became of it."""

    DONE = 0
    PROTECTED = 1
    UNREADABLE = 2
    NO_PAGE = 3


class WireBroken(Exception):
    """What came is not of these forms, or not all of it came."""


@dataclass(frozen=True)
class Question:
    """What is asked of a document.

    Args:
        asks: what.
        page: which page, or the first of some; from 1.
        octets: the document.
    """

    asks: Asks
    page: int
    octets: bytes


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A page of a document.

    Args:
        number: from 1.
        width: of its picture, in pixels; 0 where the page cannot be read.
        height: the same.
        text: that it carries as text, which is all of it or nothing, as its maker had it.
    """

    number: int
    width: int
    height: int
    text: str


@dataclass(frozen=True)
class Outline:
    """A document in short.

    Args:
        pages: how many it says that it has.
        leaves: those that were asked for.
    """

    pages: int
    leaves: Sequence[Leaf]


Reads = Callable[[int], bytes]
"""Returns exactly so many octets, or raises."""


def question(asked: Question) -> bytes:
    """Return a question as octets."""
    return _QUESTION.pack(_MAGIC, asked.asks, asked.page, len(asked.octets)) + asked.octets


def read_question(read: Reads) -> Question:
    """Return the question that comes; WireBroken where none does."""
    magic, asks, page, length = _QUESTION.unpack(read(_QUESTION.size))
    if magic != _MAGIC or asks not in list(Asks) or not 1 <= page <= MOST_PAGES or length > LARGEST_DOCUMENT:
        raise WireBroken("it is no question")
    return Question(Asks(asks), page, read(length))


def answer(outcome: Outcome, body: bytes = b"") -> bytes:
    """Return an answer as octets."""
    return _ANSWER.pack(_MAGIC, outcome, len(body)) + body


def read_answer(read: Reads, asks: Asks) -> tuple[Outcome, bytes]:
    """Return what became of a question, and the body of the answer; WireBroken where that is none."""
    magic, outcome, length = _ANSWER.unpack(read(_ANSWER.size))
    longest = {Asks.CONFINED: _MOST_WORDS, Asks.OUTLINE: _LONGEST_OUTLINE, Asks.PICTURE: LARGEST_PICTURE}[asks]
    if magic != _MAGIC or outcome not in list(Outcome) or length > longest:
        raise WireBroken("it is no answer")
    return Outcome(outcome), read(length)


def outline(found: Outline) -> bytes:
    """Return an outline as octets."""
    parts = [_PAGES.pack(min(found.pages, 2**32 - 1))]
    for each in found.leaves:
        text = each.text[:LONGEST_TEXT].encode("utf-8", "replace")
        parts += [_LEAF.pack(each.width, each.height, len(text)), text]
    return b"".join(parts)


def read_outline(body: bytes, first: int) -> Outline:
    """Return the outline that octets say.

    Args:
        body: of the answer.
        first: the page that was asked for.

    Raises:
        WireBroken: they say none, or sizes that no picture has here.
    """
    try:
        (pages,) = _PAGES.unpack_from(body)
        place, leaves = _PAGES.size, list[Leaf]()
        while place < len(body):
            width, height, length = _LEAF.unpack_from(body, place)
            place += _LEAF.size
            text = body[place : place + length].decode()
            if len(body) < place + length or width > WIDEST or height > HIGHEST or len(text) > LONGEST_TEXT:
                raise WireBroken("it is no page")
            place += length
            leaves.append(Leaf(number=first + len(leaves), width=width, height=height, text=text))
    except (struct.error, UnicodeDecodeError) as error:
        raise WireBroken("it is no outline") from error
    if len(leaves) > PAGES_AT_ONCE or (leaves and leaves[-1].number > pages):
        raise WireBroken("it has more pages than it says")
    return Outline(pages, tuple(leaves))
