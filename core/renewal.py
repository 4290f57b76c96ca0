"""What has an end and has to be renewed before it: one table, and who is told how long before.

Keys of people and systems, lists, OCSP answers, the certificates of the hierarchy, the time in which a CA issues.
Approvals are not among them: their end is meant, and told by reminders of its own (F2.31).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.actors import Role
from core.alarms import AlarmCode
from core.instants import ONE_SECOND, end_of_years, text
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate, CredentialRecord, PublishedCrl

DAYS_BEFORE = (60, 30, 7)
"""Days before an end on which it is told. The first leaves weeks to people who have to meet, to fetch a key that is
offline, or to change the key of a system of another organisation; the last is when nothing else may come first."""

SHARE_LEFT = 3
"""What lives too short for that is told when one part in so many of its life is left: all such things are renewed at
half of their life or before, so by then that has failed."""

TOLD_AFTERWARDS = timedelta(days=30)
"""How long a key that has run out is told: by then whoever needed it has another, or nobody does."""

ISSUING_YEARS = 5
"""How long an issuing CA issues; its certificate lasts for one longest trial more."""

_DAY = timedelta(days=1)


class What(StrEnum):
    """What kind of thing it is; also in /metrics and in the kinds of tasks."""

    KEY = "key"
    LIST = "list"
    ROOT_LIST = "root-list"
    ANSWER = "answer"
    RESPONDER = "responder"
    STATEMENT = "statement-signer"
    ISSUING_WINDOW = "issuing-window"
    ISSUING_CA = "issuing-ca"
    ROOT = "root"


ALARMS: Mapping[What, AlarmCode] = {
    What.KEY: AlarmCode.KEYS_END,
    What.LIST: AlarmCode.LIST_OVERDUE,
    What.ROOT_LIST: AlarmCode.ROOT_LIST_ENDS,
    What.ANSWER: AlarmCode.ANSWERS_OVERDUE,
    What.RESPONDER: AlarmCode.RESPONDER_OVERDUE,
    What.STATEMENT: AlarmCode.STATEMENT_SIGNER_OVERDUE,
    What.ISSUING_WINDOW: AlarmCode.AUTHORITY_ENDS,
    What.ISSUING_CA: AlarmCode.AUTHORITY_ENDS,
    What.ROOT: AlarmCode.AUTHORITY_ENDS,
}
"""What is raised."""

_TO_DO: Mapping[What, str] = {
    What.KEY: "its holder needs another (trialcpa access grant), and then this one is to be revoked",
    What.LIST: "a newer one is overdue",
    What.ROOT_LIST: "fetch its key to renew it (trialcpa root-crl)",
    What.ANSWER: "their renewal is overdue",
    What.RESPONDER: "its renewal is overdue",
    What.STATEMENT: "its renewal is overdue",
    What.ISSUING_WINDOW: "make a new issuing CA, or no certificate can be issued any more",
    What.ISSUING_CA: "what it has issued cannot be checked any more afterwards",
    What.ROOT: "whoever relies on this authority needs another root before",
}
"""What somebody has to do about it."""


@dataclass(frozen=True, kw_only=True)
class Lasting:
    """One thing that lasts until an instant.

    Args:
        what: its kind.
        subject: what tells it from others of its kind: the identifier of a credential, of a key, or of a certificate.
        name: what it is called, for whoever may know it.
        begins, ends: between which instants it is of use; the second is the first in which it no longer is.
        role, organisation: whose key it is; None for the authority's own things.
    """

    what: What
    subject: str
    name: str
    begins: datetime
    ends: datetime
    role: Role | None = None
    organisation: str | None = None

    def within(self, now: datetime) -> timedelta | None:
        """Return the shortest time before the end that it has come down to; None if it is too early to tell of it."""
        left = self.ends - now
        return min((each for each in thresholds(self.ends - self.begins) if left <= each), default=None)

    def urgent(self, now: datetime) -> bool:
        """Return whether it has come down to the last time before the end that it is told at."""
        return self.within(now) == thresholds(self.ends - self.begins)[-1]

    def told(self, now: datetime) -> str:
        """Return, in a sentence, until when it lasts and what is to be done, for whoever may know its name."""
        last = text(self.ends - ONE_SECOND)
        return f"{self.name} {'ran out' if self.ends <= now else 'ends'} at {last}; {_TO_DO[self.what]}."


@dataclass(frozen=True, kw_only=True)
class Span:
    """From when until when something holds, both inclusive."""

    begins: datetime
    ends: datetime


def thresholds(life: timedelta) -> tuple[timedelta, ...]:
    """Return how long before its end something that lives so long is told of, the longest first."""
    first = min(DAYS_BEFORE[0] * _DAY, life / SHARE_LEFT)
    return (first, *(each * _DAY for each in DAYS_BEFORE if each * _DAY < first))


def issuing_window_end(not_before: datetime) -> datetime:
    """Return the last second in which an issuing CA issues: five years after its notBefore, inclusive.

    Args:
        not_before: of the issuing CA's certificate.
    """
    return end_of_years(not_before.date(), ISSUING_YEARS)


def lasting(
    certificates: Iterable[AuthorityCertificate],
    crls: Mapping[str, PublishedCrl],
    credentials: Iterable[CredentialRecord],
    answer: Span | None,
    now: datetime,
) -> list[Lasting]:
    """Return everything that has an end, as it is at `now`.

    Args:
        certificates: of the hierarchy, oldest first.
        crls: the newest by key identifier.
        credentials: those not revoked.
        answer: the OCSP answer that ends first of those that should have been renewed; None if there is none.
        now: the present instant.
    """
    every = list(certificates)
    return [*_keys(credentials, now), *_of_hierarchy(every, now), *_lists(every, crls, now), *_answer(answer)]


def _keys(credentials: Iterable[CredentialRecord], now: datetime) -> Iterator[Lasting]:
    """The last key of each holder: whoever has been given another need not be told of the one before."""
    last: dict[tuple[str, Role, str | None], CredentialRecord] = {}
    for each in credentials:
        holder = (each.name, each.role, each.organisation)
        if holder not in last or last[holder].expires_at < each.expires_at:
            last[holder] = each
    for each in last.values():
        if now - each.expires_at < TOLD_AFTERWARDS:
            yield Lasting(
                what=What.KEY,
                subject=each.identifier,
                name=f"API key {each.identifier} of {each.name} ({each.role.value})",
                begins=each.created_at,
                ends=each.expires_at,
                role=each.role,
                organisation=each.organisation,
            )


def _of_hierarchy(certificates: list[AuthorityCertificate], now: datetime) -> Iterator[Lasting]:
    """The newest of each role; of those that are no CAs, which take turns, the one in force that lasts longest."""
    newest = {each.role: each for each in certificates}
    issuing, root = newest.get(HierarchyRole.ISSUING), newest.get(HierarchyRole.ROOT)
    if issuing is not None:
        window = Span(begins=issuing.not_before, ends=issuing_window_end(issuing.not_before))
        yield _own(What.ISSUING_WINDOW, issuing.key_id, f"The time in which {issuing.subject} issues", window)
        yield _own(What.ISSUING_CA, issuing.key_id, f"The certificate of {issuing.subject}", _validity(issuing))
    if root is not None:
        yield _own(What.ROOT, root.key_id, f"The certificate of {root.subject}", _validity(root))
    # One that a wrong clock dated ahead signs nothing yet: it would hide that the one in force ends.
    for role, what, name in (
        (HierarchyRole.RESPONDER, What.RESPONDER, "The OCSP responder's certificate"),
        (HierarchyRole.STATEMENT, What.STATEMENT, "The statement signer's certificate"),
    ):
        holding = [each for each in certificates if each.role == role and each.not_before <= now <= each.not_after]
        if holding:
            longest = max(holding, key=lambda each: each.not_after)
            yield _own(what, longest.key_id, name, _validity(longest))


def _lists(
    certificates: Iterable[AuthorityCertificate], crls: Mapping[str, PublishedCrl], now: datetime
) -> Iterator[Lasting]:
    for each in certificates:
        crl = crls.get(each.key_id)
        if crl is None or each.not_after < now:
            continue
        held = Span(begins=crl.this_update, ends=crl.next_update - ONE_SECOND)
        if each.role == HierarchyRole.ISSUING:
            yield _own(What.LIST, each.key_id, f"CRL {crl.number} of {each.subject}", held)
        elif each.role == HierarchyRole.ROOT:
            yield _own(What.ROOT_LIST, each.key_id, f"The root's CRL {crl.number}", held)


def _answer(answer: Span | None) -> Iterator[Lasting]:
    if answer is not None:
        yield _own(What.ANSWER, "", "The first of the OCSP answers that were not renewed", answer)


def _validity(certificate: AuthorityCertificate) -> Span:
    return Span(begins=certificate.not_before, ends=certificate.not_after)


def _own(what: What, subject: str, name: str, span: Span) -> Lasting:
    # Both ends of a validity are inclusive (RFC 5280, 4.1.2.5).
    return Lasting(what=what, subject=subject, name=name, begins=span.begins, ends=span.ends + ONE_SECOND)
