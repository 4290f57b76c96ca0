"""pkilint in process: what the public standards say about the bytes that we are about to sign.

Only our own bytes come here, never a stranger's. The linter is imported and its validators are built at first use,
once: that takes a fifth of a second, each lint a few milliseconds. Nothing of a document outlives its lint but the
verdict on a certificate, by its bytes: the lint is a pure function of them, and a draft is judged twice, when it is
drafted and again right before it is signed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from types import ModuleType
from typing import TYPE_CHECKING

from core.errors import Finding, Severity

if TYPE_CHECKING:
    from policy.linters import Result

_CLAUSES = {"certificate": "RFC 5280 4", "chain": "RFC 5280 6", "CRL": "RFC 5280 5", "OCSP answer": "RFC 6960 4.2"}
_BLOCKING = ("FATAL", "ERROR", "WARNING")


_REMEMBERED = 4_096
"""Verdicts on certificates that are remembered: more than wait for their second officer at any time."""


@lru_cache(maxsize=_REMEMBERED)
def lint_certificate(der: bytes) -> tuple[Finding, ...]:
    """Return what pkilint has against a certificate, at WARNING or above.

    Args:
        der: a certificate of ours, signed by whatever key: the signature is not looked at.
    """
    return _linted("certificate", lambda: _linters().certificate(der))


def lint_chain(issuer: bytes, subject: bytes, *, signed: bool = True) -> tuple[Finding, ...]:
    """Return what pkilint has against the pair of an issuer and what it issued, at WARNING or above.

    Args:
        issuer: a certificate of ours, DER.
        subject: what it issued, DER.
        signed: False for a preview, whose signature is a throwaway key's and proves nothing.
    """
    return _linted("chain", lambda: _linters().chain(issuer, subject, signed=signed))


def lint_crl(der: bytes) -> tuple[Finding, ...]:
    """Return what pkilint has against a CRL, at WARNING or above. Its time grows with the entries: 1 ms for each."""
    return _linted("CRL", lambda: _linters().crl(der))


def lint_ocsp(der: bytes) -> tuple[Finding, ...]:
    """Return what pkilint has against a successful OCSP response, at WARNING or above."""
    return _linted("OCSP answer", lambda: _linters().ocsp(der))


@cache
def _linters() -> ModuleType:
    return importlib.import_module("policy.linters")


def _linted(kind: str, lint: Callable[[], Iterable[Result]]) -> tuple[Finding, ...]:
    try:
        return tuple(
            Finding(
                code=f"lint.{description.finding.code}",
                clause=_CLAUSES[kind],
                # The linter's own severities are a standard's “must” and “should”; here both refuse.
                severity=Severity.FATAL,
                detail=f"{description.finding.code} at {result.node.path}"
                + (f": {description.message}" if description.message else ""),
                remedy="This is a fault of ours: nothing was signed. Keep the log and report it.",
            )
            for result in lint()
            for description in result.finding_descriptions
            if description.finding.severity.name in _BLOCKING
        )
    except Exception as crash:  # noqa: BLE001 - a linter that cannot judge has not cleared anything
        return (
            Finding(
                code="lint.crashed",
                clause=_CLAUSES[kind],
                severity=Severity.FATAL,
                detail=f"The {kind} could not be linted ({type(crash).__name__}: {crash}).",
                remedy="This is a fault of ours: nothing was signed. Keep the log and report it.",
            ),
        )
