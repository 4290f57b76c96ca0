"""writing: a decision becomes a notice: one record that never leaves, and one document for each recipient.

What a recipient may not have (F2.22) is absent from its document: words, subject and digest. The document says how
many things are missing; the record, which SSC and auditor read, has them all. `write_notice` is called inside the
transaction of the act, so that there is no decision without its notice and no notice without its decision.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from core.actors import Actor
from core.canonical import Json, canonical, read_json, salted_digest
from core.classification import SALT_OCTETS, Classification, Passage, Recipient, highest
from core.clauses import serves
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.instants import text
from ra.telling.matter import Matter, certificate_of, ended_since, facts_of, firmware, waiting
from ra.telling.words import clause, heading
from store.reading.authority import AuthorityRow
from store.reading.notices import Copy, Notice
from store.transactions import Transaction
from store.verbs import facts
from store.verbs import notices as verbs

RECORD_VERSION = 1

_CONDITIONS = "conditions"
"""The subject of a change that lists the numbers of conditions before and after it."""


@serves("F2.21(a)", "F2.21(b)", "F2.21(c)", "F2.21(d)", "F2.21(e)", "F2.24", "F2.29", "F2.30")
def write_notice(tx: Transaction, matter: Matter, *, actor: Actor, serials: Sequence[Serial] = ()) -> str:
    """Write the notice of a decision that is done: record, copies and fact.

    Args:
        tx: the transaction of the act.
        matter: what it is about, with the words of the decision and the instant of the act.
        actor: whose act it is.
        serials: the certificates that travel with it, in order of issue, recorded in `tx` or before.

    Returns:
        The notice's number.
    """
    at, decision = matter.at, matter.decision
    number = new_number(tx, matter.authority, at)
    certificates = [certificate_of(tx, matter, each) for each in serials]
    documents = [_copy(matter, recipient, number, certificates) for recipient in matter.recipients]
    notice = Notice(
        number=number,
        kind=matter.told.form.kind,
        decision_id=decision.id,
        approval=matter.approval.identifier if matter.approval else None,
        application_id=matter.application.id,
        organisation_id=matter.organisation.id,
        serial=next(iter(serials), None),
        written_at=at,
        corrects=None if matter.told.corrects is None else matter.told.corrects.notice,
    )
    record = canonical(_record(matter, number, certificates, [copy for copy, _ in documents])).decode()
    salt = secrets.token_bytes(SALT_OCTETS)
    verbs.write(tx, notice, record=record, record_salt=salt, documents=documents)
    written: dict[str, Json] = {
        "number": number,
        "kind": notice.kind,
        "decision": decision.id,
        "serial": notice.serial,
        "record_salted_sha256": salted_digest(record, salt),
        "copies": outline([copy for copy, _ in documents]),
        **({} if notice.corrects is None else {"corrects": notice.corrects}),
    }
    facts.record(tx, Fact(FactKind.NOTICE_WRITTEN, at, actor, subject=notice.subject, payload=written))
    return number


def new_number(tx: Transaction, authority: AuthorityRow, at: datetime) -> str:
    """Take the next number of the year of `at`: `TDN-2027-0001`, or `TTN-…` of a test authority."""
    return numbered(authority, at.year, verbs.next_number(tx, at.year))


def numbered(authority: AuthorityRow, year: int, count: int) -> str:
    """Return how a notice is called by its place in its year."""
    prefix = "TDN" if authority.environment == "live" else "TTN"
    return f"{prefix}-{year:04d}-{count:04d}"


@serves("F2.22")
def drafted_copies(matter: Matter) -> dict[str, Json]:
    """Return the notice that a proposal would lead to, as each recipient would get it (before seconding).

    Number and certificate are null: they do not exist yet.
    """
    return {recipient.value: _document(matter, recipient, None) for recipient in matter.recipients}


def document_of(copy_text: str) -> dict[str, Json]:
    """Return a copy's document from its canonical JSON."""
    document: dict[str, Json] = read_json(copy_text)
    return document


# --- what each recipient gets ------------------------------------------------------------------------------------


@serves("F2.22", "F2.24", "F2.29", "F2.30")
def _document(
    matter: Matter, recipient: Recipient, number: str | None, certificates: Sequence[Mapping[str, Json]] = ()
) -> dict[str, Json]:
    """The document of one copy, redacted: nothing of what is withheld is in it but how many there are."""
    passages = [each for each in matter.passages if recipient in each.recipients]
    conditions = [(count, each) for count, each in matter.conditions if recipient in each.recipients]
    hidden = _hidden_conditions(matter, recipient)
    return {
        **_common(matter, number, certificates),
        "recipient": recipient.value,
        "classification": _class_of(passages, conditions).value,
        "changes": _changes(matter, recipient),
        "passages": [_told(matter, each) for each in passages],
        "conditions": [_told_condition(count, each) for count, each in conditions],
        "withheld": len(matter.passages) - len(passages) + len(hidden),
        # Its digest is in the journal, which others read: without a salt it would confirm a guess of the words.
        "salt": None if number is None else secrets.token_hex(SALT_OCTETS),
    }


def _common(matter: Matter, number: str | None, certificates: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    approval, corrects, ended = matter.decision.approval, matter.told.corrects, ended_since(matter)
    base = matter.authority.base_url.rstrip("/")
    return {
        "notice": number,
        "kind": matter.told.form.called,
        "title": matter.told.form.title,
        "clause": matter.told.form.clause,
        "environment": matter.authority.environment,
        "authority": matter.authority.name,
        "written_at": text(matter.at),
        "approval": approval,
        "application": matter.decision.application_id,
        "manufacturer": matter.organisation.name,
        "status_page": None if approval is None else f"{base}/approvals/{approval}",
        "decision": {"meeting": matter.decision.meeting, "minute": matter.decision.minute},
        "effective": matter.told.effective,
        "facts": facts_of(matter),
        "firmware": firmware(matter),
        "certificate": dict(certificates[0]) if certificates else None,
        **({"waiting": told} if (told := waiting(matter, certificates)) else {}),
        "approval_ended": None if ended is None else text(ended),
        **({} if corrects is None else {"corrects": asdict(corrects)}),
    }


@serves("F2.21(b)")
def _told(matter: Matter, passage: Passage) -> dict[str, Json]:
    return {
        "subject": passage.subject,
        "heading": heading(matter.told.form, passage.subject),
        "clause": clause(matter.told.form, passage.subject),
        "classification": passage.classification.value,
        "text": passage.text,
    }


@serves("F2.21(e)")
def _told_condition(number: int, condition: Passage) -> dict[str, Json]:
    return {"number": number, "classification": condition.classification.value, "text": condition.text}


def _class_of(passages: Sequence[Passage], conditions: Sequence[tuple[int, Passage]]) -> Classification:
    """The highest class of what it holds; a notice is for the parties of the Code, never below Green."""
    held = (*passages, *(each for _, each in conditions))
    return highest([Classification.GREEN, *(each.classification for each in held)])


def _changes(matter: Matter, recipient: Recipient | None = None) -> list[Json]:
    """What an amendment makes different; for one recipient, without a trace of what it does not get."""
    hidden = set() if recipient is None else {p.subject for p in matter.passages if recipient not in p.recipients}
    told: list[Json] = []
    for each in matter.said.get("changes") or []:
        change = {name: str(each[name]) for name in ("subject", "before", "after")}
        if recipient is not None and change["subject"] == _CONDITIONS:
            change |= {name: _visible(matter, change[name], recipient) for name in ("before", "after")}
        if change["subject"] not in hidden and change["before"] != change["after"]:
            told.append(change)
    return told


def _visible(matter: Matter, numbers: str, recipient: Recipient) -> str:
    """Return a list of condition numbers, such as `1, 3`, without those of conditions that a recipient does not get."""
    known = {**matter.standing, **dict(matter.conditions)}
    listed = [each for each in numbers.split(", ") if each.isdecimal() and int(each) in known]
    return ", ".join(each for each in listed if recipient in known[int(each)].recipients) or "none"


def _hidden_conditions(matter: Matter, recipient: Recipient) -> set[int]:
    """The conditions that this notice sets or ends and that the recipient does not get."""
    ended = {number: matter.standing[number] for number in matter.said.get("conditions_removed") or []}
    touched = {**ended, **dict(matter.conditions)}
    return {number for number, each in touched.items() if recipient not in each.recipients}


def _copy(
    matter: Matter, recipient: Recipient, number: str, certificates: Sequence[Mapping[str, Json]]
) -> tuple[Copy, str]:
    return copy_of(_document(matter, recipient, number, certificates))


def copy_of(document: Mapping[str, Json]) -> tuple[Copy, str]:
    """Return one copy as it is kept, with its document in canonical JSON."""
    written = canonical(dict(document))
    withheld = document["withheld"]
    copy = Copy(
        notice=str(document["notice"]),
        recipient=Recipient(str(document["recipient"])),
        classification=Classification(str(document["classification"])),
        withheld=withheld if isinstance(withheld, int) else 0,
        document_sha256=hashlib.sha256(written).hexdigest(),
    )
    return copy, written.decode()


# --- what stays --------------------------------------------------------------------------------------------------


def _record(
    matter: Matter, number: str, certificates: Sequence[Mapping[str, Json]], copies: Sequence[Copy]
) -> dict[str, Json]:
    """The whole record: every passage with its class, its recipients and the salt of its digest in the proposal."""
    decision = matter.decision
    return {
        **_common(matter, number, certificates),
        "version": RECORD_VERSION,
        "decision": {
            "decision": decision.id,
            "kind": decision.kind,
            "meeting": decision.meeting,
            "minute": decision.minute,
            "proposer": decision.proposer,
            "seconder": decision.seconder,
            "proposal_sha256": decision.proposal_sha256,
        },
        "classification": _class_of(matter.passages, matter.conditions).value,
        "changes": _changes(matter),
        "passages": [{**_told(matter, each), **each.kept()} for each in matter.passages],
        "conditions": [{"number": count, **each.kept()} for count, each in matter.conditions],
        "copies": outline(copies),
    }


def outline(copies: Sequence[Copy]) -> dict[str, Json]:
    """Return what the record and the journal say of copies, by recipient."""
    return {
        copy.recipient.value: {
            "document_sha256": copy.document_sha256,
            "classification": copy.classification.value,
            "withheld": copy.withheld,
        }
        for copy in copies
    }
