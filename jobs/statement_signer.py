"""The statement signer: its certificate is renewed by the authority; its key is made by an operator's act.

What it signs are files that people take with them. Whoever checks one builds the path to the root at the instant of
signing, so nothing is lost where a certificate before has run out.
"""

from collections.abc import Sequence
from datetime import datetime

from ca.certificates import authority_key_id
from core.alarms import AlarmCode
from core.approval import RevocationReason
from core.errors import WrongState
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate
from jobs.duty import Duty
from jobs.ended import end_in_hierarchy
from jobs.hierarchy import Certifier, certify_statement_signer, held_of, in_service, ours
from jobs.keyring import key_files, next_number, profile_begun
from jobs.new_issuing import require_clock
from jobs.recall import require_not_behind
from keys.ceremony import statement_file
from keys.place import KeyPlace
from memory.memory import Memory
from ra.issuing import IssuingCa
from store.transactions import Store


def renew_statement_signer(duty: Duty, at: datetime) -> int:
    """Let the newest issuing CA certify the statement signer's key again at half of the certificate's life.

    Returns:
        How many were signed.
    """
    keyring = duty.keyring
    with duty.read() as tx:
        every = ours(duty, tx, HierarchyRole.STATEMENT)
        served = in_service(duty, tx, at)
    if keyring.statement is None:
        said = "There is no statement signer: no dossier is signed until trialcpa statement-signer new-key was run."
        duty.notice(AlarmCode.STATEMENT_SIGNER_OVERDUE, said)
        return 0
    if not served:
        return 0
    newest = served[-1]
    held = [each for each in _of_key(every, keyring.statement_key_id) if each.not_before <= at]
    if any(duty.memory.end(each.serial) is not None for each in held):
        return 0  # it is not to sign any more; the key that follows it is not at hand yet
    if not _due(held, newest, at):
        return 0
    certifier = Certifier(
        role=HierarchyRole.STATEMENT,
        profile=keyring.profile,
        signer=keyring.issuing[newest.key_id],
        issuer_der=newest.der,
        public_key=keyring.statement.public_key,
    )
    certify_statement_signer(duty.memory, duty.store, duty.begin, certifier, at)
    return 1


def signing_certificate(duty: Duty, every: Sequence[AuthorityCertificate], at: datetime) -> AuthorityCertificate | None:
    """Return the certificate under which something is stated at `at`; None while there is none.

    Args:
        duty: has the key.
        every: the statement signer's that this authority remembers.
        at: now.
    """
    holding = [
        each
        for each in _of_key(every, duty.keyring.statement_key_id)
        if each.not_before <= at <= each.not_after and duty.memory.end(each.serial) is None
    ]
    return max(holding, key=lambda each: each.not_before, default=None)


def new_statement_key(
    store: Store, memory: Memory, place: KeyPlace, at: datetime, *, compromised: bool = False
) -> AuthorityCertificate:
    """Make a new key of the statement signer, and let the newest issuing CA that holds certify it.

    If we die behind the key, the next run opens it; behind the memory, it has the same bytes signed. Ends come last: if
    we die before one is remembered, the next run makes another key and ends all that were there before.

    Args:
        store: the register.
        memory: of the authority.
        place: where the keys lie, that of the issuing CA among them.
        at: now.
        compromised: somebody else may have a key before: each certificate of one is revoked by the CA that issued it,
            and on that CA's list with the authority's next turn.

    Returns:
        The certificate of the new key.

    Raises:
        WrongState: the authority doubts its clock, or none of its issuing CAs holds.
        KeyUnusable: the key cannot be made, or that of the issuing CA is not at hand.
    """
    with store.read() as tx:
        require_clock(tx)
        require_not_behind(tx, memory)
        known = held_of(memory, tx, HierarchyRole.ISSUING)
    held = [each for each in known if each.not_before <= at <= each.not_after and memory.end(each.serial) is None]
    if not held:
        raise WrongState(
            kind="authority", identifier=memory.begun.name, state="without an issuing CA that holds", needed="with one"
        )
    files = key_files(memory)
    pinned = {each.serial: each.key_sha256 for each in memory.hierarchy(HierarchyRole.ISSUING)}
    signer = place.opened(files[pinned[held[-1].serial]])
    before = [each for each in memory.hierarchy(HierarchyRole.STATEMENT) if each.not_after >= at]
    number = next_number(memory, HierarchyRole.STATEMENT)
    key = place.made(statement_file(number))
    certifier = Certifier(
        role=HierarchyRole.STATEMENT,
        profile=profile_begun(memory.begun),
        signer=signer,
        issuer_der=held[-1].der,
        public_key=key.public_key,
    )
    certify_statement_signer(memory, store, store.begin, certifier, at)
    for each in before if compromised else ():
        end_in_hierarchy(store, memory, each.serial, RevocationReason.KEY_COMPROMISE, at)
    with store.read() as tx:
        return held_of(memory, tx, HierarchyRole.STATEMENT)[-1]


def _of_key(every: Sequence[AuthorityCertificate], key_id: str | None) -> list[AuthorityCertificate]:
    return [each for each in every if each.key_id == key_id]


def _due(held: Sequence[AuthorityCertificate], issuing: IssuingCa, at: datetime) -> bool:
    """Whether the newest issuing CA has certified the key not yet, or half of that certificate's life is over."""
    under = [each for each in held if authority_key_id(each.der) == issuing.key_id]
    newest = max(under, key=lambda each: each.not_before, default=None)
    if newest is None:
        return True
    half = newest.not_before + (newest.not_after - newest.not_before) / 2
    return half <= at < issuing.not_after and newest.not_after < issuing.not_after
