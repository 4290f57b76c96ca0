"""The authority's own memory of how far the journal was sealed, kept beside its keys and not in the store.

A backup that is put back forgets approvals, revocations and numbers. The register cannot notice that itself; this file
can. Signing on top of a register that went back would use identifiers again and let cancelled certificates look valid.
"""

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.actors import CONSOLE
from core.boundaries import boundary
from core.canonical import Json
from core.errors import StoreWentBack, WrongState
from core.facts import Fact, FactKind
from store.reading import journal
from store.transactions import Store, Transaction
from store.verbs import decisions, facts, notices

FILE_NAME = "watermark.json"

NUMBERS_SKIPPED = 1_000
"""Approval numbers left out after a restore: far more than are reserved between two backups."""


def accept_restore(store: Store, watermark: "Watermark", at: datetime) -> int:
    """Accept a register that went back: numbers are skipped, the journal says so, and the authority may work again.

    What was issued after the backup is unknown to the register from now on: OCSP says unauthorized, never good. CRL
    numbers need no care: they are never below the clock.

    Returns:
        The journal row at which the register now ends, before the fact of the restore.

    Raises:
        WrongState: the register is not behind; there is nothing to accept.
    """
    with store.begin("accept restore") as tx:
        known = watermark.read()
        try:
            watermark.require_not_behind(tx)
        except StoreWentBack:
            pass
        else:
            raise WrongState(kind="The", identifier="register", state="whole", needed="behind what was sealed")
        number, link, _ = journal.last_sealed(tx)
        decisions.skip_numbers(tx, NUMBERS_SKIPPED)
        notices.skip_numbers(tx, NUMBERS_SKIPPED)
        accepted: dict[str, Json] = {"sealed_before": known[0] if known else None, "restored_to": number}
        facts.record(
            tx, Fact(kind=FactKind.RESTORE_ACCEPTED, at=at, actor=CONSOLE, subject=None, approvals=(), payload=accepted)
        )
    # If we die here, accepting again skips as many numbers again, which costs nothing.
    watermark.write(number, link)
    return number


@dataclass(frozen=True)
class Watermark:
    """Where it is kept.

    Args:
        path: of the file, in the folder that only the authority process reads.
    """

    path: Path

    def read(self) -> tuple[int, str] | None:
        """Return (number, link in hex) of the last row known to be sealed; None before the first."""
        try:
            said = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return int(said["number"]), str(said["link"])

    def write(self, number: int, link: bytes) -> None:
        """Keep a newer one, whole or not at all. If we die before the rename, the older one stays true."""
        partial = self.path.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"number": number, "link": link.hex()}, file)
            file.flush()
            os.fsync(descriptor)
        with boundary("rename watermark"):
            partial.rename(self.path)

    def require_not_behind(self, tx: Transaction) -> None:
        """Raise StoreWentBack unless the register still holds the row that was last seen sealed."""
        known = self.read()
        if known is None:
            return
        number, link = known
        if number == 0:
            return  # a restore to before the first sealed row was accepted
        held = journal.sealed_after(tx, number - 1, 1)
        if not held or held[0].row.number != number or held[0].link.hex() != link:
            found, _, _ = journal.last_sealed(tx)
            raise StoreWentBack(found=found, sealed=number)
