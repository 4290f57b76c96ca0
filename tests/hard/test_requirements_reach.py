"""Rules are asked when they matter: a standing requirement reaches what is proposed already (F2.20)."""

import pytest

from core.errors import RulesRefused
from core.kinds import RequirementState
from ra.applying.requirements import close_requirement, set_standing
from ra.deciding.look import decision as shown
from ra.deciding.look import decisions
from ra.waiting.tasks import tasks
from tests.world import OFFICER_1, OFFICER_2, World

WORDS = "Show that the xylophone test was passed."


@pytest.mark.clause("F2.20")
def test_a_standing_requirement_reaches_a_grant_that_is_proposed_and_shows_that_it_blocks_it(world: World) -> None:
    proposed = world.drafted()
    assert shown(world.desk, OFFICER_2, proposed).against == ()
    assert set_standing(world.desk, OFFICER_1, WORDS).applications == 1
    with pytest.raises(RulesRefused) as told:
        world.seconded(proposed)
    assert [each.code for each in told.value.findings] == ["requirement-open"]
    seen = shown(world.desk, OFFICER_2, proposed)
    (blocking,) = seen.requirements
    assert (blocking.text, [each.code for each in seen.against]) == (WORDS, ["requirement-open"])
    assert blocking.requirement in seen.against[0].detail
    (waiting,) = [each for each in tasks(world.desk, OFFICER_2).tasks if each.kind == "decision-to-second"]
    assert "1 open requirement: it cannot be seconded" in waiting.sentence
    (listed,) = decisions(world.desk, OFFICER_2, after="", limit=10).decisions
    assert (listed.against, listed.requirements) == ((), ())
    close_requirement(
        world.desk, OFFICER_1, blocking.requirement, outcome=RequirementState.MET, reason="The report shows it."
    )
    assert (shown(world.desk, OFFICER_2, proposed).against, bool(world.seconded(proposed))) == ((), True)
