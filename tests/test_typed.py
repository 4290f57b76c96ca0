"""mypy reads whatever Python is here, with a suffix or without: a new folder cannot be forgotten."""

import tomllib
from pathlib import Path, PurePosixPath

from tests.sources import NOT_OURS

ROOT = Path(__file__).parents[1]


def _is_python(path: Path) -> bool:
    if path.suffix:
        return path.suffix in {".py", ".pyi"}
    with path.open("rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and b"python" in first


def unchecked(root: Path) -> list[str]:
    """What is Python and is not under a name that the configuration of mypy gives."""
    named = set(tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["mypy"]["files"])
    tops = [each for each in root.iterdir() if not each.name.startswith(".") and each.name not in NOT_OURS]
    found = [path for top in tops for path in (top, *top.rglob("*")) if path.is_file() and _is_python(path)]
    names = [PurePosixPath(path.relative_to(root).as_posix()) for path in found]
    return sorted(str(each) for each in names if named.isdisjoint(map(str, (each, *each.parents))))


def test_everything_is_checked() -> None:
    assert unchecked(ROOT) == []


def test_what_is_not_checked_is_seen(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.mypy]\nfiles = ["core", "script/known"]\n')
    for name in ("core/deep/in.py", "new/deep/in.py", "conf.py", "script/data.txt", ".venv/lib/x.py", "build/y.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("#!/usr/bin/env python3\n")
    for name, interpreter in (("known", "python3"), ("unknown", "python3"), ("shell", "bash")):
        (tmp_path / "script" / name).write_text(f"#!/usr/bin/env {interpreter}\n")
    assert unchecked(tmp_path) == ["conf.py", "new/deep/in.py", "script/unknown"]
