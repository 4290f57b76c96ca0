"""The offline verifier: a Trial CPA Certificate, proved from bytes that anyone can fetch, without asking anybody.

`prove` shows, in this order, that

1. what was handed in can be read: one certificate, one root, issuers, lists, an answer;
2. the certificate was signed by one issuing CA and that by the root the relying party trusts, each entitled to it
   and valid at the instant;
3. it is a Trial CPA Certificate of this environment: its usage, its policy, no critical extension unknown;
   test and live are never mixed;
4. its TrialDeviceApproval is strict DER and agrees with the rest of the certificate (F2.25), and covers the device
   and firmware asked about;
5. the issuing CA's list is authentic, each of its entries is in order, it covers this certificate and this instant,
   and names it or not (F2.31);
6. the OCSP answer, if there is one, is by the issuing CA's own responder, for this certificate and this instant, and
   tells the same story as the list;
7. the root's list is authentic, covers this instant and does not name the issuing CA;
8. the instant lies within the certificate's validity (both ends inclusive), or how it had ended.

It leaves to the caller: that the root is the right one, that `at` is the true time, that the list is the newest
there is, how many devices are deployed (F2.21(d)), and that these bytes are the very ones in the register: an ECDSA
signature can be rewritten into a second valid form, which says the same things and is not what was issued.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509

from verify.kit.evidence.answers import read_answer
from verify.kit.evidence.der import DerMalformed
from verify.kit.evidence.ends import Ended, Testimony, contradictions, first_end, state_of
from verify.kit.evidence.identifiers import Environment
from verify.kit.evidence.lists import read_lists
from verify.kit.evidence.parsing import Unreadable, one_certificate, several_certificates
from verify.kit.evidence.path import find_path
from verify.kit.evidence.profile import (
    Arc,
    agreement_failures,
    claim_failures,
    distribution_point,
    environment_failures,
    profile_failures,
    statement_value,
)
from verify.kit.evidence.statement import DeviceClaim, Statement, decode
from verify.kit.evidence.verdict import ENDS, NOT_COVERED, NOT_GENUINE, Code, Failure, Verdict
from verify.kit.instants import written
from verify.kit.status import State


def prove(  # noqa: PLR0913 - all that is trusted and all the evidence, by name
    certificate: bytes,
    *,
    anchor: bytes,
    issuers: Sequence[bytes],
    crls: Sequence[bytes],
    ocsp: bytes | None = None,
    at: datetime,
    environment: Environment,
    arc: str,
    device: DeviceClaim | None = None,
) -> Verdict:
    """Return what is proved of a certificate at an instant. Nothing in the bytes can make this raise.

    Args:
        certificate: one certificate, DER or PEM.
        anchor: the root, DER or PEM, had from somewhere trusted.
        issuers: CA certificates, DER or PEM (a bundle will do), in any order.
        crls: the issuing CA's list and the root's, DER or PEM, in any order; further ones are compared.
        ocsp: an OCSPResponse, DER; None to go by the list alone.
        at: the instant asked about: aware, UTC, whole seconds.
        environment: what the relying party trusts, test or live.
        arc: the authority's object identifier arc, dotted.
        device: the device and firmware at hand; None to ask about the certificate alone.

    Raises:
        ValueError: `at` is not as above, or `arc` is no object identifier. These are the caller's own words.
    """
    if at.tzinfo is None or at.microsecond or at.utcoffset() != UTC.utcoffset(None):
        raise ValueError("at must be aware, UTC and of whole seconds")
    oids = Arc(arc)
    failures: list[Failure] = []
    # 1
    leaf = _read(certificate, Code.CERTIFICATE_MALFORMED, failures)
    root = _read(anchor, Code.ANCHOR_MALFORMED, failures)
    if leaf is None or root is None:
        return Verdict(State.UNKNOWN, tuple(failures), None)
    # 2
    candidates = _read_issuers(issuers, failures)
    path = find_path(leaf, candidates, root, at=at, policy=oids.policies[environment], environment=environment)
    failures += path.failures
    # 3
    failures += environment_failures(leaf, oids, environment)
    failures += profile_failures(leaf, oids)
    # 4
    statement = _statement(leaf, oids, failures)
    if statement is not None:
        failures += agreement_failures(leaf, statement, environment)
        failures += claim_failures(device, statement) if device is not None else ()
    # 5, 6, 7
    ended: Ended | None = None
    if path.issuing is not None:
        ended = _fate(leaf, path.issuing, crls, ocsp, at, environment, failures)
        _check_issuing(path.issuing, root, crls, at, failures)
    # 8
    return _verdict(leaf, statement, ended, at, failures)


def _read(data: bytes, code: Code, failures: list[Failure]) -> x509.Certificate | None:
    try:
        return one_certificate(data)
    except Unreadable as error:
        failures.append(Failure(code, f"It cannot be read: {error}."))
        return None


def _read_issuers(issuers: Sequence[bytes], failures: list[Failure]) -> tuple[x509.Certificate, ...]:
    try:
        return several_certificates(issuers)
    except Unreadable as error:
        failures.append(Failure(Code.ISSUER_MALFORMED, f"A CA certificate cannot be read: {error}."))
        return ()


def _statement(leaf: x509.Certificate, oids: Arc, failures: list[Failure]) -> Statement | None:
    value = statement_value(leaf, oids)
    if value is None:
        failures.append(Failure(Code.STATEMENT_MALFORMED, "There is no TrialDeviceApproval that is not critical."))
        return None
    try:
        return decode(value)
    except DerMalformed as error:
        failures.append(Failure(Code.STATEMENT_MALFORMED, f"The TrialDeviceApproval cannot be read: {error}."))
        return None


def _fate(
    leaf: x509.Certificate,
    issuing: x509.Certificate,
    crls: Sequence[bytes],
    ocsp: bytes | None,
    at: datetime,
    environment: Environment,
    failures: list[Failure],
) -> Ended | None:
    """Return the end that had come by `at`, from the lists (5) and the answer (6), which must not disagree."""
    point = distribution_point(leaf)
    heard = read_lists(crls, issuing, leaf.serial_number, point=point or "a place that the certificate does not name")
    failures += heard.failures
    testimonies = heard.testimonies
    answer: tuple[Testimony, ...] = ()
    if ocsp is not None:
        spoken = read_answer(ocsp, leaf, issuing, at=at, environment=environment)
        failures += spoken.failures
        answer = spoken.testimonies
    ended = first_end((*testimonies, *answer), at)
    # An end once stated is for ever, whatever the age of the source; that there is none needs sources of the day.
    if ended is None:
        failures += _currency("The issuing CA's list", testimonies, at, Code.CRL_MISSING, Code.CRL_NOT_CURRENT)
        if answer and not answer[0].covers(at):
            failures.append(Failure(Code.OCSP_NOT_CURRENT, f"The OCSP answer does not speak of {written(at)}."))
    failures += [Failure(Code.SOURCES_DISAGREE, words) for words in contradictions((*testimonies, *answer))]
    failures += [
        Failure(Code.CRL_LACKS_EXPIRED, f"{source.source} was made after the expiry and does not list it (F2.31).")
        for source in testimonies
        if source.this_update > leaf.not_valid_after_utc and source.ended is None
    ]
    return ended


def _check_issuing(
    issuing: x509.Certificate, root: x509.Certificate, crls: Sequence[bytes], at: datetime, failures: list[Failure]
) -> None:
    """Add what the root's lists say against the issuing CA (7)."""
    heard = read_lists(crls, root, issuing.serial_number, point=None)
    # A list that cannot be read has been told of already.
    failures += [failure for failure in heard.failures if failure.code is not Code.CRL_MALFORMED]
    if first_end(heard.testimonies, at) is not None:
        failures.append(Failure(Code.ISSUER_REVOKED, "The root has revoked the issuing CA."))
    failures += _currency("The root's list", heard.testimonies, at, Code.ROOT_CRL_MISSING, Code.CRL_NOT_CURRENT)


def _currency(
    name: str, testimonies: Sequence[Testimony], at: datetime, missing: Code, not_current: Code
) -> tuple[Failure, ...]:
    if not testimonies:
        return (Failure(missing, f"{name} is missing."),)
    if not any(testimony.covers(at) for testimony in testimonies):
        return (Failure(not_current, f"{name} does not speak of {written(at)}."),)
    return ()


def _verdict(
    leaf: x509.Certificate, statement: Statement | None, ended: Ended | None, at: datetime, failures: list[Failure]
) -> Verdict:
    """Weigh it up: what is not genuine is unknown, an end needs no further proof, a yes needs all of it."""
    codes = {failure.code for failure in failures}
    state, end = State.ACTIVE, None
    if codes & NOT_GENUINE:
        state = State.UNKNOWN
    elif ended is not None and ended.at <= leaf.not_valid_after_utc:
        state = state_of(ended, leaf.not_valid_after_utc)
        end = Failure(Code.REVOKED, f"It ended at {written(ended.at)} ({state.value}).")
    elif at > leaf.not_valid_after_utc:
        # Expiry needs nobody: not even a list that says so.
        state = State.EXPIRED
        end = Failure(Code.EXPIRED, f"It expired; its last second was {written(leaf.not_valid_after_utc)}.")
    elif codes - NOT_COVERED - ENDS:
        state = State.UNKNOWN
    elif at < leaf.not_valid_before_utc:
        state = State.NOT_YET_STARTED
        end = Failure(Code.NOT_YET_STARTED, f"It holds from {written(leaf.not_valid_before_utc)} on.")
    return Verdict(state, (*failures, *((end,) if end else ())), statement)
