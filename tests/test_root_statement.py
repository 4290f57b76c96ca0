"""The root's word on officers' keys: for the first roster, and where fewer than two officers have theirs."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.actors import PartyKind
from core.alarms import AlarmCode
from core.errors import AuthorisationRefused, MailRefused, RosterStatementRefused, TrialCpaError
from core.facts import FactKind
from core.kinds import RosterCause
from jobs.announce import LOOK_AGAIN, Announcements
from jobs.mail import Attachment
from jobs.root_roster import accept_roster, sign_roster
from jobs.roster import authority_begun
from keys.sealed import generate
from memory.records import RosterSet
from officers.root_statement import SignedRoster, read_signed
from ra.deciding.kinds.grant import ProposeGrant
from ra.ordering.order import ChangeRoster, order
from store.reading import journal
from tests.acting import member
from tests.roster_world import (
    ON_SQLITE,
    alarm_codes,
    change,
    facts_of,
    newest,
    on_roster,
    root_signer,
    root_statement,
    settle,
    sign_order,
)
from tests.test_roster import FOUR, ONE, THREE, TWO, second_key
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3, World

WAIT = timedelta(hours=24)


def accepted(world: World, signed: SignedRoster, wait: timedelta = WAIT) -> RosterSet:
    return accept_roster(world.store, world.memory, signed, wait, world.clock.now())


def test_it_comes_into_force_after_the_wait_and_not_before(world: World) -> None:
    record = accepted(world, root_statement(world, member(ONE), member(FOUR)))
    assert (record.cause, record.effective_at) == (RosterCause.ROOT, world.clock.now() + WAIT)
    world.passes(WAIT - timedelta(seconds=1))
    settle(world)
    assert on_roster(world) == [ONE, TWO, THREE]
    assert AlarmCode.ROSTER_WAITS in alarm_codes(world)
    world.passes(timedelta(seconds=1))
    settle(world)
    assert on_roster(world) == [ONE, FOUR]
    assert AlarmCode.ROSTER_WAITS not in alarm_codes(world)


@ON_SQLITE
def test_the_statement_with_its_signature_is_in_the_journal(world: World) -> None:
    signed = root_statement(world, member(ONE), member(FOUR))
    accepted(world, signed)
    settle(world)
    with world.store.read() as tx:
        rows = [each.row for each in journal.sealed_after(tx, 0, 1_000)]
    told = json.loads([each.payload for each in rows if each.kind == FactKind.ROSTER_SET][-1])
    kept = read_signed(json.dumps(told["signed"]).encode())
    assert (kept.statement.sha256, kept.signature) == (signed.statement.sha256, signed.signature)
    assert told["statements"] == [signed.statement.sha256]


def test_any_two_who_still_have_their_keys_stop_it_meanwhile(world: World) -> None:
    accepted(world, root_statement(world, member(FOUR), member("officer-5")))
    settle(world)
    keep = order(world.desk, OFFICER_1, ChangeRoster(why="We have our keys.")).order
    for each in (OFFICER_1, OFFICER_2):
        sign_order(world, each, keep)
    settle(world)
    assert AlarmCode.ROSTER_WAITS not in alarm_codes(world)
    world.passes(2 * WAIT)
    settle(world)
    assert on_roster(world) == [ONE, TWO, THREE]
    assert [(each.number, each.cause) for each in world.memory.rosters()] == [
        (1, RosterCause.CEREMONY),
        (2, RosterCause.ROOT),
        (3, RosterCause.CHANGE),
    ]


# --- bad input -------------------------------------------------------------------------------------------------------


def _of_another_root(world: World) -> SignedRoster:
    held = root_statement(world, member(ONE), member(FOUR)).statement
    stranger = generate(Path(world.folder) / "stranger.key", b"a passphrase of a test", exist_ok=True)
    return SignedRoster(statement=held, root_key=stranger.public_key, signature=stranger.sign(held.octets()))


def _under_our_root_s_name(world: World) -> SignedRoster:
    return replace(_of_another_root(world), root_key=root_signer(world).public_key)


def _for_another_authority(world: World) -> SignedRoster:
    ours = authority_begun(world.memory)
    return root_statement(world, member(ONE), member(FOUR), authority=replace(ours, name="TEST Another CPA"))


def _with_somebody_else(world: World) -> SignedRoster:
    signed = root_statement(world, member(ONE), member(FOUR))
    return replace(signed, statement=replace(signed.statement, members=(member(ONE), member("mallory"))))


def _used_before(world: World) -> SignedRoster:
    signed = root_statement(world, member(ONE), member(TWO))
    accepted(world, signed)
    return signed


def _of_a_roster_since(world: World) -> SignedRoster:
    signed = root_statement(world, member(ONE), member(FOUR))
    change(world, OFFICER_1, OFFICER_2, add=[member(FOUR)])
    return signed


def _skipped(world: World) -> SignedRoster:
    return root_statement(world, member(ONE), member(FOUR), number=3)


def _old(world: World) -> SignedRoster:
    signed = root_statement(world, member(ONE), member(FOUR))
    world.passes(timedelta(days=8))
    return signed


BAD: dict[str, tuple[Callable[[World], SignedRoster], str]] = {
    "another root's": (_of_another_root, "is not this authority's root"),
    "another root's under our root's name": (_under_our_root_s_name, "does not verify"),
    "for another authority": (_for_another_authority, "for another authority"),
    "with somebody else on it": (_with_somebody_else, "does not verify"),
    "one that was used": (_used_before, "counts once"),
    "one that a change has overtaken": (_of_a_roster_since, "the next is roster 3"),
    "a number that is skipped": (_skipped, "the next is roster 2"),
    "one that is old": (_old, "it was valid until"),
}


@ON_SQLITE
@pytest.mark.parametrize("case", BAD)
def test_a_statement_that_does_not_count_is_refused_with_its_reason_and_recorded(world: World, case: str) -> None:
    made, said = BAD[case]
    signed = made(world)
    before = world.memory.rosters()
    with pytest.raises(RosterStatementRefused, match=said):
        accepted(world, signed)
    settle(world)
    assert world.memory.rosters() == before
    assert facts_of(world, FactKind.ROSTER_REFUSED) == ["roster-refused"]


# What a file may be instead.
UNREADABLE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda octets: octets[: len(octets) // 2],
    "of another type": lambda octets: octets.replace(b"trialcpa-roster-1", b"trialcpa-roster-2"),
    "with a member more": lambda octets: octets.replace(b'"number"', b'"more":1,"number"'),
    "under another thumbprint": lambda octets: octets.replace(member(ONE).key.encode(), member(TWO).key.encode()),
    "of one officer": lambda octets: octets.replace(FOUR.encode(), ONE.encode()),
    "deep": lambda _: b"[" * 50_000,
    "large": lambda octets: octets + b" " * 70_000,
    "of no date": lambda octets: octets.replace(b"2027-01-10T12:00:00Z", b"2027-13-10T12:00:00Z"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_is_none_is_refused(statement_file: bytes, case: str) -> None:
    assert read_signed(statement_file).statement.number == 2
    with pytest.raises(TrialCpaError):
        read_signed(UNREADABLE[case](statement_file))


@pytest.fixture(scope="module")
def statement_file(store_copy: Callable[[str], str], keys_folder: Path) -> bytes:
    world = World(store_copy("sqlite"), keys_folder)
    octets = root_statement(world, member(ONE), member(FOUR)).octets()
    world.close()
    return octets


@ON_SQLITE
def test_the_root_signs_no_roster_of_one_officer(world: World) -> None:
    with pytest.raises(TrialCpaError, match="1 officer"):
        root_statement(world, member(ONE), second_key(ONE))
    with pytest.raises(RosterStatementRefused, match="not this authority's root"):
        sign_roster(
            root_statement(world, member(ONE), member(TWO)).statement,
            generate(Path(world.folder) / "stranger.key", b"a passphrase of a test", exist_ok=True),
        )


@ON_SQLITE
def test_only_a_test_authority_may_wait_for_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = root_statement(world, member(ONE), member(FOUR))
    begun = replace(world.memory.begun, environment="live")
    with monkeypatch.context() as patched:
        patched.setattr(type(world.memory), "begun", property(lambda _: begun))
        with pytest.raises(RosterStatementRefused, match="a live authority"):
            accepted(world, signed, timedelta(0))
    accepted(world, signed, timedelta(0))
    assert on_roster(world) == [ONE, FOUR]


# --- who is told -----------------------------------------------------------------------------------------------------

ADDRESSES = {
    PartyKind.SSC: ["officers@ssc.example"],
    PartyKind.DCC: ["desk@dcc.example"],
    PartyKind.PANEL: ["list@panel.example", "officers@ssc.example"],
}


@dataclass
class Relay:
    """Takes messages, or not."""

    takes: bool = True
    taken: list[tuple[str, str, str]] = field(default_factory=list)

    def send(self, to: str, _subject: str, body: str, _attachments: list[Attachment], message_id: str) -> None:
        if not self.takes:
            raise MailRefused(detail="it is a test")
        self.taken.append((to, body, message_id))


def announcing(world: World, relay: Relay) -> Announcements:
    return Announcements(world.desk, relay, ADDRESSES)  # type: ignore[arg-type]


def test_a_roster_of_the_root_s_is_mailed_to_everybody_once_and_a_change_to_the_ssc(world: World) -> None:
    relay = Relay()
    courier = announcing(world, relay)
    assert courier.turn() == 0, "whoever held the ceremony was there"
    accepted(world, root_statement(world, member(ONE), member(FOUR)))
    relay.takes = False
    world.passes(LOOK_AGAIN)
    assert courier.turn() == 0
    relay.takes = True
    world.passes(LOOK_AGAIN)
    assert courier.turn() == 3
    assert sorted(to for to, _, _ in relay.taken) == ["desk@dcc.example", "list@panel.example", "officers@ssc.example"]
    assert f"{member(FOUR).key}  {FOUR}" in relay.taken[0][1]
    assert "trialcpa roster change --keep" in " ".join(relay.taken[0][1].split())
    change(world, OFFICER_1, OFFICER_2, add=[member(FOUR)])
    world.passes(LOOK_AGAIN)
    assert (courier.turn(), relay.taken[-1][0]) == (1, "officers@ssc.example")
    world.passes(LOOK_AGAIN)
    assert announcing(world, relay).turn() == 0


# --- it shows --------------------------------------------------------------------------------------------------------


def test_two_of_three_officers_lose_their_keys_and_the_authority_goes_on(world: World) -> None:
    # One officer alone can stop what nobody should do meanwhile, and cannot bring the others back.
    alone = change(world, OFFICER_1, add=[second_key(TWO)])
    assert newest(world).number == 1, alone
    # On the root's machine, before witnesses; the file is carried back.
    carried = root_statement(world, member(ONE), second_key(TWO), second_key(THREE)).octets()
    accepted(world, read_signed(carried))
    world.passes(WAIT)
    settle(world)
    assert on_roster(world) == [ONE, TWO, THREE]
    # The lost keys, wherever they turn up, count no more.
    with pytest.raises(AuthorisationRefused, match="not on the roster"):
        world.proposed(ProposeGrant(world.applied(), "It looks sound."), actor=OFFICER_2)
    # Two who have keys bring the third one's name under another key again.
    decision = world.proposed(ProposeGrant(world.applied(), "It looks sound."))
    settle(world)
    assert world.decision_state(decision) == "drafted"
    assert OFFICER_3.name in on_roster(world)
