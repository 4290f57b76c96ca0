"""The bytes of a certificate: those that were issued, over what officers agreed to, by a CA of the hierarchy."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from verify.folded import Cert, Folded
from verify.kit.evidence.certified import arc_of, compared
from verify.kit.evidence.parsing import issued_by, one_certificate
from verify.kit.evidence.profile import statement_value
from verify.kit.evidence.statement import decode


@dataclass(frozen=True)
class Agreed:
    """What was agreed to.

    Args:
        part: what the proposal says of the issue.
        proposal: its digest.
        tbs: that of the bytes that were to be signed.
    """

    part: Mapping[str, Any]
    proposal: str
    tbs: str


def wrong_bytes(state: Folded, der: bytes, made: Cert, agreed: Agreed) -> Iterator[str]:
    """Yield what is wrong with the bytes of a certificate.

    Args:
        state: what follows from the rows before.
        der: the bytes that the register has.
        made: what the journal says of it.
        agreed: what officers agreed to.

    Raises:
        Unreadable, DerMalformed: it is no certificate of ours.
    """
    if hashlib.sha256(der).hexdigest() != made.sha256:
        yield f"Its bytes are not those that row {made.row} says were issued."
        return
    certificate = one_certificate(der)
    if hashlib.sha256(certificate.tbs_certificate_bytes).hexdigest() != agreed.tbs:
        yield "It was issued over other bytes than those that officers agreed to."
    issuers = [each.certificate for each in state.hierarchy.values() if each.key_id == made.issuer]
    if not any(each is not None and issued_by(certificate, each) for each in issuers):
        yield "No issuing CA of the hierarchy has signed it."
    statement = decode(statement_value(certificate, arc_of(certificate)) or b"")
    for what, stated, wanted in compared(certificate, statement, agreed.part, agreed.proposal):
        if stated != wanted:
            yield f"By its bytes {what} is “{stated}”, and “{wanted}” was proposed."
