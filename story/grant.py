"""From a request that openssl made to a certificate: apply, propose, draft, second, fetch."""

import hashlib
import tempfile
from contextlib import suppress
from datetime import date
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.officer import to_revoke
from core.errors import AuthorityAnswerMalformed, AuthorityRefused, AuthorityUnreachable, CertificateMalformed
from core.status import State
from story.album import Content
from story.cast import Person, Reply
from story.scene import Granted, Scene
from story.telling import Stopped
from story.tools import Tools
from verify.fetched import Subject, subject_of
from verify.kit.evidence.parsing import Unreadable, several_certificates

# As the DCC's own pre-notification template names it; it knows no hardware version, an approval does (F2.21(a)).
DEVICE = {"type": "ESME", "manufacturer": "AB01", "model": "010A030B", "hardware_version": "01"}
FIRMWARE = "0002012F"
SMETS = "SMETS V1.58"
IMAGE = hashlib.sha256(b"the image of firmware 0002012F").hexdigest()

_OPEN = frozenset({"active", "not_yet_started"})


def clear_stage(scene: Scene) -> None:
    """End what an interrupted story left open: two approvals of one device never overlap."""
    officer, after = scene.cast.officer, ""
    while True:
        page = officer.act("GET", f"/v1/approvals?limit=100&after={after}")
        listed = page.document.get("approvals")
        for each in listed if isinstance(listed, list) else []:
            if isinstance(each, dict) and each.get("device") == DEVICE and each.get("state") in _OPEN:
                done = revoke(scene, str(each["approval"]), "An interrupted story left it open.")
                if not done.ok:
                    scene.teller.need("revoke", ok=False, detail=f"{each['approval']}: {done.problem}")
                scene.teller.note(f"{each['approval']}, left open by an interrupted story, was revoked first.")
        after = page.text("next")
        if not after:
            break
    scene.album.take()


def revoke(scene: Scene, approval: str, reasons: str) -> Reply:
    """Revoke an approval by one officer, or by two where the settings do not allow one."""
    body = {"cause": "ssc", "reasons": reasons}
    claim = to_revoke(approval, cause="ssc", invalidity_date=None, breach=None)
    done = scene.cast.officer.claim(f"/v1/approvals/{approval}/revocation", body, claim)
    if done.text("code") != "operation-not-permitted":
        return done
    proposed = scene.cast.officer.propose({"kind": "revoke", "approval": approval, **body})
    shown = scene.cast.second_officer.act("GET", f"/v1/decisions/{proposed.text('decision')}")
    return scene.cast.second_officer.second(shown)


def request(scene: Scene) -> bytes:
    """Let the Manufacturer's openssl make a key and a request; the key is gone when this returns."""
    with tempfile.TemporaryDirectory() as folder:
        csr = Tools().request(Path(folder) / "key.pem", "/O=Example Metering Ltd/CN=AB01 010A030B")
    path = scene.album.keep("request.csr", csr)
    scene.teller.prove(
        "openssl req", ok=True, detail=f"P-256, {len(csr)} bytes of PEM in {path.name}; the key stays away"
    )
    return csr


def propose(scene: Scene, csr: bytes, start: date, expiry: date) -> str:
    """Apply and propose to grant; return the decision's identifier."""
    people, teller = scene.cast, scene.teller
    applied = people.manufacturer.act(
        "POST",
        "/v1/applications",
        {
            "device": DEVICE,
            "smets_version": SMETS,
            "firmware": [{"version": FIRMWARE, "image_sha256": IMAGE}],
            "start": start.isoformat(),
            "expiry": expiry.isoformat(),
            "maximum_devices": 500,
            "purpose": "A field trial, played by trialcpa story.",
            "csr": csr.decode("ascii"),
        },
    )
    said = f"{applied.text('application')} {applied.text('state')}" if applied.ok else applied.problem
    teller.need("apply", applied.ok, f"the Manufacturer: {said}, {start} to {expiry}, at most 500 devices")
    grant = {"kind": "grant", "application": applied.text("application"), "reasons": "The trial is small and bounded."}
    proposed = people.officer.propose(grant)
    said = f"{proposed.text('decision')} {proposed.text('state')} by ssc-officer-1" if proposed.ok else proposed.problem
    teller.need("propose", proposed.ok, said)
    return proposed.text("decision")


def drafted(scene: Scene, decision: str) -> Reply:
    """Wait for the draft; return what a seconder looks at: the proposal and the bytes, with their digests."""
    shown: list[Reply] = []

    def there() -> bool:
        shown[:] = [scene.cast.second_officer.act("GET", f"/v1/decisions/{decision}")]
        return bool(shown[0].text("tbs_sha256")) or shown[0].text("state") != "proposed"

    took = scene.wait(there)
    reply = shown[0]
    digest = reply.text("tbs_sha256")
    serial = reply.text("draft", "serial")
    detail = f"after {took or 0:.0f} ms; to be signed: {digest[:16]}…, linted, serial {serial[:8]}…"
    scene.teller.need("draft", bool(digest), detail if digest else f"none came: {reply.text('state')} {reply.problem}")
    return reply


def refuse_same_person(scene: Scene, shown: Reply) -> None:
    """Show that the proposer cannot second her own proposal."""
    refused = scene.cast.officer.second(shown)
    scene.teller.prove(
        "same person", refused.text("code") == "same-person", f"ssc-officer-1 may not second her own: {refused.problem}"
    )


def second(scene: Scene, shown: Reply) -> str:
    """Second, and wait until the certificate is recorded; return the approval's identifier."""
    seconded = scene.cast.second_officer.second(shown)
    approval = seconded.text("approval")
    detail = (
        f"{approval} granted by ssc-officer-2, who has signed for both digests" if seconded.ok else seconded.problem
    )
    scene.teller.need("second", seconded.ok, detail)

    def issued() -> bool:
        return bool(scene.cast.manufacturer.act("GET", f"/v1/approvals/{approval}").document.get("certificates"))

    took = scene.wait(issued)
    scene.album.page("decision")
    scene.teller.need(
        "sign", took is not None, "no certificate came" if took is None else f"signed after {took:.0f} ms"
    )
    return approval


def fetch(scene: Scene, approval: str, csr: bytes) -> Granted:
    """Let the Manufacturer fetch the certificate and check it against its request and against the register."""
    teller, manufacturer = scene.teller, scene.cast.manufacturer
    try:
        chain = manufacturer.client.certificate(approval)
        leaf, *above = several_certificates((chain,))
        subject = subject_of(leaf.public_bytes(Encoding.DER), scene.trust.arc)
    except (AuthorityUnreachable, AuthorityRefused, AuthorityAnswerMalformed) as error:
        teller.need("certificate", ok=False, detail=str(error))
        raise Stopped("certificate") from error
    except (Unreadable, CertificateMalformed, ValueError) as error:
        teller.need("certificate", ok=False, detail=f"It is not what it should be: {error}")
        raise Stopped("certificate") from error
    problem = _differs(scene, subject, above, csr, approval)
    lasts = f"{leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    teller.need("certificate", not problem, problem or f"the register's own bytes, our key, {approval}, {lasts}")
    scene.album.page("certificate")
    _published(scene, subject)
    return _kept(scene, subject, above, chain)


def _published(scene: Scene, subject: Subject) -> None:
    """Wait until the status plane has followed the register and the responder has signed; both are bounded."""
    client = scene.cast.dcc.client

    def so() -> bool:
        with suppress(AuthorityUnreachable, AuthorityRefused, AuthorityAnswerMalformed):
            answer = client.verify_certificate(subject.der).document
            return answer.get("state") != State.UNKNOWN and answer.get("ocsp") is not None
        return False

    took = scene.wait(so)
    scene.album.take()
    words = "the status plane knows it, and its OCSP answers are signed"
    scene.teller.prove("publish", took is not None, words if took is not None else f"not yet: {words}")


def _differs(scene: Scene, subject: Subject, above: list[x509.Certificate], csr: bytes, approval: str) -> str:
    """Name what is wrong with what was fetched; nothing if nothing is."""
    shown = _certificate_listed(scene.cast.manufacturer, approval)
    asked = x509.load_pem_x509_csr(csr).public_key()
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if hashlib.sha256(subject.der).hexdigest() != shown.get("sha256"):
        return "it is not the one in the register"
    if subject.parsed.public_key().public_bytes(*form) != asked.public_bytes(*form):
        return "it certifies another key than the request's"
    if subject.approval != approval:
        return f"it speaks of {subject.approval}"
    if len(above) != 2 or above[1].public_bytes(Encoding.DER) != scene.trust.anchor:
        return "its chain does not end at the root that the ceremony made"
    return ""


def _certificate_listed(person: Person, approval: str) -> dict[str, object]:
    listed = person.act("GET", f"/v1/approvals/{approval}").document.get("certificates")
    last = listed[-1] if isinstance(listed, list) and listed else {}
    return last if isinstance(last, dict) else {}


def _kept(scene: Scene, subject: Subject, above: list[x509.Certificate], chain: bytes) -> Granted:
    album = scene.album
    issuing, root = above
    album.keep("certificate.cer", subject.der, Content.CERTIFICATE)
    album.keep("issuing-ca.cer", issuing.public_bytes(Encoding.DER), Content.CERTIFICATE)
    album.keep("root.cer", root.public_bytes(Encoding.DER), Content.CERTIFICATE)
    return Granted(
        subject,
        leaf=album.keep("certificate.pem", subject.parsed.public_bytes(Encoding.PEM)),
        issuing=album.keep("issuing-ca.pem", issuing.public_bytes(Encoding.PEM)),
        root=album.keep("root.pem", root.public_bytes(Encoding.PEM)),
        chain=album.keep("chain.pem", chain),
    )
