"""A default world with one thing changed: a test authority with its people, its store and its keys, all real."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from ca.certificates import key_id
from ca.profile import TEST_ARC, Profile
from core.actors import Actor, Role
from core.alarms import Alarm
from core.approval import ApprovalRecord, Device, EndCause, Firmware
from core.canonical import Json
from core.clock import FixedClock
from core.facts import Fact, FactKind
from core.instants import text as instant_text
from core.kinds import COUNTED
from jobs.authority import Authority
from jobs.ceremony import Ceremony, hold
from jobs.clocks import clocks
from jobs.keyring import Keyring
from jobs.lost import Difference
from jobs.restore import Asked, accept_restore, look
from keys.ceremony import JOURNAL_FILE, RECORD_FILE, ROOT_FILE, issuing_file, responder_file, statement_file
from keys.place import KeyPlace, Tokens
from keys.record_key import RecordKey
from keys.signer import Signer
from memory.memory import Memory
from officers.statement import Authorisation
from ra.applying.apply import Apply, apply
from ra.deciding.end import Revoke
from ra.deciding.every_kind import Proposal
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.revocation import ProposeRevocation
from ra.deciding.kinds.withdrawal import ProposeWithdrawal
from ra.deciding.views import ApprovalRevoked
from ra.desk import Desk, Rules
from store.reading import approvals as approval_reading
from store.reading import requests, watching
from store.rows import Credential, Organisation
from store.transactions import Store, Transaction
from store.verbs import access, facts
from tests.acting import member, propose, revoke, second, signed_by
from tests.token_said import in_tokens

BORN = datetime(2027, 1, 2, 9, 0, tzinfo=UTC)
"""The instant of the ceremony."""

NOW = datetime(2027, 1, 3, 12, 0, tzinfo=UTC)
PASSPHRASE = b"a passphrase of a test"
PROFILE = Profile(environment="test", arc=TEST_ARC, base_url="http://127.0.0.1:8470", name="TEST Trial CPA")
LONGEST_TRIAL = timedelta(days=731)

DEVICE = Device("ESME", "AB01", "010A030B", "01")
FIRMWARE = (Firmware("0002012F", "ab" * 32),)

OFFICER_1 = Actor("officer-1", Role.SSC_OFFICER, None, "cred-officer-1")
OFFICER_2 = Actor("officer-2", Role.SSC_OFFICER, None, "cred-officer-2")
OFFICER_3 = Actor("officer-3", Role.SSC_OFFICER, None, "cred-officer-3")
ADMIN = Actor("admin", Role.SSC_ADMIN, None, "cred-admin")
MANUFACTURER = Actor("acme-desk", Role.MANUFACTURER, "org-acme", "cred-acme")
RIVAL = Actor("rival-desk", Role.MANUFACTURER, "org-rival", "cred-rival")
DCC = Actor("dcc-system", Role.DCC, None, "cred-dcc")
PANEL = Actor("panel-desk", Role.PANEL, None, "cred-panel")
AUDITOR = Actor("auditor", Role.AUDITOR, None, "cred-auditor")


def objects(said: Mapping[str, Json], member: str) -> list[Mapping[str, Json]]:
    """The objects in a list of an answer."""
    found = said[member]
    assert isinstance(found, Sequence)
    chosen = [each for each in found if isinstance(each, Mapping)]
    assert len(chosen) == len(found), found
    return chosen


def hold_ceremony(
    store: Store, folder: Path, memory: Path, *, roster: Sequence[Actor] = (OFFICER_1, OFFICER_2, OFFICER_3)
) -> str:
    ceremony = Ceremony(
        profile=PROFILE,
        longest_trial=LONGEST_TRIAL,
        clock_offset=timedelta(0),
        keys_dir=folder / "keys",
        root_dir=folder / "root",
        memory_dir=memory,
        passphrase=PASSPHRASE,
        root_passphrase=PASSPHRASE,
        officers={kind.value: 2 for kind in COUNTED},
        roster=tuple(member(each.name) for each in roster),
        tokens=tokens(folder),
        root_tokens=tokens(folder),
    )
    held = hold(store, ceremony, BORN)
    with store.begin("organisations") as tx:
        for identifier, name in (("org-acme", "Acme Metering Ltd"), ("org-rival", "Rival Devices plc")):
            access.add_organisation(tx, Organisation(id=identifier, name=name, certificate_name=name), at=BORN)
            facts.record(tx, Fact(FactKind.ORGANISATION_ADDED, BORN, ADMIN, identifier))
        for actor in (OFFICER_1, OFFICER_2, OFFICER_3):
            grant(tx, actor, BORN)
    return held.transcript


def grant(tx: Transaction, actor: Actor, at: datetime) -> None:
    """Give somebody access, as ra/access.py does, without a key that anybody knows."""
    assert actor.credential
    assert actor.role
    credential = Credential(
        id=actor.credential,
        name=actor.name,
        role=actor.role,
        organisation_id=actor.organisation,
        created_at=at,
        expires_at=at + 10 * LONGEST_TRIAL,
        revoked_at=None,
    )
    access.add_credential(tx, credential, key_sha256=hashlib.sha256(actor.credential.encode()).hexdigest())
    granted = {"name": actor.name, "role": actor.role.value, "expires_at": instant_text(credential.expires_at)}
    facts.record(tx, Fact(FactKind.ACCESS_GRANTED, at, ADMIN, subject=credential.id, payload=granted))


def csr_pem(key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "whatever the device calls itself")])
    )
    request = builder.sign(key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return request.public_bytes(Encoding.PEM)


def application(**changes: Any) -> Apply:
    given = Apply(
        device=DEVICE,
        smets_version="SMETS V1.58",
        firmware=FIRMWARE,
        start=date(2027, 1, 4),
        expiry=date(2027, 6, 30),
        maximum_devices=500,
        purpose="A field trial in Leeds.",
        csr=csr_pem(),
    )
    return replace(given, **changes)


def memory_folder(url: str, folder: Path) -> Path:
    """Where the memory of the authority of a store lies: each store has its own, all of them have the same keys."""
    return folder / "memories" / hashlib.sha256(url.encode()).hexdigest()[:16]


@cache
def tokens(folder: Path) -> Tokens | None:
    """The token that a world's keys are in, if they are in one (tests/token_world.py)."""
    said = folder / "token.json"
    return Tokens(in_tokens(json.loads(said.read_text()))) if said.exists() else None


@cache
def place(folder: Path) -> KeyPlace:
    return KeyPlace(folder=folder / "keys", passphrase=PASSPHRASE, tokens=tokens(folder))


def root_key_of(folder: Path) -> Signer:
    """The root's key, wherever it is."""
    return replace(place(folder), folder=folder / "root").opened(ROOT_FILE)


@cache
def record_key(folder: Path) -> RecordKey:
    return place(folder).record_key(RECORD_FILE)


@cache
def keyring(folder: Path) -> Keyring:
    keys = place(folder)
    issuing = keys.opened(issuing_file(1))
    statement = statement_file(1)  # an authority of an earlier release has none
    return Keyring(
        PROFILE,
        {key_id(issuing.public_key): issuing},
        keys.opened(responder_file(1)),
        keys.opened(JOURNAL_FILE),
        statement=keys.opened(statement) if (keys.folder / statement).exists() else None,
    )


@dataclass
class World:
    url: str
    folder: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    machine: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    moved: timedelta = timedelta(0)
    """By how much somebody has moved the machine's clock; CLOCK_BOOTTIME does not know of it."""
    second: list[datetime] = field(default_factory=list)
    """What second clocks show, where the machine's is doubted."""

    def __post_init__(self) -> None:
        self.store = Store(self.url)
        self.memory = memory_of(self)
        self.desk = Desk(self.store, self.clock, Rules(longest_trial=LONGEST_TRIAL))
        self.authority = self.another_authority()

    def another_authority(self) -> Authority:
        """Another process with the same memory, as after a restart."""
        return Authority(
            self.store, self.clock, self.machine, keyring(self.folder), self.memory, second=lambda: self.second
        )

    def close(self) -> None:
        self.store.close()
        self.memory.close()

    # --- acts ---------------------------------------------------------------------------------------------------

    def applied(self, actor: Actor = MANUFACTURER, **changes: Any) -> str:
        return apply(self.desk, actor, application(**changes)).application

    def proposed(self, command: Proposal, actor: Actor = OFFICER_1) -> str:
        return propose(self.desk, actor, command).decision

    def drafted(self, **changes: Any) -> str:
        decision = self.proposed(ProposeGrant(self.applied(**changes), "It looks sound."))
        self.authority.settle()
        return decision

    def seconded(self, decision: str, actor: Actor = OFFICER_2) -> str:
        with self.store.read() as tx:
            found = requests.decision(tx, decision)
            drafts = requests.drafts_of(tx, decision)
        second(
            self.desk,
            actor,
            decision,
            proposal_sha256=found.proposal_sha256,
            tbs_sha256=[each.tbs_sha256 for each in drafts],
        )
        return found.approval or ""

    def granted(self, **changes: Any) -> str:
        """An approval with its certificate, published on every channel; returns its identifier."""
        approval = self.seconded(self.drafted(**changes))
        self.authority.settle()
        return approval

    def revoked(self, approval: str, cause: EndCause = EndCause.SSC, **more: Any) -> ApprovalRevoked:
        return revoke(self.desk, OFFICER_1, Revoke(approval, cause, "It has to be.", **more))

    def accept_restore(self, **asked: Any) -> Difference:
        """Accept that the register went back, as operator and officers do; return what it had lost."""
        wanted = Asked(**asked)
        if "signed" not in asked:
            wanted = replace(wanted, signed=self.signed_for_restore(wanted, OFFICER_1.name, OFFICER_2.name))
        return accept_restore(self.store, self.memory, keyring(self.folder), self.clock.now(), wanted)

    def signed_for_restore(self, asked: Asked, *officers: str) -> list[Authorisation]:
        """What officers sign for what a register has lost; nothing where no roster asks for it."""
        at = self.clock.now()
        agreed = look(self.store, self.memory, keyring(self.folder), asked, at).difference.agreed
        if agreed.roster is None:
            return []
        return [signed_by(each, agreed.authority, agreed.claim(), at).authorisation for each in officers]

    def at(self, instant: datetime) -> None:
        """Let it be `instant`; the authority does nothing by that alone."""
        self.clock.advance(instant - self.clock.now())

    def passes(self, by: timedelta) -> None:
        """Let time pass, on the machine and everywhere else."""
        self.clock.advance(by)
        self.machine.advance(by)

    def move_clock(self, by: timedelta) -> None:
        """Move the machine's clock, and with it the authority's: no time passes."""
        self.moved += by
        for clock in (self.clock, self.machine):
            clock.instant += by

    def boot(self) -> tuple[int, str]:
        """CLOCK_BOOTTIME of the machine, and which start that counts from."""
        return int((self.machine.now() - self.moved - BORN).total_seconds()), "the start of a test"

    # --- looking ------------------------------------------------------------------------------------------------

    def record(self, approval: str) -> ApprovalRecord:
        with self.store.read() as tx:
            return approval_reading.record(tx, approval)

    def alarms(self) -> tuple[Alarm, ...]:
        """What the authority wants looked at."""
        with self.store.read() as tx:
            return watching.alarms(tx)

    def open_decisions(self) -> list[str]:
        with self.store.read() as tx:
            return [each.id for each in requests.open_decisions(tx)]

    def decision_state(self, decision: str) -> str:
        with self.store.read() as tx:
            return requests.decision(tx, decision).state


def memory_of(world: World) -> Memory:
    """What the authority of a world remembers, opened anew, as another process does."""
    place = memory_folder(world.url, world.folder)
    return Memory.open(place, record_key(world.folder), clocks(world.machine, world.clock, world.boot))


def ending(
    approval: str, cause: EndCause, reasons: str, *, breach: str | None = None
) -> ProposeRevocation | ProposeWithdrawal:
    """Propose to end an approval, by the kind of decision that does so for the cause."""
    if cause is EndCause.MANUFACTURER:
        return ProposeWithdrawal(approval, reasons)
    return ProposeRevocation(approval, cause, reasons, breach=breach)
