"""try"""
import pytest
from tests.attack.cases import REFUSED, Case
from tests.attack.forging import Scene, turns
from tests.attack.test_attacks import _named
from tests.audit_world import audited, exported, named
from core.instants import ONE_SECOND

@pytest.mark.parametrize("case", REFUSED, ids=_named)
def test_try(before: Scene, case: Case) -> None:
    world = before.world
    world.at(world.clock.now() + ONE_SECOND)
    case.attack(before)
    first = audited(exported(world.store))
    turns(world)
    then = audited(exported(world.store))
    with open("/tmp/attack_found.txt", "a") as f:
        f.write(f"== {case.row} {case.name}\n")
        for tag, a in (("at once", first), ("then", then)):
            f.write(f"  {tag}: {[str(p)[:170] for p in a.findings.problems[:3]]} U={len(a.findings.unknown)}\n")
