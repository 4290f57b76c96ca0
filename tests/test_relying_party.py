"""The offline verifier: what it proves, and that each single thing that is wrong is found."""

from datetime import timezone
from typing import Any

import pytest

from tests.relying_party_world import (
    AFTER,
    ARC,
    END,
    EXPIRY,
    FIRMWARE,
    FLAG,
    HOUR,
    IMAGE,
    LIVE_ARC,
    LONG,
    NOW,
    SECOND,
    START,
    W,
    World,
    proved,
    statement,
    with_crl,
)
from verify.kit.evidence.offline import prove
from verify.kit.evidence.statement import DeviceClaim
from verify.kit.evidence.verdict import Code
from verify.kit.status import State


@pytest.mark.clause("F2.26")
def test_an_active_certificate_is_proved_and_its_statement_is_told() -> None:
    verdict = proved()
    assert (verdict.valid, verdict.proved, verdict.genuine, verdict.state) == (True, True, True, State.ACTIVE)
    assert verdict.statement is not None
    assert str(verdict.statement.identifier) == "TDT-2027-0042-5"
    assert [(item.version, item.image_digest) for item in verdict.statement.firmware] == [
        (version, image.hex()) for version, image in FIRMWARE
    ]


def test_a_live_certificate_is_proved_in_the_live_environment() -> None:
    assert proved(World("live", LIVE_ARC, mark="")).valid


ENDS = [
    ("revoked by the SSC", (END, FLAG.privilege_withdrawn), 9, State.CANCELLED),
    ("key compromised", (END, FLAG.key_compromise), 1, State.CANCELLED),
    ("superseded", (END, FLAG.superseded), 4, State.CANCELLED),
    ("withdrawn", (END, FLAG.cessation_of_operation), 5, State.WITHDRAWN),
    ("a reason not of ours is a cancellation", (END, FLAG.affiliation_changed), 3, State.CANCELLED),
    ("no reason is a cancellation", (END, None), None, State.CANCELLED),
]


@pytest.mark.clause("F2.30")
@pytest.mark.parametrize(("ended", "number", "state"), [end[1:] for end in ENDS], ids=[end[0] for end in ENDS])
def test_an_end_on_list_and_ocsp_is_proved_with_its_state(ended: Any, number: int | None, state: State) -> None:
    verdict = proved(crls=[W.crl(ended), W.root_crl()], ocsp=W.answer((ended[0], number)))
    assert (verdict.valid, verdict.proved, verdict.genuine, verdict.state) == (False, True, True, state)
    assert verdict.codes == {Code.REVOKED}


@pytest.mark.clause("F2.31")
def test_expiry_is_the_second_after_the_last_and_needs_nobody() -> None:
    assert proved(at=EXPIRY).valid
    bare = proved(at=AFTER, crls=[], ocsp=None)
    assert (bare.valid, bare.state) == (False, State.EXPIRED)
    listed = proved(
        at=AFTER,
        crls=[W.crl((AFTER, FLAG.cessation_of_operation), at=AFTER), W.root_crl()],
        ocsp=W.answer((AFTER, 5), at=AFTER),
    )
    assert (listed.state, set(listed.codes), listed.proved) == (State.EXPIRED, {Code.EXPIRED}, True)


@pytest.mark.clause("F2.31")
def test_a_list_made_after_the_expiry_must_name_it() -> None:
    verdict = proved(at=AFTER, crls=[W.crl(at=AFTER), W.root_crl()], ocsp=None)
    assert (verdict.state, set(verdict.codes)) == (State.EXPIRED, {Code.EXPIRED, Code.CRL_LACKS_EXPIRED})


def test_what_was_cancelled_before_its_expiry_stays_cancelled_after_it() -> None:
    verdict = proved(at=AFTER, crls=[W.crl((END, FLAG.privilege_withdrawn), at=AFTER), W.root_crl()], ocsp=None)
    assert (verdict.state, set(verdict.codes)) == (State.CANCELLED, {Code.REVOKED})


@pytest.mark.clause("F2.27")
def test_before_the_start_it_is_genuine_and_not_valid_and_may_be_cancelled_already() -> None:
    before = START - SECOND
    verdict = proved(at=before)
    assert (verdict.state, set(verdict.codes), verdict.proved) == (State.NOT_YET_STARTED, {Code.NOT_YET_STARTED}, True)
    assert proved(at=START).valid
    assert proved(at=before, **with_crl((before, FLAG.privilege_withdrawn), at=before)).state is State.CANCELLED


def test_an_end_is_for_ever_and_a_good_only_for_its_day() -> None:
    stale = with_crl(at=NOW - 49 * HOUR)
    assert proved(**stale).codes == {Code.CRL_NOT_CURRENT}
    assert proved(**stale).state is State.UNKNOWN
    old_end = NOW - 60 * HOUR
    ended = proved(**with_crl((old_end, FLAG.privilege_withdrawn), at=NOW - 49 * HOUR))
    assert (ended.state, ended.proved) == (State.CANCELLED, True)


def test_the_past_is_proved_by_a_list_of_the_past() -> None:
    then = NOW - 72 * HOUR
    past = W.crl(at=then, number=3)
    later = W.crl((NOW, FLAG.privilege_withdrawn), at=NOW, number=9)
    assert proved(at=then + HOUR, crls=[later, past, W.root_crl()], ocsp=W.answer(at=then)).valid
    assert proved(crls=[later, past, W.root_crl()], ocsp=None).state is State.CANCELLED


def test_the_last_second_of_each_source_still_counts_and_the_next_does_not() -> None:
    until = NOW + HOUR
    for changes in (with_crl(until=until), {"ocsp": W.answer(until=until), "crls": [W.crl(), W.root_crl()]}):
        assert proved(**changes, at=until).valid
        assert proved(**changes, at=until + SECOND).state is State.UNKNOWN
    assert proved(**with_crl(), at=NOW - SECOND).codes == {Code.CRL_NOT_CURRENT}


CLAIMS = [
    (DeviceClaim("ab01", "010a030b", firmware_version="0002012f"), set()),
    (DeviceClaim("AB01", "010A030B", "esme", "01", "0002012F", IMAGE.hex().upper()), set()),
    (DeviceClaim("AB01", "010A030B", image_digest=IMAGE.hex()), set()),
    (DeviceClaim("AB02", "010A030B"), {Code.DEVICE_NOT_APPROVED}),
    (DeviceClaim("AB01", "10A030B"), {Code.DEVICE_NOT_APPROVED}),
    (DeviceClaim("AB01", "010A030B", type="GSME"), {Code.DEVICE_NOT_APPROVED}),
    (DeviceClaim("AB01", "010A030B", hardware_version="1"), {Code.DEVICE_NOT_APPROVED}),
    (DeviceClaim("AB01", "010A030B", firmware_version="2012F"), {Code.FIRMWARE_NOT_APPROVED}),
    (
        DeviceClaim("AB01", "010A030B", firmware_version="00020130", image_digest=IMAGE.hex()),
        {Code.FIRMWARE_HASH_MISMATCH},
    ),
    (DeviceClaim("AB01", "010A030B", image_digest="ff" * 32), {Code.FIRMWARE_HASH_MISMATCH}),
]


@pytest.mark.clause("F2.25")
@pytest.mark.parametrize(("claim", "codes"), CLAIMS)
def test_the_device_at_hand_is_compared_without_case_and_with_its_leading_zeros(
    claim: DeviceClaim, codes: set[Code]
) -> None:
    verdict = proved(device=claim)
    assert (verdict.state, set(verdict.codes), verdict.valid) == (State.ACTIVE, codes, not codes)


def test_who_trusts_the_test_authority_refuses_the_live_one_and_the_other_way_round() -> None:
    live = World("live", LIVE_ARC, mark="")
    for world, other in ((live, "test"), (W, "live"), (World(arc=LIVE_ARC), "live")):
        verdict = proved(world, environment=other)
        assert (verdict.state, verdict.genuine) == (State.UNKNOWN, False)
        assert Code.ENVIRONMENT_MIXED in verdict.codes


def test_an_identifier_of_the_other_environment_is_refused() -> None:
    verdict = proved(certificate=W.leaf(said=statement(identifier="TDA-2027-0042-Y")))
    assert any("TDA-2027-0042-Y is not an identifier" in failure.detail for failure in verdict.failures)


def test_a_name_too_long_for_the_subject_gives_way_to_the_identifier() -> None:
    assert proved(certificate=W.leaf(said=statement(device=LONG), common="TDT-2027-0042-5")).valid


def test_the_caller_is_held_to_an_aware_utc_instant_of_whole_seconds() -> None:
    for at in (NOW.replace(tzinfo=None), NOW.replace(microsecond=1), NOW.astimezone(timezone(HOUR))):
        with pytest.raises(ValueError, match="aware"):
            prove(b"", anchor=b"", issuers=[], crls=[], at=at, environment="test", arc=ARC)
    with pytest.raises(ValueError, match="arc"):
        prove(b"", anchor=b"", issuers=[], crls=[], at=NOW, environment="test", arc="no arc")


def test_what_is_not_genuine_is_unknown_whatever_list_and_clock_say_of_it() -> None:
    wrong = W.leaf(common="another device")
    assert proved(certificate=wrong, **with_crl((END, FLAG.privilege_withdrawn))).state is State.UNKNOWN
    assert proved(certificate=wrong, at=AFTER, crls=[], ocsp=None).state is State.UNKNOWN
