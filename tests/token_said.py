"""What a test's settings would say of the token that the authority's keys are in."""

from collections.abc import Mapping
from pathlib import Path

from keys.passphrase import FromFile
from keys.place import InTokens, KeyRole
from keys.token_uri import KeyInToken

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")


def in_tokens(said: Mapping[str, str]) -> InTokens:
    """All keys are made in the token of a label; `seconds` are waited for each answer."""
    return InTokens(
        pin=FromFile(Path(said["pin"])),
        token=KeyInToken(token={"token": said["token"]}, label=None, identifier=None),
        roles=frozenset(KeyRole),
        module=Path(said.get("module", MODULE)),
        seconds=float(said.get("seconds", 10.0)),
    )
