"""Which keys the ceremony makes in tokens: a file says so, whose table [keys] goes into the settings.

`[keys]` has what docs/settings.md says of tokens; `[root]` has `token`, `pin` and, if the URI does not say it, `module`
for the root's key, of which the settings say nothing.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.settings import changed
from core.errors import SettingsInvalid, TokenKeyMisnamed
from keys.passphrase import FromPrompt, parse_source
from keys.place import InTokens, KeyRole, Tokens
from keys.token import PATIENCE
from keys.token_uri import parse_token

_IN_SETTINGS = frozenset({"token", "pin", "module", "in_token", "token_milliseconds"})
_OF_ROOT = frozenset({"token", "pin", "module"})


@dataclass(frozen=True)
class KeysFile:
    """What the file says.

    Args:
        settings: what goes below [keys], by name.
        root: of the root's token; empty where its key lies in a file.
        path: of the file.
    """

    settings: Mapping[str, object]
    root: Mapping[str, str]
    path: Path

    def told(self, text: str) -> str:
        """Return a settings file that says it."""
        for name, value in self.settings.items():
            text = changed(text, "keys", name, json.dumps(value))  # a string, number or list of TOML reads as JSON's
        return text

    def root_tokens(self) -> Tokens | None:
        """Return the token in which the root's key is made; None where it is made in a file.

        Raises:
            SettingsInvalid: what is said names none.
            PassphraseUnusable: `pin` names nothing that it could come from.
        """
        if not self.root:
            return None
        try:
            token = parse_token(self.root.get("token", ""))
        except TokenKeyMisnamed as error:
            raise SettingsInvalid(path=self.path, problems=f"root.token: {error}") from error
        prompt = FromPrompt(of=f"the root's token {token.token_name}", what="PIN", instead='pin = "file:PATH"')
        module = self.root.get("module")
        said = InTokens(
            pin=parse_source(self.root.get("pin", "prompt"), prompt),
            token=token,
            roles=frozenset({KeyRole.ROOT}),
            module=Path(module) if module else None,
            seconds=PATIENCE,
        )
        return Tokens(said)


def read_keys_file(path: Path) -> KeysFile:
    """Read the file.

    Raises:
        SettingsInvalid: it cannot be read, or says something that is not gone by.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsInvalid(path=path, problems=f"it cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(path=path, problems=f"it is not TOML ({error}).") from None
    keys, root = raw.pop("keys", {}), raw.pop("root", {})
    unknown = [*raw]
    if isinstance(keys, dict) and isinstance(root, dict):
        unknown += [f"keys.{each}" for each in keys.keys() - _IN_SETTINGS]
        unknown += [f"root.{each}" for each, said in root.items() if each not in _OF_ROOT or not isinstance(said, str)]
    else:
        unknown.append("what is no table")
    if unknown:
        raise SettingsInvalid(path=path, problems=f"{', '.join(sorted(unknown))} cannot be used here.")
    return KeysFile(settings=_from_here(keys), root=_from_here(root), path=path)


def _from_here(table: Mapping[str, str]) -> dict[str, str]:
    """Files are meant from where the command is given; settings begin at the home."""
    found = dict(table)
    scheme, _, rest = str(found.get("pin", "")).partition(":")
    if scheme == "file" and rest:
        found["pin"] = f"file:{Path(rest).expanduser().absolute()}"
    if found.get("module"):
        found["module"] = str(Path(found["module"]).expanduser().absolute())
    return found
