"""Approvals as a mirror holds them: packed into octets each, and unpacked when somebody asks.

Nothing is made of a row but the few names by which it is found. What a database holds in a row is looked at when it is
unpacked, as every other reader of it does.
"""

import marshal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from core.approval import ApprovalRecord, CertificateRecord, Device, EndCause, Terms
from core.identifiers import Serial
from core.mirror import MirroredApproval, Names, SignedAnswer
from store.reading import approvals as approval_reading
from store.rows import firmware_of
from store.transactions import Store
from store.types import instant_of, number_of, text_of

UNPACKED = 2_000
"""Approvals that are kept unpacked: what is asked often is answered from what was answered before."""

Row: TypeAlias = tuple[Any, ...]
"""As the driver hands it over."""


@dataclass(frozen=True)
class Common:
    """What many approvals share.

    Args:
        store: where the bytes of certificates lie.
        organisations: names by identifier.
        responders: the certificates of responders, with which answers end, each with its serial.
    """

    store: Store
    organisations: Mapping[str, str]
    responders: Sequence[tuple[str, bytes]]


class Packed:
    """One approval, packed (core.mirror.Held).

    Args:
        identifier: the identifier code of F2.25.
        ended_by_act: whether somebody has ended it, or a certificate of it.
        octets: its rows.
        answers: of each certificate, the rows of its answers.
        common: what it shares with others.
    """

    __slots__ = ("_answers", "_common", "_octets", "ended_by_act", "identifier")

    def __init__(
        self, *, identifier: str, ended_by_act: bool, octets: bytes, answers: tuple[bytes, ...], common: Common
    ) -> None:
        self.identifier = identifier
        self.ended_by_act = ended_by_act
        self._octets = octets
        self._answers = answers
        self._common = common

    @property
    def names(self) -> Names:
        """By what it is found."""
        approval, _, issued, *_ = marshal.loads(self._octets)  # noqa: S302 - our own octets, of this process
        return Names(_text(approval[2]), _text(approval[3]), [(Serial(_text(row[1])), _text(row[3])) for row in issued])

    @property
    def record(self) -> ApprovalRecord:
        """See core/approval."""
        return _unpacked(self).record

    @property
    def organisation_name(self) -> str:
        """For people."""
        return _unpacked(self).organisation_name

    @property
    def ders(self) -> Mapping[Serial, bytes]:
        """Certificate bytes by serial; looking one up reads the store."""
        return _unpacked(self).ders

    @property
    def answers(self) -> Sequence[SignedAnswer]:
        """The newest answer of each serial and hash."""
        return _unpacked(self).answers

    @property
    def disputed(self) -> frozenset[datetime]:
        """The instants of ends that the authority refused to seal."""
        return _unpacked(self).disputed

    def unpack(self) -> MirroredApproval:
        """Return it with all its parts, made anew."""
        approval, agreed, issued, issuers, disputed = marshal.loads(self._octets)  # noqa: S302 - as above
        record = _record(approval, agreed, issued, issuers)
        return MirroredApproval(
            record=record,
            organisation_name=self._common.organisations.get(record.organisation, ""),
            ders=_Ders(self._common.store, [each.serial for each in record.certificates]),
            answers=[
                _answer(serial, row, self._common.responders)
                for each in self._answers
                for serial, rows in [marshal.loads(each)]  # noqa: S302 - as above
                for row in rows
            ],
            disputed=frozenset(map(_instant, disputed)),
        )


@lru_cache(maxsize=UNPACKED)
def _unpacked(packed: Packed) -> MirroredApproval:
    return packed.unpack()


class _Ders(Mapping[Serial, bytes]):
    """Certificates that are read when the first of them is looked up: few ever are, and all would fill the memory."""

    def __init__(self, store: Store, serials: Sequence[Serial]) -> None:
        self._store = store
        self._serials = serials
        self._found: Mapping[Serial, bytes] | None = None

    def __getitem__(self, serial: Serial) -> bytes:
        if self._found is None:
            with self._store.read() as tx:
                self._found = approval_reading.ders(tx, self._serials)
        return self._found[serial]

    def __iter__(self) -> Iterator[Serial]:
        return iter(self._serials)

    def __len__(self) -> int:
        return len(self._serials)


# --- unpacking ---------------------------------------------------------------------------------------------------


def _record(approval: Row, agreed: Sequence[Row], issued: Sequence[Row], issuers: Mapping[str, Any]) -> ApprovalRecord:
    identifier, kind, manufacturer, model, hardware, organisation, granted_at, start, ended_at, end_cause = approval
    return ApprovalRecord(
        identifier=_text(identifier),
        organisation=_text(organisation),
        device=Device(
            type=_text(kind), manufacturer=_text(manufacturer), model=_text(model), hardware_version=_text(hardware)
        ),
        granted_at=_instant(granted_at),
        start=_instant(start),
        terms=tuple(map(_agreed, agreed)),
        certificates=tuple(_certificate(each, issuers.get(each[1])) for each in issued),
        ended_at=_past(ended_at),
        end_cause=_cause(end_cause),
    )


_firmware = lru_cache(maxsize=UNPACKED)(firmware_of)


def _agreed(row: Row) -> Terms:
    _, issue, effective, expiry, most, firmware, decision = row
    return Terms(
        issue=number_of(issue),
        effective=_instant(effective),
        expiry=_instant(expiry),
        maximum_devices=number_of(most),
        firmware=_firmware(_text(firmware)),
        decision=_text(decision),
    )


def _certificate(row: Row, issuer_ended_at: object) -> CertificateRecord:
    _, serial, issue, fingerprint, before, after, signed, revoked, cause, invalid, superseded = row
    return CertificateRecord(
        serial=Serial(_text(serial)),
        issue=number_of(issue),
        fingerprint=_text(fingerprint),
        not_before=_instant(before),
        not_after=_instant(after),
        signed_at=_instant(signed),
        revoked_at=_past(revoked),
        cause=_cause(cause),
        invalidity_date=_past(invalid),
        superseded_at=_past(superseded),
        issuer_ended_at=_past(issuer_ended_at),
    )


def _answer(serial: object, row: Row, responders: Sequence[tuple[str, bytes]]) -> SignedAnswer:
    name, this_update, next_update, revoked_at, responder, octets = row
    return SignedAnswer(
        serial=Serial(_text(serial)),
        hash_name=name,
        this_update=_instant(this_update),
        next_update=_instant(next_update),
        revoked_at=_past(revoked_at),
        der=octets if responder is None else octets + responders[responder][1],
    )


def _text(value: object) -> str:
    return text_of(value) or ""


def _instant(value: object) -> datetime:
    return instant_of(number_of(value))


def _past(value: object) -> datetime | None:
    return None if value is None else _instant(value)


def _cause(value: object) -> EndCause | None:
    try:
        return None if value is None else EndCause(_text(value))
    except ValueError:
        return _text(value)  # type: ignore[return-value]  # as store.types.Word reads it
