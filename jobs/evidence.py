"""Evidence: facts as they were sealed. A row that was changed since, or was never sealed, proves nothing.

The memory holds the link of every row as it was when it was sealed (memory/), so a fact is proved by itself: its link
is computed again from what the row says now and from the link before it.

By itself it is evidence and no barrier: whoever can write rows can write facts. But they are in the sealed journal,
under a signed head, before anything is signed that rests upon them. The barrier is what officers sign with keys of
their own: where there is a roster, nobody counts whose authorisation was not consumed for exactly this
(jobs/consents.py).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.actors import Actor, Role, is_ours
from core.chain import link
from core.facts import FactKind
from core.instants import parse
from jobs.consents import Consents
from jobs.duty import later
from jobs.resting import said_by
from memory.memory import Memory
from officers.roster import Roster
from policy.roles import Operation, permitted
from ra.deciding.authorise import digests_said
from ra.deciding.quorum import officers_needed
from ra.desk import Rules
from ra.proposal import is_as_decided, said_in
from store.reading import journal
from store.reading import proof as reading
from store.reading.journal import Sealed
from store.rows import Decision
from store.transactions import Transaction

_DECIDING = (
    FactKind.DECISION_PROPOSED,
    FactKind.DECISION_SUPPORTED,
    FactKind.DECISION_SECONDED,
    FactKind.DECISION_MADE_ALONE,
)
_AGREEING = (FactKind.DECISION_SUPPORTED, FactKind.DECISION_SECONDED)
_ACCESS = (FactKind.ACCESS_GRANTED, FactKind.ACCESS_REVOKED)

_UNDER_WAY = timedelta(minutes=1)
"""What was begun with a key in its last second may be written that much later: a writer waits for its turn."""

_PORTION = 1_000


@dataclass(frozen=True)
class Lacking:
    """What is missing to a decision.

    Args:
        why: in a sentence.
        waits: whether facts about it wait to be sealed, or for a signed head: it may be complete in the next turn.
    """

    why: str
    waits: bool


class Evidence:
    """What the sealed journal says of some decisions; everything is read at once.

    Args:
        tx: open; nothing is read after this.
        memory: knows what was sealed.
        rules: from the settings.
        identifiers: of the decisions.
        still: the roster on which officers' keys have to stand now; None where what was decided is done.
    """

    def __init__(
        self,
        tx: Transaction,
        memory: Memory,
        rules: Rules,
        identifiers: Collection[str],
        *,
        still: Roster | None = None,
    ) -> None:
        self._rules = rules
        self._still = still
        self._trusted = memory.begun.journal_number
        self.decisions: Mapping[str, Decision] = reading.decisions_called(tx, identifiers)
        self._agreed = reading.seconders(tx, self.decisions)
        self._acts = _by_subject(proved(tx, memory, reading.sealed_about(tx, self.decisions, _DECIDING)))
        people = {each.row.actor for acts in self._acts.values() for each in acts}
        people |= {each.proposer for each in self.decisions.values()}
        shown = {_credential(each) for acts in self._acts.values() for each in acts}
        keys = {*reading.credentials_of(tx, people), *(each for each in shown if each is not None)}
        access = _by_subject(proved(tx, memory, reading.sealed_about(tx, keys, _ACCESS)))
        self._access = {key: read for key in access if (read := _Access.read(access[key])) is not None}
        self._waiting = reading.wait_to_be_sealed(
            tx, [*self.decisions, *keys], (*_DECIDING, *_ACCESS), head=memory.head.number
        )
        self._consents: Consents | None = None
        if memory.newest_roster is not None:
            self._consents = Consents(memory, rules, list(self.decisions.values()))
        self._before = memory.sealed_before_rosters
        """The last row that counts without what officers signed."""
        self._whys: dict[str, str | None] = {}

    def lacking(self, identifier: str, *, one: Sealed | None = None) -> Lacking | None:
        """Return what is missing for a decision to be acted upon; None if it was made as its rows say.

        Args:
            identifier: the decision's.
            one: the fact of an urgent revocation, which is its only act.
        """
        decision = self.decisions.get(identifier)
        if decision is None:
            return Lacking(f"there is no decision {identifier}", waits=False)
        if decision.urgent or identifier not in self._whys:  # of several officers, no one fact of it says anything
            self._whys[identifier] = self._why(decision, one)
        why = self._whys[identifier]
        return None if why is None else Lacking(why, waits=bool(self._waiting))

    def _why(self, decision: Decision, one: Sealed | None) -> str | None:
        if not is_as_decided(decision):
            return "the proposal is not the one that was decided"
        if said_in(decision).get("proposed_by") != decision.proposer:
            return "the proposal says that another officer proposed it"
        return self._why_not_by_one(decision, one) if decision.urgent else self._why_not_by_several(decision)

    def _why_not_by_several(self, decision: Decision) -> str | None:
        acts = [each for each in self._acts.get(decision.id, ()) if self._by_an_officer(each)]
        proposed = {each.row.actor for each in acts if _says(each, decision, [FactKind.DECISION_PROPOSED])}
        agreed = {each.row.actor for each in acts if _says(each, decision, _AGREEING)}
        last = {each.row.actor for each in acts if _says(each, decision, [FactKind.DECISION_SECONDED])}
        why = None
        if proposed != {decision.proposer}:
            why = f"no sealed fact says that {decision.proposer} proposed it"
        elif decision.seconder is None or last != {decision.seconder}:
            why = f"no sealed fact says that {decision.seconder or 'anybody'} seconded it"
        elif agreed != self._agreed.get(decision.id, frozenset()) | last:
            why = "the sealed facts name other officers than its rows"
        elif len(proposed | agreed) < officers_needed(decision, self._rules):
            why = "too few officers have agreed to it"
        elif self._consents is not None and not self._sealed_before(acts, FactKind.DECISION_SECONDED):
            why = self._consents.why_not(decision, still=self._still)
        return why

    def _why_not_by_one(self, decision: Decision, one: Sealed | None) -> str | None:
        if not self._rules.urgent_revocation_by_one:
            return "the settings let no officer revoke alone"
        if one is None or one.row.actor != decision.proposer or not self._by_an_officer(one):
            return f"no sealed fact says that {decision.proposer} did it"
        if self._consents is not None and one.row.number > self._before:
            return self._consents.why_not_alone(decision, [each.row for each in self._acts.get(decision.id, ())])
        return None

    def _sealed_before(self, acts: Iterable[Sealed], kind: FactKind) -> bool:
        return any(each.row.kind == kind and each.row.number <= self._before for each in acts)

    def _by_an_officer(self, act: Sealed) -> bool:
        """Return whether whoever acted had been granted access as an officer, and it had not been taken away."""
        if not _decides(act.row.actor, act.row.role) or is_ours(act.row.actor):
            return False
        if act.row.number <= self._trusted:
            return True  # what was sealed before there was a memory was proved and trusted once, when it began
        shown = _credential(act)
        keys = self._access if shown is None else [shown]
        return any(key in self._access and self._access[key].covers(act) for key in keys)


@dataclass(frozen=True)
class _Access:
    """A credential as the sealed facts say it."""

    name: str
    role: str
    expires_at: str | None
    granted: Sealed
    revoked: Sealed | None

    @classmethod
    def read(cls, access: Sequence[Sealed]) -> "_Access | None":
        """Return it; None where nothing says that it was granted. What was granted once is not granted anew."""
        granted = [each for each in access if each.row.kind == FactKind.ACCESS_GRANTED]
        revoked = [each for each in access if each.row.kind == FactKind.ACCESS_REVOKED]
        if not granted:
            return None
        said = payload(granted[0])
        return cls(
            name=str(said.get("name")),
            role=str(said.get("role")),
            expires_at=said.get("expires_at"),
            granted=granted[0],
            revoked=revoked[0] if revoked else None,
        )

    def covers(self, act: Sealed) -> bool:
        if self.name != act.row.actor or not _decides(self.name, self.role):
            return False
        if self.granted.row.sealed_at > act.row.sealed_at:
            return False
        if self.expires_at is not None and parse(act.row.at) > later(parse(self.expires_at), _UNDER_WAY):
            return False
        taken = self.revoked
        return taken is None or (taken.row.at >= act.row.at and taken.row.sealed_at >= act.row.sealed_at)


def _says(act: Sealed, decision: Decision, kinds: Collection[FactKind]) -> bool:
    said = payload(act)
    if act.row.kind not in kinds or said.get("proposal_sha256") != decision.proposal_sha256:
        return False
    return act.row.kind == FactKind.DECISION_PROPOSED or said.get("tbs_sha256") == digests_said(decision.seconded_tbs)


def _decides(name: str, role: str | None) -> bool:
    """Return whether the table of roles lets somebody decide; a word that is no role lets nobody."""
    return role in set(Role) and permitted(Actor(name, Role(role)), Operation.SECOND, owner=None)


def _credential(act: Sealed) -> str | None:
    """Return the credential that an act was done with; facts of before it was written down name none."""
    shown = payload(act).get("credential")
    return shown if isinstance(shown, str) else None


def payload(sealed: Sealed) -> Mapping[str, Any]:
    """Return what a sealed fact says; see said_by."""
    return said_by(sealed.row)


def _by_subject(sealed: Iterable[Sealed]) -> Mapping[str, list[Sealed]]:
    found: dict[str, list[Sealed]] = {}
    for each in sealed:
        found.setdefault(each.row.subject or "", []).append(each)
    return found


# --- what was sealed -------------------------------------------------------------------------------------------------


def proved_facts(
    tx: Transaction, memory: Memory, subjects: Collection[str], kinds: Collection[FactKind]
) -> list[Sealed]:
    """Return the facts about some subjects that are in the journal as they were sealed, in order.

    Args:
        tx: open.
        memory: knows the links.
        subjects: as in Fact.
        kinds: of facts.
    """
    return proved(tx, memory, reading.sealed_about(tx, subjects, kinds))


def proved(tx: Transaction, memory: Memory, sealed: Sequence[Sealed]) -> list[Sealed]:
    """Return those of some sealed rows that say what they said when they were sealed, under a head that was signed."""
    numbers = {number for each in sealed for number in (each.row.number - 1, each.row.number)}
    known = memory.links(numbers)
    for number in sorted(numbers - set(known)):
        if number not in known and _learn(tx, memory, number):
            known = memory.links(numbers)
    found = []
    for each in sealed:
        before, own = known.get(each.row.number - 1), known.get(each.row.number)
        if before is not None and own is not None and link(before, each.row) == own:
            found.append(each)
    return found


def _learn(tx: Transaction, memory: Memory, number: int) -> bool:
    """Compute the links between two heads that this process did not see sealed: another machine's, or of before.

    They are right if, and only if, they lead from the one head to the other.
    """
    around = memory.heads_around(number)
    if around is None:
        return False
    before, after = around
    links, at = list[tuple[int, bytes]](), before
    while at.number < after.number:
        rows = journal.sealed_after(tx, at.number, min(_PORTION, after.number - at.number))
        if [each.row.number for each in rows] != list(range(at.number + 1, at.number + 1 + len(rows))) or not rows:
            return False
        links += links_behind(at.link, rows)
        at = type(at)(number=links[-1][0], link=links[-1][1])
    if at != after:
        return False
    memory.learn(links)
    return True


def links_behind(before: bytes, rows: Sequence[Sealed]) -> list[tuple[int, bytes]]:
    """Return number and link of rows that follow each other, computed from what they say.

    Args:
        before: the link of the row before the first.
        rows: in order.
    """
    links = []
    for each in rows:
        before = link(before, each.row)
        links.append((each.row.number, before))
    return links
