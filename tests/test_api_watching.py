"""The authority described, readiness, figures, and the check that every channel agrees, each corrupted in turn."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from immutables import Map
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from api.readiness import _of_hierarchy
from api.status.consistency import compare
from api.status.snapshot import Snapshot, amended
from api.status.tally import Tallies
from core.alarms import AlarmCode
from core.approval import ApprovalRecord, EndCause
from core.errors import StoreUnavailable
from core.kinds import HierarchyRole
from core.mirror import MirroredApproval, unpacked
from core.renewal import lasting
from store.reading import approvals as approval_reading
from tests.api_world import Api, application, done, refused
from tests.world import NOW, PROFILE, World

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.fixture
def sqlite(store_copy: Callable[[str], str], keys_folder: Any) -> Iterator[Api]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Api(world)
    world.close()


# --- the authority -----------------------------------------------------------------------------------------------


def test_the_authority_is_described_as_its_certificates_have_it(sqlite: Api) -> None:
    approval = sqlite.granted()
    described = done(sqlite.ask(None, "GET", "/v1/authority"))
    assert (described["name"], described["environment"]) == (PROFILE.name, "test")
    assert described["now"] == "2027-01-03T12:00:00Z"
    chain = x509.load_pem_x509_certificates(sqlite.ask("dcc", "GET", f"/v1/approvals/{approval}/certificate").data)
    leaf, issuing, root = chain
    oids = {extension.oid.dotted_string for extension in leaf.extensions}
    assert described["identifiers"]["extension"] in oids
    policies = leaf.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert described["identifiers"]["policy"] == policies[0].policy_identifier.dotted_string
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert described["identifiers"]["extended_key_usage"] == next(iter(usage)).dotted_string
    pointer = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0].full_name
    assert pointer is not None
    assert described["issuing"][0]["crl"] == pointer[0].value
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    told = {described["issuing"][0]["url"], described["ocsp"]}
    assert told == {each.access_location.value for each in access}
    for each, certificate in ((described["root"], root), (described["issuing"][0], issuing)):
        assert each["subject"] == certificate.subject.rfc4514_string()
        fetched = sqlite.ask(None, "GET", each["url"].removeprefix(described["base_url"])).data
        assert x509.load_der_x509_certificate(fetched) == certificate
    assert sqlite.ask(None, "GET", described["root"]["crl"].removeprefix(described["base_url"])).status_code == 200
    assert sqlite.ask(None, "GET", described["responder"]["url"].removeprefix(described["base_url"])).status_code == 200


# --- readiness ---------------------------------------------------------------------------------------------------


def _checks(api: Api, status: int) -> dict[str, dict[str, Any]]:
    api.lookout.look()
    answer = done(api.ask(None, "GET", "/readyz"), status)
    assert answer["ready"] is (status == 200)
    return {each["name"]: each for each in answer["checks"]}


def _red(api: Api, query: str = "") -> set[str]:
    api.lookout.look()
    answer = api.ask(None, "GET", f"/readyz{query}").get_json()
    return {each["name"] for each in answer["checks"] if not each["ok"]}


def _holds_up_writing_alone(api: Api, *names: str) -> None:
    """Red for writing, with an alarm for each; a warning for status, which is served meanwhile."""
    checks = _checks(api, 200)
    assert {name: (checks[name]["ok"], checks[name]["warning"]) for name in names} == dict.fromkeys(names, (True, True))
    assert set(names) <= _red(api, "?for=writing")


def test_a_service_whose_authority_is_at_work_is_ready(api: Api) -> None:
    api.granted()
    checks = _checks(api, 200)
    assert set(checks) == {
        "store", "mirror", "register", "told-ends", "told-here", "authority", "crl", "root-crl", "responder", "keys",
        "issuing-window", "issuing-ca", "root", "journal", "revocation-list", "clock",
        "statement-signer",
    }  # fmt: skip
    assert not any(each["warning"] for each in checks.values())
    assert all(each["detail"] for each in checks.values())


def test_an_authority_that_is_silent_holds_up_writing_alone(sqlite: Api) -> None:
    sqlite.granted()
    sqlite.world.clock.advance(timedelta(minutes=2))
    _holds_up_writing_alone(sqlite, "authority")
    assert AlarmCode.AUTHORITY_SILENT in {each.code for each in sqlite.lookout.alarms}


def test_a_list_that_nobody_renews_is_red_before_it_runs_out(sqlite: Api) -> None:
    sqlite.settle()
    issued = sqlite.mirror.view().authority.crls
    newest = max(issued.values(), key=lambda crl: crl.this_update)
    left = (newest.next_update - newest.this_update) / 3
    sqlite.world.at(newest.next_update - left - SECOND)
    assert "crl" not in _red(sqlite)  # the lease is over by then, which is red by itself
    sqlite.world.at(newest.next_update - left)
    assert "crl" in _red(sqlite)


def test_the_roots_list_warns_sixty_days_before_and_takes_nothing_away_when_it_runs_out(sqlite: Api) -> None:
    sqlite.settle()
    crls = sqlite.mirror.view().authority.crls.values()
    ends = max(crl.next_update for crl in crls)
    sqlite.world.at(ends - 60 * DAY - SECOND)
    assert not _checks(sqlite, 503)["root-crl"]["warning"]  # the issuing CA's has run out, which is red by itself
    sqlite.world.at(ends - 60 * DAY)
    check = _checks(sqlite, 503)["root-crl"]
    assert (check["ok"], check["warning"]) == (True, True)
    sqlite.world.at(ends)
    sqlite.settle()  # the authority is at work, and renews all that it can
    check = _checks(sqlite, 200)["root-crl"]
    assert (check["ok"], check["warning"]) == (True, True)
    assert "ran out" in check["detail"]


def test_facts_that_nobody_seals_and_ends_that_nobody_lists_hold_up_writing_alone(api: Api) -> None:
    approval = api.granted()
    api.world.revoked(approval)
    # Within the time that the authority may take, it is only told.
    assert re.match("[1-9] facts? wait", _checks(api, 200)["journal"]["detail"])
    api.world.at(NOW + timedelta(seconds=61))
    _holds_up_writing_alone(api, "journal", "revocation-list")
    codes = {each.code for each in api.lookout.alarms}
    assert {AlarmCode.JOURNAL_BACKLOG, AlarmCode.REVOCATION_LIST_BACKLOG} <= codes


def test_a_responder_whose_renewal_failed_warns_and_then_is_red(sqlite: Api) -> None:
    sqlite.settle()
    ends = max(each.not_after for each in sqlite.mirror.view().authority.certificates if each.role == "responder")
    sqlite.world.at(ends + SECOND - 10 * DAY)
    assert _checks(sqlite, 503)["responder"]["warning"]
    sqlite.world.at(ends + SECOND)
    assert "responder" in _red(sqlite)


def test_a_responder_of_tomorrow_is_not_in_force(sqlite: Api) -> None:
    sqlite.settle()
    view = sqlite.mirror.view()
    (responder,) = [each for each in view.authority.certificates if each.role is HierarchyRole.RESPONDER]
    for begins, ok in ((NOW, True), (NOW + SECOND, False)):
        found = lasting([replace(responder, not_before=begins)], {}, (), None, NOW)
        assert [each.ok for each in _of_hierarchy(view, found, NOW) if each.name == "responder"] == [ok]


def test_a_register_that_cannot_be_reached_holds_up_writing_alone_and_is_no_error(
    sqlite: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite.granted()

    def unreachable(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(sqlite.world.store, "read", unreachable)
    _holds_up_writing_alone(sqlite, "store", "authority", "journal", "revocation-list")
    assert AlarmCode.STORE_SILENT in {each.code for each in sqlite.lookout.alarms}
    refused(sqlite.ask("dcc", "GET", "/metrics"), 503, "store-unavailable")


# --- figures -----------------------------------------------------------------------------------------------------


def _figures(api: Api) -> dict[str, Metric]:
    """What /metrics says, as Prometheus's own reader has it, which refuses what is not in the format."""
    said = api.ask("panel", "GET", "/metrics")
    assert said.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return {each.name: each for each in text_string_to_metric_families(said.get_data(as_text=True))}


def _value(figures: dict[str, Metric], name: str, **labels: str) -> float:
    family = figures[next(each for each in (name, name.rpartition("_")[0]) if each in figures)]
    (found,) = [each.value for each in family.samples if each.name == name and each.labels == labels]
    return float(found)


def test_the_figures_are_in_the_format_of_prometheus(api: Api) -> None:
    api.granted()
    api.world.revoked(api.granted(device={**application()["device"], "model": "OTHER"}))
    api.mirror.follow()
    figures = _figures(api)
    assert all(each.documentation and each.type != "unknown" for each in figures.values())
    assert {each for each in figures if not each.startswith("trialcpa_")} == set()
    assert _value(figures, "trialcpa_approvals", state="not_yet_started") == 1
    assert _value(figures, "trialcpa_approvals", state="cancelled") == 1
    assert _value(figures, "trialcpa_store_up") == 1
    assert _value(figures, "trialcpa_unlisted_certificates") == 1
    assert _value(figures, "trialcpa_unsealed_facts") >= 2
    assert _value(figures, "trialcpa_ocsp_answers", in_force="yes") == 4
    assert len(figures["trialcpa_crl_age_seconds"].samples) == 2


def test_of_a_large_register_the_figures_say_what_was_counted_last(
    sqlite: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite.granted()
    for module in ("api.metrics", "api.lookout"):
        monkeypatch.setattr(f"{module}.AT_ONCE", 0)
    assert _figures(sqlite)["trialcpa_approvals"].samples == []
    sqlite.mirror.read_units()
    sqlite.look()
    for name, value in (("trialcpa_approvals", 1), ("trialcpa_ocsp_answers", 2), ("trialcpa_units", 0)):
        assert sum(each.value for each in _figures(sqlite)[name].samples) == value, name


def test_there_is_a_figure_for_what_is_promised(sqlite: Api) -> None:
    approval = sqlite.granted()
    for _ in range(3):
        done(sqlite.ask("dcc", "POST", "/v1/verify", {"approval": approval}))
    refused(sqlite.ask("dcc", "POST", "/v1/verify", {"approval": "x"}), 400, "identifier-malformed")
    issuing = next(each.key_id for each in sqlite.mirror.view().authority.issuing(NOW))
    before = sqlite.mirror.view().authority.crls[issuing].number
    sqlite.world.revoked(approval)
    sqlite.settle()
    assert sqlite.ask(None, "GET", f"/crl/{issuing}/{before}.crl").status_code == 200
    sqlite.lookout.ends_told.hear()
    sqlite.lookout.comparing.step()
    figures = _figures(sqlite)
    answers = "trialcpa_answer_from_memory_seconds"
    # What is refused is answered, too; what the store is read for is counted where it was answered.
    assert _value(figures, f"{answers}_count", kind="verify") == 4
    assert _value(figures, f"{answers}_bucket", kind="verify", le="+Inf") == 4
    assert 0 < _value(figures, f"{answers}_sum", kind="verify") < 4
    assert _value(figures, "trialcpa_answer_from_store_seconds_count", kind="numbered-crl") == 1
    assert _value(figures, "trialcpa_act_seconds_count", act="apply") == 1
    assert _value(figures, "trialcpa_poll_seconds_count") > 3
    for channel in ("ocsp", "list"):
        assert _value(figures, "trialcpa_end_told_seconds_count", told=channel) == 1
    assert _value(figures, "trialcpa_certificates") == 1
    assert _value(figures, "trialcpa_resident_bytes") > 10_000_000
    assert 0 < _value(figures, "trialcpa_start_seconds") < 36_000
    assert _value(figures, "trialcpa_writers_waiting") == 0
    assert _value(figures, "trialcpa_consistency_passes_total") == 1
    assert _value(figures, "trialcpa_consistency_disagreements") == 0


def test_what_is_counted_is_counted_up_to_its_bound() -> None:
    tallies = Tallies((0.001, 0.01))
    for took in (0.0005, 0.001, 0.002, 5.0):
        tallies.note("verify", took)
    tallies.note("ocsp", 0.01)
    assert {kind: each.counts for kind, each in tallies.told().items()} == {"ocsp": (0, 1, 0), "verify": (2, 1, 1)}
    assert tallies.told()["verify"].seconds == pytest.approx(5.0035)


# --- consistency -------------------------------------------------------------------------------------------------


def _consistent(api: Api) -> dict[str, Any]:
    return done(api.ask("auditor", "GET", "/v1/consistency"))


def test_every_channel_agrees_through_the_whole_life(api: Api) -> None:
    approval = api.granted()
    other = api.granted(device={**application()["device"], "model": "OTHER"})
    found = _consistent(api)
    assert found.pop("passes")["approvals"] == 2
    assert found == {
        "agree": True, "as_of": "2027-01-03T12:00:00Z", "checked": 2, "pending": 0, "disagreements": [],
        "unfounded": []
    }  # fmt: skip
    api.world.revoked(approval, EndCause.KEY_COMPROMISE)
    pending = _consistent(api)
    assert (pending["agree"], pending["pending"]) == (True, 3)  # two answers and an entry
    api.settle()
    assert (_consistent(api)["agree"], _consistent(api)["pending"]) == (True, 0)
    for at in (datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 6, 30, 23, 59, 0, tzinfo=UTC)):
        api.world.at(at)
        api.settle()
        assert _consistent(api)["agree"]
    api.world.clock.advance(59 * SECOND)
    assert (_consistent(api)["agree"], _consistent(api)["pending"]) == (True, 0)
    api.world.clock.advance(SECOND)
    assert (_consistent(api)["agree"], _consistent(api)["pending"]) == (True, 3)
    api.settle()
    found = _consistent(api)
    assert (found["agree"], found["checked"], found["pending"]) == (True, 2, 0)
    assert done(api.ask("dcc", "GET", f"/v1/approvals/{other}"))["state"] == "expired"


def test_what_stays_unpublished_is_a_disagreement(sqlite: Api) -> None:
    sqlite.world.revoked(sqlite.granted())
    sqlite.world.at(NOW + timedelta(seconds=60))
    assert _consistent(sqlite)["agree"]
    sqlite.world.at(NOW + timedelta(seconds=61))
    channels = [each["channel"] for each in _consistent(sqlite)["disagreements"]]
    assert sorted(channels) == ["crl", "ocsp sha1", "ocsp sha256"]


def _held(view: Snapshot) -> MirroredApproval:
    return unpacked(next(iter(view.approvals.values())))


def _with(view: Snapshot, **changes: Any) -> Snapshot:
    return amended(view, frozenset({_held(view).record.identifier}), [replace(_held(view), **changes)])


def _swapped_answers(view: Snapshot, other: MirroredApproval) -> Snapshot:
    """Answers that say “about this certificate” and are about another."""
    serial = _held(view).record.certificates[0].serial
    return _with(view, answers=[replace(each, serial=serial) for each in other.answers])


def _flipped(der: bytes) -> bytes:
    return der[:-20] + bytes([der[-20] ^ 1]) + der[-19:]


def _crls(view: Snapshot, change: Callable[[Any], Any]) -> Snapshot:
    key = next(each.key_id for each in view.authority.certificates if each.role == "issuing")
    crls = dict(view.authority.crls)
    changed = change(crls[key])
    crls = {**crls, key: changed} if changed is not None else {name: each for name, each in crls.items() if name != key}
    return replace(view, authority=replace(view.authority, crls=crls))


CORRUPTIONS: dict[str, tuple[Callable[[Snapshot, MirroredApproval], Snapshot], set[str]]] = {
    "an approval missing": (lambda view, _: amended(view, frozenset(view.approvals), []), {"snapshot"}),
    "another state": (
        lambda view, _: _with(view, record=replace(_held(view).record, ended_at=NOW, end_cause=EndCause.BREACH)),
        {"snapshot"},
    ),
    "an approval too many": (
        lambda view, other: amended(view, frozenset(), [other]),
        {"snapshot"},
    ),
    "a serial not found": (lambda view, _: replace(view, serials=Map()), {"verify"}),
    "a fingerprint not found": (lambda view, _: replace(view, fingerprints=Map()), {"verify"}),
    "other bytes": (
        lambda view, other: _with(view, ders=dict.fromkeys(_held(view).ders, next(iter(other.ders.values())))),
        {"certificate", "verify"},
    ),
    "no answers": (lambda view, _: _with(view, answers=[]), {"ocsp sha1", "ocsp sha256"}),
    "another's answers": (_swapped_answers, {"ocsp sha1", "ocsp sha256"}),
    "answers that cannot be read": (
        lambda view, _: _with(view, answers=[replace(each, der=b"\x30\x00") for each in _held(view).answers]),
        {"ocsp sha1", "ocsp sha256"},
    ),
    "no list": (lambda view, _: _crls(view, lambda _: None), {"crl"}),
    "a list that cannot be read": (lambda view, _: _crls(view, lambda crl: replace(crl, der=b"0")), {"crl"}),
    "a list not signed by us": (
        lambda view, _: _crls(view, lambda crl: replace(crl, der=_flipped(crl.der))),
        {"crl"},
    ),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_channel_that_is_corrupted_is_named(sqlite: Api, name: str) -> None:
    corrupt, channels = CORRUPTIONS[name]
    world = sqlite.world
    approval = sqlite.granted()
    world.revoked(approval)
    sqlite.settle()
    before = _register(world)
    alone = sqlite.mirror.view()
    other = sqlite.granted(device={**application()["device"], "model": "OTHER"})
    world.revoked(other)  # so that only the serial tells its answers from ours
    sqlite.settle()
    foreign = unpacked(sqlite.mirror.view().approvals[other])
    now = NOW + timedelta(minutes=2)
    assert compare(before, alone, now, sqlite.mirror.past_answer).disagreements == []
    report = compare(before, corrupt(alone, foreign), now, sqlite.mirror.past_answer)
    assert {each.channel for each in report.disagreements} == channels
    assert all(each.expected != each.found for each in report.disagreements)


def test_an_end_that_the_list_does_not_have_or_has_too_much_is_named(sqlite: Api) -> None:
    world = sqlite.world
    approval = sqlite.granted()
    good_register, good_view = _register(world), sqlite.mirror.view()
    world.revoked(approval)
    sqlite.settle()
    ended_register, ended_view = _register(world), sqlite.mirror.view()
    later = NOW + timedelta(minutes=2)
    swapped = replace(ended_view, authority=good_view.authority)
    found = compare(ended_register, swapped, later, sqlite.mirror.past_answer).disagreements
    assert [(each.channel, each.found) for each in found] == [("crl", "good")]
    swapped = replace(good_view, authority=ended_view.authority)
    found = compare(good_register, swapped, later, sqlite.mirror.past_answer).disagreements
    assert [(each.channel, each.expected) for each in found] == [("crl", "good")]
    assert found[0].found.endswith("privilege_withdrawn")


def test_under_an_issuing_ca_whose_time_is_over_nobody_is_left_to_answer(sqlite: Api) -> None:
    sqlite.world.revoked(sqlite.granted())
    sqlite.settle()
    silent, now = _with(sqlite.mirror.view(), answers=[]), NOW + timedelta(minutes=2)
    for ends, channels in ((now, {"ocsp sha1", "ocsp sha256"}), (now - SECOND, set[str]())):
        every = [
            replace(each, not_after=ends) if each.role == "issuing" else each for each in silent.authority.certificates
        ]
        view = replace(silent, authority=replace(silent.authority, certificates=tuple(every)))
        found = compare(_register(sqlite.world), view, now, sqlite.mirror.past_answer).disagreements
        assert {each.channel for each in found} == channels, ends


def _register(world: World) -> Sequence[ApprovalRecord]:
    with world.store.read() as tx:
        return approval_reading.records(tx)
