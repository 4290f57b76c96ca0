"""What a web process remembers by itself: the last row that it served under a signed head, and the ends that it told.

A register that goes back does not know that it did: a backup that was put back, a standby that was promoted without
the last commits. Whoever told what it then forgot knows. It is kept in two small files of the process's own; an end is
on the disk before it is told. Neither ever holds a start up.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from api.status import told
from api.status.lists import is_genuine
from api.status.memory_files import Known, MemoryFiles, is_signed
from api.status.other_files import OtherFiles
from core.approval import ApprovalRecord
from core.chain import link
from core.facts import FactKind
from core.identifiers import environment_named
from core.mirror import AuthorityView, Held, MirroredApproval, Proof, PublishedCrl, SealedHead, StatusSource, unpacked

HEAD_SECONDS = 1.0
"""How often the last sealed row is written down at most: what was served in between is known while the process lives,
and after its death a row that is a second older tells as well whether the register went back. As often is tried again
what could not be written."""

LOOK_SECONDS = 2.0
"""How often a register that went back is searched for an operator's word; that reads its whole journal."""


class WebMemory:
    """What one web process has told. Whoever uses it is one thread at a time.

    Args:
        place: where the files lie and what their names begin with; None to remember in memory only.
        monotonic: seconds that only grow; a test hands in its own.
    """

    def __init__(self, place: Path | None = None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._files = MemoryFiles(place)
        self._monotonic = monotonic
        self._known = Known()
        self._ends: dict[str, ApprovalRecord] = {}
        self._written_at: float | None = None
        self._tried_at: float | None = None
        self._looked_at: float | None = None
        self._pending = False
        self._others = OtherFiles(place)
        self.lost: frozenset[str] = frozenset()
        """Approvals that were told as ended and are not, says the register."""
        self.of_another = ""
        """A sentence where the register says that it is another authority's than what is remembered; else empty."""

    @property
    def trouble(self) -> str:
        """What is wrong with the files, a sentence; empty if nothing is."""
        return self._files.trouble

    @property
    def head(self) -> SealedHead:
        """The last row that was served under a head of the authority's."""
        return self._known.head

    # --- has the register gone back? ---------------------------------------------------------------------------

    def stands(self, source: StatusSource, heads: Sequence[SealedHead]) -> bool:
        """Return whether the register still has the last row that was served under a head of the authority's.

        Args:
            source: the register.
            heads: its newest, for rows that are there.
        """
        mine = self._known.head
        further = [each.head for each in self._peers() if each.head.number > mine.number]
        served = [each for each in (mine, *further) if each.number and each not in heads]
        return all(source.link_of(each.number) == each.link for each in served)

    def hear(self, now: datetime) -> frozenset[str]:
        """Take over the ends that other processes of this machine have told since; return whose they are.

        An end is on the disk before it is told: whoever looks there before each snapshot tells no other truth than its
        neighbour, though the register has forgotten the end meanwhile.

        Args:
            now: the present instant.
        """
        if self._files.unread:
            return frozenset()
        heard = {each.identifier: each for each in self._others.news(lambda other: _of_ours(other, self._known))}
        new = {name: each for name, each in heard.items() if told.forgotten(each, self._ends.get(name), now)}
        self._ends.update(new)
        self._files.append([told.line(each) for each in new.values()], self._ends)
        return frozenset(new)

    @property
    def knows_nobody(self) -> bool:
        """Whether no authority was ever served here."""
        return not self._known.journal_key

    def _peers(self) -> list[Known]:
        return [each for each in self._others.known if _of_ours(each, self._known)]

    def accepted(self, source: StatusSource) -> bool:
        """Return whether an operator has accepted that the register went back.

        What counts is the authority's word: a head signed by the journal's key over a restore that was accepted and
        that was not known before. Whoever can only write rows cannot make one.
        """
        now = self._monotonic()
        if self._looked_at is not None and now - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = now
        found = source.restores()
        new = [number for identity, number in found.items() if identity not in self._known.restores and number]
        if not any(self._proved(source.proof(number), number) for number in new):
            return False
        self._known = replace(self._known, head=SealedHead(), restores=frozenset(found), lists={})
        self._looked_at = None
        return True

    def _proved(self, proof: Proof | None, number: int) -> bool:
        if proof is None or not proof.rows:
            return False
        digest = proof.before
        for expected, row in enumerate(proof.rows, number):
            if row.number != expected:
                return False
            digest = link(digest, row)
        head = SealedHead(number=proof.rows[-1].number, link=digest, signature=proof.signature)
        return proof.rows[0].kind == FactKind.RESTORE_ACCEPTED and is_signed(head, self._known)

    # --- what is told --------------------------------------------------------------------------------------------

    def is_of_another(self, authority: AuthorityView) -> bool:
        """Return whether the register says that it is another authority's than the one that is remembered.

        One row says so, and whoever can write rows can write it: nothing that was told is forgotten for that. An
        operator who knows that it is so moves the files away.

        Args:
            authority: as the register describes it.
        """
        known, says = self._known, (authority.journal_key, authority.name, authority.environment)
        other = bool(known.journal_key) and says != (known.journal_key, known.name, environment_named(known.name))
        self.of_another = (
            "The register says that it is another authority's than the one that was served here before. If it is, stop "
            f"this process and move {self._files.head} and {self._files.ends} away; if not, its row is forged."
            if other
            else ""
        )
        return other

    def at_our_time(self, authority: AuthorityView) -> AuthorityView:
        """Return an authority whose clock goes as that of the one that is remembered: no row moves a live one's."""
        live = environment_named(self._known.name) == "live"
        return replace(authority, clock_offset=timedelta(0)) if live else authority

    def begin(self, source: StatusSource, authority: AuthorityView) -> None:
        """Get to know the authority whose register is read, if none was known."""
        if not self._known.journal_key:
            restores = frozenset(source.restores())
            self._known = replace(
                self._known, journal_key=authority.journal_key, name=authority.name, restores=restores
            )
            self._pending = True  # who it is, is known from the first answer on, also when this process starts again

    def ends_of_ours(self, found: Sequence[Held], before: Mapping[str, Held]) -> Sequence[Held]:
        """Return what was told as ended and nothing else; the register has the answers to it at most.

        Args:
            found: as a register has them that says it is another authority's.
            before: as they were told last, by this process.
        """
        held = {each.identifier: each for each in found}
        return [_as_told(record, held.get(identifier), before) for identifier, record in self._ends.items()]

    def ends_kept(
        self,
        found: Sequence[Held],
        asked: Iterable[str] | None,
        before: Mapping[str, Held],
        now: datetime,
        *,
        forget: bool = False,
    ) -> Sequence[Held]:
        """Return approvals as they are to be told: what was told as ended is, whatever the register says.

        New ends are on the disk when this returns.

        Args:
            found: as the register has them.
            asked: which were asked for; None for all.
            before: as they were told last, by this process.
            now: the present instant.
            forget: what the register does not have at all is not remembered any longer.
        """
        wanted = set(self._ends if asked is None else (each for each in asked if each in self._ends))
        lost: set[str] = set()
        fresh: list[bytes] = []
        kept: list[Held] = []
        for held in found:
            known = self._ends.get(held.identifier)
            if known is None and not held.ended_by_act:
                kept.append(held)
                continue
            record = held.record
            if known is not None and told.forgotten(known, record, now):
                lost.add(record.identifier)
                kept.append(_as_told(known, held, before))
                continue
            kept.append(held)
            if held.ended_by_act:
                if known != record:
                    fresh.append(told.line(record))
                self._ends[record.identifier] = record  # the snapshot's own: nothing is held twice
            else:
                fresh.append(self._forget(record.identifier))
        for identifier in wanted - {held.identifier for held in found}:
            if forget:
                fresh.append(self._forget(identifier))
            else:
                lost.add(identifier)
                kept.append(_as_told(self._ends[identifier], None, before))
        asked_for = wanted | {held.identifier for held in found}
        self.lost = frozenset((self.lost - asked_for) | lost)
        self._files.append(fresh, self._ends)
        return kept

    def lists_kept(self, found: AuthorityView, before: Mapping[str, PublishedCrl], *, behind: bool) -> AuthorityView:
        """Return the authority with no list older than one that was served.

        What a later list has to reach is told by lists alone that their CA signed: a row is written by whoever can.

        Args:
            found: as the register has it.
            before: the lists served last, by this process.
            behind: the register went back: its lists are not what is served from now on.
        """
        floors = dict(self._known.lists)
        crls = {}
        for key_id, crl in found.crls.items():
            floor, genuine = floors.get(key_id, 0), is_genuine(crl, found.certificates)
            if genuine and crl.number >= floor:
                crls[key_id] = crl
                floors[key_id] = crl.number
            elif key_id in before:
                crls[key_id] = before[key_id]
            elif not genuine and not floor:
                crls[key_id] = crl  # there is none that is better; it raises no floor
        if not behind and floors != self._known.lists:
            self._known = replace(self._known, lists=floors)
            self._pending = True
        return replace(found, crls=crls)

    def restored(self, source: StatusSource) -> None:
        """Learn that the journal tells of a restore that was accepted while the register had not gone back for us."""
        self._known = replace(self._known, restores=frozenset(source.restores()))
        self._pending = True

    def served(self, heads: Sequence[SealedHead], *, at_once: bool = False) -> None:
        """Remember the last row that is served under a head of the authority's; written down from time to time.

        A row alone is not remembered: whoever writes rows can give it a number, and the authority takes that back.

        Args:
            heads: the newest that the register has, the newest first; nobody has verified them.
            at_once: whether it is written down at once.
        """
        newer = (each for each in heads if each.number > self._known.head.number)
        head = next((each for each in newer if is_signed(each, self._known)), None)
        if head is not None:
            self._known = replace(self._known, head=head)
            self._pending = True
        now = self._monotonic()
        if self._pending and (at_once or self._written_at is None or now - self._written_at >= HEAD_SECONDS):
            self._written_at = now
            self._pending = not self._files.keep(self._known)

    def close(self) -> None:
        """Write down what is only in memory."""
        if self._files.dirty:
            self._files.rewrite(self._ends)
        if self._pending:
            self._pending = not self._files.keep(self._known)

    def _forget(self, identifier: str) -> bytes:
        del self._ends[identifier]
        return told.line_of_none(identifier)

    def open(self) -> bool:
        """Read the files, and write what could not be written; return whether more is remembered than before.

        With very many ends reading takes seconds, so it is left to whoever follows the register. What cannot be read is
        told, and tried again: until then it is not written over.
        """
        if not self._files.unread and not self._files.dirty:
            return False
        now = self._monotonic()
        if self._tried_at is not None and now - self._tried_at < HEAD_SECONDS:
            return False
        self._tried_at = now
        found = self._files.read() if self._files.unread else None
        if found is not None:
            known, ends = found
            self._ends = {**ends, **self._ends}  # what was told meanwhile is the later
            if known is not None:
                mine = self._known.lists
                lists = {each: max(mine.get(each, 0), known.lists.get(each, 0)) for each in {*mine, *known.lists}}
                self._known = replace(known, lists=lists)
        if self._files.dirty:
            self._files.rewrite(self._ends)
        return found is not None


def _of_ours(other: Known, mine: Known) -> bool:
    """Return whether another process served this authority's register, and since the last restore that we know of."""
    return bool(mine.journal_key) and other.journal_key == mine.journal_key and other.restores >= mine.restores


def _as_told(record: ApprovalRecord, held: Held | None, before: Mapping[str, Held]) -> Held:
    last = before.get(record.identifier)
    if last is not None and last.record == record:
        return last  # with the answers that were signed for it
    if held is not None:
        return replace(unpacked(held), record=record)
    return MirroredApproval(record=record, organisation_name="", ders={}, answers=())
