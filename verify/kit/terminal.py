"""A stranger's text on a person's terminal: it is shown, and it moves nothing."""

import unicodedata

_SEPARATORS = frozenset({"Zl", "Zp"})


def harmless(text: str) -> str:
    """Return a text without what steers a terminal or turns the direction of writing; lines stay lines."""
    return "".join(each if each == "\n" or _shown(each) else "\ufffd" for each in text.replace("\t", " "))


def _shown(character: str) -> bool:
    category = unicodedata.category(character)
    return not category.startswith("C") and category not in _SEPARATORS
