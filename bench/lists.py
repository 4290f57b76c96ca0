"""How long a large CRL takes to be built, gated and published, beside OpenSSL, and what memory; each in a process."""

import hashlib
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.cycle import held_world, on_duty
from core.approval import RevocationReason
from core.identifiers import Serial
from core.instants import seconds
from core.kinds import HierarchyRole
from jobs.duty import Duty
from jobs.hierarchy import in_service
from jobs.publish import publish
from memory.book import FILE_NAME
from store.reading import work
from tests.world import NOW, World, memory_folder

_PORTION = 1_000


@dataclass(frozen=True)
class Published:
    """What was seen: of a list, seconds until it was published, and of a processor.

    Args:
        entries: of the list.
        anew, anew_worked: made from everything that is remembered, as after a start.
        more, more_worked: with one entry more.
        openssl, openssl_worked: what `openssl ca -gencrl` took for as many.
        memory: megabytes at the most, the whole process.
    """

    entries: int
    anew: float
    anew_worked: float
    more: float
    more_worked: float
    openssl: float
    openssl_worked: float
    memory: float

    @property
    def told(self) -> str:
        """The figures, in words."""
        times = self.anew_worked / self.openssl_worked
        clock = f"{self.anew:.1f} and {self.more:.1f} s by the clock, openssl's {self.openssl:.1f}"
        worked = f"{self.anew_worked:.1f} s, {times:.1f} times openssl's; one entry more {self.more_worked:.1f} s"
        return f"{worked} ({clock}); {self.memory:.0f} MB"


def measure(entries: int) -> Published:
    """Publish lists of that length in a fresh process, so that its memory is its own."""
    told = subprocess.run(
        [sys.executable, "-m", "bench.lists", str(entries)], check=True, capture_output=True, text=True
    ).stdout
    return Published(**json.loads(told))


def _measure(entries: int) -> Published:
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        duty = on_duty(world)
        _end(world, 0, entries)
        anew = _publish(world, duty, entries)
        _end(world, entries, entries + 1)
        more = _publish(world, duty, entries + 1)
        world.close()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        openssl = _openssl(Path(folder), entries)
    return Published(entries, *anew, *more, *openssl, memory)


def _openssl(folder: Path, entries: int) -> tuple[float, float]:
    """Return what OpenSSL takes for a list of as many entries, with a key of the same kind."""
    key, certificate = folder / "other.key", folder / "other.cer"
    silent: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    made = ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other", "-days 9")
    subprocess.run([*" ".join(made).split(), "-keyout", key, "-out", certificate], check=True, **silent)
    (folder / "crlnumber").write_text("1000\n", "ascii")
    with (folder / "index.txt").open("w", encoding="ascii") as index:
        for number in range(entries):
            ended = "R\t300101000000Z\t261128000000Z,cessationOfOperation"
            index.write(f"{ended}\t{_serial(number)}\tunknown\t/CN=TDT-{number}\n")
    settings = {
        "database": "index.txt",
        "crlnumber": "crlnumber",
        "default_md": "sha256",
        "default_crl_days": "2",
        "crl_extensions": "more",
        "certificate": certificate,
        "private_key": key,
    }
    said = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (folder / "ca.cnf").write_text(f"[ca]\ndefault_ca = ours\n[ours]\n{said}[more]\nauthorityKeyIdentifier = keyid\n")
    begun, before = time.perf_counter(), _children_worked()
    subprocess.run(["openssl", "ca", "-gencrl", "-config", "ca.cnf", "-out", "other.crl"], check=True, **silent)
    return time.perf_counter() - begun, _children_worked() - before


def _children_worked() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _serial(number: int) -> Serial:
    """Return a serial number like ours; none is kept."""
    return Serial(f"4{hashlib.sha256(str(number).encode()).hexdigest()[:31].upper()}")


def _end(world: World, first: int, last: int) -> None:
    """Let both the register and the authority know certificates that have ended."""
    _plant(world, first, last)
    _remember(world, first, last)


def _remember(world: World, first: int, last: int) -> None:
    """Let the authority believe that it signed them, and that they have ended; only what follows from the records."""
    (issuing,) = world.memory.hierarchy(HierarchyRole.ISSUING)
    begins, ends, ended = (
        seconds(issuing.not_before),
        seconds(NOW + timedelta(days=100)),
        seconds(NOW - timedelta(days=1)),
    )
    number = world.memory.last + bool(first)  # what is more is newer than the list
    certificates = (
        (_serial(each), f"TDT-{each}", 1, "", f"{each:064x}", begins, ends, issuing.key_id, "", number)
        for each in range(first, last)
    )
    reason = int(RevocationReason.PRIVILEGE_WITHDRAWN)
    connection = sqlite3.connect(memory_folder(world.url, world.folder) / FILE_NAME)
    with connection:
        connection.executemany("INSERT INTO certificate VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", certificates)
        rows = ((_serial(each), ended, reason, None, number) for each in range(first, last))
        connection.executemany("INSERT INTO ended VALUES (?, ?, ?, ?, ?)", rows)
    connection.close()


def _plant(world: World, first: int, last: int) -> None:
    """Put that many revoked certificates into the register; only the rows that the list is made from."""
    path = world.url.removeprefix("sqlite:///")
    ended = seconds(NOW - timedelta(days=1))
    numbered = ((number, _serial(number)) for number in range(first, last))
    rows = ((serial, f"TDT-{number}", f"{number:064x}", ended, ended) for number, serial in numbered)
    connection = sqlite3.connect(path)
    with connection:
        connection.executemany(
            "INSERT INTO certificates (serial, approval, issue, der, fingerprint, public_key_sha256, not_before, "
            "not_after, signed_at, revoked_at, cause, ends_at, fate, presign_due, listed_in) "
            f"VALUES (?, ?, 1, x'', ?, '', 0, {seconds(NOW) + 10**8}, 0, ?, 'ssc', ?, 1, {10**11}, 1)",
            rows,
        )
    connection.close()


def _publish(world: World, duty: Duty, entries: int) -> tuple[float, float]:
    world.clock.advance(timedelta(seconds=1))
    with world.store.read() as tx:
        (issuing,) = in_service(duty, tx, world.clock.now())
    begun, worked = time.perf_counter(), time.process_time()
    published = publish(duty, issuing, world.clock.now())
    took = time.perf_counter() - begun, time.process_time() - worked
    with world.store.read() as tx:
        last = work.last_crl(tx, issuing.key_id, with_bytes=False)
    if not published or last is None or last.entries != entries:
        raise AssertionError("it was not published")
    return took


if __name__ == "__main__":
    print(json.dumps(vars(_measure(int(sys.argv[1])))))
