"""From draft to certificate: serial and key reserved, bytes stored, claimed, signed elsewhere, recorded.

The order is the promise: what we mean to sign is durable before a signature exists, so a signature that the register
does not know cannot exist; signing again after a crash gives the same bytes.
"""

from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.approval import CertificateRecord
from core.errors import KeyTaken
from core.identifiers import Serial
from core.kinds import DraftState, KeyState
from core.status import certificate_end
from store.rows import DUE_NOW, DraftRow
from store.tables import certificates, drafts, public_keys
from store.transactions import Transaction


def reserve_key(tx: Transaction, sha256: str, *, approval: str, at: datetime) -> None:
    """Reserve a public key for an approval; one that the approval holds already stays its own.

    Raises:
        KeyTaken: reserved or certified under another approval, or compromised.
    """
    row = tx.connection.execute(select(public_keys).where(public_keys.c.sha256 == sha256)).one_or_none()
    if row is not None:
        if row.approval != approval or row.state is KeyState.COMPROMISED:
            raise KeyTaken(sha256=sha256)
        return
    try:
        tx.connection.execute(
            insert(public_keys).values(sha256=sha256, approval=approval, state=KeyState.RESERVED, since=at)
        )
    except IntegrityError as error:
        raise KeyTaken(sha256=sha256) from error


def store_draft(tx: Transaction, draft: DraftRow) -> None:
    """Write a draft. If we die after this commit, the serial is known and nothing was signed under it."""
    tx.connection.execute(
        insert(drafts).values(
            serial=draft.serial,
            decision_id=draft.decision_id,
            approval=draft.approval,
            issue=draft.issue,
            issuer_serial=draft.issuer_serial,
            state=DraftState.DRAFTED,
            tbs=draft.tbs,
            tbs_sha256=draft.tbs_sha256,
            preview=draft.preview,
            lint=draft.lint,
            not_before=draft.not_before,
            not_after=draft.not_after,
            public_key_sha256=draft.public_key_sha256,
            drafted_at=draft.drafted_at,
        )
    )


def claim(tx: Transaction, serial: Serial, *, epoch: int, at: datetime) -> bool:
    """Claim a draft for signing; return whether it was free. A claimed one is finished, never given up."""
    return bool(
        tx.connection.execute(
            update(drafts)
            .where(drafts.c.serial == serial, drafts.c.state == DraftState.DRAFTED)
            .values(state=DraftState.CLAIMED, claimed_at=at, claimed_epoch=epoch)
        ).rowcount
    )


def abandon(tx: Transaction, decision_id: str) -> list[Serial]:
    """Give up the unclaimed drafts of a decision and free a key that was only reserved; return their serials."""
    rows = tx.connection.execute(
        update(drafts)
        .where(drafts.c.decision_id == decision_id, drafts.c.state == DraftState.DRAFTED)
        .values(state=DraftState.ABANDONED)
        .returning(drafts.c.serial, drafts.c.public_key_sha256, drafts.c.approval)
    ).all()
    for row in rows:
        tx.connection.execute(
            delete(public_keys).where(
                public_keys.c.sha256 == row.public_key_sha256,
                public_keys.c.approval == row.approval,
                public_keys.c.state == KeyState.RESERVED,
            )
        )
    return [Serial(row.serial) for row in rows]


def record_certificate(tx: Transaction, draft: DraftRow, certificate: CertificateRecord, der: bytes) -> bool:
    """Record what was signed; return whether this call did it (a second authority finds it done, with equal bytes)."""
    won = tx.connection.execute(
        update(drafts)
        .where(drafts.c.serial == draft.serial, drafts.c.state == DraftState.CLAIMED)
        .values(state=DraftState.SIGNED)
    ).rowcount
    if not won:
        return False
    tx.connection.execute(
        update(public_keys)
        .where(public_keys.c.sha256 == draft.public_key_sha256, public_keys.c.state == KeyState.RESERVED)
        .values(state=KeyState.CERTIFIED, since=certificate.signed_at)
    )
    tx.connection.execute(
        insert(certificates).values(
            serial=certificate.serial,
            approval=draft.approval,
            issue=certificate.issue,
            der=der,
            fingerprint=certificate.fingerprint,
            public_key_sha256=draft.public_key_sha256,
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            signed_at=certificate.signed_at,
            revoked_at=certificate.revoked_at,
            cause=certificate.cause,
            ends_at=certificate_end(certificate).at,
            presign_due=DUE_NOW,
        )
    )
    return True
