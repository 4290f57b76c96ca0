"""Who acts: roles, and the actor that every act is journalled under."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles of the public contract."""

    SSC_OFFICER = "ssc-officer"
    SSC_ADMIN = "ssc-admin"
    MANUFACTURER = "manufacturer"
    DCC = "dcc"
    PANEL = "panel"
    AUDITOR = "auditor"


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


AUTHORITY = Actor("authority")
COURIER = Actor("courier")
CONSOLE = Actor("console")
"""The operator at the machine's own command line."""
