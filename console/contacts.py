"""Where a Manufacturer is reached: shown with what held before, and changed by itself (F2.21(b), F2.30)."""

from flask import Flask, render_template, request, url_for
from werkzeug.wrappers import Response

from console.forms import request_key
from console.guard import actor
from console.service import Console
from console.settling import settled
from console.typed import words
from core.errors import TrialCpaError
from core.limits import NAME_LIMIT
from ra.applying.contacts import ChangeContact, change_contact, contacts_of
from ra.doors import admit

ROWS = 25


def add_contacts(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    def show(error: TrialCpaError | None = None) -> str:
        after = request.args.get("after", "")[:NAME_LIMIT]
        found = contacts_of(desk, actor(), after=after, limit=ROWS)
        held = contacts_of(desk, actor(), organisation=actor().organisation, holding=True, after="", limit=1).contacts
        return render_template("contacts.html", page=found, held=held[0] if held else None, error=error)

    @app.get("/console/contacts")
    def contacts() -> str:
        """Show where notices go, and went before."""
        return show()

    @app.post("/console/contacts")
    def change_contacts() -> Response | tuple[str, int]:
        """Change where one's own notices go from now on."""
        admit(actor(), "changeContact")

        def act() -> str:
            said = ChangeContact(notices=words("notices", NAME_LIMIT), urgent=words("urgent", NAME_LIMIT))
            done = change_contact(desk, actor(), said, request_key())
            return f"Notices go to {done.notices or 'nobody by mail: they are fetched here'} from now on."

        return settled(console, act, to=url_for("contacts"), again=show)
