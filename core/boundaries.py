"""Names the instants at which a power cut matters: each commit, signature and rename of the cycle.

In operation nothing listens. A test installs an observer that counts, or that kills the process: the promises in
docs/issuance-cycle.md are proved by dying at every one of them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_observer: Callable[[str], None] | None = None


def observe(observer: Callable[[str], None] | None) -> None:
    """Have every boundary from now on reported to `observer`, or to nobody (None)."""
    global _observer  # noqa: PLW0603 - one process, one observer: a boundary is reached below every argument list
    _observer = observer


@contextmanager
def boundary(name: str) -> Iterator[None]:
    """Report `before name` and, if the body did not raise, `after name`."""
    if _observer is not None:
        _observer(f"before {name}")
    yield
    if _observer is not None:
        _observer(f"after {name}")
