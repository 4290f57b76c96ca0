"""drafts: what a Manufacturer has written of an application is kept until it is sent, whole or not, right or wrong.

A draft is nobody's act: it is its organisation's alone, no rule refuses it, and no fact tells of it. A private key is
never kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from core.actors import Actor
from core.canonical import canonical
from core.errors import (
    BodyTooLarge,
    BoundReached,
    DraftOvertaken,
    DraftUnreadable,
    Finding,
    KeyTaken,
    NoSuchThing,
    RulesRefused,
    Severity,
    TrialCpaError,
)
from core.kinds import DraftPart
from policy import csr
from policy.roles import Operation
from ra.access import authorise
from ra.applying.apply import Apply, judged, require_key_free, take_in
from ra.applying.draft_views import ApplicationDraft, DraftPartAnswer
from ra.applying.views import ApplicationTaken
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, earlier, once
from store.reading import application_drafts as reading
from store.reading import requests
from store.reading.application_drafts import DraftRow
from store.reading.kept_words import kept_words
from store.transactions import Transaction
from store.verbs import application_drafts as verbs

MOST_DRAFTS = 20
"""Drafts of one organisation: fewer than it may have applications open (ra/bounds.py)."""

LARGEST_PART = 256 * 1024
"""Octets of one part, as JSON; the form of the console takes no more."""


def begin_draft(desk: Desk, actor: Actor) -> str:
    """Begin a draft; return its name.

    Raises:
        OperationNotPermitted: nobody applies for a Manufacturer.
        BoundReached: the organisation keeps MOST_DRAFTS.
    """
    organisation = whose(actor)
    at = desk.clock.now()
    name = new_identifier("dft", at)
    with desk.store.begin("begin draft") as tx:
        require_room(tx, organisation)
        verbs.begin(tx, name, organisation=organisation, by=actor.name, at=at)
    return name


def drafts(desk: Desk, actor: Actor) -> tuple[ApplicationDraft, ...]:
    """Return the drafts of one's organisation, oldest first; one that cannot be read says so, and hides no other."""
    organisation = whose(actor)
    with desk.store.read() as tx:
        found = reading.drafts_of(tx, organisation)
    return tuple(draft_shown(each) for _, each in groupby(found, lambda row: row.draft))


def draft(desk: Desk, actor: Actor, name: str) -> ApplicationDraft:
    """Return a draft.

    Raises:
        NoSuchThing: there is none, or it is another organisation's.
        DraftUnreadable: a part of it is gone, or cannot be read.
    """
    organisation = whose(actor)
    with desk.store.read() as tx:
        found = draft_shown(own_draft(tx, organisation, name))
    if found.unreadable:
        raise DraftUnreadable(draft=name)
    return found


def keep_part(desk: Desk, actor: Actor, name: str, part: DraftPart, said: Mapping[str, str], *, version: int) -> bool:
    """Keep what was typed, as it was typed.

    Args:
        desk: where.
        actor: who.
        name: of the draft.
        part: which part of it.
        said: what was typed, by field.
        version: of the part that was before whoever typed it.

    Returns:
        Whether it is kept; False if somebody else has kept another since, which stands.

    Raises:
        NoSuchThing: there is no such draft, or it is another organisation's.
        CsrMalformed: it holds a private key; nothing of it is kept.
        BodyTooLarge: it is more than LARGEST_PART.
    """
    organisation = whose(actor)
    for each in said.values():
        csr.require_no_private_key(each.encode("utf-8", "replace"))
    written = canonical(dict(said))
    if len(written) > LARGEST_PART:
        raise BodyTooLarge(limit=LARGEST_PART)
    at = desk.clock.now()
    with desk.store.begin("keep draft") as tx:
        own_draft(tx, organisation, name)
        return verbs.keep(tx, name, part, written.decode(), version=version, by=actor.name, at=at)


def throw_away(desk: Desk, actor: Actor, name: str) -> None:
    """Delete a draft; NoSuchThing if there is none, or it is another organisation's."""
    organisation = whose(actor)
    with desk.store.begin("throw draft away") as tx:
        own_draft(tx, organisation, name)
        verbs.throw_away(tx, name)


def judge(desk: Desk, actor: Actor, command: Apply) -> tuple[Finding, ...]:
    """Return what the rules would find if an application were sent now, the fatal included; a key that is taken too."""
    organisation = whose(actor)
    at = desk.clock.now()
    taken: tuple[Finding, ...] = ()
    try:
        parsed = csr.parse(command.csr)
        with desk.store.read() as tx:
            taken = _if_taken(tx, parsed.public_key_sha256)
            return (*taken, *judged(desk, tx, command, requests.organisation(tx, organisation), at=at))
    except RulesRefused as refused:
        return (*taken, *refused.findings)


def _if_taken(tx: Transaction, public_key_sha256: str) -> tuple[Finding, ...]:
    try:
        require_key_free(tx, public_key_sha256)
    except KeyTaken as error:
        detail, remedy = str(error), error.hint
        return (Finding(code=error.code, clause="F2.25", severity=Severity.FATAL, detail=detail, remedy=remedy),)
    return ()


def why_no_request(written: bytes) -> str | None:
    """Return, in words, why what stands in a draft is no certificate signing request that can be taken; None if it is.

    Args:
        written: PEM, base64 or DER, as the use case of an application reads it.
    """
    try:
        csr.parse(written)
    except (
        TrialCpaError
    ) as refused:  # what the rules have against it is told by each finding's remedy on the check page
        return f"{refused} {refused.hint}"
    return None


def sent_before(desk: Desk, actor: Actor, request: RequestKey | None) -> ApplicationTaken | None:
    """Return what came of the same form when it was sent before; None if it was not."""
    whose(actor)
    with desk.store.read() as tx:
        return earlier(tx, actor, request, ApplicationTaken)


def send(
    desk: Desk, actor: Actor, name: str, command: Apply, *, read: Sequence[int], request: RequestKey | None = None
) -> ApplicationTaken:
    """Take in the application that a draft has become; the draft is gone with that, and cannot be sent twice.

    Args:
        desk: where.
        actor: who.
        name: of the draft.
        command: what the application says.
        read: the version of each part that whoever sends this has read, in the order of DraftPart.
        request: what makes the same request sent twice one act.

    Raises:
        NoSuchThing: there is no such draft any more.
        DraftOvertaken: a part of it was kept since; the draft stays.
        CsrMalformed, RulesRefused, KeyTaken, BoundReached: as `apply` says; the draft stays.
    """
    organisation = whose(actor)
    at = desk.clock.now()
    parsed = csr.parse(command.csr)

    def sent() -> ApplicationTaken:
        rows = own_draft(tx, organisation, name, hold=True)
        if rows[0].application is not None:  # it changes one, and makes none
            raise NoSuchThing(kind="draft", identifier=name)
        require_as_read(rows, read)
        taken = take_in(desk, tx, actor, command, parsed, at=at)
        verbs.throw_away(tx, name)
        return taken

    with desk.store.begin("send draft") as tx:
        return once(desk, tx, actor, request, ApplicationTaken, sent, at=at)


def require_room(tx: Transaction, organisation: str) -> None:
    """Raise BoundReached if an organisation keeps as many drafts as it may."""
    present = reading.draft_count(tx, organisation)
    if present >= MOST_DRAFTS:
        remedy = "Send one, or throw one away"
        raise BoundReached(what="drafts of applications", limit=MOST_DRAFTS, present=present, remedy=remedy)


def whose(actor: Actor) -> str:
    """Return the organisation whose drafts somebody writes; OperationNotPermitted if nobody's."""
    authorise(actor, Operation.APPLY, owner=actor.organisation)
    assert actor.organisation is not None, "who applies does so for an organisation"
    return actor.organisation


def own_draft(tx: Transaction, organisation: str, name: str, *, hold: bool = False) -> list[DraftRow]:
    """Return the parts of an organisation's draft, held if that is asked; NoSuchThing if it has no such draft."""
    found = reading.parts_of(tx, name, hold=hold)
    if not found or found[0].organisation != organisation:
        raise NoSuchThing(kind="draft", identifier=name)
    return found


def require_as_read(rows: Sequence[DraftRow], read: Sequence[int]) -> None:
    """Raise DraftOvertaken if a part of a draft was kept since somebody read it.

    Args:
        rows: its parts, held in the transaction that sends it: what is kept at the same moment is found here, or
            finds no draft any more.
        read: the version of each that was read, in the order of DraftPart.
    """
    now = {each.part: each.version for each in rows}
    if [now.get(part) for part in DraftPart] != [*read]:
        raise DraftOvertaken(draft=rows[0].draft)


def draft_shown(rows: Iterable[DraftRow]) -> ApplicationDraft:
    """Return a draft as whoever writes it sees it."""
    found = {each.part: each for each in rows}
    first = next(iter(found.values()))
    said = {part: kept_words(each.said) for part, each in found.items()}
    parts = tuple(
        DraftPartAnswer(
            part=part,
            said=said.get(part) or {},
            version=found.get(part, first).version,
            kept_at=found.get(part, first).kept_at,
            kept_by=found.get(part, first).kept_by,
        )
        for part in DraftPart
    )
    return ApplicationDraft(
        draft=first.draft,
        parts=parts,
        application=first.application,
        upon=first.upon,
        unreadable=any(said.get(part) is None for part in DraftPart),
    )
