"""The look-ups of a snapshot, changed by what changed; and the units of each approval."""

from collections.abc import Mapping, Sequence

from immutables import Map, MapMutation

from core.deployed import Deployed, Stint, Unit
from core.identifiers import Serial
from core.mirror import Held

NO_UNITS = Deployed()


def forget(
    old: Held,
    serials: MapMutation[Serial, str],
    fingerprints: MapMutation[str, Serial],
    models: MapMutation[str, frozenset[str] | str],
) -> None:
    """Take an approval out of the look-ups by its names."""
    names = old.names
    for serial, fingerprint in names.certificates:
        serials.pop(serial, None)
        fingerprints.pop(fingerprint, None)
    key = model_key(names.manufacturer, names.model)
    left = several(models.get(key, frozenset())) - {old.identifier}
    if len(left) > 1:
        models[key] = left
    elif left:
        (models[key],) = left
    else:
        models.pop(key, None)


def several(found: frozenset[str] | str) -> frozenset[str]:
    """Return the identifiers of a model's approvals; one that is alone stands for itself."""
    return frozenset((found,)) if isinstance(found, str) else found


def model_key(manufacturer: str, model: str) -> str:
    """Return the form in which two models are compared."""
    return f"{manufacturer}\x1f{model}".casefold()


def reported_on(held: Map[str, Deployed], found: Mapping[str, Mapping[Unit, Sequence[Stint]]]) -> Map[str, Deployed]:
    """Return the units of each approval when of some the stints are those that were found."""
    changing = held.mutate()
    for approval, units in found.items():
        changed = held.get(approval, NO_UNITS).changed(units)
        if len(changed):
            changing[approval] = changed
        else:
            changing.pop(approval, None)
    return changing.finish()
