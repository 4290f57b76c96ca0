"""disowned: while something stands of a decision that somebody disowns, that is an alarm."""

from datetime import datetime, timedelta

from core.alarms import AlarmCode
from core.kinds import DecisionState
from jobs.duty import Duty
from store.reading.witnesses import Disowned, disowned

TOLD = timedelta(days=30)
"""For how long an end that was disowned is told: it stands for ever, and nothing takes it back."""

_WHOM = "look for whoever holds the officers' keys"


def notice_disowned(duty: Duty, at: datetime) -> int:
    """Notice each disowned decision of which something stands. It ends nothing: that is for officers to decide."""
    with duty.read() as tx:
        found = disowned(tx, at, since=at - TOLD)
    for each in found:
        duty.notice(AlarmCode.DECISION_DISOWNED, _sentence(each), subject=each.id)
    return 0


def _sentence(each: Disowned) -> str:
    said = f"Somebody says that decision {each.id} ({each.kind} {each.approval}) was not made as the register has it"
    if each.serial is not None:
        return f"{said}, and certificate {each.serial} stands: revoke {each.approval}, and {_WHOM}."
    if each.state is DecisionState.SECONDED:
        return f"{said}, and a certificate is about to be signed: stop the authority, and {_WHOM}."
    return f"{said}, and what ended stays ended: grant anew what is to go on, and {_WHOM}."
