"""receipts: how long it took until an end was told by each channel, and whether DCC and Panel have acknowledged it."""

from datetime import datetime, timedelta

from core.actors import Actor
from core.classification import Recipient
from core.clauses import serves
from core.kinds import DeliveryState, Told
from policy.roles import Operation
from ra.access import authorise
from ra.desk import Desk
from ra.telling.views import ReceiptAnswer, ReceiptList, ToldAnswer
from store.reading import approvals as approval_reading
from store.reading import notices
from store.reading.receipts import Receipt, receipts_of
from store.transactions import Transaction

COURIER_LATE = timedelta(minutes=1)
"""After which the courier has taken a notice up, if there is anywhere to take it: it looks every few seconds."""

_BY_NOTICE = ((Told.DCC, Recipient.DCC), (Told.PANEL, Recipient.PANEL))
"""Who is told by a notice, and as whom it has them."""


@serves("F2.30", "F2.31")
def receipts(desk: Desk, actor: Actor, approval: str) -> ReceiptList:
    """Return the receipts of the ends of an approval and of its certificates.

    Raises:
        NoSuchThing: there is no such approval.
        OperationNotPermitted: they are for those who rely on certificates and keep the list, and the SSC.
    """
    authorise(actor, Operation.READ_CPL)
    at = desk.clock.now()
    with desk.store.read() as tx:
        approval_reading.approval(tx, approval)
        found = receipts_of(tx, approval)
        shown = tuple(_shown(each, _unreachable(tx, each, at)) for each in found)
    return ReceiptList(approval=approval, receipts=shown)


def _unreachable(tx: Transaction, receipt: Receipt, at: datetime) -> frozenset[Told]:
    """To whom no notice of an end is on its way, as none has gone and none will."""
    if receipt.notice is None or at - notices.notice(tx, receipt.notice).written_at < COURIER_LATE:
        return frozenset()
    ways = notices.deliveries_of(tx, [receipt.notice])
    going = {each.recipient for each in ways if each.state is not DeliveryState.GIVEN_UP}
    return frozenset(told for told, recipient in _BY_NOTICE if recipient not in going)


def _shown(receipt: Receipt, unreachable: frozenset[Told]) -> ReceiptAnswer:
    lines = {each.told: each for each in receipt.lines}
    acknowledged = {
        Told.VERIFICATION: None,
        Told.OCSP: None,
        Told.LIST: None,
        Told.DCC: receipt.dcc_at,
        Told.PANEL: receipt.panel_at,
    }
    told = []
    for each in Told:
        line = lines.get(each)
        told.append(
            ToldAnswer(
                told=each,
                milliseconds=None if line is None else line.after,
                number=None if line is None else line.number,
                acknowledged_at=acknowledged[each],
                unreachable=line is None and each in unreachable,
            )
        )
    return ReceiptAnswer(
        decision=receipt.decision,
        ended_at=receipt.ended_at,
        certificates=receipt.certificates,
        notice=receipt.notice,
        closed_at=receipt.closed_at,
        told=tuple(told),
    )
