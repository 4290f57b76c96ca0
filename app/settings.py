"""Settings: a TOML file becomes a frozen value, or every problem in it is told at once. Looked at once, at the start.

docs/settings.md describes each key. Unknown keys are refused: a misspelt limit must not silently be no limit.
"""

import ipaddress
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from app.backup_settings import Backups, read_backups
from app.bounds_settings import read_bounds
from app.courier_settings import Mail, Webhook, read_mail, read_webhooks
from app.pace_settings import read_pace
from app.status_settings import RENDERER, SOCKET, Address, Listens, read_listens, read_origin, read_proxy, read_renderer
from app.token_settings import read_tokens
from core.approval import DEVICE_TYPES
from core.deployments import DECOMMISSIONED_STATUSES, DEPLOYED_STATUSES, DEVICE_STATUSES
from core.errors import HomeMissing, SettingsInvalid
from core.kinds import COUNTED, DecisionKind
from intake.cpl_list import COLUMNS
from jobs.pace import Pace
from keys.passphrase import FromPrompt, PassphraseSource, parse_source
from keys.place import InTokens
from policy.section_f.assurance import DEFAULT_SCHEMES, LONGEST_CERTIFICATE_TEXT
from policy.section_f.wording import printable
from ra.desk import IDLE_MINUTES, MOST_IDLE_MINUTES, TWO_OFFICERS, Rules

FILE_NAME = "trialcpa.toml"
_AT_PROMPT = FromPrompt()
_T = TypeVar("_T")
DEFAULT_PORT = 8470
MOST_OFFICERS = 9
"""More than sit on any committee that has to agree; a larger number would be a slip."""

SHORTEST_MONTH_DAYS = 28
"""A report's day is one that every month has."""

EXPIRY_DAYS = (90, 30, 7)
MOST_EXPIRY_DAYS = 366
"""A year ahead is no reminder of anything; a larger number would be a slip."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Settings:
    """Everything that the processes are told.

    Args:
        home: the folder of the authority.
        store_url: SQLAlchemy URL of the register.
        host, port: where web listens.
        keys_dir: private keys that only the authority process reads.
        passphrase: where their passphrase comes from.
        tokens: of keys that are not in files; None if nothing is said of any.
        web_threads, web_workers: threads of the API; how many web processes listen.
        web_memory: the folder in which each web process keeps what it has told.
        web_proxies: addresses of proxies in front, whose X-Forwarded-For is believed.
        status_max_age: seconds above which a status snapshot is refused.
        status_listens, status_proxy: where a process listens that answers for status alone, and the proxy before it.
        rules: what the SSC decides by settings.
        root_statement_wait: how long a roster that the root's key has signed waits to come into force.
        pace: how often the authority signs and publishes.
        webhooks, mail: whom the courier tells; the relay and who gets mail, None if no mail is sent.
        backups: where they lie, for whoever looks whether there are any.
        console_origin: of the console's pages; None where it is not said.
        console_demo: whether the sign-in page of a test authority offers its demo people.
        renderer: the socket of whoever draws pictures of evidence; None if nobody does.
        web_worker, web_late: which of several this one is, from 1 on; whether it listens only when it can answer.
    """

    home: Path
    store_url: str
    host: str
    port: int
    keys_dir: Path
    passphrase: PassphraseSource
    tokens: InTokens | None
    web_threads: int
    web_workers: int
    web_memory: Path
    web_proxies: frozenset[str]
    status_max_age: float
    status_listens: Listens
    status_proxy: Address | None
    rules: Rules
    root_statement_wait: timedelta
    pace: Pace
    webhooks: tuple[Webhook, ...]
    mail: Mail | None
    backups: Backups
    console_origin: str | None
    console_demo: bool
    renderer: Path | None
    web_worker: int = 0
    web_late: bool = False


def load(home: Path) -> Settings:
    """Read the settings of an authority.

    Raises:
        HomeMissing: there is no settings file.
        SettingsInvalid: with every problem at once.
    """
    path = home / FILE_NAME
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HomeMissing(path=home) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(path=path, problems=f"it is not TOML ({error}).") from None
    return judged(raw, home)


def judged(raw: Mapping[str, Any], home: Path) -> Settings:
    """Return settings as they are told by a file's tables; SettingsInvalid with every problem at once."""
    reader = _Reader(raw, home)
    settings = _settings(reader, home)
    problems = reader.all_problems()
    if problems:
        raise SettingsInvalid(path=home / FILE_NAME, problems=" ".join(problems))
    return settings


def template(*, store_url: str, port: int, passphrase: str, longest_trial_days: int, demo: bool = False) -> str:
    """Return the settings file that `trialcpa init` writes.

    Args:
        store_url: of the register.
        port: on which web listens.
        passphrase: where that of the keys is read.
        longest_trial_days: that an approval may have.
        demo: whether the sign-in page offers demo people: of a test authority.
    """
    offered = "\n[console]\ndemo = true # a test authority's sign-in page offers its demo people\n" if demo else ""
    return f"""\
# Settings of this authority; docs/settings.md describes each key. What certificates say was fixed at the ceremony.

[store]
url = {_quoted(store_url)}

[web]
host = "127.0.0.1"
port = {port}
threads = 8
status_max_age_seconds = 600

[keys]
directory = "keys"
passphrase = {_quoted(passphrase)} # file:PATH, fd:N, credential:NAME or prompt; never itself

[decisions]
longest_trial_days = {longest_trial_days}
urgent_revocation_by_one = true

[publication]
crl_interval_hours = 12
register_interval_seconds = 60
crl_life_hours = 48
ocsp_life_hours = 12
{offered}"""


def change_port(home: Path, port: int) -> None:
    """Write another port into the settings file; everything else in it stays as it is."""
    path = home / FILE_NAME
    path.write_text(changed(path.read_text(encoding="utf-8"), "web", "port", str(port)), encoding="utf-8")


def moved(text: str, *, store_url: str) -> str:
    """Return settings that were written for another place: the register is elsewhere, the keys lie in the home.

    Args:
        text: the settings file as it was.
        store_url: of the register from now on.
    """
    return changed(changed(text, "store", "url", _quoted(store_url)), "keys", "directory", _quoted("keys"))


def changed(text: str, table: str, key: str, value: str) -> str:
    """Return a settings file with another value; everything else in it stays as it is.

    Args:
        text: the file.
        table: of the value.
        key: its name; one that is not there is added.
        value: as TOML writes it.
    """
    lines = text.splitlines(keepends=True)
    inside, begins = False, None
    for place, line in enumerate(lines):
        if line.lstrip().startswith("["):
            inside = line.strip() == f"[{table}]"
            begins = place if inside else begins
        elif inside and line.split("=")[0].strip() == key:
            lines[place] = f"{key} = {value}\n"
            return "".join(lines)
    if begins is None:
        return "".join([*lines, f"\n[{table}]\n{key} = {value}\n"])
    return "".join([*lines[: begins + 1], f"{key} = {value}\n", *lines[begins + 1 :]])


def _quoted(value: str) -> str:
    # A basic string of TOML is written as JSON writes one.
    return json.dumps(value)


class _Reader:
    """Takes values out of the raw tables and collects what is wrong with them."""

    def __init__(self, raw: Mapping[str, Any], home: Path) -> None:
        self._raw = {key: dict(value) if isinstance(value, dict) else value for key, value in raw.items()}
        self._problems: list[str] = []
        self.home = home

    def text(self, table: str, key: str, default: str | None = None) -> str:
        value = self._take(table, key, default)
        if isinstance(value, str) and value:
            return value
        return self._wrong(f"{table}.{key} must be a text.", default or "")

    def optional(self, table: str, key: str) -> str:
        value = self._take(table, key, "")
        return value if isinstance(value, str) else self._wrong(f"{table}.{key} must be a text.", "")

    def whole(self, table: str, key: str, default: int, *, least: int, most: int) -> int:
        value = self._take(table, key, default)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        return self._wrong(f"{table}.{key} must be a whole number from {least} to {most}.", default)

    def truth(self, table: str, key: str, *, default: bool) -> bool:
        value = self._take(table, key, default)
        return value if isinstance(value, bool) else self._wrong(f"{table}.{key} must be true or false.", default)

    def path(self, value: str) -> Path:
        return self.home / Path(value).expanduser()

    def source(self, table: str, key: str, prompt: FromPrompt = _AT_PROMPT) -> PassphraseSource:
        value = self.text(table, key, "prompt")
        scheme, _, rest = value.partition(":")
        given = os.environ.get("CREDENTIALS_DIRECTORY")  # systemd.exec(5), LoadCredential=
        try:
            said = f"file:{self.path(rest)}" if scheme == "file" and rest else value
            return parse_source(said, prompt, Path(given) if given else None)
        except Exception as error:  # noqa: BLE001 - every problem of the file is told together
            return self._wrong(f"{table}.{key}: {error}", parse_source("prompt"))

    def taken(self, table: str, key: str) -> object:
        return self._take(table, key, None)

    def webhooks(self) -> tuple[Webhook, ...]:
        return read_webhooks(self._take("courier", "webhooks", []), self.path, self.problem)

    def mail(self) -> Mail | None:
        return read_mail(self._raw.pop("mail", None), self.path, self.problem)

    def schemes(self) -> Mapping[str, tuple[str, ...]]:
        """Whose Assurance Certificates each device type needs; a type that is not named keeps its default."""
        listed = self._take("applications", "assurance", {})
        chosen = dict(DEFAULT_SCHEMES)
        if not isinstance(listed, dict):
            return self._wrong("applications.assurance must be a table of device types.", chosen)
        for kind, schemes in listed.items():
            if kind not in DEVICE_TYPES:
                self._problems.append(f"applications.assurance.{kind} is not known.")
            elif isinstance(schemes, list) and all(_is_scheme(each) for each in schemes):
                chosen[kind] = tuple(schemes)
            else:
                self._problems.append(f"applications.assurance.{kind} must be a list of names of schemes.")
        return chosen

    def list_columns(self) -> Mapping[str, tuple[str, ...]]:
        """What the columns of the Panel's list may be called; names that are given come before the usual ones."""
        given = self._take("cpl", "columns", {})
        chosen = dict(COLUMNS)
        if not isinstance(given, dict):
            return self._wrong("cpl.columns must be a table of fields.", chosen)
        for name, called in given.items():
            if name not in COLUMNS:
                self._problems.append(f"cpl.columns.{name} is not known.")
            elif isinstance(called, list) and all(isinstance(each, str) and each.strip() for each in called):
                chosen[name] = (*(each.casefold() for each in called), *COLUMNS[name])
            else:
                self._problems.append(f"cpl.columns.{name} must be a list of names of columns.")
        return chosen

    def officers(self) -> Mapping[DecisionKind, int]:
        """How many officers must agree to a decision, the proposer included, by kind."""
        listed = self._take("decisions", "officers", {})
        if not isinstance(listed, dict):
            return self._wrong("decisions.officers must be a table of kinds of decision.", {})
        chosen: dict[DecisionKind, int] = {}
        for named, number in listed.items():
            kind = next((each for each in COUNTED if each == named), None)
            if kind is None:
                self._problems.append(f"decisions.officers.{named} is not known.")
            elif not isinstance(number, int) or isinstance(number, bool) or not TWO_OFFICERS <= number <= MOST_OFFICERS:
                self._problems.append(
                    f"decisions.officers.{kind} must be a whole number from {TWO_OFFICERS} to {MOST_OFFICERS}."
                )
            else:
                chosen[kind] = number
        return chosen

    def statuses(self, key: str, default: tuple[str, ...], *, but: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Statuses of the DCC's inventory; none of them is among `but`, which counts otherwise."""
        listed = self._take("deployments", key, list(default))
        if not isinstance(listed, list) or not all(each in DEVICE_STATUSES for each in listed):
            return self._wrong(f"deployments.{key} must be a list out of {', '.join(DEVICE_STATUSES)}.", default)
        if set(listed) & set(but):
            self._problems.append(f"deployments.{key} names a status that counts as deployed.")
        return tuple(listed)

    def proxies(self) -> frozenset[str]:
        """Addresses of the proxies in front of web."""
        listed = self._take("web", "proxies", [])
        if isinstance(listed, list) and all(isinstance(each, str) and _is_address(each) for each in listed):
            return frozenset(listed)
        return self._wrong("web.proxies must be a list of addresses, without ports.", frozenset())

    def expiry_days(self) -> tuple[int, ...]:
        """Days before an expiry on which people are reminded, the largest first; none switches that off."""
        listed = self._take("reminders", "expiry_days", list(EXPIRY_DAYS))
        whole = isinstance(listed, list) and all(isinstance(each, int) for each in listed)
        if whole and all(not isinstance(each, bool) and 1 <= each <= MOST_EXPIRY_DAYS for each in listed):
            return tuple(sorted(set(listed), reverse=True))
        return self._wrong(
            f"reminders.expiry_days must be a list of whole numbers from 1 to {MOST_EXPIRY_DAYS}.", EXPIRY_DAYS
        )

    def weekdays(self) -> tuple[int, ...]:
        """Days of the week on which lists are mailed; none switches that off."""
        listed = self._take("reminders", "weekdays", ["monday"])
        if isinstance(listed, list) and all(each in WEEKDAYS for each in listed):
            return tuple(sorted({WEEKDAYS.index(each) for each in listed}))
        return self._wrong(f"reminders.weekdays must be a list out of {', '.join(WEEKDAYS)}.", (0,))

    def problem(self, sentence: str) -> None:
        self._problems.append(sentence)

    def all_problems(self) -> list[str]:
        """What is wrong, and what was never asked for."""
        unknown = []
        for table, value in self._raw.items():
            if not isinstance(value, dict):
                unknown.append(f"{table} is not known.")
            else:
                unknown += [f"{table}.{key} is not known." for key in value]
        return self._problems + unknown

    def _take(self, table: str, key: str, default: Any) -> Any:  # noqa: ANN401 - TOML values
        held = self._raw.get(table, {})
        return held.pop(key, default) if isinstance(held, dict) else default

    def _wrong(self, problem: str, instead: _T) -> _T:
        self._problems.append(problem)
        return instead


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_scheme(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= LONGEST_CERTIFICATE_TEXT and printable(value)


def _settings(reader: _Reader, home: Path) -> Settings:
    longest = reader.whole("decisions", "longest_trial_days", 731, least=1, most=3660)
    longest_key = reader.whole("decisions", "longest_credential_days", 400, least=1, most=3660)
    idle = reader.whole("console", "idle_minutes", IDLE_MINUTES, least=1, most=MOST_IDLE_MINUTES)
    deployed = reader.statuses("deployed_statuses", DEPLOYED_STATUSES)
    return Settings(
        home=home,
        store_url=_store_url(reader, home),
        host=reader.text("web", "host", "127.0.0.1"),
        port=reader.whole("web", "port", DEFAULT_PORT, least=1, most=65535),
        keys_dir=reader.path(reader.text("keys", "directory", "keys")),
        passphrase=reader.source("keys", "passphrase"),
        tokens=read_tokens(reader),
        web_threads=reader.whole("web", "threads", 8, least=1, most=256),
        web_workers=reader.whole("web", "workers", 1, least=1, most=64),
        web_memory=reader.path(reader.text("web", "memory", "run")),
        web_proxies=reader.proxies(),
        status_max_age=float(reader.whole("web", "status_max_age_seconds", 600, least=1, most=86_400)),
        status_listens=read_listens(reader.text("status", "listens", SOCKET), reader.path, reader.problem),
        status_proxy=read_proxy(reader.optional("status", "proxy"), reader.problem),
        rules=Rules(
            longest_trial=timedelta(days=longest),
            urgent_revocation_by_one=reader.truth("decisions", "urgent_revocation_by_one", default=True),
            longest_credential=timedelta(days=longest_key),
            session_idle=timedelta(minutes=idle),
            assurance=reader.schemes(),
            proposal_life=timedelta(days=reader.whole("decisions", "proposal_days", 30, least=1, most=366)),
            order_life=timedelta(days=reader.whole("officers", "order_days", 7, least=1, most=31)),
            officers=reader.officers(),
            list_columns=reader.list_columns(),
            bounds=read_bounds(reader.whole),
            deployed_statuses=deployed,
            decommissioned_statuses=reader.statuses("decommissioned_statuses", DECOMMISSIONED_STATUSES, but=deployed),
            look_ahead_months=reader.whole("reports", "look_ahead_months", 3, least=1, most=24),
            report_day=reader.whole("reports", "day", 5, least=1, most=SHORTEST_MONTH_DAYS),
            expiry_days=reader.expiry_days(),
            reminder_weekdays=reader.weekdays(),
        ),
        root_statement_wait=timedelta(
            hours=reader.whole("officers", "root_statement_wait_hours", 24, least=0, most=24 * 31)
        ),
        pace=read_pace(reader.whole, reader.problem),
        webhooks=reader.webhooks(),
        mail=reader.mail(),
        backups=read_backups(reader.optional("backup", "directory"), reader.path, reader.whole),
        console_origin=read_origin(reader.optional("console", "origin"), reader.problem),
        console_demo=reader.truth("console", "demo", default=False),
        renderer=read_renderer(reader.text("renderer", "listens", RENDERER), reader.path, reader.problem),
    )


def _store_url(reader: _Reader, home: Path) -> str:
    return store_url_in(reader.text("store", "url", "sqlite:///store.sqlite"), home)


def store_url_in(url: str, home: Path) -> str:
    """Return where a register is: a relative SQLite path is meant from the home, not from where a command began."""
    if url.startswith("sqlite:///"):
        return f"sqlite:///{(home / url.removeprefix('sqlite:///')).resolve()}"
    return url
