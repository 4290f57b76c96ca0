"""doors: what somebody's role must let them do, by the act that an address does, before anything they sent is read.

A use case judges for itself, by the thing that it finds. Here who could do it to no thing at all is turned away first:
they learn neither what is wrong with their request nor whether there is such a thing.
"""

from collections.abc import Mapping

from core.actors import Actor
from policy.roles import Operation, permitted
from ra.access import not_permitted

ACTS: Mapping[str, Operation] = {
    # applying
    "listApplications": Operation.READ_APPLICATION,
    "apply": Operation.APPLY,
    "showApplication": Operation.READ_APPLICATION,
    "changeApplication": Operation.CHANGE_APPLICATION,
    "cancelApplication": Operation.CANCEL_APPLICATION,
    "listEvidence": Operation.READ_APPLICATION,
    "attachEvidence": Operation.ATTACH_EVIDENCE,
    "fetchEvidence": Operation.READ_EVIDENCE,
    "listRequirements": Operation.READ_APPLICATION,
    "setRequirement": Operation.SET_REQUIREMENT,
    "closeRequirement": Operation.SET_REQUIREMENT,
    "listStandingRequirements": Operation.READ_STANDING_REQUIREMENTS,
    "setStandingRequirement": Operation.SET_REQUIREMENT,
    "endStandingRequirement": Operation.SET_REQUIREMENT,
    # deciding
    "listDecisions": Operation.READ_DECISION,
    "proposeDecision": Operation.PROPOSE,
    "proposeBatch": Operation.PROPOSE,
    "secondBatch": Operation.SECOND,
    "acknowledgeDecision": Operation.ACKNOWLEDGE_DECISION,
    "witnessDecision": Operation.WITNESS_DECISION,
    "showDecision": Operation.READ_DECISION,
    "secondDecision": Operation.SECOND,
    "rejectDecision": Operation.REJECT,
    "authoriseDecision": Operation.PROPOSE,
    "authoriseBatch": Operation.PROPOSE,
    "listAuthorisations": Operation.READ_DECISION,
    "showDecisionJournal": Operation.READ_JOURNAL,
    "revokeApproval": Operation.REVOKE,
    "listReceipts": Operation.READ_CPL,
    "proposeRevocations": Operation.PROPOSE,
    "showRevocations": Operation.READ_DECISION,
    "showRoster": Operation.READ_ROSTER,
    "listOrders": Operation.READ_ORDERS,
    "proposeOrder": Operation.ORDER,
    "showOrder": Operation.READ_ORDERS,
    "authoriseOrder": Operation.ORDER,
    # the committee
    "listMeetings": Operation.READ_COMMITTEE,
    "callMeeting": Operation.KEEP_MEETINGS,
    "showMeeting": Operation.READ_COMMITTEE,
    "cancelMeeting": Operation.KEEP_MEETINGS,
    "recordAttendance": Operation.KEEP_MEETINGS,
    "strikeAttendance": Operation.KEEP_MEETINGS,
    "placeOnAgenda": Operation.KEEP_MEETINGS,
    "takeOffAgenda": Operation.KEEP_MEETINGS,
    "minuteItem": Operation.KEEP_MEETINGS,
    "listInterests": Operation.READ_COMMITTEE,
    "declareInterest": Operation.DECLARE_INTEREST,
    "withdrawInterest": Operation.DECLARE_INTEREST,
    "listComments": Operation.READ_COMMITTEE,
    "makeComment": Operation.COMMENT,
    "retractComment": Operation.COMMENT,
    # approvals
    "listApprovals": Operation.LIST_APPROVALS,
    "showApproval": Operation.READ_APPROVAL,
    "fetchCertificateOfApproval": Operation.FETCH_CERTIFICATE,
    "fetchCertificate": Operation.FETCH_CERTIFICATE,
    "answerCertificate": Operation.ACCEPT_CERTIFICATE,
    "listAmendmentRequests": Operation.READ_AMENDMENT_REQUEST,
    "requestAmendment": Operation.REQUEST_AMENDMENT,
    "showAmendmentRequest": Operation.READ_AMENDMENT_REQUEST,
    "withdrawAmendmentRequest": Operation.REQUEST_AMENDMENT,
    "listAmendmentEvidence": Operation.READ_AMENDMENT_REQUEST,
    "requestEnd": Operation.REQUEST_END,
    "listEndRequests": Operation.READ_END_REQUEST,
    "showEndRequest": Operation.READ_END_REQUEST,
    "withdrawEndRequest": Operation.REQUEST_END,
    "answerEndRequest": Operation.ANSWER_END_REQUEST,
    "judgeAddition": Operation.JUDGE_ADDITION,
    "tellOfBreach": Operation.RECORD_BREACH,
    "listSuspicions": Operation.READ_SUSPICIONS,
    "showSuspicion": Operation.READ_SUSPICIONS,
    "answerSuspicion": Operation.ANSWER_SUSPICION,
    "listSuspicionEvidence": Operation.READ_SUSPICIONS,
    "attachToSuspicion": Operation.ANSWER_SUSPICION,
    "listContacts": Operation.READ_CONTACTS,
    "changeContact": Operation.CHANGE_CONTACT,
    "attachAmendmentEvidence": Operation.REQUEST_AMENDMENT,
    "listConditions": Operation.READ_CONDITIONS,
    "listBreachesOfApproval": Operation.READ_BREACHES,
    "suspectBreach": Operation.RECORD_BREACH,
    "listBreaches": Operation.READ_BREACHES,
    "showBreach": Operation.READ_BREACHES,
    "judgeBreach": Operation.RECORD_BREACH,
    "closeBreach": Operation.RECORD_BREACH,
    "listBreachEvidence": Operation.READ_BREACHES,
    "attachBreachEvidence": Operation.RECORD_BREACH,
    # telling
    "listNotices": Operation.READ_NOTICES,
    "listUndelivered": Operation.READ_DELIVERIES,
    "showNotice": Operation.READ_NOTICES,
    "listNoticesOfApproval": Operation.READ_NOTICES,
    "listCplInstructions": Operation.READ_CPL,
    "acknowledgeCplInstruction": Operation.ACKNOWLEDGE_CPL,
    "recordNcscCertificate": Operation.RECORD_NCSC_CERTIFICATE,
    "reconcileCpl": Operation.RECONCILE_CPL,
    # reporting
    "recordDeployments": Operation.RECORD_DEPLOYMENTS,
    "showDeploymentBatch": Operation.READ_DEPLOYMENTS,
    "showDeployments": Operation.READ_DEPLOYMENTS,
    "listReportQuestions": Operation.READ_REPORT,
    "askOfReport": Operation.ASK_OF_REPORT,
    "endReportQuestion": Operation.ASK_OF_REPORT,
    "answerReportQuestion": Operation.REMARK_REPORT,
    "listReports": Operation.READ_REPORT,
    "showReport": Operation.READ_REPORT,
    "issueReport": Operation.ISSUE_REPORT,
    "remarkReport": Operation.REMARK_REPORT,
    "listReportAttachments": Operation.READ_REPORT,
    "attachToReport": Operation.REMARK_REPORT,
    # watching, waiting, auditing
    "listTasks": Operation.READ_TASKS,
    "verify": Operation.VERIFY,
    "makeCalendarAddress": Operation.SUBSCRIBE,
    "listCalendarAddresses": Operation.SUBSCRIBE,
    "revokeCalendarAddress": Operation.SUBSCRIBE,
    "consistency": Operation.READ_STATUS,
    "metrics": Operation.READ_COUNTS,
    "listJournal": Operation.READ_JOURNAL,
    "exportAudit": Operation.READ_JOURNAL,
    "fetchDossier": Operation.READ_DOSSIER,
}
"""By the name that /openapi.json has for it; what is not here is for everybody, or has a door of its own."""


def admit(actor: Actor, act: str) -> None:
    """Turn away who could do an act to no thing at all, not even to one of their own organisation.

    Raises:
        OperationNotPermitted: their role does not let them.
    """
    operation = ACTS.get(act)
    if operation is not None and not permitted(actor, operation, owner=actor.organisation):
        raise not_permitted(actor, operation)
