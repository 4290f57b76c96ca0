"""The wall clock of running processes is moved, as somebody moves a machine's: not a test clock."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.house import open_house
from app.officer import to_revoke
from app.settings import load
from core.alarms import AlarmCode
from store.tables import crls, journal, ocsp_answers
from tests.kill.test_processes import Service, until
from tests.world import csr_pem

MOVER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long moved(void)
{
    char said[32] = {0};
    int file = open(getenv("MOVED_CLOCK"), O_RDONLY);
    if (file < 0) return 0;
    ssize_t length = read(file, said, sizeof said - 1);
    close(file);
    return length > 0 ? atol(said) : 0;
}

int clock_gettime(clockid_t which, struct timespec *shown)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int answered = real(which, shown);
    if (!answered && which == CLOCK_REALTIME) shown->tv_sec += moved();
    return answered;
}

time_t time(time_t *shown)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (shown) *shown = now.tv_sec;
    return now.tv_sec;
}
"""
MINUTE = 60.0
DAY = 86_400


class Moved:
    """`trialcpa serve` whose processes see another wall clock than the machine's."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, store_url: str) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no C compiler")
        source, library, self._file = folder / "moved.c", folder / "moved.so", folder / "moved"
        source.write_text(MOVER)
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True, timeout=60)
        self.by(0)
        monkeypatch.setenv("LD_PRELOAD", str(library))
        monkeypatch.setenv("MOVED_CLOCK", str(self._file))
        self.service = Service(folder / "home", store_url)
        monkeypatch.delenv("LD_PRELOAD")

    def by(self, seconds: int) -> None:
        """Move the clock, all at once."""
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._file)

    def readiness(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.service.port}/readyz?for=writing", timeout=5) as reply:
                return dict(json.load(reply))
        except urllib.error.HTTPError as error:
            with error:
                return dict(json.load(error))
        except OSError:
            return {"ready": False, "alarms": []}

    def doubted(self) -> bool:
        return AlarmCode.CLOCK_DOUBTFUL in {each["code"] for each in self.readiness()["alarms"]}

    def right(self) -> bool:
        """Lists and answers are in force, by web's clock, and everything else is well."""
        return bool(self.readiness()["ready"]) and not self.doubted()

    def is_right_in_a_minute(self) -> float:
        began = time.monotonic()
        until(self.right, lambda: json.dumps(self.readiness()))
        took = time.monotonic() - began
        assert took < MINUTE
        return took

    def restart(self) -> None:
        """Kill authority and web; others come in their place."""
        back = [self.service.kill("authority"), self.service.kill("web")]
        until(lambda: all(each() for each in back))

    def dated(self) -> datetime:
        """The latest instant that anything was sealed or signed with."""
        house = open_house(load(self.service.home))
        with house.store.read() as tx:
            found: list[datetime] = [
                tx.connection.execute(select(func.max(column, type_=column.type))).scalar_one()
                for column in (journal.c.sealed_at, ocsp_answers.c.this_update, crls.c.this_update)
            ]
        house.store.close()
        return max(found)


@pytest.fixture
def moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_kind: str, empty_store_url: Callable[[str], str]
) -> Iterator[Moved]:
    """On PostgreSQL the database's own clock stays right: it is another machine's."""
    made = Moved(tmp_path, monkeypatch, empty_store_url(store_kind))
    yield made
    made.service.process.send_signal(signal.SIGTERM)
    try:
        made.service.process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(made.service.process.pid, signal.SIGKILL)
        made.service.process.wait()


def granted(service: Service) -> str:
    today = datetime.now(UTC).date()
    asked = {
        "device": {"type": "ESME", "manufacturer": "AB01", "model": "010A030B", "hardware_version": "01"},
        "smets_version": "SMETS V1.58",
        "firmware": [{"version": "0002012F", "image_sha256": "ab" * 32}],
        "start": str(today),
        "expiry": str(today + timedelta(days=180)),
        "maximum_devices": 500,
        "purpose": "A field trial in Leeds.",
        "csr": csr_pem().decode(),
    }
    applied = service.ask("manufacturer", "POST", "/v1/applications", asked, "apply")
    wanted = {"kind": "grant", "application": applied["application"], "reasons": "It looks sound."}
    decided = service.ask("ssc-officer-1", "POST", "/v1/decisions", wanted, "propose")
    path = f"/v1/decisions/{decided['decision']}"
    signed = service.officers.for_proposal("ssc-officer-1", service.ask("ssc-officer-1", "GET", path))
    service.ask("ssc-officer-1", "POST", f"{path}/authorisation", signed, "authorise")
    until(lambda: service.ask("ssc-officer-2", "GET", path)["state"] == "drafted")
    signed = service.officers.for_seconding("ssc-officer-2", service.ask("ssc-officer-2", "GET", path))
    approval = str(service.ask("ssc-officer-2", "POST", f"{path}/second", signed, "second")["approval"])
    until(lambda: bool(service.ask("dcc", "GET", f"/v1/approvals/{approval}")["certificates"]))
    return approval


@pytest.mark.long
def test_a_clock_that_is_moved_does_no_lasting_harm(moved: Moved, capfd: pytest.CaptureFixture[str]) -> None:
    approval = granted(moved.service)
    moved.is_right_in_a_minute()
    took = {}
    for what, seconds, lasting in (("+2 days", 2 * DAY, 15), ("+40 days", 40 * DAY, 12), ("-2 h", -7200, 15)):
        moved.by(seconds)
        until(moved.doubted, lambda: json.dumps(moved.readiness()))
        time.sleep(lasting)
        moved.by(0)
        took[what] = moved.is_right_in_a_minute()
        assert moved.dated() <= datetime.now(UTC) + timedelta(seconds=1), what
    moved.by(-7200)
    moved.restart()
    until(moved.doubted, lambda: json.dumps(moved.readiness()))  # so an authority is in office
    moved.by(0)
    took["-2 h and a restart"] = moved.is_right_in_a_minute()
    assert moved.dated() <= datetime.now(UTC) + timedelta(seconds=1)
    claim = to_revoke(approval, cause="ssc", invalidity_date=None, breach=None)
    signed = moved.service.officers.for_claim("ssc-officer-1", claim)
    ends = {"cause": "ssc", "reasons": "It has to be.", **signed}
    moved.service.ask("ssc-officer-1", "POST", f"/v1/approvals/{approval}/revocation", ends, "revoke")
    moved.is_right_in_a_minute()
    verified = moved.service.ask("dcc", "POST", "/v1/verify", {"approval": approval})
    assert (verified["valid"], verified["state"]) == (False, "cancelled")
    with capfd.disabled():
        told = ", ".join(f"{what}: right after {seconds:.1f} s" for what, seconds in took.items())
        print(f"\n{told}")  # noqa: T201 - figures for whoever asked for the long run
