"""Does every channel tell the same? What the channels said is read, each by its own rules, and compared.

No network here: `ask_every_channel` reads what verify/fetched.py brought home, so that a test can corrupt each channel
in turn and see it named.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import assert_never

from cryptography import x509

from core.canonical import canonical, read_json
from core.reasons import ReasonCode
from core.status import State
from verify.client import AuthorityClient
from verify.fetched import Channel, Fetched, Subject, Trust, fetch, subject_of
from verify.kit.evidence.answers import read_answer
from verify.kit.evidence.ends import Ended, Testimony, state_of
from verify.kit.evidence.lists import read_lists
from verify.kit.evidence.offline import prove
from verify.kit.evidence.parsing import Unreadable, issued_by, one_answer, several_certificates
from verify.kit.evidence.profile import distribution_point

NO_ANSWER = "no answer"
"""The state of a channel that could not be reached or refused."""
NOT_PROVED = "not proved"
"""The state of a channel whose answer is not believed."""

_ENDED = frozenset({State.CANCELLED.value, State.WITHDRAWN.value, State.EXPIRED.value})
_OF_THE_APPROVAL = frozenset({Channel.VERIFY_APPROVAL, Channel.VERIFY_DEVICE, Channel.PAGE})
_COMPROMISED = "key_compromise"
_REASONS = {
    ReasonCode.REVOKED: "privilege_withdrawn",
    ReasonCode.REVOKED_FOR_BREACH: "privilege_withdrawn",
    ReasonCode.KEY_COMPROMISE: _COMPROMISED,
    ReasonCode.SUPERSEDED: "superseded",
    ReasonCode.WITHDRAWN: "cessation_of_operation",
    ReasonCode.EXPIRED: "cessation_of_operation",
}
"""The reasons of verification in the words that lists and OCSP have for them."""


@dataclass(frozen=True)
class ChannelAnswer:
    """What one channel says.

    Args:
        channel: its name, see verify.fetched.Channel.
        state: as in the answer of /v1/verify, or NO_ANSWER or NOT_PROVED.
        evidence: the bytes it said it with.
        detail: a sentence for people.
        reason: why it has ended, in the words of RFC 5280 (5.3.1); empty where it has not or the channel is silent.
        about: approval identifier and serial it speaks of, with a blank between; empty if it speaks of none. An
            approval may speak through another of its certificates.
    """

    channel: str
    state: str
    evidence: bytes
    detail: str
    reason: str = ""
    about: str = ""


def question(client: AuthorityClient, certificate: bytes, trust: Trust) -> tuple[ChannelAnswer, ...]:
    """Ask every channel about a certificate now, and read what they say.

    Raises:
        CertificateMalformed: there is nothing to ask about.
        AuthorityUnreachable, AuthorityRefused, AuthorityAnswerMalformed: no verification at all could be had.
    """
    subject = subject_of(certificate, trust.arc)
    return ask_every_channel(fetch(client, subject), subject, trust)


def ask_every_channel(fetched: Fetched, subject: Subject, trust: Trust) -> tuple[ChannelAnswer, ...]:
    """Read what every channel said of `subject`, at the instant at which they were asked. Never raises."""
    return tuple(_read(channel, fetched, subject, trust) for channel in Channel)


def agree(answers: Sequence[ChannelAnswer]) -> tuple[bool, str]:
    """Return whether every channel agrees, and the sentence that says so or names those that do not.

    Channels asked by certificate and channels asked by approval are compared with one another. They may differ
    where the approval speaks through another of its certificates, where it ended by itself after a certificate whose
    key was compromised, and where the device has a later approval; never while the certificate is active.
    """
    missing = [channel.value for channel in Channel if channel not in {answer.channel for answer in answers}]
    if missing:
        return False, f"not every channel was asked: {_list(missing)} missing"
    silent = [answer for answer in answers if answer.state in {NO_ANSWER, NOT_PROVED}]
    speaking = [answer for answer in answers if answer not in silent]
    of_certificate = [answer for answer in speaking if answer.channel not in _OF_THE_APPROVAL]
    own = _approval(_most([answer.about for answer in of_certificate]))
    others = [answer for answer in speaking if answer not in of_certificate]
    of_approval = [answer for answer in others if _approval(answer.about) in {"", own}]
    elsewhere = [answer for answer in others if answer not in of_approval]
    if _may_differ(of_certificate, of_approval):
        groups = [of_certificate, of_approval, elsewhere]
    else:
        groups = [[*of_certificate, *of_approval], elsewhere]
    problems = [words for words in map(_dissent, groups) if words]
    if elsewhere and _state(of_certificate) == State.ACTIVE.value:
        problems.append(f"{elsewhere[0].channel} speaks of another approval of the device")
    problems += [f"{answer.channel}: {answer.state} ({answer.detail})" for answer in silent]
    if problems:
        return False, f"the channels do not agree: {'; '.join(problems)}"
    sentence = f"every channel agrees: {_state(of_certificate)}"
    for group, whose in ((of_approval, "the approval"), (elsewhere, "another approval of the device")):
        if group and _state(group) != _state(of_certificate):
            sentence += f" (and {whose}: {_state(group)})"
    return True, sentence


def _may_differ(of_certificate: Sequence[ChannelAnswer], of_approval: Sequence[ChannelAnswer]) -> bool:
    """Return whether approval and certificate may have different states, by what the channels themselves say."""
    if _state(of_certificate) == State.ACTIVE.value:
        return False  # no two certificates of one approval are ever active together
    spoken = {answer.about for answer in of_approval}
    if len(spoken) == 1 and not spoken & {"", *(answer.about for answer in of_certificate)}:
        return True  # an earlier or later issue speaks for the approval
    # A compromised key ends a certificate; its approval may then end for a reason of its own.
    compromised = _most([answer.reason for answer in of_certificate if answer.reason]) == _COMPROMISED
    return compromised and all(answer.state in _ENDED for answer in of_approval)


def _dissent(group: Sequence[ChannelAnswer]) -> str:
    """Name the channels that differ from most in state, else in reason, else in what they speak of; or nothing."""
    for aspect in ("state", "reason", "about"):
        said = {answer.channel: str(getattr(answer, aspect)) for answer in group}
        # A page shows no reason; whoever knows nothing speaks of nothing. Everybody has a state.
        heard = {channel: value for channel, value in said.items() if value or aspect == "state"}
        common = _most(list(heard.values()))
        others = [f"{channel} says {value}" for channel, value in heard.items() if value != common]
        if others:
            return f"{_list(others)}, where the others say {common}"
    return ""


def _state(group: Sequence[ChannelAnswer]) -> str:
    return _most([answer.state for answer in group])


def _approval(about: str) -> str:
    return about.split(" ", maxsplit=1)[0]


def _most(values: Sequence[str]) -> str:
    counted = Counter(values)
    return counted.most_common(1)[0][0] if counted else ""


def _list(words: Sequence[str]) -> str:
    return ", ".join(words)


# --- reading each channel ----------------------------------------------------------------------------------------


def _read(channel: Channel, fetched: Fetched, subject: Subject, trust: Trust) -> ChannelAnswer:
    if channel is Channel.OFFLINE:
        return _offline(fetched, subject, trust)
    evidence = fetched.replies.get(channel)
    if evidence is None:
        return ChannelAnswer(
            channel=channel, state=NO_ANSWER, evidence=b"", detail=fetched.troubles.get(channel, "It was not asked.")
        )
    match channel:
        case Channel.OCSP_POST | Channel.OCSP_GET:
            return _ocsp(channel, evidence, fetched, subject, trust)
        case Channel.CRL:
            return _crl(evidence, fetched, subject)
        case Channel.PAGE:
            return _page(evidence, fetched)
        case Channel.VERIFY_APPROVAL | Channel.VERIFY_CERTIFICATE | Channel.VERIFY_SERIAL | Channel.VERIFY_DEVICE:
            return _verification(channel, evidence, subject)
        case _:
            assert_never(channel)


def _verification(channel: Channel, evidence: bytes, subject: Subject) -> ChannelAnswer:
    document = _document(evidence)
    state, valid = document.get("state"), document.get("valid")
    approval, serial = document.get("approval"), document.get("serial")
    codes = _codes(document.get("reasons"))
    if not isinstance(state, str) or state not in set(State) or not isinstance(valid, bool) or codes is None:
        return ChannelAnswer(
            channel=channel, state=NOT_PROVED, evidence=evidence, detail="It is not an answer of the contract."
        )
    if valid != (state == State.ACTIVE.value and not codes) or valid != document.get("deemed_cpa_certificate"):
        return ChannelAnswer(
            channel=channel, state=NOT_PROVED, evidence=evidence, detail=f"It says {state} and contradicts itself."
        )
    if not isinstance(serial, str) or not isinstance(approval, str):
        return ChannelAnswer(
            channel=channel, state=state, evidence=evidence, detail=f"It says {state}, {_list(codes)}."
        )
    if channel not in _OF_THE_APPROVAL and serial != subject.serial:
        return ChannelAnswer(
            channel=channel, state=NOT_PROVED, evidence=evidence, detail=f"It speaks of {serial}, which was not asked."
        )
    reason = next((_REASONS[code] for code in ReasonCode if code in codes and code in _REASONS), "")
    return ChannelAnswer(
        channel=channel,
        state=state,
        evidence=evidence,
        detail=f"It says {state}.",
        reason=reason,
        about=f"{approval} {serial}",
    )


def _own(subject: Subject) -> str:
    return f"{subject.approval} {subject.serial}"


def _document(body: bytes) -> Mapping[str, object]:
    try:
        document = read_json(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _codes(reasons: object) -> tuple[str, ...] | None:
    if not isinstance(reasons, list):
        return None
    codes = [reason.get("code") if isinstance(reason, dict) else None for reason in reasons]
    return tuple(str(code) for code in codes) if all(isinstance(code, str) for code in codes) else None


def _issuing(fetched: Fetched, subject: Subject) -> x509.Certificate | None:
    try:
        candidates = several_certificates(fetched.issuers)
    except Unreadable:
        return None
    return next((candidate for candidate in candidates if issued_by(subject.parsed, candidate)), None)


def _ocsp(channel: Channel, evidence: bytes, fetched: Fetched, subject: Subject, trust: Trust) -> ChannelAnswer:
    refusal = _refusal(evidence)
    if refusal == "UNAUTHORIZED":
        return ChannelAnswer(
            channel=channel, state=State.UNKNOWN.value, evidence=evidence, detail="It does not know the certificate."
        )
    if refusal:
        return ChannelAnswer(channel=channel, state=NO_ANSWER, evidence=evidence, detail=f"It says {refusal}.")
    issuing = _issuing(fetched, subject)
    if issuing is None:
        return ChannelAnswer(
            channel=channel, state=NOT_PROVED, evidence=evidence, detail="The issuing CA's certificate is missing."
        )
    heard = read_answer(evidence, subject.parsed, issuing, at=fetched.as_of, environment=trust.environment)
    if heard.failures:
        return ChannelAnswer(channel=channel, state=NOT_PROVED, evidence=evidence, detail=heard.failures[0].detail)
    return _from_testimony(channel, evidence, heard.testimonies[0], fetched, subject)


def _refusal(evidence: bytes) -> str:
    try:
        status = one_answer(evidence).response_status.name
    except Unreadable:
        return ""  # told of where it is read
    return "" if status == "SUCCESSFUL" else status


def _crl(evidence: bytes, fetched: Fetched, subject: Subject) -> ChannelAnswer:
    issuing, point = _issuing(fetched, subject), distribution_point(subject.parsed)
    if issuing is None or point is None:
        return ChannelAnswer(
            channel=Channel.CRL,
            state=NOT_PROVED,
            evidence=evidence,
            detail="The issuing CA or its list's place is not known.",
        )
    heard = read_lists((evidence,), issuing, subject.parsed.serial_number, point=point)
    if heard.failures or not heard.testimonies:
        detail = heard.failures[0].detail if heard.failures else "It is the list of another CA."
        return ChannelAnswer(channel=Channel.CRL, state=NOT_PROVED, evidence=evidence, detail=detail)
    return _from_testimony(Channel.CRL, evidence, heard.testimonies[0], fetched, subject)


def _from_testimony(
    channel: Channel, evidence: bytes, testimony: Testimony, fetched: Fetched, subject: Subject
) -> ChannelAnswer:
    """Read what a list or an answer means at the instant. One that is silent means good only while it may."""
    at, parsed = fetched.as_of, subject.parsed
    ended: Ended | None = testimony.ended if testimony.ended and testimony.ended.at <= at else None
    if ended is not None:
        state = state_of(ended, parsed.not_valid_after_utc).value
        reason = ended.reason.name.lower() if ended.reason else "unspecified"
        return ChannelAnswer(
            channel=channel,
            state=state,
            evidence=evidence,
            detail=f"It says {state}, {reason}.",
            reason=reason,
            about=_own(subject),
        )
    if not testimony.covers(at):
        return ChannelAnswer(
            channel=channel, state=NOT_PROVED, evidence=evidence, detail="It does not speak of this instant."
        )
    if at > parsed.not_valid_after_utc:
        return ChannelAnswer(
            channel=channel,
            state=NOT_PROVED,
            evidence=evidence,
            detail="It does not name the certificate, which has expired.",
        )
    state = (State.NOT_YET_STARTED if at < parsed.not_valid_before_utc else State.ACTIVE).value
    return ChannelAnswer(
        channel=channel, state=state, evidence=evidence, detail="It says good.", reason="", about=_own(subject)
    )


def _page(evidence: bytes, fetched: Fetched) -> ChannelAnswer:
    reader = _PageReader()
    reader.feed(evidence.decode("utf-8", "replace"))
    shown = "_".join(reader.heading.lower().split())
    if shown not in set(State):
        return ChannelAnswer(
            channel=Channel.PAGE, state=NOT_PROVED, evidence=evidence, detail=f"It shows “{reader.heading.strip()}”."
        )
    # The page is asked by approval, so it speaks through the same certificate as verification by approval.
    asked = _document(fetched.replies.get(Channel.VERIFY_APPROVAL, b""))
    approval, serial, state = asked.get("approval"), asked.get("serial"), shown
    about = f"{approval} {serial}" if isinstance(approval, str) and isinstance(serial, str) else ""
    return ChannelAnswer(
        channel=Channel.PAGE, state=state, evidence=evidence, detail=f"It shows {state}.", reason="", about=about
    )


class _PageReader(HTMLParser):
    """Reads what people read: the emphasised words of the paragraph of class `state`."""

    def __init__(self) -> None:
        super().__init__()
        self.heading = ""
        self._in_state = False
        self._in_words = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where the state's paragraph and its words begin."""
        if tag == "p":
            self._in_state = "state" in (dict(attrs).get("class") or "").split()
        self._in_words = self._in_state and tag == "strong"

    def handle_endtag(self, tag: str) -> None:
        """Note where they end."""
        self._in_words = self._in_words and tag != "strong"
        self._in_state = self._in_state and tag != "p"

    def handle_data(self, data: str) -> None:
        """Collect the words."""
        if self._in_words:
            self.heading += data


def _offline(fetched: Fetched, subject: Subject, trust: Trust) -> ChannelAnswer:
    lists = [data for data in (fetched.replies.get(Channel.CRL), fetched.root_crl) if data]
    verdict = prove(
        subject.der,
        anchor=trust.anchor,
        issuers=fetched.issuers,
        crls=lists,
        ocsp=fetched.replies.get(Channel.OCSP_GET),
        at=fetched.as_of,
        environment=trust.environment,
        arc=trust.arc,
    )
    said = [f"{failure.code.value}: {failure.detail}" for failure in verdict.failures]
    evidence = canonical({"state": verdict.state.value, "valid": verdict.valid, "failures": said})
    if not verdict.proved:
        return ChannelAnswer(channel=Channel.OFFLINE, state=NOT_PROVED, evidence=evidence, detail=" ".join(said))
    detail = " ".join(said) or "All of it is proved."
    return ChannelAnswer(
        channel=Channel.OFFLINE,
        state=verdict.state.value,
        evidence=evidence,
        detail=detail,
        reason="",
        about=_own(subject),
    )
