"""Officers on a command line: a passkey's file where the roster is changed, and nowhere else."""

from pathlib import Path

import pytest

from app.cli.officers_named import member_named, members_named
from core.errors import InputUnusable, RosterUnusable
from officers.passkey_file import passkey_file
from officers.roster import public_key_pem
from tests.acting import member
from tests.passkey_world import OfficersPasskey


def test_a_passkey_comes_by_a_change_of_the_roster_only(tmp_path: Path) -> None:
    hers, plain = OfficersPasskey("officer-3"), member("officer-1")
    file, key = tmp_path / "passkey.json", tmp_path / "key.pem"
    file.write_text(passkey_file(hers.member().public_key, hers.passkey))
    key.write_text(public_key_pem(plain.public_key))
    assert member_named(f"officer-3={file}", passkeys=True) == hers.member()
    assert member_named(f"officer-1={key}", passkeys=True) == plain
    for named in ([f"officer-3={file}"], [f"officer-1={key}", f"officer-3={file}"]):
        with pytest.raises(InputUnusable, match="roster change"):
            members_named(named)
    file.write_text("{}")
    with pytest.raises(RosterUnusable):
        member_named(f"officer-3={file}", passkeys=True)
