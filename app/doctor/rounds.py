"""The round: every group is looked at in turn, each with a deadline, and what fails ends no other look."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from app.doctor import files, register
from app.doctor.findings import Finding, FindingCode, Group, Severity, found, of_error
from app.house import House, open_house
from app.settings import Settings, load
from core.clock import Clock
from core.errors import PlaceUnusable, TrialCpaError

LOOK_SECONDS = 20.0
"""How long one look may take: a journal of a million rows takes longer, and `trialcpa check` reads it to its end."""

Look = Callable[[], files.Said]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What came of looking at a group.

    Args:
        group: which.
        findings: what is to worry about.
        well: sentences of what is as it should be.
    """

    group: Group
    findings: tuple[Finding, ...]
    well: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What is asked of the machine.

    Args:
        clock: its own.
        synchronised: the kernel's instant if somebody keeps it right; None if not.
        seconds: how long one look may take.
    """

    clock: Clock
    synchronised: Callable[[], datetime | None]
    seconds: float = LOOK_SECONDS


def looked(home: Path, machine: Machine) -> tuple[Seen, ...]:
    """Look at everything once; never raises what is wrong with the authority.

    Args:
        home: the folder of the authority.
        machine: see there.
    """
    try:
        settings = load(home)
    except TrialCpaError as error:
        return (Seen(group=Group.SETTINGS, findings=(of_error(error),)),)
    except OSError as error:
        place = PlaceUnusable(path=error.filename or home, detail=error.strerror or type(error).__name__)
        return (Seen(group=Group.SETTINGS, findings=(of_error(place),)),)
    opened: list[_Opened] = []
    first = _looked(Group.REGISTER, partial(_open, settings, opened), machine.seconds)
    house = opened[0].house if opened else None
    looks: dict[Group, Look] = {**_on_the_machine(settings, machine, live=bool(opened) and opened[0].live)}
    if house is not None:
        looks |= _in_the_register(house, machine)
    seen = {group: _looked(group, look, machine.seconds) for group, look in looks.items()}
    if house is not None:
        house.close()
    return tuple({Group.REGISTER: first, **seen}[group] for group in Group if group in {Group.REGISTER, *seen})


@dataclass(frozen=True)
class _Opened:
    """A register that is open, and whether it says that it is a live authority's."""

    house: House
    live: bool


def _open(settings: Settings, into: list[_Opened]) -> files.Said:
    house = open_house(settings, reading=True)
    into.append(_Opened(house, house.row().environment == "live"))
    yield "The register is open."


def _on_the_machine(settings: Settings, machine: Machine, *, live: bool) -> Mapping[Group, Look]:
    return {
        Group.SETTINGS: partial(files.look_at_settings, settings, live=live),
        Group.PERMISSIONS: partial(files.look_at_permissions, settings),
        Group.DISK: partial(files.look_at_disks, settings),
        Group.KEYS: partial(files.look_at_key_files, settings),
        Group.BACKUPS: partial(files.look_at_backups, settings, machine.clock.now()),
    }


def _in_the_register(house: House, machine: Machine) -> Mapping[Group, Look]:
    def keys() -> files.Said:
        yield from files.look_at_key_files(house.settings)
        yield from register.look_at_ends(house)

    return {
        Group.CLOCK: partial(register.look_at_clock, house, machine.synchronised),
        Group.REGISTER: partial(register.look_at_register, house),
        Group.KEYS: keys,
        Group.MEMORY: partial(register.look_at_memory, house),
        Group.JOURNAL: partial(register.look_at_journal, house),
        Group.SERVICE: partial(register.look_at_service, house),
        Group.PROXY: partial(register.look_at_proxy, house),
        Group.RENDERER: partial(register.look_at_renderer, house),
    }


def _looked(group: Group, look: Look, seconds: float) -> Seen:
    """Look in a thread of its own, which nobody waits for beyond the deadline."""
    said: list[Finding | str] = []

    def run() -> None:
        try:
            for each in look():
                said.append(each)  # noqa: PERF402 - what was found before it hung is told
        except TrialCpaError as error:
            said.append(of_error(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the round goes on
            said.append(found(FindingCode.LOOK_FAILED, detail=f"{type(error).__name__}: {error}"))

    thread = threading.Thread(target=run, name=f"look at {group}", daemon=True)
    thread.start()
    thread.join(seconds)
    late = thread.is_alive()
    told = list(said)
    if late:
        told.append(found(FindingCode.LOOK_UNFINISHED, seconds=f"{seconds:g}"))
    findings = dict.fromkeys(each for each in told if isinstance(each, Finding))
    return Seen(group=group, findings=tuple(findings), well=tuple(each for each in told if isinstance(each, str)))


def worst(seen: tuple[Seen, ...]) -> Severity | None:
    """Return the worst that was found; None if everything is well."""
    every = {each.severity for one in seen for each in one.findings}
    return next((each for each in Severity if each in every), None)
