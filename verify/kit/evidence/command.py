"""`trialcpa-verify check`: a certificate and the evidence about it in files; what is proved of it at an instant."""

import argparse
import json
import re
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
from verify.kit.evidence.verdict import NOT_COVERED, Verdict
from verify.kit.instants import moment, text
from verify.kit.terminal import harmless

_YES, _NO, _UNDECIDED = 0, 1, 2

_CERTIFICATE, _LIST = re.compile(rb"(?=-----BEGIN CERTIFICATE-----)"), re.compile(rb"(?=-----BEGIN X509 CRL-----)")
_BEGIN = b"-----BEGIN "
_SEQUENCE, _LONG = 0x30, 0x80
"""How DER of a certificate or list begins: a sequence, of more octets than one can say."""


def describe(parser: argparse.ArgumentParser) -> None:
    """Say which words the command takes."""
    parser.add_argument("certificate", type=Path, help="DER or PEM; behind the first the CAs' may follow")
    parser.add_argument("--root", type=Path, required=True, help="the root's certificate that you hold")
    parser.add_argument("--issuer", type=Path, action="append", default=[], help="CA certificates; several may be")
    parser.add_argument(
        "--list", type=Path, action="append", default=[], help="of the issuing CA, of the root; PEM may hold both"
    )
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
    octets, *chain = _parts(_CERTIFICATE, chosen.certificate)
    environment: Environment = "test" if chosen.test else "live"
    verdict = prove(
        octets,
        anchor=chosen.root.read_bytes(),
        issuers=[*(each.read_bytes() for each in chosen.issuer), *chain],
        crls=[each for file in chosen.list for each in _parts(_LIST, file)],
        ocsp=None if chosen.ocsp is None else chosen.ocsp.read_bytes(),
        at=moment(text(now()) if chosen.at is None else chosen.at),
        environment=environment,
        arc=chosen.arc or _arc(octets),
        device=None if chosen.device is None else _device(chosen.device),
    )
    words = json.dumps(document(verdict), indent=2) if chosen.json else harmless("\n".join(_lines(verdict)))
    sys.stdout.write(f"{words}\n")
    return _exit_of(verdict)


def _parts(begin: re.Pattern[bytes], file: Path) -> list[bytes]:
    """Return each certificate, or list, that a file holds; what is not PEM of such is one part, whatever it is.

    A part that is cut short stays one, so that it is told of and not passed over.
    """
    octets = file.read_bytes()
    if octets[:1] == bytes([_SEQUENCE]) and octets[1:2] >= bytes([_LONG]):
        return [octets]
    return [each for each in begin.split(octets) if each.startswith(_BEGIN)] if begin.search(octets) else [octets]


def _device(said: str) -> DeviceClaim:
    try:
        return claimed(read(said.encode("utf-8")))
    except ValueError as error:
        raise ValueError(
            f'--device is JSON, as {{"manufacturer": "AB01", "model": "0000002A"}}, and not {said[:64]!r}: {error}'
        ) from None


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
    told = f"{verdict.state.value.replace('_', ' ')}, {rests}"
    if verdict.codes & NOT_COVERED:  # whoever reads no further must not have read that it is active
        lines = [f"Not for this device: the certificate{about} does not cover what was asked about. In itself: {told}."]
    else:
        lines = [f"The certificate{about}: {told}."]
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
