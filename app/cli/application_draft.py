"""The draft of an application: what was collected for it, in a file that nobody else may read, until it is sent.

It holds what will be sent and where the evidence lies; no API key, and no private key, which no form takes. While it is
sent it says how far that came, so that whoever is interrupted goes on where it was and sends nothing twice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from app.cli import shown
from app.cli.application_form import collected, missing
from core.canonical import Json, canonical, read_json
from core.errors import InputUnusable
from keys.private_file import NotPrivate, keep, read_private

VERSION = 1

LARGEST_DRAFT = 1024 * 1024
"""Octets: several times what a form may become as a request."""

_LONGEST_SHOWN = 300
"""Characters of a member; a certificate request is longer, and nobody reads it."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What was collected.

    Args:
        request: members of the application as they will be sent.
        evidence: by the path of each file, the SHA-256 that it had when it was collected, hex.
        application: as which it was taken in; None before.
    """

    request: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    application: str | None = None


def read(path: Path) -> Draft | None:
    """Return a draft; None if there is none yet.

    Raises:
        InputUnusable: others can get at it, or it is no draft.
    """
    if not path.exists():
        return None
    try:
        said = read_json(read_private(path, LARGEST_DRAFT))
        if said["draft"] != VERSION:
            raise InputUnusable(path=path, detail="it is a draft of another release.")
        return Draft(request=dict(said["request"]), evidence=dict(said["evidence"]), application=said["application"])
    except NotPrivate as error:
        raise InputUnusable(path=path, detail=f"{error}.") from None
    except (ValueError, KeyError, TypeError):
        raise InputUnusable(path=path, detail="it is not the draft of an application.") from None


def write(path: Path, draft: Draft) -> None:
    """Keep a draft, durable before this returns; InputUnusable if it cannot be."""
    said: dict[str, Json] = {
        "draft": VERSION,
        "request": dict(draft.request),
        "evidence": dict(draft.evidence),
        "application": draft.application,
    }
    try:
        keep(path, canonical(said))
    except OSError as error:
        raise InputUnusable(path=path, detail=f"it cannot be written ({error.strerror}).") from None


def with_more(
    path: Path,
    draft: Draft,
    form: Path | None,
    images: Sequence[tuple[str, Path]],
    evidence: Sequence[Path],
) -> Draft:
    """Return a draft with what was collected now; members that are named again take the place of those before.

    Args:
        path: of the draft.
        draft: as it was.
        form: with members of the application, none of which is needed yet.
        images: firmware versions with their files.
        evidence: files, which have been looked into.

    Raises:
        InputUnusable: with every problem of the form at once; or it has been taken in, and is changed there.
    """
    if draft.application is not None and (form is not None or images):
        detail = f"it was taken in: trialcpa apply --change {draft.application} changes what it says."
        raise InputUnusable(path=path, detail=detail)
    digests = {str(each.resolve()): hashlib.sha256(each.read_bytes()).hexdigest() for each in evidence}
    request = collected(path, draft.request, form, images) if form is not None or images else draft.request
    return replace(draft, request=request, evidence={**draft.evidence, **digests})


def require_whole(path: Path, draft: Draft) -> list[Path]:
    """Return the files of a draft that can be sent.

    Raises:
        InputUnusable: with everything that is missing, or is not what was collected, at once.
    """
    wrong = [f"{each} is missing." for each in missing(draft.request)]
    for file, sha256 in draft.evidence.items():
        try:
            now = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        except OSError as error:
            wrong.append(f"{file} cannot be read ({error.strerror}).")
            continue
        if now != sha256:
            wrong.append(f"{file} is not what it was when it was collected; name it with --evidence again.")
    if wrong:
        raise InputUnusable(path=path, detail="\n  - ".join(["", *wrong]))
    return [Path(each) for each in draft.evidence]


def show(console: Console, path: Path, draft: Draft) -> None:
    """Show what a draft holds, what it lacks, and how it goes on."""
    state = "nothing of it was sent" if draft.application is None else f"it was taken in as {draft.application}"
    shown.heading(console, f"Draft {path}: {state}")
    shown.facts(console, [(name.replace("_", " "), _in_short(value)) for name, value in draft.request.items()])
    shown.facts(console, [("evidence", list(draft.evidence)), ("missing", list(missing(draft.request)))])
    if missing(draft.request):
        goes_on = f"Add what is missing to a form: trialcpa apply FORM.toml --draft {path}"
    else:
        goes_on = f"To send it: trialcpa apply --draft {path} --send"
    shown.sentence(console, goes_on, style="dim")


def _in_short(value: object) -> str:
    said = value if isinstance(value, str) else canonical(value).decode()  # type: ignore[arg-type] # it is JSON
    return said if len(said) <= _LONGEST_SHOWN else f"{said[:_LONGEST_SHOWN]}… ({len(said):,} characters)"
