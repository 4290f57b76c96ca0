"""The lint before every signature, and the only place where a Clearance is made.

Each kind of draft is read by `cryptography`, judged by our own rules, row by row of the profile, and by pkilint; any
finding at WARNING or above refuses. What comes out is either the witness for exactly these bytes or the findings.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import ocsp

from ca.clearance import Clearance, ClearanceKind
from ca.draft import Draft
from ca.issuer.order import Order
from ca.profile import Profile
from ca.revocation.crl import CrlDraft, CrlOrder
from ca.revocation.ocsp import OcspAnswer, OcspDraft, OcspOrder
from core.errors import Finding, Severity
from core.kinds import HierarchyRole
from policy import ocsp_again as again
from policy import pkix
from policy.certificate_rules import HIERARCHY_RULES, OUR_FAULT, TRIAL_RULES, CertificateFacts
from policy.crl_rules import ENTRY_RULES, STRUCTURE_RULES, CrlFacts, CrlShape, crl_shape
from policy.expected import expected_certificate, expected_hierarchy
from policy.linted import Linted
from policy.ocsp_rules import OCSP_RULES, ORDERED_RULES, OcspFacts, OcspOrdered
from policy.rules import judge

LONGEST_LINTED_CRL = 250
"""Entries. pkilint takes about a millisecond for each; a longer list is judged by its structure, and the publish gate
reads its entries back one by one and writes them again."""

# pkilint knows a root by its signature, and the preview's is a throwaway key's; that a root names no key above its
# own is a rule of ours (extension-unexpected), and the signer checks that its key is the root's.
_NOT_OF_A_PREVIEW = ("lint.pkix.authority_key_identifier_extension_absent",)

_KNOWN = 16
_Facts = TypeVar("_Facts")


def clear_certificate(
    draft: Draft, order: Order, profile: Profile, *, stored: bool = False
) -> Clearance | tuple[Finding, ...]:
    """Judge the draft of a Trial CPA Certificate.

    Args:
        draft: the bytes to be signed, with their preview.
        order: what they must say.
        profile: the authority's.
        stored: whether they come from the store, where an officer accepted them, perhaps under an earlier release: then
            their policies may be critical (docs/adr/0020).

    Returns:
        The witness for exactly these bytes, or everything that is wrong with them.
    """

    def facts() -> CertificateFacts:
        issuer = _authority(order.issuer)
        certificate = _read(draft.preview)
        return CertificateFacts(
            draft=draft,
            certificate=certificate,
            expected=expected_certificate(order, profile, issuer, stored=stored),
            profile=profile,
            issuer=issuer,
            order=order,
        )

    return _cleared(
        ClearanceKind.CERTIFICATE,
        draft.digest,
        (
            *_read_and_judged(facts, lambda read: judge(TRIAL_RULES, read)),
            *pkix.lint_certificate(draft.preview),
        ),
    )


def clear_hierarchy(
    draft: Draft,
    role: HierarchyRole,
    profile: Profile,
    issuer_der: bytes | None,
    *,
    at: datetime,
    stored: bool = False,
) -> Clearance | tuple[Finding, ...]:
    """Judge the draft of a root, an issuing CA, an OCSP responder or a statement signer.

    Args:
        draft: the bytes to be signed, with their preview.
        role: its place in the hierarchy.
        profile: the authority's.
        issuer_der: the certificate of what will sign it; None for the root.
        at: the instant at which it was drafted.
        stored: whether it comes from the store: then its policies may be critical, as those of an earlier release were.

    Returns:
        The witness for exactly these bytes, or everything that is wrong with them.
    """

    def facts() -> CertificateFacts:
        issuer = None if issuer_der is None else _authority(issuer_der)
        if (issuer is None) != (role is HierarchyRole.ROOT):
            raise ValueError("the root, and nothing else, has no issuer")
        certificate = _read(draft.preview)
        expected = expected_hierarchy(certificate, role, profile, issuer, stored=stored)
        return CertificateFacts(
            draft=draft, certificate=certificate, expected=expected, profile=profile, issuer=issuer, role=role, at=at
        )

    findings = [*_read_and_judged(facts, lambda read: judge(HIERARCHY_RULES, read))]
    linted = pkix.lint_certificate(draft.preview)
    findings += [
        finding for finding in linted if role is not HierarchyRole.ROOT or finding.code not in _NOT_OF_A_PREVIEW
    ]
    if issuer_der is not None:
        findings += pkix.lint_chain(issuer_der, draft.preview, signed=False)
    return _cleared(ClearanceKind.CERTIFICATE, draft.digest, tuple(findings))


def clear_crl(draft: CrlDraft, order: CrlOrder, linted: Linted) -> Clearance | tuple[Finding, ...]:
    """Judge the draft of a CRL. Left to the publish gate: the entries against the register and the list before.

    Every short one is judged by every rule, and written again; by pkilint the first of its shape (docs/adr/0045).

    Args:
        draft: the bytes to be signed.
        order: what they must say; its entries are not read again.
        linted: the shapes of which a list was judged whole; this one's is added if nothing is found.

    Returns:
        The witness for exactly these bytes, or everything that is wrong with them.
    """
    preview = draft.preview
    short = draft.entries <= LONGEST_LINTED_CRL
    rules = (*STRUCTURE_RULES, *ENTRY_RULES) if short else STRUCTURE_RULES

    def facts() -> CrlFacts:
        return CrlFacts(
            draft=draft,
            preview=preview,
            crl=x509.load_der_x509_crl(preview),
            order=order,
            issuer=_authority(order.issuer_der),
        )

    shape: CrlShape | None = None  # of what a rule has something against there is none

    def judged(read: CrlFacts) -> tuple[Finding, ...]:
        nonlocal shape
        found = judge(rules, read)
        shape = crl_shape(read) if short and not found else None
        return found

    findings = _read_and_judged(facts, judged)
    if short and (shape is None or shape not in linted):
        findings = (*findings, *pkix.lint_crl(preview))
    cleared = _cleared(ClearanceKind.CRL, draft.digest, findings)
    if isinstance(cleared, Clearance) and shape is not None:
        linted.add(shape)
    return cleared


def clear_ocsp(draft: OcspDraft, order: OcspOrder, linted: Linted) -> Clearance | tuple[Finding, ...]:
    """Judge the draft of an OCSP answer: whole, if it is the first of its shape (docs/adr/0043).

    Of every answer, what is ordered must be allowed, and the draft must be the octets that follow from it.

    Args:
        draft: the bytes to be signed.
        order: what they must say.
        linted: the shapes of which an answer was judged whole; this one's is added if nothing is found.

    Returns:
        The witness for exactly these bytes, or everything that is wrong with them.
    """

    def ordered() -> tuple[OcspOrdered, bytes]:
        facts = OcspOrdered(draft=draft, order=order, responder=_authority(order.responder_der))
        return facts, again.to_be_signed(order)

    shape = again.shape(order)
    findings = _read_and_judged(ordered, lambda read: (*_agreed(draft.tbs, read[1]), *judge(ORDERED_RULES, read[0])))
    if findings or shape not in linted:
        findings = _judged_whole(draft, order) or findings
    cleared = _cleared(ClearanceKind.OCSP, draft.digest, findings)
    if isinstance(cleared, Clearance):
        linted.add(shape)
    return cleared


def inspect_ocsp(answer: OcspAnswer, order: OcspOrder) -> tuple[Finding, ...]:
    """Return what speaks against letting a signed answer out: that it is not, octet by octet, what it must be.

    Args:
        answer: as it was signed.
        order: what it must say.
    """
    return _agreed(answer.der, again.response(order, answer.signature))


def _judged_whole(draft: OcspDraft, order: OcspOrder) -> tuple[Finding, ...]:
    preview = draft.preview

    def facts() -> OcspFacts:
        answer = ocsp.load_der_ocsp_response(preview)
        single = next(iter(answer.responses))
        return OcspFacts(
            draft=draft,
            preview=preview,
            answer=answer,
            single=single,
            order=order,
            issuer=_authority(order.issuer_der),
            responder=_authority(order.responder_der),
        )

    return (*_read_and_judged(facts, lambda read: judge(OCSP_RULES, read)), *pkix.lint_ocsp(preview))


def _agreed(octets: bytes, expected: bytes) -> tuple[Finding, ...]:
    if octets == expected:
        return ()
    detail = "Written again from what was ordered, the answer is not the same octets."
    return (Finding(code="ocsp.encoding", clause="X.690 10", severity=Severity.FATAL, detail=detail, remedy=OUR_FAULT),)


@lru_cache(maxsize=_KNOWN)
def _authority(der: bytes) -> x509.Certificate:
    """A certificate of the hierarchy, read once: there is a handful of them."""
    return _read(der)


def _read(der: bytes) -> x509.Certificate:
    """Read all of a certificate now: the library reads extensions and key when they are asked for."""
    certificate = x509.load_der_x509_certificate(der)
    certificate.public_key()
    list(certificate.extensions)
    return certificate


def _read_and_judged(
    read: Callable[[], _Facts], judged: Callable[[_Facts], tuple[Finding, ...]]
) -> tuple[Finding, ...]:
    try:
        facts = read()
    except (
        StopIteration,
        ValueError,
        TypeError,
        NotImplementedError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        detail = f"The draft cannot be read ({type(error).__name__}: {error})."
        return (
            Finding(
                code="profile.unreadable",
                clause="RFC 5280 4.1",
                severity=Severity.FATAL,
                detail=detail,
                remedy=OUR_FAULT,
            ),
        )
    return judged(facts)


def _cleared(kind: ClearanceKind, digest: bytes, findings: tuple[Finding, ...]) -> Clearance | tuple[Finding, ...]:
    """Mint the witness, the only one that there is, unless something at WARNING or above was found."""
    blocking = tuple(finding for finding in findings if finding.severity is not Severity.NOTICE)
    return blocking or Clearance(kind, digest)
