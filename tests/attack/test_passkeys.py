"""A page that lies has passkeys answer for whatever it wants; without a key in a file or token nothing comes of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.actors import Actor
from core.approval import EndCause
from core.errors import AuthorisationRefused
from core.facts import FactKind
from core.kinds import AuthorisationFlaw, AuthorisedAct
from officers.claims import to_revoke
from officers.roster import Roster
from officers.statement import Authority as Named
from officers.statement import Claim, Listed, revocation_digest
from ra.authorising import Signed, authority_shown
from ra.deciding.authorise import sign_for
from ra.deciding.end import Revoke
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.propose import propose
from ra.deciding.revoke import revoke
from ra.ordering.authorise import authorise_order, claim_of
from ra.ordering.order import ChangeRoster, order
from tests import acting
from tests.acting import member, signed_by, signed_for
from tests.attack.forging import Scene, forge, owned_web, signed, turns
from tests.attack.test_authorisations import refused, roster
from tests.cycle_world import device
from tests.passkey_world import ORIGIN, OfficersPasskey
from tests.roster_world import order_of
from tests.world import OFFICER_1, OFFICER_2, World

F = AuthorisationFlaw


class Page:
    """A page that everybody trusts and somebody else has written; each officer touches their passkey when it asks."""

    def __init__(self, scene: Scene) -> None:
        self.world = scene.world
        self.passkeys = {each: OfficersPasskey(each) for each in ("officer-1", "officer-2", "officer-3")}
        keys = [member(each) for each in self.passkeys]
        roster(self.world, *keys, *(each.member() for each in self.passkeys.values()))
        turns(self.world, 2)

    def signs(self, *by_key: str) -> Any:
        """Who signs for an act as a page has it: by their passkey, but some by their key."""

        def sign(name: str, authority: Named, claim: Claim, at: datetime, members: Sequence[Listed] = ()) -> Signed:
            if name in by_key:
                return signed_by(name, authority, claim, at, members)
            hers = self.passkeys[name]
            return Signed(
                authorisation=hers.answer(hers.statement(authority, claim, at)).authorisation, members=tuple(members)
            )

        return sign

    def granted(self, number: int, *by_key: str) -> str:
        """A grant that officer-1 proposes and officer-2 seconds, in a web process that proves nothing."""
        with owned_web(self.signs(*by_key)), pytest.MonkeyPatch.context() as patch:
            patch.setattr("ra.deciding.second.require_a_key", lambda *_: None)
            application = self.world.applied(device=device(number))
            made = acting.propose(self.world.desk, OFFICER_1, ProposeGrant(application, "A page says so."))
            self.world.authority.settle()
            self.world.seconded(made.decision)
        turns(self.world)
        return made.decision


def test_a_grant_by_passkeys_alone_gets_no_certificate_and_with_one_key_it_does(before: Scene) -> None:
    page, known = Page(before), signed(before.world)
    page.granted(11)
    assert signed(page.world) == known
    assert refused(page.world) == [(FactKind.APPROVAL_GRANTED, F.UNDECIDED)]
    for number, by_key in ((12, "officer-1"), (13, "officer-2")):
        page.granted(number, by_key)
        assert len(signed(page.world)) == len(known) + number - 11


def test_a_row_that_calls_a_grant_something_else_gets_no_certificate(before: Scene) -> None:
    page, known = Page(before), signed(before.world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.attack.test_passkeys.turns", lambda *_: None)
        decision = page.granted(14)
    for kind in ("revoke", "refuse", "correct"):
        forge(page.world, f"UPDATE decisions SET kind = '{kind}' WHERE id = '{decision}'")
        turns(page.world, 3)
        assert signed(page.world) == known


def test_web_says_so_before_it_decides(before: Scene) -> None:
    page = Page(before)
    world, desk = page.world, page.world.desk
    made = propose(desk, OFFICER_1, ProposeGrant(world.applied(device=device(15)), "It looks sound."))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acting, "signed_by", page.signs())
        claim = Claim(act=AuthorisedAct.PROPOSE, subject=made.decision, proposal_sha256=made.proposal_sha256)
        proof = signed_for(desk, OFFICER_1, claim)
        sign_for(desk, OFFICER_1, made.decision, proposal_sha256=made.proposal_sha256, signed=proof)
        world.authority.settle()
        with pytest.raises(AuthorisationRefused, match="a file or a token"):
            world.seconded(made.decision)
    world.seconded(made.decision)
    turns(world)
    assert world.decision_state(made.decision) == "done"


def _revoked(page: Page, approval: str, **changes: Any) -> None:
    desk, hers = page.world.desk, page.passkeys["officer-1"]
    digest = revocation_digest(approval, cause=EndCause.SSC, invalidity_date=None, breach=None)
    with desk.store.read() as tx:
        authority = authority_shown(tx)
    statement = hers.statement(authority, to_revoke(approval, digest), desk.clock.now())
    command = Revoke(approval=approval, cause=EndCause.SSC, reasons="It failed.")
    revoke(desk, OFFICER_1, command, signed=hers.answer(statement, **changes))


def test_an_end_by_a_passkey_counts_and_a_counter_that_goes_back_does_not(before: Scene) -> None:
    page = Page(before)
    hers = page.passkeys["officer-1"]
    hers.count = 40
    _revoked(page, before.good)
    turns(page.world)
    assert page.world.memory.end(before.good_serial) is not None
    assert refused(page.world) == []
    another = page.world.granted(device=device(16))
    hers.count = 3
    _revoked(page, another)
    turns(page.world)
    assert (FactKind.DECISION_MADE_ALONE, F.USED) in refused(page.world)
    assert page.world.memory.end(page.world.memory.issues(another)[0].serial) is None


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"client": {"origin": "https://evil.example"}}, F.ORIGIN),
        ({"host": "evil.example"}, F.ORIGIN),
        ({"flags": 0x01}, F.VERIFICATION),
        ({"flags": 0x04}, F.VERIFICATION),
        ({"client": {"type": "webauthn.create"}}, F.ACT),
        ({"key": acting.officer_key("mallory")}, F.SIGNATURE),
    ],
)
def test_the_authority_looks_at_each_field_by_itself(
    before: Scene, changes: dict[str, Any], flaw: AuthorisationFlaw
) -> None:
    page = Page(before)
    with pytest.raises(AuthorisationRefused):
        _revoked(page, before.good, **changes)
    with owned_web():
        _revoked(page, before.good, **changes)
    turns(page.world)
    assert (FactKind.DECISION_MADE_ALONE, flaw) in refused(page.world)
    assert page.world.memory.end(before.good_serial) is None


def test_a_passkey_that_is_on_no_roster_counts_for_nobody(before: Scene) -> None:
    page = Page(before)
    page.passkeys["officer-1"].key = acting.officer_key("mallory's passkey")
    with owned_web():
        _revoked(page, before.good)
    turns(page.world)
    assert (FactKind.DECISION_MADE_ALONE, F.KEY) in refused(page.world)


def _order(page: Page, actor: Actor, identifier: str, *by_key: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acting, "signed_by", page.signs(*by_key))
        proof = signed_for(page.world.desk, actor, claim_of(order_of(page.world, identifier)))
    authorise_order(page.world.desk, actor, identifier, signed=proof)


def test_whose_keys_count_is_not_changed_by_passkeys_alone(before: Scene) -> None:
    page = Page(before)
    world, mallory = page.world, OfficersPasskey("mallory", origin=ORIGIN)
    number = _number(world)
    wanted = ChangeRoster(why="A page says so.", add=(mallory.member(),))
    identifier = order(world.desk, OFFICER_1, wanted).order
    for actor in (OFFICER_1, OFFICER_2):
        _order(page, actor, identifier)
    turns(world)
    assert _number(world) == number
    world.passes(timedelta(seconds=1))
    other = order(world.desk, OFFICER_1, wanted).order
    _order(page, OFFICER_1, other)
    _order(page, OFFICER_2, other, "officer-2")
    turns(world)
    assert _number(world) == number + 1
    found = world.memory.roster(world.clock.now())
    assert isinstance(found, Roster)
    assert found.member(mallory.member().key) == mallory.member()


def _number(world: World) -> int:
    found = world.memory.newest_roster
    assert found is not None
    return found.number
