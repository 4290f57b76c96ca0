"""Facts and rows about several things at once, for whoever compares the ones with the others (jobs/evidence.py)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Select, bindparam, or_, select

from core.facts import FactKind
from core.kinds import DraftState
from store.reading.journal import Sealed, sealed_row
from store.reading.requests import decision_row
from store.reading.work import ClaimedEnd, claimed_end
from store.rows import Decision
from store.tables import certificates, credentials, decisions, drafts, journal, waits_to_be_sealed
from store.transactions import Transaction
from store.trial_tables import secondings
from store.types import one_of_words

# What is asked for each revocation is put together once: that costs more than the asking.
_SUBJECTS = journal.c.subject.in_(bindparam("subjects", expanding=True))
_IDENTIFIERS: BindParameter[str] = bindparam("identifiers", expanding=True)
_DECISIONS = select(decisions).where(decisions.c.id.in_(_IDENTIFIERS))
_SECONDERS = select(secondings.c.decision_id, secondings.c.officer).where(secondings.c.decision_id.in_(_IDENTIFIERS))
_CREDENTIALS = select(credentials.c.id).where(credentials.c.name.in_(bindparam("names", expanding=True)))


@cache
def _sealed_about(kinds: frozenset[FactKind]) -> Select[Any]:
    sealed = journal.c.seal_number
    query = select(journal).where(_SUBJECTS, one_of_words(journal.c.kind, sorted(kinds)), sealed.is_not(None))
    return query.order_by(sealed)


@cache
def _waiting_about(kinds: frozenset[FactKind]) -> Select[Any]:
    waits = or_(waits_to_be_sealed, journal.c.seal_number > bindparam("head", type_=BigInteger()))
    return select(journal.c.subject).where(_SUBJECTS, one_of_words(journal.c.kind, sorted(kinds)), waits)


def sealed_about(tx: Transaction, subjects: Collection[str], kinds: Collection[FactKind]) -> list[Sealed]:
    """Return the sealed facts of some kinds about some subjects, in order."""
    if not subjects:
        return []
    rows = tx.connection.execute(_sealed_about(frozenset(kinds)), {"subjects": list(subjects)})
    return [sealed_row(row) for row in rows]


def statements_about(tx: Transaction, subject: str, kinds: Collection[FactKind]) -> list[str]:
    """Return what facts of some kinds about a subject say, sealed or not: their payloads."""
    return list(tx.connection.execute(_payloads(frozenset(kinds)), {"subjects": [subject]}).scalars())


@cache
def _payloads(kinds: frozenset[FactKind]) -> Select[Any]:
    return select(journal.c.payload).where(_SUBJECTS, one_of_words(journal.c.kind, sorted(kinds)))


def sealed_rosters(tx: Transaction) -> list[Sealed]:
    """Return the sealed facts that whose keys count was set, in order."""
    columns = journal.c
    query = (
        select(journal)
        .where(columns.subject.is_(None), columns.kind == FactKind.ROSTER_SET, columns.seal_number.is_not(None))
        .order_by(columns.seal_number)
    )
    return [sealed_row(row) for row in tx.connection.execute(query)]


def wait_to_be_sealed(
    tx: Transaction, subjects: Collection[str], kinds: Collection[FactKind], *, head: int
) -> frozenset[str]:
    """Return the subjects about which a fact of some kinds is written and not sealed yet, or under no head yet.

    Args:
        tx: open.
        subjects: as in Fact.
        kinds: of facts.
        head: the last row that a head was signed for.
    """
    if not subjects:
        return frozenset()
    asked = {"subjects": list(subjects), "head": head}
    return frozenset(tx.connection.execute(_waiting_about(frozenset(kinds)), asked).scalars())


def decisions_called(tx: Transaction, identifiers: Collection[str]) -> Mapping[str, Decision]:
    """Return decisions by their identifiers; those that there are."""
    if not identifiers:
        return {}
    rows = tx.connection.execute(_DECISIONS, {"identifiers": list(identifiers)})
    return {row.id: decision_row(row) for row in rows}


def seconders(tx: Transaction, identifiers: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Return who agreed to decisions, the proposers not counted; decisions that nobody did are left out."""
    found: dict[str, set[str]] = defaultdict(set)
    if identifiers:
        for identifier, officer in tx.connection.execute(_SECONDERS, {"identifiers": list(identifiers)}):
            found[identifier].add(officer)
    return {identifier: frozenset(officers) for identifier, officers in found.items()}


def credentials_of(tx: Transaction, names: Collection[str]) -> list[str]:
    """Return the identifiers of all credentials that there ever were of some people."""
    if not names:
        return []
    return list(tx.connection.execute(_CREDENTIALS, {"names": list(names)}).scalars())


@dataclass(frozen=True, kw_only=True)
class Held:
    """A certificate as the register has it.

    Args:
        der: its bytes.
        not_before, not_after: what its row says of its validity.
        claim: the end that its row says.
        ends_at: the first second in which it no longer holds, as its row says.
        listed: whether its row says that a CRL has it.
    """

    der: bytes
    not_before: datetime
    not_after: datetime
    claim: ClaimedEnd
    ends_at: datetime
    listed: bool


def certificates_held(tx: Transaction, serials: Collection[str]) -> dict[str, Held]:
    """Return certificates by serial; those that there are."""
    rows = tx.connection.execute(select(certificates).where(certificates.c.serial.in_(serials))) if serials else ()
    return {
        row.serial: Held(
            der=bytes(row.der),
            not_before=row.not_before,
            not_after=row.not_after,
            claim=claimed_end(row),
            ends_at=row.ends_at,
            listed=row.listed_in is not None,
        )
        for row in rows
    }


def drafts_claimed(tx: Transaction, serials: Collection[str]) -> frozenset[str]:
    """Return those of some serials whose draft is claimed: it is about to be a certificate."""
    columns = drafts.c
    query = select(columns.serial).where(columns.serial.in_(serials), columns.state == DraftState.CLAIMED)
    return frozenset(tx.connection.execute(query).scalars()) if serials else frozenset()
