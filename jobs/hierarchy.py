"""Certificates of the hierarchy, signed in the order that all signatures follow: remembered, signed, recorded.

Keys and bytes come from the keyring and the memory; a row of the register only says that something was recorded.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from ca import der as write
from ca.certificates import authority_key_id, issuer, tbs_sha256
from ca.clearance import Clearance
from ca.draft import Draft, again, described
from ca.hierarchy import responder_draft, statement_draft
from ca.profile import Profile
from ca.signing import sign_certificate
from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.canonical import Json
from core.errors import RulesRefused
from core.facts import Fact, FactKind
from core.identifiers import new_serial
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate
from jobs.duty import Duty
from jobs.keyring import Keyring
from keys.signer import Signer
from memory.memory import Memory
from memory.records import Hierarchy
from policy.profile import clear_hierarchy
from ra.issuing import IssuingCa, as_issuing
from store.reading import authority as reading
from store.transactions import Store, Transaction
from store.verbs import authority as writing
from store.verbs import facts

Begin = Callable[[str], AbstractContextManager[Transaction]]

RECORDED_WITHIN = timedelta(minutes=1)
"""What was remembered is in the register by then; it takes a second, and as long as the store makes others wait."""


@dataclass(frozen=True, kw_only=True)
class Certifier:
    """Who signs a certificate of the hierarchy, and for whom.

    Args:
        role: what the certificate is for.
        profile: names and identifiers.
        signer: holds the issuer's key.
        issuer_der: the issuer's certificate; None for the root, which signs itself.
        public_key: SubjectPublicKeyInfo, DER, of the key that is certified.
    """

    role: HierarchyRole
    profile: Profile
    signer: Signer
    issuer_der: bytes | None
    public_key: bytes


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
        waiting = _waiting(memory, held_of(memory, tx, certifier.role), certifier, at)
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
    # Before the row: a row alone makes nothing be signed. If we die behind it, these bytes are signed and no others.
    memory.remember([remembered(certifier.role, meant)], now=at)
    if meant.serial not in intended:
        intend(begin, certifier.role, meant, at)
    der = sign_certificate(meant, cleared, certifier.signer, certifier.issuer_der)
    record(begin, certifier.role, meant, der, at)
    return der


def remembered(role: HierarchyRole, meant: Draft) -> Hierarchy:
    """Return what is remembered of a certificate of the hierarchy before it is signed."""
    said = described(meant)
    return Hierarchy(
        role=role,
        serial=meant.serial,
        key_id=said.key_id,
        key_sha256=said.public_key_sha256,
        not_before=said.not_before,
        not_after=said.not_after,
        tbs=meant.tbs,
    )


def renew_responder(duty: Duty, at: datetime) -> int:
    """Let each issuing CA certify the responder's newest key, and again at half of the certificate's life.

    An answer is good only under a certificate that the CA of the certificate asked about has signed itself (RFC 6960,
    4.2.2.2), so each CA in service has one, and all of them are for one key.

    Returns:
        How many were signed.
    """
    with duty.read() as tx:
        every = ours(duty, tx, HierarchyRole.RESPONDER)
        _notice_intended(duty, tx)
        served = in_service(duty, tx, at)
    return sum(_renew(duty, each, every, at) for each in served)


def _renew(duty: Duty, issuing: IssuingCa, every: Sequence[AuthorityCertificate], at: datetime) -> bool:
    keyring = duty.keyring
    certifier = responder_certifier(keyring, issuing)
    waiting = _waiting(duty.memory, every, certifier, at)
    # One that a wrong clock dated ahead signs nothing yet: it counts as missing.
    held = [
        each
        for each in every
        if each.key_id == keyring.responder_key_id
        and authority_key_id(each.der) == issuing.key_id
        and each.not_before <= at
    ]
    newest = max(held, key=lambda each: each.not_before, default=None)
    if any(duty.memory.end(each.serial) is not None for each in held):
        return False  # it is not to sign any more; the key that follows it is not at hand yet
    if newest is not None and waiting is None:
        half = newest.not_before + (newest.not_after - newest.not_before) / 2
        if at < half or at >= issuing.not_after:
            return False
    certify_responder(duty.memory, duty.store, duty.begin, certifier, at)
    return True


def responder_certifier(keyring: Keyring, issuing: IssuingCa) -> Certifier:
    """Return who certifies the responder's newest key under an issuing CA whose key is at hand."""
    return Certifier(
        role=HierarchyRole.RESPONDER,
        profile=keyring.profile,
        signer=keyring.issuing[issuing.key_id],
        issuer_der=issuing.der,
        public_key=keyring.responder.public_key,
    )


def certify_responder(memory: Memory, store: Store, begin: Begin, certifier: Certifier, at: datetime) -> bytes:
    """Return a new certificate of the responder's key, signed and recorded; arguments and errors as of `certify`."""
    above = certifier.issuer_der or b""
    return certify(
        memory,
        store,
        begin,
        certifier,
        lambda: responder_draft(certifier.profile, above, certifier.public_key, new_serial(), at),
        at,
    )


def certify_statement_signer(memory: Memory, store: Store, begin: Begin, certifier: Certifier, at: datetime) -> bytes:
    """Return a new certificate of the statement signer's key, signed and recorded; as of `certify`."""
    above = certifier.issuer_der or b""
    return certify(
        memory,
        store,
        begin,
        certifier,
        lambda: statement_draft(certifier.profile, above, certifier.public_key, new_serial(), at),
        at,
    )


def ours(duty: Duty, tx: Transaction, role: HierarchyRole) -> list[AuthorityCertificate]:
    """Return the certificates of a role that the register holds and this authority remembers, oldest first."""
    known, strangers = compared(duty.memory, duty.look.certificates(tx, role), role)
    held = {each.serial for each in known}
    for lost in (each for each in duty.memory.hierarchy(role) if each.serial not in held):
        if role is HierarchyRole.ISSUING and not _is_being_recorded(duty, lost.serial):
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


def _is_being_recorded(duty: Duty, serial: str) -> bool:
    """Return whether a certificate was remembered just now: whoever accepted it writes it into the register next."""
    since = duty.memory.certified_at(serial)
    return since is not None and abs(duty.machine.now() - since) < RECORDED_WITHIN


def responders_at(duty: Duty, tx: Transaction, at: datetime) -> dict[str, AuthorityCertificate]:
    """Return the responder's certificate that answers are signed under at `at`, by the issuing CA that signed it.

    The newest key comes first, if it is certified; then the newest certificate. A key that is not at hand signs
    nothing, nor does one that was ended.
    """
    found: dict[str, AuthorityCertificate] = {}
    for each in ours(duty, tx, HierarchyRole.RESPONDER):
        holds = each.not_before <= at <= each.not_after and duty.memory.end(each.serial) is None
        if not holds or duty.keyring.responder_of(each.key_id) is None:
            continue
        above = authority_key_id(each.der)
        found[above] = max(found.get(above, each), each, key=lambda one: _preferred(duty.keyring, one))
    return found


def _preferred(keyring: Keyring, certificate: AuthorityCertificate) -> tuple[bool, datetime]:
    return certificate.key_id == keyring.responder_key_id, certificate.not_before


def _notice_intended(duty: Duty, tx: Transaction) -> None:
    """Notice what the register says is about to be signed and nobody means to sign."""
    for each in reading.intended(tx):
        meant = {one.serial: one.tbs_sha256 for one in duty.memory.hierarchy(each.role)}
        if meant.get(each.serial) != hashlib.sha256(each.tbs).hexdigest():
            duty.notice(
                AlarmCode.REGISTER_CONTRADICTS,
                f"The register wants a certificate of the {each.role}, {each.serial}, which is not signed.",
                subject=each.serial,
            )


def issuing_cas(duty: Duty, tx: Transaction, at: datetime) -> list[IssuingCa]:
    """Return the issuing CAs that hold at `at` and were not ended, as remembered, oldest first."""
    return [
        as_issuing(each)
        for each in ours(duty, tx, HierarchyRole.ISSUING)
        if each.not_before <= at <= each.not_after and duty.memory.end(each.serial) is None
    ]


def in_service(duty: Duty, tx: Transaction, at: datetime) -> list[IssuingCa]:
    """Return those of them whose keys are at hand: each has its lists and answers until its own end."""
    return [each for each in issuing_cas(duty, tx, at) if each.key_id in duty.keyring.issuing]


def above_of(duty: Duty, tx: Transaction, certificate: AuthorityCertificate) -> list[bytes]:
    """Return the certificate of the issuing CA that signed one of ours, DER, where it is remembered."""
    above = authority_key_id(certificate.der)
    return [each.der for each in ours(duty, tx, HierarchyRole.ISSUING) if each.key_id == above]


def keys_missed(duty: Duty, at: datetime) -> list[AuthorityCertificate]:
    """Return the certificates, other than the root's, that hold and whose keys are not at hand."""
    with duty.read() as tx:
        issuing = [each.serial for each in issuing_cas(duty, tx, at) if each.key_id not in duty.keyring.issuing]
        of_issuing = [each for each in ours(duty, tx, HierarchyRole.ISSUING) if each.serial in issuing]
        responders = ours(duty, tx, HierarchyRole.RESPONDER)
        signers = ours(duty, tx, HierarchyRole.STATEMENT)[-1:]
    held = [each for each in responders if each.not_before <= at <= each.not_after]
    lacking = [each for each in held if duty.keyring.responder_of(each.key_id) is None]
    lacking += [each for each in signers if at <= each.not_after and each.key_id != duty.keyring.statement_key_id]
    return of_issuing + [each for each in lacking if duty.memory.end(each.serial) is None]


def held_of(memory: Memory, tx: Transaction, role: HierarchyRole) -> list[AuthorityCertificate]:
    """Return the certificates of a role that the register holds and the authority remembers, oldest first."""
    return compared(memory, reading.certificates(tx, role), role)[0]


def compared(
    memory: Memory, every: Sequence[AuthorityCertificate], role: HierarchyRole
) -> tuple[list[AuthorityCertificate], list[AuthorityCertificate]]:
    """Return the register's certificates of a role, oldest first: those that are remembered, and all others."""
    remembered = memory.hierarchy(role)
    digests = {each.serial: each.tbs_sha256 for each in remembered}
    place = {each.serial: number for number, each in enumerate(remembered)}
    known, strangers = list[AuthorityCertificate](), list[AuthorityCertificate]()
    for each in every:
        (known if digests.get(each.serial) == tbs_sha256(each.der) else strangers).append(each)
    return sorted(known, key=lambda each: place[each.serial]), strangers


def _waiting(
    memory: Memory, held: Sequence[AuthorityCertificate], certifier: Certifier, at: datetime
) -> Hierarchy | None:
    """Return what was to be signed, is not in the register, and holds: not what a wrong clock dated ahead.

    It is for the same key and under the same issuer: another CA's, or one for a key before, is nobody's to finish.
    """
    there = {each.serial for each in held}
    wanted = hashlib.sha256(certifier.public_key).hexdigest()
    above = "" if certifier.issuer_der is None else issuer(certifier.issuer_der).key_identifier.hex()
    lacking = {
        each.serial
        for each in memory.hierarchy(certifier.role)
        if each.serial not in there and each.key_sha256 == wanted and each.not_before <= at < each.not_after
    }
    meant = memory.hierarchy_records(certifier.role) if lacking else []
    return next((each for each in meant if each.serial in lacking and _above(each) == above), None)


def _above(meant: Hierarchy) -> str:
    return authority_key_id(write.signed(meant.tbs, b"unsigned"))


def record(begin: Begin, role: HierarchyRole, meant: Draft, der: bytes, at: datetime) -> None:
    """Write a signed certificate of the hierarchy into the register, as a fact; nothing if it is there."""
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


def intend(begin: Begin, role: HierarchyRole, draft: Draft, at: datetime) -> None:
    """Write into the register what is about to be signed, as a fact. What it says was remembered before."""
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
