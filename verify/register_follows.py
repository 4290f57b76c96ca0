"""That the register follows from the journal: each row of its tables, and none is missing that the journal says."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from core.approval import DEVICE_COLUMNS
from core.canonical import read_json
from core.kinds import DecisionKind, DraftState, KeyState
from verify.audit_findings import Findings
from verify.exported import Said
from verify.folded import OPEN, Approved, Cert, Decided, Folded, said
from verify.follows import Follows
from verify.kit.agreed.roster import Unusable, members_digest, read_members
from verify.kit.canonical import read
from verify.kit.evidence.parsing import Unreadable

_DECISION_OPEN = frozenset({"proposed", "drafted"})


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
        self._entered = set[str]()
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
        self._seen.setdefault(str(line["is"]), set()).add(named[0] if len(named) == 1 else named)
        name = " ".join([table, *map(str, named)])
        try:
            compare(name, line)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
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
        numbered: Mapping[str, tuple[str, Iterable[tuple[Any, int]]]] = {
            "ca": ("authority_certificates", _rows(state.hierarchy)),
            "shown-roster": ("rosters", ((name, each[2]) for name, each in state.rosters.items())),
            "kept-order": ("orders", ((name, each[1]) for name, each in state.orders.items())),
            "application": ("applications", ((name, each[1]) for name, each in state.applications.items())),
            "decision": ("decisions", _rows(state.decisions)),
            "kept-draft": ("drafts", _rows(state.drafts)),
            "key": ("public_keys", ((each.key, each.row) for each in state.certs.values())),
            "kept-list": ("crls", state.lists.items()),
            "approval": ("approvals", _rows(state.approvals)),
            "notice": ("notices", ((name, each[0]) for name, each in state.notices.items())),
        }
        for what, (table, known) in numbered.items():
            self._missing(what, table, known)
        self._gaps()
        self._seen.clear()
        self._marks.clear()
        self._entered.clear()

    def _missing(self, what: str, table: str, known: Iterable[tuple[Any, int]]) -> None:
        mark, seen = self._marks.get(what, -1), self._seen.get(what, set())
        for each, row in known:
            if each not in seen and row <= mark:
                name = " ".join(map(str, each)) if isinstance(each, tuple) else str(each)
                self._against(f"{table} {name}", f"Row {row} says that there is one, and the register has none.", name)

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

    # --- hierarchy, rosters, orders ---------------------------------------------------------------------------------

    def _ca(self, name: str, line: Said) -> None:
        found = self._state.hierarchy.get(str(line.get("serial")))
        if found is None:
            self._against(name, "No row says that it was to be signed.", "None")
            return
        stated = (found.role, found.tbs_sha256, found.issued_at)
        if (line.get("role"), line.get("tbs_sha256"), line.get("issued_at")) != stated:
            self._against(name, f"It is not what rows {found.row} and {found.issued_row} say.", "None")
        if found.certificate is not None and line.get("key_id") != found.key_id:
            self._findings.against(name, "It names another key than its bytes.")

    def _ca_end(self, name: str, line: Said) -> None:
        found = self._state.hierarchy.get(str(line.get("serial")))
        if found is None or (line.get("at"), line.get("reason")) != (found.ended_at, found.reason):
            self._against(name, "No row says that this certificate ended then, and for that.", "None")

    def _roster(self, name: str, line: Said) -> None:
        found = self._state.rosters.get(_number(line.get("number")))
        try:
            digest = members_digest(read_members(read(str(line.get("members")).encode())))
        except (Unusable, ValueError):
            digest = ""
        at = line.get("effective_at")
        if found is None or found[:2] != (digest, said(at) if isinstance(at, int) else ""):
            self._against(name, "No row says that these keys counted from then on.", "None")

    def _order(self, name: str, line: Said) -> None:
        found = self._state.orders.get(str(line.get("id")), ("", 0))[0]
        body = hashlib.sha256(str(line.get("body")).encode()).hexdigest()
        if found != line.get("body_sha256") or found != body:
            self._against(name, "No row says that this was ordered.", line.get("id"))

    # --- applications, decisions, drafts ----------------------------------------------------------------------------

    def _application(self, name: str, line: Said) -> None:
        found, stated = self._state.applications.get(str(line.get("id")), (None, 0))[0], line.get("state")
        if self._entered and stated == "granted" and found != "granted":
            self._findings.note(f"Application {line.get('id')} is granted by a restore.")
        elif found is None:
            self._against(name, "No row says that it was submitted.", line.get("id"))
        elif (stated in ("granted", "refused", "cancelled") or found != "submitted") and stated != found:
            # The fact of a grant is about the approval.
            self._against(name, f"It is {stated}, and by the journal {found}.", line.get("id"), *self._waiting)

    def _decision(self, name: str, line: Said) -> None:
        identifier = str(line.get("id"))
        found = self._state.decisions.get(identifier)
        if identifier in self._entered:
            self._findings.note(f"Decision {identifier} is what a restore entered; what was decided was lost.")
            return
        if found is None:
            self._against(name, "No row says that it was proposed.", identifier)
            return
        for what, stated, wanted in _of_decision(line, found):
            if stated != wanted:
                self._against(
                    name, f"Its {what} is {stated}, and by the journal {wanted}.", identifier, line.get("approval")
                )

    def _seconding(self, name: str, line: Said) -> None:
        found = self._state.decisions.get(str(line.get("decision_id")))
        if line.get("decision_id") in self._entered:
            return
        if found is None or found.signers.get(str(line.get("officer"))) != line.get("at"):
            self._against(name, "No row says that this officer agreed then.", line.get("decision_id"))

    def _draft(self, name: str, line: Said) -> None:
        found = self._state.drafts.get(str(line.get("serial")))
        if line.get("serial") in self._state.restored:
            return
        if found is None:
            self._against(name, "No row says that it was drafted.", line.get("decision_id"), line.get("approval"))
            return
        stated = tuple(line.get(each) for each in ("decision_id", "approval", "issue", "tbs_sha256"))
        if stated != (found.decision, found.approval, found.issue, found.tbs_sha256):
            self._findings.against(name, f"It is not what row {found.row} says.")
        state = line.get("state")
        if (state == DraftState.ABANDONED) is not (found.state is DraftState.ABANDONED):
            self._against(name, f"It is {state}, and by the journal {found.state}.", found.decision, found.approval)

    def _key(self, name: str, line: Said) -> None:
        found, touched = self._state.keys.get(str(line.get("sha256"))), line.get("approval")
        if found is None or found != touched:
            self._against(name, f"It is approval {touched}'s, and by the journal {found}'s.", touched, found)
        elif (line.get("state") == KeyState.COMPROMISED) is not (line.get("sha256") in self._state.compromised):
            self._against(name, f"It is {line.get('state')}, and no row says that.", touched)

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
            self._compare(held, _of_certificate(each, cert), identifier)
        for serial in by_serial:
            self._against(f"certificates {serial}", "It was issued, and the register has none.", identifier)
        if found.restored:
            self._findings.note(f"What was decided of {identifier} was lost; what a restore entered is believed.")
            return
        self._compare(name, _of_approval(line, found), identifier)
        self._terms(found, terms if isinstance(terms, list) else [], identifier)

    def _terms(self, found: Approved, terms: list[Said], identifier: str) -> None:
        left = dict(found.terms)
        for each in terms:
            term, name = left.pop(_number(each.get("issue")), None), f"terms {identifier} {each.get('issue')}"
            if term is None:
                self._against(name, "No row says that it was decided.", identifier)
                continue
            stated = tuple(each.get(one) for one in ("effective", "expiry", "maximum_devices", "decision_id"))
            if stated != (term.effective, term.expiry, term.maximum, term.decision):
                self._against(name, "Its dates, its limit or its decision are not what was decided.", identifier)
            if _firmware(each.get("firmware")) != term.firmware:
                self._against(name, "Its firmware is not what was decided.", identifier)
        for issue in left:
            self._against(f"terms {identifier} {issue}", "It was decided, and the register has none.", identifier)

    def _compare(self, name: str, parts: Iterator[tuple[str, object, object]], identifier: str) -> None:
        for what, stated, wanted in parts:
            if stated != wanted:
                self._against(name, f"Its {what} is {stated}, and by the journal {wanted}.", identifier)

    def _of_nothing(self, name: str, line: Said) -> None:
        self._findings.against(name, f"It is of approval {line.get('approval')}, which there is not.")

    def _restored(self, name: str, line: Said) -> None:
        if str(line.get("serial")) not in self._state.restored:
            self._against(name, "No row says that it was entered again.", line.get("decision_id"))
        else:
            self._entered.add(str(line.get("decision_id")))

    # --- lists and notices ------------------------------------------------------------------------------------------

    def _list(self, name: str, line: Said) -> None:
        if (line.get("key_id"), line.get("number")) not in self._state.lists:
            self._against(name, "No row says that it was published.", "None")

    def _notice(self, name: str, line: Said) -> None:
        found = self._state.notices.get(str(line.get("number")))
        touched = (line.get("decision_id"), line.get("approval"), line.get("application_id"))
        if found is None:
            self._against(name, "No row says that it was written.", *touched)
        elif found[1:] != (line.get("decision_id"), line.get("record_salted_sha256")):
            self._against(name, f"It is not what row {found[0]} says was written.", *touched)


def _of_decision(line: Said, found: Decided) -> Iterator[tuple[str, object, object]]:
    state = line.get("state")
    yield "state", OPEN if state in _DECISION_OPEN else state, found.state
    yield "kind", line.get("kind"), found.kind
    yield "proposal", line.get("proposal_sha256"), found.sha256
    written = line.get("proposal")
    yield "document", hashlib.sha256(str(written).encode("utf-8", "replace")).hexdigest(), found.sha256
    yield "proposer", line.get("proposer"), found.proposer
    yield "date", line.get("proposed_at"), found.proposed_at
    yield "seconder", line.get("seconder"), found.seconder
    yield "seconding", line.get("seconded_at"), found.seconded_at
    yield "bytes", line.get("seconded_tbs_sha256") or "", " ".join(found.accepted)
    yield "urgency", line.get("urgent"), int(found.urgent)
    if found.kind != DecisionKind.REVOKE or not found.urgent:
        yield "number of officers", line.get("officers"), found.wanted


def _of_approval(line: Said, found: Approved) -> Iterator[tuple[str, object, object]]:
    yield "decision", line.get("decision_id"), found.decision
    yield "application", line.get("application_id"), found.application
    if found.organisation is not None:
        yield "organisation", line.get("organisation_id"), found.organisation
    for column, wanted in zip(DEVICE_COLUMNS, found.device.values(), strict=True):
        yield column.replace("_", " "), line.get(column), wanted
    yield "grant", line.get("granted_at"), found.granted_at
    if line.get("start") not in found.starts:
        yield "start", line.get("start"), found.start
    if line.get("expiry") not in found.expiries:
        yield "expiry", line.get("expiry"), max(found.expiries)
    yield "end", line.get("ended_at"), found.ended_at
    yield "cause of its end", line.get("end_cause"), found.cause
    yield "who ended it", line.get("ended_by"), found.ended_by
    yield "recorded expiry", line.get("expiry_recorded_at"), found.expired


def _of_certificate(line: Said, found: Cert) -> Iterator[tuple[str, object, object]]:
    yield "issue", line.get("issue"), found.issue
    yield "digest", line.get("fingerprint"), found.sha256
    yield "key", line.get("public_key_sha256"), found.key
    yield "beginning", line.get("not_before"), found.not_before
    yield "last second", line.get("not_after"), found.not_after
    yield "signing", line.get("signed_at"), found.signed_at
    yield "revocation", line.get("revoked_at"), found.revoked_at
    yield "cause", line.get("cause"), found.cause
    yield "invalidity date", line.get("invalidity_date"), found.invalidity
    yield "supersession", line.get("superseded_at"), found.superseded_at
    yield "end", line.get("ends_at"), found.end()[0]


def _firmware(written: object) -> tuple[tuple[str, str], ...]:
    try:
        return tuple((each["version"], each["image_sha256"]) for each in read_json(str(written)))
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()


def _rows(known: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    return ((name, each.row) for name, each in known.items())


def _number(stated: object) -> int:
    return stated if isinstance(stated, int) else -1
