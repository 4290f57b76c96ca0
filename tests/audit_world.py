"""An export of a register as its auditor has it, and what is found in it."""

import io
import json
from collections.abc import Sequence

from ra.auditing.exported import export
from store.transactions import Store
from verify.audited import Audit, Pinned
from verify.exported import read_lines


def exported(store: Store) -> bytes:
    """The export, octet by octet as `trialcpa audit export` writes it."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in export(store))


def audited(octets: bytes, pinned: Pinned | None = None) -> Audit:
    """An audit that has taken an export; Unreadable where it is none."""
    found = Audit(pinned or Pinned())
    for each in read_lines(io.BytesIO(octets)):
        found.take(each)
    return found


def named(found: Audit) -> Sequence[str]:
    """The rows that do not follow, the first of them first."""
    return [each.row for each in found.findings.problems]
