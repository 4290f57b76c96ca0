"""look: decisions with everything that will be true if they are made, for the officers who make them."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.actors import Actor
from core.approval import DEVICE_WORDS
from core.canonical import read_json
from core.instants import parse
from core.kinds import OPEN_DECISION, UNDECIDED
from core.words import counted
from policy.roles import Operation
from ra.access import authorise
from ra.applying.requirements import open_of, requirement_shown
from ra.committee.interests import interests_in
from ra.deciding import notice
from ra.deciding.beside import beside
from ra.deciding.every_kind import kind_of
from ra.deciding.many import is_of_many
from ra.deciding.upon import upon
from ra.deciding.views import (
    CarriedChange,
    DecidedCondition,
    DecidedPassage,
    DecisionAnswer,
    DecisionPage,
    DraftAnswer,
    PreviewAnswer,
    WitnessAnswer,
)
from ra.desk import Desk
from ra.findings import findings_of
from ra.proposal import said_in, said_of
from ra.telling.listing import would_follow
from ra.views import DecidedChange, PendingAnswer, page, view_of
from store.reading import requests
from store.reading.meetings import comes_from
from store.reading.witnesses import Witness, witnesses_of
from store.rows import Decision, DraftRow
from store.transactions import Transaction


def decision(desk: Desk, actor: Actor, identifier: str) -> DecisionAnswer:
    """Return a decision: proposal, draft, lint result, both digests, and while it is open what it would lead to."""
    authorise(actor, Operation.READ_DECISION)
    at = desk.clock.now()
    with desk.store.read() as tx:
        found = requests.decision(tx, identifier)
        said = witnesses_of(tx, [found.id]).get(found.id, ())
        shown = replace(
            _decision(found, requests.drafts_of(tx, identifier), said),
            upon=None if is_of_many(found) else upon(desk, tx, found, actor, at),
            interests=interests_in(tx, comes_from(tx, found)),
        )
        return _opened(tx, found, shown, actor, at) if found.state in OPEN_DECISION else shown


def decisions(
    desk: Desk, actor: Actor, *, after: str, limit: int, approval: str | None = None, newest: bool = False
) -> DecisionPage:
    """Return a page of decisions, without previews, and the cursor for the next.

    Args:
        desk: where.
        actor: who asks.
        after: the identifier of the last of the page before; empty for the first.
        limit: rows on the page.
        approval: only those about one approval, those included by which it was to come about.
        newest: whether the newest comes first.
    """
    authorise(actor, Operation.READ_DECISION)
    with desk.store.read() as tx:
        rows = page(
            limit,
            lambda most: requests.decision_list(tx, approval=approval, after=after, limit=most, newest=newest),
            lambda each: each.id,
        )
        said = witnesses_of(tx, [each.id for each in rows.found])
        listed = tuple(_decision(each, requests.drafts_of(tx, each.id), said.get(each.id, ())) for each in rows.found)
    return DecisionPage(decisions=listed, next=rows.next, truncated=rows.truncated)


def _opened(tx: Transaction, found: Decision, shown: DecisionAnswer, reader: Actor, at: datetime) -> DecisionAnswer:
    """An open decision: what stands against it as things are now, and what will be true."""
    unmet = [] if found.application_id is None else open_of(tx, found.application_id)
    about = None if found.application_id is None or shown.upon is None else shown.upon.application
    known = about.for_officers if about is not None and about.state in UNDECIDED else None
    return replace(
        shown,
        against=(*kind_of(found.kind).against(tx, found), *beside(tx, found, at, known=known)),
        requirements=tuple(requirement_shown(each, reader) for each in unmet),
        preview=preview_of(tx, found, at),
    )


def preview_of(tx: Transaction, found: Decision, at: datetime) -> PreviewAnswer:
    """Return what will be true: the certificate in words, what changes, each notice as it will be read, the CPL."""
    said = said_in(found)
    listed, told = kind_of(found.kind).foreseen(tx, found, at), notice.foreseen(tx, found, at=at)
    return PreviewAnswer(
        certificate=in_words(said) if found.issue is not None else (),
        difference=tuple(
            DecidedChange(after=each["after"], before=each["before"], subject=each["subject"])
            for each in said.get("changes", [])
        ),
        notices=told.copies,
        cpl=() if listed is None else would_follow(tx, listed, at),
        carried=tuple(_carried(each) for each in said.get("carried") or ()),
        withdrawn=tuple(_withdrawn(each) for each in said.get("withdrawn") or ()),
        wanting=told.lacking,
    )


def _carried(said: Mapping[str, Any]) -> CarriedChange:
    return CarriedChange(
        issue=said["issue"],
        in_place_of=said["in_place_of"],
        decision=said["decision"],
        effective=parse(said["not_before"]),
        changes=tuple(DecidedChange(**each) for each in said["changes"]),
        certificate=in_words(said),
    )


def _withdrawn(said: Mapping[str, Any]) -> PendingAnswer:
    return PendingAnswer(
        issue=said["issue"],
        decision=said["decision"],
        effective=parse(said["effective"]),
        changes=tuple(DecidedChange(**each) for each in said["changes"]),
    )


def _decision(found: Decision, rows: Sequence[DraftRow], witnesses: Sequence[Witness]) -> DecisionAnswer:
    said = said_in(found)
    drafts = tuple(_draft(each, said_of(found, each.issue)) for each in rows)
    first = next(iter(drafts), None)
    return DecisionAnswer(
        decision=found.id,
        kind=found.kind,
        state=found.state,
        application=found.application_id,
        approval=found.approval,
        issue=found.issue,
        proposal=said,
        proposal_sha256=found.proposal_sha256,
        findings=findings_of(found.findings),
        tbs_sha256=first.tbs_sha256 if first else None,
        reasons=found.reasons,
        # Their salts stay in the register: a view has no member for them.
        passages=view_of(tuple[DecidedPassage, ...], found.passages),
        conditions=view_of(tuple[DecidedCondition, ...], found.conditions),
        meeting=found.meeting,
        minute=found.minute,
        officers=found.officers,
        amendment_request=found.amendment_request,
        breach=found.breach,
        lapses_at=found.lapses_at,
        draft=first,
        drafts=drafts,
        proposer=found.proposer,
        proposed_at=found.proposed_at,
        authorised_at=found.authorised_at,
        seconder=found.seconder,
        seconded_at=found.seconded_at,
        closed_at=found.closed_at,
        outcome=found.outcome,
        urgent=found.urgent,
        acknowledged_by=found.acknowledged_by,
        acknowledged_at=found.acknowledged_at,
        witnesses=tuple(
            WitnessAnswer(officer=each.officer, saw=each.saw, why=each.why, at=each.at) for each in witnesses
        ),
        against=(),
        requirements=(),
        preview=None,
        upon=None,
    )


def _draft(draft: DraftRow, said: Mapping[str, Any]) -> DraftAnswer:
    return DraftAnswer(
        serial=draft.serial,
        tbs_sha256=draft.tbs_sha256,
        tbs=base64.b64encode(draft.tbs).decode(),
        in_words=in_words(said),
        lint=read_json(draft.lint),
        not_before=draft.not_before,
        not_after=draft.not_after,
        drafted_at=draft.drafted_at,
        state=draft.state,
    )


def in_words(said: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the certificate will say, a sentence each, for the officer who has to accept its bytes."""
    device, organisation = said["device"], said["organisation"]
    most = counted(said["maximum_devices"], "device")
    named = [(name, words) for name, words in DEVICE_WORDS.items() if name != "type"]
    return (
        f"Trial CPA Certificate {said['approval']}, issue {said['issue']}, for {organisation['certificate_name']}.",
        f"Device: {device['type']}, {', '.join(f'{words} {device[name]}' for name, words in named)}.",
        *(f"Firmware {each['version']}, image SHA-256 {each['image_sha256']}." for each in said["firmware"]),
        f"At most {most}; anybody who reads the certificate sees limit and firmware.",
        f"Valid from {said['not_before']} to {said['not_after']}, both inclusive; it ends with the approval (F2.25).",
        f"Public key SHA-256 {said['public_key_sha256']}.",
    )
