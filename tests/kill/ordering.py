"""What officers order, and what the root says of their keys, as steps that die: issuing stops and goes on meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core.actors import Actor
from jobs.root_roster import accept_roster, next_number, sign_roster
from jobs.roster import authority_begun
from officers.root_statement import RosterStatement, SignedRoster
from ra.ordering.authorise import authorise_order, claim_of
from ra.ordering.order import Command, StartIssuing, StopIssuing, order
from ra.repeat import RequestKey
from store.reading import orders
from tests.acting import member, signed_for
from tests.kill.steps import Known, Step
from tests.roster_world import root_signer
from tests.world import NOW, OFFICER_1, OFFICER_2, OFFICER_3, World

WAIT = timedelta(hours=24)
"""Until a roster of the root's comes into force."""


@dataclass
class Ordering:
    """The steps; the root signs once, elsewhere, so that a statement that is handed in again is the same statement."""

    signed: list[SignedRoster] = field(default_factory=list)

    def steps(self) -> Iterator[Step]:
        yield _order("order a stop", StopIssuing("A drill."))
        yield _sign("order a stop", OFFICER_1)
        yield Step("take up the stop", "authority")
        yield _order("order a start", StartIssuing("It was a drill."), swept=False)
        for officer in (OFFICER_1, OFFICER_2):
            yield _sign("order a start", officer, swept=False)
        yield Step("start again", "authority")
        # Nobody signs for it: it lapses in a week.
        yield _order("order what lapses", StopIssuing("Is anybody awake?"), swept=False)
        yield Step("accept a roster", "operator", self._accept, repeatable=False)
        yield Step("show that a roster waits", "authority", swept=False)

    def _accept(self, world: World, _known: Known, _key: RequestKey) -> Any:
        statement = self._of_the_root(world)
        if next_number(world.memory) == statement.statement.number:  # whoever died looks whether it counts
            accept_roster(world.store, world.memory, statement, WAIT, world.clock.now())
        return {"number": statement.statement.number}

    def _of_the_root(self, world: World) -> SignedRoster:
        if not self.signed:
            statement = RosterStatement(
                authority=authority_begun(world.memory),
                number=next_number(world.memory),
                members=tuple(member(each.name) for each in (OFFICER_1, OFFICER_2, OFFICER_3)),
                valid_until=NOW + timedelta(days=7),
            )
            self.signed.append(sign_roster(statement, root_signer(world)))
        return self.signed[0]


def _order(name: str, command: Command, *, swept: bool = True) -> Step:
    return Step(name, "web", lambda world, _known, key: order(world.desk, OFFICER_1, command, key), swept=swept)


def _sign(ordered: str, officer: Actor, *, swept: bool = True) -> Step:
    def act(world: World, known: Known, key: RequestKey) -> Any:
        identifier = known[ordered]["order"]
        with world.store.read() as tx:
            claim = claim_of(orders.order(tx, identifier))
        return authorise_order(
            world.desk, officer, identifier, signed=signed_for(world.desk, officer, claim), request=key
        )

    return Step(f"{officer.name} signs for {ordered}", "web", act, swept=swept)
