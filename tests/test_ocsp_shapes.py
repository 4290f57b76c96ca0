"""OCSP answers are linted once for each shape, and each of them is written again and compared, octet by octet."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ca.clearance import Clearance, ClearanceKind
from ca.revocation import ocsp
from ca.revocation.ocsp import OcspAnswer, OcspOrder
from core.approval import RevocationReason
from core.errors import Finding, Severity
from core.identifiers import Serial, new_serial, serial_of
from core.status import Revoked
from policy import pkix
from policy.linted import Linted
from policy.profile import clear_ocsp, inspect_ocsp
from tests.authority_world import AT, make_world, the_world

SERIAL = Serial("4" + "1" * 31)
END = Revoked(SERIAL, AT - timedelta(days=1), RevocationReason.KEY_COMPROMISE)
ORDERS = {"good": the_world().ocsp_order(SERIAL), "revoked": the_world().ocsp_order(SERIAL, END)}
HOUR = timedelta(hours=1)


@pytest.fixture
def lints(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The answers that were linted."""
    linted: list[bytes] = []
    lint = pkix.lint_ocsp

    def counted(der: bytes) -> tuple[Finding, ...]:
        linted.append(der)
        return lint(der)

    monkeypatch.setattr(pkix, "lint_ocsp", counted)
    return linted


def _cleared(order: OcspOrder, linted: Linted) -> bool:
    return isinstance(clear_ocsp(ocsp.draft(order), order, linted), Clearance)


def _signed(order: OcspOrder) -> OcspAnswer:
    drafted = ocsp.draft(order)
    key, responder = the_world().responder_key, the_world().responder
    return ocsp.sign(drafted, Clearance(ClearanceKind.OCSP, drafted.digest), key, responder)


def test_answers_that_differ_in_serial_and_instants_only_are_linted_once(lints: list[bytes]) -> None:
    linted = Linted()
    for number in range(20):
        serial, later = new_serial(), timedelta(minutes=number)
        times: dict[str, Any] = {"this_update": AT + later, "next_update": AT + later + HOUR}
        assert _cleared(the_world().ocsp_order(serial, **times), linted)
        assert _cleared(the_world().ocsp_order(serial, replace(END, serial=serial, at=AT - later), **times), linted)
    assert len(lints) == 2


@pytest.mark.parametrize(
    "other",
    [
        lambda: the_world().ocsp_order(SERIAL, hash_name="sha1"),
        *(
            lambda reason=reason: the_world().ocsp_order(SERIAL, replace(END, reason=reason))
            for reason in RevocationReason
        ),
        lambda: the_world().ocsp_order(serial_of(1)),
        lambda: make_world().ocsp_order(SERIAL),
    ],
)
def test_a_shape_that_was_not_linted_is_linted_before_it_is_used(
    lints: list[bytes], other: Callable[[], OcspOrder]
) -> None:
    linted = Linted()
    assert _cleared(ORDERS["good"], linted)
    assert len(lints) == 1
    assert _cleared(other(), linted)
    assert len(lints) == 2


def test_a_shape_against_which_the_linter_has_something_is_never_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding(code="lint.planted", clause="", severity=Severity.FATAL, detail="Planted.", remedy="")
    monkeypatch.setattr(pkix, "lint_ocsp", lambda _: (finding,))
    linted = Linted()
    for _ in range(2):
        assert clear_ocsp(ocsp.draft(ORDERS["good"]), ORDERS["good"], linted) == (finding,)


def test_shapes_are_bounded(monkeypatch: pytest.MonkeyPatch, lints: list[bytes]) -> None:
    monkeypatch.setattr("policy.linted._KNOWN", 1)
    linted = Linted()
    for name in ("good", "good", "revoked", "good"):
        assert _cleared(ORDERS[name], linted)
    assert len(lints) == 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"next_update": AT + timedelta(hours=12, seconds=1)}, "ocsp.too-long"),
        ({"next_update": AT}, "ocsp.next-update"),
        ({"revoked": replace(END, at=AT + HOUR)}, "ocsp.status"),
        ({"revoked": replace(END, serial=new_serial())}, "ocsp.status"),
        ({"this_update": AT - timedelta(days=400), "next_update": AT - timedelta(days=400)}, "ocsp.responder-outlived"),
        (
            {"this_update": AT + timedelta(days=4000), "next_update": AT + timedelta(days=4000)},
            "ocsp.responder-outlived",
        ),
    ],
)
def test_what_may_not_be_ordered_is_refused_in_a_shape_that_was_linted_too(
    changes: dict[str, object], code: str
) -> None:
    linted = Linted()
    for order in ORDERS.values():
        assert _cleared(order, linted)
    order = replace(ORDERS["revoked" if "revoked" in changes else "good"], **changes)  # type: ignore[arg-type]
    found = clear_ocsp(ocsp.draft(order), order, linted)
    assert not isinstance(found, Clearance)
    assert code in {each.code for each in found}


@pytest.mark.parametrize("name", ORDERS)
def test_every_octet_counts_of_what_is_to_be_signed(name: str) -> None:
    order, linted = ORDERS[name], Linted()
    assert _cleared(order, linted)
    drafted = ocsp.draft(order)
    for place in range(len(drafted.tbs)):
        wrong = replace(drafted, tbs=_flipped(drafted.tbs, place, 0x01))
        found = clear_ocsp(wrong, order, linted)
        assert not isinstance(found, Clearance), place
    for other in (replace(drafted, serial=new_serial()), replace(drafted, responder_der=the_world().issuing)):
        assert not isinstance(clear_ocsp(other, order, linted), Clearance)


@pytest.mark.parametrize("name", ORDERS)
def test_every_octet_counts_of_an_answer_that_was_signed(name: str) -> None:
    order = ORDERS[name]
    answer = _signed(order)
    assert inspect_ocsp(answer, order) == ()
    for place in range(len(answer.der)):
        for bit in (0x01, 0x20, 0x80):
            assert inspect_ocsp(replace(answer, der=_flipped(answer.der, place, bit)), order), (place, bit)
    for cut in (answer.der[:-1], answer.der + b"\x00", b""):
        assert inspect_ocsp(replace(answer, der=cut), order)


_instants = st.integers(0, 4_000_000_000).map(lambda seconds: AT + timedelta(seconds=seconds))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 2**159 - 1).map(serial_of),
    _instants,
    _instants,
    st.none() | st.tuples(_instants, st.sampled_from(RevocationReason)),
    st.sampled_from(["sha1", "sha256"]),
)
def test_two_writers_agree_and_no_answer_passes_for_another(
    serial: Serial, this_update: object, next_update: object, ended: tuple[object, object] | None, hash_name: str
) -> None:
    end = None if ended is None else Revoked(serial, *ended)  # type: ignore[arg-type]
    times = {"this_update": this_update, "next_update": next_update, "hash_name": hash_name}
    order = the_world().ocsp_order(serial, end, **times)
    answer = _signed(order)
    assert inspect_ocsp(answer, order) == ()
    for other in ORDERS.values():
        assert inspect_ocsp(answer, other)


def _flipped(octets: bytes, place: int, bit: int) -> bytes:
    return octets[:place] + bytes([octets[place] ^ bit]) + octets[place + 1 :]
