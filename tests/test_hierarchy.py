"""Profile, root, issuing CA and responder: names, ends, extensions, and what foreign software says of the chain."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from ca import hierarchy
from ca.certificates import issuer, key_id, subject_key_identifier
from ca.profile import TEST_ARC, Profile
from core.errors import ConfigurationError, ExampleArc, ExampleBaseUrl, OutlivesIssuer, ProfileInvalid
from core.identifiers import new_serial
from core.renewal import issuing_window_end
from policy.pkix import lint_certificate, lint_chain
from tests.authority_world import (
    AT,
    LEAF_KEY,
    LONGEST_TRIAL,
    PROFILE,
    make_world,
    new_signer,
    pem,
    run,
    sign,
    the_world,
    write,
)

LIVE: dict[str, Any] = {
    "environment": "live",
    "arc": "1.2.826.0.1.99",
    "base_url": "http://trialcpa.smartenergycodecompany.co.uk",
    "name": "Trial CPA",
}


def _extensions(der: bytes) -> dict[str, tuple[bool, bytes]]:
    parsed = x509.load_der_x509_certificate(der)
    return {each.oid.dotted_string: (each.critical, each.value.public_bytes()) for each in parsed.extensions}


# --- profile ---


def test_everything_derives_from_the_arc_and_the_base() -> None:
    live = Profile(**LIVE)
    assert (live.extension_oid, live.policy_oid, live.statement_oid) == (
        "1.2.826.0.1.99.1",
        "1.2.826.0.1.99.2.1",
        "1.2.826.0.1.99.3.1",
    )
    assert PROFILE.policy_oid == f"{TEST_ARC}.2.2"
    assert PROFILE.crl_url("ab") == "http://127.0.0.1:8470/crl/ab.crl"
    assert PROFILE.issuer_url("ab") == "http://127.0.0.1:8470/ca/ab.cer"
    assert PROFILE.ocsp_url == "http://127.0.0.1:8470/ocsp"
    assert PROFILE.approval_url("TDT-2027-0042-5") == "http://127.0.0.1:8470/approvals/TDT-2027-0042-5"


def test_pointers_are_http_even_where_the_public_base_is_https() -> None:
    live = Profile(**LIVE | {"base_url": "https://trialcpa.smartenergycodecompany.co.uk/pki"})
    assert live.crl_url("ab") == "http://trialcpa.smartenergycodecompany.co.uk/pki/crl/ab.crl"
    assert live.approval_url("X") == "https://trialcpa.smartenergycodecompany.co.uk/pki/approvals/X"


@pytest.mark.parametrize("arc", ["1.3.6.1.4.1.32473", TEST_ARC, "1.3.6.1.4.1.32473.1.2"])
def test_live_authority_refuses_the_documentation_arc(arc: str) -> None:
    with pytest.raises(ExampleArc):
        Profile(**LIVE | {"arc": arc})


def test_live_authority_takes_the_arc_next_to_the_documentation_arc() -> None:
    assert Profile(**LIVE | {"arc": "1.3.6.1.4.1.324730"}).extension_oid == "1.3.6.1.4.1.324730.1"


def test_a_host_without_a_dot_is_refused_before_the_lint_refuses_every_certificate() -> None:
    with pytest.raises(ProfileInvalid, match="a name with a dot"):
        Profile("test", TEST_ARC, "http://localhost:8470", "TEST Trial CPA")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost.",
        "pki.localhost",
        "127.0.0.1:8470",
        "127.9.9.9",
        "[::1]:80",
        "0.0.0.0",
        "192.0.2.1",
        "192.168.1.1",
        "[2001:db8::1]",
        "example.com",
        "pki.example.org",
        "a.example",
        "a.test",
        "a.invalid",
    ],
)
def test_live_authority_refuses_a_base_that_leads_nowhere(host: str) -> None:
    with pytest.raises(ExampleBaseUrl):
        Profile(**LIVE | {"base_url": f"http://{host}"})


@pytest.mark.parametrize("host", ["notexample.com", "example.com.smartenergycodecompany.co.uk", "8.8.8.8"])
def test_live_authority_takes_a_base_of_its_own(host: str) -> None:
    assert Profile(**LIVE | {"base_url": f"http://{host}"}).ocsp_url == f"http://{host}/ocsp"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("arc", "2.25.329800735698586629295641978511506172918"),
        ("arc", "2.25.1"),
        ("arc", "1.40.1"),
        ("arc", "3.1.1"),
        ("arc", "1.3"),
        ("arc", "1.3.06.1"),
        ("arc", "1.3.6."),
        ("arc", "1.3.١"),
        ("base_url", "ftp://a.uk"),
        ("base_url", "http://"),
        ("base_url", "http://a.uk/"),
        ("base_url", "http://a.uk?x"),
        ("base_url", "http://a.uk#x"),
        ("base_url", "http://me@a.uk"),
        ("base_url", "http://a.uk:99999"),
        ("base_url", "http://a uk"),
        ("base_url", "http://ä.uk"),
        ("base_url", "http://[::1"),
        ("base_url", "https://a.uk:8443"),
        ("name", "TEST Trial CPA"),
        ("name", ""),
        ("name", "x" * 50),
        ("name", "Trial\nCPA"),
        ("name", " Trial CPA"),
        ("organisation", "x" * 65),
    ],
)
def test_unusable_profile_is_refused_with_the_field(field: str, value: str) -> None:
    with pytest.raises(ProfileInvalid) as refused:
        Profile(**LIVE | {field: value})
    assert refused.value.fields["field"] == field


def test_test_authority_says_test_in_every_name() -> None:
    with pytest.raises(ProfileInvalid, match="TEST"):
        replace(PROFILE, name="Trial CPA")
    names = (PROFILE.root_name, PROFILE.issuing_name(1), PROFILE.responder_name, PROFILE.journal_name)
    assert all(name.startswith("TEST ") for name in names)
    assert len(set(names)) == 4


@given(st.text(), st.text(), st.text())
def test_profile_of_any_text_is_refused_or_usable(arc: str, base_url: str, name: str) -> None:
    for changes in ({"arc": arc}, {"base_url": base_url}, {"base_url": f"http://{base_url}"}, {"name": name}):
        try:
            profile = Profile(**LIVE | changes)
        except ConfigurationError:
            continue
        x509.ObjectIdentifier(profile.extension_oid)
        x509.UniformResourceIdentifier(profile.ocsp_url)


# --- key identifiers ---


def test_key_identifier_is_method_2() -> None:
    own = x509.load_der_x509_certificate(the_world().issuing)
    sha1 = x509.SubjectKeyIdentifier.from_public_key(own.public_key()).digest
    short = subject_key_identifier(the_world().issuing_key.public_key)
    assert len(short) == 8
    assert short[0] >> 4 == 0b0100
    assert int.from_bytes(short) & (2**60 - 1) == int.from_bytes(sha1) & (2**60 - 1)
    assert key_id(the_world().issuing_key.public_key) == short.hex()


# --- what is in them ---


def test_root_has_exactly_the_extensions_of_the_profile() -> None:
    own = the_world().root_key.public_key
    assert _extensions(the_world().root) == {
        "2.5.29.19": (True, bytes.fromhex("30060101ff020101")),
        "2.5.29.15": (True, bytes.fromhex("03020106")),
        "2.5.29.14": (False, b"\x04\x08" + subject_key_identifier(own)),
    }


def test_issuing_ca_has_exactly_the_extensions_of_the_profile() -> None:
    world = the_world()
    found = _extensions(world.issuing)
    root_id = key_id(world.root_key.public_key)
    assert set(found) == {
        "2.5.29.19",
        "2.5.29.15",
        "2.5.29.32",
        "2.5.29.14",
        "2.5.29.35",
        "2.5.29.31",
        "1.3.6.1.5.5.7.1.1",
    }
    assert {oid for oid, (critical, _) in found.items() if critical} == {"2.5.29.19", "2.5.29.15"}
    assert found["2.5.29.19"][1] == bytes.fromhex("30060101ff020100")
    assert found["2.5.29.15"][1] == bytes.fromhex("03020106")
    assert found["2.5.29.35"][1] == b"\x30\x0a\x80\x08" + bytes.fromhex(root_id)
    assert PROFILE.crl_url(root_id).encode() in found["2.5.29.31"][1]
    assert found["1.3.6.1.5.5.7.1.1"][1].endswith(PROFILE.issuer_url(root_id).encode())
    policies = x509.load_der_x509_certificate(world.issuing).extensions.get_extension_for_class(
        x509.CertificatePolicies
    )
    assert [each.policy_identifier.dotted_string for each in policies.value] == [PROFILE.policy_oid]


def test_responder_has_exactly_the_extensions_of_the_profile() -> None:
    found = _extensions(the_world().responder)
    assert set(found) == {"2.5.29.15", "2.5.29.37", "1.3.6.1.5.5.7.48.1.5", "2.5.29.14", "2.5.29.35"}
    assert {oid for oid, (critical, _) in found.items() if critical} == {"2.5.29.15"}
    assert found["2.5.29.15"][1] == bytes.fromhex("03020780")
    assert found["2.5.29.37"][1] == bytes.fromhex("300a06082b06010505070309")
    assert found["1.3.6.1.5.5.7.48.1.5"][1] == bytes.fromhex("0500")


def test_names_are_the_profiles() -> None:
    world = the_world()
    named = [issuer(der).parsed.subject.rfc4514_string() for der in (world.root, world.issuing, world.responder)]
    organisation = PROFILE.organisation
    assert named == [
        f"CN=TEST Trial CPA Root,O={organisation}",
        f"CN=TEST Trial CPA Issuing CA 1,O={organisation}",
        f"CN=TEST Trial CPA OCSP Responder,O={organisation}",
    ]


# --- ends ---


def test_validity_begins_with_the_day_and_ends_with_a_day() -> None:
    world = the_world()
    validity = [(issuer(der).not_before, issuer(der).not_after) for der in (world.root, world.issuing, world.responder)]
    midnight = datetime(2027, 1, 3, tzinfo=UTC)
    assert validity == [
        (midnight, datetime(2052, 1, 2, 23, 59, 59, tzinfo=UTC)),
        (midnight, datetime(2034, 1, 1, 23, 59, 59, tzinfo=UTC)),  # 2032-01-02 and 730 days more
        (AT, datetime(2027, 2, 2, 12, 29, 59, tzinfo=UTC)),  # inclusive: 30 days to the second
    ]
    assert issuing_window_end(midnight) == datetime(2032, 1, 2, 23, 59, 59, tzinfo=UTC)


def test_the_29th_of_february_is_survived() -> None:
    world = make_world(datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC))
    assert issuer(world.root).not_after == datetime(2053, 2, 28, 23, 59, 59, tzinfo=UTC)
    assert issuing_window_end(issuer(world.issuing).not_before) == datetime(2033, 2, 28, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("year", [2049, 2050, 9990, 9999])
def test_the_ends_of_time_formats_are_survived(tmp_path: Path, year: int) -> None:
    world = make_world(datetime(year, 12, 31, 12, 0, tzinfo=UTC))
    validity = [issuer(der) for der in (world.root, world.issuing, world.responder)]
    assert all(one.not_after >= other.not_after for one, other in itertools.pairwise(validity))
    assert issuer(world.root).not_after <= datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    write(tmp_path, **{"root.pem": pem(world.root), "issuing.pem": pem(world.issuing)})
    code, said = run(tmp_path, "openssl", "verify", "-no_check_time", "-CAfile", "root.pem", "issuing.pem")
    assert code == 0, said


def test_issuing_ca_never_outlives_the_root() -> None:
    world = the_world()
    late = datetime(2050, 6, 1, tzinfo=UTC)
    drafted = hierarchy.issuing_draft(
        PROFILE, world.root, new_signer().public_key, new_serial(), late, longest_trial=LONGEST_TRIAL, number=9
    )
    issuing = sign(drafted, world.root_key, world.root)
    assert issuer(issuing).not_after == issuer(world.root).not_after
    assert "TEST Trial CPA Issuing CA 9" in issuer(issuing).parsed.subject.rfc4514_string()


def test_a_part_of_a_day_of_the_longest_trial_is_given_whole() -> None:
    world = the_world()
    drafted = hierarchy.issuing_draft(
        PROFILE, world.root, LEAF_KEY, new_serial(), AT, longest_trial=timedelta(days=10, seconds=1)
    )
    parsed = x509.load_der_x509_certificate(drafted.preview)
    assert parsed.not_valid_after_utc == datetime(2032, 1, 13, 23, 59, 59, tzinfo=UTC)


def test_responder_never_outlives_the_issuing_ca_and_is_not_made_after_it() -> None:
    world = the_world()
    end = issuer(world.issuing).not_after
    key = new_signer().public_key
    near = hierarchy.responder_draft(PROFILE, world.issuing, key, new_serial(), end - timedelta(days=3))
    assert issuer(sign(near, world.issuing_key, world.issuing)).not_after == end
    before = hierarchy.responder_draft(
        PROFILE, world.issuing, key, new_serial(), issuer(world.issuing).not_before - timedelta(seconds=1)
    )
    with pytest.raises(OutlivesIssuer):
        sign(before, world.issuing_key, world.issuing)


@settings(max_examples=40, deadline=None)
@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59), timezones=st.just(UTC)))  # noqa: DTZ001
def test_hierarchy_of_any_instant_nests(at: datetime) -> None:
    world = make_world(at.replace(microsecond=0))
    root, issuing, responder = issuer(world.root), issuer(world.issuing), issuer(world.responder)
    assert root.not_before <= issuing.not_before <= responder.not_before
    assert root.not_after >= issuing.not_after >= responder.not_after
    assert {each.not_after.time().isoformat() for each in (root, issuing)} == {"23:59:59"}


# --- what others say ---


def test_openssl_accepts_the_chain_strictly(tmp_path: Path) -> None:
    world = the_world()
    write(
        tmp_path,
        **{"root.pem": pem(world.root), "issuing.pem": pem(world.issuing), "responder.pem": pem(world.responder)},
    )
    command = ["openssl", "verify", "-x509_strict", "-attime", str(int(AT.timestamp())), "-CAfile", "root.pem"]
    assert run(tmp_path, *command, "root.pem")[1] == "root.pem: OK\n"
    assert run(tmp_path, *command, "issuing.pem")[1] == "issuing.pem: OK\n"
    purpose = ["-purpose", "ocsphelper", "-untrusted", "issuing.pem", "responder.pem"]
    assert run(tmp_path, *command, *purpose)[1] == "responder.pem: OK\n"


def test_gnutls_accepts_the_chain(tmp_path: Path) -> None:
    world = the_world()
    write(tmp_path, **{"chain.pem": pem(world.responder, world.issuing, world.root)})
    code, said = run(tmp_path, "certtool", "--verify-chain", "--infile", "chain.pem", at=AT)
    assert code == 0, said
    assert "Chain verification output: Verified" in said


def test_linter_finds_nothing() -> None:
    world = the_world()
    for der in (world.root, world.issuing, world.responder):
        assert lint_certificate(der) == ()
    assert lint_chain(world.root, world.issuing) == ()
    assert lint_chain(world.issuing, world.responder) == ()


def test_certificates_of_a_live_authority_pass_too(tmp_path: Path) -> None:
    world = make_world(profile=Profile(**LIVE))
    write(tmp_path, **{"root.pem": pem(world.root), "all.pem": pem(world.responder, world.issuing)})
    at = str(int(AT.timestamp()))
    code, said = run(
        tmp_path,
        "openssl",
        "verify",
        "-x509_strict",
        "-attime",
        at,
        "-CAfile",
        "root.pem",
        "-untrusted",
        "all.pem",
        "all.pem",
    )
    assert code == 0, said
    assert all(lint_certificate(der) == () for der in (world.root, world.issuing, world.responder))
    assert b"TEST" not in world.root + world.issuing + world.responder
