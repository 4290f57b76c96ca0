"""What is promised of speed: each row with its aim, where the aim is written, and where others stand.

The aims are those of "Status at national speed", its table of figures; an aim that a record states too names it.
bench/national.py measures them and says which hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique

FIGURES = "“Status at national speed”, its table of figures"
"""Where nearly all aims are written."""

ENDS_TOLD = f"{FIGURES}, and ADR 52"
"""Where the aims of telling an end are written."""

TOLD_ELSEWHERE = "told elsewhere (28 November, 2 vCPU 2.5 GHz)"
"""What marks a figure of others that this run did not measure."""


@unique
class Part(StrEnum):
    """What is measured together, by one function of bench/national.py."""

    SECOND_FRONT = "second-front"
    FIRST_FRONT = "first-front"
    BATCH = "batch"
    AHEAD = "ahead"
    TOLD = "told"
    AT_ONCE = "at-once"
    REGISTER = "register"
    WRITING = "writing"
    LISTS = "lists"


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What a figure must reach.

    Args:
        value: at least, or at most so much.
        unit: of the value, in words that follow it.
        most: whether it is the most that may be, and not the least.
        source: where it is written.
    """

    value: float
    unit: str
    most: bool = False
    source: str = FIGURES

    def __str__(self) -> str:
        return f"{'at most' if self.most else 'at least'} {number(self.value)} {self.unit}"

    def reached(self, figure: float) -> bool:
        """Return whether a figure is good enough."""
        return figure <= self.value if self.most else figure >= self.value


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A row of the table.

    Args:
        what: is promised.
        aim: of it.
        part: with which it is measured.
        others: where others stand, as it was told elsewhere; empty if nobody else has it.
    """

    what: str
    aim: Aim
    part: Part
    others: str = ""


def number(value: float) -> str:
    """Return a number as people read it."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


# --- the aims -----------------------------------------------------------------------------------------------------

SECOND_FRONT = Aim(value=0.75, unit="of its ceiling")
FIRST_FRONT = Aim(value=0.8, unit="of its ceiling")
UNIT_OR_PAST = Aim(value=10_000, unit="a second of a processor")
BATCH = Aim(value=250_000, unit="answers a second of a processor")
AHEAD = Aim(value=3_000, unit="certificates a second of a processor")
VERIFICATION_TELLS = Aim(value=100, unit="ms, 99th percentile", most=True, source=ENDS_TOLD)
OCSP_TELLS = Aim(value=250, unit="ms, 99th percentile", most=True, source=ENDS_TOLD)
LIST_TELLS = Aim(value=1_000, unit="ms, 99th percentile", most=True, source=ENDS_TOLD)
AT_ONCE = Aim(value=60, unit="s", most=True, source=ENDS_TOLD)
START = Aim(value=4, unit="s of a processor", most=True)
MEMORY = Aim(value=400, unit="MB", most=True)
ANSWER_GROWS = Aim(value=1.2, unit="times", most=True)
CHANGE_GROWS = Aim(value=2, unit="times", most=True)
GRANTS = Aim(value=60, unit="a second")
REVOCATIONS = Aim(value=400, unit="a second")
REVOCATION_LATE = Aim(value=200, unit="ms, 99th percentile", most=True)
LIST_ANEW = Aim(value=1.5, unit="times openssl ca -gencrl", most=True)
LIST_MEMORY = Aim(value=400, unit="MB", most=True)
LIST_MORE = Aim(value=2, unit="s", most=True)

# --- others, as told elsewhere --------------------------------------------------------------------------------------

OF_OCSP = (
    "OCSP a second: cfssl 5,149, openssl ocsp 7,885, OpenBao about 2,000 for each core, certomancer 197, "
    "django-ca 170; a Flask view from a dict 6,102; nginx, a static file, 74,000"
)
NOBODY = "nobody has it"
OF_VERIFICATION = f"{NOBODY}; a Flask view from a dict 4,757 a second"
OF_TELLING = "until an end is seen: AWS 30 to 60 minutes, Google 15 minutes"
OF_GRANTS = "issues a second, they only sign: step-ca 713, OpenBao 921 to 958, django-ca 640"
OF_REVOCATIONS = "a second: step-ca 1,280 without a list, OpenBao 84 to 113 with one, django-ca 1,729 in process"
OF_LISTS = "100,000 entries without a gate: openssl 1.2 s, cryptography 1.4 s"

# --- the rows -------------------------------------------------------------------------------------------------------

ASKED: Mapping[str, str] = {
    "OCSP POST sha1": OF_OCSP,
    "OCSP GET sha1": OF_OCSP,
    "verify by approval": OF_VERIFICATION,
    "verify by serial": OF_VERIFICATION,
    "verify by device": OF_VERIFICATION,
    "verify by certificate": OF_VERIFICATION,
}
"""Of the questions of bench/register.py, those that are promised a share of the ceiling; where others stand."""

ONE_UNIT_OR_PAST = ("verify device_id", "verify at")
"""Those that are promised a rate."""

SITUATIONS = ("later, under load", "in the first minute after a start, under load")
CHANNELS: Mapping[str, Aim] = {"verification": VERIFICATION_TELLS, "ocsp": OCSP_TELLS, "list": LIST_TELLS}


def asked(question: str, front: str) -> str:
    """Name the row of a question to a front."""
    return f"{question}, {front} front, different questions in random order"


def told(channel: str, situation: str) -> str:
    """Name the row of a channel that tells a revocation."""
    return f"A revocation's commit until {channel} tells it, {situation}"


BATCHES = "A batch of 10,000 different questions by approval"
SIGNED_AHEAD = "Both OCSP answers of a certificate signed ahead, checked"
ALL_AT_ONCE = "Everything revoked at once: until verification, OCSP and list are right"
STARTED = "Start of a web process until its first answer"
HELD = "Memory of a web process, units held"
ANSWERED = "Cost of an answer, from a hundredth of the approvals to all"
CHANGED = "Cost of a change, from a hundredth of the approvals to all"
GRANTED = "Grants over HTTP, 8 clients: apply, propose, sign, second, fetch"
REVOKED = "Revocations over HTTP, 8 clients"
REVOKED_LATE = "A revocation over HTTP, 8 clients, as its client sees it"
LISTED = "A list built anew, gated, published, of a processor"
LISTED_MEMORY = "Memory of whoever builds it"
LISTED_MORE = "One entry more, of a processor"

PROMISES: Sequence[Promise] = (
    *(
        Promise(what=asked(question, "second"), aim=SECOND_FRONT, part=Part.SECOND_FRONT, others=others)
        for question, others in ASKED.items()
    ),
    *(
        Promise(what=asked(question, "second"), aim=UNIT_OR_PAST, part=Part.SECOND_FRONT, others=NOBODY)
        for question in ONE_UNIT_OR_PAST
    ),
    *(
        Promise(what=asked(question, "first"), aim=FIRST_FRONT, part=Part.FIRST_FRONT, others=others)
        for question, others in ASKED.items()
    ),
    Promise(what=BATCHES, aim=BATCH, part=Part.BATCH, others=NOBODY),
    Promise(what=SIGNED_AHEAD, aim=AHEAD, part=Part.AHEAD),
    *(
        Promise(what=told(channel, situation), aim=aim, part=Part.TOLD, others=OF_TELLING)
        for situation in SITUATIONS
        for channel, aim in CHANNELS.items()
    ),
    Promise(what=ALL_AT_ONCE, aim=AT_ONCE, part=Part.AT_ONCE),
    Promise(what=STARTED, aim=START, part=Part.REGISTER),
    Promise(what=HELD, aim=MEMORY, part=Part.REGISTER),
    Promise(what=ANSWERED, aim=ANSWER_GROWS, part=Part.REGISTER),
    Promise(what=CHANGED, aim=CHANGE_GROWS, part=Part.REGISTER),
    Promise(what=GRANTED, aim=GRANTS, part=Part.WRITING, others=OF_GRANTS),
    Promise(what=REVOKED, aim=REVOCATIONS, part=Part.WRITING, others=OF_REVOCATIONS),
    Promise(what=REVOKED_LATE, aim=REVOCATION_LATE, part=Part.WRITING),
    Promise(what=LISTED, aim=LIST_ANEW, part=Part.LISTS, others=OF_LISTS),
    Promise(what=LISTED_MEMORY, aim=LIST_MEMORY, part=Part.LISTS),
    Promise(what=LISTED_MORE, aim=LIST_MORE, part=Part.LISTS),
)
