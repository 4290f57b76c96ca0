"""One row of our own in every table of Section F, and how to change it or to write it once more."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Table, insert, select

from core.instants import text
from core.register import Moment, register_octets
from store.console_tables import application_drafts, console_sessions, draft_changes, invitations, passkeys
from store.log_tables import checkpoints, log_tiles, registers
from store.tables import approvals, certificates, credentials, decisions, organisations
from store.transactions import Transaction
from store.trial_tables import (
    additions,
    amendment_requests,
    application_versions,
    breaches,
    calendar_addresses,
    conditions,
    contacts,
    cpl_instructions,
    deliveries,
    deployment_batches,
    deployments,
    end_requests,
    evidence,
    evidence_files,
    limit_comparisons,
    ncsc_certificates,
    notice_copies,
    notice_counters,
    notices,
    receipt_lines,
    receipts,
    reminders,
    renderings,
    report_answers,
    report_questions,
    report_remarks,
    reports,
    requirements,
    restored_certificates,
    secondings,
    standing_requirements,
    suspicions,
    undone_ends,
    witnesses,
)
from tests.committee_world import committee_rows
from tests.planting import A_DIGEST, Plant, change, copy
from tests.world import NOW, World

DAY = timedelta(days=1)
SALT = b"salt of sixteen."
ADDED_TO_DECISIONS = {
    "ck_decisions_certifying_issue",
    "ck_decisions_two_officers_at_least",
    "ck_decisions_breach_revokes",
    "ck_decisions_acknowledged_whole",
    "ck_decisions_another_acknowledges",
    "ck_decisions_seconded_these_bytes",
}
"""Rules that revision 0002 gave to decisions, or wrote anew."""

DEVICE_ID = "00-DB-12-34-56-78-90-01"

OURS: dict[Table, Any] = {
    calendar_addresses: calendar_addresses.c.id == "cal-ours",
    decisions: decisions.c.id == "dec-ours",
    contacts: contacts.c.id == "con-ours",
    evidence_files: evidence_files.c.sha256 == A_DIGEST,
    evidence: evidence.c.id == "evi-ours",
    standing_requirements: standing_requirements.c.id == "std-ours",
    requirements: requirements.c.id == "req-ours",
    secondings: secondings.c.decision_id == "dec-ours",
    witnesses: witnesses.c.decision_id == "dec-ours",
    application_versions: application_versions.c.application_id != "",
    restored_certificates: restored_certificates.c.decision_id == "dec-ours",
    amendment_requests: amendment_requests.c.id == "amr-ours",
    end_requests: end_requests.c.id == "enr-ours",
    conditions: conditions.c.number == 90,
    breaches: breaches.c.id == "bre-ours",
    suspicions: suspicions.c.breach_id == "bre-ours",
    notice_counters: notice_counters.c.year == 2099,
    notices: notices.c.number == "TDN-ours",
    notice_copies: notice_copies.c.notice == "TDN-ours",
    renderings: renderings.c.subject == "TDN-ours",
    deliveries: deliveries.c.id == "dlv-ours",
    reminders: reminders.c.key == "ours",
    cpl_instructions: cpl_instructions.c.id == "cpl-ours",
    ncsc_certificates: ncsc_certificates.c.certificate == "ours",
    additions: additions.c.judged_by == "ours",
    deployment_batches: deployment_batches.c.id == "dpb-ours",
    deployments: deployments.c.device_id == DEVICE_ID,
    limit_comparisons: limit_comparisons.c.issue == 90,
    undone_ends: undone_ends.c.deployment_id == 9_998,
    report_questions: report_questions.c.id == "ask-ours",
    report_answers: report_answers.c.question_id == "ask-ours",
    report_remarks: report_remarks.c.id == "rem-ours",
    reports: reports.c.month == "2099-01",
    receipts: receipts.c.decision == "dec-ours",
    receipt_lines: receipt_lines.c.decision == "dec-ours",
}
"""By table: the row that these tests wrote; what use cases may have written beside it is left alone."""


def turn(table: Table, **values: Any) -> Plant:
    """Change our row of a table."""
    return change(table, OURS[table], **values)


def again(table: Table, **values: Any) -> Plant:
    """Write our row of a table once more, with these values changed."""
    return copy(table, OURS[table], **values)


def of_the_console(credential: str) -> list[tuple[Table, dict[str, Any]]]:
    """An invitation, its passkey and a session, of one credential."""
    whose = {"credential_id": credential}
    life = {"secret_sha256": A_DIGEST, "expires_at": NOW + DAY}
    key = {"key_id": b"k", "public_key": b"p", "sign_count": 0, "enrolled_at": NOW}
    return [
        (invitations, {"id": "inv-ours", "made_at": NOW, **life, **whose}),
        (passkeys, {"id": "psk-ours", "invitation_id": "inv-ours", **key, **whose}),
        (console_sessions, {"id": "ses-ours", "challenge_sha256": A_DIGEST, "begun_at": NOW, **life, **whose}),
    ]


def of_the_log() -> list[tuple[Table, dict[str, Any]]]:
    """What there is in a log that has more rows than this world."""
    root, signed = {"root": bytes(32)}, {"sha256": bytes(32), "signature": b"s"}
    return [
        (log_tiles, {"level": 0, "place": 0, "octets": b"t", **root}),
        (checkpoints, {"size": 256, "note": "n", "signed_at": NOW, **root}),
        (registers, {"size": 256, "log": "l", "signer": "s", "at": NOW, "signed_at": NOW, **root, **signed}),
    ]


def empty_register() -> dict[str, Any]:
    """What was signed, by nobody, of a register without approvals."""
    of = Moment(log="a log", size=1, root=bytes(32), at=text(NOW))
    digest = sha256(b"".join(register_octets([], of))).digest()
    signed = {"sha256": digest, "signature": b"s", "signer": "s", "signed_at": NOW}
    return {"size": of.size, "log": of.log, "root": of.root, "at": NOW, **signed}


def furnish(_world: World, tx: Transaction) -> None:
    """At least one row in every table, its words as empty as the rules allow."""
    about = tx.connection.execute(select(approvals).limit(1)).one()
    approval, application = about.identifier, about.application_id
    by = {"set_at": NOW, "set_by": "officer-1"}
    rows: list[tuple[Table, dict[str, Any]]] = [
        *of_the_log(),
        *committee_rows(application),
        (
            application_drafts,
            {
                "draft": "dft-ours",
                "part": "device",
                "organisation_id": tx.connection.execute(select(organisations.c.id).limit(1)).scalar_one(),
                "said": "{}",
                "version": 1,
                "kept_at": NOW,
                "kept_by": "",
            },
        ),
        (draft_changes, {"draft": "dft-ours", "application_id": application, "version": 1}),
        (application_versions, {"application_id": application, "version": 1, "said": "{}"}),
        *of_the_console(str(tx.connection.execute(select(credentials.c.id).limit(1)).scalar_one())),
        (
            decisions,
            {
                "id": "dec-ours",
                "kind": "revoke",
                "state": "rejected",
                "approval": approval,
                "proposal": "{}",
                "proposal_sha256": A_DIGEST,
                "reasons": "",
                "reasons_salt": SALT,
                "findings": "[]",
                "proposer": "officer-1",
                "proposed_at": NOW,
                "closed_at": NOW,
            },
        ),
        (
            contacts,
            {
                "id": "con-ours",
                "organisation_id": about.organisation_id,
                "notices": "",
                "urgent": "",
                "salt": SALT,
                "held_from": NOW,
                "set_by": "acme-desk",
            },
        ),
        (evidence_files, {"sha256": A_DIGEST, "size": 1, "octets": b"."}),
        (
            evidence,
            {
                "id": "evi-ours",
                "subject_kind": "application",
                "subject": application,
                "sha256": A_DIGEST,
                "name": "a.txt",
                "media_type": "text/plain",
                "size": 1,
                "salt": SALT,
                "attached_at": NOW,
                "attached_by": "acme-desk",
                "party": "manufacturer",
                "classification": "amber",
            },
        ),
        (
            calendar_addresses,
            {
                "id": "cal-ours",
                "secret_sha256": A_DIGEST,
                "name": "",
                "owner": "panel",
                "role": "panel",
                "made_at": NOW,
            },
        ),
        (standing_requirements, {"id": "std-ours", "text": "A report.", **by}),
        (
            requirements,
            {"id": "req-ours", "application_id": application, "standing_id": "std-ours", "text": ".", "state": "open"}
            | by,
        ),
        (secondings, {"decision_id": "dec-ours", "officer": "officer-2", "at": NOW}),
        (witnesses, {"decision_id": "dec-ours", "officer": "officer-3", "saw": "seen", "at": NOW}),
        (
            restored_certificates,
            {
                "serial": tx.connection.execute(select(certificates.c.serial).limit(1)).scalar_one(),
                "decision_id": "dec-ours",
                "restored_at": NOW,
                "source": "the memory",
                "unknown": "",
            },
        ),
        (
            amendment_requests,
            {
                "id": "amr-ours",
                "approval": approval,
                "state": "open",
                "asked": "{}",
                "reasons": ".",
                "asked_at": NOW,
                "asked_by": "acme-desk",
            },
        ),
        (
            end_requests,
            {
                "id": "enr-ours",
                "approval": approval,
                "state": "open",
                "reasons": ".",
                "asked_at": NOW,
                "asked_by": "acme-desk",
            },
        ),
        (
            conditions,
            {
                "approval": approval,
                "number": 90,
                "decision_id": "dec-ours",
                "text": ".",
                "classification": "amber",
                "recipients": " dcc ",
                "salt": SALT,
                "set_at": NOW,
            },
        ),
        (breaches, _breach(approval, "bre-ours", 90)),
        (breaches, _breach(approval, "bre-limit", None)),
        (notice_counters, {"year": 2099, "last": 1}),
        (
            notices,
            {
                "number": "TDN-ours",
                "kind": "revocation",
                "decision_id": "dec-ours",
                "approval": approval,
                "application_id": application,
                "organisation_id": about.organisation_id,
                "serial": tx.connection.execute(select(certificates.c.serial).limit(1)).scalar_one(),
                "record": "{}",
                "record_salt": SALT,
                "written_at": NOW,
            },
        ),
        (
            suspicions,
            {
                "breach_id": "bre-ours",
                "told": ".",
                "told_salt": SALT,
                "told_at": NOW,
                "told_by": "officer-1",
                "notice": "TDN-ours",
            },
        ),
        (
            notice_copies,
            {
                "notice": "TDN-ours",
                "recipient": "dcc",
                "classification": "amber",
                "withheld": 0,
                "document": "{}",
                "document_sha256": A_DIGEST,
            },
        ),
        (renderings, {"subject": "TDN-ours", "form": "pdf", "sha256": A_DIGEST, "octets": b".", "made_at": NOW}),
        (
            deliveries,
            {
                "id": "dlv-ours",
                "notice": "TDN-ours",
                "recipient": "dcc",
                "channel": "mail",
                "address": "dcc@example.org",
                "state": "waiting",
                "due": NOW,
                "opened_at": NOW,
            },
        ),
        (reminders, {"key": "ours", "sent_at": NOW}),
        (
            cpl_instructions,
            {
                "id": "cpl-ours",
                "approval": approval,
                "firmware_version": "0002012F",
                "firmware_key": "0002012f",
                "kind": "add",
                "entry": "{}",
                "due": NOW,
                "cause": "dec-ours",
                "instructed_at": NOW,
                "state": "pending",
            },
        ),
        (
            ncsc_certificates,
            {
                "approval": approval,
                "certificate": "ours",
                "certified_on": NOW,
                "recorded_at": NOW,
                "recorded_by": "officer-1",
            },
        ),
        (additions, {"approval": approval, "said": "waits", "judged_at": NOW, "judged_by": "ours"}),
        (
            deployment_batches,
            {
                "id": "dpb-ours",
                "form": "json",
                "content_sha256": A_DIGEST,
                "received_at": NOW,
                "received_by": "dcc-system",
            },
        ),
        (
            deployments,
            {
                "id": 9_998,
                "device_id": DEVICE_ID,
                "approval": approval,
                "firmware_version": "0002012F",
                "deployed_at": NOW,
                "recorded_at": NOW,
                "batch_id": "dpb-ours",
            },
        ),
        (limit_comparisons, {"approval": approval, "issue": 90, "compared_at": NOW}),
        (
            undone_ends,
            {
                "deployment_id": 9_998,
                "decommissioned_at": NOW,
                "recorded_at": NOW,
                "undone_at": NOW,
                "batch_id": "dpb-ours",
                "reason": ".",
            },
        ),
        (
            report_questions,
            {"id": "ask-ours", "month": "2099-01", "text": ".", "asked_at": NOW, "asked_by": "officer-1"},
        ),
        (
            report_answers,
            {
                "question_id": "ask-ours",
                "month": "2099-01",
                "text": ".",
                "answered_at": NOW,
                "answered_by": "dcc-system",
            },
        ),
        (report_remarks, {"id": "rem-ours", "month": "2099-01", "text": ".", "made_at": NOW, "made_by": "dcc-system"}),
        (
            reports,
            {
                "month": "2099-01",
                "since": NOW,
                "until": NOW + DAY,
                "document": "{}",
                "document_sha256": A_DIGEST,
                "issued_at": NOW,
                "issued_by": "dcc-system",
            },
        ),
        (
            receipts,
            {"approval": approval, "decision": "dec-ours", "ended_at": NOW, "certificates": 1, "began": 1_000},
        ),
        (
            receipt_lines,
            {"approval": approval, "decision": "dec-ours", "told": "list", "after": 40, "number": 7},
        ),
    ]
    for table, row in rows:
        tx.connection.execute(insert(table).values(**row))


def _breach(approval: str, identifier: str, condition: int | None) -> dict[str, Any]:
    return {
        "id": identifier,
        "approval": approval,
        "condition": condition,
        "state": "suspected",
        "note": ".",
        "suspected_at": NOW,
        "suspected_by": "officer-1",
    }
