"""What is carried by hand between an authority and its offline root: a request, and the response to it.

Both are one file each, canonical JSON (RFC 8785). Neither is secret, and neither is believed: the root's side shows and
judges what it signs, the authority compares what comes back with what it remembers (docs/adr/0030).
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime

from core.canonical import Json, canonical
from core.identifiers import Environment
from core.instants import text
from core.status import Revoked

REQUEST_TYPE = "trialcpa-root-request-1"
RESPONSE_TYPE = "trialcpa-root-response-1"

_PROVES = b"trialcpa possession of an issuing CA's key 1\0"


@dataclass(frozen=True, kw_only=True)
class WantedCertificate:
    """A certificate that the root is asked for.

    Args:
        tbs: TBSCertificate, DER: exactly what is to be signed.
        proof: by the key that it is for, over `possession_statement`: whoever asks has that key (RFC 4211, 4).
    """

    tbs: bytes
    proof: bytes


@dataclass(frozen=True, kw_only=True)
class RootRequest:
    """What an authority asks of its root.

    Args:
        environment, name, arc, base_url, organisation: of its profile.
        at: when it asks, by its own clock.
        root: the root's certificate, DER.
        newest_list: the newest list of the root that it knows, DER; None if there is none.
        certificate: of a new issuing CA; None if none is wanted.
        ended: every issuing CA that the root's list has to have, in order of serials.
    """

    environment: Environment
    name: str
    arc: str
    base_url: str
    organisation: str
    at: datetime
    root: bytes
    newest_list: bytes | None
    certificate: WantedCertificate | None
    ended: tuple[Revoked, ...]

    def octets(self) -> bytes:
        """Return the file's contents."""
        wanted = self.certificate
        said: dict[str, Json] = {
            "type": REQUEST_TYPE,
            "environment": self.environment,
            "name": self.name,
            "arc": self.arc,
            "base_url": self.base_url,
            "organisation": self.organisation,
            "at": text(self.at),
            "root": _text(self.root),
            "newest_list": _text(self.newest_list),
            "tbs": _text(None if wanted is None else wanted.tbs),
            "proof": _text(None if wanted is None else wanted.proof),
            "ended": [{"serial": each.serial, "at": text(each.at), "reason": int(each.reason)} for each in self.ended],
        }
        return canonical(said) + b"\n"

    def digest(self) -> str:
        """Return the SHA-256 (hex) of the file's contents, which the response names."""
        return hashlib.sha256(self.octets()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class RootResponse:
    """What the root has signed.

    Args:
        request_sha256: of the request that it answers, hex.
        certificate: of the new issuing CA, DER; None if none was wanted.
        newest_list: the root's list, DER, if it is newer than the one that the request knew.
    """

    request_sha256: str
    certificate: bytes | None
    newest_list: bytes | None

    def octets(self) -> bytes:
        """Return the file's contents."""
        said: dict[str, Json] = {
            "type": RESPONSE_TYPE,
            "request_sha256": self.request_sha256,
            "certificate": _text(self.certificate),
            "newest_list": _text(self.newest_list),
        }
        return canonical(said) + b"\n"


def possession_statement(tbs: bytes) -> bytes:
    """Return what the key of a wanted certificate signs to prove that it is there: nothing that means anything else.

    Args:
        tbs: the TBSCertificate, DER.
    """
    return _PROVES + hashlib.sha256(tbs).digest()


def _text(octets: bytes | None) -> str | None:
    return None if octets is None else base64.b64encode(octets).decode("ascii")
