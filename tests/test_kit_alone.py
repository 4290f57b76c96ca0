"""The kit installed by itself runs where nothing else of ours can be imported."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]

ALONE = """
import sys
from importlib.abc import MetaPathFinder

class Refusing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in {"verify", "cryptography", "cffi", "_cffi_backend"}:
            raise ImportError(f"{name} is not of the kit")

sys.meta_path.insert(0, Refusing())
from verify.kit.program import main
main(["conformance", "--judge"])
"""


def test_the_kit_imports_cryptography_and_nothing_else(tmp_path: Path) -> None:
    kit = tmp_path / "verify" / "kit"
    kit.parent.mkdir()
    kit.symlink_to(ROOT / "verify" / "kit")  # as it is installed: without verify/__init__.py, and all that is beside it
    said = (kit / "vectors" / "active.json").read_bytes()
    ran = subprocess.run(
        [sys.executable, "-c", ALONE],
        input=said,
        capture_output=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (ran.returncode, ran.stdout) == (0, b'{"valid": true, "state": "active", "reasons": []}\n'), ran.stderr


def test_what_it_is_installed_as_asks_for_the_same_version_of_cryptography_as_we_do() -> None:
    alone, whole = (
        tomllib.loads((ROOT / each).read_text("utf-8")) for each in ("verify/pyproject.toml", "pyproject.toml")
    )
    (needed,) = alone["project"]["dependencies"]
    assert needed in whole["project"]["dependencies"]
    assert alone["project"]["version"] == whole["project"]["version"]
