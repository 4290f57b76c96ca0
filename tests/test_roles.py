"""Who may do what, cell by cell: the grid is written out here a second time, by hand."""

import itertools

import pytest
from sqlalchemy import CheckConstraint

from core.actors import AUTHORITY, CONSOLE, COURIER, Actor, PartyKind, Role
from core.classification import Classification
from policy.roles import TABLE, Operation, Scope, needs_organisation, party_of, permitted, recipient_of, sees
from store.tables import credentials
from store.types import not_among

MINE, THEIRS = "org-1", "org-2"

SSC = {"ssc-officer": "yyy", "ssc-admin": "yyy", "auditor": "yyy"}

# Columns: the actor's own thing, another organisation's, nobody's (or everybody's). y is allowed.
GRID = {
    "apply": {"manufacturer": "y--"},
    "read-application": {"manufacturer": "y--", "ssc-officer": "yyy", "ssc-admin": "yyy", "auditor": "yyy"},
    "cancel-application": {"manufacturer": "y--"},
    "propose": {"ssc-officer": "yyy"},
    "read-decision": {"ssc-officer": "yyy", "ssc-admin": "yyy", "auditor": "yyy"},
    "second": {"ssc-officer": "yyy"},
    "reject": {"ssc-officer": "yyy"},
    "revoke": {"ssc-officer": "yyy"},
    "verify": {
        "manufacturer": "yyy",
        "ssc-officer": "yyy",
        "ssc-admin": "yyy",
        "dcc": "yyy",
        "panel": "yyy",
        "auditor": "yyy",
    },
    "read-approval": {
        "manufacturer": "y--",
        "ssc-officer": "yyy",
        "ssc-admin": "yyy",
        "dcc": "yyy",
        "panel": "yyy",
        "auditor": "yyy",
    },
    "list-approvals": {
        "manufacturer": "y--",
        "ssc-officer": "yyy",
        "ssc-admin": "yyy",
        "dcc": "yyy",
        "panel": "yyy",
        "auditor": "yyy",
    },
    "fetch-certificate": {
        "manufacturer": "y--",
        "ssc-officer": "yyy",
        "ssc-admin": "yyy",
        "dcc": "yyy",
        "panel": "yyy",
        "auditor": "yyy",
    },
    "accept-certificate": {"manufacturer": "y--"},
    "read-journal": {"ssc-officer": "yyy", "ssc-admin": "yyy", "auditor": "yyy"},
    "manage-access": {"ssc-admin": "yyy"},
    "read-status": {
        "manufacturer": "yyy",
        "ssc-officer": "yyy",
        "ssc-admin": "yyy",
        "dcc": "yyy",
        "panel": "yyy",
        "auditor": "yyy",
    },
    "read-counts": {"manufacturer": "yyy", "dcc": "yyy", "panel": "yyy", "monitor": "yyy", **SSC},
    "change-application": {"manufacturer": "y--"},
    "attach-evidence": {"manufacturer": "y--", "ssc-officer": "yyy"},
    "classify": {"ssc-officer": "yyy"},
    "read-evidence": SSC,
    "set-requirement": {"ssc-officer": "yyy"},
    "read-standing-requirements": {"manufacturer": "yyy", **SSC},
    "acknowledge-decision": {"ssc-officer": "yyy"},
    "witness-decision": {"ssc-officer": "yyy"},
    "order": {"ssc-officer": "yyy"},
    "read-committee": SSC,
    "keep-meetings": {"ssc-officer": "yyy"},
    "declare-interest": {"ssc-officer": "yyy"},
    "comment": {"ssc-officer": "yyy"},
    "read-orders": SSC,
    "request-amendment": {"manufacturer": "y--"},
    "read-amendment-request": {"manufacturer": "y--", **SSC},
    "read-conditions": {"manufacturer": "y--", "dcc": "yyy", "panel": "yyy", **SSC},
    "record-breach": {"ssc-officer": "yyy"},
    "ask-of-report": {"ssc-officer": "yyy"},
    "read-breaches": SSC,
    "read-notices": {"manufacturer": "y--", "dcc": "yyy", "panel": "yyy", **SSC},
    "read-deliveries": SSC,
    "read-cpl": {"dcc": "yyy", "panel": "yyy", **SSC},
    "acknowledge-cpl": {"panel": "yyy"},
    "record-ncsc-certificate": {"ssc-officer": "yyy"},
    "judge-addition": {"ssc-officer": "yyy"},
    "reconcile-cpl": {"panel": "yyy", "ssc-officer": "yyy"},
    "record-deployments": {"dcc": "yyy"},
    "read-deployments": {"manufacturer": "y--", "dcc": "yyy", **SSC},
    "read-report": {"dcc": "yyy", **SSC},
    "remark-report": {"dcc": "yyy"},
    "issue-report": {"dcc": "yyy"},
    "read-calendar": {"manufacturer": "yyy", "dcc": "yyy", "panel": "yyy", **SSC},
    "subscribe": {"manufacturer": "yyy", "dcc": "yyy", "panel": "yyy", **SSC},
    "read-tasks": {"manufacturer": "yyy", "dcc": "yyy", "panel": "yyy", **SSC},
    "read-names": {"dcc": "yyy", **SSC},
    "read-roster": SSC,
    "read-every-passage": SSC,
    "read-dossier": SSC,
    "request-end": {"manufacturer": "y--"},
    "read-end-request": {"manufacturer": "y--", **SSC},
    "answer-end-request": {"ssc-officer": "yyy"},
    "answer-suspicion": {"manufacturer": "y--"},
    "read-suspicions": {"manufacturer": "y--", **SSC},
    "change-contact": {"manufacturer": "y--"},
    "read-contacts": {"manufacturer": "y--", **SSC},
}


@pytest.mark.parametrize(("role", "operation"), list(itertools.product(Role, Operation)))
def test_each_cell_of_the_table_is_as_written_out_here(role: Role, operation: Operation) -> None:
    actor = Actor("somebody", role, MINE)
    answers = "".join("y" if permitted(actor, operation, owner=owner) else "-" for owner in (MINE, THEIRS, None))
    assert answers == GRID[operation.value].get(role.value, "---")


def test_the_grid_names_every_operation_and_no_other() -> None:
    assert set(GRID) == {operation.value for operation in Operation}
    assert {role for row in GRID.values() for role in row} == {role.value for role in Role}


@pytest.mark.parametrize("classification", Classification)
@pytest.mark.parametrize("of", PartyKind)
@pytest.mark.parametrize("role", Role)
def test_of_what_a_party_has_added_its_own_is_seen_and_what_is_not_red(
    role: Role, of: PartyKind, classification: Classification
) -> None:
    own = {"manufacturer": PartyKind.MANUFACTURER, "dcc": PartyKind.DCC, "panel": PartyKind.PANEL}.get(role.value)
    of_the_ssc = role.value in {"ssc-officer", "ssc-admin", "auditor"}
    seen = of_the_ssc or (own is not None and (own is of or classification is not Classification.RED))
    assert sees(Actor("somebody", role, MINE), of=of, classification=classification) is seen


@pytest.mark.parametrize("actor", [AUTHORITY, COURIER, CONSOLE, Actor("nobody", None, MINE)])
def test_without_a_role_nothing_is_permitted(actor: Actor) -> None:
    for operation, owner in itertools.product(Operation, (MINE, THEIRS, None)):
        assert not permitted(actor, operation, owner=owner)


@pytest.mark.parametrize("operation", Operation)
def test_a_manufacturer_without_an_organisation_owns_nothing(operation: Operation) -> None:
    lost = Actor("somebody", Role.MANUFACTURER, None)
    expected = TABLE.get((Role.MANUFACTURER, operation)) is Scope.ALL
    assert permitted(lost, operation, owner=None) == expected
    assert permitted(lost, operation, owner=MINE) == expected


# For whom each role acts, whose copies it gets (F2.22), and whether it needs an organisation.
STANDING = {
    "ssc-officer": ("ssc", None, False),
    "ssc-admin": ("ssc", None, False),
    "manufacturer": ("manufacturer", "manufacturer", True),
    "dcc": ("dcc", "dcc", False),
    "panel": ("panel", "panel", False),
    "auditor": ("ssc", None, False),
    "monitor": (None, None, False),
}


@pytest.mark.parametrize("role", Role)
def test_each_role_acts_for_whom_it_says_here(role: Role) -> None:
    actor = Actor("somebody", role, MINE)
    party, recipient = party_of(actor), recipient_of(actor)
    assert (party and party.kind, recipient, needs_organisation(role)) == STANDING[role]
    assert (party and party.organisation) == (MINE if needs_organisation(role) else None)


@pytest.mark.parametrize("actor", [AUTHORITY, COURIER, CONSOLE, Actor("lost", Role.MANUFACTURER)])
def test_without_a_role_or_a_needed_organisation_somebody_acts_for_nobody(actor: Actor) -> None:
    assert (party_of(actor), recipient_of(actor)) == (None, None)


def test_what_is_not_in_the_table_is_denied() -> None:
    absent = set(itertools.product(Role, Operation)) - set(TABLE)
    assert absent
    for role, operation in absent:
        assert not permitted(Actor("somebody", role, MINE), operation, owner=MINE)


def test_nobody_who_hands_out_credentials_decides() -> None:
    deciding = {Operation.PROPOSE, Operation.SECOND, Operation.REJECT, Operation.REVOKE}
    for role in Role:
        held = {operation for holder, operation in TABLE if holder is role}
        assert not (Operation.MANAGE_ACCESS in held and held & deciding)


def test_the_store_demands_an_organisation_of_whom_the_table_does() -> None:
    checks = {str(each.sqltext) for each in credentials.constraints if isinstance(each, CheckConstraint)}
    needing = [role for role in Role if needs_organisation(role)]
    assert f"{not_among('role', *needing)} OR organisation_id IS NOT NULL" in checks
