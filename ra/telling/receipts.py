"""receipts: how long it took until an end was told by each channel, and whether DCC and Panel have acknowledged it."""

from core.actors import Actor
from core.clauses import serves
from core.kinds import Told
from policy.roles import Operation
from ra.access import authorise
from ra.desk import Desk
from ra.telling.views import ReceiptAnswer, ReceiptList, ToldAnswer
from store.reading import approvals as approval_reading
from store.reading.receipts import Receipt, receipts_of


@serves("F2.30", "F2.31")
def receipts(desk: Desk, actor: Actor, approval: str) -> ReceiptList:
    """Return the receipts of the ends of an approval and of its certificates.

    Raises:
        NoSuchThing: there is no such approval.
        OperationNotPermitted: they are for those who rely on certificates and keep the list, and the SSC.
    """
    authorise(actor, Operation.READ_CPL)
    with desk.store.read() as tx:
        approval_reading.approval(tx, approval)
        found = receipts_of(tx, approval)
    return ReceiptList(approval=approval, receipts=tuple(_shown(each) for each in found))


def _shown(receipt: Receipt) -> ReceiptAnswer:
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
