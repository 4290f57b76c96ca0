"""The authority's signers, opened once: loading a key costs far more than using it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ca.profile import Profile
from keys.signer import Signer


@dataclass(frozen=True)
class Keyring:
    """What the authority process signs with.

    Args:
        profile: names, identifiers and URLs of this authority.
        issuing: signers of issuing CAs by key identifier (hex).
        responder: signs OCSP answers.
        journal: signs the journal's heads.
    """

    profile: Profile
    issuing: Mapping[str, Signer]
    responder: Signer
    journal: Signer
