"""Classified passages: who gets which words of a decision (F2.22, F2.24, F2.29, F2.30).

The four classes are those of the Code's Panel Information Policy. What a recipient does not get is absent from its
documents; the register keeps it, and the journal holds its salted digest only.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from core.canonical import Json, salted_digest

SALT_OCTETS = 16
"""NIST SP 800-132 (5.1) asks for at least 16."""


class Classification(StrEnum):
    """White is public, Green for the parties of the Code, Amber for the recipients named, Red stays with the SSC."""

    WHITE = "white"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Recipient(StrEnum):
    """Whom the Code has notified (F2.21, F2.24, F2.29, F2.30)."""

    MANUFACTURER = "manufacturer"
    DCC = "dcc"
    PANEL = "panel"


def in_words(recipient: Recipient) -> str:
    """Return what a recipient is called in a sentence."""
    match recipient:
        case Recipient.MANUFACTURER:
            return "the Manufacturer"
        case Recipient.DCC:
            return "the DCC"
        case Recipient.PANEL:
            return "the Panel"
        case _:
            assert_never(recipient)


_ORDER = tuple(Classification)
_EVERYBODY = tuple(Recipient)


def default_recipients(classification: Classification) -> tuple[Recipient, ...]:
    """Return who gets a passage unless the officers name others: nobody gets what is Red."""
    return () if classification is Classification.RED else _EVERYBODY


def highest(classes: Sequence[Classification]) -> Classification:
    """Return the class of a document that holds passages of these classes; White if it holds none."""
    return max(classes, key=_ORDER.index, default=Classification.WHITE)


@dataclass(frozen=True)
class Passage:
    """Some words of a decision, with who may read them.

    Args:
        subject: what they are about: `reasons`, `assessment`, `description`, `condition 3`.
        text: the words.
        classification: their class.
        recipients: who gets them; nobody else outside the SSC ever does.
        salt: random, for their digest.
    """

    subject: str
    text: str
    classification: Classification
    recipients: tuple[Recipient, ...]
    salt: bytes

    @classmethod
    def of(
        cls,
        subject: str,
        text: str,
        classification: Classification = Classification.AMBER,
        recipients: Sequence[Recipient] | None = None,
    ) -> "Passage":
        """Return a passage under a fresh salt; recipients None means those that its class has by default."""
        chosen = default_recipients(classification) if recipients is None else recipients
        ordered = tuple(each for each in Recipient if each in chosen)
        return cls(subject, text, classification, ordered, secrets.token_bytes(SALT_OCTETS))

    @property
    def digest(self) -> str:
        """The salted digest that stands for the words in proposals and in the journal."""
        return salted_digest(self.text, self.salt)

    def outline(self) -> dict[str, Json]:
        """Return what a proposal says of the passage: everything but its words."""
        return {
            "subject": self.subject,
            "classification": self.classification.value,
            "recipients": [each.value for each in self.recipients],
            "salted_sha256": self.digest,
        }

    def kept(self) -> dict[str, Json]:
        """Return the passage as the register keeps it, words and salt included."""
        return {
            "subject": self.subject,
            "text": self.text,
            "classification": self.classification.value,
            "recipients": [each.value for each in self.recipients],
            "salt": self.salt.hex(),
        }


def passage_of(kept: "dict[str, Json]") -> Passage:
    """Return a passage from `kept`."""
    recipients = kept["recipients"]
    if not isinstance(recipients, list | tuple):
        raise TypeError("recipients are a list")
    return Passage(
        subject=str(kept["subject"]),
        text=str(kept["text"]),
        classification=Classification(str(kept["classification"])),
        recipients=tuple(Recipient(str(each)) for each in recipients),
        salt=bytes.fromhex(str(kept["salt"])),
    )
