"""A test authority to try things out with: API keys for each role, officers' own keys, in HOME/demo."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from app import settings as settings_file
from app.cli.ceremony import Plan, make, require_new, require_sound
from app.home_files import write_secret
from app.house import open_house
from app.officer_key import open_officer_key
from core.actors import CONSOLE, Role
from core.canonical import read_json
from keys.passphrase import FromFile, new_passphrase
from keys.sealed import generate_private
from officers.key_file import public_file, public_key_of, public_pem
from officers.proof import OfficersKey
from officers.roster import Member, new_member
from ra.access import grant_access

DEMO_LIFE = timedelta(days=365)

_DEMO: tuple[tuple[str, Role, str | None], ...] = (
    ("ssc-officer-1", Role.SSC_OFFICER, "Security Sub-Committee"),
    ("ssc-officer-2", Role.SSC_OFFICER, "Security Sub-Committee"),
    ("ssc-officer-3", Role.SSC_OFFICER, "Security Sub-Committee"),
    ("ssc-admin", Role.SSC_ADMIN, "Security Sub-Committee"),
    ("manufacturer", Role.MANUFACTURER, "Example Metering Ltd"),
    ("dcc", Role.DCC, "Data Communications Company"),
    ("panel", Role.PANEL, "SEC Panel"),
    ("auditor", Role.AUDITOR, "Example Auditors LLP"),
    ("monitor", Role.MONITOR, None),
)


def make_demo(plan: Plan) -> str:
    """Hold the ceremony of a test authority whose officers' keys lie in HOME/demo; for the rest see make.

    The keys come first, as they are on its roster. If we die behind them, the next run finds them.
    """
    require_new(plan.home)
    require_sound(plan)
    plan.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    officers = [name for name, role, _ in _DEMO if role is Role.SSC_OFFICER]
    return make(replace(plan, roster=tuple(_demo_officer(plan.home, name) for name in officers)))


def demo_key(home: Path, officer: str) -> tuple[Path, Path]:
    """Return where a demo officer's own key lies, and its passphrase."""
    folder = home / "demo"
    return folder / f"{officer}.key.pem", folder / f"{officer}.passphrase"


def open_demo_key(home: Path, officer: str) -> OfficersKey:
    """Return a demo officer's own key; OfficerKeyUnusable if it is not there."""
    path, passphrase = demo_key(home, officer)
    return open_officer_key(path, f"file:{passphrase}")


def _demo_officer(home: Path, name: str) -> Member:
    path, passphrase = demo_key(home, name)
    write_secret(passphrase, new_passphrase(), exist_ok=True)
    key = generate_private(path, FromFile(passphrase).read(), exist_ok=True)
    write_secret(public_file(path), public_pem(key).decode("ascii"))
    return new_member(name, public_key_of(key))


def write_demo_credentials(home: Path) -> Path:
    """Make an API key for each role and write them where only the owner can read them: together, and one to a file."""
    path = home / "demo" / "credentials.json"
    held = path.exists()
    made = read_json(path.read_bytes()) if held else _demo_credentials(home)
    for name, each in made.items():
        alone = path.with_name(f"{name}.key")
        if not held or not alone.exists():
            write_secret(alone, f"{each['api_key']}\n")
    if not held:  # last: its presence says that all of them are there
        write_secret(path, json.dumps(made, indent=2) + "\n")
    return path


def _demo_credentials(home: Path) -> dict[str, dict[str, str | None]]:
    house = open_house(settings_file.load(home))
    made: dict[str, dict[str, str | None]] = {}
    for name, role, organisation in _DEMO:
        granted = grant_access(house.desk, CONSOLE, name=name, role=role, organisation=organisation, life=DEMO_LIFE)
        made[name] = {"api_key": granted.api_key, "role": role.value, "organisation": organisation}
    house.store.close()
    return made
