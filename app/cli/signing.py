"""What the commands that act share: the officer's own key, whose passphrase is never typed into a command line."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import click

from api.authority import AuthorityAnswer
from app.client import Client
from app.officer import (
    ROSTER_PATH,
    Hand,
    authorisation_in,
    authority_pinned,
    officer_for_restore,
    officer_on,
)
from app.officer_key import open_officer_key, parse_key_name
from core.errors import OfficerKeyUnusable, ServiceRefused
from officers.proof import OfficersKey
from officers.restore import ToSign
from officers.statement import Authority
from ra.roster import RosterAnswer

KEY_VARIABLE, PASSPHRASE_VARIABLE = "TRIALCPA_OFFICER_KEY", "TRIALCPA_OFFICER_PASSPHRASE"
MODULE_VARIABLE = "TRIALCPA_PKCS11_MODULE"

_FILE = click.Path(dir_okay=False, path_type=Path)
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Signing:
    """With what an officer signs.

    Args:
        key: where their own key is: a file's path, or the PKCS#11 URI of one in a token.
        passphrase: where its passphrase or PIN comes from.
        module: the library that reaches the token.
        root: the certificate of the authority's root that they hold.
        authorisation: what they signed elsewhere.
        later: nothing is signed now.
    """

    key: str | None
    passphrase: str
    module: Path | None
    root: Path | None
    authorisation: Path | None
    later: bool = False

    def hand(self, client: Client) -> Hand:
        """Return who signs, before anything is done.

        Raises:
            OfficerKeyUnusable: no key is named, or it cannot be opened; for one in a token see `open_officer_key`.
            OfficerKeyNotOnRoster, AuthorityDiffers: it does not count there.
        """

        def now() -> datetime:
            return client.show(AuthorityAnswer, "/v1/authority").now

        if self.later:
            return Hand(None, now)
        if self.authorisation is not None:
            return Hand(None, now, authorisation_in(self.authorisation))
        pinned = self._pinned()
        roster = roster_of(client)
        if roster is None:
            return Hand(None, now)
        return Hand(officer_on(roster, self._key(), pinned), now)

    def hand_for_restore(self, asked: ToSign) -> Hand:
        """Return who signs for what a register gets again; no service is asked, as none may be at work.

        Raises:
            OfficerKeyUnusable, OfficerKeyNotOnRoster, AuthorityDiffers: as `hand`.
        """
        return Hand(officer_for_restore(asked.restore, self._key(), self._pinned()), lambda: asked.at)

    def _pinned(self) -> Authority | None:
        return None if self.root is None else authority_pinned(self.root)

    def _key(self) -> OfficersKey:
        if self.key is None:
            raise OfficerKeyUnusable(detail="neither a file nor a token is named that holds it")
        return open_officer_key(parse_key_name(self.key), self.passphrase, self.module)


def roster_of(client: Client) -> RosterAnswer | None:
    """Return the roster as the service shows it; None if there is none."""
    try:
        return client.show(RosterAnswer, ROSTER_PATH)
    except ServiceRefused as error:
        if error.fields.get("status") == HTTPStatus.NOT_FOUND:
            return None
        raise


def signs(*, elsewhere: bool = True, later: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add what a command needs that signs; it takes it together, as `signing`.

    Args:
        elsewhere: whether it takes an authorisation that was made elsewhere.
        later: whether it can be done now and signed for later.
    """

    def adds(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def signed(
            *,
            officer_key: str | None,
            officer_passphrase: str,
            pkcs11_module: Path | None,
            root: Path | None,
            authorisation: Path | None = None,
            sign_later: bool = False,
            **others: object,
        ) -> None:
            signing = Signing(
                key=officer_key,
                passphrase=officer_passphrase,
                module=pkcs11_module,
                root=root,
                authorisation=authorisation,
                later=sign_later,
            )
            command(signing=signing, **others)

        made: Callable[..., None] = signed
        for option in _options(elsewhere=elsewhere, later=later):
            made = option(made)
        return made

    return adds


def module_option(command: _F) -> _F:
    """Add `--pkcs11-module FILE`, for keys in tokens."""
    said = f"Its library; else {MODULE_VARIABLE}."
    return click.option("--pkcs11-module", type=_FILE, envvar=MODULE_VARIABLE, help=said)(command)


def _options(*, elsewhere: bool, later: bool) -> list[Callable[[Callable[..., None]], Callable[..., None]]]:
    made = "What trialcpa officer sign printed."
    only = "Then: trialcpa decide authorise DECISION."
    return [
        module_option,
        *([click.option("--sign-later", is_flag=True, help=only)] if later else []),
        *([click.option("--authorisation", type=_FILE, help=made)] if elsewhere else []),
        click.option("--root", type=_FILE, help="The root's certificate that you hold."),
        click.option(
            "--officer-passphrase",
            metavar="SOURCE",
            default="prompt",
            envvar=PASSPHRASE_VARIABLE,
            help="Passphrase or PIN: file:PATH, fd:N or prompt.",
        ),
        click.option(
            "--officer-key",
            metavar="FILE|URI",
            envvar=KEY_VARIABLE,
            help=f"Your own key; else {KEY_VARIABLE}.",
        ),
    ]
