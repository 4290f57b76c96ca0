"""Whom the courier reaches: a subscriber that takes the DCC's notices, and a relay; and what they must have got."""

import hashlib
import hmac
import http.server
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select

from core.facts import FactKind
from jobs.courier import SIGNATURE_HEADER, TOLD
from jobs.deliver import DOCUMENT_HEADER, NOTICE_HEADER
from store.reading import journal
from store.tables import journal as journal_table
from store.transactions import Store
from store.trial_tables import deliveries, notice_copies
from tests.kill.steps import SECRET
from tests.mail_world import Received


class Hook(http.server.HTTPServer):
    """A subscriber: an HTTP server in the parent that keeps what it was told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hear)
        self.heard: list[tuple[int, bytes]] = []
        self.notices: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Hear(http.server.BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        expected = f"sha256={hmac.digest(SECRET, body, 'sha256').hex()}"
        right = hmac.compare_digest(expected, self.headers[SIGNATURE_HEADER])
        notice = self.headers[NOTICE_HEADER]
        if notice is not None:
            digest = hashlib.sha256(body).hexdigest()
            right = right and digest == self.headers[DOCUMENT_HEADER]
            self.server.notices.append((notice, digest))
        elif right:
            self.server.heard.append((json.loads(body)["number"], body))
        self.send_response(204 if right else 403)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def owed(store: Store) -> dict[str, Any]:
    """What everybody must have got by now, as the register has it; plain JSON, for the parent to compare."""
    with store.read() as tx:
        told = [each.row.number for each in journal.sealed_after(tx, 0, 10_000) if each.row.kind in TOLD]
        copies = notice_copies.c
        query = select(deliveries, copies.document_sha256).join(
            notice_copies, (copies.notice == deliveries.c.notice) & (copies.recipient == deliveries.c.recipient)
        )
        rows = list(tx.connection.execute(query))
        of_lists = select(func.count()).where(journal_table.c.kind == FactKind.REMINDER_SENT)
        lists = tx.connection.execute(of_lists).scalar()
    return {
        "told": told,
        "undelivered": [row.id for row in rows if row.state != "delivered"],
        "posted": [[row.notice, row.document_sha256] for row in rows if row.channel == "webhook"],
        "mailed": [f"{row.notice}.{row.recipient}.{row.id}" for row in rows if row.channel == "mail"],
        "lists": lists,
    }


def misses(hook: Hook, received: list[Received], register: dict[str, Any]) -> Iterator[str]:
    """Say what is missing outside, and what came too often.

    One courier died once: of all that it carries one thing may have come twice, and then it was the same.

    Args:
        hook, received: what came.
        register: what `owed` says after the restart.
    """
    firsts = list(dict(hook.heard))
    if firsts != register["told"] or len(set(hook.heard)) != len(firsts):
        yield f"the subscriber heard {firsts}, the journal tells {register['told']}"
    if register["undelivered"]:
        yield f"{register['undelivered']} are not delivered"
    posted = Counter(hook.notices)
    if set(posted) != {(notice, digest) for notice, digest in register["posted"]}:
        yield f"the listener got {sorted(posted)}, the register says {register['posted']}"
    mailed: dict[str, list[dict[str, bytes]]] = {}
    for each in received:
        mailed.setdefault(each.message["Message-ID"].strip(" <>").rpartition("@")[0], []).append(each.files)
    notices = {name: files for name, files in mailed.items() if not name.startswith("reminder.")}
    if notices.keys() != set(register["mailed"]):
        yield f"the relay got {sorted(notices)}, the register says {register['mailed']}"
    if len(mailed) - len(notices) != register["lists"]:
        yield f"the relay got {sorted(mailed.keys() - notices.keys())}, the register knows {register['lists']} lists"
    yield from (f"{name} came with other files" for name, files in notices.items() if files[1:] != files[:-1])
    twice = sum(posted.values()) - len(posted) + sum(map(len, mailed.values())) - len(mailed)
    if twice > 1:
        yield f"{twice} came more than once: {posted}, { {name: len(files) for name, files in mailed.items()} }"
