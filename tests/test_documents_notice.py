"""A notice as PDF: it says what its document says, literally, and nothing else; the same everywhere and always."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from core.classification import Classification
from core.kinds import CANCELLATION, CHANGE_WITHDRAWAL, NoticeKind
from documents import notice as noticing
from documents import typesetting
from documents.notice import notice_pdf
from tests.documents_world import PEM, Pdf, fact, notice, passage, squeezed

ROOT = Path(__file__).parent.parent
MARKUP = (
    '#import "x": * #panic() *bold* _it_ $ x^2 $ \\ ] [ } { <label> @ref `raw` // c /* c */ = h ~ -- --- ... "q" \' 1/2'
)


def _read(**changed: Any) -> Pdf:
    return Pdf(notice_pdf(notice(**changed)))


@pytest.mark.clause("F2.21(a)")
@pytest.mark.clause("F2.21(b)")
@pytest.mark.clause("F2.21(c)")
@pytest.mark.clause("F2.21(d)")
@pytest.mark.clause("F2.21(e)")
def test_a_grant_shows_every_item_of_its_notice() -> None:
    text = _read().text
    for said in (
        "Trial Device Approval granted",
        "Notice TTN-2027-0007",
        "Under paragraph F2.21",
        "The DCC",
        "Maker Metering Ltd",
        "TDA-2027-0042-Y",
        "APP-2026-0019",
        "Meeting SSC 2026-24, minute 7.2",
        "010A030B",
        "00:00:00 UTC on 4 January 2027",
        "23:59:59 UTC on 30 June 2027",
        "00:59:59 BST on 1 July 2027",
        "Maximum number of devices 500",
        "ab" * 32,
        "The trial proves the new board.",
        "The Sub-Committee read the evaluation report.",
        "Silence of 48 hours",
        "Only in the regions named.",
    ):
        assert squeezed(said) in squeezed(text), said


@pytest.mark.clause("F2.25")
def test_the_certificate_travels_in_the_notice_of_its_grant() -> None:
    pdf = _read()
    files = [stream for head, stream in pdf.objects.values() if b"/Type/EmbeddedFile" in head]
    assert files == [PEM.encode()]
    assert "TDA-2027-0042-Y-1.pem" in pdf.text
    assert squeezed("5F3A91C2D04477E1AB20934F5D1C8E07") in squeezed(pdf.text)
    assert not any(b"/Type/EmbeddedFile" in head for head, _ in _read(certificate=None).objects.values())


@pytest.mark.parametrize("classification", list(Classification))
def test_each_page_carries_its_class_its_number_and_who_it_is_for(classification: Classification) -> None:
    passages = [passage("Why", "white", "A sentence of some length.\n\n" * 60)]
    pages = _read(classification=classification.value, passages=passages, conditions=[]).pages
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert page.count(classification.value.upper()) >= 2  # above and below
        assert f"Page {number} of {len(pages)}" in page
        assert squeezed("TTN-2027-0007 · copy for the DCC") in squeezed(page)


def test_a_test_notice_says_so_on_each_page_and_a_live_one_on_none() -> None:
    live = {"environment": "live", "authority": "Trial CPA Authority"}
    assert all("TEST" in page for page in _read(authority="Trial CPA Authority").pages)
    assert not any("TEST" in page for page in _read(**live).pages)


def test_a_preview_is_a_draft_on_each_page_and_a_notice_is_none() -> None:
    pages = _read(notice=None, certificate=None, passages=[passage("Why", "white", "Words.\n\n" * 60)]).pages
    assert len(pages) > 1
    assert all("DRAFT" in page for page in pages)
    assert "Nothing in it has been decided" in pages[0]
    assert not any("draft" in page.casefold() for page in _read().pages)


@pytest.mark.parametrize(
    ("kind", "clause", "withheld", "sentence"),
    [
        ("grant", "F2.21", 2, "2 passages are withheld under F2.22."),
        ("grant", "F2.21", 1, "1 passage is withheld under F2.22."),
        ("refusal", "F2.24", 1, "1 passage is withheld under F2.24."),
        ("amendment", "F2.29", 3, "3 passages are withheld under F2.29."),
        ("revocation", "F2.30", 2, "2 passages are withheld under F2.30."),
    ],
)
@pytest.mark.clause("F2.22")
@pytest.mark.clause("F2.24")
@pytest.mark.clause("F2.29")
@pytest.mark.clause("F2.30")
def test_what_is_withheld_is_told_as_a_number(kind: str, clause: str, withheld: int, sentence: str) -> None:
    assert squeezed(sentence) in squeezed(_read(kind=kind, clause=clause, withheld=withheld, certificate=None).text)
    assert "withheld" not in _read(kind=kind, clause=clause, certificate=None).text


@pytest.mark.parametrize("kind", [*NoticeKind, CANCELLATION, CHANGE_WITHDRAWAL])
def test_every_kind_has_its_sentence_and_survives_having_nothing(kind: str) -> None:
    bare = {"approval": None, "application": None, "status_page": None, "certificate": None, "effective": None}
    empty: dict[str, Any] = {"facts": [], "firmware": [], "changes": [], "passages": [], "conditions": []}
    text = _read(kind=kind, decision={"meeting": None, "minute": None}, **bare, **empty).text
    assert "Maker Metering Ltd" in text
    assert "None" not in text


def test_an_amendment_shows_what_changes_and_from_when() -> None:
    changes = [{"subject": "Expiry", "before": "2027-06-30", "after": "2027-09-30"}]
    text = squeezed(_read(kind="amendment", clause="F2.29", changes=changes, effective="2027-05-01T00:00:00Z").text)
    assert squeezed("Expiry 2027-06-30 2027-09-30") in text
    assert squeezed("In effect from".upper() + "00:00:00 UTC on 1 May 2027 01:00:00 BST on 1 May 2027") in text


@pytest.mark.clause("F2.29")
def test_what_becomes_of_a_change_that_waited_is_told_with_its_own_certificate() -> None:
    changes = [{"subject": "maximum devices", "before": "500", "after": "900"}]
    later = {"serial": "5F3A91", "issue": 4, "sha256": "ab" * 32, "not_before": "2027-06-01T00:00:00Z"}
    certificate = later | {"not_after": "2027-06-30T23:59:59Z", "pem": PEM}
    carried = {"outcome": "carry", "issue": 4, "effective": "2027-06-01T00:00:00Z", "changes": changes}
    pdf = _read(kind="new-key", clause="F2.25", waiting=[carried | {"certificate": certificate}])
    assert squeezed("What was decided for 00:00:00 UTC on 1 June 2027 still takes effect then") in squeezed(pdf.text)
    assert squeezed("maximum devices 500 900") in squeezed(pdf.text)
    assert "Nothing else changes" not in pdf.text
    assert [b"/Type/EmbeddedFile" in head for head, _ in pdf.objects.values()].count(True) == 2
    gone = carried | {"outcome": "withdraw", "certificate": None}
    pdf = _read(kind="change-withdrawal", clause="F2.29", certificate=None, waiting=[gone])
    assert squeezed("is withdrawn and does not take effect") in squeezed(pdf.text)
    assert "Nothing else changes" in _read(kind="new-key", clause="F2.25", waiting=[], changes=[]).text


def test_a_stranger_s_markup_is_shown_and_never_obeyed() -> None:
    pdf = _read(
        title=MARKUP,
        manufacturer=MARKUP,
        authority=MARKUP,
        decision={"meeting": MARKUP, "minute": MARKUP},
        facts=[fact(MARKUP, MARKUP, MARKUP)],
        changes=[{"subject": MARKUP, "before": MARKUP, "after": MARKUP}],
        passages=[passage(MARKUP, "red", MARKUP, MARKUP)],
        conditions=[{"number": 1, "classification": "white", "text": MARKUP}],
    )
    # authority (the header is in small capitals) apart: title, manufacturer twice, meeting, minute, fact with its
    # clause, three of the change, heading, text, clause, condition.
    assert squeezed(pdf.text).count(squeezed(MARKUP)) >= 14


@pytest.mark.parametrize("character", ["W", "é", "中", "ש", "م", "👩", "-"])
def test_a_word_of_ten_thousand_characters_stays_on_the_page(character: str) -> None:
    pdf = _read(passages=[passage("Why", "white", character * 10_000)], conditions=[], certificate=None)
    lines = pdf.text.replace("\u200b", "").split(" ")  # the reader begins each line that is drawn with a space
    assert max(len(line) for line in lines) < 400, "a line that leaves the page"
    if character not in "👩中":  # what has no glyph is shown as boxes
        assert pdf.text.count(character) >= 10_000


def test_what_no_typeface_has_becomes_boxes_and_says_so() -> None:
    pdf = _read(passages=[passage("Why", "white", "中文 👩\u200d👩\u200d👧 \u202eabc\u202c \x00\x07\ud800 e\u0301")])
    assert "appear as boxes" in pdf.text
    assert b"pdfuaid" not in pdf.raw
    assert "appear as boxes" not in _read().text


def test_an_ordinary_notice_is_archival_accessible_and_names_nobody() -> None:
    raw = _read().raw
    assert b"<pdfuaid:part>1</pdfuaid:part>" in raw
    assert b"<pdfaid:part>3</pdfaid:part>" in raw
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in raw
    assert b"/Title(Notice TTN-2027-0007: Trial Device Approval granted)" in raw
    assert b"/CreationDate(D:20261217140322Z)" in raw
    assert b"/Author" not in raw
    assert b"<dc:creator>" not in raw
    assert str(ROOT).encode() not in Pdf(raw).everything


def test_the_same_document_gives_the_same_bytes_on_another_machine() -> None:
    script = (
        "import sys, hashlib; from tests.documents_world import notice; from documents.notice import notice_pdf;"
        "sys.stdout.write(hashlib.sha256(notice_pdf(notice())).hexdigest())"
    )
    environment = {"PATH": os.environ["PATH"], "TZ": "Asia/Tokyo", "HOME": "/nowhere", "PYTHONHASHSEED": "7"}
    there = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    here = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**environment, "TZ": "UTC", "PYTHONHASHSEED": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert there.stdout == here.stdout
    assert re.fullmatch(r"[0-9a-f]{64}", here.stdout)


def test_only_the_typefaces_that_typst_carries_are_used() -> None:
    fonts = set(re.findall(rb"/BaseFont/[A-Z]{6}\+([A-Za-z]+)", _read().everything))
    assert fonts == {b"LibertinusSerif", b"DejaVuSansMono"}


def test_many_threads_at_once_get_what_one_gets() -> None:
    documents = [notice(notice=f"TTN-2027-{number:04d}", withheld=number) for number in range(24)]
    alone = [notice_pdf(document) for document in documents]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(notice_pdf, documents)) == alone


def test_what_is_not_in_the_document_is_in_no_byte() -> None:
    kept, gone = "PERSIMMON", "QUINCUNX"
    both = [passage("Why", "white", kept), passage("Assessed", "red", gone)]
    before, after = _read(passages=both), _read(passages=both[:1], withheld=1)
    assert gone in before.text  # the search finds what is there
    assert kept in after.text
    for spelt in (gone.encode(), gone.encode("utf-16-be"), gone.encode("utf-16-le"), gone.encode().hex().encode()):
        assert spelt not in after.everything


def test_a_defect_of_the_template_is_told_and_not_papered_over() -> None:
    with pytest.raises(typst.TypstError):
        typesetting.typeset("notice.typ", {"title": "of nothing else"}, dated=noticing._instant("2027-01-04T00:00:00Z"))


@given(text=st.text(max_size=200), line=st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_no_text_of_a_stranger_stops_a_notice(text: str, line: str) -> None:
    pdf = notice_pdf(
        notice(
            title=line,
            manufacturer=line,
            facts=[fact("F2.21(a)", line, text)],
            firmware=[{"version": line, "image_sha256": line}],
            changes=[{"subject": line, "before": text, "after": line}],
            passages=[passage(line, "white", text)],
            conditions=[{"number": 1, "classification": "white", "text": text}],
            decision={"meeting": line, "minute": line},
        )
    )
    assert pdf.startswith(b"%PDF-1.7")


@given(text=st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300))
@settings(max_examples=40, deadline=None)
def test_every_plain_character_arrives(text: str) -> None:
    said = squeezed(_read(passages=[passage("Why", "white", f"BEGIN{text}END")], conditions=[], certificate=None).text)
    assert f"BEGIN{squeezed(text)}END" in said
