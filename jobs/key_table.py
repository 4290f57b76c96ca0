"""Every key of the authority: what it is for, where it lies, since when, until when, and how often it was used.

All of it follows from the memory; from the register comes how many OCSP answers and dossiers there are,
which are not remembered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from core.identifiers import Serial
from core.kinds import HierarchyRole
from jobs.hierarchy import held_of
from jobs.keyring import key_files
from keys.ceremony import JOURNAL_FILE, RECORD_FILE, ROOT_FILE
from keys.log_key import LOG_FILE
from keys.place import key_in_token
from memory.beliefs import Certified
from memory.memory import Memory
from store.reading import authority as reading
from store.reading import dossiers
from store.transactions import Store


class KeyState(StrEnum):
    """How it stands with a key."""

    IN_USE = "in use"
    ASKED_FOR = "asked for"
    OVER = "over"
    COMPROMISED = "compromised"


SIGNS, SEALS = "ECDSA P-256 with SHA-256", "HMAC-SHA-256 (HKDF of a P-256 key)"

SEALS_INSIDE = "HMAC-SHA-256 (HKDF of what a secret in the token answers)"
SIGNS_LOG = "Ed25519"


@dataclass(frozen=True, kw_only=True)
class KeyLine:
    """One key.

    Args:
        purpose: whose key it is.
        name: its file's name; the root's lies elsewhere.
        held: whether that file is in the folder of the keys.
        algorithm: what it does.
        key_id: hex of its subject key identifier; None where no certificate names it.
        sha256: of its public key (SubjectPublicKeyInfo, DER), hex; None where nothing public is known of it.
        serial: of its newest certificate, by which a CA is ended; None where no certificate names it.
        since, until: the first second of its first certificate, and the last of its last; None where it has no end.
        state: how it stands with it.
        used: how often, by what it was used for.
        token: the URI of a key that is in a token, of which the file says no more; None of every other.
        verifier_key: of the log's, as whoever holds a copy is given it (C2SP signed-note); None of every other.
    """

    purpose: str
    name: str
    held: bool
    algorithm: str
    key_id: str | None
    sha256: str | None
    serial: Serial | None
    since: datetime | None
    until: datetime | None
    state: KeyState
    used: Mapping[str, int] = field(default_factory=dict)
    verifier_key: str | None = None
    token: str | None = None


def every_key(store: Store, memory: Memory, folder: Path, at: datetime) -> list[KeyLine]:
    """Return every key, the root's first.

    Args:
        store: the register.
        memory: of the authority.
        folder: where the keys lie; none is opened.
        at: now.
    """
    with store.read() as tx:
        answers, stated = reading.answers_under(tx), dossiers.signed_under(tx)
        recorded = {each.serial for role in HierarchyRole for each in held_of(memory, tx, role)}
    table = _Table(memory=memory, folder=folder, answers=answers, stated=stated, recorded=recorded, at=at)
    heads, records = memory.counted().get("head", 0), memory.last
    return [
        *table.of(HierarchyRole.ROOT),
        *table.of(HierarchyRole.ISSUING),
        *table.of(HierarchyRole.RESPONDER),
        *table.of(HierarchyRole.STATEMENT),
        table.alone("journal", JOURNAL_FILE, SIGNS, {"heads": heads}),
        replace(
            table.alone("log", LOG_FILE, SIGNS_LOG, {"checkpoints": memory.counted().get("tree", 0)}),
            verifier_key=None if memory.log is None else memory.log.key,
        ),
        table.alone("memory", RECORD_FILE, SEALS, {"records": records}),
    ]


@dataclass(frozen=True, kw_only=True)
class _Table:
    memory: Memory
    folder: Path
    answers: Mapping[Serial, int]
    stated: Mapping[Serial, int]
    recorded: set[Serial]
    at: datetime

    def of(self, role: HierarchyRole) -> Iterator[KeyLine]:
        files, of_key = key_files(self.memory), dict[str, list[Certified]]()
        for each in self.memory.hierarchy(role):
            of_key.setdefault(each.key_sha256, []).append(each)
        for key, certified in of_key.items():
            name = files.get(key, ROOT_FILE)
            yield KeyLine(
                purpose=role.value,
                name=name,
                held=(self.folder / name).exists(),
                token=self._token(name),
                algorithm=SIGNS,
                key_id=certified[0].key_id,
                sha256=key,
                serial=Serial(certified[-1].serial),
                since=min(each.not_before for each in certified),
                until=max(each.not_after for each in certified),
                state=self._state(certified),
                used=self._used(role, certified),
            )

    def alone(self, purpose: str, name: str, algorithm: str, used: Mapping[str, int]) -> KeyLine:
        return KeyLine(
            purpose=purpose,
            name=name,
            held=(self.folder / name).exists(),
            token=(token := self._token(name)),
            algorithm=SEALS_INSIDE if token is not None and algorithm == SEALS else algorithm,
            key_id=None,
            sha256=self.memory.begun.keys.get(name),
            serial=None,
            since=None,
            until=None,
            state=KeyState.IN_USE,
            used=used,
        )

    def _token(self, name: str) -> str | None:
        path = self.folder / name
        named = key_in_token(path) if path.exists() else None
        return None if named is None else str(named)

    def _state(self, certified: list[Certified]) -> KeyState:
        if any(self.memory.end(each.serial) is not None for each in certified):
            return KeyState.COMPROMISED
        if all(each.not_after < self.at for each in certified):
            return KeyState.OVER
        signed = any(each.serial in self.recorded for each in certified)
        return KeyState.IN_USE if signed else KeyState.ASKED_FOR

    def _used(self, role: HierarchyRole, certified: list[Certified]) -> Mapping[str, int]:
        certificates, lists = self.memory.uses().get(certified[0].key_id, (0, 0))
        match role:
            case HierarchyRole.ROOT:
                below = sum(each.serial in self.recorded for each in self.memory.hierarchy(HierarchyRole.ISSUING))
                return {"issuing CAs": below, "lists": lists}
            case HierarchyRole.ISSUING:
                return {"certificates": certificates, "lists": lists}
            case HierarchyRole.RESPONDER:
                under = sum(self.answers.get(each.serial, 0) for each in certified)
                return {"certified": len(certified), "answers": under}
            case HierarchyRole.STATEMENT:
                stated = sum(self.stated.get(each.serial, 0) for each in certified)
                return {"certified": len(certified), "dossiers": stated}
