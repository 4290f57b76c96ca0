"""What officers sign: one form, one algorithm, exactly these octets; everything else is refused with its reason."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from core.canonical import canonical
from core.errors import AuthorisationRefused, RosterUnusable
from core.kinds import AuthorisationFlaw, AuthorisedAct
from officers.key_file import public_key_of, thumbprint_of
from officers.proof import HEADER, Asked, payload_of, prove
from officers.roster import (
    MOST,
    Member,
    Roster,
    members_text,
    new_member,
    read_members,
    require_usable,
    thumbprint,
)
from officers.statement import (
    LONGEST_VALID,
    MOST_OCTETS,
    Authorisation,
    Authority,
    Claim,
    Listed,
    Statement,
    list_digest,
    listed_text,
    new_statement,
    parse_authorisation,
    read_listed,
    read_statement,
    stated,
)
from tests.acting import member, officer_key, sign

F = AuthorisationFlaw
NOW = datetime(2027, 1, 3, 12, 0, tzinfo=UTC)
KEY = officer_key("officer-1")
OURS = Authority(name="TEST Trial CPA", root_key_sha256="0a" * 32)
CLAIM = Claim(act=AuthorisedAct.SECOND, subject="dec-1", proposal_sha256="1b" * 32, tbs_sha256=("2c" * 32,))
ROSTER = Roster(number=1, members=(member("officer-1"), member("officer-2")), effective_at=NOW)
RIGHT = replace(new_statement(OURS, CLAIM, officer="officer-1", key=thumbprint_of(KEY), at=NOW), nonce="3d" * 16)
ASKED = Asked(authority=OURS, officer="officer-1", claim=CLAIM)


def flaw_of(act: Callable[[], Any]) -> AuthorisationFlaw:
    with pytest.raises(AuthorisationRefused) as refused:
        act()
    return AuthorisationFlaw(str(refused.value.fields["flaw"]))


# --- the statement ---------------------------------------------------------------------------------------------------


def test_a_statement_is_canonical_json_and_comes_back_as_it_was() -> None:
    document = json.loads(RIGHT.octets())
    assert RIGHT.octets() == canonical(document)
    assert document == {
        "type": "trialcpa-authorisation-1",
        "authority": {"name": "TEST Trial CPA", "root_key_sha256": "0a" * 32},
        "act": "second",
        "subject": "dec-1",
        "proposal_sha256": "1b" * 32,
        "tbs_sha256": ["2c" * 32],
        "officer": "officer-1",
        "key": thumbprint_of(KEY),
        "valid_until": "2027-01-04T12:00:00Z",
        "nonce": "3d" * 16,
    }
    assert read_statement(RIGHT.octets()) == RIGHT
    assert RIGHT.sha256 == hashlib.sha256(RIGHT.octets()).hexdigest()
    authorisation = sign(RIGHT, KEY)
    assert parse_authorisation(authorisation.document()) == authorisation
    prove(authorisation, ASKED, ROSTER, NOW)


def test_two_statements_for_one_act_are_never_the_same() -> None:
    made = {new_statement(OURS, CLAIM, officer="officer-1", key=RIGHT.key, at=NOW).nonce for _ in range(50)}
    assert len(made) == 50
    assert {len(each) for each in made} == {32}


def _changed(name: str) -> Statement:
    match name:
        case "name" | "root_key_sha256":
            other: dict[str, Any] = {name: "TEST Other" if name == "name" else "ff" * 32}
            return replace(RIGHT, authority=replace(OURS, **other))
        case "act" | "subject" | "proposal_sha256" | "tbs_sha256":
            changes: dict[str, Any] = {
                "act": AuthorisedAct.REVOKE,
                "subject": "dec-2",
                "proposal_sha256": "ff" * 32,
                "tbs_sha256": None,
            }
            return replace(RIGHT, claim=replace(CLAIM, **{name: changes[name]}))
        case _:
            rest: dict[str, Any] = {
                "officer": "officer-2",
                "key": thumbprint_of(officer_key("officer-2")),
                "valid_until": RIGHT.valid_until + timedelta(seconds=1),
                "nonce": "ff" * 16,
            }
            return replace(RIGHT, **{name: rest[name]})


MEMBERS = ("name", "root_key_sha256", "act", "subject", "proposal_sha256", "tbs_sha256", "officer", "key")


@pytest.mark.parametrize("name", [*MEMBERS, "valid_until", "nonce"])
def test_a_proof_is_over_every_member(name: str) -> None:
    changed = _changed(name)
    assert changed.octets() != RIGHT.octets()
    moved = Authorisation(statement=changed, proof=sign(RIGHT, KEY).proof)
    assert flaw_of(lambda: prove(moved, ASKED, ROSTER, NOW)) in {F.SIGNATURE, F.OFFICER}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_genuine_statement_about_anything_else_authorises_nothing(name: str) -> None:
    expected = {"name": F.AUTHORITY, "root_key_sha256": F.AUTHORITY, "act": F.ACT, "subject": F.SUBJECT}
    expected |= {"officer": F.OFFICER, "key": F.OFFICER}
    assert flaw_of(lambda: prove(sign(_changed(name), KEY), ASKED, ROSTER, NOW)) is expected.get(name, F.DIGEST)


@given(st.integers(0, len(RIGHT.octets()) * 8 - 1))
def test_a_statement_with_any_bit_changed_is_none_or_is_not_what_was_signed(bit: int) -> None:
    octets = bytearray(RIGHT.octets())
    octets[bit // 8] ^= 1 << bit % 8
    try:
        changed = read_statement(bytes(octets))
    except AuthorisationRefused:
        return
    moved = Authorisation(statement=changed, proof=sign(RIGHT, KEY).proof)
    assert flaw_of(lambda: prove(moved, ASKED, ROSTER, NOW)) in {F.SIGNATURE, F.OFFICER, F.KEY}


@pytest.mark.parametrize(
    ("at", "flaw"),
    [
        (RIGHT.valid_until, None),
        (RIGHT.valid_until + timedelta(seconds=1), F.EXPIRED),
        (RIGHT.valid_until - LONGEST_VALID, None),
        (RIGHT.valid_until - LONGEST_VALID - timedelta(seconds=1), F.TOO_LONG),
    ],
)
def test_a_statement_counts_up_to_its_last_second_and_is_no_signed_cheque(
    at: datetime, flaw: AuthorisationFlaw | None
) -> None:
    if flaw is None:
        prove(sign(RIGHT, KEY), ASKED, ROSTER, at)
    else:
        assert flaw_of(lambda: prove(sign(RIGHT, KEY), ASKED, ROSTER, at)) is flaw


DOCUMENT = RIGHT.document()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 5_000,
        b" " + RIGHT.octets(),
        RIGHT.octets() + b"\n",
        json.dumps(DOCUMENT).encode(),
        canonical(DOCUMENT | {"more": 1}),
        canonical({name: value for name, value in DOCUMENT.items() if name != "nonce"}),
        canonical(DOCUMENT | {"type": "trialcpa-authorisation-2"}),
        canonical(DOCUMENT | {"act": "rule the world"}),
        canonical(DOCUMENT | {"valid_until": "tomorrow"}),
        canonical(DOCUMENT | {"valid_until": 1}),
        canonical(DOCUMENT | {"nonce": "3D" * 16}),
        canonical(DOCUMENT | {"nonce": "3d" * 15}),
        canonical(DOCUMENT | {"tbs_sha256": "2c" * 32}),
        canonical(DOCUMENT | {"tbs_sha256": ["2c"]}),
        canonical(DOCUMENT | {"proposal_sha256": "x" * 64}),
        canonical(DOCUMENT | {"subject": ""}),
        canonical(DOCUMENT | {"key": "k" * 44}),
        canonical(DOCUMENT | {"officer": "o" * MOST_OCTETS}),
        b"\xff" + RIGHT.octets(),
        RIGHT.octets().replace(b'"act":"second"', b'"act":"reject","act":"second"'),
    ],
)
def test_what_is_no_statement_is_refused(octets: bytes) -> None:
    assert flaw_of(lambda: read_statement(octets)) is F.MALFORMED


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "k" * 43},
        {"proof": ""},
        {"proof": "x" * (MOST_OCTETS + 1)},
        {"proof": None},
        {"statement": "x"},
        {"statement": []},
        {"more": 1},
    ],
)
def test_what_is_no_authorisation_is_refused(changes: dict[str, Any]) -> None:
    document: dict[str, Any] = {**sign(RIGHT, KEY).document(), **changes}
    assert flaw_of(lambda: parse_authorisation(document)) is F.MALFORMED


# --- several things --------------------------------------------------------------------------------------------------

ONE = Listed(decision="dec-1", proposal_sha256="1b" * 32, tbs_sha256=("2c" * 32,))
TWO = Listed(decision="dec-2", proposal_sha256="4e" * 32)


def test_a_statement_about_a_list_authorises_what_is_on_it_and_nothing_else() -> None:
    assert list_digest([ONE, TWO]) == list_digest([TWO, ONE])
    assert read_listed(listed_text([TWO, ONE])) == (ONE, TWO)
    about = Claim(act=AuthorisedAct.SECOND, subject=list_digest([ONE, TWO]))
    assert stated(CLAIM, (ONE, TWO)) == about
    authorisation = sign(replace(RIGHT, claim=about), KEY)
    prove(authorisation, replace(ASKED, members=(ONE, TWO)), ROSTER, NOW)
    for members in ((ONE,), (TWO,), (replace(ONE, tbs_sha256=None), TWO), (replace(ONE, proposal_sha256="ff" * 32),)):
        asked = replace(ASKED, members=members)
        assert flaw_of(lambda asked=asked: prove(authorisation, asked, ROSTER, NOW)) is F.SUBJECT  # type: ignore[misc]
    assert flaw_of(lambda: prove(authorisation, ASKED, ROSTER, NOW)) is F.SUBJECT


@pytest.mark.parametrize("kept", ["", "{}", "[]", "[[1,2,3]]", '[["dec-1","x",null]]', '[["dec-1"]]'])
def test_what_is_no_list_is_refused(kept: str) -> None:
    assert flaw_of(lambda: read_listed(kept)) is F.MALFORMED


# --- the proof -------------------------------------------------------------------------------------------------------


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def jws(header: bytes, signature: bytes | None = None, payload: bytes = RIGHT.octets()) -> str:
    """A compact JWS with a header of one's own, signed by the officer's key unless the signature is given."""
    signing = f"{b64(header)}.{b64(payload)}"
    return f"{signing}.{b64(_signed(signing) if signature is None else signature)}"


def _in_der() -> bytes:
    return KEY.sign(f"{b64(OUR_HEADER)}.{b64(RIGHT.octets())}".encode(), ec.ECDSA(hashes.SHA256()))


def _signed(signing: str) -> bytes:
    r, s = decode_dss_signature(KEY.sign(signing.encode(), ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


OUR_HEADER = json.dumps(dict(HEADER)).encode()
GOOD = jws(OUR_HEADER)
SPKI = public_key_of(KEY)


def _headed(**changes: Any) -> bytes:
    return json.dumps({**HEADER, **changes}).encode()


def _hs256() -> str:
    """HMAC with the public key, which everybody has, as its secret."""
    signing = f"{b64(_headed(alg='HS256'))}.{b64(RIGHT.octets())}"
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"{signing}.{b64(hmac.new(pem, signing.encode(), hashlib.sha256).digest())}"


HOSTILE: dict[str, tuple[str, set[AuthorisationFlaw]]] = {
    "none": (jws(_headed(alg="none"), b""), {F.ALGORITHM}),
    "None": (jws(_headed(alg="None"), b""), {F.ALGORITHM}),
    "HS256 with the public key": (_hs256(), {F.ALGORITHM}),
    "ES384": (jws(_headed(alg="ES384")), {F.ALGORITHM}),
    "no algorithm": (jws(b'{"typ":"trialcpa-authorisation+jws"}'), {F.ALGORITHM, F.MALFORMED}),
    "no type": (jws(b'{"alg":"ES256"}'), {F.ALGORITHM}),
    "a JWT": (jws(_headed(typ="JWT")), {F.ALGORITHM}),
    "crit": (jws(_headed(crit=["exp"], exp=1)), {F.ALGORITHM}),
    "unencoded": (jws(_headed(b64=False, crit=["b64"])), {F.ALGORITHM, F.MALFORMED}),
    "a key of its own": (jws(_headed(jwk={"kty": "EC"})), {F.ALGORITHM}),
    "an address of a key": (jws(_headed(jku="http://127.0.0.1/k")), {F.ALGORITHM}),
    "a key's name": (jws(_headed(kid="../../etc/passwd")), {F.ALGORITHM}),
    "a header that is no object": (jws(b"[]"), {F.MALFORMED}),
    "a header that is no JSON": (jws(b"\xff\xfe"), {F.MALFORMED}),
    "no header": (jws(b""), {F.MALFORMED}),
    "a deep header": (jws(b'{"alg":' + b"[" * 3_000 + b"]" * 3_000 + b"}"), {F.MALFORMED, F.ALGORITHM}),
    "a huge header": (jws(_headed(x="x" * MOST_OCTETS)), {F.MALFORMED}),
    "two parts": (GOOD.rpartition(".")[0], {F.MALFORMED}),
    "four parts": (f"{GOOD}.{b64(b'x')}", {F.MALFORMED}),
    "dots": ("...", {F.MALFORMED}),
    "empty": ("", {F.MALFORMED}),
    "no signature": (GOOD.rpartition(".")[0] + ".", {F.SIGNATURE}),
    "a cut signature": (GOOD[:-4], {F.SIGNATURE}),
    "a signature in DER": (jws(OUR_HEADER, _in_der()), {F.SIGNATURE}),
    "zeros (CVE-2022-21449)": (jws(OUR_HEADER, bytes(64)), {F.SIGNATURE}),
    "another payload": (f"{GOOD.split('.')[0]}.{b64(b'{}')}.{GOOD.split('.')[2]}", {F.SIGNATURE}),
    "letters that are none": (GOOD.replace(GOOD.split(".")[1][:4], "é€𝄞x", 1), {F.MALFORMED, F.SIGNATURE}),
    "a null": ("\0" + GOOD, {F.MALFORMED, F.ALGORITHM}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_proof_is_refused(name: str) -> None:
    proof, flaws = HOSTILE[name]
    assert flaw_of(lambda: payload_of(proof, SPKI)) in flaws


def test_what_is_signed_is_what_comes_back_and_no_other_spelling_counts() -> None:
    assert payload_of(GOOD, SPKI) == RIGHT.octets()
    assert flaw_of(lambda: payload_of(GOOD, public_key_of(officer_key("officer-2")))) is F.SIGNATURE


@pytest.mark.parametrize("spelled", [GOOD + "=", GOOD + "\n", " " + GOOD, GOOD.replace(".", "=.", 1)])
def test_another_spelling_of_a_proof_proves_nothing_else(spelled: str) -> None:
    """Whether the library reads it or not: never anything but what was signed."""
    try:
        found = payload_of(spelled, SPKI)
    except AuthorisationRefused:
        return
    assert found == RIGHT.octets()


@given(
    st.text(max_size=300)
    | st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(lambda s: ".".join(map(b64, s)))
)
def test_no_text_is_beyond_refusing(text: str) -> None:
    assert flaw_of(lambda: payload_of(text, SPKI)) in {F.MALFORMED, F.ALGORITHM, F.SIGNATURE}


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none","alg":"ES256","typ":"trialcpa-authorisation+jws"}',
        b'{"alg":"ES256","alg":"none","typ":"trialcpa-authorisation+jws"}',
        b'{"alg":"ES256","alg":"ES256","typ":"trialcpa-authorisation+jws"}',
        b"\xef\xbb\xbf" + OUR_HEADER,
        OUR_HEADER.decode().encode("utf-16"),
        OUR_HEADER.decode().encode("utf-16-le"),
        OUR_HEADER.decode().encode("utf-32"),
    ],
)
def test_a_header_that_readers_differ_in_does_not_count(header: bytes) -> None:
    """Whoever proves a dossier refuses it: a decision that counted by it could be proved by nobody."""
    assert flaw_of(lambda: payload_of(jws(header), SPKI)) is F.MALFORMED


# --- vectors ---------------------------------------------------------------------------------------------------------


def _number(said: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)), "big")


def _spki(curve: ec.EllipticCurve, x: str, y: str) -> bytes:
    key = ec.EllipticCurvePublicNumbers(_number(x), _number(y), curve).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


RFC7515_X = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
RFC7515_Y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
RFC7515_A3 = (
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
RFC7520_4_3 = (
    "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBG"
    "cm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdG"
    "hlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNla"
    "AjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6"
    "sFY8OcGDqoRuBomu9xQ2"
)
RFC7520_X = "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt"
RFC7520_Y = "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"


def test_the_vector_of_rfc_7515_a_3_verifies_with_its_own_header_and_not_with_ours() -> None:
    key = _spki(ec.SECP256R1(), RFC7515_X, RFC7515_Y)
    payload = b'{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}'
    assert payload_of(RFC7515_A3, key, {"alg": "ES256"}) == payload
    assert flaw_of(lambda: payload_of(RFC7515_A3, key)) is F.ALGORITHM
    changed = RFC7515_A3.replace("eyJpc3Mi", "eyJpc3Nj")
    assert flaw_of(lambda: payload_of(changed, key, {"alg": "ES256"})) is F.SIGNATURE


def test_the_vector_of_rfc_7520_4_3_is_refused_whatever_its_header_is_asked_to_say() -> None:
    key = _spki(ec.SECP521R1(), RFC7520_X, RFC7520_Y)
    said = {"alg": "ES512", "kid": "bilbo.baggins@hobbiton.example"}
    assert flaw_of(lambda: payload_of(RFC7520_4_3, key)) is F.ALGORITHM
    assert flaw_of(lambda: payload_of(RFC7520_4_3, key, said)) is F.SIGNATURE


def test_a_thumbprint_is_that_of_rfc_7638() -> None:
    # 3.1: the required members of the key, in order of their names, without blanks.
    said = f'{{"crv":"P-256","kty":"EC","x":"{RFC7515_X}","y":"{RFC7515_Y}"}}'
    expected = b64(hashlib.sha256(said.encode()).digest())
    assert thumbprint(_spki(ec.SECP256R1(), RFC7515_X, RFC7515_Y)) == expected


# --- the roster ------------------------------------------------------------------------------------------------------


def test_a_roster_is_people_and_their_keys() -> None:
    other = new_member("officer-1", public_key_of(officer_key("another")))
    roster = replace(ROSTER, members=(*ROSTER.members, other))
    assert roster.officers == {"officer-1", "officer-2"}
    assert roster.member(other.key) == other
    assert roster.member("k" * 43) is None
    assert read_members(members_text(roster.members)) == tuple(sorted(roster.members, key=lambda each: each.key))
    assert roster.sha256 == replace(roster, members=roster.members[::-1]).sha256 != ROSTER.sha256
    require_usable(roster.members)


@pytest.mark.parametrize(
    "members",
    [
        (),
        (member("officer-1"),),
        (member("officer-1"), new_member("officer-1", public_key_of(officer_key("another")))),
        (member("officer-1"), replace(member("officer-1"), officer="officer-2")),
        (member("officer-1"), replace(member("officer-2"), key="k" * 43)),
        (member("officer-1"), replace(member("officer-2"), public_key=b"x")),
        tuple(member(f"officer-{number}") for number in range(MOST + 1)),
    ],
    ids=["nobody", "one", "one with two keys", "a key twice", "another thumbprint", "no key", "too many"],
)
def test_what_cannot_be_a_roster_is_refused(members: tuple[Member, ...]) -> None:
    with pytest.raises(RosterUnusable):
        require_usable(members)


def _other_keys() -> dict[str, bytes]:
    private: dict[str, Any] = {
        "P-384": ec.generate_private_key(ec.SECP384R1()),
        "RSA": rsa.generate_private_key(65_537, 2_048),
    }
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {name: key.public_key().public_bytes(*form) for name, key in private.items()} | {"nothing": b"", "x": b"x"}


@pytest.mark.parametrize("name", ["P-384", "RSA", "nothing", "x"])
def test_only_keys_of_p_256_are_on_a_roster(name: str) -> None:
    with pytest.raises(RosterUnusable):
        new_member("officer-1", _other_keys()[name])


@pytest.mark.parametrize("written", ["", "[1]", "{}", '[{"officer":"a","key":"k"}]'])
def test_members_that_cannot_be_read_are_refused(written: str) -> None:
    with pytest.raises(RosterUnusable):
        read_members(written)
