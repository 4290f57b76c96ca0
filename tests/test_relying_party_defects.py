"""Each single thing that can be wrong with the evidence is found, by name, by the offline verifier."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.relying_party_world import (
    AFTER,
    BASE,
    ECDSA_SHA256,
    END,
    EXPIRY,
    FLAG,
    HOUR,
    IMAGE,
    LIVE_ARC,
    LONG,
    NOW,
    SECOND,
    START,
    W,
    World,
    authority_key,
    der,
    other_key,
    pointer,
    proved,
    sequence,
    statement,
    tlv,
    uri,
    usage,
    with_answer,
    with_crl,
    with_leaf,
)
from verify.kit.evidence.verdict import Code
from verify.kit.status import State


def critical(*extra: Any) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True), *extra]


def scope(**changes: Any) -> x509.IssuingDistributionPoint:
    options = {"full_name": [uri(W.crl_url)], "relative_name": None, "only_some_reasons": None}
    limits = ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs")
    return x509.IssuingDistributionPoint(**options | dict.fromkeys(limits, False) | changes)


def without(*kinds: type) -> dict[str, Any]:
    return {"without": kinds}


BC, KU, EKU = x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage
CDP, AKI, SAN = x509.CRLDistributionPoints, x509.AuthorityKeyIdentifier, x509.SubjectAlternativeName


def swapped(kind: Any, value: Any, *, is_critical: bool) -> dict[str, Any]:
    return {"without": (kind,), "instead": [(value, is_critical)]}


def scoped(value: Any, *, is_critical: bool) -> dict[str, Any]:
    return {"instead": [(value, is_critical)]}


def said(**changes: Any) -> dict[str, Any]:
    return with_leaf(said=statement(**changes))


SOME = frozenset({FLAG.key_compromise})
REASON = x509.ObjectIdentifier("2.5.29.21")


def utc_time(at: datetime) -> bytes:
    return tlv(0x17, f"{at:%y%m%d%H%M%S}Z".encode())


def ending(next_update: bytes) -> bytes:
    """The list with another nextUpdate, or none, which no builder makes."""
    signed = x509.load_der_x509_crl(W.crl()).tbs_certlist_bytes
    body = signed[3 if signed[1] == 0x81 else 4 :]
    tbs = sequence(body.replace(utc_time(NOW + 48 * HOUR), next_update, 1))
    signature = W.issuing_key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return sequence(tbs, sequence(ECDSA_SHA256), tlv(3, b"\0" + signature))


P521 = ec.generate_private_key(ec.SECP521R1())

BROKEN = [
    # 1, 2: what is read, and the path
    (lambda: {"certificate": b"nonsense"}, Code.CERTIFICATE_MALFORMED, ""),
    (lambda: {"certificate": W.leaf() + b"\0"}, Code.CERTIFICATE_MALFORMED, ""),
    (lambda: {"certificate": b"\0" * 300_000}, Code.CERTIFICATE_MALFORMED, "larger"),
    (lambda: {"anchor": b"nonsense"}, Code.ANCHOR_MALFORMED, ""),
    (lambda: {"issuers": [b"nonsense"]}, Code.ISSUER_MALFORMED, ""),
    (lambda: {"issuers": []}, Code.ISSUER_NOT_FOUND, ""),
    (lambda: with_leaf(signer=other_key()), Code.ISSUER_NOT_FOUND, ""),
    (
        lambda: {"anchor": der(W.authority(W.root_name, W.root_name, W.root_key, other_key(), 1, []))},
        Code.PATH_BROKEN,
        "does not sign itself",
    ),
    (lambda: {"anchor": der(W.issuing)}, Code.PATH_BROKEN, "did not sign the issuing CA"),
    (lambda: with_leaf(end=datetime(2035, 1, 1, tzinfo=UTC)), Code.PATH_BROKEN, "outlives its issuing"),
    (
        lambda: with_leaf(**swapped(AKI, authority_key(other_key().public_key()), is_critical=False)),
        Code.PATH_BROKEN,
        "another key",
    ),
    # 3: the profile
    (lambda: with_leaf(**without(x509.CertificatePolicies)), Code.PROFILE_BROKEN, "policy"),
    (lambda: with_leaf(instead=critical()), Code.PROFILE_BROKEN, "1.2.3.4"),
    (lambda: with_leaf(**swapped(BC, BC(ca=True, path_length=None), is_critical=True)), Code.PROFILE_BROKEN, "no CA"),
    (lambda: with_leaf(**swapped(BC, BC(ca=False, path_length=None), is_critical=False)), Code.PROFILE_BROKEN, "no CA"),
    (
        lambda: with_leaf(**swapped(KU, usage(digital_signature=True, crl_sign=True), is_critical=True)),
        Code.PROFILE_BROKEN,
        "key usage",
    ),
    (lambda: with_leaf(**without(EKU)), Code.PROFILE_BROKEN, "extended key usage"),
    (
        lambda: with_leaf(**swapped(EKU, EKU([x509.ObjectIdentifier("2.5.29.37.0")]), is_critical=False)),
        Code.PROFILE_BROKEN,
        "ext",
    ),
    (lambda: with_leaf(**without(CDP)), Code.PROFILE_BROKEN, "one place"),
    (lambda: with_leaf(**without(x509.AuthorityInformationAccess)), Code.PROFILE_BROKEN, "where OCSP"),
    (lambda: with_leaf(curve_key=ec.generate_private_key(ec.SECP521R1())), Code.PROFILE_BROKEN, "P-256"),
    (lambda: with_leaf(curve_key=ed25519.Ed25519PrivateKey.generate()), Code.PROFILE_BROKEN, "P-256"),
    (lambda: {"arc": "1.3.6.1.4.1.4242"}, Code.PROFILE_BROKEN, "policy"),
    # 4: the statement
    (lambda: with_leaf(**without(x509.UnrecognizedExtension)), Code.STATEMENT_MALFORMED, "no TrialDeviceApproval"),
    (lambda: with_leaf(said=statement() + b"\0"), Code.STATEMENT_MALFORMED, "too many"),
    (lambda: said(version=2), Code.STATEMENT_MALFORMED, "version 2"),
    (lambda: said(identifier="TDT-2027-0042-6"), Code.STATEMENT_MALFORMED, "identifier"),
    (lambda: said(identifier="TDT2027 00425"), Code.STATEMENT_MALFORMED, "canonical"),
    (lambda: said(issue=0), Code.STATEMENT_MALFORMED, "issue is 0"),
    (lambda: said(maximum=0), Code.STATEMENT_MALFORMED, "maximumDevices is 0"),
    (lambda: said(firmware=()), Code.STATEMENT_MALFORMED, "no firmware"),
    (lambda: said(firmware=[("ab", IMAGE), ("AB", IMAGE)]), Code.STATEMENT_MALFORMED, "twice"),
    (lambda: said(firmware=[("ab", IMAGE[:31])]), Code.STATEMENT_MALFORMED, "31 octets"),
    (lambda: said(device=("ESME", "AB01", "", "01")), Code.STATEMENT_MALFORMED, "empty"),
    (lambda: said(identifier="TDT-2027-0043-3"), Code.STATEMENT_CONTRADICTS, "serialNumber"),
    (lambda: with_leaf(common="AB01 010A030B 02"), Code.STATEMENT_CONTRADICTS, "common name"),
    (lambda: with_leaf(common="TDT-2027-0042-5"), Code.STATEMENT_CONTRADICTS, "common name"),
    (lambda: said(device=LONG), Code.STATEMENT_CONTRADICTS, "common name"),
    (lambda: with_leaf(end=EXPIRY - SECOND), Code.STATEMENT_CONTRADICTS, "ends at"),
    (lambda: with_leaf(end=EXPIRY + SECOND), Code.STATEMENT_CONTRADICTS, "ends at"),
    (lambda: with_leaf(begin=START + SECOND), Code.STATEMENT_CONTRADICTS, "first issue"),
    (lambda: with_leaf(said=statement(issue=2), begin=START - SECOND), Code.STATEMENT_CONTRADICTS, "later issue"),
    (lambda: said(start=EXPIRY + SECOND), Code.STATEMENT_CONTRADICTS, "starts after"),
    (
        lambda: with_leaf(**swapped(SAN, SAN([uri(f"{BASE}/approvals/x")]), is_critical=False)),
        Code.STATEMENT_CONTRADICTS,
        "page",
    ),
    # 5: the list
    (lambda: {"crls": [b"nonsense"]}, Code.CRL_MALFORMED, ""),
    (lambda: {"crls": [W.root_crl()]}, Code.CRL_MISSING, "missing"),
    (lambda: with_crl(signer=other_key()), Code.CRL_NOT_ACCEPTED, "did not sign"),
    (lambda: with_crl(**without(x509.CRLNumber)), Code.CRL_NOT_ACCEPTED, "no number"),
    (lambda: with_crl(instead=critical()), Code.CRL_NOT_ACCEPTED, "1.2.3.4"),
    (lambda: with_crl(instead=[(x509.DeltaCRLIndicator(1), True)]), Code.CRL_NOT_ACCEPTED, "delta"),
    (lambda: with_crl(**scoped(scope(), is_critical=False)), Code.CRL_NOT_ACCEPTED, "critically which certificates"),
    (
        lambda: with_crl(**scoped(scope(only_contains_ca_certs=True), is_critical=True)),
        Code.CRL_NOT_ACCEPTED,
        "something else",
    ),
    (
        lambda: with_crl(**scoped(scope(full_name=[uri(BASE)]), is_critical=True)),
        Code.CRL_NOT_ACCEPTED,
        "something else",
    ),
    (
        lambda: {
            **with_leaf(**swapped(CDP, pointer(BASE), is_critical=False)),
            **with_crl(**scoped(scope(), is_critical=True)),
        },
        Code.CRL_NOT_ACCEPTED,
        "something else",
    ),
    (
        lambda: with_crl(**scoped(scope(only_contains_user_certs=True), is_critical=True)),
        Code.CRL_NOT_ACCEPTED,
        "something else",
    ),
    (
        lambda: with_crl(**scoped(scope(only_contains_attribute_certs=True), is_critical=True)),
        Code.CRL_NOT_ACCEPTED,
        "something else",
    ),
    (
        lambda: with_crl(**scoped(scope(indirect_crl=True), is_critical=True)),
        Code.CRL_NOT_ACCEPTED,
        "something else",
    ),
    (
        lambda: with_crl(**scoped(scope(only_some_reasons=SOME), is_critical=True)),
        Code.CRL_NOT_ACCEPTED,
        "something else",
    ),
    (lambda: with_crl((END, critical()[0][0])), Code.CRL_NOT_ACCEPTED, "has critical extension 1.2.3.4"),
    (lambda: with_crl((END, x509.UnrecognizedExtension(REASON, b"\xff"))), Code.CRL_NOT_ACCEPTED, "cannot be read"),
    (lambda: {"crls": [ending(b"")]}, Code.CRL_NOT_ACCEPTED, "until when"),
    (lambda: {"crls": [ending(utc_time(NOW - SECOND))]}, Code.CRL_NOT_ACCEPTED, "ends before it begins"),
    (lambda: with_crl(**without(AKI)), Code.CRL_NOT_ACCEPTED, "another key"),
    (lambda: with_crl((NOW + SECOND, FLAG.superseded)), Code.CRL_NOT_ACCEPTED, "after the list itself"),
    (lambda: with_crl((END, FLAG.remove_from_crl)), Code.CRL_NOT_ACCEPTED, "removeFromCRL"),
    # … and any other entry of it (RFC 5280, 5.3)
    (lambda: with_crl((99, END, critical()[0][0])), Code.CRL_NOT_ACCEPTED, "63 has critical extension 1.2.3.4"),
    (lambda: with_crl((99, END, x509.UnrecognizedExtension(REASON, b"\xff"))), Code.CRL_NOT_ACCEPTED, "cannot be read"),
    (lambda: with_crl((99, NOW + SECOND, FLAG.superseded)), Code.CRL_NOT_ACCEPTED, "63 is dated"),
    (lambda: with_crl((99, END, FLAG.remove_from_crl)), Code.CRL_NOT_ACCEPTED, "63 says removeFromCRL"),
    (
        lambda: with_crl((99, END, FLAG.superseded), (99, END, FLAG.superseded)),
        Code.CRL_NOT_ACCEPTED,
        "63 is there twice",
    ),
    # 6: the answer
    (lambda: {"ocsp": b"nonsense"}, Code.OCSP_MALFORMED, ""),
    (lambda: {"ocsp": bytes.fromhex("30030a0103")}, Code.OCSP_NOT_ACCEPTED, "try_later"),
    (lambda: with_answer(embed=False), Code.OCSP_NOT_ACCEPTED, "no certificate of its responder"),
    (lambda: with_answer(signer=other_key()), Code.OCSP_NOT_ACCEPTED, "signature is wrong"),
    (lambda: with_answer(responder=W.make_responder(signer=other_key())), Code.OCSP_NOT_ACCEPTED, "did not sign its"),
    (lambda: with_answer(responder=W.make_responder(**without(EKU))), Code.OCSP_NOT_ACCEPTED, "OCSPSigning"),
    (lambda: with_answer(responder=W.make_responder(**without(x509.OCSPNoCheck))), Code.OCSP_NOT_ACCEPTED, "nocheck"),
    (lambda: with_answer(responder=W.make_responder(**without(KU))), Code.OCSP_NOT_ACCEPTED, "may not sign"),
    (lambda: with_answer(responder=W.make_responder(**without(AKI))), Code.OCSP_NOT_ACCEPTED, "another key"),
    (
        lambda: with_answer(responder=W.make_responder(instead=critical())),
        Code.OCSP_NOT_ACCEPTED,
        "its responder has a critical",
    ),
    (lambda: with_answer(responder=W.make_responder(end=NOW - SECOND)), Code.OCSP_NOT_ACCEPTED, "when it was made"),
    (
        lambda: {**with_answer(at=NOW - HOUR, responder=W.make_responder(end=NOW - SECOND))},
        Code.OCSP_NOT_ACCEPTED,
        "is not valid at",
    ),
    (
        lambda: with_answer(responder=W.make_responder(instead=[(BC(ca=True, path_length=None), True)])),
        Code.OCSP_NOT_ACCEPTED,
        "its responder is a CA",
    ),
    (lambda: with_answer(responder=W.make_responder(mark="")), Code.OCSP_NOT_ACCEPTED, "the other environment"),
    (
        lambda: with_answer(responder=W.make_responder(own=P521), signer=P521),
        Code.OCSP_NOT_ACCEPTED,
        "of a kind that is not used",
    ),
    (lambda: with_answer(ended="unknown"), Code.OCSP_NOT_ACCEPTED, "does not know"),
    (lambda: with_answer(hash_name="sha384"), Code.OCSP_NOT_ACCEPTED, "neither SHA-1 nor SHA-256"),
    (
        lambda: with_answer(issuer=W.root, issuer_key=W.issuing_key.public_key()),
        Code.OCSP_NOT_ACCEPTED,
        "another certificate",
    ),
    (lambda: with_answer(issuer_key=W.root_key.public_key()), Code.OCSP_NOT_ACCEPTED, "another certificate"),
    (lambda: with_answer(serial=99), Code.OCSP_NOT_ACCEPTED, "another certificate"),
    (lambda: with_answer(issuer=W.root), Code.OCSP_NOT_ACCEPTED, "another certificate"),
    (lambda: with_answer(until="never"), Code.OCSP_NOT_ACCEPTED, "until when"),
    (lambda: with_answer(until=NOW + timedelta(days=40)), Code.OCSP_NOT_ACCEPTED, "claims to hold"),
    (lambda: with_answer(made=NOW - SECOND), Code.OCSP_NOT_ACCEPTED, "made before"),
    (lambda: with_answer(at=EXPIRY - HOUR, until=AFTER), Code.OCSP_NOT_ACCEPTED, "beyond the certificate's end"),
    (lambda: with_answer(ended=(NOW + SECOND, 9)), Code.OCSP_NOT_ACCEPTED, "had not come"),
    (
        lambda: with_answer(single_extensions=sequence(tlv(6, b"\x2a\3\4"), tlv(1, b"\xff"), tlv(4, b"\5\0"))),
        Code.OCSP_NOT_ACCEPTED,
        "1.2.3.4",
    ),
    (lambda: with_answer(at=NOW - 13 * HOUR), Code.OCSP_NOT_CURRENT, "does not speak"),
    (lambda: with_answer(ended=(END, 9)), Code.SOURCES_DISAGREE, "no end"),
    (lambda: {"crls": [W.crl((END, FLAG.superseded)), W.root_crl()]}, Code.SOURCES_DISAGREE, "no end"),
    (
        lambda: {"crls": [W.crl((END, FLAG.superseded)), W.root_crl()], **with_answer(ended=(END, 9))},
        Code.SOURCES_DISAGREE,
        "privilege_withdrawn",
    ),
    (
        lambda: {"crls": [W.crl((END, FLAG.superseded), at=END), W.crl(), W.root_crl()], "ocsp": None},
        Code.SOURCES_DISAGREE,
        "no end",
    ),
    # 7: the root's list
    (lambda: {"crls": [W.crl()]}, Code.ROOT_CRL_MISSING, "missing"),
    (lambda: {"crls": [W.crl(), W.root_crl(signer=other_key())]}, Code.CRL_NOT_ACCEPTED, "did not sign"),
    (lambda: {"crls": [W.crl(), W.root_crl(instead=[(scope(), True)])]}, Code.CRL_NOT_ACCEPTED, "limits its scope"),
    (lambda: {"crls": [W.crl(), W.root_crl(until=NOW - SECOND)]}, Code.CRL_NOT_CURRENT, "root's list"),
    (lambda: {"crls": [W.crl(), W.root_crl((END, FLAG.key_compromise), at=END)]}, Code.ISSUER_REVOKED, "revoked"),
]


@pytest.mark.parametrize(("change", "code", "words"), BROKEN, ids=[f"{row[1]} {row[2]}" for row in BROKEN])
def test_each_single_thing_that_is_wrong_is_named(change: Callable[[], dict[str, Any]], code: Code, words: str) -> None:
    verdict = proved(**change())
    assert not verdict.valid
    assert any(failure.code is code and words in failure.detail for failure in verdict.failures), verdict.failures
    assert not verdict.proved


HIERARCHIES = [
    ({"root_options": without(BC)}, Code.PATH_BROKEN, "Root: it is no CA"),
    ({"issuing_options": without(BC)}, Code.PATH_BROKEN, "Issuing CA: it is no CA"),
    (
        {"issuing_options": swapped(BC, BC(ca=True, path_length=1), is_critical=True)},
        Code.PATH_BROKEN,
        "path length is 1",
    ),
    ({"issuing_options": swapped(KU, usage(digital_signature=True), is_critical=True)}, Code.PATH_BROKEN, "keyUsage"),
    ({"issuing_options": {"instead": [(EKU([x509.ObjectIdentifier("1.2.3")]), False)]}}, Code.PATH_BROKEN, "extended"),
    ({"issuing_options": without(x509.SubjectKeyIdentifier)}, Code.PATH_BROKEN, "no subject key identifier"),
    ({"issuing_options": {"instead": critical()}}, Code.PATH_BROKEN, "1.2.3.4"),
    ({"issuing_options": without(x509.CertificatePolicies)}, Code.PATH_BROKEN, "policy"),
    ({"issuing_options": without(AKI)}, Code.PATH_BROKEN, "another key than the root's"),
    ({"issuing_options": {"end": datetime(2060, 1, 1, tzinfo=UTC)}}, Code.PATH_BROKEN, "outlives the root"),
    ({"issuing_options": {"begin": NOW + SECOND}}, Code.ISSUER_NOT_VALID_THEN, "issuing CA is not valid"),
    ({"root_options": {"end": NOW - SECOND}}, Code.ISSUER_NOT_VALID_THEN, "root is not valid"),
    ({"mark": ""}, Code.ENVIRONMENT_MIXED, "not one of a test authority"),
    ({"environment": "live", "mark": ""}, Code.ENVIRONMENT_MIXED, "documentation"),
    ({"environment": "live", "arc": LIVE_ARC}, Code.ENVIRONMENT_MIXED, "not one of a live authority"),
]


@pytest.mark.parametrize(("options", "code", "words"), HIERARCHIES, ids=[row[2] for row in HIERARCHIES])
def test_a_hierarchy_that_is_not_entitled_proves_nothing(options: Any, code: Code, words: str) -> None:
    verdict = proved(World(**options))
    assert not verdict.valid
    assert verdict.state is State.UNKNOWN
    assert any(failure.code is code and words in failure.detail for failure in verdict.failures), verdict.failures
