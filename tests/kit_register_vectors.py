"""Vectors of the register's signature: by TEST keys that everybody knows, made anew octet for octet."""

from datetime import datetime
from typing import Any

from cryptography import x509

from ca.statement import stated
from core.canonical import canonical
from core.identifiers import Serial
from tests.kit_decision_vectors import Always
from tests.kit_evidence_vectors import coded
from tests.relying_party_world import (
    BORN,
    HOUR,
    NOW,
    W,
    authority_key,
    build,
    der,
    key,
    name,
    other_key,
    short_identifier,
    usage,
)
from verify.kit.canonical import read
from verify.kit.instants import seconds
from verify.kit.simulated import Log, granted

SIGNED = NOW + HOUR
SERIAL = 0x1234


def signer(**changed: Any) -> bytes:
    """The certificate of a statement signer."""
    public = key("statement").public_key()
    extensions = [
        (usage(digital_signature=True), True),
        (W.policy, False),
        (x509.SubjectKeyIdentifier(short_identifier(public)), False),
        (authority_key(W.issuing_key.public_key()), False),
    ]
    extensions += changed.pop("more", [])
    options = {"begin": BORN, "serial": SERIAL, **changed}
    subject = name("TEST Trial CPA Statement Signer")
    return der(build(subject, W.issuing_name, public, W.issuing_key, extensions, **options))


def signature(register: bytes, own: bytes, at: datetime = SIGNED) -> bytes:
    return stated(register, Always("statement"), [own, der(W.issuing)], Serial(f"{SERIAL:032X}"), at)


def made() -> dict[str, dict[str, Any]]:
    """Every vector by its name, without what follows from it."""
    log = Log("TEST/vectors.example/log/1", bytes(range(32)))
    log.add(seconds("2027-02-01T10:00:00Z"), granted(1, seconds("2027-02-01T10:00:00Z")))
    register, own = log.register(), signer()
    other = canonical({**read(register), "size": 2})
    usage_of_others = (x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CODE_SIGNING]), False)
    another_root = W.authority(W.root_name, W.root_name, other_key(), other_key(), 1, [])

    def asked(message: bytes, octets: bytes = register, root: bytes = der(W.root)) -> dict[str, Any]:
        evidence = {"register": coded(octets), "signature": coded(message), "root": coded(root)}
        return {"question": {}, "evidence": evidence}

    message = signature(register, own)
    begun = message.index(own) + len(own) - 1
    return {
        "register-signed": asked(message),
        "register-of-another-size": asked(message, other),
        "register-not-canonical": asked(signature(register + b" ", own), register + b" "),
        "register-signer-altered": asked(message[:begun] + bytes([message[begun] ^ 1]) + message[begun + 1 :]),
        "register-signer-with-another-usage": asked(signature(register, signer(more=[usage_of_others]))),
        "register-signer-not-valid-then": asked(signature(register, own, BORN - HOUR)),
        "register-under-another-root": asked(message, root=der(another_root)),
    }
