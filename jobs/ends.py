"""ends: what the register says has ended by an act is remembered before any list or answer states it.

The register asks, and the journal proves: an end counts when a sealed fact says it, and the decision that it names was
made as the sealed facts say (jobs/evidence.py). One that no fact proves is stated
by nobody; one that was stated before is never lost, moved or given another reason, whatever the register says now.

Before anything can say it, an end is made final in the register: from that commit on nobody ends the certificate
otherwise, though their clock be behind. If we die there, the end is final and unsaid; the next turn says it.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.approval import EndCause
from core.errors import MemoryContradicted
from core.facts import FactKind
from core.instants import text
from core.status import Revoked
from jobs.aside import TRIED_AGAIN
from jobs.doubt import BEHIND
from jobs.duty import Duty
from jobs.evidence import Evidence, Lacking, payload, proved_facts
from jobs.supersession import Supersessions
from memory.beliefs import Remembered
from memory.memory import Memory
from memory.records import Ended
from ra.deciding.many import approvals_of
from ra.proposal import said_in
from store.reading import approvals as approval_reading
from store.reading import work
from store.reading.journal import Sealed
from store.reading.proof import wait_to_be_sealed
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import approvals, artefacts

_OF_CERTIFICATE = (FactKind.CERTIFICATE_REVOKED, FactKind.CERTIFICATE_SUPERSEDED)
_OF_APPROVAL = (FactKind.APPROVAL_REVOKED, FactKind.APPROVAL_WITHDRAWN)

_PORTION = 1_000

_JOB = "remember_ends"
"""Whoever makes an end final passes over the same rows, which the first job of a turn tells of."""


def remember_ends(duty: Duty, at: datetime) -> int:
    """Remember every end by an act that has come by `at` and is proved; return how many were new."""
    aside = duty.aside(_JOB)
    over = aside.passed_over(duty.noticed, at)
    with duty.read() as tx:
        claims = [each for each in work.acts_to_state(tx, at) if each.end.serial not in over]
    judged: list[tuple[work.ClaimedEnd, _Judgement]] = []
    for some in aside.together(
        duty.noticed, claims, lambda each: each.end.serial, at, lambda some: _judged_at_once(duty, some)
    ):
        judged += some
    unproved = [each for each, judgement in judged if judgement is _Judgement.UNPROVED and each.due <= at]
    for first in range(0, len(unproved), _PORTION):
        portion = unproved[first : first + _PORTION]
        aside.together(duty.noticed, portion, lambda each: each.end.serial, at, lambda some: _put_off(duty, some, at))
    proved, new = [each for each, judgement in judged if judgement is _Judgement.PROVED], 0
    for first in range(0, len(proved), _PORTION):
        for final in _made_final(duty, proved[first : first + _PORTION], at):
            new += _remember(duty, final, at)
    return new


def make_expiries_final(duty: Duty, at: datetime) -> None:
    """Let every expiry that has come by `at` be final: lists and answers of that instant say it."""
    aside, last = duty.aside(_JOB), None
    while True:
        with duty.read() as tx:
            page = work.expiries_to_make_final(tx, at, _PORTION, behind=last)
        if not page or page[-1] == last:
            return
        over = aside.stand_aside(at)
        _made_final(duty, [each for each in page if each.end.serial not in over], at)
        last = page[-1]  # those that could not be made final are not in the way of the rest


def statable_at(duty: Duty, at: datetime) -> datetime | None:
    """Return the instant at which a list may be dated: never before an end that was stated.

    A clock that was set back by a second or two, or another machine's that is behind, goes on where the last stopped.
    Where an end was dated by a clock that was far ahead, the list in force, which says it, stays until then: a newer
    one would not.

    Args:
        duty: whose memory knows what was stated.
        at: now.

    Returns:
        The instant; None where no newer list can be made yet.
    """
    newest = duty.memory.newest_end
    if newest is None or newest <= at:
        return at
    if newest - at <= BEHIND:
        return newest
    duty.notice(
        AlarmCode.FACT_AHEAD,
        f"An end was stated that is dated {text(newest)}, ahead of this clock: the list that says it stays until then.",
        subject="ends",
    )
    return None


def may_still_count(duty: Duty, tx: Transaction, claim: work.ClaimedEnd, at: datetime) -> bool:
    """Return whether an end by an act, which is not remembered, is about to be: nothing else is to be said meanwhile.

    Args:
        duty: knows what was said.
        tx: open.
        claim: what the register says.
        at: now.
    """
    known = duty.memory.certificate(claim.end.serial)
    if known is None or duty.memory.end(claim.end.serial) is not None:
        return False
    if duty.memory.contradiction(_record(claim), at) is not None:
        return False
    if waits_for_proof(tx, duty.memory, claim.approval):
        return True
    why = _Said(duty, tx, [claim]).why_not(known, claim)
    return why is None or why.waits


def _made_final(duty: Duty, claims: Sequence[work.ClaimedEnd], at: datetime) -> list[list[work.ClaimedEnd]]:
    """Make ends final, each row alone where together they fail; return those that still are as they were read."""
    aside = duty.aside(_JOB)
    return aside.together(
        duty.noticed, claims, lambda each: each.end.serial, at, lambda some: _final_at_once(duty, some, at)
    )


def _final_at_once(duty: Duty, claims: Sequence[work.ClaimedEnd], at: datetime) -> list[work.ClaimedEnd]:
    with duty.begin("make ends final") as tx:
        # Whoever ends an approval holds it: either they see that it is final, or we see their end.
        approval_reading.hold(tx, {each.approval for each in claims})
        final = approvals.make_final(tx, {each.end.serial: each.fate for each in claims}, at=at)
    return [each for each in claims if each.end.serial in final]


class _Judgement(Enum):
    PROVED = "to be remembered"
    WAITS = "the fact that proves it is about to be sealed"
    KNOWN = "remembered, so or otherwise"
    UNPROVED = "nothing proves it"


def _judged_at_once(duty: Duty, claims: Sequence[work.ClaimedEnd]) -> list[tuple[work.ClaimedEnd, _Judgement]]:
    stated = [duty.memory.end(each.end.serial) for each in claims]
    with duty.read() as tx:
        said = _Said(duty, tx, [each for each, known in zip(claims, stated, strict=True) if known is None])
    return [(each, _judged(duty, said, each, known)) for each, known in zip(claims, stated, strict=True)]


def _judged(duty: Duty, said: "_Said", claim: work.ClaimedEnd, stated: Revoked | None) -> _Judgement:
    known = duty.memory.certificate(claim.end.serial)
    if stated is not None:
        if stated != claim.end:
            _contradicts(duty, claim, f"it was stated as {text(stated.at)}, {stated.reason.name}")
        return _Judgement.KNOWN
    if known is None:
        _contradicts(duty, claim, "this authority signed no such certificate")
        return _Judgement.UNPROVED
    why = said.why_not(known, claim)
    if why is None:
        return _Judgement.PROVED
    if claim.approval in said.waiting or why.waits:
        return _Judgement.WAITS
    duty.notice(
        AlarmCode.END_UNPROVED,
        f"The register says that certificate {claim.end.serial} ended at {text(claim.end.at)}; {why.why}: "
        "no list and no answer states it.",
        subject=claim.end.serial,
    )
    return _Judgement.UNPROVED


def waits_for_proof(tx: Transaction, memory: Memory, approval: str) -> bool:
    """Return whether a fact about the end of an approval or its certificates is written and under no head yet."""
    every = (*_OF_CERTIFICATE, *_OF_APPROVAL)
    return bool(wait_to_be_sealed(tx, [approval], every, head=memory.head.number))


class _Said:
    """What the sealed journal says of some ends; read at once.

    Args:
        duty: whose memory knows what was sealed.
        tx: open; nothing is read after this.
        claims: what the register says.
    """

    def __init__(self, duty: Duty, tx: Transaction, claims: Sequence[work.ClaimedEnd]) -> None:
        approvals = sorted({each.approval for each in claims})
        every = (*_OF_CERTIFICATE, *_OF_APPROVAL)
        facts = [
            each
            for first in range(0, len(approvals), _PORTION)
            for each in proved_facts(tx, duty.memory, approvals[first : first + _PORTION], every)
        ]
        self._facts: dict[str, list[Sealed]] = {}
        for each in facts:
            self._facts.setdefault(each.row.subject or "", []).append(each)
        self.waiting = wait_to_be_sealed(tx, approvals, every, head=duty.memory.head.number)
        decisions = sorted({decided for each in facts if (decided := _decision(each)) is not None})
        self._evidence = Evidence(tx, duty.memory, duty.rules, decisions)
        superseded = [each for each in facts if each.row.kind == FactKind.CERTIFICATE_SUPERSEDED]
        self._supersessions = Supersessions(tx, duty.memory, superseded)

    def why_not(self, known: Remembered, claim: work.ClaimedEnd) -> Lacking | None:
        """Return why an end is not believed; None if a sealed fact says it, and its decision was made as it says.

        Args:
            known: the certificate.
            claim: what the register says of it.
        """
        lacking = Lacking("no sealed fact says so", waits=False)
        for fact in self._facts.get(claim.approval, ()):
            if not self._says(fact, known, claim):
                continue
            against = self._against(fact, claim)
            if against is None:
                return None
            lacking = against
        return lacking

    def _says(self, fact: Sealed, known: Remembered, claim: work.ClaimedEnd) -> bool:
        said, at = payload(fact), fact.row.at
        match FactKind(fact.row.kind):
            case FactKind.CERTIFICATE_REVOKED:
                same = said.get("serial") == known.serial
                return same and said.get("cause") == claim.cause and at == text(claim.end.at)
            case FactKind.CERTIFICATE_SUPERSEDED:
                same = said.get("serial") == known.serial and claim.cause is None
                ours = fact.row.actor == AUTHORITY.name
                return same and ours and self._supersessions.end(fact, known, claim.end.at)
            case _:
                # It had ended before its certificate was recorded: that was cancelled from its first second.
                same = said.get("cause") == claim.cause and claim.cause is not EndCause.KEY_COMPROMISE
                return same and at == text(claim.end.at)

    def _against(self, fact: Sealed, claim: work.ClaimedEnd) -> Lacking | None:
        if fact.row.kind == FactKind.CERTIFICATE_SUPERSEDED:
            return None  # the authority's own act: it follows from what it remembers
        decided = _decision(fact)
        decision = None if decided is None else self._evidence.decisions.get(decided)
        if decision is None:
            return Lacking("no decision says so", waits=False)
        if not _decides(decision, fact, claim):
            return Lacking(f"decision {decision.id} is about something else", waits=False)
        return self._evidence.lacking(decision.id, one=fact)


def _decision(fact: Sealed) -> str | None:
    decided = payload(fact).get("decision")
    return decided if isinstance(decided, str) else None


def _decides(decision: Decision, fact: Sealed, claim: work.ClaimedEnd) -> bool:
    """Return whether what officers agreed to is this end: the proposal says approval, cause and invalidity date."""
    digest = payload(fact).get("proposal_sha256", decision.proposal_sha256)
    said, since = said_in(decision), claim.end.invalidity_date
    return (
        digest == decision.proposal_sha256
        and (said.get("approval") == claim.approval or claim.approval in approvals_of(decision))
        and said.get("cause") == claim.cause
        and (since is None or said.get("invalidity_date") == text(since))
    )


def _remember(duty: Duty, portion: Sequence[work.ClaimedEnd], at: datetime) -> int:
    try:
        return duty.memory.remember([_record(each) for each in portion], now=at)
    except MemoryContradicted as error:
        if len(portion) > 1:
            return sum(_remember(duty, [each], at) for each in portion)
        duty.notice(AlarmCode.REGISTER_CONTRADICTS, str(error), subject=portion[0].end.serial)
        return 0


def _record(claim: work.ClaimedEnd) -> Ended:
    end: Revoked = claim.end
    return Ended(serial=end.serial, at=end.at, reason=end.reason, invalidity_date=end.invalidity_date)


def _contradicts(duty: Duty, claim: work.ClaimedEnd, why: str) -> None:
    duty.notice(
        AlarmCode.REGISTER_CONTRADICTS,
        f"The register says that certificate {claim.end.serial} ended at {text(claim.end.at)}; {why}.",
        subject=claim.end.serial,
    )


def _put_off(duty: Duty, claims: Sequence[work.ClaimedEnd], at: datetime) -> int:
    with duty.begin("put off answers") as tx:
        return sum(artefacts.presigned(tx, each.end.serial, fate=each.fate, due=at + TRIED_AGAIN) for each in claims)
