"""A token that misbehaves when it is told to: SoftHSM behind a small module of ours (tests/token_shim.c)."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.token_said import MODULE

SOURCE = Path(__file__).with_name("token_shim.c")


@dataclass(frozen=True)
class Shim:
    """The module, and the file that says how it behaves."""

    module: Path
    said: Path

    def behaves(self, letter: str) -> None:
        """From now on; an empty letter is as a token should be."""
        self.said.write_text(letter)

    def logins(self) -> int:
        """How often somebody tried to log in."""
        counted = self.said.with_name(f"{self.said.name}.logins")
        return len(counted.read_text()) if counted.exists() else 0


def built(folder: Path) -> Shim:
    """Build the module."""
    shim = Shim(module=folder / "shim.so", said=folder / "said")
    names = [f'-DREAL="{MODULE}"', f'-DSAID="{shim.said}"']
    words = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-o", str(shim.module), *names, str(SOURCE), "-ldl"]
    subprocess.run(words, check=True, capture_output=True)
    shim.behaves("")
    return shim
