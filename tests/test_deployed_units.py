"""The units that a web process holds in memory are those of the register, whatever the DCC reports (F2.28)."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from api.status.mirror import Mirror
from core.approval import Device
from core.clock import SystemClock
from core.errors import StoreUnavailable
from store.reading import deployed_units
from store.reading.status import StatusReader
from store.trial_tables import deployments
from tests.deployments_world import LATER, VERSION, corrected, deployed, eui, gone, replaced, send
from tests.world import World

OTHER = Device("ESME", "AB01", "010A030C", "01")

REPORTS: tuple[tuple[Mapping[str, str], ...], ...] = (
    (),
    tuple(deployed(number, "first") for number in range(1, 6)),
    (gone(1), replaced(2, by=6, on="2027-01-12"), deployed(7, "first", on="2027-01-20")),
    (corrected(3),),
    ({"event": "not-decommissioned", "device_id": eui(1), "on": "2027-01-10", "why": "it is on its wall"},),
    (gone(4), deployed(4, "second", on="2027-01-28"), deployed(3, "second", on="2027-01-28")),
    (corrected(3, on="2027-01-28"), corrected(6, on="2027-01-12"), corrected(7, on="2027-01-20")),
)


@pytest.fixture
def reader(world: World) -> StatusReader:
    return StatusReader(world.store)


def test_what_is_followed_report_by_report_is_what_the_register_says(world: World, reader: StatusReader) -> None:
    approvals = {"first": world.granted(), "second": world.granted(device=OTHER)}
    world.at(LATER)
    mirror = Mirror(reader, SystemClock())
    mirror.follow()
    mirror.read_units()
    for report in REPORTS:
        world.clock.advance(timedelta(seconds=1))
        lines = [
            {**line, **({"approval": approvals[line["approval"]]} if "approval" in line else {})} for line in report
        ]
        if lines:
            assert send(world, *lines).recorded == len(lines)
        before = mirror.view().deployed
        mirror.follow()
        view = mirror.view()
        assert view.deployed is not None
        assert dict(view.deployed) == reader.deployed()
        assert (view.deployed is before) is not bool(lines), "only what changed is made anew"
        for approval in (*approvals.values(), "TDT-2027-0042-5"):
            for number in range(1, 9):
                for day in (4, 5, 9, 10, 12, 20, 28, 31):
                    at = LATER.replace(month=1, day=day, hour=0)
                    assert view.units(approval, eui(number), at) == reader.units(approval, eui(number), at)


def test_what_is_reported_while_the_units_are_read_is_held_in_the_end(
    world: World, reader: StatusReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = world.granted()
    world.at(LATER)
    mirror, read = Mirror(reader, SystemClock()), deployed_units.every_unit
    mirror.follow()
    send(world, deployed(1, approval))

    def meanwhile(*said: object) -> object:
        found = read(*said)  # type: ignore[arg-type]
        send(world, deployed(2, approval))
        mirror.follow()
        return found

    monkeypatch.setattr(deployed_units, "every_unit", meanwhile)
    mirror.read_units()
    view = mirror.view()
    assert view.units(approval, eui(1), LATER).among
    assert view.units(approval, eui(2), LATER).among
    world.clock.advance(timedelta(seconds=1))
    send(world, gone(1, on="2027-01-31"))

    def failing(_tx: object, _at: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(deployed_units, "units_reported", failing)
        with pytest.raises(StoreUnavailable):
            mirror.follow()
    assert mirror.view().units(approval, eui(1), LATER).among
    mirror.follow()
    assert not mirror.view().units(approval, eui(1), LATER).among, "what could not be read is asked for again"


def test_a_unit_that_somebody_wrote_in_another_form_counts_and_keeps_nobody_from_being_read(
    world: World, reader: StatusReader
) -> None:
    approval = world.granted()
    world.at(LATER)
    send(world, deployed(1, approval), deployed(2, approval))
    with world.store.begin("plant") as tx:
        tx.connection.execute(
            update(deployments).where(deployments.c.device_id == eui(2)).values(device_id="no hexadecimal digits  ")
        )
        # Of a year that no calendar has.
        row = {"device_id": eui(3), "approval": approval, "firmware_version": VERSION, "deployed_at": LATER}
        batch = tx.connection.execute(deployments.select()).first()
        assert batch is not None
        made = insert(deployments).values(**row, recorded_at=LATER, batch_id=batch.batch_id)
        tx.connection.execute(made)
        tx.connection.exec_driver_sql(f"UPDATE deployments SET deployed_at = {2**62} WHERE device_id = '{eui(3)}'")
    mirror = Mirror(reader, SystemClock())
    mirror.follow()
    mirror.read_units()
    for number in (1, 2, 3, 4):
        assert mirror.view().units(approval, eui(number), LATER) == reader.units(approval, eui(number), LATER)
