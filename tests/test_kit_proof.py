"""The kit's own reading of an officer's proof: one header, one form, one signature, and none that is changed."""

from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from core.canonical import canonical
from core.errors import AuthorisationRefused
from officers.proof import payload_of as ours
from tests.kit_decision_vectors import Always
from verify.kit.agreed.proof import HEADER, payload_of
from verify.kit.agreed.statements import Flaw, Refused

KEY = Always("jane.doe")
PAYLOAD = canonical({"a": "\u00e9"})


def part(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def jws(header: bytes | None = None, signature: bytes | None = None) -> str:
    signed = f"{part(canonical(dict(HEADER)) if header is None else header)}.{part(PAYLOAD)}"
    r, s = decode_dss_signature(KEY.sign(signed.encode()))
    return f"{signed}.{part(r.to_bytes(32) + s.to_bytes(32) if signature is None else signature)}"


def flaw(proof: str, key: bytes = KEY.public_key) -> Flaw:
    with pytest.raises(Refused) as refused:
        payload_of(proof, key)
    return refused.value.flaw


def test_what_officers_sign_is_read_as_the_authority_reads_it() -> None:
    assert payload_of(jws(), KEY.public_key) == ours(jws(), KEY.public_key) == PAYLOAD


def test_no_form_of_a_header_counts_for_one_and_not_for_the_other() -> None:
    plain = canonical(dict(HEADER)).decode()
    for header in (
        plain.encode(),
        f" {plain}\n".encode(),
        plain.replace("alg", "\\u0061lg").encode(),
        plain.replace('{"alg"', '{"alg":"ES256","alg"').encode(),
        b"\xef\xbb\xbf" + plain.encode(),
        *(plain.encode(each) for each in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le")),
    ):
        proof, counts = jws(header), []
        for proved in (payload_of, ours):
            try:
                counts.append(proved(proof, KEY.public_key) == PAYLOAD)
            except (Refused, AuthorisationRefused):
                counts.append(False)
        assert counts[0] is counts[1], header


def test_a_header_that_says_anything_else_is_refused_though_it_is_signed() -> None:
    for said in (
        b'{"alg":"none","typ":"trialcpa-authorisation+jws"}',
        b'{"alg":"HS256","typ":"trialcpa-authorisation+jws"}',
        b'{"alg":"ES256"}',
        b'{"alg":"ES256","typ":"JWT"}',
        b'{"alg":"ES256","b64":false,"crit":["b64"],"typ":"trialcpa-authorisation+jws"}',
        b'{"alg":"ES256","jwk":{},"typ":"trialcpa-authorisation+jws"}',
        b"[]",
        b'"ES256"',
    ):
        assert flaw(jws(header=said)) is Flaw.ALGORITHM, said
    for said in (b"", b"{", b'{"alg":"ES256","alg":"ES256"}', b"\xff"):
        assert flaw(jws(header=said)) is Flaw.MALFORMED, said


def test_another_form_or_signature_is_refused() -> None:
    whole = jws()
    head, payload, signature = whole.split(".")
    for broken in ("", "..", f"{head}.{payload}", f"{whole}.", f"{head}..{payload}.{signature}", "a" * 9_000):
        assert flaw(broken) is Flaw.MALFORMED, broken
    for other in (
        f"{whole}=",
        f"{whole[:-1]}{chr(ord(whole[-1]) ^ 1)}",
        whole.replace("_", "/").replace("-", "+") + "\n",
    ):
        assert flaw(other) in (Flaw.MALFORMED, Flaw.SIGNATURE), other
    for octets in (b"", bytes(64), bytes(63), bytes(65), KEY.sign(f"{head}.{payload}".encode())):
        assert flaw(jws(signature=octets)) is Flaw.SIGNATURE
    assert flaw(whole, Always("john.doe").public_key) is Flaw.SIGNATURE
