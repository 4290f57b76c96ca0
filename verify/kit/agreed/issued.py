"""The certificate of a decision: under the root that is trusted, the bytes that officers signed for, as proposed."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from verify.kit.agreed.chain import FactKind, Row
from verify.kit.agreed.findings import Against, Ledger, Missing
from verify.kit.evidence.certified import arc_of, compared
from verify.kit.evidence.der import DerMalformed
from verify.kit.evidence.identifiers import Environment
from verify.kit.evidence.parsing import Unreadable, extension
from verify.kit.evidence.path import find_path, says_test
from verify.kit.evidence.profile import agreement_failures, environment_failures, profile_failures, statement_value
from verify.kit.evidence.statement import decode


@dataclass(frozen=True, kw_only=True)
class Issued:
    """What is known of a decision when its certificate is looked at.

    Args:
        certificates: the certificate, then the CAs above it, and after them those of the changes that the decision
            carries, with theirs; empty where none is there.
        root: which is trusted.
        decision: its identifier.
        proposal: what it says.
        proposal_sha256: its digest, hex.
        decided: whether the journal says that it was decided.
        agreed: the digests of bytes that officers agreed to, hex; of nothing, if no certificate comes of it.
        rows: of the journal, each with what it says.
    """

    certificates: Sequence[x509.Certificate]
    root: x509.Certificate
    decision: str
    proposal: Mapping[str, Any]
    proposal_sha256: str
    decided: bool
    agreed: Collection[str]
    rows: Sequence[tuple[Row, Mapping[str, Any]]]


def prove_issued(known: Issued, ledger: Ledger) -> list[Row]:
    """Prove the certificate of a decision; return the rows that say that it was drafted, signed and issued.

    Args:
        known: what is known.
        ledger: is told what is wrong.
    """
    drafted = [(row, said) for row, said in known.rows if _drafts(row, said, known)]
    serials = {said.get("serial") for _, said in drafted}
    intended = [row for row, said in known.rows if _is(row, said, FactKind.SIGNATURE_INTENDED, serials)]
    issued = [(row, said) for row, said in known.rows if _is(row, said, FactKind.CERTIFICATE_ISSUED, serials)]
    if not known.certificates:
        if issued:
            ledger.lack(
                Missing.CERTIFICATE, "The journal says that a certificate was issued; it is not in the dossier."
            )
        elif known.agreed:
            ledger.pass_over("The rows at hand do not say that the certificate was issued.")
    else:
        leaves, above = _apart(known.certificates)
        for each in leaves:
            _prove(known, each, above, [said for _, said in issued], ledger)
        if len(known.agreed) > len(leaves):
            ledger.pass_over(f"Officers signed for {len(known.agreed)} certificates; {len(leaves)} of them are here.")
    return [*(row for row, _ in drafted), *intended, *(row for row, _ in issued)]


def _drafts(row: Row, said: Mapping[str, Any], known: Issued) -> bool:
    return row.kind == FactKind.CERTIFICATE_DRAFTED and said.get("decision") == known.decision


def _is(row: Row, said: Mapping[str, Any], kind: FactKind, serials: Collection[object]) -> bool:
    return row.kind == kind and said.get("serial") in serials


def _apart(every: Sequence[x509.Certificate]) -> tuple[list[x509.Certificate], list[x509.Certificate]]:
    """Return the certificates of a decision, of which the first is one whatever it says, and those of CAs."""
    first, *others = every
    above = [each for each in others if _is_ca(each)]
    return [first, *(each for each in others if not _is_ca(each))], above


def _is_ca(certificate: x509.Certificate) -> bool:
    constraints = extension(certificate.extensions, x509.BasicConstraints)
    return constraints is not None and constraints.value.ca


def _prove(
    known: Issued,
    certificate: x509.Certificate,
    above: Sequence[x509.Certificate],
    issued: Sequence[Mapping[str, Any]],
    ledger: Ledger,
) -> None:
    seen = hashlib.sha256(certificate.tbs_certificate_bytes).hexdigest()
    if known.decided and seen not in known.agreed:
        detail = "The certificate's bytes are not those that the officers signed for."
        ledger.refute(Against.CERTIFICATE_ALTERED, detail)
    try:
        arc = arc_of(certificate)
        statement = decode(statement_value(certificate, arc) or b"")
    except (Unreadable, DerMalformed) as error:
        ledger.refute(Against.CERTIFICATE_FOREIGN, f"It is no Trial CPA Certificate: {error}.")
        return
    environment: Environment = "test" if says_test(known.root) else "live"
    begins, policy = certificate.not_valid_before_utc, arc.policies[environment]
    path = find_path(certificate, above, known.root, at=begins, policy=policy, environment=environment)
    failures = [
        *path.failures,
        *profile_failures(certificate, arc),
        *environment_failures(certificate, arc, environment),
        *agreement_failures(certificate, statement, environment),
    ]
    for failure in failures:
        ledger.refute(Against.CERTIFICATE_FOREIGN, failure.detail)
    for name, said, wanted in compared(certificate, statement, _part(known, statement.issue), known.proposal_sha256):
        if said != wanted:
            ledger.refute(Against.CERTIFICATE_ALTERED, f"By its bytes {name} is “{said}”, and “{wanted}” was proposed.")
    fingerprint = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    serial = f"{certificate.serial_number:032X}"
    same = [said for said in issued if (said.get("serial"), said.get("sha256")) == (serial, fingerprint)]
    if not issued:
        ledger.lack(Missing.ROWS, "No row at hand says that the certificate was issued.")
    elif not same:
        ledger.refute(Against.CERTIFICATE_ALTERED, "The journal says that another certificate was issued.")


def _part(known: Issued, issue: object) -> Mapping[str, Any]:
    """Return what the proposal says of an issue: its own, or that of a change which it carries, made anew."""
    carried = known.proposal.get("carried")
    parts = [each for each in carried if isinstance(each, Mapping)] if isinstance(carried, list) else []
    return next((each for each in parts if each.get("issue") == issue), known.proposal)
