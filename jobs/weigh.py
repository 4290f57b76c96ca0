"""weigh: what facts rest upon is proved before they are sealed, and authorisations are consumed.

Outside of the transaction that seals: what is consumed is remembered first. If we die between the two, the same fact is
weighed again and is the one for which it was consumed; another one is not.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from core.alarms import printable
from core.canonical import Json, canonical
from core.chain import SealedRow, content_digest
from core.errors import AuthorisationRefused, MemoryContradicted
from core.facts import FactKind
from core.instants import parse
from core.kinds import AuthorisationFlaw, AuthorisedAct
from jobs.aside import NO_ROW_S_FAULT
from jobs.consents import Consents
from jobs.duty import Duty
from jobs.evidence import proved, proved_facts
from jobs.resting import (
    Resting,
    authorisation_of,
    claim_of,
    decision_of,
    require_follows,
    require_ours,
    resting,
    said_by,
)
from jobs.roster import authority_begun, roster_counting, told
from memory.memory import Memory
from memory.records import Consumed, Issuing, Record
from officers.proof import Asked, prove
from officers.roster import Roster
from officers.statement import Authorisation, read_listed, read_statement
from store.reading import authorisations, journal
from store.reading import proof as reading
from store.rows import Decision
from store.transactions import Transaction

T = TypeVar("T")

_MOST_SAID = 300
"""Characters of what is told of a fact that is refused: whoever wrote it may have written a megabyte."""


@dataclass(frozen=True, kw_only=True)
class Flawed:
    """Why a fact is not sealed.

    Args:
        flaw: in one word.
        why: in the words of whoever found it.
    """

    flaw: AuthorisationFlaw
    why: str

    def told(self, row: SealedRow) -> dict[str, Json]:
        """Return what the journal says of a fact that is refused."""
        said = said_by(row)
        return {
            "kind": printable(row.kind, _MOST_SAID),
            "actor": printable(row.actor, _MOST_SAID),
            "credential": _told(said.get("credential")),
            "decision": _told(said.get("decision")),
            "flaw": self.flaw.value,
            "why": self.why,
            "fact_sha256": content_digest(row),
        }


def weighed(duty: Duty, rows: Sequence[SealedRow], at: datetime) -> Mapping[int, Flawed]:
    """Return what is wrong with those of some facts that must not be sealed, by their places; consume what is right.

    An authority without a roster asks nobody to sign, and no fact is wrong.

    Args:
        duty: whose memory knows whose keys count, and what was consumed.
        rows: facts, in the order in which they are to be sealed.
        at: now.

    Raises:
        MemoryFull, MemoryUnusable: what was consumed cannot be remembered.
    """
    roster = roster_counting(duty.memory, at)
    if roster is None:
        return {}
    with duty.read() as tx:
        acts = _Acts(tx, duty.memory, rows)
    flawed, right = _each(dict(enumerate(rows)), lambda row: acts.weighed(row, roster, at))
    flawed |= _consume(duty.memory, {place: each for place, each in right.items() if each is not None}, at)
    left = {place: row for place, row in enumerate(rows) if place not in flawed}
    with duty.read() as tx:
        consequences = _Consequences(duty, tx, list(left.values()))
    return flawed | _each(left, consequences.require)[0]


def _each(rows: Mapping[int, SealedRow], weigh: Callable[[SealedRow], T]) -> tuple[dict[int, Flawed], dict[int, T]]:
    """Weigh each of some rows; return what is wrong, and what came of the others, by their places."""
    flawed: dict[int, Flawed] = {}
    right: dict[int, T] = {}
    for place, row in rows.items():
        try:
            right[place] = weigh(row)
        except AuthorisationRefused as error:
            flawed[place] = _flawed(error)
        except NO_ROW_S_FAULT:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a row may hold: the others are not to wait for it
            why = f"it cannot be read ({type(error).__name__})"
            flawed[place] = Flawed(flaw=AuthorisationFlaw.MALFORMED, why=why)
    return flawed, right


def _consume(memory: Memory, new: Mapping[int, Consumed], at: datetime) -> dict[int, Flawed]:
    """Remember what was consumed, in one portion; where one contradicts what was consumed before, each alone.

    If we die here, nothing was sealed upon it; the same facts are weighed again.
    """
    if not new:
        return {}
    try:
        memory.remember([record for each in new.values() for record in _records(each, at)], now=at)
    except MemoryContradicted as error:
        if len(new) > 1:
            return {
                place: flawed
                for one, each in new.items()
                for place, flawed in _consume(memory, {one: each}, at).items()
            }
        return {place: Flawed(flaw=AuthorisationFlaw.USED, why=str(error)) for place in new}
    return {}


def _records(consumed: Consumed, at: datetime) -> list[Record]:
    """Return what is remembered of an authorisation that counts.

    One officer is enough to stop issuing, and a stop says nothing else: it stands from then on, whatever somebody makes
    of the row of its order.
    """
    if consumed.act is not AuthorisedAct.STOP_ISSUING:
        return [consumed]
    stop = Issuing(stopped=True, at=at, order=consumed.subject, statements=(consumed.statement_sha256,))
    return [consumed, stop]


class _Acts:
    """What officers signed for some acts, and what was consumed for them; everything is read at once.

    Args:
        tx: open; nothing is read after this.
        memory: knows what was consumed.
        rows: facts of whatever kinds.
    """

    def __init__(self, tx: Transaction, memory: Memory, rows: Sequence[SealedRow]) -> None:
        acts = [row for row in rows if _rests(row, Resting.AUTHORISATION)]
        named = {_word(said_by(row).get("authorisation")) for row in acts} - {None}
        statements = {each for each in named if each is not None}
        alone = {row.subject for row in acts if row.kind == FactKind.DECISION_MADE_ALONE and row.subject is not None}
        self._kept = _read(statements, lambda some: authorisations.kept(tx, some))
        self._decisions = _read(alone, lambda some: reading.decisions_called(tx, some))
        self._used = {each.fact_sha256 for each in memory.consumed_by(statements)}
        self._memory = memory
        self._worked = _last_sealed_at(tx, memory) if acts else None
        self._authority = authority_begun(memory)

    def weighed(self, row: SealedRow, roster: Roster, at: datetime) -> Consumed | None:
        """Return what is to be consumed before a fact is sealed; None where nothing is, or it was before.

        Raises:
            AuthorisationRefused: it rests upon what is not proved.
        """
        match resting(row):
            case Resting.OURS:
                require_ours(row)
                self._require_remembered(row)
                return None
            case Resting.AUTHORISATION:
                return None if content_digest(row) in self._used else self._proved(row, roster, at)
            case _:
                return None

    def _require_remembered(self, row: SealedRow) -> None:
        """Whoever proves a decision from the journal alone goes by rosters and certificates: those are remembered.

        So are stops.
        """
        match row.kind:
            case FactKind.ROSTER_SET:
                said = {name: value for name, value in said_by(row).items() if name != "signed"}
                known = any(canonical(said) == canonical(told(each)) for each in self._memory.rosters())
            case FactKind.ISSUING_STOPPED | FactKind.ISSUING_STARTED:
                order, stopped = said_by(row).get("order"), row.kind == FactKind.ISSUING_STOPPED
                known = any((each.order, each.stopped) == (order, stopped) for each in self._memory.stops())
            case FactKind.CERTIFICATE_ISSUED:
                certificate = self._memory.certificate(_word(said_by(row).get("serial")) or "")
                known = certificate is not None and certificate.approval == row.subject
            case _:
                known = True
        if not known:
            raise AuthorisationRefused(flaw=AuthorisationFlaw.SUBJECT, detail="the authority remembers nothing of it")

    def _proved(self, row: SealedRow, roster: Roster, at: datetime) -> Consumed:
        named = authorisation_of(row)
        kept = self._kept.get(named)
        if kept is None:
            raise AuthorisationRefused(flaw=AuthorisationFlaw.MISSING, detail="what it names is not there")
        statement, members = read_statement(kept.statement.encode()), read_listed(kept.members)
        if statement.sha256 != named:
            raise AuthorisationRefused(flaw=AuthorisationFlaw.DIGEST, detail="what it names is another statement")
        claim = claim_of(row, self._decisions.get(row.subject or ""))
        asked = Asked(authority=self._authority, officer=row.actor, claim=claim, members=members)
        # An end is always taken: it counts if it was signed for in time, however long the authority stood still since.
        # What was not there while it still sealed was held back, whatever date is written beside it.
        when = min(at, max(parse(row.at), self._worked or at)) if claim.act is AuthorisedAct.REVOKE else at
        counter = prove(Authorisation(statement=statement, proof=kept.proof), asked, roster, when)
        return Consumed(
            statement_sha256=named,
            act=claim.act,
            subject=claim.subject,
            officer=statement.officer,
            key=statement.key,
            proposal_sha256=claim.proposal_sha256,
            tbs_sha256=claim.tbs_sha256,
            roster=roster.number,
            fact_sha256=content_digest(row),
            counter=counter,
        )


def _last_sealed_at(tx: Transaction, memory: Memory) -> datetime | None:
    """Return when the authority sealed for the last time; None where the register does not say it as it was sealed."""
    number = memory.head.number
    newest = proved(tx, memory, journal.sealed_after(tx, number - 1, 1)) if number else []
    return parse(newest[0].row.sealed_at) if newest else None


class _Consequences:
    """The decisions that some facts follow from, with what was consumed for them; everything is read at once.

    Args:
        duty: whose memory and rules they are compared with.
        tx: open; nothing is read after this.
        rows: facts of whatever kinds; what the acts among them rest upon was consumed.
    """

    def __init__(self, duty: Duty, tx: Transaction, rows: Sequence[SealedRow]) -> None:
        self._rules = duty.rules
        named = {_word(said_by(row).get("decision")) for row in rows if _rests(row, Resting.DECISION)}
        identifiers = {each for each in named if each is not None}
        self._decisions = _read(identifiers, lambda some: reading.decisions_called(tx, some))
        self._consents = Consents(duty.memory, duty.rules, list(self._decisions.values()))
        urgent = {each.id for each in self._decisions.values() if each.urgent}
        sealed = reading.sealed_about(tx, urgent, [FactKind.DECISION_MADE_ALONE])
        self._alone = [*(each.row for each in sealed), *rows]
        # Weighed once: many facts may follow from one decision.
        self._several = {each.id: self._consents.why_not(each) for each in self._decisions.values() if not each.urgent}
        wanting = {each for each, why in self._several.items() if why is not None}
        self._before = decided_before_rosters(tx, duty.memory, wanting)

    def require(self, row: SealedRow) -> None:
        """Require that officers agreed to what a fact says, if it rests upon a decision.

        Raises:
            AuthorisationRefused: they have not signed for it, or not enough of them.
        """
        if resting(row) is not Resting.DECISION:
            return
        named = decision_of(row)
        decision = self._decisions.get(named)
        if decision is None:
            raise AuthorisationRefused(flaw=AuthorisationFlaw.SUBJECT, detail=f"there is no decision {named}")
        require_follows(row, decision)
        why = None if named in self._before else self._why_not(decision)
        if why is not None:
            raise AuthorisationRefused(flaw=AuthorisationFlaw.UNDECIDED, detail=why)
        if row.kind == FactKind.CERTIFICATE_REVOKED and not self._consents.meant(
            decision, _word(said_by(row).get("serial")) or ""
        ):
            raise AuthorisationRefused(
                flaw=AuthorisationFlaw.SUBJECT, detail=f"decision {named} was made before there was that certificate"
            )

    def _why_not(self, decision: Decision) -> str | None:
        if not decision.urgent:
            return self._several[decision.id]
        if not self._rules.urgent_revocation_by_one:
            return "the settings let no officer revoke alone"
        return self._consents.why_not_alone(decision, self._alone)


def decided_before_rosters(tx: Transaction, memory: Memory, decisions: Collection[str]) -> frozenset[str]:
    """Return those of some decisions whose last seconding was sealed before officers signed for themselves.

    Args:
        tx: open.
        memory: knows when that was.
        decisions: their identifiers.
    """
    last = memory.sealed_before_rosters if decisions else 0
    if not last:
        return frozenset()
    seconded = proved_facts(tx, memory, decisions, [FactKind.DECISION_SECONDED])
    return frozenset(each.row.subject or "" for each in seconded if each.row.number <= last)


def _read(names: Collection[str], read: Callable[[Collection[str]], Mapping[str, T]]) -> dict[str, T]:
    """Read rows by their names at once; where one of them is beyond reading, each alone, and the others are there."""
    try:
        return dict(read(names))
    except NO_ROW_S_FAULT:
        raise
    except Exception:  # noqa: BLE001 - whatever a row may hold
        if len(names) == 1:
            return {}
        return {name: found for each in names for name, found in _read([each], read).items()}


def _rests(row: SealedRow, upon: Resting) -> bool:
    try:
        return resting(row) is upon
    except AuthorisationRefused:
        return False


def _flawed(error: AuthorisationRefused) -> Flawed:
    said = error.fields
    return Flawed(flaw=AuthorisationFlaw(str(said["flaw"])), why=printable(str(said["detail"]), _MOST_SAID))


def _word(found: object) -> str | None:
    return found if isinstance(found, str) else None


def _told(found: object) -> str | None:
    return printable(found, _MOST_SAID) if isinstance(found, str) else None
