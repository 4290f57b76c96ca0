"""What the authority is about to do something with, of what people wait for."""

from collections.abc import Collection

from sqlalchemy import Text, bindparam, exists, or_, select, union_all

from core.kinds import UNDECIDED, DecisionState
from store.portions import portions
from store.reading.requests import TO_BE_DRAFTED
from store.tables import applications, approvals, certificates, decisions
from store.transactions import Transaction
from store.types import one_of_words

_NAMED = bindparam("named", expanding=True, type_=Text())

_AT_WORK = union_all(
    select(decisions.c.id).where(
        decisions.c.id.in_(_NAMED),
        or_(decisions.c.state == DecisionState.SECONDED, TO_BE_DRAFTED),
    ),
    select(approvals.c.identifier).where(
        approvals.c.identifier.in_(_NAMED), ~exists().where(certificates.c.approval == approvals.c.identifier)
    ),
    select(applications.c.id).where(applications.c.id.in_(_NAMED), one_of_words(applications.c.state, UNDECIDED)),
)


def at_work(tx: Transaction, named: Collection[str]) -> frozenset[str]:
    """Return of decisions, applications and approvals those of which more is to be heard without anybody's asking.

    A decision is to be drafted or carried out, an approval has no certificate yet, an application is not decided.
    """
    found: set[str] = set()
    for some in portions(sorted(named)):
        found |= set(tx.connection.execute(_AT_WORK, {"named": some}).scalars())
    return frozenset(found)
