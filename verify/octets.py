"""Octets as an export writes them: base64 of RFC 4648, and nothing else."""

import base64


def octets_of(said: object) -> bytes:
    """Return the octets that a member says; ValueError if it says none."""
    return base64.b64decode(said if isinstance(said, str) else "?", validate=True)
