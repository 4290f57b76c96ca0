"""The ceremony as a process that dies: keys, renames, founding, certificates, list, transcript, demo credentials."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.authority import open_authority
from app.cli.ceremony import make, planned
from app.cli.demo import make_demo, open_demo_key, write_demo_credentials
from app.house import open_house
from app.settings import load
from core import note
from core.errors import HomeOccupied
from keys.log_key import LOG_FILE, open_log_key
from officers.roster import thumbprint
from ra.access import authenticate
from ra.authorising import roster_shown
from store.reading.authority import certificates
from tests.kill.process import Death, Life, Signing, Tell
from tests.kill.proof import problems
from tests.kill.sweep import kinds_of
from verify.kit.agreed.dossier import trusted

PORT = 8470

_OFFICERS = ("ssc-officer-1", "ssc-officer-2", "ssc-officer-3")
_PEOPLE = (*_OFFICERS, "ssc-admin", "manufacturer", "dcc", "panel", "auditor", "monitor")

_KEYS = {
    "root.key",
    "root.cer",
    "root.crl",
    "issuing-1.key",
    "responder-1.key",
    "statement-1.key",
    "journal.key",
    "log.key",
    "memory.key",
    "passphrase",
}

_MEMORY = {"memory.sqlite", "memory.sqlite-wal", "memory.sqlite-shm", "memory.reserve"}
"""The memory, and what may lie beside it while somebody has it open or was killed."""


def hold(home: Path, url: str) -> Callable[[Tell], None]:
    """What `trialcpa serve --test` does at its first start."""

    def work(_tell: Tell) -> None:
        _hold(home, url)

    return work


def hold_again(home: Path, url: str, signings: list[Signing]) -> Callable[[Tell], list[str]]:
    """Start again, and return everything that is wrong then."""

    def work(tell: Tell) -> list[str]:
        _hold(home, url)
        return [*_wrong(home), *_working(home, [*signings, *tell.signings])]

    return work


def places(life: Life) -> list[tuple[str, Death]]:
    """Every place of a ceremony to die at, with its kind; each person's own file is of one kind."""
    return [
        (re.sub(rf"rename ({'|'.join(_PEOPLE)})\.", "rename a person's ", kind), death)
        for kind, death in kinds_of("ceremony", life)
    ]


def _hold(home: Path, url: str) -> None:
    if not (home / "ceremony" / "transcript.txt").exists():
        make_demo(planned(home, "test", port=PORT, store_url=url))
    write_demo_credentials(home)


def _wrong(home: Path) -> list[str]:
    found = []
    transcript = (home / "ceremony" / "transcript.txt").read_text()
    keys = {path.name for folder in ("keys", "root") for path in (home / folder).iterdir()}
    if keys - _MEMORY != _KEYS:
        found.append(f"the keys' folders hold {sorted(keys)}")
    house = open_house(load(home))
    with house.store.read() as tx:
        every = certificates(tx)
    if sorted(each.role for each in every) != ["issuing", "responder", "root", "statement"]:
        found.append(f"the hierarchy is {[each.role for each in every]}")
    if any(str(each.serial) not in transcript for each in every):
        found.append("the transcript tells of another hierarchy")
    log = open_log_key(home / "keys" / LOG_FILE, (home / "keys" / "passphrase").read_bytes().strip())
    folder = home / "ceremony"
    trust = trusted(
        (home / "root" / "root.cer").read_bytes(),
        transcript=(folder / "transcript.txt").read_bytes(),
        signature=(folder / "transcript.sig").read_bytes(),
    )
    if trust.log_key != note.vkey(f"TEST/127.0.0.1:{PORT}/log/1", log.public_key):
        found.append(f"the transcript says that the log's key is {trust.log_key}")
    credentials: dict[str, Any] = json.loads((home / "demo" / "credentials.json").read_text())
    found += [
        f"{name} has the key of somebody else"
        for name, each in credentials.items()
        if authenticate(house.desk, each["api_key"]).name != name
    ]
    found += [
        f"{name}.key is not the key of {name}"
        for name, each in credentials.items()
        if (home / "demo" / f"{name}.key").read_text().strip() != each["api_key"]
    ]
    with house.store.read() as tx:
        shown = roster_shown(tx, house.clock.now())
    counted = {each.officer: each.key for each in shown.members} if shown else {}
    kept = {name: open_demo_key(home, name) for name in _OFFICERS}
    if counted != {name: thumbprint(key.public_key) for name, key in kept.items()}:
        found.append(f"the roster is {counted}")
    found += [f"the transcript does not tell of {each}" for each in counted.values() if each not in transcript]
    house.store.close()
    try:
        make(planned(home, "test", port=PORT, store_url="sqlite:///another.sqlite"))
        found.append("a second ceremony was held")
    except HomeOccupied:
        pass
    return found


def _working(home: Path, signings: list[Signing]) -> list[str]:
    house = open_house(load(home))
    authority = open_authority(house)
    authority.settle()
    return problems(house.store, house.clock, signings, authority.memory)
