"""Settings become a courier: whom it tells, through which relay, and which errands it runs."""

from app.house import House
from core.actors import PartyKind
from core.classification import Recipient
from jobs.announce import Announcements
from jobs.courier import Courier
from jobs.deliver import NoticeDelivery, Opening
from jobs.mail import Mailer, Relay
from jobs.receipts import Receipts
from jobs.remind import Reminders
from jobs.webhook import Subscriber
from keys.passphrase import FromFile


def open_courier(house: House) -> Courier:
    """Return the courier process.

    Raises:
        PassphraseUnusable: the relay's password, or a webhook's secret, cannot be had from its file.
    """
    subscribers = [
        Subscriber(
            each.url, FromFile(each.secret_file).read(), recipient=each.recipient, organisation=each.organisation
        )
        for each in house.settings.webhooks
    ]
    mail = house.settings.mail
    mail_to = {} if mail is None else {Recipient.DCC: mail.dcc, Recipient.PANEL: mail.panel}
    notices = NoticeDelivery(desk=house.desk, mailer=open_mailer(house), mail_to=mail_to, subscribers=subscribers)
    lists = {} if mail is None else {PartyKind.SSC: mail.ssc, PartyKind.DCC: mail.dcc, PartyKind.PANEL: mail.panel}
    reminders = Reminders(house.desk, open_mailer(house), lists)
    announcements = Announcements(house.desk, open_mailer(house), lists)
    return Courier(
        store=house.store,
        subscribers=subscribers,
        errands=(Opening(notices), notices.by_mail, reminders, announcements, Receipts(house.desk)),
        calls=notices.by_webhook,
        machine=house.machine,
        clock=house.clock,
    )


def open_mailer(house: House) -> Mailer | None:
    """Return what sends mail; None where the settings name no relay.

    Raises:
        PassphraseUnusable: the relay's password cannot be had from its file.
    """
    mail = house.settings.mail
    if mail is None:
        return None
    password = None if mail.password_file is None else FromFile(mail.password_file).read().decode()
    relay = Relay(
        host=mail.host,
        port=mail.port,
        tls=mail.tls,
        sender=mail.sender,
        username=mail.username,
        password=password,
        ca_file=mail.ca_file,
    )
    return Mailer(relay, house.machine)
