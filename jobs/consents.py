"""consents: what officers have signed for some decisions, as it was consumed; the memory says so, and no row does.

A person counts once, whatever keys they have. A key counts that is on the roster: on the one by which the last of them
counted, and, where something is yet to be signed, on the one that is in force now. An officer who has another key since
proposes anew.
"""

from collections.abc import Collection, Iterable

from core.chain import SealedRow, content_digest
from core.facts import FactKind
from core.kinds import AuthorisedAct
from core.words import counted
from jobs.resting import order_of, stands
from memory.memory import Memory
from memory.officers import roster_of
from memory.records import Consumed
from officers.means import WANTING, key_wanted_by, with_a_key
from officers.roster import Roster
from ra.deciding.quorum import officers_needed
from ra.desk import Rules
from ra.proposal import said_in
from store.rows import Decision


class Consents:
    """What was consumed for some decisions; read at once.

    Args:
        memory: knows it.
        rules: from the settings.
        decisions: as the register has them.
    """

    def __init__(self, memory: Memory, rules: Rules, decisions: Collection[Decision]) -> None:
        self._memory = memory
        self._rules = rules
        approvals = {each.approval for each in decisions if each.urgent and each.approval}
        self._consumed: dict[str, list[Consumed]] = {}
        for each in memory.consumed_about({each.id for each in decisions} | approvals):
            self._consumed.setdefault(each.subject, []).append(each)
        self._made: dict[str, frozenset[str]] = {}
        self._rosters = {each.number: roster_of(each) for each in memory.rosters()}

    def why_not(self, decision: Decision, *, still: Roster | None = None) -> str | None:
        """Return why too few officers have signed for a decision of several; None if they have.

        Args:
            decision: one of them.
            still: the roster on which their keys have to stand now; None where what they decided was done by then.
        """
        proposed, agreed = self._acts(decision)
        if not stands(decision) or decision.proposer not in {each.officer for each in proposed}:
            return f"{decision.proposer} has not signed for that proposal"
        used = [*proposed, *agreed]
        counting = still or self._rosters[max(each.roster for each in used)]
        people = {each.officer for each in used if _counts(each, counting)}
        gone = sorted({each.officer for each in used} - people)
        if len(people) >= officers_needed(decision, self._rules) and decision.proposer in people:
            # The row may say another kind than the proposal that was signed for: the stricter one counts.
            wanted = key_wanted_by(decision.kind, said_in(decision).get("kind"))
            keyed = with_a_key(counting, (each.key for each in used if each.officer in people))
            return WANTING if wanted and not keyed else None
        if gone:
            return f"the key of {', '.join(gone)} that signed for it is not on the roster any more"
        return f"{counted(len(people), 'officer')} signed for it, and {officers_needed(decision, self._rules)} must"

    def why_not_alone(self, decision: Decision, facts: Iterable[SealedRow]) -> str | None:
        """Return why an urgent revocation does not count; None if its officer has signed for it.

        Args:
            decision: one of them.
            facts: that it was made alone; one of them is what the authorisation was consumed for.
        """
        made = {
            content_digest(each)
            for each in facts
            if each.kind == FactKind.DECISION_MADE_ALONE and each.subject == decision.id
        }
        if any(each.fact_sha256 in made for each in self._ordered(decision)):
            return None
        return f"{decision.proposer} has not signed for that order"

    def meant(self, decision: Decision, serial: str) -> bool:
        """Return whether those who made a decision can have meant to end a certificate: it was to be signed by then.

        Args:
            decision: one of them, which was made.
            serial: of the certificate.
        """
        if decision.id not in self._made:
            agreed = self._ordered(decision) if decision.urgent else self._acts(decision)[1]
            self._made[decision.id] = frozenset(each.fact_sha256 for each in agreed)
        subject = decision.approval if decision.urgent else decision.id
        return self._memory.certified_before(serial, subject or "", self._made[decision.id])

    def _ordered(self, decision: Decision) -> list[Consumed]:
        """Return what was consumed for the order that an urgent revocation carries out."""
        used = [each for each in self._consumed.get(decision.approval or "", ()) if each.act is AuthorisedAct.REVOKE]
        same = (decision.proposer, order_of(decision))
        return [each for each in used if (each.officer, each.proposal_sha256) == same]

    def _acts(self, decision: Decision) -> tuple[list[Consumed], list[Consumed]]:
        """Return what was consumed for exactly this proposal, and for its bytes where there are any."""
        about = self._consumed.get(decision.id, [])
        tbs = decision.seconded_tbs or None
        same = [each for each in about if each.proposal_sha256 == decision.proposal_sha256]
        return (
            [each for each in same if each.act is AuthorisedAct.PROPOSE and each.officer == decision.proposer],
            [each for each in same if each.act is AuthorisedAct.SECOND and each.tbs_sha256 == tbs],
        )


def _counts(consumed: Consumed, roster: Roster) -> bool:
    member = roster.member(consumed.key)
    return member is not None and member.officer == consumed.officer
