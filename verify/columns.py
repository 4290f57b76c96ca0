"""The columns of the register's tables, each beside what the journal says of it.

A column that is not compared here or in verify/register_follows.py is in the table of tests/test_audited_columns.py,
with the reason why nothing tells what it has to be, and nothing rests upon it.
"""

import hashlib
from collections.abc import Iterator

from asn1crypto.x509 import Certificate, TbsCertificate
from cryptography import x509

from core.approval import DEVICE_COLUMNS, DEVICE_MEMBERS, EndCause, device_listed
from core.canonical import canonical, read_json
from core.kinds import DecisionKind, DecisionState
from core.status import REASON_OF
from verify.exported import Said
from verify.folded import (
    OPEN,
    Applied,
    Approved,
    Ca,
    Cert,
    Decided,
    Drafted,
    Folded,
    Keyed,
    Listed,
    Noticed,
    Ordered,
    Roster,
    Term,
    perhaps,
    said,
)
from verify.kit.agreed.roster import Unusable, members_digest, read_members
from verify.kit.canonical import read
from verify.kit.evidence.parsing import extension, one_certificate
from verify.octets import octets_of

Column = tuple[str, object, object]
"""What is compared, what stands there, and what follows from the journal."""

_OPEN = frozenset({DecisionState.PROPOSED, DecisionState.DRAFTED})


def of_ca(line: Said, found: Ca) -> Iterator[Column]:
    """Yield the columns of a certificate of the hierarchy: beside its bytes stands what these say."""
    yield "role", line.get("role"), found.role
    yield "digest", line.get("tbs_sha256"), found.tbs_sha256
    yield "intention", line.get("intended_at"), found.at
    yield "issuing", line.get("issued_at"), found.issued_at
    certificate = found.certificate
    if "tbs" in line:  # exports of before had no bytes of what was never signed
        tbs = octets_of(line["tbs"])
        yield "bytes", hashlib.sha256(tbs).hexdigest(), found.tbs_sha256
        certificate = _unsigned(tbs)
    if certificate is not None:
        yield "key", line.get("key_id"), _key_id(certificate)
        yield "subject", line.get("subject"), certificate.subject.rfc4514_string()
        yield "beginning", line.get("not_before"), int(certificate.not_valid_before_utc.timestamp())
        yield "last second", line.get("not_after"), int(certificate.not_valid_after_utc.timestamp())


def of_roster(line: Said, found: Roster) -> Iterator[Column]:
    """Yield the columns of a roster."""
    try:
        digest = members_digest(read_members(read(str(line.get("members")).encode())))
    except (Unusable, ValueError):
        digest = ""
    at = line.get("effective_at")
    yield "members", digest, found.members_sha256
    yield "beginning", said(at) if isinstance(at, int) else at, found.effective_at
    yield "cause", line.get("cause"), found.cause
    yield "setting", line.get("set_at"), found.at


def of_order(line: Said, found: Ordered) -> Iterator[Column]:
    """Yield the columns of an order."""
    yield "digest", line.get("body_sha256"), found.sha256
    yield "body", hashlib.sha256(str(line.get("body")).encode("utf-8", "replace")).hexdigest(), found.sha256
    yield "kind", line.get("kind"), found.kind
    yield "proposer", line.get("proposer"), found.proposer
    yield "date", line.get("proposed_at"), found.at
    yield "state", line.get("state"), found.state
    yield "end", line.get("closed_at"), found.closed
    if found.lapses is not None:
        yield "last day", line.get("lapses_at"), found.lapses


def of_application(line: Said, found: Applied) -> Iterator[Column]:
    """Yield the columns of an application."""
    yield "state", line.get("state"), found.state
    if found.at is None:
        return
    yield "organisation", line.get("organisation_id"), found.organisation
    yield "date", line.get("submitted_at"), found.at
    yield "version", line.get("version"), found.version
    yield "change", line.get("changed_at"), found.changed
    yield "device in one word", line.get("device_key"), device_listed(line).key
    if found.stated is not None:
        yield "content", _stated(line), found.stated
    if found.device is not None:
        for column, member in zip(DEVICE_COLUMNS, DEVICE_MEMBERS, strict=True):
            yield column.replace("_", " "), line.get(column), found.device.get(member)
    if found.key is not None:
        yield "key", line.get("public_key_sha256"), found.key


def _stated(line: Said) -> str:
    """Return the digest of what an application says, as its row of the journal has it (ra/applying/stated.py)."""
    start, expiry = line.get("start"), line.get("expiry")
    stated = {
        "device": {member: line.get(column) for column, member in zip(DEVICE_COLUMNS, DEVICE_MEMBERS, strict=True)},
        "smets_version": line.get("smets_version"),
        "gbcs_version": line.get("gbcs_version"),
        "start": said(start) if isinstance(start, int) else None,
        "expiry": said(expiry) if isinstance(expiry, int) else None,
        "maximum_devices": line.get("maximum_devices"),
        "firmware": read_json(str(line.get("firmware"))),
        "public_key_sha256": line.get("public_key_sha256"),
    }
    return hashlib.sha256(canonical(stated)).hexdigest()


def of_decision(line: Said, found: Decided) -> Iterator[Column]:
    """Yield the columns of a decision: what its proposal says, and how far it has come."""
    state = line.get("state")
    yield (
        "state",
        OPEN if state in _OPEN and (state == DecisionState.DRAFTED) is bool(found.drafts) else state,
        found.state,
    )
    yield "kind", line.get("kind"), found.kind
    yield "proposal", line.get("proposal_sha256"), found.sha256
    written = str(line.get("proposal"))
    yield "document", hashlib.sha256(written.encode("utf-8", "replace")).hexdigest(), found.sha256
    yield "proposer", line.get("proposer"), found.proposer
    yield "date", line.get("proposed_at"), found.proposed_at
    yield "authorisation", line.get("authorised_at"), found.authorised_at
    yield "seconder", line.get("seconder"), found.seconder
    yield "seconding", line.get("seconded_at"), found.seconded_at
    yield "bytes", line.get("seconded_tbs_sha256") or "", " ".join(found.accepted)
    yield "urgency", line.get("urgent"), int(found.urgent)
    yield "end", line.get("closed_at"), found.closed
    yield "witness", (line.get("acknowledged_by"), line.get("acknowledged_at")), found.acknowledged
    if found.kind != DecisionKind.REVOKE or not found.urgent:
        yield "number of officers", line.get("officers"), found.wanted
    document = read_json(written)
    if found.urgent and "officers" in document:
        yield "number of officers", line.get("officers"), document["officers"]
    for column, member in _OF_PROPOSALS:
        yield member, line.get(column), document.get(member)
    if "lapses_at" in document:
        yield "last day", line.get("lapses_at"), perhaps(document["lapses_at"])


_OF_PROPOSALS = (
    ("application_id", "application"),
    ("approval", "approval"),
    ("issue", "issue"),
    ("amendment_request", "request"),
    ("breach", "breach"),
)
"""Columns of a decision, each with the member of its proposal that it repeats."""


def of_entered(line: Said, found: Decided | None, proposal: str) -> Iterator[Column]:
    """Yield the columns of a decision that a restore entered: the certificate carries the digest of its proposal."""
    yield "proposal", line.get("proposal_sha256"), proposal
    if found is not None:
        yield "kind", line.get("kind"), found.kind
        yield "proposer", line.get("proposer"), found.proposer
        yield "date", line.get("proposed_at"), found.proposed_at


def of_draft(line: Said, found: Drafted, state: Folded) -> Iterator[Column]:
    """Yield the columns of a draft: beside its bytes stands what these say."""
    issuer = state.hierarchy.get(str(line.get("issuer_serial")))
    if found.decision:  # of what a restore entered it was lost
        yield "decision", line.get("decision_id"), found.decision
    yield "approval", line.get("approval"), found.approval
    yield "issue", line.get("issue"), found.issue
    yield "digest", line.get("tbs_sha256"), found.tbs_sha256
    yield "issuing CA", None if issuer is None else issuer.key_id, found.issuer
    yield "beginning", line.get("not_before"), found.not_before
    yield "last second", line.get("not_after"), found.not_after
    yield "key", line.get("public_key_sha256"), found.key
    yield "state", line.get("state"), found.state
    yield "date", line.get("drafted_at"), found.at
    yield "claim", line.get("claimed_at"), found.claimed
    if line.get("serial") not in state.restored:
        yield "claim's lease", isinstance(line.get("claimed_epoch"), int), found.claimed is not None


def of_key(line: Said, found: Keyed) -> Iterator[Column]:
    """Yield the columns of a key."""
    yield "approval", line.get("approval"), found.approval
    yield "state", line.get("state"), found.state
    yield "since", line.get("since"), found.since


def of_list(line: Said, found: Listed) -> Iterator[Column]:
    """Yield the columns of a list: beside its bytes stands what these say."""
    yield "publication", line.get("published_at"), found.at
    if found.read:
        yield "date", line.get("this_update"), found.this_update
        yield "next date", line.get("next_update"), found.next_update
        yield "number of entries", line.get("entries"), found.entries


def of_approval(line: Said, found: Approved) -> Iterator[Column]:
    """Yield the columns of an approval."""
    yield "decision", line.get("decision_id"), found.decision
    yield "application", line.get("application_id"), found.application
    if found.organisation is not None:
        yield "organisation", line.get("organisation_id"), found.organisation
    for column, wanted in zip(DEVICE_COLUMNS, found.device.values(), strict=True):
        yield column.replace("_", " "), line.get(column), wanted
    yield "device in one word", line.get("device_key"), device_listed(line).key
    yield "grant", line.get("granted_at"), found.granted_at
    if line.get("start") not in found.starts:
        yield "start", line.get("start"), found.start
    if line.get("expiry") not in found.expiries:
        yield "expiry", line.get("expiry"), max(found.expiries)
    yield "end", line.get("ended_at"), found.ended_at
    yield "cause of its end", line.get("end_cause"), found.cause
    yield "who ended it", line.get("ended_by"), found.ended_by
    yield "recorded expiry", line.get("expiry_recorded_at"), found.expired


def of_terms(line: Said, found: Term, approval: str) -> Iterator[Column]:
    """Yield the columns of terms."""
    yield "approval", line.get("approval"), approval
    yield "decision", line.get("decision_id"), found.decision
    yield "beginning", line.get("effective"), found.effective
    yield "expiry", line.get("expiry"), found.expiry
    yield "limit", line.get("maximum_devices"), found.maximum
    yield "firmware", _firmware(line.get("firmware")), found.firmware


def of_certificate(line: Said, found: Cert, approval: Approved) -> Iterator[Column]:
    """Yield the columns of a certificate."""
    yield "approval", line.get("approval"), approval.identifier
    yield "issue", line.get("issue"), found.issue
    yield "digest", line.get("fingerprint"), found.sha256
    yield "key", line.get("public_key_sha256"), found.key
    yield "beginning", line.get("not_before"), found.not_before
    yield "last second", line.get("not_after"), found.not_after
    yield "signing", line.get("signed_at"), found.signed_at
    yield "revocation", line.get("revoked_at"), found.revoked_at
    if found.guessed and found.cause is not None:
        yield "reason", REASON_OF[EndCause(str(line.get("cause")))], REASON_OF[EndCause(found.cause)]
    else:
        yield "cause", line.get("cause"), found.cause
    yield "invalidity date", line.get("invalidity_date"), found.invalidity
    yield "supersession", line.get("superseded_at"), found.superseded_at
    yield "end", line.get("ends_at"), found.end()[0]
    final = line.get("final_at")
    yield "finality before its end", isinstance(final, int) and final < found.end()[0], False
    if not approval.restored:
        yield "first list", line.get("listed_in"), found.listed


def of_notice(line: Said, found: Noticed, state: Folded) -> Iterator[Column]:
    """Yield the columns of a notice; that its words are those that were written is told by their digest."""
    yield "kind", line.get("kind"), found.kind
    yield "decision", line.get("decision_id"), found.decision
    yield "words", line.get("record_salted_sha256"), found.sha256
    yield "date", line.get("written_at"), found.at
    yield "corrected notice", line.get("corrects"), found.corrects
    approval = state.approvals.get(str(found.subject))
    application = found.subject if approval is None else approval.application
    yield "approval", line.get("approval"), None if approval is None else approval.identifier
    if application is not None:
        yield "application", line.get("application_id"), application
    applied = state.applications.get(str(application))
    if applied is not None and applied.at is not None:
        yield "organisation", line.get("organisation_id"), applied.organisation
    serial, certificates = line.get("serial"), () if approval is None else approval.certs
    if found.serial != "":
        yield "certificate", serial, found.serial
    elif serial is not None:
        yield "certificate", serial in {each.serial for each in certificates}, True


def _firmware(written: object) -> tuple[tuple[str, str], ...]:
    try:
        return tuple((each["version"], each["image_sha256"]) for each in read_json(str(written)))
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()


def _unsigned(tbs: bytes) -> x509.Certificate:
    """Return a certificate over bytes that were to be signed, with no signature, to read what they say."""
    meant = TbsCertificate.load(tbs)
    parts = {"tbs_certificate": meant, "signature_algorithm": meant["signature"], "signature_value": b""}
    return one_certificate(Certificate(parts).dump())


def _key_id(certificate: x509.Certificate) -> str:
    found = extension(certificate.extensions, x509.SubjectKeyIdentifier)
    return "" if found is None else found.value.digest.hex()
