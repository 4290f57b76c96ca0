"""Dossiers as somebody may hand them in: altered, sealed anew with the journal's key, or with parts missing."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.canonical import canonical
from core.chain import SealedRow
from core.facts import FactKind
from core.instants import parse, text
from core.kinds import AuthorisedAct
from officers.roster import Member, members_digest
from officers.statement import Claim, revocation_digest
from tests.acting import member, signed_by
from tests.dossier_world import Archive, Files, payload, place
from tests.roster_world import root_statement
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3
from verify.kit.agreed.dossier import AUTHORISATIONS, CERTIFICATE, DECISION, JOURNAL, PROPOSAL, ROSTERS
from verify.kit.agreed.journal import export_lines, read_export


def decision_in(files: Files) -> str:
    return str(json.loads(files[DECISION])["decision"])


SECONDED, AUTHORISED = FactKind.DECISION_SECONDED, FactKind.DECISION_AUTHORISED


def other_member(archive: Archive) -> Files:
    return archive.forger(archive.grant).part(PROPOSAL, lambda said: {**said, "maximum_devices": 5_000})


def not_canonical(archive: Archive) -> Files:
    return {**archive.grant, PROPOSAL: archive.grant[PROPOSAL] + b"\n"}


def by_another_key(archive: Archive) -> Files:
    """The seconder's statement, with the proof of somebody else's key."""
    forged = signed_by(OFFICER_3.name, archive.authority, Claim(act=AuthorisedAct.SECOND, subject="x"), now(archive))

    def exchange(said: list[Any]) -> None:
        of(said, AuthorisedAct.SECOND)["proof"] = forged.authorisation.proof

    return archive.forger(archive.grant).part(AUTHORISATIONS, exchange)


def resigned(archive: Archive, files: Files, officer: str = OFFICER_2.name, **claim: Any) -> Files:
    """The act of seconding by an officer's own statement with something else in it, in a journal sealed anew."""
    authority = claim.pop("authority", archive.authority)
    row = row_in(files, SECONDED)
    said = json.loads(row.payload)
    tbs = None if said["tbs_sha256"] is None else (said["tbs_sha256"],)
    usual = Claim(
        act=AuthorisedAct.SECOND,
        subject=decision_in(files),
        proposal_sha256=said["proposal_sha256"],
        tbs_sha256=tbs,
    )
    made = signed_by(officer, authority, replace(usual, **claim), parse(row.at))
    digest = made.authorisation.statement.sha256

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, SECONDED, decision_in(files))
        rows[where] = replace(payload(rows[where], authorisation=digest), actor=officer)
        return rows

    return archive.forger(files).sealed(forge, made)


def one_officer_twice(archive: Archive) -> Files:
    return resigned(archive, archive.grant, OFFICER_1.name)


def by_a_later_key(archive: Archive) -> Files:
    return resigned(archive, archive.grant, "newcomer")


def other_members(archive: Archive) -> Files:
    def exchange(said: list[Any]) -> None:
        said[0]["members"] = [each.document() for each in (member(OFFICER_1.name), member("newcomer"))]

    return archive.forger(archive.grant).part(ROSTERS, exchange)


def lines(files: Files, keep: Callable[[dict[str, Any]], bool]) -> Files:
    lines = [each for each in files[JOURNAL].splitlines() if keep(json.loads(each))]
    return {**files, JOURNAL: b"\n".join(lines)}


def row_missing(archive: Archive) -> Files:
    return lines(archive.grant, lambda said: said.get("row", {}).get("number") != 9)


def row_missing_in_a_stretch(archive: Archive) -> Files:
    number = row_in(archive.stretches, SECONDED).number
    return lines(archive.stretches, lambda said: said.get("row", {}).get("number") != number)


def cut(archive: Archive) -> Files:
    number = row_in(archive.grant, SECONDED).number
    return lines(archive.grant, lambda said: said.get("row", {"number": 0})["number"] < number)


def other_certificate(archive: Archive) -> Files:
    return {**archive.grant, CERTIFICATE: archive.other[CERTIFICATE]}


def for_another_decision(archive: Archive) -> Files:
    theirs = archive.forger(archive.other).statement(AuthorisedAct.SECOND)

    def exchange(said: list[Any]) -> list[Any]:
        return [theirs if each["statement"]["act"] == AuthorisedAct.SECOND else each for each in said]

    return archive.forger(archive.grant).part(AUTHORISATIONS, exchange)


def used_again(archive: Archive) -> Files:
    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, AUTHORISED, decision_in(archive.grant))
        return [*rows[: where + 1], *rows[where:]]

    return archive.forger(archive.grant).sealed(forge)


def unsigned(archive: Archive) -> Files:
    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, SECONDED, decision_in(archive.grant))
        rows[where] = payload(rows[where], authorisation=...)
        return rows

    return archive.forger(archive.grant).sealed(forge)


def proposer_silent(archive: Archive) -> Files:
    """Only the seconder has signed; what the proposer signed is named nowhere, and is not there."""
    files = archive.forger(archive.grant).sealed(
        lambda rows: [each for each in rows if (each.kind, each.subject) != (AUTHORISED, decision_in(archive.grant))]
    )
    return archive.forger(files).part(
        AUTHORISATIONS, lambda said: [each for each in said if each["statement"]["act"] != AuthorisedAct.PROPOSE]
    )


def gone_before_the_signature(archive: Archive) -> Files:
    """The journal's key says that a roster without the seconder came before the certificate was signed."""
    members = [member(OFFICER_1.name), member(OFFICER_3.name)]
    files = archive.forger(archive.grant).part(ROSTERS, lambda said: [*said[:1], roster(2, members)])

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        first = next(each for each in rows if each.kind == FactKind.ROSTER_SET)
        rows = [each for each in rows if each.kind != FactKind.ROSTER_SET or each is first]
        at = row_in(archive.grant, FactKind.SIGNATURE_INTENDED, decision=False).at
        sha256 = members_digest(members)
        set_ = payload(first, number=2, members_sha256=sha256, effective_at=at, cause="change", statements=[])
        where = next(number for number, each in enumerate(rows) if each.kind == FactKind.SIGNATURE_INTENDED)
        return [*rows[:where], replace(set_, at=at, sealed_at=rows[where].sealed_at), *rows[where:]]

    return archive.forger(files).sealed(forge)


def signed_before_it_was_agreed(archive: Archive) -> Files:
    """What follows is moved before the seconding, under an earlier date."""

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, SECONDED, decision_in(archive.grant))
        intended = next(each for each in rows if each.kind == FactKind.SIGNATURE_INTENDED)
        rows.remove(intended)
        early = replace(intended, at=rows[where - 1].at, sealed_at=rows[where - 1].sealed_at)
        return [*rows[:where], early, *rows[where:]]

    return archive.forger(archive.grant).sealed(forge)


def granted_to_another(archive: Archive) -> Files:
    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = next(number for number, each in enumerate(rows) if each.kind == FactKind.APPROVAL_GRANTED)
        rows[where] = replace(rows[where], subject="TDT-2027-0009-X")
        return rows

    return archive.forger(archive.grant).sealed(forge)


def other_bytes(archive: Archive) -> Files:
    """Agreed to, and signed for, are other bytes than those of the certificate."""
    other = "ab" * 32
    files = resigned(archive, archive.grant, tbs_sha256=(other,))

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, SECONDED, decision_in(archive.grant))
        rows[where] = payload(rows[where], tbs_sha256=other)
        return rows

    return archive.forger(files).sealed(forge)


def of_another_authority(archive: Archive) -> Files:
    return resigned(archive, archive.grant, authority=replace(archive.authority, root_key_sha256="ab" * 32))


def other_list(archive: Archive) -> Files:
    def exchange(said: list[Any]) -> None:
        of(said, AuthorisedAct.SECOND)["listed"].pop()

    return archive.forger(archive.listed).part(AUTHORISATIONS, exchange)


def not_in_the_list(archive: Archive) -> Files:
    def exchange(said: list[Any]) -> None:
        listed = of(said, AuthorisedAct.SECOND)["listed"]
        next(each for each in listed if each[0] == decision_in(archive.listed))[0] = "dec-another"

    return archive.forger(archive.listed).part(AUTHORISATIONS, exchange)


def other_cause(archive: Archive) -> Files:
    return archive.forger(archive.urgent).part(PROPOSAL, lambda said: {**said, "cause": "key-compromise"})


def urgent_for_another(archive: Archive) -> Files:
    row = row_in(archive.urgent, FactKind.DECISION_MADE_ALONE)
    order = revocation_digest("TDT-2027-0009-X", cause="ssc", invalidity_date=None, breach=None)
    claim = Claim(act=AuthorisedAct.REVOKE, subject="TDT-2027-0009-X", proposal_sha256=order)
    made = signed_by(OFFICER_1.name, archive.authority, claim, parse(row.at))

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, FactKind.DECISION_MADE_ALONE, decision_in(archive.urgent))
        rows[where] = payload(rows[where], authorisation=made.authorisation.statement.sha256)
        return rows

    return archive.forger(archive.urgent).sealed(forge, made)


def order_of_one(archive: Archive) -> Files:
    """A roster that one officer made."""

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = max(number for number, each in enumerate(rows) if each.kind == FactKind.ROSTER_SET)
        statements = json.loads(rows[where].payload)["statements"]
        rows[where] = payload(rows[where], statements=statements[:1])
        return rows

    return archive.forger(archive.changed).sealed(forge)


def not_the_order(archive: Archive) -> Files:
    """A roster with somebody whom no order names."""
    members = [member(each) for each in (OFFICER_1.name, OFFICER_2.name, "a friend")]
    files = archive.forger(archive.changed).part(ROSTERS, lambda said: [*said[:1], roster(2, members)])

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = max(number for number, each in enumerate(rows) if each.kind == FactKind.ROSTER_SET)
        rows[where] = payload(rows[where], members_sha256=members_digest(members))
        return rows

    return archive.forger(files).sealed(forge)


def says_otherwise(archive: Archive) -> Files:
    """Both officers have signed for a proposal that is not what the certificate says, over its very bytes."""
    decision = decision_in(archive.grant)
    proposal = canonical({**json.loads(archive.grant[PROPOSAL]), "maximum_devices": 5_000})
    digest = hashlib.sha256(proposal).hexdigest()
    files = resigned(archive, archive.grant, proposal_sha256=digest)
    claim = Claim(act=AuthorisedAct.PROPOSE, subject=decision, proposal_sha256=digest)
    made = signed_by(OFFICER_1.name, archive.authority, claim, parse(row_in(files, AUTHORISED).at))

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        rows = [payload(each, proposal_sha256=digest) if each.subject == decision else each for each in rows]
        where = place(rows, AUTHORISED, decision)
        rows[where] = payload(rows[where], authorisation=made.authorisation.statement.sha256)
        return rows

    return {**archive.forger(files).sealed(forge, made), PROPOSAL: proposal}


def for_two_certificates(archive: Archive) -> Files:
    row = row_in(archive.grant, SECONDED)
    usual = {"subject": decision_in(archive.grant), "proposal_sha256": json.loads(row.payload)["proposal_sha256"]}
    claim = Claim(act=AuthorisedAct.SECOND, tbs_sha256=("ab" * 32,), **usual)
    made = signed_by(OFFICER_3.name, archive.authority, claim, parse(row.at)).authorisation
    another = payload(row, tbs_sha256="ab" * 32, authorisation=made.statement.sha256)

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, SECONDED, decision_in(archive.grant))
        return [*rows[:where], replace(another, kind=FactKind.DECISION_SUPPORTED, actor=OFFICER_3.name), *rows[where:]]

    files = archive.forger(archive.grant).part(AUTHORISATIONS, lambda said: [*said, made.document()])
    return archive.forger(files).sealed(forge)


def changed(name: str, kind: FactKind, **changes: Any) -> Callable[[Archive], Files]:
    """The last row of a kind about a decision, or its approval, says something else."""

    def forged(archive: Archive) -> Files:
        files: Files = getattr(archive, name)
        about = {decision_in(files), json.loads(files[PROPOSAL])["approval"], None}

        def forge(rows: list[SealedRow]) -> list[SealedRow]:
            where = max(number for number, each in enumerate(rows) if each.kind == kind and each.subject in about)
            rows[where] = payload(rows[where], **changes)
            return rows

        return archive.forger(files).sealed(forge)

    return forged


def proposed_by_another(archive: Archive) -> Files:
    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, FactKind.DECISION_PROPOSED, decision_in(archive.grant))
        rows[where] = replace(rows[where], actor=OFFICER_3.name)
        return rows

    return archive.forger(archive.grant).sealed(forge)


def roster_set_twice(archive: Archive) -> Files:
    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        first = next(each for each in rows if each.kind == FactKind.ROSTER_SET)
        return [*rows, replace(payload(first, members_sha256="ab" * 32), sealed_at=rows[-1].sealed_at)]

    return archive.forger(archive.grant).sealed(forge)


def without_issuing_ca(archive: Archive) -> Files:
    leaf = x509.load_pem_x509_certificates(archive.grant[CERTIFICATE])[0]
    return {**archive.grant, CERTIFICATE: leaf.public_bytes(Encoding.PEM)}


def stretches_reversed(archive: Archive) -> Files:
    export = read_export(archive.stretches[JOURNAL])
    turned = replace(export, stretches=export.stretches[::-1])
    return {**archive.stretches, JOURNAL: "\n".join(export_lines(turned)).encode()}


def by_the_root(archive: Archive, *, signature: bytes | None = None, friend: bool = False) -> Files:
    """Roster 2 as the root would have made it."""
    names = [OFFICER_1.name, OFFICER_2.name, "a friend" if friend else "newcomer"]
    said = root_statement(archive.world, *map(member, names), number=2)
    document = (said if signature is None else replace(said, signature=signature)).document()
    files = changed("changed", FactKind.ROSTER_SET, signed=document, statements=[])(archive)
    return archive.forger(files).part(
        AUTHORISATIONS, lambda held: [each for each in held if each["statement"]["act"] != AuthorisedAct.CHANGE_ROSTER]
    )


def row_in(files: Files, kind: FactKind, *, decision: bool = True) -> SealedRow:
    rows = [SealedRow(**said["row"]) for said in map(json.loads, files[JOURNAL].splitlines()) if "row" in said]
    return next(each for each in rows if each.kind == kind and (not decision or each.subject == decision_in(files)))


def of(said: list[Any], act: AuthorisedAct) -> Any:
    return next(each for each in said if each["statement"]["act"] == act)


def roster(number: int, members: list[Member]) -> dict[str, Any]:
    return {"number": number, "members": [each.document() for each in members]}


def now(archive: Archive) -> Any:
    return archive.world.clock.now()


def without(name: str) -> Callable[[Archive], Files]:
    return lambda archive: {each: octets for each, octets in archive.grant.items() if each != name}


def cut_before_it_was_decided(archive: Archive) -> Files:
    """Cut off by whoever has the journal's key, or at a head that was signed then."""

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        return rows[: place(rows, SECONDED, decision_in(archive.grant))]

    files = archive.forger(archive.grant).sealed(forge)
    return archive.forger({name: octets for name, octets in files.items() if name != CERTIFICATE}).part(
        AUTHORISATIONS, lambda said: [each for each in said if each["statement"]["act"] == AuthorisedAct.PROPOSE]
    )


def before_there_was_a_roster(archive: Archive) -> Files:
    """As an authority has it that was made before there were rosters, and began one later."""

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        later = text(now(archive))
        return [
            payload(each, effective_at=later) if each.kind == FactKind.ROSTER_SET else payload(each, authorisation=...)
            for each in rows
        ]

    files = archive.forger(archive.grant).sealed(forge)
    return archive.forger(files).part(AUTHORISATIONS, lambda _: [])


def one_statement_less(archive: Archive) -> Files:
    return archive.forger(archive.grant).part(AUTHORISATIONS, lambda said: said[:1])
