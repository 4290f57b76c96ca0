"""`trialcpa serve` and `trialcpa run`: the processes."""

import logging
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import TypeVar

import click
from rich.console import Console
from rich.markup import escape

from app import settings as settings_file
from app.cli.options import DEFAULT_URL, INSTANT, home_option
from app.cli.telling import tell
from app.house import home_of, open_house
from app.processes import EXIT_PIN, Supervisor, end_with_supervisor, require_free
from app.status_settings import Address
from app.stopping import stopped_by_signal
from core.errors import NEEDS_A_PERSON, HomeOccupied, StoreUnavailable
from core.kinds import Apart, ProcessRole, WebPart
from core.loading import loading
from core.trouble import Trouble

_log = logging.getLogger(__name__)
_Opened = TypeVar("_Opened")

_WAITING_SECONDS = 0.5


@click.command(epilog="\b\nExample:\n  trialcpa serve --home var")
@home_option
@click.option("--port", type=click.IntRange(1, 65535), help="Listen elsewhere than the settings say.")
@click.option("--test", "create_test", is_flag=True, help="Make a TEST authority first if there is none.")
@click.option("--store", "store_url", help="PostgreSQL URL for the authority that --test makes.")
@click.option("--test-clock", type=INSTANT, help="Move a test authority's clock to this instant first.")
def serve(
    home: Path | None,
    port: int | None,
    create_test: bool,  # noqa: FBT001 - click
    store_url: str | None,
    test_clock: datetime | None,
) -> None:
    """Run web, authority, courier and renderer on this machine until Ctrl-C."""
    folder = home_of(home)
    console = Console(soft_wrap=True, highlight=False)
    fresh = create_test and not (folder / "ceremony" / "transcript.txt").exists()
    if fresh:
        require_free("127.0.0.1", port or settings_file.DEFAULT_PORT)
        from app.cli.ceremony import planned  # noqa: PLC0415 - once in its life
        from app.cli.demo import make_demo  # noqa: PLC0415

        console.print(f"Making a TEST authority in {escape(str(folder))} …")
        make_demo(planned(folder, "test", port=port, store_url=store_url, test_clock=test_clock))
    settings = settings_file.load(folder)
    if store_url and not fresh and settings.store_url != store_url:
        raise HomeOccupied(path=folder)
    require_free(settings.host, port or settings.port)
    house = open_house(settings)
    row = house.row()
    if create_test and row.environment == "test":
        from app.cli.demo import write_demo_credentials  # noqa: PLC0415 - none but a test authority has any

        write_demo_credentials(folder)  # unless they are there; not only when fresh: we may have died before it
    if test_clock is not None and not fresh:
        from app.cli.clock import set_clock  # noqa: PLC0415 - none but a test authority's can be set

        set_clock(house, test_clock)
    if port is not None and port != settings.port:
        settings_file.change_port(folder, port)
        settings = settings_file.load(folder)
    _warn_other_base(console, row.base_url, settings.port)
    house.store.close()
    supervisor = Supervisor(settings, lambda sentence: console.print(f"[yellow]{sentence}[/yellow]"))
    raise SystemExit(supervisor.run(lambda: _say_ready(console, folder, settings, row.name)))


_ROLES = """Run one process in the foreground, as a service manager would.

\b
web        everything over HTTP; as many processes as [web] workers says
status     of web, status alone, where [status] listens says
api        of web, all the rest; beside status, behind a proxy
authority  holds the keys: drafts, signs, publishes, expires
courier    mails notices and reminders, calls listeners
renderer   draws evidence as pictures, where [renderer] listens says; with
           --socket it reads no settings
"""


@click.command(help=_ROLES, epilog="\b\nExample:\n  trialcpa run authority --home /var/lib/trialcpa")
@click.argument("role", type=click.Choice([each.value for each in (*ProcessRole, *WebPart, *Apart)]))
@home_option
@click.option("--socket", type=click.Path(path_type=Path), help="Of the renderer, a Unix socket.")
@click.option("--supervised", is_flag=True, hidden=True, help="Stop when standard input ends.")
@click.option("--worker", type=int, default=0, hidden=True, help="Which of several web processes it is.")
@click.option("--late", is_flag=True, hidden=True, help="Listen when it can answer: others do.")
def run(
    role: str,
    home: Path | None,
    socket: Path | None,
    supervised: bool,  # noqa: FBT001 - click
    worker: int,
    late: bool,  # noqa: FBT001 - click
) -> None:
    """Run one process in the foreground, as a service manager would."""
    if role == Apart.RENDERER:
        _run_renderer(home, socket, supervised=supervised)
        return
    settings = replace(settings_file.load(home_of(home)), web_worker=worker, web_late=late)
    if role == ProcessRole.WEB and settings.web_workers > 1 and not worker:
        _run_several(settings, supervised=supervised)
        return
    if role == ProcessRole.WEB or role in list(WebPart):
        _run_web(settings, role, supervised=supervised)
        return
    stopping = stopped_by_signal()
    if supervised:
        end_with_supervisor(stopping.set)
    house = _opened(lambda: open_house(settings), stopping)
    if house is None:
        return
    if role == ProcessRole.AUTHORITY:
        with loading():
            from app.authority import open_authority  # noqa: PLC0415 - the other roles sign nothing

        try:
            authority = _opened(lambda: open_authority(house), stopping)
        except NEEDS_A_PERSON as error:
            tell(error)
            raise SystemExit(EXIT_PIN) from None
        if authority is not None:
            authority.run(stopping)
    else:
        with loading():
            from app.courier import open_courier  # noqa: PLC0415 - the other roles send no mail and call nobody

        open_courier(house).run(stopping)
    house.store.close()


def _run_renderer(home: Path | None, path: Path | None, *, supervised: bool) -> None:
    from app.renderer import become_renderer  # noqa: PLC0415 - no other role becomes it

    path = path or settings_file.load(home_of(home)).renderer
    if path is None:
        raise click.UsageError("The settings say that nobody draws ([renderer] listens).")
    become_renderer(path.absolute(), supervised=supervised)


def _opened(open_it: Callable[[], _Opened], stopping: threading.Event) -> _Opened | None:
    """Open something of the store's, as soon as the store answers; None if we are to stop before."""
    silent = Trouble(_log)
    while not stopping.is_set():
        try:
            opened = open_it()
        except StoreUnavailable as error:
            silent.begins(f"{error} This process waits for it.")
            stopping.wait(_WAITING_SECONDS)
        else:
            silent.ends("The register answers.")
            return opened
    return None


def _run_several(settings: settings_file.Settings, *, supervised: bool) -> None:
    from app.several import keep_several  # noqa: PLC0415 - few have several

    stopping = stopped_by_signal()
    if supervised:
        end_with_supervisor(stopping.set)
    raise SystemExit(keep_several(settings.home, settings.web_workers, stopping, _log.warning))


def _run_web(settings: settings_file.Settings, role: str = ProcessRole.WEB, *, supervised: bool) -> None:
    with loading():
        from app import web  # noqa: PLC0415 - only web needs a server

    if supervised:
        # To the main thread, which waits on a lock: a signal that another thread takes would not wake it.
        main = threading.main_thread().ident
        assert main is not None
        end_with_supervisor(lambda: signal.pthread_kill(main, signal.SIGTERM))
    listens = settings.status_listens
    if role != WebPart.STATUS:
        web.serve_web(settings, _opened, web.make_api_inside if role == WebPart.API else None)
    elif isinstance(listens, Address):
        web.serve_web(settings, _opened, web.make_status_inside, listens)
    else:
        from app.second import serve_second  # noqa: PLC0415 - only this needs that server

        serve_second(settings, listens, _opened)


def _warn_other_base(console: Console, base_url: str, port: int) -> None:
    if not base_url.startswith(f"http://127.0.0.1:{port}") and "127.0.0.1" in base_url:
        console.print(
            f"[bold red]Warning:[/bold red] certificates of this authority point to {base_url}; on port {port} "
            "nobody who follows them will find its CRL and OCSP responder."
        )


def typed() -> str:
    """Return how this program is called in the folder where it was started: by its name if that is found."""
    there = Path(sys.argv[0]).absolute()
    found = shutil.which("trialcpa")
    if found is not None and there.exists() and Path(found).samefile(there):
        return "trialcpa"
    beside = Path(sys.executable).with_name("trialcpa")
    return quote(str(from_here(beside))) if beside.exists() else f"{quote(sys.executable)} -m app.cli.main"


def from_here(path: Path) -> Path:
    """Return a path as it is typed in the current folder: what lies in it from there."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def address(host: str, port: int) -> str:
    """Return where a service is found from this machine.

    Args:
        host: where it listens; every address of the machine stands for the one that leads back to it.
        port: where it listens.
    """
    here = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://{f'[{here}]' if ':' in here else here}:{port}"


def _say_ready(console: Console, folder: Path, settings: settings_file.Settings, name: str) -> None:
    url = address(settings.host, settings.port)
    console.print(f"\n[bold green]{escape(name)} is ready[/bold green] on {url}  (Ctrl-C stops it)\n")
    credentials = folder / "demo" / "credentials.json"
    us, folder = typed(), from_here(folder)
    lines = [
        f"  {us} story --home {quote(str(folder))}            the life of a certificate, step by step",
        f"  curl {quote(f'{url}/v1/authority')}   what this authority is",
    ]
    if credentials.exists():
        where = "" if url == DEFAULT_URL else f" --url {quote(url)}"
        key = quote(str(folder / "demo" / "dcc.key"))
        lines.append(f"  {us} status --key-file {key}{where}    what waits for the DCC; others beside it")
        lines.append(f"API keys for trying it out are in {credentials}, officers' own keys beside it (*.key.pem).\n")
    if credentials.exists() or settings.console_origin is not None:
        # Last: what most people begin with.
        lines.append(f"In a browser:\n  {settings.console_origin or f'http://localhost:{settings.port}'}/console\n")
    # As it is: a folder's name may look like markup.
    console.print("\n".join(["In a second shell:", *lines]), markup=False)
