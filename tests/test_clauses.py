"""docs/clauses.md says what code and tests say, and every paragraph of Section F has a rule, an endpoint and a test."""

import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.clauses import PARAGRAPHS, serves

ROOT = Path(__file__).resolve().parent.parent

RULED = '@rule("{code}", "{named}", Severity.FATAL, "Do not.")\ndef _{code}(facts): ...\n'
SERVED = '@serves("{named}")\ndef puts_into_effect(): ...\n'
TESTED = '@pytest.mark.clause("{named}")\ndef test_it(): ...\n'


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "script" / "clauses"))


@pytest.fixture(scope="module")
def described(script: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = script["description"]()
    return document


def test_writing_the_page_of_clauses_again_changes_nothing(script: dict[str, Any]) -> None:
    assert script["page"]() == (ROOT / "docs" / "clauses.md").read_text(encoding="utf-8"), "run script/clauses"


def test_every_paragraph_has_a_rule_an_endpoint_and_a_test(script: dict[str, Any], described: dict[str, Any]) -> None:
    found = script["served"](ROOT, described)
    assert tuple(found) == PARAGRAPHS
    assert script["gaps"](found) == []


def test_no_mark_names_a_paragraph_that_is_not_there(script: dict[str, Any], described: dict[str, Any]) -> None:
    assert script["strangers"](ROOT, described) == []


def test_every_paragraph_is_told_in_a_line_of_ours(script: dict[str, Any]) -> None:
    assert set(script["SUBJECTS"]) == set(PARAGRAPHS)


# --- a missing one is seen ---------------------------------------------------------------------------------------


def planted(folder: Path, *, ruled: str, served: str, tested: str) -> Path:
    """A tree in which every paragraph but those has a marked function and a marked test."""
    for name, form, without in (("ra/a.py", SERVED, served), ("tests/test_a.py", TESTED, tested)):
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(form.format(named=each) for each in PARAGRAPHS if each != without), "utf-8")
    (folder / "policy").mkdir()
    (folder / "policy" / "rules.py").write_text(RULED.format(code="x", named=ruled), "utf-8")
    return folder


def addresses(*, without: str) -> dict[str, Any]:
    return {"paths": {"/x": {"get": {"x-clauses": [each for each in PARAGRAPHS if each != without]}}}}


def test_what_is_missing_is_named(script: dict[str, Any], tmp_path: Path) -> None:
    tree = planted(tmp_path, ruled="F2.20", served="F2.19", tested="F2.28(h)")
    found = script["served"](tree, addresses(without="F2.21(e)"))
    assert script["gaps"](found) == ["F2.19 has no rule.", "F2.21(e) has no endpoint.", "F2.28(h) has no test."]


def test_a_rule_of_policy_is_a_rule(script: dict[str, Any], tmp_path: Path) -> None:
    found = script["served"](planted(tmp_path, ruled="F2.19", served="F2.19", tested=""), addresses(without=""))
    assert found["F2.19"].rules == ("`x` (policy.rules.x)",)
    assert script["gaps"](found) == []


@pytest.mark.parametrize("item", "abcde")
def test_a_paragraph_without_its_item_counts_for_no_item(script: dict[str, Any], tmp_path: Path, item: str) -> None:
    tree = planted(tmp_path, ruled="F2.21", served=f"F2.21({item})", tested=f"F2.21({item})")
    (tree / "tests" / "test_b.py").write_text(TESTED.format(named="F2.21"), "utf-8")
    found = script["served"](tree, addresses(without=""))
    assert f"F2.21({item}) has no test." in script["gaps"](found)


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ('@pytest.mark.clause("F2.20")\n@pytest.mark.clause("F2.22")\ndef test_it(): ...\n', ["F2.20", "F2.22"]),
        ('pytestmark = pytest.mark.clause("F2.20")\n\ndef test_it(): ...\n', ["F2.20"]),
        ('@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.clause("F2.20"))])\ndef test_it(x): ...\n',
         ["F2.20"]),
        ('@pytest.mark.clause("F2.20")\ndef not_a_test(): ...\n', []),
        ("# @pytest.mark.clause('F2.20')\ndef test_it(): ...\n", []),
    ],
)  # fmt: skip
def test_marks_are_read_where_pytest_reads_them(
    script: dict[str, Any], tmp_path: Path, form: str, names: list[str]
) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text(form, "utf-8")
    found = script["served"](tmp_path, addresses(without=""))
    assert [each for each in PARAGRAPHS if found[each].tests] == names


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tests/test_a.py", TESTED.format(named="F2.32")),
        ("tests/test_a.py", TESTED.format(named="F2.21(f)")),
        ("ra/a.py", SERVED.format(named="F2.17")),
    ],
)
def test_a_mark_that_names_no_paragraph_is_named(script: dict[str, Any], tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(text, "utf-8")
    assert len(script["strangers"](tmp_path, {"paths": {}})) == 1
    assert script["strangers"](tmp_path, {"paths": {"/x": {"get": {"x-clauses": ["F3"]}}}})[0] == "`GET /x`: F3"


@pytest.mark.parametrize("named", ["F2.17", "F2.21", "F2.28(i)"])
def test_a_function_cannot_be_marked_with_what_is_no_paragraph(named: str) -> None:
    with pytest.raises(ValueError, match="no paragraph"):
        serves(named)


def test_taking_one_mark_out_of_the_real_tree_is_seen(
    script: dict[str, Any], described: dict[str, Any], tmp_path: Path, ignoring: Callable[..., set[str]]
) -> None:
    for folder in (*script["CODE_FOLDERS"], "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignoring)
    before = set(script["gaps"](script["served"](tmp_path, described)))
    for path in (tmp_path / "tests").rglob("*.py"):
        path.write_text(path.read_text("utf-8").replace('clause("F2.31")', 'clause("F2.30")'), "utf-8")
    assert set(script["gaps"](script["served"](tmp_path, described))) - before == {"F2.31 has no test."}


@pytest.fixture
def ignoring() -> Callable[..., set[str]]:
    return shutil.ignore_patterns("__pycache__", "vectors", "*.pyc")
