"""deliver: brings each copy of a notice to its recipient's addresses, until each has it or five days have passed.

A delivery is opened for each copy and each address, claimed, tried without a transaction, and the attempt is recorded
after it. If we die between attempt and record the same copy is delivered again, never not at all: its Message-ID, or
the SHA-256 of its document, tells the recipient that it is the same.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from core.actors import COURIER
from core.canonical import Json
from core.classification import Recipient
from core.clauses import serves
from core.errors import MailRefused, StoreUnavailable
from core.facts import Fact, FactKind
from core.kinds import Channel, DeliveryState
from jobs.errand import whereabouts
from jobs.letter import letter
from jobs.mail import MAIL_ADDRESS, Mailer
from jobs.webhook import Subscriber, post
from ra.desk import Desk, new_identifier
from ra.telling.notices import pdf_of
from ra.telling.writing import document_of, numbered
from store.reading import journal, sendings, work
from store.reading import notices as reading
from store.reading.authority import AuthorityRow, authority_row
from store.reading.notices import Delivery, Way
from store.reading.sendings import Sending
from store.transactions import Transaction
from store.verbs import facts, receipts
from store.verbs import notices as verbs

_log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=1)
"""After the first failed attempt; each further one waits twice as long."""

LONGEST_PAUSE = timedelta(hours=4)
"""At least six attempts a day. A refusal for good is tried again at this pace: an operator may mend its cause."""

GIVE_UP_AFTER = timedelta(days=5)
"""RFC 5321 (4.5.4.1): the time to give up is at least four to five days."""

CLAIM = timedelta(minutes=5)
"""How long a courier has a delivery to itself: longer than the slowest relay or listener is waited for."""

LOOK_SECONDS = 600.0
"""How often every copy is looked at, whatever is known of what is new: what a database may have forgotten or put back
unseen keeps nobody from a notice for longer. It reads all copies of GIVE_UP_AFTER, so not oftener."""

PORTION = 10
"""Attempts in one turn of all ways, each."""

NOTICE_HEADER = "Trialcpa-Notice"
DOCUMENT_HEADER = "Trialcpa-Document-SHA256"

_NOT_CONFIGURED = "The address is not in the settings, or not that of the Manufacturer, any more."


@dataclass
class NoticeDelivery:
    """The courier's errand with notices.

    Args:
        desk: where.
        mailer: sends mail; None where no relay is configured.
        mail_to: the mail addresses of DCC and Panel; the Manufacturer's is the contact that it has.
        subscribers: webhooks; those that name a recipient take its notices.
        monotonic: seconds that only grow; a test hands in its own.
    """

    desk: Desk
    mailer: Mailer | None = None
    mail_to: Mapping[Recipient, Sequence[str]] = field(default_factory=dict)
    subscribers: Sequence[Subscriber] = ()
    monotonic: Callable[[], float] = time.monotonic
    _seen: tuple[int, int] | None = field(default=None, init=False)
    _looked: "_Looked | None" = field(default=None, init=False)
    _all_at: float = field(default=0.0, init=False)

    @serves("F2.21(b)", "F2.24", "F2.25", "F2.29", "F2.30")
    def turn(self) -> int:
        """Open what is new and try what is due, one portion each way; return how many attempts were made."""
        self.open_new()
        ways = (self.by_mail, *self.by_webhook)
        return sum(len(list(takewhile(bool, (each.turn() for _ in range(PORTION))))) for each in ways)

    @property
    def by_mail(self) -> "OneWay":
        """What goes through the relay, as an errand of its own."""
        return OneWay(self, Way(Channel.MAIL, others=True))

    @property
    def by_webhook(self) -> "tuple[OneWay, ...]":
        """What goes to each listener, as an errand for each; the last is for addresses that are not known any more."""
        known = frozenset(each.address for each in self.subscribers if each.recipient is not None)
        each_alone = (OneWay(self, Way(Channel.WEBHOOK, frozenset({one}))) for one in sorted(known))
        return (*each_alone, OneWay(self, Way(Channel.WEBHOOK, known, others=True)))

    def open_new(self) -> None:
        """Open a delivery for each copy and address that has none.

        Every copy is looked at by the first turn, by the first after somebody has set a contact, to which what was
        written before may go, too, by each that finds another register than the last (a standby that lacked the last
        commits, a backup that was put back: numbers are taken again there), and every LOOK_SECONDS; otherwise those of
        notices that were written since the last.
        """
        at, now = self.desk.clock.now(), self.monotonic()
        store = self.desk.store
        with store.read() as tx:
            pulse, before = work.pulse(tx), self._looked
            anew = before is None or now - self._all_at >= LOOK_SECONDS or not before.stands(tx)
            if pulse == self._seen and not anew:
                return  # nobody has acted since: there is no new notice
            looked = _Looked(
                written=sendings.written(tx),
                contacts=sendings.contacts_set(tx),
                newest=pulse[0],
                fact=work.said(tx, pulse[0]),
                sealed=journal.last_sealed(tx)[:2],
            )
            if before is None or anew or not looked.goes_on_from(before):
                self._all_at = now
                found = sendings.sendings(tx, since=at - GIVE_UP_AFTER)
            else:
                found = sendings.sendings_of(tx, looked.since(before, authority_row(tx)))
        missing = [
            Delivery(
                id=new_identifier("dlv", at),
                notice=sending.notice.number,
                recipient=sending.recipient,
                channel=Channel(channel),
                address=address,
                state=DeliveryState.WAITING,
                attempts=0,
                due=at,
                opened_at=at,
            )
            for sending, held in found
            for channel, address in self._addresses(sending)
            if (channel, address) not in held and not (channel is Channel.MAIL and sending.reached_before)
        ]
        if missing:
            # If we die before the commit the next turn opens them; another courier may open some at the same moment.
            with store.begin("open deliveries") as tx:
                for each in missing:
                    verbs.open_delivery(tx, each)
        self._seen, self._looked = pulse, looked

    def _addresses(self, sending: Sending) -> list[tuple[Channel, str]]:
        """Return the (channel, address) pairs that the settings, or the Manufacturer, name for a copy now."""
        mail: Sequence[str] = ()
        if self.mailer is not None:
            of_maker = sending.recipient is Recipient.MANUFACTURER
            mail = sending.contacts if of_maker else self.mail_to.get(sending.recipient, ())
        hooks = [each for each in self.subscribers if each.takes(sending.recipient, sending.notice.organisation_id)]
        return [
            *((Channel.MAIL, each) for each in mail if MAIL_ADDRESS.fullmatch(each)),
            *((Channel.WEBHOOK, each.address) for each in hooks),
        ]

    def try_one(self, way: Way) -> bool:
        """Claim the delivery of a way that is due the longest and try it; False if none is due."""
        at = self.desk.clock.now()
        with self.desk.store.read() as tx:
            due = reading.delivery_due(tx, at, way)
        if due is None:
            return False
        until = at + CLAIM
        with self.desk.store.begin("claim delivery") as tx:
            won = verbs.claim_delivery(tx, due, until=until)
        if won:
            # If we die here, or before the attempt is recorded, it is due again when the claim has run out.
            refused = self._attempted(due)
            self._record(due, refused, claimed_until=until)
        return True

    def _attempted(self, delivery: Delivery) -> "_Refused | None":
        """Try one delivery; None if it was taken."""
        try:
            return self._carried(delivery)
        except MailRefused as error:
            return _Refused(str(error), temporary=error.temporary)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one notice that cannot be typeset must not hold up the others
            _log.error("delivery %s failed: %s", delivery.id, whereabouts(error))
            return _Refused("The courier failed; its log says how.", temporary=True)

    def _carried(self, delivery: Delivery) -> "_Refused | None":
        with self.desk.store.read() as tx:
            sending = sendings.sending(tx, delivery.notice, delivery.recipient)
            copy, written = reading.copy(tx, delivery.notice, delivery.recipient)
        if (delivery.channel, delivery.address) not in self._addresses(sending):
            return _Refused(_NOT_CONFIGURED, temporary=False)
        if delivery.channel == Channel.MAIL:
            assert self.mailer is not None
            pdf = pdf_of(self.desk, COURIER, delivery.notice, delivery.recipient)
            made = letter(document_of(written), written, pdf)
            name = f"{delivery.notice}.{delivery.recipient.value}.{delivery.id}"
            self.mailer.send(delivery.address, made.subject, made.body, made.attachments, name)
            return None
        hook = next(each for each in self.subscribers if each.address == delivery.address)
        fields = {NOTICE_HEADER: delivery.notice, DOCUMENT_HEADER: copy.document_sha256}
        why = post(hook, written.encode(), fields)
        return None if why is None else _Refused(why, temporary=True)

    def _record(self, delivery: Delivery, refused: "_Refused | None", *, claimed_until: datetime) -> None:
        at = self.desk.clock.now()
        told: dict[str, Json] = {
            "number": delivery.notice,
            "recipient": delivery.recipient.value,
            "channel": delivery.channel,
            "delivery": delivery.id,  # never the address: it is somebody's
            "attempts": delivery.attempts + 1,
        }
        given_up = refused is not None and at - delivery.opened_at >= GIVE_UP_AFTER
        with self.desk.store.begin("record delivery") as tx:
            subject = reading.notice(tx, delivery.notice).subject
            if refused is None:
                if verbs.mark_delivered(tx, delivery.id, at=at):
                    receipts.note_notified(tx, delivery.notice, delivery.recipient)
                    facts.record(
                        tx, Fact(kind=FactKind.NOTICE_DELIVERED, at=at, actor=COURIER, subject=subject, payload=told)
                    )
                if delivery.attempts:
                    name = (delivery.notice, delivery.recipient.value, delivery.channel, delivery.attempts + 1)
                    _log.warning("%s for %s by %s is delivered, at attempt %d", *name)
                return
            noted = verbs.mark_failed(
                tx,
                delivery.id,
                claimed_until=claimed_until,
                due=at + pause(delivery.attempts, temporary=refused.temporary),
                error=refused.why,
                given_up=given_up,
            )
            if noted and given_up:
                facts.record(
                    tx, Fact(kind=FactKind.NOTICE_UNDELIVERED, at=at, actor=COURIER, subject=subject, payload=told)
                )
        if delivery.attempts == 0 or given_up:  # between the first and the last it is on the list of the undelivered
            again = "it is given up" if given_up else "it is tried again"
            told_of = (delivery.notice, delivery.recipient.value, delivery.channel, again, refused.why)
            _log.warning("%s for %s by %s was not delivered, and %s: %s", *told_of)


@dataclass(frozen=True, kw_only=True)
class _Looked:
    """What there was when it was looked for new notices.

    Args:
        written: the number of the last notice, by year.
        contacts: how many were ever set.
        newest: the last row of the journal.
        fact: what it said; others may have had the same to say.
        sealed: number and link of the last that was sealed: what it and all before it said.
    """

    written: Mapping[int, int]
    contacts: int
    newest: int
    fact: work.Said | None
    sealed: tuple[int, bytes]

    def stands(self, tx: Transaction) -> bool:
        """Return whether the register's journal goes on from what it was then: it only ever grows."""
        number, link = self.sealed
        return work.said(tx, self.newest) == self.fact and (not number or journal.link_of(tx, number) == link)

    def goes_on_from(self, before: "_Looked") -> bool:
        """Return whether what is new since an earlier look is all that may have to be opened."""
        lower = any(self.written.get(year, 0) < last for year, last in before.written.items())
        return self.contacts == before.contacts and not lower

    def since(self, before: "_Looked", authority: AuthorityRow) -> list[str]:
        """Return the numbers that were taken since an earlier look; a number is taken and written in one commit."""
        return [
            numbered(authority, year, count)
            for year, last in sorted(self.written.items())
            for count in range(before.written.get(year, 0) + 1, last + 1)
        ]


@dataclass(frozen=True)
class Opening:
    """The opening of deliveries as an errand of its own: it speaks to nobody.

    Args:
        notices: of which errand.
    """

    notices: NoticeDelivery

    def turn(self) -> int:
        """Open what is new; the attempts are made by others."""
        self.notices.open_new()
        return 0


@dataclass(frozen=True)
class OneWay:
    """The deliveries of one way: who is slow to answer holds up no other.

    Args:
        notices: of which errand.
        way: which.
    """

    notices: NoticeDelivery
    way: Way

    def turn(self) -> int:
        """Try what has been due the longest; return how many attempts were made: one, or none."""
        return int(self.notices.try_one(self.way))


def pause(failed_before: int, *, temporary: bool) -> timedelta:
    """Return how long to wait after a failed attempt.

    Args:
        failed_before: attempts that failed before it.
        temporary: whether whoever refused says that it may be taken later.
    """
    doublings = min(failed_before, 16)
    return min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE) if temporary else LONGEST_PAUSE


@dataclass(frozen=True)
class _Refused:
    """A failed attempt: why, in a sentence without words of the notice."""

    why: str
    temporary: bool
