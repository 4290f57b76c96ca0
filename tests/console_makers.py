"""Whom each page for whoever applies, asks and reads lets in: beside the pages of officers (tests/test_console.py)."""

from collections.abc import Callable

from core.actors import Actor
from core.kinds import DraftPart
from ra.applying import changing, drafts
from ra.applying.apply import Apply
from ra.auditing.dossier import dossier_there
from ra.auditing.journal import searched
from ra.deciding.many import named
from ra.desk import Desk
from ra.meeting.agenda import step
from ra.meeting.meetings import next_meeting
from ra.reporting.report import shown as report_shown
from ra.telling.reconcile import reconcile_marked
from tests.world import DEVICE, NOW

NOT_OVER_HTTP = {
    *("grant_access", "revoke_access", "list_access"),  # at the machine
    *("people", "invite", "begin", "sessions", "revoke_session", "searched"),  # in a browser
    *("rehearse", "timeline", "question", "enrolled"),  # the same; tests/test_console_use_cases.py
    *("begin_draft", "drafts", "draft", "keep_part", "throw_away", "judge", "sent_before", "send"),
    *("begin_change", "foresee_change", "changed_before", "send_change"),
    *("step", "next_meeting", "reconcile_marked", "shown"),  # in a browser, too
    "named",  # asked for the links of an answer, once its use case has let somebody in
    *("pdf_of", "gather", "stands"),  # they typeset, and put things together, for whoever has been let in
}
"""Use cases that no address of the API reaches."""

_MAKERS = {"manufacturer", "rival"}
_SSC = {"officer-1", "admin", "auditor"}
_HOLDS = _SSC | {"manufacturer", "dcc", "panel"}
_EVERYBODY = _HOLDS | {"rival"}

MAY: dict[str, tuple[str, set[str]]] = {
    "drafts": ("GET /console/drafts", _MAKERS),
    "begin_draft": ("POST /console/drafts", _MAKERS),
    "draft": ("GET /console/drafts/{draft}", {"manufacturer"}),
    "draft_check": ("GET /console/drafts/{draft}/check", {"manufacturer"}),
    "send_draft": ("POST /console/drafts/{draft}/check", {"manufacturer"}),
    "attaching": ("GET /console/applications/{application}/files", {"officer-1", "manufacturer"}),
    "attach_it": ("POST /console/applications/{application}/files", {"officer-1", "manufacturer"}),
    "begin_change": ("POST /console/applications/{application}/change", {"manufacturer"}),
    "send_change": ("POST /console/drafts/{draft}/change", {"manufacturer"}),
    "take_back": ("POST /console/applications/{application}/taking-back", {"manufacturer"}),
    "holding": ("GET /console/approvals/{approval}/holder", _HOLDS),
    "answer_it": ("POST /console/approvals/{approval}/acceptance", _HOLDS),
    "ask_amendment": ("POST /console/approvals/{approval}/amendment-requests", {"manufacturer"}),
    "ask_end": ("POST /console/approvals/{approval}/end", {"manufacturer"}),
    "withdraw_asked": ("POST /console/approvals/{approval}/withdrawal", set()),
    "certificate_file": ("GET /console/approvals/{approval}/certificate", _HOLDS),
    "listing": ("GET /console/list", _SSC | {"dcc", "panel"}),
    "listing_file": ("GET /console/list/file", _SSC | {"dcc", "panel"}),
    "acknowledge_them": ("POST /console/list/acknowledgement", {"panel"}),
    "reconciling": ("GET /console/list/reconciliation", {"officer-1", "panel"}),
    "reconcile_it": ("POST /console/list/reconciliation", {"officer-1", "panel"}),
    "marked_list": ("GET /console/list/reconciliation/none", set()),
    "reports": ("GET /console/reports", _SSC | {"dcc"}),
    "report": ("GET /console/reports/{month}", _SSC | {"dcc"}),
    "report_file": ("GET /console/reports/{month}/file", _SSC | {"dcc"}),
    "issue_it": ("POST /console/reports/{month}/issue", {"dcc"}),
    "remark_it": ("POST /console/reports/{month}/remark", {"dcc"}),
    "deployments": ("GET /console/deployments", {"dcc"}),
    "recorded_file": ("GET /console/deployments/results/none", set()),
    "record_them": ("POST /console/deployments", {"dcc"}),
    "journal_page": ("GET /console/journal", _SSC),
    "verify": ("GET /console/verify", _EVERYBODY),
    "verify_file": ("GET /console/verify/file", _EVERYBODY),
    "verify_them": ("POST /console/verify/file", _EVERYBODY),
    "verified_file": ("GET /console/verify/file/none", set()),
    "notices": ("GET /console/notices", _EVERYBODY),
    "notice_file": ("GET /console/notices/{notice}/file", _HOLDS),
    "breaches": ("GET /console/breaches", _SSC),
    "suspicions": ("GET /console/suspicions", _SSC | _MAKERS),
    "suspicion": ("GET /console/suspicions/{breach}", _SSC | {"manufacturer"}),
    "answer_suspicion": ("POST /console/suspicions/{breach}/answer", {"manufacturer"}),
    "files_of_breach": ("GET /console/breaches/{breach}/files", _SSC),
    "attach_to_breach": ("POST /console/breaches/{breach}/files", {"officer-1"}),
    "files_of_suspicion": ("GET /console/suspicions/{breach}/files", _SSC | {"manufacturer"}),
    "attach_to_suspicion": ("POST /console/suspicions/{breach}/files", {"manufacturer"}),
    "files_of_amendment_request": ("GET /console/amendment-requests/{request}/files", _SSC | {"manufacturer"}),
    "attach_to_amendment_request": ("POST /console/amendment-requests/{request}/files", {"manufacturer"}),
    "files_of_report": ("GET /console/reports/{month}/files", _SSC | {"dcc"}),
    "attach_to_report": ("POST /console/reports/{month}/files", {"dcc"}),
    "contacts": ("GET /console/contacts", _SSC | _MAKERS),
    "change_contacts": ("POST /console/contacts", _MAKERS),
    "orders": ("GET /console/orders", _SSC),
    "give_order": ("POST /console/orders", {"officer-1"}),
    "order_page": ("GET /console/orders/{order}", _SSC),
    "sign_order": ("POST /console/orders/{order}/authorisation", {"officer-1"}),
    "health": ("GET /console/health", _EVERYBODY),
    "undelivered": ("GET /console/notices/undelivered", _SSC),
    "certificate_page": ("GET /console/certificates/{serial}", _HOLDS),
    "standing_requirements": ("GET /console/requirements", _SSC | _MAKERS),
    "require_always": ("POST /console/requirements", {"officer-1"}),
    "require_no_more": ("POST /console/requirements/{standing}/end", {"officer-1"}),
    "ask_in_report": ("POST /console/reports/{month}/question", {"officer-1"}),
    "ask_no_more": ("POST /console/reports/{month}/question-end", set()),
    "answer_in_report": ("POST /console/reports/{month}/answer", set()),
    "entries": ("GET /console/approvals/{approval}/entries", {"officer-1"}),
    "say_addition": ("POST /console/approvals/{approval}/addition", {"officer-1"}),
    "say_certified": ("POST /console/approvals/{approval}/ncsc-certificate", {"officer-1"}),
    **{
        f"draft_{part}": (f"GET /console/drafts/{{draft}}/{part}", {"manufacturer"})
        for part in ("device", "firmware", "certificates", "trial", "key")
    },
    **{
        f"keep_{part}": (f"POST /console/drafts/{{draft}}/{part}", {"manufacturer"})
        for part in ("device", "firmware", "certificates", "trial", "key")
    },
    "throw_draft_away": ("POST /console/drafts/{draft}/throwing-away", {"manufacturer"}),
}


def acts_of_makers(desk: Desk, actor: Actor) -> list[Callable[[], object]]:
    """What pages do that no address of the API does; whoever may not is to be refused by each itself."""
    day, name = NOW.date(), "dft-of-another"
    little = Apply(DEVICE, "", (), start=day, expiry=day, maximum_devices=1, purpose="", csr=b"")
    return [
        lambda: drafts.begin_draft(desk, actor),
        lambda: drafts.drafts(desk, actor),
        lambda: drafts.draft(desk, actor, name),
        lambda: drafts.keep_part(desk, actor, name, DraftPart.KEY, {}, version=1),
        lambda: drafts.throw_away(desk, actor, name),
        lambda: drafts.sent_before(desk, actor, None),
        lambda: drafts.judge(desk, actor, little),
        lambda: drafts.send(desk, actor, name, little),
        lambda: changing.begin_change(desk, actor, "app-of-another", lambda _: {}),
        lambda: changing.foresee_change(desk, actor, "app-of-another", little),
        lambda: changing.changed_before(desk, actor, None),
        lambda: changing.send_change(desk, actor, name, little, upon=1),
        lambda: searched(desk, actor, "x", after=0, limit=1),
        lambda: report_shown(desk, actor, "2027-01"),
        lambda: named(desk, actor, "dec-of-another"),
        lambda: step(desk, actor, "agi-of-another"),
        lambda: next_meeting(desk, actor),
        lambda: reconcile_marked(desk, actor, b""),
        lambda: dossier_there(desk, actor, "TDT-2027-0001-8"),
    ]
