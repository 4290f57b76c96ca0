"""Officers' own keys on the command line: what is signed is what the bytes say, for the authority that is meant."""

import base64
import hashlib
import json
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from api.answers import DecisionBatchAnswer
from app.cli import decide
from app.cli.authorising import AT_ONCE, sign_for
from app.cli.ceremony import make, planned
from app.cli.signing import KEY_VARIABLE, PASSPHRASE_VARIABLE
from app.client import Client
from app.house import open_house
from app.officer import Hand, Officer, authority_pinned, signing_instant
from app.recomputed import recomputed, require_as_sent
from app.settings import load
from core.canonical import digest
from core.clock import SystemClock
from core.errors import AuthorisationRefused, HomeOccupied, KeysOfTwo, ShownOtherwise
from core.kinds import AuthorisedAct
from officers.claims import about_all
from officers.key_file import public_pem
from officers.statement import MOST_LISTED, Authority, Listed
from ra.authorising import authority_shown, roster_shown
from ra.deciding import look
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.views import DecisionAnswer
from store.reading.authority import certificates
from tests.acting import InHand, member, officer_key
from tests.api_world import Api, application, done
from tests.people_world import PASSPHRASE, People, Said, sealed, served, trialcpa, write_private
from tests.world import NOW, OFFICER_2, World

YES = "--yes-i-have-read"


@pytest.fixture
def people(store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path) -> Iterator[People]:
    world = World(store_copy("sqlite"), keys_folder)
    (tmp_path / "keys").mkdir()
    with served(Api(world), tmp_path / "keys") as made:
        yield made
    world.close()


@pytest.fixture(scope="module")
def shown(store_copy: Callable[[str], str], keys_folder: Path) -> DecisionAnswer:
    """A grant with its draft, as the service shows it."""
    world = World(store_copy("sqlite"), keys_folder)
    decision = world.proposed(ProposeGrant(world.applied(), "It looks sound."))
    world.authority.settle()
    said = look.decision(world.desk, OFFICER_2, decision)
    world.close()
    return said


def code(said: Said) -> str:
    assert said.status == 1, said
    return said.err.rpartition("[")[2].rstrip("]\n")


def decisions(said: Said) -> list[dict[str, Any]]:
    assert said.status == 0, said.err
    return list(json.loads(said.out)["decisions"])


def form(folder: Path, *applications: str) -> Path:
    path = folder / "meeting.toml"
    one = '[[decision]]\nkind = "grant"\napplication = "{}"\nreasons = "It looks sound."\n'
    path.write_text("".join(one.format(each) for each in applications))
    return path


# --- the key -----------------------------------------------------------------------------------------------------


def test_a_key_is_made_once_for_its_owner_only_with_its_public_half_beside(tmp_path: Path) -> None:
    write_private(tmp_path / "passphrase", PASSPHRASE)
    path, source = tmp_path / "jane.key.pem", f"file:{tmp_path / 'passphrase'}"
    made = trialcpa("officer", "key", "new", str(path), "--passphrase", source)
    assert made.status == 0, made.err
    thumbprint = made.out.strip()
    public = tmp_path / "jane.key.pub.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shown = trialcpa("officer", "key", "show", str(path), "--passphrase", source)
    assert shown.out == f"{thumbprint}\n{public.read_text()}"
    before = path.read_bytes()
    assert code(trialcpa("officer", "key", "new", str(path), "--passphrase", source)) == "input-unusable"
    path.unlink()
    again = trialcpa("officer", "key", "new", str(path), "--passphrase", source)
    assert (code(again), path.exists()) == ("input-unusable", False)  # its public half would have to be replaced
    path.write_bytes(before)
    path.chmod(0o600)
    write_private(tmp_path / "wrong", b"something else")
    wrong = trialcpa("officer", "key", "show", str(path), "--passphrase", f"file:{tmp_path / 'wrong'}")
    assert (code(wrong), "the passphrase is wrong" in wrong.words) == ("officer-key-unusable", True)


def test_a_passphrase_is_never_taken_from_a_command_line_or_the_environment(tmp_path: Path) -> None:
    for said in (
        trialcpa("officer", "key", "new", str(tmp_path / "key.pem"), "--passphrase", "hunter2"),
        trialcpa("officer", "key", "new", str(tmp_path / "key.pem"), **{PASSPHRASE_VARIABLE: "hunter2"}),
    ):
        assert (code(said), "hunter2" in said.words) == ("passphrase-unusable", False)
    assert not (tmp_path / "key.pem").exists()


def test_a_passphrase_is_asked_for_twice_when_it_is_chosen_and_once_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "jane.key.pem"
    asked: list[str] = []

    def typed(question: str) -> str:
        asked.append(question)
        return PASSPHRASE.decode()

    monkeypatch.setattr("keys.passphrase.getpass.getpass", typed)
    made = trialcpa("officer", "key", "new", str(path))
    shown = trialcpa("officer", "key", "show", str(path))
    assert shown.out.startswith(made.out)
    new = f"New passphrase of your key {path}, 15 characters at least: "
    assert asked == [new, "Once more: ", f"Passphrase of your key {path}: "]


# --- what is signed is what the bytes say ------------------------------------------------------------------------


def _proposal(said: DecisionAnswer, **changes: object) -> DecisionAnswer:
    """The decision with another proposal, its digests mended so that all of it agrees again."""
    proposal = {**said.proposal, **changes}
    return replace(said, proposal=proposal, proposal_sha256=digest(proposal).hex())


def _bytes(said: DecisionAnswer, found: bytes, instead: bytes) -> DecisionAnswer:
    """The decision with other bytes to be signed, their digests mended likewise."""
    assert said.draft is not None
    tbs = base64.b64decode(said.draft.tbs)
    assert found in tbs
    changed = tbs.replace(found, instead)
    sha256 = hashlib.sha256(changed).hexdigest()
    draft = replace(said.draft, tbs=base64.b64encode(changed).decode(), tbs_sha256=sha256)
    return replace(said, draft=draft, drafts=(draft,), tbs_sha256=sha256)


def _draft(said: DecisionAnswer, **changes: Any) -> DecisionAnswer:
    assert said.draft is not None
    one = replace(said.draft, **changes)
    return replace(said, draft=one, drafts=(one,))


def _approval(said: DecisionAnswer) -> bytes:
    return str(said.approval).encode()


OTHERWISE: dict[str, tuple[Callable[[DecisionAnswer], DecisionAnswer], str]] = {
    "proposal": (lambda said: replace(said, proposal={**said.proposal, "officers": 1}), "its proposal's digest"),
    "proposal's digest": (lambda said: replace(said, proposal_sha256="0" * 64), "its proposal's digest"),
    "no canonical form": (lambda said: replace(said, proposal={**said.proposal, "x": 1.5}), "has no digest"),
    "kind": (lambda said: _proposal(said, kind="rekey"), "its kind"),
    "approval beside": (lambda said: replace(said, approval="TDT-2026-0099-X"), "its approval"),
    "no draft": (lambda said: replace(said, draft=None, drafts=()), "the digest of bytes to be signed"),
    "not base64": (lambda said: _draft(said, tbs="%"), "not base64"),
    "draft's digest": (lambda said: _draft(said, tbs_sha256="0" * 64), "the digest of the bytes to be signed"),
    "digest beside": (lambda said: replace(said, tbs_sha256="0" * 64), "the digest of the bytes to be signed"),
    "no certificate": (lambda said: _bytes(said, b"\x30", b"\x31"), "no Trial CPA Certificate"),
    "another draft beside": (lambda said: replace(_draft(said, serial="00"), drafts=said.drafts), "the first draft"),
    "a draft too many": (lambda said: replace(said, drafts=said.drafts * 2), "the number of certificates"),
    "another device": (lambda said: _bytes(said, b"010A030B", b"010A030C"), "the device in its certificate"),
    "another approval": (lambda said: _bytes(said, _approval(said), _approval(said)[:-1] + b"!"), "no Trial CPA"),
    "another proposal": (lambda said: _proposal(said, officers=1), "the proposal that its certificate names"),
}


@pytest.mark.clause("F2.18")
@pytest.mark.parametrize("change", OTHERWISE)
def test_what_does_not_agree_with_its_bytes_is_not_signed_for(shown: DecisionAnswer, change: str) -> None:
    changed, told = OTHERWISE[change]
    with pytest.raises(ShownOtherwise) as refused:
        recomputed(changed(shown))
    assert told in str(refused.value)


def test_a_form_of_any_length_is_signed_for_in_as_many_requests_as_the_service_takes(shown: DecisionAnswer) -> None:
    asked: list[tuple[int, int]] = []

    class _Client:
        def show(self, _kind: type, address: str) -> DecisionAnswer:
            return replace(shown, decision=address.rpartition("/")[2], draft=None, drafts=(), tbs_sha256=None)

        def do(self, _kind: type, _address: str, body: dict[str, Any]) -> DecisionBatchAnswer:
            asked.append((len(body["decisions"]), len(body["listed"])))
            return DecisionBatchAnswer(results=())

    authority = Authority(name="TEST Trial CPA", root_key_sha256="0" * 64)
    officer = Officer(name="officer-1", key=InHand(officer_key("officer-1")), authority=authority)
    hand = Hand(officer, lambda: shown.proposed_at)
    sign_for(cast("Client", _Client()), hand, [f"dec-{each}" for each in range(201)])
    assert asked == [(100, 100), (100, 100), (1, 1)]


def test_more_than_one_statement_may_be_about_are_seconded_by_several() -> None:
    asked: list[tuple[int, int]] = []

    class _Client:
        def do(self, _kind: type, _address: str, body: dict[str, Any]) -> DecisionBatchAnswer:
            asked.append((len(body["decisions"]), len(body["listed"])))
            return DecisionBatchAnswer(results=())

    authority = Authority(name="TEST Trial CPA", root_key_sha256="0" * 64)
    officer = Officer(name="officer-1", key=InHand(officer_key("officer-1")), authority=authority)
    accepted = [Listed(decision=f"dec-{each}", proposal_sha256="0" * 64) for each in range(MOST_LISTED + 2)]
    decide._seconded(cast("Client", _Client()), Hand(officer, lambda: NOW), accepted)
    assert asked == [(AT_ONCE, MOST_LISTED)] * (MOST_LISTED // AT_ONCE) + [(2, 2)]
    with pytest.raises(AuthorisationRefused):
        about_all(AuthorisedAct.SECOND, accepted)


SAYS = {
    "public_key_sha256": "0" * 64,
    "approval": "TDT-2026-0002-W",
    "issue": 2,
    "start": "2027-01-05T00:00:00Z",
    "expiry": "2027-07-01T23:59:59Z",
    "not_before": "2027-01-05T00:00:00Z",
    "not_after": "2027-07-01T23:59:59Z",
    "maximum_devices": 501,
    "device": {},
    "firmware": [],
    "organisation": {"certificate_name": "Somebody Else Ltd"},
}


@pytest.mark.clause("F2.25")
@pytest.mark.parametrize("member", SAYS)
def test_each_value_of_the_certificate_is_the_proposals(
    shown: DecisionAnswer, member: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The certificate names its proposal by a digest, so all else could only differ by a fault of the authority's.
    found = recomputed(shown)
    said = _proposal(shown, **{member: SAYS[member]})
    said = replace(said, approval=said.proposal["approval"])
    monkeypatch.setattr("app.recomputed.digest", lambda _: bytes.fromhex(found.listed.proposal_sha256))
    with pytest.raises(ShownOtherwise) as refused:
        recomputed(replace(said, proposal_sha256=found.listed.proposal_sha256))
    assert "certificate is “" in str(refused.value)


def test_what_is_shown_of_a_certificate_is_read_from_the_bytes(shown: DecisionAnswer) -> None:
    found = recomputed(_draft(shown, serial="00", in_words=("nothing",)))
    said = dict(found.certificates[0])
    assert shown.draft is not None
    assert found.listed.tbs_sha256 == (shown.tbs_sha256,)
    assert (said["serial"], said["approval"]) == (shown.draft.serial, f"{shown.approval}, issue 1")
    assert str(shown.proposal["public_key_sha256"]) in str(said["public key"])


def test_a_proposal_that_is_not_what_was_sent_is_not_signed_for(shown: DecisionAnswer) -> None:
    sent = {"kind": "grant", "application": shown.application, "start": "2027-01-04", "maximum_devices": 500}
    require_as_sent(shown, sent, "officer-1")
    for name, other in {"application": "app-other", "start": "2027-01-05", "maximum_devices": 5}.items():
        with pytest.raises(ShownOtherwise, match=f"its {name}"):
            require_as_sent(shown, {**sent, name: other}, "officer-1")
    with pytest.raises(KeysOfTwo, match="Your API key is officer-1's and your own key is officer-2's"):
        require_as_sent(shown, sent, "officer-2")
    with pytest.raises(ShownOtherwise, match="its proposer"):
        require_as_sent(replace(shown, proposer="officer-2"), sent, "officer-2")


def test_only_a_test_authoritys_service_says_what_time_it_is() -> None:
    machine = SystemClock().now()
    ahead = machine + timedelta(days=400)
    assert signing_instant(Authority(name="TEST Trial CPA", root_key_sha256="0" * 64), ahead) == ahead
    own = signing_instant(Authority(name="TESTY Trial CPA", root_key_sha256="0" * 64), ahead)
    assert machine <= own < machine + timedelta(minutes=5)


# --- signing -----------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.18")
def test_two_officers_sign_elsewhere_and_others_send_it(people: People, tmp_path: Path) -> None:
    applications = [people.api.applied(), people.api.applied(device={**application()["device"], "model": "OTHER"})]
    meeting = form(tmp_path, *applications)
    made = [each["decision"] for each in decisions(people.run("officer-1", "decide", "propose", str(meeting),
                                                              "--sign-later", "--json"))]  # fmt: skip
    people.api.settle()
    early = people.run("officer-2", "decide", "second", made[0], YES)
    assert (code(early), "not signed for by officer-1" in early.words) == ("wrong-state", True)
    for who, act, sends in (("officer-1", "propose", "authorise"), ("officer-2", "second", "second")):
        named = [word for each in made for word in ("--decision", each)]
        signed = people.run(who, "officer", "sign", *named, "--act", act, YES)
        assert signed.status == 0, signed.err
        assert "The certificate, read from the very bytes" in signed.err
        (tmp_path / "signed.json").write_text(signed.out)
        assert len(json.loads(signed.out)["listed"]) == 2
        with_it = (*made, "--authorisation", str(tmp_path / "signed.json"), "--json")
        sent = unkeyed(people, who, "decide", sends, *with_it, *([YES] if act == "second" else []))
        assert len(decisions(sent)) == 2
    people.api.settle()
    found = [done(people.api.ask("auditor", "GET", f"/v1/decisions/{each}"))["state"] for each in made]
    assert found == ["done", "done"]


@pytest.mark.clause("F2.30")
def test_an_urgent_revocation_is_signed_for_here_or_elsewhere(people: People, tmp_path: Path) -> None:
    approval = people.api.granted()
    typed = approval.lower().replace("-", "")
    refused = people.run("officer-1", "officer", "sign", "--revoke", typed, "--cause", "ssc", typed="n\n")
    assert (refused.status, refused.out.strip()) == (1, "")
    signed = people.run("officer-1", "officer", "sign", "--revoke", typed, "--cause", "ssc", typed="y\n")
    (tmp_path / "signed.json").write_text(signed.out[signed.out.index("{") :])
    (tmp_path / "why.txt").write_text("It has to be.\n")
    words = ("decide", "revoke", typed, "--reasons", str(tmp_path / "why.txt"), "--urgent", YES, "--json")
    other = unkeyed(
        people, "officer-1", *words, "--cause", "key-compromise", "--authorisation", str(tmp_path / "signed.json")
    )
    assert code(other) == "authorisation-refused"
    told = unkeyed(people, "officer-1", *words, "--cause", "ssc", "--authorisation", str(tmp_path / "signed.json"))
    assert decisions(told)[0]["approval"] == approval


@pytest.mark.clause("F2.23")
def test_a_breach_is_confirmed_by_what_was_signed_elsewhere(people: People, tmp_path: Path) -> None:
    condition = {"text": "Only in Leeds."}
    decision = people.api.proposed(kind="grant", application=people.api.applied(), conditions=[condition])
    people.api.settle()
    assert people.run("officer-2", "decide", "second", decision, YES).status == 0
    people.api.settle()
    approval = done(people.api.ask("auditor", "GET", f"/v1/decisions/{decision}"))["approval"]
    suspected = people.run("officer-1", "breaches", "suspect", approval, "--condition", "1", "--why", "x", "--json")
    breach = json.loads(suspected.out)["breach"]
    signed = people.run("officer-2", "officer", "sign", "--breach", breach, YES)
    (tmp_path / "signed.json").write_text(signed.out)
    words = ("breaches", "confirm", breach, "--why", "x", "--json", "--authorisation", str(tmp_path / "signed.json"))
    assert code(unkeyed(people, "officer-1", *words)) == "authorisation-refused"  # it is not theirs
    assert json.loads(unkeyed(people, "officer-2", *words).out)["state"] == "confirmed"


def test_where_no_roster_is_shown_nothing_is_signed_and_the_service_decides(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = people.api.proposed(kind="grant", application=people.api.applied())
    people.api.settle()
    monkeypatch.setattr("app.cli.signing.ROSTER_PATH", "/v1/no-such-thing")
    assert code(unkeyed(people, "officer-2", "decide", "second", decision, YES)) == "authorisation-missing"


def test_whoever_cannot_sign_is_told_what_to_do(people: People, tmp_path: Path) -> None:
    decision = people.api.proposed(kind="grant", application=people.api.applied())
    people.api.settle()
    second = ("decide", "second", decision, YES)
    own = people.signs("officer-2")
    write_private(tmp_path / "wrong", b"something else")
    stranger = people.keys / "stranger.key.pem"
    write_private(stranger, sealed("a stranger"))
    for environment, told, words in (
        ({}, "officer-key-unusable", "trialcpa officer key new"),
        ({**own, KEY_VARIABLE: str(tmp_path / "none.pem")}, "officer-key-unusable", "No such file"),
        ({**own, PASSPHRASE_VARIABLE: f"file:{tmp_path / 'wrong'}"}, "officer-key-unusable", "the passphrase is wrong"),
        ({**own, PASSPHRASE_VARIABLE: "hunter2"}, "passphrase-unusable", "file:PATH"),
        ({**own, KEY_VARIABLE: str(stranger)}, "officer-key-not-on-roster", "trialcpa roster change"),
    ):
        said = unkeyed(people, "officer-2", *second, **environment)
        assert (code(said), words in said.words) == (told, True), said.words
    other = people.run("officer-2", *second, "--root", str(root(people, tmp_path, "issuing")))
    assert code(other) == "input-unusable"
    pinned = authority_pinned(root(people, tmp_path, "root"))
    with people.api.world.store.read() as tx:
        assert pinned == authority_shown(tx)
    assert people.run("officer-2", *second, "--root", str(tmp_path / "root.pem")).status == 0


def test_a_service_of_another_root_is_not_signed_for(people: People, tmp_path: Path, monkeypatch: Any) -> None:
    decision = people.api.proposed(kind="grant", application=people.api.applied())
    people.api.settle()
    other = Authority(name="TEST Trial CPA", root_key_sha256="0" * 64)
    monkeypatch.setattr("app.cli.signing.authority_pinned", lambda _: other)
    said = people.run("officer-2", "decide", "second", decision, YES, "--root", str(tmp_path / "root.pem"))
    assert (code(said), "nothing was signed" in said.words) == ("authority-differs", True)


def test_a_statement_made_elsewhere_that_is_none_is_told(people: People, tmp_path: Path) -> None:
    path = tmp_path / "signed.json"
    for content, told in (
        ("", "input-unusable"),
        ("[]", "input-unusable"),
        ('{"authorisation": 5}', "input-unusable"),
        ('{"authorisation": {"statement": {}, "key": "x", "proof": "y"}}', "authorisation-refused"),
    ):
        path.write_text(content)
        assert code(people.run("officer-2", "decide", "second", "dec-1", YES, "--authorisation", str(path))) == told
    path.unlink()
    assert (
        code(people.run("officer-2", "decide", "second", "dec-1", YES, "--authorisation", str(path)))
        == "input-unusable"
    )


def test_what_officer_sign_signs_has_to_be_said(people: People) -> None:
    for words in ([], ["--decision", "dec-1"], ["--act", "second"], ["--revoke", "TDT-2026-0001-X"],
                  ["--breach", "b", "--decision", "dec-1", "--act", "second"]):  # fmt: skip
        assert people.run("officer-1", "officer", "sign", *words).status == 2, words


# --- the first roster --------------------------------------------------------------------------------------------


def test_the_first_officers_are_named_at_the_ceremony(tmp_path: Path) -> None:
    named = [f"--officer={who}={public(tmp_path, who)}" for who in ("jane", "john")]
    home = tmp_path / "home"
    made = trialcpa("init", "--test", "--home", str(home), *named)
    assert made.status == 0, made.err
    assert "three are advised" in made.words
    with closing(open_house(load(home))) as house, house.store.read() as tx:
        shown = roster_shown(tx, house.clock.now())
    assert shown is not None
    assert {each.officer: each.key for each in shown.members} == {who: member(who).key for who in ("jane", "john")}
    transcript = (home / "ceremony" / "transcript.txt").read_text()
    assert [each.key for each in shown.members if each.key not in transcript] == []


def test_who_cannot_be_the_first_officers_is_told_before_anything_is_made(tmp_path: Path) -> None:
    one, home = public(tmp_path, "jane"), tmp_path / "home"
    (tmp_path / "no.pem").write_text("no key")
    live = ["--live", "--arc", "1.3.6.1.4.1.99999.1", "--base-url", "http://pki.sec.org", "--passphrase", "fd:9"]
    for words, told in (
        (live, "no defaults for --officer"),
        (["--test", f"--officer=jane={one}"], "it has 1 officer, and 2 are the fewest"),
        (["--test", f"--officer=jane={one}", f"--officer=john={one}"], "a key is on it twice"),
        (["--test", f"--officer=jane={tmp_path / 'no.pem'}"], "the key of jane cannot be read"),
        (["--test", f"--officer=jane={tmp_path / 'none.pem'}"], "No such file"),
        (["--test", "--officer=jane"], "--officer jane.doe=jane.pub.pem"),
        (["--test", "--demo", f"--officer=jane={one}"], "leave out --officer"),
    ):
        said = trialcpa("init", "--home", str(home), *words)
        assert (said.status > 0, told in said.words, home.exists()) == (True, True, False), (told, said.words)


def test_an_interrupted_ceremony_goes_on_with_its_officers_only(tmp_path: Path) -> None:
    plan = replace(planned(tmp_path / "home", "test", port=8470), roster=(member("jane"), member("john")))
    make(plan)
    (tmp_path / "home" / "ceremony" / "transcript.txt").unlink()
    with pytest.raises(HomeOccupied):
        make(replace(plan, roster=(member("jane"), member("mallory"))))
    assert member("jane").key in make(replace(plan, roster=()))  # what counts is told, whoever was named again


# --- parts -------------------------------------------------------------------------------------------------------


def public(folder: Path, who: str) -> Path:
    path = folder / f"{who}.pub.pem"
    path.write_bytes(public_pem(officer_key(who)))
    return path


def unkeyed(people: People, who: str, *words: str, **environment: str) -> Said:
    """Run a command without the key that signs, unless the environment names one."""
    asked = ("--url", people.url, "--key-file", str(people.keys / f"{who}.key"))
    return trialcpa(*words, *asked, **environment)


def root(people: People, folder: Path, role: str) -> Path:
    """A certificate of the hierarchy in a file, as somebody was handed it."""
    with people.api.world.store.read() as tx:
        der = next(each.der for each in certificates(tx) if each.role == role)
    path = folder / f"{role}.pem"
    path.write_bytes(der)
    return path
