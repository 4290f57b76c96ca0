"""The profile of an OCSP answer as rules, with the defects that the linters pass over: no nextUpdate, an answer that is
good for too long, producedAt before thisUpdate, a nonce.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from ca.revocation.ocsp import OcspDraft, OcspOrder
from core.errors import Severity
from core.identifiers import serial_number
from core.instants import text
from policy import der
from policy.certificate_rules import OUR_FAULT
from policy.expected import key_hash, own_key_identifier
from policy.ocsp_again import BASIC_RESPONSE, GOOD, HASH_OIDS, REASONS, SUCCESSFUL, public_key_of
from policy.rules import Rule, rule

LONGEST_ANSWER = timedelta(hours=12)
"""From thisUpdate to nextUpdate (design: OCSP); a longer one would outlive a revocation for longer than is promised."""

_UNKNOWN = b"\x82\x00"
_KNOWN = 64
"""Responders whose signature is remembered: an authority has one or two at a time."""

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {"sha1": hashes.SHA1, "sha256": hashes.SHA256}


@dataclass(frozen=True, kw_only=True)
class OcspOrdered:
    """What an answer must say: nothing was read for it.

    Args:
        draft: what is to be signed.
        order: what it must say.
        responder: what will sign the answer.
    """

    draft: OcspDraft
    order: OcspOrder
    responder: x509.Certificate


@dataclass(frozen=True, kw_only=True)
class OcspFacts(OcspOrdered):
    """A draft, read, beside what it must say.

    Args:
        draft, order, responder: see OcspOrdered.
        preview: the same as the draft under a throwaway key, DER.
        answer: the preview, read; a successful response.
        single: what it says about the first, and only, certificate.
        issuer: the CA that issued the certificate asked about.
    """

    preview: bytes
    answer: ocsp.OCSPResponse
    single: ocsp.OCSPSingleResponse
    issuer: x509.Certificate


OcspRule = Rule[OcspFacts]
_Facts = TypeVar("_Facts", bound=OcspOrdered)


def _ocsp(code: str, clause: str) -> Callable[[Callable[[_Facts], Iterator[str]]], Rule[_Facts]]:
    return rule(f"ocsp.{code}", clause, Severity.FATAL, OUR_FAULT)


@_ocsp("draft", "design: sign exactly what was linted")
def _draft(facts: OcspFacts) -> Iterator[str]:
    if facts.answer.tbs_response_bytes != facts.draft.tbs:
        yield "The preview does not show the bytes that are to be signed."


@_ocsp("draft", "design: sign exactly what was linted")
def _draft_ordered(facts: OcspOrdered) -> Iterator[str]:
    if (facts.draft.serial, facts.draft.responder_der) != (facts.order.serial, facts.order.responder_der):
        yield "The draft is for another serial or responder than was ordered."


@_ocsp("signature-algorithm", "RFC 5758 3.2")
def _signature_algorithm(facts: OcspFacts) -> Iterator[str]:
    if facts.answer.signature_algorithm_oid != SignatureAlgorithmOID.ECDSA_WITH_SHA256:
        yield f"The signature algorithm is {facts.answer.signature_algorithm_oid.dotted_string}."


@_ocsp("responder-id", "RFC 6960 4.2.2.3")
def _responder_id(facts: OcspFacts) -> Iterator[str]:
    if facts.answer.responder_key_hash != key_hash(public_key_of(facts.responder), "sha1"):
        yield "The responder is not named by the hash of its key."


@_ocsp("responder-certificate", "RFC 6960 4.2.2.2")
def _responder_certificate(facts: OcspFacts) -> Iterator[str]:
    if facts.answer.certificates != [facts.responder]:
        yield "Not exactly the responder's certificate is embedded."


@_ocsp("responder-delegated", "RFC 6960 4.2.2.2")
def _responder_delegated(facts: OcspFacts) -> Iterator[str]:
    """The responder must be the issuing CA's own: by name, by key identifier, by its signature, by its usage."""
    extensions = facts.responder.extensions
    above = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if facts.responder.issuer != facts.issuer.subject or above != own_key_identifier(facts.issuer):
        yield "The responder was not certified by the CA whose certificate is asked about."
    elif not _signed_by(facts.responder, facts.issuer):
        yield "The CA whose certificate is asked about did not sign the responder's."
    if ExtendedKeyUsageOID.OCSP_SIGNING not in usages:
        yield "The responder may not sign OCSP answers."


@_ocsp("responder-outlived", "RFC 6960 4.2.2.2")
def _responder_outlived(facts: OcspOrdered) -> Iterator[str]:
    if facts.order.this_update < facts.responder.not_valid_before_utc:
        yield "The answer begins before its responder."
    if facts.order.next_update > facts.responder.not_valid_after_utc:
        yield f"The answer lasts until {text(facts.order.next_update)}, longer than its responder."


@_ocsp("certificate-id", "RFC 6960 4.1.1")
def _certificate_id(facts: OcspFacts) -> Iterator[str]:
    name, single = facts.order.hash_name, facts.single
    wanted = (
        serial_number(facts.order.serial),
        hashlib.new(name, facts.issuer.subject.public_bytes(), usedforsecurity=False).digest(),
        key_hash(public_key_of(facts.issuer), name),
    )
    if (single.serial_number, single.issuer_name_hash, single.issuer_key_hash) != wanted:
        yield "The answer is about another certificate than was ordered."
    if not isinstance(single.hash_algorithm, _HASHES[name]):
        yield f"The CertID is hashed with {single.hash_algorithm.name} instead of {name}."


@_ocsp("single-response", "RFC 6960 4.2.1")
def _single_response(facts: OcspFacts) -> Iterator[str]:
    if len(list(facts.answer.responses)) != 1:
        yield "The answer is not about exactly one certificate."


@_ocsp("status", "RFC 6960 4.2.1")
def _status(facts: OcspFacts) -> Iterator[str]:
    revoked, single = facts.order.revoked, facts.single
    found = (single.certificate_status, single.revocation_time_utc, single.revocation_reason)
    wanted = (
        (ocsp.OCSPCertStatus.GOOD, None, None)
        if revoked is None
        else (ocsp.OCSPCertStatus.REVOKED, revoked.at, REASONS[revoked.reason])
    )
    if found != wanted:
        yield "Status, time or reason are not those that were ordered."


@_ocsp("status", "RFC 6960 4.2.1")
def _status_ordered(facts: OcspOrdered) -> Iterator[str]:
    revoked = facts.order.revoked
    if revoked is not None and revoked.serial != facts.order.serial:
        yield "The revocation ordered is another certificate's."
    if revoked is not None and revoked.at > facts.order.this_update:
        yield f"It would be revoked in the future, at {text(revoked.at)}."


@_ocsp("this-update", "RFC 6960 4.2.2.1")
def _this_update(facts: OcspFacts) -> Iterator[str]:
    if facts.single.this_update_utc != facts.order.this_update:
        yield f"thisUpdate is {text(facts.single.this_update_utc)}."


@_ocsp("next-update", "RFC 9919 4.4")
def _next_update(facts: OcspFacts) -> Iterator[str]:
    following = facts.single.next_update_utc
    if following is None:
        yield "There is no nextUpdate."
    elif following != facts.order.next_update:
        yield f"nextUpdate is {text(following)}."


@_ocsp("next-update", "RFC 9919 4.4")
def _next_update_ordered(facts: OcspOrdered) -> Iterator[str]:
    if facts.order.next_update <= facts.order.this_update:
        yield "nextUpdate is not after thisUpdate."


@_ocsp("too-long", "design: OCSP")
def _too_long(facts: OcspOrdered) -> Iterator[str]:
    if facts.order.next_update - facts.order.this_update > LONGEST_ANSWER:
        yield f"The answer would be good from {text(facts.order.this_update)} to {text(facts.order.next_update)}."


@_ocsp("produced-at", "RFC 6960 4.2.2.1")
def _produced_at(facts: OcspFacts) -> Iterator[str]:
    if facts.answer.produced_at_utc != facts.order.this_update:
        yield f"producedAt is {text(facts.answer.produced_at_utc)} and not thisUpdate."


@_ocsp("extension-unexpected", "RFC 9919 3.1.1")
def _extension_unexpected(facts: OcspFacts) -> Iterator[str]:
    """Answers are signed ahead, so there is nothing to extend, and no nonce of whatever size to repeat."""
    alone = len(list(facts.answer.responses)) == 1  # of several the library cannot tell whose extensions are meant
    for extension in (*facts.answer.extensions, *(facts.answer.single_extensions if alone else ())):
        yield f"There is an extension that does not belong there: {extension.oid.dotted_string}."


@_ocsp("encoding", "X.690 10, 11.5")
def _encoding(facts: OcspFacts) -> Iterator[str]:
    """Finds what readers forgive in the whole answer: NULL parameters, a boolean that is neither, spare elements."""
    # Of several answers, or under another hash, other rules tell; the library cannot read them all.
    told = len(list(facts.answer.responses)) != 1 or facts.single.hash_algorithm.name not in HASH_OIDS
    if not told and _rewritten(facts) != facts.preview:
        yield "Written again from what was read, the answer is not the same octets."


ORDERED_RULES: tuple[Rule[OcspOrdered], ...] = (
    _draft_ordered,
    _responder_outlived,
    _status_ordered,
    _next_update_ordered,
    _too_long,
)
"""What an answer may not say, whatever its shape: judged for each."""

OCSP_RULES: tuple[OcspRule, ...] = (
    *ORDERED_RULES,
    _draft,
    _signature_algorithm,
    _responder_id,
    _responder_certificate,
    _responder_delegated,
    _certificate_id,
    _single_response,
    _status,
    _this_update,
    _next_update,
    _produced_at,
    _extension_unexpected,
    _encoding,
)


@lru_cache(maxsize=_KNOWN)
def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key made the signature; asked once for each responder, and not for each of its answers."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _rewritten(facts: OcspFacts) -> bytes:
    """The OCSPResponse written from what was read (RFC 6960, 4.2.1), in the one form that an answer of ours has."""
    answer, single = facts.answer, facts.single
    digest = der.sequence(der.oid(HASH_OIDS[single.hash_algorithm.name]))
    identifier = der.sequence(
        digest,
        der.octets(single.issuer_name_hash),
        der.octets(single.issuer_key_hash),
        der.integer(single.serial_number),
    )
    following = single.next_update_utc
    response = der.sequence(
        identifier,
        _rewritten_status(single),
        der.generalized_time(single.this_update_utc),
        b"" if following is None else der.tlv(der.CONTEXT_0, der.generalized_time(following)),
        _rewritten_extensions(answer.single_extensions),
    )
    tbs = der.sequence(
        _rewritten_responder(answer),
        der.generalized_time(answer.produced_at_utc),
        der.sequence(response),
        _rewritten_extensions(answer.extensions),
    )
    certificates = der.sequence(*(each.public_bytes(Encoding.DER) for each in answer.certificates))
    basic = der.sequence(
        tbs,
        der.sequence(der.oid(answer.signature_algorithm_oid)),
        der.tlv(der.BIT_STRING, b"\x00" + answer.signature),
        der.tlv(der.CONTEXT_0, certificates) if answer.certificates else b"",
    )
    whole = der.sequence(der.oid(BASIC_RESPONSE), der.octets(basic))
    return der.sequence(SUCCESSFUL, der.tlv(der.CONTEXT_0, whole))


def _rewritten_responder(answer: ocsp.OCSPResponse) -> bytes:
    if answer.responder_name is not None:
        return der.tlv(der.CONTEXT_1, answer.responder_name.public_bytes())
    return der.tlv(der.CONTEXT_2, der.octets(answer.responder_key_hash or b""))


def _rewritten_status(single: ocsp.OCSPSingleResponse) -> bytes:
    if single.revocation_time_utc is None:
        return GOOD if single.certificate_status is ocsp.OCSPCertStatus.GOOD else _UNKNOWN
    reason = b"" if single.revocation_reason is None else x509.CRLReason(single.revocation_reason).public_bytes()
    explained = der.tlv(der.CONTEXT_0, reason) if reason else b""
    return der.tlv(der.CONTEXT_1, der.generalized_time(single.revocation_time_utc) + explained)


def _rewritten_extensions(extensions: x509.Extensions) -> bytes:
    each = [der.extension(one.oid, one.value.public_bytes(), critical=one.critical) for one in extensions]
    return der.tlv(der.CONTEXT_1, der.sequence(*each)) if each else b""
