"""record: what officers signed for a decision, and what the sealed journal says of it, for whoever proves it elsewhere.

`trialcpa-verify decision` reads these, and nothing of ours need be believed then.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from core.actors import Actor
from core.canonical import read_json
from core.chain import SealedRow, journal_name
from core.clauses import serves
from core.facts import FactKind
from officers.statement import read_statement
from policy.roles import Operation
from ra.access import authorise
from ra.deciding.views import (
    AuthorisationKept,
    DecisionAuthorisations,
    DecisionJournal,
    JournalHeadAnswer,
    JournalRowAnswer,
    JournalStretch,
    SealedRowAnswer,
)
from ra.desk import Desk
from store.reading import authorisations as kept
from store.reading import journal, requests
from store.reading import proof as reading
from store.reading.authority import authority_row
from store.reading.journal import Sealed
from store.rows import Authorised, Decision
from store.transactions import Transaction

_ABOUT = (
    FactKind.APPROVAL_GRANTED,
    FactKind.APPROVAL_AMENDED,
    FactKind.APPROVAL_REVOKED,
    FactKind.APPROVAL_WITHDRAWN,
    FactKind.APPLICATION_REFUSED,
    FactKind.AMENDMENT_REFUSED,
    FactKind.CERTIFICATE_DRAFTED,
    FactKind.SIGNATURE_INTENDED,
    FactKind.CERTIFICATE_ISSUED,
    FactKind.CERTIFICATE_REVOKED,
)
"""Facts about an approval or an application that name the decision, or the certificate that it led to."""


@serves("F2.18")
def authorisations(desk: Desk, actor: Actor, identifier: str) -> DecisionAuthorisations:
    """Return everything that officers signed for a decision, and for the rosters by which it counts.

    Args:
        desk: where.
        actor: who asks.
        identifier: of the decision.
    """
    authorise(actor, Operation.READ_DECISION)
    with desk.store.read() as tx:
        decision = requests.decision(tx, identifier)
        rows = [each.row for each in _about(tx, decision)]
        found = kept.kept(tx, _named(rows))
    return DecisionAuthorisations(
        decision=decision.id, authorisations=tuple(_kept(found[each]) for each in sorted(found))
    )


@serves("F2.18")
def journal_of(desk: Desk, actor: Actor, identifier: str) -> DecisionJournal:
    """Return what the sealed journal says of a decision, and of the roster: each row with those up to a signed head.

    What is sealed and not under a head yet is left out.

    Args:
        desk: where.
        actor: who asks.
        identifier: of the decision.
    """
    authorise(actor, Operation.READ_JOURNAL)
    with desk.store.read() as tx:
        decision = requests.decision(tx, identifier)
        authority = authority_row(tx)
        stretches = tuple(_stretches(tx, [each.row.number for each in _about(tx, decision)]))
    return DecisionJournal(
        decision=decision.id,
        journal=journal_name(authority.name),
        public_key=authority.journal_key.hex(),
        stretches=stretches,
    )


def _about(tx: Transaction, decision: Decision) -> list[Sealed]:
    """Return the sealed rows that say something of a decision, or whose keys counted, in order."""
    draft = requests.draft_of(tx, decision.id)
    named = {decision.id} | ({draft.serial} if draft else set())
    subjects = {each for each in (decision.approval, decision.application_id) if each is not None}
    about = [
        *reading.sealed_about(tx, [decision.id], tuple(FactKind)),
        *(each for each in reading.sealed_about(tx, subjects, _ABOUT) if named & _names(each.row)),
        *reading.sealed_rosters(tx),
    ]
    return sorted(about, key=lambda each: each.row.number)


def _names(row: SealedRow) -> set[object]:
    said = _said(row)
    return {each for each in (said.get("decision"), said.get("serial")) if isinstance(each, str)}


def _named(rows: Sequence[SealedRow]) -> Collection[str]:
    found: set[str] = set()
    for row in rows:
        said = _said(row)
        statements = said.get("statements") if row.kind == FactKind.ROSTER_SET else [said.get("authorisation")]
        found |= {each for each in statements or () if isinstance(each, str)}
    return found


def _said(row: SealedRow) -> Mapping[str, Any]:
    try:
        said = read_json(row.payload)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _kept(found: Authorised) -> AuthorisationKept:
    statement = read_statement(found.statement.encode())
    return AuthorisationKept(
        statement=dict(statement.document()),
        key=statement.key,
        proof=found.proof,
        listed=None if found.members is None else read_json(found.members),
    )


def _stretches(tx: Transaction, numbers: Sequence[int]) -> Iterator[JournalStretch]:
    """Yield the rows from each number to the first head that covers it; what one stretch has, the next does not."""
    last = 0
    for number in numbers:
        proof = None if number <= last else journal.proof(tx, number)
        if proof is None:
            continue
        links = journal.links_from(proof)
        last = proof.rows[-1].number
        yield JournalStretch(
            before=proof.before.hex(),
            rows=tuple(
                JournalRowAnswer(row=SealedRowAnswer(**asdict(row)), link=link.hex())
                for row, link in zip(proof.rows, links, strict=True)
            ),
            head=JournalHeadAnswer(number=last, link=links[-1].hex(), signature=proof.signature.hex()),
        )
