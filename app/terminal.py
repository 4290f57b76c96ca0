"""A stranger's text on a person's terminal: it is shown, and it moves nothing."""

import unicodedata

_SEPARATORS = frozenset({"Zl", "Zp"})


def harmless(text: str) -> str:
    """Return a text without what steers a terminal or turns the direction of writing; lines stay lines.

    Args:
        text: whatever somebody wrote.
    """
    return "".join(each if each == "\n" or _is_shown(each) else "\ufffd" for each in text.replace("\t", " "))


def _is_shown(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] != "C" and category not in _SEPARATORS
