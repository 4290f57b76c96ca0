"""The authority's signers, opened once: loading a key costs far more than using it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Protocol

from ca.certificates import key_id
from ca.profile import Profile
from core.errors import KeyUnusable
from core.kinds import HierarchyRole
from keys.ceremony import JOURNAL_FILE, issuing_file, responder_file, statement_file
from keys.log_key import LOG_FILE, LogSigner
from keys.place import KeyPlace
from keys.signer import Signer
from memory.beliefs import Certified
from memory.memory import Memory
from memory.records import Begun

KEY_FILES: tuple[tuple[HierarchyRole, Callable[[int], str]], ...] = (
    (HierarchyRole.ISSUING, issuing_file),
    (HierarchyRole.RESPONDER, responder_file),
    (HierarchyRole.STATEMENT, statement_file),
)
"""How the files of the keys are called that lie with the authority."""


@dataclass(frozen=True)
class Keyring:
    """What the authority process signs with.

    Args:
        profile: names, identifiers and URLs of this authority.
        issuing: signers of issuing CAs by key identifier (hex), those that are at hand.
        responder: signs OCSP answers; of several the newest, which is the one that is certified again.
        journal: signs the journal's heads.
        earlier: signers of responders before, by key identifier: each signs until the newest is certified.
        statement: signs what the authority states as a file: the newest; None where none was certified yet.
        log: signs the public log's checkpoints; None where it is not at hand: then nothing new is signed for it.
    """

    profile: Profile
    issuing: Mapping[str, Signer]
    responder: Signer
    journal: Signer
    earlier: Mapping[str, Signer] = field(default_factory=dict)
    statement: Signer | None = None
    log: LogSigner | None = None

    @cached_property
    def statement_key_id(self) -> str | None:
        """The key identifier (hex) of the statement signer, if there is one."""
        return None if self.statement is None else key_id(self.statement.public_key)

    @cached_property
    def responder_key_id(self) -> str:
        """The key identifier (hex) of the newest responder."""
        return key_id(self.responder.public_key)

    def responder_of(self, identifier: str) -> Signer | None:
        """Return the responder's signer with a key identifier (hex); None if it is not at hand."""
        return self.responder if identifier == self.responder_key_id else self.earlier.get(identifier)


def profile_begun(begun: Begun) -> Profile:
    """Return the profile that an authority began with: what the register says of it now changes nothing."""
    return Profile(
        environment=begun.environment,
        arc=begun.arc,
        base_url=begun.base_url,
        name=begun.name,
        organisation=begun.organisation,
    )


def key_files(memory: Memory) -> dict[str, str]:
    """Return the file name of each key of the hierarchy but the root's that is remembered, by its SHA-256 (hex).

    They are numbered in the order in which they were first certified, or were to be.
    """
    found: dict[str, str] = {}
    for role, name in KEY_FILES:
        keys = dict.fromkeys(each.key_sha256 for each in memory.hierarchy(role))
        found |= {key: name(number) for number, key in enumerate(keys, start=1)}
    return found


class Certifying(Protocol):
    """What knows every certificate of the hierarchy: a memory, or one that is read without its key."""

    def hierarchy(self, role: HierarchyRole) -> Sequence[Certified]:
        """Return those of a role, oldest first."""
        ...


def next_number(memory: Certifying, role: HierarchyRole) -> int:
    """Return the number of the next key of a role: 1 before there is any."""
    return 1 + len({each.key_sha256 for each in memory.hierarchy(role)})


def opened_keyring(memory: Memory, place: KeyPlace, at: datetime) -> Keyring:
    """Open every key that is remembered and still of use. A file that nobody remembers is not looked at.

    The key of a CA or a responder that has ended, by time or by an act, may be gone; so may that of a CA which was
    asked for and never certified: who needs it finds that out (jobs/hierarchy.py).

    Args:
        memory: says whose key is in which file.
        place: where they lie.
        at: now.

    Raises:
        KeyUnusable: a key that this authority needs cannot be opened, or is another than the one that is remembered.
    """
    pinned, files = memory.begun.keys, key_files(memory)
    found = {
        role: {key: _opened(place, files[key], key) for key in _needed(memory, role, place, files, at)}
        for role, _ in KEY_FILES
    }
    if not found[HierarchyRole.RESPONDER]:
        raise KeyUnusable(path=place.folder, detail="no responder was certified; the ceremony is not over")
    *earlier, responder = found[HierarchyRole.RESPONDER].values()
    statements = list(found[HierarchyRole.STATEMENT].values())
    return Keyring(
        profile=profile_begun(memory.begun),
        issuing={key_id(each.public_key): each for each in found[HierarchyRole.ISSUING].values()},
        responder=responder,
        statement=statements[-1] if statements else None,
        journal=_opened(place, JOURNAL_FILE, pinned[JOURNAL_FILE]),
        earlier={key_id(each.public_key): each for each in earlier},
        log=_log_key(memory, place),
    )


def _log_key(memory: Memory, place: KeyPlace) -> LogSigner | None:
    """Return the log's key; an authority of before makes it at its next start. One that is lost is not made again.

    None if it is lost, or is another than the one that the ceremony made: no status waits for the log.
    """
    path, pinned = place.folder / LOG_FILE, memory.begun.keys.get(LOG_FILE)
    if not path.exists() and (pinned is not None or memory.newest_log is not None):
        return None
    found = place.made_log_key(LOG_FILE)
    return found if pinned in (None, found.sha256) else None


def _needed(memory: Memory, role: HierarchyRole, place: KeyPlace, files: Mapping[str, str], at: datetime) -> list[str]:
    """Return the keys of a role to be opened, oldest first: those that hold or are there, but no ended one.

    The newest responder and statement signer are always among them: without them nothing can be certified again.
    """
    certified = memory.hierarchy(role)
    ended = {each.key_sha256 for each in certified if memory.end(each.serial) is not None}
    every = [key for key in dict.fromkeys(each.key_sha256 for each in certified) if key not in ended]
    pinned = set(memory.begun.keys.values())
    needed = {each.key_sha256 for each in certified if at <= each.not_after and each.key_sha256 in pinned}
    if role is not HierarchyRole.ISSUING:
        needed |= set(every[-1:])
    return [key for key in every if key in needed or (place.folder / files[key]).exists()]


def _opened(place: KeyPlace, name: str, sha256: str) -> Signer:
    signer = place.opened(name)
    if hashlib.sha256(signer.public_key).hexdigest() != sha256:
        raise KeyUnusable(path=place.folder / name, detail="it is not the key that this authority remembers")
    return signer
