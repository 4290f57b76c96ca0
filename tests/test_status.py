"""What is true at an instant: properties over arbitrary records, and over records as the register writes them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.approval import ApprovalRecord, CertificateRecord, Device, EndCause, Firmware, RevocationReason, Terms
from core.identifiers import Serial
from core.reasons import ReasonCode, reason
from core.status import (
    State,
    Status,
    approval_at,
    approval_status,
    certificate_end,
    certificate_status,
    first_second_after,
    open_at,
    revocation_at,
)

BASE = datetime(2027, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SPAN = 40
DEVICE = Device("ESME", "AB01", "010A030B", "01")


def instant(number: int) -> datetime:
    # Few instants, so that everything meets everything else in the same second.
    return BASE + number * SECOND


EVERY_INSTANT = [instant(number) for number in range(-1, SPAN + 2)]
instants = st.integers(0, SPAN - 1).map(instant)
causes = st.sampled_from(EndCause)


def terms_of(issue: int, effective: datetime, expiry: datetime) -> Terms:
    return Terms(issue, effective, expiry, 10 + issue, (Firmware("0002012F", "ab" * 32),))


def certificate_of(issue: int, terms: Terms, signed_at: datetime) -> CertificateRecord:
    serial, fingerprint = Serial(f"{issue:032X}"), f"{issue:064x}"
    return CertificateRecord(serial, issue, fingerprint, terms.effective, terms.expiry, signed_at)


@st.composite
def arbitrary(draw: st.DrawFn) -> ApprovalRecord:
    """Any record at all, also such as the register would refuse."""
    start = draw(instants)
    expiry = draw(instants.filter(lambda at: at >= start))
    terms = [terms_of(1, start, expiry)]
    terms += [terms_of(issue, draw(instants), expiry) for issue in range(2, draw(st.integers(2, 4)))]
    certificates = []
    for said in terms[: draw(st.integers(0, len(terms)))]:
        revoked_at = draw(st.none() | instants)
        cause = None if revoked_at is None else draw(causes)
        certificates.append(
            replace(
                certificate_of(said.issue, said, draw(instants)),
                revoked_at=revoked_at,
                cause=cause,
                invalidity_date=draw(st.none() | instants) if cause is EndCause.KEY_COMPROMISE else None,
                superseded_at=draw(st.none() | instants),
            )
        )
    ended_at = draw(st.none() | instants)
    return ApprovalRecord(
        "TDT-2027-0042-5",
        "org",
        DEVICE,
        draw(instants),
        start,
        tuple(terms),
        tuple(certificates),
        ended_at,
        None if ended_at is None else draw(causes.filter(lambda cause: cause is not EndCause.KEY_COMPROMISE)),
    )


def standing(certificate: CertificateRecord, at: datetime) -> bool:
    return certificate_end(certificate).at > at


@st.composite
def lived(draw: st.DrawFn, *, acts: str = "signed compromised ended") -> ApprovalRecord:
    """A record as the register writes it: acts in the order of time, each one conditional on what has not ended."""
    granted, start = sorted([draw(instants), draw(instants)])
    expiry = draw(instants.filter(lambda at: at >= start))
    record = ApprovalRecord("TDT-2027-0042-5", "org", DEVICE, granted, start, (terms_of(1, start, expiry),))
    for at in sorted(draw(st.lists(instants.filter(lambda at: at >= granted), max_size=6))):
        if not open_at(record, at):
            break
        match draw(st.sampled_from(acts.split())):
            case "signed" if not record.certificates:
                record = replace(record, certificates=(certificate_of(1, record.terms[0], at),))
            case "signed" if len(record.terms) < 4:
                # Seconded before its effective instant, and signed then or, after a crash, later.
                effective = max(start, at + draw(st.integers(-2, 8)) * SECOND)
                if effective <= expiry:
                    record = rekeyed(record, effective, at)
            case "compromised":
                stricken = tuple(
                    replace(each, revoked_at=at, cause=EndCause.KEY_COMPROMISE) if standing(each, at) else each
                    for each in record.certificates
                )
                record = replace(record, certificates=stricken)
            case "ended":
                cause = draw(st.sampled_from([EndCause.SSC, EndCause.BREACH, EndCause.MANUFACTURER]))
                stricken = tuple(
                    replace(each, revoked_at=at, cause=cause) if standing(each, at) else each
                    for each in record.certificates
                )
                record = replace(record, certificates=stricken, ended_at=at, end_cause=cause)
    return record


def rekeyed(record: ApprovalRecord, effective: datetime, at: datetime) -> ApprovalRecord:
    said = terms_of(len(record.terms) + 1, effective, record.terms[0].expiry)
    takes_over = max(effective, at)
    replaced = tuple(
        replace(each, superseded_at=takes_over) if standing(each, takes_over) else each for each in record.certificates
    )
    certificates = (*replaced, certificate_of(said.issue, said, at))
    return replace(record, terms=(*record.terms, said), certificates=certificates)


def answers(record: ApprovalRecord, at: datetime) -> list[Status]:
    return [approval_status(record, at), *(certificate_status(record, each, at) for each in record.certificates)]


# --- states -------------------------------------------------------------------------------------------------------


@given(arbitrary(), st.sampled_from(EVERY_INSTANT))
def test_there_is_always_exactly_one_state_and_a_no_always_has_a_reason(record: ApprovalRecord, at: datetime) -> None:
    for status in answers(record, at):
        assert isinstance(status.state, State)
        yes = status.state is State.ACTIVE and status.certificate is not None
        assert yes is (status.reasons == ())


@pytest.mark.clause("F2.26")
@given(arbitrary(), st.sampled_from(EVERY_INSTANT))
def test_a_certificate_is_active_exactly_while_it_holds(record: ApprovalRecord, at: datetime) -> None:
    for certificate in record.certificates:
        holds = (
            certificate.signed_at <= at
            and certificate.not_before <= at <= certificate.not_after
            and (certificate.revoked_at is None or at < certificate.revoked_at)
            and (certificate.superseded_at is None or at < certificate.superseded_at)
        )
        assert (certificate_status(record, certificate, at).state is State.ACTIVE) is holds


@given(lived(), st.sampled_from(EVERY_INSTANT))
def test_an_approval_is_valid_exactly_while_one_of_its_certificates_is(record: ApprovalRecord, at: datetime) -> None:
    holding = [each for each in record.certificates if certificate_status(record, each, at).state is State.ACTIVE]
    status = approval_status(record, at)
    assert approval_at(record, at) == (status.state, status.terms)
    assert (not status.reasons) is bool(holding)
    assert len(holding) <= 1
    assert not holding or holding == [status.certificate]


@given(lived(acts="signed"))
def test_between_two_issues_there_is_no_instant_with_neither_or_both(record: ApprovalRecord) -> None:
    if not record.certificates:
        return
    first = max(record.certificates[0].signed_at, record.start)
    for at in EVERY_INSTANT:
        if first <= at <= record.terms[0].expiry:
            states = [certificate_status(record, each, at).state for each in record.certificates]
            assert states.count(State.ACTIVE) == 1


@given(arbitrary(), st.sampled_from(EVERY_INSTANT))
def test_next_change_is_the_next_instant_at_which_the_answer_is_another_one(
    record: ApprovalRecord, at: datetime
) -> None:
    for place, status in enumerate(answers(record, at)):
        now = replace(status, next_change=None)
        later = [other for other in EVERY_INSTANT if other > at]
        differing = [other for other in later if replace(answers(record, other)[place], next_change=None) != now]
        assert status.next_change == min(differing, default=None)


# --- ends ---------------------------------------------------------------------------------------------------------


@given(arbitrary())
def test_the_first_end_wins(record: ApprovalRecord) -> None:
    for certificate in record.certificates:
        known = [certificate.not_after + SECOND]
        known += [at for at in (certificate.revoked_at, certificate.superseded_at) if at is not None]
        assert certificate_end(certificate).at == min(known)


@pytest.mark.clause("F2.31")
@given(arbitrary())
def test_once_on_the_list_for_ever_with_the_same_date_and_reason(record: ApprovalRecord) -> None:
    for certificate in record.certificates:
        entries = [revocation_at(certificate, at) for at in EVERY_INSTANT]
        listed = [entry for entry in entries if entry is not None]
        assert entries == [None] * (len(entries) - len(listed)) + listed
        assert len(set(listed)) <= 1
        for at, entry in zip(EVERY_INSTANT, entries, strict=True):
            assert entry is None or entry.at <= at


@given(arbitrary(), instants, causes)
def test_an_act_after_the_end_changes_no_entry(record: ApprovalRecord, at: datetime, cause: EndCause) -> None:
    for certificate in record.certificates:
        before = revocation_at(certificate, at)
        if before is None or before.at == at or certificate.revoked_at is not None:
            continue
        assert revocation_at(replace(certificate, revoked_at=at, cause=cause), at) == before


@given(arbitrary(), st.sampled_from(EVERY_INSTANT))
def test_ocsp_and_verification_say_the_same(record: ApprovalRecord, at: datetime) -> None:
    for certificate in record.certificates:
        state = certificate_status(record, certificate, at).state
        if state is not State.UNKNOWN:
            good = revocation_at(certificate, at) is None
            assert good is (state in {State.ACTIVE, State.NOT_YET_STARTED})


def test_the_reason_on_the_list_follows_from_the_cause() -> None:
    certificate = certificate_of(1, terms_of(1, BASE, instant(10)), BASE)
    told = {cause: revocation_at(replace(certificate, revoked_at=BASE, cause=cause), BASE) for cause in EndCause}
    assert {cause: entry.reason for cause, entry in told.items() if entry} == {
        EndCause.SSC: RevocationReason.PRIVILEGE_WITHDRAWN,
        EndCause.BREACH: RevocationReason.PRIVILEGE_WITHDRAWN,
        EndCause.KEY_COMPROMISE: RevocationReason.KEY_COMPROMISE,
        EndCause.MANUFACTURER: RevocationReason.CESSATION_OF_OPERATION,
        EndCause.CHANGE_WITHDRAWN: RevocationReason.SUPERSEDED,
    }
    assert 8 not in set(RevocationReason), "removeFromCRL makes OpenSSL accept a revoked certificate"


@given(lived(), st.sampled_from(EVERY_INSTANT))
def test_what_is_open_has_been_granted_and_has_not_ended(record: ApprovalRecord, at: datetime) -> None:
    ended = record.ended_at is not None
    assert open_at(record, at) is (at <= record.terms[0].expiry and not ended)


def test_arithmetic_survives_the_end_of_time() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    terms = terms_of(1, BASE, last)
    record = ApprovalRecord("x", "o", DEVICE, BASE, BASE, (terms,), (certificate_of(1, terms, BASE),))
    assert first_second_after(last) == last
    assert approval_status(record, BASE).state is State.ACTIVE
    assert approval_status(record, BASE).next_change == last


def test_every_reason_has_its_words() -> None:
    fields = dict.fromkeys(
        ["granted", "start", "ended", "expiry", "later", "version", "fields", "deployed", "maximum"], 1
    )
    for code in ReasonCode:
        said = reason(code, **fields)
        assert said.code is code
        assert said.clause.startswith("F2.")
        assert said.detail.endswith(".")
        assert said.remedy.endswith(".")
