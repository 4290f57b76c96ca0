"""What comes in: JSON read strictly, who asks, and the key under which a write is done once.

Everything that is not understood is refused; a member that we ignored might have been the one that mattered.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from flask import Request, g, request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import NotAcceptable, RequestEntityTooLarge, UnsupportedMediaType

from api.status.refused import ENVIRON, Refused
from core.actors import Actor, Role
from core.canonical import canonical
from core.errors import (
    BodyMalformed,
    BodyTooLarge,
    CredentialInvalid,
    CredentialMissing,
    NotAuthenticated,
    NotPermitted,
)
from core.json_text import JsonUnreadable, read_sent
from core.words import says_something
from ra.access import authenticate
from ra.desk import Desk
from ra.repeat import RequestKey

BODY_LIMIT = 256 * 1024
"""Octets of a request body: the longest texts with the largest certificate signing request fit several times."""

DEEPEST_NESTING = 8
"""Objects and lists within each other; what the contract describes has four."""

_MOST_PROBLEMS = 5
_LONGEST_NAME = 64
_ITS_OWN = re.compile(r"[\[\]()]|Body$|^constrained-|^literal")
_ITS_TYPES = frozenset({"str", "int", "bool", "list", "none", "nullable"})
_SAID: Mapping[str, str] = {
    "string_type": "it must be text",
    "string_too_short": "it is empty",
    "string_blank": "there is nothing in it to read",
    "string_pattern_mismatch": "it has characters that are not taken here",
    "int_type": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "bool_type": "it must be true or false",
    "list_type": "it must be a list",
    "dict_type": "it must be an object",
    "model_type": "it must be an object",
    "model_attributes_type": "it must be an object",
    "none_required": "it must be null",
}
"""What the validator finds, in words that are ours: its own tell of its types."""

_MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")


class StrictRequest(Request):
    """A request whose JSON is an object, in UTF-8, with each member named once, or is refused.

    flask-openapi3 asks for the body with `silent`; nothing is silent here.
    """

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:  # noqa: ANN401, ARG002, FBT001, FBT002 - the signature of Flask
        """Return the body as an object.

        Raises:
            UnsupportedMediaType: it is not said to be application/json.
            RequestEntityTooLarge: it is larger than BODY_LIMIT.
            BodyMalformed: it is anything but such an object.
        """
        if self.mimetype != "application/json":
            raise UnsupportedMediaType
        return _object(self.get_data())


def refuse_repeated_parameters() -> None:
    """Raise BodyMalformed if a query names a parameter twice: readers differ in which of them they believe."""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise BodyMalformed(detail=f"the query names “{name[:_LONGEST_NAME]}” more than once")


def refuse_body() -> None:
    """Raise BodyMalformed if there is a body that says something, where none is described."""
    if request.get_data() and request.get_json():
        raise BodyMalformed(detail="this address takes no members; send {} or nothing")


def recognise(desk: Desk) -> None:
    """Find out who asks and keep it for this request.

    Raises:
        CredentialMissing: no Authorization field.
        CredentialInvalid: another scheme, or a key that is unknown, expired or revoked.
    """
    scheme, _, key = request.headers.get("Authorization", "").strip().partition(" ")
    if not scheme:
        raise CredentialMissing
    if scheme.lower() != "bearer" or not key.strip():
        raise CredentialInvalid
    g.actor = authenticate(desk, key.strip())


def actor() -> Actor:
    """Return who asks; only after `recognise`."""
    return cast("Actor", g.actor)


def note_refusal(error: Exception) -> None:
    """Leave a refusal of access for whoever sends the answer, which has it logged; anything else is none.

    Args:
        error: what is answered, or one of several that are.
    """
    if not isinstance(error, NotAuthenticated | NotPermitted):
        return
    who: Actor | None = g.get("actor")
    told = error.fields
    noted = Refused(
        code=error.code,
        place="" if request.url_rule is None else request.url_rule.rule,
        name=str(told.get("name", "")) if who is None else who.name,
        role=cast("Role | None", told.get("role")) if who is None else who.role,
        organisation=cast("str | None", told.get("organisation")) if who is None else who.organisation,
        ended=str(told.get("ended", "")),
    )
    request.environ.setdefault(ENVIRON, []).append(noted)


def request_key(key: str | None) -> RequestKey | None:
    """Return the Idempotency-Key with the digest of method, path, query and body; None if none was sent.

    Args:
        key: the field's value.
    """
    if key is None:
        return None
    path = request.path
    if request.args:
        # In one order, each name once (refuse_repeated_parameters). Without a query it is what it was before there
        # were any: what was sent then is known again.
        path += "?" + json.dumps(dict(sorted(request.args.items())))
    asked = b"\n".join((request.method.encode(), path.encode("utf-8", "surrogatepass"), _as_sent()))
    return RequestKey(key, hashlib.sha256(asked).hexdigest())


def wanted_form(offered: Iterable[str], *, otherwise: str) -> str:
    """Return the media type to answer with: the one liked best of those offered, the first of equals.

    RFC 9110, 12.5.1, says how it is asked for.

    Args:
        offered: in our order.
        otherwise: for whoever does not say.

    Raises:
        NotAcceptable: none of them is wanted.
    """
    if not request.accept_mimetypes:
        return otherwise
    chosen = request.accept_mimetypes.best_match(list(offered))
    if chosen is None:
        raise NotAcceptable
    return chosen


def raw_body(limit: int) -> bytes:
    """Return the body as it was sent, for addresses that take files; BodyTooLarge beyond `limit` octets."""
    request.max_content_length = limit
    try:
        return request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise BodyTooLarge(limit=limit) from None


def _as_sent() -> bytes:
    """The body in a form that is equal for equal requests."""
    if request.mimetype != "application/json" or (request.content_length or 0) > BODY_LIMIT:
        return request.get_data(cache=True)
    try:
        return canonical(request.get_json()) if request.get_data() else b""
    except ValueError:
        # A number that is not whole, or half a character, where the form leaves what is inside to somebody else.
        return request.get_data()


def malformed(error: ValidationError) -> BodyMalformed:
    """Return what pydantic found as our own error, with the fields named.

    Args:
        error: several problems are told at once.
    """
    problems = error.errors(include_url=False, include_context=False)
    # Where one of several forms is taken, each that does not fit is a problem of its own.
    found = dict.fromkeys(_told(problem["loc"], _kind(problem), problem["msg"]) for problem in problems)
    told = list(found)[:_MOST_PROBLEMS]
    if len(found) > _MOST_PROBLEMS:
        told.append(f"and {len(found) - _MOST_PROBLEMS} more")
    return BodyMalformed(detail="; ".join(told))


def _is_sent(part: int | str) -> bool:
    """Whether a part of a place is somebody's own word, and not what the validator calls its types."""
    return isinstance(part, int) or not (_ITS_OWN.search(part) or part in _ITS_TYPES)


def _kind(problem: ErrorDetails) -> str:
    """What sort of problem it is; blanks that miss a pattern are told from characters that do."""
    sent, found = problem["input"], problem["type"]
    blank = found == "string_pattern_mismatch" and isinstance(sent, str) and not says_something(sent)
    return "string_blank" if blank else found


def _told(where: Sequence[int | str], found: str, message: str) -> str:
    name = ".".join(str(part) for part in where if _is_sent(part))[:_LONGEST_NAME]
    match found:
        case "missing":
            return f"“{name}” is missing"
        case "extra_forbidden":
            return f"“{name}” is not known here"
        case "union_tag_invalid" | "union_tag_not_found":
            return "“kind” is not one of those described"  # what was sent instead is not repeated
        case _ if found in _SAID:
            return f"“{name}”: {_SAID[found]}"
        case _:
            # A member of an enumeration is told as it is sent.
            told = _MEMBER.sub(r"\1", message)
            return f"“{name}”: {told[:1].lower()}{told[1:]}"


def _object(body: bytes) -> dict[str, object]:
    try:
        value = read_sent(body)
    except JsonUnreadable as error:
        raise BodyMalformed(detail=str(error)) from None
    if not isinstance(value, dict):
        raise BodyMalformed(detail="it is not a JSON object")
    _require_shallow(value)
    return value


def _require_shallow(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST_NESTING):
        level = [inner for outer in level for inner in _inside(outer)]
    if any(isinstance(each, dict | list) for each in level):
        raise BodyMalformed(detail="it is nested too deeply")


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
