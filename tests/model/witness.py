"""Everything that the authority says, on every channel, held to the model."""

import json
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from werkzeug.test import Client
from werkzeug.wrappers import Response

from api.status.consistency import compare
from api.status.plane import StatusPlane
from core.actors import CONSOLE, Role
from core.approval import CertificateRecord, Device
from core.identifiers import Serial
from core.instants import parse, text
from core.kinds import RequirementState
from ra.access import grant_access
from ra.applying.requirements import close_requirement, open_of
from ra.reporting.report import report
from ra.telling import approvals as look
from ra.telling.conditions import conditions as look_conditions
from ra.telling.instructions import Asked, instructions
from ra.telling.views import InstructionAnswer
from store.reading import approvals as approval_reading
from store.reading import requests
from store.reading.breaches import owed
from tests.api_world import done
from tests.channels_world import HASHES, Channels, Proof
from tests.deployments_world import eui
from tests.model.model import Certificate, Trial
from tests.model.recorded import Recorded
from tests.over_wsgi import OverWsgi
from tests.world import DCC, OFFICER_1, PANEL, PROFILE, World
from verify.kit.evidence.statement import decode

SECOND = timedelta(seconds=1)
STRANGER = 0xFFFFFF
"""A unit that is never deployed."""

WORDS = {
    "active": ("active", None),
    "not-yet-started": ("not_yet_started", None),
    "superseded": ("cancelled", "superseded"),
    "change-withdrawn": ("cancelled", "superseded"),
    "revoked": ("cancelled", "privilegeWithdrawn"),
    "revoked-for-breach": ("cancelled", "privilegeWithdrawn"),
    "withdrawn-at-request": ("withdrawn", "cessationOfOperation"),
    "expired": ("expired", "cessationOfOperation"),
}
"""Of each word of the model: the state that verification says, and the reason of CRL and OCSP."""


@dataclass
class Panel:
    """The Panel's list of one approval: what it shows of each version, and when what was done last was due."""

    shows: dict[str, datetime] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)

    def do(self, told: InstructionAnswer) -> None:
        version = told.firmware_version
        self.due[version] = told.due
        self.shows.pop(version, None)
        if told.kind in {"add", "change"}:
            self.shows[version] = told.expiry


class Witness:
    """Whoever looks at one world from outside."""

    def __init__(self, world: World, recorded: Recorded | None = None) -> None:
        self.world = world
        self.recorded = Recorded() if recorded is None else recorded
        self.channels = Channels(world)
        self.since = world.clock.now()
        life = world.desk.rules.longest_credential
        granted = grant_access(world.desk, CONSOLE, name="dcc", role=Role.DCC, organisation=None, life=life)
        self.bearer = {"Authorization": f"Bearer {granted.api_key}"}
        # The status plane as the web process has it; what it hands on to the API is not asked here, and takes long.
        plane = StatusPlane(self.channels.mirror, lambda role: role is Role.DCC)
        self.client = Client(OverWsgi(plane, Response(status=501)))
        self.read: set[Serial] = set()

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    # --- verification -------------------------------------------------------------------------------------------

    def asked(self, **question: Any) -> dict[str, Any]:
        said = self._asked(question)
        if "at" not in question:
            self.recorded.keep(self.now, question, said)
        return said

    def _asked(self, question: Mapping[str, Any]) -> dict[str, Any]:
        said = done(self.client.post("/v1/verify", json=question, headers=self.bearer))
        codes = [each["code"] for each in said["reasons"]]
        assert said["valid"] is said["deemed_cpa_certificate"] is (said["state"] == "active" and not codes)
        return said | {"codes": codes}

    def ocsp(self, serial: Serial, name: str) -> Proof:
        said = self.channels.ocsp(serial, name)
        self.recorded.keep_ocsp(self.now, serial, said)
        return said

    def ask_again(self, most: int | None) -> None:
        """Of every answer that was given: what is said of its instant now."""
        self.channels.follow()
        with self.world.store.read() as tx:
            register = approval_reading.records(tx)
        self.recorded.ask_again(self._asked, register, most)

    def verification(self, trials: Sequence[Trial]) -> None:
        """What is computed from the instant: right whether or not the authority is at work."""
        self.channels.follow()
        for trial in trials:
            said = self.asked(approval=trial.name)
            self._says(said, trial.says(self.now))
            fresh = parse(said["fresh_until"])
            assert self.now <= fresh
            assert (trial.says(fresh), trial.holding(fresh)) == (trial.says(self.now), trial.holding(self.now))
            held = trial.holding(self.now)
            if held is not None:
                assert said["issue"] == trial.issued.index(held) + 1
                assert (said["not_before"], said["not_after"]) == (text(held.begins), text(held.expiry))
            for mine, record in self._issued(trial):
                self._says(self.asked(serial=record.serial), mine.says(self.now))
                for name in HASHES:
                    assert self.ocsp(record.serial, name) in {self._proof(mine), Proof("try_later")}
            self._units(trial, held)

    def _says(self, said: dict[str, Any], word: str) -> None:
        assert (said["state"], said["codes"]) == (WORDS[word][0], [] if word == "active" else [word])

    def _units(self, trial: Trial, held: Certificate | None) -> None:
        told = self.asked(approval=trial.name, device_id=eui(STRANGER))
        assert told["valid"] is (held is not None and len(trial.units) < held.limit)
        for unit in sorted(trial.units)[:1]:
            assert self.asked(approval=trial.name, device_id=eui(unit))["valid"] is (held is not None)

    def models(self, trials: Sequence[Trial], device: Device, firmware: str) -> None:
        """By device: the approval that is active, else the next to start, else the last that ended."""
        named = {"type": device.type, "manufacturer": device.manufacturer, "model": device.model}
        said = self.asked(device={**named, "hardware_version": device.hardware_version, "firmware_version": firmware})
        mine = [each for each in trials if each.device == device.hardware_version]
        held = [(each, holding) for each in mine if (holding := each.holding(self.now))]
        waiting = [each for each in mine if each.says(self.now) == "not-yet-started"]
        if held:
            ((trial, certificate),) = held
            assert (said["approval"], said["valid"]) == (trial.name, firmware in certificate.firmware)
        elif waiting:
            assert said["approval"] == min(waiting, key=lambda each: each.start).name
        elif mine:
            assert said["approval"] in {each.name for each in mine if _over(each) == max(map(_over, mine))}
        else:
            assert (said["state"], said["codes"]) == ("unknown", ["device-not-approved"])
        assert held or not said["valid"]

    def past(self, trial: Trial, at: datetime) -> None:
        """What was true then is what is said of it now."""
        self._says(self.asked(approval=trial.name, at=text(at)), trial.says(at))

    # --- what is signed -----------------------------------------------------------------------------------------

    def signatures(self, trials: Sequence[Trial]) -> None:
        """Certificates, CRL and OCSP, once the authority has done its work; and its own word that they agree."""
        ended, silent = {}, False
        for trial in trials:
            for number, (mine, record) in enumerate(self._issued(trial), 1):
                self._der(trial, number, mine, record)
                if mine.ends <= self.now:
                    ended[record.serial] = (mine.ends, WORDS[mine.why][1], None)
                told = {self.ocsp(record.serial, name) for name in HASHES}
                if told != {self._proof(mine)}:
                    # Nothing that is signed in its last second could hold any longer.
                    assert (mine.ends - SECOND, told) == (self.now, {Proof("try_later")})
                    silent = True
        assert self.channels.crl() == ended
        with self.world.store.read() as tx:
            register = approval_reading.records(tx)
        mirror = self.channels.mirror
        found = compare(register, mirror.view(), self.now, mirror.past_answer).disagreements
        assert silent or not found

    def _issued(self, trial: Trial) -> list[tuple[Certificate, CertificateRecord]]:
        found = self.world.record(trial.name).certificates
        assert [each.issue for each in found] == [*range(1, len(trial.issued) + 1)]
        return list(zip(trial.issued, found, strict=True))

    def _proof(self, mine: Certificate) -> Proof:
        return Proof("revoked", mine.ends, WORDS[mine.why][1]) if mine.ends <= self.now else Proof("good")

    def _der(self, trial: Trial, number: int, mine: Certificate, record: CertificateRecord) -> None:
        if record.serial in self.read:
            return
        self.read.add(record.serial)
        read = x509.load_der_x509_certificate(look.certificate(self.world.desk, PANEL, record.serial).chain[0])
        assert (read.not_valid_before_utc, read.not_valid_after_utc) == (mine.begins, mine.expiry)
        arc = x509.ObjectIdentifier(f"{PROFILE.arc}.1")
        extension = read.extensions.get_extension_for_oid(arc).value
        assert isinstance(extension, x509.UnrecognizedExtension)
        said = decode(extension.value)
        assert (str(said.identifier), said.issue, said.maximum_devices) == (trial.name, number, mine.limit)
        assert (frozenset(each.version for each in said.firmware), said.expiry) == (mine.firmware, mine.expiry)
        assert said.start <= mine.begins
        pem = read.public_bytes(Encoding.PEM).decode()
        self._says(self.asked(certificate=pem), mine.says(self.now))

    # --- conditions and requirements ---------------------------------------------------------------------------------

    def conditions(self, trials: Sequence[Trial]) -> None:
        """Each condition holds while an issue does that has it (F2.21(e), F2.29)."""
        for trial in trials:
            held = trial.holding(self.now)
            if held is not None:
                said = look_conditions(self.world.desk, OFFICER_1, trial.name).conditions
                begun = {each.text for each in said if each.since <= self.now and _lasts(each.until, self.now)}
                assert begun == held.conditions, (trial.name, said)

    def numbers(self, trial: Trial, texts: Iterable[str]) -> tuple[int, ...]:
        said = look_conditions(self.world.desk, OFFICER_1, trial.name).conditions
        return tuple(max(each.number for each in said if each.text == one) for one in texts)

    def meet(self, decision: str, count: int) -> None:
        """Close what is open of the application that a decision is about: so many, no more."""
        with self.world.store.read() as tx:
            found = open_of(tx, requests.decision(tx, decision).application_id or "")
        assert len(found) == count
        for each in found:
            close_requirement(self.world.desk, OFFICER_1, each.id, outcome=RequirementState.MET, reason="It was.")

    # --- the Central Products List ------------------------------------------------------------------------------

    def instructions(self) -> list[InstructionAnswer]:
        """All that the Panel was told and still owes, in the order in which it is to be done."""
        told: list[InstructionAnswer] = []
        after: str | None = ""
        while after is not None:
            page = instructions(self.world.desk, PANEL, Asked(), after=after, limit=200)
            told, after = [*told, *page.instructions], page.next
        owing = [each for each in told if each.state in {"pending", "rejected"}]
        return sorted(owing, key=lambda each: (each.due, each.instruction))

    def lists(self, trials: Sequence[Trial], panels: dict[str, Panel], told: Sequence[InstructionAnswer]) -> None:
        """Whoever does what the Panel was told by an instant shows what has to be shown then."""
        for trial in trials:
            mine = [each for each in told if each.approval == trial.name]
            later = {each.begins for each in trial.issued if self.now < each.begins < each.ends}
            for at in (self.now, *sorted(later)):
                panel = Panel(dict(panels[trial.name].shows), dict(panels[trial.name].due))
                for each in mine:
                    if each.due <= at:
                        panel.do(each)
                wanted = trial.shown(at)
                # What the Panel has done before it was due shows too early, and that is the Panel's own doing.
                early = {version for version, due in panel.due.items() if due > at}
                for version in {*panel.shows, *wanted} - early:
                    assert panel.shows.get(version) == wanted.get(version), (trial.name, version, at)

    # --- the report and the officers' list ----------------------------------------------------------------------

    def report(self, month: str) -> tuple[bytes, dict[str, Any]]:
        octets = report(self.world.desk, DCC, month)
        return octets, json.loads(octets)

    def counts(self, trials: Sequence[Trial], said: dict[str, Any], told: Sequence[InstructionAnswer]) -> None:
        """The items of the report: what was counted since the last one, and what stands (F2.28 (a) to (g))."""
        items = said["items"]
        shown = _devices(each for each in trials if each.listed)
        before = _devices(each for each in trials if each.before)
        added = _devices(each for each in trials if each.since["added"])
        removed = _devices(each for each in trials if each.since["removed"])
        waiting = [each.kind for each in told if each.due <= self.now]
        for item, models, entries, kinds in (
            ("a", shown, sum(len(each.listed) for each in trials), {"add", "change"}),
            ("b", added - before, _since(trials, "added"), {"add"}),
            ("c", removed - shown, _since(trials, "removed"), {"remove", "replace-marker"}),
        ):
            assert (items[item]["models"], items[item]["entries"]) == (len(models), entries), item
            assert items[item]["instructed_not_acknowledged"]["entries"] == sum(each in kinds for each in waiting)
        assert items["d"]["deployed"] == sum(len(each.units) for each in trials)
        assert items["e"]["deployed"] == _since(trials, "up")
        assert items["f"]["decommissioned"] == _since(trials, "down")
        assert said["corrections"] == []
        last = _three_months_after(self.now.date())
        standing = [each for each in trials if each.says(self.now) in {"active", "not-yet-started"}]
        # In its last second an approval still stands, and its expiry is not ahead any more (tests/test_reports.py).
        ahead = {each.name: each.line()[-1].expiry for each in standing}
        ending = {name for name, expiry in ahead.items() if self.now < expiry and expiry.date() <= last}
        assert {each["approval"] for each in items["g"]["expiring"]} == ending
        table = {each["approval"]: each for each in said["approvals"]}
        assert table.keys() == {each.name for each in trials}
        for trial in trials:
            self._line(trial, table[trial.name])

    def _line(self, trial: Trial, line: dict[str, Any]) -> None:
        assert (line["deployed"], line["deployed_since"], line["decommissioned_since"]) == (
            len(trial.units),
            trial.since["up"],
            trial.since["down"],
        )
        assert line["state"] == WORDS[trial.says(self.now)][0]
        assert (line["start"], line["expiry"]) == (text(trial.start), text(_planned(trial)))
        held = trial.holding(self.now)
        if held is not None:
            assert (line["limit"], line["above_limit"]) == (held.limit, len(trial.units) > held.limit)

    def owed(self) -> set[str]:
        with self.world.store.read() as tx:
            return {each.breach for each in owed(tx)}


def _lasts(until: datetime | None, at: datetime) -> bool:
    return until is None or at < until


def _planned(trial: Trial) -> datetime:
    return trial.line()[-1].expiry


def _over(trial: Trial) -> datetime:
    return trial.over[0] if trial.over else trial.line()[-1].ends


def _devices(trials: Iterable[Trial]) -> set[str]:
    return {each.device for each in trials}


def _since(trials: Sequence[Trial], what: str) -> int:
    return sum(each.since[what] for each in trials)


def _three_months_after(day: date) -> date:
    year, month = (day.year, day.month + 3) if day.month < 10 else (day.year + 1, day.month - 9)
    return date(year, month, min(day.day, monthrange(year, month)[1]))
