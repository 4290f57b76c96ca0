"""A release: what it rests upon is named from the lock, and its wheel works alone, from anywhere."""

import hashlib
import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "script" / "sbom"))


def test_writing_the_page_of_licences_again_changes_nothing(script: dict[str, Any]) -> None:
    page = script["page"]()
    assert page == (ROOT / "docs" / "licences.md").read_text(encoding="utf-8"), "run script/sbom --licences"
    assert "unknown" not in page


def test_the_sbom_has_every_line_of_the_lock_and_says_what_needs_what(script: dict[str, Any]) -> None:
    document = json.loads(script["sbom"]())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock, flags=re.MULTILINE)
    assert [(each["name"], each["version"]) for each in document["components"]] == pinned
    held = [each["value"] for one in document["components"] for each in one["properties"]]
    assert held == re.findall(r"--hash=sha256:([0-9a-f]{64})", lock)
    refs = {each["bom-ref"] for each in document["components"]} | {document["metadata"]["component"]["bom-ref"]}
    needs = {each["ref"]: set(each["dependsOn"]) for each in document["dependencies"]}
    assert set(needs) == refs
    assert set().union(*needs.values()) <= refs
    reached, waiting = set[str](), {document["metadata"]["component"]["bom-ref"]}
    while waiting:
        reached |= (one := {waiting.pop()})
        waiting |= set().union(*(needs[each] for each in one)) - reached
    assert reached == refs, "everything that is locked is needed by something"
    assert document["serialNumber"] == json.loads(script["sbom"]())["serialNumber"]


def test_the_changelog_knows_the_version() -> None:
    assert f"\n## {PROJECT['project']['version']} " in (ROOT / "CHANGELOG.md").read_text("utf-8")


def _made(dist: Path) -> dict[str, str]:
    subprocess.run([str(ROOT / "script" / "release")], check=True, capture_output=True, timeout=300, cwd="/")
    return {
        str(each.relative_to(dist)): hashlib.sha256(each.read_bytes()).hexdigest()
        for each in dist.rglob("*")
        if each.is_file()
    }


@pytest.mark.long
def test_a_release_is_the_same_twice_and_its_wheel_works_alone_from_anywhere(tmp_path: Path) -> None:
    dist = ROOT / "dist"
    first = _made(dist)
    assert _made(dist) == first
    sums = [line.split("  ./") for line in (dist / "SHA256SUMS").read_text().splitlines()]
    said = {name: digest for digest, name in sums}
    assert said == {name: digest for name, digest in first.items() if name != "SHA256SUMS"}
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    ours = {each.split(".")[0] for each in PROJECT["tool"]["setuptools"]["packages"]}
    assert {each for each in tops if not each.endswith(".dist-info")} == ours
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, timeout=120)
    python = environment / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel], check=True, timeout=120
    )
    # What is locked is installed already: a path alone, so that what leads to the sources is not followed.
    (site,) = (environment / "lib").glob("python3*/site-packages")
    (place,) = {Path(each) for each in sys.path if each.endswith("site-packages") and each.startswith(sys.prefix)}
    (site / "locked.pth").write_text(f"{place}\n")
    _works(environment / "bin" / "trialcpa", tmp_path)


def _works(program: Path, folder: Path) -> None:
    alone = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port = tried.getsockname()[1]
    home = folder / "authority"
    words = ["init", "--test", "--home", str(home), "--port", str(port)]
    made = subprocess.run(
        [program, *words], cwd=folder, env=alone, capture_output=True, text=True, check=False, timeout=120
    )
    assert made.returncode == 0, made.stderr
    where = [str(program.with_name("python")), "-c", "import app; print(app.__file__)"]
    assert (
        str(ROOT) not in subprocess.run(where, cwd=folder, env=alone, capture_output=True, text=True, check=True).stdout
    )
    serving = subprocess.Popen(
        [program, "serve", "--home", str(home)], cwd=folder, env=alone, stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 60
        while not _ready(port):
            assert serving.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)
    finally:
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(30) == 0


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz?for=writing", timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
