"""CRLs: what they say, what foreign software reads in them, and each guard of their signature."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from ca.certificates import issuer
from ca.clearance import Clearance, ClearanceKind
from ca.revocation import crl
from ca.revocation.gate import inspect
from core.approval import RevocationReason
from core.errors import IssuerMismatch, NotCleared
from core.identifiers import Serial, new_serial, serial_of
from core.status import Revoked, endings
from tests.authority_world import AT, START, clearance, make_world, new_signer, pem, pem_crl, run, the_world, write

DAY = timedelta(days=1)
KEY_COMPROMISE = RevocationReason.KEY_COMPROMISE
ENTRIES = (
    Revoked(Serial(f"{0x41:032X}"), AT - 3 * DAY, RevocationReason.SUPERSEDED),
    Revoked(Serial("4" + "1" * 31), AT - 2 * DAY, KEY_COMPROMISE, AT - 9 * DAY),
    Revoked(Serial("5" + "1" * 31), AT - DAY, RevocationReason.CESSATION_OF_OPERATION),
    Revoked(Serial("6" + "1" * 31), AT, RevocationReason.PRIVILEGE_WITHDRAWN),
)


def _parsed(der: bytes) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(der)


def _inspect(der: bytes, **changes: Any) -> tuple[str, ...]:
    facts: dict[str, Any] = {
        "order": the_world().crl_order(),
        "previous": None,
        "register": ENTRIES,
        "at": AT,
    }
    return inspect(der, **facts | changes)


# --- what they say ---


def test_list_says_what_was_ordered() -> None:
    world = the_world()
    parsed = _parsed(world.full_crl(ENTRIES))
    assert parsed.issuer.public_bytes() == issuer(world.issuing).name
    assert (parsed.last_update_utc, parsed.next_update_utc) == (AT, AT + timedelta(hours=48))
    assert parsed.is_signature_valid(world.issuing_key._key.public_key())
    assert {(each.oid.dotted_string, each.critical) for each in parsed.extensions} == {
        ("2.5.29.35", False),
        ("2.5.29.20", False),
        ("2.5.29.60", False),
    }
    assert [(serial_of(each.serial_number), each.revocation_date_utc) for each in parsed] == [
        (each.serial, each.at) for each in ENTRIES
    ]


@pytest.mark.parametrize("reason", RevocationReason)
def test_every_reason_of_ours_reads_as_the_standards(reason: RevocationReason) -> None:
    entry = next(iter(_parsed(the_world().full_crl([replace(ENTRIES[0], reason=reason)]))))
    read = entry.extensions.get_extension_for_class(x509.CRLReason)
    assert read.value.reason.name == reason.name.lower()
    assert not read.critical


def test_remove_from_crl_has_no_name_here() -> None:
    assert 8 not in {int(reason) for reason in RevocationReason}


def test_empty_list_leaves_the_entries_out() -> None:
    world = the_world()
    drafted = crl.draft(world.crl_order())
    next_update = b"270105123000Z"
    assert drafted.entries == 0
    assert drafted.tbs.partition(next_update)[2][:1] == b"\xa0"  # right to crlExtensions, no empty SEQUENCE
    assert list(_parsed(world.full_crl())) == []


def test_root_list_keeps_no_expired() -> None:
    parsed = _parsed(the_world().root_crl())
    assert {each.oid.dotted_string for each in parsed.extensions} == {"2.5.29.35", "2.5.29.20"}


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x17\x0d491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), b"\x18\x0f20500101000000Z"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x18\x0f99991231235959Z"),
        (datetime(2028, 2, 29, tzinfo=UTC), b"\x17\x0d280229000000Z"),
    ],
)
def test_times_are_utc_time_through_2049_and_generalized_from_then_on(at: datetime, written: bytes) -> None:
    world = the_world()
    der = world.full_crl([Revoked(ENTRIES[0].serial, at, KEY_COMPROMISE, at)], this_update=at, next_update=at)
    assert der.count(written) >= 3
    parsed = _parsed(der)
    assert (parsed.last_update_utc, parsed.next_update_utc) == (at, at)
    entry = next(iter(parsed))
    assert entry.revocation_date_utc == at
    assert entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc == at
    assert b"\x18\x0f" + f"{at:%Y%m%d%H%M%SZ}".encode() in der  # invalidityDate is GeneralizedTime always


_revoked = st.builds(
    Revoked,
    serial=st.integers(1, 2**159 - 1).map(serial_of),
    at=st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001
        lambda at: at.replace(microsecond=0)
    ),
    reason=st.sampled_from(RevocationReason),
    invalidity_date=st.none() | st.just(AT),
)
_registers = st.lists(_revoked, unique_by=lambda each: each.serial).map(
    lambda entries: sorted(entries, key=lambda each: int(each.serial, 16))
)


@settings(max_examples=60, deadline=None)
@given(_registers)
def test_any_register_is_written_and_read_back_by_another_library(register: list[Revoked]) -> None:
    later = datetime(9999, 12, 31, 1, tzinfo=UTC)
    order = the_world().crl_order(register, this_update=later, next_update=later + timedelta(hours=2))
    der = the_world().sign_crl(order)
    assert inspect(der, order=order, previous=None, register=lambda: endings(register), at=later) == ()


def test_same_order_gives_the_same_list() -> None:
    assert the_world().full_crl(ENTRIES) == the_world().full_crl(iter(ENTRIES))


# --- what others say ---


def test_openssl_and_gnutls_read_it(tmp_path: Path) -> None:
    write(tmp_path, **{"crl.pem": pem_crl(the_world().full_crl(ENTRIES))})
    code, said = run(tmp_path, "openssl", "crl", "-in", "crl.pem", "-noout", "-text")
    assert code == 0, said
    assert "Version 2" in said
    assert re.findall(r"Serial Number: ([0-9A-F]+)", said) == [each.serial.lstrip("0") for each in ENTRIES]
    reasons = ["Superseded", "Key Compromise", "Cessation Of Operation", "Privilege Withdrawn"]
    assert re.findall(r"Reason Code: \n +(.+?) *\n", said) == reasons
    assert "Invalidity Date" in said
    code, said = run(tmp_path, "certtool", "--crl-info", "--infile", "crl.pem")
    assert code == 0, said
    assert "Revoked certificates (4)" in said


def test_openssl_believes_it(tmp_path: Path) -> None:
    world = the_world()
    serial = new_serial()
    entry = Revoked(serial, AT, RevocationReason.PRIVILEGE_WITHDRAWN)
    write(
        tmp_path,
        **{
            "root.pem": pem(world.root),
            "issuing.pem": pem(world.issuing),
            "leaf.pem": pem(world.leaf(serial=serial)),
            "without.pem": pem_crl(world.full_crl(ENTRIES)) + pem_crl(world.root_crl()),
            "with.pem": pem_crl(world.full_crl([entry])) + pem_crl(world.root_crl()),
        },
    )
    verify = ["openssl", "verify", "-x509_strict", "-crl_check_all", "-CAfile", "root.pem", "-untrusted", "issuing.pem"]
    at = ["-attime", str(int(START.timestamp()))]
    code, said = run(tmp_path, *verify, *at, "-CRLfile", "without.pem", "leaf.pem")
    assert code == 0, said
    code, said = run(tmp_path, *verify, *at, "-CRLfile", "with.pem", "leaf.pem")
    assert code != 0
    assert "error 23 at 0 depth" in said


# --- each guard of the signature ---


def test_list_is_signed_only_as_cleared_and_by_its_own_ca() -> None:
    world, twin = the_world(), make_world()
    drafted = crl.draft(world.crl_order(ENTRIES))
    good = clearance(drafted)
    for wrong in (
        Clearance(ClearanceKind.CERTIFICATE, drafted.digest),
        Clearance(ClearanceKind.CRL, crl.draft(world.crl_order()).digest),
    ):
        with pytest.raises(NotCleared):
            crl.sign(drafted, wrong, world.issuing_key, world.issuing)
    with pytest.raises(IssuerMismatch, match="another CA"):
        crl.sign(drafted, good, world.root_key, world.root)
    with pytest.raises(IssuerMismatch, match="another CA"):  # the same name, another key
        crl.sign(drafted, good, twin.issuing_key, twin.issuing)
    with pytest.raises(IssuerMismatch, match="key at hand"):
        crl.sign(drafted, good, new_signer(), world.issuing)
