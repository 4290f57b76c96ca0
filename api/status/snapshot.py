"""The snapshot that every status answer comes from; the mirror (mirror.py) keeps it close behind the store.

A request takes one snapshot and answers from nothing else: two look-ups of one answer never see two states of the
world.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from immutables import Map, MapMutation

from api.status.finished import Finished
from api.status.indexes import NO_UNITS, forget, model_key, several
from api.status.ready import Ready
from api.status.shapes import CertId, Shapes, issuers_of, shapes
from core.approval import CertificateRecord
from core.deployed import Deployed, unit_of
from core.identifiers import Serial
from core.instants import seconds
from core.mirror import (
    AuthorityView,
    Held,
    Units,
)


@dataclass(frozen=True)
class Snapshot:
    """One moment's view. Nothing in it is ever changed; the next moment is another snapshot.

    Args:
        authority: the authority as it describes itself.
        issuers: the key identifier of each issuing CA, by what a CertID says of it.
        shapes: how requests about them are written.
        approvals: by approval identifier.
        finished: what has been answered of each of them, by approval identifier.
        ready: what of that is found by a question's octets; the snapshots that follow one another share it.
        serials: the approval identifier, by certificate serial.
        fingerprints: the certificate's serial, by SHA-256 of the certificate's DER in lower-case hex.
        models: the approval identifier, or several, by manufacturer and model in folded case.
        fetched_at: monotonic seconds at which the poll that confirmed it began.
        deployed: the units of each approval that has any, by approval identifier; None until they have been read.
        went_back: the register is older than what was told from it: only ends are told truthfully.
    """

    authority: AuthorityView
    issuers: Mapping[CertId, str]
    shapes: Shapes
    approvals: Map[str, Held]
    finished: Map[str, Finished] = field(compare=False)
    ready: Ready = field(compare=False)
    serials: Map[Serial, str]
    fingerprints: Map[str, Serial]
    models: Map[str, frozenset[str] | str]
    fetched_at: float
    deployed: Map[str, Deployed] | None = field(default=None, compare=False)
    went_back: bool = False

    def by_serial(self, serial: Serial) -> tuple[Held, CertificateRecord] | None:
        """Return the approval and the certificate of a serial, or None if there is none."""
        identifier = self.serials.get(serial)
        if identifier is None:
            return None
        held = self.approvals[identifier]
        return held, next(one for one in held.record.certificates if one.serial == serial)

    def by_fingerprint(self, fingerprint: str) -> tuple[Held, CertificateRecord] | None:
        """Return the approval and the certificate whose DER has this SHA-256, or None if there is none."""
        found = self.fingerprints.get(fingerprint)
        return None if found is None else self.by_serial(found)

    def named(self, manufacturer: str, model: str) -> frozenset[str]:
        """Return the identifiers of every approval of a manufacturer's model."""
        return several(self.models.get(model_key(manufacturer, model), frozenset()))

    def of_model(self, manufacturer: str, model: str) -> tuple[Held, ...]:
        """Return every approval of a manufacturer's model, in order of their identifiers."""
        return tuple(self.approvals[identifier] for identifier in sorted(self.named(manufacturer, model)))

    def units(self, approval: str, device_id: str, at: datetime) -> Units:
        """Return whether a device is deployed under an approval at an instant, else how many are.

        Args:
            approval: its identifier.
            device_id: EUI-64, upper case.
            at: the present, or a past instant.
        """
        if self.deployed is None:
            raise ValueError("the units have not been read yet")
        held, second = self.deployed.get(approval, NO_UNITS), seconds(at)
        if held.among(unit_of(device_id), second):
            return Units(among=True)
        return Units(among=False, deployed=held.count(second))


def build(authority: AuthorityView, approvals: Iterable[Held], fetched_at: float) -> Snapshot:
    """Return the snapshot of an authority and all its approvals."""
    issuers = issuers_of(authority)
    empty = Snapshot(
        authority=authority,
        issuers=issuers,
        shapes=shapes(issuers),
        approvals=Map(),
        finished=Map(),
        ready=Ready(),
        serials=Map(),
        fingerprints=Map(),
        models=Map(),
        fetched_at=fetched_at,
    )
    return amended(empty, frozenset(), approvals)


def amended(snapshot: Snapshot, named: frozenset[str], approvals: Iterable[Held]) -> Snapshot:
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
            finished.pop(identifier).end()
            forget(old, serials, fingerprints, models)
    for held in approvals:
        identifier, names = held.identifier, held.names
        by_identifier[identifier] = held
        finished[identifier] = Finished(held)
        key = model_key(names.manufacturer, names.model)
        others = models.get(key)
        for serial, fingerprint in names.certificates:
            _begin_anew(serials.get(serial), finished)
            _begin_anew(serials.get(fingerprints.get(fingerprint, serial)), finished)
            serials[serial] = identifier
            fingerprints[fingerprint] = serial
        _begin_anew(others if isinstance(others, str) else None, finished)
        models[key] = identifier if others is None else several(others) | {identifier}
    return replace(
        snapshot,
        approvals=by_identifier.finish(),
        finished=finished.finish(),
        serials=serials.finish(),
        fingerprints=fingerprints.finish(),
        models=models.finish(),
    )


def _begin_anew(identifier: str | None, finished: MapMutation[str, Finished]) -> None:
    """Have another approval that was alone with a name until now begin with nothing: what it was asked by was bound
    to it alone, and names two now.
    """
    other = None if identifier is None else finished.get(identifier)
    if identifier is not None and other is not None:
        other.end()
        finished[identifier] = Finished(other.held)
