"""Requests to an offline root and its responses, as somebody carries them in: of one form, and small."""

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core.approval import RevocationReason
from core.canonical import read_json
from core.carried import REQUEST_TYPE, RESPONSE_TYPE, RootRequest, RootResponse, WantedCertificate
from core.errors import CarriedUnreadable, TrialCpaError
from core.identifiers import Environment, parse_serial
from core.instants import parse
from core.status import Revoked

LARGEST = 1024 * 1024
"""Octets of a file: a certificate, and a list with a handful of entries."""

_REQUEST = (
    "type environment name arc base_url organisation at root newest_list tbs proof ended".split()  # noqa: SIM905
)
_RESPONSE = "type request_sha256 certificate newest_list".split()  # noqa: SIM905
_ENDED = ("serial", "at", "reason")


def read_request(octets: bytes) -> RootRequest:
    """Return a request; CarriedUnreadable if it is none. What it says is judged by whoever signs."""
    said = _document(octets, REQUEST_TYPE, _REQUEST)
    try:
        tbs, proof = _octets(said, "tbs"), _octets(said, "proof")
        return RootRequest(
            environment=_environment(said["environment"]),
            name=_word(said, "name"),
            arc=_word(said, "arc"),
            base_url=_word(said, "base_url"),
            organisation=_word(said, "organisation"),
            at=parse(_word(said, "at")),
            root=_octets(said, "root") or b"",
            newest_list=_octets(said, "newest_list"),
            certificate=None if tbs is None and proof is None else _wanted(tbs, proof),
            ended=_ended(said["ended"]),
        )
    except (ValueError, TrialCpaError) as error:
        raise CarriedUnreadable(detail=str(error)) from error


def read_response(octets: bytes) -> RootResponse:
    """Return a response; CarriedUnreadable if it is none. What it says is judged by whoever accepts it."""
    said = _document(octets, RESPONSE_TYPE, _RESPONSE)
    try:
        return RootResponse(
            request_sha256=_word(said, "request_sha256"),
            certificate=_octets(said, "certificate"),
            newest_list=_octets(said, "newest_list"),
        )
    except ValueError as error:
        raise CarriedUnreadable(detail=str(error)) from error


def _document(octets: bytes, kind: str, members: Collection[str]) -> Mapping[str, Any]:
    if len(octets) > LARGEST:
        raise CarriedUnreadable(detail=f"it has more than {LARGEST} octets")
    try:
        said = read_json(octets.decode("utf-8"))
    except ValueError as error:
        raise CarriedUnreadable(detail="it is not JSON") from error
    if not isinstance(said, dict) or said.get("type") != kind:
        raise CarriedUnreadable(detail=f"it does not say that it is a {kind}")
    if set(said) != set(members):
        raise CarriedUnreadable(detail="it does not have exactly the members of its kind")
    return said


def _word(said: Mapping[str, Any], name: str) -> str:
    value = said[name]
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{name} is not a line of text")
    return value


def _octets(said: Mapping[str, Any], name: str) -> bytes | None:
    if said[name] is None:
        return None
    try:
        return base64.b64decode(_word(said, name), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{name} is not base64") from error


def _environment(said: object) -> Environment:
    if said == "test":
        return "test"
    if said == "live":
        return "live"
    raise ValueError("environment is test or live")


def _wanted(tbs: bytes | None, proof: bytes | None) -> WantedCertificate:
    if tbs is None or proof is None:
        raise ValueError("what is to be signed comes with a proof of possession, and a proof with that")
    return WantedCertificate(tbs=tbs, proof=proof)


def _ended(listed: object) -> tuple[Revoked, ...]:
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise ValueError("ended is not a list")  # noqa: TRY004 - see above
    found = []
    for each in listed:
        if not isinstance(each, dict) or set(each) != set(_ENDED) or type(each["reason"]) is not int:
            raise ValueError("an entry of ended does not have serial, at and reason")
        serial, at = parse_serial(_word(each, "serial")), parse(_word(each, "at"))
        found.append(Revoked(serial=serial, at=at, reason=RevocationReason(each["reason"])))
    if [each.serial for each in found] != sorted({each.serial for each in found}):
        raise ValueError("ended is not in order of serials, or names one twice")
    return tuple(found)
