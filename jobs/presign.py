"""presign: OCSP answers signed ahead, for SHA-1 and SHA-256 CertIDs of every certificate in the register.

What is said comes from the memory and not from the register. No answer outlives what is known: a good one ends with
the last second in which the certificate holds. If we die before
the commit, the answers never left the process and are signed again; the old ones are not served, because the channel
compares them with the status of the instant.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial

from ca.certificates import signed_by, tbs_sha256
from ca.clearance import Clearance
from ca.revocation import ocsp
from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.approval import CertificateRecord
from core.canonical import Json
from core.errors import RulesRefused
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.instants import ONE_SECOND, text
from core.kinds import HierarchyRole
from core.mirror import HASH_NAMES, AuthorityCertificate, SignedAnswer
from core.status import Revoked, certificate_end, revocation_at
from jobs.aside import TRIED_AGAIN
from jobs.duty import Duty, later
from jobs.ends import make_expiries_final, may_still_count
from jobs.hierarchy import in_service, ours, responders_at
from memory.beliefs import Remembered
from policy.profile import clear_ocsp, inspect_ocsp
from store.reading import approvals as approval_reading
from store.reading import work
from store.verbs import artefacts, facts, receipts

CHANGED_AT_ONCE = 500
"""Certificates of one transaction of which no answer says what they are now: they come before all others."""

SECONDS = 1.0
"""For how long one turn goes on with those."""


@dataclass(frozen=True, kw_only=True)
class _Signed:
    """What was signed for one certificate, which may be nothing, when it is due again, and under which responder."""

    due: work.Presign
    answers: list[SignedAnswer]
    again: datetime
    responder: Serial | None = None


@dataclass(frozen=True, kw_only=True)
class _Answering:
    """Who answers for whom, by key identifier of the issuing CA: every CA of ours, those in service, responders."""

    issuers: Mapping[str, AuthorityCertificate]
    served: frozenset[str]
    responders: Mapping[str, AuthorityCertificate]


def presign(duty: Duty, at: datetime) -> int:
    """Sign a portion of the answers that are due, and more while none says what has changed; return of how many
    certificates there are fresh ones.
    """
    aside = duty.aside("presign")
    over = aside.passed_over(duty.noticed, at)
    latest = later(at, duty.pace.ocsp_life / 2 + ONE_SECOND)
    with duty.read() as tx:
        if not work.presigning_due(tx, at, 1, latest, over):
            return 0
    # Their fate changes by that: what is said of them is judged, and kept, with the new one.
    make_expiries_final(duty, at)
    done, until = 0, time.monotonic() + SECONDS
    while True:
        with duty.read() as tx:
            due = work.presigning_due(tx, at, CHANGED_AT_ONCE, latest, over | aside.stand_aside(at))
            answering = _Answering(
                issuers={each.key_id: each for each in ours(duty, tx, HierarchyRole.ISSUING)},
                served=frozenset(each.key_id for each in in_service(duty, tx, at)),
                responders=responders_at(duty, tx, at),
            )
        changed = [each for each in due if each.changed]
        kept = _presigned(
            duty, changed if len(changed) > duty.pace.portion else due[: duty.pace.portion], answering, at
        )
        done += kept
        if len(changed) < CHANGED_AT_ONCE or not kept or time.monotonic() >= until:
            return done


def _presigned(duty: Duty, due: Sequence[work.Presign], answering: _Answering, at: datetime) -> int:
    """Sign a portion; return of how many certificates answers were kept."""
    aside = duty.aside("presign")
    held: dict[Serial, tuple[CertificateRecord, bytes]] = {}
    for some in aside.together(duty.noticed, due, _serial, at, lambda some: _held(duty, some)):
        held |= some
    judged: list[_Signed] = []
    refused: list[RulesRefused] = []
    for one in due:
        if one.serial in held:
            said = partial(_answered, duty, one, held[one.serial], answering, refused, at)
            done = aside.alone(duty.noticed, one.serial, at, said)
            judged += [done] if done is not None else []
    # What is new comes before what waits, and both before what cannot be answered.
    judged.sort(key=lambda each: not each.answers)
    kept = aside.together(duty.noticed, judged, lambda each: each.due.serial, at, lambda some: _keep(duty, some, at))
    if refused:
        raise refused[0]
    return sum(kept)


def _serial(due: work.Presign) -> Serial:
    return due.serial


def _held(duty: Duty, due: Sequence[work.Presign]) -> dict[Serial, tuple[CertificateRecord, bytes]]:
    """Return what the register holds under serials: the certificate's fate, and its bytes."""
    with duty.read() as tx:
        fates = approval_reading.certificates_called(tx, [each.serial for each in due])
        ders = approval_reading.ders(tx, [each.serial for each in due])
    return {each.serial: (fates[each.serial], ders[each.serial]) for each in due}


def _answered(
    duty: Duty,
    one: work.Presign,
    held: tuple[CertificateRecord, bytes],
    answering: _Answering,
    refused: list[RulesRefused],
    at: datetime,
) -> _Signed:
    """Return what is signed for one certificate, which may be nothing, and when it is due again."""
    asked = _judged(duty, *held, answering, at)
    if isinstance(asked, _NotNow):
        again = {_NotNow.WAITS: timedelta(0), _NotNow.OUT_OF_SERVICE: duty.pace.ocsp_life / 2}
        return _Signed(due=one, answers=[], again=later(at, again.get(asked, TRIED_AGAIN)))
    try:
        answers, due_again = _answers(duty, asked, at)
    except RulesRefused as error:
        # One that cannot be answered is told at the end and tried again later; it must not keep the others waiting.
        refused.append(error)
        return _Signed(due=one, answers=[], again=at + TRIED_AGAIN)
    return _Signed(due=one, answers=answers, again=due_again, responder=asked.responder.serial)


class _NotNow(Enum):
    """Why no answer is signed."""

    WAITS = "the register says that it has ended, and that is about to be remembered (jobs/ends.py)"
    CONTRADICTED = "the register does not hold what was signed"
    OUT_OF_SERVICE = "its issuing CA has ended, or its key is not at hand"
    WITHOUT_RESPONDER = "its issuing CA has certified no responder that holds"


@dataclass(frozen=True)
class _Asked:
    """What is answered for a certificate, from the memory alone: its issuer, its entry, and its end as far as known."""

    known: Remembered
    issuer: AuthorityCertificate
    responder: AuthorityCertificate
    revoked: Revoked | None
    end: datetime


def _judged(
    duty: Duty, certificate: CertificateRecord, der: bytes, answering: _Answering, at: datetime
) -> _Asked | _NotNow:
    """Find out what is to be said of a certificate.

    What was remembered is said, whatever the register says: an end never goes back. *Good* is said only of bytes that
    this authority signed, and of which the register does not say otherwise.
    """
    standing = duty.memory.standing(certificate.serial, at)
    known = None if standing is None else standing.known
    issuer = None if known is None else answering.issuers.get(known.issuer)
    if (
        standing is None
        or known is None
        or issuer is None
        or tbs_sha256(der) != known.tbs_sha256
        or not signed_by(der, issuer.der)
    ):
        duty.notice(
            AlarmCode.REGISTER_CONTRADICTS,
            f"The register has other bytes under serial {certificate.serial} than this authority signed.",
            subject=certificate.serial,
        )
        return _NotNow.CONTRADICTED
    responder = answering.responders.get(issuer.key_id)
    if responder is None or issuer.key_id not in answering.served:
        return _NotNow.WITHOUT_RESPONDER if issuer.key_id in answering.served else _NotNow.OUT_OF_SERVICE
    if standing.stated is not None and standing.stated.at > at:
        return _NotNow.CONTRADICTED  # dated by a clock that was ahead: the answer that says so stays
    remembered, register = standing.status, revocation_at(certificate, at)
    if register is not None and (remembered is None or (remembered != register and _waits(duty, known, at))):
        return _NotNow.WAITS
    if remembered != register:
        duty.notice(
            AlarmCode.REGISTER_CONTRADICTS,
            f"Certificate {certificate.serial} has ended, as answers say, and the register says otherwise.",
            subject=certificate.serial,
        )
    end = min(standing.end, certificate_end(certificate).at)
    return _Asked(known=known, issuer=issuer, responder=responder, revoked=remembered, end=end)


def _waits(duty: Duty, known: Remembered, at: datetime) -> bool:
    """Return whether the register has an earlier end than the expiry that would be said, and that is about to count."""
    with duty.read() as tx:
        claim = work.claim_of(tx, known.serial)
        return claim is not None and may_still_count(duty, tx, claim, at)


def _keep(duty: Duty, judged: Sequence[_Signed], at: datetime) -> int:
    """Keep answers of certificates whose fate is still the one that was judged; return of how many."""
    with duty.begin("keep answers") as tx:
        # One whose fate changed meanwhile is due already; what was signed of it never leaves this process.
        standing: set[Serial] = set()
        for again, fates in _by_instant(judged).items():
            standing |= artefacts.presigned_together(tx, fates, due=again)
        same = [each for each in judged if each.due.serial in standing]
        signed = [each for each in same if each.answers]
        if signed:
            for responder in {each.responder for each in signed if each.responder is not None}:
                under = [one for each in signed if each.responder == responder for one in each.answers]
                artefacts.keep_answers(tx, under, responder=responder)
            ended = [each.due.serial for each in signed if any(one.revoked_at is not None for one in each.answers)]
            receipts.note_answered(tx, ended)
            kept: dict[str, Json] = {"certificates": len(signed), "this_update": text(at)}
            facts.record(
                tx,
                Fact(
                    kind=FactKind.OCSP_ANSWERS_SIGNED,
                    at=at,
                    actor=AUTHORITY,
                    subject=None,
                    approvals=tuple(sorted({each.due.approval for each in signed})),
                    payload=kept,
                ),
            )
    return len(signed)


def _by_instant(judged: Sequence[_Signed]) -> Mapping[datetime, Mapping[Serial, int]]:
    """Return serials with their fates by when they are due again: of nearly all it is the same instant."""
    found: dict[datetime, dict[Serial, int]] = {}
    for each in judged:
        found.setdefault(each.again, {})[each.due.serial] = each.due.fate
    return found


def _answers(duty: Duty, asked: _Asked, at: datetime) -> tuple[list[SignedAnswer], datetime]:
    """Return both answers, and when they are due again: at half their life, or at once when the status changes."""
    revoked, responder = asked.revoked, asked.responder
    signer = duty.keyring.responder_of(responder.key_id)
    assert signer is not None, "a responder whose key is not at hand is none (jobs/hierarchy.py)"
    next_update = min(later(at, duty.pace.ocsp_life), responder.not_after)
    due_again = at + (next_update - at) / 2
    if revoked is None:
        next_update = min(next_update, asked.end - ONE_SECOND)
        due_again = min(due_again, asked.end)
        if asked.end - ONE_SECOND <= at:
            # Its last second: the answers of before hold to its end, and no new one could hold any longer.
            return [], asked.end
    due_again = max(due_again.replace(microsecond=0), at + timedelta(seconds=1))
    signed = []
    for hash_name in HASH_NAMES:
        order = ocsp.OcspOrder(
            issuer_der=asked.issuer.der,
            responder_der=responder.der,
            serial=asked.known.serial,
            hash_name=hash_name,
            revoked=revoked,
            this_update=at,
            next_update=next_update,
        )
        answer = ocsp.draft(order)
        cleared = clear_ocsp(answer, order, duty.linted)
        if not isinstance(cleared, Clearance):
            raise RulesRefused(cleared)
        finished = ocsp.sign(answer, cleared, signer, responder.der)
        if found := inspect_ocsp(finished, order):
            raise RulesRefused(found)
        signed.append(
            SignedAnswer(
                serial=asked.known.serial,
                hash_name=hash_name,
                this_update=at,
                next_update=next_update,
                revoked_at=revoked.at if revoked else None,
                der=finished.der,
            )
        )
    return signed, due_again
