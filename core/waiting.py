"""What is decided of an approval in the order in which it takes effect: what holds at an instant, and what waits.

Each issue is built on the terms that hold at its own effective instant, never on the last that were decided. What
begins before a change that waits takes nothing of it; that change is made anew on top of it, or is withdrawn (F2.29).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from core.approval import ApprovalRecord, CertificateRecord, EndCause, Firmware, Terms
from core.clauses import serves
from core.instants import text

EXPIRY = "expiry"
"""The one subject of a change that is White: an approval's dates are on its public page."""


@dataclass(frozen=True)
class Change:
    """What one issue makes different from the one before it.

    Args:
        subject: which member: expiry, maximum devices, firmware or key.
        before, after: in words; of firmware the versions.
    """

    subject: str
    before: str
    after: str


@dataclass(frozen=True)
class Pending:
    """A change that is decided and waits.

    Args:
        issue: of its certificate.
        decision: which decided it.
        effective: when it begins to hold.
        changes: what it makes different then.
    """

    issue: int
    decision: str
    effective: datetime
    changes: tuple[Change, ...]


def lasting(approval: ApprovalRecord) -> tuple[CertificateRecord, ...]:
    """Return the issues that have taken effect or will, in order of issue and of effective instant alike.

    One that was superseded or withdrawn before it began has no part in it, nor one whose place a later issue takes. A
    compromised key ends a certificate and no terms: what was decided for later still waits, until a new key is
    certified for it.
    """
    found: list[CertificateRecord] = []
    for each in sorted(approval.certificates, key=lambda each: each.issue, reverse=True):
        superseded = each.superseded_at is not None and each.superseded_at <= each.not_before
        withdrawn = each.cause is EndCause.CHANGE_WITHDRAWN
        overtaken = bool(found) and found[-1].not_before <= each.not_before
        if not (superseded or withdrawn or overtaken):
            found.append(each)
    return tuple(reversed(found))


def holding(approval: ApprovalRecord, at: datetime) -> CertificateRecord | None:
    """Return the issue whose terms hold at an instant, as far as is decided; before the start the first that will.

    None before a certificate is recorded.
    """
    issues = lasting(approval)
    return next((each for each in reversed(issues) if each.not_before <= at), issues[0] if issues else None)


def waiting(approval: ApprovalRecord, at: datetime) -> tuple[CertificateRecord, ...]:
    """Return the issues that begin behind an instant, beside the one that holds then, in order."""
    held = holding(approval, at)
    return () if held is None else tuple(each for each in lasting(approval) if each.issue > held.issue)


def terms_of(approval: ApprovalRecord, certificate: CertificateRecord | None) -> Terms:
    """Return the terms of an issue; of None those of the grant."""
    return next((each for each in approval.terms if certificate and each.issue == certificate.issue), approval.terms[0])


def terms_at(approval: ApprovalRecord, at: datetime) -> Terms:
    """Return the terms that hold at an instant, as far as is decided."""
    return terms_of(approval, holding(approval, at))


def planned_terms(approval: ApprovalRecord) -> Terms:
    """Return the terms of an approval with everything that is decided of it; what was withdrawn is none of it."""
    issues = lasting(approval)
    return terms_of(approval, issues[-1] if issues else None)


def planned_expiry(approval: ApprovalRecord) -> datetime:
    """Return the last second in which an approval holds, with everything that is decided of it."""
    return planned_terms(approval).expiry


@serves("F2.29")
def pending(approval: ApprovalRecord, at: datetime) -> tuple[Pending, ...]:
    """Return what is decided of an approval and waits at an instant, as was known then; once it has ended, nothing."""
    if len(approval.certificates) < 2 or (approval.ended_at is not None and approval.ended_at <= at):
        return ()
    known = as_known(approval, at)
    held = holding(known, at)
    if held is None:
        return ()
    found = []
    for before, each in pairwise((held, *waiting(known, at))):
        terms = terms_of(known, each)
        new_key = before.public_key_sha256 != each.public_key_sha256
        changes = difference(terms_of(known, before), terms, new_key=new_key)
        found.append(Pending(issue=each.issue, decision=terms.decision, effective=each.not_before, changes=changes))
    return tuple(found)


def as_known(approval: ApprovalRecord, at: datetime) -> ApprovalRecord:
    """Return an approval without what came to be known of its issues after an instant."""
    recorded = [each for each in approval.certificates if each.signed_at <= at]
    return replace(approval, certificates=tuple(_fate_known(each, recorded, at) for each in recorded))


def _fate_known(each: CertificateRecord, recorded: Sequence[CertificateRecord], at: datetime) -> CertificateRecord:
    later = (other for other in recorded if other.issue > each.issue)
    if not any(each.superseded_at in (max(other.not_before, other.signed_at), other.signed_at) for other in later):
        each = replace(each, superseded_at=None)
    if each.cause is EndCause.CHANGE_WITHDRAWN and each.revoked_at is not None and each.revoked_at > at:
        each = replace(each, revoked_at=None, cause=None)
    return each


def difference(before: Terms, after: Terms, *, new_key: bool = False) -> tuple[Change, ...]:
    """Return what one issue's terms make different from those before.

    Args:
        before: the terms.
        after: those that follow.
        new_key: whether another key is certified.
    """
    pairs = [
        (EXPIRY, text(before.expiry), text(after.expiry)),
        ("maximum devices", str(before.maximum_devices), str(after.maximum_devices)),
        ("firmware", versions(before.firmware), versions(after.firmware)),
        ("key", "as it was", "a new one" if new_key else "as it was"),
    ]
    images = {(each.version.casefold(), each.image_digest) for each in before.firmware}
    other = [each for each in after.firmware if (each.version.casefold(), each.image_digest) not in images]
    if pairs[2][1] == pairs[2][2] and other:
        pairs.append(("firmware image", "as it was", f"another one of {versions(other)}"))
    return tuple(Change(subject, was, becomes) for subject, was, becomes in pairs if was != becomes)


def versions(firmware: Sequence[Firmware]) -> str:
    """Return firmware versions in one line."""
    return ", ".join(each.version for each in firmware) or "none"


@serves("F2.29")
def made_anew(before: Terms, waits: Terms, now: Terms, *, issue: int) -> Terms:
    """Return a change that waits, made anew on other terms: what it changes holds from its instant, and nothing else.

    Args:
        before: the terms that it was built on.
        waits: its own.
        now: those that it is to follow.
        issue: its new number.
    """
    held = {each.version.casefold(): each.image_digest for each in before.firmware}
    kept = {each.version.casefold() for each in waits.firmware}
    added = tuple(each for each in waits.firmware if held.get(each.version.casefold()) != each.image_digest)
    gone = (held.keys() - kept) | {each.version.casefold() for each in added}
    return replace(
        waits,
        issue=issue,
        expiry=now.expiry if waits.expiry == before.expiry else waits.expiry,
        maximum_devices=now.maximum_devices
        if waits.maximum_devices == before.maximum_devices
        else waits.maximum_devices,
        firmware=(*(each for each in now.firmware if each.version.casefold() not in gone), *added),
        decision="",
    )
