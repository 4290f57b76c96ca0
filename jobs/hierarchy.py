"""Certificates of the hierarchy, signed in the order that all signatures follow: intended, signed, recorded."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from ca.clearance import Clearance
from ca.draft import Draft, again, described
from ca.hierarchy import responder_draft
from ca.profile import Profile
from ca.signing import sign_certificate
from core.actors import AUTHORITY
from core.canonical import Json
from core.errors import RulesRefused
from core.facts import Fact, FactKind
from core.identifiers import new_serial
from core.kinds import HierarchyRole
from jobs.duty import Duty
from keys.signer import Signer
from policy.profile import clear_hierarchy
from ra.issuing import issuing_ca
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


def certify(store: Store, begin: Begin, certifier: Certifier, draft: Callable[[], Draft], at: datetime) -> bytes:
    """Return the certificate that `draft` describes, signed and recorded.

    If an earlier run died between intent and record, its bytes are signed, not new ones: the same serial gives the
    same certificate.

    Raises:
        RulesRefused: the lint found something; nothing was signed.
    """
    with store.read() as tx:
        waiting = reading.intended(tx, certifier.role)
    meant = _again(certifier, waiting[0]) if waiting else draft()
    cleared = clear_hierarchy(
        meant,
        certifier.role,
        certifier.profile,
        certifier.issuer_der,
        at=waiting[0].intended_at if waiting else at,
        stored=bool(waiting),
    )
    if not isinstance(cleared, Clearance):
        raise RulesRefused(cleared)
    if not waiting:
        _intend(begin, certifier.role, meant, at)
    der = sign_certificate(meant, cleared, certifier.signer, certifier.issuer_der)
    with begin(f"record {certifier.role}") as tx:
        if writing.issue_certificate(tx, meant.serial, der=der, at=at):
            issued: dict[str, Json] = {"serial": meant.serial, "role": certifier.role}
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
    return der


def renew_responder(duty: Duty, at: datetime) -> bool:
    """Renew the OCSP responder's certificate at half its life (it carries id-pkix-ocsp-nocheck); same key."""
    with duty.store.read() as tx:
        every = reading.certificates(tx, HierarchyRole.RESPONDER)
        waiting = reading.intended(tx, HierarchyRole.RESPONDER)
        issuing = issuing_ca(tx)
    if every and not waiting:
        newest = every[-1]
        half = newest.not_before + (newest.not_after - newest.not_before) / 2
        if at < half or at >= issuing.not_after:
            return False
    profile, signer = duty.keyring.profile, duty.keyring.issuing[issuing.key_id]
    certifier = Certifier(role=HierarchyRole.RESPONDER, profile=profile, signer=signer, issuer_der=issuing.der)
    certify(
        duty.store,
        duty.begin,
        certifier,
        lambda: responder_draft(profile, issuing.der, duty.keyring.responder.public_key, new_serial(), at),
        at,
    )
    return True


def _again(certifier: Certifier, waiting: reading.IntendedCertificate) -> Draft:
    return again(waiting.serial, waiting.tbs, certifier.signer.public_key)


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
