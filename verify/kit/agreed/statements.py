"""What an officer signs: which act, about what, with which bytes, for which authority, until when; and its claim."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from verify.kit.agreed import forms
from verify.kit.canonical import canonical
from verify.kit.instants import moment, written

MOST_OCTETS = 8_192
"""Octets of a statement, and of a proof."""

MOST_LISTED = 2_000
"""Things that one statement may be about."""

_TYPE = "trialcpa-authorisation-1"


class Act(StrEnum):
    """What officers sign for."""

    PROPOSE = "propose"
    SECOND = "second"
    REJECT = "reject"
    REVOKE = "revoke"
    CONFIRM_BREACH = "confirm-breach"
    STOP_ISSUING = "stop-issuing"
    START_ISSUING = "start-issuing"
    CHANGE_ROSTER = "change-roster"
    ACCEPT_RESTORE = "accept-restore"


class Flaw(StrEnum):
    """Why what was signed does not count."""

    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    SIGNATURE = "signature"
    KEY = "key"
    OFFICER = "officer"
    AUTHORITY = "authority"
    ACT = "act"
    SUBJECT = "subject"
    DIGEST = "digest"
    EXPIRED = "expired"
    TOO_LONG = "too-long"
    ORIGIN = "origin"
    VERIFICATION = "verification"


class Refused(ValueError):
    """What was signed does not count.

    Args:
        flaw: the first that was found.
        detail: a sentence for people.
    """

    def __init__(self, flaw: Flaw, detail: str) -> None:
        super().__init__(detail)
        self.flaw = flaw
        self.detail = detail


@dataclass(frozen=True, kw_only=True)
class Authority:
    """For whom something is signed.

    Args:
        name: as in every subject.
        root_key_sha256: of its root's public key, SubjectPublicKeyInfo, DER; hex.
    """

    name: str
    root_key_sha256: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What an act says of itself.

    Args:
        act: what is done.
        subject: the decision, approval or order that it is done to; for several, the digest of their list.
        proposal_sha256: of the document that is agreed to, hex.
        tbs_sha256: of the bytes that are to be signed, hex, in order; None where there are none.
    """

    act: Act
    subject: str
    proposal_sha256: str | None = None
    tbs_sha256: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One of several things that one statement is about.

    Args:
        decision: its identifier.
        proposal_sha256: of its proposal, hex.
        tbs_sha256: as in a claim.
    """

    decision: str
    proposal_sha256: str
    tbs_sha256: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Authorisation:
    """A statement, and the proof of who signed it.

    Args:
        authority, claim, officer, key, valid_until: what the statement says; `key` is a thumbprint.
        octets: the statement in its canonical form, which is what is signed.
        proof: a compact JWS (RFC 7515).
    """

    authority: Authority
    claim: Claim
    officer: str
    key: str
    valid_until: datetime
    octets: bytes
    proof: str

    @property
    def sha256(self) -> str:
        """The digest of what is signed, hex: the name under which it is known."""
        return hashlib.sha256(self.octets).hexdigest()


def AUTHORITY(said: object) -> bool:  # noqa: N802 - a form, as those of forms.py that take nothing
    """An authority as statements name it."""
    try:
        forms.members(said, {"name": forms.word, "root_key_sha256": forms.sha256})
    except ValueError:
        return False
    return True


def authority_of(said: Mapping[str, str]) -> Authority:
    """Return an authority that was in its form."""
    return Authority(name=said["name"], root_key_sha256=said["root_key_sha256"])


def read_authorisation(document: object) -> Authorisation:
    """Return what a JSON object says that was signed; nothing of it is proved. Refused if it is none."""
    try:
        whole = forms.members(
            document, {"statement": forms.anything, "key": forms.thumbprint, "proof": forms.text(MOST_OCTETS)}
        )
        said = forms.members(
            whole["statement"],
            {
                "type": forms.exactly(_TYPE),
                "authority": AUTHORITY,
                "act": forms.word,
                "subject": forms.word,
                "proposal_sha256": forms.perhaps(forms.sha256),
                "tbs_sha256": forms.perhaps(forms.several(forms.sha256)),
                "officer": forms.word,
                "key": forms.thumbprint,
                "valid_until": forms.word,
                "nonce": forms.nonce,
            },
        )
        act, valid_until, octets = Act(said["act"]), moment(said["valid_until"]), canonical(said)
    except ValueError as error:
        raise Refused(Flaw.MALFORMED, str(error)) from None
    if len(octets) > MOST_OCTETS or whole["key"] != said["key"]:
        raise Refused(Flaw.MALFORMED, "the statement is too long, or the key beside it is not the one in it")
    return Authorisation(
        authority=authority_of(said["authority"]),
        claim=Claim(
            act=act,
            subject=said["subject"],
            proposal_sha256=said["proposal_sha256"],
            tbs_sha256=_tuple(said["tbs_sha256"]),
        ),
        officer=said["officer"],
        key=said["key"],
        valid_until=valid_until,
        octets=octets,
        proof=whole["proof"],
    )


def read_listed(document: object) -> tuple[Listed, ...]:
    """Return what a JSON list says that a statement is about; Refused if it is no such list."""
    row = (forms.word, forms.sha256, forms.perhaps(forms.several(forms.sha256)))

    def listed(each: object) -> bool:
        return isinstance(each, list) and len(each) == len(row) and all(form(one) for form, one in zip(row, each))  # noqa: B905 - of one length

    if not forms.several(listed, MOST_LISTED)(document) or not isinstance(document, list) or not document:
        raise Refused(Flaw.MALFORMED, "what it lists is no list of decisions")
    if len({each[0] for each in document}) < len(document):
        raise Refused(Flaw.MALFORMED, "what it lists names a decision twice")
    return tuple(Listed(decision=each[0], proposal_sha256=each[1], tbs_sha256=_tuple(each[2])) for each in document)


def stated(claim: Claim, members: Sequence[Listed]) -> Claim:
    """Return the claim that a statement has to make for an act; Refused if the act is not among what it lists.

    Args:
        claim: what the act says of itself.
        members: what the statement lists; empty for one about one thing.
    """
    if not members:
        return claim
    own = Listed(decision=claim.subject, proposal_sha256=claim.proposal_sha256 or "", tbs_sha256=claim.tbs_sha256)
    if own not in members:
        raise Refused(Flaw.SUBJECT, f"what it lists does not hold {claim.subject} with these digests")
    rows = [
        [each.decision, each.proposal_sha256, None if each.tbs_sha256 is None else list(each.tbs_sha256)]
        for each in sorted(members, key=lambda each: each.decision)
    ]
    return Claim(act=claim.act, subject=hashlib.sha256(canonical(rows)).hexdigest())


def revocation_digest(said: Mapping[str, Any]) -> str:
    """Return the hex digest of an order to revoke at once, from the proposal that says it.

    Raises:
        KeyError, TypeError, ValueError: the proposal says no such order.
    """
    since = said["invalidity_date"]
    if not all(isinstance(said[name], str) for name in ("approval", "cause")):
        raise TypeError("an order names approval and cause")
    order = {
        "approval": said["approval"],
        "cause": said["cause"],
        "invalidity_date": written(moment(since)) if since else None,
        "breach": said["breach"],
    }
    return hashlib.sha256(canonical(order)).hexdigest()


def _tuple(said: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if said is None else tuple(said)
