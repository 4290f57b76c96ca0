"""docs/codes.md says what the code says, and every code is one of its own."""

import runpy
from collections import Counter
from pathlib import Path

from core import errors
from core.reasons import ReasonCode, texts

ROOT = Path(__file__).resolve().parent.parent


def test_writing_the_page_of_codes_again_changes_nothing() -> None:
    page = runpy.run_path(str(ROOT / "script" / "codes"))["page"]
    assert page() == (ROOT / "docs" / "codes.md").read_text(encoding="utf-8"), "run script/codes"


def test_every_error_has_a_code_of_its_own() -> None:
    def below(error: type[errors.TrialCpaError]) -> list[type[errors.TrialCpaError]]:
        return [one for each in error.__subclasses__() for one in (each, *below(each))]

    codes = Counter(error.code for error in below(errors.TrialCpaError) if "code" in vars(error))
    assert [code for code, times in codes.items() if times > 1] == []


def test_every_reason_has_a_clause_a_sentence_and_a_remedy() -> None:
    for code in ReasonCode:
        clause, detail, remedy = texts(code)
        assert clause.startswith("F2."), code
        assert detail.endswith("."), code
        assert remedy.endswith("."), code
