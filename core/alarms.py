"""Alarms: what somebody should look at, since when, in a sentence. An alarm takes nothing out of service by itself.

Whoever notices something says so each time it looks; what is no longer said is over.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice

from core.trouble import Trouble


class AlarmCode(StrEnum):
    """What an alarm is about."""

    ACT_UNPROVED = "act-unproved"
    ANSWER_NOT_IN_FORCE = "answer-not-in-force"
    ANSWERS_OVERDUE = "answers-overdue"
    AUTHORITY_ENDS = "authority-ends"
    AUTHORITY_SILENT = "authority-silent"
    AUTHORITY_CHANGED = "authority-changed"
    CLOCK_DOUBTFUL = "clock-doubtful"
    CLOCK_LOWERED = "clock-lowered"
    COURIER_SILENT = "courier-silent"
    DECISION_DISOWNED = "decision-disowned"
    DECISION_UNPROVED = "decision-unproved"
    CHANNELS_DISAGREE = "channels-disagree"
    DISK_NEARLY_FULL = "disk-nearly-full"
    END_UNTOLD = "end-untold"
    ERRAND_FAILS = "errand-fails"
    FACT_AHEAD = "fact-dated-ahead"
    JOB_FAILS = "job-fails"
    JOURNAL_CHANGED = "journal-changed"
    JOURNAL_BACKLOG = "journal-backlog"
    LOOKOUT_STANDS = "lookout-stands"
    KEY_NOT_AT_HAND = "key-not-at-hand"
    ISSUING_STOPPED = "issuing-stopped"
    KEYS_END = "keys-end"
    LEASE_VOID = "lease-void"
    LIST_NOT_IN_FORCE = "list-not-in-force"
    END_UNPROVED = "end-unproved"
    LIST_OVERDUE = "list-overdue"
    LIST_UNKNOWN = "list-unknown"
    MEMORY_COPY_CHANGED = "memory-copy-changed"
    REGISTER_CONTRADICTS = "register-contradicts"
    REGISTER_UNFOUNDED = "register-unfounded"
    REGISTER_WENT_BACK = "register-went-back"
    STORE_WENT_BACK = "store-went-back"
    NOTICES_UNDELIVERED = "notices-undelivered"
    REVOCATION_LIST_BACKLOG = "revocation-list-backlog"
    RESPONDER_OVERDUE = "responder-overdue"
    STATEMENT_SIGNER_OVERDUE = "statement-signer-overdue"
    ROOT_LIST_ENDS = "root-list-ends"
    ROSTER_MISSING = "roster-missing"
    ROSTER_SMALL = "roster-small"
    ROSTER_WAITS = "roster-waits"
    STATUS_STALE = "status-stale"
    STORE_FULL = "store-full"
    STORE_READ_ONLY = "store-read-only"
    STORE_SILENT = "store-silent"
    STORE_TAKES_NO_WRITES = "store-takes-no-writes"
    SUBSCRIBER_UNTOLD = "subscriber-untold"
    TOKEN_OUT_OF_USE = "token-out-of-use"  # noqa: S105 - a device, no secret
    TOLD_END_LOST = "told-end-lost"
    WEB_MEMORY_FAILS = "web-memory-fails"


WORDS: Mapping[AlarmCode, tuple[str, str]] = {
    AlarmCode.ACT_UNPROVED: (
        "The register says that officers have acted, and their own keys have not signed for it: it is not sealed.",
        "Every act of officers that was sealed of late is signed by their own keys.",
    ),
    AlarmCode.ANSWER_NOT_IN_FORCE: (
        "An OCSP answer for a certificate that has not ended is not in force, or there is none.",
        "Every OCSP answer is in force again.",
    ),
    AlarmCode.ANSWERS_OVERDUE: (
        "OCSP answers should have been renewed and were not.",
        "OCSP answers are renewed again.",
    ),
    AlarmCode.AUTHORITY_ENDS: (
        "The root, the issuing CA, or the time in which it issues ends soon or has ended.",
        "Root and issuing CA last long enough.",
    ),
    AlarmCode.KEY_NOT_AT_HAND: (
        "The authority process lacks a key of issuing CA, responder or statement signer that holds: start it again.",
        "The keys of every issuing CA, responder and statement signer that hold are at hand.",
    ),
    AlarmCode.KEYS_END: ("API keys of a role end soon or have ended.", "No API key of the role ends soon."),
    AlarmCode.REGISTER_WENT_BACK: (
        "The register is older than what was told from it: a yes is told to nobody, and nothing is recorded.",
        "The register is what it was, or an operator has accepted that it went back.",
    ),
    AlarmCode.TOLD_END_LOST: (
        "The register does not say that an approval has ended that was told as ended; it is still told so.",
        "The register says of everything that was told as ended that it has.",
    ),
    AlarmCode.WEB_MEMORY_FAILS: (
        "What this web process has told cannot be kept, or what it kept was damaged.",
        "What this web process has told is kept.",
    ),
    AlarmCode.AUTHORITY_CHANGED: (
        "The register has this authority for another one than it is.",
        "The register has the authority as it began.",
    ),
    AlarmCode.DECISION_DISOWNED: (
        "Somebody says that a decision was not made as the register has it: somebody pretends to be officers.",
        "What followed from a disowned decision ended some time ago.",
    ),
    AlarmCode.DECISION_UNPROVED: (
        "The register says that officers have made a decision, and the sealed facts do not: nothing is signed.",
        "Every decision that waits for a signature is proved.",
    ),
    AlarmCode.JOURNAL_CHANGED: (
        "The sealed journal does not say what it said when it was sealed.",
        "The sealed journal says what it said when it was sealed.",
    ),
    AlarmCode.END_UNPROVED: (
        "The register says that a certificate has ended, and no sealed fact does.",
        "Every end that the register says is proved.",
    ),
    AlarmCode.LIST_UNKNOWN: (
        "The register holds a CRL that the authority did not sign.",
        "The register holds no CRL but the authority's.",
    ),
    AlarmCode.MEMORY_COPY_CHANGED: (
        "Somebody wrote into the register's copy of the authority's memory.",
        "The register's copy of the authority's memory is what the authority remembers.",
    ),
    AlarmCode.REGISTER_CONTRADICTS: (
        "The register contradicts what the authority remembers of what it has signed.",
        "The register agrees with what the authority remembers.",
    ),
    AlarmCode.REGISTER_UNFOUNDED: (
        "A row of the register does not follow from the journal: somebody has written into it.",
        "Everything in the register follows from the journal.",
    ),
    AlarmCode.STORE_WENT_BACK: (
        "The register is older than what the authority has sealed.",
        "The register is the one that was sealed last.",
    ),
    AlarmCode.CLOCK_DOUBTFUL: (
        "The authority doubts its clock: nothing is issued, ends are taken.",
        "The authority's clock is right again, or was accepted.",
    ),
    AlarmCode.CLOCK_LOWERED: (
        "The register has a test authority's clock behind what it was.",
        "The register has the test authority's clock as it was, or ahead.",
    ),
    AlarmCode.FACT_AHEAD: (
        "A fact was dated ahead of the authority's clock; it is sealed with the authority's instant.",
        "No fact has been dated ahead of late.",
    ),
    AlarmCode.LEASE_VOID: (
        "The authority's lease ended later than any lease does; it was taken over.",
        "No lease has been void of late.",
    ),
    AlarmCode.AUTHORITY_SILENT: ("No authority process is at work.", "An authority process is at work again."),
    AlarmCode.COURIER_SILENT: ("No courier is at work.", "A courier is at work again."),
    AlarmCode.CHANNELS_DISAGREE: (
        "Register, verification, OCSP and lists do not say the same of every certificate.",
        "Register, verification, OCSP and lists say the same of every certificate.",
    ),
    AlarmCode.DISK_NEARLY_FULL: ("A disk that is written to has little room left.", "The disk has room again."),
    AlarmCode.END_UNTOLD: (
        "A channel has not told an end by an act within the time in which it must.",
        "Every channel has told every end by an act.",
    ),
    AlarmCode.ERRAND_FAILS: ("An errand of the courier fails.", "The courier's errands are done again."),
    AlarmCode.JOB_FAILS: ("A job of the authority fails.", "The authority's jobs are done again."),
    AlarmCode.JOURNAL_BACKLOG: ("Facts wait too long to be sealed.", "The journal is sealed again."),
    AlarmCode.LOOKOUT_STANDS: (
        "The web process no longer looks: what it tells is as it was then.",
        "The web process looks again.",
    ),
    AlarmCode.LIST_NOT_IN_FORCE: (
        "An issuing CA has no CRL that is in force at this moment.",
        "Every issuing CA's CRL is in force again.",
    ),
    AlarmCode.LIST_OVERDUE: (
        "An issuing CA's CRL should have been renewed and was not.",
        "Every issuing CA's CRL is renewed again.",
    ),
    AlarmCode.NOTICES_UNDELIVERED: (
        "A notice has not reached its recipient for too long.",
        "Every notice has reached its recipient, or is on its way.",
    ),
    AlarmCode.REVOCATION_LIST_BACKLOG: (
        "An ended certificate waits too long to be on a CRL.",
        "Every ended certificate is on a CRL again.",
    ),
    AlarmCode.RESPONDER_OVERDUE: (
        "The OCSP responder's certificate should have been renewed and was not, or there is none.",
        "The OCSP responder's certificate is renewed.",
    ),
    AlarmCode.STATEMENT_SIGNER_OVERDUE: (
        "The statement signer's certificate should have been renewed and was not, or there is none.",
        "The statement signer's certificate is renewed.",
    ),
    AlarmCode.ROOT_LIST_ENDS: (
        "The root's CRL ends soon, has ended, or is missing; its key has to be fetched.",
        "The root's CRL is renewed.",
    ),
    AlarmCode.ISSUING_STOPPED: (
        "An officer has stopped issuing: nothing is drafted and nothing is signed until two start it again.",
        "Issuing goes on.",
    ),
    AlarmCode.ROSTER_MISSING: (
        "The authority knows no officers' keys: acts count by API keys alone.",
        "The authority knows officers' keys.",
    ),
    AlarmCode.ROSTER_SMALL: (
        "Fewer than three officers have keys: with one key lost, the rest cannot change the roster.",
        "Three officers or more have keys.",
    ),
    AlarmCode.ROSTER_WAITS: (
        "A roster that the root's key has signed waits to come into force.",
        "No roster waits to come into force.",
    ),
    AlarmCode.STATUS_STALE: ("What status is answered from is too old.", "Status is answered again."),
    AlarmCode.STORE_FULL: ("The register takes no writes: its disk is full.", "The register has room again."),
    AlarmCode.STORE_READ_ONLY: (
        "The register takes no writes: it is read-only.",
        "The register takes writes again.",
    ),
    AlarmCode.STORE_SILENT: ("The register does not answer.", "The register answers again."),
    AlarmCode.STORE_TAKES_NO_WRITES: (
        "The register answers questions and takes no writes in time.",
        "The register takes writes again.",
    ),
    AlarmCode.TOKEN_OUT_OF_USE: (
        "A token with keys of the authority does not do what it must: nothing is signed with the keys in it.",
        "Every token with keys of the authority is open.",
    ),
    AlarmCode.SUBSCRIBER_UNTOLD: ("A subscriber is not told what happened.", "Every subscriber is told again."),
}
"""What an alarm means, and what is said when it is over."""


def printable(words: str, most: int) -> str:
    """Return words that fit an alarm, whatever somebody wrote into the row that they are from.

    Args:
        words: of whatever length.
        most: characters of them.
    """
    cut = words if len(words) <= most else f"{words[: most - 1]}…"
    return "".join(each if each.isprintable() else "?" for each in cut)


@dataclass(frozen=True, kw_only=True)
class Noticed:
    """Something that is so at this moment.

    Args:
        code: what it is about.
        sentence: for whoever asks how the service is doing, with or without a credential: nothing withheld, no address.
        subject: what tells it from others of its code; empty if there can only be one.
        told: whoever noticed it tells the log, in words that are not for everybody.
        as_many: how many things of its kind it stands for: one, or all those that nobody names.
    """

    code: AlarmCode
    sentence: str
    subject: str = ""
    told: bool = False
    as_many: int = 1

    @classmethod
    def more(cls, code: AlarmCode, many: int) -> "Noticed":
        """Return what stands for all those of a kind that are not named."""
        return cls(code=code, sentence=f"And {many} more of this kind.", subject="more", as_many=many)


def first_of(sentences: Iterable[str], most: int) -> str:
    """Return the first of some sentences as one text, which says so where there are more; empty where there is none.

    Args:
        sentences: what was found, as it is found.
        most: so many are told.
    """
    found = list(islice(sentences, most + 1))
    return " ".join(found if len(found) <= most else [*found[:most], "There are more of this kind."])


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Something that has been so for a while.

    Args:
        code, subject, sentence: as it was noticed last.
        since: when it began, by the clock of whoever noticed it.
    """

    code: AlarmCode
    subject: str
    since: datetime
    sentence: str

    @property
    def key(self) -> tuple[AlarmCode, str]:
        """What tells it from every other."""
        return self.code, self.subject


class Standing:
    """The alarms that stand, as one process notices them. Whoever uses it is one thread.

    Args:
        log: where each begin and each end is told, once.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._alarms: dict[tuple[AlarmCode, str], Alarm] = {}
        self._troubles: dict[tuple[AlarmCode, str], Trouble] = {}

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """Those that stood when it was last looked, in the order of their codes."""
        return tuple(self._alarms[key] for key in sorted(self._alarms))

    def hold(
        self,
        noticed: Iterable[Noticed],
        at: datetime,
        *,
        known: Mapping[tuple[AlarmCode, str], datetime] | None = None,
        tell: bool = True,
    ) -> tuple[Alarm, ...]:
        """Return the alarms that stand now: those noticed, each since it was first noticed.

        Args:
            noticed: everything that is so at this moment.
            at: this moment.
            known: since when, for those of which somebody else knew before us.
            tell: false where it is too early to log what may be over in a second.
        """
        before, known = self._alarms, known or {}
        self._alarms = {}
        for each in noticed:
            key = (each.code, each.subject)
            since = before[key].since if key in before else known.get(key, at)
            self._alarms[key] = Alarm(code=each.code, subject=each.subject, since=since, sentence=each.sentence)
            if tell and not each.told and key not in self._troubles:
                # Once: a sentence that counts is another one each time.
                self._troubles[key] = Trouble(self._log)
                self._troubles[key].begins(each.sentence)
        for code, subject in [key for key in self._troubles if key not in self._alarms]:
            self._troubles.pop((code, subject)).ends(WORDS[code][1])
        return self.alarms
