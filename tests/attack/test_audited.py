"""Every forged register is refuted by `audit verify`, which names the row that was forged (verdicts.py)."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.attack.cases import OTHER_ROSTER, REFUSED
from tests.attack.forging import Scene, forge, turns
from tests.attack.verdicts import FORGED, HEALED, NAMED, UNNAMED, names_of
from tests.audit_world import audited, exported, named
from tests.world import World

HERE = Path(__file__).parent
OF_NO_REGISTER = {
    "test_every_act_of_an_operator_is_tried",
    "test_every_attack_of_the_list_has_a_verdict",
    "test_every_test_here_is_looked_at_by_the_audit",
}
"""Tests of tables."""


def test_every_attack_of_the_list_has_a_verdict() -> None:
    assert {each.name for each in REFUSED} == FORGED.keys()
    assert FORGED.keys() >= set(HEALED)


def test_every_test_here_is_looked_at_by_the_audit() -> None:
    """An attack that is added says what the audit names; `before` refuses it otherwise."""
    functions = {
        each.name: [argument.arg for argument in each.args.args]
        for path in HERE.glob("test_*.py")
        for each in ast.parse(path.read_text("utf-8")).body
        if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
    }
    assert {name for name, arguments in functions.items() if "before" not in arguments} == OF_NO_REGISTER
    assert {each.partition("[")[0] for each in (*NAMED, *UNNAMED)} == functions.keys() - OF_NO_REGISTER
    assert not NAMED.keys() & UNNAMED.keys()


@pytest.mark.parametrize("statements", [("DELETE FROM rosters",), OTHER_ROSTER], ids=["deleted", "another"])
def test_a_roster_that_is_shown_otherwise_is_named_until_it_is_put_right(
    before: Scene, statements: Sequence[str]
) -> None:
    world = before.world
    forge(world, *statements)
    assert any(each.startswith("rosters") for each in named(audited(exported(world.store))))
    turns(world)
    assert not named(audited(exported(world.store)))


@dataclass(frozen=True)
class Forgery:
    """One row of a register in order that is written into, and how it is then named."""

    statement: str
    row: str


MORE = (
    Forgery("UPDATE terms SET maximum_devices = maximum_devices + 1", "terms {good} 1"),
    Forgery("UPDATE approvals SET organisation_id = 'org-rival' WHERE identifier = '{good}'", "approvals {good}"),
    Forgery("UPDATE approvals SET expiry = expiry + 86400 WHERE identifier = '{good}'", "approvals {good}"),
    Forgery("UPDATE approvals SET model = 'other' WHERE identifier = '{good}'", "approvals {good}"),
    Forgery("UPDATE notices SET record = record || ' '", "notices TTN-2027-0001"),
    Forgery("UPDATE notices SET number = 'TTN-2027-0099' WHERE number = 'TTN-2027-0001'", "notices TTN-2027-0099"),
    Forgery("DELETE FROM notices WHERE number = 'TTN-2027-0002'", "notices TTN-2027-0002"),
    Forgery("UPDATE ocsp_answers SET revoked_at = 1 WHERE serial = '{good_serial}'", "ocsp_answers"),
    Forgery("UPDATE ocsp_answers SET serial = '{good_serial}' WHERE serial = '{ended_serial}'", "ocsp_answers"),
    Forgery("DELETE FROM crls", "crls"),
    Forgery("UPDATE crls SET number = number + 1000", "crls"),
    Forgery("UPDATE crls SET der = (SELECT der FROM crls ORDER BY number LIMIT 1)", "crls"),
    Forgery("UPDATE public_keys SET state = 'compromised'", "public_keys"),
    Forgery("UPDATE applications SET state = 'refused' WHERE state = 'granted'", "applications"),
    Forgery(
        "UPDATE log_documents SET document = replace(document, '\"issue\":1', '\"issue\":2')", "log_documents {good}"
    ),
    Forgery("UPDATE authorisations SET proof = replace(proof, 'A', 'B')", "row "),
    Forgery("DELETE FROM authorisations", "row "),
    Forgery("UPDATE decisions SET proposal = replace(proposal, 'Acme', 'Evil')", "decisions dec-"),
    Forgery("UPDATE journal_heads SET signature = link", "journal_heads"),
    Forgery("DELETE FROM approvals WHERE identifier = '{good}'", "approvals {good}"),
    Forgery("DELETE FROM certificates WHERE serial = '{good_serial}'", "certificates {good_serial}"),
    Forgery("UPDATE certificates SET signed_at = signed_at - 1", "certificates {good_serial}"),
    Forgery("UPDATE certificates SET cause = 'of mine' WHERE serial = '{ended_serial}'", "certificates {ended_serial}"),
)
"""Rows that no attack of the list writes."""


@pytest.mark.parametrize("forgery", MORE, ids=lambda each: each.statement[:60])
def test_each_row_that_is_written_into_is_named(before: Scene, forgery: Forgery) -> None:
    world: World = before.world
    forge(world, forgery.statement.format(**names_of(before)))
    found = named(audited(exported(world.store)))
    assert any(each.startswith(forgery.row.format(**names_of(before))) for each in found), found


def test_without_heads_it_says_what_it_cannot_know(before: Scene) -> None:
    forge(before.world, "DELETE FROM journal_heads")
    found = audited(exported(before.world.store)).findings
    assert not found.problems
    assert any("no head covers them" in each for each in found.unknown)
