"""/metrics: figures in the text format of Prometheus (version 0.0.4). Ages are in seconds; nothing names anybody."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from api.lookout import Lookout
from api.status.snapshot import Snapshot
from core.alarms import Alarm
from core.mirror import in_force
from core.renewal import Lasting
from core.status import State, approval_status
from store.reading.watching import Backlog

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_Sample = tuple[Mapping[str, str], float]


def metrics(view: Snapshot, age: float, left: Backlog | None, lookout: Lookout, now: datetime) -> str:
    """Return the figures.

    Args:
        view: what is known.
        age: seconds since the last poll that succeeded.
        left: what the register says is left to do; None while it cannot be reached.
        lookout: what somebody should look at, and what has an end.
        now: the present instant.
    """
    families = [
        _family("approvals", "Approvals by state.", _approvals(view, now)),
        _family("crl_age_seconds", "Age of the newest CRL of each CA.", _crl_ages(view, now)),
        _family("crl_left_seconds", "Seconds until the newest CRL of each CA runs out.", _crl_left(view, now)),
        _family("crl_entries", "Entries on the newest CRL of each CA.", _crl_entries(view)),
        _family("ocsp_answers", "OCSP answers held, by whether they are in force.", _answers(view, now)),
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
    ]
    return "".join(families)


def _family(name: str, words: str, samples: Iterator[_Sample]) -> str:
    lines = [f"# HELP trialcpa_{name} {words}", f"# TYPE trialcpa_{name} gauge"]
    for labels, value in samples:
        # Every label's value is of ours: a state, a key identifier in hex. Nothing needs escaping.
        named = ",".join(f'{label}="{said}"' for label, said in labels.items())
        lines.append(f"trialcpa_{name}{{{named}}} {value:.10g}" if named else f"trialcpa_{name} {value:.10g}")
    return "\n".join(lines) + "\n"


def _approvals(view: Snapshot, now: datetime) -> Iterator[_Sample]:
    counted = Counter(approval_status(held.record, now).state for held in view.approvals.values())
    for state in State:
        if state is not State.UNKNOWN:
            yield {"state": state.value}, counted[state]


def _crl_ages(view: Snapshot, now: datetime) -> Iterator[_Sample]:
    for crl in view.authority.crls.values():
        yield {"key": crl.key_id}, (now - crl.this_update) / timedelta(seconds=1)


def _crl_left(view: Snapshot, now: datetime) -> Iterator[_Sample]:
    for crl in view.authority.crls.values():
        yield {"key": crl.key_id}, (crl.next_update - now) / timedelta(seconds=1)


def _crl_entries(view: Snapshot) -> Iterator[_Sample]:
    for crl in view.authority.crls.values():
        yield {"key": crl.key_id}, crl.entries


def _answers(view: Snapshot, now: datetime) -> Iterator[_Sample]:
    counted = Counter(in_force(answer, now) for held in view.approvals.values() for answer in held.answers)
    yield {"in_force": "yes"}, counted[True]
    yield {"in_force": "no"}, counted[False]


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
