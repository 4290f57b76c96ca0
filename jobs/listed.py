"""listed: what an issuing CA's list has entries of: what it certified for approvals, and its statement signers.

The responder's certificate is on none: it carries id-pkix-ocsp-nocheck, so nobody would look (RFC 6960, 4.2.2.2.1). A
statement signer's has no such thing, and names the list: whoever checks a signature looks there.

The entries of the list in force stay in the process as the octets that they are, so that the next one costs what
changed (docs/adr/0048). The first list after a start is made from everything that is remembered.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from operator import itemgetter

from ca.certificates import authority_key_id, issuer
from ca.draft import again
from ca.revocation import crl as lists
from ca.revocation.agreeing import Since
from ca.revocation.kept import Entries
from core.identifiers import Serial, serial_number
from core.kinds import HierarchyRole
from core.status import Ending, Revoked, endings
from memory.memory import Memory
from memory.records import Listed
from ra.issuing import IssuingCa


def every(memory: Memory, issuing: IssuingCa, at: datetime) -> Iterator[tuple[Serial, Ending]]:
    """Return the entries of an issuing CA's list made at `at`, in order of serials."""
    signers = sorted(_ended_signers(memory, issuing, at), key=lambda each: each.serial)
    others = memory.endings(issuing.key_id, at)
    return merge(others, endings(signers), key=itemgetter(0)) if signers else others


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The entries of a list that is about to be made.

    Args:
        entries: they.
        record: the newest one of the memory when they were read.
        since: what changed since the list in force; None where it is not kept, or an end in it is none any more.
    """

    entries: Entries
    record: int
    since: Since | None


@dataclass(frozen=True, kw_only=True)
class _InForce:
    listed: Listed
    listing: Listing


@dataclass
class Kept:
    """The entries of each key's list in force, as this process published it."""

    looked: str = ""
    """The certificate up to which the register was compared with what is remembered, when the last list was made."""
    _in_force: dict[str, _InForce] = field(default_factory=dict)

    def listing(self, memory: Memory, issuing: IssuingCa, held: Listed | None, at: datetime) -> Listing:
        """Return the entries of the list to be made at `at`.

        Args:
            memory: what they follow from.
            issuing: whose list it is.
            held: the list that it follows; None if there is none.
            at: its date.
        """
        record = memory.last
        since = self.since(memory, issuing, held, at)
        if since is None:
            return Listing(entries=lists.encoded(every(memory, issuing, at)), record=record, since=None)
        written = {serial_number(each.serial): lists.entry(each) for each in since.changed}
        return Listing(entries=since.entries.but(written), record=record, since=since)

    def since(self, memory: Memory, issuing: IssuingCa, held: Listed | None, at: datetime) -> Since | None:
        """Return what has changed since the list in force, as `listing` has it; read from the memory again."""
        kept = self._in_force.get(issuing.key_id)
        if kept is None or kept.listed != held:
            return None
        changed = memory.changed(issuing.key_id, kept.listing.record, kept.listed.this_update, at)
        entries = kept.listing.entries
        if changed is None or any(
            said is None and entries.find(serial_number(serial)) is not None for serial, said in changed
        ):
            return None
        signers = _ended_signers(memory, issuing, at)
        return Since(entries=entries, changed=[*(said for _, said in changed if said is not None), *signers])

    def keep(self, listed: Listed, listing: Listing) -> None:
        """Go on from a list that was published."""
        self._in_force[listed.key_id] = _InForce(listed=listed, listing=listing)


def _ended_signers(memory: Memory, issuing: IssuingCa, at: datetime) -> Iterator[Revoked]:
    """Yield the ends of statement signers that a CA certified. One that expired meanwhile stays on its lists."""
    for record in memory.hierarchy_records(HierarchyRole.STATEMENT):
        ended = memory.end(record.serial)
        if ended is None or ended.at > at:
            continue
        # As the bytes say that were remembered before they were signed; the register cannot change them.
        certified = again(record.serial, record.tbs, issuer(issuing.der).public_key)
        if authority_key_id(certified.preview) == issuing.key_id:
            yield ended
