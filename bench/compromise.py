"""The drill for a compromised issuing CA: how long until every certificate in force has another, under a new one."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.cycle import held_world, in_force
from core.kinds import HierarchyRole
from intake.carried import read_request, read_response
from jobs.ended import in_force_under
from jobs.keyring import opened_keyring
from jobs.new_issuing import accept_response, compromised_issuing_ca
from jobs.offline_root import RootFolder, judge, sign
from keys.ceremony import ROOT_FILE
from keys.place import KeyPlace
from keys.sealed import open_sealed
from ra.deciding.kinds.rekey import ProposeRekey
from ra.deciding.views import Accepted
from store.reading import requests
from tests.acting import propose_batch, second_batch
from tests.channels_world import Channels
from tests.world import LONGEST_TRIAL, OFFICER_1, OFFICER_2, PASSPHRASE, World

A_BATCH = 100
"""What one request of an officer proposes, or seconds."""


@dataclass(frozen=True)
class Drill:
    """What was seen, each in seconds.

    Args:
        certificates: in force under the CA.
        ended: from the operator's word until verification says no to the last of them.
        carried: request, signature and response, without the way.
        proposed: until every certificate was drafted anew and linted.
        seconded: by the second officer.
        issued: until every one was signed, answered and listed.
        processor: of one processor, for all of it: on a busy machine the others say more about its neighbours.
    """

    certificates: int
    ended: float
    carried: float
    proposed: float
    seconded: float
    issued: float
    processor: float

    @property
    def whole(self) -> float:
        """All of it, but for people and the way."""
        return self.ended + self.carried + self.proposed + self.seconded + self.issued


def measure(certificates: int) -> Drill:
    """Hold the drill over so many certificates."""
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        place = KeyPlace(folder=Path(folder) / "ceremony" / "keys", passphrase=PASSPHRASE)
        world.authority.reopen = lambda: opened_keyring(world.memory, place, world.clock.now())
        given = in_force(world, certificates)
        found = _held(world, place, RootFolder(Path(folder) / "ceremony" / "root"), given)
        world.close()
    return found


def _held(world: World, place: KeyPlace, root: RootFolder, given: list[str]) -> Drill:
    channels = Channels(world)
    serial, now = world.memory.hierarchy(HierarchyRole.ISSUING)[0].serial, world.clock.now()
    begun, worked = time.perf_counter(), time.process_time()
    asked = compromised_issuing_ca(world.store, world.memory, place, serial, LONGEST_TRIAL, now)
    channels.follow()
    _require(not any(channels.by_approval(each).valid for each in (given[0], given[-1])), "verification says yes")
    ended = time.perf_counter()
    key = open_sealed(root.path / ROOT_FILE, PASSPHRASE)
    answered = sign(judge(read_request(asked.octets()), key.public_key, root), key, root)
    accept_response(world.store, world.memory, place, read_response(answered.octets()), now)
    carried = time.perf_counter()
    outstanding = in_force_under(world.store, serial, now)
    _require(outstanding == given, "others are outstanding than were granted")
    decided = _proposed(world, outstanding)
    world.authority.settle()
    proposed = time.perf_counter()
    _seconded(world, decided)
    seconded = time.perf_counter()
    world.authority.settle()
    issued, worked = time.perf_counter(), time.process_time() - worked
    _require(all(len(world.record(each).certificates) == 2 for each in given), "not every certificate was issued")
    return Drill(
        certificates=len(given),
        ended=ended - begun,
        carried=carried - ended,
        proposed=proposed - carried,
        seconded=seconded - proposed,
        issued=issued - seconded,
        processor=worked,
    )


def _proposed(world: World, outstanding: list[str]) -> list[str]:
    decided = []
    for first in range(0, len(outstanding), A_BATCH):
        commands = [
            ProposeRekey(each, None, compromised=False, reasons="A drill.")
            for each in outstanding[first : first + A_BATCH]
        ]
        for each in propose_batch(world.desk, OFFICER_1, commands):
            if isinstance(each, Exception):
                raise each
            decided.append(each.decision)
    return decided


def _seconded(world: World, decided: list[str]) -> None:
    for first in range(0, len(decided), A_BATCH):
        accepted = []
        with world.store.read() as tx:
            for each in decided[first : first + A_BATCH]:
                found, draft = requests.decision(tx, each), requests.draft_of(tx, each)
                tbs = None if draft is None else draft.tbs_sha256
                accepted.append(Accepted(decision=each, proposal_sha256=found.proposal_sha256, tbs_sha256=tbs))
        for outcome in second_batch(world.desk, OFFICER_2, accepted):
            if isinstance(outcome, Exception):
                raise outcome


def _require(holds: bool, what: str) -> None:  # noqa: FBT001 - what has to hold, said first
    if not holds:
        raise AssertionError(what)
