"""A passkey as it is handed to whoever keeps the roster: what the console shows its owner, in JSON."""

from typing import Annotated

from pydantic import BaseModel, StringConstraints, ValidationError

from core.canonical import read_json
from core.errors import RosterUnusable
from officers.parsing import STRICT
from officers.passkey import Passkey, WrittenPasskey
from officers.roster import LARGEST_KEY_FILE, Member, new_member, public_key_pem


class _File(BaseModel):
    model_config = STRICT
    public_key: Annotated[str, StringConstraints(max_length=LARGEST_KEY_FILE)]
    passkey: WrittenPasskey


def passkey_file(public_key: bytes, passkey: Passkey) -> str:
    """Return the file of a passkey.

    Args:
        public_key: SubjectPublicKeyInfo, DER.
        passkey: what makes it one.
    """
    said = _File(public_key=public_key_pem(public_key), passkey=WrittenPasskey.model_validate(passkey.document()))
    return said.model_dump_json(indent=1) + "\n"


def read_passkey_file(officer: str, octets: bytes) -> Member:
    """Return the passkey of an officer from its file.

    Raises:
        RosterUnusable: it is none.
    """
    try:
        said = _File.model_validate(read_json(octets))
    except (ValidationError, ValueError):
        raise RosterUnusable(detail=f"the file of {officer} is no passkey's") from None
    return new_member(officer, said.public_key.encode(), said.passkey.passkey())
