"""Who may do what: one table of role × operation, each cell saying whose things. What is not in it is denied.

The table is the whole of it: use cases ask `permitted`, for whom somebody acts and whose copies they get, and know no
role. A role that is added is nothing to anybody until it stands in `_rights`, where the checker asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never

from core.actors import Actor, Party, PartyKind, Role
from core.classification import Classification, Recipient


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
    READ_COUNTS = "read-counts"
    """How much there is of everything, and how old: figures that name nobody and nothing."""
    CHANGE_APPLICATION = "change-application"
    ATTACH_EVIDENCE = "attach-evidence"
    CLASSIFY = "classify"
    """Say whom a file, or why a requirement is closed, is kept from."""
    READ_EVIDENCE = "read-evidence"
    SET_REQUIREMENT = "set-requirement"
    READ_STANDING_REQUIREMENTS = "read-standing-requirements"
    ACKNOWLEDGE_DECISION = "acknowledge-decision"
    WITNESS_DECISION = "witness-decision"
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
    JUDGE_ADDITION = "judge-addition"
    RECONCILE_CPL = "reconcile-cpl"
    RECORD_DEPLOYMENTS = "record-deployments"
    READ_DEPLOYMENTS = "read-deployments"
    READ_REPORT = "read-report"
    REMARK_REPORT = "remark-report"
    ISSUE_REPORT = "issue-report"
    ASK_OF_REPORT = "ask-of-report"
    READ_CALENDAR = "read-calendar"
    SUBSCRIBE = "subscribe"
    """Have addresses under which calendar programs read one's own calendar."""
    READ_TASKS = "read-tasks"
    ORDER = "order"
    """What is no decision about an approval: stop issuing, start again, change whose keys count."""
    READ_ORDERS = "read-orders"
    READ_NAMES = "read-names"
    """Who, by name, required something or attached a file."""
    READ_ROSTER = "read-roster"
    """Whose keys count as officers'."""
    READ_DOSSIER = "read-dossier"
    """Everything about an approval as one file, signed."""
    REQUEST_END = "request-end"
    READ_END_REQUEST = "read-end-request"
    ANSWER_END_REQUEST = "answer-end-request"
    ANSWER_SUSPICION = "answer-suspicion"
    READ_SUSPICIONS = "read-suspicions"
    """Suspected breaches of which a Manufacturer was told, as it was told them."""
    READ_COMMITTEE = "read-committee"
    """What the committee keeps for itself: meetings, interests, comments."""
    KEEP_MEETINGS = "keep-meetings"
    DECLARE_INTEREST = "declare-interest"
    COMMENT = "comment"
    CHANGE_CONTACT = "change-contact"
    READ_CONTACTS = "read-contacts"
    """Where notices of a Manufacturer go, and went."""
    READ_EVERY_PASSAGE = "read-every-passage"
    """The words of decisions whole, whomever their classes keep them from (F2.22)."""


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
    Operation.READ_NAMES,
    Operation.READ_NOTICES,
    Operation.READ_DELIVERIES,
    Operation.READ_ORDERS,
    Operation.READ_ROSTER,
    Operation.READ_EVERY_PASSAGE,
    Operation.READ_DOSSIER,
    Operation.READ_CONTACTS,
    Operation.READ_SUSPICIONS,
    Operation.READ_END_REQUEST,
    Operation.READ_CPL,
    Operation.READ_DEPLOYMENTS,
    Operation.READ_REPORT,
    Operation.READ_COMMITTEE,
)

# Verification is what everybody who acts for somebody is here for (F2.26); how the service is doing is no secret to
# them. What somebody sees in the calendar and among the tasks is cut to their party by the use cases.
_EVERYBODY = (
    Operation.VERIFY,
    Operation.READ_STATUS,
    Operation.READ_COUNTS,
    Operation.READ_CALENDAR,
    Operation.SUBSCRIBE,
    Operation.READ_TASKS,
)


@dataclass(frozen=True)
class _Rights:
    """All that a role decides.

    Args:
        party: for whom its people act; None for nobody, and then no list, copy or passage is theirs.
        everywhere: what they may do to things of all.
        own: what they may do to things of their own organisation.
    """

    party: PartyKind | None
    everywhere: tuple[Operation, ...]
    own: tuple[Operation, ...] = ()


def _rights(role: Role) -> _Rights:
    match role:
        case Role.SSC_OFFICER:
            # The SSC decides (F2.18, F2.30); it neither applies nor accepts for a Manufacturer, and hands out no
            # credentials.
            rights = _Rights(
                PartyKind.SSC,
                (
                    *_READ_EVERYTHING,
                    *_EVERYBODY,
                    Operation.PROPOSE,
                    Operation.SECOND,
                    Operation.REJECT,
                    Operation.REVOKE,
                    Operation.ATTACH_EVIDENCE,
                    Operation.CLASSIFY,
                    Operation.SET_REQUIREMENT,
                    Operation.ACKNOWLEDGE_DECISION,
                    Operation.WITNESS_DECISION,
                    Operation.ORDER,
                    Operation.RECORD_BREACH,
                    Operation.ANSWER_END_REQUEST,
                    Operation.ASK_OF_REPORT,
                    Operation.RECORD_NCSC_CERTIFICATE,
                    Operation.JUDGE_ADDITION,
                    Operation.RECONCILE_CPL,
                    Operation.KEEP_MEETINGS,
                    Operation.DECLARE_INTEREST,
                    Operation.COMMENT,
                ),
            )
        case Role.SSC_ADMIN:
            # Whoever hands out credentials takes no part in decisions, so nobody can make himself the second officer.
            rights = _Rights(PartyKind.SSC, (*_READ_EVERYTHING, *_EVERYBODY, Operation.MANAGE_ACCESS))
        case Role.MANUFACTURER:
            # What the SSC thinks about a Manufacturer is between the two, and its assessments are Red: no decisions
            # here. A Manufacturer deals with the SSC, not with its officers: no names either. How many devices the DCC
            # counts under its approval it has to know, to keep to the limit (F2.21(d), F2.23).
            rights = _Rights(
                PartyKind.MANUFACTURER,
                (*_EVERYBODY, Operation.READ_STANDING_REQUIREMENTS),
                own=(
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
                    Operation.REQUEST_END,
                    Operation.READ_END_REQUEST,
                    Operation.ANSWER_SUSPICION,
                    Operation.READ_SUSPICIONS,
                    Operation.CHANGE_CONTACT,
                    Operation.READ_CONTACTS,
                    Operation.READ_DEPLOYMENTS,
                ),
            )
        case Role.DCC:
            # The certificate goes to DCC and Panel (F2.25); applications and assessments do not. Notices and conditions
            # reach both as redacted for them (F2.22). The monthly report is the DCC's own (F2.28), and so are the names
            # of those who attach files to it.
            rights = _Rights(
                PartyKind.DCC,
                (
                    *_EVERYBODY,
                    Operation.READ_APPROVAL,
                    Operation.LIST_APPROVALS,
                    Operation.FETCH_CERTIFICATE,
                    Operation.READ_NAMES,
                    Operation.READ_CONDITIONS,
                    Operation.READ_NOTICES,
                    Operation.READ_CPL,
                    Operation.RECORD_DEPLOYMENTS,
                    Operation.READ_DEPLOYMENTS,
                    Operation.READ_REPORT,
                    Operation.REMARK_REPORT,
                    Operation.ISSUE_REPORT,
                ),
            )
        case Role.PANEL:
            rights = _Rights(
                PartyKind.PANEL,
                (
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
            )
        case Role.AUDITOR:
            # Reads everything, changes nothing.
            rights = _Rights(PartyKind.SSC, (*_READ_EVERYTHING, *_EVERYBODY))
        case Role.MONITOR:
            # Its key lies in the settings of a machine that many look after: worth nothing to whoever takes it.
            rights = _Rights(None, (Operation.READ_COUNTS,))
        case _:
            assert_never(role)
    return rights


_RIGHTS: Mapping[Role, _Rights] = MappingProxyType({role: _rights(role) for role in Role})

TABLE: Mapping[tuple[Role, Operation], Scope] = MappingProxyType(
    {
        **{(role, operation): Scope.OWN for role, rights in _RIGHTS.items() for operation in rights.own},
        **{(role, operation): Scope.ALL for role, rights in _RIGHTS.items() for operation in rights.everywhere},
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


def party_of(actor: Actor) -> Party | None:
    """Return for whom an actor acts, whose list of tasks and whose calendar it sees; None if for nobody."""
    rights = None if actor.role is None else _RIGHTS.get(actor.role)
    match None if rights is None else rights.party:
        case None:
            return None
        case PartyKind.MANUFACTURER:
            return None if actor.organisation is None else Party(PartyKind.MANUFACTURER, actor.organisation)
        case PartyKind.SSC | PartyKind.DCC | PartyKind.PANEL as kind:
            return Party(kind)
        case never:
            assert_never(never)


def recipient_of(actor: Actor) -> Recipient | None:
    """Return whose copies of notices, and whose passages, an actor gets (F2.22).

    None for the SSC's own people, of whom those who may read every passage need no copy, and for whoever acts for
    nobody.
    """
    party = party_of(actor)
    return None if party is None else party.recipient


def sees(actor: Actor, *, of: PartyKind, classification: Classification) -> bool:
    """Return whether somebody who may read a thing sees what a party has put to it: its own, and what is not Red.

    Args:
        actor: who reads the thing.
        of: for whom that was put there.
        classification: under which class.
    """
    party = party_of(actor)
    if party is None:
        return False
    whole = permitted(actor, Operation.READ_EVERY_PASSAGE, owner=None)
    return whole or party.kind is of or classification is not Classification.RED


def needs_organisation(role: Role) -> bool:
    """Return whether a role may do something to things of its own organisation, and so must have one."""
    return any(TABLE.get((role, operation)) is Scope.OWN for operation in Operation)
