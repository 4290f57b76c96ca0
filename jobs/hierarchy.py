"""Certificates of the hierarchy, signed in the order that all signatures follow: remembered, signed, recorded.

Keys and bytes come from the keyring and the memory; a row of the register only says that something was recorded.
"""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from ca.certificates import tbs_sha256
from ca.clearance import Clearance
from ca.draft import Draft, again, described
from ca.hierarchy import responder_draft
from ca.profile import Profile
from ca.signing import sign_certificate
from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.canonical import Json
from core.errors import HomeMissing, RulesRefused
from core.facts import Fact, FactKind
from core.identifiers import new_serial
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate
from jobs.duty import Duty
from keys.signer import Signer
from memory.memory import Memory
from memory.records import Hierarchy
from policy.profile import clear_hierarchy
from ra.issuing import IssuingCa, newest_issuing
from store.reading import authority as reading
from store.transactions import Store, Transaction
from store.verbs import authority as writing
from store.verbs import facts

Begin = Callable[[str], AbstractContextManager[Transaction]]


@dataclass(frozen=True)
class Certifier:
    """Who signs a certificate of the hierarchy, and for whom.

    Args:
        role: what the certificate is for.
        profile: names and identifiers.
        signer: holds the issuer's key.
        issuer_der: the issuer's certificate; None for the root, which signs itself.
    """

    role: HierarchyRole
    profile: Profile
    signer: Signer
    issuer_der: bytes | None


def certify(
    memory: Memory, store: Store, begin: Begin, certifier: Certifier, draft: Callable[[], Draft], at: datetime
) -> bytes:
    """Return the certificate that `draft` describes, signed and recorded.

    If an earlier run died between memory and record, its bytes are signed, not new ones: the same serial gives the
    same certificate. One that the register forgot with a backup is made again in the same way.

    Raises:
        RulesRefused: the lint found something; nothing was signed.
        MemoryContradicted: its key is used for something else.
    """
    with store.read() as tx:
        waiting = _waiting(memory, tx, certifier.role, at)
        intended = {each.serial for each in reading.intended(tx, certifier.role)}
    meant = again(waiting.serial, waiting.tbs, certifier.signer.public_key) if waiting else draft()
    cleared = clear_hierarchy(
        meant,
        certifier.role,
        certifier.profile,
        certifier.issuer_der,
        at=waiting.not_before if waiting else at,
        stored=waiting is not None,
    )
    if not isinstance(cleared, Clearance):
        raise RulesRefused(cleared)
    said = described(meant)
    remembered = Hierarchy(
        role=certifier.role,
        serial=meant.serial,
        key_id=said.key_id,
        key_sha256=said.public_key_sha256,
        not_before=said.not_before,
        not_after=said.not_after,
        tbs=meant.tbs,
    )
    # Before the row: a row alone makes nothing be signed. If we die behind it, these bytes are signed and no others.
    memory.remember([remembered], now=at)
    if meant.serial not in intended:
        _intend(begin, certifier.role, meant, at)
    der = sign_certificate(meant, cleared, certifier.signer, certifier.issuer_der)
    _record(begin, certifier.role, meant, der, at)
    return der


def renew_responder(duty: Duty, at: datetime) -> bool:
    """Renew the OCSP responder's certificate at half its life (it carries id-pkix-ocsp-nocheck); same key."""
    with duty.read() as tx:
        every = ours(duty, tx, HierarchyRole.RESPONDER)
        _notice_intended(duty, tx)
        waiting = _waiting(duty.memory, tx, HierarchyRole.RESPONDER, at)
        issuing = issuing_ca_of(duty, tx)
    # One that a wrong clock dated ahead signs nothing yet: it counts as missing.
    newest = max((each for each in every if each.not_before <= at), key=lambda each: each.not_before, default=None)
    if newest is not None and waiting is None:
        half = newest.not_before + (newest.not_after - newest.not_before) / 2
        if at < half or at >= issuing.not_after:
            return False
    profile, signer = duty.keyring.profile, duty.keyring.issuing[issuing.key_id]
    certifier = Certifier(role=HierarchyRole.RESPONDER, profile=profile, signer=signer, issuer_der=issuing.der)
    certify(
        duty.memory,
        duty.store,
        duty.begin,
        certifier,
        lambda: responder_draft(profile, issuing.der, duty.keyring.responder.public_key, new_serial(), at),
        at,
    )
    return True


def ours(duty: Duty, tx: Transaction, role: HierarchyRole) -> list[AuthorityCertificate]:
    """Return the certificates of a role that the register holds and this authority remembers, oldest first."""
    known, strangers = compared(duty.memory, tx, role)
    held = {each.serial for each in known}
    for lost in (each for each in duty.memory.hierarchy(role) if each.serial not in held):
        if role is HierarchyRole.ISSUING:
            duty.notice(
                AlarmCode.REGISTER_CONTRADICTS,
                f"The register has lost certificate {lost.serial} of the issuing CA: no list, no answer is made by it. "
                "The root's signature upon it is nowhere else here: put its row of authority_certificates back from a "
                "backup of the register; its bytes are in every chain that was fetched.",
                subject=lost.serial,
            )
    for each in strangers:
        duty.notice(
            AlarmCode.REGISTER_CONTRADICTS,
            f"The register has a certificate of the {role}, {each.serial}, that this authority did not sign.",
            subject=each.serial,
        )
    return known


def responder_at(duty: Duty, tx: Transaction, at: datetime) -> AuthorityCertificate:
    """Return the newest responder's certificate that holds at `at`; HomeMissing if there is none."""
    held = [each for each in ours(duty, tx, HierarchyRole.RESPONDER) if each.not_before <= at]
    if not held:
        raise HomeMissing(path="the store")
    return max(held, key=lambda each: each.not_before)


def _notice_intended(duty: Duty, tx: Transaction) -> None:
    """Notice what the register says is about to be signed and nobody means to sign."""
    for role in HierarchyRole:
        meant = {each.serial: each.tbs_sha256 for each in duty.memory.hierarchy(role)}
        for each in reading.intended(tx, role):
            if meant.get(each.serial) != hashlib.sha256(each.tbs).hexdigest():
                duty.notice(
                    AlarmCode.REGISTER_CONTRADICTS,
                    f"The register wants a certificate of the {role}, {each.serial}, which is not signed.",
                    subject=each.serial,
                )


def issuing_ca_of(duty: Duty, tx: Transaction) -> IssuingCa:
    """Return the issuing CA in use, as remembered; HomeMissing where the register has none that is."""
    return newest_issuing(ours(duty, tx, HierarchyRole.ISSUING))


def compared(
    memory: Memory, tx: Transaction, role: HierarchyRole
) -> tuple[list[AuthorityCertificate], list[AuthorityCertificate]]:
    """Return the register's certificates of a role, oldest first: those that are remembered, and all others."""
    digests = {each.serial: each.tbs_sha256 for each in memory.hierarchy(role)}
    every = reading.certificates(tx, role)
    known = [each for each in every if digests.get(each.serial) == tbs_sha256(each.der)]
    return known, [each for each in every if each not in known]


def _waiting(memory: Memory, tx: Transaction, role: HierarchyRole, at: datetime) -> Hierarchy | None:
    """Return what was to be signed, is not in the register, and holds: not what a wrong clock dated ahead."""
    recorded = {each.serial for each in compared(memory, tx, role)[0]}
    lacking = [each for each in memory.hierarchy_records(role) if each.serial not in recorded]
    return next((each for each in lacking if each.not_before <= at < each.not_after), None)


def _record(begin: Begin, role: HierarchyRole, meant: Draft, der: bytes, at: datetime) -> None:
    with begin(f"record {role}") as tx:
        if writing.issue_certificate(tx, meant.serial, der=der, at=at):
            issued: dict[str, Json] = {"serial": meant.serial, "role": role}
            facts.record(
                tx,
                Fact(
                    kind=FactKind.AUTHORITY_CERTIFICATE_ISSUED,
                    at=at,
                    actor=AUTHORITY,
                    subject=None,
                    approvals=(),
                    payload=issued,
                ),
            )


def _intend(begin: Begin, role: HierarchyRole, draft: Draft, at: datetime) -> None:
    said = described(draft)
    with begin(f"intend {role}") as tx:
        writing.intend_certificate(
            tx,
            serial=draft.serial,
            role=role,
            tbs=draft.tbs,
            tbs_sha256=draft.digest.hex(),
            key_id=said.key_id,
            subject=said.subject,
            not_before=said.not_before,
            not_after=said.not_after,
            at=at,
        )
        intended: dict[str, Json] = {"serial": draft.serial, "role": role, "tbs_sha256": draft.digest.hex()}
        facts.record(
            tx,
            Fact(
                kind=FactKind.AUTHORITY_CERTIFICATE_INTENDED,
                at=at,
                actor=AUTHORITY,
                subject=None,
                approvals=(),
                payload=intended,
            ),
        )
