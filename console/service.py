"""What every page has at hand: the desk, the origin, whose authority it is, and how a write is followed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.actors import Actor
from core.canonical import Json
from officers.statement import Claim
from ra.authorising import Signed
from ra.desk import Desk
from ra.entering.passkeys import Relying
from renderer.asking import Renderer


class SignsFor(Protocol):
    """Signs where the officer's key lies; a test authority's demo people have theirs on its machine."""

    def signed(self, actor: Actor, claim: Claim) -> Signed | None:
        """Return what somebody signs for an act; None if they have no key here, or none is asked for."""
        ...


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Whether register, verification, OCSP and lists say the same.

    Args:
        agree: they do.
        checked: certificates that were compared.
        as_of: when.
    """

    agree: bool
    checked: int
    as_of: datetime


class Checked(Protocol):
    """One check of the service."""

    @property
    def name(self) -> str:
        """What is checked."""
        ...

    @property
    def ok(self) -> bool:
        """Whether it is so."""
        ...

    @property
    def warning(self) -> bool:
        """Whether somebody should look at it soon."""
        ...

    @property
    def detail(self) -> str:
        """What is so, a sentence."""
        ...


class Alarmed(Protocol):
    """Something that somebody should look at."""

    @property
    def code(self) -> str:
        """Its stable code."""
        ...

    @property
    def since(self) -> datetime:
        """When it began."""
        ...

    @property
    def sentence(self) -> str:
        """What is so now."""
        ...


class Health(Protocol):
    """How the service is doing, as GET /readyz?for=writing has it."""

    @property
    def ready(self) -> bool:
        """Whether it is fit."""
        ...

    @property
    def checks(self) -> Sequence[Checked]:
        """Each check."""
        ...

    @property
    def alarms(self) -> Sequence[Alarmed]:
        """What somebody should look at."""
        ...


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a file of questions is answered.

    Args:
        header: names of the columns: what was asked, then what is answered.
        rows: the cells of each answer.
        notes: by line, what must be known of its cells.
        table: all of it as CSV.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Mapping[str, str]
    table: bytes


class Keeps(Protocol):
    """Keeps what a page has made of a file until whoever sent it has saved it."""

    def keep(self, owner: str, octets: bytes) -> str:
        """Return the name by which its owner finds it; empty where it is not kept."""
        ...

    def found(self, owner: str, name: str) -> bytes | None:
        """Return what was kept; None where there is nothing of this name for this owner."""
        ...


@dataclass(frozen=True, kw_only=True)
class Console:
    """The console at work.

    Args:
        desk: where use cases work.
        name: of the authority.
        relying: its origin.
        wrote: called after each write that succeeded.
        verify: answers a question as POST /v1/verify does: its body in, its answer out; raises what that refuses with.
        verify_many: answers a file of questions, a table in CSV or a workbook; raises what that refuses with.
        kept: results to be saved.
        agreement: whether the channels agree; None while they were not compared.
        health: how the service is doing.
        require_whole: raises while the register is behind what was told.
        pictures: draws pages of evidence; None where nobody does.
        ways_in: what the sign-in page offers beside passkeys: the name of a page each.
        signs: who signs on this machine; None where officers do it elsewhere.
        offered: words with which the forms of decisions begin, by field: a test authority's, for trying it out.
    """

    desk: Desk
    name: str
    relying: Relying
    wrote: Callable[[], None]
    verify: Callable[[bytes], Mapping[str, Json]]
    verify_many: Callable[[bytes], Answers]
    kept: Keeps
    agreement: Callable[[], Agreement | None]
    health: Callable[[], Health]
    require_whole: Callable[[], None]
    pictures: Renderer | None = None
    signs: SignsFor | None = None
    ways_in: Sequence[str] = ()
    offered: Mapping[str, str] = field(default_factory=dict)
