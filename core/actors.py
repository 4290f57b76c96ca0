"""Who acts: roles, the actor that every act is journalled under, and the parties that actors act for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from core.classification import Recipient


class Role(StrEnum):
    """The roles of the public contract."""

    SSC_OFFICER = "ssc-officer"
    SSC_ADMIN = "ssc-admin"
    MANUFACTURER = "manufacturer"
    DCC = "dcc"
    PANEL = "panel"
    AUDITOR = "auditor"
    MONITOR = "monitor"
    """A machine that watches the service: counts, and no name."""


@dataclass(frozen=True)
class Actor:
    """Somebody with a credential, or a process of ours.

    Args:
        name: the person or system, as the journal shows it; two acts by one person carry one name.
        role: what it may do; None for our own processes, which hold no credential.
        organisation: the identifier of the organisation it acts for, if any.
        credential: the identifier of the credential it showed, if any.
    """

    name: str
    role: Role | None = None
    organisation: str | None = None
    credential: str | None = None


class PartyKind(StrEnum):
    """Whose list it is."""

    SSC = "ssc"
    MANUFACTURER = "manufacturer"
    DCC = "dcc"
    PANEL = "panel"


@dataclass(frozen=True)
class Party:
    """One of those the Code names.

    Args:
        kind: which.
        organisation: a Manufacturer's identifier; None for the others, of which there is one each.
    """

    kind: PartyKind
    organisation: str | None = None

    @property
    def key(self) -> str:
        """How it is named in keys: `ssc`, `manufacturer org-…`."""
        return self.kind.value if self.organisation is None else f"{self.kind.value} {self.organisation}"

    @property
    def recipient(self) -> Recipient | None:
        """As whom the Code has it notified; None for the SSC, whose decisions the notices are."""
        match self.kind:
            case PartyKind.SSC:
                return None
            case PartyKind.MANUFACTURER:
                return Recipient.MANUFACTURER
            case PartyKind.DCC:
                return Recipient.DCC
            case PartyKind.PANEL:
                return Recipient.PANEL
            case _:
                assert_never(self.kind)


AUTHORITY = Actor("authority")
COURIER = Actor("courier")
CONSOLE = Actor("console")
"""The operator at the machine's own command line."""

_OUR_NAMES = frozenset({AUTHORITY.name, COURIER.name, CONSOLE.name})


def is_ours(name: str) -> bool:
    """Return whether a name is, or could be taken for, that of a process of ours: no person has one.

    For a reader of the journal `Console` and `authority.` are ours: case, blanks and punctuation tell no two apart.
    """
    return "".join(each for each in name.casefold() if each.isalnum()) in _OUR_NAMES
