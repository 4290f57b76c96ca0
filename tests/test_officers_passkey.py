"""A passkey as a proof: every field that is wrong is refused with its reason, and what is right counts."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AuthorisationRefused, OrderRefused, RosterStatementRefused, RosterUnusable
from core.kinds import AuthorisationFlaw, AuthorisedAct, DecisionKind, OrderKind
from officers.means import key_wanted, key_wanted_by, key_wanted_for, with_a_key
from officers.order import Change, in_words, read_order, written
from officers.passkey import (
    ATTESTED,
    EXTENDED,
    LONGEST_CREDENTIAL,
    PRESENT,
    VERIFIED,
    answered,
    challenge,
    new_passkey,
    p256,
)
from officers.passkey_file import passkey_file, read_passkey_file
from officers.proof import Asked, prove
from officers.root_statement import RosterStatement, SignedRoster, read_signed
from officers.roster import Member, Roster, members_digest, members_text, new_member, read_members, require_usable
from officers.statement import Authority, Claim, Statement, parse_authorisation
from tests.acting import member, officer_key, sign
from tests.passkey_world import ORIGIN, OfficersPasskey, b64
from verify.kit.agreed import statements as kit
from verify.kit.agreed.passkey import read_passkey
from verify.kit.agreed.roster import Unusable, signed_by_root

F = AuthorisationFlaw
NOW = datetime(2027, 1, 3, 12, 0, tzinfo=UTC)
OURS = Authority(name="TEST Trial CPA", root_key_sha256="0a" * 32)
CLAIM = Claim(act=AuthorisedAct.SECOND, subject="dec-1", proposal_sha256="1b" * 32, tbs_sha256=("2c" * 32,))
ASKED = Asked(authority=OURS, officer="officer-3", claim=CLAIM)
HERS = OfficersPasskey("officer-3")
ROSTER = Roster(number=2, members=(member("officer-1"), member("officer-2"), HERS.member()), effective_at=NOW)


def _right() -> Statement:
    return HERS.statement(OURS, CLAIM, NOW)


def _flaw(proof: str, statement: Statement, asked: Asked = ASKED, roster: Roster = ROSTER) -> AuthorisationFlaw:
    with pytest.raises(AuthorisationRefused) as refused:
        prove(replace(HERS.answer(statement).authorisation, proof=proof), asked, roster, NOW)
    return AuthorisationFlaw(str(refused.value.fields["flaw"]))


def test_what_a_passkey_answers_for_a_statement_counts_and_tells_its_counter() -> None:
    HERS.count = 6
    said = HERS.answer(_right()).authorisation
    assert parse_authorisation(said.document()) == said
    assert prove(said, ASKED, ROSTER, NOW) == 7
    browser = HERS.answer(_right(), client={"other_keys_can_be_added_here": "do not compare"}, flags=0x1D)
    assert prove(browser.authorisation, ASKED, ROSTER, NOW) == 8
    assert prove(HERS.answer(_right(), client={"crossOrigin": None}).authorisation, ASKED, ROSTER, NOW) == 9
    assert prove(HERS.answer(_right(), count=0).authorisation, ASKED, ROSTER, NOW) == 0


WRONG: dict[str, tuple[dict[str, Any], AuthorisationFlaw]] = {
    "made, not asked": ({"client": {"type": "webauthn.create"}}, F.ACT),
    "no type": ({"client": {"type": None}}, F.ACT),
    "another challenge": ({"client": {"challenge": b64(bytes(32))}}, F.SIGNATURE),
    "the challenge padded": ({"client": {"challenge": b64(bytes(32)) + "="}}, F.SIGNATURE),
    "no challenge": ({"client": {"challenge": None}}, F.SIGNATURE),
    "another origin": ({"client": {"origin": "https://evil.example"}}, F.ORIGIN),
    "an origin that begins like ours": ({"client": {"origin": ORIGIN + ".evil.example"}}, F.ORIGIN),
    "our origin by http": ({"client": {"origin": "http://console.example"}}, F.ORIGIN),
    "our origin with a port": ({"client": {"origin": ORIGIN + ":8443"}}, F.ORIGIN),
    "no origin": ({"client": {"origin": None}}, F.ORIGIN),
    "framed": ({"client": {"crossOrigin": True}}, F.ORIGIN),
    "framed in a word": ({"client": {"crossOrigin": "false"}}, F.ORIGIN),
    "framed by a page that is named": ({"client": {"topOrigin": ORIGIN}}, F.ORIGIN),
    "another host": ({"host": "evil.example"}, F.ORIGIN),
    "the domain above": ({"host": "example"}, F.ORIGIN),
    "nobody present": ({"flags": VERIFIED}, F.VERIFICATION),
    "nobody verified": ({"flags": PRESENT}, F.VERIFICATION),
    "no flag": ({"flags": 0}, F.VERIFICATION),
    "attested data": ({"flags": PRESENT | VERIFIED | ATTESTED}, F.MALFORMED),
    "extensions": ({"flags": PRESENT | VERIFIED | EXTENDED}, F.MALFORMED),
    "extensions that follow": ({"flags": PRESENT | VERIFIED | EXTENDED, "behind": b"\xa0"}, F.MALFORMED),
    "more octets": ({"behind": b"\x00"}, F.MALFORMED),
    "SHA-384 (ES384)": ({"hash": hashes.SHA384()}, F.SIGNATURE),
    "another key": ({"key": officer_key("mallory")}, F.SIGNATURE),
    "their key of a file": ({"key": officer_key("officer-3")}, F.SIGNATURE),
    "client data that is no JSON": ({"client_octets": b"{"}, F.MALFORMED),
    "client data that is a list": ({"client_octets": b"[]"}, F.MALFORMED),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_field_that_is_wrong_is_refused(name: str) -> None:
    changes, flaw = WRONG[name]
    statement = _right()
    assert _flaw(HERS.answer(statement, **changes).authorisation.proof, statement) is flaw


def test_a_member_that_is_named_twice_is_refused() -> None:
    statement = _right()
    said = b64(challenge(statement))
    twice = f'{{"type":"webauthn.get","challenge":"{said}","origin":"https://evil.example","origin":"{ORIGIN}"}}'
    assert _flaw(HERS.answer(statement, client_octets=twice.encode()).authorisation.proof, statement) is F.MALFORMED


@pytest.mark.parametrize("changed", ["claim", "officer", "valid_until", "nonce", "authority", "key"])
def test_what_it_answered_for_one_statement_counts_for_no_other(changed: str) -> None:
    right = _right()
    other: dict[str, Any] = {
        "claim": replace(CLAIM, tbs_sha256=("ff" * 32,)),
        "officer": "officer-1",
        "valid_until": right.valid_until.replace(year=2028),
        "nonce": "ff" * 16,
        "authority": replace(OURS, name="TEST Other"),
        "key": member("officer-1").key,
    }
    statement = replace(right, **{changed: other[changed]})
    proof = HERS.answer(statement, asked=right).authorisation.proof
    asked = replace(ASKED, officer=statement.officer, claim=statement.claim, authority=statement.authority)
    assert _flaw(proof, statement, asked) in {F.SIGNATURE, F.OFFICER, F.ALGORITHM, F.MALFORMED}


def test_a_passkey_makes_one_kind_of_proof_and_a_key_the_other() -> None:
    statement = _right()
    as_a_file = sign(statement, HERS.key)  # nobody has it like that, and if they had it would not count
    assert _flaw(as_a_file.proof, statement) is F.ALGORITHM
    plain = Roster(number=2, members=(new_member("officer-3", HERS.member().public_key),), effective_at=NOW)
    assert _flaw(HERS.answer(statement).authorisation.proof, statement, roster=plain) is F.MALFORMED


def test_parts_of_a_proof_are_base64url_in_its_one_form() -> None:
    statement = _right()
    proof = HERS.answer(statement).authorisation.proof
    kind, data, client, signature = proof.split(".")
    for wrong in (
        "",
        "x",
        f"{kind}.{data}.{client}",
        f"{proof}.",
        f"trialcpa-passkey-2.{data}.{client}.{signature}",
        f"{kind.upper()}.{data}.{client}.{signature}",
        f"{kind}..{client}.{signature}",
        ".".join([kind, data + "=", client, signature]),
        ".".join([kind, data + "A", client, signature]),
        ".".join([kind, "+" + data[1:], client, signature]),
        ".".join([kind, data[:-1] + chr(ord(data[-1]) + 1), client, signature]),
        proof + "A" * 9_000,
        proof.replace(kind, kind + "\u0661"),
    ):
        assert _flaw(wrong, statement) in {F.ALGORITHM, F.MALFORMED, F.ORIGIN}


@given(place=st.integers(0, 10_000), turn=st.integers(1, 255), part=st.integers(0, 2))
def test_no_octet_of_an_answer_can_be_another(place: int, turn: int, part: int) -> None:
    statement = _right()
    parts = [bytearray(each) for each in HERS.parts(challenge(statement))]
    parts[part][place % len(parts[part])] ^= turn
    data, client, signature = (bytes(each) for each in parts)
    changed = answered(statement, data=data, client=client, signature=signature)
    with pytest.raises(AuthorisationRefused):
        prove(changed, ASKED, ROSTER, NOW)


# --- on the roster ---------------------------------------------------------------------------------------------------


def test_a_passkey_on_a_roster_is_written_and_a_key_is_written_as_before() -> None:
    members = ROSTER.members
    assert read_members(members_text(members)) == tuple(sorted(members, key=lambda each: each.key))
    assert "passkey" not in member("officer-1").document()
    stripped = new_member("officer-3", HERS.member().public_key)
    assert members_digest([*members[:2], stripped]) != members_digest(members)
    said = json.loads(members_text([HERS.member()]))[0]["passkey"]
    assert said == {"credential": b"passkey of officer-3".hex(), "origin": ORIGIN}


def test_two_officers_have_a_key_that_is_no_passkey() -> None:
    require_usable(ROSTER.members)
    with pytest.raises(RosterUnusable, match="file or a token"):
        require_usable([member("officer-1"), HERS.member(), OfficersPasskey("officer-2").member()])


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "console.example",
        "http://console.example",
        "https://console.example/",
        "https://console.example/console",
        "https://user@console.example",
        "https://console.example?x",
        "https://CONSOLE.example",
        "https://192.0.2.1",
        "https://[2001:db8::1]",
        "https://console.example:0x50",
        "https://console.example:99999",
        "https://*.example",
        "ftp://console.example",
        "https://" + "a" * 250 + ".example",
    ],
)
def test_an_origin_is_one_host_by_https(origin: str) -> None:
    with pytest.raises(RosterUnusable):
        new_passkey(b"x", origin)


def test_a_passkey_is_for_a_host_and_has_an_identifier() -> None:
    assert new_passkey(b"x", "http://localhost:8470").relying == "localhost"
    assert new_passkey(b"x", "https://console.example:8443").relying == "console.example"
    for wrong in (b"", bytes(LONGEST_CREDENTIAL + 1)):
        with pytest.raises(RosterUnusable):
            new_passkey(wrong, ORIGIN)
    with pytest.raises(RosterUnusable):
        p256(bytes(32), bytes(32))
    numbers = HERS.key.public_key().public_numbers()
    assert p256(numbers.x.to_bytes(32), numbers.y.to_bytes(32)) == HERS.member().public_key


def test_the_file_that_a_console_gives_becomes_the_member() -> None:
    found = HERS.member()
    assert found.passkey is not None
    text = passkey_file(found.public_key, found.passkey)
    assert read_passkey_file("officer-3", text.encode()) == found
    for wrong in ("{}", "[]", text.replace("origin", "other"), text.replace(ORIGIN, "http://evil.example"), "{"):
        with pytest.raises(RosterUnusable):
            read_passkey_file("officer-3", wrong.encode())


def test_the_longest_identifier_is_taken_wherever_a_passkey_is_written() -> None:
    longest = new_passkey(bytes(LONGEST_CREDENTIAL), ORIGIN)
    file = passkey_file(HERS.member().public_key, longest)
    assert read_passkey_file("officer-3", file.encode()).passkey == longest
    assert read_passkey(longest.document()).said() == longest.document()


def test_the_root_puts_no_passkey_on_a_roster() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    root = Authority(name="TEST", root_key_sha256=hashlib.sha256(public).hexdigest())
    two = (member("officer-1"), member("officer-2"))

    def signed(*members: Member) -> tuple[SignedRoster, kit.Authority]:
        statement = RosterStatement(authority=root, number=2, members=members, valid_until=NOW)
        signature = key.sign(statement.octets(), ec.ECDSA(hashes.SHA256()))
        told = kit.Authority(name=root.name, root_key_sha256=root.root_key_sha256)
        return SignedRoster(statement=statement, root_key=public, signature=signature), told

    plain, told = signed(*two)
    assert read_signed(plain.octets()) == plain
    assert signed_by_root(plain.document(), told)[0] == 2
    passkey, told = signed(*two, HERS.member())
    with pytest.raises(RosterStatementRefused):
        read_signed(passkey.octets())
    with pytest.raises(Unusable, match="no passkey"):
        signed_by_root(passkey.document(), told)


def test_an_order_says_that_a_passkey_comes() -> None:
    order = Change(why="She travels.", roster=1, number=2, add=(HERS.member(), member("officer-4")))
    body = written(order)
    assert read_order(OrderKind.CHANGE_ROSTER, body) == order
    assert any(f"passkey for {ORIGIN}" in each for each in in_words(order, None))
    for wrong in (
        body.replace('"origin":"https:', '"origin":"http:'),
        body.replace('"credential":"', '"credential":"0'),
        body.replace('"passkey":{', '"passkey":{"more":1,'),
    ):
        with pytest.raises(OrderRefused):
            read_order(OrderKind.CHANGE_ROSTER, wrong)


# --- for what it is not enough ---------------------------------------------------------------------------------------


def test_what_is_issued_and_who_counts_is_not_decided_by_passkeys_alone() -> None:
    wanted = {each for each in DecisionKind if key_wanted(each)}
    assert wanted == {DecisionKind.GRANT, DecisionKind.AMEND, DecisionKind.REKEY, DecisionKind.WITHDRAW_WAITING}
    assert {each for each in OrderKind if key_wanted_for(each)} == {OrderKind.START_ISSUING, OrderKind.CHANGE_ROSTER}
    assert key_wanted_by("revoke", "grant")
    assert key_wanted_by("revoke", None)
    assert key_wanted_by("no such kind")
    assert not key_wanted_by("revoke", "revoke")
    assert with_a_key(ROSTER, [HERS.member().key, member("officer-1").key])
    assert not with_a_key(ROSTER, [HERS.member().key, "nobody's"])
