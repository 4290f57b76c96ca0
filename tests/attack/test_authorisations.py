"""Whoever owns web, database and both officers' API keys has no officer's own key: nothing of theirs counts."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.status.questions import ByApproval
from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.approval import EndCause
from core.canonical import Json
from core.chain import content_digest, link
from core.facts import Fact, FactKind
from core.instants import parse
from core.kinds import AuthorisationFlaw, AuthorisedAct, RosterCause
from core.reasons import ReasonCode
from jobs.roster import roster_record, set_roster
from officers.key_file import public_key_of, thumbprint_of
from officers.roster import Member, new_member
from officers.statement import (
    LONGEST_VALID,
    Authorisation,
    Authority,
    Claim,
    Listed,
    Statement,
    listed_text,
    new_statement,
)
from ra.authorising import Signed, authority_shown
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.rekey import ProposeRekey
from ra.reporting import breach as breaches
from store.reading import journal as reading
from store.reading import requests
from store.reading.journal import sealed_row
from store.rows import Authorised
from store.tables import decisions, journal
from store.verbs import authorisations, facts, sealing
from tests.acting import judge, member, officer_key, propose, reject, sign, signed_by
from tests.attack.forging import Scene, forge, owned_web, signed, turns
from tests.channels_world import HASHES, Channels
from tests.cycle_world import device
from tests.world import OFFICER_1, OFFICER_2, World, csr_pem

F = AuthorisationFlaw


def seconding(scene: Scene) -> Statement:
    """What the second officer would sign for the decision that is drafted."""
    with scene.world.store.read() as tx:
        found, draft = requests.decision(tx, scene.decision), requests.draft_of(tx, scene.decision)
        authority = authority_shown(tx)
    assert draft is not None
    claim = Claim(
        act=AuthorisedAct.SECOND,
        subject=scene.decision,
        proposal_sha256=found.proposal_sha256,
        tbs_sha256=(draft.tbs_sha256,),
    )
    key = thumbprint_of(officer_key("officer-2"))
    return new_statement(authority, claim, officer="officer-2", key=key, at=scene.world.clock.now())


def kept(authorisation: Authorisation, **changes: Any) -> Authorised:
    """The row of an authorisation, as web writes it or as somebody has changed it."""
    said = authorisation.statement
    row = Authorised(
        statement_sha256=said.sha256,
        statement=said.octets().decode(),
        proof=authorisation.proof,
        act=said.claim.act,
        officer=said.officer,
        key=said.key,
        members=None,
    )
    return replace(row, **changes)


def by_officer_2(right: Statement, **changes: Any) -> Authorised:
    return kept(sign(right, officer_key("officer-2")), **changes)


def claiming(statement: Statement, **changes: Any) -> Statement:
    return replace(statement, claim=replace(statement.claim, **changes))


def header(proof: str, said: str) -> str:
    return f"{said}.{proof.split('.', 1)[1]}"


def listing(statement: Statement, *, decision: str) -> Authorised:
    """A genuine statement about a list of decisions."""
    assert statement.claim.proposal_sha256
    one = Listed(
        decision=decision, proposal_sha256=statement.claim.proposal_sha256, tbs_sha256=statement.claim.tbs_sha256
    )
    changed = claiming(statement, subject="ab" * 32, proposal_sha256=None, tbs_sha256=None)
    return by_officer_2(changed, members=listed_text([one]))


@dataclass(frozen=True)
class Wrong:
    """An authorisation for the seconding that does not authorise it.

    Args:
        flaw: as it is refused.
        name: what is wrong.
        made: the row, from the statement that would be right; None where there is none.
    """

    flaw: AuthorisationFlaw
    name: str
    made: Callable[[Statement], Authorised | None]


_ELSEWHERE = officer_key("nobody's on the roster")
_NONE = "eyJhbGciOiJub25lIiwidHlwIjoidHJpYWxjcGEtYXV0aG9yaXNhdGlvbitqd3MifQ"

WRONG = (
    Wrong(F.MISSING, "no authorisation", lambda _: None),
    Wrong(F.KEY, "another key", lambda s: kept(sign(replace(s, key=thumbprint_of(_ELSEWHERE)), _ELSEWHERE))),
    Wrong(F.SIGNATURE, "another key in their key's name", lambda s: kept(sign(s, _ELSEWHERE))),
    Wrong(F.OFFICER, "another officer's", lambda s: kept(_by_officer_3(s))),
    Wrong(F.OFFICER, "their key and another's name", lambda s: by_officer_2(replace(s, officer="officer-3"))),
    Wrong(
        F.AUTHORITY,
        "another root",
        lambda s: by_officer_2(replace(s, authority=Authority(name=s.authority.name, root_key_sha256="ab" * 32))),
    ),
    Wrong(
        F.AUTHORITY,
        "another name",
        lambda s: by_officer_2(replace(s, authority=replace(s.authority, name="Trial CPA"))),
    ),
    Wrong(F.ACT, "another act", lambda s: by_officer_2(claiming(s, act=AuthorisedAct.REJECT))),
    Wrong(F.SUBJECT, "another decision", lambda s: by_officer_2(claiming(s, subject="dec-another"))),
    Wrong(F.DIGEST, "another proposal", lambda s: by_officer_2(claiming(s, proposal_sha256="ab" * 32))),
    Wrong(F.DIGEST, "other bytes", lambda s: by_officer_2(claiming(s, tbs_sha256=("ab" * 32,)))),
    Wrong(F.DIGEST, "no bytes", lambda s: by_officer_2(claiming(s, tbs_sha256=None))),
    Wrong(
        F.EXPIRED,
        "what was valid yesterday",
        lambda s: by_officer_2(replace(s, valid_until=s.valid_until - timedelta(days=2))),
    ),
    Wrong(F.TOO_LONG, "valid for weeks", lambda s: by_officer_2(replace(s, valid_until=s.valid_until + LONGEST_VALID))),
    Wrong(
        F.SIGNATURE,
        "a proof that is cut",
        lambda s: by_officer_2(s, proof=sign(s, officer_key("officer-2")).proof[:-8]),
    ),
    Wrong(
        F.MALFORMED,
        "a proof of two parts",
        lambda s: by_officer_2(s, proof=sign(s, officer_key("officer-2")).proof.rpartition(".")[0]),
    ),
    Wrong(
        F.ALGORITHM,
        "no algorithm",
        lambda s: by_officer_2(s, proof=header(sign(s, officer_key("officer-2")).proof, _NONE)),
    ),
    Wrong(F.MISSING, "a list that no memory holds", lambda s: by_officer_2(s, members="[" * 600_000)),
    Wrong(F.MISSING, "a proof that no memory holds", lambda s: by_officer_2(s, proof="." * 10_000)),
    Wrong(F.MALFORMED, "a statement that is cut", lambda s: by_officer_2(s, statement=s.octets().decode()[:-1])),
    Wrong(F.MALFORMED, "another form of the statement", lambda s: by_officer_2(s, statement=json.dumps(s.document()))),
    Wrong(
        F.DIGEST,
        "another statement under its digest",
        lambda s: by_officer_2(s, statement=claiming(s, subject="dec-another").octets().decode()),
    ),
    Wrong(
        F.SIGNATURE,
        "the proof of another statement",
        lambda s: by_officer_2(s, proof=sign(replace(s, nonce="00" * 16), officer_key("officer-2")).proof),
    ),
    Wrong(F.SUBJECT, "a list that lacks it", lambda s: listing(s, decision="dec-another")),
    Wrong(F.SUBJECT, "another list than was signed", lambda s: listing(s, decision=s.claim.subject)),
)


def _by_officer_3(statement: Statement) -> Authorisation:
    key = officer_key("officer-3")
    return sign(replace(statement, officer="officer-3", key=thumbprint_of(key)), key)


def say(scene: Scene, row: Authorised | None, kind: FactKind = FactKind.DECISION_SECONDED, **changes: Json) -> Fact:
    """Write the fact of the seconding and what it names, as whoever can write rows does."""
    claim = seconding(scene).claim
    said: dict[str, Json] = {
        "kind": "grant",
        "proposal_sha256": claim.proposal_sha256,
        "tbs_sha256": (claim.tbs_sha256 or ("",))[0],
        "credential": OFFICER_2.credential,
        **({} if row is None else {"authorisation": row.statement_sha256}),
        **changes,
    }
    at = scene.world.clock.now()
    fact = Fact(kind, at, OFFICER_2, subject=scene.decision, payload=said)
    with scene.world.store.begin("say") as tx:
        if row is not None:
            authorisations.keep(tx, row, at=at)
        facts.record(tx, fact)
    return fact


def refused(world: World) -> list[tuple[str, str]]:
    """The kind of each fact that was refused, and its flaw, in order; a sealed fact of the authority says the same."""
    with world.store.read() as tx:
        rows = tx.connection.execute(select(journal).where(journal.c.refused.is_not(None)).order_by(journal.c.id)).all()
        told = tx.connection.execute(
            select(journal).where(journal.c.kind == FactKind.FACT_REFUSED, journal.c.seal_number.is_not(None))
        ).all()
    found = [(row.kind, row.refused.partition(":")[0]) for row in rows]
    said = [json.loads(row.payload) for row in told]
    assert sorted((each["kind"], each["flaw"]) for each in said) == sorted(found)
    assert {row.actor for row in told} <= {"authority"}
    return found


def alarms(world: World) -> set[AlarmCode]:
    return {each.code for each in world.alarms()}


def test_an_authorisation_that_is_not_for_this_act_is_refused_with_its_reason(before: Scene) -> None:
    world, known, right = before.world, signed(before.world), seconding(before)
    for number, each in enumerate(WRONG):
        say(before, each.made(replace(right, nonce=f"{number:032x}")))
    turns(world)
    found = [flaw for _, flaw in refused(world)]
    assert dict(zip([each.name for each in WRONG], found, strict=True)) == {each.name: each.flaw for each in WRONG}
    assert world.memory.consumed(before.decision, [AuthorisedAct.SECOND]) == []
    assert AlarmCode.ACT_UNPROVED in alarms(world)
    # None of them stands in the way of the officer.
    world.seconded(before.decision)
    turns(world)
    assert len(signed(world)) == len(known) + 1


def test_what_was_consumed_for_one_fact_counts_for_no_other(before: Scene) -> None:
    world, row = before.world, by_officer_2(seconding(before))
    first = say(before, row, FactKind.DECISION_SUPPORTED)
    turns(world)
    say(before, row, FactKind.DECISION_SUPPORTED, credential="cred-another")
    say(before, by_officer_2(replace(seconding(before), nonce="00" * 16)))  # agreed once is agreed
    turns(world)
    assert refused(world) == [(FactKind.DECISION_SUPPORTED, F.USED), (FactKind.DECISION_SECONDED, F.USED)]
    (consumed,) = world.memory.consumed(before.decision, [AuthorisedAct.SECOND])
    with world.store.read() as tx:
        columns = journal.c
        query = select(journal).where(columns.kind == first.kind, columns.seal_number.is_not(None))
        (sealed,) = (sealed_row(each).row for each in tx.connection.execute(query))
    assert consumed.fact_sha256 == content_digest(sealed)


def test_a_revocation_is_not_replayed_after_a_rekey(before: Scene) -> None:
    """An officer cancelled a compromised certificate; what they signed for that ends no later one."""
    world = before.world
    sent: list[Signed] = []

    def kept_signature(*arguments: Any) -> Signed:
        sent.append(signed_by(*arguments))
        return sent[-1]

    with owned_web(kept_signature):
        world.revoked(before.good, EndCause.KEY_COMPROMISE)
    turns(world)
    assert world.memory.end(before.good_serial) is not None
    rekey = propose(world.desk, OFFICER_1, ProposeRekey(before.good, csr_pem(), compromised=True, reasons="A new key."))
    world.authority.settle()
    world.seconded(rekey.decision)
    turns(world)
    later = world.memory.issues(before.good)[-1].serial
    assert later != before.good_serial
    world.passes(timedelta(seconds=5))
    with owned_web(lambda *_: sent[0]):
        world.revoked(before.good, EndCause.KEY_COMPROMISE)
    turns(world)
    assert world.memory.end(later) is None
    assert (FactKind.DECISION_MADE_ALONE, F.USED) in refused(world)
    assert {AlarmCode.ACT_UNPROVED, AlarmCode.END_UNPROVED} <= alarms(world)


def roster(world: World, *members: Member) -> None:
    number = len(world.memory.rosters()) + 1
    at = world.clock.now()
    set_roster(
        world.store, world.memory, roster_record(members, RosterCause.CHANGE, number=number, at=at), AUTHORITY, at
    )


def test_an_officer_who_was_removed_between_proposing_and_seconding_does_not_count(before: Scene) -> None:
    world, known = before.world, signed(before.world)
    roster(world, member("officer-2"), member("officer-3"))
    world.seconded(before.decision)
    turns(world)
    assert signed(world) == known
    assert world.decision_state(before.decision) == "lapsed"
    assert {(FactKind.APPROVAL_GRANTED.value, F.UNDECIDED.value)} == set(refused(world))
    assert {AlarmCode.ACT_UNPROVED, AlarmCode.DECISION_UNPROVED} <= alarms(world)
    told = next(each.sentence for each in world.alarms() if each.code is AlarmCode.DECISION_UNPROVED)
    assert "the key of officer-1 that signed for it is not on the roster any more" in told


def test_one_officer_with_two_keys_is_one_officer(before: Scene) -> None:
    world, known, other = before.world, signed(before.world), officer_key("officer-1's other key")
    two = new_member("officer-1", public_key_of(other))
    roster(world, member("officer-1"), two, member("officer-2"), member("officer-3"))
    right = replace(seconding(before), officer="officer-1", key=two.key)
    with world.store.read() as tx:
        found = requests.decision(tx, before.decision)
    row, at = kept(sign(right, other)), world.clock.now()
    said: dict[str, Json] = {
        "kind": "grant",
        "proposal_sha256": found.proposal_sha256,
        "tbs_sha256": (right.claim.tbs_sha256 or ("",))[0],
        "credential": OFFICER_1.credential,
        "authorisation": row.statement_sha256,
    }
    with world.store.begin("by themselves") as tx:
        authorisations.keep(tx, row, at=at)
        facts.record(tx, Fact(FactKind.DECISION_SECONDED, at, OFFICER_1, subject=before.decision, payload=said))
    tbs = (right.claim.tbs_sha256 or ("",))[0]
    if not world.url.startswith("sqlite"):
        forge(world, "ALTER TABLE decisions DROP CONSTRAINT ck_decisions_two_people")
    forge(
        world,
        f"UPDATE decisions SET state = 'seconded', seconder = 'officer-1', seconded_at = {int(at.timestamp())}, "
        f"seconded_tbs_sha256 = '{tbs}' WHERE id = '{before.decision}'",
    )
    turns(world)
    assert len(world.memory.consumed(before.decision, [AuthorisedAct.PROPOSE, AuthorisedAct.SECOND])) == 2
    assert signed(world) == known
    assert AlarmCode.DECISION_UNPROVED in alarms(world)


def test_an_end_that_nobody_signed_for_stays_a_no_is_listed_nowhere_and_says_that_it_is_disputed(
    before: Scene,
) -> None:
    world, channels = before.world, Channels(before.world)
    assert channels.by_approval(before.good).state == "not_yet_started"
    with owned_web():
        ended = world.revoked(before.good)
    assert ended.serials == (before.good_serial,)
    turns(world)
    channels.follow()
    assert world.memory.end(before.good_serial) is None
    assert before.good_serial not in channels.crl()
    assert {channels.ocsp(before.good_serial, name).status for name in HASHES} == {"try_later"}
    told = channels.told(ByApproval(before.good))
    assert (told.valid, told.state) == (False, "cancelled")
    assert told.codes == (ReasonCode.REVOKED.value, ReasonCode.END_DISPUTED.value)
    assert channels.by_approval(before.ended).codes == (ReasonCode.REVOKED.value,)
    assert Channels(world).told(ByApproval(before.good)) == told
    assert {AlarmCode.ACT_UNPROVED, AlarmCode.END_UNPROVED} <= alarms(world)
    assert set(refused(world)) == {
        (FactKind.DECISION_MADE_ALONE, F.KEY),
        (FactKind.APPROVAL_REVOKED, F.UNDECIDED),
        (FactKind.CERTIFICATE_REVOKED, F.UNDECIDED),
        (FactKind.NOTICE_WRITTEN, F.UNDECIDED),
    }


def test_acts_that_need_no_signature_of_ours_are_not_sealed_by_an_api_key(before: Scene) -> None:
    world = before.world
    wanted = propose(world.desk, OFFICER_1, ProposeRefusal(world.applied(device=device(7)), "No."))
    with world.store.begin("a report") as tx:
        at = world.clock.now()
        breach = breaches.suspect_limit(tx, before.good, deployed=9, maximum=8, actor=OFFICER_1, at=at)
    assert breach is not None
    turns(world)
    with owned_web():
        world.seconded(wanted.decision)
        reject(world.desk, OFFICER_2, before.decision, why="No.")
        judge(world.desk, OFFICER_2, breach, confirmed=True, why="They did.")
    turns(world)
    assert {
        (FactKind.DECISION_SECONDED, F.KEY),
        (FactKind.APPLICATION_REFUSED, F.UNDECIDED),
        (FactKind.NOTICE_WRITTEN, F.UNDECIDED),
        (FactKind.DECISION_REJECTED, F.KEY),
        (FactKind.BREACH_CONFIRMED, F.KEY),
    } == set(refused(world))


def test_what_only_the_authority_says_is_sealed_only_if_it_has_said_it(before: Scene) -> None:
    """Neither in another's name, nor of rosters and certificates that it does not remember."""
    world, kinds = before.world, [FactKind.CERTIFICATE_ISSUED, FactKind.ROSTER_SET, FactKind.FACT_REFUSED]
    invented: dict[str, Json] = {"number": 2, "members": [{"officer": "mallory", "key": "k"}], "serial": "ab" * 16}
    at = world.clock.now()
    payloads: tuple[dict[str, Json], ...] = ({}, invented, {"serial": before.ended_serial})
    with world.store.begin("say") as tx:
        for kind in kinds:
            facts.record(tx, Fact(kind, at, OFFICER_1, subject=before.good))
        for payload in payloads:
            for kind in kinds[:2]:
                facts.record(tx, Fact(kind, at, AUTHORITY, subject=before.good, payload=payload))
    turns(world)
    assert refused(world) == [*((kind, F.OFFICER) for kind in kinds), *((kind, F.SUBJECT) for kind in kinds[:2] * 3)]


def test_a_consequence_of_another_decision_is_not_sealed(before: Scene) -> None:
    """A genuine decision is named by facts about something that it did not decide."""
    world = before.world
    with world.store.read() as tx:
        query = select(decisions.c.id, decisions.c.kind)
        granted, revoked = (
            next(
                row.id
                for row in tx.connection.execute(query.where(decisions.c.approval == approval))
                if row.kind == kind
            )
            for approval, kind in ((before.good, "grant"), (before.ended, "revoke"))
        )
    wrong: list[tuple[FactKind, str, dict[str, Json], AuthorisationFlaw]] = [
        (FactKind.APPROVAL_REVOKED, before.good, {"cause": "ssc", "decision": granted}, F.SUBJECT),
        (FactKind.APPROVAL_REVOKED, before.good, {"cause": "ssc", "decision": revoked}, F.SUBJECT),
        (FactKind.CERTIFICATE_REVOKED, before.ended, {"cause": "key-compromise", "decision": revoked}, F.SUBJECT),
        (FactKind.APPLICATION_REFUSED, before.ended, {"decision": revoked}, F.SUBJECT),
        (FactKind.APPROVAL_GRANTED, before.good, {"decision": "dec-1"}, F.SUBJECT),
        (FactKind.APPROVAL_GRANTED, before.good, {"decision": before.decision}, F.SUBJECT),
        (FactKind.APPROVAL_GRANTED, before.good, {"decision": 1}, F.MALFORMED),
        (FactKind.APPROVAL_GRANTED, before.good, {}, F.MALFORMED),
    ]
    with world.store.begin("say") as tx:
        for kind, subject, said, _ in wrong:
            facts.record(tx, Fact(kind, world.clock.now(), OFFICER_1, subject, payload=said))
    turns(world)
    assert refused(world) == [(kind, flaw) for kind, _, _, flaw in wrong]


def test_a_row_that_somebody_else_numbered_is_weighed_before_a_head_is_signed(before: Scene) -> None:
    world = before.world
    say(before, None)
    with world.store.begin("seal") as tx:
        number, last, sealed_at = reading.last_sealed(tx)
        (waiting,) = reading.unsealed(tx, 10)
        row = replace(waiting.row, number=number + 1, sealed_at=str(sealed_at))
        assert sealing.seal(tx, [(waiting.row_id, number + 1, link(last, row))], at=parse(str(sealed_at)))
    turns(world)
    assert refused(world) == [(FactKind.DECISION_SECONDED, F.MISSING)]
    assert AlarmCode.JOURNAL_CHANGED in alarms(world)


def test_a_fact_for_which_something_was_consumed_is_sealed_after_a_crash_whatever_has_changed(
    before: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """We die behind the memory; when we are back it is two days later, and the officer has another key."""
    world, known = before.world, signed(before.world)
    world.seconded(before.decision)

    def dies(*_arguments: Any, **_more: Any) -> bool:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "seal", dies)
        world.authority.turn()
    assert len(world.memory.consumed(before.decision, [AuthorisedAct.SECOND])) == 1
    later = new_member("officer-2", public_key_of(officer_key("officer-2's later key")))
    roster(world, member("officer-1"), member("officer-3"), later)
    world.passes(timedelta(days=2))
    turns(world)
    assert refused(world) == []
    with world.store.read() as tx:
        sealed = select(journal.c.seal_number).where(journal.c.kind == FactKind.DECISION_SECONDED)
        assert None not in tx.connection.execute(sealed.where(journal.c.subject == before.decision)).scalars().all()
    # It is sealed as it was; nothing more is signed for a key that does not count any more.
    assert signed(world) == known
