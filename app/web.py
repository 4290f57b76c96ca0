"""The web process: one granian server, the status plane in front of the API, a mirror that follows the store.

It holds no private key of the authority and does not read the folder they lie in.
"""

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from granian.constants import Interfaces
from granian.server import Server

from api.app import create_app
from api.status.snapshot import Mirror
from api.status.wsgi import StatusPlane
from app.house import HOME_VARIABLE, home_of, open_house
from app.settings import Settings, load
from ra.access import may_verify
from store.reading.status import StatusReader

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_log = logging.getLogger(__name__)


def application() -> "WSGIApplication":
    """Return the WSGI application of the authority whose home is in the environment; granian's worker calls it."""
    _end_with_parent(os.getppid())
    settings = load(home_of(None))
    house = open_house(settings)
    mirror = Mirror(StatusReader(house.store), house.machine, max_age=settings.status_max_age)
    mirror.start()
    base_url = house.row().base_url
    service = create_app(house.desk, base_url=base_url, after_write=mirror.catch_up, mirror=mirror)
    return StatusPlane(mirror, service.wsgi_app, may_verify)


def serve(settings: Settings) -> None:
    """Listen until SIGTERM or SIGINT."""
    os.environ[HOME_VARIABLE] = str(settings.home)
    Server(
        "app.web:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=1,
        blocking_threads=settings.web_threads,
        respawn_failed_workers=True,
        workers_kill_timeout=2,
        log_enabled=False,
        websockets=False,
    ).serve()


def _end_with_parent(parent: int) -> None:
    """End this worker when the server above it is gone: an orphan would hold the port and serve an old house."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()
