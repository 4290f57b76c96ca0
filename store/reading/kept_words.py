"""What lies in a row as words by their names, written by us and read as anybody's: one bad row hides no other."""

from collections.abc import Mapping

from core.canonical import read_json

LONGEST = 1024 * 1024
"""Characters of such a row: a draft's part has a quarter of that at most (ra/applying/drafts.py)."""


def kept_words(written: str) -> Mapping[str, str] | None:
    """Return what a row says, text by name; None if that cannot be read.

    Args:
        written: what stands in the row: JSON of an object of texts, if we have written it.
    """
    if len(written) > LONGEST:
        return None
    try:
        said = read_json(written)
    except ValueError:
        return None
    if not isinstance(said, dict) or not all(isinstance(each, str) for each in said.values()):
        return None
    return said
