"""evidence: files that prove what is said (F2.19, F2.20, F2.23, F2.28(h), F2.29), attached, listed and fetched.

A file is private for ever: its content never leaves the register but to the SSC and the auditor, and neither content
nor name is in the journal, only a salted digest.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from core.actors import Actor, PartyKind
from core.canonical import Json, salted_digest
from core.classification import SALT_OCTETS, Classification
from core.clauses import serves
from core.errors import EvidenceFull, NoSuchThing, WrongState
from core.facts import Fact, FactKind
from core.kinds import OPEN_BREACH, OPEN_REQUEST, UNDECIDED, EvidenceSubject
from intake import evidence as files
from policy.roles import Operation, party_of, permitted, sees
from ra.access import authorise, authorise_own
from ra.applying.apply import authorise_application
from ra.applying.request_amendment import authorise_request
from ra.applying.views import EvidenceAnswer, EvidenceList
from ra.bounds import require_octets
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, once
from ra.standing import is_month, require_open_month, suspicion_settled
from store.reading import evidence as reading
from store.reading import requests, suspicions
from store.reading.evidence import Attachment
from store.transactions import Transaction
from store.verbs import evidence, facts, reports

LARGEST_FILE = files.EVIDENCE_LIMIT
"""Octets of one file."""

MEDIA_TYPES = files.MEDIA_TYPES
"""What is taken."""

MOST_FILES = 40
"""Files attached to one subject for one party: a certificate and a test report for each scheme fit several times."""


@dataclass(frozen=True)
class Subject:
    """What a file is attached to.

    Args:
        kind: what sort of thing.
        identifier: which; of a report its month, `2027-05`.
    """

    kind: EvidenceSubject
    identifier: str


@dataclass(frozen=True)
class File:
    """A file as it was sent.

    Args:
        name: what its sender calls it.
        media_type: what its sender says it is.
        octets: its content.
        classification: from whom the SSC keeps it; by default what the SSC attaches is Red.
    """

    name: str
    media_type: str
    octets: bytes
    classification: Classification | None = None


@dataclass(frozen=True)
class FetchedFile:
    """A file as it goes out, and what it is attached to."""

    name: str
    media_type: str
    octets: bytes
    subject: Subject


@serves("F2.19", "F2.20", "F2.23", "F2.28(h)")
def attach(desk: Desk, actor: Actor, subject: Subject, file: File, request: RequestKey | None = None) -> EvidenceAnswer:
    """Attach a file. The same file twice to one subject changes nothing and is answered alike.

    Raises:
        EvidenceUnacceptable, EvidenceTooLarge: it is not what it is said to be, not of a type that is taken, too large.
        EvidenceFull: there are MOST_FILES already.
        BoundReached: the organisation has attached as much as may be kept for it.
        NoSuchThing: there is no such subject, or it is another organisation's.
        OperationNotPermitted: who attaches it may not attach anything there, or not classify what it attaches.
        WrongState: the subject takes no evidence any more.
    """
    _authorise_blind(actor, subject)
    party = _party(actor)
    if file.classification is not None:
        authorise(actor, Operation.CLASSIFY)
    # Before any transaction: looking into a workbook takes its time, and a stranger chose how much.
    media_type = files.accepted_type(file.media_type, file.octets)
    sha256 = hashlib.sha256(file.octets).hexdigest()
    at = desk.clock.now()
    offered = Attachment(
        id=new_identifier("ev", at),
        subject_kind=subject.kind,
        subject=subject.identifier,
        sha256=sha256,
        name=files.harmless_name(file.name, media_type),
        media_type=media_type,
        size=len(file.octets),
        salt=secrets.token_bytes(SALT_OCTETS),
        attached_at=at,
        attached_by=actor.name,
        party=party,
        classification=file.classification or (Classification.RED if party is PartyKind.SSC else Classification.AMBER),
    )
    with desk.store.begin("attach evidence") as tx:
        return once(
            desk,
            tx,
            actor,
            request,
            EvidenceAnswer,
            lambda: _attach(desk, tx, actor, subject, offered, file.octets),
            at=at,
        )


def attachments(desk: Desk, actor: Actor, subject: Subject) -> EvidenceList:
    """Return what is attached to a subject; whoever may read the subject sees of what lies with it what is not kept
    from them, and reads none of it.
    """
    with desk.store.read() as tx:
        _authorise_reading(tx, actor, subject)
        found = reading.attachments_of(tx, subject.kind, subject.identifier)
    return EvidenceList(attachments_shown(found, actor))


def fetch(desk: Desk, actor: Actor, identifier: str) -> FetchedFile:
    """Return a file, to the SSC and the auditor only; NoSuchThing if there is none."""
    authorise(actor, Operation.READ_EVIDENCE)
    with desk.store.read() as tx:
        found = reading.attachment(tx, identifier)
        return FetchedFile(
            name=found.name,
            media_type=found.media_type,
            octets=reading.content(tx, found.sha256),
            subject=Subject(found.subject_kind, found.subject),
        )


def attachments_shown(found: Iterable[Attachment], reader: Actor) -> tuple[EvidenceAnswer, ...]:
    """Return attachments as they are listed to somebody who may read what they are attached to.

    The one place that lists them: what the SSC keeps for itself is not there for a Manufacturer, and to whom no names
    are told, nobody is named.
    """
    return tuple(
        _shown(each, reader) for each in found if sees(reader, of=each.party, classification=each.classification)
    )


def _shown(found: Attachment, reader: Actor) -> EvidenceAnswer:
    return EvidenceAnswer(
        evidence=found.id,
        name=found.name,
        media_type=found.media_type,
        size=found.size,
        sha256=found.sha256,
        attached_at=found.attached_at,
        attached_by=found.attached_by if permitted(reader, Operation.READ_NAMES, owner=None) else None,
        attached_for=found.party,
        classification=found.classification,
    )


def _party(actor: Actor) -> PartyKind:
    party = party_of(actor)
    assert party is not None, "who may attach something acts for somebody"
    return party.kind


def _attach(
    desk: Desk, tx: Transaction, actor: Actor, subject: Subject, offered: Attachment, octets: bytes
) -> EvidenceAnswer:
    _require_open(tx, actor, subject)
    found = reading.attached(tx, offered)
    if found is None:
        if reading.attached_count(tx, offered) >= MOST_FILES:
            raise EvidenceFull(limit=MOST_FILES)
        require_octets(tx, desk.rules.bounds, actor, offered.sha256, offered.size)
        found = _write(tx, offered, octets, actor)
    return _shown(found, actor)


def _write(tx: Transaction, made: Attachment, octets: bytes, actor: Actor) -> Attachment:
    evidence.keep(tx, made.sha256, octets)
    if not evidence.attach(tx, made):
        # The same file came for the same subject at the same moment; the first stands.
        return reading.attached(tx, made) or made
    payload: dict[str, Json] = {
        "evidence": made.id,
        "subject_kind": made.subject_kind,
        # Of the file's own digest: whoever holds the file and is given the salt can prove that it is this one.
        "salted_sha256": salted_digest(made.sha256, made.salt),
        "media_type": made.media_type,
        "size": made.size,
        "party": made.party.value,
        "classification": made.classification.value,
    }
    facts.record(tx, Fact(FactKind.EVIDENCE_ATTACHED, made.attached_at, actor, subject=made.subject, payload=payload))
    return made


# --- whose it is, and whether it still takes evidence ------------------------------------------------------------

_ATTACHING: Mapping[EvidenceSubject, Operation] = {
    EvidenceSubject.APPLICATION: Operation.ATTACH_EVIDENCE,
    EvidenceSubject.BREACH: Operation.RECORD_BREACH,
    EvidenceSubject.REPORT: Operation.REMARK_REPORT,
    EvidenceSubject.AMENDMENT_REQUEST: Operation.REQUEST_AMENDMENT,
    EvidenceSubject.SUSPICION: Operation.ANSWER_SUSPICION,
}


def _authorise_blind(actor: Actor, subject: Subject) -> None:
    """Refuse who could never attach anything there, before ten megabytes of theirs are looked into."""
    operation = _ATTACHING[subject.kind]
    if not permitted(actor, operation, owner=actor.organisation):
        authorise(actor, operation)


def _require_open(tx: Transaction, actor: Actor, subject: Subject) -> None:
    match subject.kind:
        case EvidenceSubject.APPLICATION:
            application = requests.locked_application(tx, subject.identifier)
            authorise_application(actor, Operation.ATTACH_EVIDENCE, application)
            _require_state(subject, "Application", application.state, UNDECIDED)
        case EvidenceSubject.BREACH:
            authorise(actor, Operation.RECORD_BREACH)
            _require_state(subject, "Breach", reading.breach_state(tx, subject.identifier, hold=True), OPEN_BREACH)
        case EvidenceSubject.AMENDMENT_REQUEST:
            owner, state = reading.amendment_request_owner(tx, subject.identifier, hold=True)
            authorise_request(actor, Operation.REQUEST_AMENDMENT, subject.identifier, owner)
            _require_state(subject, "Amendment request", state, OPEN_REQUEST)
        case EvidenceSubject.SUSPICION:
            _authorise_suspicion(tx, actor, Operation.ANSWER_SUSPICION, subject)
            if reading.breach_state(tx, subject.identifier, hold=True) not in OPEN_BREACH:
                raise suspicion_settled(subject.identifier)
        case EvidenceSubject.REPORT:
            authorise(actor, Operation.REMARK_REPORT)
            _require_month(subject.identifier)
            # Issuing waits for us or we for it: no file is attached to a report that has just been frozen.
            reports.hold(tx)
            require_open_month(tx, subject.identifier)
        case _:
            assert_never(subject.kind)


def _authorise_reading(tx: Transaction, actor: Actor, subject: Subject) -> None:
    match subject.kind:
        case EvidenceSubject.APPLICATION:
            authorise_application(actor, Operation.READ_APPLICATION, requests.application(tx, subject.identifier))
        case EvidenceSubject.BREACH:
            authorise(actor, Operation.READ_BREACHES)
            reading.breach_state(tx, subject.identifier)
        case EvidenceSubject.AMENDMENT_REQUEST:
            owner, _ = reading.amendment_request_owner(tx, subject.identifier)
            authorise_request(actor, Operation.READ_AMENDMENT_REQUEST, subject.identifier, owner)
        case EvidenceSubject.SUSPICION:
            _authorise_suspicion(tx, actor, Operation.READ_SUSPICIONS, subject)
        case EvidenceSubject.REPORT:
            authorise(actor, Operation.READ_REPORT)
            _require_month(subject.identifier)
        case _:
            assert_never(subject.kind)


def _authorise_suspicion(tx: Transaction, actor: Actor, operation: Operation, subject: Subject) -> None:
    """What its Manufacturer was not told of is to it, as to any other, as if it were not there."""
    told = suspicions.suspicion(tx, subject.identifier)
    if told is None:
        if not permitted(actor, operation, owner=actor.organisation):
            authorise(actor, operation)
        raise NoSuchThing(kind="suspicion", identifier=subject.identifier)
    authorise_own(actor, operation, kind="suspicion", identifier=told.breach, owner=told.organisation)


def _require_state(subject: Subject, kind: str, state: str, needed: tuple[str, ...]) -> None:
    if state not in needed:
        raise WrongState(kind=kind, identifier=subject.identifier, state=state, needed=" or ".join(needed))


def _require_month(month: str) -> None:
    if not is_month(month):
        raise NoSuchThing(kind="report", identifier=month)
