"""Random acts, jumps of the clock and restarts; after each one everything that the authority says is held to the model.

The machine says which act must be refused, and with which error, before it tries it: what is refused leaves no trace,
and what may be done is done.
"""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.approval import EndCause, Firmware
from core.classification import Passage
from core.errors import (
    AlreadyEnded,
    DecisionLapsed,
    DeviceAlreadyApproved,
    RulesRefused,
    TrialCpaError,
    WrongState,
)
from core.instants import first_second, last_second, next_midnight, parse, text
from core.kinds import Waiting
from ra.applying.requirements import end_standing, set_standing
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.waiting_withdrawal import ProposeWaitingWithdrawal
from ra.grounds import Minutes
from ra.reporting import breach
from ra.reporting.report import issue_report, month_of, report
from ra.telling.instructions import Acknowledge, acknowledge
from ra.telling.views import InstructionAnswer
from store.reading import breaches as breach_reading
from store.reading import requests
from tests.acting import judge
from tests.deployments_world import corrected, deployed, gone, outcomes, send
from tests.model.model import Certificate, Trial
from tests.model.witness import SECOND, Panel, Witness
from tests.world import DCC, DEVICE, LONGEST_TRIAL, OFFICER_1, OFFICER_2, PANEL, World, ending

DAY = timedelta(days=1)
DEVICES = ("01", "02", "03", "04")
VERSIONS = {"0001": "ab" * 32, "000A": "cd" * 32, "9001": "ef" * 32}
PROPOSAL_LIFE = timedelta(days=30)
ASKED_AGAIN = 60
"""Answers of a kind that are asked again at a time, evenly over what has been told so far."""
CREDENTIAL_LIFE = timedelta(days=300)
MEANWHILE = ("nothing", "restart")

WHICH = st.integers(0, 5)
LIMITS = st.integers(1, 3)
FIRMWARE = st.frozensets(st.sampled_from(sorted(VERSIONS)), min_size=1)
EFFECTIVE = {"effective": st.tuples(st.integers(0, 8), st.integers(0, 86_399))}
CHANGES = st.one_of(
    st.fixed_dictionaries({"limit": LIMITS}, optional=EFFECTIVE | {"condition": st.sampled_from(["set", "end"])}),
    st.fixed_dictionaries({"firmware": FIRMWARE}, optional=EFFECTIVE),
    st.fixed_dictionaries({"expiry": st.integers(-1, 60)}, optional=EFFECTIVE | {"firmware": FIRMWARE}),
    st.fixed_dictionaries({"start": st.integers(0, 15)}, optional={"expiry": st.integers(10, 60), "limit": LIMITS}),
)
LATER = st.one_of(
    st.integers(1, 5).map(lambda each: each * SECOND),
    st.integers(1, 9).map(lambda each: each * DAY),
    st.integers(20, 45).map(lambda each: each * DAY),
)


@dataclass
class Proposed:
    """A proposal that waits for its second officer, what its certificates will say, and what it is built on."""

    decision: str
    trial: Trial
    start: datetime
    line: list[Certificate]
    made: datetime
    withdraws: bool = False
    basis: tuple[Certificate, list[Certificate]] | None = None

    @property
    def says(self) -> Certificate:
        return self.line[0]

    @property
    def grant(self) -> bool:
        return not self.trial.issued

    @property
    def moves_start(self) -> bool:
        return self.start != self.trial.start


class Machine(RuleBasedStateMachine):
    """One authority, its officers, a Manufacturer, the DCC and the Panel.

    Args:
        url: of a fresh store in which the ceremony has been held.
        keys: the folder of the ceremony's keys.
    """

    def __init__(self, url: str, keys: Path) -> None:
        super().__init__()
        self.world = World(url, keys)
        self.witness = Witness(self.world)
        self.trials: list[Trial] = []
        self.panels: dict[str, Panel] = {}
        self.unseen: set[str] = set()
        self.waiting: list[Proposed] = []
        self.owed: dict[str, Trial] = {}
        self.reports: dict[str, bytes] = {}
        self.units = 0
        self.gone: dict[int, datetime] = {}
        self.fresh: dict[int, str] = {}

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    @property
    def standing(self) -> int:
        return sum(map(self._open, self.trials))

    # --- decisions ----------------------------------------------------------------------------------------------

    @initialize(lasts=st.integers(20, 90), limit=LIMITS, firmware=FIRMWARE)
    def first(self, lasts: int, limit: int, firmware: frozenset[str]) -> None:
        """A trial that has begun, so that there is something to do from the first act on."""
        self.grant(device="01", begins=0, lasts=lasts, limit=limit, firmware=firmware, meanwhile="nothing")

    @rule(
        device=st.sampled_from(DEVICES),
        begins=st.integers(0, 10),
        lasts=st.integers(0, 60),
        limit=LIMITS,
        firmware=FIRMWARE,
        meanwhile=st.sampled_from((*MEANWHILE, None)),
    )
    def grant(
        self, device: str, begins: int, lasts: int, limit: int, firmware: frozenset[str], meanwhile: str | None
    ) -> None:
        """Applied for, and granted at once or later (meanwhile None)."""
        start = first_second(self.now.date() + begins * DAY)
        expiry = last_second(start.date() + lasts * DAY)
        application = self.world.applied(
            device=replace(DEVICE, hardware_version=device),
            firmware=_images(firmware),
            start=start.date(),
            expiry=expiry.date(),
            maximum_devices=limit,
        )
        minutes = Minutes(conditions=(Passage.of("condition 1", "Leeds only."),))
        trial = Trial("", device, start)
        says = Certificate(start, expiry, limit, firmware, expiry + SECOND, conditions=frozenset({"Leeds only."}))
        taken = DeviceAlreadyApproved if self._taken(trial, start, expiry) else None
        command = ProposeGrant(application, "It looks sound.", minutes=minutes)
        self._propose(Proposed("", trial, start, [says], self.now), command, taken, meanwhile)

    @precondition(lambda self: self.standing > 0)
    @rule(
        which=WHICH, change=CHANGES, withdraws=st.sampled_from((False, False, True)),
        meanwhile=st.sampled_from((*MEANWHILE, None)),
    )  # fmt: skip
    def amend(self, which: int, change: dict[str, Any], meanwhile: str | None, *, withdraws: bool = False) -> None:
        """Expiry, limit, firmware or start, at an instant of its own; what waits behind it is carried (F2.29)."""
        trial = self._trial(which)
        today = self.now.date()
        start = first_second(today + change["start"] * DAY) if "start" in change else trial.start
        begins = max(next_midnight(self.now), trial.start)
        if "effective" in change:
            days, seconds = change["effective"]
            begins = first_second(today + days * DAY) + seconds * SECOND
        named, begins = begins, begins if start == trial.start else start
        held, behind = trial.basis(begins)
        firmware = change.get("firmware", held.firmware)
        expiry = last_second(today + change["expiry"] * DAY) if "expiry" in change else held.expiry
        limit = change.get("limit", held.limit)
        # Words that come with another certificate; words alone are in tests/test_waiting.py.
        word = change.get("condition") if limit != held.limit else None
        words = f"Not in house {len(self.waiting)} of {text(self.now)}."
        added = frozenset({words} if word == "set" else ())
        ended = frozenset(sorted(held.conditions)[:1] if word == "end" else ())
        command = ProposeAmendment(
            trial.name,
            "The trial goes on.",
            start=start.date() if "start" in change else None,
            expiry=expiry.date() if "expiry" in change else None,
            maximum_devices=change.get("limit"),
            firmware_added=_images(firmware - held.firmware),
            firmware_removed=tuple(sorted(held.firmware - firmware)),
            effective=named if "effective" in change else None,
            waiting=Waiting.WITHDRAW if withdraws else None,
            minutes=Minutes(conditions=tuple(Passage.of("condition", each) for each in added)),
            conditions_removed=self.witness.numbers(trial, ended),
        )
        said = held.conditions - ended | added
        says = Certificate(begins, expiry, limit, firmware, expiry + SECOND, conditions=said)
        line = trial.decided(says, withdraws=withdraws)
        proposed = Proposed("", trial, start, line, self.now, withdraws, (held, behind))
        self._propose(proposed, command, self._against(proposed), meanwhile)

    @precondition(lambda self: self.standing > 0)
    @rule(which=WHICH)
    def withdraw_waiting(self, which: int) -> None:
        """What is decided and has not begun never does; what holds goes on (F2.29)."""
        trial = self._trial(which)
        held, behind = trial.basis(self.now)
        error: type[TrialCpaError] | None = None
        if not self._open(trial):
            error = AlreadyEnded
        elif not behind:
            error = WrongState
        elif self._taken(trial, trial.start, held.expiry):
            error = DeviceAlreadyApproved

        def by_two() -> str:
            return self.world.seconded(self.world.proposed(ProposeWaitingWithdrawal(trial.name, "Not needed.")))

        if self._try(by_two, error) is not None:
            trial.withdraw(self.now)

    def _propose(
        self, proposed: Proposed, command: Any, error: type[TrialCpaError] | None, meanwhile: str | None
    ) -> None:
        decision = self._try(lambda: self.world.proposed(command), error)
        if decision is None:
            return
        self.world.authority.settle()
        with self.world.store.read() as tx:
            name = requests.decision(tx, decision).approval or ""
        assert proposed.trial.name in {"", name}
        assert not proposed.grant or name not in {each.name for each in self._known()}, "identifiers are never reused"
        proposed.decision, proposed.trial.name = decision, name
        self.waiting.append(proposed)
        if meanwhile is not None:
            self._second(proposed, meanwhile)

    @precondition(lambda self: self.waiting)
    @rule(which=WHICH, late=st.sampled_from((0, 1, 40)), meanwhile=st.sampled_from(MEANWHILE))
    def second(self, which: int, late: int, meanwhile: str) -> None:
        """The other officer agrees, perhaps some days later, of which the authority has seen nothing yet."""
        self.world.at(self.now + late * DAY)
        self._second(self.waiting[which % len(self.waiting)], meanwhile)

    def _second(self, proposed: Proposed, meanwhile: str) -> None:
        taken = self._taken(proposed.trial, proposed.start, proposed.line[-1].expiry)
        error: type[TrialCpaError] | None = None
        if self._passed(proposed):
            error = DecisionLapsed
        elif proposed.trial.required:
            error = RulesRefused
        elif proposed.grant and taken:
            error = DeviceAlreadyApproved
        if self._try(lambda: self.world.seconded(proposed.decision), error) is None:
            return
        self.waiting.remove(proposed)
        if meanwhile == "restart":
            self.restart()
        self.world.authority.settle()
        if taken:
            assert self.world.decision_state(proposed.decision) == "lapsed"
            return
        trial = proposed.trial
        if proposed.grant:
            self.trials.append(trial)
            self.panels[trial.name] = Panel()
        takes_over = self.now if proposed.moves_start else proposed.says.begins
        trial.start = proposed.start
        trial.issue(proposed.line, takes_over)

    @precondition(lambda self: any(each.grant for each in self.waiting))
    @rule()
    def require(self) -> None:
        """A standing requirement reaches what is proposed already; ended, it reaches nothing later (F2.20)."""
        made = set_standing(self.world.desk, OFFICER_1, "Show that it was tried in rain.").standing
        end_standing(self.world.desk, OFFICER_2, made)
        for each in self.waiting:
            if each.grant:
                each.trial.required.add(made)

    @precondition(lambda self: any(each.trial.required for each in self.waiting))
    @rule(which=WHICH)
    def meet(self, which: int) -> None:
        """Everything that is open of one application is met."""
        waiting = [each for each in self.waiting if each.trial.required]
        chosen = waiting[which % len(waiting)]
        self.witness.meet(chosen.decision, len(chosen.trial.required))
        chosen.trial.required.clear()

    # --- what stands against an act -----------------------------------------------------------------------------

    def _against(self, proposed: Proposed) -> type[TrialCpaError] | None:
        """What must stand against an amendment; None if it may be proposed."""
        assert proposed.basis is not None
        trial, says, (held, behind) = proposed.trial, proposed.says, proposed.basis
        if not self._open(trial):
            return AlreadyEnded
        same = (says.expiry, says.limit, says.firmware) == (held.expiry, held.limit, held.firmware)
        if (
            (same and not proposed.moves_start and not (proposed.withdraws and behind))
            or (proposed.withdraws and not behind)
            or (proposed.moves_start and (trial.start <= self.now or proposed.start <= self.now))
            or (says.expiry != held.expiry and says.expiry <= self.now)
            or not max(self.now + SECOND, proposed.start) <= says.begins
            or any(each.begins > before.expiry + SECOND for before, each in pairwise([held, *proposed.line]))
            or any(each.begins >= each.expiry or not each.firmware for each in proposed.line)
            or any(each.expiry + SECOND - proposed.start > LONGEST_TRIAL for each in proposed.line)
        ):
            return RulesRefused
        if self._taken(trial, proposed.start, proposed.line[-1].expiry):
            return DeviceAlreadyApproved
        return WrongState if any(each.trial is trial for each in self.waiting) else None

    def _open(self, trial: Trial) -> bool:
        return trial.says(self.now) in {"active", "not-yet-started"}

    def _taken(self, trial: Trial, start: datetime, expiry: datetime) -> bool:
        """Whether another approval of the device has some of these seconds."""
        others = [each for each in self.trials if each is not trial and each.device == trial.device and not each.over]
        return any(each.start <= expiry and start <= each.line()[-1].expiry for each in others)

    def _passed(self, proposed: Proposed) -> bool:
        """Whether a proposal can no longer be decided."""
        if self.now >= proposed.made + PROPOSAL_LIFE:
            return True
        if proposed.grant:
            return proposed.start < first_second(self.now.date())
        moved_too_late = proposed.moves_start and proposed.trial.start <= self.now
        if not self._open(proposed.trial) or proposed.says.begins <= self.now or moved_too_late:
            return True
        return proposed.trial.basis(proposed.says.begins) != proposed.basis

    def _try(self, act: Callable[[], str], error: type[TrialCpaError] | None) -> str | None:
        """Do what may be done; None if it was refused, as it must be, with this error."""
        try:
            done = act()
        except TrialCpaError as refused:
            assert error is not None and type(refused) is error, refused  # noqa: PT017, PT018 - both are told
            return None
        assert error is None, f"{error.__name__} was due"
        return done

    # --- ends ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.standing > 1)
    @rule(which=WHICH, withdrawn=st.booleans())
    def end(self, which: int, withdrawn: bool) -> None:  # noqa: FBT001 - drawn by name
        """Revoked by one officer in a hurry, or ended at the Manufacturer's request by two (F2.30)."""

        def by_two(name: str) -> None:
            command = ending(name, EndCause.MANUFACTURER, "It has asked for it.")
            self.world.seconded(self.world.proposed(command))

        if withdrawn:
            self._end(self._trial(which), "withdrawn-at-request", by_two)
        else:
            self._end(self._trial(which), "revoked", self.world.revoked)

    @precondition(lambda self: self.trials)
    @rule(which=WHICH, confirmed=st.booleans())
    def suspect(self, which: int, confirmed: bool) -> None:  # noqa: FBT001 - drawn by name
        """A condition may have been breached: confirmed, a revocation is owed; dismissed, none (F2.23)."""
        trial = self._trial(which)
        suspected = breach.suspect(self.world.desk, OFFICER_1, trial.name, 1, "Seen in York.").breach
        judge(self.world.desk, OFFICER_2, suspected, confirmed=confirmed, why="It was there.")
        if confirmed:
            self.owed[suspected] = trial

    @precondition(lambda self: self.owed)
    @rule(which=WHICH)
    def answer_breach(self, which: int) -> None:
        """Revoke for a breach, or close it where nothing is left to revoke (F2.23)."""
        named = sorted(self.owed)[which % len(self.owed)]
        trial = self.owed[named]
        if not self._open(trial):
            self._end(trial, "", lambda name: self.world.revoked(name, EndCause.BREACH, breach=named))
            breach.close(self.world.desk, OFFICER_1, named, why="It is over.")
        else:
            self._try(lambda: str(breach.close(self.world.desk, OFFICER_1, named, why="No.")), WrongState)
            self._end(trial, "revoked-for-breach", lambda name: self.world.revoked(name, EndCause.BREACH, breach=named))
        del self.owed[named]

    def _end(self, trial: Trial, word: str, act: Callable[[str], object]) -> None:
        stands = self._open(trial)
        self._try(lambda: str(act(trial.name)), None if stands else AlreadyEnded)
        if stands:
            trial.end(self.now, word)

    # --- the Panel and the DCC ----------------------------------------------------------------------------------

    @precondition(lambda self: self.trials)
    @rule(which=WHICH, says=st.sampled_from(("loaded", "nothing", "rejected")))
    def panel(self, which: int, says: str) -> None:
        """The Panel does the next thing for one entry, with or without a word, or cannot do it."""
        first: dict[tuple[str, str], InstructionAnswer] = {}
        for each in self.witness.instructions():
            first.setdefault((each.approval, each.firmware_version), each)
        if first:
            self._panel(list(first.values())[which % len(first)], says)

    @precondition(lambda self: self.trials)
    @rule()
    def panel_does_what_is_due(self) -> None:
        for each in self.witness.instructions():
            if each.due <= self.now:
                self._panel(each, "loaded")

    def _panel(self, told: InstructionAnswer, says: str) -> None:
        named, approval = told.instruction, told.approval
        # Nobody rejects what has been done, or does in silence what was rejected or is not due.
        if says == "nothing" and (told.state == "rejected" or told.due > self.now):
            return
        if says == "rejected" and (told.state == "rejected" or named in self.unseen):
            return
        if says == "nothing":
            self.unseen.add(named)
        else:
            acknowledge(self.world.desk, PANEL, Acknowledge(named, says == "loaded", "It does not load."))
        if says != "rejected":
            self.panels[approval].do(told)
        if says == "loaded":
            shows = self.panels[approval].shows.get(told.firmware_version)
            next(each for each in self.trials if each.name == approval).loaded(told.firmware_version, shows)

    @precondition(lambda self: self.standing > 0)
    @rule(which=WHICH, units=st.integers(1, 3), again=st.booleans())
    def deploy(self, which: int, units: int, again: bool) -> None:  # noqa: FBT001 - drawn by name
        """New units, or some that were taken down before; told twice, and counted once (F2.28)."""
        trial = self._trial(which)
        back = sorted(unit for unit, at in self.gone.items() if at < self.now) if again else []
        chosen = [*back, *range(self.units + 1, self.units + 1 + units)][:units]
        self.units += units
        self.witness.recorded.reported.add(self.now)
        version = min((trial.holding(self.now) or trial.issued[-1]).firmware)
        lines = [deployed(each, trial.name, text(self.now), firmware_version=version) for each in chosen]
        said = outcomes(send(self.world, *lines, *lines))
        held = trial.holding(self.now)
        assert said == (["recorded"] * units + ["known"] * units if held else ["refused"] * 2 * units)
        if held is None:
            return
        self.gone = {unit: at for unit, at in self.gone.items() if unit not in chosen}
        trial.units.update(chosen)
        self.fresh |= dict.fromkeys(chosen, text(self.now))
        trial.since["up"] += units
        if len(trial.units) > held.limit:
            with self.world.store.read() as tx:
                assert breach_reading.open_limit_breach(tx, trial.name) is not None

    @precondition(lambda self: any(each.units for each in self.trials))
    @rule(which=WHICH)
    def decommission(self, which: int) -> None:
        """A unit comes down, whether or not its approval still stands."""
        trial = [each for each in self.trials if each.units][which % sum(bool(each.units) for each in self.trials)]
        unit = min(trial.units)
        self.witness.recorded.reported.add(self.now)
        assert outcomes(send(self.world, gone(unit, text(self.now)))) == ["recorded"]
        trial.units.remove(unit)
        self.fresh.pop(unit, None)
        trial.since["down"] += 1
        self.gone[unit] = self.now

    @precondition(lambda self: any(each.units & self.fresh.keys() for each in self.trials))
    @rule()
    def correct(self) -> None:
        """A unit was never there: it goes, and the next report does not count it as having gone up or come down."""
        trial = next(each for each in self.trials if each.units & self.fresh.keys())
        unit = max(trial.units & self.fresh.keys())
        self.witness.recorded.reported |= {parse(self.fresh[unit]), self.now}
        assert outcomes(send(self.world, corrected(unit, self.fresh.pop(unit)))) == ["recorded"]
        trial.units.remove(unit)
        trial.since["up"] -= 1

    @precondition(lambda self: month_of(self.now) not in self.reports)
    @rule()
    def issue_report(self) -> None:
        """The month's report is frozen, and the next one counts from there (F2.28)."""
        month = month_of(self.now)
        covers = json.loads(report(self.world.desk, DCC, month))["covers"]
        issue_report(self.world.desk, DCC, month, early=True, months=covers)
        self.fresh = {}
        self.reports[month], said = self.witness.report(month)
        self.witness.counts(self.trials, said, self.witness.instructions())
        for each in self.trials:
            each.before = bool(each.listed)
            each.since = dict.fromkeys(each.since, 0)

    # --- time and restarts --------------------------------------------------------------------------------------

    @rule(by=LATER)
    def wait(self, by: timedelta) -> None:
        self.world.at(self.now + by)

    @precondition(lambda self: self._turns())
    @rule(which=WHICH, beside=st.sampled_from((-1, 0, 1)))
    def wait_for_a_turn(self, which: int, beside: int) -> None:
        """Until something begins or ends, or the second before or after."""
        turns = self._turns()
        self.world.at(max(self.now, turns[which % len(turns)] + beside * SECOND))

    def _turns(self) -> list[datetime]:
        turns = {turn for trial in self.trials for each in trial.issued for turn in (each.begins, each.ends)}
        return sorted(turn for turn in turns if turn > self.now)

    @rule()
    def restart(self) -> None:
        """Every process starts anew on the same store; the one that died had given its lease back."""
        before = self.world
        before.close()
        self.world = World(before.url, before.folder, before.clock, before.machine)
        self.world.authority.holder = before.authority.holder
        self.witness = Witness(self.world, self.witness.recorded)

    @precondition(lambda self: self.trials)
    @rule(which=WHICH, part=st.integers(0, 100))
    def look_back(self, which: int, part: int) -> None:
        """What was true at an instant of the past is said of it for ever."""
        trial = self._trial(which)
        record = self.world.record(trial.name)
        since = max(record.granted_at, record.certificates[0].signed_at)
        self.witness.past(trial, since + int((self.now - since).total_seconds()) * part // 100 * SECOND)

    @rule()
    def ask_again(self) -> None:
        """What was answered so far is answered again, of its instant."""
        self.witness.ask_again(ASKED_AGAIN)

    # --- what must hold after each act --------------------------------------------------------------------------

    @invariant()
    def everything_agrees(self) -> None:
        if self.now - self.witness.since > CREDENTIAL_LIFE:
            self.restart()
        self.witness.verification(self.trials)
        self.world.authority.settle()
        self.witness.verification(self.trials)
        self.witness.signatures(self.trials)
        self.witness.conditions(self.trials)
        for number, device in enumerate(DEVICES):
            version = sorted(VERSIONS)[(len(self.trials) + number) % len(VERSIONS)]
            self.witness.models(self.trials, replace(DEVICE, hardware_version=device), version)
        told = self.witness.instructions()
        self.witness.lists(self.trials, self.panels, told)
        month = month_of(self.now)
        if month not in self.reports:
            self.witness.counts(self.trials, self.witness.report(month)[1], told)
        for issued, frozen in self.reports.items():
            assert self.witness.report(issued)[0] == frozen
        assert self.witness.owed() == self.owed.keys()
        for each in list(self.waiting):
            passed = self._passed(each)
            assert self.world.decision_state(each.decision) == ("lapsed" if passed else "drafted")
            if passed:
                self.waiting.remove(each)

    def teardown(self) -> None:
        with closing(self.world):
            super().teardown()

    # --- names --------------------------------------------------------------------------------------------------

    def _trial(self, which: int) -> Trial:
        """Those that stand come first: of what is over there soon are many, and little can happen to them."""
        return sorted(self.trials, key=lambda each: not self._open(each))[which % len(self.trials)]

    def _known(self) -> list[Trial]:
        return [*self.trials, *(each.trial for each in self.waiting if each.grant)]


def _images(versions: frozenset[str]) -> tuple[Firmware, ...]:
    return tuple(Firmware(each, VERSIONS[each]) for each in sorted(versions))
