"""An authority whose keys have a life: the place where they lie, and the root's folder beside it, as a test needs them.

Every store of a test session has the same keys, so what makes a key works in a copy of their folder.
"""

import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from core.carried import RootRequest, RootResponse
from core.kinds import HierarchyRole
from intake.carried import read_request, read_response
from jobs.authority import Authority
from jobs.keyring import Keyring, opened_keyring
from jobs.new_issuing import AcceptedResponse, accept_response, request_issuing_ca
from jobs.offline_root import RootFolder, judge, sign
from keys.ceremony import ROOT_FILE
from store.reading import authority as reading
from store.reading import work
from tests.world import LONGEST_TRIAL, World, place


class Keys:
    """The keys of a world, in folders of their own.

    Args:
        world: whose keys they are; its authority opens them anew when it misses one.
        folder: a fresh one.
    """

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        shutil.copytree(world.folder / "keys", folder / "keys")
        shutil.copytree(world.folder / "root", folder / "root")
        self.place = replace(place(world.folder), folder=folder / "keys")
        self.root = RootFolder(folder / "root")
        with world.store.read() as tx:
            (root,) = reading.certificates(tx, HierarchyRole.ROOT)
            listed = work.last_crl(tx, root.key_id, with_bytes=True)
        assert listed is not None
        self.root.keep(root.der, listed.der)  # the last ceremony of the session wrote its own there
        self.root_key = replace(place(world.folder), folder=folder / "root").opened(ROOT_FILE)
        self.restart()

    def opened(self) -> Keyring:
        return opened_keyring(self.world.memory, self.place, self.now)

    def restart(self, *, reopens: bool = True) -> Authority:
        """The authority process, started again; with a passphrase that a person types it cannot open keys anew."""
        world = self.world
        world.authority = replace(
            world.another_authority(), keyring=self.opened(), reopen=self.opened if reopens else None
        )
        return world.authority

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def request(self, *, anew: bool = False) -> RootRequest:
        """As it arrives on the root's side."""
        world = self.world
        made = request_issuing_ca(world.store, world.memory, self.place, LONGEST_TRIAL, self.now, anew=anew)
        return read_request(made.octets())

    def signed(self, request: RootRequest) -> RootResponse:
        """As it arrives on the authority's side."""
        judged = judge(request, self.root_key.public_key, self.root)
        return read_response(sign(judged, self.root_key, self.root).octets())

    def accepted(self, response: RootResponse) -> AcceptedResponse:
        return accept_response(self.world.store, self.world.memory, self.place, response, self.now)

    def new_issuing_ca(self) -> AcceptedResponse:
        return self.accepted(self.signed(self.request()))

    def passes(self, by: timedelta) -> None:
        """Let time pass, and the authority do what is due by then."""
        self.world.passes(by)
        self.world.authority.settle()
