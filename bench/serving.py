"""A real service to be measured: its three processes on a fresh home, one approval, and what to ask about it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from app.processes import answers
from tests.demo_officers import DemoOfficers
from tests.world import csr_pem

ROOT = Path(__file__).parents[1]
ROLES = ("web", "authority", "courier")
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Service:
    """A running service.

    Args:
        home: its folder.
        port: where its web process listens.
        keys: the API keys of its people, by name.
    """

    home: Path
    port: int
    keys: Mapping[str, str]

    def call(self, who: str, method: str, path: str, body: object = None) -> httpx.Response:
        """Ask the API once."""
        fields = {"Authorization": f"Bearer {self.keys[who]}"}
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.request(method, url, json=body, headers=fields, timeout=60, trust_env=False)

    @property
    def officers(self) -> DemoOfficers:
        """Its officers, who sign."""
        return DemoOfficers(self.home, lambda who, method, path: dict(self.call(who, method, path).json()))

    def pids(self) -> dict[str, int]:
        """The process of each role."""
        return {role: int((self.home / "run" / f"{role}.pid").read_text()) for role in ROLES}

    def logs(self) -> dict[str, str]:
        """What each process has said."""
        return {role: (self.home / "run" / f"{role}.log").read_text() for role in ROLES}


@contextmanager
def serving(
    home: Path,
    *,
    store_url: str = "",
    settings: Mapping[str, Mapping[str, str]] | None = None,
    checkout: Path = ROOT,
    through: Sequence[str] = (),
) -> Iterator[Service]:
    """Run a TEST authority of its own until the block ends.

    Args:
        home: where; its folder is there.
        store_url: PostgreSQL; without it SQLite in the home.
        settings: by table and key, in place of the file's own; the service is started again with them.
        checkout: whose code runs, in its own environment if it has one.
        through: a command that the service is started with, such as taskset.
    """
    with closing(create_server(("127.0.0.1", 0))) as free:
        port = int(free.getsockname()[1])
    own = checkout / ".venv" / "bin" / "python"
    python = sys.executable if checkout == ROOT or not own.exists() else str(own)
    command = [*through, python, "-m", "app.cli.main", "serve", "--test", "--home", str(home), "--port", str(port)]
    if store_url:
        command += ["--store", store_url]
    with _running(command, checkout, home, port):
        keys = json.loads((home / "demo" / "credentials.json").read_text())
        service = Service(home, port, {who: each["api_key"] for who, each in keys.items()})
        if settings is None:
            yield service
            return
    file = home / "trialcpa.toml"
    file.write_text(_with(file.read_text().splitlines(), settings))
    with _running(command, checkout, home, port):
        yield service


def _with(lines: list[str], settings: Mapping[str, Mapping[str, str]]) -> str:
    """Return a file of settings with others in place of its own, whose keys are in one table only."""
    set_anew = {key for keys in settings.values() for key in keys}
    kept = [line for line in lines if line.partition("=")[0].strip() not in set_anew]
    for table, keys in settings.items():
        if f"[{table}]" not in kept:
            kept.append(f"[{table}]")
        place = kept.index(f"[{table}]") + 1
        kept[place:place] = [f"{key} = {value}" for key, value in keys.items()]
    return "\n".join(kept) + "\n"


@contextmanager
def _running(command: list[str], checkout: Path, home: Path, port: int) -> Iterator[None]:
    with (
        (home.parent / f"{home.name}.log").open("ab") as log,
        subprocess.Popen(command, stdout=log, stderr=log, cwd=checkout, env=_environment()) as server,
    ):
        try:
            until(lambda: server.poll() is not None or answers("127.0.0.1", port, "/readyz"))
            yield
        finally:
            server.terminate()


def _environment() -> dict[str, str]:
    """Ours, without what would have another checkout import this one's packages."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def until(so: Callable[[], bool], seconds: float = _PATIENCE_SECONDS, *, every: float = 0.05) -> None:
    """Wait until it is so, which is looked at every so many seconds.

    Raises:
        TimeoutError: it did not come to pass.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if so():
                return
        time.sleep(every)
    raise TimeoutError("it did not come to pass")


def application(csr: str, model: str) -> dict[str, Any]:
    """What a Manufacturer applies with."""
    start = datetime.now(UTC).date()
    return {
        "device": {"type": "ESME", "manufacturer": "AB01", "model": model, "hardware_version": "01"},
        "smets_version": "SMETS V1.58",
        "firmware": [{"version": "0002012F", "image_sha256": "ab" * 32}],
        "start": str(start),
        "expiry": str(start + timedelta(days=180)),
        "maximum_devices": 500,
        "purpose": "A bench.",
        "csr": csr,
    }


def granted(service: Service, model: str = "BENCH") -> tuple[str, bytes]:
    """Have an approval granted over HTTP; it, and an OCSP request about its certificate, in DER."""
    asked = service.call("manufacturer", "POST", "/v1/applications", application(csr_pem().decode(), model)).json()
    wanted = {"kind": "grant", "application": asked["application"], "reasons": "A bench."}
    decision = service.call("ssc-officer-1", "POST", "/v1/decisions", wanted).json()["decision"]
    path, officers = f"/v1/decisions/{decision}", service.officers
    shown: dict[str, Any] = service.call("ssc-officer-1", "GET", path).json()
    if officers.signs("ssc-officer-1"):
        service.call("ssc-officer-1", "POST", f"{path}/authorisation", officers.for_proposal("ssc-officer-1", shown))

    def drafted() -> bool:
        shown.update(service.call("ssc-officer-2", "GET", path).json())
        return bool(shown["state"] == "drafted")

    until(drafted)
    signed = officers.for_seconding("ssc-officer-2", shown)
    approval = str(service.call("ssc-officer-2", "POST", f"{path}/second", signed).json()["approval"])

    def verified() -> bool:
        told = service.call("dcc", "POST", "/v1/verify", {"approval": approval}).json()
        return bool(told.get("valid"))

    until(verified)
    issuing = x509.load_pem_x509_certificates(service.call("dcc", "GET", "/ca/chain.pem").content)[0]
    sent = service.call("dcc", "GET", f"/v1/approvals/{approval}/certificate")
    leaf = x509.load_pem_x509_certificates(sent.content)[0]
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuing, SHA256()).build()
    return approval, request.public_bytes(Encoding.DER)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards; its path is short, as that of a socket must be."""
    with tempfile.TemporaryDirectory(prefix="tc-", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)
        yield Path(made)
