"""Whom each page for whoever applies, asks and reads lets in: beside the pages of officers (tests/test_console.py)."""

from collections.abc import Callable

from core.actors import Actor
from core.kinds import DraftPart
from ra.applying import drafts
from ra.applying.apply import Apply
from ra.auditing.journal import searched
from ra.desk import Desk
from ra.telling.reconcile import reconcile_marked
from tests.world import DEVICE, NOW

NOT_OVER_HTTP = {
    *("grant_access", "revoke_access", "list_access"),  # at the machine
    *("people", "invite", "begin", "sessions", "revoke_session", "searched"),  # in a browser
    *("rehearse", "timeline", "question", "enrolled"),  # the same; tests/test_console_use_cases.py
    *("begin_draft", "drafts", "draft", "keep_part", "throw_away", "judge", "sent_before", "send"),
    "reconcile_marked",
    *("pdf_of", "gather", "stands"),  # they typeset, and put things together, for whoever has been let in
}
"""Use cases that no address of the API reaches."""

_MAKERS = {"manufacturer", "rival"}
_HOLDS = {"officer-1", "admin", "auditor", "manufacturer", "dcc", "panel"}
_READERS = {"officer-1", "admin", "auditor"}
_EVERYBODY = _HOLDS | {"rival"}

MAY: dict[str, tuple[str, set[str]]] = {
    "drafts": ("GET /console/drafts", _MAKERS),
    "begin_draft": ("POST /console/drafts", _MAKERS),
    "draft": ("GET /console/drafts/{draft}", {"manufacturer"}),
    "draft_check": ("GET /console/drafts/{draft}/check", {"manufacturer"}),
    "send_draft": ("POST /console/drafts/{draft}/check", {"manufacturer"}),
    "attaching": ("GET /console/applications/{application}/files", {"officer-1", "manufacturer"}),
    "attach_it": ("POST /console/applications/{application}/files", {"officer-1", "manufacturer"}),
    "take_back": ("POST /console/applications/{application}/taking-back", {"manufacturer"}),
    "holding": ("GET /console/approvals/{approval}/holder", _HOLDS),
    "answer_it": ("POST /console/approvals/{approval}/acceptance", _HOLDS),
    "ask_amendment": ("POST /console/approvals/{approval}/amendment-requests", {"manufacturer"}),
    "ask_end": ("POST /console/approvals/{approval}/end", {"manufacturer"}),
    "withdraw_asked": ("POST /console/approvals/{approval}/withdrawal", set()),
    "certificate_file": ("GET /console/approvals/{approval}/certificate", _HOLDS),
    "listing": ("GET /console/list", _READERS | {"dcc", "panel"}),
    "listing_file": ("GET /console/list/file", _READERS | {"dcc", "panel"}),
    "acknowledge_them": ("POST /console/list/acknowledgement", {"panel"}),
    "reconciling": ("GET /console/list/reconciliation", {"officer-1", "panel"}),
    "reconcile_it": ("POST /console/list/reconciliation", {"officer-1", "panel"}),
    "marked_list": ("GET /console/list/reconciliation/none", set()),
    "reports": ("GET /console/reports", _READERS | {"dcc"}),
    "report": ("GET /console/reports/{month}", _READERS | {"dcc"}),
    "report_file": ("GET /console/reports/{month}/file", _READERS | {"dcc"}),
    "issue_it": ("POST /console/reports/{month}/issue", {"dcc"}),
    "remark_it": ("POST /console/reports/{month}/remark", {"dcc"}),
    "deployments": ("GET /console/deployments", {"dcc"}),
    "record_them": ("POST /console/deployments", {"dcc"}),
    "journal_page": ("GET /console/journal", _READERS),
    "verify": ("GET /console/verify", _EVERYBODY),
    "verify_file": ("GET /console/verify/file", _EVERYBODY),
    "verify_them": ("POST /console/verify/file", _EVERYBODY),
    "verified_file": ("GET /console/verify/file/none", set()),
    "notices": ("GET /console/notices", _EVERYBODY),
    "notice_file": ("GET /console/notices/{notice}/file", _HOLDS),
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
        lambda: searched(desk, actor, "x", after=0, limit=1),
        lambda: reconcile_marked(desk, actor, b""),
    ]
