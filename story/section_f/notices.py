"""Notices as their recipients get them: by mail, over TLS, one copy each, with nothing in it that is not theirs."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from story.section_f.mailroom import Mail
from story.section_f.stage import ADDRESSES, Trial

RECIPIENTS = ("manufacturer", "dcc", "panel")


def newest(trial: Trial, kind: str) -> Mapping[str, object]:
    """Return the newest notice of a kind as the SSC's list has it; ends the story if there is none."""
    after, found = "", []
    while True:
        page = trial.cast.officer.act("GET", f"/v1/notices?limit=100&after={after}")
        listed = page.document.get("notices")
        found += [each for each in listed if each["kind"] == kind] if isinstance(listed, list) else []
        after = page.text("next")
        if not after:
            break
    trial.teller.need("notice", bool(found), f"{found[-1]['notice']}" if found else f"no notice of kind {kind}")
    notice: Mapping[str, object] = found[-1]
    return notice


def prove_mailed(trial: Trial, kind: str, *, withheld: Mapping[str, Sequence[str]], certificate: bool = False) -> str:
    """Wait for the three copies of the newest notice of a kind, prove them, keep them; return its number.

    Args:
        trial: whose.
        kind: of the notice.
        withheld: for each recipient, words that must be in nothing that it gets.
        certificate: whether the certificate travels with it.
    """
    entry = newest(trial, kind)
    number = str(entry["notice"])
    wanted = {ADDRESSES[each] for each in RECIPIENTS}
    took = trial.scene.wait(lambda: wanted <= set(trial.room.about(number)))
    mails = trial.room.about(number)
    missing = ", ".join(sorted(wanted - set(mails)))
    trial.teller.need(
        "mail",
        took is not None,
        f"{number}: {len(mails)} messages, one to each of {', '.join(RECIPIENTS)}"
        if not missing
        else f"none to {missing}",
    )
    trial.teller.prove(
        "TLS", all(mail.encrypted for mail in mails.values()), "each came over STARTTLS, the server's name checked"
    )
    _prove_contents(trial, entry, mails, withheld, certificate=certificate)
    for recipient in RECIPIENTS:
        mail = mails[ADDRESSES[recipient]]
        trial.album.keep(f"{kind}-to-{recipient}.eml", mail.octets)
        trial.album.keep(f"{kind}-to-{recipient}.pdf", mail.files[f"{number}.pdf"])
    trial.album.keep(f"{kind}-to-dcc.json", mails[ADDRESSES["dcc"]].files[f"{number}.json"])
    _prove_fetched(trial, number, mails[ADDRESSES["panel"]])
    return number


def _prove_contents(
    trial: Trial,
    entry: Mapping[str, object],
    mails: Mapping[str, Mail],
    withheld: Mapping[str, Sequence[str]],
    *,
    certificate: bool,
) -> None:
    number = str(entry["notice"])
    copies = entry["copies"]
    digests = {each["recipient"]: each["document_sha256"] for each in copies} if isinstance(copies, list) else {}
    wrong, leaked = [], []
    for recipient in RECIPIENTS:
        files = mails[ADDRESSES[recipient]].files
        names = {f"{number}.pdf", f"{number}.json", *(["certificate.pem"] if certificate else [])}
        sent = hashlib.sha256(files.get(f"{number}.json", b"")).hexdigest()
        if set(files) != names or sent != digests.get(recipient) or not files[f"{number}.pdf"].startswith(b"%PDF-"):
            wrong.append(recipient)
        leaked += [f"{words} to {recipient}" for words in withheld.get(recipient, ()) if _said(mails, recipient, words)]
    attached = "PDF, JSON" + (" and certificate" if certificate else "")
    trial.teller.prove(
        "attachments",
        not wrong,
        f"{attached} in each; the JSON has the SHA-256 that the journal holds" if not wrong else f"wrong: {wrong}",
    )
    if withheld:
        counts = (
            ", ".join(f"{each['recipient']} {each['withheld']}" for each in copies) if isinstance(copies, list) else ""
        )
        trial.teller.prove(
            "withheld",
            not leaked,
            f"what is Red, or for another, is in no byte (F2.22); passages withheld: {counts}"
            if not leaked
            else f"{leaked}",
        )


def _said(mails: Mapping[str, Mail], recipient: str, words: str) -> bool:
    """Whether words are in anything that a recipient got: mail, JSON, PDF."""
    mail = mails[ADDRESSES[recipient]]
    wanted = words.encode()
    held = [mail.octets, mail.text.encode(), *mail.files.values()]
    held += [pdf_text(octets) for name, octets in mail.files.items() if name.endswith(".pdf")]
    return any(wanted in octets or json.dumps(words)[1:-1].encode() in octets for octets in held)


def pdf_text(pdf: bytes) -> bytes:
    """Return what pdftotext reads in a PDF, on one line; nothing where there is no such program."""
    program = shutil.which("pdftotext")
    if program is None:
        return b""
    ran = subprocess.run([program, "-", "-"], input=pdf, capture_output=True, check=False)  # noqa: S603 - see which
    return b" ".join(ran.stdout.split())


def _prove_fetched(trial: Trial, number: str, mail: Mail) -> None:
    """What is mailed can always be fetched too, byte for byte."""
    fetched = trial.cast.panel.fetch(f"/v1/notices/{number}", "application/pdf")
    same = fetched == mail.files[f"{number}.pdf"]
    trial.teller.prove("fetched", same, "the Panel fetches the same PDF" if same else "the PDF fetched is another one")
    trial.album.take()
