"""A real token: SoftHSM's, in a folder of its own, with keys that are as they have to be and keys that are not."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from keys.token_uri import KeyInToken
from tests.people_world import write_private
from tests.token_said import MODULE

LABEL, PIN = "Jane's", "24681357"
AUTHORITY = "Trial CPA"


@dataclass(frozen=True)
class SoftToken:
    """Where the token is."""

    folder: Path

    def holds_keys_of(self, world: Path, **more: str) -> None:
        """Have the ceremony of a world's folder make its keys in it (tests/world.py)."""
        world.mkdir(parents=True, exist_ok=True)
        said = {"token": AUTHORITY, "pin": str(self.folder / "pin"), **more}
        (world / "token.json").write_text(json.dumps(said))

    @property
    def pin(self) -> str:
        """Where its PIN comes from, for an option."""
        return f"file:{self.folder / 'pin'}"


def key(label: str | None = None, identifier: bytes | None = None, **token: str) -> KeyInToken:
    """A key of the token, or of another one."""
    return KeyInToken(token=token or {"token": LABEL}, label=label, identifier=identifier)


@contextmanager
def authority_token(folder: Path) -> Iterator[SoftToken]:
    """An empty token for the keys of an authority; every module that is loaded meanwhile finds it."""
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    write_private(folder / "pin", PIN.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        words = ["--init-token", "--free", "--label", AUTHORITY, "--so-pin", "87654321", "--pin", PIN]
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
        yield SoftToken(folder)


@contextmanager
def soft_token(folder: Path) -> Iterator[SoftToken]:
    """Make the token, and have every module that is loaded meanwhile find it."""
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    write_private(folder / "pin", PIN.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        for label in (LABEL, "twin", "twin"):
            words = ["--init-token", "--free", "--label", label, "--so-pin", "87654321", "--pin", PIN]
            subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
        subprocess.run([sys.executable, "-m", "tests.token_keys", str(MODULE), LABEL, PIN], check=True)
        yield SoftToken(folder)
