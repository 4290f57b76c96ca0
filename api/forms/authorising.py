"""What an officer signs with a key of their own, as it is sent with an act. What it is, officers/statement.py says."""

from typing import Annotated, Any, TypeAlias

from pydantic import WithJsonSchema

from api.forms.fields import Body
from officers.statement import authorisation_schema, listed_schema, parse_authorisation, parse_listed
from ra.authorising import Signed

LISTED_LIMIT = 512 * 1024
"""Octets of a body that may list all that one statement is about: MOST_LISTED members have 360,000."""

_Authorisation: TypeAlias = Annotated[
    dict[str, Any],
    WithJsonSchema(
        authorisation_schema()
        | {
            "title": "Authorisation",
            "description": "A statement with a compact JWS (ES256) over its canonical form (RFC 8785) by a key on the "
            "roster of officers. Left out only where there is no roster yet.",
        }
    ),
]
_Listed: TypeAlias = Annotated[
    list[Any],
    WithJsonSchema(
        listed_schema()
        | {
            "title": "Listed",
            "description": "All that a statement about several things is about, also what this request has nothing of: "
            "identifier, digest of the proposal, digests of the bytes to be signed or null. The statement's subject is "
            "the SHA-256 of this list in order of its identifiers, in canonical form.",
        }
    ),
]


class AuthorisedBody(Body):
    """A body that comes with an officer's own signature. Only its place is known here."""

    authorisation: _Authorisation | None = None
    listed: _Listed | None = None

    def signed(self) -> Signed | None:
        """Return what the officer signed; nothing of it is proved yet.

        Raises:
            AuthorisationRefused: it is no authorisation, or no list of what one is about.
        """
        if self.authorisation is None:
            return None
        members = () if self.listed is None else parse_listed(self.listed)
        return Signed(authorisation=parse_authorisation(self.authorisation), members=members)
