"""The relying party's kit under hostile bytes: they are read or refused, and never believed."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.relying_party_world import ARC, HOUR, IMAGE, NOW, World, der, integer, sequence, statement, tlv
from verify.kit.evidence.der import DerMalformed
from verify.kit.evidence.offline import prove
from verify.kit.evidence.statement import decode

W = World()
END = NOW - HOUR
FLAG = x509.ReasonFlags

CANCELLED = {"crl": W.crl((END, FLAG.superseded)), "answer": None}
GOOD = {"crl": W.crl(), "answer": W.answer()}
COMMON = {"certificate": W.leaf(), "issuer": der(W.issuing), "root's list": W.root_crl()}
STATEMENT = decode(statement())


@given(
    which=st.sampled_from(["certificate", "crl", "answer", "issuer", "root's list"]),
    good=st.booleans(),
    place=st.integers(0, 5000),
    replacement=st.binary(max_size=4),
    removed=st.integers(0, 4),
)
@settings(max_examples=400, deadline=None)
def test_altered_bytes_never_raise_and_never_turn_a_no_into_a_yes_or_change_what_is_stated(
    *, which: str, good: bool, place: int, replacement: bytes, removed: int
) -> None:
    found = COMMON | (GOOD if good else CANCELLED)
    original = found[which]
    if original is not None:
        place %= len(original)
        found[which] = original[:place] + replacement + original[place + removed :]
    verdict = prove(
        found["certificate"] or b"",
        anchor=der(W.root),
        issuers=[found["issuer"] or b""],
        crls=[found["crl"] or b"", found["root's list"] or b""],
        ocsp=found["answer"],
        at=NOW,
        environment="test",
        arc=ARC,
    )
    assert not verdict.valid or (good and verdict.statement == STATEMENT)


@given(data=st.binary(max_size=400) | st.binary(max_size=40).map(lambda tail: statement()[:-40] + tail))
@settings(max_examples=500, deadline=None)
def test_the_statement_is_read_or_refused_and_nothing_else(data: bytes) -> None:
    try:
        decode(data)
    except DerMalformed:
        return


MALFORMED = [
    b"",
    b"\x30",
    b"\x30\x80\x00\x00",  # indefinite
    b"\x30\x81\x05\x02\x01\x01\x0c\x00",  # length not minimal
    b"\x30\x85\x00\x00\x00\x00\x05",
    b"\x31\x00",
    sequence(tlv(2, b"")),
    sequence(tlv(2, b"\0\1")),  # needless octet
    sequence(tlv(2, b"\xff")),  # negative
    sequence(integer(1 << 64)),
]


@pytest.mark.parametrize("data", MALFORMED, ids=lambda data: data.hex()[:20])
def test_der_that_is_not_minimal_definite_and_positive_is_refused(data: bytes) -> None:
    with pytest.raises(DerMalformed):
        decode(data)


@pytest.mark.parametrize(
    "written", ["20270104000000.0Z", "20270104000000+0000", "2027010400Z", "20271304000000Z", "２0270104000000Z"]
)
def test_instants_other_than_whole_seconds_with_z_are_refused(written: str) -> None:
    genuine = b"\x18\x0f20270104000000Z"
    assert genuine in statement()
    altered = statement().replace(genuine, tlv(0x18, written.encode()))
    body = altered[3:]  # behind the outer header
    with pytest.raises(DerMalformed, match="GeneralizedTime"):
        decode(sequence(body))


@given(
    issue=st.integers(1, 2**62),
    maximum=st.integers(1, 2**62),
    names=st.tuples(*[st.text(min_size=1, max_size=40)] * 4),
    versions=st.lists(st.text("0123456789ABCDEF", min_size=1, max_size=8), min_size=1, max_size=60, unique=True),
)
@settings(max_examples=100, deadline=None)
def test_what_was_stated_is_what_is_read(
    issue: int, maximum: int, names: tuple[str, str, str, str], versions: list[str]
) -> None:
    firmware = [(version, IMAGE) for version in versions]
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    read = decode(statement(issue=issue, maximum=maximum, device=names, firmware=firmware, expiry=last))
    assert (read.issue, read.maximum_devices, read.expiry) == (issue, maximum, last)
    assert (read.device.type, read.device.manufacturer, read.device.model, read.device.hardware_version) == names
    assert [item.version for item in read.firmware] == versions
