"""What the log says of an approval: the same answers follow from it, and nothing that is not public is in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.approval import ApprovalRecord, CertificateRecord, Device, EndCause, Firmware, Terms
from core.canonical import Json, canonical, read_json
from core.identifiers import Serial
from core.public_record import disputed_of, document, leaf_data, public_part, record_of
from core.status import approval_status, certificate_status

FIRST = datetime(2027, 1, 4, tzinfo=UTC)
instants = st.integers(0, 400 * 86_400).map(lambda each: FIRST + timedelta(seconds=each))
perhaps = st.none() | instants
causes = st.none() | st.sampled_from(EndCause)
words = st.text(max_size=30)
firmware = st.builds(Firmware, version=words, image_digest=words)
terms = st.builds(
    Terms,
    issue=st.just(0),
    effective=instants,
    expiry=instants,
    maximum_devices=st.integers(0, 10**6),
    firmware=st.lists(firmware, max_size=2).map(tuple),
    decision=words,
)
certificates = st.builds(
    CertificateRecord,
    serial=st.integers(0, 2**64).map(lambda each: Serial(f"{each:032X}")),
    issue=st.just(0),
    fingerprint=words,
    not_before=instants,
    not_after=instants,
    signed_at=instants,
    revoked_at=perhaps,
    cause=causes,
    invalidity_date=perhaps,
    superseded_at=perhaps,
    issuer_ended_at=perhaps,
    public_key_sha256=words,
)


@st.composite
def records(draw: st.DrawFn) -> ApprovalRecord:
    agreed = draw(st.lists(terms, min_size=1, max_size=3))
    issued = draw(st.lists(certificates, max_size=len(agreed)))
    return ApprovalRecord(
        identifier=draw(words),
        organisation=draw(words),
        device=draw(st.builds(Device, type=words, manufacturer=words, model=words, hardware_version=words)),
        granted_at=draw(instants),
        start=draw(instants),
        terms=tuple(replace(each, issue=issue) for issue, each in enumerate(agreed, 1)),
        certificates=tuple(replace(each, issue=issue) for issue, each in enumerate(issued, 1)),
        ended_at=draw(perhaps),
        end_cause=draw(causes),
    )


@given(records(), st.frozensets(instants, max_size=2), instants)
def test_the_same_record_comes_back_and_the_same_answers(
    record: ApprovalRecord, disputed: frozenset[datetime], at: datetime
) -> None:
    said = read_json(canonical(document(record, disputed)))
    back = record_of(said)
    assert back == replace(record, organisation="")
    assert disputed_of(said) == disputed
    assert approval_status(back, at) == approval_status(record, at)
    for mine, theirs in zip(back.certificates, record.certificates, strict=True):
        assert certificate_status(back, mine, at) == certificate_status(record, theirs, at)


@pytest.mark.clause("F2.22")
@given(records())
def test_nothing_says_whose_it_is_or_who_decided(record: ApprovalRecord) -> None:
    secret = "\u2603secret"
    named = replace(
        record,
        organisation=secret,
        terms=tuple(replace(each, decision=secret) for each in record.terms),
    )
    assert document(named) == document(record)


@given(records(), instants)
def test_a_leaf_is_the_canonical_form_of_its_members(record: ApprovalRecord, at: datetime) -> None:
    sealed_at = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    for carried in ([], [document(record)]):
        public = public_part([canonical(each).decode() for each in carried])
        data = leaf_data(number=7, sealed_at=sealed_at, public=public, commitment="00" * 32)
        members: dict[str, Json] = {"number": 7, "sealed_at": sealed_at, "commitment": "00" * 32}
        assert data == canonical({**members, "public": {"approvals": carried} if carried else {}})
