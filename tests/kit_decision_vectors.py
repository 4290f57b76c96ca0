"""Vectors of `decision`: a dossier put together by hand, with TEST keys that everybody knows."""

import base64
import hashlib
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.canonical import Json, canonical
from core.chain import GENESIS, SealedRow, head_statement, link
from core.facts import FactKind
from core.instants import text
from core.kinds import AuthorisedAct
from officers.claims import about
from officers.identity import authority_with
from officers.proof import sign
from officers.roster import Member, members_digest, new_member
from officers.statement import Authorisation, Listed, Statement
from tests.kit_evidence_vectors import coded
from tests.relying_party_world import DEVICE, EXPIRY, FIRMWARE, SERIAL, START, W, der, key, statement
from verify.kit.evidence.certified import key_sha256
from verify.kit.evidence.parsing import one_certificate

DECISION = "dec-0123456789abcdef"
JOURNAL = "TEST Trial CPA Journal"
SET, PROPOSED, SECONDED, ISSUED = (START - timedelta(hours=each) for each in (48, 4, 3, 2))
OFFICERS = ("jane.doe", "john.doe", "max.muster")


class Always:
    """A TEST key that signs the same twice in the same way (RFC 6979)."""

    def __init__(self, name: str) -> None:
        self._key = key(name)

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def member(officer: str) -> Member:
    return new_member(officer, Always(officer).public_key)


ROOT_KEY = W.root_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
AUTHORITY = authority_with("TEST Trial CPA", ROOT_KEY)


def proposal(**changed: Json) -> dict[str, Json]:
    kind, manufacturer, model, hardware = DEVICE
    said: dict[str, Json] = {
        "kind": "grant",
        "approval": W.identifier,
        "application": "app-1",
        "officers": 2,
        "proposed_by": OFFICERS[0],
        "public_key_sha256": key_sha256(one_certificate(W.leaf())),
        "issue": 1,
        "start": text(START),
        "expiry": text(EXPIRY),
        "not_before": text(START),
        "not_after": text(EXPIRY),
        "maximum_devices": 500,
        "device": {"type": kind, "manufacturer": manufacturer, "model": model, "hardware_version": hardware},
        "firmware": [{"version": version, "image_sha256": image.hex()} for version, image in FIRMWARE],
        "organisation": {"certificate_name": "Meter Makers"},
    }
    return {**said, **changed}


def authorised(act: AuthorisedAct, officer: str, listed: Listed, *, by: str = "", number: int = 1) -> Authorisation:
    said = Statement(
        authority=AUTHORITY,
        claim=about(act, listed),
        officer=officer,
        key=member(officer).key,
        valid_until=SECONDED + timedelta(days=1),
        nonce=f"{number:032x}",
    )
    return sign(said, Always(by or officer))


def dossier(*, by: str = "", seconder: str = OFFICERS[1], rejected: bool = False) -> dict[str, bytes]:
    """The files of a decision.

    Args:
        by: whose key signs for the seconder, if it is not their own.
        seconder: who seconds.
        rejected: whether it came to nothing.
    """
    said = proposal()
    digest = hashlib.sha256(canonical(said)).hexdigest()
    leaf = W.leaf(said=statement(identifier=W.identifier, digest=bytes.fromhex(digest)))
    tbs = hashlib.sha256(one_certificate(leaf).tbs_certificate_bytes).hexdigest()
    listed = Listed(decision=DECISION, proposal_sha256=digest, tbs_sha256=(tbs,))
    first = authorised(AuthorisedAct.PROPOSE, OFFICERS[0], listed)
    second = authorised(AuthorisedAct.SECOND, seconder, listed, by=by, number=2)
    members = [member(each) for each in OFFICERS]
    certificate: dict[str, Json] = {"serial": f"{SERIAL:032X}", "sha256": hashlib.sha256(leaf).hexdigest()}
    roster: dict[str, Json] = {
        "number": 1,
        "members_sha256": members_digest(members),
        "effective_at": text(SET),
        "statements": [],
    }
    about_it: dict[str, Json] = {"proposal_sha256": digest}
    agreed: dict[str, Json] = {**about_it, "authorisation": second.statement.sha256, "tbs_sha256": tbs}
    rows = [
        row(1, SET, FactKind.ROSTER_SET, "authority", None, roster),
        row(2, PROPOSED, FactKind.DECISION_PROPOSED, OFFICERS[0], DECISION, about_it),
        row(
            3,
            PROPOSED,
            FactKind.DECISION_AUTHORISED,
            OFFICERS[0],
            DECISION,
            {**about_it, "authorisation": first.statement.sha256},
        ),
    ]
    if rejected:
        rows.append(row(4, SECONDED, FactKind.DECISION_REJECTED, seconder, DECISION, about_it))
    else:
        drafted: dict[str, Json] = {**certificate, "decision": DECISION, "tbs_sha256": tbs}
        rows += [
            row(4, SECONDED, FactKind.DECISION_SECONDED, seconder, DECISION, agreed),
            row(5, SECONDED, FactKind.CERTIFICATE_DRAFTED, "authority", W.identifier, drafted),
            row(6, ISSUED, FactKind.SIGNATURE_INTENDED, "authority", W.identifier, certificate),
            row(7, ISSUED, FactKind.CERTIFICATE_ISSUED, "authority", W.identifier, certificate),
            row(8, ISSUED, FactKind.APPROVAL_GRANTED, "authority", W.identifier, {"decision": DECISION}),
        ]
    chain = [one_certificate(each).public_bytes(Encoding.PEM) for each in (leaf, der(W.issuing))]
    signed = [first] if rejected else [first, second]
    return {
        "decision.json": canonical({"decision": DECISION}),
        "proposal.json": canonical(said),
        "authorisations.json": canonical([each.document() for each in signed]),
        "rosters.json": canonical([{"number": 1, "members": [each.document() for each in members]}]),
        "journal.jsonl": journal(rows),
        **({} if rejected else {"certificate.pem": b"".join(chain)}),
    }


def row(number: int, at: datetime, kind: FactKind, actor: str, subject: str | None, said: dict[str, Json]) -> SealedRow:
    return SealedRow(
        number=number,
        sealed_at=text(at),
        kind=kind,
        at=text(at),
        actor=actor,
        role=None,
        organisation=None,
        subject=subject,
        payload=canonical(said).decode(),
    )


def journal(rows: list[SealedRow]) -> bytes:
    """All rows with their links, and one head."""
    lines: list[dict[str, Any]] = [{"journal": JOURNAL, "key": base64.b64encode(Always("journal").public_key).decode()}]
    previous = GENESIS
    for each in rows:
        previous = link(previous, each)
        lines.append({"row": asdict(each), "link": previous.hex()})
    signature = Always("journal").sign(head_statement(JOURNAL, len(rows), previous))
    lines.append({"head": len(rows), "link": previous.hex(), "signature": signature.hex()})
    return b"".join(canonical(each) + b"\n" for each in lines)


def made() -> dict[str, dict[str, Any]]:
    """Every vector by its name, without what follows from it."""
    whole, root = dossier(), coded(der(W.root))

    def asked(files: dict[str, bytes], **changed: Any) -> dict[str, Any]:
        said = {name: octets.decode() for name, octets in files.items()}
        evidence = {"dossier": said, "root": root, "journal_key": coded(Always("journal").public_key), **changed}
        return {"question": {"decision": DECISION}, "evidence": evidence}

    def without(name: str) -> dict[str, bytes]:
        return {each: octets for each, octets in whole.items() if each != name}

    return {
        "decision-agreed": asked(whole),
        "decision-by-another-key": asked(dossier(by=OFFICERS[2])),
        "decision-by-one-officer-twice": asked(dossier(seconder=OFFICERS[0])),
        "decision-by-nobody-on-the-roster": asked(dossier(seconder="mallory")),
        "decision-rejected": asked(dossier(rejected=True)),
        "decision-other-proposal": asked({**whole, "proposal.json": canonical(proposal(maximum_devices=999))}),
        "decision-other-journal-key": asked(whole, journal_key=coded(Always("mallory").public_key)),
        "decision-without-its-statements": asked(without("authorisations.json")),
        "decision-without-its-certificate": asked(without("certificate.pem")),
        "decision-other-certificate": asked(
            {**whole, "certificate.pem": one_certificate(W.leaf()).public_bytes(Encoding.PEM)}
        ),
    }
