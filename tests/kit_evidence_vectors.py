"""Vectors of `check`: certificates, lists and answers by TEST keys that everybody knows, made anew octet for octet."""

import base64
from datetime import timedelta
from typing import Any

from cryptography import x509

from core.instants import text
from tests.relying_party_world import (
    AFTER,
    ARC,
    END,
    EXPIRY,
    FLAG,
    HOUR,
    NOW,
    SECOND,
    START,
    W,
    der,
    other_key,
)

STRANGE = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
DEVICE = {"manufacturer": "AB01", "model": "010A030B", "firmware_version": "0002012F"}
REVOKED = (END, FLAG.privilege_withdrawn)


def coded(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def asked(at: Any = NOW, device: Any = None, **changed: Any) -> dict[str, Any]:
    """A question with its evidence: that of the default world, with some things changed."""
    evidence = {
        "root": der(W.root),
        "certificate": W.leaf(),
        "issuers": [der(W.issuing)],
        "lists": [W.crl(at=NOW), W.root_crl()],
        "ocsp": W.answer(at=NOW),
        **changed,
    }
    question = {"at": text(at), "environment": "test", "arc": ARC}
    return {
        "question": question if device is None else {**question, "device": device},
        "evidence": {
            name: [coded(each) for each in said] if isinstance(said, list) else None if said is None else coded(said)
            for name, said in evidence.items()
        },
    }


def made() -> dict[str, dict[str, Any]]:
    """Every vector by its name, without what follows from it."""
    lists = [W.crl(REVOKED, at=NOW), W.root_crl()]
    other_ca = W.authority(W.root_name, W.root_name, other_key(), other_key(), 1, [])
    later = {"lists": [W.crl((AFTER, FLAG.cessation_of_operation), at=AFTER), W.root_crl()], "ocsp": None}
    return {
        "check-good": asked(),
        "check-good-by-list-alone": asked(ocsp=None),
        "check-good-for-a-device": asked(device=DEVICE),
        "check-first-second": asked(START, lists=[W.crl(at=START), W.root_crl()], ocsp=W.answer(at=START)),
        "check-last-second": asked(EXPIRY, lists=[W.crl(at=EXPIRY), W.root_crl()], ocsp=W.answer(at=EXPIRY)),
        "check-revoked-by-list": asked(lists=lists, ocsp=None),
        "check-revoked-by-list-and-answer": asked(lists=lists, ocsp=W.answer((END, 9), at=NOW)),
        "check-revoked-by-answer": asked(lists=[W.crl(at=END - HOUR), W.root_crl()], ocsp=W.answer((END, 9), at=NOW)),
        "check-withdrawn": asked(lists=[W.crl((END, FLAG.cessation_of_operation), at=NOW), W.root_crl()], ocsp=None),
        "check-before-it-was-revoked": asked(
            END - SECOND, lists=[W.crl(at=END - HOUR), lists[0], W.root_crl()], ocsp=None
        ),
        "check-not-yet-valid": asked(
            START - SECOND, lists=[W.crl(at=START - HOUR), W.root_crl()], ocsp=W.answer(at=START - HOUR)
        ),
        "check-expired": asked(AFTER, **later),
        "check-another-device": asked(device={**DEVICE, "model": "010A030C"}),
        "check-another-firmware": asked(device={**DEVICE, "firmware_version": "9"}),
        "check-wrong-signature": asked(certificate=W.leaf(signer=other_key())),
        "check-another-root": asked(root=der(other_ca)),
        "check-without-issuer": asked(issuers=[]),
        "check-critical-extension": asked(certificate=W.leaf(instead=[STRANGE])),
        "check-of-a-live-authority": asked() | {"question": {**asked()["question"], "environment": "live"}},
        "check-statement-contradicts": asked(certificate=W.leaf(end=EXPIRY - SECOND)),
        "check-without-list": asked(lists=[W.root_crl()], ocsp=None),
        "check-list-stale": asked(NOW + timedelta(days=3), ocsp=None),
        "check-list-of-another-issuer": asked(
            lists=[W.crl(issuer=W.root_name, signer=W.root_key), W.root_crl()], ocsp=None
        ),
        "check-list-signed-by-another": asked(lists=[W.crl(signer=other_key()), W.root_crl()], ocsp=None),
        "check-list-is-a-delta": asked(
            lists=[W.crl(instead=[(x509.DeltaCRLIndicator(1), True)]), W.root_crl()], ocsp=None
        ),
        "check-list-has-a-critical-extension": asked(lists=[W.crl(instead=[STRANGE]), W.root_crl()], ocsp=None),
        "check-list-without-number": asked(lists=[W.crl(without=(x509.CRLNumber,)), W.root_crl()], ocsp=None),
        "check-answer-stale": asked(NOW + timedelta(hours=13), lists=[W.crl(at=NOW + HOUR), W.root_crl()]),
        "check-answer-signed-by-another": asked(ocsp=W.answer(signer=other_key())),
        "check-answer-by-a-stranger": asked(ocsp=W.answer(responder=W.make_responder(signer=other_key()))),
        "check-answer-by-the-issuing-ca": asked(ocsp=W.answer(responder=W.issuing, signer=W.issuing_key)),
        "check-answer-about-another": asked(ocsp=W.answer(serial=7)),
        "check-answer-contradicts-list": asked(lists=lists, ocsp=W.answer(at=NOW)),
        "check-issuing-ca-revoked": asked(lists=[W.crl(at=NOW), W.root_crl((END, FLAG.ca_compromise), at=END)]),
        "check-without-list-of-the-root": asked(lists=[W.crl(at=NOW)]),
    }
