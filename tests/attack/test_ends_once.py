"""What officers signed to end a certificate ends none that came after it, whatever is written in its name."""

from collections.abc import Callable

import pytest

from core.actors import Actor
from core.alarms import AlarmCode
from core.approval import EndCause
from core.canonical import Json
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.instants import seconds
from core.kinds import AuthorisationFlaw
from ra.deciding.kinds.rekey import ProposeRekey
from store.verbs import facts
from tests.acting import propose
from tests.attack.forging import Scene, forge, turns
from tests.attack.test_authorisations import refused
from tests.world import OFFICER_1, OFFICER_2, World, csr_pem

C = EndCause.KEY_COMPROMISE


def _rekeyed(world: World, approval: str) -> tuple[str, Actor]:
    """A decision by two to certify a new key, by which the old one's certificate is cancelled."""
    new = propose(world.desk, OFFICER_1, ProposeRekey(approval, csr_pem(), compromised=True, reasons="A new key."))
    world.authority.settle()
    world.seconded(new.decision)
    turns(world)
    return new.decision, OFFICER_2


def _cancelled_before(world: World, approval: str) -> tuple[str, Actor]:
    """One officer's urgent revocation; the new key came later."""
    ended = world.revoked(approval, C)
    turns(world)
    _rekeyed(world, approval)
    return ended.decision, OFFICER_1


MADE: dict[str, Callable[[World, str], tuple[str, Actor]]] = {"by one": _cancelled_before, "by two": _rekeyed}


def _pretend_end(world: World, approval: str, serial: Serial, decision: str, actor: Actor) -> None:
    """Write that a decision, which was made, ended a certificate: its fact, and its row."""
    at = world.clock.now()
    said: dict[str, Json] = {"serial": serial, "cause": C.value, "decision": decision}
    with world.store.begin("pretend") as tx:
        facts.record(tx, Fact(FactKind.CERTIFICATE_REVOKED, at, actor, approval, (approval,), said))
    forge(
        world,
        f"UPDATE certificates SET revoked_at = {seconds(at)}, ends_at = {seconds(at)}, cause = '{C.value}', "
        f"presign_due = 0, listed_in = NULL WHERE serial = '{serial}'",
    )


@pytest.mark.parametrize("made", MADE)
def test_a_decision_ends_no_certificate_that_came_after_it(before: Scene, made: str) -> None:
    world = before.world
    decision, actor = MADE[made](world, before.good)
    later = world.memory.issues(before.good)[-1].serial
    assert world.memory.end(before.good_serial) is not None
    assert (later == before.good_serial, world.alarms()) == (False, ())
    _pretend_end(world, before.good, later, decision, actor)
    turns(world)
    assert world.memory.end(later) is None
    assert refused(world) == [(FactKind.CERTIFICATE_REVOKED, AuthorisationFlaw.SUBJECT)]
    assert {AlarmCode.ACT_UNPROVED, AlarmCode.END_UNPROVED} <= {each.code for each in world.alarms()}
