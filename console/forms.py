"""What forms send, read strictly: fields, what makes two of them one, and what an officer has signed elsewhere."""

import hashlib
import re
from collections.abc import Mapping

from flask import render_template, request

from console.passkey_answer import read_answer
from console.service import Console
from core.actors import Actor
from core.canonical import read_json
from core.errors import AuthorisationRefused
from core.kinds import AuthorisationFlaw
from officers.statement import Claim, parse_authorisation
from ra.applying.evidence import LARGEST_FILE
from ra.authorising import Signed
from ra.deciding.many import MOST
from ra.repeat import RequestKey
from ra.reporting.record import LARGEST_REPORT
from ra.telling.reconcile import LARGEST_LIST

LONGEST_AUTHORISATION = 64 * 1024
FRAMING = 64 * 1024
"""Octets that a form adds to the file in it."""

FORM_LIMIT = 256 * 1024

LONGEST_LIST = 20 * MOST
"""Characters of approvals that are named to be revoked together: an identifier and what parts it from the next."""
LARGEST_QUESTIONS = 8 * 1024 * 1024
"""Octets of a file of questions: ten thousand with identifiers, units and devices have two MiB."""

OF_FILES: Mapping[str, int] = {
    **{
        f"/console/{each}/{{identifier}}/files": LARGEST_FILE + FRAMING
        for each in ("applications", "breaches", "suspicions", "amendment-requests", "reports")
    },
    "/console/list/reconciliation": LARGEST_LIST + FRAMING,
    "/console/deployments": LARGEST_REPORT + FRAMING,
    "/console/verify/file": LARGEST_QUESTIONS + FRAMING,
}
"""Addresses whose forms carry a file, with the octets that they take: whoever sent it has it still."""

LARGER: Mapping[str, int] = {**OF_FILES, "/console/revocations": LONGEST_LIST + FORM_LIMIT}
"""Those, and addresses where a list of many is typed; all others take FORM_LIMIT."""

NOT_TYPED = frozenset(
    {
        *("csrf_token", "fresh", "version", "after", "kept", "conditions", "statement", "proposal_sha256"),
        *("tbs_sha256", "response", "authorisation", "asked", "attendance", "credential", "serial"),
        *("do", "another", "then", "from", "what", "which"),
    }
)
"""Fields that a page, a button or an officer's tool fills in; all else of a form somebody may have typed."""
_CHOSEN = ("-class", "-to")
"""With what the names of fields end in which something is chosen."""
_PRIVATE_KEY = re.compile(r"PRIVATE\W*KEY", re.IGNORECASE)

_FRESH = re.compile(r"[A-Za-z0-9_-]{22}")


def field(name: str) -> str:
    """Return what was typed into a field, without blanks around it."""
    return request.form.get(name, "").strip()


def given_back(heading: str, sentence: str, hint: str, *, then: str | None = None) -> str:
    """Return the page for a form that was not taken at all: what was typed into it is nowhere else, and stands there.

    A private key that was pasted is never said again, nor anything of a form without a token: no page of ours sent it.

    Args:
        heading: what has become of the form.
        sentence: why.
        hint: what to do.
        then: where to go on after signing in, which has to be done first; None if it need not.
    """
    ours = "csrf_token" in request.form
    sent = [(name, value.strip()) for name, value in request.form.items(multi=True) if ours and _typed(name)]
    typed = [(name, value) for name, value in sent if value and not _PRIVATE_KEY.search(value)]
    spent = any(_PRIVATE_KEY.search(value) for value in request.form.values())
    return render_template(
        "not_sent.html", heading=heading, sentence=sentence, hint=hint, then=then, typed=typed, spent=spent
    )


def _typed(name: str) -> bool:
    return name not in NOT_TYPED and not name.endswith(_CHOSEN)


def request_key() -> RequestKey | None:
    """Return what makes the same form sent twice one act: given with the page, with the digest of what was sent."""
    key = request.form.get("fresh", "")
    if not _FRESH.fullmatch(key):
        return None
    sent = sorted((name, value) for name, value in request.form.items(multi=True) if name != "csrf_token")
    said = repr((request.path, sent)).encode("utf-8", "surrogatepass")
    return RequestKey(f"console-{key}", hashlib.sha256(said).hexdigest())


def signed(console: Console, actor: Actor, claim: Claim) -> Signed | None:
    """Return what came with an act: what a passkey answered, what was pasted, or what a test authority's machine signs.

    Raises:
        AuthorisationRefused: what was pasted is not what trialcpa officer sign prints.
    """
    pasted, response = field("authorisation"), field("response")
    if response:
        return Signed(authorisation=read_answer(field("statement"), response))
    if pasted:
        return _pasted(pasted)
    return None if console.signs is None else console.signs.signed(actor, claim)


def _pasted(words: str) -> Signed:
    refused = AuthorisationRefused(
        flaw=AuthorisationFlaw.MALFORMED, detail="it is not what trialcpa officer sign prints, from { to }"
    )
    if len(words) > LONGEST_AUTHORISATION:
        raise refused
    try:
        said = read_json(words.encode())
        document = dict(said["authorisation"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise refused from None
    return Signed(authorisation=parse_authorisation(document))
