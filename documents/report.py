"""The PDF of the DCC's monthly report (F2.28): the items (a) to (h), and a chart of deployments against limits."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from core import instants, local_time
from core.approval import device_said
from core.canonical import Json
from core.words import counted
from documents import typesetting
from documents.report_words import (
    Figure,
    Members,
    covered,
    day_words,
    figures,
    members,
    month_of,
    nearest_to_limit,
    number,
    objects,
    questions,
    share,
)

TEMPLATE = "report.typ"
CHARTED = 24
"""Approvals in the chart: as many as fit one page and can still be told apart. The table below has all of them."""
LONGEST_BAR = 1600
"""Thousandths of a limit at which a bar ends; beyond, its figure says how far."""


def report_pdf(document: Mapping[str, Json]) -> bytes:
    """Return a monthly report as PDF: the same document gives the same bytes.

    Args:
        document: the report as it was computed or frozen; one not issued says so on each page.
    """
    dated = document["issued_at"] or document["until"]
    return typesetting.typeset(TEMPLATE, _view(document), dated=instants.parse(str(dated)))


def _view(document: Members) -> dict[str, Json]:
    items = members(document["items"])
    approvals = objects(document["approvals"])
    further = members(items["h"])
    month = month_of(document["report"])
    return {
        "metadata_title": f"Monthly report on Trial Devices, {month}",
        "month": month,
        "foot": f"Trial Devices, {month}",
        "issued": document["issued"],
        "test": document["environment"] != "live",
        "caution": _cautions(document),
        "authority": typesetting.line(str(document["authority"])),
        "meta": _meta(document),
        "figures": [_figure(each) for each in figures(items)],
        "chart": _chart(approvals),
        "look_ahead": counted(number(document["look_ahead_months"]), "month"),
        "expiring": [_expiring(each) for each in objects(members(items["g"])["expiring"])],
        "remarks": [
            *(_answer(each) for each in questions(further)),
            *(_remark(each) for each in objects(further["remarks"])),
        ],
        "attachments": [_attachment(each) for each in objects(further["attachments"])],
        "corrections": [_correction(each) for each in objects(document["corrections"])],
        "approvals": [_approval(each) for each in approvals],
        "totals": _totals(approvals),
    }


def _cautions(document: Members) -> list[Json]:
    said: list[Json] = []
    if not document["issued"]:
        said.append("This report has not been issued. Its figures are those of the moment at which it was asked for.")
    if document["environment"] != "live":
        said.append("This report comes from a test authority. Nothing in it counts outside the test.")
    return said


def _meta(document: Members) -> list[Json]:
    since = None if document["since"] is None else _instant(document["since"])
    until = _instant(document["until"])
    issued = None if document["issued_at"] is None else _instant(document["issued_at"])
    return [
        {"label": "Covers", "value": covered(document), "beside": None},
        {"label": "After", **_moment(since, "The beginning: this is the first report")},
        {"label": "Up to", **_moment(until, "")},
        {"label": "Issued", **_moment(issued, "Not yet")},
    ]


def _moment(at: datetime | None, otherwise: str) -> dict[str, Json]:
    if at is None:
        return {"value": otherwise, "beside": None}
    return {"value": local_time.utc(at), "beside": local_time.uk(at)}


def _figure(figure: Figure) -> Json:
    return {
        "letter": figure.letter,
        "words": figure.words,
        "number": f"{figure.number:,}",
        "beside": [
            {"words": one if count == 1 else many, "number": f"{count:,}"} for one, many, count in figure.beside
        ],
    }


def _chart(approvals: Sequence[Members]) -> Json:
    charted = nearest_to_limit(approvals, CHARTED)
    whole = max([1000, *(min(share(each), LONGEST_BAR) for each in charted)])
    return {
        "sentence": _chart_sentence(len(approvals)),
        "limit_at": 1000 * 1000 // whole,
        "bars": [_bar(each, whole) for each in charted],
    }


def _chart_sentence(approvals: int) -> str:
    if approvals <= CHARTED:
        return "Each approval, the fullest first."
    return (
        f"The {CHARTED} approvals, of {approvals:,}, that are nearest to their limit or above it, the fullest first; "
        "all of them are in the table."
    )


def _bar(approval: Members, whole: int) -> Json:
    part = share(approval)
    shown = min(part, LONGEST_BAR)
    return {
        "approval": typesetting.line(str(approval["approval"])),
        "device": typesetting.line(_model(members(approval["device"]))),
        "within": min(shown, 1000) * 1000 // whole,
        "beyond": max(shown - 1000, 0) * 1000 // whole,
        "cut": part > LONGEST_BAR,
        "above": approval["above_limit"],
        "figures": f"{number(approval['deployed']):,} of {number(approval['limit']):,}",
        "share": f"{part // 10:,} %",
    }


def _model(device: Members) -> str:
    return f"{device['type']} {device['model']}"


def _expiring(each: Members) -> Json:
    return {**_whose(each), "expiry": day_words(each["expiry"])}


def _whose(each: Members) -> dict[str, Json]:
    return {
        "approval": typesetting.line(str(each["approval"])),
        "manufacturer": typesetting.line(str(each["manufacturer"])),
        "device": typesetting.line(device_said(members(each["device"])).words),
    }


def _remark(remark: Members) -> Json:
    at = _instant(remark["made_at"])
    return {
        "text": typesetting.lines(str(remark["text"])),
        "signed": typesetting.line(f"{remark['made_by']}, {local_time.utc(at)} ({local_time.uk(at)})"),
    }


def _answer(asked: Members) -> Json:
    """A question of the Sub-Committee and its answer, as a remark reads."""
    if asked["answer"] is None:
        return {"text": typesetting.lines(f"Asked: {asked['text']}"), "signed": "Not answered yet"}
    at = _instant(asked["answered_at"])
    return {
        "text": typesetting.lines(f"Asked: {asked['text']}\n{asked['answer']}"),
        "signed": typesetting.line(f"{asked['answered_by']}, {local_time.utc(at)} ({local_time.uk(at)})"),
    }


def _attachment(attachment: Members) -> Json:
    return {
        "name": typesetting.line(str(attachment["name"])),
        "media_type": typesetting.line(str(attachment["media_type"])),
        "size": f"{number(attachment['size']):,}",
        "sha256": typesetting.line(str(attachment["sha256"])),
    }


def _correction(correction: Members) -> Json:
    return {
        "approval": typesetting.line(str(correction["approval"])),
        "devices": f"{number(correction['devices']):,}",
        "sentence": typesetting.line(str(correction["sentence"])),
    }


def _approval(each: Members) -> Json:
    return {
        **_whose(each),
        "state": typesetting.line(str(each["state"]).replace("_", " ")),
        "start": day_words(each["start"]),
        "expiry": day_words(each["expiry"]),
        "above": each["above_limit"],
        **{name: f"{number(each[name]):,}" for name in ("limit", *_COUNTED)},
    }


_COUNTED = ("deployed", "deployed_since", "decommissioned_since")


def _totals(approvals: Sequence[Members]) -> Json:
    return {name: f"{sum(number(each[name]) for each in approvals):,}" for name in _COUNTED}


def _instant(value: Json) -> datetime:
    return instants.parse(str(value))
