"""The PDF of a notice: one recipient's copy of a decision of the Security Sub-Committee, good to read.

What the recipient does not get is not in the document that comes in, and so cannot be in the bytes that go out.
"""

import io
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import cast

import segno

from core import instants, local_time
from core.canonical import Json
from core.classification import Classification, Recipient, in_words
from core.kinds import CANCELLATION, CHANGE_WITHDRAWAL, NoticeKind, Waiting
from core.words import counted
from documents import typesetting

TEMPLATE = "notice.typ"
LONGEST_QR = 300
"""Characters of an address that a code of 25 mm still holds legibly: about a third of a millimetre for each module."""

_SENTENCES: Mapping[NoticeKind, str] = MappingProxyType(
    {
        NoticeKind.GRANT: "The Security Sub-Committee has granted {approval} to {manufacturer}.",
        NoticeKind.REFUSAL: "The Security Sub-Committee has not approved {application} of {manufacturer}.",
        NoticeKind.AMENDMENT: "The Security Sub-Committee has amended {approval} of {manufacturer}.",
        NoticeKind.AMENDMENT_REFUSAL: (
            "The Security Sub-Committee has refused an amendment of {approval} of {manufacturer}{standing}."
        ),
        NoticeKind.REVOCATION: (
            "The Security Sub-Committee has revoked {approval} of {manufacturer}. Its Trial CPA Certificate is "
            "cancelled, and the Panel removes the Trial Device from the Central Products List."
        ),
        NoticeKind.WITHDRAWAL: (
            "The Security Sub-Committee has ended {approval} at the request of {manufacturer}. Its Trial CPA "
            "Certificate is cancelled, and the Panel removes the Trial Device from the Central Products List."
        ),
        NoticeKind.NEW_KEY: (
            "The Security Sub-Committee has had the Trial CPA Certificate of {approval} of {manufacturer} reissued "
            "for a new key.{nothing_else}"
        ),
        NoticeKind.CORRECTION: (
            "The Security Sub-Committee corrects its notice {corrected} about {about} of {manufacturer}. Where the two "
            "differ this one holds; the rest of that notice stands as it was written."
        ),
        NoticeKind.REQUEST_LAPSED: (
            "The request of {manufacturer} for an amendment of {approval} is closed: the approval has ended, and "
            "nothing was decided about the request."
        ),
        NoticeKind.END_REQUEST_LAPSED: (
            "The request of {manufacturer} for the end of {approval} is closed: the approval has ended otherwise."
        ),
        NoticeKind.SUSPICION: (
            "The Security Sub-Committee suspects a breach of the conditions of {approval} of {manufacturer}, and has "
            "decided nothing. The Manufacturer may answer."
        ),
        NoticeKind.END_REQUEST_ANSWERED: (
            "The Security Sub-Committee has answered the request of {manufacturer} for the end of {approval}{standing}."
        ),
    }
)
_CANCELLED = (
    "The Security Sub-Committee has cancelled the Trial CPA Certificate of {approval} of {manufacturer}, "
    "because its key is compromised. The approval stands; a certificate for a new key can be issued under it."
)
_CHANGE_WITHDRAWN = (
    "The Security Sub-Committee has withdrawn what was decided for later of {approval} of {manufacturer}, before it "
    "began. What holds goes on as it is."
)
_LEADS = {CANCELLATION: _CANCELLED, CHANGE_WITHDRAWAL: _CHANGE_WITHDRAWN}
_WAITING = MappingProxyType(
    {
        Waiting.CARRY: "still takes effect then, under a certificate of its own (issue {issue})",
        Waiting.WITHDRAW: "is withdrawn and does not take effect (issue {issue})",
    }
)
_CLASS_WORDS = MappingProxyType(
    {
        Classification.WHITE: "public",
        Classification.GREEN: "for the parties of the Code",
        Classification.AMBER: "for the recipient named",
        # Red stays with the SSC, but for those whom its officers name: this copy is one's who was named.
        Classification.RED: "for {recipient} alone",
    }
)
_MAY_WITHHOLD = ("F2.24", "F2.29", "F2.30")
"""Paragraphs that let the SSC withhold in notices of their own; for all others F2.22 does."""


def notice_pdf(document: Mapping[str, Json]) -> bytes:
    """Return one copy of a notice as PDF: the same document gives the same bytes.

    Args:
        document: the copy as the register keeps it; `notice` null makes a draft, and says so on each page.
    """
    dated = _instant(document["written_at"])
    return typesetting.typeset(TEMPLATE, _view(document), dated=dated, places=_places(document))


def _places(document: Mapping[str, Json]) -> dict[str, list[str]]:
    """Where words of people stand, by what a reader would look for."""
    decision = cast("Mapping[str, Json]", document["decision"])
    changes = [str(each[name]) for each in _objects(document["changes"]) for name in ("subject", "before", "after")]
    places = {
        "the head": [str(document["title"]), str(document["manufacturer"]), *map(str, decision.values())],
        "what changes": changes,
        "the facts": [str(each.get("value", "")) for each in _objects(document["facts"])],
        "the firmware": [str(each["version"]) for each in _objects(document["firmware"])],
    }
    for passage in _objects(document["passages"]):
        heading = typesetting.line(str(passage["heading"]))
        places.setdefault(f"“{heading}”", []).extend([heading, str(passage["text"])])
    for condition in _objects(document["conditions"]):
        places[f"condition {condition['number']}"] = [str(condition["text"])]
    return places


def _view(document: Mapping[str, Json]) -> dict[str, Json]:
    number = document["notice"]
    copy_for = in_words(Recipient(str(document["recipient"])))
    name = f"Notice {number}" if number else "Draft notice"
    classification = Classification(str(document["classification"]))
    status_page = _text(document["status_page"]) or None
    waiting = _objects(document.get("waiting", []))  # notices of before that was told have none
    return {
        "metadata_title": typesetting.line(f"{name}: {document['title']}"),
        "headline": name,
        "title": typesetting.line(str(document["title"])),
        "under": f"Under paragraph {document['clause']} of the Smart Energy Code" if document["clause"] else "",
        "draft": not number,
        "test": document["environment"] != "live",
        "caution": _cautions(document),
        "authority": typesetting.line(str(document["authority"])),
        "foot": f"{number or 'Draft'} · copy for {copy_for}",
        "classification": classification.value,
        "class_words": _CLASS_WORDS[classification].format(recipient=copy_for),
        "status_page": status_page,
        "qr": None if status_page is None or len(status_page) > LONGEST_QR else _qr_code(status_page),
        "meta": _meta(document, copy_for),
        "lead": _lead(document),
        "facts_heading": "The notice that is corrected" if document.get("corrects") else "The facts",
        "facts": [_fact(each) for each in _objects(document["facts"])],
        "firmware": [_shown(each) for each in _objects(document["firmware"])],
        "changes": [_shown(each) for each in _objects(document["changes"])],
        "passages": [_passage(each) for each in _objects(document["passages"])],
        "conditions": [_condition(each) for each in _objects(document["conditions"])],
        "conditions_clause": "F2.21(e)" if document["kind"] == NoticeKind.GRANT else None,
        "withheld": _withheld(document),
        "waiting": [_waiting(each) for each in waiting],
        "certificates": [
            _certificate(document, each)
            for each in (document["certificate"], *(each["certificate"] for each in waiting))
            if each is not None
        ],
    }


def _cautions(document: Mapping[str, Json]) -> list[Json]:
    said: list[Json] = []
    if not document["notice"]:
        said.append("This is a draft. Nothing in it has been decided, and it has not been sent.")
    if document["environment"] != "live":
        said.append("This notice comes from a test authority. Nothing in it holds outside the test.")
    return said


def _meta(document: Mapping[str, Json], copy_for: str) -> list[Json]:
    decision = cast("Mapping[str, Json]", document["decision"])
    written = _instant(document["written_at"])
    minutes = [f"{name}\N{NO-BREAK SPACE}{decision[name]}" for name in ("meeting", "minute") if decision[name]]
    rows = [
        _labelled("To", _capital(copy_for)),
        _labelled("Manufacturer", str(document["manufacturer"])),
        _labelled("Written", local_time.utc(written), local_time.uk(written)),
        _labelled("Approval", _text(document["approval"])),
        _labelled("Application", _text(document["application"])),
        _labelled("Decided at", _capital(", ".join(minutes)) or None),
    ]
    if document["effective"] is not None:
        effective = _instant(document["effective"])
        rows.append(_labelled("In effect from", local_time.utc(effective), local_time.uk(effective)))
    return [row for row in rows if row is not None]


def _labelled(label: str, value: str | None, beside: str | None = None) -> Json:
    return None if value is None else {"label": label, "value": typesetting.line(value), "beside": beside}


def _lead(document: Mapping[str, Json]) -> str:
    approval, application = _text(document["approval"]), _text(document["application"])
    kind = str(document["kind"])
    sentence = _LEADS[kind] if kind in _LEADS else _SENTENCES[NoticeKind(kind)]
    named = "a Trial Device Approval" if approval is None else f"Trial Device Approval {approval}"
    asked = "an application" if application is None else f"application {application}"
    words = sentence.format(
        nothing_else="" if document.get("waiting") or document["changes"] else " Nothing else changes.",
        approval=named,
        application=asked,
        about=named if approval is not None else asked,
        manufacturer=document["manufacturer"],
        standing=_standing(document),
        corrected=_corrected(document),
    )
    return typesetting.line(words)


def _standing(document: Mapping[str, Json]) -> str:
    """How an approval stands whose amendment is refused; documents of before do not say it."""
    if "approval_ended" not in document:
        return ""
    ended = document["approval_ended"]
    return (
        "; it stands unchanged" if ended is None else f"; the approval has ended, at {local_time.utc(_instant(ended))}"
    )


def _corrected(document: Mapping[str, Json]) -> str:
    if document.get("corrects") is None:
        return ""
    corrected = cast("Mapping[str, Json]", document["corrects"])
    return f"{corrected['notice']}, written at {local_time.utc(_instant(corrected['written_at']))},"


def _fact(fact: Mapping[str, Json]) -> Json:
    label, clause = typesetting.line(str(fact["label"])), fact["clause"]
    if "instant" not in fact:
        return {"label": label, "value": typesetting.line(str(fact["value"])), "beside": None, "clause": clause}
    at = _instant(fact["instant"])
    return {"label": label, "value": local_time.utc(at), "beside": local_time.uk(at), "clause": clause}


def _passage(passage: Mapping[str, Json]) -> Json:
    heading, text = typesetting.line(str(passage["heading"])), typesetting.lines(str(passage["text"]))
    return {**_shown({"clause": passage["clause"]}), "heading": heading, "text": text, **_class_of(passage)}


def _condition(condition: Mapping[str, Json]) -> Json:
    text = typesetting.lines(str(condition["text"]))
    return {"number": str(condition["number"]), "text": text, **_class_of(condition)}


def _class_of(member: Mapping[str, Json]) -> dict[str, Json]:
    return {"classification": Classification(str(member["classification"])).value}


def _withheld(document: Mapping[str, Json]) -> str | None:
    count, clause = document["withheld"], str(document["clause"])
    if not isinstance(count, int) or not count:
        return None
    what = counted(count, "passage is", "passages are")
    return f"{what} withheld under {clause if clause in _MAY_WITHHOLD else 'F2.22'}."


def _waiting(change: Mapping[str, Json]) -> Json:
    """What becomes of a change that was decided for later."""
    effective = _instant(change["effective"])
    what = _WAITING[Waiting(str(change["outcome"]))].format(issue=change["issue"])
    return {
        "beside": local_time.uk(effective),
        "what": f"What was decided for {local_time.utc(effective)} {what}.",
        "changes": [_shown(each) for each in _objects(change["changes"])],
    }


def _certificate(document: Mapping[str, Json], told: Json) -> Json:
    certificate = cast("Mapping[str, Json]", told)
    begins, ends = _instant(certificate["not_before"]), _instant(certificate["not_after"])
    issue = str(certificate["issue"])
    rows: list[Json] = [
        _row("Serial number", str(certificate["serial"]), mono=True),
        _row("Issue", issue),
        _row("Valid from", local_time.utc(begins), local_time.uk(begins)),
        _row("Valid until", local_time.utc(ends), local_time.uk(ends)),
        _row("SHA-256", str(certificate["sha256"]), mono=True),
    ]
    file = re.sub(r"[^0-9A-Za-z-]", "", f"{document['approval'] or 'certificate'}-{issue}") + ".pem"
    return {"rows": rows, "file": file, "pem": certificate["pem"]}


def _row(label: str, value: str, beside: str | None = None, *, mono: bool = False) -> Json:
    return {"label": label, "value": typesetting.line(value), "beside": beside, "mono": mono}


def _shown(member: Mapping[str, Json]) -> dict[str, Json]:
    return {name: None if value is None else typesetting.line(str(value)) for name, value in member.items()}


def _qr_code(address: str) -> str:
    """The address as an SVG; error correction M survives a fold or a stamp (ISO/IEC 18004)."""
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", border=0, xmldecl=False, dark="#17242f")
    return drawn.getvalue().decode("utf-8")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _objects(value: Json) -> Sequence[Mapping[str, Json]]:
    return cast("Sequence[Mapping[str, Json]]", value)


def _instant(value: Json) -> datetime:
    return instants.parse(str(value))


def _text(value: Json) -> str | None:
    return None if value is None else typesetting.line(str(value))
