"""accept: the Manufacturer checks the certificate it got against its request, and accepts or rejects it.

The habit of the industry's own PKI: whoever applied must say at once if what came is wrong. A rejection ends nothing
by itself; it is a fact for the officers, who decide what follows (F2.30).
"""

from dataclasses import dataclass
from datetime import datetime

from core.actors import Actor
from core.clauses import serves
from core.errors import NoSuchThing
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.words import required
from policy.roles import Operation
from ra.access import authorise_approval
from ra.applying.views import CertificateAnswered
from ra.desk import Desk
from ra.repeat import RequestKey, once
from store.reading import approvals as approval_reading
from store.transactions import Transaction
from store.verbs import acceptances, facts


@dataclass(frozen=True)
class AnswerCertificate:
    """What the Manufacturer says of a certificate.

    Args:
        serial: which.
        accepted: it is what was asked for.
        reason: what is wrong with it; empty if it is accepted.
    """

    serial: Serial
    accepted: bool
    reason: str = ""


@serves("F2.25")
def answer_certificate(
    desk: Desk, actor: Actor, command: AnswerCertificate, request: RequestKey | None = None
) -> CertificateAnswered:
    """Accept or reject a certificate, once.

    Raises:
        NoSuchThing: there is none, or it is another Manufacturer's.
        OperationNotPermitted: nobody accepts for a Manufacturer.
        WrongState: it has been answered; the first answer stands.
    """
    with desk.store.begin("answer certificate") as tx:
        at = desk.clock.now()
        return once(desk, tx, actor, request, CertificateAnswered, lambda: _answer(tx, actor, command, at=at), at=at)


def _answer(tx: Transaction, actor: Actor, command: AnswerCertificate, *, at: datetime) -> CertificateAnswered:
    approval, _ = approval_reading.certificate_der(tx, command.serial)
    try:
        authorise_approval(actor, Operation.ACCEPT_CERTIFICATE, approval_reading.record(tx, approval))
    except NoSuchThing:
        raise NoSuchThing(kind="certificate", identifier=command.serial) from None
    if not command.accepted:
        required(command.reason, of="what is wrong with it")
    acceptances.answer(tx, command.serial, accepted=command.accepted, reason=command.reason, by=actor.name, at=at)
    kind = FactKind.CERTIFICATE_ACCEPTED if command.accepted else FactKind.CERTIFICATE_REJECTED
    # The reason is the Manufacturer's own words and stays in the register.
    facts.record(tx, Fact(kind, at, actor, subject=approval, payload={"serial": command.serial}))
    return CertificateAnswered(
        serial=command.serial, approval=approval, accepted=command.accepted, reason=command.reason, at=at
    )
