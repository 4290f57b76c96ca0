"""What a Manufacturer does about its approval: fetches certificates and answers them, asks for a change or an end, and
reads its notices.
"""

from collections.abc import Callable, Mapping

from flask import Flask, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api.status import formats
from console.answers import attached
from console.asking import amendment
from console.forms import field, request_key
from console.guard import actor, may
from console.service import Console
from core.classification import Recipient
from core.errors import BodyMalformed, NoSuchThing, OperationNotPermitted, TrialCpaError
from core.identifiers import parse_serial
from ra.applying import request_amendment as amending
from ra.applying import request_end as ending
from ra.applying.accept import AnswerCertificate, answer_certificate
from ra.applying.request_end import RequestEnd
from ra.doors import admit
from ra.reporting.deployments import of_approval
from ra.telling import approvals as telling
from ra.telling import notices as noticed

ROWS = 25
_FORMS: Mapping[str, tuple[str, Callable[[tuple[bytes, ...]], bytes]]] = {
    "pem": (formats.CHAIN_TYPE, formats.pem_chain),
    "cer": (formats.CERTIFICATE_TYPE, formats.leaf),
    "p7c": (formats.CERTS_ONLY_TYPE, formats.certs_only),
}
"""By the ending of the file: PEM with the chain, the certificate alone as DER, CMS with the chain."""


def add_holding(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    _add_holding(app, console)
    _add_requests(app, console)
    _add_certificates(app, console)
    _add_notices(app, console)


def _shown(console: Console, identifier: str, error: TrialCpaError | None = None) -> str:
    desk, who = console.desk, actor()
    admit(who, "fetchCertificateOfApproval")
    it = telling.approval(desk, who, identifier)
    ends = may("listEndRequests")
    return render_template(
        "holding.html",
        it=it,
        error=error,
        typed=request.form,
        amendments=amending.requests_of(desk, who, identifier).requests if may("listAmendmentRequests") else (),
        ends=ending.end_requests(desk, who, approval=identifier, after="", limit=ROWS).requests if ends else (),
        notices=noticed.listed(desk, who, approval=identifier, after="", limit=ROWS).notices,
        deployed=of_approval(desk, who, identifier) if may("showDeployments") else None,
    )


def _settle(console: Console, identifier: str, act: Callable[[], str]) -> AnyResponse | tuple[str, int]:
    try:
        said = act()
    except (NoSuchThing, OperationNotPermitted):
        raise
    except TrialCpaError as error:
        return _shown(console, identifier, error), 422
    console.wrote()
    flash(said)
    return redirect(url_for("holding", identifier=identifier), 303)


def _add_holding(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.get("/console/approvals/<identifier>/holder")
    def holding(identifier: str) -> str:
        """Show certificates, requests and notices of an approval."""
        return _shown(console, identifier)

    @app.post("/console/approvals/<identifier>/acceptance")
    def answer_it(identifier: str) -> AnyResponse | tuple[str, int]:
        def act() -> str:
            word = field("answer")
            if word not in ("accept", "reject"):
                raise BodyMalformed(detail="say whether you accept it or reject it")
            command = AnswerCertificate(parse_serial(field("serial")), word == "accept", field("reason"))
            done = answer_certificate(desk, actor(), command, request_key())
            return f"The certificate is {'accepted' if done.accepted else 'rejected; the officers are told'}."

        return _settle(console, identifier, act)


def _add_requests(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.post("/console/approvals/<identifier>/amendment-requests")
    def ask_amendment(identifier: str) -> AnyResponse | tuple[str, int]:
        def act() -> str:
            admit(actor(), "requestAmendment")
            done = amending.request_amendment(desk, actor(), amendment(identifier), request_key())
            return f"{done.request} is with the Security Sub-Committee."

        return _settle(console, identifier, act)

    @app.post("/console/approvals/<identifier>/end")
    def ask_end(identifier: str) -> AnyResponse | tuple[str, int]:
        def act() -> str:
            command = RequestEnd(approval=identifier, reasons=field("reasons"))
            done = ending.request_end(desk, actor(), command, request_key())
            return f"{done.request} is with the Security Sub-Committee. Until it decides, the approval holds."

        return _settle(console, identifier, act)

    @app.post("/console/approvals/<identifier>/withdrawal")
    def withdraw_asked(identifier: str) -> AnyResponse | tuple[str, int]:
        def act() -> str:
            asked = field("request")
            take_back = amending.withdraw_request if asked.startswith("amr-") else ending.withdraw_end_request
            return f"{take_back(desk, actor(), asked, request_key()).request} is taken back."

        return _settle(console, identifier, act)


def _add_certificates(app: Flask, console: Console) -> None:
    @app.get("/console/approvals/<identifier>/certificate")
    def certificate_file(identifier: str) -> Response:
        """Send the certificate of an approval, or of one of its issues, in one of three forms."""
        media_type, form = _FORMS.get(request.args.get("as", "pem"), _FORMS["pem"])
        issue = request.args.get("issue", "")
        which = int(issue) if issue.isdecimal() and len(issue) < 6 else None
        found = telling.certificate_of(console.desk, actor(), identifier, which)
        return attached(form(found.chain), media_type, f"{found.name}.{formats.SUFFIX[media_type]}")


def _add_notices(app: Flask, console: Console) -> None:
    @app.get("/console/notices")
    def notices() -> str:
        """List the notices that are for whoever has signed in."""
        after = request.args.get("after", "")[:200]
        found = noticed.listed(console.desk, actor(), after=after, limit=ROWS, newest=True)
        return render_template("notices.html", page=found)

    @app.get("/console/notices/<identifier>/file")
    def notice_file(identifier: str) -> Response:
        """Send a copy of a notice: as a PDF, or as the record of which it is made; the whole record is no PDF."""
        whole = may("listUndelivered")  # whoever may read every copy picks one
        wanted = request.args.get("for", "")
        recipient = next((each for each in Recipient if each == wanted), None) if whole else None
        pdf = request.args.get("as", "pdf") == "pdf" and not (whole and recipient is None)
        found = noticed.fetch(console.desk, actor(), identifier, recipient=recipient, pdf=pdf)
        kind = ("application/pdf", "pdf") if pdf else ("application/json", "json")
        return attached(found.octets, kind[0], f"{found.name}.{kind[1]}")
