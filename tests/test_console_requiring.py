"""Further requirements in a browser: asked for once, closed with a reason, and nothing that was typed is lost."""

from core.kinds import RequirementState
from ra.applying.look import application as application_of
from tests.api_world import Api
from tests.console_world import Pages
from tests.world import World


def test_something_more_is_asked_for_and_closed(world: World) -> None:
    pages = Pages(Api(world))
    application = pages.api.applied()
    place = f"/console/applications/{application}"
    ask = f"{place}/requirements"
    fields = pages.fields(pages.get("officer-1", place).text, ask)
    for wrong in ("", " ", "a\x00b", "a" * 10_001):
        assert pages.post("officer-1", ask, {**fields, "requirement": wrong}).status_code == 422, wrong
    for _ in range(2):
        sent = pages.post("officer-1", ask, {**fields, "requirement": "A test report, <b>whole</b>."})
        assert (sent.status_code, sent.location) == (303, f"{place}#requirements")
    (held,) = application_of(pages.desk, pages.actor("officer-1"), application).requirements
    page = pages.get("officer-2", place).text
    assert "A test report, &lt;b&gt;whole" in page
    assert "A test report" in pages.get("manufacturer", place).text
    assert ask not in pages.get("manufacturer", place).text

    close = f"{ask}/{held.requirement}/closing"
    fields = pages.fields(page, close)
    for said in ({}, {"outcome": "both", "reason": "x"}, {"outcome": "met", "reason": " "}):
        assert pages.post("officer-2", close, {**fields, **said}).status_code == 422, said
    kept = pages.post("officer-2", close, {**fields, "reason": "It <i>came</i>."})
    assert "It &lt;i&gt;came" in kept.text
    of_nothing = f"{ask}/req-none/closing"
    assert pages.post("officer-2", of_nothing, {**fields, "outcome": "met", "reason": "x"}).status_code == 404
    done = {**fields, "outcome": "met", "reason": "It came."}
    assert pages.post("officer-2", close, done).status_code == 303
    assert pages.post("officer-2", close, done).status_code == 303, "the same form again is the same act"
    assert pages.post("officer-2", close, {**done, "fresh": "A" * 22}).status_code == 422
    (held,) = application_of(pages.desk, pages.actor("officer-1"), application).requirements
    assert held.state is RequirementState.MET
    assert close not in pages.get("officer-2", place).text
