"""What is handed in after a restore, read and not yet believed: certificates, lists and exported journals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.chain import SealedRow


@dataclass(frozen=True, kw_only=True)
class Journal:
    """An exported journal.

    Args:
        name: whose it says it is.
        rows: in order, from the first on.
        heads: number, link and signature of each.
    """

    name: str
    rows: Sequence[SealedRow]
    heads: Sequence[tuple[int, bytes, bytes]]


@dataclass(frozen=True, kw_only=True)
class Handed:
    """Files, each by its name."""

    certificates: Mapping[str, bytes] = field(default_factory=dict)
    lists: Mapping[str, bytes] = field(default_factory=dict)
    journals: Mapping[str, Journal] = field(default_factory=dict)
