"""What a status plane reads: changes since a cursor, and the approvals they touch (core.mirror.StatusSource).

Every change of status is a fact in the journal, in its own transaction, so the journal tells what to read anew. A
database's own counters do not follow the order of commits: the cursor is therefore the last sealed number together
with the facts behind it that were seen unsealed.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Row, Select, Text, bindparam, select, type_coerce

from core.deployed import Deployed, Stint, Unit
from core.facts import FactKind
from core.identifiers import Serial
from core.instants import seconds
from core.mirror import (
    AuthorityCertificate,
    AuthorityView,
    Changes,
    CredentialRecord,
    Held,
    Proof,
    PublishedCrl,
    SealedHead,
    SignedAnswer,
    Units,
)
from store.portions import portions
from store.reading import authority as authority_reading
from store.reading import deployed_units, packing
from store.reading import deployments as deployment_reading
from store.reading import journal as journal_reading
from store.reading import log as log_reading
from store.tables import credentials, crls, journal, ocsp_answers, waits_to_be_sealed
from store.transactions import Store, Transaction
from store.types import Instant, instant_of, number_of

_AUTHORITY_FACTS = frozenset(
    {
        FactKind.AUTHORITY_CREATED,
        FactKind.CLOCK_ADVANCED,
        FactKind.ACCESS_GRANTED,
        FactKind.ACCESS_REVOKED,
        FactKind.AUTHORITY_CERTIFICATE_ISSUED,
        FactKind.AUTHORITY_CERTIFICATE_ENDED,
        FactKind.CRL_PUBLISHED,
        FactKind.LOG_BEGUN,
    }
)

END_OF_TIME = datetime.max.replace(microsecond=0, tzinfo=UTC)

_ENDS = (FactKind.APPROVAL_REVOKED, FactKind.APPROVAL_WITHDRAWN, FactKind.CERTIFICATE_REVOKED)

# Read after each write, and by each poll: put together once.
_NUMBER, _NOW = bindparam("number", type_=BigInteger()), bindparam("now", type_=Instant())
_NAMED = bindparam("named", expanding=True, type_=Text())
_WAITING = select(journal.c.id).where(waits_to_be_sealed)
_FACTS = select(
    journal.c.id, journal.c.kind, type_coerce(journal.c.at, BigInteger()).label("second"), journal.c.approvals
)
_SEALED_SINCE = _FACTS.where(journal.c.seal_number > _NUMBER)
_OF_THESE = _FACTS.where(journal.c.id.in_(bindparam("ids", expanding=True, type_=BigInteger())))
_DISPUTED = select(journal.c.subject, journal.c.at).where(journal.c.refused.is_not(None), journal.c.kind.in_(_ENDS))
_DISPUTED_OF = _DISPUTED.where(journal.c.subject.in_(_NAMED))
_LISTED_KEYS = select(crls.c.key_id).distinct()
_LISTS = (
    select(crls)
    .where(crls.c.key_id == bindparam("key_id"), crls.c.this_update <= _NOW, crls.c.number >= 1)
    .order_by(crls.c.number.desc())
    .limit(1)
)
_NUMBERS_AFTER = (
    select(crls.c.number)
    .where(crls.c.key_id == bindparam("key_id"), crls.c.number > _NUMBER)
    .order_by(crls.c.number)
    .limit(bindparam("limit", type_=BigInteger()))
)
_LISTS_BEFORE = _LISTS.where(crls.c.number < _NUMBER)
_STANDING = select(credentials).where(credentials.c.revoked_at.is_(None))
_REVOKED = select(credentials).where(credentials.c.revoked_at.is_not(None))

IsGenuine: TypeAlias = Callable[[PublishedCrl, Sequence[AuthorityCertificate]], bool]
"""Tells of a CRL whether one of these certificates' keys signed it, and its row says what it says."""

_MOST_CHANGES = 100_000
"""Facts behind a cursor after which everything is read anew: those named are read in portions, and that is not."""


@dataclass(frozen=True)
class _Cursor:
    head: SealedHead
    unsealed: frozenset[int]


class StatusReader:
    """core.mirror.StatusSource over a store.

    Args:
        store: the register.
        now: the authority's present instant, by which something is dated ahead; without it nothing is.
        is_genuine: tells of a row of a CRL whether it is the list of its CA; without it every row is.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime] = lambda: END_OF_TIME,
        is_genuine: IsGenuine = lambda _crl, _certificates: True,
    ) -> None:
        self._store = store
        self._now = now
        self._is_genuine = is_genuine

    def changes(self, cursor: Hashable | None) -> Changes:
        """Return what has changed since `cursor`; None asks for everything."""
        with self._store.read() as tx:
            number, link, _ = journal_reading.last_sealed(tx)
            head = SealedHead(number=number, link=link)
            heads = tuple(
                SealedHead(number=each.number, link=each.link, signature=each.signature)
                for each in journal_reading.standing_heads(tx)
            )
            waiting = frozenset(tx.connection.execute(_WAITING).scalars().all())
            now = _Cursor(head, waiting)
            if now == cursor:
                return Changes(now, heads=heads)
            if not isinstance(cursor, _Cursor) or number - cursor.head.number > _MOST_CHANGES:
                return Changes(now, everything=True, authority=True, heads=heads, restored=True)
            # What was seen unsealed is not read again: while the authority seals there may be thousands of it.
            unseen = sorted(waiting - cursor.unsealed)
            fresh = [row for ids in portions(unseen) for row in tx.connection.execute(_OF_THESE, {"ids": ids})]
            if head != cursor.head:
                sealed = tx.connection.execute(_SEALED_SINCE, {"number": cursor.head.number})
                fresh += [row for row in sealed if row.id not in cursor.unsealed]
        touched = frozenset(identifier for row in fresh for identifier in (row.approvals or "").split())
        kinds = {row.kind for row in fresh}
        return Changes(
            now,
            authority=not kinds.isdisjoint(_AUTHORITY_FACTS),
            approvals=touched,
            reported=frozenset(
                instant_of(number_of(row.second)) for row in fresh if row.kind == FactKind.DEPLOYMENTS_RECORDED
            ),
            heads=heads,
            restored=FactKind.RESTORE_ACCEPTED in kinds,
        )

    def deployed(self) -> Mapping[str, Deployed]:
        """Return which units are deployed, and were, by approval."""
        with self._store.read(whole=True) as tx:
            return deployed_units.every_unit(tx)

    def reported(self, at: frozenset[datetime]) -> Mapping[str, Mapping[Unit, Sequence[Stint]]]:
        """Return every stint of the units that reports recorded at some instants were about, by approval."""
        with self._store.read() as tx:
            return deployed_units.units_reported(tx, at)

    def link_of(self, number: int) -> bytes | None:
        """Return the link of a sealed row of the journal; None if there is no such row."""
        with self._store.read() as tx:
            return journal_reading.link_of(tx, number)

    def restores(self) -> Mapping[str, int]:
        """Return the number of the row that says so, by an identity, of every restore that was accepted; 0 unsealed."""
        with self._store.read() as tx:
            return journal_reading.restores(tx)

    def proof(self, number: int) -> Proof | None:
        """Return a sealed row with those up to the first signed head that covers it; None if none does."""
        with self._store.read() as tx:
            return journal_reading.proof(tx, number)

    def authority(self) -> AuthorityView:
        """Return the authority as it is now."""
        now = self._now()
        with self._store.read() as tx:
            row = authority_reading.authority_row(tx)
            hierarchy = authority_reading.certificates(tx)
            newest = self._newest_crls(tx, hierarchy, END_OF_TIME)
            ahead = any(each.this_update > now for each in newest.values())
            return AuthorityView(
                name=row.name,
                environment=row.environment,
                arc=row.arc,
                base_url=row.base_url,
                clock_offset=row.clock_offset,
                certificates=hierarchy,
                crls=newest,
                crls_before=self._newest_crls(tx, hierarchy, now) if ahead else {},
                credentials=standing_credentials(tx),
                journal_key=row.journal_key,
                revoked=_credentials(tx, _REVOKED),
                ended=frozenset(each.serial for each in authority_reading.ends(tx)),
                log=log_reading.key(tx, row.environment, row.base_url),
            )

    def approvals(self, identifiers: frozenset[str] | None) -> Sequence[Held]:
        """Return the approvals named, or all of them (None)."""
        now = self._now()
        with self._store.read(whole=identifiers is None) as tx:
            if identifiers is None:
                return packing.every(tx, self._store, disputed(tx, None), now)
            named = sorted(identifiers)
            return packing.some(tx, self._store, named, disputed(tx, named), now)

    def _newest_crls(
        self, tx: Transaction, hierarchy: Sequence[AuthorityCertificate], now: datetime
    ) -> dict[str, PublishedCrl]:
        """Return the newest CRL by key identifier of those that are genuine and not dated ahead of `now`.

        Where none is genuine the newest row is: whoever reads it sees that it is not signed.
        """
        newest: dict[str, PublishedCrl] = {}
        for key_id in tx.connection.execute(_LISTED_KEYS).scalars().all():
            asked = {"key_id": key_id, "now": now}
            row = tx.connection.execute(_LISTS, asked).one_or_none()
            while row is not None:
                crl = _published(row)
                if self._is_genuine(crl, hierarchy):
                    newest[key_id] = crl
                    break
                newest.setdefault(key_id, crl)
                row = tx.connection.execute(_LISTS_BEFORE, {**asked, "number": crl.number}).one_or_none()
        return newest

    def past_answer(self, serial: Serial, at: datetime) -> SignedAnswer | None:
        """Return the newest kept answer (sha256 CertID) whose validity covers `at`."""
        columns = ocsp_answers.c
        query = (
            select(ocsp_answers)
            .where(
                columns.serial == serial,
                columns.hash_name == "sha256",
                columns.this_update <= at,
                columns.next_update >= at,
            )
            .order_by(columns.id.desc())
            .limit(1)
        )
        with self._store.read() as tx:
            row = tx.connection.execute(query).one_or_none()
        if row is None:
            return None
        return SignedAnswer(
            serial=serial,
            hash_name=row.hash_name,
            this_update=row.this_update,
            next_update=row.next_update,
            revoked_at=row.revoked_at,
            der=bytes(row.der),
        )

    def past_crl(self, key_id: str, number: int) -> PublishedCrl | None:
        """Return a CRL that was published, by number."""
        query = select(crls).where(crls.c.key_id == key_id, crls.c.number == number)
        with self._store.read() as tx:
            row = tx.connection.execute(query).one_or_none()
        if row is None:
            return None
        return _published(row)

    def numbers_after(self, key_id: str, number: int, limit: int) -> list[int]:
        """Return the numbers of the lists of a key that come after one, in order."""
        with self._store.read() as tx:
            asked = {"key_id": key_id, "number": number, "limit": limit}
            return list(tx.connection.execute(_NUMBERS_AFTER, asked).scalars())

    def units(self, approval: str, device_id: str, at: datetime) -> Units:
        """Return whether a device is deployed under an approval at an instant, else how many are, as known now."""
        with self._store.read() as tx:
            return deployment_reading.units(tx, approval, device_id, at)


def _published(row: Row[Any]) -> PublishedCrl:
    return PublishedCrl(
        key_id=row.key_id,
        number=row.number,
        this_update=row.this_update,
        next_update=row.next_update,
        entries=row.entries,
        der=bytes(row.der),
    )


def standing_credentials(tx: Transaction) -> dict[str, CredentialRecord]:
    """Return every credential that is not revoked, by the digest of its key."""
    return _credentials(tx, _STANDING)


def _credentials(tx: Transaction, which: Select[Any]) -> dict[str, CredentialRecord]:
    rows = tx.connection.execute(which)
    return {
        row.key_sha256: CredentialRecord(
            identifier=row.id,
            name=row.name,
            role=row.role,
            organisation=row.organisation_id,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
        for row in rows
    }


def disputed(tx: Transaction, approvals: Sequence[str] | None) -> Mapping[str, Sequence[int]]:
    """Return the instants of ends that were not sealed, by approval, in seconds; of all approvals (None) or some."""
    found = defaultdict[str, list[int]](list)
    asked: Iterable[tuple[Select[Any], Mapping[str, Any]]] = (
        [(_DISPUTED, {})] if approvals is None else ((_DISPUTED_OF, {"named": named}) for named in portions(approvals))
    )
    for query, given in asked:
        for row in tx.connection.execute(query, given):
            found[row.subject].append(seconds(row.at))
    return found
