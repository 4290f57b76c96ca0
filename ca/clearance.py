"""The witness that policy linted exactly these bytes. Signing wants one; only policy/ makes them."""

from dataclasses import dataclass
from enum import StrEnum


class ClearanceKind(StrEnum):
    """What kind of thing was linted: a certificate's clearance signs no CRL."""

    CERTIFICATE = "certificate"
    CRL = "crl"
    OCSP = "ocsp"


@dataclass(frozen=True)
class Clearance:
    """Proof of a lint without a finding that blocks.

    Constructed in policy/ and nowhere else; tests/test_house.py holds everybody to that.

    Args:
        kind: what was linted.
        tbs_sha256: SHA-256 of the to-be-signed bytes, 32 octets.
    """

    kind: ClearanceKind
    tbs_sha256: bytes
