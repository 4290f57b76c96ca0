"""Certificate signing requests from strangers: every form is taken, every defect has its name, nothing else escapes."""

import base64
import hashlib
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import CsrMalformed, CsrTooLarge, RulesRefused, Severity
from policy.csr import LARGEST_CSR, parse

VECTORS = Path(__file__).parent / "vectors" / "csr"
CASES = sorted(VECTORS.glob("*.case"))


def _case(path: Path) -> tuple[str, bytes]:
    """A `.case` file: a comment, `expect:` with a curve, `malformed` or the codes in order, then what is sent."""
    comment, expect, text = path.read_bytes().split(b"\n", 2)
    assert comment.startswith(b"# ")
    assert expect.startswith(b"expect: ")
    return expect.removeprefix(b"expect: ").decode(), text


def _der(name: str) -> bytes:
    lines = _case(VECTORS / f"{name}.case")[1].splitlines()
    return base64.b64decode(b"".join(line for line in lines if not line.startswith(b"-")))


ACCEPTED = _der("accepted-p256")
SEEDS = [
    _der(path.stem) for path in CASES if path.stem.startswith(("accepted", "null", "ca-true", "san", "two", "curve-ex"))
]


def _verdict(data: bytes) -> str:
    try:
        return parse(data).curve
    except RulesRefused as refused:
        findings = refused.findings
    except CsrMalformed as malformed:
        return "malformed" if malformed.fields["detail"] else "malformed without a word"
    assert findings
    fatal = [finding for finding in findings if finding.severity is Severity.FATAL]
    assert fatal
    assert {finding.code for finding in findings} - {finding.code for finding in fatal} <= {"csr.null-parameters"}
    assert all(finding.detail and finding.remedy and finding.clause for finding in findings)
    return " ".join(finding.code for finding in findings)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_file_of_the_corpus_gets_the_verdict_it_names(path: Path) -> None:
    expected, text = _case(path)
    assert _verdict(text) == expected


def test_every_file_of_the_corpus_is_collected_and_every_code_has_one() -> None:
    assert {path.name for path in VECTORS.iterdir()} == {path.name for path in CASES}
    source = (Path(__file__).parent.parent / "policy" / "csr.py").read_text()
    codes = set(re.findall(r'"(csr\.[a-z0-9-]+)"', source))
    told = {code for path in CASES for code in _case(path)[0].split()} - {"P-256", "P-384", "malformed"}
    assert codes == told


def test_only_the_key_is_handed_on_and_it_is_the_key_of_the_request() -> None:
    parsed = parse(ACCEPTED)
    key = x509.load_der_x509_csr(ACCEPTED).public_key()
    assert parsed.public_key == key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert parsed.public_key_sha256 == hashlib.sha256(parsed.public_key).hexdigest()
    assert parsed.der == ACCEPTED
    assert set(vars(parsed)) == {"der", "public_key", "public_key_sha256", "curve", "notices"}
    assert parsed.notices == ()


@pytest.mark.parametrize("header", [b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST", None])
@pytest.mark.parametrize("width", [64, 76, 10_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize(("before", "after"), [(b"", b""), (b" \r\n\t", b"\n\n  "), (b"\xef\xbb\xbf", b"")])
def test_every_form_in_which_requests_arrive_is_the_same_request(
    header: bytes | None, width: int, end: bytes, before: bytes, after: bytes
) -> None:
    text = base64.b64encode(ACCEPTED)
    lines = [text[place : place + width] for place in range(0, len(text), width)]
    if header is not None:
        lines = [b"-----BEGIN " + header + b"-----", *lines, b"-----END " + header + b"-----"]
    assert parse(before + end.join(lines) + end + after) == parse(ACCEPTED)


def test_requests_as_openssl_makes_them_today_are_taken(tmp_path: Path) -> None:
    make = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -subj /CN=x"
    made = subprocess.run(shlex.split(make), cwd=tmp_path, check=True, capture_output=True).stdout
    assert parse(made).curve == "P-256"


def test_the_limit_holds_at_the_limit_and_one_octet_beyond() -> None:
    text = base64.b64encode(ACCEPTED)
    assert parse(text.ljust(LARGEST_CSR)).curve == "P-256"
    with pytest.raises(CsrTooLarge) as caught:
        parse(text.ljust(LARGEST_CSR + 1))
    assert caught.value.fields["limit"] == LARGEST_CSR


@pytest.mark.parametrize("nothing", [b"", b"   \r\n", b"\xef\xbb\xbf", b"\x30", b"\x30\x82"])
def test_nothing_is_malformed(nothing: bytes) -> None:
    assert _verdict(nothing) == "malformed"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("malformed-two-requests", "more than one"),
        ("malformed-certificate-label", "header"),
        ("malformed-no-end", "END line"),
        ("malformed-version", "its version is 7"),
        ("private-key-beside", "it holds a private key"),
        ("private-key-after", "it holds a private key"),
        ("malformed-other-base64", "not a PKCS#10"),
        ("malformed-cut-off", "cut off"),
    ],
)
def test_what_is_malformed_is_told_in_its_own_words(name: str, word: str) -> None:
    with pytest.raises(CsrMalformed, match=word):
        parse(_case(VECTORS / f"{name}.case")[1])


def test_an_empty_request_is_called_empty() -> None:
    with pytest.raises(CsrMalformed, match="empty"):
        parse(b"  \n")
    with pytest.raises(CsrMalformed, match="neither PEM"):
        parse(b"is this a request?")


def test_a_private_key_sent_by_mistake_is_named_and_not_repeated() -> None:
    with pytest.raises(CsrMalformed) as caught:
        parse(_case(VECTORS / "private-key.case")[1])
    assert "private key" in str(caught.value)
    assert "MA==" not in str(caught.value)


def test_each_flipped_bit_of_a_request_is_a_refusal_or_malformed() -> None:
    for place in range(len(ACCEPTED) * 8):
        mutant = bytearray(ACCEPTED)
        mutant[place // 8] ^= 1 << place % 8
        assert _verdict(bytes(mutant)) not in {"P-256", "P-384"}, place


@given(st.sampled_from(SEEDS), st.data())
@settings(max_examples=1500, deadline=None)
def test_mutated_requests_raise_nothing_but_our_own_errors(seed: bytes, data: st.DataObject) -> None:
    mutant = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(mutant) - 1))
        match data.draw(st.sampled_from(("set", "cut", "insert", "copy"))):
            case "set":
                mutant[place] = data.draw(st.integers(0, 255))
            case "cut":
                del mutant[place : place + data.draw(st.integers(1, 4))]
            case "insert":
                mutant[place:place] = data.draw(st.binary(min_size=1, max_size=4))
            case _:
                mutant += mutant[place : place + 20]
        if not mutant:
            break
    _verdict(bytes(mutant))


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "ignore"))))
@settings(max_examples=500, deadline=None)
def test_any_octets_at_all_raise_nothing_but_our_own_errors(data: bytes) -> None:
    _verdict(data)
    _verdict(b"-----BEGIN CERTIFICATE REQUEST-----\n" + data + b"\n-----END CERTIFICATE REQUEST-----")


def test_null_parameters_beside_a_signature_that_holds_are_a_notice() -> None:
    parsed = parse(_case(VECTORS / "accepted-null-parameters.case")[1])
    assert [(each.code, each.severity) for each in parsed.notices] == [("csr.null-parameters", Severity.NOTICE)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_another_encoding_is_told_and_a_private_key_in_it_is_told_first(encoding: str) -> None:
    text = _case(VECTORS / "accepted-p256.case")[1].decode()
    with pytest.raises(CsrMalformed, match="UTF-16"):
        parse(text.encode(encoding))
    key = _case(VECTORS / "private-key.case")[1].decode()
    with pytest.raises(CsrMalformed, match="private key"):
        parse((key + text).encode(encoding))


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", "Antragsteller: Müller\r\n".encode("cp1252")])
def test_what_stands_before_the_request_may_be_any_text(before: bytes) -> None:
    pem = _case(VECTORS / "accepted-p256.case")[1].replace(b"\n", b"\r\n")
    assert parse(before + pem).der == ACCEPTED
