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

from core.canonical import canonical
from core.facts import FactKind
from core.kinds import AuthorisedAct
from ra.telling.approvals import certificate
from store.reading.authority import authority_row
from tests import dossier_forgeries as forged
from tests.acting import member
from tests.api_world import Api
from tests.dossier_world import LATER, Archive, Files, archive_of, dossier_of, root_of
from tests.people_world import served
from tests.roster_world import root_signer
from tests.test_amendments import amended, running
from tests.test_waiting import DECEMBER, MARCH
from tests.world import AUDITOR, OFFICER_1, OFFICER_2, OFFICER_3, World
from verify.kit.agreed.command import parts as parts_of
from verify.kit.agreed.decision import prove_files
from verify.kit.agreed.dossier import AUTHORISATIONS, CERTIFICATE, DECISION, JOURNAL, ORDERS, PROPOSAL, ROSTERS, trusted
from verify.kit.agreed.findings import Against, Missing, Outcome, Told
from verify.kit.program import main


@pytest.fixture(scope="module")
def archive(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Archive]:
    world = World(store_copy("sqlite"), keys_folder)
    yield archive_of(world)
    world.close()


def told(archive: Archive, files: Files, **trust: Any) -> Told:
    return prove_files(files, archive.trust(**trust))


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


@pytest.mark.clause("F2.18")
@pytest.mark.parametrize(
    ("made", "code", "words"),
    [
        (forged.other_member, Against.PROPOSAL_ALTERED, "another proposal"),
        (forged.not_canonical, Against.PROPOSAL_ALTERED, "canonical"),
        (forged.by_another_key, Against.STATEMENT_REFUSED, "signature"),
        (forged.one_officer_twice, Against.OFFICER_TWICE, "officer-1 signed twice"),
        (forged.by_a_later_key, Against.STATEMENT_REFUSED, "roster 1, key"),
        (forged.other_members, Against.ROSTER_ALTERED, "other members"),
        (forged.row_missing, Against.JOURNAL_BROKEN, "Row 10 stands where 9"),
        (forged.row_missing_in_a_stretch, Against.JOURNAL_BROKEN, "altered"),
        (forged.cut, Against.JOURNAL_BROKEN, "which is not there"),
        (forged.other_certificate, Against.CERTIFICATE_ALTERED, "not those that the officers signed for"),
        (forged.for_another_decision, Against.STATEMENT_STRANGE, "officer-2 signed to second"),
        (
            lambda of: forged.resigned(of, of.grant, subject="dec-x"),
            Against.STATEMENT_REFUSED,
            "about dec-x",
        ),
        (lambda of: forged.resigned(of, of.grant, proposal_sha256="ab" * 32), Against.STATEMENT_REFUSED, "digest"),
        (
            lambda of: forged.resigned(of, of.grant, act=AuthorisedAct.REJECT),
            Against.STATEMENT_REFUSED,
            "it authorises",
        ),
        (forged.of_another_authority, Against.STATEMENT_REFUSED, "authority"),
        (forged.used_again, Against.STATEMENT_USED_AGAIN, "two acts"),
        (forged.unsigned, Against.STATEMENT_UNSIGNED, "nothing that was signed"),
        (forged.proposer_silent, Against.OFFICERS_WANTING, "1 officer signed"),
        (forged.gone_before_the_signature, Against.OFFICER_GONE, "officer-2 was not on roster 2"),
        (forged.signed_before_it_was_agreed, Against.ORDER_REVERSED, "signature-intended"),
        (forged.granted_to_another, Against.CONSEQUENCE_STRANGE, "TDT-2027-0009-X"),
        (forged.other_bytes, Against.CERTIFICATE_ALTERED, "not those that the officers signed for"),
        (forged.other_list, Against.STATEMENT_REFUSED, "subject"),
        (forged.not_in_the_list, Against.STATEMENT_REFUSED, "does not hold"),
        (forged.other_cause, Against.PROPOSAL_ALTERED, "another proposal"),
        (forged.urgent_for_another, Against.STATEMENT_REFUSED, "TDT-2027-0009-X"),
        (lambda of: of.rejected, Against.CAME_TO_NOTHING, "decision-rejected, by officer-2"),
        (forged.order_of_one, Against.ROSTER_UNPROVED, "is not roster 2"),
        (forged.not_the_order, Against.ROSTER_UNPROVED, "is not roster 2"),
        (forged.says_otherwise, Against.CERTIFICATE_ALTERED, "the limit in its certificate is “500”"),
        (forged.for_two_certificates, Against.CERTIFICATE_ALTERED, "different certificates"),
        (
            forged.changed("grant", FactKind.CERTIFICATE_ISSUED, sha256="ab" * 32),
            Against.CERTIFICATE_ALTERED,
            "another certificate was issued",
        ),
        (
            forged.changed("urgent", FactKind.DECISION_MADE_ALONE, approval="TDT-2027-0009-X"),
            Against.PROPOSAL_ALTERED,
            "another order",
        ),
        (forged.proposed_by_another, Against.PROPOSAL_ALTERED, "the proposal says another"),
        (forged.roster_set_twice, Against.ROSTER_ALTERED, "roster 1 twice"),
        (forged.without_issuing_ca, Against.CERTIFICATE_FOREIGN, "No CA certificate"),
        (
            lambda of: forged.lines(of.stretches, lambda said: "head" not in said),
            Against.JOURNAL_BROKEN,
            "No signed head",
        ),
        (forged.stretches_reversed, Against.JOURNAL_BROKEN, "does not lie behind"),
        (
            lambda of: forged.by_the_root(of, signature=b"none"),
            Against.ROSTER_UNPROVED,
            "The root has not signed roster 2",
        ),
        (lambda of: forged.by_the_root(of, friend=True), Against.ROSTER_UNPROVED, "another roster than 2"),
        (
            lambda of: of.forger(of.grant).part(PROPOSAL, lambda said: {**said, "approval": [said]}),
            Against.PART_UNREADABLE,
            "no authority writes",
        ),
        (lambda of: {**of.grant, AUTHORISATIONS: b"["}, Against.PART_UNREADABLE, "authorisations.json is no JSON"),
        (lambda of: {**of.grant, JOURNAL: b'{"row": 1}'}, Against.PART_UNREADABLE, "line 1"),
        (lambda of: {**of.grant, CERTIFICATE: b"-----BEGIN"}, Against.PART_UNREADABLE, "certificate.pem"),
    ],
)
def test_whatever_is_altered_refutes_it_with_its_reason(
    archive: Archive, made: Callable[[Archive], Files], code: Against, words: str
) -> None:
    found = told(archive, made(archive))
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


def test_a_roster_that_the_root_has_made_is_proved(archive: Archive) -> None:
    found = told(archive, forged.by_the_root(archive), transcript=transcript(archive), signature=signed(archive))
    assert (found.against, found.missing, found.unchecked) == ([], [], [])


# --- undecided -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lacking", "code"),
    [
        *((forged.without(name), Missing.PART) for name in (DECISION, PROPOSAL, AUTHORISATIONS, ROSTERS, JOURNAL)),
        (forged.without(CERTIFICATE), Missing.CERTIFICATE),
        (forged.one_statement_less, Missing.STATEMENT),
        (forged.before_there_was_a_roster, Missing.STATEMENT),
        (lambda of: of.forger(of.grant).part(ROSTERS, lambda said: said[1:]), Missing.ROSTER),
        (forged.cut_before_it_was_decided, Missing.ROWS),
        (lambda of: of.forger(of.grant).part(DECISION, lambda _: {"decision": "dec-none"}), Missing.ROWS),
    ],
)
def test_where_something_is_missing_nothing_is_decided(
    archive: Archive, lacking: Callable[[Archive], Files], code: Missing
) -> None:
    found = told(archive, lacking(archive))
    if code is not Missing.ROWS or forged.decision_in(lacking(archive)) != "dec-none":
        assert found.against == []
        assert found.outcome is Outcome.UNDECIDED
    assert code in {each.code for each in found.missing}


def test_without_a_key_of_the_journal_nothing_is_decided(archive: Archive) -> None:
    found = told(archive, archive.grant, journal_key=None)
    assert (found.outcome, [each.code for each in found.missing]) == (Outcome.UNDECIDED, [Missing.JOURNAL_KEY])


@pytest.mark.clause("F2.29")
def test_a_decision_that_carries_a_change_is_proved_with_every_certificate_that_it_led_to(
    store_copy: Callable[[str], str], keys_folder: Path
) -> None:
    world = World(store_copy("sqlite"), keys_folder)
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    decision = amended(world, approval, expiry=DECEMBER)
    world.passes(LATER)
    world.authority.settle()
    with world.store.read() as tx:
        trust = trusted(root_of(world), journal_key=authority_row(tx).journal_key)
    files = dossier_of(Api(world), decision)
    found = prove_files(files, trust)
    assert (found.against, found.missing, found.outcome) == ([], [], Outcome.PROVED)
    chains = files[CERTIFICATE].split(b"-----BEGIN CERTIFICATE-----")[1:]
    assert len(chains) == 6
    for alone in (chains[:3], chains[3:]):
        octets = b"".join(b"-----BEGIN CERTIFICATE-----" + each for each in alone)
        one = prove_files({**files, CERTIFICATE: octets}, trust)
        assert one.outcome is Outcome.PROVED
        assert any("1 of them are here" in each for each in one.unchecked)
    serial = world.record(approval).certificates[1].serial
    stranger = certificate(world.desk, AUDITOR, serial).chain[0]
    pem = x509.load_der_x509_certificate(stranger).public_bytes(Encoding.PEM)
    refuted = prove_files({**files, CERTIFICATE: files[CERTIFICATE] + pem}, trust)
    assert Against.CERTIFICATE_ALTERED in {each.code for each in refuted.against}
    world.close()


# --- the command -----------------------------------------------------------------------------------------------------


def test_an_auditor_exports_a_dossier_and_anybody_proves_it(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keys").mkdir()
    folder, root = tmp_path / "dossier", tmp_path / "root.cer"
    root.write_bytes(archive.root)
    with served(Api(archive.world), tmp_path / "keys") as people:
        decision = forged.decision_in(archive.grant)
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


def test_the_dossier_of_an_approval_refutes_nothing_by_holding_several_decisions(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, packed = tmp_path / "root.cer", tmp_path / "TDT-2027-0001-dossier.zip"
    root.write_bytes(archive.root)
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr(JOURNAL, b"")
        for name, octets in archive.grant.items():
            made.writestr(f"decisions/dec-1/{name}", octets)
    (tmp_path / "unpacked" / "decisions" / "dec-1").mkdir(parents=True)
    key = base64.b64encode(archive.journal_key).decode()
    for named in (packed, tmp_path / "unpacked"):
        assert _run("--root", str(root), "--journal-key", key, str(named)) == 2
        assert "holds several decisions" in " ".join(capsys.readouterr().err.split())


def test_a_key_that_cannot_be_read_is_the_callers_mistake_and_refutes_nothing(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, folder = tmp_path / "root.cer", tmp_path / "dossier"
    root.write_bytes(archive.root)
    folder.mkdir()
    for name, octets in archive.grant.items():
        (folder / name).write_bytes(octets)
    trust, key = ["--root", str(root)], base64.b64encode(archive.journal_key).decode()
    assert _run(*trust, "--journal-key", key, str(folder)) == 0
    for wrong in ("MFkw", key[:-4], key[:-1], f"{key}AAAA", "?"):
        capsys.readouterr()
        assert _run(*trust, "--journal-key", wrong, str(folder)) == 2, wrong
        told = capsys.readouterr()
        assert (told.out, "copy the whole" in told.err) == ("", True), wrong
    assert _run(*trust, str(folder)) == 2
    out = capsys.readouterr().out
    assert "--transcript" in out
    assert "--journal-key" in out
    assert _run(*trust, "--journal-key", key, str(tmp_path / "absent")) == 2
    assert "there is no file" in capsys.readouterr().err


def _run(*words: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["decision", *words])
    return int(stopped.value.code or 0)
