"""Planting what must never be true: rows written past every use case, which the database itself refuses."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    insert,
    literal,
    select,
    update,
)

from core.kinds import HierarchyRole
from store.officers_tables import authorisations, order_authorisations, orders, revocation_outcomes, revocations
from store.tables import (
    acceptances,
    alarms,
    approvals,
    authority_certificates,
    authority_ends,
    certificates,
    credentials,
    cursors,
    dossiers,
    idempotency,
    journal,
    ocsp_answers,
    signs_of_life,
)
from store.transactions import Store, Transaction
from store.types import String
from tests.world import NOW, World

A_DIGEST, OTHER = "ab" * 32, "cd" * 32

Plant = Callable[[Transaction], Any]


def past_the_types(values: dict[str, Any]) -> dict[str, Any]:
    """The values as they are to stand in the database: what refuses a word is its own rule, not the column's type."""
    return {name: literal(value, String) if isinstance(value, str) else value for name, value in values.items()}


def change(table: Table, where: Any = None, **values: Any) -> Plant:
    """Change the rows of a table, or those that are meant."""
    statement = update(table).values(**past_the_types(values))
    return lambda tx: tx.connection.execute(statement if where is None else statement.where(where))


def copy(table: Table, where: Any = None, **values: Any) -> Plant:
    """Write a row of a table once more, with these values changed."""
    statement = select(table) if where is None else select(table).where(where)

    def plant(tx: Transaction) -> None:
        row = dict(tx.connection.execute(statement).mappings().first() or {})
        row.pop("id", None) if table in {journal, ocsp_answers} else None
        tx.connection.execute(insert(table).values(**{**row, **past_the_types(values)}))

    return plant


def both(*plants: Plant) -> Plant:
    def plant(tx: Transaction) -> None:
        for each in plants:
            each(tx)

    return plant


class WrittenError(Exception):
    """It was written; nothing of it stays."""


def write_and_take_back(store: Store, *plants: Plant) -> None:
    with store.begin("plant") as tx:
        for plant in plants:
            plant(tx)
        raise WrittenError


def furnished_worlds(
    store_copy: Callable[[str], str], keys_folder: Path, *more: Callable[[World, Transaction], None]
) -> Iterator[Callable[[str], World]]:
    """By kind: a world with a grant and with at least one row in every table of store/tables.py, and what `more` adds.

    No planted violation is ever committed, so that one world serves them all.
    """
    made: dict[str, World] = {}

    def of(kind: str) -> World:
        if kind not in made:
            world = made[kind] = World(store_copy(kind), keys_folder)
            world.granted()
            with world.store.begin("furnish") as tx:
                for furnish in (_furnish, *more):
                    furnish(world, tx)
        return made[kind]

    yield of
    for world in made.values():
        world.close()


def _furnish(_world: World, tx: Transaction) -> None:
    run = tx.connection.execute
    run(insert(idempotency).values(credential="c", key="k", request_sha256=A_DIGEST, outcome="{}", at=NOW))
    expires_at = NOW + timedelta(days=1)
    run(
        insert(credentials).values(
            id="key-1", key_sha256=A_DIGEST, name="a", role="dcc", created_at=NOW, expires_at=expires_at
        )
    )
    responder = select(authority_certificates.c.serial).where(authority_certificates.c.role == HierarchyRole.RESPONDER)
    asked = {
        "id": "dos-1",
        "approval": run(select(approvals.c.identifier)).scalar(),
        "asked_by": "auditor",
        "asked_at": NOW,
    }
    run(insert(dossiers).values(**asked, manifest="{}", manifest_sha256=A_DIGEST, parts=b"PK"))
    run(insert(authority_ends).values(serial=run(responder).scalar(), at=NOW, reason=1))
    run(insert(cursors).values(reader="ours", number=1))
    run(insert(signs_of_life).values(process="courier", at=NOW))
    run(insert(alarms).values(raised_by="courier", code="errand-fails", subject="", since=NOW, sentence="It fails."))
    run(
        insert(orders).values(
            id="ord-1",
            kind="stop-issuing",
            state="open",
            body="{}",
            body_sha256=A_DIGEST,
            proposer="officer-1",
            proposed_at=NOW,
            lapses_at=expires_at,
        )
    )
    statement = run(select(authorisations.c.statement_sha256)).scalar()
    run(insert(order_authorisations).values(order_id="ord-1", officer="officer-1", statement_sha256=statement, at=NOW))
    approval, decision = run(select(approvals.c.identifier, approvals.c.decision_id)).one()
    run(insert(revocations).values(decision_id=decision, total=3, done=2, already_ended=1, told=1, begun_at=NOW))
    run(insert(revocation_outcomes).values(decision_id=decision, approval=approval, ended_at=NOW))
    serial = run(select(certificates.c.serial)).scalar()
    run(insert(acceptances).values(serial=serial, accepted=1, reason="", by="acme-desk", at=NOW))


def rules_of(table: Table) -> dict[str, str]:
    """Every rule that a table's rows must keep, by name, and what SQLite says when it is broken.

    CHECK, UNIQUE, primary and foreign keys, and unique indexes; SQLite names only a CHECK, of the others it tells the
    columns, or just that it was a reference.
    """
    rules = {}
    for each in table.constraints:
        match each:
            case CheckConstraint():
                said = f"CHECK constraint failed: {each.name}"
            case ForeignKeyConstraint():
                said = "FOREIGN KEY constraint failed"
            case PrimaryKeyConstraint() | UniqueConstraint():
                said = _unique(table, each.columns)
            case _:
                raise AssertionError(each)
        rules[str(each.name)] = said
    return rules | {str(each.name): _unique(table, each.columns) for each in table.indexes if each.unique}


def _unique(table: Table, columns: Any) -> str:
    return "UNIQUE constraint failed: " + ", ".join(f"{table.name}.{column.name}" for column in columns)
