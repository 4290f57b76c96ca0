"""`trialcpa stop-issuing`, `start-issuing`, `order`: officers order the authority; what they sign is recomputed."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from app.cli import asking, shown
from app.cli.service import Service, asks_service
from app.cli.signing import Signing, roster_of, signs
from app.cli.words import why_option
from app.client import Client, path
from app.officer import Hand
from core.canonical import canonical
from core.errors import OrderRefused, ShownOtherwise
from core.instants import text
from core.kinds import AuthorisedAct, OrderKind, OrderState
from officers.claims import to_order
from officers.order import Ordered, body_sha256, in_words, read_order, written
from officers.roster import Roster, new_member
from ra.ordering.views import OrderAnswer, OrderAuthorised, OrderPage, OrderProposed
from ra.roster import RosterAnswer
from ra.views import document

_TYPED = 8
"""Characters of the order's digest that an officer types, which nobody does by habit."""


@click.command(epilog='\b\nExample:\n  trialcpa stop-issuing --why "Device keys turned up on a forum."')
@why_option("In a sentence; everybody at the SSC reads it.")
@signs(elsewhere=False)
@asks_service
def stop_issuing(*, why: str, signing: Signing, service: Service) -> None:
    """Halt everything that ends in a certificate, within seconds; you alone sign for it. Status goes on."""
    with service.connect() as client:
        _tell(service, give(client, signing.hand(client), {"kind": OrderKind.STOP_ISSUING.value, "why": why}))


@click.command(epilog='\b\nExample:\n  trialcpa start-issuing --why "It was another manufacturer."')
@why_option("In a sentence; everybody at the SSC reads it.")
@signs(elsewhere=False)
@asks_service
def start_issuing(*, why: str, signing: Signing, service: Service) -> None:
    """Order that issuing goes on, and sign for it; a second officer does so by trialcpa order authorise."""
    with service.connect() as client:
        _tell(service, give(client, signing.hand(client), {"kind": OrderKind.START_ISSUING.value, "why": why}))


@click.group(epilog="\b\nExample:\n  trialcpa order list\n  trialcpa order authorise order-6564f1a2-9c3b1d2e4f60718a")
def order() -> None:
    """Orders to the authority: to stop issuing, to start again, to count other keys."""


@order.command("list", epilog="\b\nExample:\n  trialcpa order list")
@click.option("--all", "every", is_flag=True, help="Also those that are done, refused or lapsed.")
@asks_service
def list_(*, every: bool, service: Service) -> None:
    """List the orders that wait for an officer, or for the authority."""
    with service.connect() as client:
        pages = client.pages(OrderPage, "/v1/orders")
        found = [each for page in pages for each in page.orders if every or each.state is OrderState.OPEN]
    if service.as_json:
        shown.as_json({"orders": [document(each) for each in found]})
        return
    rows = [
        (
            each.order,
            each.kind,
            each.state,
            ", ".join(one.officer for one in each.authorised_by),
            text(each.lapses_at) if each.state is OrderState.OPEN else each.outcome,
        )
        for each in found
    ]
    none = "No order waits." if not every else "Nothing was ever ordered."
    shown.table(shown.out(), ("order", "kind", "state", "signed by", "until, or outcome"), rows, none=none)


@order.command(
    short_help="Show an order, and who has signed for it.",
    epilog="\b\nExample:\n  trialcpa order show order-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("order")
@asks_service
def show(order: str, service: Service) -> None:
    """Show an order: what it says, who has signed for it, and what became of it."""
    with service.connect() as client:
        said = client.show(OrderAnswer, path("orders", order))
        words = _in_words(said, roster_of(client))
    if service.as_json:
        shown.as_json(document(said))
    else:
        _show(said, words)


@order.command(
    short_help="Sign for an order that another wrote down.",
    epilog="\b\nExample:\n  trialcpa order authorise order-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("order")
@click.option("--yes-i-have-read", is_flag=True, help="Do not ask for the digest's first characters.")
@signs(elsewhere=False)
@asks_service
def authorise(*, order: str, yes_i_have_read: bool, signing: Signing, service: Service) -> None:
    """Sign for an order, after it was shown as its body has it."""
    if service.as_json and not yes_i_have_read:
        raise click.UsageError("--json asks nothing: look first (trialcpa order show), then say --yes-i-have-read.")
    with service.connect() as client:
        said = client.show(OrderAnswer, path("orders", order))
        words = _in_words(said, roster_of(client))
        if not service.as_json:
            _show(said, words)
        if not yes_i_have_read:
            question = f"\nType the first {_TYPED} characters of the order's digest to sign for {said.order}"
            typed = asking.repeated(question, instead="--yes-i-have-read")
            if typed.lower() != said.body_sha256[:_TYPED]:
                raise click.ClickException("Nothing was signed: that is not how its digest begins.")
        _tell(service, authorised(client, signing.hand(client), said.kind, said.order, said.body_sha256))


def give(client: Client, hand: Hand, wanted: Mapping[str, Any]) -> OrderAuthorised:
    """Write down an order and sign for it.

    Args:
        client: open.
        hand: who signs.
        wanted: what is ordered, as it is sent.

    Raises:
        ShownOtherwise: the service has written down something else.
    """
    made = client.do(OrderProposed, "/v1/orders", wanted)
    _require_as_wanted(made, ordered_in(made.order, made.kind, made.body, made.body_sha256), wanted)
    return authorised(client, hand, made.kind, made.order, made.body_sha256)


def authorised(client: Client, hand: Hand, kind: OrderKind, order: str, digest: str) -> OrderAuthorised:
    """Sign for an order whose body has a digest that was recomputed."""
    claim = to_order(AuthorisedAct(kind.value), order, digest)
    return client.do(OrderAuthorised, path("orders", order, "authorisation"), hand.for_claim(claim))


def ordered_in(order: str, kind: OrderKind, body: Mapping[str, Any], digest: str) -> Ordered:
    """Return an order as its body has it.

    Raises:
        ShownOtherwise: its digest is not that of its body, or its body is no order of its kind.
    """
    try:
        octets = canonical(dict(body)).decode()
        found = read_order(kind, octets)
    except (OrderRefused, ValueError) as error:
        raise ShownOtherwise(subject=order, detail=str(error)) from None
    if body_sha256(octets) != digest:
        raise ShownOtherwise(subject=order, detail="its digest is another one")
    return found


def _require_as_wanted(made: OrderProposed, found: Ordered, wanted: Mapping[str, Any]) -> None:
    """What the service adds, the numbers of rosters and the stop that is ended, it alone knows; all else is ours."""
    said = {name: value for name, value in made.body.items() if name not in {"roster", "number", "ends"}}
    meant: dict[str, Any] = dict(wanted)
    for each in ("add", "remove"):
        if each in said:
            meant.setdefault(each, [])
    if "add" in meant:
        meant["add"] = [
            {
                "officer": each["officer"],
                "public_key": new_member(each["officer"], each["public_key"].encode()).public_key.hex(),
                **({"passkey": each["passkey"]} if "passkey" in each else {}),
            }
            for each in meant["add"]
        ]
    if said != meant:
        raise ShownOtherwise(subject=made.order, detail=f"it orders something else ({written(found)[:200]})")


def _in_words(said: OrderAnswer, roster: RosterAnswer | None) -> Sequence[str]:
    """Return what an order does, from its body; what the service says of it in words is not believed."""
    found = ordered_in(said.order, said.kind, said.body, said.body_sha256)
    held = None if roster is None else roster_in(roster)
    return in_words(found, held)


def roster_in(said: RosterAnswer) -> Roster:
    """Return the roster that a service shows as a value."""
    members = tuple(each.member() for each in said.members)
    return Roster(number=said.number, members=members, effective_at=said.effective_at)


def _show(said: OrderAnswer, words: Sequence[str]) -> None:
    console = shown.out()
    shown.heading(console, f"{said.order}: {said.kind}, {said.state}")
    for each in words:
        shown.sentence(console, each)
    signed = ", ".join(f"{each.officer}{'' if each.counts else ' (does not count)'}" for each in said.authorised_by)
    shown.facts(
        console,
        (
            ("digest", said.body_sha256),
            ("officers", said.officers),
            ("signed by", signed),
            ("until", said.lapses_at if said.closed_at is None else None),
            ("closed", said.closed_at),
            ("outcome", said.outcome),
        ),
    )


def _tell(service: Service, outcome: OrderAuthorised) -> None:
    if service.as_json:
        shown.as_json(document(outcome))
        return
    console = shown.out()
    shown.sentence(console, f"{outcome.order}: you have signed for it.", indent=0)
    shown.sentence(console, waits_for(outcome), indent=0)


def waits_for(outcome: OrderAuthorised) -> str:
    """Return in a sentence what an order waits for once somebody has signed for it."""
    if not outcome.officers_wanting:
        return f"The authority takes it up: trialcpa order show {outcome.order}"
    waited = shown.many(outcome.officers_wanting, "more officer")
    return f"It waits for {waited}: trialcpa order authorise {outcome.order}"
