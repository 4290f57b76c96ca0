"""What is kept from test to test is what would be made anew."""

import json

import pytest
from flask_openapi3.openapi import OpenAPI
from werkzeug.routing import Rule

from api.app import description
from tests import compiled
from tests.api_world import Api
from tests.console_world import Pages
from tests.world import World


def built(pages: Pages) -> list[object]:
    """Every address of a console, put together with what it asks for and with one word more."""
    return [
        rule.build({**dict.fromkeys(rule.arguments, "1"), "more": "so"}, unknown)
        for rule in pages.app.url_map.iter_rules()
        for unknown in (False, True)
    ]


def test_a_service_of_kept_parts_is_the_one_that_would_be_made_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = Api(world), Api(world)
    addresses = [built(Pages(first)), built(Pages(again))]
    described = [json.dumps(description(each.flask)) for each in (first, again)]
    monkeypatch.setattr(Rule, "_compile_builder", compiled.BUILDER)
    monkeypatch.setattr(OpenAPI, "_collect_openapi_info", compiled.DESCRIBED)
    anew = Api(world)
    assert described == [json.dumps(description(anew.flask))] * 2
    assert addresses == [built(Pages(anew))] * 2
