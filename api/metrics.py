"""/metrics: figures in the text format of Prometheus (version 0.0.4). Ages are in seconds; nothing names anybody.

What is counted is counted by one web process since it began, but for what receipts say, which all of them read.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Literal, TypeAlias

from api.comparing import Comparing
from api.counting import AT_ONCE, Counts, counts
from api.ends_told import BOUNDS
from api.lookout import Lookout
from api.status.snapshot import Snapshot
from core.alarms import Alarm
from core.renewal import Lasting
from core.status import State
from store.reading.watching import Backlog

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_Sample: TypeAlias = tuple[Mapping[str, str], float]
_Timed: TypeAlias = tuple[Mapping[str, str], Sequence[int], float]
"""Labels; how many took up to each bound and longer than the one before, and those that took longer; their seconds."""

_MILLISECONDS = 1_000


@dataclass(frozen=True, kw_only=True)
class OfProcess:
    """What this web process knows of itself.

    Args:
        first_after: seconds from its start to its first snapshot; None if nobody looked.
        writers_waiting: how many of it wait for their turn to write.
    """

    first_after: float | None
    writers_waiting: int


def metrics(
    view: Snapshot, age: float, left: Backlog | None, lookout: Lookout, now: datetime, process: OfProcess
) -> str:
    """Return the figures.

    Args:
        process: what this process knows of itself.
        view: what is known.
        age: seconds since the last poll that succeeded.
        left: what the register says is left to do; None while it cannot be reached.
        lookout: what somebody should look at, and what has an end.
        now: the present instant.
    """
    # Of a large register each one is looked at in the background only: who asks every few seconds costs nothing.
    counted = counts(view, now) if len(view.approvals) <= AT_ONCE else lookout.counts
    families = [
        _family("approvals", "Approvals by state.", _approvals(counted)),
        _family("crl_age_seconds", "Age of the newest CRL of each CA.", _crl_ages(view, now)),
        _family("crl_left_seconds", "Seconds until the newest CRL of each CA runs out.", _crl_left(view, now)),
        _family("crl_entries", "Entries on the newest CRL of each CA.", _crl_entries(view)),
        _family("ocsp_answers", "OCSP answers held, by whether they are in force.", _answers(counted)),
        _family("units", "Units deployed under all approvals.", _known(None if counted is None else counted.units)),
        _family("snapshot_age_seconds", "Seconds since the mirror last heard of the register.", iter([({}, age)])),
        _family("store_up", "Whether the register answers.", iter([({}, float(left is not None))])),
        _family("unsealed_facts", "Facts that wait for their number in the journal.", _left(left, "unsealed")),
        _family("unlisted_certificates", "Ended certificates on no CRL yet.", _left(left, "unlisted")),
        _family("ocsp_answers_due", "Certificates whose OCSP answers are due.", _left(left, "presign_due")),
        _family(
            "ends_seconds", "Seconds until the first of what has an end, by what it is.", _ends(lookout.lasting, now)
        ),
        _family("alarm", "What somebody should look at, by code: how many things.", _alarms(lookout.alarms)),
        _family(
            "alarm_age_seconds", "How long ago the first of them began, by code.", _alarm_ages(lookout.alarms, now)
        ),
        _family("certificates", "Certificates held in memory.", iter([({}, len(view.serials))])),
        _family("resident_bytes", "Memory that this process has.", _known(_resident())),
        _family("start_seconds", "From this process's start to its first snapshot.", _known(process.first_after)),
        _family("writers_waiting", "Writers who wait for their turn.", iter([({}, process.writers_waiting)])),
        *_consistency(lookout.comparing, now),
        *_durations(lookout),
    ]
    return "".join(families)


def _family(
    name: str, words: str, samples: Iterable[_Sample], kind: Literal["gauge", "counter", "histogram"] = "gauge"
) -> str:
    lines = [f"# HELP trialcpa_{name} {words}", f"# TYPE trialcpa_{name} {kind}"]
    return "\n".join([*lines, *(_line(name, labels, value) for labels, value in samples)]) + "\n"


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    # Every label's value is of ours: a state, a key identifier in hex. Nothing needs escaping.
    named = ",".join(f'{label}="{said}"' for label, said in labels.items())
    return f"trialcpa_{name}{{{named}}} {value:.10g}" if named else f"trialcpa_{name} {value:.10g}"


def _histogram(name: str, words: str, bounds: Sequence[float], timed: Iterable[_Timed]) -> str:
    lines = [_family(name, words, (), "histogram").rstrip("\n")]
    for labels, took, seconds in timed:
        every = list(accumulate(took))
        within = [(f"{bound:g}", count) for bound, count in zip(bounds, every, strict=False)]
        for bound, count in (*within, ("+Inf", every[-1])):
            lines.append(_line(f"{name}_bucket", {**labels, "le": bound}, count))
        lines += [_line(f"{name}_sum", labels, seconds), _line(f"{name}_count", labels, every[-1])]
    return "\n".join(lines) + "\n"


def _durations(lookout: Lookout) -> Iterator[str]:
    counted = lookout.tallied
    for where, tallies in (("memory", counted.at_once), ("store", counted.from_store)):
        # Two families: what is answered from memory takes microseconds, what is read from the store does not.
        timed = [({"kind": kind}, each.counts, each.seconds) for kind, each in tallies.told().items()]
        words = f"Answers about status from {where}, by kind of question: how long each took here."
        yield _histogram(f"answer_from_{where}_seconds", words, tallies.bounds, timed)
    acts = [({"act": act}, each.counts, each.seconds) for act, each in counted.acts.told().items()]
    yield _histogram("act_seconds", "What the API did, as /openapi.json calls it.", counted.acts.bounds, acts)
    polls: list[_Timed] = [({}, each.counts, each.seconds) for each in counted.polls.told().values()]
    yield _histogram("poll_seconds", "Polls of the register by the mirror.", counted.polls.bounds, polls)
    words = "From the commit of an act that ended something to each channel's telling it, of every receipt."
    yield _histogram("end_told_seconds", words, [each / _MILLISECONDS for each in BOUNDS], _told(lookout))


def _told(lookout: Lookout) -> Iterator[_Timed]:
    for told, each in sorted(lookout.ends_told.took.items()):
        within = [each.within[bound] for bound in BOUNDS] + [each.count]
        counts = [within[0], *(after - before for before, after in pairwise(within))]
        yield {"told": told.value}, counts, each.milliseconds / _MILLISECONDS


def _consistency(comparing: Comparing, now: datetime) -> Iterator[str]:
    passed = comparing.passed()
    ended = passed.last_ended_at
    yield _family(
        "consistency_passes_total", "Times that everything was begun to be compared.", [({}, passed.number)], "counter"
    )
    yield _family(
        "consistency_age_seconds",
        "How long ago everything had been compared.",
        _known(None if ended is None else (now - ended) / timedelta(seconds=1)),
    )
    yield _family("consistency_compared", "Certificates compared in the pass before.", [({}, passed.last_compared)])
    yield _family("consistency_disagreements", "What disagrees.", [({}, len(comparing.disagreements()))])


def _known(value: float | None) -> Iterator[_Sample]:
    if value is not None:
        yield {}, value


def _resident() -> int | None:
    """Octets of memory that this process has; None where the kernel does not say (proc(5), statm)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _approvals(counted: Counts | None) -> Iterator[_Sample]:
    for state in State:
        if counted is not None and state is not State.UNKNOWN:
            yield {"state": state.value}, counted.states[state]


def _crl_ages(view: Snapshot, now: datetime) -> Iterator[_Sample]:
    for crl in view.authority.crls.values():
        yield {"key": crl.key_id}, (now - crl.this_update) / timedelta(seconds=1)


def _crl_left(view: Snapshot, now: datetime) -> Iterator[_Sample]:
    for crl in view.authority.crls.values():
        yield {"key": crl.key_id}, (crl.next_update - now) / timedelta(seconds=1)


def _crl_entries(view: Snapshot) -> Iterator[_Sample]:
    for crl in view.authority.crls.values():
        yield {"key": crl.key_id}, crl.entries


def _answers(counted: Counts | None) -> Iterator[_Sample]:
    if counted is not None:
        yield {"in_force": "yes"}, counted.answers[True]
        yield {"in_force": "no"}, counted.answers[False]


def _left(left: Backlog | None, name: str) -> Iterator[_Sample]:
    if left is not None:
        yield {}, getattr(left, name)


def _ends(every: Sequence[Lasting], now: datetime) -> Iterator[_Sample]:
    first: dict[str, datetime] = {}
    for each in every:
        what = each.what.value if each.role is None else f"{each.what.value}-{each.role.value}"
        first[what] = min(first.get(what, each.ends), each.ends)
    for what, ends in sorted(first.items()):
        yield {"what": what}, (ends - now) / timedelta(seconds=1)


def _alarms(alarms: Sequence[Alarm]) -> Iterator[_Sample]:
    for code, count in Counter(each.code for each in alarms).items():
        yield {"code": code.value}, count


def _alarm_ages(alarms: Sequence[Alarm], now: datetime) -> Iterator[_Sample]:
    for code in dict.fromkeys(each.code for each in alarms):
        first = min(each.since for each in alarms if each.code is code)
        yield {"code": code.value}, (now - first) / timedelta(seconds=1)
