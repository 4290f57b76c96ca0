"""The public page of an approval, for people: what is White (state, device, firmware, dates) and nothing else.

The certificate names this page. It shows the firmware versions that the Central Products List names (F2.27), and when
each certificate held: no organisation, no limit, no digest, no condition and no reason for an end: whoever may know
those asks the API. No script, no foreign resource; its QR code leads to itself, for whoever has it on paper.
"""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from html import escape
from http import HTTPStatus

import segno

from api.status.exchange import Reply, seconds_to_keep
from core.instants import parse, text
from core.local_time import uk
from core.mirror import AuthorityView, Held
from core.status import ENDED, State, Status, approval_status, certificate_end
from core.waiting import Pending, pending

MAX_AGE_SECONDS = 60
"""People press reload and expect it to tell."""

_STYLE = """
:root{color-scheme:light dark;--ink:#14212b;--soft:#55636e;--paper:#fff;--desk:#eef1f3;--line:#d9dfe4;--yes:#0b6b3a;
--no:#a3251c;--wait:#8a5200;--grey:#4a5560}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf1;--soft:#9fb0bd;--paper:#17212a;--desk:#0d141a;--line:#2c3a46;
--yes:#5fd39a;--no:#ff8f86;--wait:#f2b65a;--grey:#b0bcc6}}
*{box-sizing:border-box}
body{margin:0;background:var(--desk);color:var(--ink);font:17px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
.test{background:#f2b200;color:#201800;text-align:center;font-weight:700;padding:.5rem 1rem}
main{max-width:44rem;margin:3rem auto;padding:0 1rem}
article{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:2rem 2.2rem}
.kind{margin:0;color:var(--soft);font-size:.95rem}
h1{margin:.1rem 0 1.4rem;font-size:2rem;letter-spacing:.01em;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.state{border-left:6px solid;padding:.2rem 0 .2rem 1rem;margin:0 0 1.8rem}
.state strong{display:block;font-size:1.35rem}
.yes{border-color:var(--yes)}.yes strong{color:var(--yes)}
.no{border-color:var(--no)}.no strong{color:var(--no)}
.wait{border-color:var(--wait)}.wait strong{color:var(--wait)}
.grey{border-color:var(--grey)}.grey strong{color:var(--grey)}
dl{margin:0;display:grid;grid-template-columns:minmax(9rem,1fr) 2fr}
dt,dd{margin:0;padding:.65rem 0;border-top:1px solid var(--line)}
dt{color:var(--soft)}
dd{overflow-wrap:anywhere}
dd small{display:block;color:var(--soft)}
h2{font-size:1.1rem;margin:1.8rem 0 .4rem}
ol{margin:0;padding:0;list-style:none}
li{padding:.65rem 0;border-top:1px solid var(--line)}
li small{display:block;color:var(--soft)}
.code{margin:1.8rem 0 0;display:flex;flex-wrap:wrap;gap:1rem;align-items:center;color:var(--soft);font-size:.9rem}
.code svg{background:#fff;width:7.5rem;height:7.5rem;flex:none}
.code span{overflow-wrap:anywhere;flex:1 1 12rem}
footer{color:var(--soft);font-size:.9rem;padding:1.2rem .2rem}
@media (max-width:34rem){article{padding:1.4rem 1.2rem}dl{grid-template-columns:1fr}dd{border:0;padding-top:0}
dt{padding-bottom:0}}
"""

# The one style allowed is this one, by its digest: markup that somebody smuggled in gets neither style nor script.
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode("ascii")).digest()).decode("ascii")
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

# State: class of the badge, heading, sentence.
_WORDS: dict[State, tuple[str, str, str]] = {
    State.ACTIVE: (
        "yes",
        "Active",
        "This device model has a Trial Device Approval, and is deemed to have a CPA Certificate until it ends (F2.26).",
    ),
    State.NOT_YET_STARTED: (
        "wait",
        "Not yet started",
        "The trial has been approved and has not begun. This device model is not covered yet.",
    ),
    State.CANCELLED: (
        "no",
        "Cancelled",
        "This device model is not covered by a Trial CPA Certificate.",
    ),
    State.EXPIRED: (
        "grey",
        "Expired",
        "The trial has ended as planned. This device model is no longer covered.",
    ),
    State.WITHDRAWN: (
        "grey",
        "Withdrawn",
        "The trial was ended early at the Manufacturer's request. This device model is no longer covered.",
    ),
}
_NOT_ISSUED = (
    "wait",
    "Certificate not issued",
    "The trial is approved and its certificate is not recorded. This device model is not covered yet.",
)


def approval_page(authority: AuthorityView, held: Held, now: datetime) -> Reply:
    """Return the page of an approval as it is at `now`."""
    record = held.record
    status = approval_status(record, now)
    terms = status.terms
    if terms is None:
        return absent_page(authority, record.identifier)
    kind, heading, sentence = _words(status)
    rows = [
        *((name.replace("_", " ").capitalize(), escape(value)) for name, value in record.device.listed().items()),
        ("Firmware", escape(", ".join(each.version for each in terms.firmware)) or "none named"),
        ("Approved from", _instant(record.start)),
        ("Approved until", _instant(terms.expiry)),
    ]
    rows += [("Decided for later", _waits(each)) for each in pending(record, now) if status.state not in ENDED]
    ended = _ended(held, status, now)
    if ended is not None:
        rows.append(("Ended", _instant(ended)))
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    body = (
        f'<p class="kind">Trial Device Approval</p><h1>{escape(record.identifier)}</h1>'
        f'<p class="state {kind}"><strong>{heading}</strong>{sentence}</p><dl>{listed}</dl>'
        f"<h2>What came before</h2><ol>{''.join(f'<li>{each}</li>' for each in _history(held, status, now))}</ol>"
        f"{_code(f'{authority.base_url}/approvals/{record.identifier}')}"
    )
    footer = f"As of {text(now)}. Systems should ask OCSP, the revocation list or the verification service instead."
    keep = seconds_to_keep(now, MAX_AGE_SECONDS, status.next_change)
    return _page(HTTPStatus.OK, authority, f"{record.identifier}: {heading}", body, footer, f"public, max-age={keep}")


def absent_page(authority: AuthorityView, identifier: str) -> Reply:
    """Return the page for an identifier under which there is nothing."""
    body = (
        f'<p class="kind">Trial Device Approval</p><h1>{escape(identifier)}</h1>'
        '<p class="state no"><strong>Unknown</strong>There is no approval with this identifier here. '
        "Check it against the notice or the certificate.</p>"
    )
    return _page(HTTPStatus.NOT_FOUND, authority, "No such approval", body, "", "no-store")


def stale_page() -> Reply:
    """Return the page for when nothing can be said truthfully."""
    body = (
        '<p class="kind">Trial Device Approval</p><h1>Not available</h1>'
        '<p class="state wait"><strong>Try again shortly</strong>The state of approvals cannot be told truthfully at '
        "this moment, so nothing is shown.</p>"
    )
    return _page(HTTPStatus.SERVICE_UNAVAILABLE, None, "Not available", body, "", "no-store")


def _words(status: Status) -> tuple[str, str, str]:
    if status.certificate is None and status.state in {State.ACTIVE, State.NOT_YET_STARTED}:
        return _NOT_ISSUED
    return _WORDS[status.state]


def _history(held: Held, status: Status, now: datetime) -> Iterator[str]:
    """When it was granted, from when to when each certificate held, and its end; what is to come is told above."""
    yield f"Granted {_instant(held.record.granted_at)}"
    for each in held.record.certificates:
        end = certificate_end(each)
        if each.signed_at <= now:
            until = end.at if end.at <= now else None
            over = "" if until is None else f"; it no longer holds since {_instant(until)}"
            yield f"Certificate {each.issue}, from {_instant(each.not_before)}{over}"
    ended = _ended(held, status, now)
    if ended is not None:
        yield f"Ended {_instant(ended)}"


@lru_cache(maxsize=1024)
def _code(address: str) -> str:
    """A QR code as markup: it is drawn once for each page that is asked for often."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        border=2, dark="#17242f", light=None, svgclass=None, lineclass=None, omitsize=True
    )
    named = drawn.replace("<svg ", '<svg role="img" aria-label="QR code of this page" ', 1)
    return f'<p class="code">{named}<span>This page: {escape(address)}</span></p>'


def _ended(held: Held, status: Status, now: datetime) -> datetime | None:
    if status.state not in {State.CANCELLED, State.WITHDRAWN}:
        return None
    if held.record.ended_at is not None and held.record.ended_at <= now:
        return held.record.ended_at
    return None if status.certificate is None else certificate_end(status.certificate).at


def _waits(change: Pending) -> str:
    """What of a change is White: when it takes effect, and the expiry from then on."""
    expiry = next((parse(each.after) for each in change.changes if each.subject == "expiry"), None)
    told = "a change takes effect" if expiry is None else f"approved until {_instant(expiry)}"
    return f"From {_instant(change.effective)}{told}"


def _instant(at: datetime) -> str:
    return f'<time datetime="{text(at)}">{at.day} {at:%B %Y, %H:%M:%S} UTC</time><small>UK time: {uk(at)}</small>'


def _page(status: HTTPStatus, authority: AuthorityView | None, title: str, body: str, footer: str, cache: str) -> Reply:
    test = authority is not None and authority.environment == "test"
    banner = '<header class="test">TEST — nothing on this page is a real approval</header>' if test else ""
    name = "" if authority is None else escape(authority.name)
    document = (
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{banner}<main><article>{body}</article>"
        f"<footer>{name}<br>{footer}</footer></main></body></html>\n"
    )
    return Reply(
        status,
        document.encode("utf-8", "xmlcharrefreplace"),
        [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", _POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", cache),
        ],
    )
