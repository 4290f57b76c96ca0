"""Links of an answer to where the public log proves what it says of approvals (RFC 8288, RFC 9652).

Links, because what has just been done is in no row of the log yet: it is in one as soon as it is sealed.
"""

from collections.abc import Mapping, Sequence
from enum import Enum

from flask import Response
from flask_openapi3.models.data_type import DataType
from flask_openapi3.models.header import Header
from flask_openapi3.models.schema import Schema

MOST_LINKS = 20
"""Of one answer: a kilobyte and a half, where servers in front take four of all headers."""

_PROOF = "/v1/proofs/inclusion?approval={approval}"


class Links(Enum):
    """Which of these an answer has."""

    NONE = "none"
    OF_ONE = "of-one"
    OF_SEVERAL = "of-several"


def _described(sentence: str) -> Header:
    return Header(description=sentence, schema=Schema(type=DataType.STRING))


_OF_ONE = _described(
    'Where the public log proves what this says of an approval, rel="describedby" (RFC 8288): once its row is sealed.'
)
HEADERS: Mapping[Links, Mapping[str, Header]] = {
    Links.NONE: {},
    Links.OF_ONE: {"Link": _OF_ONE},
    Links.OF_SEVERAL: {
        "Link": _described(
            'Where the public log proves what became of each approval, rel="describedby" (RFC 8288): one for each, of '
            f"up to {MOST_LINKS}; of more there is the template alone."
        ),
        "Link-Template": _described("Where that is of any of them (RFC 9652)."),
    },
}
"""What /openapi.json says of them."""


def with_proof(answer: Response, approval: str | None) -> Response:
    """Let an answer name where the log proves what it says of an approval; of none it names nothing."""
    if approval is not None:
        answer.headers["Link"] = _link(approval)
    return answer


def with_proofs(answer: Response, approvals: Sequence[str]) -> Response:
    """Let an answer name where the log proves what it says of each of some approvals."""
    for each in approvals if len(approvals) <= MOST_LINKS else ():
        answer.headers.add("Link", _link(each))
    answer.headers["Link-Template"] = f'"{_PROOF}"; rel="describedby"'
    return answer


def _link(approval: str) -> str:
    return f'<{_PROOF.format(approval=approval)}>; rel="describedby"'
