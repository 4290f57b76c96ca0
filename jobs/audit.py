"""audit: the register is read again, a portion at a time and for ever, against what the authority remembers.

Whatever is about to be signed is compared by the job that signs it. What was signed long ago is asked for by nobody;
whoever edits or deletes it is found here. Nothing is mended: an alarm says what is wrong, and people look; what was
decided and not done is done all the same (jobs/undone.py).
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ca.certificates import tbs_sha256
from core.alarms import AlarmCode, first_of
from core.chain import GENESIS, link
from core.facts import FactKind
from core.instants import parse, text
from jobs.duty import Duty, later
from jobs.evidence import payload
from jobs.undone import carry_out_undone
from memory.beliefs import Remembered
from memory.memory import Memory
from store.reading import journal, proof
from store.reading.journal import Sealed
from store.reading.proof import Held

ROWS, CERTIFICATES = 500, 100
"""Rows of the journal, and certificates, in one portion: a few milliseconds. A million rows take about half an hour."""

INTERVAL_SECONDS = 1.0
"""Between two portions."""

_SETTLED = timedelta(minutes=1)
"""What was sealed that long ago has been dealt with; the authority is not behind by more."""

_MOST_TOLD = 3


@dataclass
class Audit:
    """Where the reading stands; after a start it begins anew.

    Args:
        interval: seconds between two portions.
    """

    interval: float = INTERVAL_SECONDS
    _row: int = field(default=0, init=False, repr=False)
    _link: bytes | None = field(default=GENESIS, init=False, repr=False)
    _serial: str = field(default="", init=False, repr=False)
    _last: float | None = field(default=None, init=False, repr=False)

    def audit(self, duty: Duty, at: datetime) -> int:
        """Compare the next portion; return 0: nobody waits for more of it."""
        now = time.monotonic()
        if self._last is not None and now - self._last < self.interval:
            return 0
        self._last = now
        self._audit_journal(duty, at)
        self._audit_certificates(duty, at)
        return 0

    def _audit_journal(self, duty: Duty, at: datetime) -> None:
        head = duty.memory.head.number
        if self._row >= head:
            self._row, self._link = 0, GENESIS
        with duty.read() as tx:
            rows = journal.sealed_after(tx, self._row, min(ROWS, head - self._row))
        changed = self._changed(duty.memory, rows, head)
        if changed is not None:
            duty.notice(
                AlarmCode.JOURNAL_CHANGED,
                f"Row {changed} of the journal is missing, or does not say what it said when it was sealed.",
            )
        hidden = first_of(_unstated(duty.memory, rows, at), _MOST_TOLD)
        if hidden:
            duty.notice(
                AlarmCode.REGISTER_CONTRADICTS,
                f"Sealed facts say what no list and no answer does: {hidden}",
                subject="unstated ends",
            )
        carry_out_undone(duty, rows, at)

    def _changed(self, memory: Memory, rows: Sequence[Sealed], head: int) -> int | None:
        """Go on by some rows; return the number of the first that is missing or changed."""
        known = memory.links({number for each in rows for number in (each.row.number - 1, each.row.number)})
        changed = None
        for each in rows:
            number = each.row.number
            if number != self._row + 1:
                changed = changed or self._row + 1
                self._link = known.get(number - 1)
            # Of rows that another machine sealed only the heads are known: they are linked on to the next.
            computed = None if self._link is None else link(self._link, each.row)
            sealed = known.get(number, computed)
            if computed is not None and (computed != sealed or each.link != sealed):
                changed = changed or number
            self._row, self._link = number, sealed
        if not rows and self._row < head:
            changed, self._row = self._row + 1, head
        return changed

    def _audit_certificates(self, duty: Duty, at: datetime) -> None:
        portion = duty.memory.certificates_after(self._serial, CERTIFICATES)
        self._serial = portion[-1].serial if len(portion) == CERTIFICATES else ""
        with duty.read() as tx:
            held = proof.certificates_held(tx, [each.serial for each in portion])
            claimed = proof.drafts_claimed(tx, [each.serial for each in portion if each.serial not in held])
        found = _wrong(duty.memory, (each for each in portion if each.serial not in claimed), held, at)
        told = first_of(found, _MOST_TOLD)
        if told:
            duty.notice(AlarmCode.REGISTER_CONTRADICTS, told, subject="certificates")


def _wrong(memory: Memory, known: Iterable[Remembered], held: dict[str, Held], at: datetime) -> Iterator[str]:
    for each in known:
        row = held.get(each.serial)
        if row is None:
            yield f"Certificate {each.serial} was signed, and the register has none."
            continue
        if not _is(row.der, each) or (row.not_before, row.not_after) != (each.not_before, each.not_after):
            yield f"The register has other bytes under serial {each.serial} than this authority signed."
        ended, claim = memory.end(each.serial), row.claim
        if ended is not None and ended.at <= at and claim.end != ended:
            yield f"Certificate {each.serial} ended at {text(ended.at)}, and the register says otherwise."
        by_act = claim.end.at <= each.not_after and later(claim.end.at, _SETTLED) <= at
        if ended is None and by_act and (row.listed or row.ends_at != claim.end.at):
            yield f"The register says that certificate {each.serial} ended, and hides it from the authority."


def _is(der: bytes, known: Remembered) -> bool:
    try:
        return tbs_sha256(der) == known.tbs_sha256
    except ValueError:
        return False


def _unstated(memory: Memory, rows: Sequence[Sealed], at: datetime) -> Iterator[str]:
    """Yield the revocations that were sealed and are remembered by nobody: their rows were changed at once."""
    for each in rows:
        if each.row.kind != FactKind.CERTIFICATE_REVOKED or later(parse(each.row.sealed_at), _SETTLED) > at:
            continue
        serial = str(payload(each).get("serial"))
        if memory.certificate(serial) is not None and memory.end(serial) is None:
            yield f"Certificate {serial} was revoked at {each.row.at}."
