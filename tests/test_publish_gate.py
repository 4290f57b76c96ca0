"""The gate that a CRL passes before it is published: a loss, a change or a lie keeps it back."""

import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from ca.certificates import issuer
from ca.revocation import crl
from ca.revocation.gate import MOST_TOLD, inspect
from core.approval import RevocationReason
from core.identifiers import Serial, serial_of
from core.status import Revoked
from tests.authority_world import AT, clearance, make_world, the_world

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


def test_gate_passes_a_good_list() -> None:
    world = the_world()
    before = world.full_crl(ENTRIES[:2], number=6, this_update=AT - DAY)
    assert _inspect(world.full_crl(ENTRIES)) == ()
    assert _inspect(world.full_crl(ENTRIES), previous=before) == ()
    facts = {"issuer_der": world.root, "distribution_point": None, "expired_certs_on_crl": None}
    assert _inspect(world.root_crl(), order=world.crl_order((), **facts), register=()) == ()


_BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "unreadable": (lambda: b"\x30\x03\x02\x01\x01", "cannot be read"),
    "truncated": (lambda: the_world().full_crl(ENTRIES)[:-1], "cannot be read"),
    "altered": (lambda: the_world().full_crl(ENTRIES).replace(b"270103123000Z", b"270103122959Z"), "its signature"),
    "an entry lost": (lambda: the_world().full_crl(ENTRIES[:3]), f"{ENTRIES[3].serial} is lost: it is in the register"),
    "an entry too many": (
        lambda: the_world().full_crl([*ENTRIES, replace(ENTRIES[3], serial=Serial("7" + "1" * 31))]),
        "is on the list and not in the register",
    ),
    "another reason": (
        lambda: the_world().full_crl([*ENTRIES[:3], replace(ENTRIES[3], reason=KEY_COMPROMISE)]),
        "the list says 2027-01-03T12:30:00Z (KEY_COMPROMISE)",
    ),
    "another date": (lambda: the_world().full_crl([replace(ENTRIES[0], at=AT), *ENTRIES[1:]]), "the list says"),
    "invalidity date lost": (
        lambda: the_world().full_crl([ENTRIES[0], replace(ENTRIES[1], invalidity_date=None), *ENTRIES[2:]]),
        "invalid since 2026-12-25T12:30:00Z",
    ),
    "an entry twice": (lambda: the_world().full_crl([*ENTRIES, ENTRIES[3]]), "there twice"),
    "out of order": (lambda: the_world().full_crl(ENTRIES[::-1]), "out of order"),
    "another number": (lambda: the_world().full_crl(ENTRIES, number=8), "extension 2.5.29.20 does not say"),
    "another pointer": (
        lambda: the_world().full_crl(ENTRIES, distribution_point="http://127.0.0.1:8470/crl/x.crl"),
        "extension 2.5.29.28 does not say",
    ),
    "no pointer": (lambda: the_world().full_crl(ENTRIES, distribution_point=None), "extension 2.5.29.28 is missing"),
    "no expiredCertsOnCRL": (
        lambda: the_world().full_crl(ENTRIES, expired_certs_on_crl=None),
        "extension 2.5.29.60 is missing",
    ),
    "another expiredCertsOnCRL": (
        lambda: the_world().full_crl(ENTRIES, expired_certs_on_crl=AT),
        "extension 2.5.29.60 does not say",
    ),
    "another time": (
        lambda: the_world().full_crl(ENTRIES, next_update=AT + timedelta(hours=49)),
        "not those that were ordered",
    ),
}


@pytest.mark.parametrize(("make", "problem"), _BAD.values(), ids=_BAD)
def test_gate_refuses(make: Callable[[], bytes], problem: str) -> None:
    problems = _inspect(make())
    assert any(problem in each for each in problems), problems


def test_gate_refuses_an_extension_on_the_root_list() -> None:
    world = the_world()
    facts = {"issuer_der": world.root, "distribution_point": None, "expired_certs_on_crl": None}
    drafted = crl.draft(world.crl_order((), **facts | {"distribution_point": "http://127.0.0.1:8470/crl/root.crl"}))
    der = crl.sign(drafted, clearance(drafted), world.root_key, world.root)
    assert _inspect(der, order=world.crl_order((), **facts), register=()) == (
        "extension 2.5.29.28 does not belong there",
    )


def _by_another_tool(
    *entries: x509.RevokedCertificate, critical: bool = False, algorithm: hashes.SHA384 | None = None
) -> bytes:
    """The list as `cryptography` writes it, which can say what our own writer cannot."""
    world = the_world()
    order = world.crl_order()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer(world.issuing).parsed.subject)
        .last_update(order.this_update)
        .next_update(order.next_update)
    )
    for entry in entries:
        builder = builder.add_revoked_certificate(entry)
    for extension in _parsed(world.full_crl()).extensions:
        inverted = critical and extension.oid.dotted_string == "2.5.29.60"
        builder = builder.add_extension(extension.value, critical=extension.critical != inverted)
    made = builder.sign(world.issuing_key._key, algorithm or hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def _entry(*extensions: x509.ExtensionType, at: datetime = AT) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder().serial_number(int(ENTRIES[3].serial, 16)).revocation_date(at)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.build()


@pytest.mark.parametrize(
    ("der", "problem"),
    [
        (_by_another_tool(_entry(x509.CRLReason(x509.ReasonFlags.remove_from_crl))), "one that is not ours"),
        (_by_another_tool(_entry(x509.CRLReason(x509.ReasonFlags.certificate_hold))), "one that is not ours"),
        (_by_another_tool(_entry()), "has no reason"),
        (
            _by_another_tool(
                _entry(
                    x509.CRLReason(x509.ReasonFlags.privilege_withdrawn),
                    x509.CertificateIssuer([x509.UniformResourceIdentifier("http://a.uk")]),
                )
            ),
            "extension that does not belong",
        ),
        (
            _by_another_tool(_entry(x509.CRLReason(x509.ReasonFlags.privilege_withdrawn)), critical=True),
            "extension 2.5.29.60 does not say",
        ),
        (
            _by_another_tool(_entry(x509.CRLReason(x509.ReasonFlags.privilege_withdrawn)), algorithm=hashes.SHA384()),
            "not signed by ECDSA with SHA-256",
        ),
    ],
)
def test_gate_refuses_what_our_own_writer_cannot_write(der: bytes, problem: str) -> None:
    problems = _inspect(der, register=ENTRIES[3:])
    assert any(problem in each for each in problems), problems


def test_gate_passes_the_same_list_from_another_writer() -> None:
    der = _by_another_tool(_entry(x509.CRLReason(x509.ReasonFlags.privilege_withdrawn)))
    assert _inspect(der, register=ENTRIES[3:]) == ()
    assert _parsed(der).tbs_certlist_bytes == crl.draft(the_world().crl_order(ENTRIES[3:])).tbs


def test_gate_refuses_the_list_of_another_ca() -> None:
    twin = make_world()
    problems = _inspect(twin.full_crl(ENTRIES))
    assert "its signature is not that of its CA" in problems
    root = _inspect(the_world().root_crl(), register=())
    assert "it names another issuer" in root


def test_gate_refuses_a_list_from_the_future_or_the_past() -> None:
    der = the_world().full_crl(ENTRIES)
    assert any("in the future" in each for each in _inspect(der, at=AT - timedelta(seconds=1)))
    assert _inspect(der, at=AT + timedelta(hours=47, minutes=59, seconds=59)) == ()
    assert any("nextUpdate" in each for each in _inspect(der, at=AT + timedelta(hours=48)))


def test_gate_refuses_an_entry_with_a_date_in_the_future() -> None:
    future = [replace(ENTRIES[0], at=AT + timedelta(seconds=1))]
    assert any("dated in the future" in each for each in _inspect(the_world().full_crl(future), register=future))


@pytest.mark.parametrize(
    ("previous", "problem"),
    [
        ({"number": 7}, "not above the last one, 7"),
        ({"number": 8}, "not above the last one, 8"),
        ({"number": 6, "this_update": AT + timedelta(seconds=1)}, "dated before the last one"),
    ],
)
def test_gate_refuses_what_is_not_beyond_the_last_list(previous: dict[str, Any], problem: str) -> None:
    world = the_world()
    problems = _inspect(world.full_crl(ENTRIES), previous=world.full_crl(ENTRIES, **previous))
    assert any(problem in each for each in problems), problems


def test_gate_refuses_a_last_list_of_another_ca() -> None:
    problems = _inspect(the_world().full_crl(ENTRIES), previous=the_world().root_crl())
    assert "the last list is another CA's" in problems


@pytest.mark.parametrize("lost", range(4))
def test_gate_refuses_a_loss_even_where_the_register_forgot_it_too(lost: int) -> None:
    # As after a restore from an old backup: the register and the new list agree, and both have forgotten.
    world = the_world()
    rest = [*ENTRIES[:lost], *ENTRIES[lost + 1 :]]
    problems = _inspect(world.full_crl(rest), register=rest, previous=world.full_crl(ENTRIES, number=6))
    assert problems == (f"{ENTRIES[lost].serial} is lost: it is in the last list and not on the list",)


@pytest.mark.parametrize(
    "change", [{"at": AT - 4 * DAY}, {"reason": KEY_COMPROMISE}, {"invalidity_date": AT - 20 * DAY}]
)
def test_gate_refuses_a_changed_entry_even_where_the_register_changed_too(change: dict[str, Any]) -> None:
    world = the_world()
    changed = [replace(ENTRIES[0], **change), *ENTRIES[1:]]
    problems = _inspect(world.full_crl(changed), register=changed, previous=world.full_crl(ENTRIES, number=6))
    assert len(problems) == 1
    assert "the last list" in problems[0]


def test_gate_tells_a_bounded_number_of_problems() -> None:
    many = [Revoked(serial_of(number), AT, KEY_COMPROMISE) for number in range(1, 501)]
    problems = _inspect(the_world().full_crl(), register=many)
    assert len(problems) == MOST_TOLD + 1
    assert problems[-1] == "and 480 more"


@settings(max_examples=60, deadline=None)
@given(_registers, _registers)
def test_gate_finds_every_difference(listed: list[Revoked], recorded: list[Revoked]) -> None:
    later = datetime(9999, 12, 31, 1, tzinfo=UTC)
    order = the_world().crl_order(listed, this_update=later, next_update=later + timedelta(hours=2))
    problems = inspect(the_world().sign_crl(order), order=order, previous=None, register=recorded, at=later)
    assert (problems == ()) == (listed == recorded)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_gate_survives_damaged_lists(data: st.DataObject) -> None:
    der = bytearray(the_world().full_crl(ENTRIES))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    mutant = bytes(der)
    unharmed = mutant == the_world().full_crl(ENTRIES)
    assert (_inspect(mutant) == ()) == unharmed
    assert isinstance(_inspect(the_world().full_crl(ENTRIES), previous=mutant), tuple)


def test_long_list_is_written_and_gated_without_holding_it_as_objects() -> None:
    most = 0

    def register() -> Iterable[Revoked]:
        nonlocal most
        alive: set[int] = set()
        for number in range(1, 20_001):
            entry = Revoked(serial_of(number), AT, KEY_COMPROMISE)
            alive.add(number)
            weakref.finalize(entry, alive.discard, number)
            most = max(most, len(alive))
            yield entry

    der = the_world().full_crl(register())
    assert _inspect(der, register=register()) == ()
    assert most < 5
    assert all(one.serial_number < other.serial_number for one, other in pairwise(_parsed(der)))
