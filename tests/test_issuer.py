"""From an order to a Trial CPA Certificate: what it says, what others say of it, and each guard of the signature."""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from ca.certificates import issuer, subject_key_identifier
from ca.issuer import build
from ca.issuer.extension import TrialDeviceApproval, decode, encode
from core.approval import Device, Firmware
from core.errors import DraftImpossible
from core.identifiers import new_serial, serial_number, serial_of
from keys.signer import spki
from policy.pkix import lint_certificate, lint_chain
from tests.authority_world import (
    EXPIRY,
    LEAF_KEY,
    PROFILE,
    START,
    make_world,
    pem,
    run,
    sign,
    the_world,
    write,
)

EXTENSION = x509.ObjectIdentifier(PROFILE.extension_oid)
FIRMWARE = (Firmware("0002012F", "ab" * 32), Firmware("9001", "00" * 32))


def _parsed(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _said(der: bytes) -> TrialDeviceApproval:
    value = _parsed(der).extensions.get_extension_for_oid(EXTENSION).value
    assert isinstance(value, x509.UnrecognizedExtension)
    return decode(value.value)


# --- what it says ---


@pytest.mark.clause("F2.25")
def test_certificate_says_what_was_ordered() -> None:
    world = the_world()
    order = world.order(firmware=FIRMWARE, issue=3)
    parsed = _parsed(sign(build.draft(PROFILE, order), world.issuing_key, world.issuing))
    assert serial_of(parsed.serial_number) == order.serial
    assert (parsed.not_valid_before_utc, parsed.not_valid_after_utc) == (START, EXPIRY)
    assert parsed.issuer.public_bytes() == issuer(world.issuing).name
    assert parsed.subject.rfc4514_string() == "2.5.4.5=TDT-2027-0042-5,CN=AB01 010A030B 01,O=Acme Metering Ltd"
    assert parsed.public_key() == serialization.load_der_public_key(LEAF_KEY)
    said = _said(parsed.public_bytes(serialization.Encoding.DER))
    assert said == TrialDeviceApproval(
        "TDT-2027-0042-5", 3, START, EXPIRY, 500, order.device, FIRMWARE, order.proposal_digest
    )


def test_certificate_has_exactly_the_extensions_of_the_profile() -> None:
    world = the_world()
    found = {each.oid.dotted_string: (each.critical, each.value) for each in _parsed(world.leaf()).extensions}
    assert {oid for oid, (critical, _) in found.items() if critical} == {"2.5.29.19", "2.5.29.15"}
    values = {oid: value.public_bytes() for oid, (_, value) in found.items()}
    assert set(values) == {
        "2.5.29.19",
        "2.5.29.15",
        "2.5.29.37",
        "2.5.29.32",
        "2.5.29.14",
        "2.5.29.35",
        "2.5.29.17",
        "2.5.29.31",
        "1.3.6.1.5.5.7.1.1",
        PROFILE.extension_oid,
    }
    assert values["2.5.29.19"] == bytes.fromhex("3000")  # CA FALSE is the default and is not written
    assert values["2.5.29.15"] == bytes.fromhex("03020780")
    assert values["2.5.29.14"] == b"\x04\x08" + subject_key_identifier(LEAF_KEY)
    assert values["2.5.29.35"] == b"\x30\x0a\x80\x08" + bytes.fromhex(world.key_id)
    assert values["2.5.29.17"].endswith(
        b"\x86" + bytes([len(page := PROFILE.approval_url("TDT-2027-0042-5"))]) + page.encode()
    )
    assert PROFILE.crl_url(world.key_id).encode() in values["2.5.29.31"]
    assert PROFILE.ocsp_url.encode() in values["1.3.6.1.5.5.7.1.1"]
    assert PROFILE.issuer_url(world.key_id).encode() in values["1.3.6.1.5.5.7.1.1"]
    usage = found["2.5.29.37"][1]
    assert [each.dotted_string for each in usage] == [PROFILE.statement_oid]
    assert [each.policy_identifier.dotted_string for each in found["2.5.29.32"][1]] == [PROFILE.policy_oid]


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_no_algorithm_has_null_parameters(curve: ec.EllipticCurve) -> None:
    der = the_world().leaf(public_key=spki(ec.generate_private_key(curve).public_key()))
    assert b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00" not in der
    assert der.count(bytes.fromhex("300a06082a8648ce3d040302")) == 2


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP521R1()).public_key(),
        ec.generate_private_key(ec.SECP256K1()).public_key(),
        rsa.generate_private_key(65537, 2048).public_key(),
    ],
)
def test_other_keys_are_not_certified(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> None:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(DraftImpossible, match=re.escape("TDT-2027-0042-5")):
        build.draft(PROFILE, the_world().order(public_key=der))


# --- names at their limits (RFC 5280, appendix A.1) ---


def _common_name(der: bytes) -> str | bytes:
    return _parsed(der).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


@pytest.mark.parametrize(("length", "fits"), [(64, True), (65, False)])
def test_common_name_is_the_device_up_to_64_characters_else_the_identifier(length: int, fits: bool) -> None:  # noqa: FBT001
    device = Device("ESME", "M" * 30, "N" * 30, "H" * (length - 62))
    expected = f"{'M' * 30} {'N' * 30} {'H' * (length - 62)}" if fits else "TDT-2027-0042-5"
    der = the_world().leaf(device=device)
    assert _common_name(der) == expected
    assert lint_certificate(der) == ()


def test_common_name_counts_octets() -> None:
    device = Device("ESME", "Ü" * 30, "N" * 3, "H")
    assert _common_name(the_world().leaf(device=device)) == "TDT-2027-0042-5"


@pytest.mark.parametrize("name", ["x", "x" * 64, "Ü" * 64, "計" * 64])
def test_organisation_of_1_to_64_characters_is_certified(name: str) -> None:
    der = the_world().leaf(certificate_name=name)
    assert _parsed(der).subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)[0].value == name
    assert lint_certificate(der) == ()


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_organisation_beyond_the_limit_is_no_draft(name: str) -> None:
    with pytest.raises(DraftImpossible, match="1 to 64"):
        build.draft(PROFILE, the_world().order(certificate_name=name))


# --- dates ---


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (datetime(2028, 2, 29, tzinfo=UTC), datetime(2032, 2, 29, 23, 59, 59, tzinfo=UTC)),
        (datetime(2049, 12, 31, tzinfo=UTC), datetime(2050, 1, 1, 23, 59, 59, tzinfo=UTC)),
        (datetime(2050, 1, 1, tzinfo=UTC), datetime(2051, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (datetime(9999, 12, 31, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_dates_survive(first: datetime, last: datetime) -> None:
    world = make_world(first)
    der = world.leaf(start=first, not_before=first, expiry=last, not_after=last)
    assert (_parsed(der).not_valid_before_utc, _parsed(der).not_valid_after_utc) == (first, last)
    assert (_said(der).start, _said(der).expiry) == (first, last)
    assert lint_certificate(der) == ()
    assert lint_chain(world.issuing, der) == ()


# --- the extension ---

_text = st.text(st.characters(codec="utf-8"))
_instants = st.datetimes(
    datetime(1000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(9999, 12, 31, 23, 59, 59),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=0))
_values = st.builds(
    TrialDeviceApproval,
    approval=_text,
    issue=st.integers(1, 2**70),
    start=_instants,
    expiry=_instants,
    maximum_devices=st.integers(1, 2**70),
    device=st.builds(Device, _text, _text, _text, _text),
    firmware=st.lists(st.builds(Firmware, _text, st.binary(min_size=32, max_size=32).map(bytes.hex)), min_size=1).map(
        tuple
    ),
    proposal_digest=st.binary(min_size=32, max_size=32),
)


@settings(max_examples=100, deadline=None)
@given(_values)
def test_extension_round_trip(value: TrialDeviceApproval) -> None:
    assert decode(encode(value)) == value


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_extension_reader_takes_our_der_and_nothing_else(data: st.DataObject) -> None:
    der = bytearray(encode(_VALUE))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    contents = bytes(der[: data.draw(st.integers(0, len(der)))] + data.draw(st.binary(max_size=2)))
    try:
        value = decode(contents)
    except ValueError:
        return
    assert encode(value) == contents


_VALUE = TrialDeviceApproval(
    "TDT-2027-0042-5", 1, START, EXPIRY, 500, Device("ESME", "AB01", "010A030B", "01"), FIRMWARE, bytes(32)
)


def test_extension_reader_refuses_another_version() -> None:
    second = encode(_VALUE).replace(b"\x02\x01\x01", b"\x02\x01\x02", 1)
    with pytest.raises(ValueError, match="version 2"):
        decode(second)


def test_extension_reader_refuses_what_is_not_der() -> None:
    der = encode(_VALUE)
    contents = der[3:].replace(b"\x0c\x0fTDT", b"\x0c\x81\x0fTDT", 1)  # a length that is longer than need be
    assert len(contents) == der[2] + 1
    with pytest.raises(ValueError, match="not the DER"):
        decode(b"\x30\x81" + bytes([len(contents)]) + contents)


@pytest.mark.parametrize(
    "changes",
    [
        {"issue": 0},
        {"maximum_devices": 0},
        {"firmware": ()},
        {"firmware": (Firmware("1", "ab"),)},
        {"proposal_digest": bytes(31)},
        {"start": START.replace(microsecond=1)},
        {"start": START.replace(tzinfo=None)},
        {"expiry": EXPIRY.astimezone(tz=datetime.strptime("+0100", "%z").tzinfo)},
    ],
)
def test_extension_refuses_what_the_module_does_not_allow(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has a sentence of its own
        encode(replace(_VALUE, **changes))  # type: ignore[arg-type]


def test_extension_is_what_the_published_module_says(tmp_path: Path) -> None:
    write(tmp_path, **{"extension.der": encode(_VALUE)})
    code, said = run(tmp_path, "openssl", "asn1parse", "-inform", "DER", "-in", "extension.der")
    assert code == 0, said
    shape = r"d=(\d+) .*?(?:prim|cons): ([A-Z0-9 ]+?) *(?::(.*)|\[HEX DUMP\].*)?$"
    found = [(int(depth), kind.strip(), value.strip()) for depth, kind, value in re.findall(shape, said, re.MULTILINE)]
    assert found == [
        (0, "SEQUENCE", ""),
        (1, "INTEGER", "01"),
        (1, "UTF8STRING", "TDT-2027-0042-5"),
        (1, "INTEGER", "01"),
        (1, "GENERALIZEDTIME", "20270104000000Z"),
        (1, "GENERALIZEDTIME", "20270630235959Z"),
        (1, "INTEGER", "01F4"),
        (1, "SEQUENCE", ""),
        (2, "UTF8STRING", "ESME"),
        (2, "UTF8STRING", "AB01"),
        (2, "UTF8STRING", "010A030B"),
        (2, "UTF8STRING", "01"),
        (1, "SEQUENCE", ""),
        (2, "SEQUENCE", ""),
        (3, "UTF8STRING", "0002012F"),
        (3, "OCTET STRING", ""),
        (2, "SEQUENCE", ""),
        (3, "UTF8STRING", "9001"),
        (3, "OCTET STRING", ""),
        (1, "OCTET STRING", ""),
    ]


def test_published_module_names_the_arc_and_every_field() -> None:
    module = (Path(__file__).parent.parent / "docs" / "trialcpa.asn1").read_text()
    numbers = ".".join(
        re.findall(r"\((\d+)\)", module.partition("trialcpa OBJECT IDENTIFIER ::=")[2].partition("}")[0])
    )
    assert numbers == PROFILE.arc
    order = [
        "version",
        "approvalIdentifier",
        "issue",
        "start",
        "expiry",
        "maximumDevices",
        "device",
        "firmware",
        "proposalDigest",
    ]
    body = module.partition("TrialDeviceApproval ::= SEQUENCE {")[2].partition("}\n\n--")[0]
    assert re.findall(r"^    (\w+) ", body, re.MULTILINE) == order


# --- what others say ---


def test_openssl_and_gnutls_accept_it(tmp_path: Path) -> None:
    world = the_world()
    leaf = world.leaf()
    write(
        tmp_path,
        **{
            "root.pem": pem(world.root),
            "issuing.pem": pem(world.issuing),
            "leaf.pem": pem(leaf),
            "chain.pem": pem(leaf, world.issuing, world.root),
        },
    )
    verify = ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "issuing.pem"]
    for at, verdict in (
        (START - timedelta(seconds=1), "error 9"),  # not yet valid
        (START, "OK"),
        # OpenSSL takes notAfter itself as expired; RFC 5280 (4.1.2.5) and GnuTLS below do not.
        (EXPIRY - timedelta(seconds=1), "OK"),
        (EXPIRY + timedelta(seconds=1), "error 10"),  # expired
    ):
        _, said = run(tmp_path, *verify, "-attime", str(int(at.timestamp())), "leaf.pem")
        assert verdict in said, at
    certtool = ["certtool", "--verify-chain", "--infile", "chain.pem"]
    for at, accepted in ((START, True), (EXPIRY, True), (EXPIRY + timedelta(seconds=2), False)):
        code, said = run(tmp_path, *certtool, at=at)
        assert (code == 0) == accepted, said
        assert ("Chain verification output: Verified" in said) == accepted


def test_policy_of_the_other_environment_is_refused(tmp_path: Path) -> None:
    world = the_world()
    write(tmp_path, **{"root.pem": pem(world.root), "issuing.pem": pem(world.issuing), "leaf.pem": pem(world.leaf())})
    verify = ["openssl", "verify", "-CAfile", "root.pem", "-untrusted", "issuing.pem", "-attime"]
    checked = [str(int(START.timestamp())), "-policy_check", "-explicit_policy", "-policy"]
    assert run(tmp_path, *verify, *checked, PROFILE.policy_oid, "leaf.pem")[0] == 0
    code, said = run(tmp_path, *verify, *checked, f"{PROFILE.arc}.2.1", "leaf.pem")
    assert code != 0
    assert "no explicit policy" in said


def test_linter_finds_nothing() -> None:
    world = the_world()
    for leaf in (world.leaf(), world.leaf(public_key=spki(ec.generate_private_key(ec.SECP384R1()).public_key()))):
        assert lint_certificate(leaf) == ()
        assert lint_chain(world.issuing, leaf) == ()


# --- serials ---


def test_serials_carry_the_entropy_that_they_claim() -> None:
    numbers = [serial_number(new_serial()) for _ in range(4000)]
    assert len(set(numbers)) == len(numbers)
    assert all(number.bit_length() == 127 for number in numbers)  # 16 octets, positive, however they are written
    # Every bit below the fixed two is set about half of the time: six standard deviations are 190 of 4,000.
    counts = Counter(bit for number in numbers for bit in range(126) if number >> bit & 1)
    assert all(abs(counts[bit] - 2000) < 190 for bit in range(126))


def test_serial_in_the_certificate_has_16_octets() -> None:
    der = the_world().leaf()
    assert b"\x02\x10" + _parsed(der).serial_number.to_bytes(16, "big") in der[:40]
