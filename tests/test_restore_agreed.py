"""Officers sign for what a register that went back gets again: two people, for exactly that, and once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.officer import officer_for_restore
from app.recomputed import certificate_again
from core.actors import AUTHORITY, CONSOLE
from core.alarms import AlarmCode
from core.boundaries import observe
from core.canonical import Json
from core.chain import SealedRow
from core.errors import (
    AuthorisationMissing,
    AuthorisationRefused,
    AuthorityDiffers,
    OfficerKeyNotOnRoster,
    ShownOtherwise,
    TrialCpaError,
    WrongState,
)
from core.facts import Fact, FactKind
from core.instants import parse, text
from core.kinds import AuthorisationFlaw, AuthorisedAct, DecisionKind, RosterCause
from jobs.resting import claim_of
from jobs.restore import Asked, look
from jobs.roster import roster_counting, roster_record, set_roster
from officers.key_file import public_key_of, thumbprint_of
from officers.proof import sign
from officers.restore import Restore, ToSign, read_to_sign
from officers.roster import new_member
from officers.statement import Authorisation, Statement, new_statement
from ra.desk import Rules
from store.officers_tables import authorisations
from store.tables import journal as rows
from store.verbs import facts
from tests.acting import InHand, member, officer_key
from tests.cycle_world import device
from tests.passkey_world import OfficersPasskey
from tests.test_restore import PowerCut
from tests.test_went_back import Standby
from tests.world import BORN, OFFICER_1, OFFICER_2, OFFICER_3, World, keyring

F = AuthorisationFlaw

ONE, TWO, GONE = OFFICER_1.name, OFFICER_2.name, OFFICER_3.name
SECOND_KEY = "the second key of officer-1"


@dataclass(frozen=True)
class WentBack:
    """A register that lacks a certificate and an end, before officers of whom one has two keys and one has left."""

    world: World
    lost: str
    over: str

    def agreed(self) -> Restore:
        world = self.world
        looked = look(world.store, world.memory, keyring(world.folder), Asked(), world.clock.now())
        return looked.difference.agreed

    def stated(self, officer: str = ONE, key: str = "", *, after: timedelta = timedelta(0)) -> Statement:
        """What an officer would sign, with one of the keys of this test."""
        agreed, thumbprint = self.agreed(), thumbprint_of(officer_key(key or officer))
        at = self.world.clock.now() + after
        return new_statement(agreed.authority, agreed.claim(), officer=officer, key=thumbprint, at=at)

    def told(self, kind: FactKind) -> list[bool]:
        """Of each fact of a kind, whether it was sealed."""
        with self.world.store.read() as tx:
            found = tx.connection.execute(
                select(rows.c.seal_number).where(rows.c.kind == kind).order_by(rows.c.id)
            ).scalars()
            return [each is not None for each in found]

    def require_whole(self) -> None:
        """Nothing is lost any more, and everything that was said of it is sealed, once."""
        self.world.authority.settle()
        assert self.world.record(self.over).ended_at is not None
        assert [each.issue for each in self.world.record(self.lost).certificates] == [1]
        for kind in (FactKind.RESTORE_ACCEPTED, FactKind.CERTIFICATE_RESTORED, FactKind.END_RESTORED):
            assert self.told(kind) == [True], kind


@pytest.fixture(scope="module")
def made(store_copy: Callable[[str], str], keys_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> WentBack:
    """The scene of every test, which takes a copy of it."""
    world = World(store_copy("sqlite"), keys_folder)
    at = world.clock.now()
    other = new_member(ONE, public_key_of(officer_key(SECOND_KEY)))
    of = [member(ONE), other, member(TWO), *(OfficersPasskey(each).member() for each in (ONE, TWO))]
    changed = roster_record(of, RosterCause.CHANGE, number=2, at=at)
    set_roster(world.store, world.memory, changed, AUTHORITY, at)
    over = world.granted()
    standby = Standby(world, tmp_path_factory.mktemp("standby"))
    world.revoked(over)
    lost = world.granted(device=device(2))
    standby.promote()
    world.close()
    return WentBack(world=world, lost=lost, over=over)


@pytest.fixture
def back(made: WentBack, copy_of: Callable[[str], str]) -> Iterator[WentBack]:
    world = World(copy_of(made.world.url), made.world.folder)
    world.authority.holder = made.world.authority.holder  # the copy holds its lease
    yield replace(made, world=world)
    world.close()


def by(statement: Statement, key: str = "") -> Authorisation:
    return sign(statement, InHand(officer_key(key or statement.officer)))


def claimed(back: WentBack, **changes: object) -> Authorisation:
    right = back.stated()
    return by(replace(right, claim=replace(right.claim, **changes)))  # type: ignore[arg-type]


def with_another_nonce(back: WentBack) -> Authorisation:
    """A proof that is of another statement."""
    right = back.stated()
    return Authorisation(statement=replace(right, nonce="00" * 16), proof=by(right).proof)


def for_another_authority(back: WentBack) -> Authorisation:
    right = back.stated()
    return by(replace(right, authority=replace(right.authority, root_key_sha256="00" * 32)))


WRONG: dict[str, tuple[Callable[[WentBack], Authorisation], AuthorisationFlaw]] = {
    "for another authority": (for_another_authority, F.AUTHORITY),
    "of another difference": (lambda back: claimed(back, subject="00" * 32), F.SUBJECT),
    "with another digest beside it": (lambda back: claimed(back, proposal_sha256="00" * 32), F.DIGEST),
    "to do something else": (lambda back: claimed(back, act=AuthorisedAct.START_ISSUING), F.ACT),
    "expired": (lambda back: by(back.stated(after=-timedelta(days=2))), F.EXPIRED),
    "for another year": (lambda back: by(back.stated(after=timedelta(days=300))), F.TOO_LONG),
    "of an officer who has left": (lambda back: by(back.stated(GONE)), F.KEY),
    "in another's name": (lambda back: by(back.stated(TWO, ONE), ONE), F.OFFICER),
    "under another key": (lambda back: by(back.stated(), TWO), F.SIGNATURE),
    "over something else": (with_another_nonce, F.SIGNATURE),
    "cut": (lambda back: replace(by(back.stated()), proof=by(back.stated()).proof[:40]), F.MALFORMED),
}
"""Each comes with what the second officer rightly signed."""


def too_few(back: WentBack) -> dict[str, list[Authorisation]]:
    one, other = by(back.stated()), by(back.stated(key=SECOND_KEY), SECOND_KEY)
    touched = [by_passkey(back, each) for each in (ONE, TWO)]
    return {
        "one": [one],
        "one, twice": [one, one],
        "one person under two keys": [one, other],
        "one person, by a key and a passkey": [one, touched[0]],
        "two by passkeys alone": touched,
    }


def by_passkey(back: WentBack, officer: str) -> Authorisation:
    hers = OfficersPasskey(officer)
    return hers.answer(replace(back.stated(officer), key=hers.member().key)).authorisation


def test_one_who_signs_by_a_passkey_counts_beside_one_who_signs_by_a_key(back: WentBack) -> None:
    back.world.accept_restore(signed=[by(back.stated()), by_passkey(back, TWO)])
    back.require_whole()


def test_what_does_not_authorise_a_restore_is_refused_with_its_reason_told_and_nothing_happens(
    back: WentBack, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = back.world
    signed_again: list[object] = []
    with pytest.raises(AuthorisationMissing):
        world.accept_restore(signed=[])
    found: dict[str, str] = {}
    wanted = {name: flaw.value for name, (_, flaw) in WRONG.items()}
    attempts: dict[str, Sequence[Authorisation]] = {
        name: [made(back), by(back.stated(TWO))] for name, (made, _) in WRONG.items()
    }
    for name, few in too_few(back).items():
        attempts[name], wanted[name] = few, F.UNDECIDED.value
    before = world.memory.last
    for name, signed in attempts.items():
        with monkeypatch.context() as patched:
            patched.setattr("jobs.restore.sign_certificate", lambda *said: signed_again.append(said))
            with pytest.raises(AuthorisationRefused) as refused:
                world.accept_restore(signed=signed)
        found[name] = str(refused.value.fields["flaw"])
    assert found == wanted
    assert signed_again == []
    assert world.memory.last == before
    assert back.told(FactKind.CERTIFICATE_RESTORED) == []
    assert AlarmCode.ACT_UNPROVED in {each.code for each in world.alarms()}
    # None of them stands in the way of the officers.
    world.accept_restore()
    back.require_whole()
    assert back.told(FactKind.FACT_REFUSED) == [True] * len(attempts)
    assert {each.code for each in world.alarms()} == {AlarmCode.ACT_UNPROVED, AlarmCode.ROSTER_SMALL}
    world.passes(timedelta(hours=25))
    world.authority.settle()
    assert AlarmCode.ACT_UNPROVED not in {each.code for each in world.alarms()}


def test_as_many_officers_as_to_any_decision_must_agree(back: WentBack) -> None:
    world = back.world
    signed = world.signed_for_restore(Asked(), ONE, TWO)
    three = Rules(officers={DecisionKind.REVOKE: 3})
    with pytest.raises(AuthorisationRefused, match="2 officers signed for it, and 3 must"):
        world.accept_restore(signed=signed, rules=three)
    world.accept_restore(signed=signed, rules=Rules(officers={DecisionKind.REVOKE: 2}))


def test_what_officers_signed_is_kept_with_the_act_and_a_third_key_changes_nothing(back: WentBack) -> None:
    world = back.world
    signed = [*world.signed_for_restore(Asked(), ONE, TWO), by(back.stated(key=SECOND_KEY), SECOND_KEY)]
    subject = back.agreed().sha256
    world.accept_restore(signed=signed)
    with world.store.read() as tx:
        kept = tx.connection.execute(
            select(authorisations.c.statement_sha256, authorisations.c.proof).where(
                authorisations.c.act == AuthorisedAct.ACCEPT_RESTORE
            )
        ).all()
    assert {tuple(each) for each in kept} == {(each.statement.sha256, each.proof) for each in signed}
    used = world.memory.consumed(subject, [AuthorisedAct.ACCEPT_RESTORE])
    assert [(each.officer, each.statement_sha256) for each in used] == [
        (each.statement.officer, each.statement.sha256) for each in signed[:2]
    ]
    assert {each.fact_sha256 for each in used} == {subject}
    back.require_whole()


class Cut:
    """The power fails at the nth boundary of a name."""

    def __init__(self, name: str, nth: int = 1) -> None:
        self.name, self.left = name, nth

    def __call__(self, name: str) -> None:
        self.left -= name == self.name
        if name == self.name and not self.left:
            raise PowerCut


def cut_off(world: World, cut: Cut, signed: Sequence[Authorisation], **asked: Any) -> None:
    observe(cut)
    try:
        with pytest.raises(PowerCut):
            world.accept_restore(signed=signed, **asked)
    finally:
        observe(None)
    world.passes(timedelta(days=2))  # what they signed has expired since


@pytest.mark.parametrize("cut", [("after commit memory", 1), ("before commit accept restore", 1)])
def test_if_we_die_behind_the_consumption_the_same_bytes_count_again_and_never_others(
    back: WentBack, cut: tuple[str, int]
) -> None:
    world = back.world
    signed = world.signed_for_restore(Asked(), ONE, TWO)
    cut_off(world, Cut(*cut), signed)
    assert back.told(FactKind.RESTORE_ACCEPTED) == []
    with pytest.raises(AuthorisationMissing):
        world.accept_restore(signed=[])
    for wrong, reason in (
        ([signed[0], by(back.stated(TWO))], "officer-2 has agreed to that by another statement before"),
        ([signed[0], replace(signed[1], proof=signed[0].proof)], "does not verify"),
        ([signed[0]], "1 officer signed"),
    ):
        with pytest.raises(AuthorisationRefused, match=reason):
            world.accept_restore(signed=wrong)
    world.accept_restore(signed=signed)
    back.require_whole()


def pretend(world: World, *written: Fact) -> None:
    with world.store.begin("pretend") as tx:
        facts.record(tx, *written)


def test_while_something_is_lost_no_row_stands_for_what_officers_sign(back: WentBack) -> None:
    world, agreed = back.world, back.agreed()
    cut_off(world, Cut("after commit memory"), world.signed_for_restore(Asked(), ONE, TWO))
    said: dict[str, Json] = {"restored_to": agreed.restored_to.number, "difference_sha256": agreed.sha256}
    pretend(world, Fact(FactKind.RESTORE_ACCEPTED, world.clock.now(), CONSOLE, payload=said))
    with pytest.raises(AuthorisationMissing):
        world.accept_restore(signed=[])


def test_if_we_die_behind_what_was_entered_nobody_signs_again(back: WentBack) -> None:
    world, at = back.world, back.world.clock.now()
    cut_off(world, Cut("after commit accept restore"), world.signed_for_restore(Asked(), ONE, TWO))
    assert back.told(FactKind.RESTORE_ACCEPTED) == [False]
    # What somebody writes beside it meanwhile is not remembered as ours.
    (standing,) = world.memory.issues(back.lost)
    (ended,) = world.memory.issues(back.over)
    untrue: list[tuple[FactKind, str, dict[str, Json]]] = [
        (FactKind.CERTIFICATE_RESTORED, back.lost, {"serial": standing.serial, "issue": 2}),
        (FactKind.CERTIFICATE_RESTORED, back.over, {"serial": standing.serial, "issue": 1}),
        (FactKind.END_RESTORED, back.over, {"serial": ended.serial, "ended_at": text(BORN), "reason": 9}),
        (FactKind.END_RESTORED, back.lost, {"serial": standing.serial, "ended_at": text(at), "reason": 9}),
    ]
    pretend(world, *[Fact(kind, at, CONSOLE, subject=of, payload=said) for kind, of, said in untrue])
    world.accept_restore(signed=[])
    world.authority.settle()
    assert back.told(FactKind.RESTORE_ACCEPTED) == [True]
    assert back.told(FactKind.CERTIFICATE_RESTORED) == [True, False, False]
    assert back.told(FactKind.END_RESTORED) == [True, False, False]
    with pytest.raises(WrongState):
        world.accept_restore(signed=[])


def test_if_we_die_behind_the_acceptance_nobody_signs_again_and_later_they_do(back: WentBack) -> None:
    """A backup was put back whole: a mark beside the keys says so until the very end."""
    world = back.world
    agreed = back.agreed().sha256
    # Consumed; nothing that files prove; the acceptance.
    cut_off(world, Cut("after commit memory", 3), world.signed_for_restore(Asked(), ONE, TWO), put_back=True)
    assert [each.what for each in world.memory.acceptances()] == ["restore"]
    world.accept_restore(signed=[], put_back=True)
    # What was agreed to once is no agreement to what comes later, whatever somebody writes.
    world.authority.settle()
    with pytest.raises(AuthorisationMissing):
        world.accept_restore(signed=[], put_back=True)
    said: dict[str, Json] = {"restored_to": world.memory.head.number, "difference_sha256": agreed}
    pretend(world, Fact(FactKind.RESTORE_ACCEPTED, world.clock.now(), CONSOLE, payload=said))
    with pytest.raises(AuthorisationMissing):
        world.accept_restore(signed=[], put_back=True)


def test_what_officers_sign_for_a_restore_is_consumed_for_no_row_of_the_register() -> None:
    said = '{"act":"accept-restore","body_sha256":"00","order":"00"}'
    row = SealedRow(
        number=0,
        sealed_at="",
        kind=FactKind.ORDER_AUTHORISED,
        at=text(BORN),
        actor=ONE,
        role=None,
        organisation=None,
        subject="00",
        payload=said,
    )
    with pytest.raises(AuthorisationRefused, match="nobody orders to accept-restore"):
        claim_of(row, None)


def test_a_clock_that_is_behind_the_first_roster_asks_its_officers_nonetheless(back: WentBack) -> None:
    found = roster_counting(back.world.memory, BORN - timedelta(days=400))
    assert found is not None
    assert found.number == 1


# --- the file that is signed for ---------------------------------------------------------------------------------


def test_the_file_holds_everything_and_a_certificate_is_read_from_its_bytes(back: WentBack) -> None:
    agreed = back.agreed()
    assert read_to_sign(ToSign(restore=agreed, at=BORN).octets()) == ToSign(restore=agreed, at=BORN)
    (certificate,), (end,) = agreed.certificates, agreed.ends
    assert (certificate.approval, end.approval) == (back.lost, back.over)
    assert dict(certificate_again(certificate))["approval"] == f"{back.lost}, issue 1"
    assert agreed.roster is not None
    assert {each.officer for each in agreed.roster.members} == {ONE, TWO}
    for changed in (
        replace(certificate, approval=back.over),
        replace(certificate, issue=2),
        replace(certificate, serial="5F"),
        replace(certificate, tbs=certificate.tbs[:-1]),
    ):
        with pytest.raises(ShownOtherwise):
            certificate_again(changed)
    others = [
        replace(agreed, certificates=(replace(certificate, proposer="mallory"),)),
        replace(agreed, certificates=()),
        replace(agreed, ends=(replace(end, at=end.at + timedelta(seconds=1)),)),
        replace(agreed, ends=(replace(end, invalidity_date=end.at),)),
        replace(agreed, ends=(replace(end, cause="breach"),)),
        replace(agreed, roster=None),
        replace(agreed, lists=()),
        replace(agreed, sealed_before=replace(agreed.sealed_before, link=bytes(32))),
        replace(agreed, restored_to=replace(agreed.restored_to, link=bytes(32))),
        replace(agreed, authority=replace(agreed.authority, name="TEST Another")),
    ]
    assert len({each.sha256 for each in [agreed, *others]}) == len(others) + 1


def test_who_signs_is_on_the_roster_in_the_file_and_holds_its_root(back: WentBack) -> None:
    agreed, key = back.agreed(), InHand(officer_key(SECOND_KEY))
    assert officer_for_restore(agreed, key, agreed.authority).name == ONE
    with pytest.raises(AuthorityDiffers):
        officer_for_restore(agreed, key, replace(agreed.authority, root_key_sha256="00" * 32))
    for restore, held in ((agreed, InHand(officer_key(GONE))), (replace(agreed, roster=None), key)):
        with pytest.raises(OfficerKeyNotOnRoster):
            officer_for_restore(restore, held)


SMALL = (
    b'{"at":"2027-01-04T00:00:00Z","restore":{"authority":{"name":"TEST","root_key_sha256":"ab"},"certificates":[],'
    b'"ends":[{"approval":"A","at":"2027-01-04T00:00:00Z","by":null,"cause":null,"invalidity_date":null,"reason":9,'
    b'"serial":"5F"}],"lists":[],"restored_to":{"link":"01","number":1},"roster":null,'
    b'"sealed_before":{"link":"02","number":2},"type":"trialcpa-restore-1"}}'
)

UNREADABLE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda octets: octets[:-9],
    "deep": lambda _: b"[" * 50_000,
    "a list": lambda octets: b"[" + octets + b"]",
    "another type": lambda octets: octets.replace(b"restore-1", b"restore-2"),
    "one more member": lambda octets: octets.replace(b'"name"', b'"more":1,"name"'),
    "one less": lambda octets: octets.replace(b'"lists":[],', b""),
    "a number as a word": lambda octets: octets.replace(b'"number":1', b'"number":"1"'),
    "a number beyond 2^53": lambda octets: octets.replace(b'"number":1', b'"number":%d' % 2**60),
    "an instant written otherwise": lambda octets: octets.replace(b"00Z", b"00+00:00"),
    "an instant without a zone": lambda octets: octets.replace(b"00Z", b"00"),
    "octets in capitals": lambda octets: octets.replace(b'"01"', b'"0A"'),
    "half a letter": lambda octets: octets.replace(b"TEST", b"\\ud800"),
}


def test_a_file_that_is_no_such_file_is_refused() -> None:
    assert read_to_sign(SMALL).at == parse("2027-01-04T00:00:00Z")
    for name, change in UNREADABLE.items():
        with pytest.raises(TrialCpaError) as refused:
            read_to_sign(change(SMALL))
        assert refused.value.fields["flaw"] == F.MALFORMED, name
