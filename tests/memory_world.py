"""A memory on disk with nothing beside it: records as an authority writes them, one thing changed in each."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.approval import RevocationReason
from core.identifiers import Serial
from core.kinds import HierarchyRole
from memory.memory import Memory
from memory.records import At, Begun, Ended, Hierarchy, Listed, WillSign

NOW = datetime(2027, 1, 3, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CA = "40" * 8
OTHER_CA = "41" * 8
BEGUN = Begun(
    environment="test",
    name="TEST Trial CPA",
    arc="1.2.3",
    base_url="http://127.0.0.1:8470",
    organisation="Smart Energy Code",
    keys={"journal.key": "ab" * 32},
    officers={"grant": 2},
)


@dataclass(frozen=True)
class Key:
    """Seals as the authority's key does.

    Args:
        secret: of this key.
    """

    secret: bytes = b"the key of this authority"

    def seal(self, octets: bytes) -> bytes:
        return hmac.new(self.secret, octets, hashlib.sha256).digest()


@dataclass
class Clocks:
    """Clocks that stand until a test moves them."""

    at: datetime = NOW
    boot_id: str = "boot-1"
    boot: int = 1_000

    def __call__(self) -> At:
        return At(wall=self.at, boot=self.boot, boot_id=self.boot_id)


@dataclass
class Remembering:
    """A folder with a memory in it, and its issuing CA."""

    folder: Path
    clocks: Clocks = field(default_factory=Clocks)
    begun: Begun = BEGUN
    key: Key = field(default_factory=Key)

    def __post_init__(self) -> None:
        self.memory = Memory.begin(self.folder, self.key, self.begun, self.clocks)
        self.tell(ca())

    def tell(self, *records: Any, links: tuple[tuple[int, bytes], ...] = ()) -> int:
        return self.memory.remember(records, now=self.clocks.at, links=links)

    def again(self) -> Memory:
        """Opened anew, as the next process does."""
        return Memory.open(self.folder, self.key, self.clocks)


def serial(number: int) -> Serial:
    return Serial(f"{number:032x}")


def ca(**changes: Any) -> Hierarchy:
    said = {
        "role": HierarchyRole.ISSUING,
        "serial": serial(0xCA),
        "key_id": CA,
        "key_sha256": "ca" * 32,
        "not_before": NOW - DAY,
        "not_after": NOW + 700 * DAY,
        "tbs": b"issuing",
    }
    return Hierarchy(**{**said, **changes})


def will_sign(number: int = 1, **changes: Any) -> WillSign:
    """The first issue of approval `number`, for a device and a key of its own."""
    said = {
        "serial": serial(number),
        "approval": f"TDT-2027-{number:05}",
        "issue": 1,
        "device": f"device-{number}",
        "key_sha256": f"{number:064x}",
        "not_before": NOW,
        "not_after": NOW + 90 * DAY,
        "issuer": CA,
        "tbs": f"certificate {number}".encode(),
        "decision": f"decision-{number}",
        "proposal_sha256": "de" * 32,
    }
    return WillSign(**{**said, **changes})


def ended(number: int = 1, **changes: Any) -> Ended:
    said = {"serial": serial(number), "at": NOW, "reason": RevocationReason.PRIVILEGE_WITHDRAWN}
    return Ended(**{**said, **changes})


def listed(number: int = 100, **changes: Any) -> Listed:
    said = {
        "key_id": CA,
        "number": number,
        "this_update": NOW,
        "next_update": NOW + 2 * DAY,
        "count": 0,
        "tbs_sha256": f"{number:064x}",
    }
    return Listed(**{**said, **changes})
