"""A new key of the OCSP responder: made and certified by an operator's act, beside the running authority.

Answers name the responder by its key, so those that are in force stay so under the key before. Its certificate cannot
be ended: it carries id-pkix-ocsp-nocheck, so nobody asks (RFC 6960, 4.2.2.2.1). What is ended here is its use by this
authority; who has stolen the key can answer until the certificate runs out, 30 days at most (docs/keys.md).
"""

from datetime import datetime

from core.approval import RevocationReason
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate
from jobs.ended import end_in_hierarchy
from jobs.hierarchy import Certifier, certify_responder, held_of
from jobs.keyring import key_files, next_number, profile_begun
from jobs.new_issuing import require_clock
from jobs.recall import require_not_behind
from keys.ceremony import responder_file
from keys.place import KeyPlace
from memory.memory import Memory
from store.transactions import Store
from store.verbs import artefacts


def new_responder_key(
    store: Store, memory: Memory, place: KeyPlace, at: datetime, *, compromised: bool = False
) -> list[AuthorityCertificate]:
    """Make a new key of the responder and let each issuing CA that holds certify it.

    If we die behind the key, the next run opens it; between two CAs, the authority process has the other certify it,
    and a next run makes another key, which does no harm.

    Args:
        store: the register.
        memory: of the authority.
        place: where the keys lie, those of the issuing CAs among them.
        at: now.
        compromised: somebody else may have the key before: it signs nothing more, and every answer is made anew.

    Returns:
        The certificates of the new key, one of each issuing CA.

    Raises:
        WrongState: the authority doubts its clock.
        KeyUnusable: the key cannot be made, or that of an issuing CA is not at hand.
    """
    with store.read() as tx:
        require_clock(tx)
        require_not_behind(tx, memory)
        known = held_of(memory, tx, HierarchyRole.ISSUING)
    held = [each for each in known if each.not_before <= at <= each.not_after and memory.end(each.serial) is None]
    files = key_files(memory)
    pinned = {each.serial: each.key_sha256 for each in memory.hierarchy(HierarchyRole.ISSUING)}
    signers = {each.serial: place.opened(files[pinned[each.serial]]) for each in held}
    before = [each for each in memory.hierarchy(HierarchyRole.RESPONDER) if each.not_after >= at]
    number = next_number(memory, HierarchyRole.RESPONDER)
    key = place.made(responder_file(number))
    profile = profile_begun(memory.begun)
    for each in held:
        certifier = Certifier(
            role=HierarchyRole.RESPONDER,
            profile=profile,
            signer=signers[each.serial],
            issuer_der=each.der,
            public_key=key.public_key,
        )
        certify_responder(memory, store, store.begin, certifier, at)
    if compromised:
        for one in before:
            end_in_hierarchy(store, memory, one.serial, RevocationReason.KEY_COMPROMISE, at)
        with store.begin("answers anew") as tx:
            artefacts.all_due(tx)
    with store.read() as tx:
        every = held_of(memory, tx, HierarchyRole.RESPONDER)
    return every[-len(held) :] if held else []
