"""What follows from the journal, as a state: approvals, certificates, decisions, the hierarchy, lists and notices.

Instants are whole seconds since 1970, as registers have them; a million rows are to fit. It grows with approvals and
decisions, and not with rows.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from core.approval import EndCause
from core.instants import from_seconds, parse, seconds, text
from core.kinds import ApplicationState, DraftState, KeyState, OrderState
from core.status import REASON_OF
from verify.kit.evidence.ends import RevocationReason

Json = Mapping[str, Any]

OPEN, SECONDED, DONE, REJECTED, LAPSED = "open", "seconded", "done", "rejected", "lapsed"


@dataclass(slots=True)
class Decided:
    """A decision: who agreed to which proposal, and how far it has come.

    Args:
        row: that proposed it.
        kind, sha256, proposer, wanted: of its proposal; `wanted` officers have to agree.
        proposed_at: when.
        said: what its proposal says, until all that it certifies is issued.
        urgent: whether one officer made it alone.
        authorised_at: when its proposer signed for it.
        keyed: whether one who signed did so by a key in a file or a token, and not by a passkey.
        signers: who agreed, the proposer not counted: of each the instant, the bytes that they accepted, and the row.
        accepted: the bytes that the last of them accepted, by their digests.
        state: one of the words above.
        closed: when it was done, or came to nothing.
        acknowledged: who was informed of an urgent one, and when.
        drafts: serials that are drafted for it and not given up.
        issued: how many of these are certificates.
        approvals: of which it revokes all; None of a decision about one.
    """

    row: int
    kind: str
    sha256: str
    proposer: str
    wanted: int
    proposed_at: int
    said: Json | None
    urgent: bool = False
    authorised_at: int | None = None
    keyed: bool = False
    signers: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    accepted: tuple[str, ...] = ()
    seconded_at: int | None = None
    seconder: str | None = None
    state: str = OPEN
    closed: int | None = None
    acknowledged: tuple[str | None, int | None] = (None, None)
    drafts: list[str] = field(default_factory=list)
    issued: int = 0
    approvals: frozenset[str] | None = None
    cause: str | None = None
    invalidity: int | None = None

    @property
    def decided(self) -> bool:
        """Whether enough have agreed."""
        return self.state in (SECONDED, DONE)

    @property
    def approval(self) -> str | None:
        """The approval that it is about, while what its proposal says is kept."""
        return None if self.said is None else self.said.get("approval")


@dataclass(slots=True)
class Drafted:
    """A draft: what was to be signed; `at` is when it was drafted, `claimed` when it was about to be signed."""

    row: int
    at: int
    decision: str
    approval: str
    issue: int
    tbs_sha256: str
    issuer: str
    key: str
    not_before: int
    not_after: int
    state: DraftState = DraftState.DRAFTED
    claimed: int | None = None


@dataclass(slots=True)
class Term:
    """What one issue says."""

    issue: int
    effective: int
    expiry: int
    maximum: int
    firmware: tuple[tuple[str, str], ...]
    decision: str


@dataclass(slots=True)
class Cert:
    """A certificate and its fate; `sealed` is when its newest end was sealed, `listed` the first list that has it.

    Its cause is guessed where a restore has entered its end again and does not say it: lists know fewer.
    """

    row: int
    serial: str
    approval: str
    issue: int
    sha256: str
    key: str
    issuer: str
    not_before: int
    not_after: int
    signed_at: int
    revoked_at: int | None = None
    cause: str | None = None
    invalidity: int | None = None
    superseded_at: int | None = None
    sealed: int = 0
    ends: int = 0
    listed: int | None = None
    restored: bool = False
    guessed: bool = False

    def end(self) -> tuple[int, RevocationReason]:
        """Return the first second in which it no longer holds, and why."""
        at, reason = self.not_after + 1, RevocationReason.CESSATION_OF_OPERATION
        if self.superseded_at is not None and self.superseded_at < at:
            at, reason = self.superseded_at, RevocationReason.SUPERSEDED
        if self.revoked_at is not None and self.cause is not None and self.revoked_at < at:
            at, reason = self.revoked_at, RevocationReason(REASON_OF[EndCause(self.cause)])
        return at, reason


@dataclass(slots=True)
class Approved:
    """An approval."""

    row: int
    identifier: str
    decision: str
    application: str | None
    organisation: str | None
    device: Json
    granted_at: int
    start: int
    starts: set[int]
    expiries: set[int]
    terms: dict[int, Term] = field(default_factory=dict)
    certs: list[Cert] = field(default_factory=list)
    ended_at: int | None = None
    cause: str | None = None
    ended_by: str | None = None
    refused: set[int] = field(default_factory=set)
    disputed: set[int] = field(default_factory=set)
    expired: int | None = None
    restored: bool = False


@dataclass(slots=True)
class Ca:
    """A certificate of the hierarchy; `at` is when it was about to be signed."""

    row: int
    at: int
    role: str
    tbs_sha256: str
    issued_row: int | None = None
    certificate: x509.Certificate | None = None
    key_id: str = ""
    ended_row: int | None = None
    ended_at: int | None = None
    reason: int | None = None
    issued_at: int | None = None


@dataclass(slots=True)
class Applied:
    """An application, as far as the journal says it.

    Args:
        row: that submitted it.
        organisation: that did.
        at: when; None where what submitted it was lost.
        state: where it stands.
        stated: the digest of what its newest version says; None where no row says one.
        device: as it was submitted, and is while no version has changed it.
        key: the same of its key.
        version: how often it was changed, and one.
        changed: when that was.
    """

    row: int
    organisation: str | None
    at: int | None
    state: ApplicationState
    stated: str | None = None
    device: Json | None = None
    key: str | None = None
    version: int = 1
    changed: int | None = None


@dataclass(slots=True)
class Keyed:
    """A key: whose, what is known of it, and since when."""

    row: int
    approval: str
    state: KeyState
    since: int


@dataclass(slots=True)
class Ordered:
    """An order; `lapses` is None where its row does not say it."""

    row: int
    sha256: str
    kind: str
    proposer: str
    at: int
    lapses: int | None
    state: OrderState = OrderState.OPEN
    closed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list: what its own bytes say, if the register has any, and when the row that publishes it was written."""

    row: int
    at: int
    read: bool = True
    this_update: int = 0
    next_update: int | None = None
    entries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """A notice: what the row that it was written by says; `serial` is empty where that says none."""

    row: int
    at: int
    kind: str
    subject: str | None
    decision: str | None
    corrects: str | None
    serial: str | None
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A roster: what the row that sets it says."""

    row: int
    at: int
    members_sha256: str
    effective_at: str
    cause: str


@dataclass(frozen=True, slots=True)
class Restored:
    """A certificate that was entered again: by which row, when, and the digest of its proposal, by its bytes."""

    row: int
    at: int
    proposal_sha256: str


@dataclass(slots=True)
class Folded:
    """Everything that follows from the rows so far."""

    decisions: dict[str, Decided] = field(default_factory=dict)
    approvals: dict[str, Approved] = field(default_factory=dict)
    certs: dict[str, Cert] = field(default_factory=dict)
    drafts: dict[str, Drafted] = field(default_factory=dict)
    keys: dict[str, Keyed] = field(default_factory=dict)
    hierarchy: dict[str, Ca] = field(default_factory=dict)
    lists: dict[tuple[str, int], Listed] = field(default_factory=dict)
    notices: dict[str, Noticed] = field(default_factory=dict)
    applications: dict[str, Applied] = field(default_factory=dict)
    rosters: dict[int, Roster] = field(default_factory=dict)
    orders: dict[str, Ordered] = field(default_factory=dict)
    ordering: dict[str, str] = field(default_factory=dict)
    ends: dict[str, list[int]] = field(default_factory=dict)
    skipped: bool = False
    restored: dict[str, Restored] = field(default_factory=dict)
    settled: dict[str, set[int]] = field(default_factory=dict)

    def cert(self, made: Cert) -> None:
        """Add a certificate."""
        self.certs[made.serial] = made
        made.ends = made.end()[0]
        insort(self.ends.setdefault(made.issuer, []), made.ends)

    def certified(self, key: str, at: int) -> None:
        """Note that a key is certified, if it was reserved."""
        found = self.keys.get(key)
        if found is not None and found.state is KeyState.RESERVED:
            found.state, found.since = KeyState.CERTIFIED, at

    def compromised(self, key: str, at: int) -> None:
        """Note that a key is compromised."""
        found = self.keys.get(key)
        if found is not None:
            found.state, found.since = KeyState.COMPROMISED, at

    def moved(self, cert: Cert) -> None:
        """Note that the end of a certificate is another one."""
        ends = self.ends[cert.issuer]
        del ends[bisect_left(ends, cert.ends)]
        cert.ends = cert.end()[0]
        insort(ends, cert.ends)

    def ended_by(self, issuer: str, at: int) -> int:
        """Return how many certificates of an issuing CA, by its key, had ended by an instant."""
        return bisect_right(self.ends.get(issuer, ()), at)

    def issuer_ended(self, cert: Cert) -> int | None:
        """Return when the issuing CA of a certificate was ended."""
        found = [each.ended_at for each in self.hierarchy.values() if each.key_id == cert.issuer and each.ended_at]
        return min(found, default=None)


def lasting(approval: Approved) -> list[Cert]:
    """Return the issues that have taken effect or will, in order (core/waiting.py says the same of records)."""
    found: list[Cert] = []
    for each in sorted(approval.certs, key=lambda each: each.issue, reverse=True):
        superseded = each.superseded_at is not None and each.superseded_at <= each.not_before
        overtaken = bool(found) and found[-1].not_before <= each.not_before
        if not (superseded or each.cause == EndCause.CHANGE_WITHDRAWN or overtaken):
            found.append(each)
    return found[::-1]


def holding(approval: Approved, at: int) -> Cert | None:
    """Return the issue whose terms hold at an instant, as far as is decided."""
    issues = lasting(approval)
    return next((each for each in reversed(issues) if each.not_before <= at), issues[0] if issues else None)


def document(state: Folded, approval: Approved) -> dict[str, Any]:
    """Return what is public of an approval, by the journal; `disputed` is left to the caller."""
    return {
        "approval": approval.identifier,
        "device": dict(approval.device),
        "granted": said(approval.granted_at),
        "start": said(approval.start),
        "terms": [
            {
                "issue": each.issue,
                "effective": said(each.effective),
                "expiry": said(each.expiry),
                "maximum_devices": each.maximum,
                "firmware": [{"version": version, "image_digest": image} for version, image in each.firmware],
            }
            for _, each in sorted(approval.terms.items())
        ],
        "certificates": [
            {
                "serial": each.serial,
                "issue": each.issue,
                "sha256": each.sha256,
                "not_before": said(each.not_before),
                "not_after": said(each.not_after),
                "signed_at": said(each.signed_at),
                "revoked_at": said(each.revoked_at),
                "cause": each.cause,
                "invalidity_date": said(each.invalidity),
                "superseded_at": said(each.superseded_at),
                "issuer_ended_at": said(state.issuer_ended(each)),
            }
            for each in sorted(approval.certs, key=lambda each: each.issue)
        ],
        "ended_at": said(approval.ended_at),
        "end_cause": approval.cause,
    }


def said(at: int | None) -> str | None:
    """Return an instant as text."""
    return None if at is None else text(from_seconds(at))


def instant(written: object) -> int:
    """Return the seconds of an instant as text; InstantMalformed, TypeError or AttributeError if it is none."""
    return seconds(parse(str(written)))


def perhaps(written: object) -> int | None:
    """Return the same where there may be none."""
    return None if written is None else instant(written)


def terms_said(part: Json, decision: str) -> Term:
    """Return the terms of an issue, as a proposal says them.

    Raises:
        KeyError, TypeError, ValueError, InstantMalformed: it does not.
    """
    return Term(
        issue=int(part["issue"]),
        effective=instant(part["not_before"]),
        expiry=instant(part["not_after"]),
        maximum=int(part["maximum_devices"]),
        firmware=tuple((str(each["version"]), str(each["image_sha256"])) for each in part["firmware"]),
        decision=decision,
    )


def part_of(said: Json, issue: int) -> Json | None:
    """Return what a proposal says of one of its issues; None if it leads to no such issue."""
    carried = said.get("carried")
    parts = [said, *(carried if isinstance(carried, list) else ())]
    return next((each for each in parts if isinstance(each, Mapping) and each.get("issue") == issue), None)


def issues_of(said: Json) -> list[int]:
    """Return the issues that a proposal leads to, in order."""
    carried = said.get("carried")
    first = said.get("issue")
    return [] if not isinstance(first, int) else [first, *(int(each["issue"]) for each in carried or ())]
