"""From orders and drafts to the facts of a case."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ca.draft import Draft
from ca.issuer.order import Order
from ca.profile import Profile
from ca.revocation.crl import CrlOrder
from ca.revocation.ocsp import OcspOrder
from core.instants import text
from core.status import Revoked
from tests.lint_cases import CLEAN, NONE, Value, own_serial, signed_of, signed_of_answer
from tests.profile_world import ISSUING, RESPONDER, ROOT

Written = dict[str, tuple[Value, ...]]

CERTIFICATES = {"root": ROOT.preview, "issuing": ISSUING.preview, "responder": RESPONDER.preview}
"""The corpus' own authority: certificates that a case may name instead of showing."""


@dataclass(frozen=True)
class Case:
    """A file to be written: what is wrong in it, in words, what is to be found (nothing: it is sound), its facts."""

    what: str
    expect: tuple[str, ...]
    facts: Written = field(repr=False)
    linter: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.what.lower().replace("'", "")).strip("-")

    @property
    def said(self) -> Written:
        linter: Written = {} if self.linter is None else {"linter": self.linter or (CLEAN,)}
        return {"expect": self.expect or (CLEAN,), **linter, **self.facts}


def of_order(order: Order) -> Written:
    device = order.device
    return {
        "serial": (order.serial,),
        "approval": (order.approval,),
        "issue": (str(order.issue),),
        "certificate-name": (order.certificate_name,),
        "device": (f"{device.type} | {device.manufacturer} | {device.model} | {device.hardware_version}",),
        "firmware": tuple(f"{each.version} {each.image_digest}" for each in order.firmware) or (NONE,),
        "start": (text(order.start),),
        "expiry": (text(order.expiry),),
        "not-before": (text(order.not_before),),
        "not-after": (text(order.not_after),),
        "maximum-devices": (str(order.maximum_devices),),
        "public-key": (order.public_key,),
        "proposal-digest": (order.proposal_digest.hex(),),
        "issuer": (_named(order.issuer),),
    }


def of_profile(profile: Profile) -> Written:
    return {
        "environment": (profile.environment,),
        "arc": (profile.arc,),
        "base-url": (profile.base_url,),
        "authority-name": (profile.name,),
    }


def of_draft(draft: Draft) -> Written:
    facts = {"certificate": (draft.preview,), **_of_bytes(draft.preview, draft.tbs)}
    if own_serial(draft.preview) != draft.serial:
        facts["draft-serial"] = (draft.serial,)
    return facts


def of_crl_order(order: CrlOrder) -> Written:
    since = order.expired_certs_on_crl
    return {
        "issuer": (_named(order.issuer_der),),
        "number": (str(order.number),),
        **_of_times(order.this_update, order.next_update),
        "expired-certs-on-crl": (NONE if since is None else text(since),),
    }


def of_crl(preview: bytes, tbs: bytes | None = None, **draft: int) -> Written:
    shown: Written = {"list": (preview,), **_of_bytes(preview, tbs)}
    return shown | {f"draft-{name}": (str(value),) for name, value in draft.items()}


def of_ocsp_order(order: OcspOrder) -> Written:
    return {
        "issuer": (_named(order.issuer_der),),
        "responder": (_named(order.responder_der),),
        "serial": (order.serial,),
        "hash": (order.hash_name,),
        "revoked": (NONE if order.revoked is None else of_revoked(order.revoked),),
        **_of_times(order.this_update, order.next_update),
    }


def of_answer(preview: bytes, tbs: bytes) -> Written:
    shown: Written = {"answer": (preview,)}
    return shown if tbs == signed_of_answer(preview) else {**shown, "to-be-signed": (tbs,)}


def of_register(entries: Iterable[Revoked]) -> Written:
    return {"register": tuple(map(of_revoked, entries)) or (NONE,)}


def of_revoked(entry: Revoked) -> str:
    since = "" if entry.invalidity_date is None else f" {text(entry.invalidity_date)}"
    return f"{entry.serial} {text(entry.at)} {entry.reason.name}{since}"


def _of_times(this_update: datetime, next_update: datetime) -> Written:
    return {"this-update": (text(this_update),), "next-update": (text(next_update),)}


def _of_bytes(preview: bytes, tbs: bytes | None) -> Written:
    return {} if tbs is None or tbs == signed_of(preview) else {"to-be-signed": (tbs,)}


def _named(certificate: bytes) -> Value:
    return next((name for name, der in CERTIFICATES.items() if der == certificate), certificate)
