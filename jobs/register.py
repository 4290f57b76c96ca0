"""register: the statement signer signs the whole public register, at a checkpoint, if it is what the rows say.

Not at each act: it may have a hundred megabytes. It is signed at most once in an interval, and what is served between
is the one that was signed last. What it is made of is proved first: the leaves of all rows have the root that is
remembered, and of each approval the last document in them, and nothing else, is what the signature is over. A process
reads the rows behind the last register that it remembers, and no others; it does a portion in each turn.
"""

import time
from datetime import datetime, timedelta

from ca.statement import stated_by_digest, statement_holds
from core.alarms import AlarmCode
from core.canonical import canonical, read_json
from core.identifiers import Serial
from core.instants import text
from core.kinds import HierarchyRole
from core.merkle import Frontier, leaf_hash, peaks
from core.mirror import AuthorityCertificate
from core.register import Moment
from jobs.duty import Duty
from jobs.hierarchy import above_of, ours
from jobs.registering import Pass, Registering, digest_of
from jobs.statement_signer import signing_certificate
from memory.records import Register
from store.reading import log as log_reading
from store.reading import register as reading
from store.reading.register import SignedRegister
from store.verbs import log

SECONDS = 0.2
"""For how long one turn goes on with it: whoever waits for something else waits so long."""

AGAIN = timedelta(days=1)
"""After which the same is signed again: whoever has it knows that it was the newest then."""

_MOST = 1_000
"""Rows that are read in one transaction."""


class _ContradictedError(Exception):
    """What is here is not what was signed for; it never leaves this file."""


def sign_register(duty: Duty, at: datetime) -> int:
    """Go on with the register that is to be signed, and sign it; return whether there is more to do now."""
    held, state = duty.memory.log, duty.registering
    if held is None or duty.growing.log != held.log or not duty.growing.shown:
        return 0
    if state.log != held.log:
        state.anew(held.log)
    if state.refused is not None:
        since, said = state.refused
        if _within(since, at, duty.pace.register_interval):
            duty.notice(AlarmCode.REGISTER_CONTRADICTS, said, subject=held.log)
            return 0
        state.refused = None
    until = time.monotonic() + SECONDS
    try:
        while more := _step(duty, state, at):
            if time.monotonic() >= until:
                break
    except _ContradictedError as found:
        state.anew(held.log)  # somebody may have mended it when it is tried again
        state.refused = at, f"The public register is not signed: {found}."
        duty.notice(AlarmCode.REGISTER_CONTRADICTS, state.refused[1], subject=held.log)
        return 0
    return int(more)


def _step(duty: Duty, state: Registering, at: datetime) -> bool:
    """Do one portion; return whether there is another."""
    if state.reading is not None:
        with duty.read() as tx:
            page = log_reading.documents_after(tx, state.reading.after, state.reading.moment.size)
        if page:
            try:
                state.reading.add(page)
            except ValueError as error:
                raise _ContradictedError(f"what is kept of {error} is another's document") from None
        else:
            _ended(duty, state, state.reading, at)
            state.reading = None
        return True
    if not state.begun:
        _begin(duty, state)
        return True
    _put_right(duty, state)
    tree = duty.memory.tree(state.log)
    size = duty.growing.shown
    if tree is None or tree.size != size or _certificate(duty, state, at) is None:
        return False
    if state.edge.size < size:
        _read_rows(duty, state, size)
        return True
    if state.edge.root != tree.root:
        raise _ContradictedError(f"its {size} rows do not have the root that was signed")
    state.reading = Pass(Moment(log=state.log, size=size, root=tree.root, at=state.at))
    return True


def _begin(duty: Duty, state: Registering) -> None:
    """Begin with the register that was signed last: what has its digest is what was proved then."""
    remembered = duty.memory.register(state.log)
    if remembered is None:
        state.begun = True
        return
    with duty.read() as tx:
        sealed = reading.sealed_at(tx, remembered.size)
    if sealed is None:
        raise _ContradictedError(f"row {remembered.size}, of which one was signed, is not there")
    of = Moment(log=state.log, size=remembered.size, root=remembered.root, at=text(sealed))
    state.reading = Pass(of)


def _ended(duty: Duty, state: Registering, done: Pass, at: datetime) -> None:
    """Compare what was read: with what was signed before, or with what the rows say, and then it is signed."""
    digest = done.end()
    if state.begun:
        if done.found != state.said:
            raise _ContradictedError(f"its documents are not those that the {done.moment.size} rows carry")
        _sign(duty, state, done.moment, digest, at)
        return
    remembered = duty.memory.register(state.log)
    if remembered is None or remembered.size != done.moment.size or remembered.sha256 != digest.hex():
        raise _ContradictedError(f"the one of {done.moment.size} rows, which was signed, is another one now")
    with duty.read() as tx:
        nodes = log_reading.nodes(tx)
        edge = Frontier(remembered.size, [nodes(level, place) for level, place in peaks(remembered.size)])
        shown = reading.register_of(tx, remembered.size)
    if edge.root != remembered.root:
        raise _ContradictedError(f"its first {remembered.size} rows do not have the root that was signed")
    state.edge, state.said, state.at, state.begun = edge, done.found, done.moment.at, True
    # If a process died behind the memory, there is none; whoever begins signs the same again, or one behind it.
    state.shown = shown if shown is not None and _genuine(duty, shown, done.moment, digest) else None


def _genuine(duty: Duty, shown: SignedRegister, moment: Moment, digest: bytes) -> bool:
    """Return whether what is shown is what was signed; where somebody has overwritten it, that is told."""
    with duty.read() as tx:
        signers = {each.serial: each.der for each in ours(duty, tx, HierarchyRole.STATEMENT)}
    der = signers.get(Serial(shown.signer))
    if der is None:
        return False  # its signer was ended: another signs it again
    same = (shown.moment, shown.sha256) == (moment, digest)
    if same and statement_holds(shown.signature, digest, der):
        return True
    _tell_overwritten(duty, moment)
    return False


def _put_right(duty: Duty, state: Registering) -> None:
    """Let the register show the signature that this process has made, whatever somebody has written there since."""
    shown, remembered = state.shown, duty.memory.register(state.log)
    if shown is None or remembered is None:
        return
    if (remembered.size, remembered.sha256) != (shown.moment.size, shown.sha256.hex()):
        return  # another process has signed since
    try:
        with duty.read() as tx:
            if reading.newest_register(tx) == shown:
                return
    except (ValueError, OverflowError):
        pass  # it says what nothing can
    with duty.begin("put register right") as tx:
        log.forget_registers(tx, shown.moment.size)
        log.keep_register(tx, shown)
    _tell_overwritten(duty, shown.moment)


def _tell_overwritten(duty: Duty, moment: Moment) -> None:
    said = f"Somebody has overwritten the signature of the public register of {moment.size} rows: it was put right."
    duty.notice(AlarmCode.REGISTER_CONTRADICTS, said, subject=f"registers {moment.size}")


def _read_rows(duty: Duty, state: Registering, upto: int) -> None:
    """Add a portion of rows to the tree, and take what they carry."""
    with duty.read() as tx:
        leaves = log_reading.leaves_after(tx, state.edge.size, _MOST, upto)
    if not leaves:
        raise _ContradictedError(f"row {state.edge.size + 1} has no leaf")
    for each in leaves:
        if each.number != state.edge.size + 1:
            raise _ContradictedError(f"row {state.edge.size + 1} has no leaf")
        state.edge.add(leaf_hash(each.data))
        try:
            carried = read_json(each.public).get("approvals", ())
            state.said |= {said["approval"]: digest_of(canonical(said).decode()) for said in carried}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise _ContradictedError(f"what row {each.number} carries is no document") from None
        state.at = each.sealed_at


def _certificate(duty: Duty, state: Registering, at: datetime) -> AuthorityCertificate | None:
    """Return the certificate under which the register is to be signed now; None if it is not, or cannot be."""
    shown = state.shown
    if shown is not None and _within(shown.signed_at, at, duty.pace.register_interval):
        return None
    with duty.read() as tx:
        found = signing_certificate(duty, ours(duty, tx, HierarchyRole.STATEMENT), at)
    if found is None or shown is None:
        return found
    same = shown.moment.size == duty.growing.shown and shown.signer == found.serial
    return None if same and _within(shown.signed_at, at, AGAIN) else found


def _sign(duty: Duty, state: Registering, of: Moment, digest: bytes, at: datetime) -> None:
    certificate = _certificate(duty, state, at)
    if certificate is None:
        return
    with duty.read() as tx:
        chain = above_of(duty, tx, certificate)
    assert duty.keyring.statement is not None, "its certificate is for the key at hand"
    # Before the signature: if we die behind it, these octets are signed again, and no others of this size, or smaller.
    duty.memory.remember([Register(log=of.log, size=of.size, root=of.root, sha256=digest.hex())], now=at)
    when = max(at, certificate.not_before)
    signature = stated_by_digest(digest, duty.keyring.statement, (certificate.der, *chain), certificate.serial, when)
    signed = SignedRegister(moment=of, sha256=digest, signature=signature, signer=certificate.serial, signed_at=when)
    # If we die here, it never left the process; what was served is still served, and the next process signs again.
    with duty.begin("keep register") as tx:
        log.keep_register(tx, signed)
    state.shown = signed


def _within(since: datetime, at: datetime, length: timedelta) -> bool:
    return timedelta(0) <= at - since < length
