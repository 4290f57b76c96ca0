"""The snapshot that every status answer comes from, and the mirror that keeps it close behind the store.

A request takes one snapshot and answers from nothing else: two look-ups of one answer never see two states of the
world. While the store is silent the last snapshot stays, growing older; above the allowed age it answers no more.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from immutables import Map, MapMutation

from api.status.finished import Finished
from api.status.remembered import WebMemory
from api.status.shapes import CertId, Shapes, shapes
from core.approval import CertificateRecord, Device
from core.clock import Clock
from core.errors import RegisterWentBack, StatusStale, TrialCpaError
from core.identifiers import Serial
from core.kinds import HierarchyRole
from core.mirror import (
    AuthorityView,
    Changes,
    Following,
    HashName,
    MirroredApproval,
    PublishedCrl,
    SignedAnswer,
    StatusSource,
    Units,
)
from core.trouble import Trouble

DEFAULT_MAX_AGE = 600.0
"""Seconds after which a snapshot is too old to answer from (design: ten minutes)."""

DEFAULT_INTERVAL = 0.1
"""Seconds between two polls: with the time a poll takes, well below the 250 ms promised."""

SAFETY_SECONDS = 1.0
"""Seconds between two polls where changes are told: what was not told is seen nevertheless."""

REST_SECONDS = 0.02
"""Seconds after each poll: what is committed by the hundred is read by the portion."""

CATCH_UP_SECONDS = 1.0
"""How long whoever has written waits for a poll that is under way; one takes a few milliseconds."""

_HASHES: Mapping[HashName, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}  # noqa: S303 - RFC 5019 clients ask with SHA-1; it identifies and proves nothing

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """One moment's view. Nothing in it is ever changed; the next moment is another snapshot.

    Args:
        authority: the authority as it describes itself.
        issuers: the key identifier of each issuing CA, by what a CertID says of it.
        shapes: how requests about them are written.
        approvals: by approval identifier.
        finished: what has been answered of each of them, by approval identifier.
        serials: the approval identifier, by certificate serial.
        fingerprints: approval identifier and serial, by SHA-256 of the certificate's DER in lower-case hex.
        models: approval identifiers, by manufacturer and model in folded case.
        fetched_at: monotonic seconds at which the poll that confirmed it began.
        went_back: the register is older than what was told from it: only ends are told truthfully.
    """

    authority: AuthorityView
    issuers: Mapping[CertId, str]
    shapes: Shapes
    approvals: Map[str, MirroredApproval]
    finished: Map[str, Finished] = field(compare=False)
    serials: Map[Serial, str]
    fingerprints: Map[str, tuple[str, Serial]]
    models: Map[tuple[str, str], frozenset[str]]
    fetched_at: float
    went_back: bool = False

    def by_serial(self, serial: Serial) -> tuple[MirroredApproval, CertificateRecord] | None:
        """Return the approval and the certificate of a serial, or None if there is none."""
        identifier = self.serials.get(serial)
        if identifier is None:
            return None
        held = self.approvals[identifier]
        return held, next(one for one in held.record.certificates if one.serial == serial)

    def by_fingerprint(self, fingerprint: str) -> tuple[MirroredApproval, CertificateRecord] | None:
        """Return the approval and the certificate whose DER has this SHA-256, or None if there is none."""
        found = self.fingerprints.get(fingerprint)
        return None if found is None else self.by_serial(found[1])

    def named(self, manufacturer: str, model: str) -> frozenset[str]:
        """Return the identifiers of every approval of a manufacturer's model."""
        return self.models.get(_model_key(manufacturer, model), frozenset())

    def of_model(self, manufacturer: str, model: str) -> tuple[MirroredApproval, ...]:
        """Return every approval of a manufacturer's model, in order of their identifiers."""
        return tuple(self.approvals[identifier] for identifier in sorted(self.named(manufacturer, model)))


def build(authority: AuthorityView, approvals: Iterable[MirroredApproval], fetched_at: float) -> Snapshot:
    """Return the snapshot of an authority and all its approvals."""
    issuers = _issuers(authority)
    empty = Snapshot(
        authority=authority,
        issuers=issuers,
        shapes=shapes(issuers),
        approvals=Map(),
        finished=Map(),
        serials=Map(),
        fingerprints=Map(),
        models=Map(),
        fetched_at=fetched_at,
    )
    return amended(empty, frozenset(), approvals)


def amended(snapshot: Snapshot, named: frozenset[str], approvals: Iterable[MirroredApproval]) -> Snapshot:
    """Return a snapshot in which the approvals named are as given; those named and not given are gone.

    It costs what changed, however many there are: all else is shared with the snapshot before.
    """
    by_identifier, finished = snapshot.approvals.mutate(), snapshot.finished.mutate()
    serials, fingerprints, models = (
        snapshot.serials.mutate(),
        snapshot.fingerprints.mutate(),
        snapshot.models.mutate(),
    )
    for identifier in named:
        old = by_identifier.pop(identifier, None)
        if old is not None:
            del finished[identifier]
            _forget(old, serials, fingerprints, models)
    for held in approvals:
        record = held.record
        by_identifier[record.identifier] = held
        finished[record.identifier] = Finished(held)
        for certificate in record.certificates:
            serials[certificate.serial] = record.identifier
            fingerprints[certificate.fingerprint] = (record.identifier, certificate.serial)
        key = _device_key(record.device)
        models[key] = models.get(key, frozenset()) | {record.identifier}
    return replace(
        snapshot,
        approvals=by_identifier.finish(),
        finished=finished.finish(),
        serials=serials.finish(),
        fingerprints=fingerprints.finish(),
        models=models.finish(),
    )


class Mirror:
    """Follows a source and hands out the newest snapshot.

    Args:
        source: where to read; its failures leave the last snapshot in place.
        clock: the machine's clock; the authority's offset is added to it.
        max_age: seconds above which a snapshot is refused.
        monotonic: seconds that only grow, for ages; a test hands in its own.
        remembered: what this process has told, before it was started as well.
        following: begins to tell when something may have changed; without it that is looked for from time to time.
    """

    def __init__(
        self,
        source: StatusSource,
        clock: Clock,
        *,
        max_age: float = DEFAULT_MAX_AGE,
        monotonic: Callable[[], float] = time.monotonic,
        remembered: WebMemory | None = None,
        following: Callable[[], Following] | None = None,
    ) -> None:
        self._following = following
        self.remembered = WebMemory() if remembered is None else remembered
        self._source = source
        self._clock = clock
        self._max_age = max_age
        self._monotonic = monotonic
        self._began = monotonic()
        self._cursor: Hashable | None = None
        self._snapshot: Snapshot | None = None
        self._anew = False
        self._polling = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self) -> None:
        """Poll once: fetch what has changed and swap the snapshot. Whatever the source raises comes through.

        Whoever has just written calls `catch_up`.
        """
        with self._polling:
            self._poll()

    def catch_up(self) -> None:
        """Follow after a commit, so that whoever acted reads their own write at once, and be held up by nobody.

        While the first snapshot is still being read there is nothing to read one's own write from; and a poll that
        takes too long is left to whoever makes it.
        """
        if self._snapshot is None or not self._polling.acquire(timeout=CATCH_UP_SECONDS):
            return
        try:
            self._poll()
        finally:
            self._polling.release()

    def _poll(self) -> None:
        """Fetch what has changed and swap the snapshot; only under the lock."""
        began = self._monotonic()
        known = self.remembered
        if known.open():
            # More is remembered than the last snapshot was made with, if there was one.
            self._anew, self._cursor = True, None
        old = None if self._anew else self._snapshot
        if known.knows_nobody:
            # Before anything is told: what others of this machine have told is about this authority, or is not.
            known.begin(self._source, self._source.authority())
        heard = known.hear(self.now())
        changes = self._source.changes(self._cursor)
        behind = not known.stands(self._source, changes.heads)
        forget = behind and known.accepted(self._source)
        behind = behind and not forget
        whole = old is None or changes.everything or forget
        authority = self._source.authority() if (whole or changes.authority) and not (behind and old) else None
        of_another = authority is not None and known.is_of_another(authority)
        if old is not None and (behind or of_another):
            # Nothing more is read of it: what was told last stays, and the cursor with it.
            new = self._with_ends(old, heard)
        elif authority is not None and of_another:
            new = self._read_ours(authority, began)
        elif authority is not None and whole:
            if changes.restored and not forget and not behind:
                known.restored(self._source)
            new = self._read_all(authority, began, old, behind=behind, forget=forget)
        else:
            new = self._read_changes(
                replace(changes, approvals=changes.approvals | heard), authority, cast("Snapshot", old)
            )
        # One assignment: a reader has the old one or the new one.
        self._snapshot = replace(new, fetched_at=began, went_back=behind or of_another)
        self._anew = False
        if not behind and not of_another:
            known.served(changes.heads, at_once=forget)
            # Last: if a read above failed, the next poll asks for the same changes again.
            self._cursor = changes.cursor

    def _with_ends(self, old: Snapshot, heard: frozenset[str]) -> Snapshot:
        """Return what was told last, with the ends that another process of this machine has told."""
        if not heard:
            return old
        found = [old.approvals[each] for each in heard if each in old.approvals]
        kept = self.remembered.ends_kept(found, heard, old.approvals, self._instant(old.authority))
        return amended(old, heard, kept)

    def _read_ours(self, authority: AuthorityView, began: float) -> Snapshot:
        """Return what was told as ended, where the register says that it is another authority's."""
        known = self.remembered
        kept = known.ends_of_ours(self._source.approvals(None), {})
        return build(known.lists_kept(authority, {}, behind=True), kept, began)

    def _read_all(
        self, authority: AuthorityView, began: float, old: Snapshot | None, *, behind: bool, forget: bool
    ) -> Snapshot:
        known = self.remembered
        known.begin(self._source, authority)
        found = self._source.approvals(None)
        before = {} if old is None else old.approvals
        kept = known.ends_kept(found, None, before, self._instant(authority), forget=forget)
        lists = {} if old is None or forget else old.authority.crls
        return build(known.lists_kept(authority, lists, behind=behind), kept, began)

    def _read_changes(self, changes: Changes, read: AuthorityView | None, old: Snapshot) -> Snapshot:
        new, known = old, self.remembered
        if changes.restored:
            known.restored(self._source)
        if read is not None:
            authority = known.lists_kept(read, old.authority.crls, behind=False)
            new = replace(new, authority=authority)
            issuers = _issuers(authority)
            if issuers != new.issuers:
                # What was answered of a certificate by its bytes rests on who may have signed it.
                finished = Map({name: Finished(held) for name, held in new.approvals.items()})
                new = replace(new, issuers=issuers, shapes=shapes(issuers), finished=finished)
        if changes.approvals:
            found = self._source.approvals(changes.approvals)
            kept = known.ends_kept(found, changes.approvals, old.approvals, self._instant(new.authority))
            new = amended(new, changes.approvals, kept)
        return new

    def _instant(self, authority: AuthorityView) -> datetime:
        return self._clock.now() + authority.clock_offset

    def start(self, interval: float = DEFAULT_INTERVAL) -> None:
        """Follow in a background thread until `stop`: at once, and whenever something has changed.

        Args:
            interval: seconds between two polls, where nobody tells of changes.
        """
        if self._thread is not None:
            raise RuntimeError("the mirror is already following")
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(interval,), name="mirror", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background thread and wait for it; the last snapshot stays."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self.remembered.close()

    def view(self) -> Snapshot:
        """Return the newest snapshot.

        Raises:
            StatusStale: there is none yet, or it is older than allowed: never a stale yes.
        """
        snapshot, age = self.held(), self.age()
        if age > self._max_age:
            raise StatusStale(age=int(age), limit=int(self._max_age))
        return snapshot

    def held(self) -> Snapshot:
        """Return the newest snapshot whatever its age, for what says itself how long it holds: CRLs, certificates.

        Raises:
            StatusStale: there is none yet.
        """
        if self._snapshot is None:
            raise StatusStale(age="an unknown number of", limit=int(self._max_age))
        return self._snapshot

    def require_whole(self) -> None:
        """Raise RegisterWentBack if the register is older than what was told from it."""
        if self._snapshot is not None and self._snapshot.went_back:
            raise RegisterWentBack

    def age(self) -> float:
        """Return the seconds since the last poll that succeeded, or since the mirror was made."""
        snapshot = self._snapshot
        return self._monotonic() - (self._began if snapshot is None else snapshot.fetched_at)

    def now(self) -> datetime:
        """Return the authority's present instant: the machine's, plus the offset of a test authority."""
        now = self._clock.now()
        return now if self._snapshot is None else now + self._snapshot.authority.clock_offset

    def past_answer(self, serial: Serial, at: datetime) -> SignedAnswer | None:
        """Return an OCSP answer (SHA-256 CertID) of the past; a read of the store, which may raise."""
        return self._source.past_answer(serial, at)

    def past_crl(self, key_id: str, number: int) -> PublishedCrl | None:
        """Return a CRL of the past; a read of the store, which may raise."""
        return self._source.past_crl(key_id, number)

    def units(self, approval: str, device_id: str, at: datetime) -> Units:
        """Return whether a device is deployed under an approval, else how many are; a read, which may raise.

        Deployments are not mirrored: there can be millions of them, and few are ever asked about.
        """
        return self._source.units(approval, device_id, at)

    def _run(self, interval: float) -> None:
        following = None if self._following is None else self._following()
        try:
            self._follow_on(interval, following)
        finally:
            if following is not None:
                following.close()

    def _follow_on(self, interval: float, following: Following | None) -> None:
        trouble = Trouble(_log)
        while not self._stopping.is_set():
            try:
                self.follow()
            except Exception as error:  # noqa: BLE001 - see below
                # Whatever it is, the thread lives on: the snapshot ages, and says so itself when it is too old.
                foreseen = isinstance(error, TrialCpaError)
                if not trouble.present and not foreseen:
                    _log.error("what nobody foresaw", exc_info=error)
                kind = str(error) if foreseen else type(error).__name__
                trouble.begins(f"the store cannot be followed; answers come from the last snapshot: {kind}")
            else:
                trouble.ends("the store is followed again")
            if following is None:
                self._stopping.wait(interval)
            else:
                self._stopping.wait(REST_SECONDS)
                following.wait(SAFETY_SECONDS, self._stopping)


def _forget(
    old: MirroredApproval,
    serials: MapMutation[Serial, str],
    fingerprints: MapMutation[str, tuple[str, Serial]],
    models: MapMutation[tuple[str, str], frozenset[str]],
) -> None:
    for certificate in old.record.certificates:
        serials.pop(certificate.serial, None)
        fingerprints.pop(certificate.fingerprint, None)
    key = _device_key(old.record.device)
    left = models.get(key, frozenset()) - {old.record.identifier}
    if left:
        models[key] = left
    else:
        models.pop(key, None)


def _issuers(authority: AuthorityView) -> Mapping[CertId, str]:
    """Return what a CertID says of each issuing CA: its name and its key's bits, hashed (RFC 6960, 4.1.1)."""
    issuers: dict[CertId, str] = {}
    for one in authority.certificates:
        if one.role != HierarchyRole.ISSUING:
            continue
        certificate = x509.load_der_x509_certificate(one.der)
        asked = ocsp.OCSPRequestBuilder()
        for name, algorithm in _HASHES.items():
            # The builder takes the key's hash from its second argument and the name's from the first one's issuer,
            # which for this certificate is the root: the name is hashed here.
            key_hash = asked.add_certificate(certificate, certificate, algorithm).build().issuer_key_hash
            name_hash = hashlib.new(name, certificate.subject.public_bytes(), usedforsecurity=False).digest()
            issuers[name, name_hash, key_hash] = one.key_id
    return issuers


def _device_key(device: Device) -> tuple[str, str]:
    return _model_key(device.manufacturer, device.model)


def _model_key(manufacturer: str, model: str) -> tuple[str, str]:
    return manufacturer.casefold(), model.casefold()
