"""Every forged register is refuted by `audit verify`, which names the row that was forged."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from core.instants import ONE_SECOND
from tests.attack.cases import OTHER_ROSTER, REFUSED, Case
from tests.attack.forging import Scene, forge, turns
from tests.attack.test_attacks import named as called
from tests.audit_world import audited, exported, named
from tests.world import World


def _names(scene: Scene) -> dict[str, str]:
    return {each: getattr(scene, each) for each in ("good", "ended", "decision", "good_serial", "ended_serial")}


FORGED = {
    "the dates of a draft": "drafts",
    "a seconder's name": "decisions {decision}",
    "a seconder whom nobody knows": "decisions {decision}",
    "with a row of secondings": "secondings {decision} officer-2",
    "the seconding's fact is lost": "decisions {decision}",
    "a decision of two officers": "decisions dec-",
    "a decision of two inventions": "decisions dec-",
    "a responder without bytes": "authority_certificates F",
    "a responder with another's bytes": "authority_certificates F",
    "ends are undone": "certificates {ended_serial}",
    "ends are moved": "certificates {ended_serial}",
    "ends get another reason": "certificates {ended_serial}",
    "ends and lists are undone": "crls",
    "the column asks for two": "approvals TDT-2027-0003",
    "the column asks for one": "decisions {decision}",
    "an invented issuing CA": "authority_certificates F",
    "sealed facts are deleted": "row 48",
    "and then it is seconded": "row 48",
    "all before the head is deleted": "row 1",
    "history is rewritten, and a restart": "row 5",
    "history is rewritten while running": "row 5",
    "the register goes back": "decisions {decision}",
    "the register goes back, then an act": "decisions {decision}",
    "the register goes back, then a restart": "decisions {decision}",
    "a rekey by two officers": "decisions dec-",
    "a rekey by two inventions": "decisions dec-",
    "another's bytes under a serial": "certificates {good_serial}",
    "an end without a decision": "certificates {good_serial}",
    "a compromised key": "certificates {good_serial}",
    "a supersession by nothing": "certificates {good_serial}",
    "an end whose facts are lost": "certificates {good_serial}",
    "an end by nobody": "certificates {good_serial}",
    "an end that was decided otherwise": "decisions dec-",
    "another authority": "authority",
    "another journal key": "authority",
    "officers by rows": "decisions dec-",
    "one officer by rows": "decisions dec-",
    "an officer's name and another key": "row ",
    "access that was taken away": "row ",
    "a process's name": "decisions dec-",
    "a draft's bytes": "drafts",
    "a number used again": "approvals {good}",
    "a seconder, and the fact": "decisions {decision}",
    "everything, grants included": "decisions dec-",
    "both officers' API keys": "decisions dec-",
    "a rekey, and the facts": "decisions dec-",
    "an officer, grant included": "decisions dec-",
    "an urgent end by an API key": "certificates {good_serial}",
    "an end by both API keys": "certificates {good_serial}",
    "an end by an invention": "certificates {good_serial}",
    "a key under another approval": "public_keys",
    **{
        f"a sealed row's {column} is edited": "row 48"
        for column in ("actor", "role", "at", "payload", "subject", "kind")
    },
}
"""By the name of the attack, the row that is forged, as it is named."""

HEALED = ("the roster's rows are deleted", "the roster's rows go by another")
"""The authority puts these right before anybody can look behind it: see below."""


@pytest.mark.parametrize("case", [each for each in REFUSED if each.name not in HEALED], ids=called)
def test_each_forged_register_is_refuted_and_the_row_is_named(before: Scene, case: Case) -> None:
    world = before.world
    world.at(world.clock.now() + ONE_SECOND)
    assert not named(audited(exported(world.store)))
    case.attack(before)
    wanted = FORGED[case.name].format(**_names(before))
    at_once = named(audited(exported(world.store)))
    turns(world)
    then = named(audited(exported(world.store)))
    assert then, "also when the authority has worked on it"
    assert any(each.startswith(wanted) for each in (*at_once, *then)), (wanted, at_once, then)


def test_every_attack_is_in_the_table() -> None:
    assert {each.name for each in REFUSED} == FORGED.keys() | set(HEALED)


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
    forge(world, forgery.statement.format(**_names(before)))
    found = named(audited(exported(world.store)))
    assert any(each.startswith(forgery.row.format(**_names(before))) for each in found), found


def test_without_heads_it_says_what_it_cannot_know(before: Scene) -> None:
    forge(before.world, "DELETE FROM journal_heads")
    found = audited(exported(before.world.store)).findings
    assert not found.problems
    assert any("no head covers them" in each for each in found.unknown)
