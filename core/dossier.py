"""The format of a dossier: what its manifest says, which the statement signer signs.

Version 1: `manifest.json` is canonical JSON (RFC 8785) with the members below; `manifest.p7s` is the CMS signature over
its octets (detached, DER). Every other file is named in `files` with its SHA-256 and its size.
"""

import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from core.canonical import Json, canonical, read_json
from core.instants import text

FORMAT, VERSION = "trialcpa-dossier", 1

MANIFEST, SIGNATURE = "manifest.json", "manifest.p7s"

ASKED_WITHIN = timedelta(minutes=5)
"""What was asked for so lately is handed out, and not put together anew: a person who waits asks every second."""


def manifest(
    *, authority: str, approval: str, at: datetime, asked_by: str, head: int, files: Mapping[str, tuple[str, int]]
) -> str:
    """Return a manifest.

    Args:
        authority: its name.
        approval: whose dossier it is.
        at: as of when.
        asked_by: who asked for it.
        head: the last row of the journal that a head was signed for.
        files: SHA-256 (hex) and octets of each, by name.
    """
    named: list[Json] = [
        {"name": name, "sha256": sha256, "octets": octets} for name, (sha256, octets) in sorted(files.items())
    ]
    said: dict[str, Json] = {
        "format": FORMAT,
        "version": VERSION,
        "authority": authority,
        "approval": approval,
        "as_of": text(at),
        "asked_by": asked_by,
        "journal_head": head,
        "files": named,
    }
    return canonical(said).decode()


def is_manifest(written: str, *, authority: str, approval: str) -> bool:
    """Return whether something is a manifest of this version, about an approval of an authority.

    Args:
        written: what may be one.
        authority: its name.
        approval: its identifier.
    """
    try:
        said = read_json(written)
        same = canonical(said) == written.encode()
    except ValueError:
        return False
    about = {"format": FORMAT, "version": VERSION, "authority": authority, "approval": approval}
    return same and isinstance(said, dict) and all(said.get(name) == value for name, value in about.items())


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as a ZIP; the same files give the same octets, whenever they are packed.

    Args:
        files: by name.
    """
    made = io.BytesIO()
    with ZipFile(made, "w") as archive:
        for name, octets in sorted(files.items()):
            member = ZipInfo(name)  # of 1980: a ZIP knows no earlier time, and none of ours is in it
            member.compress_type = ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, octets)
    return made.getvalue()


def unpacked(archive: bytes) -> dict[str, bytes]:
    """Return the files of a ZIP that was packed here, by name."""
    with ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}
