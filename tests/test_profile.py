"""What the corpus of the lint (tests/vectors/lint) leaves open: two writers, the limit, and the linter by itself."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ca.certificates import issuer
from ca.clearance import Clearance
from ca.revocation import crl, ocsp
from ca.revocation.gate import inspect
from core.approval import RevocationReason
from core.errors import Finding, Severity
from core.identifiers import serial_number, serial_of
from core.status import Revoked, endings
from policy import der, pkix
from policy.linted import Linted
from policy.profile import LONGEST_LINTED_CRL, clear_crl
from tests.lint_corpus import answers, crls
from tests.profile_world import AT, DAY, GOOD, ISSUING, ROOT, own_codes, private_key, signed

SUPERSEDED = RevocationReason.SUPERSEDED


def test_two_writers_agree_on_the_bytes_of_a_list() -> None:
    assert crls.to_be_signed() == crl.draft(crls.ORDER).tbs


def test_two_writers_agree_on_the_bytes_of_an_answer() -> None:
    assert answers.to_be_signed() == ocsp.draft(answers.ORDER).tbs


def _entries(number: int) -> Iterator[Revoked]:
    for place in range(number):
        yield Revoked(serial_of(serial_number(crls.FIRST) + place), AT, SUPERSEDED)


@pytest.mark.parametrize("number", [LONGEST_LINTED_CRL, LONGEST_LINTED_CRL + 1])
def test_a_list_at_the_limit_and_a_longer_one_are_cleared(number: int) -> None:
    order = replace(crls.ORDER, entries=tuple(_entries(number)))
    assert isinstance(clear_crl(crl.draft(order), order, Linted()), Clearance)


def test_every_entry_of_a_list_at_the_limit_is_looked_at() -> None:
    late = Revoked(serial_of(1 << 126 | 1 << 125), AT + DAY, SUPERSEDED)
    order = replace(crls.ORDER, entries=(*_entries(LONGEST_LINTED_CRL - 1), late))
    assert own_codes(clear_crl(crl.draft(order), order, Linted())) == {"crl.entry-date"}


def test_a_longer_list_is_judged_by_its_structure() -> None:
    order = replace(crls.ORDER, entries=tuple(_entries(LONGEST_LINTED_CRL + 1)))
    later = replace(order, next_update=AT + timedelta(days=3))
    assert own_codes(clear_crl(crl.draft(order), later, Linted())) == {"crl.next-update"}


def test_what_the_lint_passes_over_in_a_longer_list_the_gate_finds() -> None:
    """An entry whose invalidityDate is critical: readers that do not know it must refuse the list (RFC 5280, 5.3)."""
    many = (*_entries(LONGEST_LINTED_CRL), Revoked(serial_of(1 << 126 | 1 << 125), AT, SUPERSEDED, AT))
    written = [crls.entry(each.serial) for each in many[:-1]]
    critical = {"2.5.29.24": (der.generalized_time(AT), True)}
    tbs = crls.to_be_signed(entries=(*written, crls.entry(many[-1].serial, more=critical)))
    above = issuer(ISSUING.preview)
    draft = crl.CrlDraft(number=7, entries=len(many), tbs=tbs, issuer_key=above.public_key, issuer_name=above.name)
    assert isinstance(clear_crl(draft, crls.ORDER, Linted()), Clearance)
    told = inspect(
        signed(tbs, private_key("issuing")), order=crls.ORDER, previous=None, register=lambda: endings(many), at=AT
    )
    assert told == ("written again from its values, it is not the same octets",)


@pytest.mark.parametrize("lint", [pkix.lint_certificate, pkix.lint_crl, pkix.lint_ocsp])
@pytest.mark.parametrize("broken", [b"", b"\x30\x00", GOOD.preview[:-1]], ids=["nothing", "empty", "cut off"])
def test_a_crash_of_the_linter_is_a_finding(lint: Callable[[bytes], tuple[Finding, ...]], broken: bytes) -> None:
    assert {finding.severity for finding in lint(broken)} == {Severity.FATAL}


def test_a_crash_over_a_chain_is_a_finding() -> None:
    assert [finding.code for finding in pkix.lint_chain(b"", b"")] == ["lint.crashed"]


def test_the_chain_is_linted_with_and_without_its_signature() -> None:
    assert pkix.lint_chain(ISSUING.preview, GOOD.preview, signed=False) == ()
    assert {finding.code for finding in pkix.lint_chain(ISSUING.preview, GOOD.preview)} == {
        "lint.pkix.signature_verification_failed"
    }
    assert pkix.lint_chain(ROOT.preview, GOOD.preview, signed=False)
