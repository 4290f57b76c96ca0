"""Vectors of decisions by passkeys, by rosters that were changed, by one statement for several, and by one officer."""

import base64
import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.canonical import Json, canonical
from core.chain import SealedRow
from core.facts import FactKind
from core.instants import text
from core.kinds import AuthorisedAct
from officers.claims import about, about_all
from officers.passkey import PRESENT, VERIFIED, answered, challenge, new_passkey
from officers.proof import sign
from officers.roster import Member, members_digest, new_member
from officers.statement import Authorisation, Claim, Listed, Statement
from tests.kit_decision_vectors import (
    AUTHORITY,
    DECISION,
    ISSUED,
    OFFICERS,
    PROPOSED,
    ROOT_KEY,
    SECONDED,
    SET,
    Always,
    dossier,
    journal,
    member,
    row,
)
from tests.kit_evidence_vectors import coded
from tests.relying_party_world import HOUR, W, der

ORIGIN = "https://console.example"
CHANGED = SET + HOUR
ONES = tuple(member(each) for each in OFFICERS)


def passkey(officer: str) -> Member:
    return new_member(officer, Always(f"passkey of {officer}").public_key, new_passkey(officer.encode(), ORIGIN))


def stated(claim: Claim, who: Member, number: int) -> Statement:
    until = SECONDED + timedelta(days=1)
    return Statement(
        authority=AUTHORITY, claim=claim, officer=who.officer, key=who.key, valid_until=until, nonce=f"{number:032x}"
    )


def signed(claim: Claim, who: Member, number: int) -> Authorisation:
    return sign(stated(claim, who, number), Always(who.officer))


def touched(claim: Claim, who: Member, number: int, *, origin: str = ORIGIN, flags: int = PRESENT | VERIFIED) -> Any:
    """What a passkey answers."""
    statement = stated(claim, who, number)
    asked = base64.urlsafe_b64encode(challenge(statement)).rstrip(b"=").decode()
    said = {"type": "webauthn.get", "challenge": asked, "origin": origin, "crossOrigin": False, "rate": 0.5}
    client = json.dumps(said).encode()
    data = hashlib.sha256(b"console.example").digest() + struct.pack(">BI", flags, 1)
    signature = Always(f"passkey of {who.officer}").sign(data + hashlib.sha256(client).digest())
    return answered(statement, data=data, client=client, signature=signature)


def rows_of(files: dict[str, bytes]) -> list[SealedRow]:
    lines = [json.loads(line) for line in files["journal.jsonl"].splitlines()]
    return [SealedRow(**line["row"]) for line in lines if "row" in line]


def said_of(each: SealedRow) -> dict[str, Json]:
    found: dict[str, Json] = json.loads(each.payload)
    return found


def roster_row(number: int, members: Sequence[Member], **more: Json) -> SealedRow:
    at = SET if number == 1 else CHANGED
    said: dict[str, Json] = {
        "number": number,
        "members_sha256": members_digest(members),
        "effective_at": text(at),
        "statements": [],
    }
    return row(number, at, FactKind.ROSTER_SET, "authority", None, {**said, **more})


def asked(
    acts: dict[FactKind, tuple[Authorisation, list[Json] | None]],
    rosters: Sequence[Sequence[Member]] = (ONES,),
    sets: Sequence[SealedRow] = (),
    others: Sequence[Authorisation] = (),
    orders: Sequence[str] = (),
) -> dict[str, Any]:
    """The decision of the other vectors, of which some acts are signed for otherwise, or by other rosters.

    Args:
        acts: what was signed instead, with what it lists.
        rosters: the members of each.
        sets: the rows that set them, if they are not set by the ceremony alone.
        others: what was signed for the rosters.
        orders: bodies of orders.
    """
    files = dossier()
    before, *rest = rows_of(files)
    sets = sets or [roster_row(1, rosters[0])]
    assert before.kind == FactKind.ROSTER_SET
    rows = [*sets, *rest]
    held = json.loads(files["authorisations.json"])
    for place, each in enumerate(rows):
        if each.kind in acts:
            instead, listed = acts[FactKind(each.kind)]
            old, said = said_of(each)["authorisation"], {**said_of(each), "authorisation": instead.statement.sha256}
            rows[place] = replace(each, payload=canonical(said).decode(), actor=instead.statement.officer)
            held = [one for one in held if hashlib.sha256(canonical(one["statement"])).hexdigest() != old]
            held.append(instead.document() | ({} if listed is None else {"listed": listed}))
    held += [each.document() for each in others]
    told: dict[str, bytes] = {
        **files,
        "authorisations.json": canonical(held),
        "rosters.json": canonical(
            [{"number": n, "members": [one.document() for one in each]} for n, each in enumerate(rosters, 1)]
        ),
        "journal.jsonl": journal([replace(each, number=number) for number, each in enumerate(rows, 1)]),
    }
    return evidence(told | ({"orders.json": canonical([{"body": each} for each in orders])} if orders else {}))


def evidence(files: dict[str, bytes]) -> dict[str, Any]:
    said = {name: octets.decode() for name, octets in files.items()}
    held = {"dossier": said, "root": coded(der(W.root)), "journal_key": coded(Always("journal").public_key)}
    return {"question": {"decision": DECISION}, "evidence": held}


def listed_here() -> Listed:
    """What the acts of the other vectors are about."""
    seconded = next(said_of(each) for each in rows_of(dossier()) if each.kind == FactKind.DECISION_SECONDED)
    return Listed(
        decision=DECISION, proposal_sha256=str(seconded["proposal_sha256"]), tbs_sha256=(str(seconded["tbs_sha256"]),)
    )


def alone(**changed: Json) -> dict[str, Any]:
    """An urgent revocation, by one officer."""
    order: dict[str, Json] = {"approval": W.identifier, "cause": "ssc", "invalidity_date": None, "breach": None}
    proposal: dict[str, Json] = {**order, "kind": "revoke", "officers": 1, "proposed_by": OFFICERS[0]}
    digest, ordered = (hashlib.sha256(canonical(each)).hexdigest() for each in (proposal, order))
    one = signed(Claim(act=AuthorisedAct.REVOKE, subject=W.identifier, proposal_sha256=ordered), ONES[0], 1)
    said: dict[str, Json] = {"proposal_sha256": digest, "authorisation": one.statement.sha256}
    rows = [
        roster_row(1, ONES),
        row(2, PROPOSED, FactKind.DECISION_PROPOSED, OFFICERS[0], DECISION, {"proposal_sha256": digest}),
        row(3, PROPOSED, FactKind.DECISION_MADE_ALONE, OFFICERS[0], DECISION,
            {**said, "approval": W.identifier, "order_sha256": ordered}),
        row(4, ISSUED, FactKind.APPROVAL_REVOKED, "authority", W.identifier,
            {"decision": DECISION, "cause": "ssc", **changed}),
    ]  # fmt: skip
    return evidence(
        {
            "decision.json": canonical({"decision": DECISION}),
            "proposal.json": canonical(proposal),
            "authorisations.json": canonical([one.document()]),
            "rosters.json": canonical([{"number": 1, "members": [each.document() for each in ONES]}]),
            "journal.jsonl": journal(rows),
        }
    )


def changed_by(*who: Member, **more: Json) -> dict[str, Any]:
    """The decision by a second roster, which officers have ordered."""
    erika = member("erika.muster")
    added: Json = [{"officer": erika.officer, "public_key": erika.public_key.hex()}]
    order = {
        "kind": "change-roster",
        "why": "She is new.",
        "roster": 1,
        "number": 2,
        "add": added,
        "remove": [],
        **more,
    }
    body = canonical(order).decode()
    claim = Claim(
        act=AuthorisedAct.CHANGE_ROSTER, subject="ord-1", proposal_sha256=hashlib.sha256(body.encode()).hexdigest()
    )
    by = [signed(claim, each, 10 + place) for place, each in enumerate(who)]
    second = signed(about(AuthorisedAct.SECOND, listed_here()), erika, 2)
    rosters = (ONES, (*ONES, erika))
    sets = [roster_row(1, ONES), roster_row(2, rosters[1], statements=[each.statement.sha256 for each in by])]
    return asked({FactKind.DECISION_SECONDED: (second, None)}, rosters, sets, by, [body])


def set_by_the_root(key: Any, octets: bytes) -> dict[str, Any]:
    statement: dict[str, Json] = {
        "type": "trialcpa-roster-1",
        "authority": {"name": AUTHORITY.name, "root_key_sha256": AUTHORITY.root_key_sha256},
        "number": 1,
        "members": [each.document() for each in sorted(ONES, key=lambda each: each.key)],
        "valid_until": text(CHANGED),
    }
    by: Json = {"statement": statement, "root_key": octets.hex(), "signature": key.sign(canonical(statement)).hex()}
    return asked({}, (ONES,), [roster_row(1, ONES, signed=by)])


def made() -> dict[str, dict[str, Any]]:
    """Every vector by its name, without what follows from it."""
    here, john = listed_here(), passkey(OFFICERS[1])
    jane = passkey(OFFICERS[0])
    first, second = FactKind.DECISION_AUTHORISED, FactKind.DECISION_SECONDED
    propose, agree = about(AuthorisedAct.PROPOSE, here), about(AuthorisedAct.SECOND, here)
    with_john, with_both = [(*ONES, john)], [(*ONES, john, jane)]
    other = Listed(decision="dec-fedcba9876543210", proposal_sha256="0" * 64)
    of_both, _ = about_all(AuthorisedAct.SECOND, [here, other])
    rows: list[Json] = [
        [each.decision, each.proposal_sha256, None if each.tbs_sha256 is None else list(each.tbs_sha256)]
        for each in (here, other)
    ]
    several = signed(of_both, ONES[1], 2)
    root, issuing = Always("root"), Always("issuing")
    return {
        "decision-by-a-passkey": asked({second: (touched(agree, john, 2), None)}, with_john),
        "decision-by-passkeys-alone": asked(
            {first: (touched(propose, jane, 1), None), second: (touched(agree, john, 2), None)}, with_both
        ),
        "decision-by-a-passkey-of-another-page": asked(
            {second: (touched(agree, john, 2, origin="https://other.example"), None)}, with_john
        ),
        "decision-by-a-passkey-that-verified-nobody": asked(
            {second: (touched(agree, john, 2, flags=PRESENT), None)}, with_john
        ),
        "decision-one-of-several": asked({second: (several, rows)}),
        "decision-not-among-several": asked({second: (several, rows[1:])}),
        "decision-by-a-changed-roster": changed_by(ONES[0], ONES[1]),
        "decision-by-a-roster-that-one-officer-changed": changed_by(ONES[0]),
        "decision-by-a-roster-of-another-order": changed_by(ONES[0], ONES[1], remove=[ONES[2].key]),
        "decision-by-a-roster-of-the-root": set_by_the_root(root, ROOT_KEY),
        "decision-by-a-roster-that-the-root-did-not-sign": set_by_the_root(issuing, ROOT_KEY),
        "decision-alone": alone(),
        "decision-alone-for-another-cause": alone(cause="breach"),
    }
