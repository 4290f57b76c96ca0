"""identity: the register's row about the authority is compared with what the authority began with."""

import hashlib
from datetime import datetime

from core.alarms import AlarmCode
from jobs.duty import Duty
from keys.ceremony import JOURNAL_FILE
from store.reading.authority import authority_row


def compare_identity(duty: Duty, _at: datetime) -> int:
    """Notice where the register says that this authority is another one. Nothing is signed by that row."""
    with duty.read() as tx:
        row = authority_row(tx)
    begun = duty.memory.begun
    said = {
        "environment": (row.environment, begun.environment),
        "name": (row.name, begun.name),
        "arc": (row.arc, begun.arc),
        "public base": (row.base_url, begun.base_url),
        "journal key": (hashlib.sha256(row.journal_key).hexdigest(), begun.keys[JOURNAL_FILE]),
    }
    for name, (register, ours) in said.items():
        if register != ours:
            duty.notice(
                AlarmCode.AUTHORITY_CHANGED,
                f"The register has another {name} for this authority than the one that it began with.",
                subject=name,
            )
    return 0
