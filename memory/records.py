"""The kinds of records, as types; each is written before the signature, or the act, that it is about.

A record's body is canonical JSON (RFC 8785). What a kind says is never changed: a release adds kinds, or members that
may be missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from pydantic import ConfigDict, TypeAdapter

from core.approval import RevocationReason
from core.canonical import canonical
from core.identifiers import Environment, Serial
from core.kinds import AuthorisedAct, HierarchyRole, RosterCause
from officers.roster import Member


class RecordKind(StrEnum):
    """What is remembered."""

    BEGUN = "begun"
    HIERARCHY = "hierarchy"
    WILL_SIGN = "will-sign"
    ENDED = "ended"
    LIST = "list"
    HEAD = "head"
    AT = "at"
    ACCEPTED = "accepted"
    ROSTER = "roster"
    CONSUMED = "consumed"
    ISSUING = "issuing"
    LOG = "log"
    TREE = "tree"
    REGISTER = "register"


_AS_JSON = ConfigDict(ser_json_bytes="hex", val_json_bytes="hex", extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What is fixed for ever, written before the root is signed, or when an existing authority begins to remember.

    Args:
        environment, name, arc, base_url, organisation: of the profile, from which every name follows.
        keys: SHA-256 (hex) of each public key (SubjectPublicKeyInfo, DER) of the keyring and of the root, by its file.
        officers: how many have to agree, by kind of decision, as it was set then.
        journal_number, journal_link: where the journal stood, trusted once; before the first row 0 and 32 zero octets.
        taken_over: how many there were of each thing that was taken over from a register that was there before.
    """

    kind: ClassVar[RecordKind] = RecordKind.BEGUN
    __pydantic_config__ = _AS_JSON

    environment: Environment
    name: str
    arc: str
    base_url: str
    organisation: str
    keys: Mapping[str, str]
    officers: Mapping[str, int]
    journal_number: int = 0
    journal_link: bytes = bytes(32)
    taken_over: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Hierarchy:
    """Written before a certificate of the hierarchy is signed.

    Args:
        role: what it is for.
        serial: its serial number.
        key_id: hex of its subject key identifier.
        key_sha256: of its public key (SubjectPublicKeyInfo, DER), hex.
        not_before, not_after: its validity.
        tbs: TBSCertificate, DER: after a crash these bytes are signed and no others.
    """

    kind: ClassVar[RecordKind] = RecordKind.HIERARCHY
    __pydantic_config__ = _AS_JSON

    role: HierarchyRole
    serial: Serial
    key_id: str
    key_sha256: str
    not_before: datetime
    not_after: datetime
    tbs: bytes


@dataclass(frozen=True, kw_only=True)
class WillSign:
    """Written before a Trial CPA Certificate is signed, after its draft was claimed.

    Args:
        serial: its serial number.
        approval, issue: which issue of which approval.
        device: the device's key (core/approval.py), the same in every issue.
        key_sha256: of its public key, hex.
        not_before, not_after: its validity.
        issuer: hex of the issuing CA's subject key identifier.
        tbs: TBSCertificate, DER.
        decision: the decision that it follows from.
        proposal_sha256: of the proposal that officers agreed to, hex.
    """

    kind: ClassVar[RecordKind] = RecordKind.WILL_SIGN
    __pydantic_config__ = _AS_JSON

    serial: Serial
    approval: str
    issue: int
    device: str
    key_sha256: str
    not_before: datetime
    not_after: datetime
    issuer: str
    tbs: bytes
    decision: str
    proposal_sha256: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Written before the first list or answer that states an end made by an act. An expiry follows from notAfter.

    Args:
        serial: of the certificate that ended.
        at: when.
        reason: CRLReason.
        invalidity_date: since when its key is known to be compromised, if known.
    """

    kind: ClassVar[RecordKind] = RecordKind.ENDED
    __pydantic_config__ = _AS_JSON

    serial: Serial
    at: datetime
    reason: RevocationReason
    invalidity_date: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Written before a CRL is signed.

    Args:
        key_id: hex of the CA's subject key identifier.
        number: CRLNumber.
        this_update, next_update: its validity.
        count: its entries.
        tbs_sha256: of its to-be-signed bytes, hex.
    """

    kind: ClassVar[RecordKind] = RecordKind.LIST
    __pydantic_config__ = _AS_JSON

    key_id: str
    number: int
    this_update: datetime
    next_update: datetime
    count: int
    tbs_sha256: str


@dataclass(frozen=True, kw_only=True)
class Head:
    """Written before a head of the journal is signed: the row, and its link."""

    kind: ClassVar[RecordKind] = RecordKind.HEAD
    __pydantic_config__ = _AS_JSON

    number: int
    link: bytes


@dataclass(frozen=True, kw_only=True)
class At:
    """What the clocks said while something was signed.

    Args:
        wall: this machine's wall clock.
        boot: seconds of CLOCK_BOOTTIME, which counts suspend.
        boot_id: which start of which machine that counts from.
        offset: seconds by which a test authority's clock runs ahead.
    """

    kind: ClassVar[RecordKind] = RecordKind.AT
    __pydantic_config__ = _AS_JSON

    wall: datetime
    boot: int
    boot_id: str
    offset: int = 0


class Accepted(StrEnum):
    """What an operator may accept."""

    RESTORE = "restore"
    CLOCK = "clock"
    LIST = "list"


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """An operator's act: what contradicted the memory holds from now on.

    Args:
        what: see Accepted.
        before, after: what was remembered, and what holds now.
        sentence: why, in the operator's words.
        fact: digest of what the journal says of it (jobs/acts.py), hex; None in records of before that was kept.
        facts: digests of what else it says came of it, one by one, hex.
    """

    kind: ClassVar[RecordKind] = RecordKind.ACCEPTED
    __pydantic_config__ = _AS_JSON

    what: Accepted
    before: Mapping[str, str]
    after: Mapping[str, str]
    sentence: str
    fact: str | None = None
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RosterSet:
    """Written when officers' keys begin to count, before anything that rests upon them.

    Args:
        number: 1 for the first; each later one has the next.
        members: whose keys count from then on.
        effective_at: from when; behind the instant of the record for a statement of the root.
        cause: by what.
        statements: digests of the statements of officers, or of the root, that it rests upon, hex.
    """

    kind: ClassVar[RecordKind] = RecordKind.ROSTER
    __pydantic_config__ = _AS_JSON

    number: int
    members: tuple[Member, ...]
    effective_at: datetime
    cause: RosterCause
    statements: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Consumed:
    """Written before the act that it authorises counts, is sealed, or is signed upon; nothing is consumed twice.

    Args:
        statement_sha256: of the statement, hex.
        act: what it authorised.
        subject: to what: one decision, approval, breach or order, of a list each by itself.
        officer, key: who signed.
        proposal_sha256, tbs_sha256: what was agreed to, hex; None where there is none.
        roster: the number of the roster by which the key counted.
        fact_sha256: of the fact of the act, hex: after a crash the same fact again, never another.
    """

    kind: ClassVar[RecordKind] = RecordKind.CONSUMED
    __pydantic_config__ = _AS_JSON

    statement_sha256: str
    act: AuthorisedAct
    subject: str
    officer: str
    key: str
    proposal_sha256: str | None
    tbs_sha256: tuple[str, ...] | None
    roster: int
    fact_sha256: str


@dataclass(frozen=True, kw_only=True)
class Issuing:
    """Written when issuing stops, or starts again.

    Args:
        stopped: whether it stands still from now on.
        at: since when.
        order: the order that officers authorised.
        statements: digests of their statements, hex.
    """

    kind: ClassVar[RecordKind] = RecordKind.ISSUING
    __pydantic_config__ = _AS_JSON

    stopped: bool
    at: datetime
    order: str
    statements: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LogBegun:
    """Written before the journal key signs, once, that a public log begins.

    Args:
        generation: 1 for the first; a restore that lost rows ends one, and the next has one more.
        log: its origin.
        key: of its checkpoints, as verifiers take it.
        number, link: where the journal's head was.
    """

    kind: ClassVar[RecordKind] = RecordKind.LOG
    __pydantic_config__ = _AS_JSON

    generation: int
    log: str
    key: str
    number: int
    link: bytes


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Written before a checkpoint of the public log is signed.

    Args:
        log: its origin.
        size: leaves of the tree.
        root: of the tree.
    """

    kind: ClassVar[RecordKind] = RecordKind.TREE
    __pydantic_config__ = _AS_JSON

    log: str
    size: int
    root: bytes


@dataclass(frozen=True, kw_only=True)
class Register:
    """Written before the statement signer signs the public register.

    Args:
        log: the origin of the log.
        size: leaves of the tree at whose checkpoint it is.
        root: of that tree.
        sha256: of its octets, hex.
    """

    kind: ClassVar[RecordKind] = RecordKind.REGISTER
    __pydantic_config__ = _AS_JSON

    log: str
    size: int
    root: bytes
    sha256: str


Record: TypeAlias = (
    Begun
    | Hierarchy
    | WillSign
    | Ended
    | Listed
    | Head
    | At
    | Acceptance
    | RosterSet
    | Consumed
    | Issuing
    | LogBegun
    | Tree
    | Register
)

_EVERY: tuple[type[Record], ...] = (
    Begun,
    Hierarchy,
    WillSign,
    Ended,
    Listed,
    Head,
    At,
    Acceptance,
    RosterSet,
    Consumed,
    Issuing,
    LogBegun,
    Tree,
    Register,
)
_ADAPTERS: Mapping[type[Record], TypeAdapter[Any]] = {each: TypeAdapter(each) for each in _EVERY}
_BY_KIND: Mapping[RecordKind, type[Record]] = {each.kind: each for each in _EVERY}


def body_of(record: Record) -> bytes:
    """Return what a record says, as canonical JSON."""
    return canonical(_ADAPTERS[type(record)].dump_python(record, mode="json"))


def record_of(kind: str, body: bytes) -> Record:
    """Return the record that a body says.

    Raises:
        ValueError: there is no such kind, or the body is not of it.
    """
    found: Record = _ADAPTERS[_BY_KIND[RecordKind(kind)]].validate_json(body)
    return found
