"""The one path from a cleared draft to a certificate."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from ca import der as write
from ca.certificates import Issuer, elliptic_key, issuer
from ca.clearance import Clearance, ClearanceKind
from ca.draft import Draft
from core.errors import IssuerMismatch, NotCleared, OutlivesIssuer, SignatureWrong
from core.identifiers import serial_of
from core.instants import text
from keys.signer import Signer, spki

_BY_SHA256 = ec.ECDSA(hashes.SHA256())


def sign_certificate(draft: Draft, clearance: Clearance, signer: Signer, issuer_der: bytes | None) -> bytes:
    """Sign a draft. The same draft gives the same certificate, however often it is made again from the store.

    It holds, or nothing is returned:
        1. policy linted a certificate, and it had exactly these to-be-signed bytes;
        2. they carry the serial number that was reserved for them;
        3. they name the issuer, by name and by key identifier, and the signer holds the issuer's key;
        4. they are valid only while the issuer is;
        5. the draft has not been signed before;
        6. the signature verifies.
    Left to the caller: that the claim on the draft is recorded before this is called.

    Args:
        draft: what to sign.
        clearance: policy's word on it.
        signer: holds the issuer's private key.
        issuer_der: the issuer's certificate; None for the root, which signs itself.

    Returns:
        The certificate, DER.

    Raises:
        NotCleared, IssuerMismatch, OutlivesIssuer, AlreadySpent, SignatureWrong: 1 and 2, 3, 4, 5, 6 does not hold.
    """
    cleared(clearance, ClearanceKind.CERTIFICATE, draft.digest, draft.serial)  # 1
    preview = x509.load_der_x509_certificate(draft.preview)
    # 1 and 2: the lint read the preview, so the preview must be these bytes, and the register's serial be theirs.
    if preview.tbs_certificate_bytes != draft.tbs or serial_of(preview.serial_number) != draft.serial:
        raise NotCleared(serial=draft.serial)
    if issuer_der is None:
        _check_self_signed(draft, preview, signer)  # 3
    else:
        above = issuer(issuer_der)
        _check_issuer(draft, preview, above)  # 3
        holds_key(signer, above.public_key, draft.serial)  # 3
        _check_nested(draft, preview, above)  # 4
    draft.spend()  # 5
    return write.signed(draft.tbs, verified_signature(signer, draft.tbs, draft.serial))  # 6


def cleared(clearance: Clearance, kind: ClearanceKind, digest: bytes, serial: str) -> None:
    """Raise NotCleared unless the clearance is for this kind of thing and for exactly these bytes.

    Args:
        clearance: policy's word.
        kind: of what is to be signed.
        digest: SHA-256 of the bytes to be signed.
        serial: what they are called in the error.
    """
    if clearance.kind is not kind or clearance.tbs_sha256 != digest:
        raise NotCleared(serial=serial)


def holds_key(signer: Signer, public_key: bytes, serial: str) -> None:
    """Raise IssuerMismatch unless the signer's public key is this one (SubjectPublicKeyInfo, DER)."""
    if signer.public_key != public_key:
        raise IssuerMismatch(serial=serial, detail="the key at hand is not the issuer's")


def verified_signature(signer: Signer, tbs: bytes, serial: str) -> bytes:
    """Return the signature over `tbs`, DER, after it was verified; SignatureWrong if it does not verify.

    A fault in memory or in a device gives a signature that convinces nobody, and can give the key away.
    """
    signature = signer.sign(tbs)
    try:
        elliptic_key(signer.public_key).verify(signature, tbs, _BY_SHA256)
    except InvalidSignature as error:
        raise SignatureWrong(serial=serial) from error
    return signature


def _check_self_signed(draft: Draft, preview: x509.Certificate, signer: Signer) -> None:
    if preview.issuer != preview.subject:
        raise IssuerMismatch(serial=draft.serial, detail="it names an issuer whose certificate is not at hand")
    key = preview.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or spki(key) != signer.public_key:
        raise IssuerMismatch(serial=draft.serial, detail="it would sign itself with the key of another")


def _check_issuer(draft: Draft, preview: x509.Certificate, above: Issuer) -> None:
    if write.name(preview.issuer) != above.name:
        raise IssuerMismatch(serial=draft.serial, detail="it names another issuer")
    try:
        authority = preview.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except x509.ExtensionNotFound as error:
        raise IssuerMismatch(serial=draft.serial, detail="it does not say which key of the issuer signs it") from error
    if authority.key_identifier != above.key_identifier:
        raise IssuerMismatch(serial=draft.serial, detail="it names another key of the issuer")


def _check_nested(draft: Draft, preview: x509.Certificate, above: Issuer) -> None:
    begins, ends = preview.not_valid_before_utc, preview.not_valid_after_utc
    if begins < above.not_before or ends > above.not_after:
        raise OutlivesIssuer(
            serial=draft.serial,
            not_before=text(begins),
            not_after=text(ends),
            begins=text(above.not_before),
            ends=text(above.not_after),
        )
