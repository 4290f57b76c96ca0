"""To certify a new key under the same approval, or the same one where its issuing CA was ended (F2.25)."""

from dataclasses import dataclass, replace
from datetime import datetime

from core.actors import Actor
from core.approval import EndCause
from core.canonical import Json
from core.classification import Passage
from core.clauses import serves
from core.identifiers import Serial
from core.instants import next_midnight, parse, text
from core.kinds import DecisionKind, NoticeKind
from core.status import holds_under_its_issuer
from policy import csr as csr_policy
from policy.section_f.new_key import RekeyFacts, rekey_findings
from policy.section_f.revocation import RevocationFacts, revocation_findings
from ra import proposal as proposals
from ra.applying.apply import require_key_free
from ra.deciding import later_issue
from ra.deciding.end import Ending, end_approval
from ra.deciding.kind import CertifyingKind, Proposed
from ra.desk import Desk
from ra.findings import refuse_fatal
from ra.grounds import NO_MINUTES, Minutes, grounds_of
from ra.issuing import issuing_ca
from ra.proposal import Tabled, approval_of, certified_terms, new_decision, said_in
from ra.standing import require_certified, require_open
from ra.telling.listing import Foreseen
from ra.telling.matter import NoticeSaid
from ra.telling.words import NoticeForm
from store.reading import approvals as approval_reading
from store.reading import requests
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import approvals

FORM = NoticeForm(
    kind=NoticeKind.NEW_KEY,
    called=NoticeKind.NEW_KEY.value,
    title="New Trial CPA Certificate under a new key",
    clause="F2.25",
    reasons_clause="F2.25",
    reasons="Why there is a new certificate",
)

SAME_KEY_FORM = NoticeForm(
    kind=NoticeKind.NEW_KEY,
    called=NoticeKind.NEW_KEY.value,
    title="New Trial CPA Certificate under a new issuing CA",
    clause="F2.25",
    reasons_clause="F2.25",
    reasons="Why there is a new certificate",
)

REPLACEMENT, ISSUER_ENDED = "replacement", "issuing-ca-ended"
"""Why there is a new certificate if the key is not compromised; the words of the proposal."""


@dataclass(frozen=True)
class ProposeRekey:
    """Certify a new key under the same approval.

    Args:
        approval: its identifier.
        csr: one PKCS#10 request for the new key; None where the key stays, because the issuing CA was ended.
        compromised: the old key is; its certificate is cancelled when this is seconded. Otherwise the old
            certificate is superseded at the effective instant.
        reasons: a summary of why.
        effective: the new certificate's notBefore; by default the next 00:00:00Z, and never before the start.
        invalidity_date: since when the old key is known to be compromised.
        minutes: what comes with the decision.
    """

    approval: str
    csr: bytes | None
    compromised: bool
    reasons: str | Passage
    effective: datetime | None = None
    invalidity_date: datetime | None = None
    minutes: Minutes = NO_MINUTES


class Rekey(CertifyingKind[ProposeRekey]):
    """A new key."""

    kind = DecisionKind.REKEY
    counted_as = DecisionKind.REKEY
    task = "to certify a new key for {}"

    def table(self, desk: Desk, tx: Transaction, tabled: Tabled, command: ProposeRekey) -> Proposed:
        """Return the new key as proposed, with what the rules find."""
        at = tabled.at
        parsed = None if command.csr is None else csr_policy.parse(command.csr)
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
                    same_key=parsed is None,
                    compromised=command.compromised,
                    issuer_ended=not holds_under_its_issuer(approval.certificates[-1], at),
                )
            ),
            *revocation_findings(RevocationFacts(cause, command.invalidity_date, at)),
            *(() if parsed is None else parsed.notices),
        )
        refuse_fatal(found)
        if parsed is None:
            public_key = approval_reading.public_key_of(tx, approval.certificates[-1].serial)
            require_key_free(tx, proposals.sha256(public_key), approval=approval.identifier)
        else:
            # A new key is what this is for: even this approval's own old key is no new one.
            public_key = parsed.public_key
            require_key_free(tx, parsed.public_key_sha256)
        terms = replace(last, issue=last.issue + 1, effective=effective)
        organisation = requests.organisation(tx, approval.organisation)
        said: dict[str, Json] = {
            **proposals.certified(approval.identifier, approval.device, organisation, approval.start, terms),
            "cause": _cause(command),
            "invalidity_date": text(command.invalidity_date) if command.invalidity_date else None,
            "csr_sha256": None if parsed is None else proposals.sha256(parsed.der),
            "public_key_sha256": proposals.sha256(public_key),
        }
        decision = new_decision(self.kind, said, grounds_of(command.reasons, command.minutes), tabled)
        decision = replace(decision, approval=approval.identifier, issue=terms.issue, public_key=public_key)
        return Proposed(decision, found)

    def released(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """It holds nothing."""

    def passed(self, tx: Transaction, decision: Decision, at: datetime) -> str | None:
        """The approval stands, and the effective instant has not come."""
        return later_issue.why_passed(tx, decision, at)

    def decide(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
        """A compromised key's certificate is cancelled at once; else the old one holds until the new one does."""
        said = said_in(decision)
        compromised = said["cause"] == EndCause.KEY_COMPROMISE.value
        approval = approval_of(decision)
        if not compromised or not approval_reading.standing(tx, approval, at):
            return  # superseded when the new certificate is recorded, or cancelled already
        since = parse(said["invalidity_date"]) if said["invalidity_date"] else None
        ending = Ending(approval, EndCause.KEY_COMPROMISE, since)
        end_approval(tx, ending, decision=decision, actor=actor, at=at)

    @serves("F2.25")
    def certified(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> list[Serial]:
        """The new certificate takes the old one's place at its effective instant."""
        said = certified_terms(decision)
        # Signed late, it takes over from the instant it is recorded: no instant at which neither or both hold.
        return approvals.supersede(tx, said.approval, by_issue=said.terms.issue, at=max(said.terms.effective, at))

    def foreseen(self, tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
        """The list shows no key; what follows is worked out all the same."""
        return later_issue.foreseen(tx, decision, at)

    def told(self, decision: Decision, at: datetime | None) -> NoticeSaid:
        """It holds from the certificate's notBefore."""
        said = said_in(decision)
        form = SAME_KEY_FORM if said["cause"] == ISSUER_ENDED else FORM
        return NoticeSaid(form, effective=str(said["not_before"]))


def _cause(command: ProposeRekey) -> str:
    if command.csr is None:
        return ISSUER_ENDED
    return EndCause.KEY_COMPROMISE.value if command.compromised else REPLACEMENT
