"""A decision that a passkey seconded is proved from its dossier alone, and what is altered in it refutes it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.canonical import canonical
from ra.deciding.kinds.grant import ProposeGrant
from ra.ordering.order import ChangeRoster
from tests import acting
from tests.acting import member, signed_by
from tests.api_world import Api
from tests.attack.forging import owned_web
from tests.cycle_world import device
from tests.dossier_world import LATER, Files, dossier_of, root_of, whole_journal
from tests.passkey_world import OfficersPasskey
from tests.roster_world import ordered
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3, World, keyring
from verify.kit.agreed.decision import prove_files
from verify.kit.agreed.dossier import AUTHORISATIONS, JOURNAL, ORDERS, ROSTERS, trusted
from verify.kit.agreed.findings import Against, Outcome, Told


@dataclass(frozen=True)
class Decided:
    """Dossiers of two grants.

    Args:
        one: its seconder signed by a passkey, its proposer by a key.
        both: both signed by passkeys, before an authority that asks for no key.
    """

    world: World
    one: Files
    both: Files

    def told(self, files: Files) -> Told:
        return prove_files(
            files, trusted(root_of(self.world), journal_key=keyring(self.world.folder).journal.public_key)
        )


def _granted(world: World, number: int, *by_passkey: str) -> str:
    passkeys = {each: OfficersPasskey(each) for each in by_passkey}
    for each in passkeys.values():
        each.count = 100 * number

    def signs(name: str, authority: Any, claim: Any, at: Any, members: Any = ()) -> Any:
        if name not in passkeys:
            return signed_by(name, authority, claim, at, members)
        return passkeys[name].answer(passkeys[name].statement(authority, claim, at))

    with owned_web(signs):
        application = world.applied(device=device(number))
        made = acting.propose(world.desk, OFFICER_1, ProposeGrant(application, "It looks sound.")).decision
        world.authority.settle()
        world.passes(LATER)
        world.seconded(made)
    world.authority.settle()
    world.passes(LATER)
    world.authority.settle()
    return made


@pytest.fixture(scope="module")
def decided(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Decided]:
    world = World(store_copy("sqlite"), keys_folder)
    api = Api(world)
    come = ChangeRoster(why="They travel.", add=tuple(OfficersPasskey(each).member() for each in ("officer-1",)))
    ordered(world, come, OFFICER_2, OFFICER_3)
    come = ChangeRoster(why="They travel.", add=tuple(OfficersPasskey(each).member() for each in ("officer-2",)))
    ordered(world, come, OFFICER_1, OFFICER_3)
    world.passes(LATER)
    one = _granted(world, 1, "officer-2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.consents.key_wanted_by", lambda *_: False)
        patch.setattr("ra.deciding.second.require_a_key", lambda *_: None)
        both = _granted(world, 2, "officer-1", "officer-2")
    whole = {JOURNAL: whole_journal(world)}
    yield Decided(world=world, one=dossier_of(api, one) | whole, both=dossier_of(api, both) | whole)
    world.close()


def test_who_agreed_by_a_passkey_is_proved_offline(decided: Decided) -> None:
    found = decided.told(decided.one)
    assert (found.against, found.missing, found.outcome) == ([], [], Outcome.PROVED)
    keys = [(each.who, each.key) for each in found.story if each.key]
    assert keys == [("officer-1", member("officer-1").key), ("officer-2", OfficersPasskey("officer-2").member().key)]
    held = json.loads(decided.one[ROSTERS])[-1]["members"]
    assert OfficersPasskey("officer-2").member().document() in held


def test_what_two_passkeys_agreed_to_alone_is_refuted(decided: Decided) -> None:
    found = decided.told(decided.both)
    assert [each.code for each in found.against] == [Against.OFFICERS_WANTING]
    assert "a key in a file or a token" in found.against[0].detail


def _proof(files: Files, change: Callable[[str], str]) -> Files:
    said = json.loads(files[AUTHORISATIONS])
    for each in said:
        if each["statement"]["act"] == "second":
            each["proof"] = change(each["proof"])
    return {**files, AUTHORISATIONS: canonical(said)}


def _other(letter: str) -> str:
    return "A" if letter != "A" else "B"


@pytest.mark.parametrize("part", [1, 2, 3])
def test_an_answer_that_was_altered_is_refuted(decided: Decided, part: int) -> None:
    def change(proof: str) -> str:
        parts = proof.split(".")
        parts[part] = parts[part][:20] + _other(parts[part][20]) + parts[part][21:]
        return ".".join(parts)

    found = decided.told(_proof(decided.one, change))
    assert Against.STATEMENT_REFUSED in {each.code for each in found.against}


@pytest.mark.parametrize(("name", "said"), [("origin", "https://evil.example"), ("credential", "00")])
def test_a_roster_with_another_origin_or_passkey_is_refuted(decided: Decided, name: str, said: str) -> None:
    rosters = json.loads(decided.one[ROSTERS])
    for each in rosters[-1]["members"]:
        if "passkey" in each:
            each["passkey"][name] = said
    found = decided.told({**decided.one, ROSTERS: canonical(rosters)})
    assert Against.ROSTER_ALTERED in {each.code for each in found.against}
    orders = json.loads(decided.one[ORDERS])
    assert any("passkey" in each["body"] for each in orders), "by which it came is in the dossier"
