"""How an approval ends, and what each channel says: every row, on every channel, the second before and the second
after; on both databases, with real keys and real answers.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from api.status.questions import ByApproval, BySerial
from core.approval import EndCause
from core.instants import parse
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.rekey import ProposeRekey
from tests.channels_world import HASHES, Channels, Entry, Proof, Told, drafted_serial
from tests.world import NOW, World, csr_pem, ending

SECOND = timedelta(seconds=1)
START = datetime(2027, 1, 4, tzinfo=UTC)
EXPIRY = datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)
ENDED = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
EFFECTIVE = datetime(2027, 3, 2, tzinfo=UTC)
SINCE = datetime(2027, 2, 20, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """What must be said of issue 1 and of its approval.

    Args:
        certificate: by its bytes and by its serial.
        approval: by approval and by device.
        proof: OCSP.
        entry: CRL.
        page: the heading of the public page; the register's look says the approval's state.
    """

    certificate: Told
    approval: Told
    proof: Proof
    entry: Entry | None
    page: str


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Args:
        turn: the first second of what is new.
        before, after: what every channel says, then and from then on.
        given: what happened long before.
        act: what somebody does at the turn; None where time alone does it.
    """

    turn: datetime
    before: Said
    after: Said
    given: Callable[[World, str], object] | None = None
    act: Callable[[World, str], object] | None = None


def _same(state: str, *codes: str, issue: int = 1) -> tuple[Told, Told]:
    told = Told(state == "active" and not codes, state, codes, issue)
    return told, told


WAITING = Said(*_same("not_yet_started", "not-yet-started"), Proof("good"), None, "Not yet started")
ACTIVE = Said(*_same("active"), Proof("good"), None, "Active")


def ended(state: str, code: str, reason: str, at: datetime, since: datetime | None = None) -> Said:
    heading = {"cancelled": "Cancelled", "withdrawn": "Withdrawn", "expired": "Expired"}[state]
    return Said(*_same(state, code), Proof("revoked", at, reason), (at, reason, since), heading)


def revoke(cause: EndCause, since: datetime | None = None) -> Callable[[World, str], object]:
    return lambda world, approval: world.revoked(approval, cause, invalidity_date=since)


def decide_end(cause: EndCause) -> Callable[[World, str], None]:
    def act(world: World, approval: str) -> None:
        world.seconded(world.proposed(ending(approval, cause, "It has to be.")))

    return act


def rekeyed(world: World, approval: str) -> None:
    """The day before, another key was decided, and its certificate issued."""
    world.at(EFFECTIVE - timedelta(hours=12))
    decision = world.proposed(ProposeRekey(approval, csr_pem(), compromised=False, reasons="A new module."))
    world.authority.settle()
    world.seconded(decision)
    world.authority.settle()


def compromise_is_drafted(world: World, approval: str) -> None:
    world.at(ENDED - timedelta(hours=1))
    command = ProposeRekey(approval, csr_pem(), compromised=True, reasons="Stolen.", invalidity_date=SINCE)
    world.proposed(command)
    world.authority.settle()


def compromise_is_seconded(world: World, approval: str) -> None:
    (decision,) = world.open_decisions()
    world.seconded(decision)
    assert world.record(approval).ended_at is None, "the approval stands; only its key is gone"


PRIVILEGE = "privilegeWithdrawn"
SUPERSEDED = replace(
    ended("cancelled", "superseded", "superseded", EFFECTIVE),
    approval=Told(True, "active", (), 2),  # noqa: FBT003 - as the answer has it
    page="Active",
)

ROWS = [
    pytest.param(Row(START, WAITING, ACTIVE), id="start", marks=pytest.mark.clause("F2.26")),
    pytest.param(
        Row(EXPIRY + SECOND, ACTIVE, ended("expired", "expired", "cessationOfOperation", EXPIRY + SECOND)),
        id="expiry",
        marks=pytest.mark.clause("F2.31"),
    ),
    pytest.param(
        Row(ENDED, ACTIVE, ended("cancelled", "revoked", PRIVILEGE, ENDED), act=revoke(EndCause.SSC)),
        id="revoked-by-one",
        marks=pytest.mark.clause("F2.30"),
    ),
    pytest.param(
        Row(ENDED, ACTIVE, ended("cancelled", "revoked", PRIVILEGE, ENDED), act=decide_end(EndCause.SSC)),
        id="revoked-by-two",
        marks=pytest.mark.clause("F2.30"),
    ),
    pytest.param(
        Row(ENDED, ACTIVE, ended("cancelled", "revoked-for-breach", PRIVILEGE, ENDED), act=revoke(EndCause.BREACH)),
        id="breach",
        marks=pytest.mark.clause("F2.23"),
    ),
    pytest.param(
        Row(
            ENDED,
            ACTIVE,
            ended("withdrawn", "withdrawn-at-request", "cessationOfOperation", ENDED),
            act=decide_end(EndCause.MANUFACTURER),
        ),
        id="withdrawn",
        marks=pytest.mark.clause("F2.30"),
    ),
    pytest.param(
        Row(
            ENDED,
            ACTIVE,
            ended("cancelled", "key-compromise", "keyCompromise", ENDED),
            act=revoke(EndCause.KEY_COMPROMISE),
        ),
        id="key-compromised",
    ),
    pytest.param(
        Row(
            ENDED,
            ACTIVE,
            ended("cancelled", "key-compromise", "keyCompromise", ENDED, SINCE),
            act=revoke(EndCause.KEY_COMPROMISE, SINCE),
        ),
        id="key-compromised-since",
    ),
    pytest.param(
        Row(
            ENDED,
            ACTIVE,
            ended("cancelled", "key-compromise", "keyCompromise", ENDED, SINCE),
            given=compromise_is_drafted,
            act=compromise_is_seconded,
        ),
        id="key-compromised-and-replaced",
    ),
    pytest.param(Row(EFFECTIVE, ACTIVE, SUPERSEDED, given=rekeyed), id="superseded", marks=pytest.mark.clause("F2.29")),
    pytest.param(
        Row(
            START - SECOND,
            WAITING,
            ended("cancelled", "revoked", PRIVILEGE, START - SECOND),
            act=revoke(EndCause.SSC),
        ),
        id="revoked-before-the-start",
    ),
    pytest.param(
        Row(
            EXPIRY,
            ACTIVE,
            ended("cancelled", "revoked", PRIVILEGE, EXPIRY),
            act=revoke(EndCause.SSC),
        ),
        id="revoked-in-the-last-second",
    ),
    pytest.param(
        Row(
            EXPIRY + SECOND,
            ended("cancelled", "revoked", PRIVILEGE, NOW),
            ended("cancelled", "revoked", PRIVILEGE, NOW),
            given=revoke(EndCause.SSC),
        ),
        id="revoked-then-past-the-expiry",
    ),
]


def require_verification(channels: Channels, approval: str, said: Said) -> None:
    """What is computed from the instant: right without anybody doing anything."""
    certificate = channels.world.record(approval).certificates[0]
    assert channels.by_certificate(certificate) == said.certificate
    assert channels.by_serial(certificate.serial) == said.certificate
    assert channels.by_approval(approval) == said.approval
    assert channels.by_device() == said.approval
    assert channels.page(approval) == said.page
    assert channels.register(approval) == said.approval.state


def require_everywhere(channels: Channels, approval: str, said: Said) -> None:
    require_verification(channels, approval, said)
    serial = channels.world.record(approval).certificates[0].serial
    for name in HASHES:
        assert channels.ocsp(serial, name) == said.proof
    assert channels.crl().get(serial) == said.entry
    assert channels.attached(BySerial(serial)) == said.proof


@pytest.mark.parametrize("row", ROWS)
def test_every_channel_says_it_the_second_before_and_the_second_after(world: World, row: Row) -> None:
    approval = world.granted()
    if row.given:
        row.given(world, approval)
        world.authority.settle()  # what an officer has signed for it is valid for a day
    # The authority does not come to work in that one second only: it has been there since a minute ago.
    for moment in (row.turn - timedelta(minutes=1), row.turn - SECOND):
        world.at(moment)
        world.authority.settle()
    channels = Channels(world)
    serial = world.record(approval).certificates[0].serial
    require_everywhere(channels, approval, row.before)
    if row.act is None and row.before != row.after:
        # A change that is known beforehand: nothing said now claims to hold beyond it.
        for subject in (ByApproval(approval), BySerial(serial)):
            assert parse(channels.asked(subject)["fresh_until"]) < row.turn

    world.at(row.turn)
    if row.act:
        row.act(world, approval)
        channels.follow()

    # The authority has done nothing yet. What is computed is right already; what is signed says nothing false.
    require_verification(channels, approval, row.after)
    silent = Proof("try_later") if row.before.proof != row.after.proof else row.after.proof
    for name in HASHES:
        assert channels.ocsp(serial, name) == silent
    assert channels.attached(BySerial(serial)) == (None if silent.status == "try_later" else silent)

    world.authority.settle()
    channels.follow()
    require_everywhere(channels, approval, row.after)
    world.at(row.turn + SECOND)
    require_everywhere(channels, approval, row.after)


@pytest.mark.clause("F2.25")
@pytest.mark.parametrize(("at", "state"), [(START - SECOND, "not_yet_started"), (START, "active"), (EXPIRY, "active")])
def test_granted_and_its_certificate_not_recorded_is_never_valid(world: World, at: datetime, state: str) -> None:
    decision = world.drafted()
    approval = world.seconded(decision)
    serial = drafted_serial(world, decision)
    channels = Channels(world)
    world.at(at)
    codes = ("not-yet-started", "certificate-not-issued") if state == "not_yet_started" else ("certificate-not-issued",)
    told = Told(valid=False, state=state, codes=codes, issue=None)
    assert channels.by_approval(approval) == told
    assert channels.by_device() == told
    assert channels.register(approval) == state
    assert channels.page(approval) == "Certificate not issued"
    assert channels.by_serial(serial) == Told(valid=False, state="unknown", codes=("unknown-serial",), issue=None)
    for name in HASHES:
        assert channels.ocsp(serial, name) == Proof("unauthorized")
    assert channels.crl() == {}
    assert channels.attached(ByApproval(approval)) is None


def test_a_grant_that_nobody_signed_expires_all_the_same(world: World) -> None:
    approval = world.seconded(world.drafted())
    channels = Channels(world)
    world.at(EXPIRY + SECOND)
    assert channels.by_approval(approval).state == channels.register(approval) == "expired"
    assert channels.by_approval(approval).valid is False


def test_a_draft_is_not_known_to_any_channel(world: World) -> None:
    decision = world.proposed(ProposeGrant(world.applied(), "It looks sound."))
    world.authority.settle()
    channels = Channels(world)
    assert channels.by_device().codes == ("device-not-approved",)
    for name in HASHES:
        assert channels.ocsp(drafted_serial(world, decision), name) == Proof("unauthorized")


@pytest.mark.clause("F2.31")
def test_the_past_is_told_as_it_was(world: World) -> None:
    approval = world.granted()
    world.at(ENDED)
    world.revoked(approval)
    world.authority.settle()
    channels = Channels(world)
    serial = world.record(approval).certificates[0].serial
    for subject in (ByApproval(approval), BySerial(serial)):
        states = {at: channels.asked(subject, at)["state"] for at in (START - SECOND, START, ENDED - SECOND, ENDED)}
        assert list(states.values()) == ["not_yet_started", "active", "active", "cancelled"]
        assert channels.asked(subject, NOW - SECOND)["state"] == "unknown"
    entry = channels.crl()[serial]
    world.at(EXPIRY + timedelta(days=30))
    world.authority.settle()
    channels.follow()
    assert channels.crl()[serial] == entry, "one entry per serial, for ever"


def test_a_device_may_be_approved_again_after_the_end(world: World) -> None:
    first = world.granted()
    world.at(ENDED)
    world.revoked(first)
    second = world.granted(start=ENDED.date())
    channels = Channels(world)
    assert first != second
    assert channels.by_device() == Told(valid=True, state="active", codes=(), issue=1)
    assert channels.asked(ByApproval(second))["approval"] == second
    assert channels.by_approval(first).state == "cancelled"
