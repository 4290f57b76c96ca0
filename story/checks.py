"""The same questions on every channel, by the relying party's kit and other people's tools; what each must say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.errors import AuthorityAnswerMalformed, AuthorityRefused, AuthorityUnreachable
from core.instants import text
from core.status import State
from story.album import Content, Page
from story.scene import Granted, Scene
from story.telling import Proof, Stopped
from story.tools import Said, Tools
from verify.channels import ChannelAnswer, agree, ask_every_channel
from verify.client import ocsp_request
from verify.fetched import Channel, Fetched, Subject, fetch
from verify.kit.evidence.parsing import Unreadable, extension, one_crl
from verify.kit.evidence.path import authority_key

SILENT = (AuthorityUnreachable, AuthorityRefused, AuthorityAnswerMalformed)
"""What asking raises when no answer of use is had."""

REVOKED_BY_OPENSSL = "error 23"
"""X509_V_ERR_CERT_REVOKED."""


@dataclass(frozen=True)
class Expected:
    """What every channel must say.

    Args:
        state: as in the answer of /v1/verify.
        ocsp: in the words of OCSP: good or revoked.
        reason: on the list, in the words of RFC 5280; empty before an end.
        openssl: ok or `error 23`.
        gnutls: what `certtool --verify` complains of; ok if of nothing.
    """

    state: State
    ocsp: str
    reason: str
    openssl: str
    gnutls: str


ACTIVE = Expected(state=State.ACTIVE, ocsp="good", reason="", openssl="ok", gnutls="ok")
CANCELLED = Expected(
    state=State.CANCELLED, ocsp="revoked", reason="privilege_withdrawn", openssl=REVOKED_BY_OPENSSL, gnutls="revoked"
)
EXPIRED = Expected(
    state=State.EXPIRED, ocsp="revoked", reason="cessation_of_operation", openssl=REVOKED_BY_OPENSSL, gnutls="expired"
)


@dataclass(frozen=True)
class Round:
    """Every channel asked once.

    Args:
        fetched: what they said, and the authority's instant.
        answers: how it is read.
        exchanges: over HTTP.
    """

    fetched: Fetched
    answers: Sequence[ChannelAnswer]
    exchanges: Page

    @property
    def at(self) -> datetime:
        """The authority's instant."""
        return self.fetched.as_of

    def reply(self, channel: Channel) -> bytes:
        """Return the bytes of a channel; empty if it was silent."""
        return self.fetched.replies.get(channel, b"")

    def says(self, expected: Expected) -> bool:
        """Return whether every channel says what is expected."""
        return all(proof.ok for proof in channel_proofs(self.answers, expected)) and agree(self.answers)[0]


@dataclass(frozen=True)
class Files:
    """A round as files.

    Args:
        lists: the issuing CA's list and the root's, PEM in one file.
        ocsp_sha1, ocsp_sha256: answers, DER.
    """

    lists: Path
    ocsp_sha1: Path
    ocsp_sha256: Path


def ask(scene: Scene, subject: Subject) -> Round:
    """Ask every channel now; raises Stopped, told, if verification itself has no answer."""
    try:
        return look(scene, subject)
    except SILENT as error:
        scene.teller.prove(Channel.VERIFY_APPROVAL.value, ok=False, detail=str(error))
        raise Stopped(str(error)) from error


def look(scene: Scene, subject: Subject) -> Round:
    """Ask every channel now; raises one of SILENT."""
    scene.album.take()
    fetched = fetch(scene.cast.dcc.client, subject)
    return Round(fetched, ask_every_channel(fetched, subject, scene.trust), scene.album.take())


def keep(scene: Scene, granted: Granted, asked: Round, name: str, at: datetime) -> Files:
    """Write everything that a round brought: the exchanges, then each object.

    Args:
        scene: whose album.
        granted: what was asked about.
        asked: the round.
        name: of the moment, for the files' names.
        at: the instant at which README.txt lets tools look at it.
    """
    album = scene.album
    album.moments[name] = at
    album.page(f"{name}-exchanges", asked.exchanges)
    issuing = x509.load_pem_x509_certificate(granted.issuing.read_bytes())
    for hash_name in ("sha1", "sha256"):
        album.keep(f"{name}-ocsp-request-{hash_name}.der", ocsp_request(granted.subject.parsed, issuing, hash_name))
    lists = [asked.reply(Channel.CRL), asked.fetched.root_crl]
    sha1 = album.keep(f"{name}-ocsp-sha1.der", asked.reply(Channel.OCSP_POST), Content.OCSP)
    sha256 = album.keep(f"{name}-ocsp-sha256.der", asked.reply(Channel.OCSP_GET), Content.OCSP)
    album.keep(f"{name}-list.crl", lists[0], Content.CRL)
    album.keep(f"{name}-root-list.crl", lists[1], Content.CRL)
    together = album.keep(f"{name}-lists.pem", as_pem(lists))
    album.keep(f"{name}-page.html", asked.reply(Channel.PAGE))
    return Files(together, sha1, sha256)


def as_pem(lists: Sequence[bytes]) -> bytes:
    """Return lists in PEM; what cannot be read is left out, and the tools miss it."""
    written = b""
    for data in lists:
        try:
            written += one_crl(data).public_bytes(Encoding.PEM)
        except Unreadable:
            continue
    return written


def channel_proofs(answers: Sequence[ChannelAnswer], expected: Expected) -> list[Proof]:
    """Return for each channel whether it says what is expected."""

    def expects(answer: ChannelAnswer) -> bool:
        # An approval in force without its certificate is no yes; a page names no certificate.
        named = bool(answer.about) or answer.channel == Channel.PAGE
        return named and answer.state == expected.state and answer.reason in {"", expected.reason}

    return [Proof(answer.channel, expects(answer), answer.detail) for answer in answers]


def tell_channels(scene: Scene, asked: Round, expected: Expected) -> None:
    """Tell what each channel says, and whether they agree."""
    fine = scene.teller.tell(channel_proofs(asked.answers, expected))
    agreed, sentence = agree(asked.answers)
    if fine:  # else those that do not have been named
        scene.teller.prove("compared", agreed, f"at {text(asked.at)}: {sentence}")
    else:
        scene.teller.note(sentence)


def tell_tools(scene: Scene, granted: Granted, files: Files, tools: Tools, expected: Expected) -> None:
    """Tell what other people's tools make of the same bytes, and `openssl verify` first of all."""
    verified = tools.verify(granted.leaf, granted.issuing, granted.root, files.lists)
    scene.teller.tell([said("openssl verify", verified, expected.openssl)])
    tell_other_tools(scene, granted, files, tools, expected)


def tell_other_tools(scene: Scene, granted: Granted, files: Files, tools: Tools, expected: Expected) -> None:
    """Tell what `certtool`, `openssl ocsp` and `ocsptool` make of the same bytes."""
    leaf, issuing, root = granted.leaf, granted.issuing, granted.root
    gnutls = tools.certtool(granted.chain, root, files.lists)
    sha1 = tools.read_ocsp(files.ocsp_sha1, leaf, issuing, root, sha256=False)
    sha256 = tools.read_ocsp(files.ocsp_sha256, leaf, issuing, root, sha256=True)
    told = tools.ocsptool_read(files.ocsp_sha256, issuing)
    scene.teller.tell(
        [
            said("certtool --verify", gnutls, expected.gnutls),
            said("openssl ocsp sha1", sha1, expected.ocsp),
            said("openssl ocsp sha256", sha256, expected.ocsp),
            said("ocsptool", told, expected.ocsp),
        ]
    )


def tell_responder(scene: Scene, granted: Granted, tools: Tools, expected: Expected, name: str) -> None:
    """Let the tools ask the responder themselves, over the network."""
    url = f"{scene.server}/ocsp"
    first = scene.album.path_for(f"{name}-openssl-asked.der", Content.OCSP)
    asked = tools.ask_ocsp(url, granted.leaf, granted.issuing, granted.root, first)
    second = scene.album.path_for(f"{name}-ocsptool-asked.der", Content.OCSP)
    also = tools.ocsptool_ask(url, granted.leaf, granted.issuing, second)
    scene.teller.tell([said("openssl ocsp -url", asked, expected.ocsp), said("ocsptool --ask", also, expected.ocsp)])


def said(name: str, by: Said, expected: str) -> Proof:
    """Return the proof that a tool came to what was expected."""
    return Proof(name, by.verdict == expected, by.words if by.verdict == expected else f"{by.words} (not {expected})")


def entry_proof(asked: Round, subject: Subject, reason: str) -> Proof:
    """Return the proof that the list names the certificate, with its reason and date."""
    try:
        crl = one_crl(asked.reply(Channel.CRL))
    except Unreadable as error:
        return Proof("crl", ok=False, detail=str(error))
    entry = crl.get_revoked_certificate_by_serial_number(subject.parsed.serial_number)
    if entry is None:
        return Proof("crl", ok=False, detail=f"list {number_of(crl)} does not name it")
    found = extension(entry.extensions, x509.CRLReason)
    flag = found.value.reason.value if found else "no reason"
    words = f"list {number_of(crl)} names it: {flag}, {text(entry.revocation_date_utc)}"
    return Proof("crl", flag == _CAMEL[reason], words)


_CAMEL = {"privilege_withdrawn": "privilegeWithdrawn", "cessation_of_operation": "cessationOfOperation"}


def number_of(crl: x509.CertificateRevocationList) -> int:
    """Return a list's number; 0 if it has none."""
    found = extension(crl.extensions, x509.CRLNumber)
    return found.value.crl_number if found else 0


def key_of_issuer(certificate: x509.Certificate) -> str:
    """Return the hex of the key identifier of whoever issued a certificate: the name of its list."""
    return (authority_key(certificate.extensions) or b"").hex()
