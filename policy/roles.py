"""Who may do what: one table of role × operation, each cell saying whose things. What is not in it is denied.

The table is the whole of it: handlers ask `permitted` and hold no rule of their own.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never

from core.actors import Actor, Role


class Operation(StrEnum):
    """Everything that the public contract lets somebody do."""

    APPLY = "apply"
    READ_APPLICATION = "read-application"
    CANCEL_APPLICATION = "cancel-application"
    PROPOSE = "propose"
    READ_DECISION = "read-decision"
    SECOND = "second"
    REJECT = "reject"
    REVOKE = "revoke"
    VERIFY = "verify"
    READ_APPROVAL = "read-approval"
    LIST_APPROVALS = "list-approvals"
    FETCH_CERTIFICATE = "fetch-certificate"
    ACCEPT_CERTIFICATE = "accept-certificate"
    READ_JOURNAL = "read-journal"
    MANAGE_ACCESS = "manage-access"
    READ_STATUS = "read-status"
    CHANGE_APPLICATION = "change-application"
    ATTACH_EVIDENCE = "attach-evidence"
    READ_EVIDENCE = "read-evidence"
    SET_REQUIREMENT = "set-requirement"
    READ_STANDING_REQUIREMENTS = "read-standing-requirements"
    ACKNOWLEDGE_DECISION = "acknowledge-decision"
    REQUEST_AMENDMENT = "request-amendment"
    READ_AMENDMENT_REQUEST = "read-amendment-request"
    READ_CONDITIONS = "read-conditions"
    RECORD_BREACH = "record-breach"
    READ_BREACHES = "read-breaches"
    READ_NOTICES = "read-notices"
    READ_DELIVERIES = "read-deliveries"
    READ_CPL = "read-cpl"
    ACKNOWLEDGE_CPL = "acknowledge-cpl"
    RECORD_NCSC_CERTIFICATE = "record-ncsc-certificate"
    RECONCILE_CPL = "reconcile-cpl"
    RECORD_DEPLOYMENTS = "record-deployments"
    READ_DEPLOYMENTS = "read-deployments"
    READ_REPORT = "read-report"
    REMARK_REPORT = "remark-report"
    ISSUE_REPORT = "issue-report"
    READ_CALENDAR = "read-calendar"
    READ_TASKS = "read-tasks"


class Scope(StrEnum):
    """Whose things an operation may touch."""

    ALL = "all"
    OWN = "own"


_READ_EVERYTHING = (
    Operation.READ_APPLICATION,
    Operation.READ_DECISION,
    Operation.READ_APPROVAL,
    Operation.LIST_APPROVALS,
    Operation.FETCH_CERTIFICATE,
    Operation.READ_JOURNAL,
    Operation.READ_EVIDENCE,
    Operation.READ_STANDING_REQUIREMENTS,
    Operation.READ_AMENDMENT_REQUEST,
    Operation.READ_CONDITIONS,
    Operation.READ_BREACHES,
    Operation.READ_NOTICES,
    Operation.READ_DELIVERIES,
    Operation.READ_CPL,
    Operation.READ_DEPLOYMENTS,
    Operation.READ_REPORT,
)

# Verification is what everybody with a credential is here for (F2.26); how the service is doing is no secret to them.
# What somebody sees in the calendar and among the tasks is cut to their role by the use cases.
_EVERYBODY = (Operation.VERIFY, Operation.READ_STATUS, Operation.READ_CALENDAR, Operation.READ_TASKS)

_ALL: Mapping[Role, tuple[Operation, ...]] = {
    # The SSC decides (F2.18, F2.30); it neither applies nor accepts for a Manufacturer, and hands out no credentials.
    Role.SSC_OFFICER: (
        *_READ_EVERYTHING,
        *_EVERYBODY,
        Operation.PROPOSE,
        Operation.SECOND,
        Operation.REJECT,
        Operation.REVOKE,
        Operation.ATTACH_EVIDENCE,
        Operation.SET_REQUIREMENT,
        Operation.ACKNOWLEDGE_DECISION,
        Operation.RECORD_BREACH,
        Operation.RECORD_NCSC_CERTIFICATE,
        Operation.RECONCILE_CPL,
    ),
    # Whoever hands out credentials takes no part in decisions, so nobody can make himself the second officer.
    Role.SSC_ADMIN: (*_READ_EVERYTHING, *_EVERYBODY, Operation.MANAGE_ACCESS),
    # What the SSC thinks about a Manufacturer is between the two, and its assessments are Red: no decisions here.
    Role.MANUFACTURER: (*_EVERYBODY, Operation.READ_STANDING_REQUIREMENTS),
    # The certificate goes to DCC and Panel (F2.25); applications and assessments do not.
    # Notices and conditions reach both as redacted for them (F2.22). The monthly report is the DCC's own (F2.28).
    Role.DCC: (
        *_EVERYBODY,
        Operation.READ_APPROVAL,
        Operation.LIST_APPROVALS,
        Operation.FETCH_CERTIFICATE,
        Operation.READ_CONDITIONS,
        Operation.READ_NOTICES,
        Operation.READ_CPL,
        Operation.RECORD_DEPLOYMENTS,
        Operation.READ_DEPLOYMENTS,
        Operation.READ_REPORT,
        Operation.REMARK_REPORT,
        Operation.ISSUE_REPORT,
    ),
    Role.PANEL: (
        *_EVERYBODY,
        Operation.READ_APPROVAL,
        Operation.LIST_APPROVALS,
        Operation.FETCH_CERTIFICATE,
        Operation.READ_CONDITIONS,
        Operation.READ_NOTICES,
        Operation.READ_CPL,
        Operation.ACKNOWLEDGE_CPL,
        Operation.RECONCILE_CPL,
    ),
    # Reads everything, changes nothing.
    Role.AUDITOR: (*_READ_EVERYTHING, *_EVERYBODY),
}

_OWN: Mapping[Role, tuple[Operation, ...]] = {
    Role.MANUFACTURER: (
        Operation.APPLY,
        Operation.READ_APPLICATION,
        Operation.CANCEL_APPLICATION,
        Operation.READ_APPROVAL,
        Operation.LIST_APPROVALS,
        Operation.FETCH_CERTIFICATE,
        Operation.ACCEPT_CERTIFICATE,
        Operation.CHANGE_APPLICATION,
        Operation.ATTACH_EVIDENCE,
        Operation.REQUEST_AMENDMENT,
        Operation.READ_AMENDMENT_REQUEST,
        Operation.READ_CONDITIONS,
        Operation.READ_NOTICES,
    ),
}

TABLE: Mapping[tuple[Role, Operation], Scope] = MappingProxyType(
    {
        **{(role, operation): Scope.OWN for role, operations in _OWN.items() for operation in operations},
        **{(role, operation): Scope.ALL for role, operations in _ALL.items() for operation in operations},
    }
)


def permitted(actor: Actor, operation: Operation, *, owner: str | None) -> bool:
    """Return whether `actor` may do `operation` to a thing of `owner`.

    Args:
        actor: an actor without a role (a process of ours, the console) is permitted nothing here: it holds no
            credential, and what it does it does by running, not by asking.
        operation: what.
        owner: the identifier of the organisation that the thing belongs to; None if it belongs to none, or if
            things of all are asked for. A role that may touch its own things only lists them by naming itself.
    """
    if actor.role is None:
        return False
    match TABLE.get((actor.role, operation)):
        case Scope.ALL:
            return True
        case Scope.OWN:
            return owner is not None and owner == actor.organisation
        case None:
            return False
        case never:
            assert_never(never)
