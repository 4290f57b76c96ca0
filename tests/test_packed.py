"""Approvals as a mirror holds them are the register's, packed and unpacked."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, insert, select, update

from core.approval import Device, EndCause
from core.kinds import HierarchyRole
from core.mirror import Held, unpacked
from store.reading import approvals as approval_reading
from store.reading import packing
from store.reading.status import StatusReader
from store.tables import authority_certificates, authority_ends, journal, ocsp_answers
from tests.world import World

OTHER = Device("ESME", "AB01", "010A030C", "01")


def fingers(held: Held) -> tuple[object, ...]:
    whole = unpacked(held)
    return whole.record, whole.organisation_name, dict(whole.ders), sorted(whole.answers, key=repr), whole.disputed


def test_what_is_packed_is_what_the_register_has(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_AT_ONCE", 1)
    approvals = [world.granted(), world.granted(device=OTHER)]
    world.clock.advance(timedelta(seconds=1))
    world.revoked(approvals[0], EndCause.KEY_COMPROMISE, invalidity_date=world.clock.now())
    world.authority.settle()
    reader = StatusReader(world.store)
    found = reader.approvals(None)
    with world.store.read() as tx:
        records = approval_reading.records(tx)
        ders = approval_reading.ders(tx, [one.serial for each in records for one in each.certificates])
        newest = select(func.max(ocsp_answers.c.id)).group_by(ocsp_answers.c.serial, ocsp_answers.c.hash_name)
        answers = tx.connection.execute(select(ocsp_answers).where(ocsp_answers.c.id.in_(newest))).all()
    assert [each.record for each in found] == records
    assert len(records) == 2
    for held, record in zip(found, records, strict=True):
        serials = {one.serial for one in record.certificates}
        assert held.organisation_name
        assert dict(held.ders) == {serial: der for serial, der in ders.items() if serial in serials}
        expected = {(row.serial, row.hash_name, row.this_update, bytes(row.der)) for row in answers}
        said = {(one.serial, one.hash_name, one.this_update, one.der) for one in held.answers}
        assert said == {each for each in expected if each[0] in serials}
        assert len(said) == 2
        assert (held.identifier, held.names, held.ended_by_act) == (
            record.identifier,
            unpacked(held).names,
            unpacked(held).ended_by_act,
        )
    assert [each.ended_by_act for each in found] == [each.identifier == approvals[0] for each in found]
    some = reader.approvals(frozenset(approvals[:1]))
    assert [fingers(each) for each in some] == [fingers(each) for each in found if each.identifier == approvals[0]]
    assert not reader.approvals(frozenset({"TDT-2027-0042-5"}))


def test_what_is_seldom_is_packed_too(world: World) -> None:
    """An issuing CA that was ended, an end that was not sealed, an answer dated ahead, one of no responder of ours."""
    approval, now = world.granted(), world.clock.now()
    with world.store.begin("plant") as tx:
        issuer = tx.connection.execute(
            select(authority_certificates.c.serial).where(authority_certificates.c.role == HierarchyRole.ISSUING)
        ).scalar_one()
        tx.connection.execute(insert(authority_ends).values(serial=issuer, at=now, reason=1))
        tx.connection.execute(
            insert(journal).values(
                kind="approval-revoked",
                at=now,
                actor="x",
                subject=approval,
                approvals=f" {approval} ",
                payload="{}",
                refused="nobody proves it",
            )
        )
        row = tx.connection.execute(
            select(ocsp_answers).where(ocsp_answers.c.hash_name == "sha256").order_by(ocsp_answers.c.id.desc())
        ).first()
        assert row is not None
        later = {"this_update": now + timedelta(days=1), "next_update": now + timedelta(days=2), "der": b"none of ours"}
        ahead = {**row._mapping, **later}
        del ahead["id"]
        tx.connection.execute(insert(ocsp_answers).values(ahead))
    (held,) = StatusReader(world.store, lambda: now).approvals(None)
    with world.store.read() as tx:
        assert held.record == approval_reading.record(tx, approval)
    assert held.record.certificates[0].issuer_ended_at == now
    assert held.disputed == {now}
    assert [(each.hash_name, each.this_update > now) for each in sorted(held.answers, key=repr)] == [
        ("sha1", False),
        ("sha256", False),
        ("sha256", True),
    ]
    assert b"none of ours" in {each.der for each in held.answers}
    # Without an instant nothing is dated ahead.
    (held,) = StatusReader(world.store).approvals(frozenset({approval}))
    assert len(held.answers) == 2
    with world.store.begin("plant") as tx:
        tx.connection.execute(update(ocsp_answers).values(next_update=ocsp_answers.c.this_update))
        tx.connection.execute(delete(ocsp_answers).where(ocsp_answers.c.hash_name == "sha1"))
    (later_held,) = StatusReader(world.store).approvals(None)
    assert [each.hash_name for each in later_held.answers] == ["sha256"]
    assert len(held.answers) == 2, "what was handed out never changes"
