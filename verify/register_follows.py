"""That the register follows from the journal: each row of its tables, and none is missing that the journal says."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from core.errors import InstantMalformed
from core.kinds import ApplicationState
from verify import columns
from verify.audit_findings import Findings
from verify.columns import Column
from verify.exported import Said
from verify.folded import Approved, Folded
from verify.follows import Follows
from verify.kit.evidence.parsing import Unreadable

_UNWRITTEN = (InstantMalformed, OverflowError, KeyError, TypeError, ValueError, AttributeError)
"""What comes of a row that says what nothing of ours writes: it is named, and all others are looked at."""

_Known = tuple[Any, int, tuple[str, ...]]
"""What the journal says that a table has: its key, the row that says it, and what else a fact about it may touch."""


class RegisterFollows:
    """The tables, compared with what follows from all rows.

    Args:
        state: what follows.
        findings: is told what is wrong.
    """

    def __init__(self, state: Folded, findings: Findings) -> None:
        self._state, self._findings = state, findings
        self._answers = Follows(state, findings)
        self._waiting = set[str]()
        self._entered = dict[str, str]()
        self._marks: dict[str, int] = {}
        self._seen: dict[str, set[Any]] = {}
        self._by: Mapping[str, tuple[str, tuple[str, ...], Callable[[str, Said], None]]] = {
            "ca": ("authority_certificates", ("serial",), self._ca),
            "ca-end": ("authority_ends", ("serial",), self._ca_end),
            "shown-roster": ("rosters", ("number",), self._roster),
            "kept-order": ("orders", ("id",), self._order),
            "application": ("applications", ("id",), self._application),
            "decision": ("decisions", ("id",), self._decision),
            "seconding": ("secondings", ("decision_id", "officer"), self._seconding),
            "kept-draft": ("drafts", ("serial",), self._draft),
            "key": ("public_keys", ("sha256",), self._key),
            "kept-list": ("crls", ("key_id", "number"), self._list),
            "restored": ("restored_certificates", ("serial",), self._restored),
            "approval": ("approvals", ("identifier",), self._approval),
            "of-nothing": ("certificates", ("approval", "issue"), self._of_nothing),
            "notice": ("notices", ("number",), self._notice),
        }

    def waits(self, line: Said) -> None:
        """Take a fact that has no number yet: what it touches is not held against anybody."""
        approvals = line.get("approvals")
        self._waiting.update(str(each) for each in (approvals if isinstance(approvals, list) else ()))
        self._waiting.add(str(line.get("subject")))
        self._findings.cannot_know(
            f"whether {line.get('kind')} of {line.get('subject')} is true: it is written, and not sealed (yet)."
        )

    def forget_waiting(self) -> None:
        """Let nothing wait any more."""
        self._waiting.clear()

    def compares(self, line: Said) -> bool:
        """Return whether a line is a row of a table."""
        return line["is"] in self._by or line["is"] == "answer"

    def take(self, line: Said) -> bool:
        """Take a row of a table; return whether it is one that is compared."""
        if line["is"] == "answer":
            self._answers.answer(line)
            return True
        found = self._by.get(str(line["is"]))
        if found is None:
            return False
        table, key, compare = found
        named = tuple(line.get(each) for each in key)
        if any(isinstance(each, dict | list) for each in named):
            raise Unreadable(f"a row of {table} has no name")
        name, seen = " ".join([table, *map(str, named)]), self._seen.setdefault(str(line["is"]), set())
        if (one := named[0] if len(named) == 1 else named) in seen:
            self._findings.against(name, "It stands there twice.")
        seen.add(one)
        try:
            compare(name, line)
        except _UNWRITTEN as error:
            self._findings.against(name, f"It says what no authority writes ({type(error).__name__}).")
        return True

    def begin(self, line: Said, rows: int) -> None:
        """Take the beginning of a table.

        Args:
            line: says which.
            rows: how many rows of the journal were taken: what they say has to be in it.
        """
        name = str(line.get("name"))
        if name not in self._by and name != "answer":
            raise Unreadable(f"there is no table that is “{name[:40]}”")
        self._marks[name] = rows
        self._seen[name] = set()

    def finish(self) -> None:
        """Say what the journal says and the register does not have, of the tables that were taken."""
        state = self._state
        for what, (table, _, _) in self._by.items():
            if what not in self._marks and what != "of-nothing":
                self._findings.cannot_know(f"whether {table} follow: this export does not have them.")
        numbered: Mapping[str, tuple[str, Iterable[_Known]]] = {
            "ca": ("authority_certificates", _rows(state.hierarchy)),
            "ca-end": (
                "authority_ends",
                ((name, each.ended_row, ()) for name, each in state.hierarchy.items() if each.ended_row is not None),
            ),
            "shown-roster": ("rosters", _rows(state.rosters)),
            "kept-order": ("orders", _rows(state.orders)),
            "application": ("applications", _rows(state.applications)),
            "decision": ("decisions", _rows(state.decisions)),
            "seconding": (
                "secondings",
                (
                    ((name, officer), row, (name,))
                    for name, each in state.decisions.items()
                    for officer, (_, _, row) in each.signers.items()
                    if row  # of before acts named a credential there was no such table
                ),
            ),
            "kept-draft": ("drafts", _rows(state.drafts)),
            "key": ("public_keys", ((name, each.row, (each.approval,)) for name, each in state.keys.items())),
            "kept-list": ("crls", _rows(state.lists)),
            "restored": ("restored_certificates", _rows(state.restored)),
            "approval": ("approvals", _rows(state.approvals)),
            "notice": ("notices", _rows(state.notices)),
        }
        for what, (table, known) in numbered.items():
            self._missing(what, table, known)
        self._gaps()
        self._seen.clear()
        self._marks.clear()
        self._entered.clear()

    def _missing(self, what: str, table: str, known: Iterable[_Known]) -> None:
        mark, seen = self._marks.get(what, -1), self._seen.get(what, set())
        for each, row, touched in known:
            if each not in seen and row <= mark:
                name = " ".join(map(str, each)) if isinstance(each, tuple) else str(each)
                detail = f"Row {row} says that there is one, and the register has none."
                self._against(f"{table} {name}", detail, name, *touched)

    def _gaps(self) -> None:
        """Numbers of notices follow each other, but where a restore has left some out."""
        numbers: dict[str, list[int]] = {}
        for each in self._state.notices:
            year, _, number = each.rpartition("-")
            if number.isdecimal():
                numbers.setdefault(year, []).append(int(number))
        for year, found in numbers.items():
            if not self._state.skipped and not self._waiting and sorted(found) != list(range(1, len(found) + 1)):
                wanted = next(number for place, number in enumerate(sorted(found), 1) if number != place) - 1
                name = f"notices {year}-{wanted:04d}"
                self._findings.against(name, "No row says that it was written, and later ones were.")

    def _against(self, name: str, detail: str, *touched: object) -> None:
        """Say that a row does not follow; of what a fact touches that waits nothing is known yet."""
        if not self._waiting.isdisjoint(map(str, touched)):
            self._findings.cannot_know(f"whether {name} follows: a fact about it is not sealed (yet). {detail}")
        else:
            self._findings.against(name, detail)

    def _compare(self, name: str, columns: Iterable[Column], *touched: object) -> None:
        for what, stated, wanted in columns:
            if stated != wanted:
                self._against(name, f"Its {what} is {stated}, and by the journal {wanted}.", *touched)

    # --- hierarchy, rosters, orders ---------------------------------------------------------------------------------

    def _ca(self, name: str, line: Said) -> None:
        found = self._state.hierarchy.get(str(line.get("serial")))
        if found is None:
            self._against(name, "No row says that it was to be signed.", "None")
        else:
            self._compare(name, columns.of_ca(line, found), "None")

    def _ca_end(self, name: str, line: Said) -> None:
        found = self._state.hierarchy.get(str(line.get("serial")))
        if found is None or (line.get("at"), line.get("reason")) != (found.ended_at, found.reason):
            self._against(name, "No row says that this certificate ended then, and for that.", "None")

    def _roster(self, name: str, line: Said) -> None:
        found = self._state.rosters.get(_number(line.get("number")))
        if found is None:
            self._against(name, "No row says that these keys counted.", "None")
        else:
            self._compare(name, columns.of_roster(line, found), "None")

    def _order(self, name: str, line: Said) -> None:
        found = self._state.orders.get(str(line.get("id")))
        if found is None:
            self._against(name, "No row says that this was ordered.", line.get("id"))
        else:
            self._compare(name, columns.of_order(line, found), line.get("id"), "None")

    # --- applications, decisions, drafts ----------------------------------------------------------------------------

    def _application(self, name: str, line: Said) -> None:
        found = self._state.applications.get(str(line.get("id")))
        granted = found is not None and found.state is ApplicationState.GRANTED
        if self._entered and line.get("state") == ApplicationState.GRANTED and not granted:
            self._findings.note(f"Application {line.get('id')} is granted by a restore.")
        elif found is None:
            self._against(name, "No row says that it was submitted.", line.get("id"))
        else:
            # The fact of a grant is about the approval.
            self._compare(name, columns.of_application(line, found), line.get("id"), *self._waiting)

    def _decision(self, name: str, line: Said) -> None:
        identifier = str(line.get("id"))
        found = self._state.decisions.get(identifier)
        if identifier in self._entered:
            self._findings.note(f"Decision {identifier} is what a restore entered; what was decided was lost.")
            wanted = self._entered[identifier]
            self._compare(name, columns.of_entered(line, found, wanted), identifier)
        elif found is None:
            self._against(name, "No row says that it was proposed.", identifier)
        else:
            self._compare(name, columns.of_decision(line, found), identifier, line.get("approval"))

    def _seconding(self, name: str, line: Said) -> None:
        found = self._state.decisions.get(str(line.get("decision_id")))
        if line.get("decision_id") in self._entered:
            return
        agreed = None if found is None else found.signers.get(str(line.get("officer")))
        if agreed is None or agreed[:2] != (line.get("at"), line.get("tbs_sha256") or ""):
            self._against(name, "No row says that this officer agreed then, to this.", line.get("decision_id"))

    def _draft(self, name: str, line: Said) -> None:
        found = self._state.drafts.get(str(line.get("serial")))
        touched = (line.get("decision_id"), line.get("approval"))
        if found is None:
            self._against(name, "No row says that it was drafted.", *touched)
        else:
            self._compare(name, columns.of_draft(line, found, self._state), *touched, found.decision, found.approval)

    def _key(self, name: str, line: Said) -> None:
        found, touched = self._state.keys.get(str(line.get("sha256"))), line.get("approval")
        if found is None:
            self._against(name, f"It is approval {touched}'s, and no row says that.", touched)
        else:
            self._compare(name, columns.of_key(line, found), touched, found.approval)

    # --- approvals --------------------------------------------------------------------------------------------------

    def _approval(self, name: str, line: Said) -> None:
        identifier = str(line.get("identifier"))
        found = self._state.approvals.get(identifier)
        if found is None:
            self._against(name, "No row says that it was granted.", identifier, line.get("application_id"))
            return
        certificates, terms = line.get("certificates"), line.get("terms")
        by_serial = {each.serial: each for each in found.certs}
        for each in certificates if isinstance(certificates, list) else ():
            cert = by_serial.pop(str(each.get("serial")), None)
            held = f"certificates {each.get('serial')}"
            if cert is None:
                self._against(held, "No row says that it was issued.", identifier)
                continue
            # The fact that publishes a list is about no approval.
            self._compare(held, columns.of_certificate(each, cert, found), identifier, "None")
        for serial in by_serial:
            self._against(f"certificates {serial}", "It was issued, and the register has none.", identifier)
        if found.restored:
            self._findings.note(f"What was decided of {identifier} was lost; what a restore entered is believed.")
            return
        self._compare(name, columns.of_approval(line, found), identifier)
        self._terms(found, terms if isinstance(terms, list) else [], identifier)

    def _terms(self, found: Approved, terms: list[Said], identifier: str) -> None:
        left = dict(found.terms)
        for each in terms:
            term, name = left.pop(_number(each.get("issue")), None), f"terms {identifier} {each.get('issue')}"
            if term is None:
                self._against(name, "No row says that it was decided.", identifier)
            else:
                self._compare(name, columns.of_terms(each, term, identifier), identifier)
        for issue in left:
            self._against(f"terms {identifier} {issue}", "It was decided, and the register has none.", identifier)

    def _of_nothing(self, name: str, line: Said) -> None:
        self._findings.against(name, f"It is of approval {line.get('approval')}, which there is not.")

    def _restored(self, name: str, line: Said) -> None:
        found = self._state.restored.get(str(line.get("serial")))
        if found is None:
            self._against(name, "No row says that it was entered again.", line.get("decision_id"))
        else:
            self._compare(name, [("date", line.get("restored_at"), found.at)])
            self._entered[str(line.get("decision_id"))] = found.proposal_sha256

    # --- lists and notices ------------------------------------------------------------------------------------------

    def _list(self, name: str, line: Said) -> None:
        key_id, number = line.get("key_id"), line.get("number")
        found = self._state.lists.get((str(key_id), _number(number)))
        if found is None:
            self._against(name, "No row says that it was published.", "None")
        else:
            self._compare(name, columns.of_list(line, found), "None")

    def _notice(self, name: str, line: Said) -> None:
        found = self._state.notices.get(str(line.get("number")))
        touched = (line.get("decision_id"), line.get("approval"), line.get("application_id"))
        if found is None:
            self._against(name, "No row says that it was written.", *touched)
        else:
            self._compare(name, columns.of_notice(line, found, self._state), *touched)


def _rows(known: Mapping[Any, Any]) -> Iterator[_Known]:
    return ((name, each.row, ()) for name, each in known.items())


def _number(stated: object) -> int:
    return stated if isinstance(stated, int) else -1
