"""Lists: the newest of each key under the name that certificates give, and each under its number, for ever.

crl/KEY.crl, crl/KEY/NUMBER.crl, and of older ones crl/KEY/NUMBER.json: the difference from the one before
(difference.py). Each list has its difference on the disk before its octets are taken away, so that at any moment each
is there as it is, or can be made again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import NoSuchThing, PublishedDamaged
from core.mirror import PublishedCrl
from published.difference import before, difference, remade
from published.folder import File, Folder

LONGEST_CHAIN = 64
"""Lists in a row that are kept as differences: the next is kept whole, so that none takes longer to be made again."""

AT_ONCE = 20
"""Old lists of a key that are taken in one turn; where there are more, the next turn follows at once."""

_WHOLE, _DIFFERENCE = "crl", "json"


@dataclass(frozen=True)
class _Last:
    """The last list of a key that is in the folder.

    Args:
        number: of it; 0 if there is none.
        der: it.
        chain: how many in a row are differences, it among them.
        looked: up to which number was looked: rows of lists that no key signed are passed over.
    """

    number: int
    der: bytes
    chain: int
    looked: int


class Lists:
    """Publishes the lists of each key.

    Args:
        folder: where.
        past: looks a list up that was published; None if there is no genuine one. It may raise StoreUnavailable.
        numbers_after: returns the numbers of a key's lists behind one, so many at the most; it may raise the same.
    """

    def __init__(
        self,
        folder: Folder,
        past: Callable[[str, int], PublishedCrl | None],
        numbers_after: Callable[[str, int, int], Sequence[int]],
    ) -> None:
        self._folder = folder
        self._numbers_after = numbers_after
        self._past = past
        self._last: dict[str, _Last] = {}
        self._in_force: dict[str, int] = {}

    def turn(self, newest: Iterable[PublishedCrl]) -> bool:
        """Publish the newest list of each key, then some of those that are behind; return whether there are more.

        Args:
            newest: of each key the list in force.
        """
        lists = list(newest)
        for each in lists:
            if each.key_id not in self._last:
                self._last[each.key_id] = self._found(each.key_id)
            if each.number >= self._last[each.key_id].number and self._in_force.get(each.key_id) != each.number:
                self._folder.keep([File(name=f"crl/{each.key_id}.crl", octets=each.der, at=each.this_update)])
                self._in_force[each.key_id] = each.number
        behind = [each for each in lists if self._follow(each)]
        return bool(behind)

    def _follow(self, newest: PublishedCrl) -> bool:
        if self._last[newest.key_id].looked >= newest.number:
            return False
        behind = self._numbers_after(newest.key_id, self._last[newest.key_id].looked, AT_ONCE)
        for number in behind:
            if number > newest.number:
                break
            found = newest if number == newest.number else self._past(newest.key_id, number)
            if found is not None:
                self._add(found)
            else:
                self._last[newest.key_id] = replace(self._last[newest.key_id], looked=number)
        return bool(behind) and behind[-1] < newest.number

    def _add(self, crl: PublishedCrl) -> None:
        last, name = self._last[crl.key_id], _name(crl.key_id, crl.number, _WHOLE)
        self._folder.keep([File(name=name, octets=crl.der, at=crl.this_update)])
        from_before = None
        if last.der and last.chain < LONGEST_CHAIN:
            from_before = difference(last.number, last.der, crl.der)
        if from_before is not None:
            kept = File(name=_name(crl.key_id, crl.number, _DIFFERENCE), octets=from_before, at=crl.this_update)
            self._folder.keep([kept])
        chain = 0 if from_before is None else last.chain + 1
        self._last[crl.key_id] = _Last(number=crl.number, der=crl.der, chain=chain, looked=crl.number)
        if last.chain:
            self._folder.remove([_name(crl.key_id, last.number, _WHOLE)])

    def _found(self, key_id: str) -> _Last:
        """Return the last list of a key that is there whole; what a death left of those before it is cleared away."""
        forms: dict[int, set[str]] = {}
        for name in self._folder.names(f"crl/{key_id}/"):
            number, _, form = name.rpartition("/")[2].partition(".")
            forms.setdefault(int(number), set()).add(form)
        last = max((number for number, has in forms.items() if _WHOLE in has), default=0)
        twice = [number for number, has in forms.items() if number < last and len(has) > 1]
        self._folder.remove(_name(key_id, number, _WHOLE) for number in twice)
        whole = self._folder.says(_name(key_id, last, _WHOLE)) if last else None
        # Of one that has its difference the chain may be as long as any: the next is kept whole.
        chain = LONGEST_CHAIN if _DIFFERENCE in forms.get(last, ()) else 0
        return _Last(number=last, der=whole or b"", chain=chain, looked=last)


def made_again(place: Path, key_id: str, number: int) -> bytes:
    """Return a list that was published, as it is there or from its differences.

    Args:
        place: the folder.
        key_id: of the key that signed it.
        number: which one.

    Raises:
        NoSuchThing: it is not there.
        PublishedDamaged: what is there makes no list of it.
    """
    steps: list[bytes] = []
    at = number
    while not (whole := place / _name(key_id, at, _WHOLE)).is_file():
        kept = place / _name(key_id, at, _DIFFERENCE)
        if not kept.is_file():
            raise NoSuchThing(kind=f"list of key {key_id} with number", identifier=at)
        steps.append(kept.read_bytes())
        came_from = before(steps[-1])
        if came_from >= at:
            raise PublishedDamaged(detail="a difference is one from a later list")
        at = came_from
    der = whole.read_bytes()
    for each in reversed(steps):
        der = remade(der, each)
    return der


def _name(key_id: str, number: int, form: str) -> str:
    return f"crl/{key_id}/{number}.{form}"
