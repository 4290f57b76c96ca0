"""The forms in which a certificate is handed out: PEM with its chain, DER, and CMS certs-only."""

import ssl
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

CHAIN_TYPE = "application/pem-certificate-chain"  # RFC 8555, 9.1
CERTIFICATE_TYPE = "application/pkix-cert"  # RFC 2585, 4.1
PKCS7_TYPE = "application/pkcs7-mime"
CERTS_ONLY_TYPE = f"{PKCS7_TYPE}; smime-type=certs-only"  # RFC 8551, 3.2.2

SUFFIX = {CHAIN_TYPE: "pem", CERTIFICATE_TYPE: "cer", CERTS_ONLY_TYPE: "p7c"}
"""Names of files by media type (RFC 8551, 3.2.1 for the last)."""


def pem_chain(chain: Sequence[bytes]) -> bytes:
    """Return certificates as PEM, in the order given: the one asked for, then those above it."""
    return "".join(ssl.DER_cert_to_PEM_cert(der) for der in chain).encode("ascii")


def leaf(chain: Sequence[bytes]) -> bytes:
    """Return the first certificate's own bytes."""
    return chain[0]


def certs_only(chain: Sequence[bytes]) -> bytes:
    """Return a degenerate SignedData that holds the certificates and signs nothing (RFC 5652, 5.1), DER."""
    return serialize_certificates([x509.load_der_x509_certificate(der) for der in chain], Encoding.DER)
