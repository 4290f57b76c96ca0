"""Every channel of a real status plane is asked, read and compared; each one that is corrupted is named."""

import hashlib
import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography import x509

from api.status.mirror import Mirror
from api.status.plane import StatusPlane
from core.actors import Role
from core.approval import ApprovalRecord, CertificateRecord, Device, EndCause, Firmware, Terms
from core.clock import FixedClock
from core.deployed import Deployed, Stint, Unit
from core.errors import AuthorityAnswerMalformed, AuthorityRefused, AuthorityUnreachable, CertificateMalformed
from core.identifiers import serial_of
from core.kinds import HierarchyRole
from core.mirror import (
    AuthorityCertificate,
    AuthorityView,
    Changes,
    CredentialRecord,
    HashName,
    MirroredApproval,
    PublishedCrl,
    SignedAnswer,
    Units,
)
from core.status import revocation_at
from tests.over_wsgi import OverWsgi
from tests.relying_party_world import (
    AFTER,
    ARC,
    BASE,
    BORN,
    DEVICE,
    END,
    EXPIRY,
    FIRMWARE,
    FLAG,
    NOW,
    SECOND,
    SERIAL,
    START,
    W,
    der,
    short_identifier,
    statement,
)
from verify.channels import NO_ANSWER, NOT_PROVED, ChannelAnswer, agree, ask_every_channel, question
from verify.client import ANSWER_LIMIT, AuthorityClient, Exchange
from verify.fetched import Channel, Fetched, Trust, fetch, subject_of
from verify.kit.evidence.statement import DeviceClaim

KEY = "the key of the tests"
TRUST = Trust(der(W.root), "test", ARC)
KEY_IDS = {
    "root": short_identifier(W.root_key.public_key()).hex(),
    "issuing": short_identifier(W.issuing_key.public_key()).hex(),
}
FLAGS = {1: FLAG.key_compromise, 4: FLAG.superseded, 5: FLAG.cessation_of_operation, 9: FLAG.privilege_withdrawn}
FIRST = W.leaf()
SECOND_SERIAL = SERIAL + 1
EFFECTIVE = NOW - timedelta(days=3)
SECOND_ISSUE = W.leaf(said=statement(issue=2), serial=SECOND_SERIAL, begin=EFFECTIVE)
HASHES: tuple[HashName, ...] = ("sha1", "sha256")


def certificate(der_: bytes, serial: int, issue: int, begin: datetime, **fate: Any) -> CertificateRecord:
    digest = hashlib.sha256(der_).hexdigest()
    return CertificateRecord(serial_of(serial), issue, digest, begin, EXPIRY, BORN, **fate)


class Register:
    """A StatusSource that holds one approval and signs, at `at`, what is true of it then."""

    def __init__(self, at: datetime, *certificates: CertificateRecord, **approval: Any) -> None:
        self.at = at
        firmware = tuple(Firmware(version, image.hex()) for version, image in FIRMWARE)
        terms = tuple(Terms(one.issue, one.not_before, EXPIRY, 500, firmware) for one in certificates)
        identifier = approval.pop("identifier", "TDT-2027-0042-5")
        self.record = ApprovalRecord(identifier, "org", Device(*DEVICE), BORN, START, terms, certificates, **approval)

    def changes(self, cursor: Hashable | None) -> Changes:
        del cursor
        return Changes(1, everything=True)

    def authority(self) -> AuthorityView:
        made: dict[HierarchyRole, x509.Certificate] = {HierarchyRole.ROOT: W.root, HierarchyRole.ISSUING: W.issuing}
        chain = [
            AuthorityCertificate(role, KEY_IDS[role], role, serial_of(7), BORN, BORN, der(each))
            for role, each in made.items()
        ]
        lists = {"issuing": self.crl(), "root": W.root_crl()}
        crls = {
            KEY_IDS[name]: PublishedCrl(KEY_IDS[name], 7, self.at, self.at, 0, data) for name, data in lists.items()
        }
        known = CredentialRecord("c", "dcc", Role.DCC, None, BORN, datetime.max.replace(tzinfo=BORN.tzinfo))
        credentials = {hashlib.sha256(KEY.encode()).hexdigest(): known}
        return AuthorityView("TEST", "test", ARC, BASE, timedelta(0), chain, crls, credentials, b"")

    def crl(self) -> bytes:
        ended = [revocation_at(one, self.at) for one in self.record.certificates]
        return W.crl(*((int(end.serial, 16), end.at, FLAGS[end.reason]) for end in ended if end), at=self.at)

    def approvals(self, identifiers: frozenset[str] | None) -> Sequence[MirroredApproval]:
        del identifiers
        answers = [self.answer(one, name) for one in self.record.certificates for name in HASHES]
        ders = {serial_of(SERIAL): FIRST, serial_of(SECOND_SERIAL): SECOND_ISSUE}
        return [MirroredApproval(self.record, "Meter Makers", ders, answers)]

    def answer(self, one: CertificateRecord, name: HashName) -> SignedAnswer:
        end = revocation_at(one, self.at)
        until = min(self.at + timedelta(hours=1), max(EXPIRY, self.at))
        stated = (end.at, int(end.reason)) if end else None
        data = W.answer(stated, at=self.at, until=until, hash_name=name, serial=int(one.serial, 16))
        return SignedAnswer(one.serial, name, self.at, until, end.at if end else None, data)

    def link_of(self, _number: int) -> None:
        return None

    def restores(self) -> dict[str, int]:
        return {}

    def proof(self, _number: int) -> None:
        return None

    def past_answer(self, *_: Any) -> None:
        return None

    def past_crl(self, *_: Any) -> None:
        return None

    def units(self, *_: Any) -> Units:
        return Units(among=False)

    def deployed(self) -> dict[str, Deployed]:
        return {}

    def reported(self, _at: frozenset[datetime]) -> dict[str, dict[Unit, list[Stint]]]:
        return {}

    def plane(self) -> OverWsgi:
        mirror = Mirror(self, FixedClock(self.at))
        mirror.follow()
        return OverWsgi(StatusPlane(mirror, lambda _: True), absent)

    def client(self, **options: Any) -> AuthorityClient:
        return AuthorityClient(BASE, KEY, transport=httpx.WSGITransport(self.plane()), **options)


def absent(environ: Any, start_response: Any) -> list[bytes]:
    del environ
    start_response("404 Not Found", [("Content-Type", "application/problem+json")])
    return [b'{"code": "not-found", "detail": "There is nothing here."}']


def one(at: datetime = NOW, *, ended_at: datetime | None = None, cause: EndCause | None = None) -> Register:
    fate = {"revoked_at": ended_at, "cause": cause}
    return Register(at, certificate(FIRST, SERIAL, 1, START, **fate), ended_at=ended_at, end_cause=cause)


def replaced(at: datetime, **approval: Any) -> Register:
    first = certificate(FIRST, SERIAL, 1, START, superseded_at=EFFECTIVE)
    return Register(at, first, certificate(SECOND_ISSUE, SECOND_SERIAL, 2, EFFECTIVE), **approval)


def compromised(**approval: Any) -> Register:
    fate = {"revoked_at": END, "cause": EndCause.KEY_COMPROMISE}
    return Register(NOW, certificate(FIRST, SERIAL, 1, START, **fate), **approval)


LIVES: list[tuple[str, Callable[[], Register], bytes, str]] = [
    ("active", one, FIRST, "every channel agrees: active"),
    ("before the start", lambda: one(START - SECOND), FIRST, "every channel agrees: not_yet_started"),
    ("the first second", lambda: one(START), FIRST, "every channel agrees: active"),
    ("the last second", lambda: one(EXPIRY), FIRST, "every channel agrees: active"),
    ("expired", lambda: one(AFTER), FIRST, "every channel agrees: expired"),
    ("revoked", lambda: one(ended_at=END, cause=EndCause.SSC), FIRST, "every channel agrees: cancelled"),
    ("breach", lambda: one(ended_at=END, cause=EndCause.BREACH), FIRST, "every channel agrees: cancelled"),
    ("withdrawn", lambda: one(ended_at=END, cause=EndCause.MANUFACTURER), FIRST, "every channel agrees: withdrawn"),
    ("key compromised", compromised, FIRST, "every channel agrees: cancelled"),
    (
        "key compromised, then withdrawn",
        lambda: compromised(ended_at=NOW, end_cause=EndCause.MANUFACTURER),
        FIRST,
        "every channel agrees: cancelled (and the approval: withdrawn)",
    ),
    ("superseded", lambda: replaced(NOW), FIRST, "every channel agrees: cancelled (and the approval: active)"),
    ("the later issue", lambda: replaced(NOW), SECOND_ISSUE, "every channel agrees: active"),
    (
        "the later issue before it holds",
        lambda: replaced(EFFECTIVE - SECOND),
        SECOND_ISSUE,
        "every channel agrees: not_yet_started (and the approval: active)",
    ),
]


@pytest.mark.clause("F2.26")
@pytest.mark.clause("F2.31")
@pytest.mark.parametrize(
    ("register", "asked", "sentence"), [life[1:] for life in LIVES], ids=[life[0] for life in LIVES]
)
def test_every_channel_agrees_through_the_whole_life(
    register: Callable[[], Register], asked: bytes, sentence: str
) -> None:
    with register().client() as client:
        answers = question(client, asked, TRUST)
    assert [answer.channel for answer in answers] == list(Channel)
    assert agree(answers) == (True, sentence), answers
    assert all(answer.evidence for answer in answers)


ACTIVE_SUBJECT = subject_of(FIRST, ARC)
with one().client() as _client:
    ACTIVE = fetch(_client, ACTIVE_SUBJECT)
with one(ended_at=END, cause=EndCause.SSC).client() as _client:
    CANCELLED = fetch(_client, ACTIVE_SUBJECT)


@pytest.mark.parametrize(("good", "lie"), [(ACTIVE, CANCELLED), (CANCELLED, ACTIVE)], ids=["active", "cancelled"])
@pytest.mark.parametrize("channel", [channel for channel in Channel if channel is not Channel.OFFLINE])
def test_a_channel_that_says_what_the_others_do_not_is_named(channel: Channel, good: Fetched, lie: Fetched) -> None:
    corrupted = replace(good, replies={**good.replies, channel: lie.replies[channel]})
    agreed, sentence = agree(ask_every_channel(corrupted, ACTIVE_SUBJECT, TRUST))
    assert not agreed
    assert channel.value in sentence
    innocent = set(Channel) - {channel, Channel.OFFLINE}  # the offline verifier reads what was corrupted
    assert not any(other.value in sentence for other in innocent), sentence


@pytest.mark.parametrize("channel", [channel for channel in Channel if channel is not Channel.OFFLINE])
def test_a_channel_whose_bytes_are_broken_or_absent_is_named(channel: Channel) -> None:
    whole = ACTIVE.replies[channel]
    without = {name: data for name, data in ACTIVE.replies.items() if name is not channel}
    for replies in (without, {**without, channel: whole[: len(whole) // 3]}, {**without, channel: b""}):
        agreed, sentence = agree(ask_every_channel(replace(ACTIVE, replies=replies), ACTIVE_SUBJECT, TRUST))
        assert not agreed
        assert channel.value in sentence


def test_the_offline_verifier_is_named_when_its_evidence_is_incomplete() -> None:
    agreed, sentence = agree(ask_every_channel(replace(ACTIVE, root_crl=b""), ACTIVE_SUBJECT, TRUST))
    assert (agreed, "offline verifier: not proved (root-crl-missing" in sentence) == (False, True)


def test_another_reason_or_another_subject_is_a_disagreement_too() -> None:
    superseded = W.crl((END, FLAG.superseded))
    said = agree(ask_every_channel(altered(Channel.CRL, superseded), ACTIVE_SUBJECT, TRUST))
    assert said[0] is False
    for channel in (Channel.VERIFY_CERTIFICATE, Channel.VERIFY_SERIAL):
        document = json.loads(CANCELLED.replies[channel]) | {"serial": "00" * 16}
        answers = ask_every_channel(altered(channel, json.dumps(document).encode()), ACTIVE_SUBJECT, TRUST)
        assert f"{channel.value}: not proved" in agree(answers)[1]


def altered(channel: Channel, data: bytes) -> Fetched:
    return replace(CANCELLED, replies={**CANCELLED.replies, channel: data})


CONTRADICTORY: list[dict[str, Any]] = [
    {"valid": False},
    {"deemed_cpa_certificate": False},
    {"reasons": [{"code": "revoked"}]},
    {"reasons": "none"},
    {"state": "good"},
    {"state": None},
]


@pytest.mark.parametrize("lie", CONTRADICTORY, ids=str)
def test_an_answer_that_contradicts_itself_is_not_believed(lie: dict[str, Any]) -> None:
    document = json.loads(ACTIVE.replies[Channel.VERIFY_SERIAL]) | lie
    replies = {**ACTIVE.replies, Channel.VERIFY_SERIAL: json.dumps(document).encode()}
    answers = ask_every_channel(replace(ACTIVE, replies=replies), ACTIVE_SUBJECT, TRUST)
    assert next(answer.state for answer in answers if answer.channel == Channel.VERIFY_SERIAL) == NOT_PROVED


def says(state: str, **changes: ChannelAnswer) -> list[ChannelAnswer]:
    about = "TDT-2027-0042-5 5F"
    return [changes.get(channel.name, ChannelAnswer(channel, state, b"", "", "", about)) for channel in Channel]


def test_an_active_certificate_excuses_no_other_story_of_its_approval() -> None:
    later = ChannelAnswer(Channel.VERIFY_DEVICE, "active", b"", "", "", "TDT-2027-0043-3 60")
    assert agree(says("cancelled", VERIFY_DEVICE=later)) == (
        True,
        "every channel agrees: cancelled (and another approval of the device: active)",
    )
    assert "verify by device speaks of another approval" in agree(says("active", VERIFY_DEVICE=later))[1]
    same = replace(later, about="TDT-2027-0042-5 60")
    assert agree(says("cancelled", VERIFY_DEVICE=same))[0] is False
    assert agree(says("active", VERIFY_DEVICE=same))[0] is False
    assert agree(says("cancelled", VERIFY_DEVICE=replace(later, about="")))[0] is False


def test_nobody_asked_is_not_agreement() -> None:
    assert agree(())[0] is False
    answers = says("active")
    for missing in answers:
        agreed, sentence = agree([answer for answer in answers if answer is not missing])
        assert (agreed, missing.channel in sentence) == (False, True)
    for state in (NO_ANSWER, NOT_PROVED):
        assert agree(says(state))[0] is False


def test_all_is_asked_anew_when_the_state_changed_meanwhile() -> None:
    before, after = one().plane(), one(ended_at=END, cause=EndCause.SSC).plane()
    asked = []

    def changing(environ: Any, start_response: Any) -> Any:
        asked.append(environ["PATH_INFO"])
        return (before if len(asked) < 5 else after)(environ, start_response)

    with AuthorityClient(BASE, KEY, transport=httpx.WSGITransport(changing)) as client:
        assert agree(question(client, FIRST, TRUST)) == (True, "every channel agrees: cancelled")
    assert asked.count("/ca/chain.pem") == 2


def test_what_states_no_approval_cannot_be_asked_about() -> None:
    for data in (b"nonsense", der(W.root), W.leaf(said=b"\x30\x00")):
        with pytest.raises(CertificateMalformed):
            subject_of(data, ARC)


# --- the client --------------------------------------------------------------------------------------------------


def test_the_client_asks_in_every_form_and_shows_each_exchange() -> None:
    seen: list[Exchange] = []
    with one().client(observer=seen.append) as client:
        claim = DeviceClaim("ab01", "010a030b", firmware_version="0002012F")
        replies = [
            client.verify_approval("TDT-2027-0042-5", device_id="00-DB-12-34-56-78-90-01"),
            client.verify_certificate(FIRST, at=NOW - SECOND),
            client.verify_serial(serial_of(SERIAL)),
            client.verify_device(claim),
        ]
        assert [reply.document["valid"] for reply in replies] == [True] * 4
        many = client.verify_batch([{"serial": serial_of(SERIAL)}, {"serial": "no"}, {"approval": "TDT-2027-0042-5"}])
        assert [each.get("valid") for each in many] == [True, None, True]
        assert many[1]["code"] == "serial-malformed"
        assert replies[1].document["as_of"] == "2027-02-01T09:59:59Z"
        assert client.crl(KEY_IDS["issuing"]) == W.crl(at=NOW)
        assert client.root() == der(W.root)
        assert client.issuer(KEY_IDS["issuing"]) == der(W.issuing)
    assert [exchange.status for exchange in seen] == [200] * 8
    assert KEY not in "".join(f"{exchange}" for exchange in seen)


def test_a_refusal_is_told_in_the_authoritys_own_words() -> None:
    with one().client() as client:
        with pytest.raises(AuthorityRefused) as refused:
            client.verify_approval("TDT-2027-0042-6")
        assert (refused.value.fields["status"], refused.value.fields["problem"]) == (400, "identifier-malformed")
        with pytest.raises(AuthorityRefused) as absent_:
            client.authority()
        assert absent_.value.fields["problem"] == "not-found"
    with AuthorityClient(BASE, "wrong", transport=httpx.WSGITransport(one().plane())) as stranger:
        with pytest.raises(AuthorityRefused) as refused:
            stranger.verify_serial(serial_of(SERIAL))
        assert (refused.value.fields["status"], refused.value.fields["problem"]) == (401, "credential-invalid")


@pytest.mark.parametrize("body", [b"{}", b'{"answers": []}', b'{"answers": {}}', b'{"answers": [1]}'])
def test_answers_that_are_not_one_for_each_question_are_an_error(body: bytes) -> None:
    def wrong(environ: Any, start_response: Any) -> list[bytes]:
        del environ
        start_response("200 OK", [])
        return [body]

    client = AuthorityClient(BASE, transport=httpx.WSGITransport(wrong))
    with client, pytest.raises(AuthorityAnswerMalformed):
        client.verify_batch([{"serial": "1"}])


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"a": NaN'], ids=repr)
def test_an_answer_of_another_form_is_an_error_of_its_own(body: bytes) -> None:
    def wrong(environ: Any, start_response: Any) -> list[bytes]:
        del environ
        start_response("200 OK", [])
        return [body]

    with AuthorityClient(BASE, transport=httpx.WSGITransport(wrong)) as client:
        with pytest.raises(AuthorityAnswerMalformed):
            client.authority()
        if body == b"":
            assert client.page("x") == b""


def test_an_answer_at_the_limit_is_read_and_one_octet_more_is_not() -> None:
    sizes = [ANSWER_LIMIT, ANSWER_LIMIT + 1]

    def long(environ: Any, start_response: Any) -> list[bytes]:
        del environ
        start_response("200 OK", [])
        return [b"x" * sizes.pop(0)]

    with AuthorityClient(BASE, transport=httpx.WSGITransport(long)) as client:
        assert len(client.root()) == ANSWER_LIMIT
        with pytest.raises(AuthorityAnswerMalformed):
            client.root()


def test_nobody_there_is_an_error_of_its_own() -> None:
    # A port that was free a moment ago and that nothing listens on: port 9 of loopback is discard, long unused.
    with AuthorityClient("http://127.0.0.1:9", timeout=2) as client, pytest.raises(AuthorityUnreachable):
        client.root()
