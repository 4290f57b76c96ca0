"""What the offline verifier says: the verdict, and each thing that speaks against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from verify.kit.evidence.statement import Statement
from verify.kit.status import State


class Code(StrEnum):
    """Stable codes of failures. The first group are ends, which are proved; the others are things not proved."""

    NOT_YET_STARTED = "not-yet-started"
    REVOKED = "revoked"
    EXPIRED = "expired"

    DEVICE_NOT_APPROVED = "device-not-approved"
    FIRMWARE_NOT_APPROVED = "firmware-not-approved"
    FIRMWARE_HASH_MISMATCH = "firmware-hash-mismatch"

    CERTIFICATE_MALFORMED = "certificate-malformed"
    ANCHOR_MALFORMED = "anchor-malformed"
    ISSUER_MALFORMED = "issuer-malformed"
    ISSUER_NOT_FOUND = "issuer-not-found"
    PATH_BROKEN = "path-broken"
    ISSUER_NOT_VALID_THEN = "issuer-not-valid-then"
    ISSUER_REVOKED = "issuer-revoked"
    ENVIRONMENT_MIXED = "environment-mixed"
    PROFILE_BROKEN = "profile-broken"
    STATEMENT_MALFORMED = "statement-malformed"
    STATEMENT_CONTRADICTS = "statement-contradicts"

    CRL_MALFORMED = "crl-malformed"
    CRL_MISSING = "crl-missing"
    CRL_NOT_ACCEPTED = "crl-not-accepted"
    CRL_NOT_CURRENT = "crl-not-current"
    CRL_LACKS_EXPIRED = "crl-lacks-expired"
    ROOT_CRL_MISSING = "root-crl-missing"
    OCSP_MALFORMED = "ocsp-malformed"
    OCSP_NOT_ACCEPTED = "ocsp-not-accepted"
    OCSP_NOT_CURRENT = "ocsp-not-current"
    SOURCES_DISAGREE = "sources-disagree"

    @property
    def number(self) -> int:
        """The check that fails, as verify/README.md numbers them (21 to 28)."""
        return _NUMBERS[self]


_NUMBERS: Mapping[Code, int] = {
    each: number
    for number, codes in {
        21: (Code.CERTIFICATE_MALFORMED, Code.ANCHOR_MALFORMED, Code.ISSUER_MALFORMED),
        22: (Code.ISSUER_NOT_FOUND, Code.PATH_BROKEN, Code.ISSUER_NOT_VALID_THEN),
        23: (Code.ENVIRONMENT_MIXED, Code.PROFILE_BROKEN),
        24: (
            Code.STATEMENT_MALFORMED,
            Code.STATEMENT_CONTRADICTS,
            Code.DEVICE_NOT_APPROVED,
            Code.FIRMWARE_NOT_APPROVED,
            Code.FIRMWARE_HASH_MISMATCH,
        ),
        25: (
            Code.CRL_MALFORMED,
            Code.CRL_MISSING,
            Code.CRL_NOT_ACCEPTED,
            Code.CRL_NOT_CURRENT,
            Code.CRL_LACKS_EXPIRED,
        ),
        26: (Code.OCSP_MALFORMED, Code.OCSP_NOT_ACCEPTED, Code.OCSP_NOT_CURRENT, Code.SOURCES_DISAGREE),
        27: (Code.ISSUER_REVOKED, Code.ROOT_CRL_MISSING),
        28: (Code.NOT_YET_STARTED, Code.REVOKED, Code.EXPIRED),
    }.items()
    for each in codes
}

WANTING = frozenset({Code.CRL_MISSING, Code.CRL_NOT_CURRENT, Code.ROOT_CRL_MISSING, Code.OCSP_NOT_CURRENT})
"""Failures of evidence that is not there, or of another time: nothing speaks against the certificate."""

ENDS = frozenset({Code.NOT_YET_STARTED, Code.REVOKED, Code.EXPIRED})
"""Failures that are themselves proved: the certificate is genuine and does not hold at that instant."""

NOT_COVERED = frozenset({Code.DEVICE_NOT_APPROVED, Code.FIRMWARE_NOT_APPROVED, Code.FIRMWARE_HASH_MISMATCH})
"""Failures of the device that was asked about, not of the certificate."""

NOT_GENUINE = frozenset(
    {
        Code.CERTIFICATE_MALFORMED,
        Code.ANCHOR_MALFORMED,
        Code.ISSUER_NOT_FOUND,
        Code.PATH_BROKEN,
        Code.ISSUER_REVOKED,
        Code.ENVIRONMENT_MIXED,
        Code.PROFILE_BROKEN,
        Code.STATEMENT_MALFORMED,
        Code.STATEMENT_CONTRADICTS,
    },
)
"""Failures after which nothing that the certificate says is believed: its state is unknown."""


@dataclass(frozen=True)
class Failure:
    """One thing against.

    Args:
        code: stable.
        detail: a sentence for people.
    """

    code: Code
    detail: str


@dataclass(frozen=True)
class Verdict:
    """What is proved of one certificate at one instant.

    Args:
        state: as in the answer of /v1/verify; unknown where the evidence proves none.
        failures: everything against, in the order of the numbered list in verify/kit/evidence/offline.py.
        statement: what the certificate's TrialDeviceApproval says; None if it cannot be read. Believe it only
            where `genuine` is true.
    """

    state: State
    failures: tuple[Failure, ...]
    statement: Statement | None

    @property
    def valid(self) -> bool:
        """True only for a proved active certificate with nothing against it."""
        return self.state is State.ACTIVE and not self.failures

    @property
    def genuine(self) -> bool:
        """Whether the authority issued it, whatever has become of it since."""
        return not self.codes & NOT_GENUINE

    @property
    def proved(self) -> bool:
        """Whether the state rests on complete evidence: nothing is missing, stale or contradictory."""
        return not self.codes - ENDS - NOT_COVERED

    @property
    def wanting(self) -> bool:
        """Whether nothing but evidence is missing."""
        return bool(self.codes & WANTING) and not self.codes - WANTING

    @property
    def checks(self) -> tuple[int, ...]:
        """The numbers of the checks that fail."""
        return tuple(sorted({code.number for code in self.codes}))

    @property
    def codes(self) -> frozenset[Code]:
        """The codes of all failures."""
        return frozenset(failure.code for failure in self.failures)
