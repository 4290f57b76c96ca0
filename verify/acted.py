"""Decisions, a row at a time: what was proposed, who agreed, and that nothing follows from what was not decided."""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from core.actors import is_ours
from core.approval import EndCause
from core.canonical import canonical, read_json
from core.chain import SealedRow
from core.errors import InstantMalformed
from core.facts import FactKind
from core.kinds import ApplicationState, DecisionKind
from verify.audit_findings import Findings
from verify.counted import Counted
from verify.exported import Said
from verify.folded import DONE, LAPSED, OPEN, REJECTED, SECONDED, Decided, Folded, Ordered, instant, issues_of, perhaps
from verify.kit.agreed.passkey import WANTING, wants_a_key
from verify.kit.agreed.roster import FEWEST
from verify.kit.agreed.statements import Act, Claim, revocation_digest

CERTIFYING = (DecisionKind.GRANT, DecisionKind.AMEND, DecisionKind.REKEY)

_ORDERED = frozenset({Act.STOP_ISSUING, Act.START_ISSUING, Act.CHANGE_ROSTER})


class Acted:
    """The decisions, as far as the journal says them.

    Args:
        state: what follows from the rows before.
        counted: whose keys count.
        findings: is told what is wrong.
    """

    def __init__(self, state: Folded, counted: Counted, findings: Findings) -> None:
        self._state, self._counted, self._findings = state, counted, findings
        self._proposal: Said | None = None
        self._body: Said | None = None

    def proposal(self, line: Said) -> None:
        """Take the proposal that the next row names."""
        self._proposal = line

    def take(self, row: SealedRow, said: Said) -> bool:
        """Take a row; return whether it is one of a decision or an order."""
        match row.kind:
            case FactKind.DECISION_PROPOSED:
                self._propose(row, said)
            case FactKind.DECISION_AUTHORISED:
                self._authorise(row, said)
            case FactKind.DECISION_SUPPORTED | FactKind.DECISION_SECONDED:
                self._agree(row, said)
            case FactKind.DECISION_MADE_ALONE:
                self._alone(row, said)
            case FactKind.DECISION_REJECTED | FactKind.DECISION_LAPSED | FactKind.DECISION_ACKNOWLEDGED:
                self._end(row, said)
            case FactKind.ACCESS_GRANTED | FactKind.ACCESS_REVOKED:
                self._counted.access(row, said)
            case FactKind.BREACH_CONFIRMED:
                self._counted.prove(row, said, Claim(act=Act.CONFIRM_BREACH, subject=str(said.get("breach"))))
            case FactKind.ORDER_PROPOSED:
                self._order(row, said)
            case FactKind.ORDER_AUTHORISED:
                self._order_signed(row, said)
            case _:
                return False
        return True

    def decided(
        self, row: SealedRow, said: Said, kinds: Collection[DecisionKind], approval: str | None
    ) -> Decided | None:
        """Return the decision that a row follows from; None where it does not follow, which is told.

        Args:
            row: that names a decision.
            said: what it says.
            kinds: of decisions that it can follow from.
            approval: that it has to be about; None where another thing tells that.
        """
        name = f"row {row.number}"
        found = self._state.decisions.get(str(said.get("decision"))) or self._of_before(row, said)
        if found is None:
            self._findings.against(name, f"It follows from decision {said.get('decision')}, which no row proposes.")
            return None
        if not found.decided:
            self._findings.against(name, f"It follows from decision {said.get('decision')}, which was not made.")
            return None
        meant = found.approvals is None or approval is None or approval in found.approvals
        if found.said is not None and found.approvals is None and approval is not None:
            meant = found.said.get("approval") == approval
        if found.kind not in kinds or not meant:
            self._findings.against(name, f"Decision {said.get('decision')} ({found.kind}) is about something else.")
            return None
        return found

    def _of_before(self, row: SealedRow, said: Said) -> Decided | None:
        """Return an urgent revocation of before one had rows of its own: its end is its only act."""
        line, self._proposal = self._proposal, None
        identifier, written = str(said.get("decision")), None if line is None else line.get("proposal")
        if self._counted.begun or "proposal_sha256" in said or is_ours(row.actor) or line is None:
            return None
        document = _document(str(written)) if line.get("id") == identifier else None
        if document is None or (document.get("cause"), document.get("proposed_by")) != (said.get("cause"), row.actor):
            return None
        self._findings.note(
            "What urgent revocations of before 0002 say beside cause and officer is the register's word."
        )
        made = Decided(
            row=row.number,
            kind=DecisionKind.REVOKE.value,
            sha256=hashlib.sha256(str(written).encode()).hexdigest(),
            proposer=row.actor,
            wanted=1,
            proposed_at=instant(row.at),
            said={"approval": document.get("approval")},
            urgent=True,
            state=DONE,
            closed=instant(row.at),
            cause=str(document["cause"]),
            invalidity=perhaps(document.get("invalidity_date")),
        )
        self._state.decisions[identifier] = made
        return made

    # --- proposals --------------------------------------------------------------------------------------------------

    def _read(self, row: SealedRow, said: Said) -> Mapping[str, Any] | None:
        line, self._proposal = self._proposal, None
        name = f"decisions {row.subject}"
        written = None if line is None or line.get("id") != row.subject else line.get("proposal")
        if not isinstance(written, str):
            self._findings.against(name, f"Row {row.number} proposes it, and the register does not have it.")
            return None
        if hashlib.sha256(written.encode("utf-8", "replace")).hexdigest() != said.get("proposal_sha256"):
            self._findings.against(name, f"Its proposal is not the one that row {row.number} names.")
            return None
        document = _document(written)
        if document is None:
            self._findings.against(name, "Its proposal is not JSON in its one canonical form.")
        return document

    def _new(self, row: SealedRow, said: Said) -> Decided | None:
        document = self._read(row, said)
        name = f"row {row.number}"
        if row.subject in self._state.decisions:
            self._findings.against(name, f"Decision {row.subject} was proposed before.")
            return None
        asked = None if document is None else document.get("officers")
        made = Decided(
            row=row.number,
            kind=str(said.get("kind")),
            sha256=str(said.get("proposal_sha256")),
            proposer=row.actor,
            wanted=max(FEWEST, asked if type(asked) is int else FEWEST),
            proposed_at=instant(row.at),
            said=document or {},
        )
        self._state.decisions[str(row.subject)] = made
        if document is None:
            return None
        if (document.get("kind"), document.get("proposed_by")) != (made.kind, made.proposer):
            self._findings.against(name, f"Its kind or its proposer is not what the proposal of {row.subject} says.")
        cause = document.get("cause")
        made.cause = cause if cause in {each.value for each in EndCause} else None
        try:
            made.invalidity = perhaps(document.get("invalidity_date"))
        except (InstantMalformed, TypeError, AttributeError):
            self._findings.against(name, f"The proposal of {row.subject} has no invalidity date that can be read.")
        self._many(made, document, name)
        return made

    def _many(self, made: Decided, document: Mapping[str, Any], name: str) -> None:
        listed = document.get("approvals")
        if made.kind != DecisionKind.REVOKE or not isinstance(listed, list):
            return
        if document.get("approvals_sha256") != hashlib.sha256(canonical([str(each) for each in listed])).hexdigest():
            self._findings.against(name, "The proposal lists other approvals than its digest says.")
        made.approvals = frozenset(str(each) for each in listed)

    def _propose(self, row: SealedRow, said: Said) -> None:
        made = self._new(row, said)
        if made is not None and made.kind not in CERTIFYING:
            about = {each: (made.said or {}).get(each) for each in ("approval", "application")}
            made.said = about if made.approvals is None else {}
        if made is not None:
            self._apply(made, ApplicationState.SUBMITTED, ApplicationState.PROPOSED)

    def _apply(self, found: Decided, needed: ApplicationState, to: ApplicationState) -> None:
        """Move the application that a decision is about, if it is one to grant or to refuse."""
        applied = self._state.applications.get(str((found.said or {}).get("application")))
        if applied is not None and found.kind in (DecisionKind.GRANT, DecisionKind.REFUSE) and applied.state is needed:
            applied.state = to

    # --- acts -------------------------------------------------------------------------------------------------------

    def _of(self, row: SealedRow, said: Said) -> Decided | None:
        found = self._state.decisions.get(str(row.subject))
        name = f"row {row.number}"
        if found is None:
            self._findings.against(name, f"It is about decision {row.subject}, which no row proposes.")
            return None
        if said.get("proposal_sha256", found.sha256) != found.sha256:
            self._findings.against(name, f"It names another proposal than decision {row.subject} has.")
            return None
        return found

    def _authorise(self, row: SealedRow, said: Said) -> None:
        found = self._of(row, said)
        if found is None:
            return
        if row.actor != found.proposer:
            self._findings.against(f"row {row.number}", f"{row.actor} signs for what {found.proposer} proposed.")
        elif self._counted.prove(row, said, self._claim(Act.PROPOSE, row, found)):
            found.authorised_at = instant(row.at)
            found.keyed = found.keyed or self._counted.by_key

    def _agree(self, row: SealedRow, said: Said) -> None:
        found, name = self._of(row, said), f"row {row.number}"
        if found is None:
            return
        accepted = _digests(said)
        if not self._counted.prove(row, said, self._claim(Act.SECOND, row, found, accepted or None)):
            return
        if row.actor == found.proposer or row.actor in found.signers:
            self._findings.against(name, f"{row.actor} agrees a second time, and counts once.")
        found.signers[row.actor] = (instant(row.at), " ".join(accepted), row.number if "credential" in said else 0)
        found.keyed = found.keyed or self._counted.by_key
        if row.kind == FactKind.DECISION_SUPPORTED:
            return
        if found.state != OPEN:
            self._findings.against(name, f"It seconds decision {row.subject}, which is {found.state}.")
        drafted = sorted(self._state.drafts[each].tbs_sha256 for each in found.drafts)
        if sorted(accepted) != drafted:
            self._findings.against(name, "The bytes that it accepts are not those that were drafted.")
        if 1 + len(found.signers) < found.wanted:
            self._findings.against(name, f"It takes {found.wanted} officers, and {1 + len(found.signers)} have agreed.")
        if found.authorised_at is None and "authorisation" in said:
            self._findings.against(
                name, f"It is decided, and {found.proposer}, who proposed it, has not signed for it."
            )
        if (
            "authorisation" in said
            and any(map(wants_a_key, (found.kind, (found.said or {}).get("kind"))))
            and not found.keyed
        ):
            self._findings.against(name, f"It is decided, and {WANTING}.")
        found.accepted, found.seconder, found.seconded_at = accepted, row.actor, instant(row.at)
        found.state = SECONDED if accepted else DONE
        found.closed = None if accepted else instant(row.at)

    def _alone(self, row: SealedRow, said: Said) -> None:
        document_line = self._proposal
        made = self._new(row, {**said, "kind": DecisionKind.REVOKE.value})
        if made is None or document_line is None:
            return
        document = made.said or {}
        order = _order_sha256(document)
        if order is None or (said.get("approval"), said.get("order_sha256")) != (document.get("approval"), order):
            self._findings.against(f"row {row.number}", "It is about another order than its proposal says.")
            return
        if self._counted.prove(
            row, said, Claim(act=Act.REVOKE, subject=str(document.get("approval")), proposal_sha256=order)
        ):
            made.urgent, made.state, made.wanted = True, DONE, 1
            made.seconded_at, made.closed = None, instant(row.at)
        made.said = {"approval": document.get("approval")}

    def _end(self, row: SealedRow, said: Said) -> None:
        found = self._of(row, said)
        if found is None:
            return
        if row.kind == FactKind.DECISION_ACKNOWLEDGED:
            self._acknowledge(row, found)
            return
        by_officer = row.kind == FactKind.DECISION_REJECTED and "authorisation" in said
        if by_officer and not self._counted.prove(row, said, self._claim(Act.REJECT, row, found)):
            return
        if found.state == DONE:
            self._findings.against(f"row {row.number}", f"Decision {row.subject} comes to nothing, and was done.")
        if found.state == OPEN:
            self._apply(found, ApplicationState.PROPOSED, ApplicationState.SUBMITTED)
        found.state = REJECTED if row.kind == FactKind.DECISION_REJECTED else LAPSED
        found.said, found.closed = None, instant(row.at)

    def _acknowledge(self, row: SealedRow, found: Decided) -> None:
        if not found.urgent or found.proposer == row.actor:
            self._findings.against(f"row {row.number}", f"{row.actor} cannot be informed of {row.subject}.")
        else:
            found.acknowledged = (row.actor, instant(row.at))

    def _claim(self, act: Act, row: SealedRow, found: Decided, accepted: tuple[str, ...] | None = None) -> Claim:
        tbs = accepted if act is Act.SECOND else None
        return Claim(act=act, subject=str(row.subject), proposal_sha256=found.sha256, tbs_sha256=tbs)

    # --- orders -----------------------------------------------------------------------------------------------------

    def order_body(self, line: Said) -> None:
        """Take the body of the order that the next row names."""
        self._body = line

    def _order(self, row: SealedRow, said: Said) -> None:
        line, self._body = self._body, None
        name, digest = f"orders {row.subject}", str(said.get("body_sha256"))
        if row.subject in self._state.orders:
            self._findings.against(f"row {row.number}", f"Order {row.subject} was given before.")
        self._state.orders[str(row.subject)] = Ordered(
            row=row.number,
            sha256=digest,
            kind=str(said.get("kind")),
            proposer=row.actor,
            at=instant(row.at),
            lapses=perhaps(said.get("lapses_at")),
        )
        if line is None or line.get("id") != row.subject:
            self._findings.against(name, f"Row {row.number} says it, and the register does not have it.")
        elif self._counted.order(str(line.get("body"))) != digest:
            self._findings.against(name, f"Its body is not the one that row {row.number} names.")

    def _order_signed(self, row: SealedRow, said: Said) -> None:
        act = said.get("act")
        if act not in _ORDERED:
            self._findings.against(f"row {row.number}", f"Nobody orders to {act}.")
            return
        claim = Claim(act=Act(act), subject=str(said.get("order")), proposal_sha256=str(said.get("body_sha256")))
        order = self._state.orders.get(str(said.get("order")))
        if order is None or order.sha256 != said.get("body_sha256"):
            self._findings.against(f"row {row.number}", f"It signs for another order than {said.get('order')}.")
        if self._counted.prove(row, said, claim):
            self._state.ordering[str(said.get("authorisation"))] = str(said.get("order"))

    def issued(self, decision: str, at: int) -> None:
        """Note that a certificate of a decision is issued at an instant; with the last of them the decision is done."""
        found = self._state.decisions[decision]
        found.issued += 1
        if found.state == SECONDED and found.issued >= len(issues_of(found.said or {})):
            found.state, found.closed = DONE, at


def _document(written: str) -> Mapping[str, Any] | None:
    """Return what a proposal says; None where it is no JSON object in its canonical form."""
    try:
        found = read_json(written)
        return found if isinstance(found, dict) and canonical(found) == written.encode() else None
    except (ValueError, RecursionError):
        return None


def _order_sha256(said: Mapping[str, Any]) -> str | None:
    """Return the digest of the order that an urgent revocation carries out, as its proposal says it."""
    try:
        return revocation_digest(said)
    except (KeyError, ValueError, TypeError):
        return None


def _digests(said: Said) -> tuple[str, ...]:
    tbs = said.get("tbs_sha256")
    return tuple(map(str, tbs)) if isinstance(tbs, list) else () if tbs is None else (str(tbs),)
