"""Every object of the album through pkilint's own commands, in one process, because each takes a second to load.

Run as a module, it reads jobs from standard input, runs the commands' entry points and prints what they said.
"""

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from story.album import Album, Content, Kept
from story.telling import Proof
from verify.kit.evidence.parsing import PARSE_ERRORS, one_answer, several_certificates
from verify.kit.evidence.path import authority_key, key_identifier

_OPTIONS = ("--severity", "WARNING", "--document-format", "DER")
_COMMANDS = {
    Content.CERTIFICATE: ("lint_pkix_cert", ()),
    Content.CRL: ("lint_crl", ("-t", "CRL", "-p", "PKIX")),
    Content.OCSP: ("lint_ocsp_response", ()),
}
_CHAIN = "lint_pkix_signer_signee_cert_chain"
_PATIENCE = 120.0


@dataclass(frozen=True)
class Job:
    """One command.

    Args:
        linter: its name.
        arguments: as on the command line.
    """

    linter: str
    arguments: Sequence[str]


def lint(album: Album) -> list[Proof]:
    """Lint everything that was kept; one proof for each linter, naming the files with findings."""
    _keep_responders(album)
    jobs = [*_single_jobs(album.kept), *_chain_jobs(album.kept)]
    ran = subprocess.run(
        [sys.executable, "-m", "story.linters"],
        input=json.dumps([[job.linter, *job.arguments] for job in jobs]),
        capture_output=True, text=True, timeout=_PATIENCE, check=False,
    )  # fmt: skip
    if ran.returncode:
        return [Proof("pkilint", ok=False, detail=f"did not run: {ran.stderr.strip()[-200:]}")]
    outcomes: list[tuple[int, str]] = [tuple(each) for each in json.loads(ran.stdout)]
    proofs = []
    for linter in dict.fromkeys(job.linter for job in jobs):
        told = [(job, *outcome) for job, outcome in zip(jobs, outcomes, strict=True) if job.linter == linter]
        bad = [f"{Path(job.arguments[-1]).name}: {' '.join(words.split())}" for job, code, words in told if code]
        detail = "; ".join(bad) or f"{len(told)} objects, nothing at WARNING or above"
        proofs.append(Proof(linter, not bad, detail))
    return proofs


def _single_jobs(kept: Sequence[Kept]) -> list[Job]:
    return [
        Job(_COMMANDS[each.content][0], ("lint", *_COMMANDS[each.content][1], *_OPTIONS, str(each.path)))
        for each in kept
        if each.content in _COMMANDS
    ]


def _chain_jobs(kept: Sequence[Kept]) -> list[Job]:
    """Each certificate with the one whose key it names as its issuer's."""
    found = [
        (each.path, several_certificates((each.path.read_bytes(),))[0])
        for each in kept
        if each.content == Content.CERTIFICATE
    ]
    return [
        Job(_CHAIN, ("lint", *_OPTIONS, str(above_path), str(path)))
        for path, certificate in found
        for above_path, above in found
        if above != certificate and authority_key(certificate.extensions) == key_identifier(above)
    ]


def _keep_responders(album: Album) -> None:
    """Write the responders' certificates, which come only inside their answers."""
    responders: dict[bytes, x509.Certificate] = {}
    for each in [kept for kept in album.kept if kept.content == Content.OCSP]:
        try:
            embedded = one_answer(each.path.read_bytes()).certificates
        except PARSE_ERRORS:
            continue  # the linter says so
        responders |= {one.public_bytes(Encoding.DER): one for one in embedded}
    for der in responders:
        album.keep("ocsp-responder.cer", der, Content.CERTIFICATE)


def _run(linter: str, arguments: Sequence[str]) -> tuple[int, str]:
    from pkilint.bin import (  # noqa: PLC0415 - loading it takes a second, and only the process that lints needs it
        lint_crl,
        lint_ocsp_response,
        lint_pkix_cert,
        lint_pkix_signer_signee_cert_chain,
    )

    commands = (lint_crl, lint_ocsp_response, lint_pkix_cert, lint_pkix_signer_signee_cert_chain)
    command = {each.__name__.rpartition(".")[2]: each.main for each in commands}[linter]
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            code = int(command(list(arguments)))
        except (SystemExit, Exception) as error:  # noqa: BLE001 - a linter that fails has not passed the object
            return 1, f"{said.getvalue()} {error!r}"
    return code, said.getvalue()


if __name__ == "__main__":
    json.dump([_run(linter, arguments) for linter, *arguments in json.load(sys.stdin)], sys.stdout)
