"""deploy/systemd: what each unit runs is there, who runs it is made, what it may is little; and whose the files are."""

import os
import re
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import click
import pytest

from app.cli.ceremony import make, planned
from app.cli.main import cli
from app.production import AUTHORITY, COURIER, RENDERER, WEB, Owners, hand_over, settings_of_production
from app.settings import load
from core.errors import ProductionUnready
from core.kinds import Apart, ProcessRole, WebPart

UNITS = Path(__file__).resolve().parent.parent / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
MOST_EXPOSED = {"trialcpa-authority.service": 2.0, "trialcpa-backup.service": 2.0}
OF_OTHERS = 3.0
"""Of ten, the less the better (systemd-analyze(1), security)."""


class Unit:
    """A unit's file, in which a key may stand several times."""

    def __init__(self, path: Path) -> None:
        self.lines = [line for line in path.read_text().splitlines() if "=" in line and not line.startswith("#")]

    def __getitem__(self, key: str) -> list[str]:
        return [line.partition("=")[2] for line in self.lines if line.partition("=")[0] == key]


def test_every_unit_is_little_exposed() -> None:
    asked = ["systemd-analyze", "security", "--offline=true", "--no-pager", *map(str, SERVICES)]
    told = subprocess.run(
        asked, capture_output=True, text=True, check=False, timeout=30, env={**os.environ, "LC_ALL": "C"}
    )
    found = dict(re.findall(r"Overall exposure level for (\S+): ([0-9.]+)", told.stdout))
    assert set(found) == {each.name for each in SERVICES}, told.stderr
    assert {name: said for name, said in found.items() if float(said) > MOST_EXPOSED.get(name, OF_OTHERS)} == {}


def test_units_are_well_formed() -> None:
    asked = [
        "systemd-analyze",
        "verify",
        "--man=no",
        *map(str, [*SERVICES, *UNITS.glob("*.timer"), *UNITS.glob("*.target")]),
    ]
    told = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=30)
    said = [line for line in told.stderr.splitlines() if "trialcpa" in line and "is not executable" not in line]
    assert said == []


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_each_unit_runs_a_command_as_a_user_that_is_made(path: Path) -> None:
    unit, made = Unit(path), (UNITS / "trialcpa.sysusers").read_text()
    (command,) = unit["ExecStart"]
    words = command.partition("/opt/trialcpa/bin/trialcpa ")[2].split()
    found = cli.get_command(click.Context(cli), words[0])
    assert found is not None, command
    if words[0] == "run":
        assert words[1] in [*ProcessRole, *WebPart, *Apart]
    (user,) = unit["User"]
    assert f"\nu {user} " in made
    assert user in {AUTHORITY, WEB, COURIER, RENDERER}
    assert all(f"\ng {group} " in made for group in unit["Group"])


def test_every_process_has_a_unit() -> None:
    commands = "\n".join(each for path in SERVICES for each in Unit(path)["ExecStart"])
    assert [each for each in (*ProcessRole, *WebPart, *Apart) if f" run {each.value} " not in commands] == []


def test_only_the_authority_and_what_backs_it_up_see_the_keys_and_it_has_no_network() -> None:
    sees = {
        path.stem
        for path in SERVICES
        if not any(
            {"-/var/lib/trialcpa/keys", "-/var/lib/trialcpa"} & set(each.split())
            for each in Unit(path)["InaccessiblePaths"]
        )
    }
    assert sees == {"trialcpa-authority", "trialcpa-backup", "trialcpa-doctor"}
    for name in ("trialcpa-authority", "trialcpa-backup"):
        unit = Unit(UNITS / f"{name}.service")
        assert (unit["PrivateNetwork"], unit["RestrictAddressFamilies"]) == (["yes"], ["AF_UNIX"])


def test_production_needs_root_its_users_and_a_register_that_can_be_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(planned(tmp_path / "home", "test"), production=True)
    with pytest.raises(ProductionUnready, match="PostgreSQL"):
        make(plan)
    monkeypatch.setattr("app.production.WEB", "nobody-of-this-name")
    with pytest.raises(ProductionUnready, match=r"root|no user or group"):
        make(replace(plan, store_url="postgresql:///nobody"))
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_each_file_is_for_whom_it_is(tmp_path: Path) -> None:
    """Users of the machine stand for those of the program: what is looked at is who gets at what."""
    home = tmp_path / "home"
    make(planned(home, "test", store_url=f"sqlite:///{tmp_path / 'store.sqlite'}"))
    path = home / "trialcpa.toml"
    path.write_text(settings_of_production(path.read_text()))
    settings = load(home)
    assert str(settings.web_memory) == "/var/lib/trialcpa-web"
    (home / "keys" / "issuing-1.key").chmod(0o644)
    hand_over(settings, home / "root", Owners(authority=1, shared=60))
    hand_over(settings, home / "root", Owners(authority=1, shared=60))
    found = {
        str(each.relative_to(home)): (each.stat().st_uid, each.stat().st_gid, stat.S_IMODE(each.stat().st_mode))
        for each in (home, *home.rglob("*"))
    }
    assert (found["."], found["trialcpa.toml"]) == ((0, 60, 0o750), (0, 60, 0o640))
    assert (found["keys"], found["root"]) == ((1, 0, 0o700), (0, 0, 0o700))
    assert {said for name, said in found.items() if name.startswith("keys/")} == {(1, 0, 0o600)}
    assert {said for name, said in found.items() if name.startswith("root/")} == {(0, 0, 0o600)}


def test_the_settings_of_production_name_what_the_units_give() -> None:
    text = settings_of_production("")
    web, status = Unit(UNITS / "trialcpa-web.service"), Unit(UNITS / "trialcpa-status.service")
    assert f'memory = "/var/lib/{web["StateDirectory"][0]}"' in text
    assert f'listens = "unix:/run/{status["RuntimeDirectory"][0]}/status.sock"' in text
    renderer = Unit(UNITS / "trialcpa-renderer.service")
    assert f'listens = "unix:{renderer["ExecStart"][0].split()[-1]}"' in text
    backups = Unit(UNITS / "trialcpa-backup.service")["ReadWritePaths"][0].split()[-1]
    assert f'directory = "{backups}"' in text
