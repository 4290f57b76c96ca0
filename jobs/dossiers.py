"""dossiers: the statement signer signs what was asked for, once the sealed journal says that it was.

A dossier says what the register says: whoever can write rows can have it say what they like, as with every answer of
web. What it proves are the proofs in it. So it is no record of the memory (CONTRIBUTING): the sealed fact, under a head
that is remembered, has the digest before anything is signed, and each dossier that was ever signed is in the journal.
"""

import hashlib
from datetime import datetime
from functools import partial

from ca.statement import stated
from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.dossier import ASKED_WITHIN, is_manifest
from core.facts import Fact, FactKind
from core.instants import parse
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate
from jobs.duty import Duty
from jobs.evidence import proved_facts
from jobs.hierarchy import above_of, ours
from jobs.resting import said_by
from jobs.statement_signer import signing_certificate
from store.reading import dossiers as reading
from store.reading.dossiers import Asked
from store.verbs import dossiers, facts


def sign_dossiers(duty: Duty, at: datetime) -> int:
    """Sign the dossiers that were asked for; return how many."""
    aside = duty.aside("sign_dossiers")
    with duty.read() as tx:
        passed = aside.passed_over(duty.noticed, at)
        waiting = [each for each in reading.unsigned(tx, since=at - ASKED_WITHIN, at=at) if each.id not in passed]
        certificate = signing_certificate(duty, ours(duty, tx, HierarchyRole.STATEMENT), at) if waiting else None
    if certificate is None:
        return 0
    return sum(
        aside.alone(duty.noticed, each.id, at, partial(_one, duty, certificate, each, at)) or 0 for each in waiting
    )


def _one(duty: Duty, certificate: AuthorityCertificate, asked: Asked, at: datetime) -> int:
    digest = hashlib.sha256(asked.manifest.encode()).hexdigest()
    with duty.read() as tx:
        sealed = proved_facts(tx, duty.memory, [asked.approval], [FactKind.DOSSIER_ASKED])
        chain = above_of(duty, tx, certificate)
    said = [each.row for each in sealed if said_by(each.row).get("dossier") == asked.id]
    if not said:
        return 0  # it waits to be sealed; nobody else is told of it
    sound = is_manifest(asked.manifest, authority=duty.memory.begun.name, approval=asked.approval)
    if not sound or said_by(said[0]).get("manifest_sha256") != digest:
        duty.notice(
            AlarmCode.REGISTER_CONTRADICTS,
            f"Dossier {asked.id} of {asked.approval} is not what was asked for: it is not signed.",
            subject=asked.id,
        )
        return 0
    assert duty.keyring.statement is not None, "its certificate is for the key at hand"
    # Of the row that was sealed, so that it is the same if we die before it is recorded.
    when = max(parse(said[0].sealed_at), certificate.not_before)
    signature = stated(
        asked.manifest.encode(), duty.keyring.statement, (certificate.der, *chain), certificate.serial, when
    )
    with duty.begin("sign dossier") as tx:
        if not dossiers.sign(tx, asked.id, signature=signature, signer=certificate.serial, at=at):
            return 0
        payload = {"dossier": asked.id, "manifest_sha256": digest, "signer": certificate.serial}
        facts.record(tx, Fact(FactKind.DOSSIER_SIGNED, at, AUTHORITY, subject=asked.approval, payload=payload))
    return 1
