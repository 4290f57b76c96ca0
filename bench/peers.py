"""Others who answer OCSP, asked in the same run by what asks us (asker.c): of a CA of their own, one core.

`openssl ocsp` is what OpenSSL brings with it. It closes each connection with its answer, so that a connection is part
of the price. It has a tenth of our certificates at most: what it costs to answer does not depend on their number.
"""

import hashlib
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from bench import ceiling, register
from bench.serving import folder, until

MOST = 10_000
"""Certificates of the peer's index."""

_CONNECTIONS = 16
_LEAST = 100


@dataclass(frozen=True, kw_only=True)
class Peer:
    """What a peer did.

    Args:
        name: whose.
        rate: answers a second.
    """

    name: str
    rate: float


def measure(certificates: int, seconds: float) -> Peer | None:
    """Ask openssl about so many certificates; None where it, or cc, is not installed."""
    compiler = shutil.which("cc")
    if compiler is None or shutil.which("openssl") is None:
        return None
    with folder() as made:
        certificate = _made(made, min(certificates, MOST))
        asked = list(_requests(certificate, min(certificates, MOST)))
        random.Random(1).shuffle(asked)
        ceiling.ask_from(made / "asked", asked)
        asker = ceiling.compiled(compiler, made)
        with _responder(made) as port:
            words = [*ceiling.pinned(1), str(asker), str(port), str(made / "asked"), str(_CONNECTIONS), str(seconds)]
            said = subprocess.run(
                [*words, str(2**31 - 1), str(_LEAST)], check=True, capture_output=True, text=True
            ).stdout.split()
    answers, bad, took, *_ = (float(each) for each in said)
    if bad or not answers:
        raise ValueError(f"{bad:.0f} of {answers:.0f} answers were not as they should be")
    return Peer(name="openssl ocsp", rate=answers / took)


def _serial(number: int) -> int:
    return 2**120 + number


def _made(made: Path, certificates: int) -> x509.Certificate:
    silent: dict[str, Any] = {"cwd": made, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other -days 9"
    subprocess.run([*words.split(), "-keyout", "ca.key", "-out", "ca.pem"], check=True, **silent)
    with (made / "index.txt").open("w", encoding="ascii") as index:
        for number in range(certificates):
            index.write(f"V\t300101000000Z\t\t{_serial(number):X}\tunknown\t/CN={number}\n")
    return x509.load_pem_x509_certificate((made / "ca.pem").read_bytes())


def _requests(issuer: x509.Certificate, certificates: int) -> Iterator[bytes]:
    key = issuer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    of_name, of_key = (hashlib.sha1(each).digest() for each in (issuer.subject.public_bytes(), key))
    for number in range(certificates):
        asked = ocsp.OCSPRequestBuilder().add_certificate_by_hash(of_name, of_key, _serial(number), SHA1())
        octets = asked.build().public_bytes(Encoding.DER)
        yield register.post("/", octets, "Content-Type: application/ocsp-request\r\n")


@contextmanager
def _responder(made: Path) -> Iterator[int]:
    with closing(create_server(("127.0.0.1", 0))) as free:
        port = int(free.getsockname()[1])
    words = f"openssl ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -nmin 60 -port {port}"
    with (
        (made / "said").open("ab") as said,
        subprocess.Popen([*ceiling.pinned(0), *words.split()], cwd=made, stdout=said, stderr=said) as process,
    ):
        try:
            until(lambda: b"waiting for" in (made / "said").read_bytes())
            yield port
        finally:
            process.terminate()
