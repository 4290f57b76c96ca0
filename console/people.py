"""People: who has access; an administrator sends an invitation to enrol a passkey, or revokes access."""

from flask import Flask, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from console.forms import field
from console.guard import actor
from console.portion import portion
from console.service import Console
from ra.access import revoke_access
from ra.entering.passkeys import invite
from ra.entering.passkeys import people as people_of


def add_people(app: Flask, console: Console) -> None:
    """Add the pages to the application."""

    @app.get("/console/people")
    def people() -> str:
        return render_template("people.html", people=portion(people_of(console.desk, actor()), "from"), made=None)

    @app.post("/console/people/invitation")
    def send_invitation() -> str:
        """Make an invitation; its address is shown on this page and never again."""
        made = invite(console.desk, actor(), field("credential"))
        address = f"{console.relying.origin}/console/invitations/{made.secret}"
        listed = portion(people_of(console.desk, actor()), "from")
        return render_template("people.html", people=listed, made=made, address=address)

    @app.post("/console/people/revocation")
    def end_access() -> Response:
        """Revoke somebody's access: their key, passkeys and sessions let nobody in from now on."""
        revoke_access(console.desk, actor(), field("credential"))
        console.wrote()
        flash("That access is revoked.")
        return redirect(url_for("people"), 303)
