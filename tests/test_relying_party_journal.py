"""The journal's checker: an honest journal passes, and every alteration of it is told."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from core.canonical import canonical
from core.chain import GENESIS, SealedRow, head_statement, link
from core.instants import text
from tests.relying_party_world import NOW, key
from verify.kit.agreed.journal import Head, LinkedRow, check

NAME = "TEST Trial CPA Journal"
JOURNAL_KEY = key("journal")


def public(private: Any) -> bytes:
    encoded: bytes = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


LATER = NOW + timedelta(seconds=5)
"""After row 5 was sealed, and no later than clocks differ."""


def row_of(linked: LinkedRow) -> SealedRow:
    assert isinstance(linked.row, SealedRow)
    return linked.row


def journal(count: int = 6) -> list[LinkedRow]:
    rows, previous = [], GENESIS
    for number in range(1, count + 1):
        payload = canonical({"n": number, "name": "Prüfer"}).decode()
        sealed_at, at = text(NOW + timedelta(seconds=number // 2)), text(NOW - timedelta(seconds=number))
        row = SealedRow(number, sealed_at, "crl-published", at, "authority", None, None, None, payload)
        previous = link(previous, row)
        rows.append(LinkedRow(row, previous.hex()))
    return rows


def relinked(rows: Sequence[LinkedRow]) -> list[LinkedRow]:
    """The rows with their links made anew, as a forger without the key would."""
    made, previous = [], GENESIS
    for linked in rows:
        previous = link(previous, row_of(linked))
        made.append(LinkedRow(linked.row, previous.hex()))
    return made


def head(rows: Sequence[LinkedRow], number: int, signer: ec.EllipticCurvePrivateKey = JOURNAL_KEY) -> Head:
    digest = rows[number - 1].link
    statement = head_statement(NAME, number, bytes.fromhex(digest))
    return Head(number, digest, signer.sign(statement, ec.ECDSA(hashes.SHA256())))


ROWS = journal()
HEADS = [head(ROWS, 3), head(ROWS, 6)]


def problems(rows: Sequence[LinkedRow] = ROWS, heads: Sequence[Head] = tuple(HEADS), **changes: Any) -> tuple[str, ...]:
    return check(rows, heads, **{"journal": NAME, "journal_key": public(JOURNAL_KEY), **changes})


def changed(number: int, **fields: Any) -> list[LinkedRow]:
    rows = list(ROWS)
    rows[number - 1] = replace(rows[number - 1], row=replace(row_of(rows[number - 1]), **fields))
    return rows


def test_an_honest_journal_has_no_problem() -> None:
    assert problems() == ()


ALTERED: list[tuple[str, Callable[[], tuple[str, ...]], str]] = [
    ("a row altered", lambda: problems(changed(2, actor="nobody")), "Row 2 does not have the link"),
    ("a row altered and relinked", lambda: problems(relinked(changed(2, actor="nobody"))), "another link"),
    ("a row taken out", lambda: problems([*ROWS[:2], *ROWS[3:]]), "Row 4 stands where 3"),
    ("two rows exchanged", lambda: problems([ROWS[1], ROWS[0], *ROWS[2:]]), "Row 2 stands where 1"),
    ("the end cut off", lambda: problems(ROWS[:4]), "covers row 6, which is not there"),
    ("all cut off", lambda: problems([]), "which is not there"),
    ("nothing at all", lambda: problems([], []), "nothing to check"),
    ("no heads", lambda: problems(heads=[]), "covers the rows from 1 on"),
    ("the last rows without a head", lambda: problems(heads=HEADS[:1]), "covers the rows from 4 on"),
    ("time runs backwards", lambda: problems(relinked(changed(5, sealed_at=text(NOW)))), "before the row in front"),
    ("sealed before it happened", lambda: problems(changed(5, at=text(LATER))), "sealed before it happened"),
    ("no instant", lambda: problems(changed(5, at="yesterday")), "no instants"),
    ("no instant of sealing", lambda: problems(changed(5, sealed_at="yesterday")), "no instants"),
    ("a payload in another form", lambda: problems(relinked(changed(5, payload='{ "n": 5 }'))), "canonical"),
    ("a payload that is no JSON", lambda: problems(relinked(changed(5, payload="["))), "canonical"),
    ("a lone surrogate", lambda: problems(changed(5, payload='"\ud800"')), "cannot be hashed"),
    ("a link that is none", lambda: problems([replace(ROWS[0], link="zz"), *ROWS[1:]]), "not 32 octets"),
    ("a foreign signer", lambda: problems(heads=[head(ROWS, 6, key("forger"))]), "not signed by the journal's key"),
    ("a digest that is none", lambda: problems(heads=[replace(HEADS[1], digest="z")]), "not signed"),
    ("another journal's name", lambda: problems(journal="Trial CPA Journal"), "not signed by the journal's key"),
    ("a key that is none", lambda: problems(journal_key=b"key"), "cannot be read"),
    (
        "a key of another kind",
        lambda: problems(journal_key=public(ed25519.Ed25519PrivateKey.generate())),
        "not one for ECDSA",
    ),
]


@pytest.mark.parametrize(("told", "words"), [row[1:] for row in ALTERED], ids=[row[0] for row in ALTERED])
def test_each_alteration_is_told(told: Callable[[], tuple[str, ...]], words: str) -> None:
    assert any(words in problem for problem in told()), told()


def test_a_break_is_told_once_and_not_for_every_row_behind_it() -> None:
    assert len(problems(changed(2, actor="nobody"))) == 1


@given(
    number=st.integers(1, 6),
    field=st.sampled_from(["kind", "at", "sealed_at", "actor", "role", "subject", "payload"]),
    value=st.text(),
)
@settings(max_examples=100, deadline=None)
def test_no_row_can_be_altered_unnoticed_even_by_whoever_relinks_the_journal(
    number: int, field: str, value: str
) -> None:
    rows = changed(number, **{field: value})
    if rows[number - 1].row != ROWS[number - 1].row:
        assert problems(rows)
        try:
            assert problems(relinked(rows))
        except ValueError:
            return  # the forger's own tool refused
