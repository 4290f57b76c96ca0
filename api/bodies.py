"""How long the body of a request may be, by address: said once in /openapi.json, and read from there by the front."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from api.incoming import BODY_LIMIT
from core.approval import DEVICE_MEMBERS
from core.deployments import MOST_LINES, Event

EXTENSION = "x-body-limit"
"""The member of an operation in /openapi.json that says how many octets its body may have."""

_TEXT = {"type": "string"}
REPORT: Mapping[str, Any] = {
    "title": "DeploymentLines",
    "type": "object",
    "description": "A report of deployments; docs/deployments.md says what each member holds.",
    "required": ["lines"],
    "additionalProperties": False,
    "properties": {
        "lines": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_LINES,
            "items": {
                "title": "DeploymentLine",
                "type": "object",
                "required": ["event", "device_id", "on"],
                "additionalProperties": False,
                "properties": {
                    "event": {"type": "string", "enum": [each.value for each in Event]},
                    **dict.fromkeys(("device_id", "on", "approval", "firmware_version", "by", "why"), _TEXT),
                    "device": {
                        "title": "DeployedModel",
                        "type": "object",
                        "additionalProperties": False,
                        "properties": dict.fromkeys(DEVICE_MEMBERS, _TEXT),
                    },
                },
            },
        }
    },
}
"""The one body that is JSON or a file, and is therefore not described by a model."""

_PARAMETER = re.compile(r"\{[^/}]+\}")


def described(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document in which every operation that takes a body says how long it may be.

    Files are said to be octets, and to be needed: as the text that flask-openapi3 makes of them, no client that is made
    from the description can send one.
    """
    for operations in document["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                operation.setdefault(EXTENSION, BODY_LIMIT)
                _describe_files(operation["requestBody"])
    return document


def _describe_files(body: dict[str, Any]) -> None:
    for media_type, said in body["content"].items():
        if said["schema"] == {"type": "string"}:
            said["schema"] = {"type": "string", "format": "binary"}
            body["required"] = True
        elif said["schema"] == {"type": "object"} and media_type == "application/json":
            said["schema"] = REPORT


class BodyLimits:
    """The limits of a document.

    Args:
        document: an OpenAPI document.
        pages: forms of pages that carry a file, which no such document describes: how long they may be, by address.
        session: whether a Cookie field shows a session in which such a form can be sent.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        pages: Mapping[str, int] | None = None,
        session: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.session = session
        self._larger: list[tuple[str, re.Pattern[str], int, str]] = []
        forms = {path: {"post": {EXTENSION: limit}} for path, limit in (pages or {}).items()}
        for path, operations in [*document["paths"].items(), *forms.items()]:
            shape = re.compile("[^/]+".join(re.escape(each) for each in _PARAMETER.split(path)))
            for method, operation in operations.items():
                limit = operation.get(EXTENSION, BODY_LIMIT)
                if limit > BODY_LIMIT:
                    place = _PARAMETER.sub(lambda named: f"<{named[0][1:-1]}>", path)
                    self._larger.append((method.upper(), shape, limit, place))

    def of(self, method: str, path: str) -> int:
        """Return how many octets the body of a request may have; BODY_LIMIT where nothing else is said."""
        return next((limit for limit, _ in self._found(method, path)), BODY_LIMIT)

    def place(self, method: str, path: str) -> str:
        """Return the shape of an address that takes more than BODY_LIMIT; empty for any other."""
        return next((place for _, place in self._found(method, path)), "")

    def _found(self, method: str, path: str) -> Iterator[tuple[int, str]]:
        return ((limit, place) for of, shape, limit, place in self._larger if of == method and shape.fullmatch(path))
