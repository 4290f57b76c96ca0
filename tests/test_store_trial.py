"""The tables of Section F around the certificate: every rule that the schema states is seen to refuse, by its name."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, func, select
from sqlalchemy.exc import IntegrityError

from store import trial_tables
from store.tables import decisions, metadata
from store.transactions import violated
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
from tests.planting import (
    A_DIGEST,
    OTHER,
    Plant,
    WrittenError,
    both,
    change,
    copy,
    furnished_worlds,
    rules_of,
    write_and_take_back,
)
from tests.trial_rows import ADDED_TO_DECISIONS, DAY, DEVICE_ID, OURS, again, furnish, turn
from tests.world import NOW, World

TRIAL = [each for each in vars(trial_tables).values() if isinstance(each, Table)]
NONE_OF_OURS = "TDT-2099-0001-X"
JUDGED = {"judged_at": NOW, "judged_by": "officer-1"}
LIMIT = breaches.c.id == "bre-limit"
SECONDED: dict[str, Any] = {
    "state": "seconded",
    "closed_at": None,
    "seconder": "officer-2",
    "seconded_at": NOW,
    "seconded_tbs_sha256": A_DIGEST,
    "issue": 90,
}

VIOLATIONS: list[tuple[str, str, Plant]] = [
    # --- decisions: what Section F added
    ("ck_decisions_certifying_issue", "a grant of no issue", turn(decisions, kind="grant")),
    ("ck_decisions_certifying_issue", "a new key of no issue", turn(decisions, kind="rekey")),
    ("ck_decisions_two_officers_at_least", "one officer is enough", turn(decisions, officers=1)),
    ("ck_decisions_breach_revokes", "a breach that withdraws", turn(decisions, kind="withdraw", breach="bre-ours")),
    ("ck_decisions_breach_revokes", "a breach that amends", turn(decisions, kind="amend", breach="bre-ours")),
    ("ck_decisions_acknowledged_whole", "informed and never", turn(decisions, acknowledged_by="officer-2")),
    ("ck_decisions_acknowledged_whole", "nobody was informed", turn(decisions, acknowledged_at=NOW)),
    (
        "ck_decisions_another_acknowledges",
        "the proposer is informed",
        turn(decisions, acknowledged_by="officer-1", acknowledged_at=NOW),
    ),
    ("ck_decisions_seconded_these_bytes", "seconded for no issue", turn(decisions, **SECONDED | {"issue": None})),
    (
        "ck_decisions_seconded_these_bytes",
        "seconded without its bytes",
        turn(decisions, **SECONDED | {"seconded_tbs_sha256": None}),
    ),
    # --- evidence (F2.19)
    ("pk_evidence_files", "one file twice", again(evidence_files)),
    ("ck_evidence_files_sha256_is_sha256", "a file by another name", again(evidence_files, sha256="ab")),
    ("ck_evidence_files_not_empty", "an empty file", turn(evidence_files, size=0)),
    ("pk_evidence", "evidence numbered twice", again(evidence, subject="app-other")),
    ("ck_evidence_subject_kind_known", "evidence of nothing known", turn(evidence, subject_kind="rumour")),
    ("fk_evidence_sha256", "evidence that is not there", turn(evidence, sha256=OTHER)),
    (
        "uq_evidence_subject_kind_subject_sha256_party",
        "one file twice for one thing",
        again(evidence, id="evi-other", classification="white"),
    ),
    ("ck_evidence_party_known", "evidence for nobody known", turn(evidence, party="press")),
    ("ck_evidence_classification_known", "evidence of no class", turn(evidence, classification="pink")),
    # --- receipts
    ("pk_receipts", "two of one act", again(receipts)),
    ("fk_receipts_approval", "an end of no approval", again(receipts, approval=NONE_OF_OURS)),
    ("fk_receipts_decision", "an end by no decision", again(receipts, decision="dec-none")),
    ("pk_receipt_lines", "told for the first time twice", again(receipt_lines)),
    ("ck_receipt_lines_told_known", "told to nobody known", again(receipt_lines, told="press", number=None)),
    ("ck_receipt_lines_not_before_it_began", "told before it was so", turn(receipt_lines, after=-1)),
    ("ck_receipt_lines_a_list_is_numbered", "a list of no number", turn(receipt_lines, number=None)),
    ("ck_receipt_lines_a_list_is_numbered", "an answer of a number", again(receipt_lines, told="ocsp")),
    ("fk_receipt_lines_receipt", "a line of no receipt", again(receipt_lines, decision="dec-none")),
    # --- calendars
    ("pk_calendar_addresses", "an address numbered twice", again(calendar_addresses, secret_sha256=OTHER)),
    ("uq_calendar_addresses_secret_sha256", "one secret twice", again(calendar_addresses, id="cal-other")),
    ("ck_calendar_addresses_secret_sha256_is_sha256", "a secret as it is", turn(calendar_addresses, secret_sha256="s")),
    ("ck_calendar_addresses_role_known", "an address of nobody known", turn(calendar_addresses, role="press")),
    (
        "fk_calendar_addresses_organisation_id",
        "an address of an organisation that is not there",
        turn(calendar_addresses, organisation_id="org-none"),
    ),
    # --- requirements (F2.20)
    ("pk_standing_requirements", "a standing requirement numbered twice", again(standing_requirements)),
    ("ck_standing_requirements_ended_whole", "ended by nobody", turn(standing_requirements, ended_at=NOW)),
    ("ck_standing_requirements_ended_whole", "ended and never", turn(standing_requirements, ended_by="officer-1")),
    ("pk_application_versions", "one version twice", again(application_versions)),
    ("ck_application_versions_counts", "a version before the first", turn(application_versions, version=0)),
    ("fk_application_versions_application_id", "of none", turn(application_versions, application_id="app-none")),
    ("pk_requirements", "a requirement numbered twice", again(requirements, standing_id=None)),
    (
        "ck_requirements_state_known",
        "a requirement in no state",
        turn(requirements, state="maybe", closed_at=NOW, reason=".", reason_class="red"),
    ),
    (
        "ck_requirements_closed_whole",
        "met and never",
        turn(requirements, state="met", reason=".", reason_class="amber"),
    ),
    (
        "ck_requirements_reason_class_known",
        "waived under no class that is known",
        turn(requirements, state="waived", closed_at=NOW, reason=".", reason_class="pink"),
    ),
    (
        "ck_requirements_reason_has_a_class",
        "waived under no class",
        turn(requirements, state="waived", closed_at=NOW, reason="."),
    ),
    ("ck_requirements_closed_whole", "closed and open", turn(requirements, closed_at=NOW)),
    (
        "ck_requirements_closed_for_a_reason",
        "waived for nothing",
        turn(requirements, state="waived", closed_at=NOW, reason="", reason_class="red"),
    ),
    (
        "fk_requirements_application_id",
        "a requirement of no application",
        turn(requirements, application_id="app-none"),
    ),
    (
        "fk_requirements_standing_id",
        "a standing requirement that never was",
        turn(requirements, standing_id="std-none"),
    ),
    ("uq_requirements_application_id_standing_id", "asked for twice", again(requirements, id="req-other")),
    # --- decisions and amendments (F2.29)
    ("pk_secondings", "one officer seconds twice", again(secondings)),
    ("fk_secondings_decision_id", "a seconding of nothing", again(secondings, decision_id="dec-none")),
    ("pk_restored_certificates", "a certificate is entered twice", again(restored_certificates)),
    ("fk_restored_certificates_serial", "nothing was entered", turn(restored_certificates, serial="00" * 16)),
    ("fk_restored_certificates_decision_id", "by nobody", turn(restored_certificates, decision_id="dec-none")),
    ("pk_witnesses", "one officer says it twice", again(witnesses, saw="disowned", why=".")),
    ("fk_witnesses_decision_id", "nothing was seen", again(witnesses, decision_id="dec-none")),
    ("ck_witnesses_saw_known", "another word", turn(witnesses, saw="maybe")),
    ("ck_witnesses_disowned_whole", "disowned, and why is not said", turn(witnesses, saw="disowned")),
    ("ck_witnesses_disowned_whole", "seen for a reason", turn(witnesses, why=".")),
    ("ck_witnesses_disowned_for_a_reason", "disowned for nothing", turn(witnesses, saw="disowned", why="")),
    ("pk_contacts", "a contact numbered twice", again(contacts, held_until=NOW)),
    ("uq_contacts_held", "two that hold", again(contacts, id="con-other")),
    ("ck_contacts_holds_and_ends", "ended before it began", turn(contacts, held_until=NOW - DAY)),
    ("fk_contacts_organisation_id", "a contact of nobody", turn(contacts, organisation_id="org-none")),
    ("fk_contacts_application_id", "stated in nothing", turn(contacts, application_id="app-none")),
    ("pk_end_requests", "a request numbered twice", again(end_requests, state="lapsed", closed_at=NOW)),
    ("uq_end_requests_open", "its end is asked for twice", again(end_requests, id="enr-other")),
    ("ck_end_requests_state_known", "in no state", turn(end_requests, state="maybe")),
    ("ck_end_requests_closed_whole", "taken back and never", turn(end_requests, state="withdrawn")),
    ("ck_end_requests_closed_whole", "closed and open", turn(end_requests, closed_at=NOW)),
    ("ck_end_requests_granted_by_decision", "granted by nothing", turn(end_requests, state="granted", closed_at=NOW)),
    ("ck_end_requests_granted_by_decision", "decided and open", turn(end_requests, decision_id="dec-ours")),
    ("ck_end_requests_answered_in_words", "refused in silence", turn(end_requests, state="refused", closed_at=NOW)),
    ("ck_end_requests_answered_in_words", "answered and open", turn(end_requests, answer=".", answered_by="officer-1")),
    (
        "ck_end_requests_answered_by_somebody",
        "answered by nobody",
        turn(end_requests, state="answered", closed_at=NOW, answer="."),
    ),
    ("fk_end_requests_approval", "a request of no approval", turn(end_requests, approval=NONE_OF_OURS)),
    (
        "fk_end_requests_decision_id",
        "decided by nothing",
        turn(end_requests, state="granted", closed_at=NOW, decision_id="dec-none"),
    ),
    ("pk_suspicions", "told twice", again(suspicions, notice="TTN-2027-0001")),
    ("uq_suspicions_notice", "two told in one notice", again(suspicions, breach_id="bre-limit")),
    (
        "ck_suspicions_answered_whole",
        "answered and never",
        turn(suspicions, answer=".", answered_by=".", answer_salt=b"."),
    ),
    (
        "ck_suspicions_answered_by_somebody",
        "by nobody",
        turn(suspicions, answer=".", answered_at=NOW, answer_salt=b"."),
    ),
    ("ck_suspicions_answered_under_a_salt", "bare", turn(suspicions, answer=".", answered_at=NOW, answered_by=".")),
    ("fk_suspicions_breach_id", "a suspicion of nothing", turn(suspicions, breach_id="bre-none")),
    ("fk_suspicions_notice", "told in nothing", turn(suspicions, notice="TDN-none")),
    ("pk_amendment_requests", "a request numbered twice", again(amendment_requests)),
    ("ck_amendment_requests_state_known", "a request in no state", turn(amendment_requests, state="maybe")),
    ("ck_amendment_requests_closed_whole", "granted and never", turn(amendment_requests, state="granted")),
    ("ck_amendment_requests_closed_whole", "refused and never", turn(amendment_requests, state="refused")),
    ("ck_amendment_requests_closed_whole", "taken back and never", turn(amendment_requests, state="withdrawn")),
    ("ck_amendment_requests_closed_whole", "closed and open", turn(amendment_requests, closed_at=NOW)),
    ("fk_amendment_requests_approval", "a request of no approval", turn(amendment_requests, approval=NONE_OF_OURS)),
    ("fk_amendment_requests_decision_id", "decided by nothing", turn(amendment_requests, decision_id="dec-none")),
    # --- conditions and breaches (F2.21(e), F2.23)
    ("pk_conditions", "a condition numbered twice", again(conditions)),
    ("ck_conditions_classification_known", "a condition of no class", turn(conditions, classification="secret")),
    ("ck_conditions_counts_from_one", "condition nought", again(conditions, number=0)),
    ("ck_conditions_ended_whole", "ended by nothing", turn(conditions, ended_at=NOW)),
    ("ck_conditions_ended_whole", "ended and never", turn(conditions, ended_by_decision="dec-ours")),
    ("fk_conditions_approval", "a condition of no approval", again(conditions, approval=NONE_OF_OURS)),
    ("fk_conditions_decision_id", "a condition that nobody set", turn(conditions, decision_id="dec-none")),
    (
        "fk_conditions_ended_by_decision",
        "ended by what never was",
        turn(conditions, ended_at=NOW, ended_by_decision="dec-none"),
    ),
    ("pk_breaches", "a breach numbered twice", again(breaches)),
    ("ck_breaches_state_known", "a breach in no state", turn(breaches, state="maybe", **JUDGED)),
    ("ck_breaches_judged_whole", "confirmed and never", turn(breaches, state="confirmed")),
    ("ck_breaches_judged_whole", "suspected and judged", turn(breaches, **JUDGED)),
    ("ck_breaches_judged_by_somebody", "dismissed by nobody", turn(breaches, state="dismissed", judged_at=NOW)),
    ("ck_breaches_judged_by_somebody", "judged and never", turn(breaches, judged_by="officer-1")),
    (
        "ck_breaches_answered_by_revocation",
        "answered by no revocation",
        turn(breaches, state="answered", closed_at=NOW, **JUDGED),
    ),
    (
        "ck_breaches_answered_by_revocation",
        "a revocation for what was dismissed",
        turn(breaches, state="dismissed", decision_id="dec-ours", **JUDGED),
    ),
    (
        "ck_breaches_closed_whole",
        "answered and never",
        turn(breaches, state="answered", decision_id="dec-ours", **JUDGED),
    ),
    ("ck_breaches_closed_whole", "closed and never", turn(breaches, state="closed", **JUDGED)),
    ("ck_breaches_closed_whole", "closed and still owed", turn(breaches, state="confirmed", closed_at=NOW, **JUDGED)),
    ("fk_breaches_approval", "a breach of no approval", change(breaches, LIMIT, approval=NONE_OF_OURS)),
    ("fk_breaches_condition", "a breach of a condition that never was", turn(breaches, condition=91)),
    (
        "fk_breaches_decision_id",
        "answered by what never was",
        turn(breaches, state="answered", closed_at=NOW, decision_id="dec-none", **JUDGED),
    ),
    ("uq_breaches_open_limit", "the limit suspected twice", copy(breaches, LIMIT, id="bre-other")),
    (
        "uq_breaches_open_limit",
        "suspected while it is confirmed",
        both(change(breaches, LIMIT, state="confirmed", **JUDGED), again(breaches, id="bre-other", condition=None)),
    ),
    # --- notices (F2.21, F2.22, F2.24, F2.30)
    ("pk_notice_counters", "a year counted twice", again(notice_counters)),
    ("pk_notices", "a notice numbered twice", again(notices, decision_id="dec-other")),
    ("ck_notices_kind_known", "a notice of no kind", turn(notices, kind="gossip")),
    ("uq_notices_told_of_approval", "two of one end", again(notices, number="TDN-other")),
    (
        "uq_notices_told",
        "two of one refusal",
        both(turn(notices, approval=None, serial=None), again(notices, number="TDN-other")),
    ),
    ("fk_notices_decision_id", "a notice of no decision", turn(notices, decision_id="dec-none")),
    ("fk_notices_approval", "a notice of no approval", turn(notices, approval=NONE_OF_OURS)),
    ("fk_notices_application_id", "a notice of no application", turn(notices, application_id="app-none")),
    ("fk_notices_organisation_id", "a notice to nobody", turn(notices, organisation_id="org-none")),
    ("fk_notices_serial", "a notice with no certificate", turn(notices, serial="77" * 16)),
    ("ck_notices_tells_of_a_decision", "decided by nobody", turn(notices, decision_id=None)),
    ("ck_notices_correction_names_one", "a grant that corrects", turn(notices, corrects="TDN-2027-0001")),
    (
        "fk_notices_corrects",
        "a correction of no notice",
        turn(notices, kind="correction", corrects="TDN-none"),
    ),
    ("pk_notice_copies", "two copies for one recipient", again(notice_copies)),
    ("ck_notice_copies_recipient_known", "a copy for the public", again(notice_copies, recipient="press")),
    ("ck_notice_copies_classification_known", "a copy of no class", turn(notice_copies, classification="secret")),
    (
        "ck_notice_copies_document_sha256_is_sha256",
        "a copy that is not hashed",
        turn(notice_copies, document_sha256="ab"),
    ),
    ("fk_notice_copies_notice", "a copy of no notice", again(notice_copies, notice="TDN-none")),
    ("pk_renderings", "one document made twice", again(renderings)),
    ("ck_renderings_form_known", "a document in no form", turn(renderings, form="odt")),
    ("ck_renderings_sha256_is_sha256", "a document that is not hashed", turn(renderings, sha256="ab")),
    ("pk_deliveries", "a delivery numbered twice", again(deliveries, address="other@example.org")),
    ("ck_deliveries_channel_known", "a delivery by fax", turn(deliveries, channel="fax")),
    ("ck_deliveries_state_known", "a delivery in no state", turn(deliveries, state="lost")),
    ("ck_deliveries_delivered_whole", "delivered and never", turn(deliveries, state="delivered")),
    ("ck_deliveries_delivered_whole", "delivered and waiting", turn(deliveries, delivered_at=NOW)),
    ("fk_deliveries_copy", "a delivery to whom there is no copy for", turn(deliveries, recipient="panel")),
    (
        "uq_deliveries_notice_recipient_channel_address",
        "sent twice to one address",
        again(deliveries, id="dlv-other"),
    ),
    ("pk_reminders", "reminded twice of one thing", again(reminders)),
    # --- the Central Products List (F2.27, F2.31)
    ("pk_cpl_instructions", "an instruction numbered twice", again(cpl_instructions)),
    ("ck_cpl_instructions_kind_known", "an instruction of no kind", turn(cpl_instructions, kind="hide")),
    ("ck_cpl_instructions_state_known", "an instruction in no state", turn(cpl_instructions, state="lost")),
    ("ck_cpl_instructions_acknowledged_whole", "loaded and never", turn(cpl_instructions, state="loaded")),
    (
        "ck_cpl_instructions_acknowledged_whole",
        "rejected and never",
        turn(cpl_instructions, state="rejected", reason="."),
    ),
    (
        "ck_cpl_instructions_acknowledged_by_somebody",
        "loaded by nobody",
        turn(cpl_instructions, state="loaded", acknowledged_at=NOW),
    ),
    (
        "ck_cpl_instructions_acknowledged_by_somebody",
        "acknowledged and never",
        turn(cpl_instructions, acknowledged_by="panel-desk"),
    ),
    (
        "ck_cpl_instructions_rejected_for_a_reason",
        "rejected for nothing",
        turn(cpl_instructions, state="rejected", reason="", acknowledged_at=NOW, acknowledged_by="panel-desk"),
    ),
    ("fk_cpl_instructions_approval", "an instruction of no approval", turn(cpl_instructions, approval=NONE_OF_OURS)),
    ("pk_ncsc_certificates", "certified twice", again(ncsc_certificates)),
    ("fk_ncsc_certificates_approval", "certified without an approval", turn(ncsc_certificates, approval=NONE_OF_OURS)),
    ("pk_additions", "an addition judged in two rows", again(additions)),
    ("ck_additions_said_known", "an addition that may be", turn(additions, said="may be")),
    ("fk_additions_approval", "an addition of no approval", turn(additions, approval=NONE_OF_OURS)),
    # --- deployments and reports (F2.28)
    ("pk_deployment_batches", "a batch numbered twice", again(deployment_batches)),
    ("ck_deployment_batches_form_known", "a batch in no form", turn(deployment_batches, form="fax")),
    (
        "ck_deployment_batches_content_sha256_is_sha256",
        "a batch that is not hashed",
        turn(deployment_batches, content_sha256="ab"),
    ),
    ("pk_deployments", "a deployment numbered twice", again(deployments, device_id=DEVICE_ID[::-1])),
    (
        "ck_deployments_device_id_is_eui64",
        "a device without its dashes",
        turn(deployments, device_id="00DB123456789001"),
    ),
    (
        "ck_deployments_deployed_first",
        "decommissioned before deployed",
        turn(deployments, decommissioned_at=NOW - DAY, decommission_recorded_at=NOW),
    ),
    ("ck_deployments_decommissioned_whole", "decommissioned unheard", turn(deployments, decommissioned_at=NOW)),
    (
        "ck_deployments_decommissioned_whole",
        "heard of and still there",
        turn(deployments, decommission_recorded_at=NOW),
    ),
    ("ck_deployments_voided_whole", "voided for nothing", turn(deployments, voided_at=NOW)),
    ("ck_deployments_voided_whole", "a reason to void and no instant", turn(deployments, void_reason=".")),
    ("fk_deployments_approval", "deployed under no approval", turn(deployments, approval=NONE_OF_OURS)),
    ("fk_deployments_batch_id", "deployed in no batch", turn(deployments, batch_id="dpb-none")),
    (
        "fk_deployments_decommission_batch_id",
        "decommissioned in no batch",
        turn(deployments, decommission_batch_id="dpb-none"),
    ),
    ("fk_deployments_void_batch_id", "voided in no batch", turn(deployments, void_batch_id="dpb-none")),
    ("uq_deployments_device", "one device in two places", again(deployments, id=9_999)),
    ("pk_limit_comparisons", "one limit compared twice", again(limit_comparisons)),
    ("fk_limit_comparisons_approval", "a limit of no approval", turn(limit_comparisons, approval=NONE_OF_OURS)),
    ("pk_undone_ends", "one end taken back twice", again(undone_ends)),
    ("fk_undone_ends_deployment_id", "an end of nothing", turn(undone_ends, deployment_id=9_997)),
    ("fk_undone_ends_batch_id", "taken back in no batch", turn(undone_ends, batch_id="dpb-none")),
    ("pk_report_questions", "a question numbered twice", again(report_questions)),
    ("ck_report_questions_single_or_standing", "a question for a year", turn(report_questions, month="2099")),
    ("ck_report_questions_single_or_standing", "a single one that is ended", turn(report_questions, ended_at=NOW)),
    ("pk_report_answers", "one question answered twice", again(report_answers)),
    ("ck_report_answers_month_is_one", "an answer in a year", turn(report_answers, month="2099")),
    ("fk_report_answers_question_id", "an answer to nothing", turn(report_answers, question_id="ask-none")),
    ("pk_report_remarks", "a remark numbered twice", again(report_remarks)),
    ("ck_report_remarks_month_is_one", "a remark on a year", turn(report_remarks, month="2099")),
    ("pk_reports", "a month reported twice", again(reports, until=NOW + 2 * DAY)),
    ("ck_reports_month_is_one", "a report of a year", turn(reports, month="2099")),
    ("ck_reports_period", "a report of no time", turn(reports, since=NOW + DAY)),
    ("ck_reports_document_sha256_is_sha256", "a report that is not hashed", turn(reports, document_sha256="ab")),
    ("uq_reports_until", "two reports up to one instant", again(reports, month="2099-02")),
]
"""The rule that is broken, how, and by what; each breaks that rule and no other."""

RULES = {name: said for table in [*TRIAL, decisions] for name, said in rules_of(table).items()}


@pytest.fixture(scope="module")
def furnished(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Callable[[str], World]]:
    yield from furnished_worlds(store_copy, keys_folder, furnish)


@pytest.mark.parametrize(
    ("rule", "plant"),
    [(each[0], each[2]) for each in VIOLATIONS],
    ids=[f"{rule}: {how}" for rule, how, _ in VIOLATIONS],
)
def test_what_must_never_be_true_cannot_be_written(
    furnished: Callable[[str], World], store_kind: str, rule: str, plant: Plant
) -> None:
    with pytest.raises(IntegrityError) as refused:
        write_and_take_back(furnished(store_kind).store, plant)
    assert violated(refused.value) == (rule if store_kind == "postgresql" else RULES[rule])


def test_every_rule_was_tried() -> None:
    stated = {name for table in TRIAL for name in rules_of(table)} | ADDED_TO_DECISIONS
    assert {rule for rule, _, _ in VIOLATIONS} == stated
    assert len(TRIAL) == 34


def test_every_table_was_tried(furnished: Callable[[str], World], store_kind: str) -> None:
    with furnished(store_kind).store.read() as tx:
        counts = {
            name: tx.connection.execute(select(func.count()).select_from(table)).scalar()
            for name, table in metadata.tables.items()
        }
    assert [name for name, count in counts.items() if not count] == [], "a violation in an empty table proves nothing"
    assert set(OURS) == {*TRIAL, decisions}


def test_no_column_that_must_be_told_can_be_left_out(furnished: Callable[[str], World], store_kind: str) -> None:
    store = furnished(store_kind).store
    told = {column for table in TRIAL for column in table.columns if not column.nullable} - {
        deployments.c.id,
        notice_counters.c.year,
    }
    assert len(told) > 100
    for column in told:
        with pytest.raises(IntegrityError) as refused:
            write_and_take_back(store, turn(column.table, **{column.name: None}))
        if store_kind == "postgresql":
            assert refused.value.orig is not None
            assert refused.value.orig.diag.column_name == column.name  # type: ignore[attr-defined]
        else:
            assert violated(refused.value) == f"NOT NULL constraint failed: {column}"


def test_the_rules_refuse_no_more_than_they_should(furnished: Callable[[str], World], store_kind: str) -> None:
    gone = {"decommissioned_at": NOW, "decommission_recorded_at": NOW, "decommission_batch_id": "dpb-ours"}
    loaded = {"acknowledged_at": NOW, "acknowledged_by": "panel-desk"}
    allowed: list[Plant] = [
        turn(decisions, urgent=1, officers=1, acknowledged_by="officer-2", acknowledged_at=NOW),
        turn(decisions, breach="bre-ours"),
        turn(decisions, **SECONDED),
        turn(decisions, kind="amend"),  # of what no certificate says
        both(
            turn(end_requests, state="answered", closed_at=NOW, answer=".", answered_by="officer-1"),
            again(end_requests, id="enr-other", state="open", closed_at=None, answer=None, answered_by=None),
        ),
        turn(suspicions, answer=".", answer_salt=b".", answered_at=NOW, answered_by="acme-desk"),
        turn(contacts, held_until=NOW),
        both(turn(contacts, held_until=NOW), again(contacts, id="con-other", held_until=None)),
        again(evidence, id="evi-other", subject_kind="breach"),
        turn(standing_requirements, ended_at=NOW, ended_by="officer-1"),
        turn(requirements, state="waived", closed_at=NOW, closed_by="officer-1", reason=".", reason_class="red"),
        again(evidence, id="evi-other", party="ssc", classification="red"),
        again(calendar_addresses, id="cal-other", secret_sha256=OTHER),
        turn(calendar_addresses, revoked_at=NOW),
        again(requirements, id="req-other", standing_id=None),
        again(receipt_lines, told="ocsp", number=None, after=0),
        again(secondings, officer="officer-3", tbs_sha256=A_DIGEST),
        turn(witnesses, saw="disowned", why="."),
        again(witnesses, officer="officer-1"),
        turn(amendment_requests, state="proposed", decision_id="dec-ours"),
        turn(amendment_requests, state="withdrawn", closed_at=NOW),
        turn(conditions, ended_at=NOW, ended_by_decision="dec-ours"),
        turn(breaches, state="answered", decision_id="dec-ours", closed_at=NOW, **JUDGED),
        turn(breaches, state="closed", closed_at=NOW, **JUDGED),  # its approval ended otherwise
        both(
            change(breaches, LIMIT, state="dismissed", **JUDGED),
            again(breaches, id="bre-other", condition=None),
        ),
        turn(notices, approval=None, serial=None, kind="refusal"),
        again(notice_copies, recipient="panel", withheld=2),
        again(renderings, form="xlsx"),
        again(deliveries, id="dlv-other", channel="webhook"),
        turn(deliveries, state="delivered", delivered_at=NOW, attempts=3),
        again(cpl_instructions, id="cpl-other"),
        turn(cpl_instructions, state="loaded", **loaded),
        turn(cpl_instructions, state="rejected", reason="The entry is there.", **loaded),
        turn(cpl_instructions, state="superseded"),
        both(turn(deployments, **gone), again(deployments, id=9_999, **dict.fromkeys(gone))),
        both(
            turn(deployments, voided_at=NOW, void_reason="."),
            again(deployments, id=9_999, voided_at=None, void_reason=None),
        ),
        again(reports, month="2099-02", since=None, until=NOW + 2 * DAY),
    ]
    for plant in allowed:
        with pytest.raises(WrittenError):
            write_and_take_back(furnished(store_kind).store, plant)
