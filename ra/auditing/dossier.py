"""dossier: everything about an approval in one ZIP, with its proofs and a PDF that reads as a story, signed.

Whoever asks has it put together; the authority signs its manifest within seconds, in its own turn (jobs/dossiers.py);
whoever asks again gets it. What was asked for a little while ago is not made again: nobody has it made without end.
"""

import hashlib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core import dossier as form
from core.actors import Actor
from core.canonical import Json
from core.chain import journal_name
from core.clock import FixedClock
from core.errors import LogEmpty, NoSuchThing
from core.facts import Fact, FactKind
from documents.dossier import dossier_pdf
from policy.roles import Operation
from ra.access import authorise
from ra.auditing.gathered import Decided, Gathered, gather
from ra.auditing.inclusion import inclusion_of
from ra.auditing.proofs import LOG, decision_files, journal_lines, written
from ra.auditing.story import told
from ra.auditing.views import DossierAsked
from ra.deciding.record import stretches
from ra.desk import Desk, new_identifier
from ra.views import document
from store.reading import approvals as approval_reading
from store.reading import dossiers as reading
from store.reading import journal as journal_reading
from store.reading.authority import authority_row
from store.reading.dossiers import Asked
from store.reading.proof import sealed_about, sealed_rosters
from store.transactions import Transaction
from store.verbs import dossiers, facts

_READ_ME = """This is the dossier of a Trial Device Approval. story.pdf tells it; it rests upon
the other files.

That the authority has stated it, with the root's certificate that you hold from elsewhere (root.cer):

  openssl x509 -in root.cer -out root.pem
  openssl cms -verify -binary -inform DER -in manifest.p7s -content manifest.json -CAfile root.pem

manifest.json names each other file with its SHA-256. Who agreed to a decision, offline:

  trialcpa-verify decision decisions/dec-... --root root.cer --transcript transcript.txt

log.json is the row of the public log that says last what everybody may know of the approval; with the log's key, which
the transcript names:

  trialcpa-verify proof log.json --log-key ...

The journal's rows in journal.jsonl follow each other up to heads that its key has signed (docs/issuance-cycle.md).
They are those about this approval and the roster; `trialcpa journal prove` proves the whole journal, and not them.
"""


@dataclass(frozen=True)
class FetchedDossier:
    """A dossier as it is handed out.

    Args:
        name: of the file, without its ending.
        octets: the ZIP.
    """

    name: str
    octets: bytes


def dossier(desk: Desk, actor: Actor, approval: str) -> FetchedDossier | DossierAsked:
    """Return the dossier of an approval once it is signed; have it put together if that was not asked for of late.

    Args:
        desk: where.
        actor: who asks.
        approval: its identifier.

    Raises:
        NoSuchThing: there is no such approval.
        OperationNotPermitted: it is for SSC and auditor.
    """
    there = dossier_there(desk, actor, approval)
    return _asked(_put_together(desk, actor, approval)) if there is None else there


def dossier_there(desk: Desk, actor: Actor, approval: str) -> FetchedDossier | DossierAsked | None:
    """Return the dossier that was asked for of late, or that it is on its way; None if nobody asked. Asks for nothing.

    Args:
        desk: where.
        actor: who looks.
        approval: its identifier.

    Raises:
        NoSuchThing: there is no such approval.
        OperationNotPermitted: it is for SSC and auditor.
    """
    authorise(actor, Operation.READ_DOSSIER)
    at = desk.clock.now()
    with desk.store.read() as tx:
        approval_reading.record(tx, approval)
        asked = _lately(tx, approval, at)
        if asked is not None and asked.signature is not None:
            return FetchedDossier(f"{approval}-dossier", _whole(asked, reading.parts(tx, asked.id)))
    return None if asked is None else _asked(asked)


def _asked(asked: Asked) -> DossierAsked:
    return DossierAsked(dossier=asked.id, approval=asked.approval, asked_at=asked.asked_at)


def _lately(tx: Transaction, approval: str, at: datetime) -> Asked | None:
    # One that a clock dated far ahead, which was set back since, is of another moment: nobody waits for that.
    return reading.newest(tx, approval, since=at - form.ASKED_WITHIN, until=at + form.ASKED_WITHIN)


def _whole(asked: Asked, parts: bytes) -> bytes:
    assert asked.signature is not None, "only what is signed is handed out"
    files = form.unpacked(parts)
    return form.packed({**files, form.MANIFEST: asked.manifest.encode(), form.SIGNATURE: asked.signature})


def _put_together(desk: Desk, actor: Actor, approval: str) -> Asked:
    with desk.store.snapshot() as moment:
        with moment.read() as tx:
            # The first that is read: whatever was decided by then happened before the instant that the clock says now.
            authority = authority_row(tx)
            head = journal_reading.last_head(tx)
            at = desk.clock.now()
        found = gather(replace(desk, store=moment, clock=FixedClock(at)), actor, approval)
        with moment.read() as tx:
            journal, log = _journal(tx, found), _log(tx, approval)
    files = {**_files(found, log), "journal.jsonl": journal, "README.txt": _READ_ME.encode()}
    story = told(found, authority=authority.name, environment=authority.environment, at=at)
    files["story.pdf"] = dossier_pdf(story, dated=at)
    manifest = form.manifest(
        authority=authority.name,
        approval=approval,
        at=at,
        asked_by=actor.name,
        head=head,
        files={name: (hashlib.sha256(octets).hexdigest(), len(octets)) for name, octets in files.items()},
    )
    asked = Asked(
        id=new_identifier("dos", at),
        approval=approval,
        asked_by=actor.name,
        asked_at=at,
        manifest=manifest,
        manifest_sha256=hashlib.sha256(manifest.encode()).hexdigest(),
        signature=None,
        signed_at=None,
    )
    with desk.store.begin("ask for dossier") as tx:
        approval_reading.locked(tx, approval)
        meanwhile = _lately(tx, approval, at)
        if meanwhile is not None:
            return meanwhile
        dossiers.ask(tx, asked, parts=form.packed(files))
        said: dict[str, Json] = {"dossier": asked.id, "manifest_sha256": asked.manifest_sha256}
        facts.record(tx, Fact(FactKind.DOSSIER_ASKED, at, actor, subject=approval, payload=said))
    return asked


def _log(tx: Transaction, approval: str) -> dict[str, bytes]:
    """That the public log says of the approval what everybody may know; nothing where it has not said that yet."""
    try:
        return {LOG: written(document(inclusion_of(tx, approval)))}
    except (LogEmpty, NoSuchThing):
        return {}


def _files(found: Gathered, log: Mapping[str, bytes]) -> dict[str, bytes]:
    files = {
        **log,
        "approval.json": written(document(found.approval)),
        "application.json": written(document(found.application)),
        "conditions.json": written(document(found.conditions)),
        "amendment-requests.json": written([document(each) for each in found.requests]),
        "end-requests.json": written([document(each) for each in found.end_requests]),
        "notices.json": written([document(each) for each in found.notices]),
        "breaches.json": written([document(each) for each in found.breaches]),
        "instructions.json": written([document(each) for each in found.instructions]),
        "deployments.json": written(document(found.deployments)),
        "interests.json": written([document(each) for each in found.interests]),
    }
    for certificate, chain in zip(found.approval.certificates, found.chains, strict=True):
        files[f"certificates/issue-{certificate.issue}.pem"] = _pem(chain)
    for each in found.decisions:
        parts = {**dict(_of(each, found)), **log}
        files |= {f"decisions/{each.said.decision}/{name}": octets for name, octets in parts.items()}
    return files


def _of(each: Decided, found: Gathered) -> Iterator[tuple[str, bytes]]:
    yield "shown.json", written(document(each.said))
    yield from decision_files(each.said, each.signed, found.roster, each.journal, each.orders).items()
    draft = each.said.draft
    chains = zip(found.approval.certificates, found.chains, strict=True)
    for one, chain in chains:
        if draft is not None and one.serial == draft.serial:
            yield "certificate.pem", _pem(chain)


def _journal(tx: Transaction, found: Gathered) -> bytes:
    """Every sealed row about approval, application, decisions and whose keys counted, each with its proof."""
    about = {found.approval.approval, found.application.application, *(each.said.decision for each in found.decisions)}
    rows = [*sealed_about(tx, about, tuple(FactKind)), *sealed_rosters(tx)]
    numbers = sorted({each.row.number for each in rows})
    authority = authority_row(tx)
    return journal_lines(journal_name(authority.name), authority.journal_key, stretches(tx, numbers))


def _pem(chain: Sequence[bytes]) -> bytes:
    return "".join(map(ssl.DER_cert_to_PEM_cert, chain)).encode("ascii")
