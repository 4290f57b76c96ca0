"""The walls of the house stand, and a trespass on any of them is seen."""

import ast
import re
from pathlib import Path

import pytest

from core.errors import TrialCpaError
from tests.conftest import SLOW
from tests.sources import sources
from tests.walls import CLOCK_FILE, LONGER_FOR_A_REASON, PARTLY, ROLES_FILE, WALLS, told, trespasses, unnamed

ROOT = Path(__file__).parents[1]
PYPROJECT = "[tool.setuptools]\npackages = {packages}\n"


def test_nobody_trespasses() -> None:
    found = trespasses(ROOT)
    if found:
        pytest.fail(told(ROOT, found), pytrace=False)


def test_every_trespass_is_told_with_what_its_room_may_import(tmp_path: Path) -> None:
    planted = {"core/a.py": "import store\nimport flask\n", "keys/a.py": "import ca\n", "tests/util.py": ""}
    assert told(tmp_path, plant(tmp_path, planted)).splitlines() == [
        "Trespasses on the walls of tests/walls.py: 4",
        "",
        "  core/a.py: imports store",
        "  core/a.py: imports flask",
        "  core may import of ours: core",
        "  core may import from outside: nothing",
        "",
        "  keys/a.py: imports ca",
        "  keys may import of ours: core keys",
        "  keys may import from outside: cryptography pkcs11",
        "",
        "  tests/util.py: has the name of an attic",
    ]


def test_every_package_has_a_wall_and_every_wall_a_package() -> None:
    tops = {source.package for source in sources(ROOT) if source.path.name == "__init__.py" and not source.free}
    subjects = {name for name in tops if name.startswith("ra.") and name.count(".") == 1}
    rooms = {"api.status", "ra.deciding.kinds", "verify.kit"}
    assert {name for name in tops if "." not in name} | subjects | rooms == set(WALLS)


def test_the_readers_see_what_is_there() -> None:
    # A rule that finds nothing because it looks at nothing proves nothing.
    seen = {source.name for source in sources(ROOT)}
    assert {CLOCK_FILE, "store/tables.py", "api/status/plane.py", "app/settings.py"} <= seen
    assert set(LONGER_FOR_A_REASON) <= seen
    assert len(seen) > 100


def test_every_act_of_a_person_says_what_is_true_if_we_die_there() -> None:
    told = (ROOT / "docs" / "issuance-cycle.md").read_text(encoding="utf-8")
    begun = re.compile(r'\.begin\("([^"]+)"\)')
    acts = {label for file in (ROOT / "ra").rglob("*.py") for label in begun.findall(file.read_text(encoding="utf-8"))}
    assert "apply" in acts
    assert sorted(each for each in acts if f"`commit {each}`" not in told) == []


def plant(root: Path, files: dict[str, str]) -> list[str]:
    """The trespasses in a small tree with these files; every package is as it must be."""
    made = {f"{name.rsplit('/', 1)[0]}/__init__.py" for name in files}
    tree = {each: f'"""{each.rsplit("/", 1)[0].replace("/", ".")} — holds what it holds."""\n' for each in made} | files
    for name, text in tree.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    packages = sorted(
        each.rsplit("/", 1)[0].replace("/", ".")
        for each in tree
        if each.endswith("__init__.py") and "tests" not in each
    )
    if not (root / "pyproject.toml").exists():
        (root / "pyproject.toml").write_text(PYPROJECT.format(packages=packages), "utf-8")
    return trespasses(root)


def test_nothing_is_kept_that_nobody_names() -> None:
    assert unnamed(ROOT) == []


def test_what_nobody_names_is_seen(tmp_path: Path) -> None:
    dead = "def dead() -> None: ...\n\n\ndef alive() -> None: ...\n\n\n@command\ndef told() -> None: ...\n"
    plant(tmp_path, {"core/a.py": dead, "jobs/a.py": "from core import a\n\na.alive()\n"})
    assert unnamed(tmp_path) == ["core/a.py: dead"]


def test_a_constant_that_nobody_reads_is_seen_even_if_another_file_has_one_of_its_name(tmp_path: Path) -> None:
    made = "__all__ = []\n_DEAD = 1\nTAKEN: int = 2\nMEMBER = 3\n_READ = 4\n\nprint(_READ)\n"
    taking = "from core import a\nfrom core.a import TAKEN\n\n_DEAD = 5\nprint(_DEAD, TAKEN, a.MEMBER)\n"
    plant(tmp_path, {"core/a.py": made, "jobs/a.py": taking})
    assert unnamed(tmp_path) == ["core/a.py: _DEAD"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("core/a.py", "import cryptography\n"),
        ("core/a.py", "import store\n"),
        ("core/a.py", "from . import clock\n"),
        ("keys/a.py", "from store import transactions\n"),
        ("keys/a.py", "import ca.draft\n"),
        ("store/a.py", "import flask\n"),
        ("store/a.py", "from cryptography import x509\n"),
        ("store/a.py", "import policy\n"),
        ("ca/a.py", "import sqlalchemy\n"),
        ("ca/a.py", "from store.transactions import Store\n"),
        ("ca/a.py", "from policy import profile\n"),
        ("policy/a.py", "from keys.signer import Signer\n"),
        ("policy/a.py", "from ca.signing import sign_certificate\n"),
        ("policy/a.py", "def late():\n    import store\n"),
        ("ra/deciding/kinds/a.py", "from ra.deciding.kinds.rekey import FORM\n"),
        ("ra/a.py", "import flask\n"),
        ("ra/a.py", "from keys import signer\n"),
        ("ra/a.py", "from ca import signing\n"),
        ("ra/a.py", "from ra.applying import apply\n"),
        ("ra/applying/a.py", "from ra.telling.listing import instruct\n"),
        ("ra/telling/a.py", "import ra.deciding.look\n"),
        ("ra/reporting/a.py", "from ra.waiting import tasks\n"),
        ("ra/deciding/kinds/a.py", "from ra.waiting import tasks\n"),
        ("ra/deciding/a.py", "import flask\n"),
        ("jobs/a.py", "from sqlalchemy import select\n"),
        ("jobs/a.py", "import api.app\n"),
        ("api/a.py", "import sqlalchemy.orm\n"),
        ("api/a.py", "from store.verbs import drafts\n"),
        ("api/a.py", "from cryptography import x509\n"),
        ("api/a.py", "import ca.draft\n"),
        ("api/status/a.py", "import flask\n"),
        ("api/status/a.py", "from store.reading.status import StatusReader\n"),
        ("api/status/a.py", "from ra.access import authorise\n"),
        ("verify/a.py", "from ca.der import integer\n"),
        ("verify/a.py", "import store\n"),
        ("app/a.py", "from sqlalchemy import text\n"),
        ("app/a.py", "import tests.world\n"),
        ("app/a.py", "import requests\n"),
        ("policy/a.py", "import importlib\nimportlib.import_module('store.tables')\n"),
        ("jobs/a.py", "from importlib import import_module as load\nload('api.' + 'app')\n"),
        ("app/a.py", "from story import play\n"),
        ("app/a.py", "from aiosmtpd.controller import Controller\n"),
        ("story/a.py", "import ra.desk\n"),
        ("story/a.py", "from store.transactions import Store\n"),
        ("story/a.py", "from policy.roles import Operation\n"),
        ("story/a.py", "import ca.draft\n"),
        ("story/a.py", "from app import client\n"),
        ("attic/a.py", "X = 1\n"),
    ],
)
def test_a_planted_import_is_caught(tmp_path: Path, name: str, text: str) -> None:
    # `from ca import signing` names a module only if there is one.
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca/signing.py").write_text("")
    (tmp_path / "ca/__init__.py").write_text('"""ca — signs."""\n')
    assert [each for each in plant(tmp_path, {name: text}) if each.startswith(f"{name}: ")]


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\ndatetime.now()\n",
        "from datetime import datetime as when\nclock = when.utcnow\n",
        "import datetime\ndatetime.datetime.today()\n",
        "import datetime as dt\ndt.date.today()\n",
        "from datetime import date\ndate.today()\n",
        "import time\ntime.time()\n",
        "import time as t\nt.time_ns()\n",
        "from time import time\n",
        "from time import gmtime as g\n",
    ],
)
@pytest.mark.parametrize("name", ["jobs/a.py", "core/a.py", "app/cli/a.py"])
def test_a_planted_reading_of_the_clock_is_caught(tmp_path: Path, name: str, text: str) -> None:
    assert [each for each in plant(tmp_path, {name: text}) if each.startswith(f"{name}: reads the clock")]


def test_the_clock_may_be_read_in_its_file_and_in_tests(tmp_path: Path) -> None:
    reads = "from datetime import datetime\ndatetime.now()\n"
    assert plant(tmp_path, {CLOCK_FILE: reads, "tests/test_a.py": reads}) == []


def test_monotonic_seconds_are_for_outer_shells_only(tmp_path: Path) -> None:
    waits = "import time\ntime.sleep(time.monotonic())\n"
    assert plant(tmp_path, {"jobs/a.py": waits, "policy/a.py": waits}) == [
        "policy/a.py: imports time; here time is an argument"
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("jobs/a.py", "from ca.clearance import Clearance\nClearance(1, b'')\n", "makes a Clearance"),
        ("ra/a.py", "from officers.statement import Claim\nClaim(act=act)\n", "says what an act claims, which only"),
        ("ca/a.py", "import ca.clearance as c\nc.Clearance(1, b'')\n", "makes a Clearance"),
        ("app/a.py", "from core.boundaries import observe\nobserve(print)\n", "observes the boundaries"),
        ("jobs/a.py", "from core import boundaries\nboundaries.observe(None)\n", "observes the boundaries"),
        (
            "app/cli/a.py",
            "import click\nclick.confirm('Sure')\n",
            "asks by click.confirm, which only app/cli/asking.py",
        ),
        ("app/a.py", "from click import prompt\nprompt('Who')\n", "asks by click.prompt"),
        ("app/cli/a.py", "import getpass\ngetpass.getpass()\n", "asks by getpass.getpass, which only keys/"),
        ("app/cli/a.py", "said = f'{number} more officers'\n", "says f'{number} more officers', wrong of one"),
        ("ra/util.py", "", "has the name of an attic"),
        ("ra/key_helpers.py", "", "has the name of an attic"),
        ("store/manager.py", "", "has the name of an attic"),
        ("ra/long.py", "X = 1\n" * 451, "has 451 lines"),
        ("ra/__init__.py", '"""Use cases."""\n', "does not begin by saying what it is"),
        ("ra/__init__.py", "", "does not begin by saying what it is"),
    ],
)
def test_other_trespasses_are_caught(tmp_path: Path, name: str, text: str, told: str) -> None:
    assert [each for each in plant(tmp_path, {name: text}) if each.startswith(f"{name}: {told}")]


@pytest.mark.parametrize(
    "trespass",
    [
        'row.state == "open"',
        '"open" != row.state',
        'kind in {"grant", "rekey"}',
        'found.end_cause not in ("ssc", "breach")',
        'said["outcome"] == "refused"',
        'said.get("channel") == "mail"',
        'role in frozenset(["root"])',
        'columns.state.in_(["open", "proposed"])',
    ],
)
def test_a_kind_or_state_is_not_compared_with_a_word(tmp_path: Path, trespass: str) -> None:
    assert plant(tmp_path, {"store/a.py": f"{trespass}\n"}) == [
        f"store/a.py: compares with a word: {_unparsed(trespass)}"
    ]


def test_a_kind_or_state_is_not_matched_with_a_word(tmp_path: Path) -> None:
    matches = 'match row.kind:\n    case "grant" | "rekey":\n        pass\n    case _:\n        pass\n'
    assert plant(tmp_path, {"ra/a.py": matches}) == [
        "ra/a.py: matches a word: 'grant'",
        "ra/a.py: matches a word: 'rekey'",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "from core.actors import Role\nnamed = actor.role is not Role.DCC\n",
        "from core.actors import Role as R\nmatch role:\n    case R.DCC:\n        pass\n",
        "from core import actors\nTABLE = {actors.Role.DCC: 1}\n",
    ],
)
@pytest.mark.parametrize("name", ["ra/a.py", "api/a.py", "policy/a.py", "jobs/a.py", "app/cli/a.py"])
def test_a_role_decides_nothing_outside_its_file(tmp_path: Path, name: str, text: str) -> None:
    told = f"{name}: asks for Role.DCC; ask {ROLES_FILE} what it may do"
    assert plant(tmp_path, {name: text, ROLES_FILE: text}) == [told]


_SHADES = (
    "from enum import StrEnum\n\n\nclass Shade(StrEnum):\n"
    '    """Of grey."""\n\n    LIGHT = "light"\n    MIDDLE = "middle"\n    DARK = "dark"\n'
)


@pytest.mark.parametrize(
    "text",
    [
        "from core.shades import Shade\nX = {Shade.LIGHT: 1, Shade.DARK: 2}\n",
        "from core.shades import Shade as S\nX: dict[S, int] = {S.LIGHT: 1, S.DARK: 2}\n",
        "from core import shades\nX = proxy({shades.Shade.LIGHT: 1, shades.Shade.DARK: 2})\n",
        "from core.shades import Shade\nX = {Shade.LIGHT: 1, Shade.DARK: 2, 'another': 3}\n",
        "from core.shades import Shade\n\n\ndef a():\n    X = {Shade.LIGHT: 1, Shade.DARK: 2}\n",
    ],
)
def test_a_mapping_that_forgets_a_member_is_caught(tmp_path: Path, text: str) -> None:
    assert plant(tmp_path, {"core/shades.py": _SHADES, "ra/a.py": text, "tests/a.py": text}) == [
        "ra/a.py: X does not name MIDDLE of core.shades.Shade"
    ]


def test_a_mapping_in_the_file_of_its_enum_is_seen(tmp_path: Path) -> None:
    text = f"{_SHADES}\n\nX = {{Shade.DARK: 1}}\n"
    found = "core/shades.py: X does not name LIGHT, MIDDLE of core.shades.Shade"
    assert plant(tmp_path, {"core/shades.py": text}) == [found]


def test_a_mapping_that_names_every_member_has_no_default(tmp_path: Path) -> None:
    whole = "from core.shades import Shade\nX = {Shade.LIGHT: 1, Shade.MIDDLE: 2, Shade.DARK: 3}\nX[shade]\n"
    assert plant(tmp_path, {"core/shades.py": _SHADES, "ra/a.py": whole}) == []
    assert plant(tmp_path, {"ra/a.py": f"{whole}X.get(shade, 0)\n"}) == [
        "ra/a.py: X names every member, and line 4 has a default"
    ]


def test_a_mapping_that_became_whole_is_no_longer_excused(tmp_path: Path) -> None:
    gone = sorted(f"{each} is in PARTLY, and is whole or gone" for each in PARTLY)
    assert plant(tmp_path, {"tests/walls.py": ""}) == gone


def test_members_and_other_words_may_be_compared(tmp_path: Path) -> None:
    compares = 'row.state == State.OPEN\nrow.name == "open"\nrow.kind in OPEN\nscheme == "file"\nrow.channel == ""\n'
    assert plant(tmp_path, {"ra/a.py": compares, "tests/test_a.py": 'row.state == "open"\n'}) == []


def _unparsed(text: str) -> str:
    return ast.unparse(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "from core.rows import Row\nRow(1, 2, 3, 4)\n",
        "from core.rows import Row as Held\nHeld(1, 2, 3, 4, last=5)\n",
        "from core import rows\nrows.Row(*[1, 2])\n",
        "import core.rows as kept\nkept.Row(1, *[2])\n",
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Own:\n    a: int\n\n\nOwn(1, 2, 3, 4)\n",
    ],
)
def test_a_planted_row_by_place_is_caught(tmp_path: Path, text: str) -> None:
    row = "import dataclasses\n\n\n@dataclasses.dataclass(frozen=True)\nclass Row:\n    first: int\n    last: int = 0\n"
    found = plant(tmp_path, {"core/rows.py": row, "ra/a.py": text})
    assert [each.split(" in line")[0].split(" builds")[0] for each in found] == ["ra/a.py:"]


def test_few_values_and_what_is_no_row_may_be_given_by_place(tmp_path: Path) -> None:
    row = "from dataclasses import dataclass\n\n\n@dataclass\nclass Row:\n    first: int\n"
    use = "from core.rows import Row\n\n\ndef a(*_: int) -> None: ...\n\n\n"
    fine = f"{use}Row(1, 2, 3)\nRow(first=1, **{{}})\na(1, 2, 3, 4)\n"
    assert plant(tmp_path, {"core/rows.py": row, "ra/a.py": fine, "tests/a.py": f"{use}Row(1, 2, 3, 4)\n"}) == []


def test_policy_may_make_a_clearance_and_anybody_may_hand_one_on(tmp_path: Path) -> None:
    makes = "from ca.clearance import Clearance\nClearance(1, b'')\n"
    holds = "from ca.clearance import Clearance\n\n\ndef a(b: object) -> bool:\n    return isinstance(b, Clearance)\n"
    assert plant(tmp_path, {"policy/a.py": makes, "jobs/a.py": holds}) == []


def test_the_list_of_packages_is_that_of_the_tree(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT.format(packages=["core", "ghost"]))
    found = plant(tmp_path, {"core/a.py": "", "keys/a.py": ""})
    assert found == ["pyproject.toml: does not list keys", "pyproject.toml: lists ghost, which is not there"]


def test_a_file_in_no_package_is_caught(tmp_path: Path) -> None:
    (tmp_path / "ra/late").mkdir(parents=True)
    (tmp_path / "ra/late/a.py").write_text("")
    assert "ra/late/a.py: lies in no package" in plant(tmp_path, {"ra/b.py": ""})


def test_what_the_quick_run_leaves_out_is_there() -> None:
    # A file that has been renamed would come back into the quick run, and nobody would know why it is slow.
    assert {name for name in SLOW if not (ROOT / "tests" / name).exists()} == set()


# --- papers -------------------------------------------------------------------------------------------------------

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:|#")


def dead_links(root: Path) -> list[str]:
    """Relative links in the papers that lead nowhere."""
    papers = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "bench").glob("*.md")]
    return [
        f"{paper.relative_to(root)}: {link}"
        for paper in papers
        for link in _LINK.findall(paper.read_text("utf-8"))
        if not _ELSEWHERE.match(link) and not (paper.parent / link.split("#")[0]).exists()
    ]


def test_what_people_are_told_names_no_file_of_the_source() -> None:
    every, told = [TrialCpaError], []
    while every:
        each = every.pop()
        every += each.__subclasses__()
        told += [each.code for text in (each.sentence, each.hint_text) if ".py" in text]
    assert told == []


def test_the_papers_point_somewhere() -> None:
    assert dead_links(ROOT) == []


def test_a_dead_link_is_caught(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/there.md").write_text("[up](../README.md#map) [site](https://example.org/) [here](#a)")
    (tmp_path / "README.md").write_text("[there](docs/there.md) and [gone](docs/gone.md)")
    assert dead_links(tmp_path) == ["README.md: docs/gone.md"]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_dependencies_are_locked_with_hashes_and_name_no_index(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    assert "--index" not in text
    wanted = [block for block in re.split(r"\n(?=[A-Za-z0-9])", text) if "==" in block]
    assert wanted
    assert [block for block in wanted if "--hash=sha256:" not in block] == []
