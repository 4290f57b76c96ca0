"""The ceremony as it is planned and held: what is fixed for ever, its passphrases, and the files that it leaves."""

import os
import tomllib
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import click

from app import settings as settings_file
from app.cli.ceremony_tokens import read_keys_file
from app.home_files import write_secret, write_whole
from app.production import Owners, hand_over, owners, require_shared_store, settings_of_production
from ca.profile import TEST_ARC, Profile
from core.clock import SystemClock
from core.errors import HomeOccupied, StoreUrlUnusable
from core.identifiers import Environment
from core.kinds import COUNTED
from jobs.ceremony import Ceremony, hold
from keys.passphrase import FromFile, FromPrompt, chosen_passphrase, new_passphrase, parse_source
from keys.place import Tokens
from officers.roster import Member
from store import schema
from store.transactions import Store, sqlite_file

TRANSCRIPT_SIGNATURE = "transcript.sig"
PASSPHRASE_FILE = "keys/passphrase"  # noqa: S105 - where it lies, not what it is


@dataclass(frozen=True)
class Plan:
    """What the ceremony is to make; everything in it is fixed for ever but the port, and who is on the roster."""

    home: Path
    environment: Environment
    name: str
    arc: str
    base_url: str
    port: int
    store_url: str
    passphrase: str
    root_passphrase: str
    root_dir: Path
    longest_trial_days: int
    test_clock: datetime | None
    roster: tuple[Member, ...] = ()
    production: bool = False
    keys_file: Path | None = None


def planned(home: Path, environment: Environment, **chosen: object) -> Plan:
    """Fill in what was not chosen; a live authority must choose its arc, base and passphrase itself."""
    test = environment == "test"
    port = int(str(chosen.get("port") or settings_file.DEFAULT_PORT))
    missing = [f"--{each.replace('_', '-')}" for each in ("arc", "base_url", "passphrase") if not chosen.get(each)]
    if missing and not test:
        raise click.UsageError(f"A live authority has no defaults for {', '.join(missing)}.")
    clock = chosen.get("test_clock")
    if clock is not None and not test:
        raise click.UsageError("A live authority's clock is the clock.")
    own = f"file:{PASSPHRASE_FILE}"  # in the home, wherever that is moved to
    passphrase = _from_here(chosen.get("passphrase")) or own
    return Plan(
        home=home,
        environment=environment,
        name=str(chosen.get("name") or ("TEST Trial CPA" if test else "Trial CPA")),
        arc=str(chosen.get("arc") or TEST_ARC),
        base_url=str(chosen.get("base_url") or f"http://127.0.0.1:{port}").rstrip("/"),
        port=port,
        store_url=str(chosen.get("store_url") or "sqlite:///store.sqlite"),
        passphrase=passphrase,
        root_passphrase=_from_here(chosen.get("root_passphrase")) or passphrase,
        root_dir=Path(str(chosen.get("root_dir") or home / "root")),
        longest_trial_days=int(str(chosen.get("longest_trial_days") or 731)),
        test_clock=clock if isinstance(clock, datetime) else None,
        keys_file=Path(str(chosen["keys_file"])) if chosen.get("keys_file") else None,
    )


def _from_here(source: object) -> str | None:
    """Return a source of a passphrase as it was typed, a file of it by its whole path: settings begin at the home."""
    if source is None:
        return None
    scheme, _, path = str(source).partition(":")
    return f"file:{Path(path).expanduser().absolute()}" if scheme == "file" and path else str(source)


def require_new(home: Path) -> None:
    """Raise HomeOccupied if the folder holds an authority whose ceremony is over."""
    if _transcript(home).exists():
        raise HomeOccupied(path=home)


def _transcript(home: Path) -> Path:
    return home / "ceremony" / "transcript.txt"


def require_sound(plan: Plan) -> Profile:
    """Return the profile of what was planned, before anything is written: what cannot be used stops it here."""
    for source in (plan.passphrase, plan.root_passphrase):
        parse_source(source)
    if plan.test_clock is not None and plan.test_clock < SystemClock().now():
        raise click.UsageError("--test-clock must not lie in the past: a clock only runs ahead.")
    return Profile(environment=plan.environment, arc=plan.arc, base_url=plan.base_url, name=plan.name)


def make(plan: Plan) -> str:
    """Hold the ceremony that was planned, or finish one that died; return its transcript.

    Raises:
        HomeOccupied: the folder holds an authority whose ceremony is over.
    """
    require_new(plan.home)
    profile = require_sound(plan)
    to = _owners(plan)
    _require_register(plan)
    text, tokens, root_tokens = _settings(plan)
    passphrase, root_passphrase = passphrases(plan)
    plan.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Its store URL may hold a database password.
    write_secret(plan.home / settings_file.FILE_NAME, settings_of_production(text) if to else text)
    settings = settings_file.load(plan.home)
    os.umask(0o077)  # the SQLite file and its companions are for this user only
    store = Store(settings.store_url)
    schema.upgrade(store)
    machine = SystemClock()
    at = plan.test_clock or machine.now()
    ceremony = Ceremony(
        profile=profile,
        longest_trial=timedelta(days=plan.longest_trial_days),
        clock_offset=max(at - machine.now(), timedelta(0)),  # a second may have begun since
        keys_dir=settings.keys_dir,
        root_dir=plan.root_dir,
        memory_dir=settings.keys_dir,
        passphrase=passphrase,
        root_passphrase=root_passphrase,
        officers={kind.value: settings.rules.officers_for(kind) for kind in COUNTED},
        roster=plan.roster,
        tokens=tokens,
        root_tokens=root_tokens,
    )
    held = hold(store, ceremony, at)
    store.close()
    for each in (tokens, root_tokens):
        if each is not None:
            each.close()
    write_whole(_transcript(plan.home).with_name(TRANSCRIPT_SIGNATURE), held.signature)
    if to is not None:
        hand_over(settings, plan.root_dir, to)
    # Last: its presence says that the ceremony is over.
    write_secret(_transcript(plan.home), held.transcript)
    return held.transcript


def _settings(plan: Plan) -> tuple[str, Tokens | None, Tokens | None]:
    """Return the settings that will be written, and the tokens of the authority and of its root, open.

    Raises:
        SettingsInvalid: what is said of tokens cannot be gone by.
        TokenAbsent, TokenPinWrong, TokenSilent: there is no such token, or it is not opened; others as of Tokens.held.
    """
    text = settings_file.template(
        store_url=plan.store_url,
        port=plan.port,
        passphrase=plan.passphrase,
        longest_trial_days=plan.longest_trial_days,
    )
    if plan.environment == "test":
        text = settings_file.changed(text, "console", "demo", "true")
    if plan.keys_file is None:
        return text, None, None
    said = read_keys_file(plan.keys_file)
    text = said.told(text)
    in_tokens = settings_file.judged(tomllib.loads(text), plan.home).tokens
    found = (None if in_tokens is None else Tokens(in_tokens), said.root_tokens())
    for each in found:
        if each is not None and each.said.token is not None:
            each.held(each.said.token)
    return text, *found


def give_again(home: Path) -> None:
    """Give the files of an authority in production to whom they are for, as its ceremony did: after a restore.

    Raises:
        HomeMissing: there is none in the folder.
        ProductionUnready: we are not root, a user is missing, or its register is a file.
    """
    settings = settings_file.load(home)
    require_shared_store(settings.store_url)
    to = owners()
    path = home / settings_file.FILE_NAME
    path.write_text(settings_of_production(path.read_text(encoding="utf-8")), encoding="utf-8")
    hand_over(settings_file.load(home), home / "root", to)


def _owners(plan: Plan) -> Owners | None:
    """Return whose the files will be, before anything is written; None if they stay ours."""
    if not plan.production:
        return None
    require_shared_store(plan.store_url)
    return owners()


def _require_register(plan: Plan) -> None:
    """Check that the register can be had, before anything is written.

    Raises:
        StoreUrlUnusable: its address names no database that we work with, or a file in no folder.
        StoreUnavailable: the database does not answer.
    """
    where = settings_file.store_url_in(plan.store_url, plan.home)
    file = sqlite_file(where)
    if file is not None:
        folder = file.parent
        if folder != plan.home.resolve() and not folder.is_dir():
            raise StoreUrlUnusable(detail=f"there is no folder {folder}")
        return
    with closing(Store(where)) as store:
        store.revision()


def passphrases(plan: Plan) -> tuple[bytes, bytes]:
    """Return the passphrases of the authority's keys and of the root's, before anything is made but a test one's own.

    Raises:
        PassphraseUnusable: one cannot be had, or is too short.
    """
    if plan.passphrase == f"file:{PASSPHRASE_FILE}":
        plan.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = plan.home / PASSPHRASE_FILE
        write_secret(own, new_passphrase(), exist_ok=True)
        passphrase = FromFile(own).read()
    else:
        passphrase = chosen_passphrase(parse_source(plan.passphrase, FromPrompt(instead="--passphrase file:PATH")))
    if plan.root_passphrase == plan.passphrase:
        return passphrase, passphrase
    at_prompt = FromPrompt(of="the root's key", instead="--root-passphrase file:PATH")
    return passphrase, chosen_passphrase(parse_source(plan.root_passphrase, at_prompt))
