"""What a service shows of a decision is recomputed from its bytes before an officer signs for it.

Digests are of the bytes at hand, never those that the service names. The certificate is read from the very bytes that
would be signed, by the relying party's reader, and has to say what the proposal says.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from ca import der as write
from core.canonical import digest
from core.errors import KeysOfTwo, ShownOtherwise
from core.identifiers import serial_of
from core.instants import text
from core.words import counted
from officers.restore import CertificateAgain
from officers.statement import Listed, approvals_digest
from ra.deciding.views import DecisionAnswer, DraftAnswer
from ra.views import view_of
from verify.kit.evidence.certified import arc_of, compared, key_sha256
from verify.kit.evidence.der import DerMalformed
from verify.kit.evidence.parsing import Unreadable, one_certificate
from verify.kit.evidence.profile import agreement_failures, environment_failures, profile_failures, statement_value
from verify.kit.evidence.statement import Statement, decode
from verify.kit.terminal import harmless

_NAMES = {NameOID.SERIAL_NUMBER: "serialNumber"}
"""Of what RFC 4514 has no name for and would show as numbers."""

_WORDS = 200
"""Characters of a value that a refusal repeats."""


@dataclass(frozen=True, kw_only=True)
class Recomputed:
    """A decision as its bytes have it.

    Args:
        listed: the decision with the digests of its proposal and of the bytes to be signed.
        certificates: what the bytes to be signed say, by name, in order of issue; empty where there are none.
    """

    listed: Listed
    certificates: Sequence[Sequence[tuple[str, object]]] = ()


def read(octets: bytes | str) -> DecisionAnswer:
    """Return a decision as a service answered with it; ValueError if it is none."""
    return view_of(DecisionAnswer, octets)


def recomputed(said: DecisionAnswer) -> Recomputed:
    """Return a decision as its bytes have it.

    Args:
        said: as the service shows it.

    Raises:
        ShownOtherwise: the proposal, its digest, the bytes to be signed and what is shown of them do not agree.
    """
    try:
        proposal_sha256 = digest(said.proposal).hex()
    except ValueError as error:
        raise ShownOtherwise(subject=said.decision, detail=f"its proposal has no digest ({error})") from None
    _require(said.decision, "its proposal's digest", proposal_sha256, said.proposal_sha256)
    _require(said.decision, "its kind", said.proposal.get("kind"), said.kind.value)
    for name in ("approval", "application"):
        if name in said.proposal:
            _require(said.decision, f"its {name}", said.proposal[name], getattr(said, name))
    _require_listed(said)
    drafts = said.drafts or (() if said.draft is None else (said.draft,))  # a service of before says one
    if not drafts:
        _require(said.decision, "the digest of bytes to be signed", None, said.tbs_sha256)
        return Recomputed(listed=Listed(decision=said.decision, proposal_sha256=proposal_sha256))
    _require(said.decision, "the first draft", drafts[0], said.draft)
    proposed = [said.proposal, *(said.proposal.get("carried") or ())]
    _require(said.decision, "the number of certificates to be signed", len(drafts), len(proposed))
    digests, words = [], []
    for draft, proposal in zip(drafts, proposed, strict=True):
        tbs = _tbs(said, draft)
        certificate, statement = _read(said.decision, tbs)
        for name, in_bytes, wanted in compared(certificate, statement, proposal, proposal_sha256):
            _require(said.decision, name, in_bytes, wanted)
        digests.append(hashlib.sha256(tbs).hexdigest())
        words.append(_words(certificate, statement))
    listed = Listed(decision=said.decision, proposal_sha256=proposal_sha256, tbs_sha256=tuple(digests))
    return Recomputed(listed=listed, certificates=words)


def _require_listed(said: DecisionAnswer) -> None:
    """Require of a decision that revokes many that list, number and digest agree, and nothing is in it twice."""
    if "approvals" not in said.proposal:
        return
    listed = said.proposal["approvals"]
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise ShownOtherwise(subject=said.decision, detail="what it revokes is no list of approvals")
    _require(said.decision, "the order of its approvals", listed, sorted(set(listed)))
    _require(said.decision, "the number of its approvals", said.proposal.get("count"), len(listed))
    digest_of = approvals_digest(listed)
    _require(said.decision, "the digest of its approvals", said.proposal.get("approvals_sha256"), digest_of)


def _tbs(said: DecisionAnswer, draft: DraftAnswer) -> bytes:
    try:
        tbs = base64.b64decode(draft.tbs, validate=True)
    except ValueError:
        raise ShownOtherwise(subject=said.decision, detail="the bytes to be signed are not base64") from None
    digest_of = hashlib.sha256(tbs).hexdigest()
    beside = (draft.tbs_sha256, said.tbs_sha256) if draft == said.draft else (draft.tbs_sha256,)
    for shown in beside:
        _require(said.decision, "the digest of the bytes to be signed", digest_of, shown)
    return tbs


def certificate_again(again: CertificateAgain) -> Sequence[tuple[str, object]]:
    """Return, by name, what the bytes of a certificate say that a register gets again.

    Raises:
        ShownOtherwise: they are no certificate's, or another one's than is said beside them.
    """
    certificate, statement = _read(again.serial, again.tbs)
    _require(again.serial, "its serial", serial_of(certificate.serial_number), again.serial)
    _require(again.serial, "its approval", str(statement.identifier), again.approval)
    _require(again.serial, "its issue", statement.issue, again.issue)
    return _words(certificate, statement)


def _read(subject: str, tbs: bytes) -> tuple[x509.Certificate, Statement]:
    """Read the certificate that the bytes would be, strictly, with no signature yet."""
    try:
        certificate = one_certificate(write.signed(tbs, b""))
        arc = arc_of(certificate)
        statement = decode(statement_value(certificate, arc) or b"")
    except (Unreadable, DerMalformed) as error:
        detail = f"the bytes to be signed are no Trial CPA Certificate ({error})"
        raise ShownOtherwise(subject=harmless(subject), detail=detail) from None
    seen = hashlib.sha256(certificate.tbs_certificate_bytes).hexdigest()
    _require(subject, "what would be signed", seen, hashlib.sha256(tbs).hexdigest())
    environment = statement.identifier.environment
    failures = [
        *profile_failures(certificate, arc),
        *environment_failures(certificate, arc, environment),
        *agreement_failures(certificate, statement, environment),
    ]
    if failures:
        raise ShownOtherwise(subject=harmless(subject), detail=failures[0].detail.rstrip("."))
    return certificate, statement


def _words(certificate: x509.Certificate, statement: Statement) -> list[tuple[str, object]]:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    device = statement.device
    return [
        ("serial", serial_of(certificate.serial_number)),
        ("issuer", certificate.issuer.rfc4514_string()),
        ("subject", certificate.subject.rfc4514_string(_NAMES)),
        ("approval", f"{statement.identifier}, issue {statement.issue}"),
        ("valid", f"{text(begin)} to {text(end)}, both inclusive"),
        ("trial", f"{text(statement.start)} to {text(statement.expiry)}"),
        ("device", f"{device.type} {device.manufacturer} {device.model} {device.hardware_version}"),
        ("firmware", [f"{each.version}  {each.image_digest}" for each in statement.firmware]),
        ("at most", counted(statement.maximum_devices, "device")),
        ("public key", f"SHA-256 {key_sha256(certificate)}"),
    ]


def _require(subject: str, name: str, in_bytes: object, shown: object) -> None:
    if in_bytes != shown:
        read, beside = (harmless(str(each))[:_WORDS] for each in (in_bytes, shown))
        raise ShownOtherwise(subject=harmless(subject), detail=f"{name} is “{read}” by its bytes and “{beside}” beside")


def require_as_sent(said: DecisionAnswer, sent: Mapping[str, Any], proposer: str | None) -> None:
    """Require that a proposal is the one that was sent.

    Args:
        said: as the service shows it.
        sent: what it was asked to write down.
        proposer: the officer; None where nothing is signed.

    Raises:
        KeysOfTwo: it was proposed with another person's API key.
        ShownOtherwise: it says something else.
    """
    proposal = said.proposal
    for name in _AS_SENT:
        if sent.get(name) is not None and name in proposal:
            _require(said.decision, f"its {name}", _squeezed(proposal[name]), _squeezed(sent[name]))
    if sent.get("approvals") is not None:  # of one issuing CA nobody has sent the list
        listed = sorted({_squeezed(each) for each in sent["approvals"]})
        _require(said.decision, "its approvals", sorted(map(_squeezed, proposal.get("approvals") or ())), listed)
    for name in ("start", "expiry"):
        if sent.get(name) is not None and name in proposal:
            _require(said.decision, f"its {name}", str(proposal[name])[: len("2027-01-04")], str(sent[name]))
    if proposer is not None:
        if proposal.get("proposed_by") == said.proposer != proposer:
            raise KeysOfTwo(person=said.proposer, officer=proposer, decision=said.decision)
        _require(said.decision, "its proposer", proposal.get("proposed_by"), proposer)


_AS_SENT = ("kind", "application", "approval", "request", "breach", "cause", "maximum_devices")
"""Members of a proposal that say what was sent; the others are worked out, or are digests of words."""


def _squeezed(value: object) -> str:
    """People write identifiers as they like."""
    return "".join(str(value).split()).replace("-", "").upper()
