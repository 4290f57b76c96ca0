"""The kit's own rules of status say what ours say: it is written a second time, and never from the same lines."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.approval import ApprovalRecord
from core.instants import seconds, text
from core.reasons import ReasonCode, texts
from core.status import Status, approval_status, certificate_status
from tests.test_status import EVERY_INSTANT, SPAN, arbitrary, instant
from verify.kit.status import Life, Spans
from verify.kit.words import WORDS, said


def perhaps(at: datetime | None) -> str | None:
    return None if at is None else text(at)


def document(record: ApprovalRecord, issuers: list[datetime | None]) -> dict[str, Any]:
    return {
        "approval": record.identifier,
        "device": record.device.said(),
        "granted": text(record.granted_at),
        "start": text(record.start),
        "terms": [
            {
                "issue": each.issue,
                "effective": text(each.effective),
                "expiry": text(each.expiry),
                "maximum_devices": each.maximum_devices,
                "firmware": [{"version": one.version, "image_digest": one.image_digest} for one in each.firmware],
            }
            for each in record.terms
        ],
        "certificates": [
            {
                "serial": each.serial,
                "issue": each.issue,
                "sha256": each.fingerprint,
                "not_before": text(each.not_before),
                "not_after": text(each.not_after),
                "signed_at": text(each.signed_at),
                "revoked_at": perhaps(each.revoked_at),
                "cause": each.cause,
                "invalidity_date": perhaps(each.invalidity_date),
                "superseded_at": perhaps(each.superseded_at),
                "issuer_ended_at": perhaps(ended),
            }
            for each, ended in zip(record.certificates, issuers, strict=True)
        ],
        "ended_at": perhaps(record.ended_at),
        "end_cause": record.end_cause,
        "disputed": [],
    }


def with_issuers(record: ApprovalRecord, ended: list[datetime | None]) -> ApprovalRecord:
    certificates = tuple(replace(each, issuer_ended_at=at) for each, at in zip(record.certificates, ended, strict=True))
    return replace(record, certificates=certificates)


def as_kit(life: Life, spans: Spans, at: datetime) -> tuple[object, ...]:
    verdict, change = spans.at(seconds(at))
    terms = life.terms_of(verdict)
    return (
        verdict.state.value,
        [said(code, life.words(verdict)) for code in verdict.codes],
        None if verdict.certificate is None else verdict.certificate.serial,
        None if terms is None else terms["issue"],
        change,
    )


def as_ours(status: Status) -> tuple[object, ...]:
    return (
        status.state.value,
        [
            {"code": one.code.value, "clause": one.clause, "detail": one.detail, "remedy": one.remedy}
            for one in status.reasons
        ],
        None if status.certificate is None else status.certificate.serial,
        None if status.terms is None else status.terms.issue,
        None if status.next_change is None else seconds(status.next_change),
    )


@given(arbitrary(), st.lists(st.none() | st.integers(0, SPAN - 1).map(instant), min_size=3, max_size=3))
def test_both_say_the_same_of_every_record_at_every_instant(
    record: ApprovalRecord, issuers: list[datetime | None]
) -> None:
    ended = issuers[: len(record.certificates)]
    record = with_issuers(record, ended)
    life = Life(document(record, ended))
    for at in EVERY_INSTANT:
        assert as_kit(life, life.approval, at) == as_ours(approval_status(record, at))
        for each in record.certificates:
            assert as_kit(life, life.by_serial[each.serial], at) == as_ours(certificate_status(record, each, at))


def test_every_reason_is_worded_as_ours() -> None:
    assert {code.value: texts(code) for code in ReasonCode} == {
        code: words for code, words in WORDS.items() if code != "not-known-to-a-copy"
    }
