"""The authority's signers, opened once: loading a key costs far more than using it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ca.profile import Profile
from keys.signer import Signer
from memory.records import Begun


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


def profile_begun(begun: Begun) -> Profile:
    """Return the profile that an authority began with: what the register says of it now changes nothing."""
    return Profile(
        environment=begun.environment,
        arc=begun.arc,
        base_url=begun.base_url,
        name=begun.name,
        organisation=begun.organisation,
    )
