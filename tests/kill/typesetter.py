"""The typesetter in a process of its own.

Processes of the sweep are forked, and a typesetter that has worked before a fork does not work after it: its threads
stay behind. So that it does not matter what the parent has typeset, every PDF of a sweep is made by a new program.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.canonical import Json
from documents import typesetting

_ROOT = Path(__file__).parent.parent.parent


@contextmanager
def elsewhere() -> Iterator[None]:
    """Have everything typeset by new programs until the block ends."""
    here = typesetting._compile
    typesetting._compile = _compile_elsewhere
    try:
        yield
    finally:
        typesetting._compile = here


def _compile_elsewhere(template: str, view: Mapping[str, Json], standards: Any) -> bytes:
    command = [sys.executable, "-W", "error", "-m", "tests.kill.typesetter"]
    said = json.dumps([template, view, standards]).encode()
    made = subprocess.run(command, input=said, stdout=subprocess.PIPE, cwd=_ROOT, check=True)
    return base64.b64decode(made.stdout)


if __name__ == "__main__":
    sys.stdout.write(base64.b64encode(typesetting._compile(*json.load(sys.stdin))).decode())
