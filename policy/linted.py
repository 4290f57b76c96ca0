"""The shapes of which something was judged whole, by every rule and by pkilint, and nothing was found.

What has one shape differs only where a linter sees nothing, so that it says the same of all; each one is still written
again from its values and compared octet by octet (docs/adr/0043, docs/adr/0045).
"""

from collections.abc import Hashable
from typing import Final

_KNOWN: Final = 256
"""Shapes that are kept: two hashes and five fates for each responder, and some mixtures of entries for each CA; an
authority has one or two of these at a time."""


class Linted:
    """The shapes that were judged whole. Empty when a process begins: a release, of ours or of pkilint, lints anew."""

    def __init__(self) -> None:
        self._shapes: dict[Hashable, None] = {}

    def __contains__(self, shape: Hashable) -> bool:
        return shape in self._shapes

    def add(self, shape: Hashable) -> None:
        """Keep that one of this shape was judged whole."""
        while len(self._shapes) >= _KNOWN:
            self._shapes.pop(next(iter(self._shapes)))
        self._shapes[shape] = None
