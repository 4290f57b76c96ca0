"""deploy/nginx.conf in a real nginx on ports of its own, in front of whoever listens."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from core.clock import SystemClock

CONF = Path(__file__).resolve().parent.parent / "deploy" / "nginx.conf"
FILES = CONF.with_name("nginx-files.conf")

MAIN = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@contextmanager
def nginx(
    folder: Path, behind: int, changes: Mapping[str, str] | None = None, *, status: Path | None = None
) -> Iterator[tuple[int, int]]:
    """Run it until the block ends; the ports of http and of TLS.

    Args:
        folder: for its files.
        behind: the port of the web process.
        changes: what stands in the file, and what stands there instead.
        status: the socket of a process that answers for status; without it the web process does.
    """
    plain, secure = _free(), _free()
    _certificate(folder)
    text = CONF.read_text("utf-8")
    ours = {
        "127.0.0.1:8470": f"127.0.0.1:{behind}",
        "unix:/run/trialcpa/status.sock;": f"127.0.0.1:{behind};" if status is None else f"unix:{status};",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ": f"listen 127.0.0.1:{secure} ",
        "/etc/trialcpa/tls": str(folder),
        "/var/cache/nginx/trialcpa": str(folder / "cache"),
    }
    for old, new in (*ours.items(), *(changes or {}).items()):
        assert old in text, old
        text = text.replace(old, new)
    with _running(folder, text, secure):
        yield plain, secure


@contextmanager
def files_carried(folder: Path, published: Path) -> Iterator[int]:
    """Run deploy/nginx-files.conf until the block ends; its port.

    Args:
        folder: for the files of nginx.
        published: what it carries.
    """
    port = _free()
    text = FILES.read_text("utf-8")
    for old, new in {"listen 80;": f"listen 127.0.0.1:{port};", "root /srv/trialcpa;": f"root {published};"}.items():
        assert old in text, old
        text = text.replace(old, new)
    with _running(folder, text, port):
        yield port


@contextmanager
def _running(folder: Path, site: str, port: int) -> Iterator[None]:
    (folder / "site.conf").write_text(site)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
    command = [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    with subprocess.Popen(command) as process:
        try:
            _wait(port)
            yield
        finally:
            process.terminate()


def _free() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx does not listen")


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "proxy")])
    day, now = timedelta(days=3650), SystemClock().now()
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    (folder / "chain.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
