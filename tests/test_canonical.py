"""Canonical JSON (RFC 8785): one document, one form, one digest."""

import hashlib
import json
import math
from collections import defaultdict
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.canonical import LARGEST_EXACT, canonical, digest, salted_digest

documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_EXACT, LARGEST_EXACT)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=5)
    ),
    max_leaves=30,
)


@pytest.mark.parametrize(
    ("document", "form"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-7, "-7"),
        (LARGEST_EXACT, "9007199254740991"),
        ("", '""'),
        ([], "[]"),
        ({}, "{}"),
        ((1, 2), "[1,2]"),
        ({"b": 1, "a": [True, {"d": None, "c": ""}]}, '{"a":[true,{"c":"","d":null}],"b":1}'),
        # RFC 8785, 3.2.2.2: the short escapes where there is one, \\u00xx in lower case for other controls, no more.
        ('\b\t\n\f\r"\\', r'"\b\t\n\f\r\"\\"'),
        ("\x00\x0f\x1f", r'"\u0000\u000f\u001f"'),
        ("/\x7f\u2028€é😀", '"/\x7f\u2028€é😀"'),
        # No normalisation (3.1): composed and decomposed stay two strings.
        ("\u00e9", '"\u00e9"'),
        ("e\u0301", '"e\u0301"'),
    ],
)
def test_the_form_is_that_of_rfc_8785(document: Any, form: str) -> None:
    assert canonical(document) == form.encode()


class _Word(StrEnum):
    SAID = "said"


class _Place(IntEnum):
    SECOND = 2


@pytest.mark.parametrize(
    ("document", "form"),
    [
        (_Word.SAID, '"said"'),
        (_Place.SECOND, "2"),
        ({_Word.SAID: _Word.SAID, "before": [_Place.SECOND, True]}, '{"before":[2,true],"said":"said"}'),
        (MappingProxyType({"b": MappingProxyType({}), "a": ()}), '{"a":[],"b":{}}'),
        (defaultdict(list, {"b": [1], "a": []}), '{"a":[],"b":[1]}'),
    ],
)
def test_what_is_a_kind_of_text_number_or_object_is_written_as_that(document: Any, form: str) -> None:
    assert canonical(document) == form.encode()


@pytest.mark.parametrize("document", [{1: "a"}, {None: "a"}, {"a": {b"b": 1}}])
def test_a_name_that_is_no_text_is_refused(document: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical(document)


def test_members_are_sorted_by_utf_16_code_units() -> None:
    # By code points U+FB33 comes before U+1F600; its surrogates D83D DE00 come before FB33 (RFC 8785, 3.2.3).
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    written = list(json.loads(canonical(dict.fromkeys(names, 0))))
    assert written == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    "document",
    [
        1.0,
        math.nan,
        {"a": [0.5]},
        LARGEST_EXACT + 1,
        -LARGEST_EXACT - 1,
        "\ud800",
        {"\udfff": 1},
        b"bytes",
        {1, 2},
        {"a": object()},
    ],
)
def test_what_has_no_one_form_is_refused(document: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each for its own reason, some in the words of Python
        canonical(document)


@given(documents)
def test_reading_and_writing_again_changes_nothing(document: Any) -> None:
    form = canonical(document)
    assert json.loads(form) == document
    assert canonical(json.loads(form)) == form


@given(documents)
def test_the_order_in_which_members_were_put_in_does_not_matter(document: Any) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: turned(value[name]) for name in reversed(list(value))}
        return [turned(each) for each in value] if isinstance(value, list) else value

    assert canonical(turned(document)) == canonical(document)


def test_the_digest_is_the_sha_256_of_the_form() -> None:
    assert digest({"a": 1}) == hashlib.sha256(b'{"a":1}').digest()


@pytest.mark.clause("F2.22")
def test_a_salted_digest_confirms_no_guess() -> None:
    withheld = "no"
    first, second = salted_digest(withheld, bytes(16)), salted_digest(withheld, bytes([1]) * 16)
    assert first != second
    assert hashlib.sha256(withheld.encode()).hexdigest() not in {first, second}
