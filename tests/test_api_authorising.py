"""What officers sign for, over HTTP: taken once, as it is, in parts too; and the roster by which it counts."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from core.instants import text
from core.kinds import AuthorisedAct
from officers.key_file import thumbprint_of
from officers.roster import members_digest, members_text, public_key_pem
from officers.statement import Claim, Listed, list_digest, new_statement
from ra.authorising import authority_shown
from store.officers_tables import authorisations, rosters
from store.verbs import authorisations as verbs
from tests.acting import member, officer_key
from tests.api_world import Api, done, refused
from tests.signing import another_device, right
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3, World

OFFICER = OFFICER_2.name
REASONS = {"reasons": "It has to be."}


@pytest.mark.clause("F2.18")
@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_one_statement_over_a_list_is_asked_for_in_parts_and_again(world: World) -> None:
    api = Api(world)
    wanted = [
        {"kind": "grant", "application": api.applied(device=another_device(each)), **REASONS} for each in range(3)
    ]
    proposed = done(api.send(OFFICER_1.name, "POST", "/v1/decisions/batch", {"decisions": wanted}))["results"]
    decisions = [each["outcome"]["decision"] for each in proposed]
    api.settle()
    digests = {each: api.second_body(each) for each in decisions}
    unsigned = api.ask(OFFICER, "POST", f"/v1/decisions/{decisions[0]}/second", digests[decisions[0]])
    assert "not signed for by officer-1" in refused(unsigned, 409, "wrong-state")["detail"]

    with world.store.read() as tx:
        authority = authority_shown(tx)

    def over(act: AuthorisedAct, officer: str) -> dict[str, Any]:
        """One statement of an officer over all three."""
        listed = [
            Listed(
                decision=each,
                proposal_sha256=digests[each]["proposal_sha256"],
                tbs_sha256=(digests[each]["tbs_sha256"],) if act is AuthorisedAct.SECOND else None,
            )
            for each in reversed(decisions)
        ]
        key = thumbprint_of(officer_key(officer))
        claim = Claim(act=act, subject=list_digest(listed))
        said = new_statement(authority, claim, officer=officer, key=key, at=world.clock.now())
        return right(said, officer) | {"listed": [each.document() for each in listed]}

    for act, officer, place, members in (
        (AuthorisedAct.PROPOSE, OFFICER_1.name, "authorisation", ("proposal_sha256",)),
        (AuthorisedAct.SECOND, OFFICER, "second", ("proposal_sha256", "tbs_sha256")),
    ):
        signed = over(act, officer)
        chosen = {each: {name: digests[each][name] for name in members} for each in decisions}
        two = {"decisions": [{"decision": each, **chosen[each]} for each in decisions[:2]], **signed}
        path = f"/v1/decisions/batch/{place}"
        first = done(api.send(officer, "POST", path, two, Idempotency_Key=place))["results"]
        assert [each["outcome"]["decision"] for each in first] == decisions[:2], first
        assert done(api.send(officer, "POST", path, two, Idempotency_Key=place))["results"] == first
        assert {each["problem"]["code"] for each in done(api.send(officer, "POST", path, two))["results"]} == {
            "wrong-state"
        }
        others = two | over(act, officer)
        reused = done(api.send(officer, "POST", path, others, Idempotency_Key=place))["results"]
        assert {each["problem"]["code"] for each in reused} == {"idempotency-key-reused"}
        last = {**chosen[decisions[2]], **signed}
        done(api.send(officer, "POST", f"/v1/decisions/{decisions[2]}/{place}", last))
    api.settle()
    for each in decisions:
        shown = done(api.ask("auditor", "GET", f"/v1/decisions/{each}"))
        assert (shown["state"], shown["authorised_at"]) == ("done", text(world.clock.now()))
    with world.store.read() as tx:
        assert [each.act for each in tx.connection.execute(select(authorisations.c.act).order_by("act"))] == [
            AuthorisedAct.PROPOSE,
            AuthorisedAct.SECOND,
        ]


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_only_its_proposer_signs_for_a_proposal_and_only_for_what_stands_there(world: World) -> None:
    api = Api(world)
    decision = api.proposed(kind="refuse", application=api.applied())
    path, body = f"/v1/decisions/{decision}/authorisation", {"proposal_sha256": "ab" * 32}
    refused(api.send(OFFICER, "POST", path, body), 403, "not-the-proposer")
    refused(api.send(OFFICER_1.name, "POST", path, body), 409, "digest-mismatch")
    refused(api.send("auditor", "POST", path, body), 403, "operation-not-permitted")
    refused(api.send(OFFICER_1.name, "POST", "/v1/decisions/decision-none/authorisation", body), 404, "not-found")


# --- the roster --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_the_roster_says_whose_keys_count_and_for_which_authority(world: World) -> None:
    api = Api(world)
    shown = done(api.ask(OFFICER, "GET", "/v1/roster"))
    expected = sorted((member(each.name) for each in (OFFICER_1, OFFICER_2, OFFICER_3)), key=lambda each: each.key)
    assert shown["members"] == [
        {"officer": each.officer, "key": each.key, "public_key": public_key_pem(each.public_key), "passkey": None}
        for each in expected
    ]
    with world.store.read() as tx:
        assert shown["authority"] == asdict(authority_shown(tx))
    assert (shown["number"], shown["cause"], [each["number"] for each in shown["history"]]) == (1, "ceremony", [1])
    later = world.clock.now() + timedelta(days=1)
    with world.store.begin("a later roster") as tx:
        changed = members_text(expected[:2])
        verbs.show_roster(tx, 2, members=changed, effective_at=later, cause="order", at=world.clock.now())
    shown = done(api.ask("auditor", "GET", "/v1/roster"))
    assert (shown["number"], [each["number"] for each in shown["history"]]) == (1, [1, 2])
    world.clock.advance(timedelta(days=1))
    shown = done(api.ask("admin", "GET", "/v1/roster"))
    assert (shown["number"], shown["cause"], len(shown["members"])) == (2, "order", 2)
    assert shown["history"][1]["members_sha256"] == members_digest(expected[:2])
    for who in ("manufacturer", "dcc", "panel", "monitor"):
        refused(api.ask(who, "GET", "/v1/roster"), 403, "operation-not-permitted")


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_an_authority_without_a_roster_asks_for_no_signature(world: World) -> None:
    with world.store.begin("made before") as tx:
        tx.connection.execute(delete(rosters))
    api = Api(world)
    refused(api.ask(OFFICER, "GET", "/v1/roster"), 404, "no-roster")
    body = {"kind": "refuse", "application": api.applied(), **REASONS}
    decision = done(api.send(OFFICER_1.name, "POST", "/v1/decisions", body), 201)["decision"]
    accepted = {"proposal_sha256": api.second_body(decision)["proposal_sha256"]}
    done(api.send(OFFICER, "POST", f"/v1/decisions/{decision}/second", accepted))
