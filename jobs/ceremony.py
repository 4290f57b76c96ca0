"""The ceremony: keys, root, issuing CA, OCSP responder, statement signer, first CRLs, and a transcript of it all.

It can die at any step and be started again: keys that are there are opened, bytes that were meant to be signed are
signed as they were meant.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from ca.certificates import key_id
from ca.hierarchy import issuing_draft, root_draft
from ca.profile import Profile
from core import note
from core.actors import CONSOLE
from core.canonical import Json
from core.clock import FixedClock
from core.errors import HomeMissing, HomeOccupied
from core.facts import Fact, FactKind
from core.identifiers import new_serial
from core.instants import text
from core.kinds import HierarchyRole, RosterCause
from core.mirror import AuthorityCertificate
from jobs.clocks import clocks
from jobs.hierarchy import Certifier, certify, certify_responder, certify_statement_signer
from jobs.keyring import Keyring
from jobs.offline_root import RootFolder
from jobs.root_list import publish_root_crl
from jobs.roster import roster_record, set_roster, show
from keys.ceremony import JOURNAL_FILE, ROOT_FILE, CeremonyKeys, issuing_file, make_keys, responder_file, statement_file
from keys.log_key import LOG_FILE
from keys.place import KeyPlace, Tokens, key_in_token
from memory.memory import Memory
from memory.officers import roster_of
from memory.records import Begun
from officers.roster import Member, members_digest, require_usable
from store.reading import authority as reading
from store.reading import work
from store.reading.authorisations import shown_rosters
from store.transactions import Store
from store.verbs import authority as writing
from store.verbs import facts

_BELOW = (HierarchyRole.RESPONDER, HierarchyRole.STATEMENT)
"""Whom the issuing CA certifies at the ceremony."""


@dataclass(frozen=True)
class Ceremony:
    """What is fixed at the ceremony, for ever.

    Args:
        profile: environment, arc, public base, names.
        longest_trial: bounds the issuing CA's life.
        clock_offset: how far a test authority's clock runs ahead from the start.
        keys_dir, root_dir: where the private keys go; the second is to be taken offline.
        memory_dir: where what the authority remembers is kept; only the authority process reads it.
        passphrase, root_passphrase: seal them.
        officers: how many have to agree, by kind of decision.
        roster: the officers' keys that count from the start; empty for an authority that begins without.
        tokens, root_tokens: in which keys are made that are not to lie in files; None where all are.
    """

    profile: Profile
    longest_trial: timedelta
    clock_offset: timedelta
    keys_dir: Path
    root_dir: Path
    memory_dir: Path
    passphrase: bytes
    root_passphrase: bytes
    officers: Mapping[str, int]
    roster: tuple[Member, ...] = ()
    tokens: Tokens | None = None
    root_tokens: Tokens | None = None


@dataclass(frozen=True)
class Held:
    """What came of a ceremony.

    Args:
        keyring: of the new authority.
        transcript: what was made, in words; with it the thumbprints of the first officers' keys.
        signature: the root's over the transcript's octets, ECDSA with SHA-256, DER: `openssl dgst -sha256 -verify`.
    """

    keyring: Keyring
    transcript: str
    signature: bytes


def hold(store: Store, ceremony: Ceremony, at: datetime) -> Held:
    """Hold the ceremony.

    Args:
        store: migrated; empty, or one in which this ceremony died, at its very end too.
        ceremony: what is fixed.
        at: now, by the authority's clock.

    Returns:
        The keyring of the new authority, and the transcript with the root's signature.

    Raises:
        HomeOccupied: the store holds another authority.
        KeyUnusable, RulesRefused, PublicationRefused: what went wrong; start it again once that is mended.
    """
    if ceremony.roster:
        require_usable(ceremony.roster)
    keys = make_keys(
        KeyPlace(folder=ceremony.keys_dir, passphrase=ceremony.passphrase, tokens=ceremony.tokens),
        KeyPlace(folder=ceremony.root_dir, passphrase=ceremony.root_passphrase, tokens=ceremony.root_tokens),
    )
    over = _found(store, ceremony, keys, at)
    shown = clocks(FixedClock(at - ceremony.clock_offset), FixedClock(at))
    memory = Memory.begin(ceremony.memory_dir, keys.record, _begun(ceremony, keys), shown)
    members = _counted(store, memory, ceremony.roster, at)
    root = _certified(store, memory, ceremony, keys, at)
    issuing = _newest(store, HierarchyRole.ISSUING)
    folder = RootFolder(ceremony.root_dir)
    if not over:
        folder.keep(root.der, publish_root_crl(store, memory, keys.root, at).der)
    elif folder.newest_list() is None:  # we died behind the list's commit
        with store.read() as tx:
            listed = work.last_crl(tx, key_id(keys.root.public_key), with_bytes=True)
        folder.keep(root.der, None if listed is None else listed.der)
    memory.close()
    keyring = Keyring(
        profile=ceremony.profile,
        issuing={key_id(keys.issuing.public_key): keys.issuing},
        responder=keys.responder,
        journal=keys.journal,
        statement=keys.statement,
        log=keys.log,
    )
    told = replace(ceremony, roster=members)
    said = transcript(told, [root, issuing, *map(partial(_newest, store), _BELOW)], keys, at)
    return Held(keyring, said, keys.root.sign(said.encode()))


def transcript(ceremony: Ceremony, certificates: list[AuthorityCertificate], keys: CeremonyKeys, at: datetime) -> str:
    """Return the ceremony in words: what was made, where it lies, what everybody can compare."""
    profile = ceremony.profile
    log = note.origin(profile.environment, profile.base_url, 1)
    lines = [
        f"Ceremony of the {profile.name} authority, {text(at)}",
        "",
        f"Environment   {profile.environment}",
        f"Arc           {profile.arc}",
        f"Policy        {profile.policy_oid}",
        f"Public base   {profile.base_url}",
        "",
    ]
    for each in certificates:
        lines += [
            each.subject,
            f"  role        {each.role}",
            f"  serial      {each.serial}",
            f"  key         {each.key_id}",
            f"  valid       {text(each.not_before)} to {text(each.not_after)}",
            f"  SHA-256     {hashlib.sha256(each.der).hexdigest()}",
            "",
        ]
    lines += [f"Officer       {member.key} {member.officer}" for member in ceremony.roster] or [
        "Officers      none: until trialcpa roster begin, whoever has officers' API keys decides by these alone.",
    ]
    lines += [
        f"Journal key   {key_id(keys.journal.public_key)} ({profile.journal_name})",
        f"  SHA-256     {hashlib.sha256(keys.journal.public_key).hexdigest()} of the journal's key",
        f"Log key       {note.vkey(log, keys.log.public_key)}",
        f"Private keys  {ceremony.keys_dir}",
        *(f"  {each}" for each in _places(ceremony)),
        f"Root's key    {ceremony.root_dir}: take this folder offline now. Only a new issuing CA and the root's",
        "              next CRL, due within a year, need it again.",
        "",
    ]
    return "\n".join(lines)


def _places(ceremony: Ceremony) -> Iterator[str]:
    """Yield where each key is: those in files first."""
    paths = [*sorted(ceremony.keys_dir.glob("*.key")), ceremony.root_dir / ROOT_FILE]
    found = {path.name: key_in_token(path) for path in paths if path.exists()}
    in_files = [name for name, where in found.items() if where is None]
    if in_files:
        yield f"in files    {', '.join(in_files)}"
    for name, where in found.items():
        if where is not None:
            yield f"in a token  {where}, which {name} names"


def _found(store: Store, ceremony: Ceremony, keys: CeremonyKeys, at: datetime) -> bool:
    """Write the authority's row, or find the one that this ceremony wrote before it died; return whether all was done.

    If we died after the root's list and before the caller wrote its transcript, the transcript is all that is missing.
    """
    profile = ceremony.profile
    with store.read() as tx:
        try:
            row = reading.authority_row(tx)
        except HomeMissing:
            row = None
        over = row is not None and work.last_crl(tx, key_id(keys.root.public_key), with_bytes=False) is not None
    if row is None:
        with store.begin("found authority") as tx:
            writing.create(
                tx,
                name=profile.name,
                environment=profile.environment,
                arc=profile.arc,
                base_url=profile.base_url,
                journal_key=keys.journal.public_key,
                clock_offset=ceremony.clock_offset,
                at=at,
            )
            said: dict[str, Json] = {"name": profile.name, "environment": profile.environment, "arc": profile.arc}
            facts.record(
                tx,
                Fact(kind=FactKind.AUTHORITY_CREATED, at=at, actor=CONSOLE, subject=None, approvals=(), payload=said),
            )
    # What is fixed at the ceremony is fixed when it begins: it is not gone on with under another name or base.
    elif (row.name, row.environment, row.arc, row.base_url, row.journal_key) != (
        profile.name,
        profile.environment,
        profile.arc,
        profile.base_url,
        keys.journal.public_key,
    ):
        raise HomeOccupied(path="the store")
    return over


def _counted(store: Store, memory: Memory, members: Sequence[Member], at: datetime) -> tuple[Member, ...]:
    """Let the first officers' keys count, or find those that this ceremony let count before it died; return them.

    Raises:
        HomeOccupied: it began with others; whose keys count first is fixed when it begins.
    """
    held = memory.newest_roster
    if held is None:
        if members:
            record = roster_record(members, RosterCause.CEREMONY, number=1, at=at)
            set_roster(store, memory, record, CONSOLE, at)
        return tuple(members)
    roster = roster_of(held)
    if members and members_digest(members) != roster.sha256:
        raise HomeOccupied(path="the memory")
    with store.read() as tx:
        shown = shown_rosters(tx)
    if not shown:  # we died behind the memory
        with store.begin("set roster") as tx:
            show(tx, held, CONSOLE, at)
    return roster.members


def _begun(ceremony: Ceremony, keys: CeremonyKeys) -> Begun:
    profile = ceremony.profile
    signers = {
        ROOT_FILE: keys.root,
        issuing_file(1): keys.issuing,
        responder_file(1): keys.responder,
        statement_file(1): keys.statement,
        JOURNAL_FILE: keys.journal,
    }
    return Begun(
        environment=profile.environment,
        name=profile.name,
        arc=profile.arc,
        base_url=profile.base_url,
        organisation=profile.organisation,
        keys={
            **{name: hashlib.sha256(signer.public_key).hexdigest() for name, signer in signers.items()},
            LOG_FILE: keys.log.sha256,
        },
        officers=ceremony.officers,
    )


def _certified(
    store: Store, memory: Memory, ceremony: Ceremony, keys: CeremonyKeys, at: datetime
) -> AuthorityCertificate:
    """Certify root, issuing CA, responder and statement signer, each only if it is not there yet; return the root."""
    profile = ceremony.profile
    begin = store.begin  # before there is an authority process there is no lease to hold
    if not _every(store, HierarchyRole.ROOT):
        certifier = Certifier(
            role=HierarchyRole.ROOT, profile=profile, signer=keys.root, issuer_der=None, public_key=keys.root.public_key
        )
        certify(
            memory, store, begin, certifier, lambda: root_draft(profile, keys.root.public_key, new_serial(), at), at
        )
    root = _newest(store, HierarchyRole.ROOT)
    if not _every(store, HierarchyRole.ISSUING):
        certifier = Certifier(
            role=HierarchyRole.ISSUING,
            profile=profile,
            signer=keys.root,
            issuer_der=root.der,
            public_key=keys.issuing.public_key,
        )
        certify(
            memory,
            store,
            begin,
            certifier,
            lambda: issuing_draft(
                profile, root.der, keys.issuing.public_key, new_serial(), at, longest_trial=ceremony.longest_trial
            ),
            at,
        )
    issuing = _newest(store, HierarchyRole.ISSUING)
    for role, key, made in (
        (HierarchyRole.RESPONDER, keys.responder, certify_responder),
        (HierarchyRole.STATEMENT, keys.statement, certify_statement_signer),
    ):
        if not _every(store, role):
            certifier = Certifier(
                role=role, profile=profile, signer=keys.issuing, issuer_der=issuing.der, public_key=key.public_key
            )
            made(memory, store, begin, certifier, at)
    return root


def _every(store: Store, role: HierarchyRole) -> list[AuthorityCertificate]:
    with store.read() as tx:
        return reading.certificates(tx, role)


def _newest(store: Store, role: HierarchyRole) -> AuthorityCertificate:
    return _every(store, role)[-1]
