"""changing: a draft that changes an application which was sent, begun from what that says and kept until it is sent.

Whoever sends it names the versions that they have read: of the application, so that what somebody else has changed
since is never written over unseen, and of each part of the draft, so that nothing of a colleague's is sent unseen.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import cast

from core.actors import Actor
from core.canonical import canonical
from core.errors import NoSuchThing, RulesRefused
from core.kinds import DraftPart
from policy import csr
from policy.roles import Operation
from ra.applying.apply import Apply, as_applied, authorise_application, judged, require_key_free
from ra.applying.change import Change, as_changed, changed_by, changed_in, to_be_changed
from ra.applying.drafts import own_draft, require_as_read, require_room, whose
from ra.applying.last_time import differences, said
from ra.applying.look import STAGES
from ra.applying.views import ApplicationChanged, ChangeForeseen
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, earlier, once
from store.reading import application_drafts as reading
from store.reading import requests
from store.transactions import Transaction
from store.verbs import application_drafts as verbs


def begin_change(
    desk: Desk, actor: Actor, application: str, write: Callable[[Apply], Mapping[DraftPart, Mapping[str, str]]]
) -> str:
    """Begin a draft of a change; return its name. If the organisation keeps one already, it is gone on with.

    Args:
        desk: where.
        actor: who.
        application: that is to be changed.
        write: writes into the fields of a draft, by part, what an application says.

    Raises:
        NoSuchThing: there is no such application, or it is another Manufacturer's.
        OperationNotPermitted: nobody changes it for a Manufacturer.
        WrongState: it is proposed, decided or cancelled.
        BoundReached: the organisation keeps as many drafts as it may, or it says more than a draft has fields for.
    """
    organisation = whose(actor)
    at = desk.clock.now()
    with desk.store.begin("begin change") as tx:
        # Of two who begin at once the second waits for the first, and goes on with what that began.
        requests.locked_application(tx, application)
        found = to_be_changed(tx, actor, application)
        begun = reading.draft_that_changes(tx, application, organisation)
        if begun is not None:
            return begun
        require_room(tx, organisation)
        name = new_identifier("dft", at)
        parts = {part: canonical(dict(each)).decode() for part, each in write(as_applied(found)).items()}
        verbs.begin(tx, name, organisation=organisation, by=actor.name, at=at, said=parts)
        verbs.changes(tx, name, application=application, version=found.version)
    return name


def foresee_change(desk: Desk, actor: Actor, application: str, command: Apply) -> ChangeForeseen:
    """Return what would become of an application if it said something else from now on; nothing is done.

    Raises:
        NoSuchThing: there is none, or it is another Manufacturer's.
        CsrMalformed: the request cannot be read.
        KeyTaken: the public key is an approval's, or compromised.
    """
    whose(actor)
    at = desk.clock.now()
    parsed = csr.parse(command.csr)
    with desk.store.read() as tx:
        found = requests.application(tx, application)
        authorise_application(actor, Operation.CHANGE_APPLICATION, found)
        after = changed_by(as_applied(found), change_of(command), parsed)
        then = as_changed(found, after, parsed)
        if then.public_key_sha256 != found.public_key_sha256:
            require_key_free(tx, parsed.public_key_sha256)
        try:
            findings = judged(desk, tx, after, requests.organisation(tx, found.organisation_id), at=at)
        except RulesRefused as refused:
            findings = refused.findings
        return ChangeForeseen(
            application=found.id,
            state=found.state,
            stage=STAGES[found.state],
            version=found.version,
            changed_at=found.changed_at,
            differences=differences(said(found), said(then)),
            findings=findings,
        )


def changed_before(desk: Desk, actor: Actor, request: RequestKey | None) -> ApplicationChanged | None:
    """Return what came of the same form when it was sent before; None if it was not."""
    whose(actor)
    with desk.store.read() as tx:
        return earlier(tx, actor, request, ApplicationChanged)


def send_change(
    desk: Desk,
    actor: Actor,
    name: str,
    command: Apply,
    *,
    read: Sequence[int],
    upon: int,
    request: RequestKey | None = None,
) -> ApplicationChanged:
    """Change the application that a draft is about; the draft is gone with that, and cannot be sent twice.

    Args:
        desk: where.
        actor: who.
        name: of the draft.
        command: what the application is to say.
        read: the version of each part of the draft that whoever sends this has read, in the order of DraftPart.
        upon: the version of the application that they have read beside it.
        request: what makes the same form sent twice one act.

    Raises:
        NoSuchThing: there is no such draft any more, or it changes nothing that was sent.
        DraftOvertaken: a part of it was kept since it was read; the draft stays.
        WrongState, CsrMalformed, RulesRefused, KeyTaken: as `change_application` says; the draft stays.
    """
    organisation = whose(actor)
    at = desk.clock.now()
    parsed = csr.parse(command.csr)

    def changed(tx: Transaction, at: datetime) -> ApplicationChanged:
        rows = own_draft(tx, organisation, name, hold=True)
        about = rows[0].application
        if about is None:
            raise NoSuchThing(kind="draft", identifier=name)
        require_as_read(rows, read)
        done = changed_in(desk, tx, actor, about, change_of(command), parsed, upon=upon, at=at)
        verbs.throw_away(tx, name)
        return done

    with desk.store.begin("send change") as tx:
        return once(desk, tx, actor, request, ApplicationChanged, lambda: changed(tx, at), at=at)


def change_of(command: Apply) -> Change:
    """Return the change by which an application says all of what a command does."""
    return cast("Change", dict(vars(command)))
