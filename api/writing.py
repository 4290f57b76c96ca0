"""/readyz?for=writing: fit to record what people send and to bring it to everybody, as checks. No check acts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args

from api.readiness import AHEAD, BACKLOG_OLD, Check, unknown
from api.status.snapshot import Snapshot
from core.alarms import Alarm, AlarmCode
from core.errors import StoreFull, StoreReadOnly, StoreUnavailable
from core.instants import text
from core.mirror import HashName, in_force
from core.status import certificate_end
from store.reading.watching import UNDELIVERED, Backlog, Telling

SIGN = timedelta(seconds=10)
"""How often the courier leaves a sign of life (jobs/courier.py); one that is dated later is none."""

COURIER_SILENT = timedelta(seconds=60)
"""The courier leaves a sign of life every ten seconds; a restart, or a lock that it waits for, takes some of these."""

WRITE_OLD_SECONDS = 30.0
"""How old the last small write may be: one is tried every five seconds, and the store's deadlines end each within some
ten. Whoever tries none for so long has failed, and what was true of the register then may not be now."""

WRITE_SLOW_SECONDS = 5.0
"""How long a small write may take before people, who wait behind it, are told to come again."""

MEGABYTE = 1_000_000

DISK_FULL = 100 * MEGABYTE
"""Octets left below which the service says that it is not fit to be written to. Nothing is refused for it: what comes
all the same, two of the largest bodies, a day's lists and answers, still has room."""

SPOOLED = 1024 * 1024 * 1024
"""Octets of bodies that may lie in files at once, as front.limits.Limits has it."""

DISK_NEARLY_FULL = SPOOLED + DISK_FULL
"""Octets left below which somebody should look: bodies that are collected at the same time could take all but the last
of it, within seconds."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What came of the last small write.

    Args:
        tried: whether one has ended yet.
        error: why it failed; None if it did not.
        waiting: seconds since one began that has not ended; zero if none is under way.
        age: seconds since the last one ended.
    """

    tried: bool
    error: StoreUnavailable | None
    waiting: float
    age: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known for the checks.

    Args:
        left: what the register says is left to do; None if it does not answer.
        telling: the same of the courier.
        view: what the status plane holds; None if it holds nothing yet.
        now: the authority's instant.
        written: what came of the last small write.
        disks: octets that are left, by what lies there; None if a disk does not say.
        answers: how many OCSP answers are not in force; None before they were counted.
        tokens: the authority's alarms about tokens with its keys.
    """

    left: Backlog | None
    telling: Telling | None
    view: Snapshot | None
    now: datetime
    written: Written
    disks: Mapping[str, int | None] = field(default_factory=dict)
    answers: int | None = None
    tokens: Sequence[Alarm] = ()

    @property
    def machine(self) -> datetime:
        """The machine's instant."""
        return self.now if self.view is None else self.view.authority.machine(self.now)


def writing_checks(known: Known) -> tuple[Check, ...]:
    """Return what makes the service fit, or unfit, to be written to, beside what makes it fit for status."""
    return (
        _write(known.written, silent=known.left is None),
        *(disk_check(name, octets) for name, octets in known.disks.items()),
        *courier_checks(known.telling, known.machine),
        *_of_channels(known),
        _tokens(known.tokens),
    )


def answers_not_in_force(view: Snapshot, now: datetime) -> int:
    """Return how many certificates that have not ended lack an OCSP answer in force, for either hash.

    A certificate that was just signed gets its answers in a moment.
    """
    wanted = set(get_args(HashName))
    missing = 0
    for held in view.approvals.values():
        fine = {(each.serial, each.hash_name) for each in held.answers if in_force(each, now)}
        missing += sum(
            certificate_end(each).at > now
            and now - each.signed_at > BACKLOG_OLD
            and not {(each.serial, name) for name in wanted} <= fine
            for each in held.record.certificates
        )
    return missing


def _write(written: Written, *, silent: bool) -> Check:
    code, name = AlarmCode.STORE_TAKES_NO_WRITES, "write"
    if silent:
        return unknown(name, code)  # that it is silent is said already
    if written.waiting > WRITE_SLOW_SECONDS:
        said = f"A small write has waited for {int(written.waiting)} seconds."
        return Check(name=name, ok=False, detail=said, alarm=code)
    if not written.tried:
        return Check(name=name, ok=False, detail="No small write has been tried yet.", alarm=code, known=False)
    if written.age > WRITE_OLD_SECONDS:
        said = f"No small write has been tried for {int(written.age)} seconds."
        return Check(name=name, ok=False, detail=said, alarm=code, known=False)
    if written.error is None:
        return Check(name=name, ok=True, detail="The register took a small write.", alarm=code)
    if isinstance(written.error, StoreReadOnly):
        code = AlarmCode.STORE_READ_ONLY
    elif isinstance(written.error, StoreFull):
        code = AlarmCode.STORE_FULL
    return Check(name=name, ok=False, detail=f"A small write was refused: {written.error}", alarm=code)


def _tokens(out_of_use: Sequence[Alarm]) -> Check:
    """What is decided while a token is out of use is recorded, and not signed: whoever can wait comes again."""
    said = " ".join(each.sentence for each in out_of_use)
    return Check(
        name="tokens",
        ok=not out_of_use,
        detail=said or "No token with keys of the authority is out of use.",
        alarm=AlarmCode.TOKEN_OUT_OF_USE,
        known=False,  # the alarm is the authority's own, and stands beside this already
    )


def disk_check(name: str, octets: int | None) -> Check:
    """Return whether a disk has room.

    Args:
        name: what lies there.
        octets: that are left; None if it does not say.
    """
    code = AlarmCode.DISK_NEARLY_FULL
    if octets is None:
        said = f"How much room the disk of {name} has cannot be found out."
        return Check(name="disk", ok=False, detail=said, alarm=code, subject=name)
    said = f"The disk of {name} has {octets // MEGABYTE:,} MB left."
    few = octets < DISK_NEARLY_FULL
    return Check(name="disk", ok=octets >= DISK_FULL, warning=few, detail=said, alarm=code, subject=name)


def courier_checks(left: Telling | None, machine: datetime) -> Iterator[Check]:
    """Return whether a courier is at work, and its notices arrive.

    Args:
        left: what the register says of it; None if it does not answer.
        machine: the machine's instant.
    """
    if left is None:
        yield unknown("courier", AlarmCode.COURIER_SILENT)
        yield unknown("notices", AlarmCode.NOTICES_UNDELIVERED)
        return
    seen = left.courier_seen
    alive = seen is not None and -(SIGN + AHEAD) <= machine - seen < COURIER_SILENT
    said = "No courier has been seen." if seen is None else f"A courier was last seen at {text(seen)} (machine time)."
    if seen is not None and seen > machine and not alive:
        said = f"A courier left a sign of life at {text(seen)} (machine time): a clock is wrong."
    yield Check(name="courier", ok=alive, detail=said, alarm=AlarmCode.COURIER_SILENT)
    yield _notices(left)


def _notices(left: Telling) -> Check:
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
    for issuer in view.authority.issuing(now):
        crl = view.authority.crl(issuer.key_id, now)
        fine = crl is not None and in_force(crl, now)
        word = "is in force" if fine else "is not in force"
        said = f"The CRL of {issuer.subject} {word} at {text(now)}."
        yield Check(name="lists", ok=fine, detail=said, alarm=AlarmCode.LIST_NOT_IN_FORCE, subject=issuer.key_id)
    if known.answers is not None:
        some = f"{known.answers} certificates that have not ended have no OCSP answer in force."
        said = some if known.answers else "Every OCSP answer is in force."
        yield Check(name="answers", ok=not known.answers, detail=said, alarm=AlarmCode.ANSWER_NOT_IN_FORCE)
