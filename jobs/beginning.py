"""beginning: an authority that was there before its memory proves what its register says, and begins to remember it.

Nothing is believed that does not follow from its own keys: the journal from row 1 under signed heads, each certificate
of the hierarchy and each Trial CPA Certificate, each list; and nothing is missing that a sealed fact says. Who the root
is, nothing on this machine can prove: its digest is shown, and people compare it with the transcript of the ceremony.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ca.certificates import issuer, key_id, serial_in, signature_holds, signed_by, tbs_sha256
from ca.clearance import Clearance
from ca.draft import again, described
from ca.revocation.crl import tbs_sha256 as list_sha256
from ca.revocation.published import Published, read_published
from core.canonical import read_json
from core.chain import GENESIS, head_statement
from core.errors import JournalChanged, MemoryBegun, RegisterUnproved, StoreWentBack
from core.facts import FactKind
from core.identifiers import Serial
from core.instants import parse
from core.kinds import CAS, HierarchyRole
from core.mirror import AuthorityCertificate
from core.status import Revoked
from jobs.draft import order_of
from jobs.evidence import links_behind, payload
from jobs.keyring import Keyring
from keys.ceremony import JOURNAL_FILE, ROOT_FILE, issuing_file, responder_file, statement_file
from keys.log_key import LOG_FILE
from memory.records import Begun, Ended, Hierarchy, Listed, Record, WillSign
from policy.profile import clear_certificate, clear_hierarchy
from ra.deciding.later_issue import keys_of
from ra.proposal import certified_terms, is_as_decided
from store.reading import approvals as approval_reading
from store.reading import authority as reading
from store.reading import journal, requests, work
from store.reading import memory as copies
from store.reading.journal import Sealed
from store.rows import Decision, DraftRow
from store.transactions import Store, Transaction

WATERMARK_FILE = "watermark.json"
"""What releases without a memory kept beside the keys: the last row of the journal that they had sealed."""

_ROWS = 1_000
_CERTIFICATES = 100
"""Read in one transaction, and proved outside of it: no database waits for our arithmetic."""


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What a register is proved to say.

    Args:
        begun: the first record.
        records: those that follow it.
        links: number and link of each row of the journal up to the head.
        root_sha256: of the root's newest certificate, hex: for people to compare.
    """

    begun: Begun
    records: tuple[Record, ...]
    links: tuple[tuple[int, bytes], ...]
    root_sha256: str


def prove_register(store: Store, keyring: Keyring, officers: Mapping[str, int], watermark: Path) -> Beginning:
    """Prove all of it; nothing is written.

    Args:
        store: the register; no authority process works on it.
        keyring: the signers, with the profile that the register says.
        officers: how many have to agree, by kind of decision, as the settings have it.
        watermark: the file of releases before, which may be missing.

    Raises:
        MemoryBegun: the register holds the copy of a memory.
        JournalChanged, RegisterUnproved: something does not follow from the keys.
        StoreWentBack: the register is older than what this authority has sealed.
    """
    with store.read() as tx:
        copied = copies.last_record(tx)
        row = reading.authority_row(tx)
    if copied:
        raise MemoryBegun(detail=f"the register holds a copy of {copied} records")
    _require(row.journal_key == keyring.journal.public_key, "the journal's key is not the one in the keys' folder")
    links = _links(store, keyring)
    _compare(watermark, links)
    hierarchy, certified = _hierarchy(store, keyring)
    issued = tuple(_issued(store, keyring, certified))
    lists = tuple(_lists(store, certified))
    newest = {each.key_id: (each, said) for each, said in lists}
    ends = _ends(store, newest.values(), issued)
    head, digest = links[-1] if links else (0, GENESIS)
    _require_as_sealed(store, head, issued, lists)
    root = next(each for each in certified if each.role is HierarchyRole.ROOT)
    signers = {
        ROOT_FILE: issuer(root.der).public_key,
        issuing_file(1): next(iter(keyring.issuing.values())).public_key,
        responder_file(1): keyring.responder.public_key,
        JOURNAL_FILE: keyring.journal.public_key,
        **({} if keyring.statement is None else {statement_file(1): keyring.statement.public_key}),
    }
    taken = {"rows": head, "certificates": len(issued), "ends": len(ends), "lists": len(lists)}
    profile = keyring.profile
    begun = Begun(
        environment=profile.environment,
        name=profile.name,
        arc=profile.arc,
        base_url=profile.base_url,
        organisation=profile.organisation,
        keys={
            **{name: hashlib.sha256(key).hexdigest() for name, key in signers.items()},
            **({} if keyring.log is None else {LOG_FILE: keyring.log.sha256}),
        },
        officers=officers,
        journal_number=head,
        journal_link=digest,
        taken_over=taken,
    )
    return Beginning(
        begun=begun,
        # Ends before lists: what a list says was known when it was made.
        records=(*hierarchy, *issued, *ends, *(listed for listed, _ in newest.values())),
        links=links,
        root_sha256=hashlib.sha256(root.der).hexdigest(),
    )


# --- the journal -----------------------------------------------------------------------------------------------------


def _links(store: Store, keyring: Keyring) -> tuple[tuple[int, bytes], ...]:
    """Return number and link of each row up to the newest head, linked again from row 1; what is behind it waits."""
    every: list[tuple[int, bytes]] = []
    number, digest = 0, GENESIS
    while True:
        with store.read() as tx:
            rows = journal.sealed_after(tx, number, _ROWS)
        if not rows:
            break
        for each, (found, computed) in zip(rows, links_behind(digest, rows), strict=True):
            if found != number + 1 or each.link != computed:
                raise JournalChanged(number=number + 1)
            number, digest = found, computed
            every.append((number, digest))
    with store.read() as tx:
        heads = journal.heads(tx)
    name, key = keyring.profile.journal_name, keyring.journal.public_key
    for head in heads:
        if head.number > number or head.number < 1 or every[head.number - 1][1] != head.link:
            raise JournalChanged(number=head.number)
        holds = signature_holds(key, head_statement(name, head.number, head.link), head.signature)
        _require(holds, f"the journal's key did not sign the head at row {head.number}")
    return tuple(every[: heads[-1].number if heads else 0])


def _compare(watermark: Path, links: tuple[tuple[int, bytes], ...]) -> None:
    """Compare with the last row that was sealed, as releases before kept it; its head may not have been signed yet."""
    try:
        said = read_json(watermark.read_text(encoding="utf-8"))
        number, link = int(said["number"]), bytes.fromhex(said["link"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RegisterUnproved(detail=f"{watermark} cannot be read: {error}") from error
    if number and (number > len(links) or links[number - 1][1] != link):
        raise StoreWentBack(found=len(links), sealed=number)


# --- certificates ----------------------------------------------------------------------------------------------------


def _hierarchy(store: Store, keyring: Keyring) -> tuple[list[Hierarchy], list[AuthorityCertificate]]:
    """Prove the hierarchy from the root down to our own keys; return its records and its certificates."""
    found: list[AuthorityCertificate] = []
    records = []
    for role in HierarchyRole:
        with store.read() as tx:
            of_role = reading.certificates(tx, role)
        # An authority of an earlier release has no statement signer.
        _require(bool(of_role) or role is HierarchyRole.STATEMENT, f"there is no certificate of the {role}")
        for each in of_role:
            above = each if role is HierarchyRole.ROOT else _above(each, role, found)
            records.append(_certified(keyring, each, above))
            found.append(each)
    for each in found:
        ours = each.role is HierarchyRole.ROOT or each.key_id in {
            *keyring.issuing,
            key_id(keyring.responder.public_key),
            *([] if keyring.statement is None else [key_id(keyring.statement.public_key)]),
        }
        _require(ours, f"{each.serial} is for a key of nobody here")
    return records, found


def _above(each: AuthorityCertificate, role: HierarchyRole, found: list[AuthorityCertificate]) -> AuthorityCertificate:
    signer = HierarchyRole.ROOT if role is HierarchyRole.ISSUING else HierarchyRole.ISSUING
    above = next((one for one in found if one.role is signer and signed_by(each.der, one.der)), None)
    if above is None:
        raise RegisterUnproved(detail=f"no {signer} signed certificate {each.serial} of the {role}")
    return above


def _certified(keyring: Keyring, each: AuthorityCertificate, above: AuthorityCertificate) -> Hierarchy:
    own = issuer(each.der)
    _require(serial_in(each.der) == each.serial, f"certificate {each.serial} carries another serial number")
    _require(signed_by(each.der, above.der), f"certificate {each.serial} is not signed by its issuer")
    meant = again(each.serial, own.parsed.tbs_certificate_bytes, issuer(above.der).public_key)
    above_der = None if each.role is HierarchyRole.ROOT else above.der
    cleared = clear_hierarchy(meant, each.role, keyring.profile, above_der, at=own.not_before, stored=True)
    if not isinstance(cleared, Clearance):
        told = " ".join(finding.detail for finding in cleared)
        raise RegisterUnproved(detail=f"certificate {each.serial} of the {each.role} is not this authority's: {told}")
    said = described(meant)
    _require(said.key_id == each.key_id, f"certificate {each.serial} is for another key than the register says")
    return Hierarchy(
        role=each.role,
        serial=each.serial,
        key_id=said.key_id,
        key_sha256=said.public_key_sha256,
        not_before=said.not_before,
        not_after=said.not_after,
        tbs=meant.tbs,
    )


def _issued(store: Store, keyring: Keyring, certified: list[AuthorityCertificate]) -> Iterator[WillSign]:
    """Prove each Trial CPA Certificate, in order of approval and issue."""
    issuing = {each.serial: each for each in certified if each.role is HierarchyRole.ISSUING}
    after = ("", 0)
    while True:
        with store.read() as tx:
            portion = work.signed_drafts(tx, after, _CERTIFICATES)
            decided = [requests.decision(tx, row.decision_id) for row, _ in portion]
            keys = [keys_of(tx, each) for each in decided]
        if not portion:
            return
        for (row, der), decision, held in zip(portion, decided, keys, strict=True):
            above = issuing.get(row.issuer_serial)
            if above is None:
                raise RegisterUnproved(detail=f"certificate {row.serial} has no issuing CA of ours")
            yield _proved(keyring, row, der, decision, held, above)
        after = (portion[-1][0].approval, portion[-1][0].issue)


def _proved(
    keyring: Keyring,
    row: DraftRow,
    der: bytes,
    decision: Decision,
    keys: Mapping[str, bytes],
    above: AuthorityCertificate,
) -> WillSign:
    serial = row.serial
    said = certified_terms(decision, row.issue)
    _require(signed_by(der, above.der), f"certificate {serial} does not carry our signature")
    _require(serial_in(der) == serial, f"certificate {serial} carries another serial number")
    digest = hashlib.sha256(row.tbs).hexdigest()
    _require(tbs_sha256(der) == digest, f"certificate {serial} is not what was drafted")
    _require(is_as_decided(decision), f"the proposal that certificate {serial} follows from is another one")
    # The decision says approval, issue, device, key and dates; the bytes have to say the same.
    meant = again(serial, row.tbs, issuer(above.der).public_key)
    cleared = clear_certificate(
        meant, order_of(decision, row.issue, serial, above.der, keys), keyring.profile, stored=True
    )
    if not isinstance(cleared, Clearance):
        told = " ".join(finding.detail for finding in cleared)
        raise RegisterUnproved(detail=f"certificate {serial} is not what was decided: {told}")
    rows = (row.approval, row.issue, row.not_before, row.not_after, row.public_key_sha256)
    decided = (said.approval, said.terms.issue, said.terms.effective, said.terms.expiry, said.public_key_sha256)
    _require(rows == decided, f"certificate {serial} is not of the issue that the register says")
    return WillSign(
        serial=serial,
        approval=row.approval,
        issue=row.issue,
        device=said.device.key,
        key_sha256=row.public_key_sha256,
        not_before=row.not_before,
        not_after=row.not_after,
        issuer=above.key_id,
        tbs=row.tbs,
        decision=decision.id,
        proposal_sha256=decision.proposal_sha256,
    )


# --- lists -----------------------------------------------------------------------------------------------------------


def _lists(store: Store, certified: list[AuthorityCertificate]) -> Iterator[tuple[Listed, Published]]:
    """Prove each list of each CA, in order of number: signed by it, as the register has it, and nothing was lost."""
    above = {each.key_id: each for each in certified if each.role in CAS}
    for of_key, ca in above.items():
        with store.read() as tx:
            numbers = work.crl_numbers(tx, of_key)
        before: set[Revoked] = set()
        for number in numbers:
            with store.read() as tx:
                kept = work.crl(tx, of_key, number, with_bytes=True)
            if kept is None:
                continue
            try:
                said = read_published(kept.der, ca.der)
            except ValueError as error:
                raise RegisterUnproved(detail=f"CRL {number} of {ca.subject}: {error}") from error
            as_kept = (kept.number, kept.this_update, kept.next_update, kept.entries)
            as_read = (said.number, said.this_update, said.next_update, len(said.entries))
            _require(as_kept == as_read, f"CRL {number} of {ca.subject} is not the one that the register says")
            entries = set(said.entries)
            _require(before <= entries, f"CRL {number} of {ca.subject} has lost an entry, or says it otherwise")
            before = entries
            listed = Listed(
                key_id=of_key,
                number=number,
                this_update=said.this_update,
                next_update=said.next_update,
                count=len(said.entries),
                tbs_sha256=list_sha256(kept.der),
            )
            yield listed, said


def _ends(store: Store, newest: Iterable[tuple[Listed, Published]], issued: tuple[WillSign, ...]) -> tuple[Ended, ...]:
    """Compare what the newest lists say with the register; return the ends that were made by an act."""
    known = {each.serial: each for each in issued}
    ends = []
    for listed, said in newest:
        with store.read() as tx:
            register = {each.serial: each for each in approval_reading.ended(tx, said.this_update)}
        for entry in said.entries:
            where = f"CRL {listed.number} says of certificate {entry.serial}"
            _require(register.get(entry.serial) == entry, f"{where} what the register does not")
            _require(entry.serial in known, f"{where} what nobody signed")
            if entry.at <= known[entry.serial].not_after:
                ends.append(
                    Ended(
                        serial=entry.serial,
                        at=entry.at,
                        reason=entry.reason,
                        invalidity_date=entry.invalidity_date,
                    )
                )
    return tuple(ends)


# --- what the sealed facts say ---------------------------------------------------------------------------------------


def _require_as_sealed(
    store: Store, head: int, issued: tuple[WillSign, ...], lists: tuple[tuple[Listed, Published], ...]
) -> None:
    """Compare with the facts under the last head: what was taken out of the rows is still in the journal."""
    certificates = {each.serial: each for each in issued}
    numbers: set[tuple[str | None, int]] = {(listed.key_id, listed.number) for listed, _ in lists}
    numbers |= {(None, listed.number) for listed, _ in lists}
    number = 0
    while number < head:
        with store.read() as tx:
            rows = journal.sealed_after(tx, number, min(_ROWS, head - number))
            for each in rows:
                _require_row_as_sealed(tx, each, certificates, numbers)
        number = rows[-1].row.number


def _require_row_as_sealed(
    tx: Transaction, fact: Sealed, certificates: Mapping[Serial, WillSign], numbers: set[tuple[str | None, int]]
) -> None:
    said, where = payload(fact), f"row {fact.row.number} of the journal says"
    serial = Serial(str(said.get("serial")))
    match fact.row.kind:
        case FactKind.CERTIFICATE_ISSUED:
            _require(serial in certificates, f"{where} that certificate {serial} was issued, and there is none")
        case FactKind.CERTIFICATE_REVOKED | FactKind.CERTIFICATE_SUPERSEDED:
            claim, known = work.claim_of(tx, serial), certificates.get(serial)
            superseded = fact.row.kind == FactKind.CERTIFICATE_SUPERSEDED
            by_then = known.not_after if known is not None and superseded else parse(fact.row.at)
            holds = claim is not None and known is not None and claim.end.at <= by_then
            _require(holds, f"{where} that certificate {serial} was ended, and the register has another end or none")
        case FactKind.CRL_PUBLISHED:
            named = (said.get("key_id"), said.get("number"))
            _require(named in numbers, f"{where} that CRL {named[1]} was published, and there is none")
        case _:
            pass


def _require(holds: bool, detail: str) -> None:  # noqa: FBT001 - what has to hold, said first
    if not holds:
        raise RegisterUnproved(detail=detail)
