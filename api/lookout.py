"""What the register says is left to do, read by a thread of its own: whoever asks is told the last that was heard.

A register that says nothing holds that thread and nobody else; how long it has been silent is told.
"""

import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from api import problems
from api.readiness import Readiness, judged
from api.service import JSON_TYPE
from api.status.exchange import Reply
from api.status.snapshot import Mirror
from core.errors import StoreUnavailable
from ra.views import document
from store.reading.watching import Backlog, backlog
from store.transactions import Store

OLD_SECONDS = 5.0
"""How old what was heard may be; it is heard anew each second."""

_SECONDS = 1.0
_SOON_SECONDS = 0.1
"""How often it looks, and how often while not everything is well: the moment at which it is, is waited for."""


class Lookout:
    """Looks at the register from time to time.

    Args:
        store: the register.
        mirror: what the status plane answers from; it also knows the present instant.
        monotonic: seconds that only grow; a test hands in its own.
    """

    def __init__(self, store: Store, mirror: Mirror, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._mirror = mirror
        self._monotonic = monotonic
        self._heard: tuple[float, Backlog | None, str] = (monotonic(), None, "The register has not answered yet.")
        self._stopping = threading.Event()

    def start(self) -> None:
        """Look in a background thread until `stop`."""
        threading.Thread(target=self._run, name="lookout", daemon=True).start()

    def stop(self) -> None:
        """End the background thread, when it has looked."""
        self._stopping.set()

    def look(self) -> None:
        """Look once."""
        began = self._monotonic()
        try:
            with self._store.read() as tx:
                self._heard = (began, backlog(tx, self._mirror.now()), "")
        except StoreUnavailable as error:
            self._heard = (began, None, str(error))

    def readiness(self) -> Readiness:
        """Return whether the service is fit to serve, from memory."""
        at, left, said = self._heard
        age = self._monotonic() - at
        if age > OLD_SECONDS and left is not None:
            left, said = None, f"The register has not answered for {int(age)} seconds."
        return judged(left, said, self._mirror)

    def ready(self) -> Reply:
        """Return the answer of /readyz, from memory."""
        found = self.readiness()
        status = HTTPStatus.OK if found.ready else HTTPStatus.SERVICE_UNAVAILABLE
        fields = [("Content-Type", JSON_TYPE), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
        return Reply(status, problems.encode(document(found)), fields)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(_SECONDS if self.readiness().ready else _SOON_SECONDS)
