"""`trialcpa-verify decision`: a real decision is proved, and each part that is altered refutes it, with its reason."""

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from app.cli.verify import main
from app.cli.verify import parts as parts_of
from core.canonical import canonical
from core.chain import SealedRow
from core.facts import FactKind
from core.instants import parse, text
from core.kinds import AuthorisedAct
from officers.roster import Member, members_digest
from officers.statement import Claim, revocation_digest
from tests.acting import member, signed_by
from tests.api_world import Api
from tests.dossier_world import Archive, Files, archive_of, payload, place
from tests.people_world import served
from tests.roster_world import root_signer
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3, World
from verify.decision import prove_files
from verify.dossier import AUTHORISATIONS, CERTIFICATE, DECISION, JOURNAL, ORDERS, PROPOSAL, ROSTERS
from verify.findings import Against, Missing, Outcome, Told


@pytest.fixture(scope="module")
def archive(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Archive]:
    world = World(store_copy("sqlite"), keys_folder)
    yield archive_of(world)
    world.close()


def told(archive: Archive, files: Files, **trust: Any) -> Told:
    return prove_files(files, archive.trust(**trust))


def decision_in(files: Files) -> str:
    return str(json.loads(files[DECISION])["decision"])


# --- proved ----------------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.18")
@pytest.mark.parametrize(
    ("name", "officers"),
    [
        ("grant", [OFFICER_1.name, OFFICER_2.name]),
        ("stretches", [OFFICER_1.name, OFFICER_2.name]),
        ("other", [OFFICER_1.name, OFFICER_2.name]),
        ("listed", [OFFICER_1.name, OFFICER_2.name]),
        ("urgent", [OFFICER_1.name]),
        ("changed", [OFFICER_1.name, OFFICER_2.name]),
    ],
)
def test_a_real_decision_is_proved_with_who_and_by_which_key(archive: Archive, name: str, officers: list[str]) -> None:
    found = told(archive, getattr(archive, name), transcript=transcript(archive), signature=signed(archive))
    assert (found.against, found.missing, found.outcome) == ([], [], Outcome.PROVED)
    assert [(each.who, each.key) for each in found.story if each.key] == [(each, member(each).key) for each in officers]
    assert {each.roster for each in found.story if each.key} == {2 if name == "changed" else 1}
    assert bool(found.unchecked) is (name == "stretches")


def test_what_could_not_be_looked_at_is_said(archive: Archive) -> None:
    assert [each.split(":")[0] for each in told(archive, archive.stretches).unchecked] == [
        "The journal is here in stretches",
        "Roster 1 is believed for the journal's key",
    ]
    without = {name: octets for name, octets in archive.changed.items() if name != ORDERS}
    assert any("the order by which officers changed it" in each for each in told(archive, without).unchecked)


def transcript(archive: Archive, *, first: str = OFFICER_1.name) -> bytes:
    """What of the ceremony's transcript is read; tests/test_cli_roster.py reads a real one."""
    named = [first, OFFICER_2.name, OFFICER_3.name]
    lines = [f"Officer       {member(each).key} {each}" for each in named]
    lines += [f"  SHA-256     {hashlib.sha256(archive.journal_key).hexdigest()} of the journal's key"]
    return "\n".join(lines).encode()


def signed(archive: Archive, octets: bytes | None = None) -> bytes:
    return root_signer(archive.world).sign(octets or transcript(archive))


# --- refuted ---------------------------------------------------------------------------------------------------------

SECONDED, AUTHORISED = FactKind.DECISION_SECONDED, FactKind.DECISION_AUTHORISED


def _other_member(archive: Archive) -> Files:
    return archive.forger(archive.grant).part(PROPOSAL, lambda said: {**said, "maximum_devices": 5_000})


def _not_canonical(archive: Archive) -> Files:
    return {**archive.grant, PROPOSAL: archive.grant[PROPOSAL] + b"\n"}


def _by_another_key(archive: Archive) -> Files:
    """The seconder's statement, with the proof of somebody else's key."""
    forged = signed_by(OFFICER_3.name, archive.authority, Claim(act=AuthorisedAct.SECOND, subject="x"), _now(archive))

    def exchange(said: list[Any]) -> None:
        _of(said, AuthorisedAct.SECOND)["proof"] = forged.authorisation.proof

    return archive.forger(archive.grant).part(AUTHORISATIONS, exchange)


def _resigned(archive: Archive, files: Files, officer: str = OFFICER_2.name, **claim: Any) -> Files:
    """The act of seconding by an officer's own statement with something else in it, in a journal sealed anew."""
    authority = claim.pop("authority", archive.authority)
    row = _row(files, SECONDED)
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


def _one_officer_twice(archive: Archive) -> Files:
    return _resigned(archive, archive.grant, OFFICER_1.name)


def _by_a_later_key(archive: Archive) -> Files:
    return _resigned(archive, archive.grant, "newcomer")


def _other_members(archive: Archive) -> Files:
    def exchange(said: list[Any]) -> None:
        said[0]["members"] = [each.document() for each in (member(OFFICER_1.name), member("newcomer"))]

    return archive.forger(archive.grant).part(ROSTERS, exchange)


def _lines(files: Files, keep: Callable[[dict[str, Any]], bool]) -> Files:
    lines = [each for each in files[JOURNAL].splitlines() if keep(json.loads(each))]
    return {**files, JOURNAL: b"\n".join(lines)}


def _row_missing(archive: Archive) -> Files:
    return _lines(archive.grant, lambda said: said.get("row", {}).get("number") != 9)


def _row_missing_in_a_stretch(archive: Archive) -> Files:
    number = _row(archive.stretches, SECONDED).number
    return _lines(archive.stretches, lambda said: said.get("row", {}).get("number") != number)


def _cut(archive: Archive) -> Files:
    number = _row(archive.grant, SECONDED).number
    return _lines(archive.grant, lambda said: said.get("row", {"number": 0})["number"] < number)


def _other_certificate(archive: Archive) -> Files:
    return {**archive.grant, CERTIFICATE: archive.other[CERTIFICATE]}


def _for_another_decision(archive: Archive) -> Files:
    theirs = archive.forger(archive.other).statement(AuthorisedAct.SECOND)

    def exchange(said: list[Any]) -> list[Any]:
        return [theirs if each["statement"]["act"] == AuthorisedAct.SECOND else each for each in said]

    return archive.forger(archive.grant).part(AUTHORISATIONS, exchange)


def _used_again(archive: Archive) -> Files:
    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, AUTHORISED, decision_in(archive.grant))
        return [*rows[: where + 1], *rows[where:]]

    return archive.forger(archive.grant).sealed(forge)


def _unsigned(archive: Archive) -> Files:
    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, SECONDED, decision_in(archive.grant))
        rows[where] = payload(rows[where], authorisation=...)
        return rows

    return archive.forger(archive.grant).sealed(forge)


def _proposer_silent(archive: Archive) -> Files:
    """Only the seconder has signed; what the proposer signed is named nowhere, and is not there."""
    files = archive.forger(archive.grant).sealed(
        lambda rows: [each for each in rows if (each.kind, each.subject) != (AUTHORISED, decision_in(archive.grant))]
    )
    return archive.forger(files).part(
        AUTHORISATIONS, lambda said: [each for each in said if each["statement"]["act"] != AuthorisedAct.PROPOSE]
    )


def _gone_before_the_signature(archive: Archive) -> Files:
    """The journal's key says that a roster without the seconder came before the certificate was signed."""
    members = [member(OFFICER_1.name), member(OFFICER_3.name)]
    files = archive.forger(archive.grant).part(ROSTERS, lambda said: [*said[:1], _roster(2, members)])

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        first = next(each for each in rows if each.kind == FactKind.ROSTER_SET)
        rows = [each for each in rows if each.kind != FactKind.ROSTER_SET or each is first]
        at = _row(archive.grant, FactKind.SIGNATURE_INTENDED, decision=False).at
        sha256 = members_digest(members)
        set_ = payload(first, number=2, members_sha256=sha256, effective_at=at, cause="change", statements=[])
        where = next(place_ for place_, each in enumerate(rows) if each.kind == FactKind.SIGNATURE_INTENDED)
        return [*rows[:where], replace(set_, at=at, sealed_at=rows[where].sealed_at), *rows[where:]]

    return archive.forger(files).sealed(forge)


def _signed_before_it_was_agreed(archive: Archive) -> Files:
    """What follows is moved before the seconding, under an earlier date."""

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, SECONDED, decision_in(archive.grant))
        intended = next(each for each in rows if each.kind == FactKind.SIGNATURE_INTENDED)
        rows.remove(intended)
        early = replace(intended, at=rows[where - 1].at, sealed_at=rows[where - 1].sealed_at)
        return [*rows[:where], early, *rows[where:]]

    return archive.forger(archive.grant).sealed(forge)


def _granted_to_another(archive: Archive) -> Files:
    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = next(place_ for place_, each in enumerate(rows) if each.kind == FactKind.APPROVAL_GRANTED)
        rows[where] = replace(rows[where], subject="TDT-2027-0009-X")
        return rows

    return archive.forger(archive.grant).sealed(forge)


def _other_bytes(archive: Archive) -> Files:
    """Agreed to, and signed for, are other bytes than those of the certificate."""
    other = "ab" * 32
    files = _resigned(archive, archive.grant, tbs_sha256=(other,))

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, SECONDED, decision_in(archive.grant))
        rows[where] = payload(rows[where], tbs_sha256=other)
        return rows

    return archive.forger(files).sealed(forge)


def _of_another_authority(archive: Archive) -> Files:
    return _resigned(archive, archive.grant, authority=replace(archive.authority, root_key_sha256="ab" * 32))


def _other_list(archive: Archive) -> Files:
    def exchange(said: list[Any]) -> None:
        _of(said, AuthorisedAct.SECOND)["listed"].pop()

    return archive.forger(archive.listed).part(AUTHORISATIONS, exchange)


def _not_in_the_list(archive: Archive) -> Files:
    def exchange(said: list[Any]) -> None:
        listed = _of(said, AuthorisedAct.SECOND)["listed"]
        next(each for each in listed if each[0] == decision_in(archive.listed))[0] = "dec-another"

    return archive.forger(archive.listed).part(AUTHORISATIONS, exchange)


def _other_cause(archive: Archive) -> Files:
    return archive.forger(archive.urgent).part(PROPOSAL, lambda said: {**said, "cause": "key-compromise"})


def _urgent_for_another(archive: Archive) -> Files:
    row = _row(archive.urgent, FactKind.DECISION_MADE_ALONE)
    order = revocation_digest("TDT-2027-0009-X", cause="ssc", invalidity_date=None, breach=None)
    claim = Claim(act=AuthorisedAct.REVOKE, subject="TDT-2027-0009-X", proposal_sha256=order)
    made = signed_by(OFFICER_1.name, archive.authority, claim, parse(row.at))

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = place(rows, FactKind.DECISION_MADE_ALONE, decision_in(archive.urgent))
        rows[where] = payload(rows[where], authorisation=made.authorisation.statement.sha256)
        return rows

    return archive.forger(archive.urgent).sealed(forge, made)


def _order_of_one(archive: Archive) -> Files:
    """A roster that one officer made."""

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = max(place_ for place_, each in enumerate(rows) if each.kind == FactKind.ROSTER_SET)
        statements = json.loads(rows[where].payload)["statements"]
        rows[where] = payload(rows[where], statements=statements[:1])
        return rows

    return archive.forger(archive.changed).sealed(forge)


def _not_the_order(archive: Archive) -> Files:
    """A roster with somebody whom no order names."""
    members = [member(each) for each in (OFFICER_1.name, OFFICER_2.name, "a friend")]
    files = archive.forger(archive.changed).part(ROSTERS, lambda said: [*said[:1], _roster(2, members)])

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        where = max(place_ for place_, each in enumerate(rows) if each.kind == FactKind.ROSTER_SET)
        rows[where] = payload(rows[where], members_sha256=members_digest(members))
        return rows

    return archive.forger(files).sealed(forge)


def _row(files: Files, kind: FactKind, *, decision: bool = True) -> SealedRow:
    rows = [SealedRow(**said["row"]) for said in map(json.loads, files[JOURNAL].splitlines()) if "row" in said]
    return next(each for each in rows if each.kind == kind and (not decision or each.subject == decision_in(files)))


def _of(said: list[Any], act: AuthorisedAct) -> Any:
    return next(each for each in said if each["statement"]["act"] == act)


def _roster(number: int, members: list[Member]) -> dict[str, Any]:
    return {"number": number, "members": [each.document() for each in members]}


def _now(archive: Archive) -> Any:
    return archive.world.clock.now()


@pytest.mark.clause("F2.18")
@pytest.mark.parametrize(
    ("forged", "code", "words"),
    [
        (_other_member, Against.PROPOSAL_ALTERED, "another proposal"),
        (_not_canonical, Against.PROPOSAL_ALTERED, "canonical"),
        (_by_another_key, Against.STATEMENT_REFUSED, "signature"),
        (_one_officer_twice, Against.OFFICER_TWICE, "officer-1 signed twice"),
        (_by_a_later_key, Against.STATEMENT_REFUSED, "roster 1, key"),
        (_other_members, Against.ROSTER_ALTERED, "other members"),
        (_row_missing, Against.JOURNAL_BROKEN, "Row 10 stands where 9"),
        (_row_missing_in_a_stretch, Against.JOURNAL_BROKEN, "altered"),
        (_cut, Against.JOURNAL_BROKEN, "which is not there"),
        (_other_certificate, Against.CERTIFICATE_ALTERED, "not those that the officers signed for"),
        (_for_another_decision, Against.STATEMENT_STRANGE, "officer-2 signed to second"),
        (lambda of: _resigned(of, of.grant, subject="dec-x"), Against.STATEMENT_REFUSED, "subject: it is about dec-x"),
        (lambda of: _resigned(of, of.grant, proposal_sha256="ab" * 32), Against.STATEMENT_REFUSED, "digest"),
        (lambda of: _resigned(of, of.grant, act=AuthorisedAct.REJECT), Against.STATEMENT_REFUSED, "act: it authorises"),
        (_of_another_authority, Against.STATEMENT_REFUSED, "authority"),
        (_used_again, Against.STATEMENT_USED_AGAIN, "two acts"),
        (_unsigned, Against.STATEMENT_UNSIGNED, "nothing that was signed"),
        (_proposer_silent, Against.OFFICERS_WANTING, "1 officers"),
        (_gone_before_the_signature, Against.OFFICER_GONE, "officer-2 was not on roster 2"),
        (_signed_before_it_was_agreed, Against.ORDER_REVERSED, "signature-intended"),
        (_granted_to_another, Against.CONSEQUENCE_STRANGE, "TDT-2027-0009-X"),
        (_other_bytes, Against.CERTIFICATE_ALTERED, "not those that the officers signed for"),
        (_other_list, Against.STATEMENT_REFUSED, "subject"),
        (_not_in_the_list, Against.STATEMENT_REFUSED, "does not hold"),
        (_other_cause, Against.PROPOSAL_ALTERED, "another proposal"),
        (_urgent_for_another, Against.STATEMENT_REFUSED, "TDT-2027-0009-X"),
        (lambda of: of.rejected, Against.CAME_TO_NOTHING, "decision-rejected, by officer-2"),
        (_order_of_one, Against.ROSTER_UNPROVED, "is not roster 2"),
        (_not_the_order, Against.ROSTER_UNPROVED, "is not roster 2"),
        (lambda of: {**of.grant, AUTHORISATIONS: b"["}, Against.PART_UNREADABLE, "authorisations.json is no JSON"),
        (lambda of: {**of.grant, JOURNAL: b'{"row": 1}'}, Against.PART_UNREADABLE, "line 1"),
        (lambda of: {**of.grant, CERTIFICATE: b"-----BEGIN"}, Against.PART_UNREADABLE, "certificate.pem"),
    ],
)
def test_whatever_is_altered_refutes_it_with_its_reason(
    archive: Archive, forged: Callable[[Archive], Files], code: Against, words: str
) -> None:
    found = told(archive, forged(archive))
    assert found.outcome is Outcome.REFUTED
    assert [each.detail for each in found.against if each.code is code and words in each.detail], found.against


def test_another_key_of_the_journal_or_another_root_or_other_first_officers_refute_it(archive: Archive) -> None:
    other = root_signer(archive.world).public_key
    assert {each.code for each in told(archive, archive.grant, journal_key=other).against} == {Against.JOURNAL_BROKEN}
    exchanged = archive.grant[JOURNAL].replace(base64.b64encode(archive.journal_key), base64.b64encode(other))
    paper = transcript(archive)
    trust = archive.trust(journal_key=None, transcript=paper, signature=signed(archive, paper))
    assert prove_files(archive.grant, trust).outcome is Outcome.PROVED
    found = prove_files({**archive.grant, JOURNAL: exchanged}, trust)
    assert [each.code for each in found.against] == [Against.JOURNAL_BROKEN]

    paper = transcript(archive, first="newcomer")
    found = told(archive, archive.grant, transcript=paper, signature=signed(archive, paper))
    assert [each.code for each in found.against][:1] == [Against.ROSTER_UNPROVED]
    with pytest.raises(ValueError, match="has not signed"):
        archive.trust(transcript=paper, signature=signed(archive))

    pem = archive.grant[CERTIFICATE]
    issuing = x509.load_pem_x509_certificates(pem)[1].public_bytes(Encoding.DER)
    found = prove_files(archive.grant, replace(archive.trust(), root=x509.load_der_x509_certificate(issuing)))
    assert Against.JOURNAL_BROKEN in {each.code for each in found.against}


# --- undecided -------------------------------------------------------------------------------------------------------


def _without(name: str) -> Callable[[Archive], Files]:
    return lambda archive: {each: octets for each, octets in archive.grant.items() if each != name}


def _cut_before_it_was_decided(archive: Archive) -> Files:
    """Cut off by whoever has the journal's key, or at a head that was signed then."""

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        return rows[: place(rows, SECONDED, decision_in(archive.grant))]

    files = archive.forger(archive.grant).sealed(forge)
    return archive.forger({name: octets for name, octets in files.items() if name != CERTIFICATE}).part(
        AUTHORISATIONS, lambda said: [each for each in said if each["statement"]["act"] == AuthorisedAct.PROPOSE]
    )


def _before_there_was_a_roster(archive: Archive) -> Files:
    """As an authority has it that was made before there were rosters, and began one later."""

    def forge(rows: list[SealedRow]) -> list[SealedRow]:
        later = text(_now(archive))
        return [
            payload(each, effective_at=later) if each.kind == FactKind.ROSTER_SET else payload(each, authorisation=...)
            for each in rows
        ]

    files = archive.forger(archive.grant).sealed(forge)
    return archive.forger(files).part(AUTHORISATIONS, lambda _: [])


def _one_statement_less(archive: Archive) -> Files:
    return archive.forger(archive.grant).part(AUTHORISATIONS, lambda said: said[:1])


@pytest.mark.parametrize(
    ("lacking", "code"),
    [
        *((_without(name), Missing.PART) for name in (DECISION, PROPOSAL, AUTHORISATIONS, ROSTERS, JOURNAL)),
        (_without(CERTIFICATE), Missing.CERTIFICATE),
        (_one_statement_less, Missing.STATEMENT),
        (_before_there_was_a_roster, Missing.STATEMENT),
        (lambda of: of.forger(of.grant).part(ROSTERS, lambda said: said[1:]), Missing.ROSTER),
        (_cut_before_it_was_decided, Missing.ROWS),
        (lambda of: of.forger(of.grant).part(DECISION, lambda _: {"decision": "dec-none"}), Missing.ROWS),
    ],
)
def test_where_something_is_missing_nothing_is_decided(
    archive: Archive, lacking: Callable[[Archive], Files], code: Missing
) -> None:
    found = told(archive, lacking(archive))
    if code is not Missing.ROWS or decision_in(lacking(archive)) != "dec-none":
        assert found.against == []
        assert found.outcome is Outcome.UNDECIDED
    assert code in {each.code for each in found.missing}


def test_without_a_key_of_the_journal_nothing_is_decided(archive: Archive) -> None:
    found = told(archive, archive.grant, journal_key=None)
    assert (found.outcome, [each.code for each in found.missing]) == (Outcome.UNDECIDED, [Missing.JOURNAL_KEY])


# --- the command -----------------------------------------------------------------------------------------------------


def test_an_auditor_exports_a_dossier_and_anybody_proves_it(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keys").mkdir()
    folder, root = tmp_path / "dossier", tmp_path / "root.cer"
    root.write_bytes(archive.root)
    with served(Api(archive.world), tmp_path / "keys") as people:
        decision = decision_in(archive.grant)
        said = people.run("auditor", "decide", "export", decision, "--to", str(folder))
        assert said.status == 0, said
        assert (
            "there is such a folder" in people.run("officer-1", "decide", "export", decision, "--to", str(folder)).err
        )
        refused = people.run("manufacturer", "decide", "export", decision, "--to", str(tmp_path / "no"))
        assert "operation-not-permitted" in refused.err
    assert parts_of(folder) == {name: archive.stretches[name] for name in parts_of(folder)}

    key = base64.b64encode(archive.journal_key).decode()
    paper = tmp_path / "transcript.txt"
    paper.write_bytes(transcript(archive))
    trust = ["--root", str(root), "--transcript", str(paper)]
    assert _run(*trust, str(folder)) == 2
    assert "no transcript.sig" in capsys.readouterr().err
    paper.with_name("transcript.sig").write_bytes(signed(archive))
    assert _run(*trust, str(folder)) == 0
    story = capsys.readouterr().out
    assert f"Decision {decision} (grant TDT-2027-0001-" in story
    assert f"by key {member(OFFICER_2.name).key} of roster 1" in story

    packed = tmp_path / "dossier.zip"
    with zipfile.ZipFile(packed, "w") as made:
        for name, octets in parts_of(folder).items():
            made.writestr(f"dossier/{name}", octets)
    assert _run("--root", str(root), "--journal-key", key, str(packed), "--json") == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "proved"

    whole = tmp_path / "journal.jsonl"
    whole.write_bytes(archive.grant[JOURNAL])
    assert _run(*trust, "--journal", str(whole), str(packed)) == 0
    assert "not seen" not in capsys.readouterr().out
    (folder / PROPOSAL).write_bytes(canonical({"kind": "grant\x1b[2J"}))
    assert _run(*trust, str(folder)) == 1
    refuted = capsys.readouterr().out
    assert "[proposal-altered]" in refuted
    assert "\x1b" not in refuted
    (folder / JOURNAL).unlink()
    assert _run(*trust, str(folder)) == 2
    packed.write_bytes(packed.read_bytes()[:-40])
    assert _run(*trust, str(packed)) == 1
    capsys.readouterr()
    assert _run("--root", str(paper), str(folder)) == 2
    assert "What is to be trusted cannot be" in capsys.readouterr().err


def _run(*words: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["decision", *words])
    return int(stopped.value.code or 0)
