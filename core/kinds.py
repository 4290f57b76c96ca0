"""What kinds of things the register holds, and what states they go through.

One closed type for each: the CHECKs of the store, the rows, the settings, the API's schemas and the command line are
made of these, and every `match` on one ends in `assert_never`, so that the checker names each place that a new member
concerns. What the list holds has its types in core/cpl.py, what an approval is at an instant in core/status.py.
"""

from enum import StrEnum


class DecisionKind(StrEnum):
    """What officers decide (F2.18, F2.21, F2.24, F2.29, F2.30); the words of `POST /v1/decisions`."""

    GRANT = "grant"
    REFUSE = "refuse"
    AMEND = "amend"
    REFUSE_AMENDMENT = "refuse-amendment"
    REVOKE = "revoke"
    WITHDRAW = "withdraw"
    REKEY = "rekey"
    WITHDRAW_WAITING = "withdraw-waiting"
    CORRECT = "correct"


CERTIFYING = (DecisionKind.GRANT, DecisionKind.REKEY)
"""Each of these ends in a certificate; an amendment does only if it moves what a certificate says."""


ENDING = (DecisionKind.REVOKE, DecisionKind.WITHDRAW, DecisionKind.WITHDRAW_WAITING)
"""Each of these ends an approval, or a certificate of it."""

COUNTED = (
    DecisionKind.GRANT,
    DecisionKind.REFUSE,
    DecisionKind.AMEND,
    DecisionKind.REFUSE_AMENDMENT,
    DecisionKind.REVOKE,
    DecisionKind.REKEY,
)
"""The kinds by whose setting officers are counted, each once: what `counted_as` of each kind says (ra/deciding/)."""


class Waiting(StrEnum):
    """What becomes of the changes that wait behind a decision that certifies and begins before them (F2.29)."""

    CARRY = "carry"
    WITHDRAW = "withdraw"


class Witnessed(StrEnum):
    """What an officer says of a decision by which something was issued or ended.

    Of `seen` it may still become `disowned`, and nothing comes back from that.
    """

    SEEN = "seen"
    DISOWNED = "disowned"


class AuthorisedAct(StrEnum):
    """What officers sign for with keys of their own; nothing of it counts by an API key alone."""

    PROPOSE = "propose"
    SECOND = "second"
    REJECT = "reject"
    REVOKE = "revoke"
    CONFIRM_BREACH = "confirm-breach"
    STOP_ISSUING = "stop-issuing"
    START_ISSUING = "start-issuing"
    CHANGE_ROSTER = "change-roster"
    ACCEPT_RESTORE = "accept-restore"


class OrderKind(StrEnum):
    """What officers order the authority to do, that is no decision about an approval."""

    STOP_ISSUING = "stop-issuing"
    START_ISSUING = "start-issuing"
    CHANGE_ROSTER = "change-roster"


class RosterCause(StrEnum):
    """By what officers' keys came to count."""

    CEREMONY = "ceremony"
    BEGUN = "begun"
    CHANGE = "change"
    ROOT = "root"


class OrderState(StrEnum):
    """Where an order stands."""

    OPEN = "open"
    DONE = "done"
    LAPSED = "lapsed"
    REFUSED = "refused"


CLOSED_ORDER = (OrderState.DONE, OrderState.LAPSED, OrderState.REFUSED)
"""Nothing more becomes of it."""


class AuthorisationFlaw(StrEnum):
    """Why an authorisation does not count."""

    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    SIGNATURE = "signature"
    KEY = "key"
    OFFICER = "officer"
    AUTHORITY = "authority"
    ACT = "act"
    SUBJECT = "subject"
    DIGEST = "digest"
    EXPIRED = "expired"
    TOO_LONG = "too-long"
    USED = "used"
    MISSING = "missing"
    UNDECIDED = "undecided"
    ORIGIN = "origin"
    VERIFICATION = "verification"


class DecisionState(StrEnum):
    """Where a decision stands: proposed, drafted where it certifies, seconded, done; or rejected, or lapsed."""

    PROPOSED = "proposed"
    DRAFTED = "drafted"
    SECONDED = "seconded"
    DONE = "done"
    REJECTED = "rejected"
    LAPSED = "lapsed"


OPEN_DECISION = (DecisionState.PROPOSED, DecisionState.DRAFTED)
"""It has been neither seconded nor ended."""

AGREED_DECISION = (DecisionState.SECONDED, DecisionState.DONE)
"""As many officers as it takes have agreed on it."""

CLOSED_DECISION = (DecisionState.DONE, DecisionState.REJECTED, DecisionState.LAPSED)
"""Nothing more becomes of it."""


class ApplicationState(StrEnum):
    """Where an application stands (F2.18)."""

    SUBMITTED = "submitted"
    PROPOSED = "proposed"
    GRANTED = "granted"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class DraftPart(StrEnum):
    """What an application is made of while it is written in the console, in the order in which it is asked."""

    DEVICE = "device"
    FIRMWARE = "firmware"
    CERTIFICATES = "certificates"
    TRIAL = "trial"
    KEY = "key"


UNDECIDED = (ApplicationState.SUBMITTED, ApplicationState.PROPOSED)
"""Nothing has been decided about it; what speaks for or against it may still be added."""


class AmendmentRequestState(StrEnum):
    """Where a Manufacturer's request for an amendment stands (F2.29)."""

    OPEN = "open"
    PROPOSED = "proposed"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


OPEN_REQUEST = (AmendmentRequestState.OPEN, AmendmentRequestState.PROPOSED)
"""Nothing has been decided about it, and the Manufacturer still asks."""

CLOSED_REQUEST = (
    AmendmentRequestState.GRANTED,
    AmendmentRequestState.REFUSED,
    AmendmentRequestState.WITHDRAWN,
    AmendmentRequestState.LAPSED,
)
"""Nothing more becomes of it; `lapsed` because its approval ended first."""


class EndRequestState(StrEnum):
    """Where a Manufacturer's request for the end of its approval stands (F2.30)."""

    OPEN = "open"
    PROPOSED = "proposed"
    GRANTED = "granted"
    REFUSED = "refused"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


OPEN_END_REQUEST = (EndRequestState.OPEN, EndRequestState.PROPOSED)
"""The Manufacturer still asks; there is one of an approval at most."""

IN_WORDS_END_REQUEST = (EndRequestState.REFUSED, EndRequestState.ANSWERED)
"""The SSC has said in words what becomes of it; the approval stands."""

CLOSED_END_REQUEST = (
    EndRequestState.GRANTED,
    *IN_WORDS_END_REQUEST,
    EndRequestState.WITHDRAWN,
    EndRequestState.LAPSED,
)
"""Nothing more becomes of it; `lapsed` because its approval ended otherwise."""


class RequirementState(StrEnum):
    """Whether a further requirement (F2.20) still stands in the way."""

    OPEN = "open"
    MET = "met"
    WAIVED = "waived"


class Addition(StrEnum):
    """What the SSC says of an entry that is to be added while its certificate is awaited (F2.26, F2.27)."""

    STANDS = "stands"
    WAITS = "waits"


class BreachState(StrEnum):
    """Where the breach of a condition stands (F2.23); `answered` by a revocation for it."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    ANSWERED = "answered"
    CLOSED = "closed"


OPEN_BREACH = (BreachState.SUSPECTED, BreachState.CONFIRMED)
"""It waits to be judged, or owes a revocation."""

SETTLED_BREACH = (BreachState.ANSWERED, BreachState.CLOSED)
"""It was confirmed, and what it owed has been done or has been let go."""


class DraftState(StrEnum):
    """Where the bytes that are meant to be signed stand."""

    DRAFTED = "drafted"
    CLAIMED = "claimed"
    SIGNED = "signed"
    ABANDONED = "abandoned"


CLAIMED_DRAFT = (DraftState.CLAIMED, DraftState.SIGNED)
"""A holder of the lease has taken it up."""


class KeyState(StrEnum):
    """What is known of a public key; one that is free has no row."""

    RESERVED = "reserved"
    CERTIFIED = "certified"
    COMPROMISED = "compromised"


class HierarchyRole(StrEnum):
    """What a certificate of the authority's own is for."""

    ROOT = "root"
    ISSUING = "issuing"
    RESPONDER = "responder"
    STATEMENT = "statement"
    """Signs what the authority states as a file: CMS."""


CAS = (HierarchyRole.ROOT, HierarchyRole.ISSUING)
"""Each of these signs certificates and lists; the others sign neither."""


class EvidenceSubject(StrEnum):
    """What a file is attached to."""

    APPLICATION = "application"
    BREACH = "breach"
    REPORT = "report"
    AMENDMENT_REQUEST = "amendment-request"
    SUSPICION = "suspicion"
    """A breach whose suspicion its Manufacturer was told of, and which it answers."""


class NoticeKind(StrEnum):
    """What a notice tells (F2.21, F2.24, F2.29, F2.30)."""

    GRANT = "grant"
    REFUSAL = "refusal"
    AMENDMENT = "amendment"
    AMENDMENT_REFUSAL = "amendment-refusal"
    REVOCATION = "revocation"
    WITHDRAWAL = "withdrawal"
    NEW_KEY = "new-key"
    CORRECTION = "correction"
    REQUEST_LAPSED = "request-lapsed"
    END_REQUEST_LAPSED = "end-request-lapsed"
    END_REQUEST_ANSWERED = "end-request-answered"
    SUSPICION = "suspicion"


OF_NO_DECISION = (
    NoticeKind.REQUEST_LAPSED,
    NoticeKind.END_REQUEST_LAPSED,
    NoticeKind.END_REQUEST_ANSWERED,
    NoticeKind.SUSPICION,
)
"""These tell of nothing that became true by a decision: what time has brought about, and what is only said."""

SAID_BY_OFFICERS = (NoticeKind.END_REQUEST_ANSWERED, NoticeKind.SUSPICION)
"""These tell what an officer says, which decides nothing."""

URGENT = (NoticeKind.SUSPICION,)
"""These go to the urgent address as well, whoever wrote them."""


CANCELLATION = "cancellation"
"""What the documents of a revocation say in place of its kind if only the certificate ends (F2.30)."""

CHANGE_WITHDRAWAL = "change-withdrawal"
"""What the documents of an amendment's notice say in place of its kind if what waited is withdrawn (F2.29)."""


class Rendition(StrEnum):
    """The form in which a document that was typeset is kept."""

    PDF = "pdf"
    XLSX = "xlsx"


class Channel(StrEnum):
    """How a copy of a notice is delivered."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given-up"


class Told(StrEnum):
    """By what, or to whom, an end is told: a line of its receipt."""

    VERIFICATION = "verification"
    OCSP = "ocsp"
    LIST = "list"
    DCC = "dcc"
    PANEL = "panel"


class AgendaKind(StrEnum):
    """What waits for the SSC and is decided at a meeting: kinds of its tasks."""

    APPLICATION = "application-waiting"
    DECISION = "decision-to-second"
    REVOCATION = "revocation-to-acknowledge"
    SUSPICION = "breach-suspected"
    OWED = "revocation-owed"
    REJECTED = "certificate-rejected"
    ADDITION = "addition-to-judge"
    AMENDMENT = "amendment-requested"
    END = "end-requested"


class ProcessRole(StrEnum):
    """What one process of a running service is for."""

    WEB = "web"
    AUTHORITY = "authority"
    COURIER = "courier"


class WebPart(StrEnum):
    """What a process does that is a part of web."""

    STATUS = "status"
    API = "api"


class Apart(StrEnum):
    """A process that knows nothing of the register."""

    RENDERER = "renderer"


WITHOUT_A_SOCKET = (ProcessRole.AUTHORITY, ProcessRole.COURIER)
"""Nobody can ask these; what they notice, the register says."""
