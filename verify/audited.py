"""The whole register, proved from an export and what an auditor holds: everything follows from the journal.

`Audit` takes the lines of an export in one pass and shows that

1. the journal and its log hold together (verify/chained.py);
2. each act of an officer rests on what they signed, by a key that counted (verify/counted.py, verify/acted.py);
3. nothing follows from what was not decided, and what follows is what was decided (verify/folding.py); what the
   committee keeps for itself contradicts nothing (verify/folding_committee.py);
4. each certificate, list and OCSP answer is signed by whom the hierarchy says, and says what follows
   (verify/follows.py);
5. what the log says in public of each approval follows;
6. so does each row of the register, and none is missing (verify/register_follows.py).

It leaves to the caller: that the keys handed in are the authority's, and heads kept from before. What is not sealed yet
is held against nobody, and told.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from core.canonical import canonical, read_json
from core.chain import SealedRow, content_digest
from core.errors import InstantMalformed
from core.facts import FactKind
from core.kinds import HierarchyRole, OrderState
from core.note import origin
from verify.acted import Acted
from verify.audit_findings import Findings
from verify.chained import Chained, carried
from verify.counted import Counted
from verify.exported import Parts, Said
from verify.folded import Folded, Roster, document, instant, said
from verify.folding import Folding
from verify.folding_committee import Committee
from verify.follows import Follows
from verify.kit.agreed.dossier import Trusted
from verify.kit.evidence.parsing import Unreadable
from verify.octets import octets_of
from verify.register_follows import RegisterFollows

VERSION = 1

_ENDS = (FactKind.APPROVAL_REVOKED, FactKind.APPROVAL_WITHDRAWN, FactKind.CERTIFICATE_REVOKED)
_BEFORE = frozenset({"draft", "certificate", "hierarchy"})


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """What an auditor holds from elsewhere.

    Args:
        journal_keys: SHA-256 of the journal's key, hex, from each place that says it.
        log_key: of the log's checkpoints, as verifiers take it.
        root: the root's certificate.
        officers: of the transcript: thumbprint and officer of each key that counted first.
        links: by the number of the row, kept from before.
    """

    journal_keys: Collection[str] = ()
    log_key: str | None = None
    root: x509.Certificate | None = None
    officers: frozenset[tuple[str, str]] | None = None
    links: Mapping[int, str] = field(default_factory=dict)


class Audit:
    """An audit that is under way.

    Args:
        pinned: what is trusted.
    """

    def __init__(self, pinned: Pinned) -> None:
        self.findings, self.state = Findings(), Folded()
        self.name = ""
        self._pinned = pinned
        self._chain: Chained | None = None
        trusted = None if pinned.root is None else Trusted(root=pinned.root, officers=pinned.officers)
        self._counted = Counted(trusted, self.findings)
        self._acted = Acted(self.state, self._counted, self.findings)
        self._folding = Folding(self.state, self._acted, self.findings, pinned.root)
        self._committee = Committee(self.state, self.findings)
        self._follows = Follows(self.state, self.findings)
        self.register = RegisterFollows(self.state, self.findings)
        self._parts, self._der = Parts(), b""
        self._list: Said | None = None
        self._refused: list[Said] = []
        self._claimed: dict[str, tuple[int, set[int]]] = {}
        self._authority: Said = {}
        self._by: Mapping[str, Callable[[Said], None]] = {}

    @property
    def rows(self) -> int:
        """How many rows of the journal were taken."""
        return 0 if self._chain is None else self._chain.number

    @property
    def covered(self) -> int:
        """The last row that a signed head covers."""
        return 0 if self._chain is None else self._chain.covered

    @property
    def logged(self) -> int:
        """The last row that a checkpoint covers."""
        return 0 if self._chain is None else self._chain.logged

    def take(self, line: Said) -> None:
        """Take the next line of an export.

        Raises:
            Unreadable: it is none, or does not stand where it may.
        """
        what = str(line["is"])
        if self._chain is None:
            self._begin(line)
        elif what in self._by:
            self._by[what](line)
        elif what in _BEFORE:
            self._folding.before(line)
        elif not self.register.take(line):
            raise Unreadable(f"there is no line that is “{what[:40]}”")

    # --- the first line, and the last -------------------------------------------------------------------------------

    def _begin(self, line: Said) -> None:
        if line["is"] != "authority" or line.get("export") != VERSION:
            raise Unreadable(f"it does not begin as an export of version {VERSION} does")
        key, self.name, self._authority = _octets(line.get("key")), str(line.get("journal")), line
        digest = hashlib.sha256(key).hexdigest()
        for each in sorted({one.lower() for one in self._pinned.journal_keys} - {digest}):
            self.findings.against("authority", f"It names another key of the journal than the one you know, {each}.")
        if not self._pinned.journal_keys:
            self.findings.cannot_know(
                f"whose journal this is: nothing from outside says that its key is the one whose SHA-256 is {digest} "
                "(--transcript or --key)."
            )
        if self._pinned.root is not None:
            named = Trusted(root=self._pinned.root).authority.name
            if named != line.get("name"):
                self.findings.against("authority", f"Its name is {line.get('name')}, and the root is {named}'s.")
        self._chain = chain = Chained(self.name, key, self.findings, log_key=self._pinned.log_key)
        self._by = {
            "row": self._row,
            "head": chain.head,
            "checkpoint": chain.checkpoint,
            "statement": self._counted.statement,
            "proposal": self._acted.proposal,
            "order": self._acted.order_body,
            "roster": self._members,
            "part": lambda line: self._parts.add(_octets(line.get("octets"))),
            "list": self._listed,
            "refused": self._refused.append,
            "unsealed": lambda _: self.register.forget_waiting(),
            "waiting": self.register.waits,
            "table": lambda line: self.register.begin(line, chain.number),
            "end": self._end,
        }

    def _listed(self, line: Said) -> None:
        self._list, self._der = line, self._parts.taken()

    def _end(self, line: Said) -> None:
        del line
        assert self._chain is not None
        self._chain.finish()
        self.register.finish()
        for approval, (row, instants) in self._claimed.items():
            found = self.state.approvals.get(approval)
            for each in instants - (set() if found is None else found.refused):
                self.findings.against(
                    f"log_documents {approval} {row}", f"It disputes an end at {said(each)}, and none was refused."
                )
        for number in self._pinned.links:
            if number > self._chain.number:
                self.findings.against(f"row {number}", "You kept its link, and it is not there.")

    # --- rows -------------------------------------------------------------------------------------------------------

    def _row(self, line: Said) -> None:
        assert self._chain is not None
        row = self._chain.take(line)
        name = f"row {row.number}"
        kept = self._pinned.links.get(row.number)
        if kept is not None and kept != line.get("link"):
            self.findings.against(name, "It has another link than the one that you kept.")
        told = _payload(row)
        if told is None:
            self.findings.against(name, "Its payload is not canonical JSON.")
            told = {}
        try:
            self._fold(row, told)
        except (InstantMalformed, KeyError, TypeError, ValueError, AttributeError) as error:
            self.findings.against(name, f"It says what no authority writes ({type(error).__name__}).")
        for approval, text in carried(line):
            self._public(row, approval, text)
        self._refused.clear()
        self._list, self._der = None, b""

    def _fold(self, row: SealedRow, told: Mapping[str, Any]) -> None:
        match row.kind:
            case FactKind.AUTHORITY_CREATED:
                for each in ("name", "environment", "arc"):
                    if told.get(each) != self._authority.get(each):
                        self.findings.against("authority", f"Its {each} is not what row {row.number} says.")
            case FactKind.CRL_PUBLISHED:
                self._follows.list(row, told, self._list, self._der)
            case FactKind.FACT_REFUSED:
                self._refuse(told)
            case FactKind.ROSTER_SET | FactKind.LOG_BEGUN | FactKind.RESTORE_ACCEPTED:
                self._fold_seldom(row, told)
            case _ if not (self._acted.take(row, told) or self._committee.take(row, told)):
                self._folding.take(row, told)
        if row.kind == FactKind.AUTHORITY_CERTIFICATE_ISSUED:
            self._roots()

    def _fold_seldom(self, row: SealedRow, told: Mapping[str, Any]) -> None:
        match row.kind:
            case FactKind.ROSTER_SET:
                self._set(row, told)
            case FactKind.LOG_BEGUN:
                assert self._chain is not None
                self._chain.begun(row, told)
                self._based(row, str(told.get("log")))
            case _:
                self.state.skipped = True
                self._counted.accepted(row, told)

    def _set(self, row: SealedRow, told: Mapping[str, Any]) -> None:
        self.state.rosters[int(told["number"])] = Roster(
            row=row.number,
            at=instant(row.at),
            members_sha256=str(told["members_sha256"]),
            effective_at=str(told["effective_at"]),
            cause=str(told.get("cause")),
        )
        for each in told.get("statements", ()):
            order = self.state.orders.get(self.state.ordering.get(str(each), ""))
            if order is not None:
                order.state, order.closed = OrderState.DONE, instant(row.at)
        self._counted.set(row, told)

    def _based(self, row: SealedRow, log: str) -> None:
        """A log is named by environment and address."""
        generation = log.rpartition("/log/")[2]
        environment, base = self._authority.get("environment"), str(self._authority.get("base_url"))
        if generation.isdecimal() and log != origin("test" if environment == "test" else "live", base, int(generation)):
            self.findings.against("authority", f"The log of row {row.number}, {log}, is not that of {base}.")

    def _roots(self) -> None:
        for each in self.state.hierarchy.values():
            if each.role == HierarchyRole.ROOT and each.certificate is not None:
                self._counted.root(each.certificate)

    def _members(self, line: Said) -> None:
        if type(line.get("number")) is not int:
            raise Unreadable("a roster has no number")
        self._counted.members(line["number"], str(line.get("members")))

    def _refuse(self, told: Mapping[str, Any]) -> None:
        """A fact that was refused: what it says is not true, and whoever asks is told that an end is disputed."""
        for each in self._refused:
            fact = _refused_row(each)
            if fact is None or content_digest(fact) != told.get("fact_sha256"):
                continue
            found = self.state.approvals.get(str(fact.subject))
            if fact.kind in _ENDS and found is not None:
                found.refused.add(instant(fact.at))

    def _public(self, row: SealedRow, approval: str, text: str) -> None:
        """Compare what a row carries in public with what follows from the rows up to it."""
        name, found = f"log_documents {approval} {row.number}", self.state.approvals.get(approval)
        if found is None:
            self.findings.against(name, "It is about an approval that no row before it grants.")
            return
        try:
            stated = read_json(text)
            claimed = {instant(each) for each in stated.pop("disputed")}
        except (ValueError, TypeError, KeyError, AttributeError, InstantMalformed, RecursionError):
            self.findings.against(name, "It is no document of an approval.")
            return
        if claimed:
            self._claimed[approval] = (row.number, claimed)
        if found.restored:
            return
        wanted = document(self.state, found)
        if stated.get("start") in {said(each) for each in found.starts}:
            wanted["start"] = stated["start"]
        for member in sorted(wanted.keys() | stated.keys()):
            if stated.get(member) != wanted.get(member):
                self.findings.against(
                    name, f"By the log its {member} is {stated.get(member)}, by the journal {wanted.get(member)}."
                )


def _refused_row(line: Said) -> SealedRow | None:
    fact = line.get("row")
    if not isinstance(fact, dict):
        return None
    try:
        return SealedRow(**fact)
    except TypeError:
        return None


def _payload(row: SealedRow) -> Mapping[str, Any] | None:
    """Return what a row says; None where that is not a JSON object in its one canonical form."""
    try:
        found = read_json(row.payload)
        return found if isinstance(found, dict) and canonical(found).decode() == row.payload else None
    except (ValueError, RecursionError):
        return None


def _octets(written: object) -> bytes:
    try:
        return octets_of(written)
    except ValueError:
        raise Unreadable("it has octets that are none") from None
