"""Problem documents: every error has one meaning in HTTP, and what is nobody's business stays inside."""

import json
from collections.abc import Iterator

import pytest

from api import problems
from core import errors
from core.errors import Finding, RulesRefused, Severity, TrialCpaError

FAMILIES = {
    errors.RequestMalformed: 400,
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooMany: 429,
    errors.RequestTooLarge: 413,
    errors.RequestUnsupported: 415,
    errors.Refusal: 422,
    errors.Unavailable: 503,
    errors.ConfigurationError: 500,
    errors.IntegrityError: 500,
}


class _Anything(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def every_error(root: type[TrialCpaError] = TrialCpaError) -> Iterator[type[TrialCpaError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from every_error(kind)


EVERY_ERROR = sorted(every_error(), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: kind.__name__)
def test_every_error_of_ours_has_the_status_of_its_family(kind: type[TrialCpaError]) -> None:
    error = kind.__new__(kind)
    error.fields = _Anything()
    error.args = ("a sentence",)
    # Refusals with findings carry them themselves.
    error.__dict__.setdefault("findings", ())
    described_hint = kind.hint_text.format_map(_Anything())
    family = next(family for family in FAMILIES if issubclass(kind, family))
    kind_hint = type("Hinted", (kind,), {"hint": described_hint, "__init__": lambda _self: None})
    error.__class__ = kind_hint
    status, document = problems.problem(error)
    assert status == FAMILIES[family] == document["status"]
    if status == 500:
        assert document["code"] == "internal"
        assert "sentence" not in json.dumps(document)
    else:
        assert (document["code"], document["detail"], document["hint"]) == (kind.code, "a sentence", described_hint)


def test_a_refusal_tells_all_its_findings() -> None:
    fatal = Finding("start-passed", "F2.21(c)", Severity.FATAL, "The start has passed.", "Choose a later one.")
    notice = Finding("device-new", "F2.18", Severity.NOTICE, "First of its kind.")
    status, document = problems.problem(RulesRefused([fatal, notice]))
    assert (status, document["code"], document["detail"]) == (422, "rules-refused", "The start has passed.")
    assert document["findings"] == [
        {
            "code": "start-passed",
            "clause": "F2.21(c)",
            "severity": "fatal",
            "detail": "The start has passed.",
            "remedy": "Choose a later one.",
        },
        {"code": "device-new", "clause": "F2.18", "severity": "notice", "detail": "First of its kind.", "remedy": ""},
    ]


def test_a_foreign_error_tells_nothing_of_itself() -> None:
    status, document = problems.problem(ValueError("password=hunter2"))
    assert status == 500
    assert "hunter2" not in json.dumps(document)


def test_headers_belong_to_the_status() -> None:
    assert dict(problems.headers(401))["WWW-Authenticate"].startswith("Bearer")
    assert int(dict(problems.headers(503))["Retry-After"]) == problems.RETRY_AFTER_SECONDS
    for status in (400, 401, 404, 500, 503):
        assert dict(problems.headers(status))["Cache-Control"] == "no-store"
        assert dict(problems.headers(status))["Content-Type"] == "application/problem+json"


def test_a_lone_surrogate_does_not_break_the_document() -> None:
    _, document = problems.problem(errors.IdentifierMalformed(value="\ud800"))
    assert json.loads(problems.encode(document))["detail"] == "“\ud800” is not an approval identifier."
