"""Lists are linted once for each shape; each of them is judged by every rule, written again and compared."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ca.clearance import Clearance
from ca.revocation import crl
from ca.revocation.crl import CrlOrder
from core.approval import RevocationReason
from core.errors import Finding, Severity
from core.identifiers import new_serial, serial_of
from core.status import Revoked
from policy import pkix
from policy.linted import Linted
from policy.profile import clear_crl
from tests.authority_world import AT, make_world, the_world

WITHDRAWN, COMPROMISED = RevocationReason.PRIVILEGE_WITHDRAWN, RevocationReason.KEY_COMPROMISE
HOUR = timedelta(hours=1)


@pytest.fixture
def lints(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The lists that were linted."""
    linted: list[bytes] = []
    lint = pkix.lint_crl

    def counted(der: bytes) -> tuple[Finding, ...]:
        linted.append(der)
        return lint(der)

    monkeypatch.setattr(pkix, "lint_crl", counted)
    return linted


def _ended(reason: RevocationReason = WITHDRAWN, since: datetime | None = None) -> Revoked:
    return Revoked(new_serial(), AT - HOUR, reason, since)


def _order(*entries: Revoked) -> CrlOrder:
    return the_world().crl_order(tuple(sorted(entries, key=lambda each: each.serial)))


def _cleared(order: CrlOrder, linted: Linted) -> bool:
    return isinstance(clear_crl(crl.draft(order), order, linted), Clearance)


def test_lists_that_differ_in_number_instants_and_serials_only_are_linted_once(lints: list[bytes]) -> None:
    linted = Linted()
    for number in range(1, 11):
        order = _order(*(_ended() for _ in range(number)), _ended(COMPROMISED, AT - number * HOUR))
        later = order.this_update + number * HOUR
        assert _cleared(replace(order, number=number, this_update=later, next_update=later + HOUR), linted)
    assert len(lints) == 1


OTHERS: Sequence[Callable[[CrlOrder], CrlOrder]] = (
    lambda _: _order(),
    lambda _: _order(_ended(), _ended(COMPROMISED)),
    lambda _: _order(_ended(since=AT - 2 * HOUR)),
    lambda _: _order(replace(_ended(), serial=serial_of(1))),
    lambda order: replace(order, number=2**40),
    lambda order: replace(order, next_update=datetime(2050, 1, 1, tzinfo=UTC)),
    lambda order: make_world().crl_order(order.entries),
)


@pytest.mark.parametrize("other", OTHERS)
def test_a_shape_that_was_not_linted_is_linted(lints: list[bytes], other: Callable[[CrlOrder], CrlOrder]) -> None:
    linted, order = Linted(), _order(_ended())
    assert _cleared(order, linted)
    assert _cleared(order, linted)
    assert len(lints) == 1
    assert _cleared(other(order), linted)
    assert len(lints) == 2


def test_a_shape_against_which_the_linter_has_something_is_never_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding(code="lint.planted", clause="", severity=Severity.FATAL, detail="Planted.", remedy="")
    monkeypatch.setattr(pkix, "lint_crl", lambda _: (finding,))
    linted, order = Linted(), _order(_ended())
    for _ in range(2):
        assert clear_crl(crl.draft(order), order, linted) == (finding,)


def test_what_passes_in_a_shape_that_was_linted_the_linter_would_pass() -> None:
    """Whichever octet is another one: what is not refused has other values, and nothing else."""
    linted, order = Linted(), _order(_ended(since=AT - 2 * HOUR), _ended(COMPROMISED))
    drafted = crl.draft(order)
    assert _cleared(order, linted)
    passed = 0
    for place in range(len(drafted.tbs)):
        octets = drafted.tbs[:place] + bytes([drafted.tbs[place] ^ 0x01]) + drafted.tbs[place + 1 :]
        other = replace(drafted, tbs=octets)
        if isinstance(clear_crl(other, order, linted), Clearance):
            passed += 1
            assert pkix.lint_crl(other.preview) == (), place
    assert 0 < passed < 100, "serial numbers and dates of entries, which the publish gate compares with the register"
