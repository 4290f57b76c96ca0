"""supersession: when a later issue ends those before it, as the memory says of both, and never as a fact alone does.

The fact is in the authority's own name, and whoever can write rows can write it. The later issue was remembered before
it was signed, so it ends nothing before that; and nothing before its own first second, unless its proposal, of which
the digest is remembered, moves the start of the trial (ra/deciding/kinds/amendment.py).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from core.instants import parse
from core.kinds import DecisionKind
from jobs.doubt import BEHIND
from jobs.evidence import payload
from memory.beliefs import Remembered
from memory.memory import Memory
from memory.records import WillSign
from ra.proposal import is_as_decided, said_in
from store.reading import proof as reading
from store.reading.journal import Sealed
from store.rows import Decision
from store.transactions import Transaction


class Supersessions:
    """Some facts of supersessions, and what is remembered of the issues that they name; everything is read at once.

    Args:
        tx: open; nothing is read after this.
        memory: of the authority.
        facts: as they were sealed.
    """

    def __init__(self, tx: Transaction, memory: Memory, facts: Iterable[Sealed]) -> None:
        self._trusted = memory.begun.journal_number
        self._signing: dict[int, tuple[WillSign, datetime]] = {}
        for fact in facts:
            said = payload(fact)
            later = (each for each in memory.issues(fact.row.subject or "") if each.issue == said.get("by_issue"))
            signing = [found for each in later if (found := memory.signing(each.serial)) is not None]
            if signing:
                self._signing[fact.row.number] = signing[0]
        self._ended = {signing.serial: memory.end(signing.serial) for signing, _ in self._signing.values()}
        named = {signing.decision for signing, _ in self._signing.values()}
        self._decisions: Mapping[str, Decision] = reading.decisions_called(tx, named)

    def end(self, fact: Sealed, known: Remembered, at: datetime) -> bool:
        """Return whether the issue that a fact names ended a certificate at an instant.

        Args:
            fact: one of those given.
            known: the certificate.
            at: when it is said to have ended.
        """
        signing, remembered = self._signing.get(fact.row.number, (None, at))
        if signing is None or signing.approval != known.approval or signing.issue <= known.issue:
            return False
        if at not in (signing.not_before, parse(fact.row.at)):
            return False
        stated = self._ended[signing.serial]
        if stated is not None and stated.at < at and stated.at <= signing.not_before:
            return False  # it was withdrawn, or its place was taken, before it began: it ends nothing any more
        # What was sealed before there was a memory was trusted once, and remembered later than it happened.
        if fact.row.number > self._trusted and at < remembered - BEHIND:
            return False
        return at >= signing.not_before or self._moves_start(signing)

    def _moves_start(self, signing: WillSign) -> bool:
        decision = self._decisions.get(signing.decision)
        if decision is None or not is_as_decided(decision) or decision.proposal_sha256 != signing.proposal_sha256:
            return False
        moved = (each["subject"] == "start" for each in said_in(decision).get("changes", ()))
        return decision.kind is DecisionKind.AMEND and any(moved)
