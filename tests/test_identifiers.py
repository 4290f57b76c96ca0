"""Identifiers: what is mistyped is refused, what is right has one form, serials cannot be guessed."""

import math
import string
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import DeviceIdMalformed, IdentifierMalformed, SerialMalformed
from core.identifiers import (
    LARGEST_NUMBER,
    ApprovalIdentifier,
    Environment,
    Serial,
    check_character,
    new_serial,
    parse_device_id,
    parse_serial,
    serial_number,
    serial_of,
)

ALPHABET = string.digits + string.ascii_uppercase
ENVIRONMENTS: tuple[Environment, ...] = ("live", "test")

identifiers = st.builds(
    ApprovalIdentifier,
    st.sampled_from(ENVIRONMENTS),
    st.integers(2000, 9999),
    st.integers(1, LARGEST_NUMBER),
)


@pytest.mark.clause("F2.25")
def test_the_design_s_own_examples_have_these_check_characters() -> None:
    assert str(ApprovalIdentifier("live", 2027, 42)) == "TDA-2027-0042-Y"
    assert str(ApprovalIdentifier("test", 2027, 42)) == "TDT-2027-0042-5"


def test_the_check_character_is_that_of_iso_7064_mod_37_36() -> None:
    # The standard's own condition, computed in another way than ours: the running product of the whole string is 1.
    for body in ("A12425GABC1234002", "TDA20270042", "0", "ZZZ", "TDT99999999999"):
        running = 36
        for character in body:
            running = ((running + ALPHABET.index(character)) % 36 or 36) * 2 % 37
        assert (running + ALPHABET.index(check_character(body))) % 36 == 1
    assert check_character("A12425GABC1234002") == "M"  # the Global Release Identifier's published example


@given(identifiers)
def test_an_identifier_survives_its_text(identifier: ApprovalIdentifier) -> None:
    assert ApprovalIdentifier.parse(str(identifier)) == identifier


@given(identifiers, st.data())
def test_case_blanks_and_hyphens_do_not_matter(identifier: ApprovalIdentifier, data: st.DataObject) -> None:
    squeezed = str(identifier).replace("-", "")
    filled = "".join(
        character.lower() * low or character
        for character, low in zip(squeezed, data.draw(st.lists(st.booleans(), min_size=len(squeezed))), strict=False)
    )
    gaps = data.draw(st.lists(st.sampled_from(["", "-", " ", "  ", "\t"]), min_size=len(filled), max_size=len(filled)))
    written = "".join(gap + character for gap, character in zip(gaps, filled, strict=True))
    assert ApprovalIdentifier.parse(written) == identifier


@pytest.mark.parametrize("identifier", [str(ApprovalIdentifier(each, 2027, 42)) for each in ENVIRONMENTS])
def test_every_single_substitution_is_caught(identifier: str) -> None:
    squeezed = identifier.replace("-", "")
    tried = 0
    for place, right in enumerate(squeezed):
        for wrong in ALPHABET.replace(right, ""):
            tried += 1
            with pytest.raises(IdentifierMalformed):
                ApprovalIdentifier.parse(squeezed[:place] + wrong + squeezed[place + 1 :])
    assert tried == 12 * 35


def test_almost_every_transposition_is_caught() -> None:
    caught = missed = 0
    for number in range(1, 2000):
        squeezed = str(ApprovalIdentifier("test", 2027, number)).replace("-", "")
        for place in range(3, len(squeezed) - 1):  # letters of the prefix change its shape anyhow
            if squeezed[place] == squeezed[place + 1]:
                continue
            swapped = squeezed[:place] + squeezed[place + 1] + squeezed[place] + squeezed[place + 2 :]
            try:
                ApprovalIdentifier.parse(swapped)
            except IdentifierMalformed:
                caught += 1
            else:
                missed += 1
    assert caught > 10_000
    assert missed / (caught + missed) < 0.005


@given(identifiers, st.sampled_from(ALPHABET))
def test_a_wrong_check_character_is_refused_and_the_right_one_never_suggested(
    identifier: ApprovalIdentifier, wrong: str
) -> None:
    right = str(identifier)
    if wrong == right[-1]:
        return
    with pytest.raises(IdentifierMalformed) as refused:
        ApprovalIdentifier.parse(right[:-1] + wrong)
    told = f"{refused.value} {refused.value.hint} {refused.value.fields}"
    assert right not in told
    # What is told is the same for every wrong character but for the value itself: there is nothing to learn from it.
    assert refused.value.fields == {"value": right[:-1] + wrong}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "TDA",
        "TDA-2027-0042",
        "TDB-2027-0042-Y",
        "TDA-2027-00042-" + check_character("TDA202700042"),  # one number, one form
        "TDA-2027-42-" + check_character("TDA202742"),
        "TDA-2027-12345678-" + check_character("TDA202712345678"),
        "TDA-20²7-0042-Y",
        "ＴＤＡ-2027-0042-Y",
        "TDA-2027-0042-Y\x00",
        "TDA–2027–0042–Y",
        "TDA-2027-0042-Y" * 1000,
        "ıTDA-2027-0042-Y",
    ],
)
def test_other_shapes_are_refused(value: str) -> None:
    with pytest.raises(IdentifierMalformed) as refused:
        ApprovalIdentifier.parse(value)
    assert len(str(refused.value)) < 200


@given(st.text(max_size=100))
@example("TDA-2027-004٢-Y")
def test_any_text_is_read_or_refused_with_our_own_error(value: str) -> None:
    try:
        read = ApprovalIdentifier.parse(value)
    except IdentifierMalformed:
        return
    assert ApprovalIdentifier.parse(str(read)) == read


# --- serials ------------------------------------------------------------------------------------------------------


def test_serials_are_positive_of_sixteen_octets_and_no_two_are_equal() -> None:
    serials = [new_serial() for _ in range(2_000)]
    assert len(set(serials)) == len(serials)
    for serial in serials:
        number = serial_number(serial)
        assert number.bit_length() == 127  # the DER INTEGER has 16 octets and no sign octet in front
        assert serial_of(number) == serial


def test_the_entropy_of_2000_serials_is_what_126_random_bits_give() -> None:
    octets = [serial_number(new_serial()).to_bytes(16, "big") for _ in range(2_000)]
    fixed = 0
    for bit in range(128):
        ones = sum(octet[bit // 8] >> (7 - bit % 8) & 1 for octet in octets)
        if ones in (0, len(octets)):
            fixed += 1
            continue
        # Each bit on its own is a coin: six sigma either way.
        assert abs(ones - 1_000) < 6 * math.sqrt(2_000) / 2
    assert fixed == 2
    for place in range(1, 16):
        # Shannon entropy of each octet over 2,000 draws; a fair one gives about 7.9 of 8 bits.
        counts = Counter(octet[place] for octet in octets)
        entropy = -sum(count / 2_000 * math.log2(count / 2_000) for count in counts.values())
        assert entropy > 7.8


@given(st.binary(min_size=16, max_size=16))
@example(bytes(16))
@example(b"\xff" * 16)
def test_a_serial_keeps_126_of_the_random_bits_it_is_given(random: bytes) -> None:
    number = serial_number(new_serial(lambda _: random))
    assert number & (2**126 - 1) == int.from_bytes(random, "big") & (2**126 - 1)
    assert number >> 126 == 1


@given(st.integers(1, 2**128 - 1), st.booleans(), st.booleans())
def test_a_serial_is_read_as_people_paste_it(number: int, colons: bool, lower: bool) -> None:  # noqa: FBT001 - drawn
    plain = f"{number:032X}"
    written = ":".join(plain[place : place + 2] for place in range(0, 32, 2)) if colons else f"0x{plain}"
    assert parse_serial(f" {written.lower() if lower else written} ") == serial_of(number)


@pytest.mark.parametrize("value", ["", " ", "0x", "-1", "5F3A…", "G0", "1" * 41, "٣", "1.5", "5F 3A,"])
def test_what_is_no_serial_is_refused(value: str) -> None:
    with pytest.raises(SerialMalformed):
        parse_serial(value)


@given(st.text(max_size=60))
def test_any_text_is_a_serial_or_refused_with_our_own_error(value: str) -> None:
    try:
        read = parse_serial(value)
    except SerialMalformed:
        return
    assert parse_serial(read) == read
    assert serial_of(serial_number(read)) == read == Serial(read)


# --- devices ------------------------------------------------------------------------------------------------------


def test_a_device_id_is_eight_pairs_in_either_case() -> None:
    assert parse_device_id("00-db-12-34-56-78-90-01") == "00-DB-12-34-56-78-90-01"


@pytest.mark.parametrize(
    "value", ["", "00DB12345678900", "00-DB-12-34-56-78-90", "00-DB-12-34-56-78-90-0G", "00-DB:12-34-56-78-90-01"]
)
def test_what_is_no_device_id_is_refused(value: str) -> None:
    with pytest.raises(DeviceIdMalformed):
        parse_device_id(value)
