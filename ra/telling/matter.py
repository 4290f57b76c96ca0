"""What a notice is about, read once for all recipients, and the facts that every one of them gets.

These are the facts of certificate and list (F2.21(a), (c), (d)); what may be withheld is dealt with in
ra/telling/writing.py.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.approval import DEVICE_WORDS, ApprovalRecord, EndCause, Firmware, device_said
from core.canonical import Json
from core.classification import Passage, Recipient
from core.clauses import serves
from core.identifiers import Serial
from core.instants import text
from core.kinds import Waiting
from core.status import ended_at
from core.waiting import terms_at
from ra.grounds import conditions_of, passages_of
from ra.proposal import application_of, firmware_json, said_in
from ra.telling.words import CAUSES, NoticeForm
from store.reading import approvals as approval_reading
from store.reading import conditions as condition_reading
from store.reading import notices, requests
from store.reading.authority import AuthorityRow, authority_row
from store.rows import Application, Decision, Organisation
from store.transactions import Transaction


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """The notice that another corrects.

    Args:
        notice: its number.
        title: what it was called.
        written_at: when it was written, RFC 3339.
    """

    notice: str
    title: str
    written_at: str


@dataclass(frozen=True)
class NoticeSaid:
    """What the kind of a decision says of its notice.

    Args:
        form: how it is called.
        effective: from when it holds, RFC 3339; None if nothing takes effect, or not yet.
        cause: why an approval or its certificate ends by it; None if none does.
        corrects: the notice that it corrects; None if it corrects none.
    """

    form: NoticeForm
    effective: str | None = None
    cause: EndCause | None = None
    corrects: Corrected | None = None


@dataclass(frozen=True)
class Matter:
    """What a notice is about.

    Args:
        decision: what was decided.
        told: what its kind says of the notice.
        said: its proposal.
        authority: who writes.
        application, organisation: whose Trial Device it is.
        recipients: who has a copy: all, but of a correction those who have one of the notice that it corrects.
        approval: the approval, if there is one.
        passages, conditions: every word of the decision, those that some do not get included.
        standing: every condition that the approval ever had, by number.
        at: when it is written, or shown before it is.
        written: whether the act is done.
    """

    decision: Decision
    told: NoticeSaid
    said: dict[str, Any]
    authority: AuthorityRow
    application: Application
    organisation: Organisation
    recipients: Sequence[Recipient]
    approval: ApprovalRecord | None
    passages: Sequence[Passage]
    conditions: Sequence[tuple[int, Passage]]
    standing: dict[int, Passage]
    at: datetime
    written: bool


def matter_of(tx: Transaction, decision: Decision, told: NoticeSaid, *, at: datetime, written: bool) -> Matter:
    """Read what a decision's notice is about.

    Args:
        tx: reads, or writes the decision's act.
        decision: the decision.
        told: what its kind says of the notice.
        at: when the notice is written, or shown before it is.
        written: whether the act is done; before that nothing has ended.
    """
    # Before a grant is seconded there is no approval of that name yet, and a refusal never has one.
    approval = None if decision.approval is None else approval_reading.find(tx, decision.approval)
    if decision.application_id is None and approval is not None:
        application_id = approval_reading.approval(tx, approval.identifier).application_id
    else:
        application_id = application_of(decision)
    application = requests.application(tx, application_id)
    standing = condition_reading.conditions_of(tx, approval.identifier) if approval else []
    return Matter(
        decision=decision,
        told=told,
        said=said_in(decision),
        authority=authority_row(tx),
        application=application,
        organisation=requests.organisation(tx, application.organisation_id),
        recipients=_recipients(tx, told),
        approval=approval,
        passages=passages_of(decision),
        conditions=conditions_of(decision),
        standing={each.number: each.passage for each in standing},
        at=at,
        written=written,
    )


@serves("F2.22")
def _recipients(tx: Transaction, told: NoticeSaid) -> Sequence[Recipient]:
    """Whoever was not told learns nothing by a correction: that there is a suspicion, or a request, is news itself."""
    if told.corrects is None:
        return tuple(Recipient)
    return [each.recipient for each in notices.copies(tx, [told.corrects.notice])[told.corrects.notice]]


def facts_of(matter: Matter) -> list[Json]:
    """Return the table of facts: description, dates, limit and, where there is one, the end.

    A correction repeats none of them: what it does not correct is told where it was told, and may hold no more.
    """
    if matter.told.corrects is not None:
        return _corrected(matter.told.corrects)
    return [*_description(matter), *_dates(matter), *_limit(matter), *_end(matter)]


def _corrected(corrected: Corrected) -> list[Json]:
    return [
        {"clause": "", "label": "Corrects notice", "value": corrected.notice},
        {"clause": "", "label": "Its title", "value": corrected.title},
        {"clause": "", "label": "Written", "instant": corrected.written_at},
    ]


def ended_since(matter: Matter) -> datetime | None:
    """Return since when the approval has ended, by an act or by time; None while it stands, or where there is none."""
    return None if matter.approval is None else ended_at(matter.approval, matter.at)


_DEVICE_LABELS = {"type": "Device type", "manufacturer": "Manufacturer code"}
"""By member of a device, its label where its own name could be taken for another thing of the notice."""


@serves("F2.21(a)")
def _description(matter: Matter) -> Iterator[Json]:
    """What the Trial Device is: as the proposal says it, else as it was approved, else as it was applied for."""
    said, application = matter.said, matter.application
    if said.get("device") is not None:
        device = device_said(said["device"])
    else:
        device = matter.approval.device if matter.approval else application.device
    described = [
        *((_DEVICE_LABELS.get(name, DEVICE_WORDS[name].capitalize()), value) for name, value in device.said().items()),
        ("SMETS or CHTS version", str(said.get("smets_version") or application.smets_version)),
        ("GBCS version", str(said.get("gbcs_version") or application.gbcs_version)),
    ]
    paragraph = _paragraph(matter, "a")
    for label, value in described:
        if value:
            yield {"clause": paragraph, "label": label, "value": value}


@serves("F2.21(c)")
def _dates(matter: Matter) -> Iterator[Json]:
    """Start and expiry of the approval: instants, so that readers see UTC and local time."""
    said, approval = matter.said, matter.approval
    start = said.get("start") or (text(approval.start) if approval else None)
    expiry = said.get("expiry") or (text(terms_at(approval, matter.at).expiry) if approval else None)
    paragraph = _paragraph(matter, "c")
    if start:
        yield {"clause": paragraph, "label": "Start of the approval", "instant": start}
    if expiry:
        yield {"clause": paragraph, "label": "Expiry of the approval", "instant": expiry}


@serves("F2.21(d)")
def _limit(matter: Matter) -> Iterator[Json]:
    """The maximum number of Trial Devices that may be deployed."""
    limit = matter.said.get("maximum_devices")
    if limit is None and matter.approval is not None:
        limit = terms_at(matter.approval, matter.at).maximum_devices
    if limit is not None:
        yield {"clause": _paragraph(matter, "d"), "label": "Maximum number of Trial Devices", "value": str(limit)}


@serves("F2.30", "F2.31")
def _end(matter: Matter) -> Iterator[Json]:
    """How an approval ends and what is cancelled with it. The cause is public; a breach's own words are not here."""
    cause, ended = matter.told.cause, ended_since(matter)
    if cause is None:
        if ended is not None:
            yield {"clause": "F2.31", "label": "The approval has ended", "instant": text(ended)}
        return
    yield {"clause": "F2.30", "label": "Cause", "value": CAUSES[cause]}
    if matter.written:
        label = "Certificate cancelled" if cause is EndCause.KEY_COMPROMISE else "End of the approval"
        yield {"clause": "F2.30", "label": label, "instant": text(matter.at)}
    issued = matter.approval.certificates if matter.approval else ()
    cancelled = [each.serial for each in issued if each.revoked_at == matter.at] if matter.written else []
    if cancelled:
        yield {"clause": "F2.31", "label": "Trial CPA Certificate cancelled", "value": ", ".join(cancelled)}


def _paragraph(matter: Matter, item: str) -> str:
    form = matter.told.form
    return f"F2.21({item})" if form.itemised else form.clause


def firmware(matter: Matter) -> list[Json]:
    """Return the firmware versions: as the proposal says them, else as approved, else as applied for."""
    if matter.told.corrects is not None:
        return []
    said = matter.said.get("firmware")
    if said is not None:
        return [{"version": each["version"], "image_sha256": each["image_sha256"]} for each in said]
    listed: tuple[Firmware, ...] = (
        terms_at(matter.approval, matter.at).firmware if matter.approval else matter.application.firmware
    )
    return firmware_json(listed)


@serves("F2.29")
def waiting(matter: Matter, certificates: Sequence[Mapping[str, Json]]) -> list[Json]:
    """Return what becomes of the changes that waited: carried from their own instants, or withdrawn.

    Args:
        matter: what the notice is about.
        certificates: those that travel with it, in order of issue; none before they are signed.
    """
    by_issue: dict[object, Json] = {each["issue"]: dict(each) for each in certificates}
    carried, withdrawn = matter.said.get("carried") or (), matter.said.get("withdrawn") or ()
    return [
        *(
            {
                "outcome": Waiting.CARRY.value,
                "issue": each["issue"],
                "effective": each["not_before"],
                "changes": each["changes"],
                "certificate": by_issue.get(each["issue"]),
            }
            for each in carried
        ),
        *(
            {
                "outcome": Waiting.WITHDRAW.value,
                "issue": each["issue"],
                "effective": each["effective"],
                "changes": each["changes"],
                "certificate": None,
            }
            for each in withdrawn
        ),
    ]


@serves("F2.25")
def certificate_of(tx: Transaction, matter: Matter, serial: Serial) -> dict[str, Json]:
    """The Trial CPA Certificate that is provided to all three with the notice."""
    _, der = approval_reading.certificate_der(tx, serial)
    issued = () if matter.approval is None else matter.approval.certificates
    held = next(each for each in issued if each.serial == serial)
    encoded = base64.b64encode(der).decode()
    # RFC 7468, 2 and 3: base64 in lines of 64 characters between the two labels.
    lines = "\n".join(encoded[first : first + 64] for first in range(0, len(encoded), 64))
    return {
        "serial": serial,
        "issue": held.issue,
        "sha256": hashlib.sha256(der).hexdigest(),
        "not_before": text(held.not_before),
        "not_after": text(held.not_after),
        "pem": f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n",
    }
