"""What proves a fact, on whichever machine it is asked; and the names under which only our processes act."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from core.actors import CONSOLE, Role
from core.errors import CredentialRefused
from core.facts import FactKind
from jobs.evidence import proved_facts
from ra.access import grant_access
from store.tables import journal
from tests.world import World


@pytest.mark.parametrize(
    "name",
    ["authority", "courier", "console", "Console", " console", "console\t", "con sole", "authority.", "c-o-n-s-o-l-e"],
)
def test_nobody_gets_a_key_in_the_name_of_a_process(world: World, name: str) -> None:
    life = timedelta(days=1)
    with pytest.raises(CredentialRefused, match="process of the authority"):
        grant_access(world.desk, CONSOLE, name=name, role=Role.AUDITOR, organisation=None, life=life)


def test_who_did_not_see_rows_sealed_links_them_from_head_to_head(world: World) -> None:
    decision = world.drafted()
    kinds = [FactKind.DECISION_PROPOSED]
    # As on another machine: of the rows between two heads the memory has no links.
    with world.memory._book.writing() as cursor:
        cursor.execute("DELETE FROM link WHERE number < (SELECT max(number) FROM link)")
    with world.store.read() as tx:
        assert len(proved_facts(tx, world.memory, [decision], kinds)) == 1
    assert world.memory.link_of(1) is not None, "they are known from now on"
    with world.memory._book.writing() as cursor:
        cursor.execute("DELETE FROM link WHERE number < (SELECT max(number) FROM link)")
    with world.store.begin("tamper") as tx:
        tx.connection.execute(update(journal).where(journal.c.seal_number == 1).values(actor="mallory"))
    with world.store.read() as tx:
        assert proved_facts(tx, world.memory, [decision], kinds) == []
