"""What the register, the memory and the running service say; each rule is where it was: /readyz, `check`, the table
of what has an end.
"""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime

from api.readiness import Purpose, authority_check, backlog_checks
from api.writing import courier_checks
from app import looks
from app.doctor.files import Said, readable
from app.doctor.findings import Finding, FindingCode, found, of_alarm, of_checks, of_standing
from app.house import House
from app.processes import told_ready
from core.alarms import Alarm, AlarmCode
from core.errors import MemoryBehind, MemoryMissing, RestoreNotAccepted, StoreUnavailable, StoreWentBack
from core.instants import text
from core.kinds import CAS
from core.renewal import ALARMS
from core.words import counted
from jobs.put_back import marked
from jobs.recall import require_not_behind
from memory.book import FILE_NAME
from memory.copying import CopyRead
from store.reading import authority as reading
from store.reading import journal, watching, work
from store.reading.renewal import everything_lasting

_LASTING = "certificates, lists and keys"

_AGAIN_SECONDS = 1.0
"""After which is looked again whether the register lacks what was signed: that is remembered first, committed later."""


def look_at_clock(house: House, synchronised: Callable[[], datetime | None]) -> Said:
    """Whether this machine's clock is kept right, and whether the register says otherwise."""
    other = None
    with suppress(StoreUnavailable), house.store.read() as tx:
        other = watching.other_clock(tx)
    if synchronised() is None and other is None:
        yield found(FindingCode.CLOCK_UNKEPT)
    yield from _backlog(house, AlarmCode.CLOCK_DOUBTFUL)


def _backlog(house: House, *codes: AlarmCode) -> list[Finding | str]:
    now = house.clock.now()
    with house.store.read() as tx:
        left = watching.backlog(tx, now)
    return of_checks(each for each in backlog_checks(left, now) if each.alarm in codes)


def look_at_register(house: House) -> Said:
    """Whether the processes are at work, by what they leave in the register."""
    now, machine = house.clock.now(), house.machine.now()
    yield f"The register is at revision {house.store.revision()}."
    with house.store.read() as tx:
        left, telling = watching.backlog(tx, now), watching.telling(tx, now)
    checks = (authority_check(left, machine, house.settings.pace.lease_length), *courier_checks(telling, machine))
    yield from of_checks(checks)
    yield from looks.look_at_approvals(house)


def look_at_ends(house: House) -> Said:
    """What has an end: API keys, lists, answers, the certificates of the hierarchy."""
    now = house.clock.now()
    with house.store.read() as tx:
        every = everything_lasting(tx, now)
        ended = {each.serial for each in reading.ends(tx)}
        cas = [each for each in reading.certificates(tx) if each.role in CAS and each.serial not in ended]
        without = [each for each in cas if work.last_crl(tx, each.key_id, with_bytes=False) is None]
    for each in without:
        yield found(FindingCode.LIST_MISSING, subject=each.subject)
    told = sorted((each for each in every if each.within(now) is not None), key=lambda one: one.ends)
    for one in told:
        yield of_alarm(ALARMS[one.what], one.told(now), wrong=one.urgent(now))
    later = counted(len(every) - len(told), "certificate, list or key", _LASTING)
    yield f"What has an end and does not end soon: {later}."


def look_at_memory(house: House) -> Said:
    """Whether memory and register know the same; without the key, so that its seals are not proved."""
    folder = house.settings.keys_dir
    path = folder / FILE_NAME
    if not readable(folder):
        yield found(FindingCode.NOT_SEEN, path=folder)
        return
    made_at = marked(folder)
    if made_at is not None:
        raise RestoreNotAccepted(made_at=made_at)
    if not path.exists():
        raise MemoryMissing(path=path)
    with closing(CopyRead(path, reading=True)) as memory:
        _require_in_step(house, memory)
        row = memory.head.number
        yield f"The memory of {memory.begun.name} ends with row {row} of the journal, and the register has that row."


def _require_in_step(house: House, memory: CopyRead) -> None:
    """Raise StoreWentBack or MemoryBehind if one lacks what the other knows."""
    known = _Fixed(memory)
    try:
        with house.store.read() as tx:
            require_not_behind(tx, known)
    except StoreWentBack:
        time.sleep(_AGAIN_SECONDS)
        with house.store.read() as tx:
            require_not_behind(tx, known)
    with house.store.read() as tx:
        heads = journal.heads(tx)
    remembered = memory.head.number  # read later than the register: it is never the one behind
    if heads and heads[-1].number > remembered:
        raise MemoryBehind(signed=heads[-1].number, remembered=remembered)


class _Fixed:
    """The head of a memory at one moment."""

    def __init__(self, memory: CopyRead) -> None:
        self.head = memory.head


def look_at_journal(house: House) -> Said:
    """Whether the journal is whole from row 1 on, and sealed in time."""
    yield from looks.look_at_journal(house)
    yield from _backlog(house, AlarmCode.JOURNAL_BACKLOG, AlarmCode.REVOCATION_LIST_BACKLOG)


def look_at_service(house: House) -> Said:
    """What the running service says is wrong, which compares all channels; without one, what the register says."""
    silent = looks.no_answer(house)
    said = None if silent else told_ready(house.settings.host, house.settings.port, f"for={Purpose.WRITING.value}")
    if said is None:
        yield found(FindingCode.SERVICE_SILENT, why=silent or looks.SILENT)
        with house.store.read() as tx:
            yield from (of_standing(each) for each in watching.alarms(tx))
        return
    told = [Alarm(code=each.code, subject="", since=each.since, sentence=each.sentence) for each in said.alarms]
    yield from (of_standing(each) for each in told)
    codes = {each.code for each in told}
    if AlarmCode.CHANNELS_DISAGREE not in codes:
        yield "Register, verification, OCSP and lists say the same, by the web process that compares them."
    if said.ready:
        yield f"The service is fit for writing, at {text(house.clock.now())}."


def look_at_proxy(house: House) -> Said:
    """Whether the proxy before the status process hands on whole requests only."""
    told = list(looks.look_at_proxy(house))
    yield from told or ["No proxy is named whose fitness anything rests upon (status.proxy)."]


def look_at_renderer(house: House) -> Said:
    """Whether whoever draws evidence as pictures has given up what it must."""
    yield from looks.look_at_renderer(house)
