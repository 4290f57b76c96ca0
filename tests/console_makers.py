"""Whom each page for whoever applies, asks and reads lets in: beside the pages of officers (tests/test_console.py)."""

_MAKERS = {"manufacturer", "rival"}

MAY: dict[str, tuple[str, set[str]]] = {
    "drafts": ("GET /console/drafts", _MAKERS),
    "begin_draft": ("POST /console/drafts", _MAKERS),
    "draft": ("GET /console/drafts/{draft}", {"manufacturer"}),
    "draft_check": ("GET /console/drafts/{draft}/check", {"manufacturer"}),
    "send_draft": ("POST /console/drafts/{draft}/check", {"manufacturer"}),
    "attaching": ("GET /console/applications/{application}/files", {"officer-1", "manufacturer"}),
    "attach_it": ("POST /console/applications/{application}/files", {"officer-1", "manufacturer"}),
    "take_back": ("POST /console/applications/{application}/taking-back", {"manufacturer"}),
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
