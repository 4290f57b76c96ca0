"""Orders to the authority: issuing stopped and started, other keys on the roster; each signed for by officers."""

from flask import Flask, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console.answering import ask
from console.forms import request_key, signed
from console.guard import actor
from console.service import Console
from console.settling import settled
from console.typed import one_of, several, words
from core.errors import BodyMalformed, NoRoster, TrialCpaError
from core.kinds import AuthorisedAct, OrderKind
from core.limits import NAME_LIMIT
from officers.claims import to_order
from officers.order import LONGEST_WHY
from officers.passkey_file import read_passkey_file
from officers.roster import LARGEST_KEY_FILE, MOST, Member, new_member
from officers.statement import Claim
from ra.doors import admit
from ra.ordering import look
from ra.ordering.authorise import authorise_order
from ra.ordering.order import ChangeRoster, Command, StartIssuing, StopIssuing, order
from ra.ordering.views import OrderAnswer
from ra.roster import roster

ROWS = 25
_KINDS = {each.value: each for each in OrderKind}


def add_ordering(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    _add_list(app, console)
    _add_one(app, console)


def _listed(console: Console, error: TrialCpaError | None = None) -> str:
    desk = console.desk
    found = look.orders(desk, actor(), after=request.args.get("after", "")[:NAME_LIMIT], limit=ROWS)
    try:
        members = roster(desk, actor()).members
    except NoRoster:
        members = ()
    return render_template("orders.html", page=found, members=members, error=error, longest=LONGEST_WHY)


def _shown(console: Console, identifier: str, error: TrialCpaError | None = None) -> str:
    it = look.order(console.desk, actor(), identifier)
    signs = look.may_authorise(actor(), it)
    asked = ask(console, _claim(it)) if signs else None
    return render_template("order.html", it=it, error=error, may_sign=signs, ask=asked, signs=console.signs is not None)


def _add_list(app: Flask, console: Console) -> None:
    @app.get("/console/orders")
    def orders() -> str:
        """List the orders to the authority, and write one down."""
        return _listed(console)

    @app.post("/console/orders")
    def give_order() -> Response | tuple[str, int]:
        """Write an order down; nothing comes of it before officers have signed for it."""
        admit(actor(), "proposeOrder")
        made: list[str] = []

        def act() -> str:
            done = order(console.desk, actor(), _command(), request_key())
            made.append(done.order)
            return f"{done.order} is written down. Nothing comes of it before it is signed for, below."

        answer = settled(console, act, to="", again=lambda error: _listed(console, error))
        return answer if not made else redirect(url_for("order_page", identifier=made[0]), 303)


def _add_one(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.get("/console/orders/<identifier>")
    def order_page(identifier: str) -> str:
        """Show an order: what it says, and who has signed for it."""
        return _shown(console, identifier)

    @app.post("/console/orders/<identifier>/authorisation")
    def sign_order(identifier: str) -> Response | tuple[str, int]:
        """Sign for an order, as it was shown."""
        admit(actor(), "authoriseOrder")

        def act() -> str:
            proof = signed(console, actor(), _claim(look.order(desk, actor(), identifier)))
            done = authorise_order(desk, actor(), identifier, signed=proof, request=request_key())
            wanting = done.officers_wanting
            return f"You have signed for {done.order}. " + (
                f"Officers who have still to sign: {wanting}." if wanting else "The authority takes it up now."
            )

        here = url_for("order_page", identifier=identifier)
        return settled(console, act, to=here, again=lambda error: _shown(console, identifier, error))


def _claim(it: OrderAnswer) -> Claim:
    return to_order(AuthorisedAct(it.kind.value), it.order, it.body_sha256)


def _command() -> Command:
    kind, why = one_of("kind", _KINDS), words("why", LONGEST_WHY)
    if kind is OrderKind.STOP_ISSUING:
        return StopIssuing(why)
    if kind is OrderKind.START_ISSUING:
        return StartIssuing(why)
    officer, key = words("officer", NAME_LIMIT), words("public_key", LARGEST_KEY_FILE)
    if bool(officer) is not bool(key):
        raise BodyMalformed(detail="a key that is to count has an officer and the file of their key")
    return ChangeRoster(why=why, add=(_member(officer, key),) if key else (), remove=tuple(several("remove", MOST)))


def _member(officer: str, key: str) -> Member:
    """A key in a file or a token is PEM; a passkey's file, as page Keys gives it, begins with a brace."""
    octets = key.encode()
    return read_passkey_file(officer, octets) if octets.startswith(b"{") else new_member(officer, octets)
