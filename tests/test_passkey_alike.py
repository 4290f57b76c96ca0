"""A passkey counts for whoever proves a dossier exactly where it counts for the authority, whatever a browser sends.

Where the two differ an officer with a browser of their own could have a decision made that nobody can prove later.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AuthorisationRefused, OrderRefused, RosterUnusable
from core.kinds import AuthorisedAct, OrderKind
from officers.order import Change, read_order, written
from officers.passkey import LONGEST_CREDENTIAL, challenge, new_passkey, prove_answer
from officers.passkey_file import passkey_file, read_passkey_file
from officers.roster import new_member
from officers.statement import Authority, Claim
from tests.passkey_world import ORIGIN, OfficersPasskey, b64
from verify.kit.agreed import passkey as kit
from verify.kit.agreed.roster import p256, read_change
from verify.kit.agreed.statements import Refused

NOW = datetime(2027, 1, 3, 12, 0, tzinfo=UTC)
HERS = OfficersPasskey("officer-3")
STATEMENT = HERS.statement(
    Authority(name="TEST Trial CPA", root_key_sha256="0a" * 32), Claim(act=AuthorisedAct.REJECT, subject="dec-1"), NOW
)
KEY = HERS.member().public_key
RIGHT = f'"type":"webauthn.get","challenge":"{b64(challenge(STATEMENT))}","origin":"{ORIGIN}"'


def counts(client: bytes) -> tuple[bool, bool]:
    """Whether an answer with these client data counts for the authority, and for the kit."""
    proof = HERS.answer(STATEMENT, client_octets=client).authorisation.proof
    try:
        prove_answer(proof, STATEMENT, KEY, HERS.passkey)
        ours = True
    except AuthorisationRefused:
        ours = False
    try:
        kit.prove_answer(proof, STATEMENT.octets(), p256(KEY), kit.read_passkey(HERS.passkey.document()))
    except Refused:
        return ours, False
    return ours, True


BROWSERS: Mapping[str, bool] = {
    '"x":1.5': True,
    '"x":-0': True,
    '"x":-0.0': True,
    '"x":1e999': False,
    '"x":NaN': False,
    f'"x":{2**53 - 1}': True,
    f'"x":{2**53}': False,
    '"x":' + "9" * 5_000: False,
    '"clé":1': True,
    '"\\u00e9":1,"é":1': False,
    '"x":"\\ud800"': False,
    '"\\ud800":1': False,
    '"x":"\\ud83d\\ude00"': True,
    '"x":{"a":1,"a":1}': False,
    '"x":' + "[" * 63 + "]" * 63: True,
    '"x":' + "[" * 64 + "]" * 64: False,
    '"x":' + "[" * 2_500 + "]" * 2_500: False,
    '"crossOrigin":null': True,
    '"topOrigin":null': False,
    '"x":"\t"': False,
}


@pytest.mark.parametrize("more", BROWSERS)
def test_what_a_browser_adds_counts_for_both_or_for_neither(more: str) -> None:
    assert counts(f"{{{RIGHT},{more}}}".encode()) == (BROWSERS[more], BROWSERS[more])


@given(
    said=st.dictionaries(
        st.text(max_size=4),
        st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4), st.lists),
        max_size=4,
    ),
    escaped=st.booleans(),
)
def test_whatever_json_a_browser_adds_counts_for_both_or_for_neither(said: dict[str, Any], *, escaped: bool) -> None:
    ours, theirs = counts(f"{{{RIGHT},{json.dumps(said, ensure_ascii=escaped)[1:]}".encode("utf-8", "surrogatepass"))
    assert ours is theirs


@pytest.mark.parametrize(
    "origin",
    [
        ORIGIN,
        ORIGIN + ":8443",
        "http://localhost:8470",
        "",
        "https://",
        "https://[",
        "https://[2001:db8::1]",
        "https://192.0.2.1",
        "https://console.example/",
        "https://CONSOLE.example",
        "https://user@console.example",
        "https://console.example:99999",
        "https://console.example:0443",
        "https://console.example\n",
        "http://console.example",
        "https://" + "a" * 193,
        "https://" + "a" * 192,
        "https://b\u00fccher.example",
    ],
)
def test_an_origin_is_one_for_both_or_for_neither(origin: str) -> None:
    try:
        new_passkey(b"x", origin)
        ours = True
    except RosterUnusable:
        ours = False
    try:
        kit.read_passkey({"credential": "78", "origin": origin})
        theirs = True
    except ValueError:
        theirs = False
    assert ours is theirs


@pytest.mark.parametrize("octets", [1, 1_000, 1_001, LONGEST_CREDENTIAL])
def test_an_identifier_of_any_length_that_a_passkey_has_is_handed_over_ordered_and_proved(octets: int) -> None:
    made = new_passkey(b"\x01" * octets, ORIGIN)
    member = new_member("officer-3", KEY, made)
    assert read_passkey_file("officer-3", passkey_file(KEY, made).encode()) == member
    body = written(order := Change(why="Hers.", roster=1, number=2, add=(member,)))
    assert read_order(OrderKind.CHANGE_ROSTER, body) == order
    (read,) = read_change(body).add
    assert read.said() == member.document()
    longer = body.replace("01" * octets, "01" * (LONGEST_CREDENTIAL + 1))
    with pytest.raises(OrderRefused):
        read_order(OrderKind.CHANGE_ROSTER, longer)
