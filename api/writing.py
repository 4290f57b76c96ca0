"""/readyz?for=writing: fit to record what people send and to bring it to everybody, as checks. No check acts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args

from api.readiness import BACKLOG_OLD, Check, unknown
from api.status.snapshot import Snapshot
from core.alarms import AlarmCode
from core.errors import StoreFull, StoreReadOnly, StoreUnavailable
from core.instants import text
from core.kinds import HierarchyRole
from core.mirror import HashName
from core.status import certificate_end
from store.reading.watching import UNDELIVERED, Backlog

COURIER_SILENT = timedelta(seconds=60)
"""The courier leaves a sign of life every ten seconds; a restart, or a lock that it waits for, takes some of these."""

WRITE_SLOW_SECONDS = 5.0
"""How long a small write may take before people, who wait behind it, are told to come again."""

MEGABYTE = 1_000_000

DISK_FULL = 100 * MEGABYTE
"""Octets left below which nothing is taken in any more: a day's lists, answers and logs still have room."""

DISK_NEARLY_FULL = 1_000 * MEGABYTE
"""Octets left below which somebody should look: what is collected at once may need as much (front/limits.py)."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What came of the last small write.

    Args:
        tried: whether one has ended yet.
        error: why it failed; None if it did not.
        waiting: seconds since one began that has not ended; zero if none is under way.
    """

    tried: bool
    error: StoreUnavailable | None
    waiting: float


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known for the checks.

    Args:
        left: what the register says is left to do; None if it does not answer.
        view: what the status plane holds; None if it holds nothing yet.
        now: the authority's instant.
        written: what came of the last small write.
        disks: octets that are left, by what lies there; None if a disk does not say.
        answers: how many OCSP answers are not in force; None before they were counted.
    """

    left: Backlog | None
    view: Snapshot | None
    now: datetime
    written: Written
    disks: Mapping[str, int | None] = field(default_factory=dict)
    answers: int | None = None


def writing_checks(known: Known) -> tuple[Check, ...]:
    """Return what makes the service fit, or unfit, to be written to, beside what makes it fit for status."""
    return (
        _write(known.written),
        *(_disk(name, octets) for name, octets in known.disks.items()),
        *_of_courier(known),
        *_of_channels(known),
    )


def answers_not_in_force(view: Snapshot, now: datetime) -> int:
    """Return how many certificates that have not ended lack an OCSP answer in force, for either hash.

    A certificate that was just signed gets its answers in a moment.
    """
    wanted = set(get_args(HashName))
    missing = 0
    for held in view.approvals.values():
        fine = {(each.serial, each.hash_name) for each in held.answers if each.this_update <= now <= each.next_update}
        missing += sum(
            certificate_end(each).at > now
            and now - each.signed_at > BACKLOG_OLD
            and not {(each.serial, name) for name in wanted} <= fine
            for each in held.record.certificates
        )
    return missing


def _write(written: Written) -> Check:
    code, name = AlarmCode.STORE_TAKES_NO_WRITES, "write"
    if written.waiting > WRITE_SLOW_SECONDS:
        said = f"A small write has waited for {int(written.waiting)} seconds."
        return Check(name=name, ok=False, detail=said, alarm=code)
    if not written.tried:
        return Check(name=name, ok=False, detail="No small write has been tried yet.", alarm=code, known=False)
    if written.error is None:
        return Check(name=name, ok=True, detail="The register took a small write.", alarm=code)
    if isinstance(written.error, StoreReadOnly):
        code = AlarmCode.STORE_READ_ONLY
    elif isinstance(written.error, StoreFull):
        code = AlarmCode.STORE_FULL
    return Check(name=name, ok=False, detail=f"A small write was refused: {written.error}", alarm=code)


def _disk(name: str, octets: int | None) -> Check:
    code = AlarmCode.DISK_NEARLY_FULL
    if octets is None:
        said = f"How much room the disk of {name} has cannot be found out."
        return Check(name="disk", ok=False, detail=said, alarm=code, subject=name)
    said = f"The disk of {name} has {octets // MEGABYTE:,} MB left."
    few = octets < DISK_NEARLY_FULL
    return Check(name="disk", ok=octets >= DISK_FULL, warning=few, detail=said, alarm=code, subject=name)


def _of_courier(known: Known) -> Iterator[Check]:
    left = known.left
    if left is None:
        yield unknown("courier", AlarmCode.COURIER_SILENT)
        yield unknown("notices", AlarmCode.NOTICES_UNDELIVERED)
        return
    # Signs of life, as leases, are about machines.
    machine = known.now if known.view is None else known.now - known.view.authority.clock_offset
    seen = left.courier_seen
    alive = seen is not None and seen + COURIER_SILENT > machine
    said = "No courier has been seen." if seen is None else f"A courier was last seen at {text(seen)} (machine time)."
    yield Check(name="courier", ok=alive, detail=said, alarm=AlarmCode.COURIER_SILENT)
    yield _notices(left)


def _notices(left: Backlog) -> Check:
    code = AlarmCode.NOTICES_UNDELIVERED
    given_up = f"{left.given_up} deliveries were given up, and nobody has fetched the notice."
    if left.undelivered_since is not None:
        said = f"{left.undelivered} notices are on their way, the first since {text(left.undelivered_since)}."
        more = f" {given_up}" if left.given_up else ""
        return Check(name="notices", ok=False, detail=said + more, alarm=code)
    if left.given_up:
        return Check(name="notices", ok=True, warning=True, detail=given_up, alarm=code)
    hours = UNDELIVERED // timedelta(hours=1)
    said = f"No notice has been on its way for more than {hours} hour{'s' if hours > 1 else ''}."
    return Check(name="notices", ok=True, detail=said, alarm=code)


def _of_channels(known: Known) -> Iterator[Check]:
    view, now = known.view, known.now
    if view is None:
        return
    for issuer in view.authority.certificates:
        if issuer.role is not HierarchyRole.ISSUING or issuer.not_after < now:
            continue
        crl = view.authority.crls.get(issuer.key_id)
        fine = crl is not None and crl.this_update <= now <= crl.next_update
        word = "is in force" if fine else "is not in force"
        said = f"The CRL of {issuer.subject} {word} at {text(now)}."
        yield Check(name="lists", ok=fine, detail=said, alarm=AlarmCode.LIST_NOT_IN_FORCE, subject=issuer.key_id)
    if known.answers is not None:
        some = f"{known.answers} certificates that have not ended have no OCSP answer in force."
        said = some if known.answers else "Every OCSP answer is in force."
        yield Check(name="answers", ok=not known.answers, detail=said, alarm=AlarmCode.ANSWER_NOT_IN_FORCE)
