"""Writing the journal: facts go in unnumbered, in the transaction that makes them true; sealing numbers them later.

No writer waits on the chain's head: that is the sealer's business alone (store/verbs/sealing.py).
"""

from sqlalchemy import insert

from core.canonical import canonical
from core.facts import Fact
from store.tables import journal
from store.transactions import Transaction

_INSERT = insert(journal)


def record(tx: Transaction, *facts: Fact) -> None:
    """Write facts; each becomes true, and visible to every reader, with the commit of `tx`."""
    tx.connection.execute(
        _INSERT,
        [
            {
                "kind": fact.kind.value,
                "at": fact.at,
                "actor": fact.actor.name,
                "role": fact.actor.role.value if fact.actor.role else None,
                "organisation": fact.actor.organisation,
                "subject": fact.subject,
                "approvals": f" {' '.join(fact.approvals)} " if fact.approvals else "",
                "payload": canonical(fact.payload).decode(),
            }
            for fact in facts
        ],
    )
