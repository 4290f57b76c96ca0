"""report: the DCC's monthly report (F2.28) is computed from the register, remarked, and issued once for all.

A month's report is what has been recorded since the report before. Issuing freezes it: from then on everybody gets the
same bytes, and what is corrected or told late appears in the next one, which says so.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from core.actors import Actor
from core.canonical import Json, canonical, read_json, salted_digest
from core.classification import SALT_OCTETS
from core.errors import MonthMalformed, NoSuchThing, ReportOutOfTurn, TrialCpaError
from core.facts import Fact, FactKind
from core.instants import seconds
from core.kinds import Rendition
from core.status import ENDED
from core.words import required
from policy.roles import Operation
from ra.access import authorise
from ra.desk import Desk
from ra.repeat import RequestKey, earlier, once
from ra.reporting import figures
from ra.reporting.contents import OtherItem, ReportAnswer, ReportItems
from ra.reporting.limit import Excess, suspect_excess
from ra.reporting.views import ReportIssued, ReportPage, ReportRemarked
from ra.standing import require_open_month
from ra.views import document, page, view_of
from store.reading import approvals as approval_reading
from store.reading import notices as renderings
from store.reading import reports as reading
from store.reading.authority import authority_row
from store.reading.report_questions import asked_of
from store.reading.reports import IssuedReport
from store.reading.tasks import first_grant
from store.transactions import Transaction
from store.verbs import facts
from store.verbs import reports as verbs
from store.verbs.notices import keep_rendering


def month_of(at: datetime) -> str:
    """Return the month of an instant as reports name it: `2027-05`; UTC, as every day of the Code is here."""
    return f"{at.year:04d}-{at.month:02d}"


def report(desk: Desk, actor: Actor, month: str) -> bytes:
    """Return a month's report as canonical JSON: as it was issued, byte for byte, or as it would be issued now.

    Raises:
        MonthMalformed: not `2027-05`.
        NoSuchThing: the month has not begun, or a later report covers it, or there was no authority then.
    """
    authorise(actor, Operation.READ_REPORT)
    at = desk.clock.now()
    with desk.store.read() as tx:
        return _document(desk, tx, month, at=at)


def shown(desk: Desk, actor: Actor, month: str) -> ReportAnswer:
    """Return what `report` does, as it is shown to people: what is not issued is not written down for that first."""
    authorise(actor, Operation.READ_REPORT)
    at = desk.clock.now()
    with desk.store.read() as tx:
        issued = reading.issued(tx, month)
        if issued is not None:
            return view_of(ReportAnswer, issued.document)
        return _unissued(desk, tx, month, at=at).report


def rendered(desk: Desk, actor: Actor, month: str, form: Rendition) -> bytes:
    """Return a month's report as PDF or workbook; an issued one is rendered once and kept. For errors see report()."""
    authorise(actor, Operation.READ_REPORT)
    at = desk.clock.now()
    subject = _subject(month)
    with desk.store.read() as tx:
        said = _document(desk, tx, month, at=at)
        frozen = reading.issued(tx, month) is not None
        kept = renderings.rendering(tx, subject, Rendition(form)) if frozen else None
    if kept is not None:
        return kept
    # No transaction is open: typesetting takes its time. If we die here, the next who asks renders it.
    octets = _renderer(form)(read_json(said))
    if not frozen:
        return octets
    with desk.store.begin("render report") as tx:
        if keep_rendering(tx, subject, Rendition(form), octets, at=at):
            told: dict[str, Json] = {"subject": subject, "form": form, "sha256": hashlib.sha256(octets).hexdigest()}
            facts.record(tx, Fact(FactKind.DOCUMENT_RENDERED, at, actor, subject=subject, payload=told))
            return octets
    with desk.store.read() as tx:  # somebody was first, and everybody gets those bytes
        return renderings.rendering(tx, subject, Rendition(form)) or octets


def reports(desk: Desk, actor: Actor, *, after: str, limit: int) -> ReportPage:
    """Return a page of the reports that were issued, and the cursor for the next."""
    authorise(actor, Operation.READ_REPORT)
    with desk.store.read() as tx:
        rows = page(limit, lambda most: reading.issued_list(tx, after=after, limit=most), lambda each: each.month)
    return ReportPage(reports=tuple(map(_listed, rows.found)), next=rows.next, truncated=rows.truncated)


def issue_report(
    desk: Desk,
    actor: Actor,
    month: str,
    request: RequestKey | None = None,
    *,
    early: bool = False,
    months: Sequence[str] | None = None,
) -> ReportIssued:
    """Issue a month's report and freeze it. Months are issued in order, each when it is over.

    Args:
        desk: where.
        actor: of the DCC.
        month: `2027-05`.
        request: the Idempotency-Key, if one was sent.
        early: whether it is meant to be issued before its month is over.
        months: those that it covers, where months before it were left out; None where none was.

    Raises:
        MonthMalformed: not `2027-05`.
        ReportOutOfTurn: the month has not begun, or a later one has been issued; it is not over and that is not said,
            it covers other months than are named, or it does not answer a question of the SSC.
        WrongState: it has been issued.
    """
    authorise(actor, Operation.ISSUE_REPORT)
    at = desk.clock.now()
    with desk.store.read() as tx:
        issued = earlier(tx, actor, request, ReportIssued)
        if issued is not None:
            return issued
        _require_turn(tx, month, at=at)
        # Counting a million devices takes a second or two, in which nobody has to wait for us: what is recorded
        # meanwhile is in the next report, which counts from what this one counted.
        draft = _drafted(desk, tx, month, at=at)
        _require_meant(tx, draft.report, early=early, months=months)
    with desk.store.begin("issue report") as tx:
        return once(desk, tx, actor, request, ReportIssued, lambda: _issued(tx, draft, actor, at=at), at=at)


def _issued(tx: Transaction, draft: "_Draft", actor: Actor, *, at: datetime) -> ReportIssued:
    month, since = draft.report.report, draft.report.since
    verbs.hold(tx)
    _require_turn(tx, month, at=at)
    if reading.newest_month(tx) != draft.previous:
        raise ReportOutOfTurn(month=month, detail="another was issued at this very moment")
    if since is not None and since >= at:
        raise ReportOutOfTurn(month=month, detail=f"that for {draft.previous} ends in this very second")
    issued = _frozen(tx, draft.report, actor, at=at)
    verbs.issue(tx, issued)
    for each in draft.report.approvals:
        if each.above_limit and each.state not in ENDED:
            found = Excess(deployed=each.deployed, maximum=each.limit, since=at)
            suspect_excess(tx, approval_reading.locked(tx, each.approval), (found,), actor=actor, at=at)
    said: dict[str, Json] = {"month": month, "document_sha256": issued.document_sha256}
    facts.record(tx, Fact(FactKind.REPORT_ISSUED, at, actor, subject=_subject(month), payload=said))
    return _listed(issued)


def remark_report(
    desk: Desk, actor: Actor, month: str, words: str, request: RequestKey | None = None
) -> ReportRemarked:
    """Add free text to a report that has not been issued (F2.28(h)).

    Raises:
        MonthMalformed: not `2027-05`.
        ReportOutOfTurn: a later one has been issued.
        WrongState: it has been issued.
    """
    authorise(actor, Operation.REMARK_REPORT)
    at = desk.clock.now()
    with desk.store.begin("remark report") as tx:
        return once(desk, tx, actor, request, ReportRemarked, lambda: _remarked(tx, month, words, actor, at=at), at=at)


def _remarked(tx: Transaction, month: str, words: str, actor: Actor, *, at: datetime) -> ReportRemarked:
    verbs.hold(tx)
    require_open_month(tx, month)
    salt = secrets.token_bytes(SALT_OCTETS)
    # The identifier holds the salt of the words' digest; it stays beside them and is told to nobody.
    verbs.remark(
        tx, f"remark-{seconds(at):08x}-{salt.hex()}", month, text=required(words, of="the remark"), by=actor.name, at=at
    )
    said: dict[str, Json] = {"month": month, "salted_sha256": salted_digest(words, salt)}
    facts.record(tx, Fact(FactKind.REPORT_REMARKED, at, actor, subject=_subject(month), payload=said))
    return ReportRemarked(report=month, made_at=at, made_by=actor.name)


def _require_turn(tx: Transaction, month: str, *, at: datetime) -> None:
    require_open_month(tx, month)
    if month > month_of(at):
        raise ReportOutOfTurn(month=month, detail="the month has not begun")
    if month < month_of(authority_row(tx).created_at):
        raise ReportOutOfTurn(month=month, detail="there was no authority then")


def _require_meant(tx: Transaction, said: ReportAnswer, *, early: bool, months: Sequence[str] | None) -> None:
    """Raise ReportOutOfTurn unless whoever issues a report says what is unusual about it."""
    if said.early and not early:
        raise ReportOutOfTurn(month=said.report, detail="the month is not over; wait, or say that it is early")
    named = ", ".join(said.covers)
    if months is not None and tuple(months) != said.covers:
        raise ReportOutOfTurn(month=said.report, detail=f"it covers {named}; name exactly these months")
    newest = reading.newest_month(tx)
    left_out = [each for each in said.covers if each not in {said.report, newest}]
    if left_out and months is None:
        missing = ", ".join(left_out)
        raise ReportOutOfTurn(
            month=said.report,
            detail=f"there was none for {missing}; issue that first, or name the months that this covers: {named}",
        )


def _covered(tx: Transaction, month: str, newest: IssuedReport | None) -> tuple[str, ...]:
    """The months whose report it is: from behind the last that was reported whole, or from the first grant on."""
    if newest is None:
        granted = first_grant(tx)
        first = month if granted is None else min(month, month_of(granted))
    else:
        first = newest.month if read_json(newest.document).get("early") else _after(newest.month)
    found = [first]
    while found[-1] < month:
        found.append(_after(found[-1]))
    return tuple(found)


def _after(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


# --- the document ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Draft:
    """A report that has not been issued, and the month of the one it counts from."""

    report: ReportAnswer
    previous: str | None


def _document(desk: Desk, tx: Transaction, month: str, *, at: datetime) -> bytes:
    found = reading.issued(tx, month)
    if found is not None:
        return found.document.encode("utf-8")
    return canonical(document(_unissued(desk, tx, month, at=at).report))


def _unissued(desk: Desk, tx: Transaction, month: str, *, at: datetime) -> _Draft:
    try:
        _require_turn(tx, month, at=at)
    except MonthMalformed:
        raise
    except TrialCpaError:
        raise NoSuchThing(kind="report for", identifier=month) from None
    return _drafted(desk, tx, month, at=at)


def _drafted(desk: Desk, tx: Transaction, month: str, *, at: datetime) -> _Draft:
    """Compute everything of a report as of `at`; it is not issued."""
    authority = authority_row(tx)
    newest = reading.newest(tx)
    months = desk.rules.look_ahead_months
    lines = _lines(tx, newest, until=at)
    items = ReportItems(
        a=figures.on_the_list(lines),
        b=figures.added_to_the_list(lines),
        c=figures.removed_from_the_list(lines),
        d=figures.deployed(lines),
        e=figures.deployed_since(lines),
        f=figures.decommissioned_since(lines),
        g=figures.expiring(lines, until=at, months=months),
        h=_other_information(tx, month),
    )
    computed = ReportAnswer(
        report=month,
        authority=authority.name,
        environment=authority.environment,
        issued=False,
        issued_at=None,
        since=None if newest is None else newest.until,
        until=at,
        early=month_of(at) == month,
        covers=_covered(tx, month, newest),
        look_ahead_months=months,
        items=items,
        corrections=figures.corrections(lines),
        approvals=figures.by_approval(lines),
    )
    return _Draft(computed, previous=None if newest is None else newest.month)


def _lines(tx: Transaction, newest: IssuedReport | None, *, until: datetime) -> list[figures.Line]:
    before = {} if newest is None else figures.counted_in(read_json(newest.document))
    stints = reading.stint_counts(tx, since=None if newest is None else newest.until, until=until)
    instructed = reading.instructed(tx, until=until)
    names = reading.manufacturer_names(tx)
    nothing = reading.StintCounts()
    return [
        figures.Line(
            record=each,
            manufacturer=names[each.identifier],
            until=until,
            stints=stints.get(each.identifier, nothing),
            instructed=instructed.get(each.identifier, ()),
            before=before.get(each.identifier, figures.NOTHING_COUNTED),
        )
        for each in approval_reading.records(tx)
        if each.granted_at <= until
    ]


def _frozen(tx: Transaction, draft: ReportAnswer, actor: Actor, *, at: datetime) -> IssuedReport:
    """The draft with every remark that was made before this moment, as it will stay."""
    items = replace(draft.items, h=_other_information(tx, draft.report))
    unanswered = ", ".join(each.question for each in items.h.questions if each.answer is None)
    if unanswered:
        detail = f"it does not answer what the Sub-Committee asks: {unanswered}; answer each first"
        raise ReportOutOfTurn(month=draft.report, detail=detail)
    final = canonical(document(replace(draft, issued=True, issued_at=at, items=items)))
    return IssuedReport(
        month=draft.report,
        since=draft.since,
        until=at,
        document=final.decode(),
        document_sha256=hashlib.sha256(final).hexdigest(),
        issued_at=at,
        issued_by=actor.name,
    )


def _other_information(tx: Transaction, month: str) -> OtherItem:
    asked = asked_of(tx, month, after=reading.newest_month(tx) or "")
    return figures.other_information(reading.remarks(tx, month), reading.attachments(tx, month), asked)


def _listed(found: IssuedReport) -> ReportIssued:
    return ReportIssued(
        report=found.month,
        since=found.since,
        until=found.until,
        issued_at=found.issued_at,
        issued_by=found.issued_by,
        document_sha256=found.document_sha256,
    )


def _subject(month: str) -> str:
    return f"report {month}"


def _renderer(form: Rendition) -> Callable[[dict[str, Json]], bytes]:
    # Loaded when somebody asks for it: the typesetter is large, and most processes never need it.
    match form:
        case Rendition.PDF:
            from documents.report import report_pdf  # noqa: PLC0415 - see above

            return report_pdf
        case Rendition.XLSX:
            from documents.report_book import report_xlsx  # noqa: PLC0415 - see above

            return report_xlsx
        case _:
            assert_never(form)
