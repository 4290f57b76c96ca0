"""Write the corpus again; a second time changes nothing."""

from tests.lint_cases import CORPUS
from tests.lint_corpus.files import generated

if __name__ == "__main__":
    for name, text in generated().items():
        path = CORPUS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
