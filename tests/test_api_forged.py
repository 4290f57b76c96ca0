"""What does not authorise an act, over HTTP: refused by its flaw, at every place, with nothing written."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from sqlalchemy import func, select

from core.kinds import AuthorisationFlaw as Flaw
from core.kinds import AuthorisedAct
from officers.key_file import public_key_of, thumbprint_of
from officers.proof import HEADER
from officers.statement import MOST_LISTED, Authority, Claim, Listed, Statement, list_digest, new_statement
from ra.authorising import authority_shown
from store.tables import metadata
from tests.acting import officer_key, sign
from tests.api_world import Api, done, refused
from tests.signing import another_device, right
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3, World

OFFICER, OTHER = OFFICER_2.name, OFFICER_3.name
REASONS = {"reasons": "It has to be."}


@dataclass(frozen=True)
class Asked:
    """What officer 2 is about to second, and another decision that waits for it as well."""

    api: Api
    authority: Authority
    one: Listed
    other: Listed
    approval: str
    breach: str
    order: str

    def body(self, listed: Listed | None = None) -> dict[str, Any]:
        found = listed or self.one
        assert found.tbs_sha256
        return {"proposal_sha256": found.proposal_sha256, "tbs_sha256": found.tbs_sha256[0]}

    def claim(self, listed: Listed | None = None) -> Claim:
        found = listed or self.one
        return Claim(
            act=AuthorisedAct.SECOND,
            subject=found.decision,
            proposal_sha256=found.proposal_sha256,
            tbs_sha256=found.tbs_sha256,
        )

    def statement(self, claim: Claim | None = None, *, officer: str = OFFICER, **changes: Any) -> Statement:
        key = thumbprint_of(officer_key(officer))
        at = self.api.world.clock.now()
        made = new_statement(self.authority, claim or self.claim(), officer=officer, key=key, at=at)
        return replace(made, **changes)

    @property
    def path(self) -> str:
        return f"/v1/decisions/{self.one.decision}/second"


@pytest.fixture(scope="module")
def asked(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Asked]:
    world = World(store_copy("sqlite"), keys_folder)
    api = Api(world)
    granted = api.proposed(kind="grant", application=api.applied(), conditions=[{"text": "At most five in a street."}])
    api.settle()
    seconded = done(api.ask(OFFICER, "POST", f"/v1/decisions/{granted}/second", api.second_body(granted)))
    api.settle()
    approval = str(seconded["approval"])
    suspected = {"condition": 1, "note": "There were seven."}
    breach = done(api.ask(OFFICER_1.name, "POST", f"/v1/approvals/{approval}/breaches", suspected), 201)["breach"]
    stop = {"kind": "stop-issuing", "why": "Something is wrong."}
    order = done(api.ask(OFFICER_1.name, "POST", "/v1/orders", stop), 201)["order"]
    waiting = []
    for number in range(2):
        decision = api.proposed(kind="grant", application=api.applied(device=another_device(number)))
        api.settle()
        shown = api.second_body(decision)
        digests = {"proposal_sha256": shown["proposal_sha256"], "tbs_sha256": (shown["tbs_sha256"],)}
        waiting.append(Listed(decision=decision, **digests))
    with world.store.read() as tx:
        authority = authority_shown(tx)
    yield Asked(api, authority, waiting[0], waiting[1], approval, breach, order)
    world.close()


@pytest.fixture
def unchanged(asked: Asked) -> Iterator[Asked]:
    """Nothing may have been written when the test ends."""

    def written() -> dict[str, int]:
        with asked.api.world.store.read() as tx:
            return {
                table.name: int(tx.connection.execute(select(func.count()).select_from(table)).scalar_one())
                for table in metadata.sorted_tables
            }

    before = written()
    yield asked
    assert written() == before


# --- forged ------------------------------------------------------------------------------------------------------


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def signed(header: bytes | Mapping[str, Any], payload: bytes, key: ec.EllipticCurvePrivateKey) -> str:
    """A compact JWS with ES256 by hand: joserfc would not make most of these."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    over = f"{b64(head)}.{b64(payload)}"
    r, s = decode_dss_signature(key.sign(over.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{over}.{b64(r.to_bytes(32) + s.to_bytes(32))}"


def proved_by(header: bytes | Mapping[str, Any]) -> Callable[[Asked], dict[str, Any]]:
    """The right statement, rightly signed under another header."""

    def make(asked: Asked) -> dict[str, Any]:
        said = asked.statement()
        return said_with(said, signed(header, said.octets(), officer_key(OFFICER)))

    return make


def said_with(said: Statement, proof: str) -> dict[str, Any]:
    return {"authorisation": {"statement": said.document(), "key": said.key, "proof": proof}}


def altered(*place: str, to: Any = None) -> Callable[[Asked], dict[str, Any]]:
    """The right authorisation with one member of its JSON made another, or taken away for None."""

    def make(asked: Asked) -> dict[str, Any]:
        body = deepcopy(right(asked.statement(), OFFICER))
        within = body["authorisation"]
        for name in place[:-1]:
            within = within[name]
        if to is None:
            del within[place[-1]]
        else:
            within[place[-1]] = to
        return body

    return make


def _by_hmac(asked: Asked) -> dict[str, Any]:
    """RFC 8725, 2.1: the public key as the secret of an HMAC."""
    said = asked.statement()
    over = f"{b64(json.dumps({**HEADER, 'alg': 'HS256'}).encode())}.{b64(said.octets())}"
    mac = hmac.HMAC(public_key_of(officer_key(OFFICER)), hashes.SHA256())
    mac.update(over.encode())
    return said_with(said, f"{over}.{b64(mac.finalize())}")


def _unsigned(asked: Asked) -> dict[str, Any]:
    said = asked.statement()
    return said_with(said, f"{b64(json.dumps({**HEADER, 'alg': 'none'}).encode())}.{b64(said.octets())}.")


def _cut(begin: int | None, end: int | None) -> Callable[[Asked], dict[str, Any]]:
    def make(asked: Asked) -> dict[str, Any]:
        said = asked.statement()
        return said_with(said, sign(said, officer_key(OFFICER)).proof[begin:end])

    return make


def _parts(*chosen: int) -> Callable[[Asked], dict[str, Any]]:
    def make(asked: Asked) -> dict[str, Any]:
        said = asked.statement()
        parts = sign(said, officer_key(OFFICER)).proof.split(".")
        return said_with(said, ".".join(parts[each] for each in chosen))

    return make


def _in_der(asked: Asked) -> dict[str, Any]:
    """RFC 7518, 3.4: the signature is r and s of 32 octets each, not what X.509 has."""
    said = asked.statement()
    over = sign(said, officer_key(OFFICER)).proof.rpartition(".")[0]
    return said_with(said, f"{over}.{b64(officer_key(OFFICER).sign(over.encode(), ec.ECDSA(hashes.SHA256())))}")


def _spaced(asked: Asked) -> dict[str, Any]:
    """The same statement, not in canonical form, rightly signed."""
    said = asked.statement()
    return said_with(said, signed(HEADER, json.dumps(said.document()).encode(), officer_key(OFFICER)))


def _twice_in_the_payload(asked: Asked) -> dict[str, Any]:
    said = asked.statement()
    octets = b'{"act":"reject",' + said.octets()[1:]
    return said_with(said, signed(HEADER, octets, officer_key(OFFICER)))


def _swapped(asked: Asked) -> dict[str, Any]:
    return said_with(asked.statement(), sign(asked.statement(asked.claim(asked.other)), officer_key(OFFICER)).proof)


def _of(claim: Callable[[Asked], Claim], members: Callable[[Asked], Any] | None = None, **changes: Any) -> Any:
    def make(asked: Asked) -> dict[str, Any]:
        body = right(asked.statement(claim(asked), **changes), OFFICER)
        return body if members is None else body | {"listed": members(asked)}

    return make


def _until(**ahead: int) -> Callable[[Asked], dict[str, Any]]:
    return lambda asked: right(asked.statement(valid_until=asked.api.world.clock.now() + timedelta(**ahead)), OFFICER)


def _listing(*members: Callable[[Asked], Listed]) -> Callable[[Asked], dict[str, Any]]:
    """Rightly signed for a list."""

    def make(asked: Asked) -> dict[str, Any]:
        listed = [each(asked) for each in members]
        claim = Claim(act=AuthorisedAct.SECOND, subject=list_digest(listed))
        return right(asked.statement(claim), OFFICER) | {"listed": [each.document() for each in listed]}

    return make


def _one(asked: Asked) -> Listed:
    return asked.one


def _other(asked: Asked) -> Listed:
    return asked.other


def _other_bytes(asked: Asked) -> Listed:
    return replace(asked.one, tbs_sha256=asked.other.tbs_sha256)


STRANGER = ec.derive_private_key(7, ec.SECP256R1())
LONG = "x" * 9_000

# What is sent beside the right digests, and the flaw that it is refused by.
CASES: dict[str, tuple[Callable[[Asked], dict[str, Any]], Flaw]] = {
    "none": (_unsigned, Flaw.ALGORITHM),
    "HS256": (_by_hmac, Flaw.ALGORITHM),
    "ES384": (proved_by({**HEADER, "alg": "ES384"}), Flaw.ALGORITHM),
    "another typ": (proved_by({**HEADER, "typ": "JWT"}), Flaw.ALGORITHM),
    "no typ": (proved_by({"alg": "ES256"}), Flaw.ALGORITHM),
    "an unknown crit": (proved_by({**HEADER, "crit": ["exp"], "exp": 1}), Flaw.ALGORITHM),
    "an empty crit": (proved_by({**HEADER, "crit": []}), Flaw.ALGORITHM),
    "not in base64": (proved_by({**HEADER, "b64": False, "crit": ["b64"]}), Flaw.ALGORITHM),
    "a key of its own": (proved_by({**HEADER, "jwk": {"kty": "EC"}}), Flaw.ALGORITHM),
    "a key from elsewhere": (proved_by({**HEADER, "jku": "http://127.0.0.1:1/"}), Flaw.ALGORITHM),
    "alg is a list": (proved_by({**HEADER, "alg": ["ES256"]}), Flaw.ALGORITHM),
    "the header is a list": (proved_by(b"[]"), Flaw.MALFORMED),
    "the header is null": (proved_by(b"null"), Flaw.MALFORMED),
    "the header is a number": (proved_by(b"7"), Flaw.MALFORMED),
    "the header is a text": (proved_by(b'"alg"'), Flaw.MALFORMED),
    "the header is nothing": (proved_by(b""), Flaw.MALFORMED),
    "the header is no JSON": (proved_by(b"{"), Flaw.MALFORMED),
    "the header is no UTF-8": (proved_by(b"\xff\xfe"), Flaw.MALFORMED),
    "the header is deep": (proved_by(b"[" * 2_000), Flaw.MALFORMED),
    "a huge header": (proved_by({**HEADER, "kid": LONG}), Flaw.MALFORMED),
    "cut at the end": (_cut(None, -9), Flaw.SIGNATURE),
    "cut in the middle": (_cut(None, 300), Flaw.MALFORMED),
    "cut at the beginning": (_cut(9, None), Flaw.MALFORMED),
    "without its payload": (_parts(0, 2), Flaw.MALFORMED),
    "five parts": (_parts(0, 1, 2, 2, 2), Flaw.MALFORMED),
    "parts in another order": (_parts(0, 2, 1), Flaw.SIGNATURE),
    "a signature in DER": (_in_der, Flaw.SIGNATURE),
    "no canonical JSON": (_spaced, Flaw.SIGNATURE),
    "a member twice in what is signed": (_twice_in_the_payload, Flaw.SIGNATURE),
    "another statement's proof": (_swapped, Flaw.SIGNATURE),
    "signed by another": (
        lambda asked: said_with(asked.statement(), sign(asked.statement(), officer_key(OTHER)).proof),
        Flaw.SIGNATURE,
    ),
    "a key of nobody": (
        lambda asked: {"authorisation": sign(asked.statement(key=thumbprint_of(STRANGER)), STRANGER).document()},
        Flaw.KEY,
    ),
    "another officer's": (lambda asked: right(asked.statement(officer=OTHER), OTHER), Flaw.OFFICER),
    "another officer's key, and this one's name": (
        lambda asked: right(replace(asked.statement(officer=OTHER), officer=OFFICER), OTHER),
        Flaw.OFFICER,
    ),
    "this one's key, and another's name": (
        lambda asked: right(replace(asked.statement(), officer=OTHER), OFFICER),
        Flaw.OFFICER,
    ),
    "another authority's name": (
        lambda asked: right(asked.statement(authority=replace(asked.authority, name="Another Trial CPA")), OFFICER),
        Flaw.AUTHORITY,
    ),
    "another authority's root": (
        lambda asked: right(asked.statement(authority=replace(asked.authority, root_key_sha256="ab" * 32)), OFFICER),
        Flaw.AUTHORITY,
    ),
    "another act": (_of(lambda asked: replace(asked.claim(), act=AuthorisedAct.REJECT)), Flaw.ACT),
    "an act nobody knows": (altered("statement", "act", to="bless"), Flaw.MALFORMED),
    "another decision's": (_of(lambda asked: asked.claim(asked.other)), Flaw.SUBJECT),
    "another proposal": (_of(lambda asked: replace(asked.claim(), proposal_sha256="ab" * 32)), Flaw.DIGEST),
    "no proposal": (_of(lambda asked: replace(asked.claim(), proposal_sha256=None)), Flaw.DIGEST),
    "other bytes": (_of(lambda asked: replace(asked.claim(), tbs_sha256=("ab" * 32,))), Flaw.DIGEST),
    "more bytes": (
        _of(lambda asked: replace(asked.claim(), tbs_sha256=(*(asked.one.tbs_sha256 or ()), "ab" * 32))),
        Flaw.DIGEST,
    ),
    "no bytes": (_of(lambda asked: replace(asked.claim(), tbs_sha256=None)), Flaw.DIGEST),
    "expired": (_until(seconds=-1), Flaw.EXPIRED),
    "valid too long": (_until(days=7, seconds=1), Flaw.TOO_LONG),
    "valid for ever": (altered("statement", "valid_until", to="9999-12-31T23:59:59Z"), Flaw.SIGNATURE),
    "valid until no day": (altered("statement", "valid_until", to="2027-02-30T00:00:00Z"), Flaw.MALFORMED),
    "valid until no instant": (altered("statement", "valid_until", to=LONG), Flaw.MALFORMED),
    "the key beside it is another": (altered("key", to=thumbprint_of(STRANGER)), Flaw.MALFORMED),
    "no statement": (altered("statement"), Flaw.MALFORMED),
    "no key": (altered("key"), Flaw.MALFORMED),
    "no proof": (altered("proof"), Flaw.MALFORMED),
    "an empty proof": (altered("proof", to=""), Flaw.MALFORMED),
    "a proof that is no text": (altered("proof", to=7), Flaw.MALFORMED),
    "a proof of half a character": (altered("proof", to="\ud800"), Flaw.MALFORMED),
    "a proof that is no ASCII": (altered("proof", to="é.é.é"), Flaw.MALFORMED),
    "more beside the proof": (altered("header", to={}), Flaw.MALFORMED),
    "another type": (altered("statement", "type", to="trialcpa-authorisation-2"), Flaw.MALFORMED),
    "no nonce": (altered("statement", "nonce"), Flaw.MALFORMED),
    "a short nonce": (altered("statement", "nonce", to="ab"), Flaw.MALFORMED),
    "another nonce": (altered("statement", "nonce", to="ab" * 16), Flaw.SIGNATURE),
    "more in the statement": (altered("statement", "urgent", to=True), Flaw.MALFORMED),
    "a name that is null": (altered("statement", "authority", "name", to=[None]), Flaw.MALFORMED),
    "a name of half a character": (altered("statement", "officer", to="\ud800"), Flaw.MALFORMED),
    "a name with U+0000": (altered("statement", "officer", to="officer-2\x00"), Flaw.OFFICER),
    "a subject too long": (altered("statement", "subject", to=LONG), Flaw.MALFORMED),
    "digests without end": (altered("statement", "tbs_sha256", to=["ab" * 32] * 2_000), Flaw.MALFORMED),
    "a fraction": (altered("statement", "tbs_sha256", to=0.5), Flaw.MALFORMED),
    "a digest in capitals": (altered("statement", "proposal_sha256", to="AB" * 32), Flaw.MALFORMED),
    "a statement that is a text": (altered("statement", to="{}"), Flaw.MALFORMED),
    "nothing in it": (lambda _: {"authorisation": {}}, Flaw.MALFORMED),
    "a list without it": (_listing(_other), Flaw.SUBJECT),
    "a list with it and other bytes": (_listing(_other_bytes, _other), Flaw.SUBJECT),
    "a list with it twice": (_listing(_one, _one), Flaw.MALFORMED),
    "a list with it twice, otherwise": (_listing(_one, _other_bytes), Flaw.MALFORMED),
    "a list that was not signed": (
        lambda asked: _listing(_one)(asked) | {"listed": [asked.one.document(), asked.other.document()]},
        Flaw.SUBJECT,
    ),
    "a list beside a statement about one": (
        lambda asked: right(asked.statement(), OFFICER) | {"listed": [asked.one.document()]},
        Flaw.SUBJECT,
    ),
    "a list that is missing": (
        lambda asked: {"authorisation": _listing(_one, _other)(asked)["authorisation"]},
        Flaw.SUBJECT,
    ),
    "an empty list": (lambda asked: right(asked.statement(), OFFICER) | {"listed": []}, Flaw.MALFORMED),
    "a list of texts": (lambda asked: right(asked.statement(), OFFICER) | {"listed": ["a"]}, Flaw.MALFORMED),
    "a list of half a character": (
        lambda asked: right(asked.statement(), OFFICER) | {"listed": [["\ud800", "ab" * 32, None]]},
        Flaw.MALFORMED,
    ),
    "a list of more than there may be": (
        lambda asked: right(asked.statement(), OFFICER) | {"listed": [[]] * (MOST_LISTED + 1)},
        Flaw.MALFORMED,
    ),
}


@pytest.mark.parametrize(("make", "flaw"), CASES.values(), ids=CASES.keys())
def test_what_does_not_authorise_is_refused_by_its_flaw(
    unchanged: Asked, make: Callable[[Asked], dict[str, Any]], flaw: Flaw
) -> None:
    body = unchanged.body() | make(unchanged)
    answer = unchanged.api.ask(OFFICER, "POST", unchanged.path, body, Idempotency_Key="a")
    assert refused(answer, 403, "authorisation-refused")["flaw"] == flaw


def test_what_is_not_there_or_is_no_object_is_told_so(unchanged: Asked) -> None:
    api, body = unchanged.api, unchanged.body()
    good = body | right(unchanged.statement(), OFFICER)
    refused(api.send(OFFICER, "POST", unchanged.path, body), 403, "authorisation-missing")
    refused(api.send(OFFICER, "POST", unchanged.path, body | {"authorisation": None}), 403, "authorisation-missing")
    wrong: tuple[Any, ...] = ("a", 7, True, [[]])
    for each in wrong:
        refused(api.send(OFFICER, "POST", unchanged.path, body | {"authorisation": each}), 400, "body-malformed")
    for each in (*wrong[:-1], {}):
        refused(api.send(OFFICER, "POST", unchanged.path, good | {"listed": each}), 400, "body-malformed")
    # Nothing reads what is listed for no signature; that it has no canonical form is nobody's failure.
    for each in ([1.5], ["\ud800"], [{"\ud800": 0}], [2**60]):
        unsigned = api.send(OFFICER, "POST", unchanged.path, body | {"listed": each}, Idempotency_Key="a")
        refused(unsigned, 403, "authorisation-missing")
    twice = json.dumps(good).replace('"statement": ', '"statement": {}, "statement": ')
    refused(api.send(OFFICER, "POST", unchanged.path, twice.encode()), 400, "body-malformed")
    many = good | {"listed": [[]] * 100_000}
    refused(api.send(OFFICER, "POST", unchanged.path, many), 413, "body-too-large")


def test_a_batch_may_list_more_and_not_without_end(unchanged: Asked) -> None:
    api, path = unchanged.api, "/v1/decisions/batch/second"
    one = {"decision": unchanged.one.decision, **unchanged.body()}
    good = {"decisions": [one], **right(unchanged.statement(), OFFICER)}
    answer = api.send(OFFICER, "POST", path, good | {"listed": [[]] * 100_000})
    assert refused(answer, 403, "authorisation-refused")["flaw"] == Flaw.MALFORMED
    refused(api.send(OFFICER, "POST", path, good | {"listed": [[]] * 200_000}), 413, "body-too-large")
    # As many as there may be, with digests: there is room for them, and only the statement is about something else.
    longest = [[f"decision-{place:08}-0123456789abcdef", "ab" * 32, ["cd" * 32]] for place in range(MOST_LISTED)]
    (result,) = done(api.send(OFFICER, "POST", path, {**good, "decisions": [one], "listed": longest}))["results"]
    assert result["problem"]["flaw"] == Flaw.SUBJECT


# --- every place where something is signed for -------------------------------------------------------------------


def _places(asked: Asked) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Who asks for what, with no authorisation."""
    decision, body = asked.one.decision, asked.body()
    proposal = {"proposal_sha256": body["proposal_sha256"]}
    return {
        "second": (OFFICER, asked.path, body),
        "second several": (OFFICER, "/v1/decisions/batch/second", {"decisions": [{"decision": decision, **body}]}),
        "sign for": (OFFICER_1.name, f"/v1/decisions/{decision}/authorisation", proposal),
        "sign for several": (
            OFFICER_1.name,
            "/v1/decisions/batch/authorisation",
            {"decisions": [{"decision": decision, **proposal}]},
        ),
        "reject": (OFFICER, f"/v1/decisions/{decision}/rejection", {"why": "Not yet."}),
        "revoke": (OFFICER, f"/v1/approvals/{asked.approval}/revocation", {"cause": "ssc", **REASONS}),
        "confirm a breach": (
            OFFICER,
            f"/v1/breaches/{asked.breach}/judgement",
            {"confirmed": True, "why": "It was seen."},
        ),
        "order": (OFFICER, f"/v1/orders/{asked.order}/authorisation", {}),
    }


PLACES = ("second", "second several", "sign for", "sign for several", "reject", "revoke", "confirm a breach", "order")


@pytest.mark.parametrize("place", PLACES)
def test_no_place_takes_nothing_or_what_is_for_another(unchanged: Asked, place: str) -> None:
    api = unchanged.api
    who, path, body = _places(unchanged)[place]
    change = Claim(act=AuthorisedAct.CHANGE_ROSTER, subject=unchanged.one.decision)
    another = right(unchanged.statement(change, officer=who), who)
    for more, code, flaw in (({}, "authorisation-missing", None), (another, "authorisation-refused", Flaw.ACT)):
        answer = api.send(who, "POST", path, body | more)
        if "several" in place:
            (result,) = done(answer)["results"]
            assert (result["problem"]["code"], result["problem"].get("flaw")) == (code, flaw)
        else:
            assert refused(answer, 403, code).get("flaw") == flaw
    answer = api.send(who, "POST", path, body | {"authorisation": {"statement": {}, "key": "a", "proof": "b"}})
    assert refused(answer, 403, "authorisation-refused")["flaw"] == Flaw.MALFORMED


def test_every_place_that_takes_an_authorisation_is_in_the_table(asked: Asked) -> None:
    document = done(asked.api.ask(None, "GET", "/openapi.json"))
    schemas = document["components"]["schemas"]
    taking = set()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            if "authorisation" in schemas.get(name, {}).get("properties", {}):
                taking.add(path)
    named = {path for _, path, _ in _places(asked).values()}
    for each in (asked.one.decision, asked.approval, asked.breach, asked.order):
        named = {path.replace(each, "{}") for path in named}
    assert {
        path.partition("{")[0] + "{}" + path.rpartition("}")[2] if "{" in path else path for path in taking
    } == named
