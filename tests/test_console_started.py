"""What a start of web loads: the demo people's code only where the settings say so, whatever stands in the register."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import FILE_NAME, template

ROOT = Path(__file__).parents[1]
STARTS = """
import json, sys
from pathlib import Path
from werkzeug.test import Client
from app.console import with_console
from app.house import open_house
from app.settings import load
from tests.api_world import Api
from tests.world import World

home, url, keys = sys.argv[1:]
api = Api(World(url, Path(keys)))
house = open_house(load(Path(home)))
browser = Client(with_console(api.flask.wsgi_app, house, api.mirror, api.lookout).application)
opened = {each: browser.get(each, base_url="https://console.example") for each in ("/console/demo", "/console/sign-in")}
print(json.dumps({
    "loaded": sorted({"app.demo_people", "console.demo", "console.trying"} & set(sys.modules)),
    "environment": house.row().environment,
    "demo": opened["/console/demo"].status_code,
    "sign_in": opened["/console/sign-in"].status_code,
    "offered": "/console/demo" in opened["/console/sign-in"].text,
}))
"""


@pytest.mark.parametrize("said", ["", "demo = false\n", "demo = true\n"])
def test_a_row_that_says_test_loads_nothing_where_the_settings_do_not(
    store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path, said: str
) -> None:
    """The register says `test`, as whoever writes to a live one may make it say."""
    url = store_copy("sqlite")
    text = template(store_url=url, port=8470, passphrase="prompt", longest_trial_days=731)
    (tmp_path / FILE_NAME).write_text(f'{text}\n[console]\norigin = "https://console.example"\n{said}')
    started = subprocess.run(
        [sys.executable, "-c", STARTS, str(tmp_path), url, str(keys_folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert started.returncode == 0, started.stderr
    found = json.loads(started.stdout.splitlines()[-1])
    assert found["environment"] == "test"
    assert found["sign_in"] == 200
    if "true" in said:
        assert (found["demo"], found["offered"]) == (200, True)
        assert found["loaded"] == ["app.demo_people", "console.demo", "console.trying"]
    else:
        assert (found["demo"], found["offered"], found["loaded"]) == (404, False, [])


@pytest.mark.parametrize("demo", [True, False])
def test_only_the_settings_of_a_test_authority_say_so(demo: bool) -> None:  # noqa: FBT001 - a case
    text = template(store_url="sqlite:///x", port=8470, passphrase="prompt", longest_trial_days=731, demo=demo)
    assert ("demo = true" in text) is demo
