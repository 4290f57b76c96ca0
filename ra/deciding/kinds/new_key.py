"""Propose to certify a new key under the same approval."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.approval import EndCause
from core.classification import Passage
from core.errors import Finding
from core.instants import next_midnight
from core.kinds import DecisionKind
from policy import csr as csr_policy
from policy.section_f.new_key import RekeyFacts, rekey_findings
from policy.section_f.revocation import RevocationFacts, revocation_findings
from ra import proposal as proposals
from ra.applying.apply import require_key_free
from ra.findings import refuse_fatal
from ra.grounds import NO_MINUTES, Minutes, grounds_of
from ra.issuing import issuing_ca
from ra.proposal import Tabled, new_decision
from ra.standing import require_certified, require_open
from store.reading import approvals as approval_reading
from store.reading import requests
from store.rows import Decision
from store.transactions import Transaction


@dataclass(frozen=True)
class ProposeRekey:
    """Certify a new key under the same approval.

    Args:
        approval: its identifier.
        csr: one PKCS#10 request for the new key.
        compromised: the old key is; its certificate is cancelled when this is seconded. Otherwise the old
            certificate is superseded at the effective instant.
        reasons: a summary of why.
        effective: the new certificate's notBefore; by default the next 00:00:00Z, and never before the start.
        invalidity_date: since when the old key is known to be compromised.
        minutes: what comes with the decision.
    """

    approval: str
    csr: bytes
    compromised: bool
    reasons: str | Passage
    effective: datetime | None = None
    invalidity_date: datetime | None = None
    minutes: Minutes = NO_MINUTES


def table_rekey(tx: Transaction, tabled: Tabled, command: ProposeRekey) -> tuple[Decision, Sequence[Finding]]:
    """Return the new key as proposed, with what the rules find."""
    at = tabled.at
    parsed = csr_policy.parse(command.csr)
    approval = approval_reading.record(tx, command.approval)
    require_open(approval, at)
    require_certified(approval)
    last = approval.terms[-1]
    issuing = issuing_ca(tx)
    effective = command.effective or max(next_midnight(at), approval.start)
    start, expiry = approval.start.date(), last.expiry.date()
    cause = EndCause.KEY_COMPROMISE if command.compromised else EndCause.SSC
    found = (
        *rekey_findings(
            RekeyFacts(
                effective=effective,
                at=at,
                start=start,
                expiry=expiry,
                issuing_ends=issuing.not_after,
                issuing_window_end=issuing.window_end,
            )
        ),
        *revocation_findings(RevocationFacts(cause, command.invalidity_date, at)),
    )
    refuse_fatal(found)
    # A new key is what this is for: even this approval's own old key is no new one.
    require_key_free(tx, parsed.public_key_sha256)
    terms = replace(last, issue=last.issue + 1, effective=effective)
    grounds = grounds_of(command.reasons, command.minutes)
    key = proposals.NewKey(
        cause=EndCause.KEY_COMPROMISE.value if command.compromised else "replacement",
        invalidity_date=command.invalidity_date,
        csr=parsed.der,
        public_key_sha256=parsed.public_key_sha256,
    )
    document = proposals.rekey(tabled, grounds, approval, requests.organisation(tx, approval.organisation), terms, key)
    decision = new_decision(DecisionKind.REKEY, document, grounds, tabled)
    return replace(decision, approval=approval.identifier, issue=terms.issue, public_key=parsed.public_key), found
