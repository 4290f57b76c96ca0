"""The first part: a certificate is asked for, granted, checked by everyone, revoked, and checked by everyone again."""

import base64
import time
from contextlib import suppress
from datetime import datetime, timedelta

from cryptography import x509

from core.approval import DEVICE_WORDS
from core.instants import next_midnight, text
from core.status import State
from story import grant
from story.agreed import tell_who_agreed
from story.album import Content
from story.checks import (
    ACTIVE,
    CANCELLED,
    SILENT,
    Round,
    as_pem,
    ask,
    entry_proof,
    keep,
    key_of_issuer,
    number_of,
    said,
    tell_channels,
    tell_responder,
    tell_tools,
)
from story.followed import tell_everything_follows
from story.scene import Granted, Scene
from story.telling import Proof
from story.tools import Tools
from verify.client import AuthorityClient
from verify.fetched import Channel
from verify.kit.evidence.offline import prove
from verify.kit.evidence.parsing import PARSE_ERRORS, Unreadable, one_answer, one_crl

_TRIAL = timedelta(days=60)
_TOO_LATE = timedelta(seconds=30)
"""Before midnight; a grant that starts today must be seconded today."""


def play(scene: Scene) -> None:
    """Play the first part; raises Stopped if it cannot go on."""
    teller = scene.teller
    grant.clear_stage(scene)
    _not_at_midnight(scene)
    teller.step("The Manufacturer asks: a request by openssl, for a device as the DCC's own template names it")
    described = ", ".join(f"{DEVICE_WORDS[name]} {value}" for name, value in grant.DEVICE.items() if name != "type")
    teller.note(f"{grant.DEVICE['type']}, {described}, firmware {grant.FIRMWARE}, {grant.SMETS}")
    csr = grant.request(scene)
    teller.step("Two officers decide: one proposes, the exact bytes are drafted and linted, another seconds")
    today = scene.now().date()
    decision = grant.propose(scene, csr, today, today + _TRIAL)
    shown = grant.drafted(scene, decision)
    grant.refuse_same_person(scene, shown)
    approval = grant.second(scene, shown)
    teller.step("The Manufacturer fetches its certificate and checks it")
    granted = grant.fetch(scene, approval, csr)
    teller.prove("openssl x509", ok=True, detail=Tools().subject(granted.leaf))

    teller.step("Is the device covered? Everyone is asked: active")
    before = ask(scene, granted.subject)
    files = keep(scene, granted, before, "active", before.at)
    tell_channels(scene, before, ACTIVE)
    teller.step("The same by other people's tools: valid, good")
    tools = scene.tools_at(before.at)
    tell_tools(scene, granted, files, tools, ACTIVE)
    tell_responder(scene, granted, tools, ACTIVE, "active")

    teller.step("An officer revokes it, urgently (F2.30)")
    _revoke(scene, granted, before.at)

    teller.step("The same questions again: cancelled")
    after = ask(scene, granted.subject)
    later = keep(scene, granted, after, "cancelled", after.at)
    tell_channels(scene, after, CANCELLED)
    teller.tell([entry_proof(after, granted.subject, CANCELLED.reason)])
    teller.step("The same by other people's tools: revoked")
    tools = scene.tools_at(after.at)
    tell_tools(scene, granted, later, tools, CANCELLED)
    tell_responder(scene, granted, tools, CANCELLED, "cancelled")

    teller.step(f"What was true at {text(before.at)} can still be proved")
    _past(scene, granted, before)

    teller.step("Who agreed to it? The dossier of the decision, asked for by an officer and proved by anybody")
    tell_who_agreed(scene, decision)
    teller.step("And everything else in the register? It follows from the journal, row by row")
    tell_everything_follows(scene)


def _not_at_midnight(scene: Scene) -> None:
    now = scene.now()
    left = next_midnight(now) - now
    if left <= _TOO_LATE:
        scene.teller.note(f"A new day begins in {left.seconds} seconds; the story waits for it.")
        time.sleep(left.total_seconds())
    scene.album.take()


def _revoke(scene: Scene, granted: Granted, known_good: datetime) -> None:
    """Revoke, and measure how soon each channel says so."""
    # An instant is a whole second: what was true in that of the first questions must stay true in it.
    scene.wait(lambda: scene.now() > known_good)
    scene.album.take()
    done = grant.revoke(scene, granted.approval, "The Security Sub-Committee has ended the trial.")
    detail = f"{granted.approval} at {done.text('revoked_at')}" if done.ok else done.problem
    scene.teller.need("revoke", done.ok, detail)
    scene.album.page("revocation")
    follow = _Follow(scene.cast.dcc.client, granted)
    spent = 0.0
    for name, so in (("verification", follow.verification), ("OCSP", follow.ocsp), ("CRL", follow.crl)):
        took = scene.wait(so, scene.following)
        spent += took or 0.0
        words = f"says so {spent:.0f} ms after the officer's answer"
        scene.teller.prove(f"{name} follows", took is not None, words if took is not None else "does not")
    scene.album.take()


class _Follow:
    """Looks whether a channel has heard of the revocation; no answer of use is none."""

    def __init__(self, client: AuthorityClient, granted: Granted) -> None:
        self._client = client
        self._certificate = granted.subject.parsed
        self._approval = granted.approval
        self._issuing = x509.load_pem_x509_certificate(granted.issuing.read_bytes())

    def verification(self) -> bool:
        with suppress(*SILENT):
            return self._client.verify_approval(self._approval).document.get("state") == State.CANCELLED
        return False

    def ocsp(self) -> bool:
        with suppress(*SILENT, *PARSE_ERRORS):
            answer = one_answer(self._client.ocsp_post(self._certificate, self._issuing, "sha1"))
            return answer.revocation_time_utc is not None
        return False

    def crl(self) -> bool:
        with suppress(*SILENT, *PARSE_ERRORS):
            crl = one_crl(self._client.crl(key_of_issuer(self._certificate)))
            return crl.get_revoked_certificate_by_serial_number(self._certificate.serial_number) is not None
        return False


def _past(scene: Scene, granted: Granted, before: Round) -> None:
    """Prove from what is still to be had now what was true when the first questions were asked."""
    client, subject, then = scene.cast.dcc.client, granted.subject, before.at
    try:
        number = number_of(one_crl(before.reply(Channel.CRL)))
        crl = client.crl(key_of_issuer(subject.parsed), number)
        answered = client.verify_certificate(subject.der, at=then).document
    except (*SILENT, Unreadable) as error:
        scene.teller.prove("the past", ok=False, detail=str(error))
        return
    answer = base64.b64decode(str(answered.get("ocsp") or ""))
    scene.album.page("past-exchanges")
    scene.album.keep("past-list.crl", crl, Content.CRL)
    kept = scene.album.keep("past-ocsp-sha256.der", answer, Content.OCSP)
    lists = scene.album.keep("past-lists.pem", as_pem([crl, before.fetched.root_crl]))
    scene.album.moments["past"] = then
    trust = scene.trust
    verdict = prove(
        subject.der,
        anchor=trust.anchor,
        issuers=before.fetched.issuers,
        crls=[crl, before.fetched.root_crl],
        ocsp=answer,
        at=then,
        environment=trust.environment,
        arc=trust.arc,
    )
    leaf, issuing, root = granted.leaf, granted.issuing, granted.root
    tools = Tools(then)
    scene.teller.tell(
        [
            Proof("verify, asked of then", answered.get("state") == State.ACTIVE, f"it says {answered.get('state')}"),
            Proof("crl by number", crl == before.reply(Channel.CRL), f"list {number} is the one fetched then"),
            Proof(
                "offline verifier then", verdict.valid, f"{verdict.state.value}, from that list and that answer alone"
            ),
            said("openssl -attime then", Tools().verify(leaf, issuing, root, lists, attime=then), "ok"),
            said("openssl ocsp then", tools.read_ocsp(kept, leaf, issuing, root, sha256=True), "good"),
            said("ocsptool then", tools.ocsptool_read(kept, issuing), "good"),
        ]
    )
