"""saying: words that the committee keeps to itself, bounded, and their digest for the journal."""

import secrets
from collections.abc import Sized

from core.canonical import salted_digest
from core.classification import SALT_OCTETS
from core.errors import BodyMalformed, BoundReached
from core.limits import NAME_LIMIT
from core.plain_text import trimmed
from core.words import required

LONGEST = 4_000
"""Characters of a comment, an interest or a minute; chosen: a page. What is longer is a document, and is attached."""


def said(words: str, *, of: str, longest: int = LONGEST) -> str:
    """Return words that an act cannot do without.

    Args:
        words: what was given.
        of: what they are, as people call them.
        longest: how many characters they may have.

    Raises:
        NothingSaid: there is nothing in them.
        BodyMalformed: they are longer than that.
    """
    return required(no_longer(words.strip(), of=of, longest=longest), of=of)


def name_of(words: str, *, of: str) -> str:
    """Return a name on one line, with single blanks within and none around it: two that look alike are one.

    Args:
        words: what was given.
        of: what it is of, as people call it.

    Raises:
        NothingSaid, BodyMalformed: as `said`.
    """
    return said(" ".join(trimmed(words).split()), of=of, longest=NAME_LIMIT)


def no_longer(words: str, *, of: str, longest: int = LONGEST) -> str:
    """Return words that may be empty; BodyMalformed if they are longer than they may be."""
    if len(words) > longest:
        raise BodyMalformed(detail=f"{of} has {len(words):,} characters, and {longest:,} are the most")
    return words


def salted(words: str) -> tuple[bytes, str]:
    """Return a salt, and the digest of some words under it: the fact has the digest, the register the rest."""
    salt = secrets.token_bytes(SALT_OCTETS)
    return salt, salted_digest(words, salt)


def require_room(present: Sized | int, more: int, most: int, *, what: str) -> None:
    """Raise BoundReached unless there is room for so many more of something, which is read whole."""
    count = present if isinstance(present, int) else len(present)
    if count + more > most:
        remedy = "Begin another meeting, or say it in a document that is attached"
        raise BoundReached(what=what, limit=most, present=count, remedy=remedy)
