"""A list as its difference from the one before, and the list made of it again, octet by octet.

Lists that follow upon each other share nearly all of their entries: a list of megabytes is kept in some hundred octets.
The form is JSON that anybody can read: what is copied from the list before (offset, length), and what is new (base64).
"""

import base64
import hashlib
from collections.abc import Iterator

from ca.revocation.octets import cut, listed_in
from core.canonical import Json, canonical
from core.errors import PublishedDamaged
from core.json_text import JsonUnreadable, read_sent

FORMAT = "trialcpa difference of lists, 1"


def difference(number_before: int, before: bytes, after: bytes) -> bytes | None:
    """Return what makes one list of another.

    Args:
        number_before: which one the first is.
        before: it, DER.
        after: the list that is kept, DER.

    Returns:
        None where that would not be smaller than the list, or one of them is not cut as ours are.
    """
    try:
        pieces, known = list(_pieces(after)), _places(before)
    except ValueError:
        return None
    steps: list[Json] = []
    for at, octets in _runs(pieces, known):
        steps.append(base64.b64encode(octets).decode("ascii") if at is None else [at, len(octets)])
    made = canonical(
        {
            "format": FORMAT,
            "before": number_before,
            "before_sha256": hashlib.sha256(before).hexdigest(),
            "sha256": hashlib.sha256(after).hexdigest(),
            "steps": steps,
        }
    )
    return made if len(made) < len(after) else None


def before(kept: bytes) -> int:
    """Return the number of the list from which a difference is one; PublishedDamaged if it is none."""
    number = _read(kept)["before"]
    if not isinstance(number, int):
        raise PublishedDamaged(detail="a difference names no list before it")
    return number


def remade(before: bytes, kept: bytes) -> bytes:
    """Return a list again.

    Args:
        before: the list before it.
        kept: the difference.

    Raises:
        PublishedDamaged: it is no difference, or one from another list, or what comes of it is not what was kept.
    """
    said = _read(kept)
    if said["before_sha256"] != hashlib.sha256(before).hexdigest():
        raise PublishedDamaged(detail="a difference is one from another list")
    steps = said["steps"]
    made = b"".join(_done(step, before) for step in (steps if isinstance(steps, list) else ()))
    if said["sha256"] != hashlib.sha256(made).hexdigest():
        raise PublishedDamaged(detail="of a difference comes another list than was kept")
    return made


_MEMBERS = {"format", "before", "before_sha256", "sha256", "steps"}


def _read(kept: bytes) -> dict[str, object]:
    try:
        said = read_sent(kept)
    except JsonUnreadable as error:
        raise PublishedDamaged(detail=f"a difference cannot be read: {error}") from None
    if not isinstance(said, dict) or said.keys() != _MEMBERS or said["format"] != FORMAT:
        raise PublishedDamaged(detail="a difference is not of the form that is known")
    return said


def _done(step: object, before: bytes) -> bytes:
    match step:
        case str():
            try:
                return base64.b64decode(step, validate=True)
            except ValueError:
                pass
        case [int(at), int(length)] if 0 <= at <= at + length <= len(before):
            return before[at : at + length]
    raise PublishedDamaged(detail="a difference has a step that is none")


def _pieces(der: bytes) -> Iterator[bytes]:
    """Yield a list in pieces: what stands before its entries, each of these, what stands behind them."""
    begins, ends = listed_in(der)
    yield der[:begins]
    for each in cut(der):
        yield each.octets
    yield der[ends:]


def _places(der: bytes) -> dict[bytes, int]:
    found, at = dict[bytes, int](), 0
    for piece in _pieces(der):
        found[piece] = at
        at += len(piece)
    return found


def _runs(pieces: list[bytes], known: dict[bytes, int]) -> Iterator[tuple[int | None, bytes]]:
    """Yield pieces joined to as few as may be: each with where it stands in the list before, None of what does not."""
    begins: int | None = None
    run: list[bytes] = []
    length = 0
    for piece in pieces:
        at = known.get(piece)
        goes_on = (at is None) == (begins is None) and (at is None or begins is None or at == begins + length)
        if run and not goes_on:
            yield begins, b"".join(run)
            run, length = [], 0
        if not run:
            begins = at
        run.append(piece)
        length += len(piece)
    yield begins, b"".join(run)
