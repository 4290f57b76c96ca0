"""Other people's tools, run as anyone would run them: openssl, GnuTLS's certtool and ocsptool, under faketime."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from core.errors import ExtraMissing, ToolsMissing
from core.instants import seconds

PACKAGES = {"openssl": "openssl", "certtool": "gnutls-bin", "ocsptool": "gnutls-bin", "faketime": "faketime"}
"""The Debian package of each program."""

EXTRA, EXTRA_PACKAGES = "story", ("aiosmtpd",)
"""What pyproject.toml calls it, and what it brings: a mail server, which an authority has no use for."""

_PATIENCE = 30.0
"""Seconds after which a tool is taken to hang."""

_OPENSSL_ERROR = re.compile(r"error (\d+) at (\d+) depth lookup: *(.*)")


@dataclass(frozen=True)
class Said:
    """What a tool said.

    Args:
        verdict: `ok`, `good`, `revoked`, `error 23` or what else it came to.
        words: its own, one line.
    """

    verdict: str
    words: str


def require_tools() -> None:
    """Check that every tool is installed; ToolsMissing names those that are not, with their packages."""
    missing = [name for name in PACKAGES if shutil.which(name) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES[name] for name in missing}))
        raise ToolsMissing(missing=", ".join(missing), packages=packages)


def require_extra() -> None:
    """Check that the packages of the extra are there; ExtraMissing names those that are not."""
    missing = [name for name in EXTRA_PACKAGES if find_spec(name) is None]
    if missing:
        raise ExtraMissing(missing=", ".join(missing), extra=EXTRA)


@dataclass(frozen=True)
class Tools:
    """Runs the tools.

    Args:
        at: the instant that they are to see, standing still; None is the machine's own time.
    """

    at: datetime | None = None

    def request(self, key: Path, subject: str) -> bytes:
        """Make a P-256 key in `key` and return a CSR for it, PEM."""
        made = self._run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        asked = self._run("openssl", "req", "-new", "-sha256", "-key", key, "-subj", subject)
        if made.returncode or asked.returncode:
            raise OSError(f"openssl made no request: {_line(made.stderr or asked.stderr)}")
        return asked.stdout.encode("ascii")

    def subject(self, certificate: Path) -> str:
        """Return the subject as `openssl x509` prints it."""
        return _line(self._run("openssl", "x509", "-noout", "-subject", "-in", certificate).stdout)

    def verify(self, leaf: Path, issuing: Path, root: Path, lists: Path, *, attime: datetime | None = None) -> Said:
        """Ask `openssl verify -x509_strict -crl_check_all` about a certificate; files in PEM, the lists in one."""
        when: tuple[str, ...] = ("-attime", str(seconds(attime))) if attime else ()
        chain: tuple[str | Path, ...] = ("-CAfile", root, "-untrusted", issuing, "-CRLfile", lists)
        ran = self._run("openssl", "verify", "-x509_strict", "-crl_check_all", *when, *chain, leaf)
        found = _OPENSSL_ERROR.search(ran.stderr + ran.stdout)
        if found:
            return Said(f"error {found[1]}", f"error {found[1]} at depth {found[2]}: {found[3]}")
        words = _line(ran.stdout or ran.stderr).replace(f"{leaf.parent}{os.sep}", "")
        return Said("ok" if ran.returncode == 0 else "failed", words)

    def certtool(self, chain: Path, root: Path, lists: Path) -> Said:
        """Ask `certtool --verify` about a certificate with its chain, PEM."""
        ran = self._run("certtool", "--verify", "--load-ca-certificate", root, "--load-crl", lists, "--infile", chain)
        words = next((line for line in ran.stdout.splitlines() if "Chain verification output" in line), "")
        words = words.partition(":")[2].strip() or _line(ran.stderr or ran.stdout)
        if ran.returncode == 0:
            return Said("ok", words)
        verdict = next((each for each in ("revoked", "expired") if each in words.lower()), "failed")
        return Said(verdict, words)

    def ask_ocsp(self, url: str, leaf: Path, issuing: Path, root: Path, kept: Path) -> Said:
        """Ask a responder with `openssl ocsp`, which checks the answer too; its answer is written to `kept`."""
        return self._openssl_ocsp(("-url", url, "-respout", kept), leaf, issuing, root)

    def read_ocsp(self, answer: Path, leaf: Path, issuing: Path, root: Path, *, sha256: bool) -> Said:
        """Let `openssl ocsp` read an answer that is kept; its CertID's hash must be said."""
        return self._openssl_ocsp(("-respin", answer), leaf, issuing, root, hash_option=("-sha256",) if sha256 else ())

    def ocsptool_ask(self, url: str, leaf: Path, issuing: Path, kept: Path) -> Said:
        """Ask a responder with `ocsptool --ask`; its answer is written to `kept`."""
        asked = ("--load-cert", leaf, "--load-issuer", issuing, "--load-trust", issuing, "--outfile", kept)
        ran = self._run("ocsptool", f"--ask={url}", *asked)
        if ran.returncode or not kept.stat().st_size:
            return Said("failed", _line(ran.stderr or ran.stdout))
        return self.ocsptool_read(kept, issuing)

    def ocsptool_read(self, answer: Path, issuing: Path) -> Said:
        """Let `ocsptool -e` check an answer that is kept, and `ocsptool -j` say what is in it."""
        checked = self._run("ocsptool", "--verify-response", "--load-trust", issuing, "--load-response", answer)
        told = self._run("ocsptool", "--response-info", "--load-response", answer)
        status = re.search(r"Certificate Status: *(\w+)", told.stdout)
        words = _line(checked.stdout + checked.stderr, holding="Verifying")
        if checked.returncode or status is None or "Success" not in words:
            return Said("failed", words)
        return Said(status[1].lower(), f"{words} Certificate status: {status[1].lower()}")

    def _openssl_ocsp(
        self, source: Sequence[str | Path], leaf: Path, issuing: Path, root: Path, hash_option: Sequence[str] = ()
    ) -> Said:
        question: tuple[str | Path, ...] = (
            *hash_option,
            "-issuer",
            issuing,
            "-cert",
            leaf,
            "-CAfile",
            root,
            "-no_nonce",
        )
        ran = self._run("openssl", "ocsp", *question, *source)
        words = ran.stdout + ran.stderr
        status = re.search(rf"^{re.escape(str(leaf))}: *(\w+)", words, re.MULTILINE)
        if ran.returncode or status is None or "Response verify OK" not in words or "WARNING" in words:
            return Said("failed", _line(words, holding="rror") or _line(words))
        return Said(status[1], f"Response verify OK; {status[1]}")

    def _run(self, program: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        command = [program, *map(str, arguments)]
        if self.at is not None:
            command = ["faketime", "-f", self.at.strftime("%Y-%m-%d %H:%M:%S"), *command]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC", "LC_ALL": "C.UTF-8"}
        try:
            return subprocess.run(  # noqa: S603 - programs by name, arguments of our own
                command,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "", f"{program} did not answer in {_PATIENCE:.0f} seconds")


def _line(words: str, *, holding: str = "") -> str:
    """Return the first line that says something, or that holds something."""
    return next((line.strip() for line in words.splitlines() if line.strip() and holding in line), "")
