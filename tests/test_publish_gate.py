"""The gate that a CRL passes before it is published, on lists that are long, arbitrary or damaged.

One loss, change or lie at a time is a file: tests/vectors/lint/gate.
"""

import weakref
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from ca import der as write
from ca.certificates import issuer
from ca.revocation import crl, gate
from ca.revocation.agreeing import Since
from ca.revocation.gate import MOST_TOLD, inspect
from ca.revocation.kept import A_BLOCK, Entries, beyond
from ca.revocation.octets import Cut, cut
from core.approval import RevocationReason
from core.identifiers import Serial, serial_of
from core.status import Revoked, endings
from tests.authority_world import AT, the_world

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
    given = facts | changes
    return inspect(der, **given | {"register": lambda: endings(given["register"])})


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


def test_gate_passes_the_same_list_from_another_writer() -> None:
    world = the_world()
    order = world.crl_order()
    entry = x509.RevokedCertificateBuilder().serial_number(int(ENTRIES[3].serial, 16)).revocation_date(AT)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer(world.issuing).parsed.subject)
        .last_update(order.this_update)
        .next_update(order.next_update)
        .add_revoked_certificate(
            entry.add_extension(x509.CRLReason(x509.ReasonFlags.privilege_withdrawn), critical=False).build()
        )
    )
    for extension in _parsed(world.full_crl()).extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    der = builder.sign(world.issuing_key._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    assert _inspect(der, register=ENTRIES[3:]) == ()
    assert _parsed(der).tbs_certlist_bytes == crl.draft(world.crl_order(ENTRIES[3:])).tbs


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
    problems = inspect(
        the_world().sign_crl(order), order=order, previous=None, register=lambda: endings(recorded), at=later
    )
    assert (problems == ()) == (listed == recorded)


_FINAL = datetime(9999, 12, 31, 1, tzinfo=UTC)


def _list_of(entries: Iterable[Revoked], number: int) -> tuple[bytes, crl.CrlOrder]:
    order = the_world().crl_order(entries, number=number, this_update=_FINAL, next_update=_FINAL + timedelta(hours=2))
    return the_world().sign_crl(order), order


@settings(max_examples=100, deadline=None)
@given(_registers, st.data())
def test_gate_finds_every_difference_beside_a_list_before(recorded: list[Revoked], data: st.DataObject) -> None:
    """What stood in the last list is taken as read; whatever is not so, in any of the three, is found all the same."""

    def but(entries: list[Revoked]) -> list[Revoked]:
        """The same, or without one, or with one that is dated otherwise."""
        if not entries or data.draw(st.booleans()):
            return entries
        place = data.draw(st.integers(0, len(entries) - 1))
        other = [] if data.draw(st.booleans()) else [replace(entries[place], at=AT + DAY)]
        return [*entries[:place], *other, *entries[place + 1 :]]

    before, listed = but(recorded), but(recorded)
    der, order = _list_of(listed, 8)
    previous = _list_of(before, 7)[0]
    # What is said to have changed is read anew, and may be more than what has.
    changed = [each for each in recorded if each not in before or data.draw(st.booleans())]
    for since in (None, Since(entries=Entries.read(previous), changed=changed)):
        problems = inspect(
            der, order=order, previous=previous, register=lambda: endings(recorded), at=_FINAL, since=since
        )
        kept = {each.serial for each in recorded} >= {each.serial for each in before} or since is None
        assert (problems == ()) == (listed == recorded and all(each in listed for each in before)) or not kept


def test_a_list_costs_what_changed_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One entry of each form is read, of those that are new; where one is not what it must be, every one is."""
    seen, read = list[int](), gate._read

    def counted(of: x509.CertificateRevocationList, one: Cut | None, told: Any) -> Any:
        seen.extend([] if one is None else [one.serial])
        return read(of, one, told)

    monkeypatch.setattr(gate, "_read", counted)
    more = tuple(replace(ENTRIES[-1], serial=serial_of(int(ENTRIES[-1].serial, 16) + each)) for each in range(1, 30))
    before, after = the_world().full_crl(ENTRIES, number=6), the_world().full_crl(ENTRIES + more)
    since = Since(entries=Entries.read(before), changed=more)
    assert _inspect(after, register=ENTRIES + more, previous=before, since=since) == ()
    assert len(seen) == 1
    seen.clear()
    assert _inspect(after, register=ENTRIES + more, previous=before) == ()
    assert len(seen) == len(ENTRIES)  # each of another form
    missing = (*ENTRIES, *more[1:])
    assert _inspect(after, register=missing, previous=before, since=replace(since, changed=more[1:]))
    assert len(seen) > len(ENTRIES + more)


@settings(max_examples=60, deadline=None)
@given(_registers)
def test_a_list_is_cut_where_another_library_cuts_it(entries: list[Revoked]) -> None:
    der = _list_of(entries, 7)[0]
    read = _parsed(der)
    cuts = list(cut(der))
    assert [each.serial for each in cuts] == [each.serial_number for each in read]
    assert [each.place for each in cuts] == list(range(len(entries)))
    assert b"".join(each.octets for each in cuts) in read.tbs_certlist_bytes


_encoded = st.dictionaries(st.integers(1, 2**126), st.binary(min_size=1, max_size=90), max_size=9)


def _entry(serial: int, said: bytes) -> bytes:
    return write.sequence(write.integer(serial), said)


@settings(max_examples=80, deadline=None)
@given(st.data(), st.integers(0, 3 * A_BLOCK), st.lists(_encoded, max_size=4))
def test_what_is_kept_is_what_was_put_in(data: st.DataObject, many: int, changes: list[dict[int, bytes]]) -> None:
    """Entries with others put in, again and again, are those of a plain dictionary; what was before is not touched."""
    all_of = {each << 60: _entry(each << 60, b"as it was") for each in range(1, many + 1)}
    kept = Entries.of(all_of.items())
    for change in changes:
        near = {max(data.draw(st.integers(-1, 1)) + (key % (many + 1) << 60), 1): said for key, said in change.items()}
        written = {serial: _entry(serial, said) for serial, said in (change | near).items()}
        before, octets = kept, b"".join(kept.blocks)
        kept, all_of = kept.but(written), all_of | written
        assert b"".join(kept.blocks) == b"".join(said for _, said in sorted(all_of.items()))
        assert (len(kept), kept.size) == (len(all_of), sum(map(len, all_of.values())))
        assert all(kept.find(serial) == said for serial, said in written.items())
        assert b"".join(before.blocks) == octets


@settings(max_examples=200, deadline=None)
@given(_registers, st.data())
def test_what_a_list_has_beyond_another_is_found_without_the_blocks(
    register: list[Revoked], data: st.DataObject
) -> None:
    before = [each for each in register if data.draw(st.booleans())]
    old, (new, _) = Entries.read(_list_of(before, 6)[0]), _list_of(register, 7)
    assert [serial_of(each.serial) for each in beyond(new, old)] == [
        each.serial for each in register if each not in before
    ]
    assert old.stand_in(new) == (before == register)
    lost = [each for each in register if each not in before or data.draw(st.booleans())]
    if any(each not in lost for each in before):
        with pytest.raises(ValueError, match=r"not there as it was|too early|out of order"):
            list(beyond(_list_of(lost, 8)[0], old))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 400))
def test_what_is_no_list_is_cut_into_nothing_or_refused(other: bytes, place: int) -> None:
    der = the_world().full_crl(ENTRIES)
    with suppress(ValueError):
        list(cut(der[:place] + other + der[place + len(other) :]))


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
