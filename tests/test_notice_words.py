"""Words in statutory notices: nobody decides without a word of why, and what a notice says is so (ADR 38)."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

import api.forms
from api.forms.fields import Body
from core.actors import Actor, Role
from core.approval import EndCause
from core.classification import Classification, Passage, Recipient, in_words
from core.errors import NothingSaid
from core.identifiers import Serial
from core.kinds import RequirementState, Witnessed
from core.words import counted, says_something
from documents.notice import notice_pdf
from ra.applying.accept import AnswerCertificate, answer_certificate
from ra.applying.request_amendment import RequestAmendment, request_amendment
from ra.applying.requirements import close_requirement, set_requirement, set_standing
from ra.deciding.end import Revoke
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.amendment_refusal import ProposeAmendmentRefusal
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.rekey import ProposeRekey
from ra.deciding.kinds.revocation import ProposeRevocation
from ra.deciding.kinds.withdrawal import ProposeWithdrawal
from ra.deciding.propose import propose
from ra.deciding.revoke import revoke
from ra.deciding.second import reject
from ra.deciding.witness import Witness, witness
from ra.grounds import Minutes
from ra.ordering.order import ChangeRoster, StartIssuing, StopIssuing, order
from ra.reporting import breach
from ra.reporting.report import remark_report
from tests.documents_world import Pdf, fact, notice, passage, squeezed
from tests.world import DEVICE, MANUFACTURER, OFFICER_1, OFFICER_2, World, csr_pem

BLANKS = (" ", "\n\t ", "\u00a0\u2003\u3000", "\u200b\ufeff\u2060", "\u00ad", "\u3164\u2800", "\u202e\u0301")
ANOTHER = replace(DEVICE, model="010A030C")
DCC = Actor("dcc.reporting", Role.DCC, None, "cred-dcc")

# --- blank words are no words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_what_nobody_sees_says_nothing(blank: str) -> None:
    assert not says_something(blank)
    assert says_something(f"{blank}.{blank}")


_ASKED = frozenset({"reasons", "reason", "why", "note", "text", "purpose", "other"})
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
        *("RekeyBody.reasons", "RevocationBody.reasons", "AmendmentRequestBody.reasons"),
        *("ClassifiedBody.text", "PassageBody.text", "RejectionBody.why", "WitnessBody.why"),
        *("JudgementBody.why", "ClosureBody.why", "SuspicionBody.note", "RemarkBody.text"),
        *("StopBody.why", "StartBody.why", "ChangeBody.why", "RequirementBody.text", "OutcomeBody.reason"),
        *("AcceptanceBody.reason", "AcknowledgementBody.reason", "ApplicationBody.purpose"),
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
    "stop": lambda world, _, blank: order(world.desk, OFFICER_1, StopIssuing(blank)),
    "start": lambda world, _, blank: order(world.desk, OFFICER_1, StartIssuing(blank)),
    "roster": lambda world, _, blank: order(world.desk, OFFICER_1, ChangeRoster(why=blank)),
}
BY_OTHERS: dict[str, Doing] = {
    "amendment asked for": lambda world, approval, blank: request_amendment(
        world.desk, MANUFACTURER, RequestAmendment(approval, blank)
    ),
    "certificate rejected": lambda world, approval, blank: answer_certificate(
        world.desk, MANUFACTURER, AnswerCertificate(_serial(world, approval), accepted=False, reason=blank)
    ),
    "remark": lambda world, _, blank: remark_report(world.desk, DCC, "2027-01", blank),
}


def _serial(world: World, approval: str) -> Serial:
    return world.record(approval).certificates[0].serial


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
