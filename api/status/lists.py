"""Whether a CRL of the register is one: whoever can write rows can write a number that no list will ever reach."""

from collections.abc import Sequence
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate, PublishedCrl

_ISSUE_LISTS = frozenset({HierarchyRole.ROOT, HierarchyRole.ISSUING})


def is_genuine(crl: PublishedCrl, certificates: Sequence[AuthorityCertificate]) -> bool:
    """Return whether the CA of this key signed the list, and its row says of it what its bytes say.

    Args:
        crl: a list as the register has it.
        certificates: of the hierarchy.
    """
    return _is_signed(
        crl, tuple(each.der for each in certificates if each.key_id == crl.key_id and each.role in _ISSUE_LISTS)
    )


@lru_cache(maxsize=16)  # the newest of each CA are asked about again and again; a list may be megabytes
def _is_signed(crl: PublishedCrl, issuers: tuple[bytes, ...]) -> bool:
    try:
        read = x509.load_der_x509_crl(crl.der)
        number = read.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        said = (number, read.last_update_utc, read.next_update_utc)
        return said == (crl.number, crl.this_update, crl.next_update) and any(_by(read, each) for each in issuers)
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.InvalidVersion,
    ):
        return False


def _by(read: x509.CertificateRevocationList, issuer: bytes) -> bool:
    key = x509.load_der_x509_certificate(issuer).public_key()
    return isinstance(key, ec.EllipticCurvePublicKey) and read.is_signature_valid(key)
