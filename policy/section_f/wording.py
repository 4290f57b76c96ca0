"""A stranger's text in our sentences: what may stand in a name, and how it is shown when it may not."""

import unicodedata

LONGEST_SHOWN = 64
"""Characters of a stranger's text that a sentence repeats: as many as X.520 allows a name."""


def printable(value: str) -> bool:
    """No control, format, surrogate, private or unassigned character, no line separator, no blank at either end."""
    return value == value.strip() and not any(
        unicodedata.category(character)[0] == "C" or unicodedata.category(character) in {"Zl", "Zp"}
        for character in value
    )


def shown(value: str) -> str:
    """A stranger's text as it is repeated in a sentence: escaped, and never longer than a name may be."""
    short = value[: LONGEST_SHOWN + 1]
    return f"“{short.encode('unicode_escape').decode('ascii') if not printable(short) else short}”"
