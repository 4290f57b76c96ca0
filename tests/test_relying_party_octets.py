"""What `cryptography` reads and the kit refuses: octets that no builder writes, signed by the right key all the same.

And what lists and certificates of an earlier release look like, which are as good as ever.
"""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tests.relying_party_world import (
    ECDSA_SHA256,
    END,
    FLAG,
    NOW,
    W,
    World,
    der,
    key,
    proved,
    sequence,
    tlv,
    uri,
    usage,
)
from verify.kit.evidence.verdict import Code

VERSION_3 = bytes.fromhex("a003020102")
SERIAL = bytes.fromhex("0210" + "5f3a" * 8)


def contents(value: bytes) -> bytes:
    return value[2 + (value[1] & 0x7F if value[1] & 0x80 else 0) :]


def signed(tbs: bytes, by: ec.EllipticCurvePrivateKey, unused: bytes = b"\0") -> bytes:
    signature = by.sign(tbs, ec.ECDSA(hashes.SHA256()))
    while signature[-1] & 1:  # a bit that is not used and is not 0 either is one that the library does see
        signature = by.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return sequence(tbs, sequence(ECDSA_SHA256), tlv(3, unused + signature))


def leaf(old: bytes, new: bytes) -> bytes:
    """The certificate with some octets replaced, signed again."""
    body = contents(x509.load_der_x509_certificate(W.leaf()).tbs_certificate_bytes)
    assert body.count(old) == 1
    return signed(sequence(body.replace(old, new)), W.issuing_key)


def crl(*ended: Any, old: bytes = b"", new: bytes = b"", unused: bytes = b"\0") -> bytes:
    body = contents(x509.load_der_x509_crl(W.crl(*ended)).tbs_certlist_bytes)
    return signed(sequence(body.replace(old, new, 1)), W.issuing_key, unused)


def pem(octets: bytes) -> bytes:
    body = base64.encodebytes(octets)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def point(prefix: int | None) -> bytes:
    """The device's key with another first octet of its point; compressed if None."""
    public = key("device").public_key()
    info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    plain = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if prefix is None:
        written = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    else:
        written = bytes((prefix,)) + plain[1:]
    algorithm = contents(info).removesuffix(tlv(3, b"\0" + plain))
    return leaf(info, sequence(algorithm, tlv(3, b"\0" + written)))


def hybrid() -> int:
    public = key("device").public_key()
    return 6 | public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[-1] & 1


LEAVES: list[tuple[Callable[[], bytes], str]] = [
    (lambda: leaf(VERSION_3, b""), "version is not 3"),
    (lambda: leaf(VERSION_3, bytes.fromhex("a003020101")), "version is not 3"),
    (lambda: leaf(SERIAL, b"\x02\x01\x00"), "zero"),
    (lambda: leaf(SERIAL, b"\x02\x01\x81"), "negative"),
    (lambda: leaf(SERIAL, b"\x02\x15" + b"\x11" * 21), "21 octets"),
    (lambda: point(hybrid()), "uncompressed"),
    (lambda: point(None), "uncompressed"),
]
LISTS: list[tuple[Callable[[], bytes], Code, str]] = [
    (lambda: crl(old=b"\x02\x01\x01", new=b""), Code.CRL_MALFORMED, "version is not 2"),
    (lambda: crl(unused=b"\x01"), Code.CRL_MALFORMED, "not used"),
    (
        lambda: crl((0x41, END, FLAG.superseded), old=b"\x02\x01\x41", new=b"\x02\x01\x00"),
        Code.CRL_NOT_ACCEPTED,
        "no serial number",
    ),
    (
        lambda: crl((0x41, END, FLAG.superseded), old=b"\x02\x01\x41", new=b"\x02\x01\x81"),
        Code.CRL_NOT_ACCEPTED,
        "no serial number",
    ),
]


def test_the_same_octets_signed_again_are_accepted() -> None:
    """So that what is refused below is refused for what was changed."""
    assert proved(certificate=leaf(VERSION_3, VERSION_3), crls=[crl(), W.root_crl()]).valid
    assert proved(certificate=pem(W.leaf())).valid


@pytest.mark.parametrize(("made", "words"), LEAVES, ids=[words for _, words in LEAVES])
def test_a_certificate_that_is_read_in_two_ways_is_not_read(made: Callable[[], bytes], words: str) -> None:
    verdict = proved(certificate=made())
    assert not verdict.valid
    assert [failure.code for failure in verdict.failures] == [Code.CERTIFICATE_MALFORMED]
    assert words in verdict.failures[0].detail
    assert not proved(certificate=pem(made())).valid


def test_the_points_are_ones_that_the_library_reads() -> None:
    for made in (point(hybrid()), point(None)):
        assert x509.load_der_x509_certificate(made).public_key() == load_der_public_key(
            key("device").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )


@pytest.mark.parametrize(("made", "code", "words"), LISTS, ids=[row[2] for row in LISTS])
def test_a_list_with_such_octets_is_not_accepted(made: Callable[[], bytes], code: Code, words: str) -> None:
    verdict = proved(crls=[made(), W.root_crl()], ocsp=None)
    assert not verdict.valid
    assert any(failure.code is code and words in failure.detail for failure in verdict.failures), verdict.failures


def test_serial_numbers_of_20_octets_are_serial_numbers() -> None:
    longest = (1 << 159) - 1
    assert proved(crls=[W.crl((longest, END, FLAG.superseded)), W.root_crl()], ocsp=None).valid
    assert proved(certificate=W.leaf(serial=longest), ocsp=W.answer(serial=longest)).valid


@pytest.mark.parametrize("extra", ["digital_signature", "key_agreement"])
@pytest.mark.parametrize("whose", ["root_options", "issuing_options"])
def test_a_ca_whose_key_may_do_more_is_not_entitled(whose: str, extra: str) -> None:
    more = usage(key_cert_sign=True, crl_sign=True, **{extra: True})
    options: dict[str, Any] = {whose: {"without": (x509.KeyUsage,), "instead": [(more, True)]}}
    verdict = proved(World(**options))
    assert not verdict.valid
    assert any("alone" in failure.detail for failure in verdict.failures if failure.code is Code.PATH_BROKEN)


def test_a_responder_whose_key_may_do_more_is_not_accepted() -> None:
    more = usage(digital_signature=True, content_commitment=True)
    responder = W.make_responder(without=(x509.KeyUsage,), instead=[(more, True)])
    verdict = proved(ocsp=W.answer(responder=responder))
    assert not verdict.valid
    assert any("more than that" in failure.detail for failure in verdict.failures), verdict.failures


def test_what_an_earlier_release_signed_is_as_good_as_ever() -> None:
    """Its policies were critical, and its lists named, critically, the place that certificates point to."""
    policy = (x509.CertificatePolicies,)
    old = World(issuing_options={"without": policy, "instead": [(W.policy, True)]})
    scope = x509.IssuingDistributionPoint(
        full_name=[uri(old.crl_url)],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    lists = [old.crl(at=NOW, instead=[(scope, True)]), old.root_crl()]
    certificate = old.leaf(without=policy, instead=[(old.policy, True)])
    verdict = proved(old, certificate=certificate, crls=lists)
    assert verdict.valid, verdict.failures
    assert x509.load_der_x509_certificate(der(old.issuing)).extensions.get_extension_for_class(policy[0]).critical
