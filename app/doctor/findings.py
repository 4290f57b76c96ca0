"""Findings: what is not as it should be, how bad that is, and what is done about it.

A finding's code is stable: an alarm's (core/alarms.py), an error's (core/errors.py), or one of the doctor's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from api.readiness import Check
from core.alarms import Alarm, AlarmCode
from core.errors import TrialCpaError
from core.instants import text
from core.remedies import REMEDIES


class Group(StrEnum):
    """What is looked at together, in the order in which it is told."""

    SETTINGS = "settings"
    PERMISSIONS = "permissions"
    DISK = "disk"
    CLOCK = "clock"
    REGISTER = "register"
    KEYS = "keys"
    MEMORY = "memory"
    JOURNAL = "journal"
    SERVICE = "service"
    BACKUPS = "backups"
    PROXY = "proxy"
    RENDERER = "renderer"


class Severity(StrEnum):
    """How bad it is, the worst first."""

    WRONG = "wrong"
    SOON = "soon"
    UNKNOWN = "unknown"


class FindingCode(StrEnum):
    """What only the doctor finds."""

    BACKUP_MISSING = "backup-missing"
    BACKUP_OLD = "backup-old"
    BACKUP_UNPROVED = "backup-unproved"
    BACKUP_WRONG = "backup-wrong"
    BACKUPS_UNNAMED = "backups-unnamed"
    CLOCK_UNKEPT = "clock-unkept"
    KEY_FILE_MISSING = "key-file-missing"
    LIST_MISSING = "list-missing"
    LOOK_FAILED = "look-failed"
    LOOK_UNFINISHED = "look-unfinished"
    NOT_SEEN = "not-seen"
    OF_ANOTHER_USER = "of-another-user"
    OPEN_TO_OTHERS = "open-to-others"
    OPENED_BESIDE = "passphrase-beside-keys"
    ROOT_AT_HAND = "root-at-hand"
    SERVICE_SILENT = "service-silent"
    TOKEN_FINAL_TRY = "token-final-try"  # noqa: S105 - a device, no secret


WORDS: Mapping[FindingCode, tuple[Severity, str, str]] = {
    FindingCode.BACKUP_MISSING: (
        Severity.WRONG,
        "There is no backup in {path}.",
        "Make one: trialcpa backup {path}/first.age --recipient age1…",
    ),
    FindingCode.BACKUP_OLD: (
        Severity.WRONG,
        "The newest backup, {path}, is {hours} hours old, and {most} are allowed.",
        "Look at what makes the backups, and at its log; make one now: trialcpa backup FILE --recipient age1…",
    ),
    FindingCode.BACKUP_UNPROVED: (
        Severity.SOON,
        "No backup was proved in the last {days} days; the last one that was: {last}.",
        "Prove the newest where its age key is: trialcpa backup verify {path} --identity key.txt",
    ),
    FindingCode.BACKUP_WRONG: (
        Severity.WRONG,
        "When backups were last proved, at {at}, something in {path} did not hold.",
        "Say it again (trialcpa backup verify {path}) and read which; keep the backups of before.",
    ),
    FindingCode.BACKUPS_UNNAMED: (
        Severity.SOON,
        "The settings do not say where backups lie.",
        'Write directory = "…" below [backup] in {path} (docs/settings.md).',
    ),
    FindingCode.CLOCK_UNKEPT: (
        Severity.SOON,
        "Nobody keeps this machine's clock right, by what its kernel says.",
        "Have it kept: timedatectl set-ntp true, or chrony.",
    ),
    FindingCode.KEY_FILE_MISSING: (
        Severity.WRONG,
        "{path} is missing.",
        "Put it back from a backup (docs/backup.md) and start the authority process again.",
    ),
    FindingCode.TOKEN_FINAL_TRY: (
        Severity.WRONG,
        "One more wrong PIN locks the token {token}.",
        "Find out who tried; log in once with the right PIN, by the tool that came with the token.",
    ),
    FindingCode.LIST_MISSING: (
        Severity.WRONG,
        "{subject} has published no list.",
        "Start the authority process: it does so at its start; the root's is renewed by trialcpa root-crl.",
    ),
    FindingCode.LOOK_FAILED: (
        Severity.UNKNOWN,
        "Looking at it failed: {detail}.",
        "Keep these words and report them: a fault of ours, or of the machine.",
    ),
    FindingCode.LOOK_UNFINISHED: (
        Severity.UNKNOWN,
        "Looking at it has not ended within {seconds} seconds.",
        "trialcpa check waits until the end; look what holds it up, the database or a disk.",
    ),
    FindingCode.NOT_SEEN: (
        Severity.UNKNOWN,
        "{path} cannot be looked at by this user.",
        "Run trialcpa doctor as the authority's user, or as root.",
    ),
    FindingCode.OF_ANOTHER_USER: (
        Severity.WRONG,
        "{path} belongs to {owner}, and the folder of the keys to {wanted}.",
        "chown {wanted} {path}",
    ),
    FindingCode.OPEN_TO_OTHERS: (
        Severity.WRONG,
        "{path} has mode {mode}: others get at it.",
        "chmod {wanted} {path}",
    ),
    FindingCode.OPENED_BESIDE: (
        Severity.SOON,
        "The passphrase of the keys, {path}, lies beside them: whoever copies that folder can sign.",
        "Put it elsewhere, on another medium, and name that in keys.passphrase (docs/settings.md).",
    ),
    FindingCode.ROOT_AT_HAND: (
        Severity.SOON,
        "The root's key is on this machine: {path}.",
        "Take its folder offline (docs/handbook.md, ceremony); nothing here needs it.",
    ),
    FindingCode.SERVICE_SILENT: (
        Severity.WRONG,
        "{why}; what only it knows is not told here.",
        "Start the web process, or read in its log why it has ended.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to worry about.

    Args:
        code: stable: of an alarm, of an error, or of `FindingCode`.
        severity: how bad it is.
        sentence: what is so.
        remedy: what is done about it.
    """

    code: str
    severity: Severity
    sentence: str
    remedy: str


def found(code: FindingCode, **fields: object) -> Finding:
    """Return a finding of the doctor's own.

    Args:
        code: which.
        fields: what fills its sentence and its remedy.
    """
    severity, sentence, remedy = WORDS[code]
    return Finding(
        code=code.value, severity=severity, sentence=sentence.format(**fields), remedy=remedy.format(**fields)
    )


def of_error(error: TrialCpaError) -> Finding:
    """Return what an error says as a finding: it is wrong, and its hint is the remedy."""
    return Finding(code=error.code, severity=Severity.WRONG, sentence=str(error), remedy=error.hint)


def of_alarm(code: AlarmCode, sentence: str, *, wrong: bool) -> Finding:
    """Return something that an alarm is about as a finding."""
    severity = Severity.WRONG if wrong else Severity.SOON
    return Finding(code=code.value, severity=severity, sentence=sentence, remedy=REMEDIES[code])


def of_standing(alarm: Alarm) -> Finding:
    """Return an alarm that stands as a finding."""
    return of_alarm(alarm.code, f"Since {text(alarm.since)}: {alarm.sentence}", wrong=alarm.code not in MAY_WAIT)


def of_checks(checks: Iterable[Check]) -> list[Finding | str]:
    """Return what checks of readiness say: findings, and sentences of what is well."""
    return [
        each.detail if each.ok and not each.warning else of_alarm(each.alarm, each.detail, wrong=not each.ok)
        for each in checks
    ]


MAY_WAIT = frozenset(
    {
        AlarmCode.AUTHORITY_ENDS,
        AlarmCode.DISK_NEARLY_FULL,
        AlarmCode.KEYS_END,
        AlarmCode.ROOT_LIST_ENDS,
        AlarmCode.ROSTER_MISSING,
        AlarmCode.ROSTER_SMALL,
        AlarmCode.ROSTER_WAITS,
        AlarmCode.SUBSCRIBER_UNTOLD,
    }
)
"""Alarms that are told long before anything is wrong, or that are somebody's choice."""
