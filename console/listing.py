"""The Panel's list: instructions by due date, acknowledged singly or together, and a list compared with them."""

from flask import Flask, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from console.answers import attached
from console.forms import field, request_key
from console.guard import actor, owner
from console.service import Console
from console.settling import settled
from console.typed import one_of, words
from core.cpl import InstructionState
from core.days import read_day
from core.errors import BodyMalformed, NoSuchThing, OperationNotPermitted, TrialCpaError
from core.kinds import Addition
from core.limits import NAME_LIMIT
from core.words import counted, required
from ra.doors import admit
from ra.repeat import nth
from ra.telling import instructions as use
from ra.telling.addition import judge_addition
from ra.telling.approvals import approval as approval_of
from ra.telling.instructions import Acknowledge, Asked
from ra.telling.reconcile import LARGEST_LIST, reconcile_marked
from ra.telling.views import Reconciled

ROWS = 50
"""Instructions on a page: as many can be acknowledged together."""

_SHOWN = {
    "open": Asked(state=InstructionState.PENDING),
    "overdue": Asked(overdue=True),
    "rejected": Asked(state=InstructionState.REJECTED),
    "all": Asked(),
}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMS = {"xlsx": _XLSX, "csv": "text/csv; charset=utf-8"}


def add_listing(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    _add_instructions(app, console)
    _add_entries(app, console)
    _add_reconciliation(app, console)


def _shown(console: Console, refused: list[tuple[str, TrialCpaError]] | None = None) -> str:
    which = request.args.get("show", "open")
    found = use.instructions(
        console.desk,
        actor(),
        _SHOWN.get(which, _SHOWN["open"]),
        after=request.args.get("after", "")[:200],
        limit=ROWS,
    )
    rows = sorted(found.instructions, key=lambda each: (each.due, each.instruction))
    return render_template(
        "listing.html", page=found, rows=rows, which=which if which in _SHOWN else "open", refused=refused or []
    )


def _add_instructions(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.get("/console/list")
    def listing() -> str:
        """Show what the list is to show, by due date."""
        return _shown(console)

    @app.get("/console/list/file")
    def listing_file() -> Response:
        """Send all of it as a table for spreadsheets."""
        form = request.args.get("as", "xlsx")
        form = form if form in _FORMS else "xlsx"
        which = _SHOWN.get(request.args.get("show", "all"), _SHOWN["all"])
        return attached(use.exported(desk, actor(), which, form), _FORMS[form], f"instructions.{form}")

    @app.post("/console/list/acknowledgement")
    def acknowledge_them() -> AnyResponse | tuple[str, int]:
        """Acknowledge those that are ticked: each stands or falls alone."""
        admit(actor(), "acknowledgeCplInstruction")
        named, loaded = request.form.getlist("instruction")[:ROWS], field("what") == "loaded"
        refused: list[tuple[str, TrialCpaError]] = []
        if not named or field("what") not in ("loaded", "rejected"):
            refused.append(("", BodyMalformed(detail="tick at least one, and say whether they are loaded or rejected")))
            return _shown(console, refused), 422
        key, done = request_key(), 0
        for place, each in enumerate(named):
            try:
                command = Acknowledge(each[:200], loaded=loaded, reason="" if loaded else field("reason"))
                use.acknowledge(desk, actor(), command, nth(key, place))
                done += 1
            except OperationNotPermitted:
                raise
            except TrialCpaError as error:
                refused.append((each, error))
        if done:
            console.wrote()
        if refused:
            return _shown(console, refused), 422
        flash(f"{counted(done, 'instruction is', 'instructions are')} {'loaded' if loaded else 'rejected'}.")
        return redirect(url_for("listing"), 303)


def _add_entries(app: Flask, console: Console) -> None:
    """What officers say of an approval's entries: whether an addition stands, and that the NCSC has certified."""
    desk = console.desk

    def show(identifier: str, error: TrialCpaError | None = None) -> str:
        admit(actor(), "judgeAddition")
        it = approval_of(desk, actor(), identifier)
        return render_template("entries.html", it=it, error=error)

    @app.get("/console/approvals/<identifier>/entries")
    def entries(identifier: str) -> str:
        """Ask what is to be said of the entries of an approval."""
        return show(identifier)

    @app.post("/console/approvals/<identifier>/addition")
    def say_addition(identifier: str) -> AnyResponse | tuple[str, int]:
        """Say whether an entry is added on its day though its certificate was cancelled, or waits (F2.26, F2.27)."""
        admit(actor(), "judgeAddition")

        def act() -> str:
            said = one_of("addition", {each.value: each for each in Addition})
            done = judge_addition(desk, actor(), identifier, said, request_key())
            return (
                f"The addition {done.addition}. {counted(len(done.instructions), 'instruction')} to the Panel for it."
            )

        here = url_for("entries", identifier=identifier)
        return settled(console, act, to=here, again=lambda error: show(identifier, error))

    @app.post("/console/approvals/<identifier>/ncsc-certificate")
    def say_certified(identifier: str) -> AnyResponse | tuple[str, int]:
        """Record that the NCSC has certified the model: at the end its entry stays, without the trial marker."""
        admit(actor(), "recordNcscCertificate")

        def act() -> str:
            certificate = required(words("certificate", NAME_LIMIT), of="its reference")
            on = read_day(words("certified_on", NAME_LIMIT), field="certified on")
            key = request_key()
            use.record_ncsc_certificate(
                desk, actor(), identifier, certificate=certificate, certified_on=on, request=key
            )
            return f"{certificate} is recorded: the entry stays when the approval ends, without the trial marker."

        here = url_for("entries", identifier=identifier)
        return settled(console, act, to=here, again=lambda error: show(identifier, error))


def _add_reconciliation(app: Flask, console: Console) -> None:
    @app.get("/console/list/reconciliation")
    def reconciling() -> str:
        """Ask for the list as it is."""
        admit(actor(), "reconcileCpl")
        return render_template("reconcile.html", found=None, error=None, most=LARGEST_LIST)

    @app.post("/console/list/reconciliation")
    def reconcile_it() -> str | tuple[str, int]:
        """Compare a list with what it should show now; nothing is changed by it."""
        file = request.files.get("file")
        try:
            found, octets = reconcile_marked(console.desk, actor(), b"" if file is None else file.read())
        except OperationNotPermitted:
            raise
        except TrialCpaError as error:
            return render_template("reconcile.html", found=None, error=error, most=LARGEST_LIST), 422
        name = console.kept.keep(owner(), octets) if _differs(found) else None
        return render_template("reconcile.html", found=found, error=None, most=LARGEST_LIST, name=name)

    @app.get("/console/list/reconciliation/<name>")
    def marked_list(name: str) -> Response:
        """Send the list as it was sent, marked; for an hour, to whoever sent it."""
        admit(actor(), "reconcileCpl")
        found = console.kept.found(owner(), name)
        if found is None:
            raise NoSuchThing(kind="result", identifier=name[:100])
        return attached(found, _XLSX, "list-marked.xlsx")


def _differs(found: Reconciled) -> bool:
    return any((found.missing, found.wrong, found.gone, found.unknown, found.unreadable, found.remarks))
