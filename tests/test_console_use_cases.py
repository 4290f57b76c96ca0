"""What pages alone ask for is judged where it is done: who may not is turned away, whoever let them in."""

import pytest

from core.actors import Actor, Role
from core.errors import OperationNotPermitted
from officers.claims import to_confirm
from ra.auditing.timeline import timeline
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.rehearse import rehearse
from ra.entering.asking import enrolled, question
from ra.entering.passkeys import Relying
from tests.world import World

RELYING = Relying(identifier="console.example", origin="https://console.example")


@pytest.mark.parametrize("role", [Role.MANUFACTURER, Role.DCC, Role.PANEL, Role.MONITOR, None])
def test_who_may_not_gets_nothing_from_what_pages_alone_ask_for(world: World, role: Role | None) -> None:
    desk = world.desk
    application = world.applied()
    other = Actor("other", role, "org-of-another", "key-of-another")
    for ask in (
        lambda: rehearse(desk, other, ProposeRefusal(application, "x")),
        lambda: timeline(desk, other, "TDA-of-another"),
        lambda: question(desk, other, to_confirm("breach-of-another"), RELYING),
        lambda: enrolled(desk, other, RELYING),
    ):
        with pytest.raises(OperationNotPermitted):
            ask()
