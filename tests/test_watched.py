"""deploy/prometheus-rules.yml and deploy/dashboard.json ask for figures that /metrics has, and for all of them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.doctor.findings import MAY_WAIT
from tests.api_world import Api
from tests.world import World

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
_NAMED = re.compile(r"\btrialcpa_\w+")
_CODES = re.compile(r'code(!?)=?~"([^"]+)"')
_BESIDE = ("_bucket", "_sum", "_count", "_total")


@pytest.fixture(scope="module")
def families(store_copy: Callable[[str], str], keys_folder: Any) -> set[str]:
    world = World(store_copy("sqlite"), keys_folder)
    said = Api(world).ask("dcc", "GET", "/metrics").text
    world.close()
    return {each.name for each in text_string_to_metric_families(said)}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text("utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DEPLOY / "dashboard.json").read_text("utf-8"))["panels"]
    return found


def _family(name: str, families: set[str]) -> str:
    return next((each for end in _BESIDE if (each := name.removesuffix(end)) in families), name)


def _named(expressions: list[str], families: set[str]) -> set[str]:
    return {_family(name, families) for each in expressions for name in _NAMED.findall(each)}


def test_each_figure_that_is_asked_for_is_there_and_the_dashboard_shows_every_one(families: set[str]) -> None:
    assert len(families) > 20
    asked = _named([each["expr"] for each in rules()], families)
    assert asked <= families
    assert _named([one["expr"] for each in panels() for one in each["targets"]], families) == families


def test_each_alarm_is_brought_to_people_once_as_the_doctor_judges_it() -> None:
    told = {each["alert"]: each["expr"] for each in rules()}
    later = {each.value for each in MAY_WAIT}
    for alert, but in (("TrialCpaAlarm", "!"), ("TrialCpaAlarmThatMayWait", "")):
        found = _CODES.search(told[alert])
        assert found is not None
        assert (found[1], set(found[2].split("|"))) == (but, later), alert


def test_every_rule_says_how_bad_it_is_and_what_to_look_at() -> None:
    for each in rules():
        assert each["labels"]["severity"] in {"page", "ticket"}, each
        assert each["annotations"]["summary"], each
        assert each["annotations"]["runbook"], each


def test_panels_do_not_cover_each_other() -> None:
    places = [(each["gridPos"]["x"], each["gridPos"]["y"]) for each in panels()]
    assert len(set(places)) == len(places) == len({each["id"] for each in panels()})
