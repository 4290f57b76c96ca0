"""Which of the OCSP answers signed ahead may be shown at an instant; verification and the responder ask here."""

from collections.abc import Iterable
from datetime import datetime

from core.approval import CertificateRecord
from core.mirror import HashName, SignedAnswer
from core.status import holds_under_its_issuer, revocation_at


def newest_true_answer(
    answers: Iterable[SignedAnswer], certificate: CertificateRecord, hash_name: HashName, at: datetime
) -> SignedAnswer | None:
    """Return the newest answer that is in force at `at` and says what is true then; None if none does.

    Between a revocation's commit and the authority's new signature the old answer is still in force and no longer
    true: it is not shown any more.

    Args:
        answers: those held; of any serial and hash.
        certificate: whose status is asked.
        hash_name: the hash of the CertID asked with.
        at: the instant; both ends of an answer's validity are inclusive.
    """
    if not holds_under_its_issuer(certificate, at):
        return None  # who signed it has no say any more, and nor has the responder that it certified
    revoked = revocation_at(certificate, at)
    revoked_at = None if revoked is None else revoked.at
    fitting = (
        answer
        for answer in answers
        if answer.serial == certificate.serial
        and answer.hash_name == hash_name
        and answer.this_update <= at <= answer.next_update
        and answer.revoked_at == revoked_at
    )
    return max(fitting, key=lambda answer: answer.this_update, default=None)
