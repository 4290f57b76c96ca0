"""The statement that an officer signs: which act, about what, with which bytes, for which authority, until when.

Canonical JSON (RFC 8785), so that everybody who has its members has the octets that were signed. What comes from
outside is parsed here and nowhere else.
"""

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from core.canonical import Json, canonical, digest, read_json
from core.errors import AuthorisationRefused, InstantMalformed
from core.instants import parse, text
from core.kinds import AuthorisationFlaw, AuthorisedAct
from officers.parsing import STRICT, Hex256, NamedAuthority, Thumbprint, Word, first_of

TYPE = "trialcpa-authorisation-1"
"""What the statement is; another version is another type."""

LONGEST_VALID = timedelta(days=7)
"""How long ahead a statement may be valid. It is consumed within seconds of the act; what lies about unused for longer
is a signed cheque."""

USUALLY_VALID = timedelta(days=1)
"""How long one is valid that is made by our own tools: as long as the authority process may stand still."""

NONCE_OCTETS = 16

MOST_OCTETS = 8_192
"""Octets of a statement, and of a proof: a statement about one decision with two drafts has 900."""

MOST_LISTED = 2_000
"""Things that one statement may be about: every certificate of an issuing CA that is compromised."""

_Nonce = Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{{2 * NONCE_OCTETS}}}$")]


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Which authority a statement is for.

    Args:
        name: as in every subject.
        root_key_sha256: of its root's public key (SubjectPublicKeyInfo, DER), hex.
    """

    name: str
    root_key_sha256: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What an act says of itself, by which a statement about it is recognised.

    Args:
        act: what is done.
        subject: the decision, approval, breach or order that it is done to; for several, the digest of their list.
        proposal_sha256: of the document that is agreed to, hex; None where there is none.
        tbs_sha256: of the bytes that are to be signed, hex, in order; None where there are none.
    """

    act: AuthorisedAct
    subject: str
    proposal_sha256: str | None = None
    tbs_sha256: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What an officer signs.

    Args:
        authority: whom it is for.
        claim: what is done.
        officer: who signs, by the name of their credential.
        key: the RFC 7638 thumbprint of the key that signs.
        valid_until: the last second in which it counts.
        nonce: 16 random octets, hex: two statements are never the same.
    """

    authority: Authority
    claim: Claim
    officer: str
    key: str
    valid_until: datetime
    nonce: str

    def document(self) -> dict[str, Json]:
        """Return it as the JSON object that is signed."""
        return {
            "type": TYPE,
            "authority": {"name": self.authority.name, "root_key_sha256": self.authority.root_key_sha256},
            "act": self.claim.act.value,
            "subject": self.claim.subject,
            "proposal_sha256": self.claim.proposal_sha256,
            "tbs_sha256": None if self.claim.tbs_sha256 is None else list(self.claim.tbs_sha256),
            "officer": self.officer,
            "key": self.key,
            "valid_until": text(self.valid_until),
            "nonce": self.nonce,
        }

    def octets(self) -> bytes:
        """Return the octets that are signed: its canonical form."""
        return self._octets

    @cached_property  # digested, compared and kept in one act
    def _octets(self) -> bytes:
        return canonical(self.document())

    @property
    def sha256(self) -> str:
        """The digest of what is signed, hex: the name under which it is known."""
        return hashlib.sha256(self.octets()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Authorisation:
    """A statement with the proof of who signed it.

    Args:
        statement: what is signed.
        proof: a compact JWS (RFC 7515) over exactly its octets; of a passkey what it answered (officers/passkey.py).
    """

    statement: Statement
    proof: str

    def document(self) -> dict[str, Json]:
        """Return it as it travels."""
        return {"statement": self.statement.document(), "key": self.statement.key, "proof": self.proof}


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One of several things that one statement is about.

    Args:
        decision: its identifier.
        proposal_sha256: of its proposal, hex.
        tbs_sha256: of the bytes to be signed, hex, in order; None for kinds that issue nothing.
    """

    decision: str
    proposal_sha256: str
    tbs_sha256: tuple[str, ...] | None = None

    def document(self) -> list[Json]:
        """Return it as it stands in the list that is digested."""
        return [self.decision, self.proposal_sha256, None if self.tbs_sha256 is None else list(self.tbs_sha256)]


def list_digest(members: Collection[Listed]) -> str:
    """Return the hex digest of several things, which is the subject of a statement about all of them.

    Args:
        members: in any order; the digest is that of the list in order of their identifiers.
    """
    return hashlib.sha256(_listed_text(tuple(members)).encode()).hexdigest()


def stated(claim: Claim, members: Collection[Listed]) -> Claim:
    """Return the claim that a statement has to make for an act to be authorised by it.

    Args:
        claim: what the act says of itself.
        members: what the statement lists; empty for a statement about one thing.

    Raises:
        AuthorisationRefused: the act is not among what is listed.
    """
    if not members:
        return claim
    own = Listed(decision=claim.subject, proposal_sha256=claim.proposal_sha256 or "", tbs_sha256=claim.tbs_sha256)
    if own not in members:
        raise AuthorisationRefused(
            flaw=AuthorisationFlaw.SUBJECT, detail=f"what it lists does not hold {claim.subject} with these digests"
        )
    return Claim(act=claim.act, subject=list_digest(members))


def listed_text(members: Collection[Listed]) -> str:
    """Return what a statement lists, as it is kept: canonical JSON, in order of the identifiers."""
    return _listed_text(tuple(members))


@lru_cache(maxsize=4)  # each of a hundred acts under one statement asks for it, and 2,000 members take 50 ms
def _listed_text(members: tuple[Listed, ...]) -> str:
    return canonical([each.document() for each in sorted(members, key=lambda each: each.decision)]).decode()


def read_listed(kept: str | None) -> tuple[Listed, ...]:
    """Return what a statement lists, as it was kept; nothing for a statement about one thing.

    Raises:
        AuthorisationRefused: it is no such list.
    """
    if kept is None:
        return ()
    try:
        found = _MEMBERS.validate_json(kept, strict=True)
    except ValidationError as error:
        raise _malformed(first_of(error)) from None
    if len({decision for decision, _, _ in found}) < len(found):
        raise _malformed("what it lists names a decision twice")
    return tuple(
        Listed(decision=decision, proposal_sha256=proposal, tbs_sha256=None if tbs is None else tuple(tbs))
        for decision, proposal, tbs in found
    )


def revocation_digest(approval: str, *, cause: str, invalidity_date: datetime | None, breach: str | None) -> str:
    """Return the hex digest of an order to revoke at once, which stands in its statement for a proposal's.

    Args:
        approval: its identifier.
        cause: as in core.approval.EndCause.
        invalidity_date: since when a compromised key is known to be.
        breach: the confirmed breach that it answers.
    """
    said: dict[str, Json] = {
        "approval": approval,
        "cause": cause,
        "invalidity_date": None if invalidity_date is None else text(invalidity_date),
        "breach": breach,
    }
    return digest(said).hex()


def approvals_digest(approvals: Sequence[str]) -> str:
    """Return the hex digest of a list of approvals that are revoked together, in order: their proposal has it."""
    return digest(list[Json](approvals)).hex()


def new_statement(authority: Authority, claim: Claim, *, officer: str, key: str, at: datetime) -> Statement:
    """Return a statement to be signed, valid for the usual time.

    Args:
        authority: whom it is for.
        claim: what is done.
        officer: who will sign.
        key: the thumbprint of their key.
        at: now.
    """
    return Statement(
        authority=authority,
        claim=claim,
        officer=officer,
        key=key,
        valid_until=at + USUALLY_VALID,
        nonce=secrets.token_hex(NONCE_OCTETS),
    )


# --- parsing ---------------------------------------------------------------------------------------------------------


class _Statement(BaseModel):
    model_config = STRICT
    type: Literal["trialcpa-authorisation-1"]
    authority: NamedAuthority
    act: Word
    subject: Word
    proposal_sha256: Hex256 | None
    tbs_sha256: list[Hex256] | None
    officer: Word
    key: Thumbprint
    valid_until: Word
    nonce: _Nonce


_MEMBERS: TypeAdapter[list[tuple[str, str, list[str] | None]]] = TypeAdapter(
    Annotated[list[tuple[Word, Hex256, list[Hex256] | None]], Field(min_length=1, max_length=MOST_LISTED)]
)


class _Authorisation(BaseModel):
    model_config = STRICT
    statement: dict[str, Any]
    key: Thumbprint
    proof: Annotated[str, StringConstraints(min_length=1, max_length=MOST_OCTETS)]


def parse_statement(document: Mapping[str, Any]) -> Statement:
    """Return the statement that a JSON object says.

    Raises:
        AuthorisationRefused: it says less, more, or otherwise than a statement does.
    """
    try:
        said = _Statement.model_validate(dict(document))
        act = AuthorisedAct(said.act)
        valid_until = parse(said.valid_until)
    except ValidationError as error:
        raise _malformed(first_of(error)) from None
    except (ValueError, InstantMalformed):
        raise _malformed("its act or its valid_until is none that is known") from None
    statement = Statement(
        authority=Authority(name=said.authority.name, root_key_sha256=said.authority.root_key_sha256),
        claim=Claim(
            act=act,
            subject=said.subject,
            proposal_sha256=said.proposal_sha256,
            tbs_sha256=None if said.tbs_sha256 is None else tuple(said.tbs_sha256),
        ),
        officer=said.officer,
        key=said.key,
        valid_until=valid_until,
        nonce=said.nonce,
    )
    if len(statement.octets()) > MOST_OCTETS:
        raise _malformed(f"the statement has more than {MOST_OCTETS} octets")
    return statement


def parse_authorisation(document: Mapping[str, Any]) -> Authorisation:
    """Return the authorisation that a JSON object says; nothing of it is proved yet.

    Raises:
        AuthorisationRefused: it is none.
    """
    try:
        said = _Authorisation.model_validate(dict(document))
    except ValidationError as error:
        raise _malformed(first_of(error)) from None
    statement = parse_statement(said.statement)
    if said.key != statement.key:
        raise _malformed("the key beside the statement is not the one in it")
    return Authorisation(statement=statement, proof=said.proof)


def parse_listed(document: Sequence[Any]) -> tuple[Listed, ...]:
    """Return what a JSON list says that a statement is about.

    Raises:
        AuthorisationRefused: it is no such list.
    """
    return read_listed(json.dumps(document))


def authorisation_schema() -> dict[str, Any]:
    """Return what an authorisation is (JSON Schema), for whoever describes where one is sent."""
    statement = _Statement.model_json_schema()
    statement["properties"]["authority"] = statement.pop("$defs")[NamedAuthority.__name__]
    whole = _Authorisation.model_json_schema()
    whole["properties"]["statement"] = statement
    return whole


def listed_schema() -> dict[str, Any]:
    """Return what the list is that a statement about several things is about (JSON Schema)."""
    return _MEMBERS.json_schema()


def read_statement(octets: bytes) -> Statement:
    """Return the statement that was kept as its canonical octets.

    Raises:
        AuthorisationRefused: they are none, or not in canonical form.
    """
    if len(octets) > MOST_OCTETS:
        raise _malformed(f"the statement has more than {MOST_OCTETS} octets")
    try:
        document = read_json(octets)
    except ValueError:
        raise _malformed("the statement is no JSON") from None
    if not isinstance(document, dict):
        raise _malformed("the statement is no JSON object")
    statement = parse_statement(document)
    if statement.octets() != octets:
        raise _malformed("the statement is not in canonical form")
    return statement


def _malformed(detail: str) -> AuthorisationRefused:
    return AuthorisationRefused(flaw=AuthorisationFlaw.MALFORMED, detail=detail)
