"""/readyz: fit to serve, as a list of checks over what the register and the mirror say. No check acts.

Red means that relying parties are, or will soon be, without an answer that they could believe. A warning is for the
operator alone and takes nobody out of service.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.status.snapshot import Mirror, Snapshot
from core.errors import StatusStale, StoreUnavailable
from core.instants import text
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate, PublishedCrl
from store.reading.watching import Backlog, backlog
from store.transactions import Store

AUTHORITY_SILENT = timedelta(seconds=60)
"""How long the lease may have run out before the authority process counts as gone; a restart takes a few seconds."""

BACKLOG_OLD = timedelta(seconds=60)
"""How old a fact may be without being sealed, or an end without being on the list, before something is wrong."""

CRL_SHARE_LEFT = 3
"""An issuing CA's CRL is red when less than one part in so many of its validity is left; it is reissued long before."""

ROOT_CRL_WARNING = timedelta(days=60)
"""The root's key is offline: somebody has to be told in time to fetch it."""

RESPONDER_WARNING = timedelta(days=10)
"""The responder's certificate is renewed at half of its 30 days; with a third of them left that has failed."""


@dataclass(frozen=True, kw_only=True)
class CheckAnswer:
    """One check of readiness.

    Args:
        name: stable.
        ok: false if it stands in the way of serving.
        warning: somebody should look at it soon.
        detail: a sentence.
    """

    name: str
    ok: bool
    warning: bool = False
    detail: str


@dataclass(frozen=True)
class Readiness:
    """Fit to serve, with each check."""

    ready: bool
    checks: tuple[CheckAnswer, ...]


def readiness(store: Store, mirror: Mirror) -> Readiness:
    """Return whether the service is fit to serve, and every check, in order. Nothing that fails raises."""
    try:
        with store.read() as tx:
            left = backlog(tx, mirror.now())
    except StoreUnavailable as error:
        return judged(None, str(error), mirror)
    return judged(left, "", mirror)


def judged(left: Backlog | None, said: str, mirror: Mirror) -> Readiness:
    """Return the same of what is known, reading nothing.

    Args:
        left: what the register says is left to do; None if it does not answer.
        said: why it does not.
        mirror: what the status plane answers from.
    """
    now = mirror.now()
    detail = "The register answers." if left is not None else said
    reached = CheckAnswer(name="store", ok=left is not None, detail=detail)
    checks = (reached, *_of_snapshot(mirror, left, now), *_of_backlog(left, now))
    return Readiness(all(each.ok for each in checks), checks)


def _of_snapshot(mirror: Mirror, left: Backlog | None, now: datetime) -> Iterator[CheckAnswer]:
    try:
        view = mirror.view()
    except StatusStale as error:
        yield CheckAnswer(name="mirror", ok=False, detail=str(error))
    else:
        yield CheckAnswer(name="mirror", ok=True, detail=f"The snapshot was confirmed {mirror.age():.1f} seconds ago.")
    try:
        view = mirror.held()
    except StatusStale:
        return
    yield _authority_alive(left, now - view.authority.clock_offset)
    yield from _of_hierarchy(view, now)


def _authority_alive(left: Backlog | None, machine: datetime) -> CheckAnswer:
    """Leases are about machines: compared with the machine's instant, not with a test clock's."""
    until = None if left is None else left.lease_until
    if until is None:
        return CheckAnswer(name="authority", ok=False, detail="No authority process has been seen.")
    alive = until + AUTHORITY_SILENT > machine
    word = "was at work" if alive else "has been silent for too long; it was last at work"
    return CheckAnswer(
        name="authority", ok=alive, detail=f"An authority process {word} until {text(until)} (machine time)."
    )


def _of_hierarchy(view: Snapshot, now: datetime) -> Iterator[CheckAnswer]:
    crls = view.authority.crls
    found = [each for each in view.authority.certificates if each.not_after >= now]
    for each in found:
        if each.role == HierarchyRole.ISSUING:
            yield _issuing_crl(each, crls.get(each.key_id), now)
        elif each.role == HierarchyRole.ROOT:
            yield _root_crl(crls.get(each.key_id), now)
    yield _responder([each for each in found if each.role == HierarchyRole.RESPONDER], now)


def _issuing_crl(issuer: AuthorityCertificate, crl: PublishedCrl | None, now: datetime) -> CheckAnswer:
    if crl is None:
        return CheckAnswer(name="crl", ok=False, detail=f"{issuer.subject} has published no CRL.")
    fresh = (crl.next_update - now) * CRL_SHARE_LEFT >= crl.next_update - crl.this_update
    said = f"CRL {crl.number} of {issuer.subject} holds until {text(crl.next_update)}"
    return CheckAnswer(name="crl", ok=fresh, detail=said + ("." if fresh else "; a newer one is overdue."))


def _root_crl(crl: PublishedCrl | None, now: datetime) -> CheckAnswer:
    """Never red: whoever needs the root's list is not helped by a service that is taken away as well."""
    if crl is None:
        return CheckAnswer(name="root-crl", ok=True, detail="The root has published no CRL.", warning=True)
    if crl.next_update <= now:
        lapsed = f"The root's CRL {crl.number} ran out at {text(crl.next_update)}; fetch its key to renew it."
        return CheckAnswer(name="root-crl", ok=True, detail=lapsed, warning=True)
    said = f"The root's CRL {crl.number} holds until {text(crl.next_update)}"
    soon = crl.next_update - now <= ROOT_CRL_WARNING
    return CheckAnswer(
        name="root-crl", ok=True, detail=said + ("; fetch its key to renew it." if soon else "."), warning=soon
    )


def _responder(found: list[AuthorityCertificate], now: datetime) -> CheckAnswer:
    if not found:
        return CheckAnswer(name="responder", ok=False, detail="No OCSP responder certificate is in force.")
    until = max(each.not_after for each in found)
    soon = until - now <= RESPONDER_WARNING
    said = f"The OCSP responder's certificate holds until {text(until)}"
    return CheckAnswer(
        name="responder", ok=True, detail=said + ("; its renewal is overdue." if soon else "."), warning=soon
    )


def _of_backlog(left: Backlog | None, now: datetime) -> Iterator[CheckAnswer]:
    if left is None:
        yield CheckAnswer(name="journal", ok=False, detail="Unknown: the register cannot be reached.")
        yield CheckAnswer(name="revocation-list", ok=False, detail="Unknown: the register cannot be reached.")
        return
    yield _waiting("journal", left.unsealed, left.unsealed_since, now, "facts wait to be sealed")
    yield _waiting("revocation-list", left.unlisted, left.unlisted_since, now, "ended certificates wait to be listed")


def _waiting(name: str, count: int, since: datetime | None, now: datetime, words: str) -> CheckAnswer:
    if since is None:
        return CheckAnswer(name=name, ok=True, detail=f"No {words}.")
    return CheckAnswer(
        name=name, ok=now - since <= BACKLOG_OLD, detail=f"{count} {words}, the oldest since {text(since)}."
    )
