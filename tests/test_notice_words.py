"""Words in statutory notices: nobody decides without a word of why, and what a notice says is so (ADR 38)."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

import api.forms
from api.forms.fields import Body
from core.actors import Actor, Role
from core.approval import EndCause
from core.classification import Classification, Passage, Recipient, in_words
from core.errors import NoSuchThing, NothingSaid, SamePerson
from core.facts import FactKind
from core.identifiers import Serial
from core.kinds import AmendmentRequestState, EndRequestState, NoticeKind, RequirementState, Witnessed
from core.words import counted, says_something
from documents.notice import notice_pdf
from ra.applying.accept import AnswerCertificate, answer_certificate
from ra.applying.request_amendment import RequestAmendment, request_amendment
from ra.applying.request_end import RequestEnd, request_end
from ra.applying.requirements import close_requirement, set_requirement, set_standing
from ra.deciding import look
from ra.deciding.answer_end import answer_end_request
from ra.deciding.end import Revoke
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.amendment_refusal import ProposeAmendmentRefusal
from ra.deciding.kinds.correction import ProposeCorrection
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.rekey import ProposeRekey
from ra.deciding.kinds.revocation import ProposeRevocation
from ra.deciding.kinds.waiting_withdrawal import ProposeWaitingWithdrawal
from ra.deciding.kinds.withdrawal import ProposeWithdrawal
from ra.deciding.propose import propose
from ra.deciding.revoke import revoke
from ra.deciding.second import reject
from ra.deciding.witness import Witness, witness
from ra.grounds import Minutes
from ra.ordering.order import ChangeRoster, StartIssuing, StopIssuing, order
from ra.reporting import breach
from ra.reporting.questions import answer_question, ask
from ra.reporting.report import remark_report
from ra.telling import notices as telling
from store.reading.amendment_requests import amendment_request
from tests.api_world import Api, done, refused
from tests.documents_world import Pdf, fact, notice, passage, squeezed
from tests.notice_world import documents, facts_of
from tests.people_world import served
from tests.test_amendments import amended
from tests.world import AUDITOR, DEVICE, MANUFACTURER, OFFICER_1, OFFICER_2, World, csr_pem

BLANKS = (" ", "\n\t ", "\u00a0\u2003\u3000", "\u200b\ufeff\u2060", "\u00ad", "\u3164\u2800", "\u202e\u0301")
ANOTHER = replace(DEVICE, model="010A030C")
DCC = Actor("dcc.reporting", Role.DCC, None, "cred-dcc")

# --- blank words are no words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_what_nobody_sees_says_nothing(blank: str) -> None:
    assert not says_something(blank)
    assert says_something(f"{blank}.{blank}")


_ASKED = frozenset({"reasons", "reason", "why", "note", "text", "purpose", "other", "answer"})
"""What members are called in which people say something."""


def _asked() -> Iterator[tuple[str, type[BaseModel]]]:
    """Every member of every body in which people say something."""
    for module in pkgutil.iter_modules(api.forms.__path__):
        for name, body in inspect.getmembers(importlib.import_module(f"api.forms.{module.name}"), inspect.isclass):
            if issubclass(body, Body) and body.__module__.endswith(module.name):
                yield from ((f"{name}.{member}", body) for member in body.model_fields.keys() & _ASKED)


ASKED = dict(_asked())


def test_the_table_of_members_has_what_people_say_to_every_kind_of_command() -> None:
    assert set(ASKED) >= {
        *(f"{kind}Body.reasons" for kind in ("Grant", "Refuse", "Amend", "RefuseAmendment", "Revoke", "Withdraw")),
        *("CorrectBody.reasons", "RekeyBody.reasons", "RevocationBody.reasons", "AmendmentRequestBody.reasons"),
        *("ClassifiedBody.text", "PassageBody.text", "RejectionBody.why", "WitnessBody.why"),
        *("JudgementBody.why", "ClosureBody.why", "SuspicionBody.note", "RemarkBody.text"),
        *("StopBody.why", "StartBody.why", "ChangeBody.why", "RequirementBody.text", "OutcomeBody.reason"),
        *("AcceptanceBody.reason", "AcknowledgementBody.reason", "ApplicationBody.purpose"),
        *("EndRequestBody.reasons", "EndAnswerBody.answer", "QuestionBody.text", "AnswerBody.text"),
    }


@pytest.mark.clause("F2.21(b)")
@pytest.mark.clause("F2.24")
@pytest.mark.parametrize("member", sorted(ASKED))
def test_no_member_takes_blanks_for_words(member: str) -> None:
    field = ASKED[member].model_fields[member.partition(".")[2]]
    fields: dict[str, Any] = {"said": (field.annotation, field)}
    taken = create_model("Taken", __config__=ConfigDict(strict=True), **fields)
    taken.model_validate({"said": "Words."})
    for blank in BLANKS:
        with pytest.raises(ValidationError):
            taken.model_validate({"said": blank})


Doing = Callable[[World, str, str], object]

BY_OFFICERS: dict[str, Doing] = {
    "grant": lambda world, _, blank: propose(world.desk, OFFICER_1, ProposeGrant(world.applied(device=ANOTHER), blank)),
    "grant, a passage": lambda world, _, blank: propose(
        world.desk,
        OFFICER_1,
        ProposeGrant(
            world.applied(device=ANOTHER), "Sound.", minutes=Minutes(passages=(Passage.of("assessment", blank),))
        ),
    ),
    "grant, a condition": lambda world, _, blank: propose(
        world.desk,
        OFFICER_1,
        ProposeGrant(
            world.applied(device=ANOTHER), "Sound.", minutes=Minutes(conditions=(Passage.of("condition", blank),))
        ),
    ),
    "refusal": lambda world, _, blank: propose(world.desk, OFFICER_1, ProposeRefusal(world.applied(), blank)),
    "refusal, classified": lambda world, _, blank: propose(
        world.desk,
        OFFICER_1,
        ProposeRefusal(world.applied(), Passage.of("reasons", blank, Classification.GREEN)),
    ),
    "amendment": lambda world, approval, blank: propose(
        world.desk, OFFICER_1, ProposeAmendment(approval, blank, maximum_devices=600)
    ),
    "amendment refusal": lambda world, approval, blank: propose(
        world.desk,
        OFFICER_1,
        ProposeAmendmentRefusal(
            request_amendment(world.desk, MANUFACTURER, RequestAmendment(approval, "More.")).request, blank
        ),
    ),
    "revocation": lambda world, approval, blank: propose(
        world.desk, OFFICER_1, ProposeRevocation(approval, EndCause.SSC, blank)
    ),
    "urgent revocation": lambda world, approval, blank: revoke(
        world.desk, OFFICER_1, Revoke(approval, EndCause.SSC, blank)
    ),
    "withdrawal": lambda world, approval, blank: propose(world.desk, OFFICER_1, ProposeWithdrawal(approval, blank)),
    "new key": lambda world, approval, blank: propose(
        world.desk, OFFICER_1, ProposeRekey(approval, csr_pem(), compromised=False, reasons=blank)
    ),
    "correction": lambda world, _, blank: propose(
        world.desk, OFFICER_1, ProposeCorrection(_notices(world, NoticeKind.GRANT)[0], blank)
    ),
    "rejection": lambda world, _, blank: reject(
        world.desk, OFFICER_2, world.proposed(ProposeRefusal(world.applied(), "Not sound.")), why=blank
    ),
    "disowning": lambda world, approval, blank: witness(
        world.desk, OFFICER_2, Witness(_granting(world, approval), Witnessed.DISOWNED, blank)
    ),
    "suspicion": lambda world, approval, blank: breach.suspect(
        world.desk, OFFICER_1, approval, condition=1, note=blank
    ),
    "judgement": lambda world, _, blank: breach.judge(world.desk, OFFICER_1, "breach-1", confirmed=True, why=blank),
    "closing": lambda world, _, blank: breach.close(world.desk, OFFICER_1, "breach-1", why=blank),
    "requirement": lambda world, _, blank: set_requirement(world.desk, OFFICER_1, world.applied(), blank),
    "standing requirement": lambda world, _, blank: set_standing(world.desk, OFFICER_1, blank),
    "requirement met": lambda world, _, blank: close_requirement(
        world.desk,
        OFFICER_1,
        set_requirement(world.desk, OFFICER_1, world.applied(), "Show it.").requirement,
        outcome=RequirementState.MET,
        reason=blank,
    ),
    "end answered": lambda world, approval, blank: answer_end_request(
        world.desk,
        OFFICER_1,
        request_end(world.desk, MANUFACTURER, RequestEnd(approval, "It is over.")).request,
        EndRequestState.ANSWERED,
        blank,
    ),
    "question of a report": lambda world, _, blank: ask(world.desk, OFFICER_1, blank, None),
    "stop": lambda world, _, blank: order(world.desk, OFFICER_1, StopIssuing(blank)),
    "start": lambda world, _, blank: order(world.desk, OFFICER_1, StartIssuing(blank)),
    "roster": lambda world, _, blank: order(world.desk, OFFICER_1, ChangeRoster(why=blank)),
    "withdrawal of what waits": lambda world, approval, blank: propose(
        world.desk, OFFICER_1, ProposeWaitingWithdrawal(_waiting(world, approval), blank)
    ),
}
BY_OTHERS: dict[str, Doing] = {
    "amendment asked for": lambda world, approval, blank: request_amendment(
        world.desk, MANUFACTURER, RequestAmendment(approval, blank)
    ),
    "end asked for": lambda world, approval, blank: request_end(world.desk, MANUFACTURER, RequestEnd(approval, blank)),
    "certificate rejected": lambda world, approval, blank: answer_certificate(
        world.desk, MANUFACTURER, AnswerCertificate(_serial(world, approval), accepted=False, reason=blank)
    ),
    "remark": lambda world, _, blank: remark_report(world.desk, DCC, "2027-01", blank),
    "answer of a report": lambda world, _, blank: answer_question(
        world.desk, DCC, "2027-01", ask(world.desk, OFFICER_1, "How many?", "2027-01").question, blank
    ),
}


def _serial(world: World, approval: str) -> Serial:
    return world.record(approval).certificates[0].serial


def _waiting(world: World, approval: str) -> str:
    amended(world, approval, maximum_devices=600, effective=world.record(approval).start + timedelta(days=30))
    return approval


def _granting(world: World, approval: str) -> str:
    from store.reading import approvals  # noqa: PLC0415 - for the one row

    with world.store.read() as tx:
        return approvals.approval(tx, approval).decision_id


@pytest.mark.clause("F2.21(b)")
@pytest.mark.clause("F2.24")
@pytest.mark.clause("F2.29")
@pytest.mark.clause("F2.30")
def test_no_command_does_without_a_word_of_why(world: World) -> None:
    approval = world.granted()
    others: dict[str, Any] = {}
    for number, (what, do) in enumerate((BY_OFFICERS | BY_OTHERS).items()):
        blank = BLANKS[number % len(BLANKS)]
        try:
            others[what] = do(world, approval, blank)
        except NothingSaid:
            continue
        except Exception as error:  # noqa: BLE001 - told below, with the name of the command
            others[what] = error
    assert others == {}
    assert world.record(approval).ended_at is None


# --- numbers in words -----------------------------------------------------------------------------------------------


def test_one_is_one_and_not_many() -> None:
    assert [counted(number, "model") for number in (0, 1, 2, 1000)] == [
        "0 models",
        "1 model",
        "2 models",
        "1,000 models",
    ]
    assert counted(1, "entry", "entries") == "1 entry"


# --- on paper -------------------------------------------------------------------------------------------------------


def _read(**changed: Any) -> Pdf:
    return Pdf(notice_pdf(notice(**changed)))


@pytest.mark.clause("F2.22")
@pytest.mark.parametrize("recipient", list(Recipient))
def test_a_red_copy_says_whose_it_is_and_not_that_it_is_the_committee_s(recipient: Recipient) -> None:
    text = squeezed(_read(classification="red", recipient=recipient.value).text)
    assert squeezed(f"RED for {in_words(recipient)} alone") in text
    assert squeezed("for the Security Sub-Committee") not in text


IDENTIFIERS = (
    "TDA-2027-0042-Y",
    "TTN-2027-0007",
    "dec-6564f1a2-9c3b1d2e4f60718a",
    "app-6564f1a2-9c3b1d2e4f60718a",
    "00-DB-12-34-56-78-90-01",
    "5F3A91C2D04477E1AB20934F5D1C8E07",
    "A1-2345678901234567890-BCDEFG",
    "3f" * 32,
)


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_an_identifier_never_breaks_across_lines(identifier: str) -> None:
    # Once at each place of a line: somewhere it does not fit any more.
    sliding = "\n".join(f"{'m' * before} {identifier}, it says." for before in range(2, 44, 3))
    text = _read(
        application=identifier,
        changes=[{"subject": "firmware", "before": identifier, "after": f"{identifier}, {identifier}"}],
        facts=[fact("F2.31", "Trial CPA Certificate cancelled", f"{identifier}, {identifier}")],
        firmware=[{"version": identifier[:30], "image_sha256": "ab" * 32}],
        passages=[passage("Why", "white", sliding)],
        conditions=[{"number": 1, "classification": "white", "text": sliding}],
        certificate=None,
    ).text
    in_table, in_words_ = (6, 2 * 14)
    # A digest in a narrow column is longer than any line of it; everywhere else it is whole.
    assert text.count(identifier) >= in_words_ + (2 if len(identifier) == 64 else in_table)


def test_what_is_longer_than_its_line_stays_on_the_page() -> None:
    for word in ("W" * 50, "W9" * 25, "1-" * 5_000):
        pdf = _read(facts=[fact("F2.21(a)", "Model", word)], changes=[], passages=[passage("Why", "white", word)])
        assert max(map(len, pdf.text.split(" "))) <= 64


SCRIPTS = {
    "Chinese": "该试验证明了新电路板",
    "Chinese, traditional": "風險很低",
    "Japanese": "試験のための機器です",
    "Korean": "시험용 기기",
    "Thai": "อุปกรณ์ทดสอบ",
}


@pytest.mark.parametrize("words", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_other_scripts_are_set_and_archival(words: str) -> None:
    pdf = _read(manufacturer=f"{words} Ltd", passages=[passage(words, "white", words)], conditions=[])
    assert b"<pdfaid:part>3</pdfaid:part>" in pdf.raw
    assert "appear as boxes" not in pdf.text
    assert squeezed(pdf.text).count(squeezed(words)) >= 3


def test_where_no_typeface_has_a_character_the_recipient_is_told_where() -> None:
    unknown = "\u1230\u120b\u121d"  # Ethiopic
    changed: dict[str, dict[str, Any]] = {
        "“Why it is granted”": {"passages": [passage("Why it is granted", "white", unknown)]},
        "condition 7": {"conditions": [{"number": 7, "classification": "white", "text": unknown}]},
        "the head": {"manufacturer": unknown},
        "the facts": {"facts": [fact("F2.21(a)", "Model", unknown)]},
        "what changes": {"changes": [{"subject": "firmware", "before": unknown, "after": "1"}]},
        "the firmware": {"firmware": [{"version": unknown, "image_sha256": "ab" * 32}]},
    }
    for place, change in changed.items():
        assert squeezed(f"Some characters (in: {place}) are in no typeface") in squeezed(_read(**change).text)


# --- before seconding -----------------------------------------------------------------------------------------------


def _lacks(world: World, decision: str) -> set[tuple[str, str, str]]:
    """What officers are warned of before they second: code, clause, recipient."""
    preview = look.decision(world.desk, OFFICER_2, decision).preview
    assert preview is not None
    return {
        (each.code, each.clause, recipient.value)
        for each in preview.wanting
        for recipient in Recipient
        if in_words(recipient) in each.detail
    }


ALL_THREE = tuple(Recipient)
WITHOUT_DCC = (Recipient.MANUFACTURER, Recipient.PANEL)
RED, AMBER = Classification.RED, Classification.AMBER
SUMMARY_FOR_TWO = Passage.of("reasons", "Sound.", AMBER, WITHOUT_DCC)
WHOLE = (Passage.of("assessment", "Read."), Passage.of("description", "A meter."))


def _each(code: str, clause: str, recipients: tuple[Recipient, ...] = ALL_THREE) -> set[tuple[str, str, str]]:
    return {(code, clause, each.value) for each in recipients}


@pytest.mark.clause("F2.21(a)")
@pytest.mark.clause("F2.21(b)")
@pytest.mark.clause("F2.21(e)")
@pytest.mark.clause("F2.22")
@pytest.mark.clause("F2.23")
@pytest.mark.clause("F2.24")
@pytest.mark.clause("F2.29")
@pytest.mark.clause("F2.30")
def test_officers_are_warned_for_each_recipient_of_what_it_would_not_be_told(world: World) -> None:
    no_reasons, no_assessment = "recipient-without-reasons", "recipient-without-assessment"
    no_description = "recipient-without-description"
    whole = Minutes(passages=WHOLE)
    unseen = Passage.of("condition", "Report monthly.", AMBER, (Recipient.DCC,))
    red = Minutes(passages=(Passage.of("assessment", "Read.", RED), WHOLE[1]), conditions=(WHOLE[0], unseen))

    def new() -> str:
        return world.applied(device=replace(DEVICE, model=f"{len(cases):08d}"))

    cases: list[tuple[Any, set[tuple[str, str, str]]]] = []
    cases.append((ProposeGrant(new(), "Sound.", minutes=whole), set()))
    without = _each(no_assessment, "F2.21(b)") | _each(no_description, "F2.21(a)")
    cases.append((ProposeGrant(new(), "Sound."), without))
    unread = _each(no_assessment, "F2.21(b)") | {("condition-unseen", "F2.21(e)", "manufacturer")}
    cases.append((ProposeGrant(new(), "Sound.", minutes=red), unread))
    cases.append((ProposeGrant(new(), SUMMARY_FOR_TWO, minutes=whole), _each(no_reasons, "F2.21(b)", (Recipient.DCC,))))
    nobody = Passage.of("reasons", "Not sound.", RED)
    cases.append((ProposeRefusal(new(), nobody, whole), _each(no_reasons, "F2.24")))
    cases.append((ProposeRefusal(new(), "Not sound."), _each(no_assessment, "F2.24")))
    approval = world.granted()
    more = ProposeAmendment(approval, nobody, minutes=Minutes(passages=(Passage.of("description", "New.", RED),)))
    cases.append((more, _each(no_reasons, "F2.29") | _each(no_description, "F2.21(a)")))
    bound = ProposeAmendment(approval, "More.", minutes=Minutes(conditions=(unseen,)))
    cases.append((bound, {("condition-unseen", "F2.21(e)", "manufacturer")}))
    cases.append(
        (ProposeRevocation(approval, EndCause.SSC, SUMMARY_FOR_TWO), _each(no_reasons, "F2.30", (Recipient.DCC,)))
    )
    cases.append((ProposeWithdrawal(approval, "Asked."), set()))
    for command, lacking in cases:
        made = propose(world.desk, OFFICER_1, command)
        assert _lacks(world, made.decision) == lacking, command
        # Whoever proposes is told at once, as well.
        assert len(made.wanting) == len(lacking)


# --- what has ended -------------------------------------------------------------------------------------------------


def _ask(world: World, approval: str) -> str:
    return request_amendment(world.desk, MANUFACTURER, RequestAmendment(approval, "More.", maximum_devices=600)).request


def _state(world: World, request: str) -> AmendmentRequestState:
    with world.store.read() as tx:
        return amendment_request(tx, request).state


def _notices(world: World, kind: NoticeKind) -> list[str]:
    listed = telling.listed(world.desk, AUDITOR, after="", limit=100).notices
    return [each.notice for each in listed if each.kind is kind]


def _nothing_refused(world: World) -> None:
    world.authority.settle()
    assert facts_of(world, FactKind.FACT_REFUSED) == []


EXPIRED = datetime(2027, 7, 1, tzinfo=UTC)
ENDS: dict[str, Callable[[World, str], object]] = {
    "revoked": lambda world, approval: world.revoked(approval),
    "withdrawn": lambda world, approval: world.seconded(world.proposed(ProposeWithdrawal(approval, "Asked."))),
    "expired": lambda world, _: world.at(EXPIRED),
}


@pytest.mark.clause("F2.29")
@pytest.mark.clause("F2.31")
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_open_requests_are_closed_with_notice_when_the_approval_ends(
    world: World, end: Callable[[World, str], object]
) -> None:
    approval = world.granted()
    waiting, held = _ask(world, approval), _ask(world, approval)
    held_by = world.proposed(ProposeAmendment(approval, "More.", maximum_devices=600, request=held))
    world.authority.settle()  # what officers signed is consumed while it is valid
    end(world, approval)
    world.authority.settle()
    assert world.decision_state(held_by) == "lapsed"
    assert (_state(world, waiting), _state(world, held)) == (AmendmentRequestState.LAPSED,) * 2
    told = [documents(world, each) for each in _notices(world, NoticeKind.REQUEST_LAPSED)]
    assert {each["panel"]["facts"][0]["value"] for each in told} == {waiting, held}
    for each in told:
        assert set(each) == {"manufacturer", "dcc", "panel"}
        assert each["dcc"]["approval_ended"] is not None
        words = squeezed(Pdf(notice_pdf(each["manufacturer"])).text)
        assert squeezed(f"an amendment of Trial Device Approval {approval} is closed: the approval has ended") in words
    _nothing_refused(world)


def test_a_request_under_an_approval_that_stands_stays_open(world: World) -> None:
    asked = _ask(world, world.granted())
    world.authority.settle()
    assert _state(world, asked) is AmendmentRequestState.OPEN


@pytest.mark.clause("F2.29")
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_a_refusal_never_says_of_what_has_ended_that_it_stands(
    world: World, end: Callable[[World, str], object]
) -> None:
    approval = world.granted()
    world.at(EXPIRED - timedelta(days=1))
    refusal = world.proposed(ProposeAmendmentRefusal(_ask(world, approval), "No."))
    end(world, approval)
    world.seconded(refusal)
    document = documents(world, _notices(world, NoticeKind.AMENDMENT_REFUSAL)[0])["manufacturer"]
    words = squeezed(Pdf(notice_pdf(document)).text)
    assert squeezed("stands unchanged") not in words
    assert squeezed("of Acme Metering Ltd; the approval has ended, at") in words
    assert "The approval has ended" in [each["label"] for each in document["facts"]]
    assert squeezed("it stands unchanged") in squeezed(Pdf(notice_pdf({**document, "approval_ended": None})).text)
    # What an earlier release wrote does not say how the approval stood, and so neither does its paper.
    before = {name: value for name, value in document.items() if name != "approval_ended"}
    assert squeezed("stands unchanged") not in squeezed(Pdf(notice_pdf(before)).text)


# --- a correction ---------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.21(b)")
@pytest.mark.clause("F2.22")
def test_a_correction_names_the_notice_it_corrects_and_why_and_that_one_stays(world: World) -> None:
    world.granted()
    wrong = _notices(world, NoticeKind.GRANT)[0]
    before = documents(world, wrong)
    decision = world.proposed(
        ProposeCorrection(
            wrong,
            "The summary named another town.",
            Minutes(passages=(Passage.of("summary", "It is tried in Leeds."), Passage.of("remark", "Ours.", RED))),
        )
    )
    shown = look.decision(world.desk, OFFICER_2, decision).preview
    assert shown is not None
    assert shown.notices["dcc"]["corrects"]["notice"] == wrong
    with pytest.raises(SamePerson):
        world.seconded(decision, OFFICER_1)
    world.seconded(decision)
    number = _notices(world, NoticeKind.CORRECTION)[0]
    for document in documents(world, number).values():
        assert document["title"] == f"Correction of notice {wrong}"
        assert (document["clause"], document["withheld"]) == ("F2.21", 1)
        assert document["corrects"]["notice"] == wrong
        told = [(each["heading"], each["clause"], each["text"]) for each in document["passages"]]
        assert told == [
            ("Why it is corrected", "F2.21(b)", "The summary named another town."),
            ("Summary of reasons, as corrected", "F2.21(b)", "It is tried in Leeds."),
        ]
        words = squeezed(Pdf(notice_pdf(document)).text)
        assert squeezed(f"The Security Sub-Committee corrects its notice {wrong}, written at") in words
    assert documents(world, wrong) == before
    listed = {each.notice: each for each in telling.listed(world.desk, AUDITOR, after="", limit=100).notices}
    assert (listed[wrong].corrected_by, listed[number].corrects) == ((number,), wrong)
    fact = facts_of(world, FactKind.NOTICE_WRITTEN)[-1]
    assert (fact["number"], fact["corrects"], fact["decision"]) == (number, wrong, decision)
    _nothing_refused(world)


@pytest.mark.clause("F2.24")
def test_a_refusal_and_a_correction_can_be_corrected_and_what_is_not_a_notice_cannot(world: World) -> None:
    world.seconded(world.proposed(ProposeRefusal(world.applied(), "Not sound.")))
    refused = _notices(world, NoticeKind.REFUSAL)[0]
    corrected = refused
    for _ in range(2):
        world.seconded(world.proposed(ProposeCorrection(corrected, "It was wrong.")))
        corrected = _notices(world, NoticeKind.CORRECTION)[-1]
    document = documents(world, corrected)["panel"]
    assert document["clause"] == "F2.24"
    assert document["corrects"]["title"] == f"Correction of notice {refused}"
    with pytest.raises(NoSuchThing):
        world.proposed(ProposeCorrection("TTN-2027-9999", "It was wrong."))
    _nothing_refused(world)


def test_a_correction_is_proposed_and_seconded_over_http_and_on_the_command_line(world: World, tmp_path: Path) -> None:
    api_ = Api(world)
    api_.granted()
    wrong = _notices(world, NoticeKind.GRANT)[0]
    decision = api_.proposed(kind="correct", notice=wrong.lower(), summary={"text": "In Leeds."})
    done(api_.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", api_.second_body(decision)))
    with served(api_, tmp_path) as people:
        said = people.run("officer-1", "decide", "correct", wrong, "--why", "Again.", "--assessment", "It was read.")
        assert said.status == 0, said.words
        again = world.open_decisions()[0]
        shown = people.run("officer-2", "decide", "show", again)
        assert "Assessment, as corrected" in shown.words
        listed = people.run("auditor", "notices")
        assert f"corrected by {_notices(world, NoticeKind.CORRECTION)[0]}" in listed.words
    blank = {"kind": "correct", "notice": wrong, "reasons": " "}
    refused(api_.ask("officer-1", "POST", "/v1/decisions", blank), 400, "body-malformed")


def test_the_command_line_warns_of_what_recipients_would_not_be_told(world: World, tmp_path: Path) -> None:
    api_ = Api(world)
    with served(api_, tmp_path) as people:
        decision = api_.proposed(kind="refuse", application=api_.applied())
        shown = people.run("officer-2", "decide", "show", decision)
        assert "What its recipients would NOT be told" in shown.words
        assert shown.words.count("would hold no assessment undertaken") == 3
