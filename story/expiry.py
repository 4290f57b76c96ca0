"""The second part: an approval carried over the end of its last day, in a house of its own with a test clock."""

import time
from datetime import date, datetime, timedelta

from app.cli.clock import set_clock
from app.house import House
from core.clock import SystemClock
from core.instants import ONE_SECOND, last_second, text
from story import grant
from story.checks import (
    ACTIVE,
    EXPIRED,
    SILENT,
    Round,
    ask,
    entry_proof,
    keep,
    said,
    tell_channels,
    tell_other_tools,
    tell_tools,
)
from story.scene import Granted, Scene
from story.telling import Proof
from story.tools import Tools
from verify.fetched import Channel
from verify.kit.evidence.offline import prove
from verify.kit.status import State

BEFORE_MIDNIGHT = timedelta(hours=1)
"""How long before the end of its last day the approval is granted."""

_APPROACH = timedelta(seconds=3)
"""The clock is moved to this long before the last second; from there it runs by itself."""

_TICK = 0.002
_CROSSING_SECONDS = 60.0

_COMPUTED = frozenset(
    {
        Channel.VERIFY_APPROVAL.value,
        Channel.VERIFY_CERTIFICATE.value,
        Channel.VERIFY_SERIAL.value,
        Channel.VERIFY_DEVICE.value,
        Channel.PAGE.value,
    }
)
"""Channels that need no signature, and so nobody, to say that something has expired."""


def last_day(now: datetime) -> date:
    """Return the next 30 June that is more than a day away: the last day of many trials, in British Summer Time."""
    day = date(now.year, 6, 30)
    return day if day > (now + timedelta(days=1)).date() else date(now.year + 1, 6, 30)


def play(scene: Scene, house: House, day: date) -> None:
    """Play the second part; raises Stopped if it cannot go on.

    Args:
        scene: the house's.
        house: a test authority whose clock stands within the last hour of `day`.
        day: the approval's only day.
    """
    teller, end = scene.teller, last_second(day)
    teller.step(f"An approval is granted whose last day is today: it is {text(scene.now())} there")
    scene.album.take()
    csr = grant.request(scene)
    decision = grant.propose(scene, csr, day, day)
    approval = grant.second(scene, grant.drafted(scene, decision))
    granted = grant.fetch(scene, approval, csr)

    teller.step(f"Its clock is moved to {text(end - _APPROACH)} and runs on; everyone is asked all the while")
    first = ask(scene, granted.subject)
    before, after, rounds = _cross(scene, house, granted, end, first)
    teller.prove(
        "clock",
        before.at <= end < after.at,
        f"{rounds} rounds of questions, the last before the end at {text(before.at)}, then {text(after.at)}",
    )

    teller.step(f"At {text(before.at)}, the last round before the end: active")
    _before(scene, granted, before, end)
    teller.step("After the end: expired at once; soon, when the authority has signed, on every channel")
    _after(scene, granted, after, end)


def _cross(scene: Scene, house: House, granted: Granted, end: datetime, first: Round) -> tuple[Round, Round, int]:
    """Ask every channel again and again while the clock passes `end`.

    Returns:
        The last round that lay wholly before it, the first one after it, and how many there were.
    """
    _at_a_tick()
    set_clock(house, end - _APPROACH)
    before, after, rounds = first, first, 1
    deadline = time.monotonic() + _CROSSING_SECONDS
    while after.at <= end and time.monotonic() < deadline:
        before = after
        after = ask(scene, granted.subject)
        rounds += 1
    return before, after, rounds


def _at_a_tick() -> None:
    """Return when the machine's second has just begun: the clock is moved by whole seconds."""
    machine = SystemClock()
    now = machine.now()
    while machine.now() == now:
        time.sleep(_TICK)


def _before(scene: Scene, granted: Granted, before: Round, end: datetime) -> None:
    last = end - ONE_SECOND
    files = keep(scene, granted, before, "last-second", last)
    tell_channels(scene, before, ACTIVE)
    leaf, issuing, root = granted.leaf, granted.issuing, granted.root
    seen = Tools(last).verify(leaf, issuing, root, files.lists)
    told = Tools().verify(leaf, issuing, root, files.lists, attime=last)
    scene.teller.tell([said("openssl verify", seen, "ok"), said("openssl verify -attime", told, "ok")])
    tell_other_tools(scene, granted, files, Tools(end), ACTIVE)
    scene.teller.tell([_offline(scene, granted, before, end, State.ACTIVE)])
    scene.teller.note(
        f"The tools saw {text(end)} through faketime, openssl verify {text(last)}: OpenSSL takes the last second as "
        "past already, where RFC 5280 (4.1.2.5) includes it."
    )


def _after(scene: Scene, granted: Granted, first: Round, end: datetime) -> None:
    at_once = [answer for answer in first.answers if answer.channel in _COMPUTED]
    yes = [answer.channel for answer in first.answers if answer.state == State.ACTIVE]
    scene.teller.tell(
        [
            Proof(answer.channel, answer.state == State.EXPIRED, f"in its first round: {answer.detail}")
            for answer in at_once
        ]
    )
    scene.teller.prove("no old yes", not yes, ", ".join(yes) or "no channel, signed or computed, says active any more")
    rounds = [first]

    def agreed() -> bool:
        rounds[:] = [ask(scene, granted.subject)]
        return rounds[0].says(EXPIRED)

    took = None if first.says(EXPIRED) else scene.wait(agreed)
    after = rounds[0]
    if took is not None:
        scene.teller.note(f"OCSP and list were signed anew; all agreed {took:.0f} ms after that round.")
    files = keep(scene, granted, after, "expired", after.at)
    tell_channels(scene, after, EXPIRED)
    scene.teller.tell([entry_proof(after, granted.subject, EXPIRED.reason)])
    tell_tools(scene, granted, files, Tools(after.at), EXPIRED)
    listed = Tools().verify(granted.leaf, granted.issuing, granted.root, files.lists, attime=after.at)
    first_second = end + ONE_SECOND
    scene.teller.tell(
        [
            said("openssl verify -attime", listed, EXPIRED.openssl),
            _offline(scene, granted, after, first_second, State.EXPIRED),
            _asked(scene, granted, end, State.ACTIVE),
            _asked(scene, granted, first_second, State.EXPIRED),
        ]
    )
    scene.album.page("last-and-first-second-exchanges")


def _offline(scene: Scene, granted: Granted, asked: Round, at: datetime, expected: State) -> Proof:
    trust = scene.trust
    verdict = prove(
        granted.subject.der,
        anchor=trust.anchor,
        issuers=asked.fetched.issuers,
        crls=[asked.reply(Channel.CRL), asked.fetched.root_crl],
        ocsp=asked.reply(Channel.OCSP_GET),
        at=at,
        environment=trust.environment,
        arc=trust.arc,
    )
    ok = verdict.state is expected and verdict.proved
    failures = "; ".join(failure.detail for failure in verdict.failures)
    return Proof("offline verifier", ok, f"at {text(at)}: {verdict.state.value}. {failures}")


def _asked(scene: Scene, granted: Granted, at: datetime, expected: State) -> Proof:
    try:
        state = scene.cast.dcc.client.verify_approval(granted.approval, at=at).document.get("state")
    except SILENT as error:
        return Proof("verify, asked of then", ok=False, detail=str(error))
    return Proof("verify, asked of then", state == expected, f"at {text(at)}: {state}")
