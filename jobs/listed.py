"""listed: what an issuing CA's list has entries of: what it certified for approvals, and its statement signers.

The responder's certificate is on none: it carries id-pkix-ocsp-nocheck, so nobody would look (RFC 6960, 4.2.2.2.1). A
statement signer's has no such thing, and names the list: whoever checks a signature looks there.
"""

from collections.abc import Iterator
from datetime import datetime
from heapq import merge

from ca.certificates import authority_key_id, issuer
from ca.draft import again
from core.kinds import HierarchyRole
from core.status import Revoked
from memory.memory import Memory
from ra.issuing import IssuingCa


def entries(memory: Memory, issuing: IssuingCa, at: datetime) -> Iterator[Revoked]:
    """Return the entries of an issuing CA's list made at `at`, in order of serials."""
    signers = sorted(_ended_signers(memory, issuing, at), key=lambda each: each.serial)
    return merge(memory.entries(issuing.key_id, at), signers, key=lambda each: each.serial)


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
