"""The history of the roster, proved: each number by a sealed fact, and by whoever let its keys count.

The first by the ceremony's transcript or a statement of the root; a later one by two officers on the one before it who
are not concerned, or by a statement of the root.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verify.kit.agreed.chain import DATED_AHEAD, FactKind, Row
from verify.kit.agreed.dossier import Dossier, Trusted
from verify.kit.agreed.findings import Against, Ledger, Missing
from verify.kit.agreed.proof import Asked, prove
from verify.kit.agreed.roster import CHANGED_BY, Roster, Unusable, changed, counting, read_change, signed_by_root
from verify.kit.agreed.statements import Act, Claim, Refused
from verify.kit.instants import moment, written


@dataclass(frozen=True, kw_only=True)
class _Set:
    """A roster as the sealed fact says that it was set."""

    number: int
    sha256: str
    effective_at: datetime
    first: bool
    statements: tuple[str, ...]
    signed: Any


class Rosters:
    """The rosters that there were.

    Args:
        dossier: has their members, and what they rest upon.
        trusted: has the root, and the transcript.
        rows: of the journal; they are proved.
        payloads: what each says, by its number.
        ledger: is told what is wrong.
    """

    def __init__(
        self,
        dossier: Dossier,
        trusted: Trusted,
        payloads: Sequence[tuple[Row, Mapping[str, Any]]],
        ledger: Ledger,
    ) -> None:
        self._dossier, self._trusted, self._ledger = dossier, trusted, ledger
        self._sets: dict[int, _Set] = {}
        for row, said in payloads:
            if row.kind == FactKind.ROSTER_SET:
                self._add(row, said)
        self._proved: dict[int, Roster | None] = {}

    @property
    def statements(self) -> frozenset[str]:
        """Digests of the statements that the rosters rest upon."""
        return frozenset(digest for each in self._sets.values() for digest in each.statements)

    def asked(self, at: datetime) -> bool:
        """Return whether officers' keys counted then, so that acts were asked for what was signed with them."""
        return bool(self._numbers_at(at))

    def in_force(self, at: datetime, *, within: bool = False) -> tuple[Roster, ...]:
        """Return the roster that was in force; none if nothing proves which.

        Args:
            at: then.
            within: also the one before, if it was in force DATED_AHEAD before then: a row is sealed that much later, at
                most, than the instant by which it was weighed.
        """
        numbers = self._numbers_at(at)
        wanted = {max(numbers)} if numbers else set(sorted(self._sets)[:1])
        earlier = self._numbers_at(at - DATED_AHEAD)
        if within and earlier:
            wanted.add(max(earlier))
        if not wanted:
            self._ledger.lack(Missing.ROSTER, "No row of the journal says whose keys counted.")
        found = [self._roster(number) for number in sorted(wanted, reverse=True)]
        return tuple(each for each in found if each is not None)

    def _numbers_at(self, at: datetime) -> list[int]:
        return [each.number for each in self._sets.values() if each.effective_at <= at]

    def _add(self, row: Row, said: Mapping[str, Any]) -> None:
        try:
            number = int(said["number"])
            found = _Set(
                number=number,
                sha256=str(said["members_sha256"]),
                effective_at=moment(said["effective_at"]),
                first=number == 1,
                statements=tuple(map(str, said["statements"])),
                signed=said.get("signed"),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            self._ledger.refute(Against.ROSTER_ALTERED, f"Row {row.number} sets a roster and does not say which.")
            return
        held = self._sets.setdefault(number, found)
        # What the register showed otherwise is shown again, with a fact, and without the root's statement.
        if (held.sha256, held.effective_at) != (found.sha256, found.effective_at):
            self._ledger.refute(Against.ROSTER_ALTERED, f"The journal sets roster {number} twice, and not the same.")

    def _roster(self, number: int) -> Roster | None:
        if number not in self._proved:
            self._proved[number] = None  # no roster rests upon itself
            self._proved[number] = self._prove(self._sets[number])
        return self._proved[number]

    def _prove(self, told: _Set) -> Roster | None:
        members = (self._dossier.rosters or {}).get(told.number)
        if members is None:
            self._ledger.lack(Missing.ROSTER, f"The dossier does not have the members of roster {told.number}.")
            return None
        roster = Roster(number=told.number, members=members, effective_at=told.effective_at)
        if roster.sha256 != told.sha256:
            self._ledger.refute(
                Against.ROSTER_ALTERED, f"Roster {told.number} has other members than the journal says that it had."
            )
            return None
        if told.signed is not None:
            return self._by_root(told, roster)
        return self._by_ceremony(roster) if told.first else self._by_officers(told, roster)

    def _by_ceremony(self, roster: Roster) -> Roster | None:
        named = self._trusted.officers
        if named is None:
            self._ledger.pass_over(
                "Roster 1 is believed for the journal's key: the ceremony's transcript, which the root has signed, was "
                "not handed in."
            )
        elif named != {(each.key, each.officer) for each in roster.members}:
            self._ledger.refute(Against.ROSTER_UNPROVED, "Roster 1 has other keys than the ceremony's transcript says.")
            return None
        return roster

    def _by_root(self, told: _Set, roster: Roster) -> Roster | None:
        try:
            number, members = signed_by_root(told.signed, self._trusted.authority)
        except Unusable as error:
            self._ledger.refute(Against.ROSTER_UNPROVED, f"The root has not signed roster {told.number}: {error}")
            return None
        same = Roster(number=number, members=members, effective_at=told.effective_at)
        if (same.number, same.sha256) != (roster.number, roster.sha256):
            self._ledger.refute(Against.ROSTER_UNPROVED, f"The root has signed another roster than {told.number}.")
            return None
        return roster

    def _by_officers(self, told: _Set, roster: Roster) -> Roster | None:
        held = self._dossier.authorisations or {}
        signed = [held[digest] for digest in told.statements if digest in held]
        bodies = {
            body
            for each in signed
            if (body := self._dossier.orders.get(each.authorisation.claim.proposal_sha256 or "")) is not None
        }
        if told.statements and len(signed) == len(told.statements) and not bodies and self._strange_orders():
            self._ledger.refute(
                Against.ROSTER_UNPROVED,
                f"The dossier has an order that nobody signed for, and not the one of roster {told.number}.",
            )
            return None
        if not told.statements or len(signed) < len(told.statements) or len(bodies) != 1:
            self._ledger.pass_over(
                f"Roster {told.number} is believed for the journal's key: the order by which officers changed it is "
                "not in the dossier."
            )
            return roster
        try:
            change = read_change(bodies.pop())
            before = self._roster(change.roster) if change.roster in self._sets else None
            if before is None:
                self._ledger.lack(
                    Missing.ROSTER, f"Nothing proves roster {change.roster}, of which {told.number} came."
                )
                return None
            signers = set()
            for each in signed:
                said = each.authorisation
                # Its body was found by the digest that it names.
                claim = Claim(
                    act=Act.CHANGE_ROSTER, subject=said.claim.subject, proposal_sha256=said.claim.proposal_sha256
                )
                asked = Asked(authority=self._trusted.authority, officer=said.officer, claim=claim)
                prove(each.authorisation, asked, before, said.valid_until)
                signers.add((said.officer, said.key))
            made = Roster(number=change.number, members=changed(before, change), effective_at=told.effective_at)
        except (Refused, Unusable) as error:
            self._ledger.refute(
                Against.ROSTER_UNPROVED, f"Roster {told.number} does not follow from its order: {error}"
            )
            return None
        people = counting(change, signers, before)
        keyed = before.with_a_key(key for officer, key in signers if officer in people)
        enough = len(people) >= CHANGED_BY and keyed
        if not enough or (made.number, made.sha256) != (told.number, told.sha256):
            self._ledger.refute(
                Against.ROSTER_UNPROVED,
                f"What officers signed at {written(told.effective_at)} is not roster {told.number}.",
            )
            return None
        return roster

    def _strange_orders(self) -> bool:
        """Return whether the dossier has an order that nothing in it was signed for: it may be another than it was."""
        held = (self._dossier.authorisations or {}).values()
        return bool(set(self._dossier.orders) - {each.authorisation.claim.proposal_sha256 for each in held})
