"""Credentials as they are shown: an API key is known by its digest, and asked for it again and again.

The digest of what is shown is most of what looking it up costs. So the words of those who may verify are held beside
the description of the authority that says so. It is made anew by whatever is done to any credential, and nothing that
was held beside the one before counts any more; whether a credential has expired is looked at each time.
"""

from datetime import datetime
from hashlib import sha256

from core.mirror import AuthorityView

MOST_SHOWN = 1_024
"""Credentials that are held: there are fewer of a machine than that."""


def digest_of(shown: str) -> str:
    """Return the form in which the API key that a field Authorization shows is looked up; empty for anything else."""
    scheme, _, rest = shown.partition(" ")
    key = rest.strip()
    if (scheme != "Bearer" and scheme.lower() != "bearer") or not key:
        return ""
    # The server decodes header fields as Latin-1 (PEP 3333), so every octet has its way back.
    return sha256(key.encode("latin-1", "replace")).hexdigest()


class Shown:
    """Who may verify by what they show, as long as the authority describes itself as it did."""

    def __init__(self) -> None:
        self._beside: tuple[AuthorityView | None, dict[str, datetime]] = (None, {})

    def in_force(self, authority: AuthorityView, shown: str | None, now: datetime) -> bool:
        """Return whether it is known of what is shown that it is in force, and may; False says nothing."""
        beside, until = self._beside
        expires_at = until.get(shown or "") if beside is authority else None
        return expires_at is not None and now < expires_at

    def note(self, authority: AuthorityView, shown: str, expires_at: datetime) -> None:
        """Hold what was shown by somebody who may, if it is spelled as usual: so each credential takes one place.

        Args:
            authority: as it describes itself, which was asked.
            shown: the field.
            expires_at: when it is in force no longer.
        """
        scheme, _, key = shown.partition(" ")
        if scheme != "Bearer" or key != key.strip():
            return
        beside, until = self._beside
        if beside is not authority:
            self._beside = (authority, {shown: expires_at})
        elif len(until) < MOST_SHOWN:
            until[shown] = expires_at
