"""anybody: what whoever comes by may know of the authority, and how to check it without trusting it."""

import hashlib

from core.canonical import read_json
from ra.auditing.views import AuthorityShown
from ra.desk import Desk
from ra.issuing import root_der
from store.reading import log
from store.reading.authority import authority_row


def authority_shown(desk: Desk) -> AuthorityShown:
    """Return what the authority is; all of it is public, and nobody has to say who they are."""
    with desk.store.read() as tx:
        row = authority_row(tx)
        root = root_der(tx)
        begun, checkpoint = log.begun_said(tx), log.checkpoint(tx)
    return AuthorityShown(
        name=row.name,
        environment=row.environment,
        base_url=row.base_url,
        root_sha256=hashlib.sha256(root).hexdigest(),
        journal_key=row.journal_key.hex(),
        log_key=None if begun is None else str(read_json(begun)["key"]),
        checkpoint=None if checkpoint is None else checkpoint.note,
    )
