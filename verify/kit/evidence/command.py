"""`trialcpa-verify check`: a certificate and the evidence about it in files; what is proved of it at an instant."""

import argparse
import json
import sys
from pathlib import Path

from verify.kit.canonical import read
from verify.kit.clock import now
from verify.kit.evidence.certified import arc_of
from verify.kit.evidence.identifiers import Environment
from verify.kit.evidence.offline import prove
from verify.kit.evidence.parsing import Unreadable, one_certificate
from verify.kit.evidence.profile import EXAMPLE_ARC
from verify.kit.evidence.statement import DeviceClaim
from verify.kit.evidence.verdict import Verdict
from verify.kit.instants import moment, text
from verify.kit.terminal import harmless

_YES, _NO, _UNDECIDED = 0, 1, 2


def describe(parser: argparse.ArgumentParser) -> None:
    """Say which words the command takes."""
    parser.add_argument("certificate", type=Path, help="DER or PEM")
    parser.add_argument("--root", type=Path, required=True, help="the root's certificate that you hold")
    parser.add_argument("--issuer", type=Path, action="append", default=[], help="CA certificates; several may be")
    parser.add_argument("--list", type=Path, action="append", default=[], help="of the issuing CA, and of the root")
    parser.add_argument("--ocsp", type=Path, help="an OCSP answer about it")
    parser.add_argument("--at", help="the instant, 2027-06-30T23:59:59Z; now if none is named")
    parser.add_argument("--test", action="store_true", help="of a test authority, which proves nothing live")
    parser.add_argument("--arc", help="the authority's arc; else the one that the certificate names")
    parser.add_argument("--device", help='JSON: {"manufacturer", "model", …, "firmware_version"}')
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Check a certificate; return the exit code: it holds, it does not, or that cannot be told from what is here.

    Raises:
        ValueError, OSError: what was asked cannot be.
    """
    octets = chosen.certificate.read_bytes()
    environment: Environment = "test" if chosen.test else "live"
    verdict = prove(
        octets,
        anchor=chosen.root.read_bytes(),
        issuers=[each.read_bytes() for each in chosen.issuer],
        crls=[each.read_bytes() for each in chosen.list],
        ocsp=None if chosen.ocsp is None else chosen.ocsp.read_bytes(),
        at=moment(text(now()) if chosen.at is None else chosen.at),
        environment=environment,
        arc=chosen.arc or _arc(octets),
        device=None if chosen.device is None else claimed(read(chosen.device.encode("utf-8"))),
    )
    words = json.dumps(document(verdict), indent=2) if chosen.json else harmless("\n".join(_lines(verdict)))
    sys.stdout.write(f"{words}\n")
    return _exit_of(verdict)


def claimed(said: object) -> DeviceClaim:
    """Return the device that JSON names, in the words of a question to /v1/verify; ValueError if it names none."""
    if not isinstance(said, dict) or not all(isinstance(each, str) for each in said.values()):
        raise ValueError("a device is an object of texts")
    image = said.pop("firmware_hash", None)
    try:
        return DeviceClaim(**said, image_digest=image)
    except TypeError:
        raise ValueError("a device has manufacturer and model, and no members that are not known") from None


def document(verdict: Verdict) -> dict[str, object]:
    """Return a verdict as JSON."""
    return {
        "valid": verdict.valid,
        "state": verdict.state.value,
        "genuine": verdict.genuine,
        "proved": verdict.proved,
        "checks": list(verdict.checks),
        "failures": [
            {"check": each.code.number, "code": each.code.value, "detail": each.detail} for each in verdict.failures
        ],
    }


def _lines(verdict: Verdict) -> list[str]:
    about = "" if verdict.statement is None else f" of {verdict.statement.identifier}"
    rests = "proved" if verdict.proved else "not proved"
    lines = [f"The certificate{about}: {verdict.state.value.replace('_', ' ')}, {rests}."]
    return lines + [f"  check {each.code.number}  {each.detail}  [{each.code}]" for each in verdict.failures]


def _exit_of(verdict: Verdict) -> int:
    if verdict.valid:
        return _YES
    return _UNDECIDED if verdict.wanting else _NO


def _arc(octets: bytes) -> str:
    """Return the arc that a certificate names; where it names none it is none of ours, whatever the arc."""
    try:
        return arc_of(one_certificate(octets)).dotted
    except Unreadable:
        return EXAMPLE_ARC
