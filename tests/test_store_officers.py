"""What must never be true of what officers sign and order cannot be written, on both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from store.officers_tables import (
    authorisations,
    order_authorisations,
    orders,
    revocation_outcomes,
    revocations,
    rosters,
)
from store.transactions import violated
from tests.planting import (
    OTHER,
    Plant,
    WrittenError,
    change,
    copy,
    furnished_worlds,
    rules_of,
    write_and_take_back,
)
from tests.world import NOW, World

TABLES = (authorisations, orders, order_authorisations, revocations, revocation_outcomes, rosters)
NONE_OF_OURS = "TDT-2099-0001-X"

VIOLATIONS: list[tuple[str, str, Plant]] = [
    ("pk_authorisations", "one statement kept twice", copy(authorisations)),
    (
        "ck_authorisations_statement_sha256_is_sha256",
        "a digest that is none",
        copy(authorisations, statement_sha256="ab"),
    ),
    ("ck_authorisations_act_known", "an act that nobody knows", change(authorisations, act="rule")),
    ("pk_orders", "two orders of one name", copy(orders)),
    ("ck_orders_kind_known", "an order of another kind", change(orders, kind="sign-this")),
    ("ck_orders_state_known", "an order in another state", change(orders, state="perhaps")),
    ("ck_orders_body_sha256_is_sha256", "a body that is not hashed", change(orders, body_sha256="ab")),
    ("ck_orders_closed_at_a_time", "an order that is done at no time", change(orders, state="done")),
    ("ck_orders_closed_at_a_time", "an open order that is closed", change(orders, closed_at=NOW)),
    ("pk_order_authorisations", "an officer twice for one order", copy(order_authorisations)),
    (
        "fk_order_authorisations_order_id",
        "an authorisation of no order",
        copy(order_authorisations, order_id="ord-2"),
    ),
    (
        "fk_order_authorisations_statement_sha256",
        "a statement that was not kept",
        copy(order_authorisations, officer="officer-2", statement_sha256=OTHER),
    ),
    ("pk_rosters", "two rosters of one number", copy(rosters)),
    ("pk_revocations", "many revoked twice by one decision", copy(revocations)),
    ("fk_revocations_decision_id", "many revoked by no decision", copy(revocations, decision_id="dec-none")),
    ("ck_revocations_in_order", "told of more than were ended", change(revocations, told=3)),
    ("ck_revocations_in_order", "more ended than there are", change(revocations, done=4)),
    ("ck_revocations_in_order", "fewer than none told", change(revocations, told=-1)),
    (
        "ck_revocations_already_ended_are_done",
        "more than were looked at",
        change(revocations, already_ended=3),
    ),
    ("ck_revocations_finished_whole", "finished, and not all are told", change(revocations, finished_at=NOW)),
    ("pk_revocation_outcomes", "one approval twice", copy(revocation_outcomes)),
    ("fk_revocation_outcomes_decision_id", "an outcome of no act", copy(revocation_outcomes, decision_id="dec-none")),
    ("fk_revocation_outcomes_approval", "of no approval", copy(revocation_outcomes, approval=NONE_OF_OURS)),
]
"""The rule that is broken, how, and by what; each breaks that rule and no other."""

ALLOWED: dict[str, Plant] = {
    "another statement": copy(authorisations, statement_sha256=OTHER),
    "another order": copy(orders, id="ord-2"),
    "an order that is done": change(orders, state="done", closed_at=NOW),
    "another officer's authorisation": copy(order_authorisations, officer="officer-2"),
    "the next roster": copy(rosters, number=2),
    "many of whom all are told": change(revocations, done=3, told=3, finished_at=NOW),
    "one that had ended before": change(revocation_outcomes, ended_at=None),
}

RULES = {name: said for table in TABLES for name, said in rules_of(table).items()}


@pytest.fixture(scope="module")
def furnished(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Callable[[str], World]]:
    yield from furnished_worlds(store_copy, keys_folder)


@pytest.mark.parametrize(
    ("rule", "plant"),
    [(each[0], each[2]) for each in VIOLATIONS],
    ids=[f"{rule}: {how}" for rule, how, _ in VIOLATIONS],
)
def test_what_must_never_be_true_cannot_be_written(
    furnished: Callable[[str], World], store_kind: str, rule: str, plant: Plant
) -> None:
    with pytest.raises(IntegrityError) as refused:
        write_and_take_back(furnished(store_kind).store, plant)
    assert violated(refused.value) == (rule if store_kind == "postgresql" else RULES[rule])


@pytest.mark.parametrize("plant", ALLOWED.values(), ids=ALLOWED)
def test_the_rules_refuse_no_more_than_they_should(
    furnished: Callable[[str], World], store_kind: str, plant: Plant
) -> None:
    with pytest.raises(WrittenError):
        write_and_take_back(furnished(store_kind).store, plant)


def test_every_rule_was_tried_on_a_table_with_rows(furnished: Callable[[str], World], store_kind: str) -> None:
    assert {rule for rule, _, _ in VIOLATIONS} == {name for table in TABLES for name in rules_of(table)}
    with furnished(store_kind).store.read() as tx:
        counts = [tx.connection.execute(select(func.count()).select_from(table)).scalar() for table in TABLES]
    assert all(counts)
