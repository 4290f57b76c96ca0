"""What a browser answered for a passkey that was asked by a page: read strictly, and proved elsewhere."""

import base64

from core.canonical import read_json
from core.errors import AuthorisationRefused
from core.kinds import AuthorisationFlaw
from officers.passkey import answered
from officers.statement import Authorisation, read_statement

LONGEST = 16 * 1024
"""Characters of a statement, and of a browser's answer."""


def read_answer(statement: str, response: str) -> Authorisation:
    """Return what a browser answered for a statement; the statement is what the page had, and is proved like any.

    Raises:
        AuthorisationRefused: it cannot be read.
    """
    unreadable = AuthorisationRefused(flaw=AuthorisationFlaw.MALFORMED, detail="the browser's answer cannot be read")
    if len(statement) > LONGEST or len(response) > LONGEST:
        raise unreadable
    said = read_statement(statement.encode("utf-8", "replace"))
    try:
        found = read_json(response)["response"]
        data, client, signature = (
            base64.b64decode(found[name] + "=" * (-len(found[name]) % 4), altchars=b"-_", validate=True)
            for name in ("authenticatorData", "clientDataJSON", "signature")
        )
    except (ValueError, TypeError, KeyError):
        raise unreadable from None
    return answered(said, data=data, client=client, signature=signature)
