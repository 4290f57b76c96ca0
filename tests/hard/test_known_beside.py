"""What officers are told beside an application: who else asks for the model, what the NCSC did, what is owed."""

from datetime import UTC, date, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from core.approval import Device, EndCause
from core.classification import Classification, Passage, Recipient
from core.errors import Finding
from ra.applying import look
from ra.deciding.end import Revoke
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.look import decision as shown
from ra.telling.instructions import record_ncsc_certificate
from tests.acting import judge, propose, revoke
from tests.test_breaches import conditioned, confirmed, suspected
from tests.world import AUDITOR, MANUFACTURER, OFFICER_1, OFFICER_2, RIVAL, World, csr_pem

LATER = datetime(2027, 1, 4, 12, 0, tzinfo=UTC)
OTHER = Device("ESME", "AB01", "OTHER", "01")


def of_model(found: tuple[Finding, ...]) -> list[str]:
    return [each.code for each in found if each.code.startswith(("model-", "key-", "revocation-"))]


@pytest.mark.clause("F2.18")
def test_the_same_model_and_key_asked_for_by_another_is_told_to_officers_and_to_nobody_else(world: World) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    mine = world.applied(csr=csr_pem(key))
    theirs = world.applied(RIVAL, csr=csr_pem(key))
    seen = look.application(world.desk, AUDITOR, mine).for_officers
    assert of_model(seen) == ["model-applied-for", "key-asked-for-twice"]
    assert theirs in seen[0].detail
    assert "Rival Devices plc" in seen[0].detail
    for actor, own in ((MANUFACTURER, mine), (RIVAL, theirs)):
        told = look.application(world.desk, actor, own)
        assert told.for_officers == ()
        assert (mine if own == theirs else theirs) not in str(told)
    proposed = propose(world.desk, OFFICER_1, ProposeGrant(mine, "It looks sound."))
    assert of_model(proposed.findings) == ["model-applied-for", "key-asked-for-twice"]


@pytest.mark.clause("F2.31")
def test_a_model_that_was_tried_and_that_the_ncsc_has_certified_is_told_when_it_is_applied_for_again(
    world: World,
) -> None:
    first = world.granted()
    world.at(LATER)
    running = world.applied(start=date(2027, 7, 1), expiry=date(2027, 8, 1))
    assert of_model(look.application(world.desk, OFFICER_1, running).for_officers) == ["model-approved"]
    record_ncsc_certificate(world.desk, OFFICER_1, first, certificate="NCSC-9", certified_on=date(2027, 1, 4))
    world.revoked(first)
    found = look.application(world.desk, OFFICER_1, running).for_officers
    assert of_model(found) == ["model-tried-before", "model-certified"]
    assert "NCSC-9" in found[1].detail
    other = world.applied(device=OTHER)
    assert look.application(world.desk, OFFICER_1, other).for_officers == ()


@pytest.mark.clause("F2.23")
def test_an_owed_revocation_warns_at_every_later_decision_until_it_is_done(world: World) -> None:
    approval = conditioned(world)
    breach = suspected(world, approval)
    world.at(LATER)
    before = world.applied(device=OTHER)
    judge(world.desk, OFFICER_2, breach, confirmed=True, why="It was read there.")
    amendment = propose(world.desk, OFFICER_1, ProposeAmendment(approval, "Fewer.", maximum_devices=400))
    refusal = propose(world.desk, OFFICER_1, ProposeRefusal(before, "It will not do."))
    of_another = propose(world.desk, OFFICER_1, ProposeRefusal(world.applied(RIVAL, device=OTHER), "No."))
    assert of_model(amendment.findings) == ["revocation-owed"]
    assert breach in amendment.findings[-1].detail
    assert "revocation-owed" in of_model(refusal.findings)
    assert "revocation-owed" not in of_model(of_another.findings)
    # One that came to be owed after the proposal is told to whoever looks before seconding.
    assert of_model(shown(world.desk, OFFICER_2, amendment.decision).against) == ["revocation-owed"]
    revoke(world.desk, OFFICER_1, Revoke(approval, EndCause.BREACH, "A condition was not kept.", breach=breach))
    assert "revocation-owed" not in of_model(shown(world.desk, OFFICER_2, refusal.decision).against)


@pytest.mark.clause("F2.23")
@pytest.mark.clause("F2.30")
@pytest.mark.parametrize("cited", [False, True], ids=["for something else", "for the breach"])
def test_an_urgent_revocation_warns_like_every_other_decision(world: World, *, cited: bool) -> None:
    approval = conditioned(world)
    world.at(LATER)
    breach = confirmed(world, approval)
    unread = Passage.of("reasons", "At once.", Classification.AMBER, (Recipient.MANUFACTURER, Recipient.DCC))
    cause = EndCause.BREACH if cited else EndCause.SSC
    done = revoke(world.desk, OFFICER_1, Revoke(approval, cause, unread, breach=breach if cited else None))
    assert of_model(done.findings) == ([] if cited else ["revocation-owed"])
    assert [(each.code, each.clause) for each in done.wanting] == [("recipient-without-reasons", "F2.30")]
    assert "the Panel" in done.wanting[0].detail
    # Whoever acknowledges it finds the same in the register.
    assert of_model(shown(world.desk, OFFICER_2, done.decision).findings) == of_model(done.findings)
