"""/readyz: fit to serve, as a list of checks over what the register and the mirror say. No check acts.

Red for status means that relying parties are, or will soon be, without an answer that they could believe. What only
holds up what is new (the register silent, the authority gone, facts unsealed) is a warning there, and red for writing:
status is answered from memory meanwhile, and to take that away would help nobody. A warning is for the operator alone
and takes nobody out of service.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from api.status.mirror import Mirror
from api.status.remembered import WebMemory
from api.status.snapshot import Snapshot
from core.actors import Role
from core.alarms import Alarm, AlarmCode, Noticed
from core.errors import StatusStale
from core.instants import ONE_SECOND, text
from core.kinds import HierarchyRole
from core.renewal import ALARMS, Lasting, What
from store.reading.watching import MOST_AHEAD, Backlog

AUTHORITY_SILENT = timedelta(seconds=60)
"""How long the lease may have run out before the authority process counts as gone; a restart takes a few seconds."""

AHEAD = timedelta(seconds=2)
"""How far the clocks of two machines may be apart; what is dated later is no sign that anybody lives now."""

BACKLOG_OLD = timedelta(seconds=60)
"""How old a fact may be without being sealed, or an end without being on the list, before something is wrong."""

_NAMES: Mapping[What, str] = {
    What.KEY: "keys",
    What.LIST: "crl",
    What.ROOT_LIST: "root-crl",
    What.ANSWER: "answers-renewed",
    What.RESPONDER: "responder",
    What.STATEMENT: "statement-signer",
    What.ISSUING_WINDOW: "issuing-window",
    What.ISSUING_CA: "issuing-ca",
    What.ROOT: "root",
}
"""What the checks of what has an end are called."""

_SEVERAL = frozenset({What.LIST})
_OF_AUTHORITY = frozenset({What.ISSUING_WINDOW, What.ISSUING_CA, What.ROOT})
"""Where an alarm's subject is a key, and where it is the kind."""


_OF_WRITES = frozenset({AlarmCode.STORE_TAKES_NO_WRITES, AlarmCode.STORE_READ_ONLY, AlarmCode.STORE_FULL})
"""Alarms of one check: what is not known of one of them is not known of the others."""


class Purpose(StrEnum):
    """What somebody wants to know the service to be fit for."""

    STATUS = "status"
    WRITING = "writing"


@dataclass(frozen=True, kw_only=True)
class CheckAnswer:
    """One check of readiness.

    Args:
        name: stable.
        ok: false if it stands in the way of serving.
        warning: somebody should look at it soon.
        detail: a sentence.
    """

    name: str
    ok: bool
    warning: bool = False
    detail: str


@dataclass(frozen=True, kw_only=True)
class AlarmAnswer:
    """Something that somebody should look at. It takes nothing out of service by itself.

    Args:
        code: stable; the list is in docs/codes.md.
        since: when it began.
        sentence: what is so now.
    """

    code: AlarmCode
    since: datetime
    sentence: str


@dataclass(frozen=True)
class Readiness:
    """Fit to serve, with each check, and what somebody should look at."""

    ready: bool
    checks: tuple[CheckAnswer, ...]
    alarms: tuple[AlarmAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check as it was judged.

    Args:
        name, ok, warning, detail: as they are answered.
        alarm: what is raised where it is not ok, or warns.
        subject: what it is about, if there are several of its name.
        known: false if nothing could be asked: then an alarm stays as it was.
        status: whether status is unfit too where it is not ok; else only what is new is held up.
    """

    name: str
    ok: bool
    warning: bool = False
    detail: str
    alarm: AlarmCode
    subject: str = ""
    known: bool = True
    status: bool = True


def for_status(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return checks as they are judged where only status is asked for: what holds up writing alone warns."""
    return tuple(each if each.ok or each.status else replace(each, ok=True, warning=True) for each in checks)


def answered(checks: Sequence[Check], alarms: Iterable[Alarm]) -> Readiness:
    """Return checks and alarms as they are told; no alarm decides whether it is ready."""
    told = tuple(CheckAnswer(name=each.name, ok=each.ok, warning=each.warning, detail=each.detail) for each in checks)
    found = tuple(AlarmAnswer(code=each.code, since=each.since, sentence=each.sentence) for each in alarms)
    return Readiness(all(each.ok for each in checks), told, found)


def noticed(checks: Sequence[Check], standing: Iterable[Alarm]) -> list[Noticed]:
    """Return what the checks found that somebody should look at.

    Args:
        checks: all of them.
        standing: the alarms before; what cannot be asked now is believed to be as it was.
    """
    unknown = {each.alarm for each in checks if not each.known}
    if unknown & _OF_WRITES:
        unknown |= _OF_WRITES
    found = [
        Noticed(code=each.alarm, subject=each.subject, sentence=each.detail)
        for each in checks
        if each.known and (each.warning or not each.ok)
    ]
    return [
        *found,
        *(
            Noticed(code=each.code, subject=each.subject, sentence=each.sentence)
            for each in standing
            if each.code in unknown
        ),
    ]


def status_checks(
    left: Backlog | None, said: str, mirror: Mirror, lasting: Sequence[Lasting], lease: timedelta
) -> tuple[Check, ...]:
    """Return what must be so for status to be, and to stay, what is true of certificates. Nothing is read.

    Args:
        left: what the register says is left to do; None if it does not answer.
        said: why it does not.
        mirror: what the status plane answers from.
        lasting: what has an end.
        lease: how long an authority process says that it will be at work.
    """
    now = mirror.now()
    detail = "The register answers." if left is not None else said
    reached = Check(name="store", ok=left is not None, detail=detail, alarm=AlarmCode.STORE_SILENT, status=False)
    return (reached, *_of_snapshot(mirror, left, lasting, now, lease), *backlog_checks(left, now))


def _of_snapshot(
    mirror: Mirror, left: Backlog | None, lasting: Sequence[Lasting], now: datetime, lease: timedelta
) -> Iterator[Check]:
    try:
        view = mirror.view()
    except StatusStale as error:
        yield Check(name="mirror", alarm=AlarmCode.STATUS_STALE, ok=False, detail=str(error))
    else:
        yield Check(
            name="mirror",
            alarm=AlarmCode.STATUS_STALE,
            ok=True,
            detail=f"The snapshot was confirmed {mirror.age():.1f} seconds ago.",
        )
    try:
        view = mirror.held()
    except StatusStale:
        return
    yield from _of_memory(view, mirror.remembered)
    yield authority_check(left, view.authority.machine(now), lease)
    yield from _of_hierarchy(view, lasting, now)


def _of_memory(view: Snapshot, remembered: WebMemory) -> Iterator[Check]:
    """Red where the register went back; a damaged memory and an end that is told against the register are not."""
    back = view.went_back
    lacks = f"The register lacks row {remembered.head.number} of its journal, which was served from it, or has another."
    yield Check(
        name="register",
        ok=not back,
        detail=(remembered.of_another or lacks) if back else "The register has everything that was served from it.",
        alarm=AlarmCode.REGISTER_WENT_BACK,
    )
    lost = len(remembered.lost)
    some = "1 approval is" if lost == 1 else f"{lost} approvals are"
    said = f"{some} told as ended and not ended in the register: end them again (a list has what was revoked)."
    yield Check(
        name="told-ends",
        ok=True,
        warning=bool(lost),
        detail=said if lost else "Everything that was told as ended has ended in the register.",
        alarm=AlarmCode.TOLD_END_LOST,
    )
    trouble = remembered.trouble
    yield Check(
        name="told-here",
        ok=True,
        warning=bool(trouble),
        detail=trouble or "What is told here is kept.",
        alarm=AlarmCode.WEB_MEMORY_FAILS,
    )


def authority_check(left: Backlog | None, machine: datetime, lease: timedelta) -> Check:
    """Return whether an authority process is at work.

    Leases are about machines: compared with the machine's instant, not with a test clock's.
    """
    code = AlarmCode.AUTHORITY_SILENT
    if left is None:
        return unknown("authority", code)
    until = left.lease_until
    if until is None:
        never = "No authority process has been seen."
        return Check(name="authority", ok=False, detail=never, alarm=code, status=False)
    if until - machine > lease + AHEAD:
        ahead = f"An authority process says that it is at work until {text(until)} (machine time): a clock is wrong."
        return Check(name="authority", ok=False, detail=ahead, alarm=code, status=False)
    alive = machine - until < AUTHORITY_SILENT
    word = "was at work" if alive else "has been silent for too long; it was last at work"
    said = f"An authority process {word} until {text(until)} (machine time)."
    return Check(name="authority", ok=alive, detail=said, alarm=code, status=False)


def _of_hierarchy(view: Snapshot, lasting: Sequence[Lasting], now: datetime) -> Iterator[Check]:
    for each in view.authority.certificates:
        if each.not_after < now or each.serial in view.authority.ended:
            continue
        if each.role == HierarchyRole.ISSUING and view.authority.crl(each.key_id, now) is None:
            yield _absent("crl", What.LIST, each.key_id, f"{each.subject} has published no CRL.")
        elif each.role == HierarchyRole.ROOT and view.authority.crl(each.key_id, now) is None:
            # Never red: whoever needs the root's list is not helped by a service that is taken away as well.
            yield replace(
                _absent("root-crl", What.ROOT_LIST, "", "The root has published no CRL."), ok=True, warning=True
            )
    if not any(each.what is What.RESPONDER for each in lasting):
        yield _absent("responder", What.RESPONDER, "", "No OCSP responder certificate is in force.")
    for one in lasting:
        if one.what is not What.KEY:
            yield _lasts(one, now)
    yield from _keys([one for one in lasting if one.what is What.KEY], now)


def _absent(name: str, what: What, subject: str, detail: str) -> Check:
    return Check(name=name, ok=False, detail=detail, alarm=ALARMS[what], subject=subject)


def _lasts(one: Lasting, now: datetime) -> Check:
    """Only a list that runs out is red: without one in force relying parties have nothing to believe."""
    soon = one.within(now) is not None
    last = text(one.ends - ONE_SECOND)
    red = soon and one.what is What.LIST
    return Check(
        name=_NAMES[one.what],
        ok=not red,
        warning=soon and not red,
        detail=one.told(now) if soon else f"{one.name} holds until {last}.",
        alarm=ALARMS[one.what],
        subject=one.subject if one.what in _SEVERAL else one.what.value if one.what in _OF_AUTHORITY else "",
    )


def _keys(keys: Sequence[Lasting], now: datetime) -> Iterator[Check]:
    """One check for each role, which names nobody: /readyz needs no credential."""
    alarm = ALARMS[What.KEY]
    found = [one for one in keys if one.within(now) is not None]
    for role in Role:
        ends = sorted(one.ends for one in found if one.role is role)
        if ends:
            some = "1 API key" if len(ends) == 1 else f"{len(ends)} API keys"
            word = "ran out" if ends[0] <= now else "ends"
            said = f"{some} of the role {role.value} must be renewed: the first {word} at {text(ends[0] - ONE_SECOND)}."
            yield Check(name=_NAMES[What.KEY], ok=True, warning=True, detail=said, alarm=alarm, subject=role.value)
    if not found:
        yield Check(name=_NAMES[What.KEY], ok=True, detail="No API key ends soon.", alarm=alarm)


def backlog_checks(left: Backlog | None, now: datetime) -> Iterator[Check]:
    """Return how it stands with journal, revocation list and clock, as the register has them."""
    sealed, listed = ("journal", AlarmCode.JOURNAL_BACKLOG), ("revocation-list", AlarmCode.REVOCATION_LIST_BACKLOG)
    if left is None:
        yield unknown(*sealed)
        yield unknown(*listed)
        yield unknown("clock", AlarmCode.CLOCK_DOUBTFUL)
        return
    yield _waiting(sealed, left.unsealed, left.unsealed_since, now, "facts wait to be sealed")
    yield _waiting(listed, left.unlisted, left.unlisted_since, now, "ended certificates wait to be listed")
    yield _clock(left.remembered, now)


def _clock(remembered: datetime | None, now: datetime) -> Check:
    """Whoever seconds is refused meanwhile (ra/instant.py); what is true of certificates is not touched."""
    code = AlarmCode.CLOCK_DOUBTFUL
    if remembered is None or remembered - now <= MOST_AHEAD:
        return Check(name="clock", ok=True, detail="The register says nothing against this clock.", alarm=code)
    said = (
        f"The register says that the authority remembered something at {text(remembered)}, and this clock shows "
        f"{text(now)}: this clock is behind, or that row is forged. Ends are dated by this clock."
    )
    return Check(name="clock", ok=False, detail=said, alarm=code, subject="here", status=False)


def _waiting(of: tuple[str, AlarmCode], count: int, since: datetime | None, now: datetime, words: str) -> Check:
    name, code = of
    if since is None:
        return Check(name=name, ok=True, detail=f"No {words}.", alarm=code)
    said = f"{count} {words}, the oldest since {text(since)}."
    # The list and the journal come late; what was published before is as true as it was.
    return Check(name=name, ok=now - since <= BACKLOG_OLD, detail=said, alarm=code, status=False)


def unknown(name: str, alarm: AlarmCode) -> Check:
    """Return the check of something that only the register knows, while it does not answer."""
    detail = "Unknown: the register cannot be reached."
    return Check(name=name, ok=False, detail=detail, alarm=alarm, known=False, status=False)
