"""disowned: a decision that somebody disowns is an alarm, while something stands of it, and for a while in any case.

Who ended what it issued has not found whoever pretended to be two officers.
"""

from datetime import datetime, timedelta

from core.alarms import AlarmCode
from core.kinds import ENDING, DecisionState
from jobs.duty import Duty
from store.reading.witnesses import Disowned, disowned

TOLD = timedelta(days=30)
"""For how long it is told that somebody disowned a decision of which nothing is left to be ended."""

_WHOM = "look for whoever holds the officers' keys"


def notice_disowned(duty: Duty, at: datetime) -> int:
    """Notice each disowned decision of which something stands, or that was disowned of late; officers end, not this."""
    with duty.read() as tx:
        found, others = disowned(tx, at, since=at - TOLD)
    for each in found:
        duty.notice(AlarmCode.DECISION_DISOWNED, _sentence(each), subject=each.id)
    duty.notice_more(AlarmCode.DECISION_DISOWNED, others)
    return 0


def _sentence(each: Disowned) -> str:
    what = f"{each.kind} {each.approval or 'many approvals'}"
    said = f"Somebody says that decision {each.id} ({what}) was not made as the register has it"
    if each.serial is not None:
        return f"{said}, and certificate {each.serial} stands: revoke {each.approval}, and {_WHOM}."
    if each.state is DecisionState.SECONDED:
        return f"{said}, and a certificate is about to be signed: stop the authority, and {_WHOM}."
    if each.kind not in ENDING:
        return f"{said}; its certificate has ended: {_WHOM}."
    return f"{said}, and what ended stays ended: grant anew what is to go on, and {_WHOM}."
