"""OCSP and verification as often as one process answers them, beside a constant answer on the same interface.

`wrk` asks; the service has one processor and wrk another, where there are two. Rounds take turns, so that what else
the machine does falls on all alike; quote the ratios. `--beside CHECKOUT` puts an earlier checkout, with an
environment of its own in .venv, through the same rounds. Processor time for each answer, the whole web process's, says
most: it hardly depends on what else the machine does.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.serving import ROOT, folder, granted, serving

CONNECTIONS = 16
ROUNDS = 5
SECONDS = 4.0


def measure(checkouts: Mapping[str, Path], rounds: int = ROUNDS, seconds: float = SECONDS) -> Iterator[tuple[str, str]]:
    """Ask in turns; yield what was asked, and the figures in words."""
    wrk = shutil.which("wrk")
    if wrk is None:
        yield "OCSP and verification a second", "wrk is not installed"
        return
    apart = (os.cpu_count() or 1) > 1
    with folder() as made, ExitStack() as stack:
        asked: dict[str, dict[str, list[str]]] = {}
        webs: dict[str, psutil.Process] = {}
        for name, checkout in checkouts.items():
            home = made / f"home-{len(asked)}"
            through = ("taskset", "-c", "0") if apart else ()
            service = stack.enter_context(serving(home, checkout=checkout, through=through))
            approval, request = granted(service)
            key = {"Authorization": f"Bearer {service.keys['dcc']}", "Content-Type": "application/json"}
            questions = {
                "a constant answer (GET /healthz)": _script("GET", b"", {}),
                "OCSP POST": _script("POST", request, {"Content-Type": "application/ocsp-request"}),
                "verification by approval": _script("POST", json.dumps({"approval": approval}).encode(), key),
            }
            base = f"http://127.0.0.1:{service.port}"
            paths = ("/healthz", "/ocsp", "/v1/verify")
            asked[name] = {}
            webs[name] = psutil.Process(service.pids()["web"])
            for (question, script), path in zip(questions.items(), paths, strict=True):
                file = made / f"{len(asked)}{path.replace('/', '-')}.lua"
                file.write_text(script)
                pinned = ["taskset", "-c", "1"] if apart else []
                command = [*pinned, wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--latency", "-s", str(file)]
                asked[name][question] = [*command, base + path]
        found: dict[tuple[str, str], list[_Round]] = {}
        for _ in range(rounds):
            for name, commands in asked.items():
                for question, command in commands.items():
                    found.setdefault((name, question), []).append(_asked(command, webs[name]))
        for (name, question), each in found.items():
            constant = found[name, next(iter(asked[name]))]
            share = statistics.median(one.rate / other.rate for one, other in zip(each, constant, strict=True))
            dearer = statistics.median(one.cost / other.cost for one, other in zip(each, constant, strict=True))
            late = statistics.median(one.late for one in each)
            cost = statistics.median(one.cost for one in each)
            often = f"{_spread([one.rate for one in each])} a second, {share:.2f} of the constant answer"
            dear = f"{cost:.0f} µs of processor each, {dearer:.1f} times the constant answer"
            yield f"{question}, {name}", f"{often}; 99th {late:.1f} ms; {dear}"


def _spread(rates: Sequence[float]) -> str:
    return f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


def _script(method: str, body: bytes, fields: Mapping[str, str]) -> str:
    octets = "".join(f"\\{octet:03d}" for octet in body)
    lines = [f'wrk.method = "{method}"', f'wrk.body = "{octets}"' if body else ""]
    return "\n".join([*lines, *(f'wrk.headers["{name}"] = "{value}"' for name, value in fields.items())])


@dataclass(frozen=True)
class _Round:
    """How often in a second; the 99th percentile in milliseconds; processor time for each in microseconds."""

    rate: float
    late: float
    cost: float


def _asked(command: list[str], web: psutil.Process) -> _Round:
    """Ask once.

    Raises:
        ValueError: something was refused.
    """
    before = _busy(web)
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    spent = _busy(web) - before
    if "Non-2xx" in said or "Socket errors" in said:
        raise ValueError(said)
    rate = re.search(r"Requests/sec: +([0-9.]+)", said)
    late = re.search(r"99% +([0-9.]+)(us|ms|s)", said)
    count = re.search(r"([0-9]+) requests in", said)
    assert rate is not None
    assert late is not None
    assert count is not None
    milliseconds = float(late[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[late[2]]
    return _Round(float(rate[1]), milliseconds, spent / int(count[1]) * 1e6)


def _busy(web: psutil.Process) -> float:
    """Seconds of processor that a web process and those that work for it have used."""
    times = [each.cpu_times() for each in (web, *web.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, help="an earlier checkout")
    chosen = parser.parse_args().beside
    both = {"now": ROOT, **({chosen.name: chosen.resolve()} if chosen else {})}
    for what, figures in measure(both):
        print(f"{what}: {figures}", flush=True)
