"""What must hold after a restart that has settled, whatever died before it. Every problem is told as a sentence."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import func, literal, select

from api.status.consistency import compare
from api.status.mirror import Mirror
from ca import der as write
from core import merkle, note
from core.canonical import canonical
from core.chain import commitment, whole
from core.clock import Clock
from core.facts import FactKind
from core.identifiers import serial_of
from core.kinds import OrderKind, OrderState
from core.public_record import document
from memory.memory import Memory
from ra.issuing import stopped_by
from store.officers_tables import orders, rosters
from store.reading import approvals as approval_reading
from store.reading import authority as authority_reading
from store.reading import journal, log
from store.reading.status import StatusReader
from store.tables import (
    applications,
    approvals,
    authority_certificates,
    certificates,
    credentials,
    crls,
    decisions,
    drafts,
    public_keys,
)
from store.tables import journal as journal_table
from store.transactions import Store, Transaction
from tests.kill.process import ANY_SIGNATURE, Signing
from tests.kill.remembered import forgotten
from tests.kill.trial_proof import trial_problems
from tests.world import PROFILE
from verify.kit.agreed import journal as proving


def problems(store: Store, clock: Clock, signings: Iterable[Signing], memory: Memory) -> list[str]:
    """Everything that is wrong in a store after the restart; nothing, if the promises were kept."""
    signed = list(signings)
    with store.read() as tx:
        found = [
            *_signed(tx, signed),
            *forgotten(tx, memory, signed),
            *_carried_out(tx, memory),
            *_unfinished(tx),
            *_decided(tx),
            *_told_once(tx),
            *_lists(tx),
            *_journal(tx),
            *_log(tx, memory),
            *trial_problems(tx, clock.now()),
        ]
    return [*found, *_channels(store, clock)]


# --- signatures --------------------------------------------------------------------------------------------------


def _signed(tx: Transaction, signings: Iterable[Signing]) -> Iterator[str]:
    """Every use of a CA's key on a certificate is known: the bytes before it, the certificate after the restart."""
    ours = _authority_keys(tx)
    made: dict[tuple[bytes, bytes], bytes] = {}
    for each in signings:
        if each.public_key not in ours:
            continue  # a throwaway key: nobody trusts it
        key = (each.public_key, each.message)
        if each.signature and made.setdefault(key, each.signature) != each.signature:
            yield "the same bytes were signed twice, with two signatures"
        yield from _known(tx, each)


def _known(tx: Transaction, signing: Signing) -> Iterator[str]:
    der = write.signed(signing.message, signing.signature or ANY_SIGNATURE)
    try:
        serial = serial_of(x509.load_der_x509_certificate(der).serial_number)
    except ValueError:
        return  # a CRL, an OCSP answer or a head: what is not in the store never left the process
    written = [
        (bytes(row.tbs), None if row.der is None else bytes(row.der))
        for query in (
            select(drafts.c.tbs, certificates.c.der)
            .outerjoin(certificates, certificates.c.serial == drafts.c.serial)
            .where(drafts.c.serial == serial),
            select(authority_certificates.c.tbs, authority_certificates.c.der).where(
                authority_certificates.c.serial == serial
            ),
        )
        for row in tx.connection.execute(query)
    ]
    if len(written) != 1:
        yield f"{serial} was signed and is in the register {len(written)} times"
        return
    tbs, recorded = written[0]
    if tbs != signing.message:
        yield f"{serial} was signed over other bytes than the register's"
    if recorded is None:
        yield f"{serial} was signed and no certificate is recorded"
    elif signing.signature and recorded != der:
        yield f"{serial} was signed and another certificate is recorded"


def _authority_keys(tx: Transaction) -> set[bytes]:
    return {
        x509.load_der_x509_certificate(each.der)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for each in authority_reading.certificates(tx)
    }


# --- orders ------------------------------------------------------------------------------------------------------


def _unfinished(tx: Transaction) -> Iterator[str]:
    """Every order is finished or abandoned by rule; what waits, waits for a person.

    While officers have issuing stand, what was proposed or seconded before waits for them.
    """
    ends_in_a_certificate = decisions.c.issue.is_not(None)
    stands = stopped_by(tx) is not None
    for what, condition in (
        (
            "decisions are seconded and not done",
            (decisions.c.state == "seconded") & ~(ends_in_a_certificate & literal(stands)),
        ),
        ("drafts are claimed and not signed", drafts.c.state == "claimed"),
        ("certificates of the hierarchy are intended and not signed", authority_certificates.c.der.is_(None)),
        ("facts have no number", journal_table.c.seal_number.is_(None)),
        (
            "proposals to certify wait for a draft",
            (decisions.c.state == "proposed") & ends_in_a_certificate & ~literal(stands),
        ),
    ):
        count = _count(tx, condition)
        if count:
            yield f"{count} {what}"


def _carried_out(tx: Transaction, memory: Memory) -> Iterator[str]:
    """What the authority remembers of orders and rosters is in the register, and the register says no more."""
    done = (orders.c.state == OrderState.DONE) & orders.c.kind.in_([OrderKind.STOP_ISSUING, OrderKind.START_ISSUING])
    query = select(orders.c.id, orders.c.kind).where(done).order_by(orders.c.closed_at, orders.c.id)
    carried = [(row.id, row.kind is OrderKind.STOP_ISSUING) for row in tx.connection.execute(query)]
    held = memory.issuing
    if (held is None) != (not carried) or (held is not None and (held.order, held.stopped) not in carried):
        yield f"of issuing {held} is remembered, and the register says {carried}"
    shown = set(tx.connection.execute(select(rosters.c.number)).scalars())
    remembered = {each.number for each in memory.rosters()}
    if shown != remembered:
        yield f"rosters {sorted(remembered)} are remembered, and the register shows {sorted(shown)}"


def _decided(tx: Transaction) -> Iterator[str]:
    """What was decided is there whole; what came to nothing holds nothing."""
    for row in tx.connection.execute(select(decisions).where(decisions.c.issue.is_not(None))):
        issued = _count(tx, (certificates.c.approval == row.approval) & (certificates.c.issue == row.issue))
        states = list(tx.connection.execute(select(drafts.c.state).where(drafts.c.decision_id == row.id)).scalars())
        expected = {"done": ["signed"], "drafted": ["drafted"]}.get(row.state)
        if row.state == "done" and issued != 1:
            yield f"{row.kind} {row.id} is done with {issued} certificates"
        if expected is not None and states != expected:
            yield f"{row.kind} {row.id} is {row.state} with drafts {states}"
        if expected is None and set(states) - {"abandoned"}:
            yield f"{row.kind} {row.id} is {row.state} and holds drafts {states}"
        if row.kind == "grant" and _count(tx, approvals.c.decision_id == row.id) != (row.seconder is not None):
            yield f"grant {row.id} is {row.state} and its approval is not as that says"
    living = select(drafts.c.public_key_sha256).where(drafts.c.state == "drafted")
    stray = _count(tx, (public_keys.c.state == "reserved") & public_keys.c.sha256.not_in(living))
    if stray:
        yield f"{stray} public keys are reserved for nobody"


_PARTS = (
    "request",
    "requirement",
    "evidence",
    "breach",
    "decision",
    "recipient",
    "delivery",
    "form",
    "instruction",
    "version",
    "part",
    "salted_sha256",
    "day",
)
"""Members that name what a fact is about, where there are several of its kind about one subject."""

_AS_OFTEN_AS_DONE = frozenset({FactKind.OCSP_ANSWERS_SIGNED, FactKind.CPL_RECONCILED})


def _told_once(tx: Transaction) -> Iterator[str]:
    """Every effect is in the journal once, and there is no fact without its effect."""
    told: Counter[tuple[str, str, str]] = Counter()
    about_what: dict[str, set[str]] = {}
    for row in tx.connection.execute(select(journal_table)):
        payload = json.loads(row.payload)
        about = payload.get("serial") or [payload.get("key_id"), payload.get("number")]
        named = str(about if about != [None, None] else row.subject)
        about_what.setdefault(row.kind, set()).add(named)
        parts = " ".join(str(payload[name]) for name in _PARTS if name in payload)
        told[row.kind, f"{named} {parts}", row.actor] += 1
    for (kind, named, _), count in told.items():
        if count != 1 and kind not in _AS_OFTEN_AS_DONE:
            yield f"{kind} of {named} is in the journal {count} times"
    for kind, column in (
        (FactKind.APPLICATION_SUBMITTED, applications.c.id),
        (FactKind.APPROVAL_GRANTED, approvals.c.identifier),
        (FactKind.CERTIFICATE_DRAFTED, drafts.c.serial),
        (FactKind.CERTIFICATE_ISSUED, certificates.c.serial),
        (FactKind.AUTHORITY_CERTIFICATE_ISSUED, authority_certificates.c.serial),
        (FactKind.ACCESS_GRANTED, credentials.c.id),
    ):
        there = set(tx.connection.execute(select(column)).scalars())
        said = about_what.get(kind, set())
        if there != said:
            yield f"{kind}: the journal and the tables disagree about {sorted(there ^ said)}"


# --- channels ----------------------------------------------------------------------------------------------------


def _channels(store: Store, clock: Clock) -> Iterator[str]:
    mirror = Mirror(StatusReader(store), clock)
    mirror.follow()
    with store.read() as tx:
        register = approval_reading.records(tx)
    report = compare(register, mirror.view(), clock.now(), mirror.past_answer)
    if report.pending:
        yield f"{report.pending} answers are not signed or entries not listed"
    for each in report.disagreements:
        yield f"{each.channel} says of {each.approval} {each.serial} {each.found}, the register {each.expected}"


def _lists(tx: Transaction) -> Iterator[str]:
    """Numbers rise with time, each list is the one of its number, and no entry is ever lost."""
    before: dict[str, tuple[Any, set[int]]] = {}
    for row in tx.connection.execute(select(crls).order_by(crls.c.key_id, crls.c.number)):
        read = x509.load_der_x509_crl(bytes(row.der))
        number = read.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        serials = {each.serial_number for each in read}
        if number != row.number or len(serials) != row.entries:
            yield f"CRL {row.number} says that it is number {number} with {len(serials)} entries"
        last_update, last_serials = before.get(row.key_id, (read.last_update_utc, set()))
        if read.last_update_utc < last_update:
            yield f"CRL {row.number} is older than the one before it"
        if last_serials - serials:
            yield f"CRL {row.number} has lost entries"
        before[row.key_id] = (read.last_update_utc, serials)


def _journal(tx: Transaction) -> Iterator[str]:
    key = authority_reading.authority_row(tx).journal_key
    rows = [proving.LinkedRow(each.row, each.link.hex()) for each in journal.sealed_after(tx, 0, 1_000_000)]
    heads = [proving.Head(each.number, each.link.hex(), each.signature) for each in journal.heads(tx)]
    yield from proving.check(rows, heads, journal=PROFILE.journal_name, journal_key=key)


def _log(tx: Transaction, memory: Memory) -> Iterator[str]:
    """The newest checkpoint is over every row, as its leaf commits to it; what all carry is the register."""
    held, newest, last = memory.log, log.checkpoint(tx), journal.last_sealed(tx)[0]
    if held is None or newest is None or newest.size != last:
        yield f"of {held} the checkpoint is {newest}, and the journal ends with row {last}"
        return
    said = note.parse_checkpoint(newest.note.encode())
    key = Ed25519PublicKey.from_public_bytes(note.parse_vkey(held.key)[1])
    key.verify(said.signatures[0].octets, said.text.encode())
    leaves = log.leaves_after(tx, 0, last, last)
    salts = log.salts(tx, range(1, last + 1))
    for each, row in zip(leaves, journal.sealed_after(tx, 0, last), strict=True):
        if each.commitment != commitment(salts[each.number], whole(row.row)):
            yield f"the leaf of row {each.number} commits to another row"
    found = merkle.root_of(merkle.leaf_hash(each.data) for each in leaves)
    if not found == merkle.root(log.nodes(tx), last) == said.root == newest.root or said.size != last:
        yield f"the checkpoint of {last} rows is of another tree"
    register = {each.identifier: canonical(document(each)).decode() for each in approval_reading.records(tx)}
    carried = dict(log.documents(tx, last))
    if carried != register:
        wrong = sorted(name for name in carried.keys() | register.keys() if carried.get(name) != register.get(name))
        yield f"the log and the register say something else of {wrong}"


def _count(tx: Transaction, condition: Any) -> int:
    return int(tx.connection.execute(select(func.count()).where(condition)).scalar() or 0)
