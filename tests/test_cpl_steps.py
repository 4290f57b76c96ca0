"""What the list must show, and the instructions that lead there, whatever happens in whatever order."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.approval import ApprovalRecord, CertificateRecord, EndCause, Firmware, Terms
from core.cpl import Entry, Instruct, Instruction, InstructionState, Kind, Supersede, entry_of, steps, wanted
from core.identifiers import Serial
from tests.world import DEVICE

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
BEGIN = datetime(2027, 1, 1, tzinfo=UTC)
START = BEGIN + 5 * DAY
EXPIRY = BEGIN + 20 * DAY - SECOND
VERSIONS = ("0001", "000A", "9001")


def firmware(*versions: str) -> tuple[Firmware, ...]:
    return tuple(Firmware(each, "ab" * 32) for each in versions)


def certificate(terms: Terms, signed_at: datetime) -> CertificateRecord:
    return CertificateRecord(Serial("00"), terms.issue, "", terms.effective, terms.expiry, signed_at)


@dataclass
class Trial:
    """An approval as acts change it, what the Panel was told, and the list that the Panel keeps."""

    now: datetime = BEGIN
    ncsc: bool = False
    instructed: list[Instruction] = field(default_factory=list)
    shown: dict[str, Entry] = field(default_factory=dict)
    applied: set[str] = field(default_factory=set)
    record: ApprovalRecord = field(
        default_factory=lambda: ApprovalRecord(
            "TDT-2027-0001-X", "org", DEVICE, BEGIN, START, (Terms(1, START, EXPIRY, 5, firmware(VERSIONS[0])),)
        )
    )

    # --- what the authority does ----------------------------------------------------------------------------------

    def instruct(self) -> list[str]:
        """Take the steps; asked again at once, there are none."""
        taken = []
        for step in steps(self.record, self.instructed, self.now, self.ncsc):
            if isinstance(step, Supersede):
                assert step.instruction.open
                self.put(replace(step.instruction, state=InstructionState.SUPERSEDED))
                taken.append("supersede")
            else:
                given = Instruction(
                    f"cpl-{len(self.instructed):04}",
                    step.kind,
                    step.entry,
                    step.due,
                    InstructionState.PENDING,
                    self.now,
                )
                self.instructed.append(given)
                taken.append(str(given.kind))
        assert steps(self.record, self.instructed, self.now, self.ncsc) == []
        return taken

    def sign(self) -> list[str]:
        if not self.record.certificates and self.record.ended_at is None and self.now <= EXPIRY:
            self.record = replace(self.record, certificates=(certificate(self.record.terms[0], self.now),))
        return self.instruct()

    def amend(
        self,
        *,
        effective: datetime | None = None,
        expiry: datetime | None = None,
        versions: tuple[Firmware, ...] | None = None,
        start: datetime | None = None,
    ) -> list[str]:
        last = self.record.terms[-1]
        begins = self.record.start if start is None else start
        effective = begins if start is not None else max(effective or self.now + DAY, begins)
        expiry = last.expiry if expiry is None else expiry
        standing = self.record.certificates and self.record.ended_at is None and self.now <= last.expiry
        moved = start is not None and not (self.now < self.record.start and self.now < start)
        if standing and not moved and self.now <= effective <= min(last.expiry, expiry):
            terms = Terms(last.issue + 1, effective, expiry, 5, versions or last.firmware)
            self.record = replace(
                self.record,
                start=begins,
                terms=(*self.record.terms, terms),
                certificates=(*self.record.certificates, certificate(terms, self.now)),
            )
        return self.instruct()

    def end(self) -> list[str]:
        if self.record.ended_at is None and self.now <= self.record.terms[-1].expiry:
            self.record = replace(self.record, ended_at=self.now, end_cause=EndCause.SSC)
        return self.instruct()

    def certify(self) -> list[str]:
        self.ncsc = True
        return self.instruct()

    def wait(self, days: int) -> Iterator[datetime]:
        """Yield each instant at which something may be different; the authority records an expiry when it comes."""
        for _ in range(days):
            self.now += DAY
            if self.record.terms[-1].expiry < self.now:
                self.instruct()
            yield self.now

    # --- what the Panel does --------------------------------------------------------------------------------------

    def put(self, changed: Instruction) -> None:
        self.instructed = [changed if each.id == changed.id else each for each in self.instructed]

    def owed(self) -> list[Instruction]:
        return sorted((each for each in self.instructed if each.open), key=lambda each: each.order)

    def load(self, one: Instruction) -> None:
        """Do what an instruction says, whether or not anybody is told."""
        self.applied.add(one.id)
        if one.shown is not None:
            self.shown[one.entry.key] = one.shown
        else:
            self.shown.pop(one.entry.key, None)

    def answer(self, one: Instruction, state: InstructionState) -> None:
        self.put(replace(one, state=state, acknowledged_at=self.now))

    def load_what_is_due(self) -> None:
        """A Panel that does everything in its second, and finds that it can: it adds what is not there and changes
        what is. (What is to go may have come and gone in one second.)
        """
        for one in self.owed():
            if one.due <= self.now and one.id not in self.applied:
                assert one.shown is None or (one.entry.key in self.shown) == (one.kind is Kind.CHANGE), one
                self.load(one)

    def agrees(self) -> None:
        assert self.shown == wanted(self.record, self.now), self.now


# --- whatever happens ---------------------------------------------------------------------------------------------

DAYS = st.integers(0, 25)
ACTS = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 6)),
    st.tuples(st.just("sign"), st.none()),
    st.tuples(st.just("amend"), st.tuples(DAYS, DAYS, st.sets(st.sampled_from(VERSIONS), min_size=1))),
    st.tuples(st.just("start"), DAYS),
    st.tuples(st.just("end"), st.none()),
    st.tuples(st.just("certify"), st.none()),
    st.tuples(st.just("instruct"), st.none()),
    st.tuples(st.just("panel"), st.tuples(st.integers(0, 5), st.sampled_from(["load", "unseen", "reject", "early"]))),
)


def act(trial: Trial, name: str, given: object) -> Iterator[datetime]:
    """Do one act of the authority; yields the instants that pass."""
    match name, given:
        case "wait", int(days):
            yield from trial.wait(days)
        case "sign", _:
            trial.sign()
        case "amend", (int(effective), int(expiry), set(versions)):
            trial.amend(
                effective=trial.now + effective * DAY,
                expiry=BEGIN + (expiry + 10) * DAY - SECOND,
                versions=firmware(*sorted(versions)),
            )
        case "start", int(day):
            trial.amend(start=BEGIN + day * DAY)
        case "end", _:
            trial.end()
        case "certify", _:
            trial.certify()
        case "instruct", _:
            trial.instruct()
    yield trial.now


@pytest.mark.clause("F2.27")
@pytest.mark.clause("F2.29")
@pytest.mark.clause("F2.31")
@settings(max_examples=300)
@given(st.lists(ACTS, max_size=25))
def test_a_panel_that_does_what_it_is_told_when_it_is_due_shows_what_is_wanted_at_every_instant(
    acts: list[tuple[str, object]],
) -> None:
    trial = Trial()
    for name, given_ in [("sign", None), *acts]:
        if name == "panel":
            done = [one for one in trial.owed() if one.id in trial.applied]
            if done:  # it says so only now and then, in any order
                trial.answer(done[given_[0] % len(done)], InstructionState.LOADED)  # type: ignore[index]
            continue
        for _ in act(trial, name, given_):
            trial.load_what_is_due()
            trial.agrees()


@settings(max_examples=300)
@given(st.lists(ACTS, max_size=30))
def test_a_panel_that_is_late_early_silent_or_unwilling_shows_what_is_wanted_once_it_has_done_what_is_open(
    acts: list[tuple[str, object]],
) -> None:
    trial = Trial()
    for name, given_ in [("sign", None), *acts]:
        if name == "panel":
            panel(trial, *given_)  # type: ignore[misc]
        else:
            list(act(trial, name, given_))
    list(trial.wait(60))
    for one in trial.owed():
        trial.load(one)
        trial.answer(one, InstructionState.LOADED)
    trial.agrees()
    assert trial.instruct() == []


def panel(trial: Trial, place: int, how: str) -> None:
    """Act on the first open instruction for one of the entries: in order, as the list shows them."""
    first: dict[str, Instruction] = {}
    for one in trial.owed():
        first.setdefault(one.entry.key, one)
    if not first:
        return
    one = list(first.values())[place % len(first)]
    due = one.due <= trial.now
    match how:
        case "load" if due:
            trial.load(one)
            trial.answer(one, InstructionState.LOADED)
        case "unseen" if due and one.state is InstructionState.PENDING:
            trial.load(one)
        case "early" if not due:
            trial.load(one)
            trial.answer(one, InstructionState.LOADED)
        case "reject" if one.id not in trial.applied and one.state is InstructionState.PENDING:
            trial.answer(one, InstructionState.REJECTED)


# --- case by case -------------------------------------------------------------------------------------------------


def granted() -> Trial:
    trial = Trial()
    assert trial.sign() == ["add"]
    return trial


@pytest.mark.clause("F2.27")
def test_an_entry_is_due_on_the_start_date_and_shows_trial_approval_and_expiry() -> None:
    trial = granted()
    (one,) = trial.instructed
    assert (one.kind, one.due) == (Kind.ADD, START)
    kept = one.entry.kept()
    assert (kept["trial"], kept["approval"], kept["expiry"]) == (
        "Trial Device",
        "TDT-2027-0001-X",
        "2027-01-20T23:59:59Z",
    )
    assert entry_of(kept) == one.entry
    assert wanted(trial.record, START - SECOND) == {}
    assert list(wanted(trial.record, START)) == ["0001"]
    assert list(wanted(trial.record, EXPIRY)) == ["0001"]
    assert wanted(trial.record, EXPIRY + SECOND) == {}


@pytest.mark.clause("F2.27")
def test_nothing_is_instructed_before_a_certificate_is_recorded_and_a_late_one_is_due_at_once() -> None:
    trial = Trial()
    assert trial.instruct() == []
    trial.now = START + DAY
    assert wanted(trial.record, trial.now) == {}
    assert trial.sign() == ["add"]
    assert trial.instructed[0].due == trial.now


@pytest.mark.clause("F2.29")
def test_an_amendment_changes_each_entry_at_its_effective_instant_and_adds_and_removes_versions() -> None:
    trial = granted()
    trial.now = START + DAY
    effective = START + 3 * DAY
    assert trial.amend(effective=effective, expiry=EXPIRY + DAY, versions=firmware("0001", "000A")) == ["change", "add"]
    assert {each.due for each in trial.instructed[1:]} == {effective}
    assert {each.entry.expiry for each in trial.instructed[1:]} == {EXPIRY + DAY}
    later = effective + 2 * DAY
    assert trial.amend(effective=later, versions=firmware("000a")) == ["remove", "change"]
    assert [(each.kind, each.entry.firmware.version, each.due) for each in trial.instructed[3:]] == [
        (Kind.REMOVE, "0001", later),
        (Kind.CHANGE, "000a", later),
    ]


def test_a_new_key_for_the_same_terms_needs_no_instruction() -> None:
    trial = granted()
    assert trial.amend(effective=START + DAY) == []


@pytest.mark.clause("F2.29")
def test_an_amendment_before_the_start_replaces_the_entry_to_be_added() -> None:
    trial = granted()
    assert trial.amend(effective=START, expiry=EXPIRY + DAY) == ["supersede", "add"]
    assert (trial.instructed[1].due, trial.instructed[1].entry.expiry) == (START, EXPIRY + DAY)
    assert trial.amend(start=START + DAY) == ["supersede", "add"]
    assert trial.instructed[2].due == START + DAY
    assert trial.amend(start=START - DAY) == ["supersede", "add"]
    assert trial.instructed[3].due == START - DAY


@pytest.mark.clause("F2.31")
@pytest.mark.parametrize(
    ("after", "state", "told"),
    [
        (-SECOND, InstructionState.PENDING, ["supersede"]),
        (-SECOND, InstructionState.REJECTED, ["supersede"]),
        (-SECOND, InstructionState.LOADED, ["remove"]),
        (SECOND * 0, InstructionState.PENDING, ["supersede", "remove"]),
        (DAY, InstructionState.PENDING, ["supersede", "remove"]),
        (DAY, InstructionState.LOADED, ["remove"]),
        (DAY, InstructionState.REJECTED, ["supersede"]),
    ],
)
def test_at_an_end_what_may_be_on_the_list_is_removed_at_once_and_nothing_else(
    after: timedelta, state: InstructionState, told: list[str]
) -> None:
    trial = granted()
    trial.now = START + after
    if state is not InstructionState.PENDING:
        trial.answer(trial.instructed[0], state)
    assert trial.end() == told
    assert all(each.due == trial.now for each in trial.instructed[1:])


@pytest.mark.clause("F2.31")
def test_at_expiry_the_removal_is_due_in_the_first_second_after_it_however_late_that_is_recorded() -> None:
    trial = granted()
    trial.now = EXPIRY
    assert trial.instruct() == []
    trial.now = EXPIRY + 3 * DAY
    assert trial.instruct() == ["supersede", "remove"]
    assert trial.instructed[1].due == EXPIRY + SECOND


@pytest.mark.clause("F2.31")
def test_where_the_ncsc_has_certified_the_model_the_marker_is_replaced_instead() -> None:
    trial = granted()
    trial.now = START + DAY
    trial.answer(trial.instructed[0], InstructionState.LOADED)
    assert trial.certify() == []
    assert trial.end() == ["replace-marker"]


@pytest.mark.clause("F2.31")
@pytest.mark.parametrize(
    ("state", "told"),
    [
        (InstructionState.PENDING, ["supersede", "replace-marker"]),
        (InstructionState.REJECTED, ["supersede", "replace-marker"]),
        (InstructionState.LOADED, []),
    ],
)
def test_a_certificate_of_the_ncsc_that_comes_after_the_end_replaces_a_removal_that_is_not_done(
    state: InstructionState, told: list[str]
) -> None:
    trial = granted()
    trial.now = START + DAY
    trial.answer(trial.instructed[0], InstructionState.LOADED)
    trial.amend(effective=trial.now, versions=firmware("000A"))
    for one in trial.owed():
        trial.answer(one, InstructionState.LOADED if one.kind is Kind.ADD else InstructionState.PENDING)
    trial.now += DAY
    assert trial.end() == ["remove"]  # of the version that was approved to the end; the other's is pending already
    trial.answer(trial.instructed[-1], state)
    trial.now += DAY
    assert trial.certify() == told
    if told:
        assert (trial.instructed[-1].entry.firmware.version, trial.instructed[-1].due) == ("000A", trial.now)


def test_an_add_that_would_undo_a_removal_is_taken_back() -> None:
    trial = granted()
    trial.amend(effective=START + DAY, versions=firmware("000A"))
    trial.now = START + 2 * DAY
    trial.end()
    assert {each.kind for each in trial.owed()} == {Kind.REMOVE}
    assert {each.entry.firmware.version for each in trial.owed()} == {"0001", "000A"}


def test_what_the_panel_rejected_is_given_anew_when_the_entry_changes() -> None:
    trial = granted()
    trial.now = START + DAY
    trial.answer(trial.instructed[0], InstructionState.REJECTED)
    assert trial.instruct() == []  # it is still owed as it is
    assert trial.amend(effective=trial.now, expiry=EXPIRY + DAY) == ["supersede", "add"]


def test_what_was_loaded_too_early_and_is_no_longer_to_come_is_set_right_at_once() -> None:
    trial = granted()
    trial.amend(effective=START + 6 * DAY, expiry=EXPIRY + DAY)
    trial.now = START + 2 * DAY
    for one in trial.instructed:
        trial.answer(one, InstructionState.LOADED)
    assert trial.instruct() == []
    trial.now += DAY
    assert trial.amend(effective=trial.now + DAY, expiry=EXPIRY + 2 * DAY) == ["change", "change"]
    assert [each.entry.expiry for each in trial.instructed[2:]] == [EXPIRY, EXPIRY + 2 * DAY]
    assert [each.due for each in trial.instructed[2:]] == [trial.now - DAY, trial.now + DAY]


def test_a_version_that_comes_back_before_its_removal_is_told_is_added_whole() -> None:
    trial = granted()
    trial.amend(effective=START + DAY, versions=firmware("000A"))
    trial.now = START + 2 * DAY
    trial.answer(trial.instructed[0], InstructionState.LOADED)
    told = trial.amend(effective=trial.now, versions=firmware("0001", "000A"))
    assert told == ["supersede", "add"]  # the removal may have been loaded unseen


def test_a_removal_that_nobody_acknowledged_does_not_hide_that_the_entry_may_still_be_there() -> None:
    trial = granted()
    trial.amend(effective=START + DAY, versions=firmware("000A"))
    trial.amend(effective=START + 2 * DAY, versions=firmware("0001"))
    trial.now = START + 3 * DAY
    first, *_ = trial.instructed
    trial.answer(first, InstructionState.LOADED)
    again = next(one for one in trial.owed() if one.kind is Kind.ADD and one.entry.key == "0001")
    trial.answer(again, InstructionState.REJECTED)
    trial.end()
    assert (trial.instructed[-1].kind, trial.instructed[-1].entry.key) == (Kind.REMOVE, "0001")


def test_an_end_of_a_second_that_the_clock_had_not_reached_is_an_end() -> None:
    trial = granted()
    trial.now = START + DAY
    trial.record = replace(trial.record, ended_at=trial.now + SECOND, end_cause=EndCause.SSC)
    assert trial.instruct() == ["supersede", "remove"]


@pytest.mark.clause("F2.31")
def test_an_amendment_that_never_held_has_no_say_in_whose_marker_is_replaced() -> None:
    trial = granted()
    trial.amend(effective=START + 3 * DAY, versions=firmware("000A"))
    trial.now = START + DAY
    trial.end()
    trial.now = START + 5 * DAY
    assert trial.certify() == ["supersede", "replace-marker"]
    assert trial.instructed[-1].entry.key == "0001"


def test_a_step_says_what_to_do_with_which_entry() -> None:
    trial = granted()
    assert steps(replace(trial.record, ended_at=START, end_cause=EndCause.SSC), [], START, ncsc=False) == []
    added = steps(trial.record, [], BEGIN, ncsc=False, smets_version="SMETS V1.58")
    assert added == [Instruct(Kind.ADD, replace(trial.instructed[0].entry, smets_version="SMETS V1.58"), START)]
